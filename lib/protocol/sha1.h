/* SHA-1 (RFC 3174), for the accept key alone: nothing rests on its resistance
 * to collisions (RFC 6455 section 10.8). */
#ifndef CAWS__SHA1_H
#define CAWS__SHA1_H

#include <stddef.h>
#include <stdint.h>

void caws__sha1(const void *data, size_t len, uint8_t out[20]);

#endif
