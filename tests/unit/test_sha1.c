/* lib/protocol/sha1.c */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "protocol/sha1.h"

/* The text in a block of its own size, so that ASan sees a read past it. */
static void check(const void *text, size_t len, const char *expected)
{
    uint8_t out[22], *block = malloc(len + (len == 0));
    char hex[41];
    assert_non_null(block);
    memcpy(block, text, len);
    memset(out, 0xa5, sizeof out);
    caws__sha1(block, len, out + 1);
    for (int i = 0; i < 20; i++)
        snprintf(hex + 2 * i, 3, "%02x", (unsigned)out[1 + i]);
    assert_string_equal(hex, expected);
    assert_int_equal(out[0], 0xa5);
    assert_int_equal(out[21], 0xa5);
    free(block);
}

static void test_fips_180_vectors(void **state)
{
    /* REQ 10.8-1 */
    size_t million = 1000000;
    char *a = malloc(million);
    (void)state;
    assert_non_null(a);
    memset(a, 'a', million);
    check("", 0, "da39a3ee5e6b4b0d3255bfef95601890afd80709");
    check("abc", 3, "a9993e364706816aba3e25717850c26c9cd0d89d");
    check("abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq", 56,
          "84983e441c3bd26ebaae4aa1f95129e5e54670f1");
    check("abcdefghbcdefghicdefghijdefghijkefghijklfghijklmghijklmn"
          "hijklmnoijklmnopjklmnopqklmnopqrlmnopqrsmnopqrstnopqrstu", 112,
          "a49b2446a02c645bf419f995b67091253a04a259");
    check(a, million, "34aa973cd4c4daa4f61eeb2bdbad27316534016f");
    free(a);
}

/* The padding's cases: a block that is full, one byte short, and so on. The
 * digests are those of Python's hashlib for so many bytes of 'a'. */
static void test_lengths_around_the_block(void **state)
{
    static const struct { size_t len; const char *digest; } cases[] = {
        { 1, "86f7e437faa5a7fce15d1ddcb9eaeaea377667b8" },
        { 54, "b05d71c64979cb95fa74a33cdb31a40d258ae02e" },
        { 55, "c1c8bbdc22796e28c0e15163d20899b65621d65a" },
        { 56, "c2db330f6083854c99d4b5bfb6e8f29f201be699" },
        { 57, "f08f24908d682555111be7ff6f004e78283d989a" },
        { 60, "13d956033d9af449bfe2c4ef78c17c20469c4bf1" },
        { 63, "03f09f5b158a7a8cdad920bddc29b81c18a551f5" },
        { 64, "0098ba824b5c16427bd7a1122a5a442a25ec644d" },
        { 65, "11655326c708d70319be2610e8a57d9a5b959d3b" },
        { 119, "ee971065aaa017e0632a8ca6c77bb3bf8b1dfc56" },
        { 120, "f34c1488385346a55709ba056ddd08280dd4c6d6" },
        { 127, "89d95fa32ed44a7c610b7ee38517ddf57e0bb975" },
        { 128, "ad5b3fdbcb526778c2839d2f151ea753995e26a0" },
        { 129, "d96debf1bdcbc896e6c134ea76e8141f40d78536" },
        { 183, "021fedbd6b884e3cdd89d7477ffe852155c37456" },
        { 184, "2a4c545628c4875631e342e101f8af11cf48d252" },
    };
    char text[200];
    (void)state;
    memset(text, 'a', sizeof text);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        check(text, cases[i].len, cases[i].digest);
}

static void test_nothing_at_all(void **state)
{
    uint8_t out[20], empty[20];
    (void)state;
    caws__sha1(NULL, 0, out);
    caws__sha1("", 0, empty);
    assert_memory_equal(out, empty, 20);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_fips_180_vectors),
        cmocka_unit_test(test_lengths_around_the_block),
        cmocka_unit_test(test_nothing_at_all),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
