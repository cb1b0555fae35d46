/* RFC 6455 sections 1 and 2: the overview, at the wire. */
#include "upgrade.h"

#include <locale.h>

/* Everything that is offered, as far as it goes, from one end to the other. */
static size_t carry(struct peer *from, struct peer *to, size_t *seen)
{
    size_t n = from->out_len - *seen;
    if (n > 0)
        peer_feed(to, from->out + *seen, n);
    *seen += n;
    return n;
}

static void wrong_accept_is_never_acceptance(void **state)
{
    static const struct upgrade_row rows[] = {
        /* of the key x3JJHMbDL1EzLkh9GBhXDw== */
        { "Sec-WebSocket-A", "Sec-WebSocket-Accept: HSmrc0sMlYUkAGmm5OPpG2HaGWk=\r\n",
          CAWS_ERR_HANDSHAKE },
        { "Sec-WebSocket-A", UPGRADE_ACCEPT, CAWS_OK },
    };
    (void)state;
    /* REQ 1.3-1 */
    UPGRADE_CHECK_RESPONSES(NULL, rows);
}

static void after_its_close_an_end_sends_nothing(void **state)
{
    static const bool ends[] = { PEER_SERVER, PEER_CLIENT };
    (void)state;
    for (size_t i = 0; i < 2; i++) {
        struct peer p = { 0 };
        size_t len;
        peer_open(&p, ends[i], NULL);
        /* REQ 1.4-1 */
        assert_int_equal(caws_close(p.ws, 1000, NULL), CAWS_OK);
        peer_take(&p);
        len = p.out_len;
        assert_int_equal(peer_out_close(&p), 1000);
        assert_int_equal(caws_send_text(p.ws, "x"), CAWS_ERR_STATE);
        assert_int_equal(caws_ping(p.ws, NULL, 0), CAWS_ERR_STATE);
        assert_int_equal(caws_pong(p.ws, NULL, 0), CAWS_ERR_STATE);
        assert_int_equal(caws_send_fragment(p.ws, CAWS_TEXT, "x", 1, true),
                         CAWS_ERR_STATE);
        assert_int_equal(caws_close(p.ws, 1000, NULL), CAWS_ERR_STATE);
        peer_feed_frame_text(&p, 0x89, "ping");
        peer_take(&p);
        assert_int_equal(p.out_len, len);
        peer_free(&p);
    }
}

static void data_behind_a_close_is_discarded(void **state)
{
    struct peer p = { 0 };
    unsigned char frames[64];
    size_t n;
    (void)state;
    peer_open(&p, PEER_SERVER, NULL);
    n = peer_frame(frames, 0x88, "\x03\xe8", 2, true);
    n += peer_frame(frames + n, 0x81, "x", 1, true);
    peer_feed(&p, frames, n);
    /* REQ 1.4-2 */
    assert_string_equal(peer_out_hex(&p), "880203e8");
    assert_string_equal(p.log, "open\nclose 1000 clean peer 0\n");
    peer_free(&p);
}

static void crossing_closes_end_cleanly(void **state)
{
    struct peer server = { 0 }, client = { 0 };
    size_t from_server = 0, from_client = 0;
    (void)state;
    peer_open(&server, PEER_SERVER, NULL);
    peer_open(&client, PEER_CLIENT, NULL);
    caws_close(server.ws, 1000, NULL);
    caws_close(client.ws, 1000, NULL);
    peer_take(&server);
    peer_take(&client);
    while (carry(&server, &client, &from_server) + carry(&client, &server, &from_client))
        ;
    /* REQ 1.4-3 */
    assert_string_equal(server.log, "open\nclose 1000 clean us 0\n");
    assert_string_equal(client.log, "open\nclose 1000 clean us 0\n");
    assert_int_equal(peer_out_close(&server), 1000);
    assert_int_equal(peer_out_close(&client), 1000);
    assert_int_equal(caws_ready_state(server.ws), CAWS_CLOSED);
    assert_int_equal(caws_ready_state(client.ws), CAWS_CLOSED);
    peer_free(&server);
    peer_free(&client);
}

static void other_methods_never_open(void **state)
{
    static const struct upgrade_row rows[] = {
        { "GET", "POST /chat HTTP/1.1\r\n", 405 },
        { "GET", "PUT /chat HTTP/1.1\r\n", 405 },
        { "GET", "DELETE /chat HTTP/1.1\r\n", 405 },
        { "GET", "CONNECT /chat HTTP/1.1\r\n", 405 },
    };
    (void)state;
    /* REQ 1.6-1 */
    UPGRADE_CHECK_REQUESTS(NULL, rows);
}

static void other_servers_never_open(void **state)
{
    static const char smtp[] = "220 mx ESMTP\r\n";
    static const char http[] = "HTTP/1.1 200 OK\r\n\r\n";
    caws_config cfg = { .random = upgrade_nonce };
    struct peer p = { 0 };
    (void)state;
    /* REQ 1.6-2 */
    assert_int_equal(upgrade_response(NULL, smtp, strlen(smtp)), CAWS_ERR_HANDSHAKE);
    assert_int_equal(upgrade_response(NULL, http, strlen(http)), CAWS_ERR_REFUSED);
    peer_client(&p, "ws://h/", &cfg);
    peer_feed_text(&p, http);
    assert_int_equal(caws_http_status(p.ws), 200);
    peer_free(&p);
}

static void case_folds_in_ascii_only(void **state)
{
    static const struct upgrade_row rows[] = {
        { "Upgrade", "uPGRADE: WEBSOCKET\r\n", 101 },
        { "Upgrade", "Upgrade: websocKet\r\n", 101 },
        { "Upgrade", "Upgrade: websoc\xe2\x84\xaa" "et\r\n", 426 }, /* KELVIN SIGN */
        { "Upgrade", "Upgrade: websoc[ket\r\n", 426 },
        { "Upgrade", "Upgrade: websoc\x0bket\r\n", 400 },
        { "Upgrade", "Upgrade: web\xc5\xbfocket\r\n", 426 }, /* LONG S */
        { "Connection", "CONNECTION: UPGRADE\r\n", 101 },
        { "Sec-WebSocket-V", "SEC-WEBSOCKET-VERS\xc4\xb0ON: 13\r\n", 400 }, /* DOTTED I */
    };
    (void)state;
    /* Where Turkish is installed, I and i are no pair there. */
    (void)setlocale(LC_ALL, "tr_TR.UTF-8");
    /* REQ 2.1-1 */
    UPGRADE_CHECK_REQUESTS(NULL, rows);
    (void)setlocale(LC_ALL, "C");
}

/* Two messages, a Ping and a Close, with the output taken n bytes at a time. */
static void send_and_take(struct peer *p, size_t n)
{
    p->one_output = n;
    p->hold_output = true;
    peer_server(p, NULL);
    peer_feed_text(p, PEER_REQUEST);
    caws_send_text(p->ws, "one");
    caws_send_text(p->ws, "two");
    caws_close(p->ws, 1000, NULL);
    peer_take(p);
}

static void output_does_not_depend_on_its_chunks(void **state)
{
    struct peer all = { 0 };
    (void)state;
    send_and_take(&all, 0);
    assert_string_equal(strstr((char *)all.out, "\r\n\r\n") + 4,
                        "\x81\x03one\x81\x03two\x88\x02\x03\xe8");
    for (size_t n = 1; n <= all.out_len; n++) {
        struct peer p = { 0 };
        send_and_take(&p, n);
        /* REQ 2.1-2 */
        assert_int_equal(p.out_len, all.out_len);
        assert_memory_equal(p.out, all.out, all.out_len);
        peer_free(&p);
    }
    peer_free(&all);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(wrong_accept_is_never_acceptance),
        cmocka_unit_test(after_its_close_an_end_sends_nothing),
        cmocka_unit_test(data_behind_a_close_is_discarded),
        cmocka_unit_test(crossing_closes_end_cleanly),
        cmocka_unit_test(other_methods_never_open),
        cmocka_unit_test(other_servers_never_open),
        cmocka_unit_test(case_folds_in_ascii_only),
        cmocka_unit_test(output_does_not_depend_on_its_chunks),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
