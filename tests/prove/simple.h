/* Goes in front of each file that Eva analyses: simple.c instead of some of
 * the C library. */
#include <stdlib.h>
#include <string.h>

void *simple_memchr(const void *data, int c, size_t n);
int simple_memcmp(const void *a, const void *b, size_t n);
char *simple_strchr(const char *s, int c);
size_t simple_strlen(const char *s);
size_t simple_strcspn(const char *s, const char *ends);
int simple_strncmp(const char *a, const char *b, size_t n);

#define memchr simple_memchr
#define memcmp simple_memcmp
#define strchr simple_strchr
#define strlen simple_strlen
#define strcspn simple_strcspn
#define strncmp simple_strncmp
