#include "net/strings.h"

#include <string.h>

#include "net/memory.h"

int caws__strings_copy(struct caws__strings *strings, const caws_alloc *alloc,
                       const char **const *fields, size_t count)
{
    size_t size = 1;

    for (size_t i = 0; i < count; i++)
        size += *fields[i] ? strlen(*fields[i]) + 1 : 0;
    char *to = caws__memory(alloc, NULL, 0, size);
    if (!to)
        return CAWS_ERR_NOMEM;
    *strings = (struct caws__strings){ to, size };
    for (size_t i = 0; i < count; i++)
        if (*fields[i]) {
            size_t len = strlen(*fields[i]) + 1;

            *fields[i] = memcpy(to, *fields[i], len);
            to += len;
        }
    return CAWS_OK;
}

void caws__strings_free(struct caws__strings *strings, const caws_alloc *alloc)
{
    if (strings->block)
        caws__memory(alloc, strings->block, strings->size, 0);
    *strings = (struct caws__strings){ NULL, 0 };
}
