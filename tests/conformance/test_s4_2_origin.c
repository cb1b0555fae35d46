/* Which pages, and which names for the server, are let in: RFC 6455 sections
 * 4.2.2 and 10.2, RFC 6454. */
#include "upgrade.h"

static const char *request_of(const char *host, const char *origin)
{
    static char text[512];
    snprintf(text, sizeof text,
             "GET / HTTP/1.1\r\nHost: %s\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
             "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n"
             "%s%s%s\r\n",
             host, origin ? "Origin: " : "", origin ? origin : "", origin ? "\r\n" : "");
    return text;
}

struct row {
    const char *host, *origin;
    int status;
};

static void check(const caws_config *cfg, const struct row *rows, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        const char *text = request_of(rows[i].host, rows[i].origin);
        int status = upgrade_request(cfg, text, strlen(text));
        if (status != rows[i].status)
            fail_msg("host %s, origin %s: %d", rows[i].host,
                     rows[i].origin ? rows[i].origin : "none", status);
    }
}

#define CHECK(cfg, rows) check(cfg, rows, sizeof(rows) / sizeof *(rows))

static void pages_of_the_same_host_and_port_by_default(void **state)
{
    static const struct row rows[] = {
        { "good.com", "http://good.com", 101 },
        { "good.com", "https://good.com:443", 101 },
        { "good.com:80", "https://good.com", 403 },
        { "good.com:443", "http://good.com", 403 },
        { "good.com", "http://good.com:80", 101 },
        { "good.com:80", "http://good.com", 101 },
        { "good.com:81", "http://good.com:81", 101 },
        { "good.com:81", "http://good.com", 403 },
        { "good.com", "http://good.com:81", 403 },
        { "good.com:443", "https://good.com", 101 },
        { "good.com", "https://good.com", 101 },
        { "GOOD.com", "HTTP://good.COM", 101 },
        { "[::1]:81", "http://[::1]:81", 101 },
        { "[::1]:81", "http://[::2]:81", 403 },
        { "127.0.0.1:81", "http://localhost:81", 403 },
    };
    (void)state;
    CHECK(NULL, rows);
}

static void other_pages_are_refused(void **state)
{
    static const struct row rows[] = {
        { "good.com", "https://evil.com", 403 },
        { "good.com", "null", 403 },
        { "good.com", "", 403 },
        { "good.com", "https://good.com.evil", 403 },
        { "good.com", "https://evilgood.com", 403 },
        { "good.com", "https://evil.good.com", 403 },
        { "good.com", "https://good.com@evil.com", 403 },
        { "good.com", "https://evil.com/good.com", 403 },
        { "good.com", "https://evil.com#good.com", 403 },
        { "good.com", "https://good.com/", 403 },
        { "good.com", "https://good.co", 403 },
        { "good.com", "https://good.com.", 403 },
        { "good.com", "good.com", 403 },
        { "good.com", "//good.com", 403 },
        { "good.com", "https://", 403 },
        { "good.com", "http://", 403 },
        { "good.com", "http:", 403 },
        { "good.com", "https:good.com", 403 },
        { "good.com", "http://good.com https://evil.com", 403 },
        { "good.com", "https://evil.com, https://good.com", 403 },
        { "good.com", "ftp://good.com", 403 },
        { "good.com", "chrome-extension://good.com", 403 },
        { "good.com", "file://", 403 },
        { "good.com", "http://good.com:", 101 },
        { "good.com", "http://good.com:x", 403 },
        { "good.com", "http://good.com:80:80", 403 },
        { "good.com", "http://good\xc3\xa9.com", 403 },
        { "good.com", NULL, 101 },
    };
    (void)state;
    /* REQ HS-1, 10.2-2, 4.2.2-5 */
    CHECK(NULL, rows);
}

static void a_list_lets_its_own_in(void **state)
{
    static const caws_config cfg = { .origins = "https://good.com, http://localhost:81" };
    static const struct row rows[] = {
        { "other.com", "https://good.com", 101 },
        { "other.com", "HTTPS://Good.COM", 101 },
        { "other.com", "http://localhost:81", 101 },
        { "other.com", "https://evil", 403 },
        { "other.com", "http://good.com", 403 },
        { "other.com", "https://good.com.evil", 403 },
        { "other.com", "https://good.com:444", 403 },
        { "other.com", "https://good.com, http://localhost:81", 403 },
        { "other.com", "http://other.com", 403 }, /* same host, but not in the list */
        { "other.com", "null", 403 },
        { "other.com", NULL, 403 },
        { "other.com", "", 403 },
    };
    (void)state;
    /* REQ 4.2.2-4, 10.2-1 */
    CHECK(&cfg, rows);
}

static void null_can_be_listed(void **state)
{
    static const caws_config cfg = { .origins = "null" };
    static const struct row rows[] = { { "h", "null", 101 }, { "h", NULL, 403 } };
    (void)state;
    CHECK(&cfg, rows);
}

static void a_star_lets_everybody_in(void **state)
{
    static const caws_config cfg = { .origins = "*" };
    static const struct row rows[] = {
        { "good.com", "https://evil", 101 },
        { "good.com", "null", 101 },
        { "good.com", "", 101 },
        { "good.com", NULL, 101 },
    };
    (void)state;
    /* REQ 4.2.2-4 */
    CHECK(&cfg, rows);
}

static void refused_origin_is_told(void **state)
{
    struct peer p = { 0 };
    (void)state;
    peer_server(&p, NULL);
    peer_feed_text(&p, request_of("good.com", "https://evil"));
    /* REQ 4.2.2-5 */
    upgrade_assert_refused(&p, 403);
    assert_string_equal(p.log, "error -7 Origin may not connect to this server (origins), "
                               "RFC 6455 section 4.2.2\n");
    assert_false(peer_out_has(&p, "evil"));
    peer_free(&p);
}

static int keep_origin(caws_conn *ws, const caws_request *req)
{
    struct peer *p = caws_context(ws);
    char *to = p->user.context;
    memcpy(to, req->origin.data, req->origin.len);
    to[req->origin.len] = '\0';
    return 403;
}

/* Whatever a client says of itself arrives as it was sent, and is text. */
static void origin_is_untrusted_text(void **state)
{
    char got[64];
    caws_config cfg = { .origins = "*", .on_request = keep_origin, .context = got };
    const char *text = request_of("h", "<b>\"%00'; -- \xff\xc0\t%s");
    (void)state;
    /* REQ 10.1-1 */
    assert_int_equal(upgrade_request(&cfg, text, strlen(text)), 403);
    assert_string_equal(got, "<b>\"%00'; -- \xff\xc0\t%s");
}

static void two_origins_are_refused(void **state)
{
    static const caws_config all = { .origins = "*" };
    static const struct upgrade_row rows[] = {
        { NULL, "Origin: http://server.example.com\r\nOrigin: http://server.example.com\r\n", 400 },
    };
    (void)state;
    UPGRADE_CHECK_REQUESTS(NULL, rows);
    UPGRADE_CHECK_REQUESTS(&all, rows);
}

/* ---- Host (DNS rebinding) ---------------------------------------------- */

static void hosts_lists_the_names_it_answers_to(void **state)
{
    static const caws_config cfg = { .hosts = "localhost, 127.0.0.1, [::1], named:81" };
    static const struct row rows[] = {
        { "localhost", NULL, 101 },
        { "LOCALHOST:1025", NULL, 101 },
        { "127.0.0.1:1025", NULL, 101 },
        { "[::1]:1025", NULL, 101 },
        { "[::1]", NULL, 101 },
        { "named:81", NULL, 101 },
        { "attacker.test", NULL, 403 },
        { "attacker.test:1025", "http://attacker.test:1025", 403 },
        { "localhost.attacker.test", NULL, 403 },
        { "xlocalhost", NULL, 403 },
        { "localhost.", NULL, 403 },
        { "127.0.0.1.nip.io", NULL, 403 },
        { "127.0.0.11", NULL, 403 },
        { "[::2]", NULL, 403 },
        { "named", NULL, 403 },
        { "named:82", NULL, 403 },
    };
    static const struct upgrade_row absolute[] = {
        { "GET", "GET http://localhost/chat HTTP/1.1\r\n", 101 },
        { "Host", "Host: localhost\r\n", 101 },
    };
    static const struct upgrade_row rebound[] = {
        { "GET", "GET http://attacker.test/chat HTTP/1.1\r\n", 403 },
    };
    (void)state;
    /* REQ HS-2 */
    CHECK(&cfg, rows);
    UPGRADE_CHECK_REQUESTS(&cfg, absolute);
    UPGRADE_CHECK_REQUESTS(&cfg, rebound);
}

static void hosts_hold_for_plain_requests_too(void **state)
{
    static const char plain[] = "GET / HTTP/1.1\r\nHost: attacker.test\r\n\r\n";
    static const caws_config cfg = { .hosts = "localhost" };
    struct peer p = { 0 };
    (void)state;
    peer_server(&p, &cfg);
    peer_feed_text(&p, plain);
    upgrade_assert_refused(&p, 403);
    assert_true(peer_log_has(&p, "error -7 Host is not one this server answers to (hosts)"));
    peer_free(&p);
}

static void hosts_star_means_any(void **state)
{
    static const caws_config cfg = { .hosts = "*" };
    static const struct row rows[] = { { "attacker.test", NULL, 101 } };
    (void)state;
    CHECK(&cfg, rows);
    CHECK(NULL, rows);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(pages_of_the_same_host_and_port_by_default),
        cmocka_unit_test(other_pages_are_refused),
        cmocka_unit_test(a_list_lets_its_own_in),
        cmocka_unit_test(null_can_be_listed),
        cmocka_unit_test(a_star_lets_everybody_in),
        cmocka_unit_test(refused_origin_is_told),
        cmocka_unit_test(origin_is_untrusted_text),
        cmocka_unit_test(two_origins_are_refused),
        cmocka_unit_test(hosts_lists_the_names_it_answers_to),
        cmocka_unit_test(hosts_hold_for_plain_requests_too),
        cmocka_unit_test(hosts_star_means_any),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
