#include "net/address.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <string.h>
#include <strings.h>
#include <sys/un.h>

static void address_add(struct caws__addresses *out, const void *data,
                        socklen_t len)
{
    struct caws__address *a = &out->v[out->count++];

    a->len = len;
    memset(&a->data, 0, sizeof a->data);
    memcpy(&a->data, data, len);
}

static void address_add_four(struct caws__addresses *out, struct in_addr addr,
                             uint16_t port)
{
    struct sockaddr_in four = { .sin_family = AF_INET,
                                .sin_port = htons(port),
                                .sin_addr = addr };

    address_add(out, &four, sizeof four);
}

static void address_add_six(struct caws__addresses *out,
                            const struct in6_addr *addr, uint16_t port)
{
    struct sockaddr_in6 six = { .sin6_family = AF_INET6,
                                .sin6_port = htons(port),
                                .sin6_addr = *addr };

    address_add(out, &six, sizeof six);
}

static void address_add_unix(struct caws__addresses *out, const char *path)
{
    struct sockaddr_un local = { .sun_family = AF_UNIX };

    _Static_assert(sizeof local.sun_path >=
                       sizeof((struct caws__place *)0)->path,
                   "a place's path fits an address");
    memcpy(local.sun_path, path, strlen(path) + 1);
    address_add(out, &local, sizeof local);
}

bool caws__address_known(const struct caws__place *place,
                         struct caws__addresses *out)
{
    struct in_addr four;
    struct in6_addr six;

    out->count = 0;
    if (place->path[0]) {
        address_add_unix(out, place->path);
    } else if (inet_pton(AF_INET, place->host, &four) == 1) {
        address_add_four(out, four, place->port);
    } else if (inet_pton(AF_INET6, place->host, &six) == 1) {
        address_add_six(out, &six, place->port);
    } else if (strcasecmp(place->host, "localhost") == 0) {
        /* RFC 6761 section 6.3 */
        four.s_addr = htonl(INADDR_LOOPBACK);
        address_add_six(out, &in6addr_loopback, place->port);
        address_add_four(out, four, place->port);
    }
    return out->count > 0;
}

/* The first from here on that is, or is not, of the family. */
static const struct addrinfo *address_next(const struct addrinfo *list,
                                           int family, bool is)
{
    for (; list; list = list->ai_next)
        if ((list->ai_family == AF_INET || list->ai_family == AF_INET6) &&
            (list->ai_family == family) == is)
            return list;
    return NULL;
}

void caws__address_order(const struct addrinfo *list,
                         struct caws__addresses *out)
{
    const struct addrinfo *next[2];
    int family;
    bool turn = false;

    out->count = 0;
    next[1] = address_next(list, AF_UNSPEC, false);
    if (!next[1])
        return;
    family = next[1]->ai_family;
    next[0] = address_next(list, family, true);
    next[1] = address_next(list, family, false);
    while (out->count < CAWS__ADDRESSES && (next[0] || next[1])) {
        const struct addrinfo *a = next[turn];

        if (a) {
            address_add(out, a->ai_addr, a->ai_addrlen);
            next[turn] = address_next(a->ai_next, family, !turn);
        }
        turn = !turn;
    }
}
