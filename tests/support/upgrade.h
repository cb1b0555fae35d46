/* Opening handshakes, put together, fed and judged. */
#ifndef UPGRADE_H
#define UPGRADE_H

#include "peer.h"

#include <setjmp.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

/* The answer to PEER_REQUEST and to a client whose random source is
 * upgrade_nonce, less its last, empty line. */
#define UPGRADE_ACCEPT "Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n"
#define UPGRADE_RESPONSE_LINES \
    "HTTP/1.1 101 Switching Protocols\r\n" \
    "Upgrade: websocket\r\nConnection: Upgrade\r\n" UPGRADE_ACCEPT
#define UPGRADE_RESPONSE UPGRADE_RESPONSE_LINES "\r\n"

/* A config.random that gives RFC 6455's nonce, "the sample nonce". */
int upgrade_nonce(void *ctx, void *out, size_t len);

/* The head whose lines are given, with the line that starts with drop replaced
 * by add; where drop is NULL, add comes last. Then the empty line. In a static
 * buffer that the next call reuses. */
const char *upgrade_edit(const char *lines, const char *drop, const char *add);

/* A server that has just refused, and its output was taken: one response of
 * this status, with Connection: close and exactly the body it announces;
 * further bytes change nothing; SHUTDOWN and READ are wanted until the end of
 * the transport, then CLOSE. */
void upgrade_assert_refused(struct peer *p, int status);

/* Feed a request to a fresh server; the result is the status it answers, 0 for
 * none. A 101 must have made it OPEN; any other must be a proper refusal. Fails
 * where the request fed byte by byte gives another log or output. cfg may be
 * NULL. */
int upgrade_request(const caws_config *cfg, const void *data, size_t len);

/* Feed a response to a fresh client of ws://server.example.com/chat, whose
 * random source is upgrade_nonce. The result is CAWS_OK if it is OPEN then,
 * else the error; a failed one must have done all that follows from failing,
 * and only that. Byte by byte must give the same. */
int upgrade_response(const caws_config *cfg, const void *data, size_t len);

/* drop and add as for upgrade_edit. A '\1' in add stands for a NUL. */
struct upgrade_row {
    const char *drop, *add;
    int expected; /* status of upgrade_request, error of upgrade_response */
};
/* Each row, applied to PEER_REQUEST_LINES or UPGRADE_RESPONSE_LINES. */
void upgrade_check_requests(const caws_config *cfg,
                            const struct upgrade_row *rows, size_t count);
void upgrade_check_responses(const caws_config *cfg,
                             const struct upgrade_row *rows, size_t count);
#define UPGRADE_CHECK_REQUESTS(cfg, rows) \
    upgrade_check_requests(cfg, rows, sizeof(rows) / sizeof *(rows))
#define UPGRADE_CHECK_RESPONSES(cfg, rows) \
    upgrade_check_responses(cfg, rows, sizeof(rows) / sizeof *(rows))

/* How many lines of the output's head start with this text. */
unsigned upgrade_lines(const struct peer *p, const char *start);
bool upgrade_is(caws_slice s, const char *text);

#endif
