#include "net/sock.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <string.h>
#include <sys/un.h>

#include "net/sys.h"

static int sock_close(int fd)
{
    int saved = errno;

    caws__sys_close(fd);
    errno = saved;
    return -1;
}

static void sock_unlink(const char *path)
{
    int saved = errno;

    caws__sys_unlink(path);
    errno = saved;
}

/* ---- Listening --------------------------------------------------------- */

static int sock_bind(const struct sockaddr *addr, socklen_t len, int backlog,
                     bool reuse_port)
{
    int fd = caws__sys_socket(addr->sa_family, SOCK_STREAM);

    if (fd < 0)
        return -1;
    if (addr->sa_family != AF_UNIX) {
        caws__sys_setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, 1);
        caws__sys_setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, 1);
    }
    if (reuse_port && caws__sys_setsockopt(fd, SOL_SOCKET, SO_REUSEPORT, 1) < 0)
        return sock_close(fd);
    /* Whatever the system's default: "::" is every interface, of IPv4 too. */
    if (addr->sa_family == AF_INET6)
        caws__sys_setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, 0);
    if (caws__sys_bind(fd, addr, len) < 0)
        return sock_close(fd);
    if (caws__sys_listen(fd, backlog) == 0)
        return fd;
    sock_close(fd);
    if (addr->sa_family == AF_UNIX)
        sock_unlink(((const struct sockaddr_un *)addr)->sun_path);
    return -1;
}

static int sock_listen_all(uint16_t port, int backlog, bool reuse_port)
{
    struct sockaddr_in6 six = { .sin6_family = AF_INET6,
                                .sin6_port = htons(port) };
    struct sockaddr_in four = { .sin_family = AF_INET,
                                .sin_port = htons(port) };
    int fd =
        sock_bind((struct sockaddr *)&six, sizeof six, backlog, reuse_port);

    if (fd >= 0 || (errno != EAFNOSUPPORT && errno != EADDRNOTAVAIL))
        return fd;
    return sock_bind((struct sockaddr *)&four, sizeof four, backlog,
                     reuse_port);
}

static int sock_resolve_errno(int error)
{
    if (error == EAI_SYSTEM)
        return errno;
    return error == EAI_MEMORY ? ENOMEM : EADDRNOTAVAIL;
}

static int sock_listen_on(const char *host, uint16_t port, int backlog,
                          bool reuse_port)
{
    struct addrinfo hints = { .ai_flags = AI_PASSIVE | AI_NUMERICSERV,
                              .ai_socktype = SOCK_STREAM };
    struct addrinfo *list = NULL;
    char service[8];
    int fd = -1;

    snprintf(service, sizeof service, "%u", (unsigned)port);
    int error = caws__sys_getaddrinfo(host, service, &hints, &list);
    if (error) {
        errno = sock_resolve_errno(error);
        return -1;
    }
    for (struct addrinfo *a = list; a && fd < 0; a = a->ai_next)
        fd = sock_bind(a->ai_addr, a->ai_addrlen, backlog, reuse_port);
    int saved = errno;
    freeaddrinfo(list);
    errno = saved;
    return fd;
}

/* Does nobody listen there any more: a file left behind by a crash? */
static bool sock_is_stale(const struct sockaddr_un *addr)
{
    struct stat file;

    /* Any other file refuses connections, too. */
    if (caws__sys_lstat(addr->sun_path, &file) < 0 || !S_ISSOCK(file.st_mode))
        return false;
    int fd = caws__sys_socket(AF_UNIX, SOCK_STREAM);
    if (fd < 0)
        return false;
    int result =
        caws__sys_connect(fd, (const struct sockaddr *)addr, sizeof *addr);
    bool stale = result < 0 && errno == ECONNREFUSED;
    caws__sys_close(fd);
    return stale;
}

static int sock_listen_unix(const char *path, int backlog)
{
    struct sockaddr_un addr = { .sun_family = AF_UNIX };
    size_t len = strlen(path);

    if (len == 0 || len >= sizeof addr.sun_path) {
        errno = len ? ENAMETOOLONG : EINVAL;
        return -1;
    }
    memcpy(addr.sun_path, path, len + 1);
    int fd = sock_bind((struct sockaddr *)&addr, sizeof addr, backlog, false);
    if (fd >= 0 || errno != EADDRINUSE)
        return fd;
    if (!sock_is_stale(&addr)) {
        errno = EADDRINUSE;
        return -1;
    }
    caws__sys_unlink(path);
    return sock_bind((struct sockaddr *)&addr, sizeof addr, backlog, false);
}

const char *caws__sock_unix_path(const char *host)
{
    return host && strncmp(host, "unix:", 5) == 0 ? host + 5 : NULL;
}

int caws__sock_listen(const char *host, uint16_t port, int backlog,
                      bool reuse_port)
{
    const char *path = caws__sock_unix_path(host);

    if (path)
        return sock_listen_unix(path, backlog);
    if (!host)
        return sock_listen_all(port, backlog, reuse_port);
    /* One socket has one address, and every client tries this one. */
    if (strcmp(host, "localhost") == 0)
        host = "127.0.0.1";
    return sock_listen_on(host, port, backlog, reuse_port);
}

/* ---- Sockets that others made ------------------------------------------ */

int caws__sock_adopt(int fd)
{
    if (caws__sys_unblock(fd) < 0)
        return -1;
    caws__sys_setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, 1);
    return 0;
}

int caws__sock_inherit(int fd)
{
    int listens = 0;

    if (caws__sys_getsockopt(fd, SOL_SOCKET, SO_ACCEPTCONN, &listens) < 0)
        return -1;
    if (!listens) {
        errno = EINVAL;
        return -1;
    }
    return caws__sock_adopt(fd);
}

/* ---- Addresses --------------------------------------------------------- */

/* IPv4 in the clothes of IPv6, as a dual-stack listener shows it. */
static bool sock_four(const struct sockaddr_storage *addr, struct in_addr *out,
                      uint16_t *port)
{
    struct sockaddr_in6 six;
    bool mapped;

    if (addr->ss_family == AF_INET) {
        struct sockaddr_in four;

        memcpy(&four, addr, sizeof four);
        *out = four.sin_addr;
        *port = ntohs(four.sin_port);
        return true;
    }
    memcpy(&six, addr, sizeof six);
    mapped = IN6_IS_ADDR_V4MAPPED(&six.sin6_addr);
    if (addr->ss_family != AF_INET6 || !mapped)
        return false;
    memcpy(out, &six.sin6_addr.s6_addr[12], sizeof *out);
    *port = ntohs(six.sin6_port);
    return true;
}

static bool sock_six(const struct sockaddr_storage *addr, struct in6_addr *out,
                     uint16_t *port)
{
    struct sockaddr_in6 six;

    if (addr->ss_family != AF_INET6)
        return false;
    memcpy(&six, addr, sizeof six);
    *out = six.sin6_addr;
    *port = ntohs(six.sin6_port);
    return true;
}

int caws__sock_local(int fd, uint16_t *port, char hosts[CAWS__SOCK_HOSTS])
{
    static const char names[] = "localhost, 127.0.0.1, [::1]";
    struct sockaddr_storage addr = { 0 };
    struct in_addr four;
    struct in6_addr six;

    *port = 0;
    hosts[0] = '\0';
    if (caws__sys_getsockname(fd, &addr) < 0)
        return -1;
    if (sock_four(&addr, &four, port)) {
        char text[INET_ADDRSTRLEN];

        inet_ntop(AF_INET, &four, text, sizeof text);
        if (ntohl(four.s_addr) >> 24 == 127)
            snprintf(hosts, CAWS__SOCK_HOSTS, "%s, %s", names, text);
    } else if (sock_six(&addr, &six, port)) {
        if (IN6_IS_ADDR_LOOPBACK(&six))
            memcpy(hosts, names, sizeof names);
    }
    return 0;
}

int caws__sock_peer_name(int fd, char *out, size_t size)
{
    struct sockaddr_storage addr = { 0 };
    struct in_addr four;
    struct in6_addr six;
    char text[INET6_ADDRSTRLEN];
    uint16_t port;
    int n;

    if (caws__sys_getpeername(fd, &addr) < 0)
        return CAWS_ERR_SYS;
    if (sock_four(&addr, &four, &port))
        n = snprintf(out, size, "%s:%u",
                     inet_ntop(AF_INET, &four, text, sizeof text),
                     (unsigned)port);
    else if (sock_six(&addr, &six, &port))
        n = snprintf(out, size, "[%s]:%u",
                     inet_ntop(AF_INET6, &six, text, sizeof text),
                     (unsigned)port);
    else
        n = snprintf(out, size, "unix");
    return n >= 0 && (size_t)n < size ? CAWS_OK : CAWS_ERR_ARG;
}
