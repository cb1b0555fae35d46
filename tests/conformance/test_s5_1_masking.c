/* RFC 6455 sections 5.1 and 5.3: who masks, and with which keys. */
#include "frames.h"

#include <caws_net.h>
#include <sys/wait.h>
#include <unistd.h>

/* A source of random bytes that is told what to give, and counts. */
struct source {
    uint32_t next;
    unsigned calls, bytes;
    bool fails;
};

static int draw(void *ctx, void *out, size_t len)
{
    struct source *s = ctx;
    s->calls++;
    s->bytes += (unsigned)len;
    if (s->fails)
        return -1;
    s->next++;
    for (size_t i = 0; i < len; i++)
        ((unsigned char *)out)[i] = (unsigned char)(s->next >> 8 * (i % 4));
    return 0;
}

static void the_wrong_masking_fails_the_connection(void **state)
{
    /* REQ 5.1-2, 5.1-3, 5.1-5, 5.1-6 */
    /* REQ MASK-5 */
    static const struct frames_row rows[] = {
        { "text", "81u:hi", "", "", CAWS_ERR_PROTOCOL },
        { "empty", "81u:", "", "", CAWS_ERR_PROTOCOL },
        { "ping", "89u:hi", "", "", CAWS_ERR_PROTOCOL },
        { "close", "88u:#1000", "", "", CAWS_ERR_PROTOCOL },
        { "second fragment", "01:a 80u:b", "", "", CAWS_ERR_PROTOCOL },
        { "after a message", "81:a 81u:b", "text 1 a\n", "",
          CAWS_ERR_PROTOCOL },
    };
    (void)state;
    FRAMES_CHECK(rows, NULL);
}

static void unmasked_bytes_on_the_wire(void **state)
{
    /* REQ 5.1-2, 5.1-3, 5.1-5, 5.1-6 */
    struct peer server = { 0 }, client = { 0 };
    (void)state;
    peer_open(&server, PEER_SERVER, NULL);
    peer_feed_hex(&server, "81 02 68 69");
    assert_int_equal(server.out[0], 0x88);
    assert_int_equal(server.out[2] << 8 | server.out[3], 1002);
    assert_false(peer_log_has(&server, "text"));
    peer_open(&client, PEER_CLIENT, NULL);
    peer_feed_hex(&client, "81 82 00000000 68 69");
    assert_true(client.out[1] & 0x80);
    assert_int_equal(peer_out_close(&client), 1002);
    assert_false(peer_log_has(&client, "text"));
    peer_free(&server);
    peer_free(&client);
}

/* A client wired to itself hears masked frames. */
static void what_a_client_sends_is_no_input_for_a_client(void **state)
{
    /* REQ MASK-5 */
    struct peer a = { 0 }, b = { 0 };
    (void)state;
    peer_open(&a, PEER_CLIENT, NULL);
    peer_open(&b, PEER_CLIENT, NULL);
    assert_int_equal(caws_send_text(a.ws, "to whom?"), CAWS_OK);
    peer_take(&a);
    assert_int_equal(peer_feed(&b, a.out, a.out_len), CAWS_ERR_PROTOCOL);
    assert_int_equal(peer_out_close(&b), 1002);
    peer_free(&a);
    peer_free(&b);
}

static void random_operation(struct peer *p, unsigned n)
{
    static const char data[300] = "";
    size_t len = n % 297;
    int result = CAWS_OK;
    switch ((n >> 12) % 6) {
    case 0: result = caws_send(p->ws, CAWS_BINARY, data, len); break;
    case 1: result = caws_send_fragment(p->ws, CAWS_TEXT, data, len, false);
        assert_int_equal(
            caws_send_fragment(p->ws, CAWS_TEXT, data, len / 2, true), 0);
        break;
    case 2: result = caws_pong(p->ws, data, len % 126); break;
    case 3: result = caws_ping(p->ws, data, len % 126); break;
    case 4: result = frames_feed(p, "01:a 89:ping"); p->now += 1000; break;
    default: result = frames_feed(p, "80:b"); break;
    }
    if (result != CAWS_ERR_FULL && result != CAWS_ERR_PROTOCOL)
        assert_int_equal(result, CAWS_OK);
}

static void check_output(struct peer *p)
{
    const char *out;
    peer_take(p);
    out = frames_out(p);
    assert_null(strchr(out, '!'));
    assert_null(strchr(out, '('));
    for (; *out; out = strchr(out, ' ') ? strchr(out, ' ') + 1 : "")
        assert_true(strncmp(out, "82:", 3) == 0 || strncmp(out, "01:", 3) == 0 ||
                    strncmp(out, "80:", 3) == 0 || strncmp(out, "89:", 3) == 0 ||
                    strncmp(out, "8a:", 3) == 0 || strncmp(out, "88:", 3) == 0);
    peer_forget(p);
}

static void every_frame_is_masked_by_a_client_and_none_by_a_server(void **state)
{
    /* REQ 5.1-1, 5.1-4, 5.3-1, 5.2-2 */
    /* REQ 6.1-6 */
    (void)state;
    for (int end = PEER_SERVER; end <= PEER_CLIENT; end++) {
        struct peer p = { 0 };
        uint32_t seed = 12345;
        peer_open(&p, end == PEER_CLIENT, NULL);
        for (unsigned i = 0; i < 100000; i++) {
            seed = seed * 1664525u + 1013904223u;
            random_operation(&p, seed >> 8);
            if (i % 8 == 0)
                check_output(&p);
            if (caws_ready_state(p.ws) != CAWS_OPEN) {
                check_output(&p);
                peer_free(&p);
                memset(&p, 0, sizeof p);
                peer_open(&p, end == PEER_CLIENT, NULL);
            }
        }
        peer_free(&p);
    }
}

static void each_frame_has_a_fresh_key_of_four_drawn_bytes(void **state)
{
    /* REQ 5.3-2, 5.3-3, 10.3-1, MASK-1 */
    struct source s = { 0 };
    caws_config cfg = { .random = draw, .random_ctx = &s };
    struct peer p = { 0 };
    (void)state;
    peer_open(&p, PEER_CLIENT, &cfg);
    s.next = s.calls = s.bytes = 0;
    for (uint32_t i = 1; i <= 100000; i++) {
        const unsigned char *f;
        if (i % 4 == 0)
            assert_int_equal(caws_pong(p.ws, "x", 1), CAWS_OK);
        else if (i % 4 == 1)
            assert_int_equal(caws_send_text(p.ws, "x"), CAWS_OK);
        else
            assert_int_equal(
                caws_send_fragment(p.ws, CAWS_TEXT, "x", 1, i % 4 == 3), 0);
        peer_take(&p);
        f = p.out;
        assert_int_equal(p.out_len, 7);
        assert_int_equal(f[2] | f[3] << 8 | f[4] << 16, i);
        peer_forget(&p);
    }
    assert_int_equal(s.bytes, 400000);
    peer_free(&p);
}

static void without_random_bytes_nothing_is_sent(void **state)
{
    /* REQ 5.3-3, MASK-3 */
    struct source s = { 0 };
    caws_config cfg = { .random = draw, .random_ctx = &s };
    caws_prepared *msg = caws_prepare(NULL, CAWS_TEXT, "hi", 2);
    struct peer p = { 0 };
    (void)state;
    peer_open(&p, PEER_CLIENT, &cfg);
    s.fails = true;
    assert_int_equal(caws_send_text(p.ws, "hi"), CAWS_ERR_RANDOM);
    assert_int_equal(caws_send_fragment(p.ws, CAWS_TEXT, "hi", 2, false),
                     CAWS_ERR_RANDOM);
    assert_int_equal(caws_send_prepared(p.ws, msg), CAWS_ERR_RANDOM);
    assert_int_equal(caws_ping(p.ws, "hi", 2), CAWS_ERR_RANDOM);
    assert_int_equal(caws_pong(p.ws, "hi", 2), CAWS_ERR_RANDOM);
    assert_int_equal(caws_buffered_amount(p.ws), 0);
    peer_take(&p);
    assert_int_equal(p.out_len, 0);
    s.fails = false; /* nothing has changed: the message is not a fragment */
    assert_int_equal(caws_send_text(p.ws, "hi"), CAWS_OK);
    peer_take(&p);
    frames_expect_out(&p, "afterwards", "81:hi");
    caws_prepared_free(msg);
    peer_free(&p);
}

#define KEYS 1000000u

/* Frequency and runs tests (NIST SP 800-22) at about five sigma. */
static void keys_look_random(void **state)
{
    /* REQ 5.3-4 */
    unsigned char *keys = malloc(4 * KEYS);
    double ones = 0, runs = 1, bits = 32.0 * KEYS, sigma = 5657; /* sqrt */
    unsigned last = 2;
    (void)state;
    assert_non_null(keys);
    for (size_t i = 0; i < KEYS; i++)
        assert_int_equal(caws_entropy(NULL, keys + 4 * i, 4), 0);
    for (size_t i = 0; i < 4 * KEYS; i++) {
        for (unsigned b = 0; b < 8; b++) {
            unsigned bit = keys[i] >> b & 1;
            ones += bit;
            runs += last != 2 && bit != last;
            last = bit;
        }
    }
    assert_true(ones > bits / 2 - 2.5 * sigma && ones < bits / 2 + 2.5 * sigma);
    assert_true(runs > bits / 2 - 2.5 * sigma && runs < bits / 2 + 2.5 * sigma);
    free(keys);
}

static void after_a_fork_parent_and_child_draw_different_keys(void **state)
{
    /* REQ 5.3-4, MASK-3 */
    unsigned char mine[16], other[16];
    int ends[2], status;
    pid_t child;
    (void)state;
    assert_int_equal(caws_entropy(NULL, mine, 1), 0);
    assert_int_equal(pipe(ends), 0);
    child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        bool ok = caws_entropy(NULL, mine, sizeof mine) == 0 &&
                  write(ends[1], mine, sizeof mine) == sizeof mine;
        _exit(!ok);
    }
    assert_int_equal(caws_entropy(NULL, mine, sizeof mine), 0);
    assert_int_equal(read(ends[0], other, sizeof other), sizeof other);
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_int_equal(status, 0);
    assert_memory_not_equal(mine, other, sizeof mine);
    close(ends[0]);
    close(ends[1]);
}

static void a_payload_cannot_be_changed_once_its_key_is_visible(void **state)
{
    /* REQ 10.3-2, MASK-2 */
    (void)state;
    for (int end = PEER_SERVER; end <= PEER_CLIENT; end++) {
        struct peer p = { 0 };
        char payload[] = "the first thought, and a long one at that";
        peer_open(&p, end == PEER_CLIENT, NULL);
        assert_int_equal(caws_send_text(p.ws, payload), CAWS_OK);
        peer_take_some(&p, 9);
        memset(payload, 'X', sizeof payload - 1);
        peer_take(&p);
        frames_expect_out(&p, "copied",
                          "81:the%20first%20thought,%20and%20a%20long%20one"
                          "%20at%20that");
        peer_free(&p);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_wrong_masking_fails_the_connection),
        cmocka_unit_test(unmasked_bytes_on_the_wire),
        cmocka_unit_test(what_a_client_sends_is_no_input_for_a_client),
        cmocka_unit_test(every_frame_is_masked_by_a_client_and_none_by_a_server),
        cmocka_unit_test(each_frame_has_a_fresh_key_of_four_drawn_bytes),
        cmocka_unit_test(without_random_bytes_nothing_is_sent),
        cmocka_unit_test(keys_look_random),
        cmocka_unit_test(after_a_fork_parent_and_child_draw_different_keys),
        cmocka_unit_test(a_payload_cannot_be_changed_once_its_key_is_visible),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
