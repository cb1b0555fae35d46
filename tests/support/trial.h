/* A trial: an application that goes through a scenario while its allocator
 * fails, and remembers what it was told. */
#ifndef TRIAL_H
#define TRIAL_H

#include "peer.h"

struct trial {
    struct peer p;
    struct peer_alloc counting;
    caws_config cfg;
    bool client;           /* which role to take, where both can be */
    unsigned nomem;        /* calls that said so */
    bool sending;          /* a fragmented message is unfinished */
    bool put_off;          /* on_request said CAWS_LATER, or let it in */
    bool dropped;          /* caws_discard: what leaves is not what was sent */
    unsigned char *sent;   /* the frames that calls have said are queued */
    size_t sent_len, sent_cap;
};

/* Run the scenario with the n-th allocation failing, for every n, once and
 * from then on, and see that all is as it must be. Returns how many runs met a
 * failure. */
unsigned long trial_all(const char *name, void (*scenario)(struct trial *t),
                        bool client);

/* Says which trial failed, if one did. */
int trial_teardown(void **state);

struct trial *trial_of(caws_conn *ws);
/* Is there a conn? It knows its trial now. */
bool trial_born(struct trial *t);
/* Notes CAWS_ERR_NOMEM. Was it CAWS_OK? */
bool trial_ok(struct trial *t, int result);

/* Sends that check that a failed one has left the conn as it was. */
void trial_send(struct trial *t, const void *data, size_t len);
void trial_send_part(struct trial *t, const char *text, bool fin);
void trial_send_prepared(struct trial *t, const void *data, size_t len);

/* Feed a frame byte by byte. */
void trial_feed(struct trial *t, unsigned first, const char *payload, size_t len);

/* At least need bytes at bytes, of which there were *cap. */
unsigned char *trial_room(unsigned char *bytes, size_t *cap, size_t need);

#endif
