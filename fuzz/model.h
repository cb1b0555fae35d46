/* A second receiver, written from the RFCs and not from lib/: it sees the whole
 * stream at once, and says what must come of it. It is slow and simple on purpose.
 *
 * Where the RFCs leave it open when, or in which order, something is judged, the
 * model follows caws, and says "policy". */
#ifndef MODEL_H
#define MODEL_H

#include <caws.h>

#include "fuzz.h"

/* ---- UTF-8 (RFC 3629) and Close frames (RFC 6455 section 5.5.1) --------- */

enum model_text { MODEL_VALID, MODEL_CUT, MODEL_INVALID }; /* cut: may still become valid */
enum model_text model_utf8(const uint8_t *data, size_t len);

bool model_code(unsigned code); /* may stand in a Close frame */
/* The payload of a Close frame: CAWS_OK or the error; code 1005 if it is empty. */
int model_close(const uint8_t *data, size_t len, unsigned *code);

/* ---- A stream of frames (sections 5, 6 and 7) --------------------------- */

struct model {
    bool server;           /* which end receives */
    bool echo;             /* the application sends each message back, */
    unsigned close_at;     /* and closes with 3000 at this one (1 is the first) */
    size_t max_message;
    unsigned max_fragments, max_control;

    /* Results, as traces: */
    struct bytes events;   /* what the handlers are told */
    struct bytes control;  /* the Pongs and the Close that must be sent */
    struct bytes echoed;   /* the messages that must be */
    struct bytes heard;    /* the Pongs and the Close that came */
    struct bytes reason;   /* of the Close that came */
    int error;             /* that failed the connection */
    struct bytes message;  /* the message under way */

    /* How far it is. */
    const uint8_t *at;
    size_t left;
    bool in_message, text, closing, done;
    unsigned messages, fragments, controls;
};
/* From OPEN to the end of the transport. */
void model_receive(struct model *m, const uint8_t *data, size_t len);
void model_free(struct model *m);

/* ---- URLs (RFC 3986, RFC 6455 section 3) -------------------------------- */

/* Is it host [ ":" port ]? *host_len counts any brackets; *port is 0 where
 * there is no number. */
bool model_authority(const char *text, size_t len, size_t *host_len, unsigned *port);
bool model_url(const char *url, caws_url *out);

/* ---- The opening handshake (RFC 9110, RFC 9112, RFC 6455 section 4) ----- */

/* A head, cut up: NUL-terminated copies of its parts. */
#define MODEL_FIELDS 16
#define MODEL_HEAD 1024
struct model_limits {
    size_t max_head;  /* at most MODEL_HEAD */
    size_t max_fields; /* at most MODEL_FIELDS */
};
struct model_head {
    char start[MODEL_HEAD];
    char name[MODEL_FIELDS][MODEL_HEAD], value[MODEL_FIELDS][MODEL_HEAD];
    size_t fields;
    size_t used, counted; /* bytes of it, with and without a skipped empty line */
};
/* 0: unfinished; 1: whole; else the HTTP status of what is wrong with it. */
int model_head(struct model_head *h, const struct model_limits *limits, const uint8_t *data,
               size_t len, bool response);

/* The value of the first field of that name; *count says how many there are. */
const char *model_field(const struct model_head *h, const char *name, unsigned *count);
bool model_same(const char *a, const char *b);  /* in any case */
bool model_token(const char *text);
/* The next element of a list; and is one of all fields of that name this? */
bool model_element(const char **rest, char element[MODEL_HEAD]);
bool model_listed(const struct model_head *h, const char *name, const char *wanted);

struct model_request {
    char host[MODEL_HEAD], target[MODEL_HEAD];
    char protocol[MODEL_HEAD]; /* agreed, "" for none */
    bool upgrade;
};
/* What a server answers to a whole head: 101 or another status; 0 for a plain
 * request that is right. */
int model_request(const struct model_head *h, const caws_config *cfg, struct model_request *r);
/* What a client makes of a whole head: CAWS_OK, an error, or 1 for an interim
 * response. */
int model_response(const struct model_head *h, const char *accept, const char *offered);

#endif
