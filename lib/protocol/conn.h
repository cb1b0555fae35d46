/* struct caws_conn: the parts above, side by side. */
#ifndef CAWS__CONN_H
#define CAWS__CONN_H

#include <caws.h>
#include "protocol/handshake.h"
#include "protocol/input.h"
#include "protocol/limits.h"
#include "protocol/outbox.h"
#include "protocol/utf8.h"

/* Moments, in the caller's milliseconds. */
struct caws__times {
    uint64_t now;     /* of the last feed or tick                            */
    uint64_t phase;   /* due: CONNECTING the handshake, OPEN the Pong that is
                         waited for, then the end of the closing. OPEN, and
                         not waiting: when the last byte came                */
    uint64_t paused;  /* since; then, when CLOSING: due, the moment past
                         which phase is not put off                          */
    /* The low halves of two more; see caws__clock. */
    uint32_t pinged;  /* our last Ping left                                  */
    uint32_t control; /* last refill of the allowance of Pings and Pongs     */
};

struct caws_conn {
    const caws_config *cfg;
    const caws_transport *transport;
    void *user;
    union {
        struct caws__opening *opening; /* until it is OPEN                */
        char *reason;          /* of the peer's Close, if it has a length */
    };
    char *subprotocol;             /* agreed, or NULL                     */
    struct caws__input *input;     /* what is unfinished, or NULL         */
    struct caws__outbox *out;      /* never NULL; see caws__outbox_none   */
    struct caws__times time;
    struct caws__utf8 sending_utf8;
    uint32_t round_trip;
    uint32_t controls;             /* Pings and Pongs charged             */
    uint16_t close_code;           /* of the peer's Close                 */
    int8_t error;                  /* that failed it                      */
    uint8_t state;                 /* caws_state; see caws__enter         */
    uint8_t ended_by;              /* caws_ended_by                       */
    union {
        uint16_t unplain; /* any of these: see caws__is_plain             */
        struct {
            bool rearm : 1;     /* time.phase starts at the next moment   */
            bool resumed : 1;   /* timers go on from the next moment      */
            bool undecided : 1; /* on_request said CAWS_LATER             */
            bool open_due : 1;  /* on_open is                             */
            bool drain_due : 1; /* on_drain is                            */
            bool eof_due : 1;   /* the end came behind bytes that are held */
            bool paused : 1;
            bool deaf : 1;      /* further input is ignored (7.1.7)       */
            bool eof : 1;       /* the peer sends no more                 */
            bool over : 1;      /* CAWS_WANT_CLOSE                        */
        };
    };
    uint8_t reason_len;      /* 0: there is none                          */
    bool client : 1;
    bool ended : 1;          /* ended_by is known                         */
    bool clocked : 1;        /* the time is known                         */
    bool asking : 1;         /* inside on_request                         */
    bool owed : 1;           /* on_close is owed                          */
    bool reported : 1;       /* CLOSED, and on_close called if owed       */
    bool above : 1;          /* the queue rose above half, or was full    */
    bool sending : 1;        /* a fragmented message of ours is unfinished */
    bool sending_text : 1;
    bool discarded : 1;      /* only a Close may be sent now              */
    bool waited : 1;         /* data waited when this feed began          */
    bool pinging : 1;        /* a Ping of ours waits for any byte         */
    bool measuring : 1;      /* one that left waits for its Pong          */
    bool ping_left : 1;      /* since the last feed or tick               */
    bool close_sent : 1;     /* our Close is queued                       */
    bool close_left : 1;     /* the transport has taken it                */
    bool close_received : 1;
    bool untold : 1;         /* on_error is owed                          */
};

_Static_assert(offsetof(struct caws_conn, reason_len) ==
                   offsetof(struct caws_conn, unplain) + sizeof(uint16_t),
               "there are more bits than unplain has");

/* OPEN, with nothing unfinished and nothing put off: most questions are asked
 * of such a conn, and answered at once, with 20 instructions and not 45. */
static inline bool caws__is_plain(const struct caws_conn *ws)
{
    return ws->state == CAWS_OPEN && !ws->input && !ws->unplain;
}

/* Bytes that wait to be used. */
static inline size_t caws__held(const struct caws_conn *ws)
{
    return ws->input ? ws->input->held.len - ws->input->held_used : 0;
}

static inline const caws_alloc *caws__alloc(const struct caws_conn *ws)
{
    return &ws->cfg->alloc;
}

#endif
