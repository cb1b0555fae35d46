/* RFC 9112 sections 2 to 4: bytes, lines, and the start line. */
#include "upgrade.h"

#define FAIL CAWS_ERR_HANDSHAKE

struct text_row {
    const char *text;
    size_t len;
    int status;
};
#define TEXT(s) s, sizeof(s) - 1

static void check(const struct text_row *rows, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        int status = upgrade_request(NULL, rows[i].text, rows[i].len);
        if (status != rows[i].status)
            fail_msg("row %zu, \"%s\": %d", i, rows[i].text, status);
    }
}
#define CHECK(rows) check(rows, sizeof(rows) / sizeof *(rows))

static void heads_are_bytes_not_characters(void **state)
{
    static const struct upgrade_row rows[] = {
        { NULL, "X: \x80\xff\xc0\xaf\r\n", 101 },
        { NULL, "X: a\1b\r\n", 400 },
        { "Host", "H\xc3\xb6st: h\r\n", 400 },
        { "GET", "G\xc3\x8bT / HTTP/1.1\r\n", 400 },
    };
    static const struct text_row utf16[] = {
        { TEXT("G\0E\0T\0 \0/\0"), 400 },
        { TEXT("\xff\xfeG\0E\0T\0\r\0\n\0"), 400 },
        { TEXT("\xef\xbb\xbfGET / HTTP/1.1\r\nHost: h\r\n\r\n"), 400 },
    };
    (void)state;
    /* REQ 9112-2.2-1 */
    UPGRADE_CHECK_REQUESTS(NULL, rows);
    CHECK(utf16);
}

static void only_crlf_ends_a_line(void **state)
{
    static const struct text_row lf[] = {
        { TEXT("GET / HTTP/1.1\nHost: h\n\n"), 400 },
        { TEXT("GET / HTTP/1.1\r\nHost: h\n\r\n"), 400 },
        { TEXT("GET / HTTP/1.1\r\nHost: h\r\n\n"), 400 },
        { TEXT("\nGET / HTTP/1.1\r\nHost: h\r\n\r\n"), 400 },
    };
    static const struct text_row cr[] = {
        { TEXT("GET / HTTP/1.1\r\nHost: a\rb\r\n\r\n"), 400 },
        { TEXT("GET / HTTP/1.1\r\r\nHost: a\r\n\r\n"), 400 },
        { TEXT("GET / HTTP/1.1\r\nHost: a\r\r\n\r\n"), 400 },
        { TEXT("GET / HTTP/1.1\rHost: a\r\r"), 400 },
        { TEXT("GET / HTTP/1.1\r\nHost: a\r\n\r\r\n"), 400 },
    };
    static const struct upgrade_row responses[] = {
        { "Upgrade", "Upgrade: websocket\n", FAIL },
        { NULL, "X: a\rb\r\n", FAIL },
        { NULL, "X: a\r\r\n", FAIL },
    };
    (void)state;
    /* REQ 9112-2.2-2 */
    CHECK(lf);
    /* REQ 9112-2.2-3 */
    CHECK(cr);
    UPGRADE_CHECK_RESPONSES(NULL, responses);
}

static void one_empty_line_may_come_first(void **state)
{
    char many[3000];
    (void)state;
    /* REQ 9112-2.2-5 */
    assert_int_equal(upgrade_request(NULL, TEXT("\r\n" PEER_REQUEST)), 101);
    assert_int_equal(upgrade_request(NULL, TEXT("\r\n\r\n" PEER_REQUEST)), 400);
    for (size_t i = 0; i < sizeof many; i++)
        many[i] = i % 2 ? '\n' : '\r';
    assert_int_equal(upgrade_request(NULL, many, sizeof many), 400);
    assert_int_equal(upgrade_request(NULL, TEXT("\r\n\n" PEER_REQUEST)), 400);
}

static void first_field_is_not_indented(void **state)
{
    static const struct upgrade_row rows[] = {
        { "Host", " Host: h\r\n", 400 },
        { "Host", "\tHost: h\r\n", 400 },
        { "Host", " \r\nHost: h\r\n", 400 },
    };
    (void)state;
    /* REQ 9112-2.2-6 */
    UPGRADE_CHECK_REQUESTS(NULL, rows);
}

static void other_protocols_are_refused_at_once(void **state)
{
    static const struct text_row rows[] = {
        { TEXT("\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03"), 400 },
        { TEXT("\x16\x03\x01"), 400 },
        { TEXT("\x80\x2e\x01\x00\x02"), 400 },
        { TEXT("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"), 505 },
        { TEXT("SSH-2.0-OpenSSH_9.2\r\n"), 400 },
        { TEXT("EHLO mx\r\n"), 400 },
        { TEXT("\0\0\0\0"), 400 },
        { TEXT("\x05\x01\x00"), 400 },
    };
    (void)state;
    /* REQ 9112-2.2-7, HS-13 */
    CHECK(rows);
}

static void version_has_one_form(void **state)
{
    static const struct upgrade_row rows[] = {
        { "GET", "GET / http/1.1\r\n", 400 },  { "GET", "GET / HTTP/1.10\r\n", 400 },
        { "GET", "GET / HTTP/01.1\r\n", 400 }, { "GET", "GET / HTTP/1,1\r\n", 400 },
        { "GET", "GET / HTTP/2.0\r\n", 505 },  { "GET", "GET / HTTP/1.0\r\n", 505 },
        { "GET", "GET / HTTP/1\r\n", 400 },    { "GET", "GET / HTTP/1.\r\n", 400 },
        { "GET", "GET / HTTP/.1\r\n", 400 },   { "GET", "GET / HTTP 1.1\r\n", 400 },
        { "GET", "GET / HTTPS/1.1\r\n", 400 }, { "GET", "GET / XTTP/1.1\r\n", 400 },
        { "GET", "GET / HTTP/A.1\r\n", 400 },  { "GET", "GET / HTTP/1.\xb9\r\n", 400 },
    };
    static const struct upgrade_row responses[] = {
        { "HTTP/", "http/1.1 101 x\r\n", FAIL }, { "HTTP/", "HTTP/1.10 101 x\r\n", FAIL },
        { "HTTP/", "HTTP/01.1 101 x\r\n", FAIL }, { "HTTP/", "HTTP/1,1 101 x\r\n", FAIL },
        { "HTTP/", "HTTP/2.0 101 x\r\n", FAIL }, { "HTTP/", "HTTP/2 101 x\r\n", FAIL },
    };
    (void)state;
    /* REQ 9112-2.3-1 */
    UPGRADE_CHECK_REQUESTS(NULL, rows);
    UPGRADE_CHECK_RESPONSES(NULL, responses);
}

static void request_line_has_single_spaces(void **state)
{
    static const struct upgrade_row rows[] = {
        { "GET", "GET  / HTTP/1.1\r\n", 400 },   { "GET", "GET /  HTTP/1.1\r\n", 400 },
        { "GET", "GET\t/ HTTP/1.1\r\n", 400 },   { "GET", "GET /\tHTTP/1.1\r\n", 400 },
        { "GET", "GET / HTTP/1.1 \r\n", 400 },   { "GET", "GET / HTTP/1.1\t\r\n", 400 },
        { "GET", " GET / HTTP/1.1\r\n", 400 },   { "GET", "GET\x0b/ HTTP/1.1\r\n", 400 },
        { "GET", "GET /\x0c HTTP/1.1\r\n", 400 }, { "GET", "GET / HTTP/1.1 x\r\n", 400 },
        { "GET", "GET  HTTP/1.1\r\n", 400 },     { "GET", "/ HTTP/1.1\r\n", 400 },
        { "GET", "GET/ HTTP/1.1\r\n", 400 },     { "GET", "GET /HTTP/1.1\r\n", 400 },
    };
    static const struct upgrade_row wrong[] = {
        { "GET", "GET /a b HTTP/1.1\r\n", 400 },
        { "GET", "GET /a%20b HTTP/1.1\r\n", 101 },
    };
    (void)state;
    /* REQ 9112-3-1 */
    UPGRADE_CHECK_REQUESTS(NULL, rows);
    /* REQ 9112-3.2-3 */
    UPGRADE_CHECK_REQUESTS(NULL, wrong);
}

/* A request whose target is n bytes long. */
static char *long_request(size_t n)
{
    char *text = malloc(n + 512), *end = text;
    assert_non_null(text);
    end = stpcpy(end, "GET /");
    memset(end, 'a', n - 1);
    end = stpcpy(end + n - 1, " HTTP/1.1\r\n");
    strcpy(end, strchr(PEER_REQUEST, '\n') + 1);
    return text;
}

static void methods_and_long_targets(void **state)
{
    static const struct upgrade_row rows[] = {
        { "GET", "FOO / HTTP/1.1\r\n", 501 },    { "GET", "Get / HTTP/1.1\r\n", 501 },
        { "GET", "DELETE / HTTP/1.1\r\n", 405 }, { "GET", "OPTIONS / HTTP/1.1\r\n", 405 },
        { "GET", "TRACE / HTTP/1.1\r\n", 405 },  { "GET", "PATCH / HTTP/1.1\r\n", 405 },
        { "GET", "G(T / HTTP/1.1\r\n", 400 },
    };
    char *fits = long_request(7900), *too_long = long_request(20000);
    (void)state;
    /* REQ 9112-3-2 */
    UPGRADE_CHECK_REQUESTS(NULL, rows);
    assert_int_equal(upgrade_request(NULL, too_long, strlen(too_long)), 414);
    /* REQ 9112-3-3 */
    assert_int_equal(upgrade_request(NULL, fits, strlen(fits)), 101);
    free(fits);
    free(too_long);
}

static void host_must_be_one_valid_name(void **state)
{
    static const struct upgrade_row rows[] = {
        { "Host", "", 400 },
        { NULL, "Host: server.example.com\r\n", 400 },
        { NULL, "hoSt: other\r\n", 400 },
        { "Host", "Host: a b\r\n", 400 },     { "Host", "Host: a,b\r\n", 400 },
        { "Host", "Host: a/b\r\n", 400 },     { "Host", "Host: u@h\r\n", 400 },
        { "Host", "Host: h:x\r\n", 400 },     { "Host", "Host: h:65536\r\n", 400 },
        { "Host", "Host: [::1\r\n", 400 },    { "Host", "Host: ::1\r\n", 400 },
        { "Host", "Host: h?x\r\n", 400 },     { "Host", "Host: h#x\r\n", 400 },
        { "Host", "Host: h\xc3\xa9\r\n", 400 }, { "Host", "Host: h%zz\r\n", 400 },
        { "Host", "Host: http://h\r\n", 400 }, { "Host", "Host: :80\r\n", 400 },
        { "Host", "Host: h:\r\n", 101 },      { "Host", "Host: h:080\r\n", 101 },
    };
    (void)state;
    /* REQ 9112-3.2-1 */
    UPGRADE_CHECK_REQUESTS(NULL, rows);
}

static int see_absolute(caws_conn *ws, const caws_request *req)
{
    (void)ws;
    assert_true(upgrade_is(req->host, "a:81"));
    assert_true(upgrade_is(req->target, "/x?y"));
    return CAWS_ACCEPT;
}

static void absolute_form_overrides_host(void **state)
{
    static const caws_config cfg = { .on_request = see_absolute, .hosts = "a:81", .path = "/x" };
    static const struct upgrade_row rows[] = {
        { "GET", "GET http://a:81/x?y HTTP/1.1\r\nOrigin: http://a:81\r\n", 101 },
        { "GET", "GET http://a:81/x?y HTTP/1.1\r\nOrigin: http://server.example.com\r\n", 403 },
    };
    static const struct upgrade_row bad[] = {
        { "GET", "GET http://a b/x HTTP/1.1\r\n", 400 },
        { "GET", "GET http://u@a/x HTTP/1.1\r\n", 400 },
        { "GET", "GET http:///x HTTP/1.1\r\n", 400 },
        { "GET", "GET http:// HTTP/1.1\r\n", 400 },
        { "GET", "GET http:/a/x HTTP/1.1\r\n", 400 },
        { "GET", "GET ftp://a/x HTTP/1.1\r\n", 400 },
    };
    (void)state;
    /* REQ 9112-3.2.2-1 */
    UPGRADE_CHECK_REQUESTS(&cfg, rows);
    UPGRADE_CHECK_REQUESTS(NULL, bad);
}

static void other_targets_are_refused(void **state)
{
    static const struct upgrade_row forms[] = {
        { "GET", "GET h:80 HTTP/1.1\r\n", 400 },
        { "GET", "GET * HTTP/1.1\r\n", 400 },
        { "GET", "GET chat HTTP/1.1\r\n", 400 },
    };
    static const char others[] = "\"#<>\\{}";
    static const char request[] = "GET /a?* HTTP/1.1\r\n";
    (void)state;
    /* REQ 9112-3.2.4-1 */
    UPGRADE_CHECK_REQUESTS(NULL, forms);
    /* REQ 9112-3.2-4 */
    for (int c = 0; c < 256; c++) {
        char text[512];
        size_t len = (size_t)sprintf(text, "%s%s", request, strchr(PEER_REQUEST, '\n') + 1);
        bool good = c > ' ' && c < 0x7f && !strchr(others, c);
        text[strlen("GET /a?")] = (char)c;
        assert_int_equal(upgrade_request(NULL, text, len), good ? 101 : 400);
    }
}

static void status_line_has_one_form(void **state)
{
    static const struct upgrade_row rows[] = {
        { "HTTP/", "HTTP/1.1 101\r\n", FAIL }, /* without the last space */
        { "HTTP/", "HTTP/1.1 1010 x\r\n", FAIL },
        { "HTTP/", "HTTP/1.1  101\r\n", FAIL },
        { "HTTP/", "HTTP/1.1 +01 x\r\n", FAIL },
        { "HTTP/", "HTTP/1.1 10 x\r\n", FAIL },
        { "HTTP/", "HTTP/1.1 1 01\r\n", FAIL },
        { "HTTP/", "HTTP/1.1\t101 x\r\n", FAIL },
        { "HTTP/", "HTTP/1.1 101\tx\r\n", FAIL },
        { "HTTP/", " HTTP/1.1 101 x\r\n", FAIL },
        { "HTTP/", "HTTP/1.1 10l x\r\n", FAIL },
        { "HTTP/", "HTTP/1.1 101 \x80\xff\r\n", CAWS_OK },
        { "HTTP/", "HTTP/1.1 101 \r\n", CAWS_OK },
    };
    (void)state;
    /* REQ 9112-4-1 */
    UPGRADE_CHECK_RESPONSES(NULL, rows);
}

/* So many interim responses, then the 101. */
static int after_interim(size_t count)
{
    static const char hint[] = "HTTP/1.1 103 Early Hints\r\n\r\n";
    char *text = malloc(count * strlen(hint) + sizeof UPGRADE_RESPONSE), *end = text;
    int result;
    assert_non_null(text);
    for (size_t i = 0; i < count; i++)
        end = stpcpy(end, hint);
    end = stpcpy(end, UPGRADE_RESPONSE);
    result = upgrade_response(NULL, text, (size_t)(end - text));
    free(text);
    return result;
}

static void status_codes_and_interim_responses(void **state)
{
    static const struct upgrade_row codes[] = {
        { "HTTP/", "HTTP/1.1 099 x\r\n", FAIL }, { "HTTP/", "HTTP/1.1 600 x\r\n", FAIL },
        { "HTTP/", "HTTP/1.1 999 x\r\n", FAIL }, { "HTTP/", "HTTP/1.1 000 x\r\n", FAIL },
        { "HTTP/", "HTTP/1.1 599 x\r\n", CAWS_ERR_REFUSED },
        { "HTTP/", "HTTP/1.1 200 x\r\n", CAWS_ERR_REFUSED },
        { "HTTP/", "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 x\r\nLink: a\r\n\r\n"
                   "HTTP/1.1 101 x\r\n", CAWS_OK },
    };
    (void)state;
    /* REQ 9112-4-2 */
    UPGRADE_CHECK_RESPONSES(NULL, codes);
    assert_int_equal(after_interim(8), CAWS_OK);
    assert_int_equal(after_interim(9), FAIL);
    assert_int_equal(after_interim(1000), FAIL);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(heads_are_bytes_not_characters),
        cmocka_unit_test(only_crlf_ends_a_line),
        cmocka_unit_test(one_empty_line_may_come_first),
        cmocka_unit_test(first_field_is_not_indented),
        cmocka_unit_test(other_protocols_are_refused_at_once),
        cmocka_unit_test(version_has_one_form),
        cmocka_unit_test(request_line_has_single_spaces),
        cmocka_unit_test(methods_and_long_targets),
        cmocka_unit_test(host_must_be_one_valid_name),
        cmocka_unit_test(absolute_form_overrides_host),
        cmocka_unit_test(other_targets_are_refused),
        cmocka_unit_test(status_line_has_one_form),
        cmocka_unit_test(status_codes_and_interim_responses),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
