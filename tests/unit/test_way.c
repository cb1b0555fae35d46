/* lib/net/way.c: its birth, its stages, and why it fails */
#include "../net/fake_sys.h"

#include "net/client.h"

static size_t held;
static int memory_left;

static void *some_memory(void *ctx, void *ptr, size_t old_size, size_t new_size)
{
    (void)ctx;
    if (new_size > 0 && memory_left-- <= 0)
        return NULL;
    held += new_size - old_size;
    if (new_size > 0)
        return realloc(ptr, new_size);
    free(ptr);
    return NULL;
}

static const caws_alloc counted = { some_memory, NULL };

static void test_urls(void **state)
{
    static const struct {
        const char *url, *proxy;
        int result;
    } rows[] = {
        { "ws://example.com/", NULL, CAWS_OK },
        { "ws://example.com/", "http://proxy:8080", CAWS_OK },
        { "ws+unix:/tmp/x:/", NULL, CAWS_OK },
        { "ws+unix:/tmp/x:/", "http://proxy:8080", CAWS_ERR_URL },
        { "ws://example.com/", "ws://proxy:8080", CAWS_ERR_URL },
        { "ws://example.com/", "", CAWS_ERR_URL },
        { "wss://example.com/", NULL, CAWS_ERR_URL },
        { "", NULL, CAWS_ERR_URL },
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        caws_client_config cfg = { .url = rows[i].url, .proxy = rows[i].proxy };
        struct caws__way *way = NULL;
        memory_left = 1000;
        assert_int_equal(caws__way_new(&way, &counted, &cfg), rows[i].result);
        assert_int_equal(way != NULL, rows[i].result == CAWS_OK);
        if (way) {
            assert_int_equal(way->stage, CAWS__WAY_NEW);
            assert_int_equal(way->timeout_ms, 10000);
            caws__way_free(way, &counted);
        }
        assert_int_equal(held, 0);
    }
}

static void test_no_memory(void **state)
{
    caws_client_config cfg = { .url = "ws://example.com/", .proxy = "http://proxy:8080" };
    struct caws__way *way = NULL;
    int left = 0;
    (void)state;
    for (; memory_left = left, caws__way_new(&way, &counted, &cfg) != CAWS_OK; left++) {
        assert_null(way);
        assert_int_equal(held, 0);
        assert_true(left < 10);
    }
    assert_int_equal(left, 2); /* itself, and its URL */
    caws__way_free(way, &counted);
    assert_int_equal(held, 0);
}

static void test_why_it_fails(void **state)
{
    static const struct fate_of refuse[] = { { "192.0.2.1", REFUSE }, { NULL, PASS } };
    static const struct fate_of full[] = { { "192.0.2.1", FULL }, { NULL, PASS } };
    static const struct {
        const struct fate_of *fates;
        int socket_error, error;
        const char *detail;
    } rows[] = {
        { refuse, 0, CAWS_ERR_CONNECT, "nobody listens" },
        { full, 0, CAWS_ERR_CONNECT, "could be reached" },
        { NULL, EMFILE, CAWS_ERR_SYS, "out of descriptors" },
        { NULL, ENFILE, CAWS_ERR_SYS, "out of descriptors" },
        { NULL, ENOBUFS, CAWS_ERR_SYS, "out of descriptors" },
        { NULL, ENOMEM, CAWS_ERR_SYS, "out of descriptors" },
        { NULL, EAFNOSUPPORT, CAWS_ERR_CONNECT, "could be reached" },
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        fake_reset();
        fake.fates = rows[i].fates;
        fake.socket_error = rows[i].socket_error;
        struct net n = loop_only(state);
        caws_client_config cfg = client_config("ws://192.0.2.1/");
        assert_non_null(caws_connect_with(n.loop, &cfg));
        want_failure(&n, rows[i].error);
        assert_non_null(strstr(told.detail, rows[i].detail));
        assert_int_equal(((struct caws__clients *)n.loop->clients)->pending, 0);
        net_free(&n);
    }
}

static struct caws__way *way_of(caws_conn *ws)
{
    return caws__client_of(caws__link_of(ws))->way;
}

/* Its clock runs from the look-up until it is there, unless it is off. */
static void test_stages_and_their_clock(void **state)
{
    static const struct name names[] = { { "x.example", "192.0.2.1" }, { NULL, NULL } };
    for (int off = 0; off < 2; off++) {
        uint16_t port;
        fake_reset();
        fake.names = names;
        fake.gated = true;
        struct net n = loop_only(state);
        int listener = listen_by_hand(&port);
        caws_client_config cfg = client_config(url_of("x.example", port, "/"));
        cfg.connect_timeout_ms = off ? CAWS_OFF : 5000;
        caws_conn *ws = caws_connect_with(n.loop, &cfg);
        struct caws__clients *clients = (struct caws__clients *)n.loop->clients;
        assert_int_equal(way_of(ws)->stage, CAWS__WAY_NEW);
        assert_int_equal(clients->pending, 0);
        pump(&n, 0);
        assert_int_equal(way_of(ws)->stage, CAWS__WAY_LOOKUP);
        assert_int_equal(way_of(ws)->late.slot_ != 0, !off);
        assert_int_equal(clients->pending, 1);
        sem_post(&fake.gate);
        struct peer p = accept_by_hand(&n, listener);
        PUMP_UNTIL(&n, way_of(ws)->stage == CAWS__WAY_THERE);
        assert_int_equal(way_of(ws)->late.slot_, 0);
        assert_int_equal(clients->pending, 1); /* it is CONNECTING still */
        assert_false(caws__ring_is_empty(&clients->turns));
        say_101(&p, read_head(&n, &p));
        PUMP_UNTIL(&n, seen.opens == 1);
        assert_null(way_of(ws));
        assert_int_equal(clients->pending, 0);
        assert_true(caws__ring_is_empty(&clients->turns));
        peer_free(&p);
        net_free(&n);
        close(listener);
    }
}

/* Given up at once, or while the name is looked up. */
static void test_given_up(void **state)
{
    for (int late = 0; late < 2; late++) {
        fake_reset();
        fake.gated = true;
        struct net n = loop_only(state);
        caws_client_config cfg = client_config("ws://x.example/");
        caws_conn *ws = caws_connect_with(n.loop, &cfg);
        if (late)
            pump(&n, 0);
        caws_abort(ws);
        PUMP_UNTIL(&n, n.loop->live == 0);
        struct caws__clients *clients = (struct caws__clients *)n.loop->clients;
        assert_int_equal(clients->pending, 0);
        assert_int_equal(seen.closes, 1);
        assert_int_equal(caws__heap_due(&n.loop->timers) == CAWS__HEAP_NEVER, 1);
        sem_post(&fake.gate);
        PUMP_UNTIL(&n, caws__ring_is_empty(&clients->lookups));
        assert_int_equal(fake.tries, 0);
        net_free(&n);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_urls),          cmocka_unit_test(test_no_memory),
        ON_BOTH(test_why_it_fails),           ON_BOTH(test_stages_and_their_clock),
        ON_BOTH(test_given_up),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
