/* A request as a server receives it, and frames behind it, against the model:
 * who is let in, who is told what, and that the rest is taken for frames.
 *
 * The first byte chooses a config, the second what the application says, the
 * third how the rest is cut. */
#include "model.h"
#include "receiver.h"

#include <stdlib.h>
#include <string.h>

enum answer { NO_HANDLER, ACCEPT, REFUSE, LATER_ACCEPT, LATER_REFUSE, ANSWERS };

static struct asked {
    enum answer answer;
    unsigned times;
    bool upgrade;
    char target[MODEL_HEAD], host[MODEL_HEAD];
} asked;

static void copy(char *to, caws_slice from)
{
    REQUIRE(from.len < MODEL_HEAD);
    memcpy(to, from.data, from.len);
    to[from.len] = '\0';
}

static int on_request(caws_conn *ws, const caws_request *req)
{
    (void)ws;
    asked.times++;
    asked.upgrade = req->upgrade;
    copy(asked.target, req->target);
    copy(asked.host, req->host);
    REQUIRE(req->method.len == 3 && memcmp(req->method.data, "GET", 3) == 0);
    return asked.answer == ACCEPT ? CAWS_ACCEPT : asked.answer == REFUSE ? 404 : CAWS_LATER;
}

/* The hosts have no port but 8080, which model and caws compare as text. */
static void configure(caws_config *cfg, unsigned how)
{
    static const char *const origins[] = { NULL, "*", "https://a.example, http://b.example:8080",
                                           "null" };
    cfg->path = how & 1 ? "/chat" : NULL;
    cfg->hosts = how & 2 ? "server.example.com, localhost:8080, [::1]" : NULL;
    cfg->origins = origins[how >> 2 & 3];
    cfg->subprotocols = how & 16 ? "chat, superchat" : NULL;
    cfg->max_head = how & 32 ? 300 : MODEL_HEAD - 1;
    cfg->max_headers = how & 64 ? 7 : MODEL_FIELDS;
    cfg->max_message = 3000;
    if (asked.answer != NO_HANDLER)
        cfg->on_request = on_request;
}

/* ---- The model's view -------------------------------------------------- */

struct expected {
    struct bytes events;
    int status; /* 0: no answer */
    struct model_request request;
    bool asked;
    size_t used; /* bytes of the head */
};

static void refused_late(struct expected *e, int error)
{
    trace(&e->events, "close unclean by us", 1006, NULL, 0);
    trace(&e->events, "why", error, NULL, 0);
}

/* The head was right: what the application says decides. */
static void decide(struct expected *e, bool too_much)
{
    enum answer answer = asked.answer;
    bool upgrade = e->status == 101, later = answer >= LATER_ACCEPT;
    e->asked = answer != NO_HANDLER;
    if (later && too_much) { /* bytes behind the head are held: max_head in all */
        e->status = 413;
        trace(&e->events, "error", CAWS_ERR_LIMIT, NULL, 0);
        refused_late(e, CAWS_ERR_LIMIT);
    } else if (answer == REFUSE || answer == LATER_REFUSE) {
        e->status = later ? 403 : 404;
        if (later)
            refused_late(e, CAWS_OK);
    } else if (!upgrade) {
        e->status = 426;
        if (!later)
            trace(&e->events, "error", CAWS_ERR_HANDSHAKE, NULL, 0);
        if (answer != NO_HANDLER)
            refused_late(e, later ? CAWS_OK : CAWS_ERR_HANDSHAKE);
    }
}

static void expect(struct expected *e, const caws_config *cfg, const uint8_t *data, size_t len)
{
    static struct model_head head;
    struct model_limits limits = { cfg->max_head, cfg->max_headers };
    int result = model_head(&head, &limits, data, len, false);
    e->used = head.used;
    if (result == 1) {
        e->status = model_request(&head, cfg, &e->request);
        if (e->status == 101 || e->status == 0)
            decide(e, len - head.used > cfg->max_head - head.counted);
        else
            trace(&e->events, "error", CAWS_ERR_HANDSHAKE, NULL, 0);
    } else if (result > 1) {
        e->status = result;
        trace(&e->events, "error", CAWS_ERR_HANDSHAKE, NULL, 0);
    } else if (len > 0) {
        trace(&e->events, "error", CAWS_ERR_EOF, NULL, 0);
    }
}

/* ---- The answer, as a client sees it ----------------------------------- */

static void check_refusal(const struct model_head *h, size_t body, bool of_head)
{
    unsigned count;
    const char *length = model_field(h, "Content-Length", &count);
    REQUIRE(count == 1 && (of_head || strtoul(length, NULL, 10) == body));
    REQUIRE(model_listed(h, "Connection", "close"));
    switch (atoi(h->start + 9)) {
    case 405:
        REQUIRE(model_listed(h, "Allow", "GET"));
        break;
    case 426:
        REQUIRE(model_listed(h, "Upgrade", "websocket"));
        REQUIRE(strcmp(model_field(h, "Sec-WebSocket-Version", &count), "13") == 0);
        break;
    default:
        break;
    }
}

/* Returns where the frames begin. */
static size_t check_answer(const struct receiver *r, const struct expected *e, const uint8_t *data,
                           size_t len)
{
    static struct model_head request, answer;
    struct model_limits limits = { MODEL_HEAD, MODEL_FIELDS };
    char accept[29];
    unsigned count;
    const char *key;
    if (e->status == 0) {
        REQUIRE(r->output.len == 0);
        return 0;
    }
    REQUIRE(model_head(&answer, &limits, r->output.data, r->output.len, true) == 1);
    REQUIRE(atoi(answer.start + 9) == e->status);
    if (e->status != 101) {
        check_refusal(&answer, r->output.len - answer.used, len > 4 && !memcmp(data, "HEAD", 4));
        return r->output.len;
    }
    REQUIRE(model_head(&request, &limits, data, len, false) == 1);
    key = model_field(&request, "Sec-WebSocket-Key", &count);
    REQUIRE(caws_accept_key(key, strlen(key), accept) == CAWS_OK);
    REQUIRE(model_response(&answer, accept, e->request.protocol) == CAWS_OK);
    REQUIRE((model_field(&answer, "Sec-WebSocket-Protocol", &count) != NULL) ==
            (e->request.protocol[0] != '\0'));
    return answer.used;
}

static void run(struct receiver *r, const uint8_t *data, size_t len, unsigned seed)
{
    r->ws = caws_new_server(&r->cfg, NULL);
    if (!r->ws)
        abort();
    receiver_feed(r, data, len, seed);
    if (asked.times > 0 && caws_ready_state(r->ws) == CAWS_CONNECTING) {
        int result = asked.answer == LATER_ACCEPT ? caws_accept(r->ws) : caws_refuse(r->ws, 403);
        REQUIRE(result == CAWS_OK);
        receiver_feed(r, NULL, 0, seed);
    }
    receiver_end(r);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    struct receiver r = { 0 };
    struct expected e = { 0 };
    struct model m = { .server = true, .max_message = 3000, .max_fragments = 4096,
                       .max_control = 64 };
    if (len < 3)
        return 0;
    asked = (struct asked){ .answer = data[1] % ANSWERS };
    configure(&r.cfg, data[0]);
    receiver_init(&r, false);
    expect(&e, &r.cfg, data + 3, len - 3);
    run(&r, data + 3, len - 3, data[2]);
    REQUIRE(asked.times == e.asked);
    if (e.asked) {
        REQUIRE(asked.upgrade == e.request.upgrade);
        REQUIRE(strcmp(asked.target, e.request.target) == 0);
        REQUIRE(strcmp(asked.host, e.request.host) == 0);
    }
    if (e.status == 101) {
        model_receive(&m, data + 3 + e.used, len - 3 - e.used);
        receiver_compare(&r, check_answer(&r, &e, data + 3, len - 3), &m);
    } else {
        check_answer(&r, &e, data + 3, len - 3);
        trace_compare("the events", &e.events, &r.events);
    }
    model_free(&m);
    bytes_free(&e.events);
    receiver_free(&r);
    return 0;
}
