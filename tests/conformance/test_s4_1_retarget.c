/* caws_retarget: a client's opening handshake begins anew (RFC 6455 section
 * 4.1, on redirects). */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "peer.h"

static void answer(struct peer *p)
{
    char text[1024];
    peer_response_lines(p, text, sizeof text - 2);
    strcat(text, "\r\n");
    peer_feed_text(p, text);
}

static void begins_anew(void **state)
{
    struct peer p = { 0 };
    char first[1024];
    (void)state;
    peer_client(&p, "ws://one.example/a", NULL);
    assert_non_null(p.ws);
    peer_feed_text(&p, "HTTP/1.1 103 Early\r\n\r\nHTTP/1.1 302 Fo");
    snprintf(first, sizeof first, "%.*s", (int)p.out_len, (char *)p.out);
    peer_forget(&p);
    assert_int_equal(caws_retarget(p.ws, "ws://two.example:81/b?c"), CAWS_OK);
    assert_true(peer_wants(&p, CAWS_WANT_READ | CAWS_WANT_WRITE));
    peer_take(&p);
    assert_true(peer_out_starts(&p, "GET /b?c HTTP/1.1\r\nHost: two.example:81\r\n"));
    /* A new key, so that the old answer is none to this request. */
    assert_int_equal(strncmp(strstr(first, "Key: "), "Key: ", 5), 0);
    char key[30];
    snprintf(key, sizeof key, "%.29s", strstr(first, "Key: "));
    assert_false(peer_out_has(&p, key));
    answer(&p);
    assert_string_equal(p.log, "open\n");
    assert_int_equal(caws_retarget(p.ws, "ws://h/"), CAWS_ERR_STATE);
    peer_free(&p);
}

/* Also of a request that has not left, or only in part, and while paused. */
static void old_request_is_dropped(void **state)
{
    (void)state;
    for (size_t sent = 0; sent < 40; sent += 13) {
        struct peer p = { 0 };
        p.hold_output = true;
        peer_client(&p, "ws://h/old", NULL);
        peer_forget(&p);
        if (sent > 0)
            peer_take_some(&p, sent);
        caws_pause(p.ws);
        peer_feed_text(&p, "HTTP/1.1 200 OK\r\n\r\n");
        peer_forget(&p);
        assert_int_equal(caws_retarget(p.ws, "ws://h/new"), CAWS_OK);
        peer_take(&p);
        assert_true(peer_out_starts(&p, "GET /new HTTP/1.1\r\n"));
        assert_false(peer_out_has(&p, "/old"));
        caws_resume(p.ws);
        peer_tick(&p, 1);
        answer(&p);
        assert_string_equal(p.log, "open\n");
        peer_free(&p);
    }
}

/* And with it all that had come behind it: held bytes, and the end. */
static void what_was_held_is_dropped(void **state)
{
    (void)state;
    for (int ended = 0; ended < 2; ended++) {
        struct peer p = { 0 };
        peer_client(&p, "ws://h/old", NULL);
        caws_pause(p.ws);
        peer_feed_text(&p, "HTTP/1.1 302 Found\r\n\r\n");
        if (ended)
            peer_eof(&p);
        peer_forget(&p);
        assert_int_equal(caws_retarget(p.ws, "ws://h/new"), CAWS_OK);
        peer_take(&p);
        caws_resume(p.ws);
        peer_tick(&p, 1);
        assert_true(peer_wants(&p, CAWS_WANT_READ));
        answer(&p);
        assert_string_equal(p.log, "open\n");
        peer_free(&p);
    }
}

static void timeout_starts_again(void **state)
{
    caws_config cfg = { .handshake_timeout_ms = 100 };
    struct peer p = { 0 };
    (void)state;
    peer_client(&p, "ws://h/", &cfg);
    peer_tick(&p, 90);
    assert_int_equal(caws_retarget(p.ws, "ws://h/"), CAWS_OK);
    assert_true(caws_deadline(p.ws) == 0);
    assert_true(p.changed > 0);
    peer_tick(&p, 90);
    assert_true(caws_deadline(p.ws) == p.now + 100);
    peer_tick(&p, 99);
    assert_string_equal(p.log, "");
    peer_tick(&p, 1);
    assert_true(peer_log_has(&p, "error -14"));
    assert_true(peer_log_has(&p, "close 1006"));
    peer_free(&p);
}

static void config_is_read_again(void **state)
{
    caws_config cfg = { .headers = "Authorization: x\r\n" };
    struct peer p = { 0 };
    (void)state;
    peer_client(&p, "ws://h/", &cfg);
    assert_true(peer_out_has(&p, "Authorization: x\r\n"));
    peer_forget(&p);
    p.cfg.headers = "no line end";
    assert_int_equal(caws_retarget(p.ws, "ws://h/"), CAWS_ERR_ARG);
    p.cfg.headers = NULL;
    assert_int_equal(caws_retarget(p.ws, "ws://h/"), CAWS_OK);
    peer_take(&p);
    assert_false(peer_out_has(&p, "Authorization"));
    peer_free(&p);
}

static void refusals(void **state)
{
    struct peer p = { 0 }, server = { 0 };
    (void)state;
    peer_client(&p, "ws://h/", NULL);
    peer_server(&server, NULL);
    peer_forget(&p);
    assert_int_equal(caws_retarget(NULL, "ws://h/"), CAWS_ERR_ARG);
    assert_int_equal(caws_retarget(p.ws, NULL), CAWS_ERR_ARG);
    assert_int_equal(caws_retarget(p.ws, "http://h/"), CAWS_ERR_URL);
    assert_int_equal(caws_retarget(server.ws, "ws://h/"), server.cfg.random ? CAWS_ERR_STATE
                                                                              : CAWS_ERR_ARG);
    caws_abort(p.ws);
    assert_int_equal(caws_retarget(p.ws, "ws://h/"), CAWS_ERR_STATE);
    peer_free(&p);
    peer_free(&server);
}

static struct {
    size_t in_use;
    int countdown;
} memory;

static void *failing_resize(void *ctx, void *ptr, size_t old_size, size_t new_size)
{
    (void)ctx;
    if (new_size > 0 && memory.countdown-- == 0)
        return NULL;
    memory.in_use = memory.in_use - old_size + new_size;
    if (new_size > 0)
        return realloc(ptr, new_size);
    free(ptr);
    return NULL;
}

/* Whatever memory is missing, the old request is still there. */
static void all_or_nothing(void **state)
{
    caws_config cfg = { .alloc.resize = failing_resize };
    int result = CAWS_ERR_NOMEM;
    (void)state;
    for (int n = 0; result != CAWS_OK; n++) {
        struct peer p = { 0 };
        p.hold_output = true;
        memory.countdown = -1;
        peer_client(&p, "ws://h/old", &cfg);
        peer_forget(&p);
        memory.countdown = n;
        result = caws_retarget(p.ws, "ws://h/new");
        memory.countdown = -1;
        assert_true(result == CAWS_OK || result == CAWS_ERR_NOMEM);
        peer_take(&p);
        assert_true(peer_out_starts(&p, result == CAWS_OK ? "GET /new " : "GET /old "));
        answer(&p);
        assert_string_equal(p.log, "open\n");
        peer_free(&p);
        assert_int_equal(memory.in_use, 0);
        assert_true(n < 20);
        assert_true(result == CAWS_ERR_NOMEM || n > 1);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(begins_anew),          cmocka_unit_test(old_request_is_dropped),
        cmocka_unit_test(what_was_held_is_dropped),
        cmocka_unit_test(timeout_starts_again), cmocka_unit_test(config_is_read_again),
        cmocka_unit_test(refusals),             cmocka_unit_test(all_or_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
