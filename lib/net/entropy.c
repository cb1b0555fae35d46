#include <caws_net.h>

#include "net/sys.h"

int caws_entropy(void *unused, void *out, size_t len)
{
    uint8_t *at = out;

    (void)unused;
    while (len > 0) { /* more than 256 bytes may come in pieces */
        ssize_t n = caws__sys_getrandom(at, len);

        if (n <= 0)
            return CAWS_ERR_RANDOM;
        at += n;
        len -= (size_t)n;
    }
    return CAWS_OK;
}
