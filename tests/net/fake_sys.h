/* lib/net/sys.c is in here, but names, connections and threads are the
 * test's: it says what each name means, and what becomes of each address. */
#ifndef FAKE_SYS_H
#define FAKE_SYS_H

#include <semaphore.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>

#define caws__sys_getaddrinfo  real_getaddrinfo
#define caws__sys_socket       real_socket
#define caws__sys_connect      real_connect
#define caws__sys_thread       real_thread
#define caws__sys_getrandom    real_getrandom
#define caws__sys_wiped_page   real_wiped_page
#include "net/sys.c"
#undef caws__sys_getaddrinfo
#undef caws__sys_socket
#undef caws__sys_connect
#undef caws__sys_thread
#undef caws__sys_getrandom
#undef caws__sys_wiped_page

#include "client.h"

/* What happens to a connection to this address. */
enum fate {
    PASS,   /* it goes to 127.0.0.1, to the same port */
    HOLE,   /* it hangs */
    REFUSE, /* at once */
    LATER,  /* refused, as the loop waits */
    FULL    /* EAGAIN */
};
struct fate_of {
    const char *address; /* NULL: the end of them */
    enum fate fate;
};
/* "host" -> "1.2.3.4 ::1" */
struct name {
    const char *name, *addresses;
};
static struct {
    const struct fate_of *fates;
    const struct name *names;
    struct hole hole;
    uint16_t closed;
    bool no_thread, no_page;
    int socket_error;
    bool gated; /* look-ups wait at the gate */
    sem_t gate;
    atomic_int threads, asked, answered; /* look-ups */
    atomic_int randoms;
    char tried[1024]; /* addresses, a blank behind each */
    uint64_t at_ms[32];
    int tries;
} fake;

static inline void fake_reset(void)
{
    uint16_t closed = closed_port();
    memset(&fake, 0, sizeof fake);
    fake.closed = closed;
    sem_init(&fake.gate, 0, 0);
}

static inline int fake_add(const char *address, const char *port, const struct addrinfo *hints,
                           struct addrinfo **list)
{
    struct addrinfo numeric = *hints, **end = list;
    numeric.ai_flags |= AI_NUMERICHOST;
    while (*end)
        end = &(*end)->ai_next;
    return real_getaddrinfo(address, port, &numeric, end);
}

static inline int fake_look_up(const char *host, const char *port, const struct addrinfo *hints,
                               struct addrinfo **out)
{
    char text[512], *rest = text, *address;
    for (const struct name *n = fake.names; n && n->name; n++) {
        if (strcmp(n->name, host) != 0)
            continue;
        snprintf(text, sizeof text, "%s", n->addresses);
        while ((address = strtok_r(rest, " ", &rest)))
            if (fake_add(address, port, hints, out) != 0)
                abort();
        return 0;
    }
    return fake_add(host, port, hints, out); /* caws_listen asks, too */
}

int caws__sys_getaddrinfo(const char *host, const char *port, const struct addrinfo *hints,
                          struct addrinfo **out)
{
    atomic_fetch_add(&fake.asked, 1);
    if (fake.gated)
        sem_wait(&fake.gate);
    *out = NULL;
    int result = fake_look_up(host, port, hints, out);
    atomic_fetch_add(&fake.answered, 1); /* fake may be reset from now on */
    return result;
}

int caws__sys_socket(int family, int type)
{
    if (fake.socket_error) {
        errno = fake.socket_error;
        return -1;
    }
    /* There may be no IPv6 here. */
    return real_socket(family == AF_INET6 ? AF_INET : family, type);
}

static inline enum fate fake_fate(const char *address)
{
    for (const struct fate_of *f = fake.fates; f && f->address; f++)
        if (strcmp(f->address, address) == 0)
            return f->fate;
    return PASS;
}

static inline uint16_t fake_note(const struct sockaddr *addr, char *text, size_t size)
{
    static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
    struct sockaddr_in6 six;
    struct sockaddr_in four;
    uint16_t port;
    if (addr->sa_family == AF_INET6) {
        memcpy(&six, addr, sizeof six);
        inet_ntop(AF_INET6, &six.sin6_addr, text, (socklen_t)size);
        port = ntohs(six.sin6_port);
    } else {
        memcpy(&four, addr, sizeof four);
        inet_ntop(AF_INET, &four.sin_addr, text, (socklen_t)size);
        port = ntohs(four.sin_port);
    }
    pthread_mutex_lock(&lock); /* loops of several threads may dial */
    if (fake.tries < 32)
        fake.at_ms[fake.tries] = caws__sys_now_ms();
    fake.tries++;
    if (strlen(fake.tried) + size < sizeof fake.tried)
        strcat(strcat(fake.tried, text), " ");
    pthread_mutex_unlock(&lock);
    return port;
}

int caws__sys_connect(int fd, const struct sockaddr *addr, socklen_t len)
{
    struct sockaddr_in to = { .sin_family = AF_INET };
    char text[64];
    if (addr->sa_family == AF_UNIX)
        return real_connect(fd, addr, len);
    uint16_t port = fake_note(addr, text, sizeof text);
    to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    switch (fake_fate(text)) {
    case REFUSE:
        errno = ECONNREFUSED;
        return -1;
    case FULL:
        errno = EAGAIN;
        return -1;
    case HOLE:
        port = fake.hole.port;
        break;
    case LATER:
        port = fake.closed;
        break;
    case PASS:
        break;
    }
    to.sin_port = htons(port);
    return real_connect(fd, (struct sockaddr *)&to, sizeof to);
}

int caws__sys_thread(void *(*run)(void *arg), void *arg)
{
    if (fake.no_thread)
        return EAGAIN;
    atomic_fetch_add(&fake.threads, 1);
    return real_thread(run, arg);
}

ssize_t caws__sys_getrandom(void *out, size_t len)
{
    atomic_fetch_add(&fake.randoms, 1);
    return real_getrandom(out, len);
}

void *caws__sys_wiped_page(size_t size)
{
    return fake.no_page ? NULL : real_wiped_page(size);
}

#endif
