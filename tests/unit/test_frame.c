/* lib/protocol/frame.c */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <caws.h>
#include <cmocka.h>

#include "protocol/frame.h"

/* Reads from a block of just that size, so that ASan sees a read past it. */
static int read_header(const uint8_t *bytes, size_t n, bool masked, bool continuing,
                       struct caws__frame *frame, const char **detail)
{
    uint8_t *block = malloc(n + (n == 0));
    int result;
    memcpy(block, bytes, n);
    *detail = NULL;
    result = caws__frame_read(block, n, masked, continuing, frame, detail);
    assert_int_equal(result < 0, *detail != NULL);
    free(block);
    return result;
}

/* The rules, said once more and differently. */
static bool legal(unsigned b0, unsigned b1, bool masked, bool continuing)
{
    unsigned opcode = b0 & 15;
    bool control = opcode > 7;
    if ((b0 & 0x70) || (opcode > 2 && opcode < 8) || opcode > 10)
        return false;
    if (control && (!(b0 & 0x80) || (b1 & 0x7f) > 125))
        return false;
    if (!control && (opcode == 0) != continuing)
        return false;
    return (b1 >= 0x80) == masked;
}

static void test_all_pairs_of_first_bytes(void **state)
{
    (void)state;
    /* REQ FRAME-1 */
    for (unsigned i = 0; i < 65536 * 4u; i++) {
        uint8_t header[14] = { (uint8_t)(i >> 8), (uint8_t)i };
        bool masked = i & 0x10000, continuing = i & 0x20000;
        unsigned len = i & 0x7f;
        struct caws__frame f = { 0 };
        const char *detail = NULL;
        int result;
        header[len == 126 ? 2 : 3] = 1; /* a length of 256, or of 2^48 */
        result = caws__frame_read(header, 14, masked, continuing, &f, &detail);
        if (!legal(header[0], header[1], masked, continuing)) {
            assert_int_equal(result, CAWS_ERR_PROTOCOL);
            assert_non_null(strstr(detail, "RFC 6455 section 5."));
            continue;
        }
        assert_int_equal(result, (len < 126 ? 2 : len == 126 ? 4 : 10) + (masked ? 4 : 0));
        assert_int_equal(f.opcode, header[0] & 15);
        assert_int_equal(f.fin, header[0] >= 128);
        assert_int_equal(f.len, len < 126 ? len : len == 126 ? 256 : (uint64_t)1 << 48);
    }
}

static void test_header_and_back(void **state)
{
    static const uint64_t around[] = { 0, 1, 125, 126, 127, 255, 256, 65535, 65536, 65537,
                                       UINT32_MAX, (uint64_t)1 << 32, INT64_MAX };
    static const uint8_t key[4] = { 1, 2, 3, 4 };
    (void)state;
    for (size_t i = 0; i < sizeof around / sizeof *around; i++)
        for (int masked = 0; masked < 2; masked++) {
            uint8_t header[14] = { 0 };
            uint64_t len = around[i], payload;
            size_t size = caws__frame_write(header, true, CAWS__BINARY, len, masked ? key : NULL);
            size_t measured;
            struct caws__frame f;
            const char *detail;
            assert_int_equal(size, caws__frame_header_size(len, masked));
            assert_int_equal(size, (len < 126 ? 2 : len < 65536 ? 4 : 10) + (masked ? 4 : 0));
            for (size_t n = 0; n < size; n++) /* nothing is decided too soon */
                assert_int_equal(read_header(header, n, masked, false, &f, &detail), 0);
            assert_int_equal(read_header(header, size, masked, false, &f, &detail), size);
            assert_true(f.len == len && f.fin && f.opcode == CAWS__BINARY);
            if (masked)
                assert_memory_equal(f.key, key, 4);
            caws__frame_measure(header, &measured, &payload);
            assert_true(measured == size && payload == len);
        }
}

static void test_every_length_is_written_minimally(void **state)
{
    (void)state;
    /* REQ 5.2-6, 5.2-8 */
    for (uint64_t len = 0; len < (uint64_t)1 << 63; len = len < 70000 ? len + 1 : len * 2 + 1) {
        uint8_t h[14];
        size_t size = caws__frame_write(h, true, CAWS__TEXT, len, NULL);
        assert_int_equal(size, len <= 125 ? 2 : len <= 65535 ? 4 : 10);
        assert_int_equal(h[0], 0x81);
        assert_int_equal(h[1], len <= 125 ? len : len <= 65535 ? 126 : 127);
        for (size_t i = 2; i < size; i++) /* in network byte order */
            assert_int_equal(h[i], len >> 8 * (size - 1 - i) & 0xff);
    }
}

/* A rule that is broken is told at the byte that breaks it. */
static void test_violations_are_told_at_once(void **state)
{
    static const struct {
        const char *bytes;
        size_t at; /* so many bytes do it */
        const char *detail;
    } cases[] = {
        { "\xc1\x00", 1, "reserved bit" },
        { "\x83\x00", 1, "reserved opcode" },
        { "\x80\x00", 1, "without a message to continue" },
        { "\x09\x00", 1, "fragmented control" },
        { "\x81\x80", 2, "is masked" },
        { "\x89\x7e\x00\x7e", 2, "longer than 125" },
        { "\x88\x7f", 2, "longer than 125" },
        { "\x82\x7e\x00\x7d", 4, "fewest bytes" },
        { "\x82\x7f\x00\x00\x00\x00\x00\x00\xff\xff", 10, "fewest bytes" },
        { "\x82\x7f\x80\x00\x00\x00\x00\x00\x00\x00", 10, "most significant" },
        { "\x82\x7f\xff\xff\xff\xff\xff\xff\xff\xff", 10, "most significant" },
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        const uint8_t *bytes = (const uint8_t *)cases[i].bytes;
        struct caws__frame f;
        const char *detail;
        assert_int_equal(read_header(bytes, cases[i].at - 1, false, false, &f, &detail), 0);
        assert_int_equal(read_header(bytes, cases[i].at, false, false, &f, &detail),
                         CAWS_ERR_PROTOCOL);
        assert_non_null(strstr(detail, cases[i].detail));
        assert_true(strlen(detail) <= 123); /* a Close frame's reason */
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_all_pairs_of_first_bytes),
        cmocka_unit_test(test_header_and_back),
        cmocka_unit_test(test_every_length_is_written_minimally),
        cmocka_unit_test(test_violations_are_told_at_once),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
