/* From caws_output to the system. */
#ifndef CAWS__FLUSH_H
#define CAWS__FLUSH_H

#include "net/link.h"

/* Send what is queued, as far as the system takes it; handlers may run. Sets
 * CAWS__LINK_BLOCKED, or CAWS__LINK_BROKEN, where it stops short. */
void caws__flush_link(struct caws__link *link);

/* caws_transport.write_now. */
size_t caws__flush_now(caws_conn *ws, const caws_slice *v, size_t count);

#endif
