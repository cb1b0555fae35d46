/* The defaults of caws_config, in one place: what zero means. */
#ifndef CAWS__LIMITS_H
#define CAWS__LIMITS_H

#include <caws.h>

static inline uint32_t caws__or(uint32_t value, uint32_t fallback)
{
    return value ? value : fallback;
}

/* "Unlimited" still leaves room to add two sizes. */
static inline size_t caws__size_or(size_t value, size_t fallback)
{
    size_t n = value ? value : fallback;
    return n < SIZE_MAX / 2 ? n : SIZE_MAX / 2;
}

static inline size_t caws__max_message(const caws_config *c)
{
    return caws__size_or(c->max_message, (size_t)1 << 20);
}

static inline uint32_t caws__max_fragments(const caws_config *c)
{
    return caws__or(c->max_fragments, 4096);
}

static inline size_t caws__max_buffered(const caws_config *c)
{
    return caws__size_or(c->max_buffered, (size_t)1 << 20);
}

static inline size_t caws__max_head(const caws_config *c)
{
    return caws__size_or(c->max_head, 16384);
}

static inline uint32_t caws__max_headers(const caws_config *c)
{
    return caws__or(c->max_headers, 64);
}

static inline uint32_t caws__max_control_burst(const caws_config *c)
{
    return caws__or(c->max_control_burst, 64);
}

/* Milliseconds; CAWS_OFF switches a timeout off. */
static inline uint32_t caws__handshake_timeout(const caws_config *c)
{
    return caws__or(c->handshake_timeout_ms, 10000);
}

static inline uint32_t caws__message_timeout(const caws_config *c)
{
    return caws__or(c->message_timeout_ms, 60000);
}

static inline uint32_t caws__ping_interval(const caws_config *c)
{
    return caws__or(c->ping_interval_ms, 30000);
}

static inline uint32_t caws__pong_timeout(const caws_config *c)
{
    return caws__or(c->pong_timeout_ms, 20000);
}

static inline uint32_t caws__close_timeout(const caws_config *c)
{
    return caws__or(c->close_timeout_ms, 5000);
}

#endif
