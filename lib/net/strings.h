/* Configs are copied, and their strings with them. */
#ifndef CAWS__STRINGS_H
#define CAWS__STRINGS_H

#include <caws_net.h>

struct caws__strings {
    char *block; /* of all of them; NULL: none */
    size_t size;
};

/* Point each of the fields that is not NULL at a copy of what it points at.
 * CAWS_OK, or CAWS_ERR_NOMEM, and nothing has changed. */
int caws__strings_copy(struct caws__strings *strings, const caws_alloc *alloc,
                       const char **const *fields, size_t count);
void caws__strings_free(struct caws__strings *strings,
                        const caws_alloc *alloc);

#endif
