#include "frames.h"

#include "model.h"
#include "receiver.h"

#include <stdlib.h>

enum { STREAM = 1, ECHO = 2, PAUSE = 4, HOLD = 8, CLOSE = 16, SMALL = 32 };

void frames_run(bool client, const uint8_t *data, size_t len)
{
    struct receiver r = { 0 };
    struct model m = { 0 };
    unsigned how, seed;
    if (len < 2)
        return;
    how = data[0];
    seed = data[1];
    m.server = !client;
    m.max_message = how & SMALL ? 20 : 3000;
    m.max_fragments = how & SMALL ? 3 : 20;
    m.max_control = how & SMALL ? 4 : 64;
    m.echo = how & ECHO;
    m.close_at = how & CLOSE ? 2 : 0;
    model_receive(&m, data + 2, len - 2);

    r.cfg.max_message = m.max_message;
    r.cfg.max_fragments = m.max_fragments;
    r.cfg.max_control_burst = m.max_control;
    r.echo = m.echo;
    r.close_at = m.close_at;
    r.pause = how & PAUSE;
    r.hold = how & HOLD;
    receiver_init(&r, how & STREAM);
    r.ws = caws_new_open(client, NULL, NULL, &r.cfg, NULL);
    if (!r.ws)
        abort();
    receiver_feed(&r, data + 2, len - 2, seed);
    receiver_end(&r);
    receiver_compare(&r, 0, &m);
    receiver_free(&r);
    model_free(&m);
}
