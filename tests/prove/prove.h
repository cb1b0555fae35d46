/* For the drivers that Frama-C's Eva analyses. Eva runs a driver's main on all
 * values at once: what is unknown below stands for every value that it may
 * have. Lengths are tried one by one, so that a block has exactly the bytes
 * that the code was told of, and one byte too far is an alarm. */
#ifndef PROVE_H
#define PROVE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "__fc_builtin.h"

/* n bytes, each of them anything. */
static inline void *unknown(size_t n)
{
    char *block = malloc(n);
    if (n > 0)
        Frama_C_make_unknown(block, n);
    return block;
}

/* The same, but Eva learns nothing about a byte from looking at it, as the
 * block may be either of two: it has fewer states to carry. */
static inline void *unknown_forgotten(size_t n)
{
    return Frama_C_nondet_ptr(unknown(n), unknown(n));
}

static inline bool unknown_bool(void)
{
    return Frama_C_interval(0, 1);
}

#endif
