#include "exchanges.h"

#include <stdlib.h>
#include <string.h>

/* ---- Bytes ------------------------------------------------------------- */

static size_t from_hex(unsigned char *to, const char *hex)
{
    size_t n = 0;
    for (; hex[0] && hex[1]; hex += 2) {
        char digits[3] = { hex[0], hex[1], '\0' };
        to[n++] = (unsigned char)strtoul(digits, NULL, 16);
    }
    return n;
}

static size_t header_bytes(unsigned char *to, const char *hex, bool masked)
{
    size_t n = from_hex(to, hex);
    if (!masked || n < 2)
        return n;
    to[1] |= 0x80;
    memcpy(to + n, "\1\2\3\4", 4);
    return n + 4;
}

static size_t frame_bytes(unsigned char *to, const struct exchange_item *item, bool masked)
{
    size_t have = strlen(item->payload), len = item->len ? item->len : have;
    char *payload = malloc(len + 1);
    size_t n;
    if (!payload)
        abort();
    for (size_t i = 0; i < len; i++)
        payload[i] = item->payload[i % have];
    n = peer_frame(to, item->first, payload, len, masked);
    free(payload);
    return n;
}

static size_t item_bytes(unsigned char *to, const struct exchange_item *item,
                         const struct peer *p, bool client)
{
    switch (item->first) {
    case EXCHANGE_HEADER:
        return header_bytes(to, item->payload, !client);
    case EXCHANGE_BYTES:
        return from_hex(to, item->payload);
    case EXCHANGE_TEXT:
        memcpy(to, item->payload, strlen(item->payload));
        return strlen(item->payload);
    case EXCHANGE_101:
        peer_response_lines(p, (char *)to, 1000);
        strcat((char *)to, item->payload);
        strcat((char *)to, "\r\n");
        return strlen((char *)to);
    default:
        return frame_bytes(to, item, !client);
    }
}

size_t exchange_bytes(const struct exchange *e, const struct peer *p, bool client,
                      unsigned char **bytes, size_t marks[11])
{
    size_t n = 0, at = 0, size = 0;
    for (size_t i = 0; i < 10 && e->items[i].payload; i++)
        size += strlen(e->items[i].payload) + e->items[i].len + 1100;
    *bytes = malloc(size + 1);
    if (!*bytes)
        abort();
    for (; n < 10 && e->items[n].payload; n++) {
        marks[n] = at;
        at += item_bytes(*bytes + at, &e->items[n], p, client);
    }
    marks[n] = at;
    return n;
}

/* ---- The log ----------------------------------------------------------- */

struct joined {
    char *to;       /* the result */
    char *content;  /* of the message under way */
    size_t n, len, count;
    bool begun;
};

static void copy_line(struct joined *j, const char *line, size_t len)
{
    memcpy(j->to + j->n, line, len);
    j->n += len;
    j->to[j->n++] = '\n';
}

/* "chunk text FL 5 Hello" */
static void join_chunk(struct joined *j, const char *line, size_t len)
{
    char start[40], type[8], flags[4];
    size_t bytes;
    int at = 0;
    snprintf(start, sizeof start, "%.39s", line); /* sscanf would measure the whole log */
    if (sscanf(start, "chunk %7s %3s %zu%n", type, flags, &bytes, &at) != 3)
        abort();
    if (!strchr(flags, 'F') != j->begun)
        copy_line(j, "CHUNK_FIRST where it should not be, or not where it should", 58);
    j->begun = !strchr(flags, 'L');
    j->count += bytes;
    if (bytes > 0) {
        memcpy(j->content + j->len, line + at + 1, len - (size_t)at - 1);
        j->len += len - (size_t)at - 1;
    }
    if (j->begun)
        return;
    j->n += (size_t)sprintf(j->to + j->n, "%s %zu%s%.*s\n", type, j->count,
                            j->count ? " " : "", (int)j->len, j->content);
    j->len = j->count = 0;
}

char *exchange_log(const char *log)
{
    struct joined j = { malloc(2 * strlen(log) + 100), malloc(strlen(log) + 1), 0, 0, 0, false };
    if (!j.to || !j.content)
        abort();
    for (const char *end; *log; log = end + 1) {
        end = strchr(log, '\n');
        if (strncmp(log, "chunk ", 6) == 0)
            join_chunk(&j, log, (size_t)(end - log));
        else if (strncmp(log, "error ", 6) == 0)
            copy_line(&j, log, 6 + strcspn(log + 6, " "));
        else
            copy_line(&j, log, (size_t)(end - log));
    }
    j.to[j.n] = '\0';
    free(j.content);
    return j.to;
}
