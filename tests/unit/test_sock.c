/* lib/net/sock.c, and what it makes of a system that has less than this one */
#include <arpa/inet.h>
#include <errno.h>
#include <stdbool.h>

#define caws__sys_socket      real_socket
#define caws__sys_setsockopt  real_setsockopt
#define caws__sys_getaddrinfo real_getaddrinfo
#define caws__sys_listen      real_listen
#define caws__sys_connect     real_connect
#include "net/sys.c"
#undef caws__sys_socket
#undef caws__sys_setsockopt
#undef caws__sys_getaddrinfo
#undef caws__sys_listen
#undef caws__sys_connect

/* An errno that each fails with, or 0. */
static struct {
    int family, no_family, after; /* only sockets of that family, after so many */
    int no_option, no_names, no_listen, no_connect;
} fake;

static int fails(int error)
{
    errno = error;
    return error ? -1 : 0;
}

int caws__sys_socket(int family, int type)
{
    bool meant = fake.no_family && family == fake.family && fake.after-- <= 0;
    return meant ? fails(fake.no_family) : real_socket(family, type);
}

int caws__sys_setsockopt(int fd, int level, int name, int value)
{
    return name == SO_REUSEPORT && fake.no_option ? fails(fake.no_option)
                                                  : real_setsockopt(fd, level, name, value);
}

int caws__sys_getaddrinfo(const char *host, const char *port, const struct addrinfo *hints,
                          struct addrinfo **out)
{
    return fake.no_names ? fake.no_names : real_getaddrinfo(host, port, hints, out);
}

int caws__sys_listen(int fd, int backlog)
{
    return fake.no_listen ? fails(fake.no_listen) : real_listen(fd, backlog);
}

int caws__sys_connect(int fd, const struct sockaddr *addr, socklen_t len)
{
    return fake.no_connect ? fails(fake.no_connect) : real_connect(fd, addr, len);
}

#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/un.h>
#include <unistd.h>

#include <cmocka.h>

#include "net/sock.h"
#include "net/sys.h"

static uint16_t port_of(int fd)
{
    char hosts[CAWS__SOCK_HOSTS];
    uint16_t port;
    assert_int_equal(caws__sock_local(fd, &port, hosts), 0);
    return port;
}

static int dial(const char *address, uint16_t port)
{
    struct sockaddr_in four = { .sin_family = AF_INET, .sin_port = htons(port) };
    struct sockaddr_in6 six = { .sin6_family = AF_INET6, .sin6_port = htons(port) };
    bool is_six = strchr(address, ':') != NULL;
    int fd = socket(is_six ? AF_INET6 : AF_INET, SOCK_STREAM, 0);
    assert_true(fd >= 0);
    inet_pton(AF_INET, address, &four.sin_addr);
    inet_pton(AF_INET6, address, &six.sin6_addr);
    if (is_six)
        assert_int_equal(connect(fd, (struct sockaddr *)&six, sizeof six), 0);
    else
        assert_int_equal(connect(fd, (struct sockaddr *)&four, sizeof four), 0);
    return fd;
}

static int accept_one(int fd)
{
    struct pollfd p = { .fd = fd, .events = POLLIN };
    assert_int_equal(poll(&p, 1, 2000), 1);
    return caws__sys_accept4(fd);
}

static void assert_ours(int fd, bool tcp)
{
    int on = 0;
    assert_true(fcntl(fd, F_GETFD) & FD_CLOEXEC);
    assert_true(fcntl(fd, F_GETFL) & O_NONBLOCK);
    if (tcp) {
        assert_int_equal(caws__sys_getsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on), 0);
        assert_true(on);
    }
}

/* What is accepted is close-on-exec, does not block and has TCP_NODELAY. */
static void check_host(const char *host, const char *from, const char *peer, bool loopback)
{
    char hosts[CAWS__SOCK_HOSTS], name[64];
    uint16_t port;
    int fd = caws__sock_listen(host, 0, 5, false);
    assert_true(fd >= 0);
    assert_ours(fd, true);
    assert_int_not_equal(port_of(fd), 0);
    assert_int_equal(caws__sock_local(fd, &port, hosts), 0);
    assert_int_equal(hosts[0] != '\0', loopback);
    int client = dial(from, port_of(fd));
    int server = accept_one(fd);
    assert_true(server >= 0);
    assert_ours(server, true);
    assert_int_equal(caws__sock_peer_name(server, name, sizeof name), CAWS_OK);
    assert_int_equal(strncmp(name, peer, strlen(peer)), 0);
    assert_int_equal(atoi(name + strlen(peer)), port_of(client));
    assert_int_equal(caws__sock_peer_name(server, name, 5), CAWS_ERR_ARG);
    close(server);
    close(client);
    close(fd);
}

static bool has_ipv6(void)
{
    int fd = caws__sock_listen("::1", 0, 5, false);
    if (fd >= 0)
        close(fd);
    return fd >= 0;
}

static void test_ipv4(void **state)
{
    (void)state;
    check_host("127.0.0.1", "127.0.0.1", "127.0.0.1:", true);
    check_host("localhost", "127.0.0.1", "127.0.0.1:", true);
    check_host("0.0.0.0", "127.0.0.1", "127.0.0.1:", false);
}

static void test_every_interface(void **state)
{
    (void)state;
    check_host(NULL, "127.0.0.1", "127.0.0.1:", false);
}

static void test_ipv6(void **state)
{
    (void)state;
    if (!has_ipv6())
        skip();
    check_host("::1", "::1", "[::1]:", true);
    check_host(NULL, "::1", "[::1]:", false);
    check_host("::", "127.0.0.1", "127.0.0.1:", false);
}

static void test_loopback_hosts(void **state)
{
    char hosts[CAWS__SOCK_HOSTS];
    uint16_t port;
    (void)state;
    int fd = caws__sock_listen("127.0.0.9", 0, 5, false);
    assert_true(fd >= 0);
    assert_int_equal(caws__sock_local(fd, &port, hosts), 0);
    assert_string_equal(hosts, "localhost, 127.0.0.1, [::1], 127.0.0.9");
    close(fd);
    assert_int_equal(caws__sock_local(-1, &port, hosts), -1);
    assert_int_equal(errno, EBADF);
    assert_string_equal(hosts, "");
}

static void test_failures_say_why(void **state)
{
    (void)state;
    int fd = caws__sock_listen("127.0.0.1", 0, 5, false);
    errno = 0;
    assert_int_equal(caws__sock_listen("127.0.0.1", port_of(fd), 5, false), -1);
    assert_int_equal(errno, EADDRINUSE);
    close(fd);
    assert_int_equal(caws__sock_listen("256.1.1.1.1", 0, 5, false), -1);
    assert_int_equal(errno, EADDRNOTAVAIL);
    assert_int_equal(caws__sock_listen("192.0.2.1", 0, 5, false), -1);
    assert_int_equal(errno, EADDRNOTAVAIL);
    assert_int_equal(caws__sock_listen("unix:", 0, 5, false), -1);
    assert_int_equal(errno, EINVAL);
    char path[300] = "unix:/";
    memset(path + 6, 'a', 200);
    assert_int_equal(caws__sock_listen(path, 0, 5, false), -1);
    assert_int_equal(errno, ENAMETOOLONG);
}

static void test_reuse_port(void **state)
{
    (void)state;
    int one = caws__sock_listen("127.0.0.1", 0, 5, true);
    int two = caws__sock_listen("127.0.0.1", port_of(one), 5, true);
    assert_true(one >= 0 && two >= 0);
    close(one);
    close(two);
}

static void test_unix(void **state)
{
    char dir[] = "/tmp/caws-XXXXXX", host[64], name[64], hosts[CAWS__SOCK_HOSTS];
    struct sockaddr_un addr = { .sun_family = AF_UNIX };
    uint16_t port;
    (void)state;
    assert_non_null(mkdtemp(dir));
    snprintf(addr.sun_path, sizeof addr.sun_path, "%s/s", dir);
    snprintf(host, sizeof host, "unix:%s/s", dir);
    assert_string_equal(caws__sock_unix_path(host), addr.sun_path);
    assert_null(caws__sock_unix_path("127.0.0.1"));
    assert_null(caws__sock_unix_path(NULL));
    int fd = caws__sock_listen(host, 0, 5, false);
    assert_true(fd >= 0);
    assert_ours(fd, false);
    assert_int_equal(caws__sock_local(fd, &port, hosts), 0);
    assert_int_equal(port, 0);
    assert_string_equal(hosts, "");
    int client = socket(AF_UNIX, SOCK_STREAM, 0);
    assert_int_equal(connect(client, (struct sockaddr *)&addr, sizeof addr), 0);
    int server = accept_one(fd);
    assert_int_equal(caws__sock_peer_name(server, name, sizeof name), CAWS_OK);
    assert_string_equal(name, "unix");
    close(server);
    close(client);
    /* Someone listens there: hands off. */
    assert_int_equal(caws__sock_listen(host, 0, 5, false), -1);
    assert_int_equal(errno, EADDRINUSE);
    close(fd);
    /* Nobody does any more, and the file was left behind. */
    assert_int_equal(access(addr.sun_path, F_OK), 0);
    fd = caws__sock_listen(host, 0, 5, false);
    assert_true(fd >= 0);
    close(fd);
    unlink(addr.sun_path);
    /* A file that is no socket is left alone. */
    FILE *file = fopen(addr.sun_path, "w");
    fclose(file);
    assert_int_equal(caws__sock_listen(host, 0, 5, false), -1);
    assert_int_equal(errno, EADDRINUSE);
    assert_int_equal(access(addr.sun_path, F_OK), 0);
    unlink(addr.sun_path);
    rmdir(dir);
}

static void test_sockets_of_others(void **state)
{
    int fds[2];
    (void)state;
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    assert_int_equal(caws__sock_inherit(fd), -1);
    assert_int_equal(errno, EINVAL);
    assert_int_equal(listen(fd, 5), 0);
    assert_int_equal(caws__sock_inherit(fd), 0);
    assert_ours(fd, true);
    close(fd);
    assert_int_equal(caws__sock_inherit(fd), -1);
    assert_int_equal(caws__sock_adopt(fd), -1);
    assert_int_equal(errno, EBADF);
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, fds), 0);
    assert_int_equal(caws__sock_adopt(fds[0]), 0);
    assert_ours(fds[0], false);
    close(fds[0]);
    close(fds[1]);
}

static void test_entropy(void **state)
{
    uint8_t one[1000] = { 0 }, two[1000] = { 0 };
    (void)state;
    assert_int_equal(caws_entropy(NULL, one, sizeof one), CAWS_OK);
    assert_int_equal(caws_entropy(NULL, two, sizeof two), CAWS_OK);
    assert_memory_not_equal(one, two, sizeof one);
    assert_memory_not_equal(one + 900, two + 900, 100);
    assert_int_equal(caws_entropy(NULL, one, 0), CAWS_OK);
}

/* Every interface is those of IPv4, where there is no other. */
static void test_without_ipv6(void **state)
{
    static const int none[] = { EAFNOSUPPORT, EADDRNOTAVAIL };
    (void)state;
    fake.family = AF_INET6;
    for (int i = 0; i < 2; i++) {
        fake.no_family = none[i];
        check_host(NULL, "127.0.0.1", "127.0.0.1:", false);
    }
    fake.no_family = EMFILE; /* is no reason to have less */
    assert_int_equal(caws__sock_listen(NULL, 0, 5, false), -1);
    assert_int_equal(errno, EMFILE);
    fake.no_family = 0;
}

static int descriptors(void)
{
    int count = 0;
    for (int fd = 0; fd < 256; fd++)
        count += fcntl(fd, F_GETFD) >= 0;
    return count;
}

static void test_failures_of_the_system(void **state)
{
    int before = descriptors();
    (void)state;
    fake.no_option = ENOPROTOOPT; /* asked for, so not left out */
    assert_int_equal(caws__sock_listen("127.0.0.1", 0, 5, true), -1);
    assert_int_equal(errno, ENOPROTOOPT);
    fake.no_option = 0;
    fake.no_listen = EADDRINUSE;
    assert_int_equal(caws__sock_listen("127.0.0.1", 0, 5, false), -1);
    assert_int_equal(errno, EADDRINUSE);
    fake.no_listen = 0;
    fake.no_names = EAI_MEMORY;
    assert_int_equal(caws__sock_listen("127.0.0.1", 0, 5, false), -1);
    assert_int_equal(errno, ENOMEM);
    errno = EMFILE;
    fake.no_names = EAI_SYSTEM;
    assert_int_equal(caws__sock_listen("127.0.0.1", 0, 5, false), -1);
    assert_int_equal(errno, EMFILE);
    fake.no_names = 0;
    assert_int_equal(descriptors(), before);
}

/* Whether anybody listens at a socket's file is asked by connecting: where that
 * cannot be told, the file stays. One that was made and is not listened at goes. */
static void test_files_of_unix_sockets(void **state)
{
    static const struct {
        int no_family, no_connect;
    } rows[] = { { EMFILE, 0 }, { 0, EACCES }, { 0, EAGAIN } };
    char dir[] = "/tmp/caws-XXXXXX", host[64];
    const char *path = host + 5;
    struct stat first, now;
    (void)state;
    assert_non_null(mkdtemp(dir));
    snprintf(host, sizeof host, "unix:%s/s", dir);
    fake.no_listen = ENOBUFS;
    assert_int_equal(caws__sock_listen(host, 0, 5, false), -1);
    assert_int_equal(errno, ENOBUFS);
    assert_int_equal(access(path, F_OK), -1);
    fake.no_listen = 0;
    int fd = caws__sock_listen(host, 0, 5, false);
    assert_true(fd >= 0);
    close(fd);
    assert_int_equal(stat(path, &first), 0);
    fake.family = AF_UNIX;
    for (int i = 0; i < 3; i++) {
        fake.after = 1; /* the one to listen with is there, the one to ask with is not */
        fake.no_family = rows[i].no_family;
        fake.no_connect = rows[i].no_connect;
        assert_int_equal(caws__sock_listen(host, 0, 5, false), -1);
        assert_int_equal(errno, EADDRINUSE);
        fake.no_family = fake.no_connect = 0;
        assert_int_equal(stat(path, &now), 0);
        assert_int_equal(now.st_ino, first.st_ino);
    }
    unlink(path);
    rmdir(dir);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_ipv4),
        cmocka_unit_test(test_every_interface),
        cmocka_unit_test(test_ipv6),
        cmocka_unit_test(test_loopback_hosts),
        cmocka_unit_test(test_failures_say_why),
        cmocka_unit_test(test_reuse_port),
        cmocka_unit_test(test_unix),
        cmocka_unit_test(test_sockets_of_others),
        cmocka_unit_test(test_entropy),
        cmocka_unit_test(test_without_ipv6),
        cmocka_unit_test(test_failures_of_the_system),
        cmocka_unit_test(test_files_of_unix_sockets),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
