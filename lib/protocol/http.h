/* One HTTP head: a start line and header fields (RFC 9112, RFC 9110).
 *
 * Lines are collected, then checked, in the order of their bytes, so the
 * verdict never depends on how the head was cut into pieces. Strict: CRLF
 * alone ends a line, no folding, no control characters. */
#ifndef CAWS__HTTP_H
#define CAWS__HTTP_H

#include <caws.h>
#include "protocol/buffer.h"
#include "protocol/text.h"

struct caws__head {
    struct caws__buffer text; /* what has come, up to the empty line */
    size_t line;              /* where the unfinished line begins    */
    size_t fields;            /* where the first field line begins   */
    uint32_t count;           /* field lines                         */
    bool started;             /* the start line is complete          */
    bool complete;            /* so is the head                      */
    bool skipped;             /* an empty line ahead of it was       */
};

struct caws__head_limits {
    size_t max_bytes;
    uint32_t max_fields;
    bool response;            /* a client reads: the head of a response */
};

/* Add bytes. *used says how many belong to the head. Returns 1 when the head
 * is complete, 0 when more must come, CAWS_ERR_NOMEM, or the HTTP status (400
 * or more) with which a request like this is refused, *detail saying why. */
int caws__head_feed(struct caws__head *head, const caws_alloc *alloc,
                    const struct caws__head_limits *limits,
                    const uint8_t *data, size_t len, size_t *used,
                    const char **detail);
void caws__head_free(struct caws__head *head, const caws_alloc *alloc);

/* Of a complete head: "GET /chat HTTP/1.1", or "HTTP/1.1 101 Switching". */
caws_slice caws__head_start_line(const struct caws__head *head);
/* Cut up a start line that caws__head_feed has accepted. */
void caws__request_line(caws_slice line, caws_slice *method,
                        caws_slice *target);
int caws__status_line(caws_slice line);

/* Walk the fields: *pos starts at head->fields. */
bool caws__head_next(const struct caws__head *head, size_t *pos,
                     caws_slice *name, caws_slice *value);
/* The same for those of one name, a token; false: there is no further one. */
bool caws__head_find(const struct caws__head *head, size_t *pos,
                     caws_slice name, caws_slice *value);
/* The first field of that name, a token, data NULL if none; *count says how
 * many (count may be NULL). */
caws_slice caws__head_get(const struct caws__head *head, const char *name,
                          unsigned *count);

/* Walk the list that all fields of one name make together (RFC 9110 section
 * 5.3). Start with { head, name, head->fields, { NULL, 0 } }. */
struct caws__list {
    const struct caws__head *head;
    const char *name;
    size_t pos;
    caws_slice rest;
};
bool caws__head_list_next(struct caws__list *list, caws_slice *element);
bool caws__head_list_has(const struct caws__head *head, const char *name,
                         const char *element);

#endif
