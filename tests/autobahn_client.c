/* autobahn_client.c - echoes each message of each case of an Autobahn fuzzing server. caws.h alone,
 * over a socket: like examples/echo_blocking.c, but it reads while it writes, lest both wait. */
#include <caws.h>

#include <errno.h>
#include <netdb.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum { CHUNK = 64 * 1024, MAX_MESSAGE = 64 << 20, MAX_FRAGMENTS = 1000000, MAX_NAME = 512 };

static long cases = -1; /* how many there are: the first message that comes */
static bool opened;     /* of the connection of the moment, as are these: */
static const char *detail;
static caws_close_event end;

static void on_open(caws_conn *ws)
{
    (void)ws;
    opened = true;
}

static void on_message(caws_conn *ws, caws_type type, const void *data, size_t len)
{
    char digits[8] = "";

    if (cases >= 0) {
        if (caws_send(ws, type, data, len) != CAWS_OK)
            caws_close(ws, CAWS_CLOSE_INTERNAL, "the echo could not be queued");
    } else if (len > 0 && len < sizeof digits) {
        memcpy(digits, data, len);
        cases = strspn(digits, "0123456789") == len ? atol(digits) : -1;
    }
}

static void on_error(caws_conn *ws, int error, const char *sentence)
{
    (void)ws;
    detail = sentence ? sentence : caws_strerror(error);
}

static void on_close(caws_conn *ws, const caws_close_event *event)
{
    (void)ws;
    end = *event;
}

static int entropy(void *unused, void *out, size_t len)
{
    (void)unused;
    return getrandom(out, len, 0) == (ssize_t)len ? 0 : -1;
}

static uint64_t now_ms(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
}

static void write_out(caws_conn *ws, int fd)
{
    ssize_t n = 0;

    for (caws_slice s; n >= 0 && caws_output(ws, &s, 1) > 0;) {
        n = send(fd, s.data, s.len, MSG_DONTWAIT | MSG_NOSIGNAL);
        if (n > 0)
            caws_output_done(ws, (size_t)n);
    }
    if (n < 0 && errno != EAGAIN && errno != EINTR)
        caws_feed_eof(ws, CAWS_ERR_SYS, strerror(errno));
}

static void read_in(caws_conn *ws, int fd)
{
    static char chunk[CHUNK];
    ssize_t n = recv(fd, chunk, sizeof chunk, MSG_DONTWAIT);

    if (n > 0)
        caws_feed(ws, chunk, (size_t)n, now_ms());
    else if (n == 0 || (errno != EAGAIN && errno != EINTR))
        caws_feed_eof(ws, n < 0 ? CAWS_ERR_SYS : CAWS_OK, n < 0 ? strerror(errno) : NULL);
}

static void drive(caws_conn *ws, int fd)
{
    unsigned wants;

    detail = NULL;
    caws_tick(ws, now_ms());
    while (!((wants = caws_wants(ws)) & CAWS_WANT_CLOSE)) {
        int in = wants & CAWS_WANT_READ ? POLLIN : 0, out = wants & CAWS_WANT_WRITE ? POLLOUT : 0;
        struct pollfd p = {.fd = in || out ? fd : -1, .events = (short)(in | out)};
        uint64_t due = caws_deadline(ws), now = now_ms(), wait = due > now ? due - now : 0;

        poll(&p, 1, wait < 1000 ? (int)wait : 1000);
        if (p.revents & ~POLLOUT && wants & CAWS_WANT_READ)
            read_in(ws, fd);
        if (p.revents && caws_wants(ws) & CAWS_WANT_WRITE)
            write_out(ws, fd);
        caws_tick(ws, now_ms());
    }
    caws_feed_eof(ws, CAWS_OK, NULL); /* on_close, where it has not been yet */
    caws_free(ws);
}

static int dial(const caws_url *to)
{
    struct addrinfo hints = {.ai_socktype = SOCK_STREAM}, *all = NULL;
    char host[MAX_NAME + 1], port[8];
    int fd = -1;

    snprintf(host, sizeof host, "%.*s", (int)to->host.len, to->host.data);
    snprintf(port, sizeof port, "%u", (unsigned)to->port);
    int error = getaddrinfo(host, port, &hints, &all);
    if (error)
        detail = gai_strerror(error);
    for (struct addrinfo *a = error ? NULL : all; a && fd < 0; a = a->ai_next) {
        fd = socket(a->ai_family, a->ai_socktype | SOCK_CLOEXEC, a->ai_protocol);
        if (fd >= 0 && connect(fd, a->ai_addr, a->ai_addrlen) == 0)
            break;
        detail = strerror(errno);
        close(fd);
        fd = -1;
    }
    if (!error)
        freeaddrinfo(all);
    return fd;
}

static void fail(const char *url, const char *why)
{
    fprintf(stderr, "autobahn_client: %s: %s\n", url, why ? why : "it could not be opened");
    exit(1);
}

/* From the URL to the end of the connection; if it never opens, a sentence and the end of all. */
static void visit(const char *url)
{
    static const caws_config config = {
        .on_open = on_open, .on_message = on_message, .on_error = on_error, .on_close = on_close,
        .max_message = MAX_MESSAGE, .max_fragments = MAX_FRAGMENTS,
        .max_buffered = 2 * (size_t)MAX_MESSAGE, .random = entropy,
    };
    caws_url to;
    int error = caws_url_parse(url, &to);

    if (error || to.secure)
        fail(url, error ? caws_strerror(error) : "wss needs TLS, which is not here");
    opened = false;
    int fd = dial(&to);
    caws_conn *ws = fd < 0 ? NULL : caws_new_client(url, &config, NULL);
    if (ws)
        drive(ws, fd);
    close(fd);
    if (!opened)
        fail(url, detail);
}

/* Whatever is not unreserved (RFC 3986 section 2.3) becomes %XX. */
static void percent_encode(const char *text, char *to)
{
    for (*to = '\0'; *text; text++)
        to += sprintf(to, strspn(text, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
                                 "0123456789-._~") ? "%c" : "%%%02X", (unsigned char)*text);
}

int main(int argc, char **argv)
{
    char agent[3 * MAX_NAME + 1], url[5 * MAX_NAME];

    if (argc != 3 || strlen(argv[1]) > MAX_NAME || !*argv[2] || strlen(argv[2]) > MAX_NAME)
        return fprintf(stderr, "usage: autobahn_client URL AGENT, as in ws://[::1]:9001 caws\n"), 2;
    setvbuf(stdout, NULL, _IOLBF, 0); /* who watches a long run through a pipe sees each line */
    percent_encode(argv[2], agent);
    char *path = stpcpy(url, argv[1]);
    path -= path > url && path[-1] == '/';
    strcpy(path, "/getCaseCount");
    visit(url);
    if (cases < 0)
        fail(url, "no number of cases came");
    for (long n = 1; n <= cases; n++) {
        sprintf(path, "/runCase?case=%ld&agent=%s", n, agent);
        visit(url);
        printf("case %ld: %u%s%s%s\n", n, (unsigned)end.code, end.was_clean ? "" : ", not clean",
               detail ? ": " : "", detail ? detail : "");
    }
    sprintf(path, "/updateReports?agent=%s", agent);
    visit(url);
    printf("%ld cases were run, and the reports are written\n", cases);
    return 0;
}
