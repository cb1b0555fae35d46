/* lib/net/query.c: sizes, states, and what there is not */
#include "../net/client.h"

static void test_peer_names_and_room_for_them(void **state)
{
    caws_server_config cfg = echo_config();
    struct net n = net_new(state, &cfg);
    struct peer p = peer_open(&n);
    char whole[64], out[64];
    struct sockaddr_in own;
    socklen_t len = sizeof own;
    assert_int_equal(getsockname(p.fd, (struct sockaddr *)&own, &len), 0);
    snprintf(whole, sizeof whole, "127.0.0.1:%u", (unsigned)ntohs(own.sin_port));
    size_t needed = strlen(whole) + 1;
    for (size_t size = 0; size <= sizeof out; size++) {
        memset(out, 0xee, sizeof out);
        assert_int_equal(caws_peer_name(seen.ws, out, size),
                         size < needed ? CAWS_ERR_ARG : CAWS_OK);
        if (size >= needed)
            assert_string_equal(out, whole);
        for (size_t i = size; i < sizeof out; i++)
            assert_int_equal((uint8_t)out[i], 0xee);
    }
    int fds[2];
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds), 0);
    caws_conn *ws = caws_adopt_open(n.server, fds[0], NULL, NULL, NULL, 0);
    assert_int_equal(caws_peer_name(ws, out, 4), CAWS_ERR_ARG);
    assert_int_equal(caws_peer_name(ws, out, 5), CAWS_OK);
    assert_string_equal(out, "unix");
    close(fds[1]);
    peer_free(&p);
    net_free(&n);
}

static void test_stats_of_any_size(void **state)
{
    caws_server_config cfg = echo_config();
    struct net n = net_new(state, &cfg);
    struct peer p = peer_open(&n);
    caws_send_text(seen.ws, "hello"); /* 5 bytes, until the next step */
    caws_stats whole = net_stats(&n);
    assert_int_equal(whole.open_now, 1);
    assert_int_equal(whole.buffered_now, 5);
    union {
        caws_stats stats;
        uint8_t bytes[sizeof(caws_stats) + 24];
    } out;
    for (size_t size = 0; size <= sizeof out; size += 8) {
        size_t known = size < sizeof whole ? size : sizeof whole;
        memset(&out, 0xee, sizeof out);
        caws_server_stats(n.server, &out.stats, size);
        if (known > 0)
            assert_memory_equal(out.bytes, &whole, known);
        for (size_t i = known; i < sizeof out; i++)
            assert_int_equal(out.bytes[i], i < size ? 0 : 0xee);
    }
    caws_abort(seen.ws); /* what will never be sent is not buffered */
    PUMP_UNTIL(&n, seen.closes == 1);
    assert_int_equal(net_stats(&n).buffered_now, 0);
    assert_int_equal(net_stats(&n).open_now, 0);
    peer_free(&p);
    net_free(&n);
}

static void count_conns(caws_conn *ws, void *arg)
{
    assert_int_equal(caws_ready_state(ws), CAWS_OPEN);
    ++*(int *)arg;
}

static void test_find_and_each_by_state(void **state)
{
    caws_server_config cfg = echo_config();
    struct net n = net_new(state, &cfg);
    struct peer p = peer_open(&n), early = peer_new(&n);
    int visited = 0;
    PUMP_UNTIL(&n, net_stats(&n).accepted == 2);
    assert_ptr_equal(caws_find(n.loop, seen.id), seen.ws);
    assert_non_null(caws_find(n.loop, seen.id + 1)); /* CONNECTING */
    assert_null(caws_find(n.loop, 0));
    assert_null(caws_find(n.loop, seen.id + 2));
    assert_null(caws_find(n.loop, UINT64_MAX));
    caws_server_each(n.server, count_conns, &visited);
    assert_int_equal(visited, 1);
    caws_close(seen.ws, 1000, NULL);
    caws_server_each(n.server, count_conns, &visited);
    assert_int_equal(visited, 1);
    assert_ptr_equal(caws_find(n.loop, seen.id), seen.ws); /* CLOSING */
    peer_close(&p, 1000);
    PUMP_UNTIL(&n, seen.closes == 1);
    assert_true(n.loop->live == 3); /* it lingers, but is none any more */
    assert_null(caws_find(n.loop, seen.id));
    peer_free(&p);
    peer_free(&early);
    net_free(&n);
}

static void test_a_client(void **state)
{
    struct net n = loop_only(state);
    uint16_t port;
    int listener = listen_by_hand(&port);
    char out[64], whole[64];
    caws_client_config cfg = client_config(url_of("127.0.0.1", port, "/"));
    caws_conn *ws = caws_connect_with(n.loop, &cfg);
    assert_null(caws_server_of(ws));
    assert_ptr_equal(caws_loop_of(ws), n.loop);
    assert_ptr_equal(caws_find(n.loop, caws_id(ws)), ws);
    assert_int_equal(caws_fd(ws), -1);
    assert_int_equal(caws_peer_name(ws, out, sizeof out), CAWS_ERR_SYS);
    struct peer p = admit(&n, listener);
    assert_true(caws_fd(ws) >= 0);
    assert_int_equal(caws_peer_name(ws, out, sizeof out), CAWS_OK);
    snprintf(whole, sizeof whole, "127.0.0.1:%u", (unsigned)port);
    assert_string_equal(out, whole);
    peer_free(&p);
    net_free(&n);
    close(listener);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        ON_BOTH(test_peer_names_and_room_for_them),
        ON_BOTH(test_stats_of_any_size),
        ON_BOTH(test_find_and_each_by_state),
        ON_BOTH(test_a_client),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
