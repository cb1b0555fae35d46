#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "trial.h"

struct trial *trial_of(caws_conn *ws)
{
    return caws_user(ws);
}

unsigned char *trial_room(unsigned char *bytes, size_t *cap, size_t need)
{
    if (need > *cap) {
        *cap = need * 2;
        bytes = realloc(bytes, *cap);
        if (!bytes)
            abort();
    }
    return bytes;
}

/* ---- What an application does ------------------------------------------ */

bool trial_ok(struct trial *t, int result)
{
    if (result == CAWS_ERR_NOMEM)
        t->nomem++;
    else if (result != CAWS_OK) /* since an earlier step has failed */
        assert_true(t->counting.failed > 0 && result == CAWS_ERR_STATE);
    return result == CAWS_OK;
}

bool trial_born(struct trial *t)
{
    if (!t->p.ws)
        return false;
    caws_set_user(t->p.ws, t);
    return true;
}

/* A call that fails leaves the conn as it was. */
static void sent(struct trial *t, int result, size_t before, unsigned first, const void *data,
                 size_t len)
{
    if (!trial_ok(t, result)) {
        assert_int_equal(caws_buffered_amount(t->p.ws), before);
        return;
    }
    t->sent = trial_room(t->sent, &t->sent_cap, t->sent_len + len + 14);
    t->sent_len += peer_frame(t->sent + t->sent_len, first, data, len, false);
}

void trial_send(struct trial *t, const void *data, size_t len)
{
    size_t before = caws_buffered_amount(t->p.ws);
    sent(t, caws_send(t->p.ws, CAWS_BINARY, data, len), before, 0x82, data, len);
}

void trial_send_part(struct trial *t, const char *text, bool fin)
{
    size_t before = caws_buffered_amount(t->p.ws), len = strlen(text);
    int result = caws_send_fragment(t->p.ws, CAWS_TEXT, text, len, fin);
    sent(t, result, before, (fin ? 0x80u : 0) | (t->sending ? 0 : 1), text, len);
    if (result == CAWS_OK)
        t->sending = !fin;
}

void trial_send_prepared(struct trial *t, const void *data, size_t len)
{
    caws_prepared *msg = caws_prepare(&t->cfg, CAWS_BINARY, data, len);
    size_t before = caws_buffered_amount(t->p.ws);
    if (msg)
        sent(t, caws_send_prepared(t->p.ws, msg), before, 0x82, data, len);
    else
        t->nomem++;
    caws_prepared_free(msg);
}

void trial_feed(struct trial *t, unsigned first, const char *payload, size_t len)
{
    unsigned char *frame = malloc(len + 14);
    size_t n = peer_frame(frame, first, payload, len, !caws_is_client(t->p.ws));
    peer_feed_bytewise(&t->p, frame, n);
    free(frame);
}

/* ---- What must be so --------------------------------------------------- */

/* The frames of data in the output, unmasked. Returns their size. */
static size_t data_frames(const struct peer *p, unsigned char *to)
{
    const char *hex = peer_out_unmasked_hex(p);
    size_t n = strlen(hex) / 2, kept = 0;
    unsigned char *b = malloc(n + 1);
    if (!b)
        abort();
    for (size_t i = 0; i < n; i++)
        sscanf((char[]){ hex[2 * i], hex[2 * i + 1], '\0' }, "%hhx", &b[i]);
    for (size_t at = 0, size; at < n; at += size) {
        size = 2u + b[at + 1];
        if (b[at + 1] == 126)
            size = 4 + ((size_t)b[at + 2] << 8 | b[at + 3]);
        if ((b[at] & 0x0f) < 8) {
            memcpy(to + kept, b + at, size);
            kept += size;
        }
    }
    free(b);
    return kept;
}

/* What has left is what calls said was queued: all of it, unless the conn
 * failed. */
static void check_output(const struct trial *t)
{
    size_t room = 0;
    unsigned char *frames = trial_room(NULL, &room, t->p.out_len + 1);
    size_t n = data_frames(&t->p, frames);
    assert_true(n <= t->sent_len && (n == 0 || memcmp(frames, t->sent, n) == 0));
    if (caws_ready_state(t->p.ws) == CAWS_OPEN)
        assert_int_equal(n, t->sent_len);
    free(frames);
}

static void check_events(const struct trial *t, const struct trial *good)
{
    const struct peer *p = &t->p;
    bool owed = caws_is_client(p->ws) || t->put_off || peer_log_has(p, "open\n");
    const char *error = strstr(p->log, "error ");
    assert_int_equal(peer_log_count(p, "close "), owed);
    assert_true(peer_log_count(p, "error ") <= 1);
    if (good && error && t->nomem == 0 && strncmp(error, "error -1 ", 9) != 0)
        assert_non_null(strstr(good->p.log, error));
}

/* Somebody was told, or it made no difference; where another error has been
 * reported already, the Close frame may be missing. */
static void check_told(const struct trial *t, const struct trial *good)
{
    if (t->nomem > 0 || peer_log_has(&t->p, "error -1 "))
        return;
    assert_string_equal(t->p.log, good->p.log);
    assert_in_range(t->p.out_len, peer_log_has(&t->p, "error ") ? 0 : good->p.out_len,
                    good->p.out_len);
    assert_true(t->p.out_len == 0 || memcmp(t->p.out, good->p.out, t->p.out_len) == 0);
}

/* ---- Runs -------------------------------------------------------------- */

static void finish(struct trial *t, const struct trial *good)
{
    struct peer *p = &t->p;
    p->hold_output = false;
    caws_resume(p->ws);
    peer_tick(p, 0);
    peer_take(p);
    if (!t->dropped && peer_out_status(p) <= 101)
        check_output(t);
    peer_eof(p);
    peer_tick(p, 0);
    assert_int_equal(caws_ready_state(p->ws), CAWS_CLOSED);
    check_events(t, good);
}

/* good: the run without failures; NULL for that one. */
static void run(struct trial *t, void (*scenario)(struct trial *t), const struct trial *good)
{
    peer_init(&t->p);
    t->cfg.alloc = peer_counting(&t->counting);
    scenario(t);
    if (t->p.ws)
        finish(t, good);
    if (t->p.ws && good)
        check_told(t, good);
    caws_free(t->p.ws);
    t->p.ws = NULL;
    assert_int_equal(t->counting.blocks, 0);
    assert_int_equal(t->counting.bytes, 0);
}

static void trial_free(struct trial *t)
{
    peer_free(&t->p);
    free(t->sent);
}

static struct {
    const char *name; /* NULL: none */
    unsigned long n;
    bool on;
} under_way;

int trial_teardown(void **state)
{
    (void)state;
    if (under_way.name)
        print_error("in \"%s\", allocation %lu fails%s\n", under_way.name, under_way.n,
                    under_way.on ? ", and all after it" : "");
    return 0;
}

unsigned long trial_all(const char *name, void (*scenario)(struct trial *t), bool client)
{
    struct trial good = { .client = client };
    unsigned long met = 0;
    under_way.name = name;
    under_way.n = 0;
    run(&good, scenario, NULL);
    for (unsigned long n = 1; n <= good.counting.calls; n++)
        for (int on = 0; on < 2; on++) {
            struct trial t = { .counting = { .fail_at = n, .fail_on = on }, .client = client };
            under_way.n = n;
            under_way.on = on;
            run(&t, scenario, &good);
            assert_true(t.counting.failed > 0);
            met++;
            trial_free(&t);
        }
    trial_free(&good);
    under_way.name = NULL;
    print_message("%s: %lu\n", name, met);
    return met;
}
