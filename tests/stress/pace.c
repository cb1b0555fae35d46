/* 10,000 sends of 0 to 70,000 bytes through a socketpair with a send buffer of
 * 4 KiB, to a reader of random pace: all arrive, intact and in order, and
 * caws_buffered_amount is what was queued less what has left, at every step.
 * Once through caws.h with a transport of ours, once through the loop. */
#include "stress.h"

#define SENDS   10000
#define LARGEST 70000

struct ends {
    caws_conn *ws;
    int out, in;          /* the socketpair */
    struct raw reader;    /* of what arrives */
    struct raw left;      /* of what leaves: only counts */
    uint64_t queued, gone; /* payload bytes */
    uint64_t wire;        /* bytes that left */
    unsigned sent, received, refused, drains;
    bool full;            /* until on_drain */
    size_t len[SENDS];
};
static struct ends ends;

static size_t place_of(unsigned k)
{
    return (size_t)k * 7919 % (PATTERN - LARGEST);
}

static void arrived(struct raw *r, const unsigned char *data, size_t len, bool last)
{
    if (r->opcode >= 8)
        return;
    CHECK(r->opcode == CAWS_BINARY && r->fin && ends.received < ends.sent);
    CHECK(r->len == ends.len[ends.received]);
    CHECK(len == 0 || memcmp(data, pattern + place_of(ends.received) + r->at, len) == 0);
    ends.received += last;
}

static void count_gone(struct raw *r, const unsigned char *data, size_t len, bool last)
{
    (void)data;
    (void)last;
    ends.gone += r->opcode < 8 ? len : 0;
}

static void on_drain(caws_conn *ws)
{
    (void)ws;
    CHECK(caws_buffered_amount(ws) <= 512 * 1024);
    ends.full = false;
    ends.drains++;
}

static void ends_open(void)
{
    int pair[2];

    ends = (struct ends){ .reader.part = arrived, .left.part = count_gone };
    CHECK(socketpair(AF_UNIX, SOCK_STREAM, 0, pair) == 0);
    ends.out = pair[0];
    ends.in = pair[1];
    raw_unblock(ends.out);
    raw_unblock(ends.in);
    CHECK(setsockopt(ends.out, SOL_SOCKET, SO_SNDBUF, &(int){ 4096 }, sizeof(int)) == 0);
}

static void check_amount(void)
{
    if (caws_buffered_amount(ends.ws) != ends.queued - ends.gone)
        FAIL("after %u sends caws_buffered_amount is %zu, of %llu", ends.sent,
             caws_buffered_amount(ends.ws), (unsigned long long)(ends.queued - ends.gone));
}

/* Some bytes, or none. */
static void read_some(void)
{
    static unsigned char in[100000];
    ssize_t n = recv(ends.in, in, 1 + draw(draw(4) ? 3000 : sizeof in), 0);

    CHECK(n > 0 || (n < 0 && errno == EAGAIN));
    if (n > 0)
        raw_feed(&ends.reader, in, (size_t)n);
}

static void send_one(void)
{
    size_t len = draw(5) ? draw(LARGEST + 1) : draw(300);
    int result;

    if (ends.full || ends.sent == SENDS)
        return;
    /* Known before the call: what leaves inside it is of this one, too. */
    ends.len[ends.sent] = len;
    result = caws_send(ends.ws, CAWS_BINARY, pattern + place_of(ends.sent), len);
    CHECK(result == CAWS_OK || result == CAWS_ERR_FULL);
    ends.full = result == CAWS_ERR_FULL;
    ends.refused += ends.full;
    CHECK(!ends.full || caws_needs_drain(ends.ws));
    if (ends.full)
        return;
    ends.queued += len;
    ends.sent++;
}

/* ---- caws.h alone ------------------------------------------------------ */

static size_t write_slices(const caws_slice *v, size_t count, size_t most)
{
    size_t sum = 0;

    for (size_t i = 0; i < count && sum < most; i++) {
        size_t want = v[i].len < most - sum ? v[i].len : most - sum;
        ssize_t n = send(ends.out, v[i].data, want, MSG_NOSIGNAL);

        CHECK(n > 0 || want == 0 || (n < 0 && errno == EAGAIN));
        if (n > 0) {
            raw_feed(&ends.left, (const unsigned char *)v[i].data, (size_t)n);
            sum += (size_t)n;
        }
        if (n < (ssize_t)want)
            break;
    }
    return sum;
}

static size_t write_now(caws_conn *ws, const caws_slice *v, size_t count)
{
    (void)ws;
    return write_slices(v, count, draw(3) ? SIZE_MAX : draw(20000));
}

static void write_some(void)
{
    caws_slice v[8];
    size_t n = caws_output(ends.ws, v, 1 + draw(8));

    caws_output_done(ends.ws, write_slices(v, n, 1 + draw(40000)));
    caws_tick(ends.ws, 1);
}

static void alone(bool at_once)
{
    caws_config cfg = { .on_drain = on_drain };
    caws_transport transport = { .write_now = at_once ? write_now : NULL };
    uint64_t steps = 0;

    ends_open();
    ends.ws = caws_new_open(false, NULL, NULL, &cfg, &transport);
    CHECK(ends.ws);
    caws_tick(ends.ws, 0);
    for (; ends.received < SENDS; steps++) {
        CHECK(steps < 100000000);
        switch (draw(ends.sent < SENDS ? 6 : 5)) {
        case 0: case 1: write_some(); break;
        case 2: if (caws_ping(ends.ws, "?", 1) == CAWS_OK) check_amount(); break;
        case 3: case 4: read_some(); break;
        default: send_one(); break;
        }
        check_amount();
    }
    CHECK(caws_buffered_amount(ends.ws) == 0 && ends.drains > 0 && ends.refused > 0);
    caws_free(ends.ws);
    close(ends.in);
    close(ends.out);
}

/* ---- Through the loop -------------------------------------------------- */

/* What left is what was read and what waits in the system; its payload is
 * known from the lengths. */
static void count_what_left(void)
{
    static unsigned frame;
    static uint64_t frames_before, payload_before;
    uint64_t wire = ends.wire;
    int waiting = 0;

    CHECK(ioctl(ends.in, FIONREAD, &waiting) == 0);
    wire += (uint64_t)waiting;
    for (; frame < ends.sent; frame++) {
        size_t len = ends.len[frame], head = len < 126 ? 2 : len < 65536 ? 4 : 10;

        ends.gone = payload_before;
        if (wire < frames_before + head + len) {
            if (wire > frames_before + head)
                ends.gone += wire - frames_before - head;
            return;
        }
        frames_before += head + len;
        payload_before += len;
    }
    ends.gone = payload_before;
}

static void read_from_loop(void)
{
    static unsigned char in[100000];
    ssize_t n = recv(ends.in, in, 1 + draw(draw(4) ? 3000 : sizeof in), 0);

    CHECK(n > 0 || (n < 0 && errno == EAGAIN));
    if (n <= 0)
        return;
    ends.wire += (uint64_t)n;
    raw_feed(&ends.reader, in, (size_t)n);
}

static void through_the_loop(void)
{
    caws_server_config cfg = { .host = "127.0.0.1", .ws.on_drain = on_drain };
    caws_loop *loop = caws_loop_new(NULL);
    caws_server *server = loop ? caws_listen(loop, &cfg) : NULL;
    uint64_t steps = 0;

    CHECK(server);
    ends_open();
    ends.ws = caws_adopt_open(server, ends.out, NULL, NULL, NULL, 0);
    CHECK(ends.ws);
    for (; ends.received < SENDS; steps++) {
        CHECK(steps < 100000000);
        switch (draw(ends.sent < SENDS ? 5 : 4)) {
        case 0: case 1: CHECK(caws_loop_step(loop, 0) == CAWS_OK); break;
        case 2: case 3: read_from_loop(); break;
        default: send_one(); break;
        }
        count_what_left();
        check_amount();
    }
    CHECK(ends.drains > 0 && ends.refused > 0);
    caws_loop_free(loop);
    close(ends.in);
}

int main(void)
{
    unsigned refused, drains;

    patience(120);
    pattern_init();
    alone(true);
    refused = ends.refused;
    drains = ends.drains;
    alone(false);
    through_the_loop();
    printf("ok (3 x %d sends; caws.h: %u refused as full, %u on_drain; loop: %u, %u)\n", SENDS,
           refused, drains, ends.refused, ends.drains);
    return 0;
}
