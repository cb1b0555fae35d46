/* A message of 4 GiB is echoed as it comes, in less than 16 MiB of resident
 * memory, and Pings sent in its middle are answered within 100 ms. */
#include "stress.h"

#define TOTAL    ((uint64_t)4 << 30)
#define FRAGMENT ((uint64_t)1 << 20)
#define PINGS    64u /* one each so many fragments */

static struct {
    uint16_t port;
    _Atomic bool done;
    double slowest_ms;
    unsigned pings;
} *board;

/* ---- The server: this process ------------------------------------------ */

static void on_chunk(caws_conn *ws, caws_type type, const void *data, size_t len, unsigned flags)
{
    CHECK(caws_send_fragment(ws, type, data, len, flags & CAWS_CHUNK_LAST) == CAWS_OK);
    if (caws_needs_drain(ws))
        caws_pause(ws);
}

/* ---- The client -------------------------------------------------------- */

static struct {
    struct raw raw;
    uint64_t sent, received; /* payload bytes */
    unsigned fragments;
    double pinged;           /* when; 0: none is under way */
    bool finished;
    unsigned char out[14 + FRAGMENT + 14]; /* a fragment, and a Ping perhaps */
    size_t out_len, out_at;
    bool with_ping;
} c;

static void part(struct raw *r, const unsigned char *data, size_t len, bool last)
{
    if (r->opcode == 10) {
        double ms = (now_s() - c.pinged) * 1000;

        CHECK(c.pinged > 0 && last);
        board->slowest_ms = ms > board->slowest_ms ? ms : board->slowest_ms;
        board->pings++;
        c.pinged = 0;
        return;
    }
    CHECK(r->opcode == (c.received == 0 && r->at == 0 ? 2 : r->opcode) && r->opcode <= 2);
    while (len > 0) {
        size_t from = c.received % PATTERN;
        size_t n = len < PATTERN - from ? len : PATTERN - from;

        CHECK(memcmp(data, pattern + from, n) == 0);
        c.received += n;
        data += n;
        len -= n;
    }
    c.finished |= last && r->fin;
}

/* The next fragment; each has the same bytes, masked. */
static void next_fragment(void)
{
    static unsigned char head[14];
    static size_t head_len, payload_at;
    uint64_t left = TOTAL - c.sent;

    head_len = raw_header(head, (left == FRAGMENT ? 0x80u : 0u) | (c.sent == 0 ? 2u : 0u), FRAGMENT);
    payload_at = head_len;
    if (c.sent == 0) {
        for (size_t i = 0; i < FRAGMENT; i++)
            c.out[payload_at + i] = pattern[i % PATTERN] ^ raw_key[i % 4];
    }
    memcpy(c.out, head, head_len);
    c.out_len = head_len + FRAGMENT;
    c.out_at = 0;
    c.sent += FRAGMENT;
    c.with_ping = ++c.fragments % PINGS == 0 && c.pinged == 0 && left > FRAGMENT;
    if (c.with_ping)
        c.out_len += raw_frame(c.out + c.out_len, 0x89, "now", 3);
}

static void write_some(int fd)
{
    ssize_t n;

    if (c.out_at == c.out_len && c.sent < TOTAL)
        next_fragment();
    if (c.out_at == c.out_len)
        return;
    n = send(fd, c.out + c.out_at, c.out_len - c.out_at, MSG_NOSIGNAL);
    CHECK(n > 0 || errno == EAGAIN);
    c.out_at += n > 0 ? (size_t)n : 0;
    if (c.out_at == c.out_len && c.with_ping) {
        c.pinged = now_s();
        c.with_ping = false;
    }
}

static void be_client(void *unused)
{
    static unsigned char in[256 * 1024];
    int fd = raw_open(board->port);

    (void)unused;
    raw_unblock(fd);
    c.raw.part = part;
    while (!c.finished || c.pinged > 0) {
        struct pollfd p = { fd, POLLIN, 0 };
        ssize_t n;

        if (c.out_at < c.out_len || c.sent < TOTAL)
            p.events |= POLLOUT;
        CHECK(poll(&p, 1, 10000) == 1);
        write_some(fd);
        n = recv(fd, in, sizeof in, 0);
        CHECK(n > 0 || (n < 0 && errno == EAGAIN));
        if (n > 0)
            raw_feed(&c.raw, in, (size_t)n);
    }
    CHECK(c.received == TOTAL);
    atomic_store(&board->done, true);
}

int main(void)
{
    caws_server_config cfg = { .host = "127.0.0.1" };
    caws_loop *loop = caws_loop_new(NULL);
    caws_server *server;
    double began = now_s();
    size_t most = 0;
    pid_t child;
    int status = -1;

    patience(120);
    pattern_init();
    board = shared(sizeof *board);
    cfg.ws.on_chunk = on_chunk;
    cfg.ws.on_drain = caws_resume;
    cfg.ws.max_message = (size_t)TOTAL;
    server = loop ? caws_listen(loop, &cfg) : NULL;
    CHECK(server);
    board->port = caws_server_port(server);
    child = spawn(be_client, NULL);
    while (!is_gone(child, &status)) {
        size_t now;

        for (int i = 0; i < 50; i++)
            CHECK(caws_loop_step(loop, 10) == CAWS_OK);
        now = resident();
        most = now > most ? now : most;
    }
    CHECK(status == 0 && board->done);
    caws_loop_free(loop);
    if (most >= (size_t)16 << 20)
        FAIL("%zu KiB resident", most >> 10);
    if (board->pings < 10 || board->slowest_ms > 100)
        FAIL("%u Pings, the slowest answered after %.1f ms", board->pings, board->slowest_ms);
    printf("ok (4 GiB in %.1f s, at most %zu KiB resident; %u Pings in it, the slowest answered "
           "after %.1f ms)\n", now_s() - began, most >> 10, board->pings, board->slowest_ms);
    return 0;
}
