/* syscalls COUNT MEMORY: sessions made from seeds, each again and again with
 * another system call that fails, once or from then on, or is cut short, until
 * COUNT distinct ones have; and with another allocation of the loop that fails,
 * until MEMORY have. A session is a server and up to three clients in one
 * loop; its clock is virtual, and moves while there is nothing to do. Distinct:
 * another session, place in the library, number of the call, error or mode. */
#include "../stress/stress.h"

#include "net/loop.h"
#include "net/sys.h"

/* The clock is ours; the rest is the lever's. */
#define caws__sys_now_ms real_now_ms
#include "../stress/lever.h"
#undef caws__sys_now_ms

#include <sys/syscall.h>

#define CLIENTS    3u
#define MESSAGES   4u
#define MOST_TIMES 40u  /* of one place, in one session */
#define MOST_WAITS 5000 /* no session is that long, if nothing spins */

/* ---- Time ---------------------------------------------------------------- */

static uint64_t virtual_ms;
static unsigned waits;

uint64_t caws__sys_now_ms(void)
{
    return virtual_ms;
}

/* These stand in front of the C library's. Nothing is ready: time passes; but
 * the system may need a moment of real time, for what is under way. */
static int wait_for(long n, long again, int timeout_ms)
{
    if (++waits > MOST_WAITS)
        FAIL("it spins, at %llu ms", (unsigned long long)virtual_ms);
    if (n == 0)
        n = again;
    if (n == 0)
        virtual_ms += timeout_ms < 0 ? 1000 : (uint64_t)timeout_ms;
    return (int)n;
}

/* Without TCP_NODELAY the system itself waits, for 40 ms. */
static int real_ms(int timeout_ms)
{
    return timeout_ms == 0 ? 0 : lever.fired && lever.armed->call == SETSOCKOPT ? 60 : 1;
}

int epoll_wait(int epoll, struct epoll_event *events, int max, int timeout_ms)
{
    long n = syscall(SYS_epoll_wait, epoll, events, max, 0);
    long again = n ? n : syscall(SYS_epoll_wait, epoll, events, max, real_ms(timeout_ms));

    return wait_for(n, again, timeout_ms);
}

int poll(struct pollfd *fds, nfds_t count, int timeout_ms)
{
    long n = syscall(SYS_poll, fds, count, 0);
    long again = n ? n : syscall(SYS_poll, fds, count, real_ms(timeout_ms));

    return wait_for(n, again, timeout_ms);
}

/* ---- A session, as it is planned ------------------------------------------- */

struct plan {
    const struct caws__poller *kind;
    bool local; /* a Unix socket */
    unsigned clients, messages[CLIENTS];
    size_t sizes[CLIENTS][MESSAGES];
    enum { CLIENT_CLOSES, SERVER_CLOSES, CLIENT_ABORTS, PEER_SAYS_NOTHING } ends[CLIENTS];
    bool pings[CLIENTS];
};

struct side {
    caws_conn *ws;
    unsigned accepted, opens, closes, errors, sent, received;
    int error, fd;
    caws_close_event event;
};

static struct {
    struct plan plan;
    struct side clients[CLIENTS], servers[CLIENTS];
    caws_loop *loop;
    caws_server *listener;
    caws_timer watchdog;
    unsigned connected, ended;
    bool stuck;
} now;

/* Of the loop. */
static struct {
    size_t in_use;               /* bytes */
    unsigned long asked, fail_at; /* allocations; 0: none fails */
    bool onwards;
} memory;

static struct plan plan_of(uint64_t seed)
{
    static const size_t sizes[] = { 0, 1, 125, 126, 5000, 16384, 65536 };
    struct plan p = { 0 };

    stress_seed = (seed + 1) * 0x9e3779b97f4a7c15u;
    for (int i = 0; i < 8; i++)
        draw(2);
    p.kind = draw(2) ? &caws__poller_epoll : &caws__poller_poll;
    p.local = draw(2);
    p.clients = 1 + (unsigned)draw(CLIENTS);
    for (unsigned k = 0; k < p.clients; k++) {
        p.messages[k] = (unsigned)draw(MESSAGES + 1);
        for (unsigned i = 0; i < p.messages[k]; i++)
            p.sizes[k][i] = sizes[draw(sizeof sizes / sizeof *sizes)];
        p.ends[k] = draw(4);
        p.pings[k] = draw(2);
    }
    /* No two sessions are the same. */
    p.messages[0] += p.messages[0] == 0;
    p.sizes[0][0] = 300 + (size_t)seed;
    return p;
}

static void *counted(void *ctx, void *ptr, size_t old_size, size_t new_size)
{
    void *got = NULL;

    (void)ctx;
    if (new_size == 0)
        free(ptr);
    else if (++memory.asked == memory.fail_at ||
             (memory.onwards && memory.asked > memory.fail_at) ||
             !(got = realloc(ptr, new_size)))
        return NULL;
    memory.in_use += new_size - old_size;
    return got;
}

static int descriptors(void)
{
    int count = 0;

    for (int fd = 0; fd < 64; fd++)
        count += fcntl(fd, F_GETFD) >= 0;
    return count;
}

/* ---- Handlers -------------------------------------------------------------- */

static struct side *side_of(const caws_conn *ws)
{
    return caws_user(ws);
}

static unsigned number_of(const struct side *side)
{
    return (unsigned)(side >= now.servers && side < now.servers + CLIENTS ? side - now.servers
                                                                          : side - now.clients);
}

/* Refused for want of randomness, say: once more, or not at all. */
static void say(caws_conn *ws, unsigned i)
{
    struct side *side = side_of(ws);
    unsigned k = number_of(side);

    for (int times = 0; times < 2; times++)
        if (caws_send(ws, CAWS_BINARY, pattern + k * 1009 + i, now.plan.sizes[k][i]) == CAWS_OK) {
            side->sent++;
            return;
        }
    caws_abort(ws);
}

static void finish(caws_conn *ws)
{
    unsigned k = number_of(side_of(ws));

    if (now.plan.ends[k] == CLIENT_ABORTS)
        caws_abort(ws);
    else if (now.plan.ends[k] == CLIENT_CLOSES)
        caws_close(ws, 1000, "done");
}

static int on_request(caws_conn *ws, const caws_request *request)
{
    unsigned k = (unsigned)(request->target.data[1] - '0');

    CHECK(request->target.len == 2 && k < now.plan.clients);
    caws_set_user(ws, &now.servers[k]);
    now.servers[k].accepted++;
    return CAWS_ACCEPT;
}

static void on_open(caws_conn *ws)
{
    struct side *side = side_of(ws);
    unsigned k = number_of(side);

    side->opens++;
    side->fd = (int)caws_fd(ws);
    if (!caws_is_client(ws))
        return;
    if (now.plan.pings[k])
        caws_ping(ws, "?", 1);
    for (unsigned i = 0; i < now.plan.messages[k]; i++)
        say(ws, i);
    if (now.plan.messages[k] == 0)
        finish(ws);
}

static void on_message(caws_conn *ws, caws_type type, const void *data, size_t len)
{
    struct side *side = side_of(ws);
    unsigned k = number_of(side), i = side->received++;

    CHECK(side->opens == 1 && side->closes == 0 && type == CAWS_BINARY);
    CHECK(i < now.plan.messages[k] && len == now.plan.sizes[k][i]);
    if (memcmp(data, pattern + k * 1009 + i, len) != 0)
        FAIL("message %u of pair %u was changed", i, k);
    if (!caws_is_client(ws))
        say(ws, i);
    if (side->received < now.plan.messages[k])
        return;
    if (caws_is_client(ws))
        finish(ws);
    else if (now.plan.ends[k] == SERVER_CLOSES)
        caws_close(ws, 1000, "done");
}

static void on_error(caws_conn *ws, int error, const char *detail)
{
    struct side *side = side_of(ws);

    CHECK(error < 0 && detail);
    if (!side)
        return; /* one that was never let in */
    CHECK(side->closes == 0);
    side->errors++;
    side->error = error;
}

/* When each client has ended, the server stops; else the watchdog barks. */
static void stop_if_done(void)
{
    if (now.ended < now.connected)
        return;
    caws_timer_stop(now.loop, &now.watchdog);
    caws_server_stop(now.listener, 300);
}

static void on_close(caws_conn *ws, const caws_close_event *event)
{
    struct side *side = side_of(ws);

    if (!side)
        return;
    side->closes++;
    side->event = *event;
    now.ended += caws_is_client(ws);
    if (caws_is_client(ws))
        stop_if_done();
}

static void on_server_error(caws_server *server, int error, const char *detail)
{
    (void)server;
    CHECK(error == (memory.fail_at > 0 ? CAWS_ERR_NOMEM : CAWS_ERR_SYS) && detail);
}

/* Whom nobody closes is idle. */
static void bark(caws_timer *timer)
{
    (void)timer;
    for (unsigned k = 0; k < now.plan.clients; k++)
        if (now.clients[k].ws && now.clients[k].closes == 0)
            now.stuck |= caws_close(now.clients[k].ws, 1000, "done") != CAWS_OK &&
                         virtual_ms > 200000;
    CHECK(!now.stuck);
}

/* ---- The session, as it goes ------------------------------------------------ */

static void connect_one(unsigned k, const caws_config *ws)
{
    char url[64];

    snprintf(url, sizeof url, now.plan.local ? "ws+unix:faults.socket:/%u" : "ws://127.0.0.1:%u/%u",
             now.plan.local ? k : caws_server_port(now.listener), k);
    now.clients[k].ws = caws_connect_with(now.loop, &(caws_client_config){
        .url = url, .connect_timeout_ms = 1000, .ws = *ws });
    if (!now.clients[k].ws)
        return;
    caws_set_user(now.clients[k].ws, &now.clients[k]);
    now.connected++;
}

static void converse(void)
{
    caws_config ws = { .on_request = on_request, .on_open = on_open, .on_message = on_message,
                       .on_error = on_error, .on_close = on_close, .handshake_timeout_ms = 1000,
                       .close_timeout_ms = 500, .random = caws_entropy, .hosts = "*",
                       .subprotocols = "faults" };
    caws_server_config server = { .host = now.plan.local ? "unix:faults.socket" : "127.0.0.1",
                                  .on_error = on_server_error, .ws = ws };

    now.listener = caws_listen(now.loop, &server);
    if (!now.listener)
        return;
    for (unsigned k = 0; k < now.plan.clients; k++)
        connect_one(k, &ws);
    now.watchdog = (caws_timer){ .fn = bark };
    for (int i = 0; caws_timer_start(now.loop, &now.watchdog, 5000, 5000) != CAWS_OK; i++)
        if (i == 1) {
            CHECK(memory.onwards);
            return;
        }
    if (now.connected == 0)
        stop_if_done();
    for (int i = 0; caws_loop_run(now.loop) != CAWS_OK; i++)
        if (i == 10) /* a system that can never wait is beyond help */
            return;
}

/* ---- What must be true of it -------------------------------------------------- */

static void check_side(unsigned k, const struct side *side, bool owed)
{
    const caws_close_event *event = &side->event;

    CHECK(side->opens <= 1 && side->errors <= 1);
    if (side->closes != owed)
        FAIL("pair %u: %u times on_close", k, side->closes);
    CHECK(!owed || event->error == side->error);
    CHECK(!event->was_clean || side->error == CAWS_OK);
}

static bool went_well(unsigned k)
{
    const struct side *c = &now.clients[k], *s = &now.servers[k];

    if (c->sent != now.plan.messages[k] || s->received != c->sent || c->received != c->sent)
        return false;
    if (c->error != CAWS_OK)
        return false;
    return now.plan.ends[k] == CLIENT_ABORTS || (c->event.was_clean && s->event.was_clean);
}

/* It is asked again, or nothing hangs on it. */
static bool is_harmless(enum call call, int error)
{
    switch (call) {
    case RECV: case SENDMSG: case GETRANDOM: case READ: case WRITE:
        return error == EINTR || error == EAGAIN || error == SHORT;
    case ACCEPT: case EPOLL_WAIT: case POLL: case SETSOCKOPT: case GETPEERNAME:
        return true;
    default:
        return error == EINTR;
    }
}

/* What fails may cost one conn, and no other. */
static void check_others(bool harmless)
{
    unsigned disturbed = 0;

    for (unsigned k = 0; k < now.plan.clients; k++)
        disturbed += !went_well(k);
    if (disturbed > !harmless)
        FAIL("%u pairs were disturbed", disturbed);
}

static void session(const struct plan *plan)
{
    caws_alloc alloc = { counted, NULL };
    int before = descriptors();

    memset(&now, 0, sizeof now);
    now.plan = *plan;
    for (unsigned k = 0; k < CLIENTS; k++)
        now.clients[k].fd = now.servers[k].fd = -1;
    virtual_ms = 1000;
    waits = 0;
    memory.asked = 0;
    now.loop = caws__loop_new_with(&alloc, plan->kind);
    if (now.loop)
        converse();
    caws_loop_free(now.loop);
    if (memory.in_use != 0 || descriptors() != before)
        FAIL("%zu bytes leaked, %d descriptors", memory.in_use, descriptors() - before);
    for (unsigned k = 0; k < plan->clients; k++) {
        check_side(k, &now.clients[k], now.clients[k].ws != NULL);
        check_side(k, &now.servers[k], now.servers[k].accepted > 0);
        CHECK(now.servers[k].received <= now.clients[k].sent);
        CHECK(now.clients[k].received <= now.servers[k].sent);
    }
}

/* ---- All of them ---------------------------------------------------------------- */

static unsigned long struck, wanted, starved, to_starve;

/* What the caller is to try again at once does not go on for ever: a connection
 * that was aborted is gone, for one. */
static bool may_go_on(int error)
{
    return error > 0 && error != EINTR && error != EAGAIN && error != ECONNABORTED;
}

static void pull(const struct plan *plan, unsigned long seed, unsigned p, unsigned nth, int error,
                 bool onwards)
{
    const struct place *place = &lever.places[p];

    snprintf(stress_context, sizeof stress_context, "session %lu: call %u of %s from %#lx: %d%s",
             seed, nth, lever_calls[place->call].name, (unsigned long)place->site, error,
             onwards ? " from then on" : "");
    lever_arm(place, nth, error);
    lever.onwards = onwards;
    session(plan);
    if (!lever.fired)
        return;
    struck++;
    if (!onwards && now.listener)
        check_others(is_harmless(place->call, error));
}

static void starve(const struct plan *plan, unsigned long seed, unsigned long nth, bool onwards)
{
    snprintf(stress_context, sizeof stress_context, "session %lu: allocation %lu fails%s", seed,
             nth, onwards ? ", and all after it" : "");
    memory.fail_at = nth;
    memory.onwards = onwards;
    session(plan);
    if (memory.asked >= nth) {
        starved++;
        if (!onwards && now.listener)
            check_others(false);
    }
    memory.fail_at = 0;
    memory.onwards = false;
}

static void starve_all(const struct plan *plan, unsigned long seed, unsigned long allocations)
{
    for (unsigned long n = 1; n <= allocations; n++)
        for (int onwards = 0; onwards < 2 && starved < to_starve; onwards++)
            starve(plan, seed, n, onwards);
}

static void pull_all(const struct plan *plan, unsigned long seed)
{
    unsigned times[PLACES] = { 0 };
    unsigned long allocations;

    for (unsigned i = 0; i < lever.count; i++)
        lever.places[i].most = 0;
    snprintf(stress_context, sizeof stress_context, "session %lu, without a fault", seed);
    lever_arm(NULL, 0, 0);
    session(plan);
    for (unsigned k = 0; k < plan->clients; k++)
        if (!went_well(k))
            FAIL("pair %u", k);
    allocations = memory.asked;
    for (unsigned p = 0; p < lever.count; p++)
        times[p] = lever.places[p].most < MOST_TIMES ? lever.places[p].most : MOST_TIMES;
    for (unsigned p = 0; p < PLACES; p++)
        for (unsigned nth = 1; nth <= times[p]; nth++)
            for (const int *e = lever_calls[lever.places[p].call].errors; *e; e++)
                for (int onwards = 0; onwards <= may_go_on(*e) && struck < wanted; onwards++)
                    pull(plan, seed, p, nth, *e, onwards);
    lever_arm(NULL, 0, 0);
    starve_all(plan, seed, allocations);
}

int main(int argc, char **argv)
{
    char directory[] = "/tmp/caws_faults_XXXXXX";
    unsigned long seed = 0;

    wanted = argc > 1 ? strtoul(argv[1], NULL, 10) : 2000;
    to_starve = argc > 2 ? strtoul(argv[2], NULL, 10) : 200;
    pattern_init();
    CHECK(mkdtemp(directory) && chdir(directory) == 0);
    for (; struck < wanted || starved < to_starve; seed++) {
        struct plan plan = plan_of(seed);

        pull_all(&plan, seed);
    }
    unlink("faults.socket");
    CHECK(rmdir(directory) == 0);
    printf("faults: %lu allocation failures in the loops of %lu sessions, 0 failures found\n",
           starved, seed);
    printf("faults: %lu system-call failures in %lu sessions, 0 failures found\n", struck, seed);
    return 0;
}
