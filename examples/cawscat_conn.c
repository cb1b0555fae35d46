#include "cawscat.h"

#include <string.h>

/* What a conn's user pointer says: NULL, it was never open. */
static char was_opened, has_answered;

/* ---- Many or one ------------------------------------------------------- */

void conn_each(struct cat *cat, void (*fn)(caws_conn *ws, void *arg), void *arg)
{
    caws_conn *ws = cat->server ? NULL : caws_find(cat->loop, cat->client);

    if (cat->server)
        caws_server_each(cat->server, fn, arg);
    else if (ws && caws_ready_state(ws) == CAWS_OPEN)
        fn(ws, arg);
}

struct room {
    unsigned open, full;
};

static void measure(caws_conn *ws, void *arg)
{
    struct room *room = arg;

    room->open++;
    room->full += caws_needs_drain(ws);
}

bool conn_has_room(struct cat *cat)
{
    struct room room = {0, 0};

    conn_each(cat, measure, &room);
    return room.open > 0 && room.full == 0;
}

static void close_one(caws_conn *ws, void *code)
{
    caws_resume(ws);
    caws_close(ws, *(uint16_t *)code, NULL);
}

void conn_close_all(struct cat *cat, uint16_t code)
{
    cat->ending = true;
    conn_each(cat, close_one, &code);
    if (cat->server)
        caws_server_stop(cat->server, 10000);
    cat->over = cat->open == 0;
}

/* ---- The end of stdin -------------------------------------------------- */

/* After our Close no message would be delivered any more, and a peer that has seen it may drop
 * what it had to say. So Close waits until each peer has taken all of ours, has read it (it answers
 * a Ping), and has then been silent for a while. */
static const char LAST_PING[] = "cawscat";

static void ask(caws_conn *ws, void *unused)
{
    (void)unused;
    caws_ping(ws, LAST_PING, sizeof LAST_PING);
}

static void count_busy(caws_conn *ws, void *busy)
{
    if (caws_user(ws) != &has_answered || caws_buffered_amount(ws) > 0)
        ++*(unsigned *)busy;
}

static void wait_on(struct cat *cat)
{
    caws_timer_start(cat->loop, &cat->quiet, cat->set.wait_ms, 0);
}

static void on_quiet(caws_timer *timer)
{
    struct cat *cat = timer->user;
    unsigned busy = cat->paused;

    conn_each(cat, count_busy, &busy);
    if (busy > 0)
        caws_timer_start(cat->loop, timer, cat->set.wait_ms + 10, 0);
    else
        conn_close_all(cat, CAWS_CLOSE_NORMAL);
}

static void end(struct cat *cat)
{
    if (cat->set.one && cat->sent > 0 && cat->heard == 0)
        return;
    cat->ending = true;
    if (cat->set.one || cat->terminal) {
        conn_close_all(cat, CAWS_CLOSE_NORMAL);
        return;
    }
    conn_each(cat, ask, NULL);
    cat->quiet = (caws_timer){.fn = on_quiet, .user = cat};
    wait_on(cat);
}

/* ---- Sending ----------------------------------------------------------- */

static void give_up(struct cat *cat, const char *why)
{
    print_failure(cat, FAILED, "%s", why);
    cat->in.ended = true;
    cat->in.bytes.start = cat->in.bytes.end;
    conn_close_all(cat, CAWS_CLOSE_NORMAL);
}

static void send_line(struct cat *cat, const caws_slice *line)
{
    caws_type type = cat->set.binary ? CAWS_BINARY : CAWS_TEXT;
    caws_conn *ws = caws_find(cat->loop, cat->client);
    int64_t result = cat->server
                         ? caws_broadcast(cat->server, NULL, type, line->data, line->len)
                         : caws_send(ws, type, line->data, line->len);

    if (result == CAWS_ERR_UTF8 && cat->terminal)
        print_notice(cat, "not sent: this is not UTF-8");
    else if (result == CAWS_ERR_UTF8)
        give_up(cat, "stdin has text that is not UTF-8; --binary sends anything");
    else if (result < 0)
        give_up(cat, caws_strerror((int)result));
    else
        cat->sent++;
    if (cat->early && cat->sent > 0)
        print_message(cat, cat->early_type, cat->held.data, cat->held.end);
    cat->early = cat->early && cat->sent == 0;
}

void conn_send_lines(struct cat *cat)
{
    struct input *in = &cat->in;
    caws_slice line = {NULL, 0};

    while (!cat->ending && conn_has_room(cat) && input_next(in, &cat->set, &line)) {
        if (line.len > cat->set.client.ws.max_message)
            break;
        send_line(cat, &line);
        input_done(in, &line);
        if (cat->set.one && cat->terminal)
            in->ended = true;
    }
    if (cat->ending)
        return;
    if (line.len > cat->set.client.ws.max_message)
        give_up(cat, "stdin has a message larger than --max-message");
    else if (in->ended && in->bytes.start == in->bytes.end &&
             (cat->open > 0 || cat->terminal))
        end(cat);
}

/* ---- Handlers ---------------------------------------------------------- */

static void on_open(caws_conn *ws)
{
    struct cat *cat = caws_context(ws);
    const char *chosen = caws_subprotocol(ws);
    char peer[64] = "";

    cat->open++;
    caws_set_user(ws, &was_opened);
    caws_peer_name(ws, peer, sizeof peer);
    print_notice(cat, "%s %s%s%s; Ctrl-D closes", cat->server ? "here comes" : "connected to", peer,
                 *chosen ? ", subprotocol " : "", chosen);
    if (cat->ending)
        ask(ws, NULL);
    if (cat->paused)
        caws_pause(ws);
}

static void on_message(caws_conn *ws, caws_type type, const void *data, size_t len)
{
    struct cat *cat = caws_context(ws);

    if (cat->set.one && cat->heard > 0)
        return; /* not the first answer */
    cat->heard++;
    cat->early = cat->set.one && cat->sent == 0 && !cat->server;
    cat->early_type = type;
    if (cat->early)
        bytes_add(&cat->held, data, len); /* until something was sent */
    else
        print_message(cat, type, data, len);
    if (cat->ending)
        wait_on(cat);
}

static void on_pong(caws_conn *ws, const void *data, size_t len)
{
    struct cat *cat = caws_context(ws);

    if (len != sizeof LAST_PING || memcmp(data, LAST_PING, len) != 0 || !cat->ending)
        return;
    caws_set_user(ws, &has_answered);
    wait_on(cat);
}

/* The sentence without its citation. */
static int sentence(const char *detail)
{
    const char *rfc = strstr(detail, ", RFC");

    return (int)(rfc ? (size_t)(rfc - detail) : strlen(detail));
}

static const char *kind(int error, const char *detail)
{
    switch (error) {
    case CAWS_ERR_RESOLVE:
        return "not found";
    case CAWS_ERR_CONNECT:
        return strstr(detail, "nobody listens") ? "refused" : "not reached";
    case CAWS_ERR_TIMEOUT:
        return "timed out";
    default:
        return caws_strerror(error);
    }
}

static void on_error(caws_conn *ws, int error, const char *detail)
{
    struct cat *cat = caws_context(ws);
    caws_slice to = caws_header(ws, "Location");
    const char *url = cat->set.client.url;

    cat->detail = detail;
    if (caws_user(ws))
        return; /* on_close says it */
    if (cat->server)
        print_notice(cat, "turned away: %.*s", sentence(detail), detail);
    else if (error == CAWS_ERR_REFUSED)
        print_failure(cat, FAILED, "%s: the server answered with HTTP status %d%s%.*s", url,
                      caws_http_status(ws), to.data ? ", Location: " : "", (int)to.len, to.data);
    else
        print_failure(cat, FAILED, "%s: %s: %.*s", url, kind(error, detail), sentence(detail),
                      detail);
}

static void on_close(caws_conn *ws, const caws_close_event *event)
{
    struct cat *cat = caws_context(ws);
    bool ours = event->was_clean && event->ended_by == CAWS_BY_US && event->error == CAWS_OK;
    bool good = event->code == CAWS_CLOSE_NORMAL || event->code == CAWS_CLOSE_NO_STATUS;
    const char *why = event->error && cat->detail ? cat->detail : event->reason;

    if (caws_user(ws)) {
        cat->open--;
        if (good || ours || cat->terminal)
            print_notice(cat, "closed with %u %s", (unsigned)event->code, event->reason);
        if (!good && !ours)
            print_failure(cat, CLOSED_BADLY, "closed with %u%s%.*s", (unsigned)event->code,
                          *why ? ": " : "", sentence(why), why);
    }
    if (!cat->server)
        cat->over = true;
    else if (cat->open == 0 && (cat->ending || (cat->set.one && caws_user(ws))))
        conn_close_all(cat, CAWS_CLOSE_NORMAL);
}

void conn_handlers(caws_config *ws, struct cat *cat)
{
    ws->context = cat;
    ws->on_open = on_open;
    ws->on_message = on_message;
    ws->on_pong = on_pong;
    ws->on_error = on_error;
    ws->on_close = on_close;
}
