/* websocket-api.tsv: what holds after every call, in random scripts. */
#include "frames.h"

struct run {
    uint32_t seed;
    caws_state state;
    unsigned closes, after_close, events;
};

static unsigned draw(struct run *r, unsigned n)
{
    r->seed = r->seed * 1664525u + 1013904223u;
    return (r->seed >> 8) % n;
}

static void see(caws_conn *ws)
{
    struct run *r = caws_context(ws);
    r->events++;
    r->after_close += r->closes > 0;
}

static void see_open(caws_conn *ws)
{
    see(ws);
}

static void see_message(caws_conn *ws, caws_type type, const void *data,
                        size_t len)
{
    (void)type;
    (void)data;
    (void)len;
    see(ws);
    assert_int_equal(caws_ready_state(ws), CAWS_OPEN);
}

static void see_control(caws_conn *ws, const void *data, size_t len)
{
    see_message(ws, CAWS_BINARY, data, len);
}

static void see_error(caws_conn *ws, int error, const char *detail)
{
    assert_true(error < 0 && strstr(detail, "RFC 6455") != NULL);
    see(ws);
}

static void see_close(caws_conn *ws, const caws_close_event *event)
{
    struct run *r = caws_context(ws);
    see(ws);
    assert_int_equal(caws_ready_state(ws), CAWS_CLOSED);
    assert_true(event->was_clean ? event->code != 1006 : true);
    r->closes++;
}

static int see_random(void *ctx, void *out, size_t len)
{
    (void)ctx;
    memset(out, 0x55, len);
    return 0;
}

static void feed(caws_conn *ws, struct run *r)
{
    static const char *const inputs[] = {
        "81:a", "01:b", "80:c", "82:d", "89:p", "8a:q", "88:#1000", "88:",
        "83:", "88:#1005", "81:%ff", "=81"
    };
    size_t len;
    unsigned char *data = frames_build(inputs[draw(r, 12)],
                                       !caws_is_client(ws), &len);
    caws_feed(ws, data, len, r->seed % 7 + r->events);
    free(data);
}

static void step(caws_conn *ws, struct run *r)
{
    caws_slice v;
    unsigned before = r->events;
    switch (draw(r, 16)) {
    case 0: caws_send_text(ws, "text"); break;
    case 1: caws_send_fragment(ws, CAWS_TEXT, "f", 1, draw(r, 2)); break;
    case 2: caws_ping(ws, "p", 1); break;
    case 3: caws_pong(ws, "p", 1); break;
    case 4: caws_close(ws, 1000, NULL); break;
    case 5: draw(r, 4) ? caws_pause(ws) : caws_abort(ws); break;
    case 6: caws_resume(ws); break;
    case 7: draw(r, 4) ? caws_resume(ws) : caws_discard(ws); break;
    case 8: caws_tick(ws, 1000 * draw(r, 40)); before = r->events; break;
    case 9: draw(r, 8) ? CAWS_OK : caws_feed_eof(ws, 0, NULL);
        before = r->events; break;
    case 10: case 11:
        while (caws_output(ws, &v, 1) == 1)
            caws_output_done(ws, draw(r, (unsigned)v.len) + 1);
        before = r->events; break;
    default: feed(ws, r); before = r->events; break;
    }
    assert_int_equal(r->events, before);
    assert_true(caws_ready_state(ws) >= r->state);
    r->state = caws_ready_state(ws);
    assert_int_equal(r->state == CAWS_CLOSED, r->closes == 1);
}

/* The readyState only moves forward; on_close comes exactly once and last;
 * calls of the application side cause no event while they run. */
static void a_million_random_scripts(void **state)
{
    /* REQ ready-1, evt-2, evt-6, evt-3 */
    struct run r = { .seed = 1 };
    caws_config cfg = {
        .context = &r, .on_open = see_open, .on_message = see_message,
        .on_ping = see_control, .on_pong = see_control, .on_drain = see_open,
        .on_error = see_error, .on_close = see_close, .random = see_random
    };
    unsigned all_events = 0;
    (void)state;
    for (unsigned i = 0; i < 1000000; i++) {
        caws_conn *ws = caws_new_open(i & 1, NULL, NULL, &cfg, NULL);
        assert_non_null(ws);
        r = (struct run){ .seed = i * 2654435761u, .state = CAWS_OPEN };
        caws_tick(ws, 0);
        for (unsigned n = i % 32; n > 0; n--)
            step(ws, &r);
        caws_feed_eof(ws, CAWS_ERR_SYS, "the end, RFC 6455");
        caws_tick(ws, 1000000);
        assert_int_equal(r.closes, 1);
        assert_int_equal(r.after_close, 0);
        all_events += r.events;
        caws_free(ws);
    }
    assert_true(all_events > 2000000);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_million_random_scripts),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
