/* The load: many connections to one server, driven by one thread. Every function
 * returns with all its connections at rest, so what is measured before and after
 * a call belongs to the call. */
#ifndef BENCH_LOAD_H
#define BENCH_LOAD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* What is sent in one write: frames, masked, all with the same payload. */
struct batch {
    unsigned char *bytes;
    size_t len;
    unsigned char *payload;
    size_t size;
    unsigned frames;
};

void batch_make(struct batch *b, size_t size, unsigned frames);
void batch_free(struct batch *b);

struct load_conn;
struct load {
    int epoll;
    uint16_t port;
    bool raw; /* the server is one that sends back what it gets: no handshake, no frames */
    struct load_conn *conns;
    size_t count, busy;
};

/* How much to do: whichever comes first. */
struct amount {
    double seconds;
    uint64_t batches; /* per connection; 0: as many as there is time for */
};

void load_open(struct load *l, uint16_t port, bool raw, size_t count);
void load_more(struct load *l, size_t count);
void load_close(struct load *l);

/* Each connection sends the batch, waits until all of it has come back, and so
 * on. With check, every byte is compared. Returns the messages echoed. */
uint64_t load_echo(struct load *l, const struct batch *b, struct amount amount, bool check);

/* The first connection publishes a batch, and all of them wait for it. Returns
 * the messages delivered. */
uint64_t load_broadcast(struct load *l, const struct batch *b, struct amount amount, bool check);

/* Connect, upgrade, close: so many at a time. amount.batches: in all. Returns how many. */
uint64_t load_handshakes(uint16_t port, size_t at_a_time, struct amount amount);

#endif
