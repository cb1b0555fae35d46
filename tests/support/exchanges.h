/* Recorded exchanges: what a peer sends, and what must come of it. They are
 * fed in every segmentation (test_splits.c); fuzzers may start from them. */
#ifndef EXCHANGES_H
#define EXCHANGES_H

#include "peer.h"

enum exchange_start {
    EXCHANGE_OPEN,   /* either role, OPEN from the start */
    EXCHANGE_SERVER, /* with the opening handshake */
    EXCHANGE_CLIENT
};

/* What an application does at each binary message, at its end. */
enum exchange_act { EXCHANGE_NOTHING, EXCHANGE_CLOSE, EXCHANGE_PAUSE, EXCHANGE_ECHO };

#define EXCHANGE_HEADER 0x100 /* payload: a header in hex, unmasked form   */
#define EXCHANGE_BYTES  0x101 /* payload: hex, as it is                    */
#define EXCHANGE_TEXT   0x102 /* payload: text, as it is                   */
#define EXCHANGE_101    0x103 /* a right 101, and payload's further lines  */

/* A frame by its first byte, masked for a server; or one of the above. */
struct exchange_item {
    unsigned first;
    const char *payload;
    size_t len; /* payload is repeated up to it; 0: once */
};

struct exchange {
    const char *name;
    enum exchange_start start;
    int act;                   /* enum exchange_act */
    int answer;                /* of on_request */
    struct exchange_item items[10];
    const char *log;           /* see exchange_log; NULL: not compared */
    int close;                 /* peer_out_close */
    int status;                /* peer_out_status */
    caws_config cfg;
};

extern const struct exchange exchanges[];
extern const size_t exchange_count;

/* The bytes of an exchange for a peer, and where each item begins (the end
 * of all is last: marks[n] is the size). Returns n. free(*bytes). */
size_t exchange_bytes(const struct exchange *e, const struct peer *p, bool client,
                      unsigned char **bytes, size_t marks[11]);

/* A peer's log with an error's sentence cut off and the chunks of a message
 * joined to one line, as if on_message had reported it; of a message that did
 * not end there is nothing. free() the result. */
char *exchange_log(const char *log);

#endif
