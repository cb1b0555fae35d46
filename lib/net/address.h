/* The addresses of a place, in the order in which they are tried. */
#ifndef CAWS__ADDRESS_H
#define CAWS__ADDRESS_H

#include "net/sys.h"
#include "net/target.h"

#define CAWS__ADDRESSES 16 /* no more than that are tried */

struct caws__address {
    socklen_t len;
    struct sockaddr_storage data;
};

struct caws__addresses {
    size_t count;
    struct caws__address v[CAWS__ADDRESSES];
};

/* Where nobody needs to be asked: for an address in figures, for localhost,
 * and for the path of a socket. False: it is a name. */
bool caws__address_known(const struct caws__place *place,
                         struct caws__addresses *out);

/* The list, which is in order of preference, such that the families take turns
 * (RFC 8305 section 4). */
void caws__address_order(const struct addrinfo *list,
                         struct caws__addresses *out);

#endif
