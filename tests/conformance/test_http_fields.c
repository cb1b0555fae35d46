/* RFC 9112 section 5 and RFC 9110 section 5: header fields. */
#include "upgrade.h"

#define FAIL CAWS_ERR_HANDSHAKE

static void no_space_before_the_colon(void **state)
{
    static const struct upgrade_row rows[] = {
        { "Host", "Host : h\r\n", 400 },
        { "Host", "Host\t: h\r\n", 400 },
        { "Sec-WebSocket-Key", "Sec-WebSocket-Key : dGhlIHNhbXBsZSBub25jZQ==\r\n", 400 },
        { NULL, "X : y\r\n", 400 },
    };
    static const struct upgrade_row responses[] = {
        { "Upgrade", "Upgrade : websocket\r\n", FAIL },
        { NULL, "X\t: y\r\n", FAIL },
    };
    (void)state;
    /* REQ 9112-5.1-1 */
    UPGRADE_CHECK_REQUESTS(NULL, rows);
    UPGRADE_CHECK_RESPONSES(NULL, responses);
}

static void names_are_tokens(void **state)
{
    static const struct upgrade_row rows[] = {
        { NULL, ": x\r\n", 400 },      { NULL, "a b: c\r\n", 400 },
        { NULL, "a(b): c\r\n", 400 },  { NULL, "\x80: x\r\n", 400 },
        { NULL, "Content-Length\1: 5\r\n", 400 }, /* NUL */
        { NULL, "a\x01: x\r\n", 400 }, { NULL, "a\x7f: x\r\n", 400 },
        { NULL, "\"a\": x\r\n", 400 }, { NULL, "a/b: x\r\n", 400 },
        { NULL, "!#$%&'*+-.^_`|~09azAZ: x\r\n", 101 },
    };
    static const struct upgrade_row responses[] = {
        { NULL, ": x\r\n", FAIL },      { NULL, "a b: c\r\n", FAIL },
        { NULL, "a(b): c\r\n", FAIL },  { NULL, "\x80: x\r\n", FAIL },
        { NULL, "Content-Length\1: 5\r\n", FAIL },
    };
    (void)state;
    /* REQ 9112-5.1-2 */
    UPGRADE_CHECK_REQUESTS(NULL, rows);
    UPGRADE_CHECK_RESPONSES(NULL, responses);
}

static bool is_tchar(int c)
{
    return c > 0 && strchr("!#$%&'*+-.^_`|~0123456789abcdefghijklmnopqrstuvwxyz"
                           "ABCDEFGHIJKLMNOPQRSTUVWXYZ", c);
}

/* Each byte as a field name, and as a subprotocol. */
static void tokens_have_77_characters(void **state)
{
    unsigned count = 0;
    (void)state;
    for (int c = 0; c < 256; c++) {
        static const char offer[] = "X: y\r\nSec-WebSocket-Protocol: *\r\n";
        char text[512];
        int status;
        size_t at = strlen(PEER_REQUEST_LINES), len = at + strlen(offer) + 2;
        snprintf(text, sizeof text, PEER_REQUEST_LINES "%s\r\n", offer);
        text[at] = (char)c;
        status = upgrade_request(NULL, text, len);
        /* REQ 9110-5.6.2-1 */
        assert_int_equal(status, is_tchar(c) ? 101 : 400);
        text[at] = 'X';
        text[len - 5] = (char)c;
        status = upgrade_request(NULL, text, len);
        assert_int_equal(status, is_tchar(c) ? 101 : 400);
        count += is_tchar(c);
    }
    assert_int_equal(count, 77);
}

static void every_field_has_a_colon(void **state)
{
    static const struct upgrade_row rows[] = {
        { "Host", "Host h\r\n", 400 },
        { NULL, "garbage\r\n", 400 },
        { NULL, "=\r\n", 400 },
    };
    static const struct upgrade_row responses[] = {
        { NULL, "garbage\r\n", FAIL },
        { "Upgrade", "Upgrade websocket\r\n", FAIL },
    };
    (void)state;
    /* REQ 9112-5.1-3 */
    UPGRADE_CHECK_REQUESTS(NULL, rows);
    UPGRADE_CHECK_RESPONSES(NULL, responses);
}

static void folded_lines_are_refused(void **state)
{
    static const struct upgrade_row rows[] = {
        { NULL, "X: a\r\n b\r\n", 400 },
        { NULL, "X: a\r\n\tb\r\n", 400 },
        { NULL, "X: a\r\n \r\n", 400 },
        { "Upgrade", "Upgrade:\r\n websocket\r\n", 400 },
        { "Sec-WebSocket-Key", "Sec-WebSocket-Key: dGhlIHNhbXBs\r\n ZSBub25jZQ==\r\n", 400 },
        { NULL, "Transfer-Encoding:\r\n chunked\r\n", 400 },
    };
    static const struct upgrade_row responses[] = {
        { NULL, "Sec-WebSocket-Protocol:\r\n a\r\n", FAIL },
        { NULL, "X: a\r\n b\r\n", FAIL },
    };
    static const caws_config offer = { .subprotocols = "a" };
    (void)state;
    /* REQ 9112-5.2-1 */
    UPGRADE_CHECK_REQUESTS(NULL, rows);
    /* REQ 9112-5.2-2 */
    UPGRADE_CHECK_RESPONSES(&offer, responses);
}

static void names_fold_case_in_ascii_only(void **state)
{
    static const struct upgrade_row rows[] = {
        { "Host", "HOST: h\r\n", 101 },
        { "Host", "hoSt: h\r\n", 101 },
        { "Host", "Ho\xc5\xbft: h\r\n", 400 },
        { NULL, "HOST: h\r\n", 400 }, /* so it is there twice */
        { NULL, "origin: https://evil\r\n", 403 },
    };
    static const struct upgrade_row responses[] = {
        { "Upgrade", "UPGRADE: websocket\r\n", CAWS_OK },
        { NULL, "uPGRADE: websocket\r\n", FAIL },
    };
    (void)state;
    /* REQ 9110-5.1-1 */
    UPGRADE_CHECK_REQUESTS(NULL, rows);
    UPGRADE_CHECK_RESPONSES(NULL, responses);
}

static void lists_may_be_split_over_fields(void **state)
{
    static const caws_config cfg = { .subprotocols = "b" };
    static const struct upgrade_row rows[] = {
        { "Connection", "Connection: a\r\nX: y\r\nconnection: Upgrade\r\n", 101 },
        { "Upgrade", "Upgrade: h2c\r\nUpgrade: websocket\r\n", 101 },
        { NULL, "Sec-WebSocket-Extensions: a\r\nSec-WebSocket-Extensions: b\r\n", 101 },
    };
    struct peer p = { 0 };
    (void)state;
    /* REQ 9110-5.3-1 */
    UPGRADE_CHECK_REQUESTS(NULL, rows);
    peer_server(&p, &cfg);
    peer_feed_text(&p, upgrade_edit(PEER_REQUEST_LINES, NULL, "Sec-WebSocket-Protocol: a\r\n"
                                                              "Sec-WebSocket-Protocol: b\r\n"));
    assert_string_equal(caws_subprotocol(p.ws), "b");
    peer_free(&p);
}

static void single_fields_must_not_repeat(void **state)
{
    static const struct upgrade_row rows[] = {
        { NULL, "Host: server.example.com\r\n", 400 },
        { NULL, "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n", 400 },
        { NULL, "Sec-WebSocket-Version: 13\r\n", 400 },
        { NULL, "Origin: http://server.example.com\r\nOrigin: http://server.example.com\r\n", 400 },
        { NULL, "Content-Length: 0\r\nContent-Length: 0\r\n", 400 },
    };
    static const struct upgrade_row responses[] = {
        { NULL, UPGRADE_ACCEPT, FAIL },
        { NULL, "Upgrade: websocket\r\n", FAIL },
    };
    (void)state;
    /* REQ 9110-5.3-2 */
    UPGRADE_CHECK_REQUESTS(NULL, rows);
    UPGRADE_CHECK_RESPONSES(NULL, responses);
}

static int must_not_be_asked(caws_conn *ws, const caws_request *req)
{
    (void)ws, (void)req;
    fail_msg("asked before the head was complete");
    return 500;
}

static void nothing_is_decided_before_the_empty_line(void **state)
{
    static const caws_config cfg = { .on_request = must_not_be_asked };
    (void)state;
    for (size_t n = 0; n < strlen(PEER_REQUEST); n++) {
        struct peer p = { 0 };
        peer_server(&p, &cfg);
        peer_feed(&p, PEER_REQUEST, n);
        /* REQ 9110-5.3-3 */
        assert_string_equal(p.log, "");
        assert_int_equal(p.out_len, 0);
        assert_null(caws_header(p.ws, "Host").data);
        peer_free(&p);
    }
}

static int ask_for_no_names(caws_conn *ws, const caws_request *req)
{
    (void)req;
    assert_true(upgrade_is(caws_header(ws, "X-Time"), "12:30"));
    assert_null(caws_header(ws, "X-Time: 12").data);
    assert_null(caws_header(ws, "").data);
    return CAWS_ACCEPT;
}

static void a_name_ends_at_the_first_colon(void **state)
{
    static const caws_config cfg = { .on_request = ask_for_no_names };
    struct peer p = { 0 };
    (void)state;
    peer_server(&p, &cfg);
    peer_feed_text(&p, PEER_REQUEST_LINES "X-Time: 12:30\r\n\r\n");
    assert_int_equal(caws_ready_state(p.ws), CAWS_OPEN);
    peer_free(&p);
}

static void only_blanks_around_a_value_are_dropped(void **state)
{
    static const struct upgrade_row rows[] = {
        { "Upgrade", "Upgrade: \twebsocket \t\r\n", 101 },
        { "Upgrade", "Upgrade:websocket\r\n", 101 },
        { "Upgrade", "Upgrade: \x0bwebsocket\r\n", 400 },
        { "Upgrade", "Upgrade: websocket\x0c\r\n", 400 },
        { "Upgrade", "Upgrade: \xc2\xa0websocket\r\n", 426 }, /* NO-BREAK SPACE */
    };
    (void)state;
    /* REQ 9110-5.5-1 */
    UPGRADE_CHECK_REQUESTS(NULL, rows);
}

static void values_have_no_control_characters(void **state)
{
    static const struct upgrade_row rows[] = {
        { NULL, "X: a\tb\r\n", 101 },
        { NULL, "X: \x80\x9f\xa0\xff\r\n", 101 },
        { "Host", "Host: h\x80\r\n", 400 },
        { "Upgrade", "Upgrade: websocket\x80\r\n", 426 },
        { "Sec-WebSocket-Key", "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ\x80=\r\n", 400 },
    };
    (void)state;
    /* REQ 9110-5.5-2 */
    for (int c = 0; c < 256; c++) {
        char request[] = PEER_REQUEST_LINES "X: a*b\r\n\r\n";
        char response[] = UPGRADE_RESPONSE_LINES "X: a*b\r\n\r\n";
        bool bad = (c < ' ' && c != '\t') || c == 0x7f;
        *strchr(request, '*') = (char)c;
        *strchr(response, '*') = (char)c;
        assert_int_equal(upgrade_request(NULL, request, sizeof request - 1), bad ? 400 : 101);
        assert_int_equal(upgrade_response(NULL, response, sizeof response - 1),
                         bad ? FAIL : CAWS_OK);
    }
    UPGRADE_CHECK_REQUESTS(NULL, rows);
}

static void empty_list_elements_are_ignored(void **state)
{
    static const struct upgrade_row rows[] = {
        { "Connection", "Connection: ,,Upgrade\r\n", 101 },
        { "Connection", "Connection: ,\t, ,Upgrade, ,\r\n", 101 },
        { "Connection", "Connection: ,,\r\n", 400 },
    };
    enum { COMMAS = 10000 };
    char *text = malloc(COMMAS + sizeof PEER_REQUEST + 64), *end = text;
    (void)state;
    /* REQ 9110-5.6.1-1 */
    UPGRADE_CHECK_REQUESTS(NULL, rows);
    assert_non_null(text);
    end = stpcpy(end, "GET / HTTP/1.1\r\nConnection: ");
    memset(end, ',', COMMAS);
    end = stpcpy(end + COMMAS, "\r\n");
    strcpy(end, strchr(PEER_REQUEST, '\n') + 1);
    assert_int_equal(upgrade_request(NULL, text, strlen(text)), 101);
    free(text);
}

static void connection_options_are_whole_tokens(void **state)
{
    static const struct upgrade_row rows[] = {
        { "Connection", "Connection: Upgrade-Insecure\r\n", 400 },
        { "Connection", "Connection: notupgrade\r\n", 400 },
        { "Connection", "Connection: upgrade;q=1\r\n", 400 },
        { "Connection", "Connection: \"upgrade\"\r\n", 400 },
        { "Connection", "Connection: keep-alive Upgrade\r\n", 400 },
        { "Connection", "Connection: Up, grade\r\n", 400 },
        { "Connection", "Connection: uPGRADE\r\n", 101 },
    };
    static const struct upgrade_row responses[] = {
        { "Connection", "Connection: Upgrade-Insecure\r\n", FAIL },
        { "Connection", "Connection: notupgrade\r\n", FAIL },
        { "Connection", "Connection: upgrade;q=1\r\n", FAIL },
    };
    (void)state;
    /* REQ 9110-7.6.1-1 */
    UPGRADE_CHECK_REQUESTS(NULL, rows);
    UPGRADE_CHECK_RESPONSES(NULL, responses);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(no_space_before_the_colon),
        cmocka_unit_test(names_are_tokens),
        cmocka_unit_test(tokens_have_77_characters),
        cmocka_unit_test(every_field_has_a_colon),
        cmocka_unit_test(folded_lines_are_refused),
        cmocka_unit_test(names_fold_case_in_ascii_only),
        cmocka_unit_test(lists_may_be_split_over_fields),
        cmocka_unit_test(single_fields_must_not_repeat),
        cmocka_unit_test(nothing_is_decided_before_the_empty_line),
        cmocka_unit_test(a_name_ends_at_the_first_colon),
        cmocka_unit_test(only_blanks_around_a_value_are_dropped),
        cmocka_unit_test(values_have_no_control_characters),
        cmocka_unit_test(empty_list_elements_are_ignored),
        cmocka_unit_test(connection_options_are_whole_tokens),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
