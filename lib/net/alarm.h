/* The moment at which a link is to be looked at, soonest first: a heap, 16
 * bytes for each. A moment further than 49 days is brought forward to that:
 * whoever is looked at too early sees it, and sets his alarm again. */
#ifndef CAWS__ALARM_H
#define CAWS__ALARM_H

#include <caws_net.h>

#define CAWS__ALARM_NEVER UINT64_MAX

/* Whoever waits keeps one, all zero at first, and its place is his name. */
struct caws__alarm {
    uint32_t due;   /* the low half of the moment */
    uint32_t place; /* in the heap, from 1 on; 0 while it is not set */
};

struct caws__alarms {
    struct caws__alarm **entries;
    size_t len, cap;
    size_t users;   /* who may set one */
    uint64_t now;   /* none is due before this, nor 2^32 ms later or more */
};

/* One more user, and one less: with room for all, setting cannot fail. CAWS_OK
 * or CAWS_ERR_NOMEM. */
int caws__alarms_join(struct caws__alarms *alarms, const caws_alloc *alloc);
void caws__alarms_leave(struct caws__alarms *alarms,
                        struct caws__alarm *alarm);
void caws__alarms_free(struct caws__alarms *alarms, const caws_alloc *alloc);

/* Also anew, to another moment. */
void caws__alarms_set(struct caws__alarms *alarms, struct caws__alarm *alarm,
                      uint64_t due);

/* When it is due; CAWS__ALARM_NEVER if it is not set. */
uint64_t caws__alarms_due(const struct caws__alarms *alarms,
                          const struct caws__alarm *alarm);
/* The soonest of all. */
uint64_t caws__alarms_next(const struct caws__alarms *alarms);

/* It is now_ms. One that is due, and now is not set any more; or NULL, and
 * none is due until now_ms has passed. */
struct caws__alarm *caws__alarms_take(struct caws__alarms *alarms,
                                      uint64_t now_ms);

#endif
