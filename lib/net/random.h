/* Random bytes ahead of time: a masking key for each frame (RFC 6455 section
 * 5.3) must not cost a system call each. */
#ifndef CAWS__RANDOM_H
#define CAWS__RANDOM_H

#include <caws_net.h>

/* A page that a forked child gets empty. NULL: there is none to be had, and
 * caws__random_take does without. */
struct caws__random;
struct caws__random *caws__random_new(void);
void caws__random_free(struct caws__random *random);

/* In the form config.random wants; ctx is the page. What was handed
 * out is wiped, and never handed out again. */
int caws__random_take(void *ctx, void *out, size_t len);

#endif
