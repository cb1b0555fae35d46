/* lib/net/dial.c: addresses, one after the other, by a clock of the test's own */
#define caws__sys_now_ms real_now_ms
#include "net/sys.c"
#undef caws__sys_now_ms

static uint64_t ahead_ms;

uint64_t caws__sys_now_ms(void)
{
    return real_now_ms() + ahead_ms;
}

#include "../net/client.h"

#include <sys/un.h>

#include "net/dial.h"

/* A link that is never served, and what it is told. */
static struct {
    struct net n;
    struct caws__owner owner;
    struct caws__link link;
    struct caws__addresses to;
    int calls, fd;
} d;

static void done(struct caws__link *link, int fd)
{
    assert_ptr_equal(link, &d.link);
    d.calls++;
    d.fd = fd;
}

static void begin(void **state)
{
    memset(&d, 0, sizeof d);
    d.n = loop_only(state);
    d.owner.loop = d.n.loop;
    d.link.owner = &d.owner;
}

static void add_port(uint16_t port)
{
    struct sockaddr_in at = { .sin_family = AF_INET, .sin_port = htons(port) };
    struct caws__address *address = &d.to.v[d.to.count++];
    at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    address->len = sizeof at;
    memcpy(&address->data, &at, sizeof at);
}

static struct caws__dial *start(struct caws__ring *turns)
{
    struct caws__dial *dial = caws__dial_new(&d.link, turns, &d.to, done);
    assert_non_null(dial);
    caws__dial_start(dial);
    return dial;
}

static uint16_t peer_port(int fd)
{
    struct sockaddr_storage at;
    struct sockaddr_in in;
    assert_int_equal(caws__sys_getpeername(fd, &at), 0);
    memcpy(&in, &at, sizeof in);
    return ntohs(in.sin_port);
}

static void test_those_that_refuse_are_passed_over(void **state)
{
    uint16_t port;
    int listener = listen_by_hand(&port);
    begin(state);
    add_port(closed_port());
    add_port(port);
    add_port(closed_port());
    struct caws__dial *dial = start(NULL);
    PUMP_UNTIL(&d.n, d.calls == 1);
    assert_int_equal(peer_port(d.fd), port);
    assert_int_equal(dial->error, ECONNREFUSED);
    assert_int_equal(caws_loop_timeout(d.n.loop), -1); /* no timer is left */
    pump(&d.n, 2);
    assert_int_equal(d.calls, 1);
    caws__dial_free(dial);
    assert_true(fcntl(d.fd, F_GETFD) & FD_CLOEXEC); /* it is not the dial's */
    close(d.fd);
    net_free(&d.n);
    close(listener);
}

static void test_nobody_is_there(void **state)
{
    for (int count = 0; count < 3; count++) {
        begin(state);
        for (int i = 0; i < count; i++)
            add_port(closed_port());
        int before = count_descriptors();
        struct caws__dial *dial = start(NULL);
        PUMP_UNTIL(&d.n, d.calls == 1);
        assert_int_equal(d.fd, -1);
        assert_int_equal(dial->error, count ? ECONNREFUSED : 0);
        assert_int_equal(count_descriptors(), before);
        caws__dial_free(dial);
        net_free(&d.n);
    }
}

/* RFC 8305 section 5: 250 ms, and the first one goes on. */
static void test_the_next_one_after_a_while(void **state)
{
    struct hole hole = hole_new();
    uint16_t port;
    int listener = listen_by_hand(&port);
    begin(state);
    int before = count_descriptors();
    add_port(hole.port);
    add_port(port);
    struct caws__dial *dial = start(NULL);
    int due = caws_loop_timeout(d.n.loop);
    assert_true(due > 200 && due <= 250);
    pump(&d.n, 2);
    assert_int_equal(dial->next, 1);
    ahead_ms += 250;
    assert_int_equal(caws_loop_step(d.n.loop, 0), CAWS_OK);
    assert_int_equal(dial->next, 2);
    assert_int_equal(count_descriptors(), before + 2);
    PUMP_UNTIL(&d.n, d.calls == 1);
    assert_int_equal(peer_port(d.fd), port);
    assert_int_equal(count_descriptors(), before + 1); /* the other one is closed */
    caws__dial_free(dial);
    close(d.fd);
    net_free(&d.n);
    close(listener);
    hole_free(&hole);
}

static void test_freed_on_the_way(void **state)
{
    struct hole hole = hole_new();
    begin(state);
    int before = count_descriptors();
    add_port(hole.port);
    add_port(hole.port);
    struct caws__dial *dial = start(NULL);
    ahead_ms += 250;
    pump(&d.n, 1);
    assert_int_equal(dial->running, 2);
    caws__dial_free(dial);
    caws__dial_free(NULL);
    assert_int_equal(count_descriptors(), before);
    ahead_ms += 1000;
    pump(&d.n, 1);
    assert_int_equal(d.calls, 0);
    net_free(&d.n);
    hole_free(&hole);
}

/* The winner keeps its turn until it is freed. */
static void test_two_at_one_address(void **state)
{
    struct sockaddr_storage name;
    sa_family_t any = AF_UNIX; /* the system picks a name */
    socklen_t len = sizeof name;
    struct caws__ring turns;
    int listener = caws__sys_socket(AF_UNIX, SOCK_STREAM);
    begin(state);
    caws__ring_init(&turns);
    assert_int_equal(bind(listener, (struct sockaddr *)(void *)&any, sizeof any), 0);
    assert_int_equal(listen(listener, 5), 0);
    assert_int_equal(getsockname(listener, (struct sockaddr *)&name, &len), 0);
    d.to.v[0].len = len;
    d.to.v[0].data = name;
    d.to.count = 1;
    struct caws__dial *a = start(&turns), *b = start(&turns);
    close(d.fd);
    assert_int_equal(d.calls, 1);
    assert_false(caws__dial_is_held_up(a));
    assert_true(caws__dial_is_held_up(b));
    caws__dial_go(b); /* not yet */
    assert_int_equal(d.calls, 1);
    caws__dial_free(a);
    assert_false(caws__dial_is_held_up(b));
    caws__dial_go(b);
    assert_int_equal(d.calls, 2);
    assert_true(d.fd >= 0);
    close(d.fd);
    caws__dial_free(b);
    assert_true(caws__ring_is_empty(&turns));
    net_free(&d.n);
    close(listener);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        ON_BOTH(test_those_that_refuse_are_passed_over),
        ON_BOTH(test_nobody_is_there),
        ON_BOTH(test_the_next_one_after_a_while),
        ON_BOTH(test_freed_on_the_way),
        ON_BOTH(test_two_at_one_address),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
