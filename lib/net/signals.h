/* caws_server_stop_on: signals that come through a signalfd, one for all that
 * the loop's servers asked for. */
#ifndef CAWS__SIGNALS_H
#define CAWS__SIGNALS_H

#include "net/loop.h"

/* Give the thread its signals back. */
void caws__signals_free(caws_loop *loop);

#endif
