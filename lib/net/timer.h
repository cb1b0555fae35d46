/* caws_timer_start and caws_timer_stop are public. */
#ifndef CAWS__TIMER_H
#define CAWS__TIMER_H

#include "net/loop.h"

/* Call those that are due, but none twice. */
void caws__timer_run(caws_loop *loop);

/* None is due any more: each may be started again, on another loop too. */
void caws__timer_drop(caws_loop *loop);

#endif
