/* RFC 6455 section 4.2.2: what a server answers. */
#include "upgrade.h"

static const char *request_with(const char *add)
{
    return upgrade_edit(PEER_REQUEST_LINES, NULL, add);
}

static void the_101_is_exactly_this(void **state)
{
    struct peer p = { 0 };
    (void)state;
    peer_server(&p, NULL);
    peer_feed_text(&p, PEER_REQUEST);
    /* REQ 4.2.2-14, 4.2.2-15, 4.2.2-16, 9110-7.8-1 */
    /* REQ 4.2.2-10, 9112-6.1-3 */
    assert_int_equal(p.out_len, strlen(UPGRADE_RESPONSE));
    assert_memory_equal(p.out, UPGRADE_RESPONSE, p.out_len);
    assert_string_equal(p.log, "request GET /chat upgrade\nopen\n");
    assert_int_equal(p.counters.refused, 0);
    peer_free(&p);
}

static void hash(uint64_t *sum, const char *text, size_t len)
{
    for (size_t i = 0; i < len; i++)
        *sum = (*sum ^ (unsigned char)text[i]) * 0x100000001b3;
}

/* The peers' random source is an LCG, so the thousand keys are always the
 * same; the sum over their answers comes from Python's hashlib. */
static void accept_is_the_hash_of_the_key(void **state)
{
    uint64_t sum = 0xcbf29ce484222325;
    uint32_t random = 1;
    char out[29];
    (void)state;
    /* REQ 4.2.2-17 */
    assert_int_equal(caws_accept_key("dGhlIHNhbXBsZSBub25jZQ==", 24, out), CAWS_OK);
    assert_string_equal(out, "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=");
    assert_int_equal(caws_accept_key("x3JJHMbDL1EzLkh9GBhXDw==", 24, out), CAWS_OK);
    assert_string_equal(out, "HSmrc0sMlYUkAGmm5OPpG2HaGWk=");
    for (size_t i = 0; i < 1000; i++) {
        struct peer server = { 0 }, client = { .random = random };
        peer_client(&client, "ws://h/", NULL);
        random = client.random;
        peer_server(&server, NULL);
        peer_feed(&server, client.out, client.out_len);
        hash(&sum, strstr((char *)server.out, "Accept: ") + 8, 28);
        peer_feed(&client, server.out, server.out_len);
        assert_string_equal(client.log, "open\n");
        peer_free(&server);
        peer_free(&client);
    }
    assert_true(sum == 0xb7aca771030bf45f);
}

static void other_versions_are_told_which(void **state)
{
    static const char version[] = "Sec-WebSocket-Version: 25\r\n";
    struct peer p = { 0 };
    (void)state;
    peer_server(&p, NULL);
    peer_feed_text(&p, upgrade_edit(PEER_REQUEST_LINES, "Sec-WebSocket-Version", version));
    /* REQ 4.2.2-7, 4.4-2, 9110-7.8-2 */
    upgrade_assert_refused(&p, 426);
    assert_int_equal(upgrade_lines(&p, "Sec-WebSocket-Version: 13\r\n"), 1);
    assert_int_equal(upgrade_lines(&p, "Upgrade: websocket\r\n"), 1);
    assert_int_equal(upgrade_lines(&p, "Connection: close, Upgrade\r\n"), 1);
    assert_true(peer_log_has(&p, "error -7 Sec-WebSocket-Version is not 13"));
    peer_free(&p);
}

static void look_at_version(caws_conn *ws, int error, const char *detail)
{
    struct peer *p = caws_context(ws);
    caws_slice *to = p->user.context, name;
    (void)error, (void)detail;
    *to = caws_header(ws, "Sec-WebSocket-Version");
    assert_int_equal(caws_header_at(ws, 4, &name, &name), to->data != NULL);
    to->len = upgrade_is(*to, "25");
}

/* A whole head can be read in on_error; one that is malformed cannot. */
static void on_error_can_read_the_request(void **state)
{
    caws_slice version = { NULL, 0 };
    caws_config cfg = { .on_error = look_at_version, .context = &version };
    struct peer p = { 0 };
    (void)state;
    peer_server(&p, &cfg);
    peer_feed_text(&p, upgrade_edit(PEER_REQUEST_LINES, "Sec-WebSocket-Version",
                                    "Sec-WebSocket-Version: 25\r\n"));
    assert_int_equal(version.len, 1);
    assert_null(caws_header(p.ws, "Sec-WebSocket-Version").data);
    peer_free(&p);
    peer_server(&p, &cfg);
    peer_feed_text(&p, PEER_REQUEST_LINES "malformed\r\n");
    assert_true(peer_log_has(&p, "error -7 "));
    assert_null(version.data);
    peer_free(&p);
}

static void post_is_told_to_use_get(void **state)
{
    struct peer p = { 0 };
    (void)state;
    peer_server(&p, NULL);
    peer_feed_text(&p, upgrade_edit(PEER_REQUEST_LINES, "GET", "POST /chat HTTP/1.1\r\n"));
    upgrade_assert_refused(&p, 405);
    assert_int_equal(upgrade_lines(&p, "Allow: GET\r\n"), 1);
    assert_string_equal(p.log, "error -7 request method is not GET, RFC 6455 section 4.1\n");
    peer_free(&p);
}

static void only_the_path_that_is_served(void **state)
{
    static const caws_config cfg = { .path = "/chat" };
    static const struct upgrade_row rows[] = {
        { "GET", "GET /chat HTTP/1.1\r\n", 101 },
        { "GET", "GET /chat?room=1 HTTP/1.1\r\n", 101 },
        { "GET", "GET http://server.example.com/chat HTTP/1.1\r\n", 101 },
        { "GET", "GET /chat/ HTTP/1.1\r\n", 404 },
        { "GET", "GET /chatter HTTP/1.1\r\n", 404 },
        { "GET", "GET /cha HTTP/1.1\r\n", 404 },
        { "GET", "GET /CHAT HTTP/1.1\r\n", 404 },
        { "GET", "GET /?/chat HTTP/1.1\r\n", 404 },
    };
    (void)state;
    /* REQ 4.2.2-8 */
    UPGRADE_CHECK_REQUESTS(&cfg, rows);
    assert_int_equal(caws_config_check(&(caws_config){ .path = "chat" }, NULL), CAWS_ERR_ARG);
}

/* ---- Subprotocols ------------------------------------------------------ */

static void config_prefers_subprotocols_in_its_order(void **state)
{
    static const caws_config cfg = { .subprotocols = "superchat, chat" };
    static const struct {
        const char *offer, *chosen;
    } rows[] = {
        { "Sec-WebSocket-Protocol: chat, superchat\r\n", "superchat" },
        { "Sec-WebSocket-Protocol: a, chat\r\n", "chat" },
        { "Sec-WebSocket-Protocol: Chat, soap\r\n", "" },
        { "", "" },
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct peer p = { 0 };
        char line[64];
        peer_server(&p, &cfg);
        peer_feed_text(&p, request_with(rows[i].offer));
        snprintf(line, sizeof line, "Sec-WebSocket-Protocol: %s\r\n", rows[i].chosen);
        assert_int_equal(peer_out_status(&p), 101);
        /* REQ 4.2.2-18, 4.2.2-10 */
        assert_int_equal(upgrade_lines(&p, line), rows[i].chosen[0] != '\0');
        assert_int_equal(upgrade_lines(&p, "Sec-WebSocket-Protocol"), rows[i].chosen[0] != '\0');
        assert_string_equal(caws_subprotocol(p.ws), rows[i].chosen);
        peer_free(&p);
    }
}

static int choose(caws_conn *ws, const caws_request *req)
{
    (void)req;
    /* REQ 4.2.2-9, 4.2.2-11, 9112-11.1-1 */
    assert_int_equal(caws_choose_subprotocol(ws, "x"), CAWS_ERR_ARG);
    assert_int_equal(caws_choose_subprotocol(ws, ""), CAWS_ERR_ARG);
    assert_int_equal(caws_choose_subprotocol(ws, "b\r\nX: y"), CAWS_ERR_ARG);
    assert_int_equal(caws_choose_subprotocol(ws, "a, b"), CAWS_ERR_ARG);
    assert_int_equal(caws_choose_subprotocol(ws, NULL), CAWS_ERR_ARG);
    assert_int_equal(caws_choose_subprotocol(ws, "a"), CAWS_OK);
    assert_int_equal(caws_choose_subprotocol(ws, "b"), CAWS_OK);
    assert_int_equal(caws_choose_subprotocol(ws, "x"), CAWS_ERR_ARG);
    return CAWS_ACCEPT;
}

static void application_chooses_among_what_was_offered(void **state)
{
    static const caws_config cfg = { .on_request = choose, .subprotocols = "a" };
    struct peer p = { 0 };
    (void)state;
    peer_server(&p, &cfg);
    assert_int_equal(caws_choose_subprotocol(p.ws, "b"), CAWS_ERR_STATE);
    peer_feed_text(&p, request_with("Sec-WebSocket-Protocol: a, b\r\n"));
    /* REQ 4.2.2-18 */
    assert_int_equal(upgrade_lines(&p, "Sec-WebSocket-Protocol: b\r\n"), 1);
    assert_int_equal(upgrade_lines(&p, "Sec-WebSocket-Protocol"), 1);
    assert_string_equal(caws_subprotocol(p.ws), "b");
    assert_int_equal(caws_choose_subprotocol(p.ws, "b"), CAWS_ERR_STATE);
    peer_free(&p);
}

/* ---- Extensions -------------------------------------------------------- */

static void extensions_are_ignored(void **state)
{
    static const char *const offers[] = {
        "", "Sec-WebSocket-Extensions: permessage-deflate; client_max_window_bits, foo\r\n",
        "Sec-WebSocket-Extensions: constructor\r\n",
    };
    (void)state;
    for (size_t i = 0; i < sizeof offers / sizeof *offers; i++) {
        struct peer p = { 0 };
        peer_server(&p, NULL);
        peer_feed_text(&p, request_with(offers[i]));
        /* REQ 4.2.1-13, 4.2.2-12, 4.2.2-13, 9-2 */
        /* REQ 9-3, 9.1-3, 9.1-4 */
        assert_int_equal(peer_out_status(&p), 101);
        assert_int_equal(upgrade_lines(&p, "Sec-WebSocket-Extensions"), 0);
        assert_string_equal(caws_extensions(p.ws), "");
        peer_free(&p);
    }
}

/* ---- Open -------------------------------------------------------------- */

static void greet(caws_conn *ws)
{
    assert_int_equal(caws_ready_state(ws), CAWS_OPEN);
    assert_int_equal(caws_send_text(ws, "hi"), CAWS_OK);
    assert_true(upgrade_is(caws_header(ws, "Host"), "server.example.com"));
}

static void server_may_send_at_once(void **state)
{
    static const caws_config cfg = { .on_open = greet };
    struct peer p = { 0 };
    (void)state;
    peer_server(&p, &cfg);
    peer_feed_text(&p, PEER_REQUEST);
    /* REQ 4.2.2-20 */
    assert_int_equal(p.out_len, strlen(UPGRADE_RESPONSE) + 4);
    assert_memory_equal(p.out + strlen(UPGRADE_RESPONSE), "\x81\x02hi", 4);
    assert_null(caws_header(p.ws, "Host").data);
    peer_free(&p);
}

static void frames_behind_the_request_come_after_it(void **state)
{
    unsigned char text[512];
    size_t head = strlen(PEER_REQUEST), len;
    (void)state;
    memcpy(text, PEER_REQUEST, head);
    len = head + peer_frame(text + head, 0x81, "hi", 2, true);
    for (size_t split = 0; split <= len; split++) {
        struct peer p = { 0 };
        peer_server(&p, NULL);
        peer_feed(&p, text, split);
        /* REQ 9110-5.3-3 */
        assert_int_equal(peer_log_has(&p, "request"), split >= head);
        peer_feed(&p, text + split, len - split);
        /* REQ 4.2.2-21 */
        assert_string_equal(p.log, "request GET /chat upgrade\nopen\ntext 2 hi\n");
        assert_int_equal(p.out_len, strlen(UPGRADE_RESPONSE));
        peer_free(&p);
    }
}

static void config_headers_are_in_every_response(void **state)
{
    static const caws_config cfg = { .headers = "Server: caws\r\nX: 1\r\n" };
    static const char *const bad[] = { "Server: a",       "Server\r\n", "Server: a\nX: y\r\n",
                                       "Upgrade: h2c\r\n", "\r\n",      "A: b\r\n\r\n" };
    struct peer p = { 0 };
    (void)state;
    peer_server(&p, &cfg);
    peer_feed_text(&p, PEER_REQUEST);
    assert_string_equal((char *)p.out, UPGRADE_RESPONSE_LINES "Server: caws\r\nX: 1\r\n\r\n");
    peer_free(&p);
    peer_server(&p, &cfg);
    peer_feed_text(&p, "nonsense\r\n");
    upgrade_assert_refused(&p, 400);
    assert_int_equal(upgrade_lines(&p, "Server: caws\r\n"), 1);
    assert_int_equal(upgrade_lines(&p, "X: 1\r\n"), 1);
    peer_free(&p);
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        caws_config wrong = { .headers = bad[i] };
        assert_int_equal(caws_config_check(&wrong, NULL), CAWS_ERR_ARG);
        assert_null(caws_new_server(&wrong, NULL));
    }
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_101_is_exactly_this),
        cmocka_unit_test(accept_is_the_hash_of_the_key),
        cmocka_unit_test(other_versions_are_told_which),
        cmocka_unit_test(on_error_can_read_the_request),
        cmocka_unit_test(post_is_told_to_use_get),
        cmocka_unit_test(only_the_path_that_is_served),
        cmocka_unit_test(config_prefers_subprotocols_in_its_order),
        cmocka_unit_test(application_chooses_among_what_was_offered),
        cmocka_unit_test(extensions_are_ignored),
        cmocka_unit_test(server_may_send_at_once),
        cmocka_unit_test(frames_behind_the_request_come_after_it),
        cmocka_unit_test(config_headers_are_in_every_response),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
