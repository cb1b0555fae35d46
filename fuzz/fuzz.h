/* What all fuzz targets use: portable C11, and nothing of caws. */
#ifndef FUZZ_H
#define FUZZ_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

/* A finding, if it is false: says so, and aborts. */
#define REQUIRE(what) ((what) ? (void)0 : fuzz_fail(#what, __FILE__, __LINE__))
_Noreturn void fuzz_fail(const char *what, const char *file, int line);

/* The input as a supply of choices; it ends in zeros. */
struct input {
    const uint8_t *at;
    size_t left;
};
uint8_t input_byte(struct input *in);
size_t input_below(struct input *in, size_t limit); /* limit is 1 to 65536 */

/* Bytes that grow. Zeroed is empty. */
struct bytes {
    uint8_t *data;
    size_t len, cap;
};
void bytes_add(struct bytes *b, const void *data, size_t len);
void bytes_text(struct bytes *b, const char *text);
void bytes_fill(struct bytes *b, int byte, size_t len);
void bytes_number(struct bytes *b, long number);
bool bytes_same(const struct bytes *a, const struct bytes *b);
void bytes_free(struct bytes *b);
/* A copy in a block of exactly that size, so that a sanitizer sees each step
 * past its ends. */
uint8_t *exact_copy(const void *data, size_t len);

/* An event as a line of its own: a word, a number, some bytes. */
void trace(struct bytes *to, const char *what, long number, const void *data, size_t len);
/* A finding, with both shown, if they are not the same. */
void trace_compare(const char *title, const struct bytes *model, const struct bytes *caws);

/* Cuts len bytes in two or more: the size of the next piece. seed 0: all of
 * them; 1: one; else 1 to 16, in an order that the seed decides. */
size_t piece(unsigned *seed, size_t len);

#endif
