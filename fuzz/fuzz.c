#include "fuzz.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void fuzz_fail(const char *what, const char *file, int line)
{
    fprintf(stderr, "%s:%d: finding: %s\n", file, line, what);
    abort();
}

uint8_t input_byte(struct input *in)
{
    if (in->left == 0)
        return 0;
    in->left--;
    return *in->at++;
}

size_t input_below(struct input *in, size_t limit)
{
    size_t n = input_byte(in);
    if (limit > 256)
        n = n << 8 | input_byte(in);
    return n % limit;
}

/* Room for len bytes behind those that are there. */
static uint8_t *room(struct bytes *b, size_t len)
{
    if (len > b->cap - b->len) {
        b->cap = 2 * b->cap + len + 64;
        b->data = realloc(b->data, b->cap);
        if (!b->data)
            abort();
    }
    b->len += len;
    return b->data + b->len - len;
}

void bytes_add(struct bytes *b, const void *data, size_t len)
{
    if (len > 0)
        memcpy(room(b, len), data, len);
}

void bytes_fill(struct bytes *b, int byte, size_t len)
{
    if (len > 0)
        memset(room(b, len), byte, len);
}

void bytes_text(struct bytes *b, const char *text)
{
    bytes_add(b, text, strlen(text));
}

void bytes_number(struct bytes *b, long number)
{
    char digits[24];
    snprintf(digits, sizeof digits, "%ld", number);
    bytes_text(b, digits);
}

bool bytes_same(const struct bytes *a, const struct bytes *b)
{
    return a->len == b->len && (a->len == 0 || memcmp(a->data, b->data, a->len) == 0);
}

void bytes_free(struct bytes *b)
{
    free(b->data);
    *b = (struct bytes){ NULL, 0, 0 };
}

uint8_t *exact_copy(const void *data, size_t len)
{
    uint8_t *copy = malloc(len > 0 ? len : 1);
    if (!copy)
        abort();
    if (len > 0)
        memcpy(copy, data, len);
    return copy;
}

void trace(struct bytes *to, const char *what, long number, const void *data, size_t len)
{
    bytes_text(to, what);
    bytes_text(to, " ");
    bytes_number(to, number);
    bytes_text(to, " ");
    bytes_number(to, (long)len);
    bytes_text(to, ":");
    bytes_add(to, data, len);
    bytes_text(to, "\n");
}

static void show(const char *title, const struct bytes *b)
{
    fprintf(stderr, "---- %s\n", title);
    for (size_t i = 0; i < b->len; i++)
        if (b->data[i] == '\n' || (b->data[i] >= ' ' && b->data[i] <= '~'))
            fputc(b->data[i], stderr);
        else
            fprintf(stderr, "\\x%02x", b->data[i]);
}

void trace_compare(const char *title, const struct bytes *model, const struct bytes *caws)
{
    if (bytes_same(model, caws))
        return;
    show("the model", model);
    show("caws", caws);
    fprintf(stderr, "finding: %s differ\n", title);
    abort();
}

size_t piece(unsigned *seed, size_t len)
{
    size_t n;
    if (*seed == 0)
        return len;
    if (*seed == 1)
        return len > 0 ? 1 : 0;
    *seed = (*seed * 1103515245u + 12345u) & 0x7fffffffu;
    n = 1 + (*seed >> 16) % 16;
    *seed |= 2; /* never 0 or 1 again */
    return n < len ? n : len;
}
