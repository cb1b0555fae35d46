#include "cawscat.h"

#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char help[] =
    "cawscat - talks to a WebSocket server, or is one\n"
    "\n"
    "  cawscat [OPTION]... URL                   connect: ws://HOST[:PORT][/PATH]\n"
    "  cawscat [OPTION]... --listen [HOST:]PORT  serve\n"
    "\n"
    "In a terminal, a line that you type is a message; Ctrl-D closes. In a pipe, each line of\n"
    "stdin is a message, and each message is printed as a line; nothing else is printed. When\n"
    "stdin ends, cawscat waits until the peer has read all and been silent (--wait), and closes.\n"
    "\n"
    "  cawscat ws://localhost:1025               a conversation\n"
    "  echo '{\"ask\": 1}' | cawscat -1 URL        one question, one answer\n"
    "  cawscat -1 URL </dev/null                 are we let in? See the exit status\n"
    "  tail -f log | cawscat --listen 9000       each line to all who have come\n"
    "  cawscat -H 'Authorization: Bearer x' -s chat URL\n"
    "  cawscat --binary URL <picture >echoed     bytes as they are\n"
    "  cawscat ws+unix:/run/app.sock:/path       over a Unix-domain socket\n"
    "\n"
    "  -l, --listen [HOST:]PORT  serve on 127.0.0.1, or HOST (\"*\": everywhere), or unix:PATH\n"
    "  -1, --one             send what stdin has, print the first answer if anything was sent,\n"
    "                        close; in a terminal: one line\n"
    "  -b, --binary          binary messages, of what stdin brings: up to 64 KiB each, or with -1\n"
    "                        all of it as one; they are printed without a newline behind them\n"
    "  -H, --header LINE     'NAME: VALUE' for our request, or our responses; repeatable\n"
    "  -o, --origin ORIGIN   the Origin to send; with --listen, whose pages come in (\"*\": all)\n"
    "  -s, --subprotocol S   offered, or with --listen spoken; repeatable, the best one first\n"
    "      --ping SECONDS    silence before a Ping is sent (30); 0: never\n"
    "      --timeout SECONDS to connect, and again for the opening handshake (10)\n"
    "  -w, --wait SECONDS    silence, at the end of a piped stdin, before we close (0.3)\n"
    "      --max-message N   bytes that a message may have (16777216)\n"
    "      --redirects N     redirects to follow (0)\n"
    "      --proxy URL       http://HOST:PORT, which is asked to CONNECT\n"
    "  -h, --help            print this\n"
    "\n"
    "Exit status: 0 clean; 1 not connected (not found, refused, timed out, rejected with an HTTP\n"
    "status), or stdin or stdout failed; 2 usage; 3 closed with a code but 1000 and 1005.\n"
    "Prompts, colours and notices in a terminal only; no colours where NO_COLOR is set.\n";

static const struct option names[] = {
    {"listen", required_argument, NULL, 'l'},      {"one", no_argument, NULL, '1'},
    {"binary", no_argument, NULL, 'b'},            {"header", required_argument, NULL, 'H'},
    {"origin", required_argument, NULL, 'o'},      {"subprotocol", required_argument, NULL, 's'},
    {"ping", required_argument, NULL, 'p'},        {"timeout", required_argument, NULL, 't'},
    {"wait", required_argument, NULL, 'w'},        {"max-message", required_argument, NULL, 'm'},
    {"redirects", required_argument, NULL, 'r'},   {"proxy", required_argument, NULL, 'x'},
    {"help", no_argument, NULL, 'h'},              {NULL, 0, NULL, 0},
};

__attribute__((noreturn)) static void mistake(const char *what, const char *value)
{
    fprintf(stderr, "cawscat: %s, not \"%s\"; see --help\n", what, value);
    exit(USAGE);
}

static size_t whole(const char *what, const char *value, size_t least, size_t most)
{
    char *end = NULL;

    errno = 0;
    unsigned long long n = strtoull(value, &end, 10);
    if (value[0] < '0' || value[0] > '9' || *end || errno || n < least || n > most)
        mistake(what, value);
    return (size_t)n;
}

/* Seconds, a fraction among them, as milliseconds. */
static uint32_t seconds(const char *what, const char *value)
{
    char *end = NULL;
    double n = strtod(value, &end);

    if (value[0] < '0' || value[0] > '9' || *end || !(n <= 86400))
        mistake(what, value);
    return (uint32_t)(n * 1000 + 0.5);
}

/* *list, sep, value and tail, in memory of its own. */
static void append(const char **list, const char *sep, const char *value, const char *tail)
{
    char *joined = NULL;

    if (asprintf(&joined, "%s%s%s%s", *list ? *list : "", *list ? sep : "", value, tail) < 0)
        exit(FAILED);
    free((void *)(uintptr_t)*list);
    *list = joined;
}

static void take_listen(struct settings *set, const char *value)
{
    static char host[256];
    const char *colon = strrchr(value, ':');
    const char *port = colon ? colon + 1 : value;
    size_t len = colon ? (size_t)(colon - value) : 0;

    set->listen = value;
    set->host = value;
    if (strncmp(value, "unix:", 5) == 0)
        return;
    set->port = (uint16_t)whole("--listen wants [HOST:]PORT", port, 0, 65535);
    if (len > 1 && value[0] == '[' && value[len - 1] == ']') {
        value++;
        len -= 2;
    }
    if (len >= sizeof host)
        mistake("--listen wants [HOST:]PORT", value);
    memcpy(host, value, len);
    host[len] = '\0';
    set->host = colon ? host : "127.0.0.1";
    if (colon && (len == 0 || strcmp(host, "*") == 0))
        set->host = NULL;
}

static void take_url(struct settings *set, const char *url)
{
    bool whole_url = strstr(url, "://") || strncmp(url, "ws+unix:", 8) == 0;

    append(&set->client.url, "", whole_url ? "" : "ws://", url);
}

static void take(struct settings *set, int name, const char *value)
{
    caws_config *ws = &set->client.ws;

    switch (name) {
    case 'l':
        take_listen(set, value);
        return;
    case '1':
        set->one = true;
        return;
    case 'b':
        set->binary = true;
        return;
    case 'H':
        append(&ws->headers, "", value, "\r\n");
        return;
    case 'o':
        ws->origin = value;
        ws->origins = value;
        return;
    case 's':
        append(&ws->subprotocols, ", ", value, "");
        return;
    case 'p':
        ws->ping_interval_ms = seconds("--ping wants seconds", value);
        if (ws->ping_interval_ms == 0)
            ws->ping_interval_ms = CAWS_OFF;
        return;
    case 't':
        ws->handshake_timeout_ms = seconds("--timeout wants seconds", value);
        set->client.connect_timeout_ms = ws->handshake_timeout_ms;
        return;
    case 'w':
        set->wait_ms = seconds("--wait wants seconds", value);
        return;
    case 'm':
        ws->max_message = whole("--max-message wants a number", value, 1, SIZE_MAX / 8);
        return;
    case 'r':
        set->client.max_redirects = (uint32_t)whole("--redirects wants a number", value, 0, 100);
        return;
    case 'x':
        set->client.proxy = value;
        return;
    default:
        exit(USAGE); /* getopt_long has said why */
    }
}

/* What the library would only call invalid. */
static void check(const struct settings *set)
{
    caws_config probe = set->client.ws;

    probe.random = caws_entropy;
    if (set->listen)
        probe.origin = NULL;
    else
        probe.origins = NULL;
    if (caws_config_check(&probe, set->listen ? NULL : "ws://localhost/") != CAWS_OK) {
        fprintf(stderr, "cawscat: --header, --origin or --subprotocol is malformed; see --help\n");
        exit(USAGE);
    }
}

struct settings settings_parse(int argc, char **argv)
{
    static char name[] = "cawscat";
    struct settings set = {.wait_ms = 300, .client.ws.max_message = 16u << 20};
    int option;

    argv[0] = name; /* getopt_long says it */
    while ((option = getopt_long(argc, argv, "l:1bH:o:s:w:h", names, NULL)) != -1)
        if (option == 'h') {
            fputs(help, stdout);
            exit(CLEAN);
        } else {
            take(&set, option, optarg);
        }
    if (set.listen ? optind != argc : optind != argc - 1) {
        fprintf(stderr, "cawscat: it takes one URL, or --listen [HOST:]PORT; see --help\n");
        exit(USAGE);
    }
    if (!set.listen)
        take_url(&set, argv[optind]);
    check(&set);
    set.client.ws.max_buffered = 2 * (set.client.ws.max_message + 16); /* half, then one more */
    set.client.ws.max_fragments = 1u << 20;
    return set;
}
