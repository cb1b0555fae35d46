/* Any bytes, either role, with or without the opening handshake, cut in two
 * ways: what a conn reports and sends does not depend on how its input was cut.
 *
 * The first byte of the input chooses the circumstances, the second one way of
 * cutting; the other is one piece. */
#include "model.h"
#include "receiver.h"

#include <stdlib.h>
#include <string.h>

enum { CLIENT = 1, HANDSHAKE = 2, STREAM = 4, PAUSE = 8, CLOSE = 16 };

static void run(struct receiver *r, const uint8_t *data, size_t len, unsigned how, unsigned seed)
{
    bool client = how & CLIENT;
    *r = (struct receiver){ .echo = true, .pause = how & PAUSE, .close_at = how & CLOSE ? 3 : 0 };
    r->cfg.max_message = 5000;
    r->cfg.max_fragments = 20;
    r->cfg.max_buffered = 1u << 20;
    receiver_init(r, how & STREAM);
    if (!(how & HANDSHAKE))
        r->ws = caws_new_open(client, NULL, NULL, &r->cfg, NULL);
    else if (client)
        r->ws = caws_new_client("ws://h/", &r->cfg, NULL);
    else
        r->ws = caws_new_server(&r->cfg, NULL);
    if (!r->ws)
        abort();
    receiver_feed(r, data, len, seed);
    receiver_end(r);
}

/* The size of the HTTP head that the output begins with, all of it if it is a
 * refusal. */
static size_t head_size(const struct receiver *r, unsigned how)
{
    static struct model_head head;
    struct model_limits limits = { MODEL_HEAD, MODEL_FIELDS };
    bool response = !(how & CLIENT);
    int result;
    if (!(how & HANDSHAKE))
        return 0;
    result = model_head(&head, &limits, r->output.data, r->output.len, response);
    return result == 1 && (!response || atoi(head.start + 9) == 101) ? head.used : r->output.len;
}

/* Control frames overtake data, and how far depends on when output was taken:
 * so the two are compared one by one. */
static void compare(const struct receiver *a, const struct receiver *b, unsigned how)
{
    struct model sent_a, sent_b;
    struct bytes head_a = { NULL, 0, 0 }, head_b = { NULL, 0, 0 };
    size_t n = head_size(a, how), m = head_size(b, how);
    trace_compare("the events", &a->events, &b->events);
    bytes_add(&head_a, a->output.data, n);
    bytes_add(&head_b, b->output.data, m);
    trace_compare("the heads sent", &head_a, &head_b);
    receiver_sent(a, how & CLIENT, n, &sent_a);
    receiver_sent(b, how & CLIENT, m, &sent_b);
    trace_compare("the control frames sent", &sent_a.heard, &sent_b.heard);
    trace_compare("the messages sent", &sent_a.echoed, &sent_b.echoed);
    REQUIRE(strcmp(a->detail, b->detail) == 0);
    bytes_free(&head_a);
    bytes_free(&head_b);
    model_free(&sent_a);
    model_free(&sent_b);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    struct receiver whole, cut;
    if (len < 2)
        return 0;
    run(&whole, data + 2, len - 2, data[0], 0);
    run(&cut, data + 2, len - 2, data[0], data[1] + 1u);
    compare(&whole, &cut, data[0]);
    receiver_free(&whole);
    receiver_free(&cut);
    return 0;
}
