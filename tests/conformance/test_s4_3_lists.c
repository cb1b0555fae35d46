/* RFC 6455 sections 4.3 and 9.1: the values and lists of the handshake's
 * fields. No extension is negotiated in this version: what is offered is
 * checked, and then ignored. */
#include "upgrade.h"

static void version_is_a_number_up_to_255(void **state)
{
    static const char name[] = "Sec-WebSocket-Version";
    static const struct upgrade_row rows[] = {
        { name, "Sec-WebSocket-Version: 256\r\n", 400 },
        { name, "Sec-WebSocket-Version: 999\r\n", 400 },
        { name, "Sec-WebSocket-Version: 4294967309\r\n", 400 }, /* 2^32 + 13 */
        { name, "Sec-WebSocket-Version: 007\r\n", 400 },
        { name, "Sec-WebSocket-Version: 00\r\n", 400 },
        { name, "Sec-WebSocket-Version: 1 3\r\n", 400 },
        { name, "Sec-WebSocket-Version: 0x0d\r\n", 400 },
        { name, "Sec-WebSocket-Version: 1a\r\n", 400 },
        { name, "Sec-WebSocket-Version:\r\n", 400 },
        { name, "Sec-WebSocket-Version: 255\r\n", 426 },
        { name, "Sec-WebSocket-Version: 0\r\n", 426 },
        { name, "Sec-WebSocket-Version: 13\r\n", 101 },
    };
    (void)state;
    /* REQ 4.3-1 */
    UPGRADE_CHECK_REQUESTS(NULL, rows);
}

static void subprotocol_of_a_response_is_one_token(void **state)
{
    static const caws_config offer = { .subprotocols = "a, b" };
    static const struct upgrade_row rows[] = {
        { NULL, "Sec-WebSocket-Protocol: a, b\r\n", CAWS_ERR_HANDSHAKE },
        { NULL, "Sec-WebSocket-Protocol: a;b\r\n", CAWS_ERR_HANDSHAKE },
        { NULL, "Sec-WebSocket-Protocol: a b\r\n", CAWS_ERR_HANDSHAKE },
        { NULL, "Sec-WebSocket-Protocol: \"a\"\r\n", CAWS_ERR_HANDSHAKE },
        { NULL, "Sec-WebSocket-Protocol: ,a\r\n", CAWS_ERR_HANDSHAKE },
        { NULL, "Sec-WebSocket-Protocol: b\r\n", CAWS_OK },
    };
    (void)state;
    /* REQ 4.3-3 */
    UPGRADE_CHECK_RESPONSES(&offer, rows);
}

static void lists_may_have_spaces_and_empty_elements(void **state)
{
    static const struct upgrade_row rows[] = {
        { NULL, "Sec-WebSocket-Protocol: a ,\tb\r\n", 101 },
        { NULL, "Sec-WebSocket-Protocol: ,,a\r\n", 101 },
        { NULL, "Sec-WebSocket-Protocol: a, ,\t,\r\n", 101 },
        { NULL, "Sec-WebSocket-Protocol: ,\r\n", 400 },
        { NULL, "Sec-WebSocket-Protocol: , \t,\r\n", 400 },
        { NULL, "Sec-WebSocket-Protocol: a;b\r\n", 400 },
        { NULL, "Sec-WebSocket-Extensions: a ,\tb\r\n", 101 },
        { NULL, "Sec-WebSocket-Extensions: ,,a\r\n", 101 },
        { NULL, "Sec-WebSocket-Extensions: ,\r\n", 400 },
        { "Connection", "Connection: ,,a ,\tUpgrade,\r\n", 101 },
        { "Connection", "Connection: ,\r\n", 400 },
        { "Upgrade", "Upgrade: ,\twebsocket\r\n", 101 },
    };
    (void)state;
    /* REQ 4.3-4 */
    UPGRADE_CHECK_REQUESTS(NULL, rows);
}

static void malformed_extensions_are_refused(void **state)
{
    static const struct upgrade_row requests[] = {
        { NULL, "Sec-WebSocket-Extensions: permessage-deflate;\r\n", 400 },
        { NULL, "Sec-WebSocket-Extensions: ;a\r\n", 400 },
        { NULL, "Sec-WebSocket-Extensions: a b\r\n", 400 },
        { NULL, "Sec-WebSocket-Extensions: a=1\r\n", 400 },
        { NULL, "Sec-WebSocket-Extensions: a;b=\r\n", 400 },
        { NULL, "Sec-WebSocket-Extensions: a;b=,c\r\n", 400 },
        { NULL, "Sec-WebSocket-Extensions: a;=1\r\n", 400 },
        { NULL, "Sec-WebSocket-Extensions: a;b=\"x\r\n", 400 },
        { NULL, "Sec-WebSocket-Extensions: a;b=1=2\r\n", 400 },
        { NULL, "Sec-WebSocket-Extensions: a;b c\r\n", 400 },
        { NULL, "Sec-WebSocket-Extensions: a;;b\r\n", 400 },
        { NULL, "Sec-WebSocket-Extensions: a/b\r\n", 400 },
        { NULL, "Sec-WebSocket-Extensions: \"a\"\r\n", 400 },
        { NULL, "Sec-WebSocket-Extensions: a\xc3\xa9\r\n", 400 },
        { NULL, "Sec-WebSocket-Extensions:\r\n", 400 },
        { NULL, "Sec-WebSocket-Extensions: a\r\nSec-WebSocket-Extensions: b;\r\n", 400 },
        { NULL, "Sec-WebSocket-Extensions: a;b\r\n", 101 },
        { NULL, "Sec-WebSocket-Extensions: a ; b = c\r\n", 400 },
        { NULL, "Sec-WebSocket-Extensions: a ;\tb=c ; d\r\n", 101 },
    };
    static const struct upgrade_row responses[] = {
        { NULL, "Sec-WebSocket-Extensions: permessage-deflate;\r\n", CAWS_ERR_HANDSHAKE },
        { NULL, "Sec-WebSocket-Extensions: ;a\r\n", CAWS_ERR_HANDSHAKE },
        { NULL, "Sec-WebSocket-Extensions: a b\r\n", CAWS_ERR_HANDSHAKE },
        { NULL, "Sec-WebSocket-Extensions: a=1\r\n", CAWS_ERR_HANDSHAKE },
        { NULL, "Sec-WebSocket-Extensions: a;b=\r\n", CAWS_ERR_HANDSHAKE },
        { NULL, "Sec-WebSocket-Extensions: a;=1\r\n", CAWS_ERR_HANDSHAKE },
        { NULL, "Sec-WebSocket-Extensions: a;b=\"x\r\n", CAWS_ERR_HANDSHAKE },
    };
    (void)state;
    /* REQ 9.1-1 */
    UPGRADE_CHECK_REQUESTS(NULL, requests);
    UPGRADE_CHECK_RESPONSES(NULL, responses);
}

static void quoted_parameters_are_tokens_in_disguise(void **state)
{
    static const struct upgrade_row rows[] = {
        { NULL, "Sec-WebSocket-Extensions: x; a=\"10\"\r\n", 101 },
        { NULL, "Sec-WebSocket-Extensions: x; a=\"1\\0\"\r\n", 101 },
        { NULL, "Sec-WebSocket-Extensions: x; a=\"\\1\\0\", y\r\n", 101 },
        { NULL, "Sec-WebSocket-Extensions: x; a=\"b c\"\r\n", 400 },
        { NULL, "Sec-WebSocket-Extensions: x; a=\"b\\ c\"\r\n", 400 },
        { NULL, "Sec-WebSocket-Extensions: x; a=\"b\\\\c\"\r\n", 400 },
        { NULL, "Sec-WebSocket-Extensions: x; a=\"b\\\"\"\r\n", 400 },
        { NULL, "Sec-WebSocket-Extensions: x; a=\"b,c\"\r\n", 400 },
        { NULL, "Sec-WebSocket-Extensions: x; a=\"b\\,c\"\r\n", 400 },
        { NULL, "Sec-WebSocket-Extensions: x; a=\"\"\r\n", 400 },
        { NULL, "Sec-WebSocket-Extensions: x; a=\"\r\n", 400 },
        { NULL, "Sec-WebSocket-Extensions: x; a=\"b\r\n", 400 },
        { NULL, "Sec-WebSocket-Extensions: x; a=\"b\\\r\n", 400 },
        { NULL, "Sec-WebSocket-Extensions: x; a=\"b\\\"\r\n", 400 },
        { NULL, "Sec-WebSocket-Extensions: x; a=\"b\"c\r\n", 400 },
        { NULL, "Sec-WebSocket-Extensions: x; a=b\"c\"\r\n", 400 },
        { NULL, "Sec-WebSocket-Extensions: x; a=\"b\x01\"\r\n", 400 },
        { NULL, "Sec-WebSocket-Extensions: x; \"a\"=b\r\n", 400 },
    };
    (void)state;
    /* REQ 4.3-2, 9110-5.6.4-1 */
    UPGRADE_CHECK_REQUESTS(NULL, rows);
}

static void offers_may_be_split_over_lines(void **state)
{
    static const char *const same[] = {
        "Sec-WebSocket-Extensions: foo, bar; baz=2\r\n",
        "Sec-WebSocket-Extensions: foo\r\nSec-WebSocket-Extensions: bar; baz=2\r\n",
        "Sec-WebSocket-Extensions: foo\r\nX: y\r\nsec-websocket-extensions: bar; baz=2\r\n",
    };
    static const struct upgrade_row torn[] = {
        { NULL, "Sec-WebSocket-Extensions: foo; a=\"b\r\nSec-WebSocket-Extensions: c\"\r\n", 400 },
        { NULL, "Sec-WebSocket-Extensions: foo;\r\nSec-WebSocket-Extensions: bar\r\n", 400 },
    };
    (void)state;
    for (size_t i = 0; i < sizeof same / sizeof *same; i++) {
        struct peer p = { 0 };
        peer_server(&p, NULL);
        peer_feed_text(&p, upgrade_edit(PEER_REQUEST_LINES, NULL, same[i]));
        /* REQ 9.1-2, 11.3.2-1 */
        assert_int_equal(p.out_len, strlen(UPGRADE_RESPONSE));
        assert_memory_equal(p.out, UPGRADE_RESPONSE, p.out_len);
        peer_free(&p);
    }
    UPGRADE_CHECK_REQUESTS(NULL, torn);
}

static void no_extension_can_be_had_later(void **state)
{
    int codec;
    caws_config cfg = { .deflate = (const void *)&codec };
    struct peer p = { 0 };
    (void)state;
    assert_int_equal(caws_config_check(&cfg, NULL), CAWS_ERR_ARG);
    assert_null(caws_new_server(&cfg, NULL));
    cfg.deflate = NULL;
    assert_null(caws_new_open(false, NULL, "permessage-deflate", &cfg, NULL));
    peer_open(&p, PEER_SERVER, NULL);
    peer_feed_frame_text(&p, 0xc1, "x");
    /* REQ 5.8-1 */
    assert_string_equal(caws_extensions(p.ws), "");
    assert_int_equal(peer_out_close(&p), 1002);
    peer_free(&p);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(version_is_a_number_up_to_255),
        cmocka_unit_test(subprotocol_of_a_response_is_one_token),
        cmocka_unit_test(lists_may_have_spaces_and_empty_elements),
        cmocka_unit_test(malformed_extensions_are_refused),
        cmocka_unit_test(quoted_parameters_are_tokens_in_disguise),
        cmocka_unit_test(offers_may_be_split_over_lines),
        cmocka_unit_test(no_extension_can_be_had_later),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
