/* The model of the closing handshake (tests/model/closing.pml) and the code
 * have the same changes of the ready state: each line of the model that says
 * what an event does to a state is played to real conns, in every way that
 * they can be in that state; and the model has all changes, and only those,
 * that caws__enter() lets pass and its comment lists. */
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "peer.h"
#include "protocol/state.h"

#define MODEL "tests/model/closing.pml"
#define CODE "lib/protocol/state.c"

/* ---- The model's lines -------------------------------------------------- */

struct row {
    bool client, server;
    caws_state from, to;
    char event[40];
};
static struct row rows[100];
static size_t row_count;

static caws_state state_named(const char *name)
{
    static const char *const names[] = { "CONNECTING", "OPEN", "CLOSING", "CLOSED" };
    for (int i = 0; i < 4; i++)
        if (strcmp(name, names[i]) == 0)
            return (caws_state)i;
    fail_msg("there is no state %s", name);
    return CAWS_CLOSED;
}

/* "edge_s(x, CONNECTING, late, CLOSING)", "stay(x, OPEN, data)" */
static void read_row(const char *line)
{
    static const char *const kinds[] = { "edge", "edge_c", "edge_s", "stay", "stay_c", "stay_s" };
    struct row *row = &rows[row_count];
    for (size_t i = 0; i < 6; i++) {
        char start[12], from[12], to[12];
        const char *at;
        int items;
        snprintf(start, sizeof start, "%s(", kinds[i]);
        if ((at = strstr(line, start)) == NULL)
            continue;
        items = sscanf(strchr(at, '('), "(x, %11[A-Z], %39[a-z_], %11[A-Z])", from, row->event, to);
        if (items != (i < 3 ? 3 : 2))
            fail_msg(MODEL ": %s", line);
        row->from = state_named(from);
        row->to = i < 3 ? state_named(to) : row->from;
        row->client = i % 3 != 2;
        row->server = i % 3 != 1;
        assert_true(++row_count < sizeof rows / sizeof *rows);
    }
}

static int read_model(void **state)
{
    char line[200];
    FILE *file = fopen(MODEL, "r");
    (void)state;
    assert_non_null(file);
    while (fgets(line, sizeof line, file))
        if (line[0] != '#' && strncmp(line, " *", 2) != 0)
            read_row(line);
    fclose(file);
    assert_true(row_count > 40);
    return 0;
}

/* ---- Conns in each state ------------------------------------------------ */

static void begin(struct peer *p, bool client)
{
    *p = (struct peer){ .hold_output = true };
    if (client)
        peer_client(p, "ws://server.example.com/chat", NULL);
    else
        peer_server(p, NULL);
}

static void respond(struct peer *p, const char *more)
{
    char text[1000];
    peer_response_lines(p, text, sizeof text - 20);
    strcat(text, more);
    peer_feed_text(p, text);
}

static bool connecting(struct peer *p, bool client, int way)
{
    begin(p, client);
    if (way == 0)
        peer_take(p);
    return way < (client ? 2 : 1);
}

static bool open(struct peer *p, bool client, int way)
{
    if (way == 0) {
        *p = (struct peer){ .hold_output = true };
        peer_open(p, client, NULL);
        return true;
    }
    begin(p, client);
    peer_take(p);
    if (client)
        respond(p, "\r\n");
    else
        peer_feed_text(p, PEER_REQUEST);
    peer_take(p);
    return way == 1;
}

/* The ways to be CLOSING that matter to what comes then. */
enum { OURS_WAITS, OURS_LEFT, THEIRS_CAME, FAILED, FAILED_AND_LEFT, ABORTED, NEVER_OPEN, WAYS };

static bool closing(struct peer *p, bool client, int way)
{
    if (way == NEVER_OPEN)
        begin(p, client);
    else
        open(p, client, 0);
    if (way == OURS_WAITS || way == OURS_LEFT || (way == NEVER_OPEN && client))
        caws_close(p->ws, 1000, NULL);
    else if (way == THEIRS_CAME)
        peer_feed_frame_text(p, 0x88, "\x03\xe8");
    else if (way == FAILED || way == FAILED_AND_LEFT)
        peer_feed_frame_text(p, 0x83, "");
    else if (way == ABORTED)
        caws_abort(p->ws);
    else
        caws_refuse(p->ws, 404);
    if (way == OURS_LEFT || way == FAILED_AND_LEFT)
        peer_take(p);
    return way < WAYS;
}

static bool closed(struct peer *p, bool client, int way)
{
    open(p, client, 0);
    if (way == 0) {
        caws_close(p->ws, 1000, NULL);
        peer_take(p);
        peer_feed_frame_text(p, 0x88, "\x03\xe8");
    } else if (way == 1) {
        caws_close(p->ws, 1000, NULL); /* which still may leave */
        peer_eof(p);
    } else if (way == 2) {
        caws_feed_eof(p->ws, CAWS_ERR_SYS, "reset");
    } else {
        peer_tick(p, 30000);
        peer_tick(p, 20000);
    }
    return way < 4;
}

/* False where there are no more ways. */
static bool set_scene(struct peer *p, caws_state state, bool client, int way)
{
    static bool (*const scenes[])(struct peer *, bool, int) = { connecting, open, closing, closed };
    bool more = scenes[state](p, client, way);
    if (more)
        assert_int_equal(caws_ready_state(p->ws), state);
    return more;
}

/* ---- The events --------------------------------------------------------- */

/* Each makes its event happen, if it can in this state, come to in this way:
 * else it returns false. A state is as above, or later. */
struct scene {
    caws_state state;
    bool client;
    int way;
};
#define IN(wanted) (at->state == (wanted))
#define CLOSING_BY(wanted) (IN(CAWS_CLOSING) && at->way == (wanted))

static bool end(struct peer *p, const struct scene *at)
{
    (void)at;
    peer_eof(p);
    return true;
}

static bool reset(struct peer *p, const struct scene *at)
{
    (void)at;
    caws_feed_eof(p->ws, CAWS_ERR_SYS, "reset");
    return true;
}

static bool do_close(struct peer *p, const struct scene *at)
{
    assert_int_equal(caws_close(p->ws, 1000, NULL),
                     at->state < CAWS_CLOSING ? CAWS_OK : CAWS_ERR_STATE);
    return true;
}

static bool do_abort(struct peer *p, const struct scene *at)
{
    (void)at;
    caws_abort(p->ws);
    return true;
}

static bool do_send(struct peer *p, const struct scene *at)
{
    assert_int_equal(caws_send_text(p->ws, "x"), IN(CAWS_OPEN) ? CAWS_OK : CAWS_ERR_STATE);
    return true;
}

static bool request(struct peer *p, const struct scene *at, int answer)
{
    if (!IN(CAWS_CONNECTING) || at->client)
        return false;
    p->answer = answer;
    peer_feed_text(p, PEER_REQUEST);
    return true;
}

static bool request_accepted(struct peer *p, const struct scene *at)
{
    return request(p, at, CAWS_ACCEPT);
}

static bool request_refused(struct peer *p, const struct scene *at)
{
    return request(p, at, 403);
}

static bool request_put_off(struct peer *p, const struct scene *at)
{
    return request(p, at, CAWS_LATER);
}

/* Where nothing was put off, it is an error that changes nothing. */
static bool accept(struct peer *p, const struct scene *at)
{
    bool due = request(p, at, CAWS_LATER);
    assert_int_equal(caws_accept(p->ws), due ? CAWS_OK : CAWS_ERR_STATE);
    return true;
}

static bool refuse(struct peer *p, const struct scene *at)
{
    bool may = IN(CAWS_CONNECTING) && !at->client;
    assert_int_equal(caws_refuse(p->ws, 404), may ? CAWS_OK : CAWS_ERR_STATE);
    return true;
}

static bool response(struct peer *p, const struct scene *at)
{
    if (!IN(CAWS_CONNECTING) || !at->client)
        return false;
    peer_take(p);
    respond(p, "\r\n");
    return true;
}

static bool refusal(struct peer *p, const struct scene *at)
{
    if (!IN(CAWS_CONNECTING) || !at->client)
        return false;
    peer_feed_text(p, "HTTP/1.1 404 Not Found\r\n\r\n");
    return true;
}

static bool data(struct peer *p, const struct scene *at)
{
    if (IN(CAWS_CONNECTING))
        return false;
    peer_feed_frame_text(p, 0x81, "message");
    peer_feed_frame_text(p, 0x02, "fragments");
    peer_feed_frame_text(p, 0x89, "ping");
    peer_feed_frame_text(p, 0x8a, "pong");
    peer_feed_frame_text(p, 0x80, "");
    return true;
}

static bool bad(struct peer *p, const struct scene *at)
{
    (void)at;
    peer_feed_text(p, "\x01\x03\xff\xff");
    return true;
}

static bool close_frame(struct peer *p, const struct scene *at)
{
    peer_feed_frame_text(p, 0x88, "\x03\xe8");
    return at->state >= CAWS_OPEN && !CLOSING_BY(OURS_LEFT);
}

static bool close_frame_before_ours_left(struct peer *p, const struct scene *at)
{
    return CLOSING_BY(OURS_WAITS) && close_frame(p, at);
}

static bool close_frame_after_ours_left(struct peer *p, const struct scene *at)
{
    close_frame(p, at);
    return CLOSING_BY(OURS_LEFT);
}

static bool ours_left_before_close_frame(struct peer *p, const struct scene *at)
{
    peer_take(p);
    return CLOSING_BY(OURS_WAITS);
}

static bool ours_left_after_close_frame(struct peer *p, const struct scene *at)
{
    peer_take(p);
    return CLOSING_BY(THEIRS_CAME);
}

static bool ours_left(struct peer *p, const struct scene *at)
{
    peer_take(p);
    return IN(CAWS_CLOSED);
}

/* The owner does as it must. */
static bool let_go(struct peer *p, const struct scene *at)
{
    if (caws_wants(p->ws) != CAWS_WANT_CLOSE || at->state < CAWS_CLOSING)
        return false;
    peer_eof(p);
    return true;
}

static bool late(struct peer *p, const struct scene *at)
{
    peer_tick(p, 0); /* a timeout counts from the first moment that is known */
    peer_tick(p, 10000);
    return !IN(CAWS_OPEN) && !CLOSING_BY(ABORTED) && !(CLOSING_BY(NEVER_OPEN) && at->client);
}

static bool not_yet(struct peer *p, const struct scene *at)
{
    peer_tick(p, 30000);
    peer_tick(p, 19999);
    return IN(CAWS_OPEN);
}

static bool late_pong(struct peer *p, const struct scene *at)
{
    peer_tick(p, 30000);
    peer_tick(p, 20000);
    return IN(CAWS_OPEN);
}

static bool late_message(struct peer *p, const struct scene *at)
{
    peer_feed_text(p, "\x81");
    peer_tick(p, 60000);
    return IN(CAWS_OPEN);
}

static const struct event {
    const char *name;
    bool (*happens)(struct peer *p, const struct scene *at);
} events[] = {
    { "end", end },
    { "reset", reset },
    { "close", do_close },
    { "abort", do_abort },
    { "send", do_send },
    { "request_accepted", request_accepted },
    { "request_refused", request_refused },
    { "request_put_off", request_put_off },
    { "accept", accept },
    { "refuse", refuse },
    { "response", response },
    { "refusal", refusal },
    { "data", data },
    { "bad", bad },
    { "close_frame", close_frame },
    { "close_frame_before_ours_left", close_frame_before_ours_left },
    { "close_frame_after_ours_left", close_frame_after_ours_left },
    { "ours_left_before_close_frame", ours_left_before_close_frame },
    { "ours_left_after_close_frame", ours_left_after_close_frame },
    { "ours_left", ours_left },
    { "let_go", let_go },
    { "late", late },
    { "not_yet", not_yet },
    { "late_pong", late_pong },
    { "late_message", late_message },
};
#define EVENTS (sizeof events / sizeof *events)

/* ---- The model and the conns -------------------------------------------- */

static const struct row *find_row(const char *event, caws_state from, bool client)
{
    const struct row *found = NULL;
    for (size_t i = 0; i < row_count; i++) {
        const struct row *row = &rows[i];
        if (strcmp(row->event, event) != 0 || row->from != from ||
            !(client ? row->client : row->server))
            continue;
        if (found && found->to != row->to)
            fail_msg("the model has two ends of %s from %d", event, from);
        found = row;
    }
    return found;
}

/* What the model does not have must change nothing. */
static void check(const struct event *event, caws_state from, bool client)
{
    const struct row *row = find_row(event->name, from, client);
    caws_state to = row ? row->to : from;
    unsigned happened = 0;
    bool more = true;
    for (int way = 0; more; way++) {
        struct scene at = { from, client, way };
        struct peer p;
        more = set_scene(&p, from, client, way);
        if (more && event->happens(&p, &at)) {
            happened++;
            if (caws_ready_state(p.ws) != to)
                fail_msg("%s, from state %d (%d) as %s: %d, but the model has %d", event->name,
                         from, way, client ? "client" : "server", caws_ready_state(p.ws), to);
        }
        peer_free(&p);
    }
    if (row && happened == 0)
        fail_msg("%s never happened in state %d", event->name, from);
}

static void test_each_event_in_each_state(void **state)
{
    /* REQ 7.1.3-1, 7.1.4-1 */
    (void)state;
    for (size_t i = 0; i < EVENTS; i++)
        for (int from = CAWS_CONNECTING; from <= CAWS_CLOSED; from++)
            for (int client = 0; client < 2; client++)
                check(&events[i], (caws_state)from, client);
}

static void test_each_line_of_the_model_has_an_event(void **state)
{
    (void)state;
    for (size_t i = 0; i < row_count; i++) {
        size_t n = 0;
        while (n < EVENTS && strcmp(events[n].name, rows[i].event) != 0)
            n++;
        if (n == EVENTS)
            fail_msg("the model's event %s is not played", rows[i].event);
    }
    for (size_t n = 0; n < EVENTS; n++) {
        bool found = false;
        for (size_t i = 0; i < row_count; i++)
            found = found || strcmp(events[n].name, rows[i].event) == 0;
        if (!found)
            fail_msg("the model has no event %s", events[n].name);
    }
}

/* ---- The model and the table of the code -------------------------------- */

/* Does the assertion let it pass? */
static bool may_enter(caws_state from, caws_state to)
{
    int status;
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        struct peer p = { 0 };
        signal(SIGABRT, SIG_DFL);
        if (!freopen("/dev/null", "w", stderr))
            _exit(2);
        peer_open(&p, PEER_SERVER, NULL);
        p.ws->state = (uint8_t)from;
        caws__enter(p.ws, to);
        _exit(0);
    }
    assert_int_equal(waitpid(child, &status, 0), child);
    return WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

static bool model_enters(caws_state from, caws_state to)
{
    for (size_t i = 0; i < row_count; i++)
        if (rows[i].from == from && rows[i].to == to && from != to)
            return true;
    return false;
}

/* The comment above caws__enter: " *   OPEN       -> CLOSED    the ..." */
static unsigned read_comment(bool listed[4][4])
{
    char line[200], from[12], to[12];
    unsigned count = 0;
    FILE *file = fopen(CODE, "r");
    assert_non_null(file);
    while (fgets(line, sizeof line, file)) {
        if (sscanf(line, " * %11[A-Z] -> %11[A-Z]", from, to) != 2)
            continue;
        listed[state_named(from)][state_named(to)] = true;
        count++;
    }
    fclose(file);
    return count;
}

static void test_the_same_table(void **state)
{
    bool listed[4][4] = { { false } };
    (void)state;
    assert_int_equal(read_comment(listed), 6);
    for (int from = CAWS_CONNECTING; from <= CAWS_CLOSED; from++) {
        for (int to = CAWS_CONNECTING; to <= CAWS_CLOSED; to++) {
            bool modelled = model_enters((caws_state)from, (caws_state)to);
            if (modelled != may_enter((caws_state)from, (caws_state)to))
                fail_msg("from %d to %d: the model has %d, but not the code", from, to, modelled);
            if (modelled != listed[from][to])
                fail_msg("from %d to %d: the model has %d, but not the comment", from, to,
                         modelled);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_each_event_in_each_state),
        cmocka_unit_test(test_each_line_of_the_model_has_an_event),
        cmocka_unit_test(test_the_same_table),
    };
    return cmocka_run_group_tests(tests, read_model, NULL);
}
