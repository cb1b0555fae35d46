/* Attacks on the opening handshake that were seen in the field. */
#include "upgrade.h"

#include <time.h>

#define FAIL CAWS_ERR_HANDSHAKE

enum { MIB = 1024 * 1024 };

/* ---- Heads without end ------------------------------------------------- */

/* Feed piece over and over, 16 MiB of it, behind start. */
static void flood(struct peer *p, const char *start, const char *piece)
{
    size_t len = strlen(piece), count = 65536 / len;
    char *block = malloc(count * len + 1);
    assert_non_null(block);
    for (size_t i = 0; i < count; i++)
        memcpy(block + i * len, piece, len);
    peer_feed_text(p, start);
    for (size_t fed = 0; fed < 16 * MIB; fed += count * len)
        peer_feed(p, block, count * len);
    free(block);
}

static void endless_heads_take_bounded_memory(void **state)
{
    static const struct {
        const char *start, *piece;
        int status;
    } rows[] = {
        { "GET / HTTP/1.1\r\n", "X: y\r\n", 431 },
        { "GET / HTTP/1.1\r\nX: ", "y", 431 },
        { "GET / HTTP/1.1\r\n", "x", 431 },
        { "GET / HTTP/1.1\r\nSec-WebSocket-Protocol: ", "a, ", 431 },
        { "GET /", "a", 414 },
        { "", "G", 414 },
        { "", "\r\n", 400 },
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct peer_alloc memory = { 0 };
        caws_config cfg = { .alloc = peer_counting(&memory) };
        struct peer p = { 0 };
        peer_server(&p, &cfg);
        flood(&p, rows[i].start, rows[i].piece);
        /* REQ LEN-11, ALLOC-7, CRASH-5 */
        assert_true(memory.peak < 50000);
        upgrade_assert_refused(&p, rows[i].status);
        peer_free(&p);
        assert_int_equal(memory.blocks, 0);
    }
}

static void endless_responses_take_bounded_memory(void **state)
{
    static const char *const rows[][2] = {
        { "HTTP/1.1 101 x\r\n", "X: y\r\n" },
        { "HTTP/1.1 101 x\r\nX: ", "y" },
        { "HTTP/1.1 101 ", "y" },
        { "", "\r\n" },
        { "", "HTTP/1.1 103 Early Hints\r\n\r\n" },
        { "", "HTTP/1.1 100 x\r\nX: 0123456789012345678901234567890123456789\r\n\r\n" },
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct peer_alloc memory = { 0 };
        caws_config cfg = { .alloc = peer_counting(&memory), .random = upgrade_nonce };
        struct peer p = { 0 };
        peer_client(&p, "ws://server.example.com/chat", &cfg);
        flood(&p, rows[i][0], rows[i][1]);
        /* REQ LEN-11, ALLOC-7 */
        assert_true(memory.peak < 50000);
        assert_true(peer_wants(&p, CAWS_WANT_CLOSE));
        assert_int_equal(peer_log_count(&p, "error -7 "), 1);
        assert_int_equal(peer_log_count(&p, "\n"), 1);
        peer_free(&p);
        assert_int_equal(memory.blocks, 0);
    }
}

/* ---- Lists that cost time ---------------------------------------------- */

static char *filled(const char *start, const char *piece, size_t count, const char *end)
{
    size_t len = strlen(piece);
    char *text = malloc(strlen(start) + count * len + strlen(end) + 3), *at;
    assert_non_null(text);
    at = stpcpy(text, start);
    for (size_t i = 0; i < count; i++)
        at = stpcpy(at, piece);
    strcpy(stpcpy(at, end), "\r\n");
    return text;
}

/* The status of a request with this field; megabytes are allowed, so that more
 * than linear time would be seen. */
static int status_with(char *field)
{
    static const caws_config cfg = { .max_head = 8 * MIB, .max_headers = 100000 };
    struct peer p = { 0 };
    clock_t begin = clock();
    int status;
    peer_server(&p, &cfg);
    peer_feed_text(&p, upgrade_edit(PEER_REQUEST_LINES, NULL, field));
    status = peer_out_status(&p);
    peer_free(&p);
    free(field);
    assert_true(clock() - begin < 5 * CLOCKS_PER_SEC);
    return status;
}

static void lists_take_linear_time(void **state)
{
    static const char protocol[] = "Sec-WebSocket-Protocol: ";
    static const char extensions[] = "Sec-WebSocket-Extensions: ";
    (void)state;
    /* REQ CPU-2 */
    assert_int_equal(status_with(filled("Sec-WebSocket-Protocol: b", " ", 2 * MIB, "x")), 400);
    assert_int_equal(status_with(filled(protocol, " ,", MIB, "x")), 101);
    assert_int_equal(status_with(filled(protocol, "a,", MIB, "")), 400);
    /* REQ CPU-3 */
    assert_int_equal(status_with(filled("Sec-WebSocket-Extensions: a; b=\"", "\\c", MIB, "")), 400);
    assert_int_equal(status_with(filled("Sec-WebSocket-Extensions: a; b=\"", "\\c", MIB, "\"")),
                     101);
    /* REQ CPU-6 */
    assert_int_equal(status_with(filled(extensions, "permessage-deflate,", 100000, "")), 101);
    assert_int_equal(status_with(filled("Sec-WebSocket-Extensions: a", "; b=c", 200000, "")), 101);
    /* REQ CPU-5 */
    assert_int_equal(status_with(filled("", "Ez: a\r\nFY: b\r\n", 49000, "X: y")), 101);
}

static unsigned long allocations_with(char *field)
{
    struct peer_alloc memory = { 0 };
    caws_config cfg = { .alloc = peer_counting(&memory) };
    struct peer p = { 0 };
    peer_server(&p, &cfg);
    peer_feed_text(&p, upgrade_edit(PEER_REQUEST_LINES, NULL, field));
    assert_int_equal(peer_out_status(&p), 101);
    peer_free(&p);
    free(field);
    return memory.calls;
}

static void parameters_take_no_memory(void **state)
{
    unsigned long many, one;
    (void)state;
    many = allocations_with(filled("Sec-WebSocket-Extensions: a", "; b=c", 2000, ""));
    one = allocations_with(filled("Sec-WebSocket-Extensions: a", "aaaaa", 2000, ""));
    /* REQ CPU-6 */
    assert_int_equal(many, one);
}

static void names_of_object_members_are_no_extensions(void **state)
{
    static const struct upgrade_row rows[] = {
        { NULL, "Sec-WebSocket-Extensions: constructor\r\n", 101 },
        { NULL, "Sec-WebSocket-Extensions: __proto__\r\n", 101 },
        { NULL, "Sec-WebSocket-Extensions: ,;constructor\r\n", 400 },
        { NULL, "Sec-WebSocket-Extensions: toString; valueOf=hasOwnProperty\r\n", 101 },
    };
    (void)state;
    /* REQ CPU-4 */
    UPGRADE_CHECK_REQUESTS(NULL, rows);
}

/* ---- Heads that mislead ------------------------------------------------ */

static void fields_past_the_limit_are_not_forgotten(void **state)
{
    char *text = filled("GET / HTTP/1.1\r\n", "X: y\r\n", 2000,
                        strchr(PEER_REQUEST_LINES, '\n') + 1);
    static const caws_config wide = { .max_head = MIB };
    (void)state;
    /* REQ CRASH-1 */
    assert_int_equal(upgrade_request(NULL, text, strlen(text)), 431);
    assert_int_equal(upgrade_request(&wide, text, strlen(text)), 431);
    free(text);
}

static void no_tunnel_opens_behind_a_refusal(void **state)
{
    static const char smuggled[] = "\r\nGET /internal HTTP/1.1\r\nHost: internal\r\n\r\n";
    struct peer p = { 0 };
    char text[1024];
    (void)state;
    for (int version = 12; version < 2000; version += 1765) {
        char field[64];
        snprintf(field, sizeof field, "Sec-WebSocket-Version: %d\r\n", version);
        snprintf(text, sizeof text, "%s%s",
                 upgrade_edit(PEER_REQUEST_LINES, "Sec-WebSocket-Version", field), smuggled + 2);
        peer_server(&p, NULL);
        peer_feed_text(&p, text);
        /* REQ HS-3 */
        assert_false(peer_log_has(&p, "request"));
        upgrade_assert_refused(&p, version == 12 ? 426 : 400);
        peer_free(&p);
    }
}

static void a_101_without_its_tokens_is_no_tunnel(void **state)
{
    static const struct upgrade_row rows[] = {
        { "Upgrade", "", FAIL },
        { "Connection", "", FAIL },
        { "Upgrade", "Upgrade: h2c\r\n", FAIL },
        { "Connection", "Connection: keep-alive\r\n", FAIL },
        { "Sec-WebSocket-Accept", "", FAIL },
    };
    (void)state;
    /* REQ HS-4 */
    UPGRADE_CHECK_RESPONSES(NULL, rows);
}

static void an_end_does_not_talk_to_itself(void **state)
{
    caws_config cfg = { .random = upgrade_nonce };
    struct peer p = { 0 };
    char request[512];
    size_t len;
    (void)state;
    peer_client(&p, "ws://h/", &cfg);
    len = p.out_len;
    memcpy(request, p.out, len);
    peer_feed(&p, request, len);
    /* REQ MASK-5 */
    assert_true(peer_wants(&p, CAWS_WANT_CLOSE));
    assert_true(peer_log_has(&p, "error -7 "));
    peer_free(&p);
    peer_open(&p, PEER_CLIENT, NULL);
    peer_feed_hex(&p, "81 85 37fa213d 7f9f4d5158");
    assert_int_equal(peer_out_close(&p), 1002);
    peer_free(&p);
    peer_open(&p, PEER_SERVER, NULL);
    peer_feed_hex(&p, "81 05 48656c6c6f");
    assert_int_equal(peer_out_close(&p), 1002);
    peer_free(&p);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(endless_heads_take_bounded_memory),
        cmocka_unit_test(endless_responses_take_bounded_memory),
        cmocka_unit_test(lists_take_linear_time),
        cmocka_unit_test(parameters_take_no_memory),
        cmocka_unit_test(names_of_object_members_are_no_extensions),
        cmocka_unit_test(fields_past_the_limit_are_not_forgotten),
        cmocka_unit_test(no_tunnel_opens_behind_a_refusal),
        cmocka_unit_test(a_101_without_its_tokens_is_no_tunnel),
        cmocka_unit_test(an_end_does_not_talk_to_itself),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
