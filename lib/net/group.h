/* Groups are public; this is how a conn leaves them. */
#ifndef CAWS__GROUP_H
#define CAWS__GROUP_H

#include "net/link.h"

/* Leave all of them. */
void caws__group_forget(struct caws__link *link);

#endif
