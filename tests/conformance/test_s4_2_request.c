/* RFC 6455 section 4.2.1: what a server makes of a request. */
#include "upgrade.h"

static void every_byte_counts(void **state)
{
    static const char good[] = PEER_REQUEST;
    size_t len = sizeof good - 1;
    size_t free_from = strlen("GET /"), free_to = strlen("GET /chat");
    size_t host_from = strlen("GET /chat HTTP/1.1\r\nHost:");
    size_t host_to = host_from + strlen(" server.example.com");
    (void)state;
    for (size_t i = 0; i < len; i++) {
        char bad[sizeof good];
        int status;
        bool allowed = (i >= free_from && i < free_to) || (i >= host_from && i < host_to);
        memcpy(bad, good, sizeof good);
        bad[i] = '~';
        status = upgrade_request(NULL, bad, len);
        if (i >= len - 4 && status == 0)
            continue; /* the head has not ended */
        /* REQ 4.2.1-1 */
        if (allowed ? status != 101 : status < 400 || status > 505)
            fail_msg("with a ~ at byte %zu: %d", i, status);
    }
}

static void every_line_is_needed(void **state)
{
    static const struct upgrade_row rows[] = {
        { "Host", "", 400 },
        { "Upgrade", "", 426 },
        { "Connection", "", 400 },
        { "Sec-WebSocket-Key", "", 400 },
        { "Sec-WebSocket-Version", "", 400 },
        { "GET", "GET /chat HTTP/1.1\r\n", 101 },
    };
    (void)state;
    /* REQ 4.2.1-1 */
    UPGRADE_CHECK_REQUESTS(NULL, rows);
}

static void order_of_fields_does_not_matter(void **state)
{
    static const char *const lines[6] = {
        "Host: server.example.com\r\n", "Upgrade: websocket\r\n", "Connection: Upgrade\r\n",
        "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n", "Sec-WebSocket-Version: 13\r\n",
        "Origin: http://server.example.com\r\n",
    };
    (void)state;
    for (unsigned n = 0; n < 720; n++) {
        char text[512] = "GET /chat HTTP/1.1\r\n";
        unsigned left[6] = { 0, 1, 2, 3, 4, 5 }, rest = n;
        for (unsigned count = 6; count > 0; count--) {
            unsigned pick = rest % count;
            rest /= count;
            strcat(text, lines[left[pick]]);
            memmove(left + pick, left + pick + 1, (5 - pick) * sizeof *left);
        }
        strcat(text, "\r\n");
        /* REQ 4.2.1-2 */
        assert_int_equal(upgrade_request(NULL, text, strlen(text)), 101);
    }
}

static void method_and_version(void **state)
{
    static const struct upgrade_row rows[] = {
        { "GET", "GET /chat HTTP/1.0\r\n", 505 },
        { "GET", "GET /chat HTTP/0.9\r\n", 505 },
        { "GET", "GET /chat\r\n", 400 },
        { "GET", "GET\r\n", 400 },
        { "GET", "get /chat HTTP/1.1\r\n", 501 },
        { "GET", "GETT /chat HTTP/1.1\r\n", 501 },
        { "GET", "POST /chat HTTP/1.1\r\n", 405 },
        { "GET", "GET /chat HTTP/2.0\r\n", 505 },
        { "GET", "GET /chat HTTP/1.2\r\n", 101 }, /* a higher minor version is compatible */
    };
    (void)state;
    /* REQ 4.2.1-3, 9110-7.8-3 */
    UPGRADE_CHECK_REQUESTS(NULL, rows);
}

static void resource_name_of_the_request(void **state)
{
    static const struct {
        const char *line, *log;
    } rows[] = {
        { "GET http://h/chat HTTP/1.1\r\n", "request GET /chat upgrade\nopen\n" },
        { "GET HTTPS://h/chat?a=b HTTP/1.1\r\n", "request GET /chat?a=b upgrade\nopen\n" },
        { "GET http://h HTTP/1.1\r\n", "request GET / upgrade\nopen\n" },
        { "GET /a/../b%20c HTTP/1.1\r\n", "request GET /a/../b%20c upgrade\nopen\n" },
    };
    static const struct upgrade_row bad[] = {
        { "GET", "GET * HTTP/1.1\r\n", 400 },
        { "GET", "GET chat HTTP/1.1\r\n", 400 },
        { "GET", "GET ws://h/chat HTTP/1.1\r\n", 400 },
        { "GET", "GET http:///chat HTTP/1.1\r\n", 400 },
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct peer p = { 0 };
        peer_server(&p, NULL);
        peer_feed_text(&p, upgrade_edit(PEER_REQUEST_LINES, "GET", rows[i].line));
        /* REQ 4.2.1-4 */
        assert_string_equal(p.log, rows[i].log);
        peer_free(&p);
    }
    UPGRADE_CHECK_REQUESTS(NULL, bad);
}

static void host_is_required(void **state)
{
    static const struct upgrade_row rows[] = {
        { "Host", "", 400 },
        { "Host", "Host: a\r\nHost: a\r\n", 400 },
        { "Host", "Host: \r\n", 400 },
        { "Host", "Host: a:81\r\n", 101 },
        { "Host", "Host: [::1]:81\r\n", 101 },
    };
    (void)state;
    /* REQ 4.2.1-5 */
    UPGRADE_CHECK_REQUESTS(NULL, rows);
}

static void upgrade_must_contain_websocket(void **state)
{
    static const struct upgrade_row rows[] = {
        { "Upgrade", "", 426 },
        { "Upgrade", "Upgrade: h2c\r\n", 426 },
        { "Upgrade", "Upgrade: websocket/13\r\n", 426 },
        { "Upgrade", "Upgrade: web socket\r\n", 426 },
        { "Upgrade", "Upgrade: WebSocket\r\n", 101 },
        { "Upgrade", "Upgrade: h2c, websocket\r\n", 101 },
        { "Upgrade", "Upgrade: h2c\r\nUpgrade: websocket\r\n", 101 },
    };
    (void)state;
    /* REQ 4.2.1-6 */
    UPGRADE_CHECK_REQUESTS(NULL, rows);
}

static void connection_must_include_upgrade(void **state)
{
    static const struct upgrade_row rows[] = {
        { "Connection", "Connection: keep-alive, Upgrade\r\n", 101 },
        { "Connection", "Connection: keep-alive\r\n", 400 },
        { "Connection", "Connection: keep-alive\r\nConnection: Upgrade\r\n", 101 },
        { "Connection", "Connection: close, UPGRADE\r\n", 101 },
        { "Connection", "Connection:\r\n", 400 },
        { "Connection", "", 400 },
    };
    (void)state;
    /* REQ 4.2.1-7 */
    UPGRADE_CHECK_REQUESTS(NULL, rows);
}

static void key_must_be_16_bytes(void **state)
{
    static const char name[] = "Sec-WebSocket-Key";
    static const struct upgrade_row rows[] = {
        { name, "Sec-WebSocket-Key: AQIDBAUGBwgJCgsMDQ4P\r\n", 400 },         /* 15 */
        { name, "Sec-WebSocket-Key: AQIDBAUGBwgJCgsMDQ4PEBE=\r\n", 400 },     /* 17 */
        { name, "Sec-WebSocket-Key: AQIDBAUGBwgJCgsMDQ4PEBES\r\n", 400 },     /* 18 */
        { name, "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ=\r\n", 400 },
        { name, "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ\r\n", 400 },
        { name, "Sec-WebSocket-Key: dGhlIHNhbXBs-SBub25jZQ==\r\n", 400 },
        { name, "Sec-WebSocket-Key: dGhlIHNhbXBs_SBub25jZQ==\r\n", 400 },
        { name, "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub2=jZQ==\r\n", 400 },
        { name, "Sec-WebSocket-Key: dGhlIHNhbXBsZ Bub25jZQ==\r\n", 400 },
        { name, "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==, \r\n", 400 },
        { name, "Sec-WebSocket-Key: AQ==\r\n", 400 },
        { name, "Sec-WebSocket-Key:\r\n", 400 },
        { name, "Sec-WebSocket-Key: \t dGhlIHNhbXBsZSBub25jZQ== \t\r\n", 101 },
    };
    (void)state;
    /* REQ 4.2.1-8 */
    UPGRADE_CHECK_REQUESTS(NULL, rows);
}

static void key_with_other_pad_bits_is_hashed_as_sent(void **state)
{
    struct peer p = { 0 };
    (void)state;
    peer_server(&p, NULL);
    peer_feed_text(&p, upgrade_edit(PEER_REQUEST_LINES, "Sec-WebSocket-Key",
                                    "Sec-WebSocket-Key: AQIDBAUGBwgJCgsMDQ4PEC==\r\n"));
    /* REQ 4.2.1-9, 4.2.2-6 */
    assert_int_equal(upgrade_lines(&p, "Sec-WebSocket-Accept: OfS0wDaT5NoxF2gqm7Zj2YtetzM=\r\n"),
                     1);
    peer_free(&p);
}

static void version_must_be_13(void **state)
{
    static const char name[] = "Sec-WebSocket-Version";
    static const struct upgrade_row rows[] = {
        { name, "", 400 },
        { name, "Sec-WebSocket-Version: 12\r\n", 426 },
        { name, "Sec-WebSocket-Version: 14\r\n", 426 },
        { name, "Sec-WebSocket-Version: 0\r\n", 426 },
        { name, "Sec-WebSocket-Version: 013\r\n", 400 },
        { name, "Sec-WebSocket-Version: 13, 8\r\n", 400 },
        { name, "Sec-WebSocket-Version: +13\r\n", 400 },
        { name, "Sec-WebSocket-Version: -13\r\n", 400 },
        { name, "Sec-WebSocket-Version: 13.0\r\n", 400 },
        { name, "Sec-WebSocket-Version: 13;\r\n", 400 },
        { name, "Sec-WebSocket-Version: 269\r\n", 400 }, /* 13 modulo 256 */
        { name, "Sec-WebSocket-Version:\t13 \r\n", 101 },
    };
    (void)state;
    /* REQ 4.2.1-10 */
    UPGRADE_CHECK_REQUESTS(NULL, rows);
}

static int look_at_origin(caws_conn *ws, const caws_request *req)
{
    struct peer *p = caws_context(ws);
    if (p->user.context)
        *(caws_slice *)p->user.context = req->origin;
    return 403;
}

static void absent_origin_is_not_an_empty_one(void **state)
{
    caws_slice origin = { "x", 1 };
    caws_config cfg = { .on_request = look_at_origin, .origins = "*", .context = &origin };
    const char *with = upgrade_edit(PEER_REQUEST_LINES, NULL, "Origin: \r\n");
    (void)state;
    /* REQ 4.2.1-11 */
    assert_int_equal(upgrade_request(&cfg, with, strlen(with)), 403);
    assert_non_null(origin.data);
    assert_int_equal(origin.len, 0);
    assert_int_equal(upgrade_request(&cfg, PEER_REQUEST, strlen(PEER_REQUEST)), 403);
    assert_null(origin.data);
}

/* Asks for each of the four in turn, and says in the log which it may have. */
static int look_at_offer(caws_conn *ws, const caws_request *req)
{
    char *to = ((struct peer *)caws_context(ws))->user.context;
    static const char *const names[] = { "a", "b", "A", "a, b" };
    (void)req;
    for (size_t i = 0; i < 4; i++)
        to[i] = caws_choose_subprotocol(ws, names[i]) == CAWS_OK ? 'y' : 'n';
    to[4] = '\0';
    return CAWS_ACCEPT;
}

static void offered_subprotocols_are_a_list(void **state)
{
    static const char *const same[] = {
        "Sec-WebSocket-Protocol: a, b\r\n", "Sec-WebSocket-Protocol: a,,\tb ,\r\n",
        "Sec-WebSocket-Protocol: a\r\nSec-WebSocket-Protocol: b\r\n",
    };
    static const struct upgrade_row bad[] = {
        { NULL, "Sec-WebSocket-Protocol: a b\r\n", 400 },
        { NULL, "Sec-WebSocket-Protocol: a, \"b\"\r\n", 400 },
        { NULL, "Sec-WebSocket-Protocol: a, a\r\n", 400 },
        { NULL, "Sec-WebSocket-Protocol: a\r\nSec-WebSocket-Protocol: a\r\n", 400 },
        { NULL, "Sec-WebSocket-Protocol: a\r\nSec-WebSocket-Protocol: b/c\r\n", 400 },
        { NULL, "Sec-WebSocket-Protocol:\r\n", 400 },
        { NULL, "Sec-WebSocket-Protocol: a, A\r\n", 101 },
    };
    char got[8];
    caws_config cfg = { .on_request = look_at_offer, .context = got };
    (void)state;
    for (size_t i = 0; i < sizeof same / sizeof *same; i++) {
        const char *text = upgrade_edit(PEER_REQUEST_LINES, NULL, same[i]);
        /* REQ 4.2.1-12, 11.3.4-1 */
        assert_int_equal(upgrade_request(&cfg, text, strlen(text)), 101);
        assert_string_equal(got, "yynn");
    }
    UPGRADE_CHECK_REQUESTS(NULL, bad);
}

static int look_at_fields(caws_conn *ws, const caws_request *req)
{
    caws_slice name, value;
    (void)req;
    assert_true(upgrade_is(caws_header(ws, "x-foo"), "1"));
    assert_true(upgrade_is(caws_header(ws, "Authorization"), "Basic eDp5"));
    assert_true(caws_header_at(ws, 0, &name, &value));
    assert_true(upgrade_is(name, "Host"));
    assert_true(caws_header_at(ws, 6, &name, &value));
    assert_true(upgrade_is(name, "X-Foo"));
    assert_true(upgrade_is(value, "2"));
    assert_false(caws_header_at(ws, 8, &name, &value));
    return CAWS_ACCEPT;
}

static void each_fault_is_told_by_its_rule(void **state)
{
    static const char *const rows[][3] = {
        { NULL, "X: a\r\n b\r\n", "folded header line" },
        { NULL, "X : a\r\n", "white space before a header's colon" },
        { NULL, "garbage\r\n", "header line without a valid name" },
        { NULL, "X: \x01\r\n", "control character" },
        { "GET", "GET / HTTP/1.0\r\n", "HTTP version is not 1.1" },
        { "GET", "GET / HTTP/1\r\n", "HTTP version is not of the form" },
        { "GET", "GET * HTTP/1.1\r\n", "request target is not a path" },
        { "Host", "", "Host field is missing" },
        { "Upgrade", "", "Upgrade does not include websocket" },
        { "Connection", "", "Connection does not include Upgrade" },
        { "Sec-WebSocket-Key", "", "Sec-WebSocket-Key is missing" },
        { "Sec-WebSocket-Version", "", "Sec-WebSocket-Version is missing" },
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct peer p = { 0 };
        char line[80];
        peer_server(&p, NULL);
        peer_feed_text(&p, upgrade_edit(PEER_REQUEST_LINES, rows[i][0], rows[i][1]));
        snprintf(line, sizeof line, "error -7 %s", rows[i][2]);
        assert_true(peer_log_has(&p, line));
        assert_true(peer_out_has(&p, rows[i][2]));
        peer_free(&p);
    }
}

static void unknown_fields_are_for_the_application(void **state)
{
    static const caws_config cfg = { .on_request = look_at_fields };
    static const struct upgrade_row rows[] = {
        { NULL, "X-Foo: 1\r\nX-Foo: 2\r\nAuthorization: Basic eDp5\r\n", 101 },
    };
    (void)state;
    /* REQ 4.2.1-14, 10.5-1 */
    UPGRADE_CHECK_REQUESTS(&cfg, rows);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_byte_counts),
        cmocka_unit_test(every_line_is_needed),
        cmocka_unit_test(order_of_fields_does_not_matter),
        cmocka_unit_test(method_and_version),
        cmocka_unit_test(resource_name_of_the_request),
        cmocka_unit_test(host_is_required),
        cmocka_unit_test(upgrade_must_contain_websocket),
        cmocka_unit_test(connection_must_include_upgrade),
        cmocka_unit_test(key_must_be_16_bytes),
        cmocka_unit_test(key_with_other_pad_bits_is_hashed_as_sent),
        cmocka_unit_test(version_must_be_13),
        cmocka_unit_test(absent_origin_is_not_an_empty_one),
        cmocka_unit_test(offered_subprotocols_are_a_list),
        cmocka_unit_test(each_fault_is_told_by_its_rule),
        cmocka_unit_test(unknown_fields_are_for_the_application),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
