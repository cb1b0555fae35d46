/* RFC 6455 section 7.4: every status code there could be, received in a Close
 * frame and given to caws_close, in both roles. */
#include <caws.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

enum { CODES = 65536 };

/* What may stand in a Close frame: section 7.4.1 and IANA's registry one by one,
 * then the ranges of 7.4.2 for libraries and for applications. */
static bool sendable[CODES];

static int list_codes(void **state)
{
    static const uint16_t registered[] = { 1000, 1001, 1002, 1003, 1007, 1008,
                                           1009, 1010, 1011, 1012, 1013, 1014 };
    (void)state;
    for (size_t i = 0; i < sizeof registered / sizeof *registered; i++)
        sendable[registered[i]] = true;
    for (size_t code = 3000; code < 5000; code++)
        sendable[code] = true;
    return 0;
}

static struct {
    unsigned errors, closes;
    int error;
    caws_close_event event;
} told;

static void on_error(caws_conn *ws, int error, const char *detail)
{
    (void)ws, (void)detail;
    told.errors++;
    told.error = error;
}

static void on_close(caws_conn *ws, const caws_close_event *e)
{
    (void)ws;
    told.closes++;
    told.event = *e;
}

static int zeros(void *ctx, void *out, size_t len)
{
    (void)ctx;
    memset(out, 0, len);
    return 0;
}

static caws_conn *begin(bool client)
{
    static const caws_config cfg = { .on_error = on_error, .on_close = on_close,
                                     .random = zeros };
    memset(&told, 0, sizeof told);
    return caws_new_open(client, NULL, NULL, &cfg, NULL);
}

/* A Close of this code and nothing else, if whole; else with a reason. */
static bool leaves(caws_conn *ws, unsigned code, bool whole)
{
    bool client = caws_is_client(ws);
    size_t at = client ? 6 : 2;
    const unsigned char *p;
    caws_slice v;
    bool ok;
    if (caws_output(ws, &v, 1) != 1)
        return false;
    p = (const unsigned char *)v.data;
    ok = p[0] == 0x88 && p[1] >> 7 == client && v.len == at + (p[1] & 0x7f) &&
         (p[at] << 8 | p[at + 1]) == (int)code && (v.len == at + 2) == whole;
    caws_output_done(ws, v.len);
    return ok && caws_output(ws, &v, 1) == 0;
}

static int feed_code(caws_conn *ws, unsigned code)
{
    unsigned char frame[8] = { 0x88, 2, (unsigned char)(code >> 8), (unsigned char)code };
    if (caws_is_client(ws))
        return caws_feed(ws, frame, 4, 0);
    frame[1] = 0x82; /* masked with 0 */
    memmove(frame + 6, frame + 2, 2);
    memset(frame + 2, 0, 4);
    return caws_feed(ws, frame, 8, 0);
}

/* closing: our own Close, of code 1001, has left before. */
static bool receive(bool client, bool closing, unsigned code)
{
    caws_conn *ws = begin(client);
    caws_slice v;
    int result;
    bool ok = true;
    if (closing)
        ok = caws_close(ws, 1001, NULL) == CAWS_OK && leaves(ws, 1001, true);
    result = feed_code(ws, code);
    if (sendable[code]) {
        ok = ok && result == CAWS_OK && (closing || leaves(ws, code, true)) &&
             told.errors == 0 && told.closes == 1 && told.event.was_clean &&
             told.event.code == code && caws_ready_state(ws) == CAWS_CLOSED;
    } else {
        ok = ok && result == CAWS_ERR_PROTOCOL && (closing || leaves(ws, 1002, false)) &&
             told.errors == 1 && told.error == CAWS_ERR_PROTOCOL && told.closes == 0;
        caws_feed_eof(ws, CAWS_OK, NULL);
        ok = ok && told.errors == 1 && told.closes == 1 && !told.event.was_clean &&
             told.event.code == 1006;
    }
    ok = ok && caws_output(ws, &v, 1) == 0;
    caws_free(ws);
    return ok;
}

/* 0 stands for none: without a reason nothing is sent, with one 1000. */
static bool give(bool client, const char *reason, unsigned code)
{
    caws_conn *ws = begin(client);
    caws_slice v;
    int result = caws_close(ws, (uint16_t)code, reason);
    bool ok;
    if (code == 0 && !reason)
        ok = result == CAWS_OK && caws_output(ws, &v, 1) == 1 && v.len == (client ? 6 : 2) &&
             v.data[0] == '\x88' && (v.data[1] & 0x7f) == 0;
    else if (code == 0 || sendable[code])
        ok = result == CAWS_OK && caws_ready_state(ws) == CAWS_CLOSING &&
             leaves(ws, code ? code : 1000, !reason);
    else
        ok = result == CAWS_ERR_ARG && caws_ready_state(ws) == CAWS_OPEN &&
             caws_output(ws, &v, 1) == 0;
    ok = ok && told.errors == 0 && told.closes == 0;
    caws_free(ws);
    return ok;
}

static void test_every_code_received(void **state)
{
    unsigned cases = 0, clean = 0;
    (void)state;
    /* REQ 7.4.1-1, 7.4.2-1, 7.4.2-3, 7.4.2-4 */
    for (unsigned i = 0; i < 4; i++)
        for (unsigned code = 0; code < CODES; code++, cases++) {
            if (!receive(i & 1, i & 2, code))
                fail_msg("code %u, client %u, closing %u", code, i & 1, i / 2);
            clean += told.event.was_clean;
        }
    assert_int_equal(clean, 4 * (12 + 2000));
    print_message("%u Close frames, %u of them legal\n", cases, clean);
}

static void test_every_code_given(void **state)
{
    unsigned cases = 0;
    (void)state;
    for (unsigned i = 0; i < 4; i++)
        for (unsigned code = 0; code < CODES; code++, cases++)
            if (!give(i & 1, i & 2 ? "why" : NULL, code))
                fail_msg("code %u, client %u, with a reason %u", code, i & 1, i / 2);
    assert_int_equal(cases, 4 * CODES);
    print_message("%u calls of caws_close\n", cases);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_every_code_received),
        cmocka_unit_test(test_every_code_given),
    };
    return cmocka_run_group_tests(tests, list_codes, NULL);
}
