#include "net/random.h"

#include <string.h>

#include "net/sys.h"

#define RANDOM_SIZE 4096
#define RANDOM_MOST 64 /* more than that at once is asked of the system */

/* left is in the page itself, so in a child it is 0, too: there is nothing
 * that parent and child could both hand out. */
struct caws__random {
    size_t left;
    uint8_t bytes[RANDOM_SIZE - sizeof(size_t)];
};

struct caws__random *caws__random_new(void)
{
    return caws__sys_wiped_page(sizeof(struct caws__random));
}

void caws__random_free(struct caws__random *random)
{
    if (!random)
        return;
    explicit_bzero(random, sizeof *random);
    caws__sys_unmap(random, sizeof *random);
}

int caws__random_take(void *ctx, void *out, size_t len)
{
    struct caws__random *random = ctx;

    if (!random || len > RANDOM_MOST)
        return caws_entropy(NULL, out, len);
    if (random->left < len) {
        random->left = 0;
        if (caws_entropy(NULL, random->bytes, sizeof random->bytes) != CAWS_OK)
            return CAWS_ERR_RANDOM;
        random->left = sizeof random->bytes;
    }
    random->left -= len;
    memcpy(out, random->bytes + random->left, len);
    explicit_bzero(random->bytes + random->left, len);
    return CAWS_OK;
}
