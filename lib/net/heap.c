#include "net/heap.h"

#include "net/memory.h"

static bool heap_before(const struct caws__heap_entry *a,
                        const struct caws__heap_entry *b)
{
    return a->due != b->due ? a->due < b->due : a->turn < b->turn;
}

static void heap_put(struct caws__heap *heap, size_t at,
                     struct caws__heap_entry entry)
{
    heap->entries[at] = entry;
    *entry.slot = at + 1;
}

/* Move the entry at this place up or down to where it belongs. */
static void heap_settle(struct caws__heap *heap, size_t at)
{
    struct caws__heap_entry entry = heap->entries[at];

    while (at > 0 && heap_before(&entry, &heap->entries[(at - 1) / 2])) {
        heap_put(heap, at, heap->entries[(at - 1) / 2]);
        at = (at - 1) / 2;
    }
    for (;;) {
        size_t child = 2 * at + 1;

        if (child + 1 < heap->len &&
            heap_before(&heap->entries[child + 1], &heap->entries[child]))
            child++;
        if (child >= heap->len || !heap_before(&heap->entries[child], &entry))
            break;
        heap_put(heap, at, heap->entries[child]);
        at = child;
    }
    heap_put(heap, at, entry);
}

static int heap_grow(struct caws__heap *heap, const caws_alloc *alloc)
{
    struct caws__heap_entry *entries = caws__memory_more(
        alloc, heap->entries, &heap->cap, sizeof *entries);

    if (!entries)
        return CAWS_ERR_NOMEM;
    heap->entries = entries;
    return CAWS_OK;
}

int caws__heap_set(struct caws__heap *heap, const caws_alloc *alloc,
                   size_t *slot, uint64_t due)
{
    size_t at = *slot;

    if (at == 0) {
        if (heap->len == heap->cap && heap_grow(heap, alloc) < 0)
            return CAWS_ERR_NOMEM;
        at = ++heap->len;
    }
    heap->entries[at - 1] = (struct caws__heap_entry){ .due = due,
                                                       .turn = heap->turns++,
                                                       .slot = slot };
    heap_settle(heap, at - 1);
    return CAWS_OK;
}

void caws__heap_remove(struct caws__heap *heap, size_t *slot)
{
    if (*slot == 0)
        return;
    size_t at = *slot - 1;
    *slot = 0;
    heap->len--;
    if (at == heap->len)
        return;
    heap->entries[at] = heap->entries[heap->len];
    heap_settle(heap, at);
}

void caws__heap_free(struct caws__heap *heap, const caws_alloc *alloc)
{
    if (heap->entries)
        caws__memory(alloc, heap->entries, heap->cap * sizeof *heap->entries,
                     0);
    *heap = (struct caws__heap){ 0 };
}

uint64_t caws__heap_due(const struct caws__heap *heap)
{
    return heap->len ? heap->entries[0].due : CAWS__HEAP_NEVER;
}
