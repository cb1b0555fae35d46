/* URLs, against a second parser; and a client's request for each that is good. */
#include <caws.h>

#include "model.h"
#include "receiver.h"

#include <stdlib.h>
#include <string.h>

static bool same(caws_slice a, caws_slice b)
{
    return a.len == b.len && memcmp(a.data, b.data, a.len) == 0;
}

/* "GET target HTTP/1.1", and a Host field with the port if it is not the
 * scheme's (RFC 6455 section 4.1). */
static void check_request(const char *url, const caws_url *u)
{
    struct receiver r = { 0 };
    struct bytes wanted = { NULL, 0, 0 };
    bool literal = memchr(u->host.data, ':', u->host.len) != NULL;
    receiver_init(&r, false);
    r.ws = caws_new_client(url, &r.cfg, NULL);
    REQUIRE(r.ws != NULL);
    bytes_text(&wanted, u->target.data[0] == '?' ? "GET /" : "GET ");
    bytes_add(&wanted, u->target.data, u->target.len);
    bytes_text(&wanted, literal ? " HTTP/1.1\r\nHost: [" : " HTTP/1.1\r\nHost: ");
    bytes_add(&wanted, u->host.data, u->host.len);
    bytes_text(&wanted, literal ? "]" : "");
    if (u->port != (u->secure ? 443 : 80)) {
        bytes_text(&wanted, ":");
        bytes_number(&wanted, u->port);
    }
    bytes_text(&wanted, "\r\nUpgrade: websocket\r\n");
    receiver_feed(&r, NULL, 0, 0);
    REQUIRE(r.output.len > wanted.len);
    r.output.len = wanted.len;
    trace_compare("the beginnings of the request", &wanted, &r.output);
    receiver_end(&r);
    receiver_free(&r);
    bytes_free(&wanted);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    char *url = malloc(len + 1);
    caws_url model, caws = { { "untouched", 9 }, { NULL, 0 }, 7, true };
    bool good;
    if (!url)
        abort();
    if (len > 0)
        memcpy(url, data, len);
    url[len] = '\0';
    good = model_url(url, &model);
    REQUIRE(caws_url_parse(url, &caws) == (good ? CAWS_OK : CAWS_ERR_URL));
    if (good) {
        REQUIRE(same(model.host, caws.host) && same(model.target, caws.target));
        REQUIRE(model.port == caws.port && model.secure == caws.secure);
        check_request(url, &caws);
    } else {
        REQUIRE(caws.port == 7 && caws.host.len == 9);
    }
    free(url);
    return 0;
}
