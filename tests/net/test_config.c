/* What the configs of caws_net.h mean, and what zero means in them; groups;
 * redirects; counters. */
#include "net.h"

#include "net/client.h"
#include "net/server.h"
#include "net/way.h"

#include <limits.h>

/* ---- Servers ----------------------------------------------------------- */

static int backlog_of(const struct net *n)
{
    struct tcp_info info;
    socklen_t len = sizeof info;

    assert_int_equal(getsockopt(n->server->listener.fd, IPPROTO_TCP, TCP_INFO, &info, &len), 0);
    return (int)info.tcpi_sacked; /* of one that listens, that is it */
}

static void test_backlog(void **state)
{
    static const int rows[][2] = { { 0, 511 }, { 7, 7 } }; /* DEFAULT backlog */

    for (int i = 0; i < 2; i++) {
        caws_server_config cfg = echo_config();
        cfg.backlog = rows[i][0];
        struct net n = net_new(state, &cfg);
        assert_int_equal(backlog_of(&n), rows[i][1]);
        net_free(&n);
    }
}

static void test_max_conns(void **state)
{
    caws_server_config cfg = echo_config();
    struct net n = net_new(state, &cfg);

    assert_int_equal(n.server->max_conns, 1024); /* DEFAULT max_conns */
    net_free(&n);
}

static void test_reuse_port(void **state)
{
    caws_server_config cfg = echo_config();
    cfg.reuse_port = true;
    struct net n = net_new(state, &cfg);

    cfg.port = caws_server_port(n.server);
    caws_server *second = caws_listen(n.loop, &cfg);
    assert_non_null(second);
    assert_int_equal(caws_server_port(second), cfg.port);
    cfg.reuse_port = false;
    assert_null(caws_listen(n.loop, &cfg));
    assert_int_equal(errno, EADDRINUSE);
    net_free(&n);
}

static void test_counters(void **state)
{
    caws_server_config cfg = echo_config();
    struct net n = net_new(state, &cfg);
    struct peer p = peer_open(&n);
    uint64_t in = net_stats(&n).conns.bytes_in, out = net_stats(&n).conns.bytes_out;

    peer_text(&p, "hello");
    peer_want_text(&n, &p, "hello");
    assert_int_equal(net_stats(&n).conns.bytes_in - in, 6 + 5);
    assert_int_equal(net_stats(&n).conns.bytes_out - out, 2 + 5);
    assert_int_equal(net_stats(&n).conns.messages_in, 1);
    assert_int_equal(net_stats(&n).conns.messages_out, 1);
    peer_free(&p);
    net_free(&n);
}

/* The slow are told so: on_error, then on_close. */
static void test_slow_close_reports_full(void **state)
{
    static char large[1 << 20];
    caws_server_config cfg = echo_config();
    cfg.ws.close_timeout_ms = 300;
    struct net n = net_new(state, &cfg);
    struct peer p = peer_open(&n);

    for (int i = 0; i < 30 && net_stats(&n).slow_closed == 0; i++)
        caws_broadcast(n.server, NULL, CAWS_BINARY, large, sizeof large);
    assert_int_equal(net_stats(&n).slow_closed, 1);
    assert_int_equal(seen.errors, 0); /* not inside it */
    pump(&n, 1);
    assert_int_equal(seen.errors, 1);
    assert_int_equal(seen.error, CAWS_ERR_FULL);
    assert_int_equal(seen.closes, 0);
    PUMP_UNTIL(&n, seen.closes == 1);
    assert_int_equal(seen.errors, 1);
    assert_int_equal(seen.code, CAWS_CLOSE_ABNORMAL);
    peer_free(&p);
    net_free(&n);
}

/* ---- Memory ------------------------------------------------------------ */

static void *count_blocks(void *ctx, void *ptr, size_t old_size, size_t new_size)
{
    *(long *)ctx += (new_size > 0) - (old_size > 0);
    if (new_size > 0)
        return realloc(ptr, new_size);
    free(ptr);
    return NULL;
}

/* A server's conns take the loop's, where theirs is NULL. */
static void test_alloc(void **state)
{
    long blocks = 0, before;
    caws_alloc alloc = { .resize = count_blocks, .ctx = &blocks };
    caws_server_config cfg = echo_config();
    struct net n = { caws__loop_new_with(&alloc, *state), NULL };

    assert_non_null(n.loop);
    n.server = caws_listen(n.loop, &cfg);
    assert_non_null(n.server);
    before = blocks;
    struct peer p = peer_open(&n);
    assert_true(blocks > before);
    net_free(&n);
    assert_int_equal(blocks, 0);
    peer_free(&p);
}

/* ---- Clients ----------------------------------------------------------- */

static int opened, refused_with;

static void client_open(caws_conn *ws)
{
    (void)ws;
    opened++;
}

static void client_error(caws_conn *ws, int error, const char *detail)
{
    (void)detail;
    assert_int_equal(error, CAWS_ERR_REFUSED);
    refused_with = caws_http_status(ws);
}

static int send_away(caws_conn *ws, const caws_request *req)
{
    if (req->target.len == 4 && memcmp(req->target.data, "/new", 4) == 0)
        return CAWS_ACCEPT;
    caws_add_header(ws, "Location", "/new");
    return 302;
}

static void test_max_redirects(void **state)
{
    caws_server_config cfg = echo_config();
    cfg.ws.on_request = send_away;
    struct net n = net_new(state, &cfg);
    char url[64];
    caws_client_config client = { .url = url };

    client.ws.on_open = client_open;
    client.ws.on_error = client_error;
    opened = refused_with = 0;
    snprintf(url, sizeof url, "ws://127.0.0.1:%u/old", caws_server_port(n.server));
    assert_non_null(caws_connect_with(n.loop, &client));
    PUMP_UNTIL(&n, refused_with == 302);
    client.max_redirects = 1;
    assert_non_null(caws_connect_with(n.loop, &client));
    PUMP_UNTIL(&n, opened == 1);
    net_free(&n);
}

static void test_connect_timeout(void **state)
{
    caws_server_config cfg = echo_config();
    struct net n = net_new(state, &cfg);
    caws_client_config client = { .url = "ws://127.0.0.1:1/" };
    caws_conn *ws = caws_connect_with(n.loop, &client);

    assert_non_null(ws);
    /* DEFAULT connect_timeout_ms */
    assert_int_equal(caws__client_of(caws__link_of(ws))->way->timeout_ms, 10000);
    client.connect_timeout_ms = 5;
    ws = caws_connect_with(n.loop, &client);
    assert_int_equal(caws__client_of(caws__link_of(ws))->way->timeout_ms, 5);
    net_free(&n);
}

/* ---- Groups ------------------------------------------------------------ */

static void test_groups(void **state)
{
    caws_server_config cfg = echo_config();
    struct net n = net_new(state, &cfg);
    caws_group *group = caws_group_new(n.loop);
    struct peer p[3];
    caws_conn *ws[3];

    assert_non_null(group);
    for (int i = 0; i < 3; i++) {
        p[i] = peer_open(&n);
        ws[i] = seen.ws;
        assert_int_equal(caws_group_add(group, ws[i]), CAWS_OK);
    }
    assert_int_equal(caws_group_add(group, ws[0]), CAWS_OK);
    assert_int_equal(caws_group_count(group), 3);
    caws_group_remove(group, ws[1]);
    assert_int_equal(caws_group_count(group), 2);
    assert_int_equal(caws_group_send(group, NULL, CAWS_TEXT, "both", 4), 2);
    assert_int_equal(caws_group_send(group, ws[0], CAWS_TEXT, "one", 3), 1);
    assert_int_equal(caws_group_send(group, NULL, CAWS_TEXT, "\xff", 1), CAWS_ERR_UTF8);
    peer_want_text(&n, &p[0], "both");
    peer_want_text(&n, &p[2], "both");
    peer_want_text(&n, &p[2], "one");
    pump(&n, 2);
    peer_take(&p[0]);
    peer_take(&p[1]);
    assert_int_equal(p[0].len + p[1].len, 0);
    caws_close(ws[0], CAWS_CLOSE_NORMAL, NULL);
    assert_int_equal(caws_group_add(group, ws[0]), CAWS_ERR_STATE);
    peer_close(&p[0], 1000);
    PUMP_UNTIL(&n, seen.closes == 1);
    assert_int_equal(caws_group_count(group), 1);
    caws_group_free(group);
    for (int i = 0; i < 3; i++)
        peer_free(&p[i]);
    net_free(&n);
}

/* Handlers are all optional, and what fails is still counted. */
static void test_a_server_without_handlers(void **state)
{
    static const caws_server_config cfg = { .host = "127.0.0.1", .max_conns = 1 };
    struct net n = net_new(state, &cfg);
    struct peer p = peer_open(&n), q = peer_new(&n);

    assert_int_equal(peer_status(&n, &q), 503);
    peer_send(&p, 0x83, "", 0);
    peer_want_close(&n, &p, 1002);
    peer_free(&p);
    PUMP_UNTIL(&n, n.server->conns == 0);
    assert_int_equal(net_stats(&n).conns.failed, 1);
    assert_int_equal(net_stats(&n).opened, 1);
    assert_int_equal(net_stats(&n).closed, 1);
    peer_free(&q);
    net_free(&n);
}

static void test_what_cannot_be_listened_to(void **state)
{
    caws_server_config cfg = echo_config();
    struct net n = net_new(state, &cfg);

    errno = 0;
    assert_null(caws_listen(NULL, &cfg));
    assert_int_equal(errno, EINVAL);
#if INTPTR_MAX > INT_MAX
    cfg.listen_fd = (intptr_t)INT_MAX + 1;
    errno = 0;
    assert_null(caws_listen(n.loop, &cfg));
    assert_int_equal(errno, EINVAL);
#endif
    net_free(&n);
}

static int own_randoms;

static int own_random(void *ctx, void *out, size_t len)
{
    assert_ptr_equal(ctx, &own_randoms);
    own_randoms++;
    memset(out, 0, len);
    return 0;
}

/* A client's own randomness and memory are used, and its own alone. */
static void test_a_client_with_its_own(void **state)
{
    long blocks = 0;
    caws_server_config cfg = echo_config();
    struct net n = net_new(state, &cfg);
    char url[64];
    caws_client_config client = { .url = url };

    snprintf(url, sizeof url, "ws://127.0.0.1:%u/", caws_server_port(n.server));
    client.ws.random = own_random;
    client.ws.random_ctx = &own_randoms;
    client.ws.alloc = (caws_alloc){ .resize = count_blocks, .ctx = &blocks };
    own_randoms = 0;
    caws_conn *ws = caws_connect_with(n.loop, &client);
    assert_non_null(ws);
    assert_true(blocks > 0);
    assert_int_equal(own_randoms, 1); /* the key */
    PUMP_UNTIL(&n, caws_ready_state(ws) == CAWS_OPEN && seen.opens == 1);
    assert_int_equal(caws_send_text(ws, "masked with 0"), CAWS_OK);
    PUMP_UNTIL(&n, seen.messages == 1);
    assert_string_equal(seen.text, "masked with 0");
    assert_int_equal(own_randoms, 2);
    net_free(&n);
    assert_int_equal(blocks, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        ON_BOTH(test_backlog),         ON_BOTH(test_max_conns),
        ON_BOTH(test_reuse_port),      ON_BOTH(test_counters),
        ON_BOTH(test_slow_close_reports_full),
        ON_BOTH(test_alloc),           ON_BOTH(test_max_redirects),
        ON_BOTH(test_connect_timeout), ON_BOTH(test_groups),
        ON_BOTH(test_a_server_without_handlers),
        ON_BOTH(test_what_cannot_be_listened_to),
        ON_BOTH(test_a_client_with_its_own),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
