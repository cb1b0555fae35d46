#include "protocol/prepared.h"

#include <string.h>

#include "protocol/buffer.h"
#include "protocol/frame.h"
#include "protocol/utf8.h"

caws_prepared *caws_prepare(const caws_config *cfg, caws_type type,
                            const void *data, size_t len)
{
    caws_alloc alloc = cfg ? cfg->alloc : (caws_alloc){ NULL, NULL };
    bool check = type == CAWS_TEXT && (!cfg || !cfg->trust_utf8);
    size_t header = caws__frame_header_size(len, false);
    caws_prepared *msg;
    if ((type != CAWS_TEXT && type != CAWS_BINARY) || (!data && len > 0) ||
        len > SIZE_MAX / 2 || (check && !caws__utf8_valid(data, len)))
        return NULL;
    msg = caws__resize(&alloc, NULL, 0, sizeof *msg + header + len);
    if (!msg)
        return NULL;
    atomic_init(&msg->users, 1);
    msg->alloc = alloc;
    msg->type = type;
    msg->header = header;
    msg->len = header + len;
    caws__frame_write(msg->frame, true, (uint8_t)type, len, NULL);
    if (len > 0)
        memcpy(msg->frame + header, data, len);
    return msg;
}

void caws_prepared_free(caws_prepared *msg)
{
    caws_alloc alloc;
    if (!msg)
        return;
    /* Release, so that our reads come before the last user's free; acquire, so
     * that the last user's free comes after everybody's reads. */
    if (atomic_fetch_sub_explicit(&msg->users, 1, memory_order_acq_rel) > 1)
        return;
    alloc = msg->alloc;
    caws__resize(&alloc, msg, sizeof *msg + msg->len, 0);
}
