/* Received data frames become the application's messages (RFC 6455 sections
 * 5.4 and 6.2): whole where they lie, reassembled, or streamed. */
#ifndef CAWS__DELIVER_H
#define CAWS__DELIVER_H

#include "protocol/conn.h"

/* Are messages delivered by on_message? */
static inline bool caws__delivers_whole(const caws_config *cfg)
{
    return cfg->on_message && !cfg->on_chunk;
}

/* A message is about to be delivered. */
static inline void caws__deliver_count(const struct caws_conn *ws)
{
    if (ws->transport->counters)
        ws->transport->counters->messages_in++;
}

/* A text is not UTF-8. */
void caws__deliver_bad_text(struct caws_conn *ws);

/* A data frame's header has come: within the limits? */
int caws__deliver_frame(struct caws_conn *ws, const struct caws__frame *frame,
                        const char **detail);

/* The next bytes of its payload, up to its end or not. */
void caws__deliver_bytes(struct caws_conn *ws, uint8_t *data, size_t len,
                         bool frame_ends);

#endif
