/* The life of a connection, and above all its end, as two endpoints go through
 * it (RFC 6455 sections 1.4, 5.5.1 and 7; lib/protocol): a client that leaves
 * the TCP close to the server, and a server that shuts down its sending side
 * and drains. "make model" has spin look at every interleaving.
 *
 * Between them there is one bounded channel in each direction that keeps the
 * order, may spoil a frame, and can die at any moment: with a reset, with an
 * end in one direction, or in silence. Timeouts may fire at any moment. Both
 * applications send, close and abort when they like; and as a connection on
 * which nobody ever closes stays open, the client's does one or the other some
 * time.
 *
 * Left out: pauses (while one lasts, an end is put off for good reason), and
 * how a message is cut into frames.
 *
 * Each change of the ready state is an edge(conn, from, event, to) and each
 * event that changes nothing a stay(conn, state, event); the _c and _s forms
 * are of the client and the server alone. test_model_edges.c reads these lines
 * and holds them against the code: so each stands on a line of its own. */

#define CONNECTING 0
#define OPEN       1
#define CLOSING    2
#define CLOSED     3

#define CLIENT 0
#define SERVER 1
#define other(x) (1 - x)

#define edge(x, from, event, to)   c[x].state == from -> c[x].state = to
#define edge_c(x, from, event, to) x == CLIENT && c[x].state == from -> c[x].state = to
#define edge_s(x, from, event, to) x == SERVER && c[x].state == from -> c[x].state = to
#define stay(x, where, event)      c[x].state == where
#define stay_s(x, where, event)    x == SERVER && c[x].state == where

/* DATA stands for a message, a Ping or a Pong; what breaks a rule is BAD. */
mtype = { REQUEST, RESPONSE, REFUSAL, DATA, BAD, CLOSE, END };

/* The fields of struct caws_conn. */
typedef conn {
    byte state;
    mtype head;          /* queued: the HTTP head; then                      */
    bool data;           /* a frame, and                                     */
    bool close;          /* a Close behind it                                */
    bool undecided;      /* on_request said CAWS_LATER                       */
    bool owed;           /* on_close is owed                                 */
    bool close_left;
    bool close_received;
    bool deaf;           /* further input is ignored                         */
    bool eof;            /* the peer sends no more                           */
    bool over;           /* CAWS_WANT_CLOSE                                  */
    bool on_close;       /* it has been called                               */
    /* Of its transport: */
    bool shut;           /* its sending side                                 */
    bool reset;
    bool gone;           /* closed, and the conn freed                       */
    bool silent;         /* nothing reaches it any more                      */
    bool stuck;          /* nor is anything taken from the other one         */
    /* Seen by the model alone: */
    bool said;           /* its last words (Close, refusal) went out whole   */
    bool heard;          /* the other's last words arrived                   */
    bool failed;         /* it does not listen any more; or even             */
    bool rude;           /* gave up, and takes no care of last words         */
};
conn c[2];

#define CAPACITY 2
chan to_client = [CAPACITY + 1] of { mtype }; /* an end always has room */
chan to_server = [CAPACITY + 1] of { mtype };
chan wire[2];
bool spoilt, died;

#define empty_outbox(x) (c[x].head == 0 && !c[x].data && !c[x].close)

/* ---- The end of a conn --------------------------------------------------- */

/* What is queued then never leaves. */
inline set_over(x) {
    c[x].over = true;
    c[x].deaf = true;
    c[x].undecided = false;
    c[x].head = 0;
    c[x].data = false;
    c[x].close = false
}

inline give_up(x) {
    set_over(x);
    c[x].rude = true
}

/* caws__finish: it has just become CLOSED. clean is was_clean. */
#ifdef BUG_CLEAN_BEFORE_IT_LEFT
#define clean(x) (c[x].close_received && (c[x].close_left || c[x].close))
#else
#define clean(x) (c[x].close_received && c[x].close_left)
#endif
inline finish(x) {
    assert(!c[x].on_close); /* it is called once */
    c[x].on_close = c[x].owed;
    assert(!clean(x) || (c[x].close_left && c[other(x)].close_left)); /* both crossed */
    /* If the network and both ends let it, what a server says last arrives, and
     * a Close is answered. */
    assert(x == SERVER || !c[SERVER].said || c[CLIENT].heard || c[CLIENT].failed ||
           died || c[CLIENT].rude || c[SERVER].rude);
    assert(!c[x].close_left || c[x].close_received || c[x].failed || spoilt ||
           died || c[CLIENT].rude || c[SERVER].rude)
}

/* closing_queue: where the Close cannot be built, there is none. */
inline queue_close(x) {
    if
    :: c[x].close = true
    :: give_up(x)
    fi
}

/* caws__end: an orderly end of the peer's. */
inline ended(x) {
    if
    :: edge(x, CONNECTING, end, CLOSED);
       if
       :: x == CLIENT -> set_over(x)
       :: else
       fi;
       finish(x)
    :: edge(x, OPEN, end, CLOSED);
       finish(x)
    :: edge(x, CLOSING, end, CLOSED);
       finish(x)
    :: stay(x, CLOSED, end)
#ifdef BUG_ON_CLOSE_TWICE
       ; finish(x)
#endif
    fi;
    c[x].deaf = true;
    c[x].eof = true;
    if
    :: empty_outbox(x) -> set_over(x)
    :: else
    fi
}

/* The same with an error, which ends all. */
inline was_reset(x) {
    if
    :: edge(x, CONNECTING, reset, CLOSED);
       finish(x)
    :: edge(x, OPEN, reset, CLOSED);
       finish(x)
    :: edge(x, CLOSING, reset, CLOSED);
       finish(x)
    :: stay(x, CLOSED, reset)
    fi;
    set_over(x)
}

/* ---- What the application does ------------------------------------------- */

inline app_close(x) {
    if
    :: edge(x, CONNECTING, close, CLOSING);
       give_up(x)
    :: edge(x, OPEN, close, CLOSING);
       queue_close(x)
    :: stay(x, CLOSING, close)
    :: stay(x, CLOSED, close)
    fi
}

inline app_abort(x) {
    if
    :: edge(x, CONNECTING, abort, CLOSING)
    :: edge(x, OPEN, abort, CLOSING)
    :: stay(x, CLOSING, abort)
    :: stay(x, CLOSED, abort)
    fi;
    give_up(x)
}

inline app_send(x) {
    if
    :: stay(x, CONNECTING, send)
    :: stay(x, OPEN, send);
       c[x].data = true
    :: stay(x, CLOSING, send)
#ifdef BUG_SENDS_AFTER_CLOSE
       ; c[x].data = true
#endif
    :: stay(x, CLOSED, send)
    fi
}

/* ---- What arrives -------------------------------------------------------- */

inline got_request(x) {
    if
    :: edge_s(x, CONNECTING, request_accepted, OPEN);
       c[x].owed = true;
       c[x].head = RESPONSE
    :: edge_s(x, CONNECTING, request_refused, CLOSING);
       c[x].deaf = true;
       c[x].head = REFUSAL
    :: stay_s(x, CONNECTING, request_put_off);
       c[x].owed = true;
       c[x].undecided = true
    fi
}

inline got_response(x) {
    if
    :: edge_c(x, CONNECTING, response, OPEN)
    fi
}

inline got_refusal(x) {
    if
    :: edge_c(x, CONNECTING, refusal, CLOSING);
       c[x].heard = true;
       set_over(x)
    fi
}

inline deliver(x) {
    assert(c[x].state == OPEN) /* nothing is delivered once it is CLOSING */
}

inline got_data(x) {
    if
    :: stay(x, OPEN, data);
       deliver(x)
    :: stay(x, CLOSING, data)
#ifdef BUG_DELIVERS_WHEN_CLOSING
       ; deliver(x)
#endif
    fi
}

/* caws__fail, by a broken rule. After our own Close no other is owed. */
inline got_bad(x) {
    if
    :: edge_s(x, CONNECTING, bad, CLOSING);
       c[x].head = REFUSAL
    :: edge_c(x, CONNECTING, bad, CLOSING);
       give_up(x)
    :: edge(x, OPEN, bad, CLOSING);
       queue_close(x)
    :: stay(x, CLOSING, bad)
    fi;
    c[x].deaf = true;
    c[x].failed = true
}

/* caws__close_received. The answer may overtake messages that wait. */
inline got_close(x) {
    c[x].heard = true;
    c[x].deaf = true;
    c[x].close_received = true;
    if
    :: edge(x, OPEN, close_frame, CLOSING);
       if
       :: c[x].data = false
       :: true
       fi;
#ifndef BUG_NO_ANSWER
       queue_close(x)
#endif
    :: else ->
       if
       :: c[x].close_left ->
          if
          :: edge(x, CLOSING, close_frame_after_ours_left, CLOSED);
             finish(x)
          fi
       :: else ->
          if
          :: stay(x, CLOSING, close_frame_before_ours_left)
          fi
       fi;
#ifdef BUG_ANSWERS_TWICE
       c[x].close = true
#endif
    fi
}

inline receive(x) {
    if
    :: frame == END -> ended(x)
    :: frame != END && c[x].deaf
    :: else ->
       if
       :: frame == REQUEST -> got_request(x)
       :: frame == RESPONSE -> got_response(x)
       :: frame == REFUSAL -> got_refusal(x)
       :: frame == DATA -> got_data(x)
       :: frame == BAD -> got_bad(x)
       :: frame == CLOSE -> got_close(x)
       fi
    fi
}

/* ---- What leaves --------------------------------------------------------- */

/* The transport has taken a Close. */
inline close_has_left(x) {
    assert(!c[x].close_left); /* one Close a side */
    c[x].close_left = true;
    if
    :: c[x].close_received ->
       if
       :: edge(x, CLOSING, ours_left_after_close_frame, CLOSED);
          finish(x)
       :: stay(x, CLOSED, ours_left)
       fi
    :: else ->
       if
       :: stay(x, CLOSING, ours_left_before_close_frame)
       :: stay(x, CLOSED, ours_left)
       fi
    fi
}

inline next_frame(x) {
    if
    :: c[x].head != 0 ->
       frame = c[x].head;
       c[x].head = 0
    :: c[x].head == 0 && c[x].data ->
       frame = DATA;
       c[x].data = false
    :: c[x].head == 0 && !c[x].data && c[x].close ->
       frame = CLOSE;
       c[x].close = false
    fi
}

/* A reset tells the other side, and what it has not read is lost. */
inline send_reset(y) {
    if
    :: c[y].silent
    :: else ->
       c[y].reset = true;
       do
       :: nempty(wire[y]) -> wire[y]?_
       :: empty(wire[y]) -> break
       od
    fi
}

inline transmit(x) {
    assert(!c[x].shut); /* and so nothing follows the Close */
    next_frame(x);
    assert(!c[x].close_left); /* nor before the shutdown */
    last = (frame == CLOSE);
    if
    :: !c[other(x)].gone && !c[other(x)].silent ->
       if
       :: true
       :: !spoilt ->
          spoilt = true;
          frame = BAD
       fi;
       wire[other(x)]!frame;
       c[x].said = (frame == CLOSE || frame == REFUSAL)
    :: else ->
       if
       :: c[other(x)].gone -> send_reset(x)
       :: else
       fi
    fi;
    if
    :: last -> close_has_left(x)
    :: else
    fi
}

/* Closing a TCP connection with something unread resets it. */
inline close_transport(x) {
    if
    :: c[x].reset || c[other(x)].gone || c[other(x)].silent
    :: else ->
       if
       :: nempty(wire[x]) -> send_reset(other(x))
       :: empty(wire[x]) && !c[x].shut -> wire[other(x)]!END
       :: empty(wire[x]) && c[x].shut
       fi
    fi;
    do
    :: nempty(wire[x]) -> wire[x]?_
    :: empty(wire[x]) -> break
    od
}

/* ---- The processes ------------------------------------------------------- */

#define busy(x) (!empty_outbox(x) && !c[x].over && !c[x].shut)
#define room(x) (len(wire[other(x)]) < CAPACITY && !c[other(x)].stuck)

/* Whoever owns the bytes of x: what caws_wants() asks for. */
proctype owner(bit x) {
    mtype frame;
    bool last;
    do
    :: atomic { busy(x) && room(x) && !c[x].reset -> transmit(x); frame = 0; last = false;
       if
       :: c[x].eof && empty_outbox(x) -> set_over(x)
       :: else
       fi }
    :: atomic { nempty(wire[x]) && !c[x].over -> wire[x]?frame; receive(x); frame = 0 }
    :: atomic { c[x].reset && !c[x].over -> was_reset(x) }
    :: atomic { empty_outbox(x) && c[x].deaf && x == SERVER && !c[x].over && !c[x].shut ->
#ifdef BUG_DOES_NOT_DRAIN
       set_over(x)
#else
       c[x].shut = true;
       if
       :: c[other(x)].gone || c[other(x)].silent || c[x].reset
       :: else -> wire[other(x)]!END
       fi
#endif
       }
    :: atomic { c[x].over ->
       close_transport(x);
       if
       :: edge(x, CLOSING, let_go, CLOSED);
          finish(x)
       :: stay(x, CLOSED, let_go)
       fi;
       assert(c[x].on_close == c[x].owed); /* and not left out */
       c[x].gone = true;
       /* None of this matters any more. */
       c[x].owed = false;
       c[x].on_close = false;
       c[x].close_received = false;
       c[x].heard = false;
       c[x].failed = false;
       c[x].eof = false;
       c[x].shut = false;
       c[x].reset = false;
       c[x].silent = false;
       c[x].stuck = false;
       break }
    od
}

/* Timeouts: of the handshake, of a message, of a Ping, of closing. */
proctype clock(bit x) {
    do
    :: atomic { c[x].over -> break }
    :: atomic { !c[x].over ->
       if
#ifndef BUG_NO_HANDSHAKE_TIMEOUT
       :: edge_c(x, CONNECTING, late, CLOSED);
          give_up(x);
          finish(x)
       :: edge_s(x, CONNECTING, late, CLOSING);
          c[x].undecided = false;
          c[x].deaf = true;
          c[x].head = REFUSAL
#endif
       :: !c[x].silent && stay(x, OPEN, not_yet)
       :: !c[x].silent && edge(x, OPEN, late_message, CLOSING);
          queue_close(x);
          c[x].deaf = true;
          c[x].failed = true
#ifndef BUG_NO_PONG_TIMEOUT
       :: edge(x, OPEN, late_pong, CLOSED);
          give_up(x);
          finish(x)
#endif
#ifndef BUG_NO_CLOSE_TIMEOUT
       :: edge(x, CLOSING, late, CLOSED);
          give_up(x);
          finish(x)
#endif
#ifdef BUG_CLOSING_IS_PUT_OFF_FOR_EVER
       :: c[x].state == CLOSING
#endif
       :: stay(x, CLOSED, late);
          give_up(x)
       fi }
    od
}

/* What an application may call at any moment. */
proctype app(bit x) {
    do
    :: atomic { c[x].gone -> break }
    :: atomic { !c[x].gone ->
       if
       :: app_send(x)
       :: app_close(x)
       :: app_abort(x)
       :: c[x].undecided && edge_s(x, CONNECTING, accept, OPEN);
          c[x].undecided = false;
          c[x].head = RESPONSE
       :: edge_s(x, CONNECTING, refuse, CLOSING);
          c[x].undecided = false;
          c[x].deaf = true;
          c[x].head = REFUSAL
       fi }
    od
}

proctype closer(bit x) {
    atomic {
       if
       :: c[x].gone
       :: !c[x].gone -> app_close(x)
       :: !c[x].gone -> app_abort(x)
       fi
    }
}

proctype network() {
    bit to;
    atomic {
       if
       :: to = CLIENT
       :: to = SERVER
       fi;
       died = true;
       if
       :: send_reset(CLIENT);
          send_reset(SERVER)
       :: c[to].silent = true
       :: c[CLIENT].silent = true;
          c[SERVER].silent = true
       :: c[to].silent = true;
          c[to].stuck = true
       :: !c[other(to)].shut && !c[other(to)].gone ->
          wire[to]!END;
          c[to].silent = true
       fi
    }
}

init {
    atomic {
        wire[CLIENT] = to_client;
        wire[SERVER] = to_server;
        c[CLIENT].head = REQUEST;
        c[CLIENT].owed = true;
        run owner(CLIENT);
        run owner(SERVER);
        run clock(CLIENT);
        run clock(SERVER);
        run app(CLIENT);
        run app(SERVER);
        run closer(CLIENT);
        run network()
    }
}

ltl client_closed { <> (c[0].state == CLOSED) }
ltl server_closed { <> (c[1].state == CLOSED) }
ltl client_gone { <> c[0].gone }
ltl server_gone { <> c[1].gone }
