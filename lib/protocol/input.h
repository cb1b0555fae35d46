/* What has come and is not finished: a frame, a message, bytes that may not be
 * used yet. Nearly always that is nothing, and then it is not there at all, so
 * that an idle conn does not pay for it. */
#ifndef CAWS__INPUT_H
#define CAWS__INPUT_H

#include <caws.h>
#include "protocol/buffer.h"
#include "protocol/frame.h"
#include "protocol/message.h"

#define CAWS__NEVER UINT64_MAX

/* The frame under way: a header is collected, then decoded at once; its
 * payload is counted down. */
struct caws__reader {
    uint64_t left;                  /* bytes of payload still to come      */
    struct caws__buffer control;    /* a control frame's, if it was split  */
    uint8_t spill[CAWS__HEADER_MAX];/* a header's, if it was split         */
    uint8_t spilled;
    uint8_t key[4];
    uint8_t phase;                  /* payload bytes so far, modulo 4      */
    uint8_t opcode;
    bool fin;
    bool in_payload;
};

struct caws__input {
    struct caws__reader frame;
    struct caws__message message;
    uint64_t due;             /* message_timeout_ms, of a frame or message */
    struct caws__buffer held; /* received while paused or undecided,       */
    size_t held_used;         /* and how much of that has been used        */
};

static inline void caws__input_init(struct caws__input *input)
{
    *input = (struct caws__input){ .due = CAWS__NEVER };
}

/* Is a message, or a frame of any kind, under way? */
static inline bool caws__input_is_within(const struct caws__input *input)
{
    return input->frame.spilled > 0 || input->frame.in_payload ||
           input->message.fragments > 0;
}

/* A copy of what lies elsewhere, whose buffers it takes over; NULL for want of
 * memory. */
struct caws__input *caws__input_new(const struct caws__input *from,
                                    const caws_alloc *alloc);
/* The buffers alone. */
void caws__input_clear(struct caws__input *input, const caws_alloc *alloc);
/* All of it; NULL is allowed. */
void caws__input_free(struct caws__input *input, const caws_alloc *alloc);

#endif
