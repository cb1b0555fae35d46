/* Two conns of ours, wired to each other in memory: what the schedules of
 * test_wired.c are made of. Messages are told by their number and length, and
 * checked as they arrive. */
#ifndef PAIR_H
#define PAIR_H

#include <caws.h>

#define PAIR_MESSAGES 400 /* the most that one end sends */
#define PAIR_LARGEST 40000

struct sent {
    caws_type type;
    size_t len;
};

struct end {
    caws_conn *ws;
    struct end *other;
    caws_config cfg;
    caws_transport transport;
    unsigned char *wire;        /* bytes on their way to the other end */
    size_t wire_len, wire_cap;
    struct sent sent[PAIR_MESSAGES];
    size_t count, received;     /* messages sent; of the other's, received */
    struct sent part;           /* the fragmented message under way: */
    size_t part_at;
    bool parted;
    char *chunks;               /* of one that is streamed to us */
    size_t chunks_len;
    caws_close_event event;
    unsigned opened, closed, errors;
    uint16_t code;              /* we called caws_close with it; 0: we did not */
    bool undecided, shut, ended;
};

/* The one source of chance, and the one clock. */
extern uint64_t pair_random, pair_now;
size_t draw(size_t below);
bool one_in(size_t n);

/* ends[0] is the client. */
void pair_new(struct end *ends);
void pair_free(struct end *ends);

/* Send a message, or begin a fragmented one; send a fragment of that. */
void pair_send(struct end *e);
void pair_send_part(struct end *e);
/* CAWS_OK; else it must have been CAWS_ERR_FULL. */
bool pair_accepted(int result);

/* Some output goes onto the wire; some of what is there arrives. */
void pair_take_output(struct end *e);
void pair_deliver(struct end *from);
/* What the owner of a conn owes it at every step: ticks, and the transport's
 * end. */
void pair_serve(struct end *e);

#endif
