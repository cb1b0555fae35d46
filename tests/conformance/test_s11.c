/* RFC 6455 section 11.3: how often each field of the handshake may appear; and
 * section 10.6: a layer such as TLS goes between a conn and its transport. */
#include "upgrade.h"

#define KEY "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"
#define OTHER_KEY "Sec-WebSocket-Key: x3JJHMbDL1EzLkh9GBhXDw==\r\n"

static void key_appears_once(void **state)
{
    static const struct upgrade_row rows[] = {
        { NULL, KEY, 400 },
        { NULL, OTHER_KEY, 400 },
        { NULL, "sec-websocket-key:\r\n", 400 },
        { "Sec-WebSocket-Key", KEY, 101 },
    };
    (void)state;
    /* REQ 11.3.1-1 */
    UPGRADE_CHECK_REQUESTS(NULL, rows);
}

static void version_appears_once_in_a_request(void **state)
{
    static const struct upgrade_row rows[] = {
        { NULL, "Sec-WebSocket-Version: 13\r\n", 400 },
        { NULL, "Sec-WebSocket-Version: 8\r\n", 400 },
        { NULL, "Sec-WebSocket-Version:\r\n", 400 },
    };
    (void)state;
    /* REQ 11.3.5-1 */
    UPGRADE_CHECK_REQUESTS(NULL, rows);
}

static void accept_appears_once(void **state)
{
    static const struct upgrade_row rows[] = {
        { NULL, UPGRADE_ACCEPT, CAWS_ERR_HANDSHAKE },
        { NULL, "Sec-WebSocket-Accept: x\r\n", CAWS_ERR_HANDSHAKE },
        { "HTTP/", "HTTP/1.1 101 Switching Protocols\r\nSec-WebSocket-Accept:\r\n",
          CAWS_ERR_HANDSHAKE },
    };
    struct peer p = { 0 };
    (void)state;
    /* REQ 11.3.3-1 */
    UPGRADE_CHECK_RESPONSES(NULL, rows);
    peer_server(&p, NULL);
    peer_feed_text(&p, PEER_REQUEST);
    assert_int_equal(upgrade_lines(&p, "Sec-WebSocket-Accept"), 1);
    peer_free(&p);
}

static void subprotocol_appears_once_in_a_response(void **state)
{
    static const caws_config offer = { .subprotocols = "a, b" };
    static const struct upgrade_row rows[] = {
        { NULL, "Sec-WebSocket-Protocol: a\r\nSec-WebSocket-Protocol: a\r\n", CAWS_ERR_HANDSHAKE },
        { NULL, "Sec-WebSocket-Protocol: a\r\nSec-WebSocket-Protocol: b\r\n", CAWS_ERR_HANDSHAKE },
        { NULL, "Sec-WebSocket-Protocol: a\r\nSec-WebSocket-Protocol:\r\n", CAWS_ERR_HANDSHAKE },
        { NULL, "Sec-WebSocket-Protocol: a\r\n", CAWS_OK },
    };
    (void)state;
    /* REQ 11.3.4-2 */
    UPGRADE_CHECK_RESPONSES(&offer, rows);
}

/* What stands for TLS here: every byte is changed on the way, and the wire is
 * kept. */
struct wire {
    unsigned char data[4096];
    size_t len;
};

static size_t carry(struct peer *from, struct peer *to, struct wire *wire)
{
    size_t n = 0;
    caws_slice s;
    while (caws_output(from->ws, &s, 1) == 1) {
        unsigned char plain[512];
        size_t len = s.len < sizeof plain ? s.len : sizeof plain;
        assert_true(len <= sizeof wire->data - wire->len);
        for (size_t i = 0; i < len; i++) {
            wire->data[wire->len + i] = (unsigned char)s.data[i] ^ 0xa7;
            plain[i] = wire->data[wire->len + i] ^ 0xa7;
        }
        wire->len += len;
        caws_output_done(from->ws, len);
        caws_feed(to->ws, plain, len, to->now);
        n += len;
    }
    return n;
}

static void a_layer_of_encryption_fits_between(void **state)
{
    struct peer server = { .hold_output = true }, client = { .hold_output = true };
    struct wire up = { .len = 0 }, down = { .len = 0 };
    (void)state;
    peer_server(&server, NULL);
    peer_client(&client, "wss://secret.example/", NULL);
    while (carry(&client, &server, &up) + carry(&server, &client, &down) > 0)
        ;
    assert_int_equal(caws_send_text(client.ws, "secret question"), CAWS_OK);
    assert_int_equal(caws_send_text(server.ws, "secret answer"), CAWS_OK);
    assert_int_equal(caws_close(client.ws, 1000, NULL), CAWS_OK);
    while (carry(&client, &server, &up) + carry(&server, &client, &down) > 0)
        ;
    /* REQ 10.6-1 */
    assert_string_equal(server.log, "request GET / upgrade\nopen\ntext 15 secret question\n"
                                    "close 1000 clean peer 0\n");
    assert_string_equal(client.log, "open\nclose 1000 clean us 0\n");
    assert_null(memmem(up.data, up.len, "secret", 6));
    assert_null(memmem(down.data, down.len, "HTTP", 4));
    assert_int_equal(server.out_len + client.out_len, 0);
    peer_free(&server);
    peer_free(&client);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(key_appears_once),
        cmocka_unit_test(version_appears_once_in_a_request),
        cmocka_unit_test(accept_appears_once),
        cmocka_unit_test(subprotocol_appears_once_in_a_response),
        cmocka_unit_test(a_layer_of_encryption_fits_between),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
