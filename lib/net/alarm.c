#include "net/alarm.h"

#include "net/memory.h"

/* How long after alarms->now. Halves that have wrapped do not matter. */
static uint32_t alarm_wait(const struct caws__alarms *alarms,
                           const struct caws__alarm *alarm)
{
    return alarm->due - (uint32_t)alarms->now;
}

static bool alarm_before(const struct caws__alarms *alarms,
                         const struct caws__alarm *a,
                         const struct caws__alarm *b)
{
    return alarm_wait(alarms, a) < alarm_wait(alarms, b);
}

static void alarm_put(struct caws__alarms *alarms, size_t at,
                      struct caws__alarm *alarm)
{
    alarms->entries[at] = alarm;
    alarm->place = (uint32_t)at + 1;
}

/* Move the one at this place up or down to where it belongs. */
static void alarm_settle(struct caws__alarms *alarms, size_t at)
{
    struct caws__alarm *alarm = alarms->entries[at];
    struct caws__alarm **all = alarms->entries;

    while (at > 0 && alarm_before(alarms, alarm, all[(at - 1) / 2])) {
        alarm_put(alarms, at, all[(at - 1) / 2]);
        at = (at - 1) / 2;
    }
    for (;;) {
        size_t child = 2 * at + 1;

        if (child + 1 < alarms->len &&
            alarm_before(alarms, all[child + 1], all[child]))
            child++;
        if (child >= alarms->len || !alarm_before(alarms, all[child], alarm))
            break;
        alarm_put(alarms, at, all[child]);
        at = child;
    }
    alarm_put(alarms, at, alarm);
}

static void alarm_unset(struct caws__alarms *alarms, struct caws__alarm *alarm)
{
    size_t at = alarm->place;

    if (at == 0)
        return;
    alarm->place = 0;
    alarms->len--;
    if (at - 1 == alarms->len)
        return;
    alarms->entries[at - 1] = alarms->entries[alarms->len];
    alarm_settle(alarms, at - 1);
}

static int alarm_grow(struct caws__alarms *alarms, const caws_alloc *alloc)
{
    struct caws__alarm **entries = caws__memory_more(
        alloc, alarms->entries, &alarms->cap, sizeof *entries);

    if (!entries)
        return CAWS_ERR_NOMEM;
    alarms->entries = entries;
    return CAWS_OK;
}

int caws__alarms_join(struct caws__alarms *alarms, const caws_alloc *alloc)
{
    if (alarms->users == alarms->cap && alarm_grow(alarms, alloc) < 0)
        return CAWS_ERR_NOMEM;
    alarms->users++;
    return CAWS_OK;
}

void caws__alarms_leave(struct caws__alarms *alarms, struct caws__alarm *alarm)
{
    alarm_unset(alarms, alarm);
    alarms->users--;
}

void caws__alarms_free(struct caws__alarms *alarms, const caws_alloc *alloc)
{
    if (alarms->entries)
        caws__memory(alloc, alarms->entries,
                     alarms->cap * sizeof *alarms->entries, 0);
    *alarms = (struct caws__alarms){ 0 };
}

void caws__alarms_set(struct caws__alarms *alarms, struct caws__alarm *alarm,
                      uint64_t due)
{
    uint64_t wait = due > alarms->now ? due - alarms->now : 0;

    if (due == CAWS__ALARM_NEVER) {
        alarm_unset(alarms, alarm);
        return;
    }
    if (wait > UINT32_MAX)
        wait = UINT32_MAX;
    alarm->due = (uint32_t)(alarms->now + wait);
    if (alarm->place == 0)
        alarm_put(alarms, alarms->len++, alarm);
    alarm_settle(alarms, alarm->place - 1);
}

uint64_t caws__alarms_due(const struct caws__alarms *alarms,
                          const struct caws__alarm *alarm)
{
    return alarm->place == 0 ? CAWS__ALARM_NEVER
                             : alarms->now + alarm_wait(alarms, alarm);
}

uint64_t caws__alarms_next(const struct caws__alarms *alarms)
{
    return alarms->len == 0 ? CAWS__ALARM_NEVER
                            : caws__alarms_due(alarms, alarms->entries[0]);
}

struct caws__alarm *caws__alarms_take(struct caws__alarms *alarms,
                                      uint64_t now_ms)
{
    struct caws__alarm *alarm;

    if (caws__alarms_next(alarms) > now_ms) {
        if (now_ms > alarms->now)
            alarms->now = now_ms; /* all that are set are due later */
        return NULL;
    }
    alarm = alarms->entries[0];
    alarm_unset(alarms, alarm);
    return alarm;
}
