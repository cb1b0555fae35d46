/* One message for many: what caws_broadcast and caws_group_send share. */
#ifndef CAWS__BROADCAST_H
#define CAWS__BROADCAST_H

#include "net/link.h"

/* 0, or the error that a broadcast of this is answered with. */
int caws__broadcast_prepare(const caws_config *cfg, caws_type type,
                            const void *data, size_t len, caws_prepared **out);

/* How many conns it was queued for: 1 or 0. */
int caws__broadcast_to(struct caws__link *link, caws_prepared *msg);

#endif
