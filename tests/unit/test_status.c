/* lib/protocol/status.c */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "protocol/status.h"

#define UNTOUCHED 4242

struct read_result {
    int error;
    uint16_t code;
    size_t reason_len;
    ptrdiff_t reason_at;
    char reason[CAWS__CLOSE_MAX];
    const char *detail;
};

/* The payload in a block of its own size, so that ASan sees a read past it. */
static struct read_result read_payload(const void *payload, size_t len)
{
    struct read_result r = { .code = UNTOUCHED };
    caws_slice reason = { NULL, UNTOUCHED };
    uint8_t *block = malloc(len + (len == 0));
    assert_non_null(block);
    memcpy(block, payload, len);
    r.error = caws__status_read(block, len, &r.code, &reason, &r.detail);
    r.reason_len = reason.len;
    if (r.error == CAWS_OK && reason.len > 0) {
        r.reason_at = reason.data - (const char *)block;
        memcpy(r.reason, reason.data, reason.len);
    }
    free(block);
    return r;
}

static struct read_result read_code(uint16_t code)
{
    uint8_t payload[2] = { (uint8_t)(code >> 8), (uint8_t)code };
    return read_payload(payload, 2);
}

/* Into a block of the most that may be written. */
static int write_payload(uint16_t code, const char *reason, uint8_t *copy)
{
    uint8_t *out = malloc(CAWS__CLOSE_MAX);
    int n;
    assert_non_null(out);
    memset(out, 0xa5, CAWS__CLOSE_MAX);
    n = caws__status_write(code, reason, out);
    for (size_t i = n > 0 ? (size_t)n : 0; i < CAWS__CLOSE_MAX; i++)
        assert_int_equal(out[i], 0xa5);
    if (copy != NULL)
        memcpy(copy, out, CAWS__CLOSE_MAX);
    free(out);
    return n;
}

static void assert_sendable(uint16_t code)
{
    uint8_t out[CAWS__CLOSE_MAX];
    assert_true(caws__status_legal(code));
    assert_int_equal(write_payload(code, NULL, out), 2);
    assert_int_equal(out[0], code / 256);
    assert_int_equal(out[1], code % 256);
    assert_int_equal(read_code(code).error, CAWS_OK);
    assert_int_equal(read_code(code).code, code);
    assert_int_equal(read_code(code).reason_len, 0);
}

static void assert_forbidden(uint16_t code)
{
    struct read_result r = read_code(code);
    assert_false(caws__status_legal(code));
    if (code != 0)
        assert_int_equal(write_payload(code, NULL, NULL), CAWS_ERR_ARG);
    if (code != 0)
        assert_int_equal(write_payload(code, "why", NULL), CAWS_ERR_ARG);
    assert_int_equal(r.error, CAWS_ERR_PROTOCOL);
    assert_int_equal(r.code, UNTOUCHED);
    assert_int_equal(caws__status_of(r.error), 1002);
    assert_non_null(strstr(r.detail, "status code"));
    assert_non_null(strstr(r.detail, "RFC 6455 section 7.4"));
}

/* The ledger's list, one by one, against the library's ranges. */
static const uint16_t registered[] = {
    1000, 1001, 1002, 1003, 1007, 1008, 1009, 1010, 1011, 1012, 1013, 1014,
};

static void test_all_65536_codes(void **state)
{
    /* REQ 7.4.1-1, 7.4.2-1, 7.4.2-3, 7.4.2-4 */
    (void)state;
    for (uint32_t code = 0; code <= 65535; code++) {
        int legal = code / 1000 == 3 || code / 1000 == 4;
        for (size_t i = 0; i < sizeof registered / sizeof *registered; i++)
            legal |= registered[i] == code;
        if (legal)
            assert_sendable((uint16_t)code);
        else
            assert_forbidden((uint16_t)code);
    }
}

static void test_codes_that_are_only_reported(void **state)
{
    /* REQ 7.4.1-2, 7.4.1-3, 7.4.1-4, 7.4.1-5 */
    (void)state;
    assert_forbidden(1005);
    assert_forbidden(1006);
    assert_forbidden(1015);
    assert_forbidden(1004);
}

static void test_codes_nobody_registered(void **state)
{
    /* REQ 7.4.2-1, 7.4.2-2, 7.4.2-4 */
    static const uint16_t none[] = { 0,    999,  1016, 1100,
                                     2000, 2999, 5000, 65535 };
    (void)state;
    for (size_t i = 0; i < sizeof none / sizeof *none; i++)
        assert_forbidden(none[i]);
    assert_sendable(1012);
    assert_sendable(1013);
    assert_sendable(1014);
}

static void test_empty_payload(void **state)
{
    /* REQ 7.4-1 */
    struct read_result r = read_payload("", 0);
    (void)state;
    assert_int_equal(r.error, CAWS_OK);
    assert_int_equal(r.code, 1005);
    assert_int_equal(r.reason_len, 0);
    assert_null(r.detail);
    assert_int_equal(write_payload(0, NULL, NULL), 0);
    assert_int_equal(write_payload(0, "", NULL), 0);
}

static void test_one_byte(void **state)
{
    /* REQ 5.5.1-2 */
    (void)state;
    for (unsigned byte = 0; byte < 256; byte++) {
        uint8_t payload = (uint8_t)byte;
        struct read_result r = read_payload(&payload, 1);
        assert_int_equal(r.error, CAWS_ERR_PROTOCOL);
        assert_int_equal(r.code, UNTOUCHED);
        assert_int_equal(r.reason_len, UNTOUCHED);
        assert_string_equal(r.detail, "Close frame with a payload of one "
                                      "byte, RFC 6455 section 5.5.1");
    }
}

static void test_code_is_big_endian(void **state)
{
    /* REQ 5.5.1-2 */
    uint8_t out[CAWS__CLOSE_MAX];
    (void)state;
    assert_int_equal(write_payload(1000, NULL, out), 2);
    assert_memory_equal(out, "\x03\xe8", 2);
    assert_int_equal(read_payload("\x03\xe8", 2).code, 1000);
    assert_int_equal(read_payload("\xe8\x03", 2).error, CAWS_ERR_PROTOCOL);
}

static void test_reason(void **state)
{
    /* REQ 5.5.1-3 */
    struct read_result r = read_payload("\x03\xe8" "bye", 5);
    uint8_t out[CAWS__CLOSE_MAX];
    (void)state;
    assert_int_equal(r.error, CAWS_OK);
    assert_int_equal(r.code, 1000);
    assert_int_equal(r.reason_len, 3);
    assert_int_equal(r.reason_at, 2);
    assert_memory_equal(r.reason, "bye", 3);
    r = read_payload("\x03\xe8\xef\xbb\xbf\x00" "a", 7);
    assert_int_equal(r.error, CAWS_OK);
    assert_int_equal(r.reason_len, 5);
    assert_memory_equal(r.reason, "\xef\xbb\xbf\x00" "a", 5);
    assert_int_equal(write_payload(1000, "bye", out), 5);
    assert_memory_equal(out, "\x03\xe8" "bye", 5);
}

static void test_reason_that_is_not_utf8(void **state)
{
    /* REQ 5.5.1-3 */
    static const char *const bad[] = {
        "\xce", "\xff", "bye\xe2\x82", "\xed\xa0\x80", "\xc0\x80",
    };
    (void)state;
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        char payload[16] = "\x03\xe8";
        struct read_result r;
        strcpy(payload + 2, bad[i]);
        r = read_payload(payload, 2 + strlen(bad[i]));
        assert_int_equal(r.error, CAWS_ERR_UTF8);
        assert_int_equal(caws__status_of(r.error), 1007);
        assert_int_equal(r.code, UNTOUCHED);
        assert_non_null(strstr(r.detail, "not UTF-8"));
        assert_non_null(strstr(r.detail, "RFC 6455 section 5.5.1"));
        assert_int_equal(write_payload(1000, bad[i], NULL), CAWS_ERR_UTF8);
    }
}

/* A wrong code is the first thing wrong, whatever the reason is. */
static void test_code_is_judged_before_the_reason(void **state)
{
    (void)state;
    assert_int_equal(read_payload("\x03\xed\xff", 3).error,
                     CAWS_ERR_PROTOCOL);
    assert_int_equal(write_payload(1005, "\xff", NULL), CAWS_ERR_ARG);
}

static void test_longest_reason(void **state)
{
    /* REQ close-2 */
    char reason[127], payload[CAWS__CLOSE_MAX];
    uint8_t out[CAWS__CLOSE_MAX];
    (void)state;
    memset(reason, 'r', sizeof reason);
    reason[124] = '\0';
    assert_int_equal(write_payload(1000, reason, NULL), CAWS_ERR_ARG);
    assert_int_equal(write_payload(0, reason, NULL), CAWS_ERR_ARG);
    reason[123] = '\0';
    assert_int_equal(write_payload(1000, reason, out), 125);
    assert_memory_equal(out + 2, reason, 123);

    for (size_t i = 0; i < 42; i++)
        memcpy(reason + 3 * i, "\xe2\x82\xac", 3);
    reason[126] = '\0';
    assert_int_equal(write_payload(1000, reason, NULL), CAWS_ERR_ARG);
    reason[123] = '\0';
    assert_int_equal(write_payload(1000, reason, out), 125);
    memcpy(payload, out, sizeof payload);
    assert_int_equal(read_payload(payload, 125).reason_len, 123);
    assert_memory_equal(read_payload(payload, 125).reason, reason, 123);
}

static void test_reason_without_a_code(void **state)
{
    /* REQ close-8 */
    uint8_t out[CAWS__CLOSE_MAX];
    (void)state;
    assert_int_equal(write_payload(0, "x", out), 3);
    assert_memory_equal(out, "\x03\xe8x", 3);
}

static void test_status_of_every_error(void **state)
{
    static const struct { int error; uint16_t code; } table[] = {
        { CAWS_ERR_NOMEM, 1011 },    { CAWS_ERR_ARG, 1011 },
        { CAWS_ERR_STATE, 1011 },    { CAWS_ERR_FULL, 1013 },
        { CAWS_ERR_RANDOM, 1011 },   { CAWS_ERR_URL, 1011 },
        { CAWS_ERR_HANDSHAKE, 1002 }, { CAWS_ERR_REFUSED, 1011 },
        { CAWS_ERR_PROTOCOL, 1002 }, { CAWS_ERR_UTF8, 1007 },
        { CAWS_ERR_TOO_BIG, 1009 },  { CAWS_ERR_LIMIT, 1008 },
        { CAWS_ERR_COMPRESSION, 1007 }, { CAWS_ERR_TIMEOUT, 1008 },
        { CAWS_ERR_EOF, 1002 },      { CAWS_ERR_RESOLVE, 1011 },
        { CAWS_ERR_CONNECT, 1011 },  { CAWS_ERR_TLS, 1011 },
        { CAWS_ERR_SYS, 1011 },
    };
    size_t count = sizeof table / sizeof *table;
    (void)state;
    assert_int_equal(count, -CAWS_ERR_SYS);
    for (size_t i = 0; i < count; i++) {
        assert_int_equal(table[i].error, -1 - (int)i);
        assert_int_equal(caws__status_of(table[i].error), table[i].code);
    }
    for (int error = -100; error <= 100; error++)
        assert_true(caws__status_legal(caws__status_of(error)));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_all_65536_codes),
        cmocka_unit_test(test_codes_that_are_only_reported),
        cmocka_unit_test(test_codes_nobody_registered),
        cmocka_unit_test(test_empty_payload),
        cmocka_unit_test(test_one_byte),
        cmocka_unit_test(test_code_is_big_endian),
        cmocka_unit_test(test_reason),
        cmocka_unit_test(test_reason_that_is_not_utf8),
        cmocka_unit_test(test_code_is_judged_before_the_reason),
        cmocka_unit_test(test_longest_reason),
        cmocka_unit_test(test_reason_without_a_code),
        cmocka_unit_test(test_status_of_every_error),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
