/* The opening handshake (RFC 6455 section 4) as text: what a server makes of a
 * request and answers, what a client asks and makes of the response. Who runs
 * it, and calls handlers on the way, is opening.c. */
#ifndef CAWS__HANDSHAKE_H
#define CAWS__HANDSHAKE_H

#include <caws.h>
#include "protocol/buffer.h"
#include "protocol/http.h"

#define CAWS__KEY_LEN    24 /* 16 bytes in base64 */
#define CAWS__ACCEPT_LEN 28 /* 20 bytes in base64 */
#define CAWS__MAX_TOKENS 64 /* subprotocols in one offer        */
#define CAWS__MAX_INTERIM 8 /* 1xx responses ahead of the final */

/* All that a conn needs while it is CONNECTING, freed when it is OPEN. */
struct caws__opening {
    struct caws__head head;      /* the peer's                            */
    struct caws__head_limits limits; /* what 1xx heads took is off         */
    struct caws__buffer headers; /* caws_add_header                       */
    struct caws__buffer body;    /* caws_set_body, and its type           */
    struct caws__buffer type;
    caws_slice subprotocol;      /* agreed: bytes of head                 */
    caws_request request;        /* server                                */
    char key[CAWS__KEY_LEN + 1]; /* client: sent                          */
    int status;                  /* client: the response's                */
    unsigned interim;            /* client: 1xx responses so far          */
};

void caws__opening_free(struct caws__opening *o, const caws_alloc *alloc);

/* The texts and lists in a config (CAWS_ERR_ARG). */
int caws__handshake_check(const caws_config *cfg);
/* May an application write this field itself? */
int caws__header_check(caws_slice name, caws_slice value);

/* ---- Server ---- */

/* A complete head: may the application be asked? Fills o->request and chooses
 * o->subprotocol from the config. 0, or the HTTP status that refuses. */
int caws__request_check(struct caws__opening *o, const caws_config *cfg,
                        const char **detail);
/* The subprotocol of that name among those offered; data NULL if it is not. */
caws_slice caws__request_offer(const struct caws__opening *o, caws_slice name);
/* The 101, or a refusal (o may be NULL: no request was read; detail is told
 * where the application has set no body, and may be NULL). */
int caws__response_accept(const struct caws__opening *o,
                          const caws_config *cfg, struct caws__buffer *out);
int caws__response_refuse(const struct caws__opening *o,
                          const caws_config *cfg, int status,
                          const char *detail, struct caws__buffer *out);

/* ---- Client ---- */

int caws__request_write(const struct caws__opening *o, const caws_url *url,
                        const caws_config *cfg, struct caws__buffer *out);
/* A complete head: CAWS_OK for a 101 that keeps all rules, 1 for an interim
 * response, else CAWS_ERR_REFUSED or CAWS_ERR_HANDSHAKE. */
int caws__response_check(struct caws__opening *o, const caws_config *cfg,
                         const char **detail);

/* ---- Both ---- */

/* Text put together; once memory fails, the rest is left out. */
struct caws__writer {
    struct caws__buffer *out;
    const caws_alloc *alloc;
    int result;
};
void caws__put(struct caws__writer *w, const char *text);
void caws__put_slice(struct caws__writer *w, caws_slice text);
void caws__put_number(struct caws__writer *w, size_t number);
void caws__put_field(struct caws__writer *w, const char *name,
                     caws_slice value);

#endif
