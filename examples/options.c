#include "options.h"

#include <errno.h>
#include <getopt.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

static const char *program = "server";

static const char help[] =
    "  --host ADDRESS     address to listen on, or unix:PATH (127.0.0.1)\n"
    "  --port N           port to listen on; 0 takes any that is free (1025)\n"
    "  --max-message N    bytes that one message may have (1048576)\n"
    "  --max-fragments N  frames that one message may come in (4096)\n"
    "  --max-conns N      connections at a time; more are answered 503 (1024)\n"
    "  --origins LIST     pages that may connect, such as \"https://example.org\" (\"*\": all)\n"
    "  --quiet            do not print the messages that are received\n"
    "  --help             print this\n";

static const struct option names[] = {
    {"host", required_argument, NULL, 'H'},
    {"port", required_argument, NULL, 'p'},
    {"max-message", required_argument, NULL, 'm'},
    {"max-fragments", required_argument, NULL, 'f'},
    {"max-conns", required_argument, NULL, 'c'},
    {"origins", required_argument, NULL, 'o'},
    {"quiet", no_argument, NULL, 'q'},
    {"help", no_argument, NULL, 'h'},
    {NULL, 0, NULL, 0},
};

/* ---- Options ----------------------------------------------------------- */

static size_t number(const char *option, const char *value, size_t least, size_t most)
{
    char *end = NULL;

    errno = 0;
    unsigned long long n = strtoull(value, &end, 10);
    /* strtoull takes blanks and signs, too. */
    if (value[0] < '0' || value[0] > '9' || *end || errno || n < least || n > most) {
        fprintf(stderr, "%s: %s must be a number from %zu to %zu, not \"%s\"\n", program, option,
                least, most, value);
        exit(2);
    }
    return (size_t)n;
}

static void take(struct options *o, int name, const char *value)
{
    switch (name) {
    case 'H':
        o->host = value;
        return;
    case 'p':
        o->port = (uint16_t)number("--port", value, 0, 65535);
        return;
    case 'm':
        o->max_message = number("--max-message", value, 1, SIZE_MAX / 32);
        return;
    case 'f':
        o->max_fragments = (uint32_t)number("--max-fragments", value, 1, UINT32_MAX);
        return;
    case 'c':
        o->max_conns = number("--max-conns", value, 1, 1000000);
        return;
    case 'o':
        o->origins = value;
        return;
    case 'q':
        o->quiet = true;
        return;
    default:
        exit(2); /* getopt_long has named the option */
    }
}

static void print_help(const char *about)
{
    printf("%s - %s\n\nUsage: %s [OPTION]...\n%s", program, about, program, help);
    exit(0);
}

/* A descriptor for each connection, for those 64 that may be hearing 503 besides, and some for the
 * program, as far as the system allows. */
static void allow_descriptors(size_t conns)
{
    rlim_t most = conns + 128;
    struct rlimit limit;

    if (getrlimit(RLIMIT_NOFILE, &limit) != 0 || limit.rlim_cur >= most)
        return;
    limit.rlim_cur = limit.rlim_max < most ? limit.rlim_max : most;
    setrlimit(RLIMIT_NOFILE, &limit);
}

struct options options_parse(int argc, char **argv, const char *about)
{
    struct options o = {"127.0.0.1", 1025, 1u << 20, 4096, 1024, "*", false, 0};
    int name;

    if (argc > 0) {
        char *slash = strrchr(argv[0], '/');
        argv[0] = slash ? slash + 1 : argv[0]; /* getopt_long says it, too */
        program = argv[0];
    }
    while ((name = getopt_long(argc, argv, "", names, NULL)) != -1)
        if (name == 'h')
            print_help(about);
        else
            take(&o, name, optarg);
    if (optind < argc) {
        fprintf(stderr, "%s: unexpected argument \"%s\"; see --help\n", program, argv[optind]);
        exit(2);
    }
    allow_descriptors(o.max_conns);
    setvbuf(stdout, NULL, _IOLBF, 0); /* a pipe, too, sees each line at once */
    signal(SIGPIPE, SIG_IGN);         /* whoever read our lines may go; we serve on */
    return o;
}

uint16_t options_port(int argc, char **argv)
{
    const char *slash = argc > 0 ? strrchr(argv[0], '/') : NULL;

    program = slash ? slash + 1 : argc > 0 ? argv[0] : program;
    if (argc > 2) {
        fprintf(stderr, "%s: a port is all it takes, not \"%s\"\n", program, argv[2]);
        exit(2);
    }
    signal(SIGPIPE, SIG_IGN);
    return argc < 2 ? 1025 : (uint16_t)number("port", argv[1], 0, 65535);
}

/* ---- Lines ------------------------------------------------------------- */

static void print_url(const char *scheme, const char *host, uint16_t port)
{
    bool six = strchr(host, ':') != NULL;

    printf("%s://%s%s%s:%u/", scheme, six ? "[" : "", host, six ? "]" : "", (unsigned)port);
}

/* An address that a person on this machine can open: the wildcards are none. */
static const char *reachable(const char *host)
{
    return strcmp(host, "0.0.0.0") == 0 || strcmp(host, "::") == 0 ? "localhost" : host;
}

/* False where the host is the path of a Unix-domain socket, which no browser opens. */
static bool print_listening(const struct options *options, uint16_t port)
{
    if (strncmp(options->host, "unix:", 5) == 0) {
        printf("listening on ws+%s\n", options->host);
        return false;
    }
    printf("listening on ");
    print_url("ws", options->host, port);
    printf("\n");
    return true;
}

void print_page(const struct options *options, uint16_t port)
{
    if (!print_listening(options, port))
        return;
    printf("open ");
    print_url("http", reachable(options->host), port);
    printf(" in a browser\n");
}

void print_console(const struct options *options, uint16_t port)
{
    if (!print_listening(options, port))
        return;
    printf("try in a browser's console: ws = new WebSocket('");
    print_url("ws", reachable(options->host), port);
    printf("'); ws.onmessage = e => console.log(e.data); ws.onopen = () => ws.send('caw')\n");
}

void print_no_server(const struct options *options)
{
    fprintf(stderr, "%s: cannot listen on %s port %u: %s%s\n", program, options->host,
            (unsigned)options->port, strerror(errno),
            errno == EINVAL ? " (--host or --origins)" : "");
}

/* Text that can do nothing to a terminal: C0 and C1 controls and DEL as \xNN. */
static size_t escape(char *out, const unsigned char *in, size_t len)
{
    size_t n = 0;

    for (size_t i = 0; i < len; i++) {
        bool c1 = in[i] == 0xc2 && i + 1 < len && in[i + 1] < 0xa0;
        if (c1)
            n += (size_t)sprintf(out + n, "\\x%02x", in[i++]);
        if (c1 || in[i] < 0x20 || in[i] == 0x7f)
            n += (size_t)sprintf(out + n, "\\x%02x", in[i]);
        else
            out[n++] = (char)in[i];
    }
    return n;
}

void print_received(const struct options *options, bool text, const void *data, size_t len)
{
    enum { MOST = 200 };
    const unsigned char *bytes = data;
    char line[4 * MOST];
    size_t shown = len;

    if (options->quiet)
        return;
    if (!text) {
        printf("received: %zu bytes\n", len);
        return;
    }
    if (shown > MOST) /* cut in front of a whole code point */
        for (shown = MOST; shown > 0 && (bytes[shown] & 0xc0) == 0x80;)
            shown--;
    size_t n = escape(line, bytes, shown);
    printf("received: %.*s", (int)n, line);
    if (shown < len)
        printf("... (%zu bytes)", len);
    printf("\n");
}
