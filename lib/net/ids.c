#include "net/ids.h"

#include "net/memory.h"

/* Fibonacci hashing: numbers that follow each other are spread. */
static size_t ids_home(const struct caws__ids *ids, uint64_t id)
{
    return (size_t)((id * 0x9E3779B97F4A7C15u) >> 32) & (ids->cap - 1);
}

/* Where id is, or the free place where it would be. */
static size_t ids_place(const struct caws__ids *ids, uint64_t id)
{
    size_t at = ids_home(ids, id);

    while (ids->entries[at].id != 0 && ids->entries[at].id != id)
        at = (at + 1) & (ids->cap - 1);
    return at;
}

static int ids_grow(struct caws__ids *ids, const caws_alloc *alloc)
{
    struct caws__ids old = *ids;
    size_t cap = old.cap ? old.cap * 2 : 16;
    struct caws__ids_entry *entries =
        caws__memory(alloc, NULL, 0, cap * sizeof *entries);

    if (!entries)
        return CAWS_ERR_NOMEM;
    for (size_t i = 0; i < cap; i++)
        entries[i] = (struct caws__ids_entry){ 0, NULL };
    ids->entries = entries;
    ids->cap = cap;
    for (size_t i = 0; i < old.cap; i++)
        if (old.entries[i].id)
            entries[ids_place(ids, old.entries[i].id)] = old.entries[i];
    if (old.entries)
        caws__memory(alloc, old.entries, old.cap * sizeof *entries, 0);
    return CAWS_OK;
}

uint64_t caws__ids_add(struct caws__ids *ids, const caws_alloc *alloc,
                       void *item)
{
    if (ids->len >= ids->cap / 2 && ids_grow(ids, alloc) < 0)
        return 0;
    uint64_t id = ++ids->last;
    ids->len++;
    ids->entries[ids_place(ids, id)] = (struct caws__ids_entry){ id, item };
    return id;
}

void *caws__ids_find(const struct caws__ids *ids, uint64_t id)
{
    if (ids->cap == 0 || id == 0)
        return NULL;
    return ids->entries[ids_place(ids, id)].item;
}

void caws__ids_remove(struct caws__ids *ids, uint64_t id)
{
    if (!caws__ids_find(ids, id))
        return;
    size_t mask = ids->cap - 1;
    size_t hole = ids_place(ids, id);

    ids->len--;
    /* Move up whoever the hole would cut off from his home. */
    for (size_t at = (hole + 1) & mask; ids->entries[at].id;
         at = (at + 1) & mask) {
        size_t home = ids_home(ids, ids->entries[at].id);

        if (((at - home) & mask) < ((at - hole) & mask))
            continue;
        ids->entries[hole] = ids->entries[at];
        hole = at;
    }
    ids->entries[hole] = (struct caws__ids_entry){ 0, NULL };
}

void caws__ids_free(struct caws__ids *ids, const caws_alloc *alloc)
{
    if (ids->entries)
        caws__memory(alloc, ids->entries, ids->cap * sizeof *ids->entries, 0);
    *ids = (struct caws__ids){ 0 };
}
