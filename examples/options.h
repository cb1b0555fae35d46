/* options.h - what the example servers share that is not WebSocket: options, and lines of text. */
#ifndef OPTIONS_H
#define OPTIONS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct options {
    const char *host;
    uint16_t port;
    size_t max_message;
    uint32_t max_fragments;
    size_t max_conns;
    /* "*": a page of any site may connect, which is handy to try things out. The library's default
     * is the server's own pages, as browsers send a user's cookies along for any page. */
    const char *origins;
    bool quiet;
    size_t max_buffered; /* the server's to set */
};

/* Leaves the program on --help (status 0) and on a mistake (one sentence, status 2). about is what
 * the program does, for --help. */
struct options options_parse(int argc, char **argv, const char *about);

/* For servers that take a port and nothing else, or not even that: 1025. */
uint16_t options_port(int argc, char **argv);

/* The first line of stdout, now that clients may connect, and a second one for people. */
void print_page(const struct options *options, uint16_t port);
void print_console(const struct options *options, uint16_t port);
/* Why there is no server: errno's sentence. */
void print_no_server(const struct options *options);

void print_received(const struct options *options, bool text, const void *data, size_t len);

#endif
