/* A response as a client receives it, and frames behind it, against the model.
 *
 * The first byte chooses a config, the second how the rest is cut. The key is
 * always that of RFC 6455 section 1.3, so that an input can have the accept. */
#include "model.h"
#include "receiver.h"

#include <stdlib.h>
#include <string.h>

static int sample_nonce(void *ctx, void *out, size_t len)
{
    (void)ctx;
    for (size_t i = 0; i < len; i++)
        ((char *)out)[i] = "the sample nonce"[i % 16];
    return 0;
}

/* Heads one after the other, as long as they are interim: the error or OK, 1
 * for unfinished. *used is where the frames begin. Policy: eight interim
 * responses at most, and max_head for all heads together. */
static int expect(const caws_config *cfg, const uint8_t *data, size_t len, size_t *used)
{
    static struct model_head head;
    struct model_limits limits = { cfg->max_head, cfg->max_headers };
    *used = 0;
    for (int interim = 0; interim <= 8; interim++) {
        int result = model_head(&head, &limits, data + *used, len - *used, true);
        if (result == 0)
            return 1;
        if (result > 1)
            return CAWS_ERR_HANDSHAKE;
        *used += head.used;
        limits.max_head -= head.used;
        result = model_response(&head, "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=", cfg->subprotocols);
        if (result != 1)
            return result;
    }
    return CAWS_ERR_HANDSHAKE;
}

static void expect_events(struct bytes *events, int result)
{
    int error = result == 1 ? CAWS_ERR_EOF : result;
    trace(events, "error", error, NULL, 0);
    trace(events, result == 1 ? "close unclean by transport" : "close unclean by us", 1006, NULL,
          0);
    trace(events, "why", error, NULL, 0);
}

/* Where the request ends in the output. */
static size_t request_size(const struct receiver *r)
{
    static struct model_head head;
    struct model_limits limits = { MODEL_HEAD, MODEL_FIELDS };
    struct model_request request;
    REQUIRE(model_head(&head, &limits, r->output.data, r->output.len, false) == 1);
    REQUIRE(model_request(&head, &r->cfg, &request) == 101);
    return head.used;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    struct receiver r = { 0 };
    struct bytes events = { NULL, 0, 0 };
    struct model m = { .max_message = 3000, .max_fragments = 4096, .max_control = 64 };
    size_t used, request;
    int result;
    if (len < 2)
        return 0;
    r.cfg.subprotocols = data[0] & 1 ? "chat, superchat" : NULL;
    r.cfg.max_head = data[0] & 2 ? 300 : MODEL_HEAD - 1;
    r.cfg.max_headers = data[0] & 4 ? 6 : MODEL_FIELDS;
    r.cfg.max_message = 3000;
    receiver_init(&r, data[0] & 8);
    r.cfg.random = sample_nonce;
    result = expect(&r.cfg, data + 2, len - 2, &used);
    r.ws = caws_new_client("ws://server.example.com/chat", &r.cfg, NULL);
    if (!r.ws)
        abort();
    receiver_feed(&r, data + 2, len - 2, data[1]);
    receiver_end(&r);
    request = request_size(&r);
    if (result == CAWS_OK) {
        model_receive(&m, data + 2 + used, len - 2 - used);
        receiver_compare(&r, request, &m);
    } else {
        expect_events(&events, result);
        trace_compare("the events", &events, &r.events);
        REQUIRE(r.output.len == request); /* no frame */
    }
    model_free(&m);
    bytes_free(&events);
    receiver_free(&r);
    return 0;
}
