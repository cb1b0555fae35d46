/* lib/protocol/handshake.c */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "peer.h"
#include "protocol/handshake.h"

static void test_accept_keys(void **state)
{
    char out[29];
    (void)state;
    /* REQ 4.1-44, 4.2.2-6 */
    assert_int_equal(caws_accept_key("dGhlIHNhbXBsZSBub25jZQ==", 24, out), CAWS_OK);
    assert_string_equal(out, "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=");
    assert_int_equal(caws_accept_key("x3JJHMbDL1EzLkh9GBhXDw==", 24, out), CAWS_OK);
    assert_string_equal(out, "HSmrc0sMlYUkAGmm5OPpG2HaGWk=");
    assert_int_equal(caws_accept_key("AQIDBAUGBwgJCgsMDQ4PEA==", 24, out), CAWS_OK);
    assert_string_equal(out, "C/0nmHhBztSRGR1CwL6Tf4ZjwpY=");
    /* The RFC's own example, whose pad bits are not zero, is hashed as sent. */
    assert_int_equal(caws_accept_key("AQIDBAUGBwgJCgsMDQ4PEC==", 24, out), CAWS_OK);
    assert_string_equal(out, "OfS0wDaT5NoxF2gqm7Zj2YtetzM=");
}

static void test_what_is_no_key(void **state)
{
    static const char *const keys[] = { "", "AQ==", "dGhlIHNhbXBsZSBub25jZQ=",
                                        "dGhlIHNhbXBsZSBub25jZQAA", "dGhlIHNhbXBsZSBub25jZQ= ",
                                        "dGhlIHNhbXBsZSBub25-ZQ==" };
    char out[29] = "untouched";
    (void)state;
    for (size_t i = 0; i < sizeof keys / sizeof *keys; i++)
        assert_int_equal(caws_accept_key(keys[i], strlen(keys[i]), out), CAWS_ERR_ARG);
    assert_int_equal(caws_accept_key(NULL, 24, out), CAWS_ERR_ARG);
    assert_int_equal(caws_accept_key("dGhlIHNhbXBsZSBub25jZQ==", 24, NULL), CAWS_ERR_ARG);
    assert_string_equal(out, "untouched");
}

static void test_writing(void **state)
{
    struct peer_alloc counting = { 0 };
    caws_alloc alloc = peer_counting(&counting);
    struct caws__buffer b = { NULL, 0, 0 };
    struct caws__writer w = { &b, &alloc, CAWS_OK };
    char expected[40];
    size_t len = (size_t)snprintf(expected, sizeof expected, "a0%zuB: c\r\n", SIZE_MAX);
    (void)state;
    caws__put(&w, "a");
    caws__put_number(&w, 0);
    caws__put_number(&w, SIZE_MAX);
    caws__put_field(&w, "B", (caws_slice){ "cd", 1 });
    assert_int_equal(w.result, CAWS_OK);
    assert_int_equal(b.len, len);
    assert_memory_equal(b.data, expected, len);
    counting.fail_at = counting.calls + 1;
    while (w.result == CAWS_OK)
        caws__put(&w, "more");
    assert_int_equal(w.result, CAWS_ERR_NOMEM);
    len = b.len;
    caws__put(&w, "x"); /* it stays failed, and nothing more is written */
    assert_int_equal(b.len, len);
    caws__buffer_free(&b, &alloc);
    assert_int_equal(counting.blocks, 0);
}

static void test_fields_that_an_application_may_write(void **state)
{
    static const struct {
        const char *name, *value;
        int result;
    } cases[] = {
        { "Cookie", "a=b", CAWS_OK }, { "X", "", CAWS_OK }, { "X", "\tb\x80", CAWS_OK },
        { "Sec-WebSocket", "x", CAWS_OK }, { "Hostess", "x", CAWS_OK },
        { "", "x", CAWS_ERR_ARG }, { "a b", "x", CAWS_ERR_ARG }, { "a:", "x", CAWS_ERR_ARG },
        { "X", "a\r\nb", CAWS_ERR_ARG }, { "X", "a\n", CAWS_ERR_ARG },
        { "X\r\n", "a", CAWS_ERR_ARG },
        { "host", "x", CAWS_ERR_ARG }, { "UPGRADE", "x", CAWS_ERR_ARG },
        { "Origin", "x", CAWS_ERR_ARG }, { "connection", "x", CAWS_ERR_ARG },
        { "Content-Length", "1", CAWS_ERR_ARG }, { "Transfer-Encoding", "x", CAWS_ERR_ARG },
        { "sec-websocket-foo", "x", CAWS_ERR_ARG }, { "Expect", "x", CAWS_ERR_ARG },
        { "Sec-WebSocket-", "x", CAWS_ERR_ARG },
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        assert_int_equal(caws__header_check(caws__slice(cases[i].name),
                                            caws__slice(cases[i].value)), cases[i].result);
}

static void test_texts_in_a_config(void **state)
{
    static const caws_config good[] = {
        { 0 }, { .headers = "" }, { .headers = "A: b\r\nC:d\r\n" }, { .subprotocols = "a, b,A" },
        { .origin = "https://a" }, { .path = "/" }, { .origins = "*" }, { .hosts = "*" },
        { .hosts = "a, b:80,[::1]:8080" }, { .origins = "https://a, http://b:1,NULL" },
        { .origins = "http://[::1]" }, { .origins = "app://*" }, { .origins = "x:///~" },
        { .origins = "file://" },
    };
    static const caws_config bad[] = {
        { .headers = "A: b" }, { .headers = "A: b\n" }, { .headers = "\r\n" },
        { .headers = "A: b\r\nC\r\n" }, { .headers = "Host: b\r\n" },
        { .headers = "A\r\nB: c\r\n" },
        { .subprotocols = "" }, { .subprotocols = "," }, { .subprotocols = "a b" },
        { .subprotocols = "a,a" }, { .subprotocols = "a\x80" }, { .origin = "" },
        { .origin = "a\r\nb" }, { .path = "chat" }, { .path = "" },
        { .headers = "Host: a\r\nB: c\r\n" }, /* a good line does not mend a bad one */
        { .hosts = "" }, { .hosts = ", ," }, { .hosts = "a b" }, { .hosts = "a,http://b" },
        { .hosts = "a:0" }, { .hosts = "*.a" }, { .hosts = "*, a" },
        { .origins = "" }, { .origins = "," }, { .origins = "a" }, { .origins = "https" },
        { .origins = "https:/a" }, { .origins = "https://" }, { .origins = "HTTPS://*.a" },
        { .origins = "http://*" }, { .origins = "http://a/" }, { .origins = "://a" },
        { .origins = "a b://c" }, { .origins = "x:/" }, { .origins = "x:///\x7f" },
        { .origins = "x:/yz" },
        { .origins = "x:///\x80" }, { .origins = "x:///\x1f" }, { .origins = "x:///a b" },
    };
    (void)state;
    for (size_t i = 0; i < sizeof good / sizeof *good; i++)
        assert_int_equal(caws__handshake_check(&good[i]), CAWS_OK);
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        assert_int_equal(caws__handshake_check(&bad[i]), CAWS_ERR_ARG);
}

static void test_at_most_64_subprotocols(void **state)
{
    char names[65 * 4 + 1] = "";
    caws_config cfg = { .subprotocols = names };
    (void)state;
    for (int i = 0; i < 65; i++) {
        char name[8];
        snprintf(name, sizeof name, "%sp%d", i ? "," : "", i);
        strcat(names, name);
        assert_int_equal(caws__handshake_check(&cfg), i < 64 ? CAWS_OK : CAWS_ERR_ARG);
    }
}

static void test_freeing_nothing(void **state)
{
    caws_alloc alloc = { NULL, NULL };
    (void)state;
    caws__opening_free(NULL, &alloc);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_accept_keys),
        cmocka_unit_test(test_what_is_no_key),
        cmocka_unit_test(test_writing),
        cmocka_unit_test(test_fields_that_an_application_may_write),
        cmocka_unit_test(test_texts_in_a_config),
        cmocka_unit_test(test_at_most_64_subprotocols),
        cmocka_unit_test(test_freeing_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
