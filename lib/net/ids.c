#include "net/ids.h"

#include "net/memory.h"

static bool ids_has_left(uint64_t entry)
{
    return entry & 1; /* no number is kept at an odd address */
}

static const uint64_t *ids_who(uint64_t entry)
{
    return ids_has_left(entry) ? NULL : (const uint64_t *)(uintptr_t)entry;
}

static uint64_t ids_number(uint64_t entry)
{
    return ids_has_left(entry) ? entry >> 1 : *ids_who(entry);
}

static int ids_grow(struct caws__ids *ids, const caws_alloc *alloc)
{
    uint64_t *entries = caws__memory_more(alloc, ids->entries, &ids->cap,
                                          sizeof *entries);

    if (!entries)
        return CAWS_ERR_NOMEM;
    ids->entries = entries;
    return CAWS_OK;
}

int caws__ids_add(struct caws__ids *ids, const caws_alloc *alloc,
                  const uint64_t *id)
{
    if (ids->end == ids->cap && ids_grow(ids, alloc) < 0)
        return CAWS_ERR_NOMEM;
    ids->entries[ids->end++] = (uintptr_t)id;
    ids->len++;
    return CAWS_OK;
}

/* Where id is, or, if it is nowhere, where it would be. */
static size_t ids_place(const struct caws__ids *ids, uint64_t id)
{
    size_t low = ids->begin, high = ids->end;

    while (low < high) {
        size_t middle = low + (high - low) / 2;

        if (ids_number(ids->entries[middle]) < id)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

/* Whose number stands there, if it is this one. */
static const uint64_t *ids_at(const struct caws__ids *ids, size_t at,
                              uint64_t id)
{
    if (at == ids->end || ids_number(ids->entries[at]) != id)
        return NULL;
    return ids_who(ids->entries[at]);
}

const uint64_t *caws__ids_find(const struct caws__ids *ids, uint64_t id)
{
    return ids_at(ids, ids_place(ids, id), id);
}

const uint64_t *caws__ids_next(const struct caws__ids *ids, size_t *at)
{
    const uint64_t *id = NULL;

    if (*at < ids->begin)
        *at = ids->begin;
    while (!id && *at < ids->end)
        id = ids_who(ids->entries[(*at)++]);
    return id;
}

static void ids_close_gaps(struct caws__ids *ids)
{
    size_t end = 0;

    for (size_t i = ids->begin; i < ids->end; i++)
        if (!ids_has_left(ids->entries[i]))
            ids->entries[end++] = ids->entries[i];
    ids->begin = 0;
    ids->end = end;
}

/* Those who have left are swept out once they are the greater part. */
void caws__ids_remove(struct caws__ids *ids, uint64_t id)
{
    size_t at = ids_place(ids, id);

    if (!ids_at(ids, at, id))
        return;
    ids->entries[at] = id << 1 | 1;
    ids->len--;
    while (ids->begin < ids->end && ids_has_left(ids->entries[ids->begin]))
        ids->begin++;
    if (ids->len < ids->end / 2)
        ids_close_gaps(ids);
}

void caws__ids_free(struct caws__ids *ids, const caws_alloc *alloc)
{
    if (ids->entries)
        caws__memory(alloc, ids->entries, ids->cap * sizeof *ids->entries, 0);
    *ids = (struct caws__ids){ 0 };
}
