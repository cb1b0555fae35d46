/* Messages: their content follows from a key, so that whoever receives them, on
 * the wire or at its end, can tell each byte. And the lists of what was sent. */
#include <stdlib.h>
#include <string.h>

#include "sim.h"

/* Text: ten bytes with a code point of each size, over and over; what is left
 * at the end is ASCII. So a cut nearly always cuts a code point. */
static uint8_t text_byte(const struct message *m, uint32_t i)
{
    static const uint8_t unit[10] = { 'a', 0xc3, 0x80, 0xe2, 0x82, 0x80, 0xf0, 0x9f, 0x98, 0x80 };
    uint32_t n = i / 10, vary = (m->key + n * 5) & 63;
    if (n == m->len / 10)
        return (uint8_t)('a' + (m->key + i) % 26);
    i %= 10;
    if (i == 0)
        return (uint8_t)('a' + vary % 26);
    return (uint8_t)(unit[i] | (i == 2 || i == 5 || i == 9 ? vary : 0));
}

static uint8_t content(const struct message *m, uint32_t i)
{
    return m->type == CAWS_TEXT ? text_byte(m, i) : (uint8_t)(m->key + i * 7 + (i >> 8) * 3);
}

void message_fill(const struct message *m, uint32_t from, uint8_t *to, size_t n)
{
    for (size_t i = 0; i < n; i++)
        to[i] = content(m, from + (uint32_t)i);
}

bool message_is(const struct message *m, uint32_t from, const uint8_t *p, size_t n,
                const uint8_t *key, uint64_t at)
{
    static const uint8_t none[4];
    if (!key)
        key = none;
    for (size_t i = 0; i < n; i++)
        if ((p[i] ^ key[(at + i) & 3]) != content(m, from + (uint32_t)i))
            return false;
    return true;
}

void *grown(void *list, size_t *cap, size_t need, size_t size)
{
    if (need <= *cap)
        return list;
    *cap = need * 2 + 16;
    list = realloc(list, *cap * size);
    if (!list)
        abort();
    return list;
}

struct message *message_new(struct end *e, caws_type type, uint32_t key, uint32_t len)
{
    struct message *m;
    e->messages = grown(e->messages, &e->message_cap, e->message_count + 1, sizeof *m);
    m = &e->messages[e->message_count++];
    *m = (struct message){ type, key, len, 0, 0 };
    return m;
}

uint64_t frame_size(const struct end *e, uint64_t len)
{
    return len + (len < 126 ? 2 : len < 65536 ? 4 : 10) + (e->client ? 4 : 0);
}

/* A frame of the last message: before caws is asked to send it, as some of it
 * may be on the wire when that returns. */
void frame_push(struct end *e, uint32_t len, bool fin)
{
    struct message *m = &e->messages[e->message_count - 1];
    e->frames = grown(e->frames, &e->frame_cap, e->frame_count + 1, sizeof *e->frames);
    e->frames[e->frame_count++] =
        (struct frame){ (uint32_t)e->message_count - 1, m->sent, len, fin };
    m->sent += len;
    m->pieces++;
    e->accepted += len;
    e->accepted_frames += frame_size(e, len);
    e->sent_now = false;
}

void frame_pop(struct end *e)
{
    struct frame *f = &e->frames[--e->frame_count];
    struct message *m = &e->messages[f->message];
    m->sent -= f->len;
    m->pieces--;
    e->accepted -= f->len;
    e->accepted_frames -= frame_size(e, f->len);
    if (m->pieces == 0)
        e->message_count--;
}

void controls_push(struct controls *c, const void *bytes, size_t len)
{
    struct control *k;
    c->list = grown(c->list, &c->cap, c->count + 1, sizeof *c->list);
    k = &c->list[c->count++];
    k->len = (uint8_t)len;
    k->may_vanish = false;
    if (len > 0)
        memcpy(k->bytes, bytes, len);
}

struct control *controls_first(struct controls *c)
{
    return c->first < c->count ? &c->list[c->first] : NULL;
}

void controls_pop(struct controls *c)
{
    if (++c->first == c->count)
        c->first = c->count = 0;
}
