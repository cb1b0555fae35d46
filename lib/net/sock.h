/* Sockets and their addresses. */
#ifndef CAWS__SOCK_H
#define CAWS__SOCK_H

#include <caws_net.h>

/* A listening socket on host (caws_server_config.host) and port, or -1 with
 * errno set. TCP_NODELAY is set on it: what it accepts inherits that. */
int caws__sock_listen(const char *host, uint16_t port, int backlog,
                      bool reuse_port);

/* Make a listening socket of somebody else's ours: 0, or -1 with errno set,
 * EINVAL where it does not listen. */
int caws__sock_inherit(int fd);

/* The same for a connected one. */
int caws__sock_adopt(int fd);

/* The path in "unix:/path", NULL for any other host. */
const char *caws__sock_unix_path(const char *host);

/* The port of a listening socket, 0 where it has none; and what a Host field
 * may name if it listens on a loopback address, else "". 0, or -1 with errno
 * set. */
#define CAWS__SOCK_HOSTS 320 /* with a name of 253 bytes */
int caws__sock_local(int fd, uint16_t *port, char hosts[CAWS__SOCK_HOSTS]);

/* caws_peer_name of caws_net.h. */
int caws__sock_peer_name(int fd, char *out, size_t size);

#endif
