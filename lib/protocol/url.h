/* ws:// and wss:// URLs (RFC 6455 section 3, RFC 3986). caws_url_parse is
 * public and declared in caws.h. */
#ifndef CAWS__URL_H
#define CAWS__URL_H

#include <caws.h>

/* "host" or "host:port", as in a Host field or after an origin's "//"
 * (RFC 3986 section 3.2 without userinfo): a valid one? host gets no
 * brackets; port is data NULL where there is none, and else empty or 1 to
 * 65535. A comma, which a host in a URL may have, is refused. */
bool caws__url_authority(caws_slice text, caws_slice *host, caws_slice *port);

/* Is every byte of it one that a request target may have (RFC 3986: pchar,
 * "/", "?"; no fragment, percent escapes whole)? */
bool caws__url_target_valid(caws_slice target);

#endif
