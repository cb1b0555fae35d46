/* Messages of 0 to 3 bytes, and of all the lengths about which the padding
 * changes, of one block to three.
 * files: sha1 */
#include "prove.h"

#include "protocol/sha1.h"

static void hash(size_t len)
{
    void *data = unknown(len);
    uint8_t *out = malloc(20);
    caws__sha1(data, len, out);
    //@ assert \initialized(out + (0 .. 19));
    free(out);
    free(data);
}

int main(void)
{
    for (size_t len = 0; len <= 3; len++)
        hash(len);
    for (size_t block = 0; block <= 64; block += 64)
        for (size_t len = 54; len <= 65; len++)
            hash(block + len);
    return 0;
}
