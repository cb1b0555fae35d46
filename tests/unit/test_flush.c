/* lib/net/flush.c: what the system takes of a link's queue */
#include "../net/net.h"

#include "net/flush.h"

struct joined {
    struct net net;
    caws_conn *ws;
    struct caws__link *link;
    int far;
};

/* A conn that is OPEN, and whose socket takes little. */
static struct joined joined_new(void **state)
{
    caws_server_config cfg = echo_config();
    struct joined j = { .far = -1 };
    int fds[2], small = 4096;
    cfg.ws.max_buffered = 1 << 24;
    j.net = net_new(state, &cfg);
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds), 0);
    assert_int_equal(setsockopt(fds[0], SOL_SOCKET, SO_SNDBUF, &small, sizeof small), 0);
    j.ws = caws_adopt_open(j.net.server, fds[0], NULL, NULL, NULL, 0);
    assert_non_null(j.ws);
    j.link = caws__link_of(j.ws);
    j.far = fds[1];
    pump(&j.net, 0);
    assert_int_equal(caws_ready_state(j.ws), CAWS_OPEN);
    return j;
}

static void joined_free(struct joined *j)
{
    net_free(&j->net);
    if (j->far >= 0)
        close(j->far);
}

static size_t take(const struct joined *j, void *out, size_t size)
{
    ssize_t n = recv(j->far, out, size, MSG_DONTWAIT);
    return n > 0 ? (size_t)n : 0;
}

static void test_all_of_it_goes(void **state)
{
    struct joined j = joined_new(state);
    char got[16];
    caws_send_text(j.ws, "one");
    caws_send_text(j.ws, "two");
    assert_int_equal(take(&j, got, sizeof got), 0); /* not before */
    caws__flush_link(j.link);
    assert_int_equal(take(&j, got, sizeof got), 10);
    assert_memory_equal(got, "\x81\3one\x81\3two", 10);
    assert_int_equal(caws_buffered_amount(j.ws), 0);
    assert_int_equal(j.link->source.flags & CAWS__LINK_MUTE, 0);
    caws__flush_link(j.link);
    assert_int_equal(take(&j, got, sizeof got), 0);
    joined_free(&j);
}

/* 300 messages of 100 bytes, of which the system takes a few at a time. */
static void test_it_stops_short_and_goes_on(void **state)
{
    enum { COUNT = 300, SIZE = 102 };
    static uint8_t got[COUNT * SIZE + 1];
    struct joined j = joined_new(state);
    size_t len = 0, before;
    int stops = 0;
    for (int i = 0; i < COUNT; i++) {
        char text[101];
        snprintf(text, sizeof text, "%0100d", i);
        assert_int_equal(caws_send_text(j.ws, text), CAWS_OK);
    }
    while (caws__flush_link(j.link), j.link->source.flags & CAWS__LINK_BLOCKED) {
        stops++;
        before = caws_buffered_amount(j.ws);
        assert_true(before > 0);
        len += take(&j, got + len, sizeof got - len);
        caws__flush_link(j.link); /* not before the poller says so */
        assert_int_equal(caws_buffered_amount(j.ws), before);
        j.link->source.flags &= (uint16_t)~CAWS__LINK_BLOCKED;
        assert_true(stops < 1000);
    }
    len += take(&j, got + len, sizeof got - len);
    assert_true(stops > 2);
    assert_int_equal(caws_buffered_amount(j.ws), 0);
    assert_int_equal(len, COUNT * SIZE);
    for (int i = 0; i < COUNT; i++) {
        char frame[SIZE + 1];
        snprintf(frame, sizeof frame, "\x81\x64%0100d", i);
        assert_memory_equal(got + i * SIZE, frame, SIZE);
    }
    joined_free(&j);
}

static void test_nobody_is_there_any_more(void **state)
{
    struct joined j = joined_new(state);
    close(j.far);
    j.far = -1;
    caws_send_text(j.ws, "x");
    size_t queued = caws_buffered_amount(j.ws);
    caws__flush_link(j.link);
    assert_true(j.link->source.flags & CAWS__LINK_BROKEN);
    assert_false(j.link->source.flags & CAWS__LINK_BLOCKED);
    assert_int_equal(caws_buffered_amount(j.ws), queued);
    PUMP_UNTIL(&j.net, seen.closes == 1);
    assert_int_equal(seen.error, CAWS_ERR_EOF);
    joined_free(&j);
}

static void test_write_now(void **state)
{
    static const uint16_t mute[] = { CAWS__LINK_BLOCKED, CAWS__LINK_BROKEN, CAWS__LINK_SHUT,
                                     CAWS__LINK_DEAD, CAWS__LINK_WAITS };
    struct joined j = joined_new(state);
    caws_slice v[100];
    char got[128];
    for (int i = 0; i < 100; i++)
        v[i] = (caws_slice){ &"0123456789"[i % 10], 1 };
    for (size_t i = 0; i < sizeof mute / sizeof *mute; i++) {
        uint16_t before = j.link->source.flags;
        j.link->source.flags |= mute[i];
        assert_int_equal(caws__flush_now(j.ws, v, 1), 0);
        caws__flush_link(j.link);
        j.link->source.flags = before;
    }
    assert_int_equal(take(&j, got, sizeof got), 0);
    assert_null(j.net.loop->todo);
    assert_int_equal(caws__flush_now(j.ws, v, 100), 64); /* slices, at once */
    assert_int_equal(take(&j, got, sizeof got), 64);
    assert_memory_equal(got + 54, "4567890123", 10);
    assert_ptr_equal(j.net.loop->todo, j.link); /* what follows is looked at */
    joined_free(&j);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        ON_BOTH(test_all_of_it_goes),
        ON_BOTH(test_it_stops_short_and_goes_on),
        ON_BOTH(test_nobody_is_there_any_more),
        ON_BOTH(test_write_now),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
