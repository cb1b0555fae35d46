/* lib/protocol/base64.c */
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "protocol/base64.h"
#include "protocol/sha1.h"

/* Source and result in blocks of their own sizes. */
static void check(const void *bytes, size_t len, const char *expected)
{
    size_t size = strlen(expected) + 1;
    char *out = malloc(size);
    uint8_t *in = malloc(len + (len == 0));
    assert_non_null(out);
    assert_non_null(in);
    memcpy(in, bytes, len);
    assert_int_equal(caws__base64_encode(in, len, out), size - 1);
    assert_string_equal(out, expected);
    free(out);
    free(in);
}

static bool is(const char *text, size_t len, size_t bytes)
{
    char *exact = malloc(len + (len == 0));
    bool yes;
    assert_non_null(exact);
    memcpy(exact, text, len);
    yes = caws__base64_is(exact, len, bytes);
    free(exact);
    return yes;
}

static void test_vectors_of_rfc_4648(void **state)
{
    char out[1] = { 'x' };
    (void)state;
    check("", 0, "");
    check("f", 1, "Zg==");
    check("fo", 2, "Zm8=");
    check("foo", 3, "Zm9v");
    check("foob", 4, "Zm9vYg==");
    check("fooba", 5, "Zm9vYmE=");
    check("foobar", 6, "Zm9vYmFy");
    assert_int_equal(caws__base64_encode(NULL, 0, out), 0);
    assert_int_equal(out[0], '\0');
}

static void test_whole_alphabet(void **state)
{
    static const char alphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
                                   "abcdefghijklmnopqrstuvwxyz0123456789+/";
    uint8_t bytes[48];
    (void)state;
    for (unsigned i = 0; i < 16; i++) {
        unsigned v = 4 * i;
        unsigned group = v << 18 | (v + 1) << 12 | (v + 2) << 6 | (v + 3);
        bytes[3 * i] = (uint8_t)(group >> 16);
        bytes[3 * i + 1] = (uint8_t)(group >> 8);
        bytes[3 * i + 2] = (uint8_t)group;
    }
    check(bytes, sizeof bytes, alphabet);
    assert_true(is(alphabet, 64, 48));
}

static void accept_key(const char *key, const char *expected)
{
    char text[64], out[29];
    uint8_t digest[20];
    strcpy(text, key);
    strcat(text, "258EAFA5-E914-47DA-95CA-C5AB0DC85B11");
    caws__sha1(text, strlen(text), digest);
    assert_int_equal(caws__base64_encode(digest, 20, out), 28);
    assert_string_equal(out, expected);
}

static void test_key_examples(void **state)
{
    /* REQ 4.1-44 */
    uint8_t nonce[16];
    (void)state;
    for (uint8_t i = 0; i < 16; i++)
        nonce[i] = (uint8_t)(i + 1);
    check(nonce, 16, "AQIDBAUGBwgJCgsMDQ4PEA==");
    check("the sample nonce", 16, "dGhlIHNhbXBsZSBub25jZQ==");
    accept_key("AQIDBAUGBwgJCgsMDQ4PEA==", "C/0nmHhBztSRGR1CwL6Tf4ZjwpY=");
    accept_key("dGhlIHNhbXBsZSBub25jZQ==", "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=");
    accept_key("x3JJHMbDL1EzLkh9GBhXDw==", "HSmrc0sMlYUkAGmm5OPpG2HaGWk=");
}

static void test_keys_are_of_16_bytes(void **state)
{
    /* REQ 4.2.1-8 */
    static const char *const bad[] = {
        "", "AQ==", "AQIDBAUGBwgJCgsMDQ4P",     /* 0, 1 and 15 bytes */
        "AQIDBAUGBwgJCgsMDQ4PEBE=",             /* 17 */
        "AQIDBAUGBwgJCgsMDQ4PEBES",             /* 18 */
        "AQIDBAUGBwgJCgsMDQ4PEA", "AQIDBAUGBwgJCgsMDQ4PEA=",
        "AQIDBAUGBwgJCgsMDQ4PEA===", "AQIDBAUGBwgJCgsMDQ4PE===",
        "AQIDBAUGBwgJCgsMDQ4PEAA==", "AQIDBAUGBwgJCgsMDQ4PEAAA==",
        "AQIDBAUGBwgJCgsMDQ4=EA==", "=QIDBAUGBwgJCgsMDQ4PEA==",
        "AQIDBAUGBwgJCgsMDQ4P==EA", "AQIDBAUGBwgJCgsMDQ4PEA=A",
        "AQID-AUGBwgJCgsMDQ4PEA==", "AQID_AUGBwgJCgsMDQ4PEA==",
        "AQID AUGBwgJCgsMDQ4PEA==", " AQIDBAUGBwgJCgsMDQ4PEA==",
        "AQIDBAUGBwgJCgsMDQ4PEA==\n", "AQIDBAUGBwgJ\xc3\xa9sMDQ4PEA==",
    };
    (void)state;
    assert_true(is("AQIDBAUGBwgJCgsMDQ4PEA==", 24, 16));
    assert_true(is("dGhlIHNhbXBsZSBub25jZQ==", 24, 16));
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        assert_false(is(bad[i], strlen(bad[i]), 16));
    assert_false(is("AQIDBAUGBwgJCgs\0DQ4PEA==", 24, 16));
}

static void test_pad_bits_may_be_anything(void **state)
{
    /* REQ 4.2.1-9 */
    (void)state;
    assert_true(is("AQIDBAUGBwgJCgsMDQ4PEC==", 24, 16));
    assert_true(is("AQIDBAUGBwgJCgsMDQ4PE/==", 24, 16));
    assert_true(is("Zm9=", 4, 2));
    accept_key("AQIDBAUGBwgJCgsMDQ4PEC==", "OfS0wDaT5NoxF2gqm7Zj2YtetzM=");
}

/* In each place each byte: good where it is of the alphabet, '=' only where
 * the padding belongs. */
static void test_every_byte_in_every_place(void **state)
{
    (void)state;
    for (size_t place = 0; place < 8; place++)
        for (int c = 0; c < 256; c++) {
            char text[9] = "AAAAAA==";
            bool digit = c != 0 && strchr("ABCDEFGHIJKLMNOPQRSTUVWXYZ"
                                          "abcdefghijklmnopqrstuvwxyz"
                                          "0123456789+/", c) != NULL;
            text[place] = (char)c;
            assert_int_equal(is(text, 8, 4), place < 6 ? digit : c == '=');
        }
}

static void test_what_was_encoded_is_so_long(void **state)
{
    uint8_t bytes[64];
    char text[90];
    (void)state;
    for (unsigned i = 0; i < sizeof bytes; i++)
        bytes[i] = (uint8_t)(i * 97);
    for (size_t len = 0; len <= sizeof bytes; len++) {
        size_t n = caws__base64_encode(bytes, len, text);
        assert_int_equal(n, (len + 2) / 3 * 4);
        assert_int_equal(text[n], '\0');
        for (size_t other = 0; other <= sizeof bytes + 3; other++)
            assert_int_equal(is(text, n, other), other == len);
    }
}

static void test_lengths_beyond_all_bounds(void **state)
{
    (void)state;
    assert_false(is("", 0, SIZE_MAX));
    assert_false(is("AAAA", 4, SIZE_MAX));
    assert_false(is("AAA=", 4, SIZE_MAX - 1));
    assert_false(is("AA==", 4, SIZE_MAX / 4 * 3 + 4));
    assert_true(caws__base64_is(NULL, 0, 0));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_vectors_of_rfc_4648),
        cmocka_unit_test(test_whole_alphabet),
        cmocka_unit_test(test_key_examples),
        cmocka_unit_test(test_keys_are_of_16_bytes),
        cmocka_unit_test(test_pad_bits_may_be_anything),
        cmocka_unit_test(test_every_byte_in_every_place),
        cmocka_unit_test(test_what_was_encoded_is_so_long),
        cmocka_unit_test(test_lengths_beyond_all_bounds),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
