/* Base64 (RFC 4648 section 4). */
#ifndef CAWS__BASE64_H
#define CAWS__BASE64_H

#include <stdbool.h>
#include <stddef.h>

/* Writes 4 characters for every 3 bytes begun, and a NUL. Returns how many
 * characters, the NUL not counted. */
size_t caws__base64_encode(const void *data, size_t len, char *out);

/* Does text decode to exactly so many bytes? The pad bits may be anything:
 * RFC 6455's own example of a key has some set (erratum 3150). */
bool caws__base64_is(const char *text, size_t len, size_t bytes);

#endif
