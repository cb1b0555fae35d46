/* The head of an HTTP response that is looked at on the way to a connection: a
 * proxy's, or a redirect. Not judged by all the rules: what becomes of a
 * connection is for caws_feed to say, which gets the same bytes. */
#ifndef CAWS__ANSWER_H
#define CAWS__ANSWER_H

#include <caws_net.h>

#define CAWS__ANSWER_MAX ((size_t)16 * 1024)

struct caws__answer {
    size_t len;
    size_t start;  /* of the head in question, behind interim ones */
    size_t end;    /* of it, once it is there */
    size_t looked; /* no end is in front of this */
    char text[CAWS__ANSWER_MAX];
};

struct caws__answer *caws__answer_new(const caws_alloc *alloc); /* or NULL */
void caws__answer_free(struct caws__answer *answer, const caws_alloc *alloc);

/* Takes what there is room for: how much. */
size_t caws__answer_add(struct caws__answer *answer, const void *data,
                        size_t len);

/* The status of the response that is not an interim one; 0 while more must
 * come, -1 where it is no HTTP, or is too long. */
int caws__answer_status(struct caws__answer *answer);

/* A field of that head; data NULL where it is not there just once. */
caws_slice caws__answer_field(const struct caws__answer *answer,
                              const char *name);

#endif
