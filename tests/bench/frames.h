/* Masked frames for a parser, in two counts, so that the difference between the
 * two is what frames cost: callgrind counts from one mark() to the next. */
#ifndef BENCH_FRAMES_H
#define BENCH_FRAMES_H

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct frames {
    unsigned opcode; /* 1: ASCII text, 2: binary */
    size_t size;     /* of a payload */
    size_t few, many;
    size_t at_once;  /* frames in a piece that is fed; 0: as many as fit 512 KiB */
};

static const struct frames frames_cases[] = {
    { 2, 20, 32, 288, 0 },  { 2, 125, 32, 288, 0 }, { 2, 1024, 32, 288, 0 }, { 2, 65536, 7, 28, 0 },
    { 1, 20, 32, 288, 0 },  { 1, 125, 32, 288, 0 }, { 1, 1024, 32, 288, 0 }, { 1, 65536, 7, 28, 0 },
    { 2, 20, 32, 288, 1 },  { 1, 20, 32, 288, 1 },
};
#define FRAMES_CASES (sizeof frames_cases / sizeof *frames_cases)

__attribute__((noinline)) void mark(void)
{
    __asm__ volatile("");
}

static inline size_t frames_each(const struct frames *f)
{
    return f->size + (f->size < 126 ? 6 : f->size < 65536 ? 8 : 14);
}

static inline unsigned char *frames_make(const struct frames *f, size_t count)
{
    static const unsigned char key[4] = { 0x37, 0xfa, 0x21, 0x3d };
    size_t header = frames_each(f) - f->size;
    unsigned char *all = malloc(frames_each(f) * count), *p = all;

    if (!all)
        abort();
    for (size_t n = 0; n < count; n++) {
        *p++ = (unsigned char)(0x80 | f->opcode);
        *p++ = (unsigned char)(0x80 | (header == 6 ? f->size : header == 8 ? 126 : 127));
        for (size_t i = header - 6; i > 0; i--)
            *p++ = (unsigned char)(f->size >> (8 * (i - 1)));
        memcpy(p, key, 4);
        p += 4;
        for (size_t i = 0; i < f->size; i++)
            *p++ = (unsigned char)((f->opcode == 1 ? 'a' + i % 26 : i * 7) ^ key[i % 4]);
    }
    return all;
}

/* For each case a line: its name, and how many frames the difference is. */
static inline void frames_run(void (*feed)(unsigned char *data, size_t len))
{
    for (size_t c = 0; c < FRAMES_CASES; c++) {
        const struct frames *f = &frames_cases[c];
        size_t each = frames_each(f);
        size_t piece = f->at_once ? f->at_once * each : 512 * 1024 / each * each;
        unsigned char *bytes = frames_make(f, f->few + f->many), *p = bytes;

        for (int part = 0; part < 2; part++) {
            size_t left = (part == 0 ? f->few : f->many) * each;

            mark();
            for (size_t n; left > 0; p += n, left -= n) {
                n = left < piece ? left : piece;
                feed(p, n);
            }
        }
        mark();
        free(bytes);
        printf("%s_%zu%s %zu\n", f->opcode == 1 ? "text" : "binary", f->size,
               f->at_once ? "_alone" : "", f->many - f->few);
    }
}

#endif
