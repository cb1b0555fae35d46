/* What the tests use of POSIX and Windows' C library lacks. Put in front of
 * every file of a mingw build; lib/protocol does without. */
#ifndef PLATFORMS_MINGW_H
#define PLATFORMS_MINGW_H

#include <stddef.h>
#include <stdio.h>
#include <string.h>

/* The format of printf here is that of C, not that of msvcrt. */
#define __printf__ __gnu_printf__

static inline void *memmem(const void *in, size_t n, const void *what, size_t len)
{
    const char *at = in;
    for (; n >= len; at++, n--)
        if (memcmp(at, what, len) == 0)
            return (void *)(size_t)at;
    return NULL;
}

static inline char *stpcpy(char *to, const char *from)
{
    size_t len = strlen(from);
    memcpy(to, from, len + 1);
    return to + len;
}

#endif
