/* A server and a client of ours in one loop, again and again: each time the
 * n-th system call from one place in the library fails, or is cut short. No
 * crash, no leak, no message lost or doubled, the right close report. */
#include "lever.h"

#include "net/loop.h"

#define MOST_TIMES 12u /* of one place, in one session */

/* Sizes on both sides of each form of the length, and of write_now. */
static const size_t sizes[] = { 0, 5, 125, 126, 300, 16384, 65536, 100000 };
#define MESSAGES (sizeof sizes / sizeof *sizes)

struct side {
    unsigned opens, closes, errors, sent, received;
    int error;
    int fd;
    caws_close_event event;
};
static struct {
    struct side client, server;
    caws_server *listener;
    caws_conn *ws;
    caws_timer watchdog;
    bool stuck, connected;
    int server_errors;
} now;

static struct {
    unsigned sessions, faults, places, harmless;
    _Atomic size_t bytes; /* in use by the loop under test */
} tally;

/* ---- Memory: what is taken is given back ------------------------------- */

static void *counted(void *ctx, void *ptr, size_t old_size, size_t new_size)
{
    void *got = NULL;

    (void)ctx;
    if (new_size == 0)
        free(ptr);
    else if (!(got = realloc(ptr, new_size)))
        return NULL;
    atomic_fetch_add(&tally.bytes, new_size - old_size);
    return got;
}

static int descriptors(void)
{
    int count = 0;

    for (int fd = 0; fd < 64; fd++)
        count += fcntl(fd, F_GETFD) >= 0;
    return count;
}

/* ---- The session ------------------------------------------------------- */

static struct side *side_of(const caws_conn *ws)
{
    return caws_is_client(ws) ? &now.client : &now.server;
}

static const unsigned char *payload(unsigned k)
{
    return pattern + k * 1009;
}

/* A message that was refused, for want of randomness say, is tried again. */
static void say(caws_conn *ws, unsigned k)
{
    for (int i = 0; i < 3; i++)
        if (caws_send(ws, CAWS_BINARY, payload(k), sizes[k]) == CAWS_OK) {
            side_of(ws)->sent++;
            return;
        }
    caws_abort(ws);
}

static void on_open(caws_conn *ws)
{
    struct side *side = side_of(ws);
    char name[64];

    side->opens++;
    side->fd = (int)caws_fd(ws);
    caws_peer_name(ws, name, sizeof name);
    for (unsigned k = 0; caws_is_client(ws) && k < MESSAGES; k++)
        say(ws, k);
}

static void on_message(caws_conn *ws, caws_type type, const void *data, size_t len)
{
    struct side *side = side_of(ws);

    CHECK(side->closes == 0 && side->opens == 1 && type == CAWS_BINARY);
    if (side->received >= MESSAGES || len != sizes[side->received] ||
        (len > 0 && memcmp(data, payload(side->received), len) != 0))
        FAIL("message %u was lost, doubled or changed", side->received);
    side->received++;
    if (!caws_is_client(ws))
        say(ws, side->received - 1);
    else if (side->received == MESSAGES)
        caws_close(ws, 1000, "done");
}

static void on_error(caws_conn *ws, int error, const char *detail)
{
    struct side *side = side_of(ws);

    CHECK(error < 0 && detail);
    if (!caws_is_client(ws) && (int)caws_fd(ws) != side->fd)
        return; /* one that was never let in */
    CHECK(side->closes == 0);
    side->errors++;
    side->error = error;
}

static void on_close(caws_conn *ws, const caws_close_event *event)
{
    struct side *side = side_of(ws);

    side->closes++;
    side->event = *event;
    if (caws_is_client(ws)) {
        caws_timer_stop(caws_loop_of(ws), &now.watchdog);
        caws_server_stop(now.listener, 300);
    }
}

static void on_server_error(caws_server *server, int error, const char *detail)
{
    (void)server;
    CHECK(error == CAWS_ERR_SYS && detail);
    now.server_errors++;
}

static void bark(caws_timer *timer)
{
    now.stuck = true;
    caws_loop_stop(timer->user);
}

struct scene {
    const struct caws__poller *kind;
    const char *host; /* to bind */
    const char *url;  /* %u: the port */
    bool proxied;
};
/* 127.1 is an address to getaddrinfo alone, and so is looked up. */
static const struct scene scenes[] = {
    { &caws__poller_epoll, "127.0.0.1", "ws://127.1:%u/", false },
    { &caws__poller_poll, "127.0.0.1", "ws://127.0.0.1:%u/", false },
    { &caws__poller_epoll, "unix:stress_faults.socket", "ws+unix:stress_faults.socket:/", false },
    { &caws__poller_epoll, "127.0.0.1", "ws://127.0.0.1:%u/", true },
};

/* ---- A proxy, in another process --------------------------------------- */

static uint16_t proxy_port;

static int listen_anywhere(uint16_t *port)
{
    struct sockaddr_in at = { .sin_family = AF_INET };
    socklen_t len = sizeof at;
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

    at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    CHECK(bind(fd, (struct sockaddr *)&at, len) == 0 && listen(fd, 16) == 0);
    CHECK(getsockname(fd, (struct sockaddr *)&at, &len) == 0);
    *port = ntohs(at.sin_port);
    return fd;
}

/* All that comes from one, to the other. */
static bool relay(int from, int to)
{
    char data[65536];
    ssize_t n = recv(from, data, sizeof data, 0);

    for (ssize_t at = 0, sent; at < n; at += sent) {
        sent = send(to, data + at, (size_t)(n - at), MSG_NOSIGNAL);
        if (sent <= 0)
            return false;
    }
    if (n <= 0)
        shutdown(to, SHUT_WR);
    return n > 0;
}

static void serve_one(int client)
{
    static const char yes[] = "HTTP/1.1 200 OK\r\n\r\n";
    struct sockaddr_in to = { .sin_family = AF_INET };
    struct pollfd p[2] = { { client, POLLIN, 0 }, { -1, POLLIN, 0 } };
    char head[4096] = "";
    size_t len = 0;
    unsigned port;

    while (!strstr(head, "\r\n\r\n")) {
        ssize_t n = recv(client, head + len, sizeof head - 1 - len, 0);

        if (n <= 0)
            return;
        len += (size_t)n;
        head[len] = '\0';
    }
    CHECK(sscanf(head, "CONNECT 127.0.0.1:%u HTTP/1.1", &port) == 1);
    to.sin_port = htons((uint16_t)port);
    to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    p[1].fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (connect(p[1].fd, (struct sockaddr *)&to, sizeof to) == 0 &&
        send(client, yes, sizeof yes - 1, MSG_NOSIGNAL) > 0)
        while ((p[0].fd >= 0 || p[1].fd >= 0) && poll(p, 2, 3000) > 0)
            for (int i = 0; i < 2; i++)
                if (p[i].revents && !relay(p[i].fd, i ? client : p[1].fd < 0 ? ~p[1].fd : p[1].fd))
                    p[i].fd = ~p[i].fd;
    close(p[1].fd < 0 ? ~p[1].fd : p[1].fd);
}

static void be_proxy(void *listener)
{
    alarm(300);
    for (;;) {
        int client = accept4(*(int *)listener, NULL, NULL, SOCK_CLOEXEC);

        if (client >= 0)
            serve_one(client);
        close(client);
    }
}

/* ---- One session ------------------------------------------------------- */

/* A connection that ends before it has asked for anything. */
static void adopt_one(void)
{
    int pair[2];

    CHECK(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) == 0);
    caws_adopt(now.listener, pair[0], "GET", 3);
    close(pair[1]);
}

static void converse(caws_loop *loop, const struct scene *scene)
{
    caws_config ws = { .on_open = on_open, .on_message = on_message, .on_error = on_error,
                       .on_close = on_close, .handshake_timeout_ms = 1000,
                       .close_timeout_ms = 500, .random = caws_entropy, .hosts = "*" };
    caws_server_config server = { .host = scene->host, .on_error = on_server_error, .ws = ws };
    caws_client_config client = { .connect_timeout_ms = 1000, .ws = ws };
    char url[64], proxy[64];

    now.listener = caws_listen(loop, &server);
    if (!now.listener)
        return;
    caws_server_stop_on(now.listener, SIGUSR1, 100);
    snprintf(url, sizeof url, scene->url, caws_server_port(now.listener));
    client.url = url;
    snprintf(proxy, sizeof proxy, "http://127.0.0.1:%u", proxy_port);
    client.proxy = scene->proxied ? proxy : NULL;
    now.ws = caws_connect_with(loop, &client);
    now.connected = now.ws != NULL;
    adopt_one();
    now.watchdog = (caws_timer){ .fn = bark, .user = loop };
    if (now.connected)
        CHECK(caws_timer_start(loop, &now.watchdog, 30000, 0) == CAWS_OK);
    else
        caws_server_stop(now.listener, 0);
    for (int i = 0; caws_loop_run(loop) != CAWS_OK; i++)
        CHECK(i < 10);
}

/* ---- What must be true of it ------------------------------------------- */

static bool is_harmless(enum call call, int error)
{
    switch (call) {
    case RECV: case SENDMSG: case GETRANDOM: case READ: case WRITE:
        return error == EINTR || error == EAGAIN || error == SHORT;
    case ACCEPT: case EPOLL_WAIT: case POLL: /* it is asked again */
        return true;
    case CONNECT:
        return error == EINTR;
    case SETSOCKOPT: case GETPEERNAME:
        return true;
    default:
        return false;
    }
}

/* Of the end whose call failed: on the other one the transport ends. */
static int expected_error(enum call call, int error)
{
    if (call == SENDMSG || (call == RECV && (error == ECONNRESET || error == ETIMEDOUT)))
        return CAWS_ERR_EOF;
    return call == RECV ? CAWS_ERR_SYS : CAWS_OK;
}

static int expected_of_client(enum call call, int error)
{
    switch (call) {
    case SOCKET:
        return CAWS_ERR_SYS;
    case CONNECT:
        return error == ENOBUFS || error == ENOMEM ? CAWS_ERR_SYS : CAWS_ERR_CONNECT;
    case GETADDRINFO: case THREAD:
        return CAWS_ERR_RESOLVE;
    default:
        return CAWS_OK;
    }
}

static void check_side(const struct side *side, bool owed)
{
    const caws_close_event *event = &side->event;

    CHECK(side->opens <= 1 && side->errors <= 1);
    CHECK(side->closes == owed);
    if (!owed)
        return;
    CHECK(event->error == side->error && (side->errors == 1) == (side->error != CAWS_OK));
    /* Not clean, with the peer's code: its Close came, and ours could not leave. */
    if (event->code == 1006 && event->ended_by == CAWS_BY_US && now.client.error != CAWS_OK)
        return; /* the server was stopped, as soon as the client had failed */
    if (event->code != (side->error == CAWS_OK ? 1000 : 1006))
        FAIL("the %s closed with code %u, error %d", side == &now.client ? "client" : "server",
             event->code, side->error);
    CHECK(!event->was_clean || side->error == CAWS_OK);
}

static void check_fault(enum call call, int error)
{
    int wanted = expected_error(call, error);
    bool of_client = lever.fd >= 0 && lever.fd == now.client.fd;
    const struct side *victim = of_client ? &now.client : &now.server;
    const struct side *other = of_client ? &now.server : &now.client;

    if (wanted != CAWS_OK && victim->closes && lever.fd == victim->fd && victim->fd != other->fd) {
        CHECK(victim->event.code == 1000 || victim->error == wanted);
        CHECK(!other->closes || other->event.code == 1000 || other->error == CAWS_ERR_EOF);
    }
    wanted = expected_of_client(call, error);
    if (wanted != CAWS_OK && now.client.closes && now.client.event.code != 1000)
        CHECK(now.client.error == wanted);
    if (!is_harmless(call, error))
        return;
    tally.harmless++;
    CHECK(now.client.received == MESSAGES && now.server.received == MESSAGES);
    CHECK(now.client.event.was_clean && now.server.event.was_clean);
}

static void session(const struct scene *scene)
{
    caws_alloc alloc = { counted, NULL };
    int before = descriptors();
    caws_loop *loop;

    memset(&now, 0, sizeof now);
    now.client.fd = now.server.fd = -1;
    tally.sessions++;
    loop = caws__loop_new_with(&alloc, scene->kind);
    if (loop)
        converse(loop, scene);
    caws_loop_free(loop);
    CHECK(!now.stuck);
    for (int i = 0; i < 200 && (tally.bytes > 0 || descriptors() != before); i++)
        poll(NULL, 0, 1); /* the helper thread ends in its own time */
    if (tally.bytes != 0 || descriptors() != before)
        FAIL("%zu bytes leaked, %d descriptors", (size_t)tally.bytes, descriptors() - before);
    check_side(&now.client, now.connected);
    check_side(&now.server, now.server.opens > 0);
    CHECK(now.server.received <= now.client.sent && now.client.received <= now.server.sent);
}

/* ---- All of them ------------------------------------------------------- */

/* Distinct: a fault that an earlier scene has had is not counted again. */
static bool had[PLACES][MOST_TIMES + 1][8];

static void pull_at(const struct scene *scene, unsigned p, unsigned nth, unsigned e)
{
    const struct place *place = &lever.places[p];
    int error = lever_calls[place->call].errors[e];

    snprintf(stress_context, sizeof stress_context, "%s, error %d, call %u from %#lx, scene %d",
             lever_calls[place->call].name, error, nth, (unsigned long)place->site,
             (int)(scene - scenes));
    lever_arm(place, nth, error);
    session(scene);
    if (!lever.fired)
        return;
    check_fault(place->call, error);
    tally.faults += !had[p][nth][e];
    had[p][nth][e] = true;
}

static void run_scene(const struct scene *scene)
{
    unsigned times[PLACES] = { 0 };

    for (unsigned i = 0; i < lever.count; i++)
        lever.places[i].most = 0;
    lever_arm(NULL, 0, 0);
    session(scene);
    CHECK(now.client.received == MESSAGES && now.client.event.was_clean);
    CHECK(now.server.received == MESSAGES && now.server.event.was_clean);
    for (unsigned p = 0; p < lever.count; p++)
        times[p] = lever.places[p].most < MOST_TIMES ? lever.places[p].most : MOST_TIMES;
    lever.always_short = true;
    session(scene);
    lever.always_short = false;
    CHECK(now.client.received == MESSAGES && now.client.event.was_clean);
    for (unsigned p = 0; p < PLACES; p++)
        for (unsigned nth = 1; nth <= times[p]; nth++)
            for (unsigned e = 0; lever_calls[lever.places[p].call].errors[e]; e++)
                pull_at(scene, p, nth, e);
}

int main(void)
{
    double began = now_s();
    char directory[] = "/tmp/stress_faults_XXXXXX";
    int listener = listen_anywhere(&proxy_port);
    pid_t proxy = spawn(be_proxy, &listener);

    close(listener);
    patience(220);
    pattern_init();
    CHECK(mkdtemp(directory) && chdir(directory) == 0);
    for (size_t i = 0; i < sizeof scenes / sizeof *scenes; i++)
        run_scene(&scenes[i]);
    for (unsigned p = 0; p < PLACES; p++)
        tally.places += had[p][1][0];
    kill(proxy, SIGKILL);
    reap(proxy);
    unlink("stress_faults.socket");
    CHECK(rmdir(directory) == 0);
    printf("ok (%u distinct faults at %u call sites, in %u sessions; %u harmless; %.0f s)\n",
           tally.faults, tally.places, tally.sessions, tally.harmless, now_s() - began);
    return 0;
}
