/* The target wired's two conns: what they send to each other is checked as it
 * arrives, and no error may be reported. */
#ifndef WIRE_H
#define WIRE_H

#include <caws.h>

#include "fuzz.h"

#define MESSAGES 64 /* the most that one end sends */

struct sent {
    caws_type type;
    size_t len;
    bool whole; /* all its fragments were sent */
};

struct end {
    caws_conn *ws;
    caws_config cfg;
    struct end *other;
    struct bytes wire;       /* on its way to the other end */
    size_t arrived;          /* of the wire */
    struct sent sent[MESSAGES];
    size_t count, received;
    bool parted;             /* the last of sent is unfinished */
    struct bytes chunks;     /* of the message that is streamed to us */
    uint8_t pings, pinged, ponged; /* sent; seen by the other; answered to us */
    unsigned opened, closed;
    bool pause_next, undecided, eof;
    uint16_t code;           /* caws_close was called with it; 0: it was not */
    caws_close_event event;
};
extern struct end ends[2];   /* the client and the server */
extern uint64_t now;

void wire_begin(struct input *in);
/* Part of a message: told by its sender, number and place. free() it. */
uint8_t *wire_content(const struct end *from, size_t number, size_t at, size_t len);

/* Output goes onto the wire; what is there arrives; what the owner of a conn
 * owes it. */
void wire_take_output(struct end *e, struct input *in);
void wire_deliver(struct end *from, struct input *in);
void wire_serve(struct end *e);
/* No choices any more: until nothing moves. */
void wire_settle(void);

#endif
