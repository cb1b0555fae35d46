/* Frames as text, so that one table of exchanges runs on both ends of a
 * connection: the input is masked as that end must receive it, and the output
 * is read back into the same notation.
 *
 *   "01:Hel 89:%00%ff 80:lo"   first byte in hex, then the payload
 *   a*126                      126 times the last byte
 *   88:#1000bye                a status code first
 *   82w:a 82q:a                a length in 16 or 64 bits, though it is short
 *   82u:a                      masked the wrong way
 *   81[9]:abc                  9 bytes are announced, 3 are there
 *   =8300                      bytes as they are
 *
 * What is read back shows a run of eight bytes or more as one, and starts with
 * ! for a frame that is masked the wrong way. */
#ifndef FRAMES_H
#define FRAMES_H

#include "peer.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

/* Build, masked or not; malloced, *len long. */
unsigned char *frames_build(const char *text, bool masked, size_t *len);

/* Feed in one piece, byte by byte, or in pieces of so many bytes. */
int frames_feed(struct peer *p, const char *text);
int frames_feed_pieces(struct peer *p, const char *text, size_t piece);

/* The output so far, in a static buffer. A frame that is cut is shown as
 * "(n bytes)". */
const char *frames_out(const struct peer *p);

/* Fails the test, naming the two, unless got is wanted. A ~ in wanted stands
 * for anything up to the next blank (in frames) or newline (in a log). */
void frames_expect_out(const struct peer *p, const char *name,
                       const char *wanted);
void frames_expect_log(const struct peer *p, const char *name,
                       const char *wanted);

/* What a conn does with some frames. If error is set, they fail it: with
 * on_error after log, and one Close of that error's code, its reason on_error's
 * sentence, after out; and then it stays silent, whatever comes. */
struct frames_row {
    const char *name, *in, *log, *out;
    int error;
};

/* Each row on a fresh OPEN server and client, fed whole, byte by byte, in
 * pieces of three bytes, and in two pieces, cut at each of the first 100
 * bytes. cfg may be NULL. */
void frames_check(const struct frames_row *rows, size_t count,
                  const caws_config *cfg);
#define FRAMES_CHECK(rows, cfg) \
    frames_check(rows, sizeof(rows) / sizeof *(rows), cfg)

/* An on_message that sends the message back. */
void frames_echo(caws_conn *ws, caws_type type, const void *data, size_t len);

#endif
