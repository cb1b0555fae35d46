/* A world of connections, all of it made from one seed: see README.md. There is
 * one world at a time, and it is global, as a world should be. */
#ifndef SIM_H
#define SIM_H

#include <caws.h>
#include <stdio.h>

#define SIM_ENDS 64
#define SIM_NEVER UINT64_MAX
#define SIM_LARGEST 70000u /* bytes of one message */

/* ---- Memory: an account for each conn, and one for prepared messages ----- */

struct account {
    size_t blocks, bytes;
    uint64_t calls, failed;   /* allocations, and those that were refused */
    unsigned fail_one_in;     /* 0: none fails */
};
caws_alloc account_alloc(struct account *a);

/* ---- Network: one direction of a transport ------------------------------- */

#define PIPE_SEGMENTS 16
struct pipe {
    uint8_t *bytes;           /* on their way: len of them, from start on */
    size_t start, len, cap;
    struct segment { uint64_t arrives; size_t len; } segments[PIPE_SEGMENTS];
    size_t count;
    size_t room;              /* the most that may be on their way */
    uint64_t latency, jitter; /* ms */
    uint64_t stalled;         /* nothing arrives before */
    bool ended;               /* the end follows the bytes */
    uint64_t end_arrives;
    bool cut;                 /* what is written now is lost */
};

/* ---- The wire: an observer of one direction's bytes ---------------------- */

struct end;
struct wire {
    enum { WIRE_HEAD, WIRE_FRAMES, WIRE_BODY } stage;
    struct end *sender;
    /* NULL where nobody is interested. data: payload of data frames, as it is
     * on the wire, from offset at of the frame. */
    void (*frame)(struct wire *w);
    void (*data)(struct wire *w, const uint8_t *p, size_t n, uint64_t at);
    void (*control)(struct wire *w, unsigned opcode, const uint8_t *p, size_t n);
    unsigned head_at, newlines, status;
    uint8_t header[14];
    size_t have;
    uint8_t key[4];
    unsigned opcode;
    bool fin, masked, in_frame, continuing;
    uint64_t len, at;         /* of the frame's payload */
    uint8_t small[125];       /* a control frame's */
    uint64_t since;           /* when what is unfinished began */
    uint64_t since_paused;    /* and how long its end had been paused then */
    /* How much has been seen. */
    uint32_t frames, messages, pings, pongs, closes;
    uint64_t payload, data_bytes;
    uint16_t close_code;
    uint8_t close[125];
    size_t close_len;
};
void wire_init(struct wire *w, struct end *sender, bool head);
void wire_read(struct wire *w, const uint8_t *p, size_t n);
/* Nothing is unfinished. */
bool wire_is_clean(const struct wire *w);

/* ---- Ends ---------------------------------------------------------------- */

struct message {
    caws_type type;
    uint32_t key;             /* its content follows from this */
    uint32_t len;             /* in the end */
    uint32_t sent;            /* accepted by caws so far */
    uint32_t pieces;
};
struct frame { /* of a message, accepted by caws */
    uint32_t message, from, len;
    bool fin;
};
struct control { /* a Ping or Pong: waits to be seen */
    uint8_t len, bytes[125];
    bool may_vanish;          /* one that came later may have replaced it */
};
struct controls {
    struct control *list;
    size_t first, count, cap;
};

enum told { TOLD_NOTHING, TOLD_REQUEST, TOLD_OPEN, TOLD_ERROR, TOLD_CLOSE };

struct end {
    unsigned number;
    caws_conn *ws;            /* NULL: not born, or freed */
    struct end *peer;
    caws_config cfg;
    caws_transport transport;
    caws_counters counters;
    struct account memory;
    struct pipe out;          /* to the peer */
    bool client;
    bool streams;             /* has on_chunk */
    bool sips;                /* pauses in every handler */
    bool hears_end;           /* of its transport, even in a pause */
    unsigned busy;            /* ms between two acts, about */
    unsigned random_fails;    /* one in so many; 0: never */
    uint64_t random_failed;

    /* What its owner knows. */
    unsigned inside;          /* calls under way that may run handlers */
    unsigned wants;           /* as last looked at */
    uint64_t deadline, tick_at, act_at;
    bool stale;               /* transport.changed was called */
    bool fed_end, shut, over; /* over: the transport is closed */
    bool reset;               /* the network broke the connection */
    size_t largest_feed;

    /* What it sends. */
    struct message *messages;
    size_t message_count, message_cap;
    struct frame *frames;
    size_t frame_count, frame_cap;
    bool streaming;           /* the last message is unfinished */
    uint64_t accepted;        /* bytes of payload, */
    uint64_t accepted_frames; /* and with headers */
    uint32_t longest, most_pieces;
    uint64_t messages_out, bytes_out;
    uint8_t *shown;           /* offered to the transport, not taken yet */
    size_t shown_at, shown_len, shown_cap;
    struct wire offer, wire;  /* what was offered, what the transport took */
    struct controls pings, pongs; /* to be seen on the wire */
    bool above;               /* on_drain is owed */
    bool discarded;
    uint64_t dropped;         /* bytes of frames, by that */
    uint32_t presented;       /* data frames that write_now was shown */
    bool sent_now;            /* the send under way has had bytes taken */
    bool vague;               /* so how much was dropped is not known */
    bool may_ping;            /* a tick may have sent a Ping of caws's own */
    uint32_t may_begin;       /* messages that may begin on the wire */
    bool waited;              /* data waited when the feed began */
    bool mixed;               /* what is held makes that uncertain */
    bool may_drop;            /* so the answer to a Close may have overtaken it */

    /* What it receives. */
    struct wire in;           /* what it was fed */
    uint32_t got;             /* messages delivered */
    uint64_t got_bytes;
    uint32_t chunk_at;
    struct controls in_pings, in_pongs;
    uint64_t controls_heard;

    /* What it was told, and has asked for. */
    enum told told;
    int answer;               /* of on_request */
    bool undecided, owed, paused, aborted;
    bool asked_close;         /* caws_close was the first to end it */
    uint16_t asked_code;
    char asked_reason[128];
    caws_state state;
    int error;
    bool closed;
    caws_close_event event;
    uint64_t calls;           /* of handlers */
    int fate;                 /* how it is to end */

    /* When, in the world's ms. */
    uint64_t starts;          /* its owner looks at it from then on */
    uint64_t began, born, opened, heard, taken, pinged, resumed, closing;
    uint64_t paused_at, paused_ms, heard_paused;
};

/* ---- The world ----------------------------------------------------------- */

/* A fault in a small world: of its allocations while it is busy, the one with
 * this number fails, or it and all that follow. */
struct injection {
    bool on, onwards;
    uint64_t at;              /* 0: none fails, they are only counted */
    uint64_t seen;
};

struct sim {
    bool trace;
    struct injection inject;
    uint64_t seed, chance, now, events, hash;
    enum { SIM_BUSY, SIM_QUIET, SIM_ENDING } phase;
    struct end ends[SIM_ENDS];
    size_t count;
    uint64_t lag;             /* ticks come late by up to so many ms */
    uint64_t weather_at;
    uint64_t calm;            /* weather every so many ms, about; 0: never */
    size_t block;             /* bytes of a conn's one block */
    struct account prepared;
    bool faults;
    uint32_t next_key;
};
extern struct sim sim;

/* Of all worlds so far. */
struct totals {
    uint64_t ends, messages, no_memory, no_randomness;
};
extern struct totals totals;

/* Chance. Never two draws in one expression: their order would be open. */
uint64_t draw(uint64_t below);
bool one_in(uint64_t n);
uint32_t pick(const uint32_t *of, size_t count);
#define PICK(array) pick(array, sizeof(array) / sizeof *(array))

/* Something happens: into the hash of the trace, and the list of last events. */
void note(const struct end *e, const char *what, uint64_t a, uint64_t b);
/* An invariant is broken. Does not return. */
#if defined(__GNUC__)
__attribute__((noreturn, format(printf, 2, 3)))
#endif
void broken(const struct end *e, const char *format, ...);
void show_last_events(void);
/* broken() is in main.c: it says so and jumps out of the world. */

void world_run(uint64_t seed);
void world_free(void);

/* setup.c: who lives in it. */
void setup_world(void);
void setup_end_phase(struct end *e);

/* service.c: the owner of a conn's bytes, an event loop for one. */
void look(struct end *e);
uint64_t service_due(const struct end *e);
void service(struct end *e);
void service_tick(struct end *e);
void service_free(struct end *e);

/* network.c */
bool pipe_arrived(const struct pipe *p);
uint64_t pipe_due(const struct pipe *p);
size_t pipe_ready(const struct pipe *p);
void pipe_write(struct pipe *p, const void *data, size_t n);
void pipe_read(struct pipe *p, void *to, size_t n);
size_t pipe_room(const struct pipe *p);
void pipe_end(struct pipe *p);
void pipe_free(struct pipe *p);
void network_reset(struct end *e);
void network_vary(struct pipe *p);
void network_heal(struct pipe *p);
void network_weather(void);

/* messages.c */
void message_fill(const struct message *m, uint32_t from, uint8_t *to, size_t n);
/* Is that its content? key: masked with it, from the payload's byte at on. */
bool message_is(const struct message *m, uint32_t from, const uint8_t *p, size_t n,
                const uint8_t *key, uint64_t at);
struct message *message_new(struct end *e, caws_type type, uint32_t key, uint32_t len);
void frame_push(struct end *e, uint32_t len, bool fin);
void frame_pop(struct end *e);
uint64_t frame_size(const struct end *e, uint64_t len);
void controls_push(struct controls *c, const void *bytes, size_t len);
struct control *controls_first(struct controls *c);
void controls_pop(struct controls *c);
void *grown(void *list, size_t *cap, size_t need, size_t size);

/* actor.c, sending.c: what applications do. */
void act(struct end *e);
void act_in_handler(struct end *e);
void act_send(struct end *e);
void act_prepared(struct end *e);
void act_stream(struct end *e, bool finish);
void act_pause(struct end *e);
void act_resume(struct end *e);
void act_close(struct end *e, uint16_t code, const char *reason);
void called(struct end *e);

/* handlers.c */
void handlers_set(caws_config *cfg, bool streams);

/* check.c, expect.c: the invariants. */
void check_end(struct end *e);
void check_deadline(const struct end *e);
void check_taken(struct end *e, const uint8_t *p, size_t n);
void check_wire(struct end *e);
void check_dropped(struct end *e);
void check_delivered(const struct end *e);
void check_idle(const struct end *e);
void check_farewell(const struct end *e);
void check_error(const struct end *e, int error);
void check_close(struct end *e, const caws_close_event *event);
bool check_patience(const struct end *e);
void check_ping_time(struct end *e);
void heard(struct end *e);
uint64_t later(uint64_t a, uint64_t b);
uint64_t queued(const struct end *e);
uint32_t frames_begun(const struct end *e);
uint32_t messages_begun(const struct end *e);
uint64_t max_buffered(const struct end *e);
uint32_t limit(uint32_t value, uint32_t fallback);
uint64_t paused_for(const struct end *e);

#endif
