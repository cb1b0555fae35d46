/* cawscat.h - what the parts of cawscat share. */
#ifndef CAWSCAT_H
#define CAWSCAT_H

#include <caws_net.h>

enum { CLEAN = 0, FAILED = 1, USAGE = 2, CLOSED_BADLY = 3 }; /* exit statuses */

struct settings {
    const char *url;    /* NULL: listen */
    const char *listen; /* as it was given */
    const char *host;
    uint16_t port;
    bool binary, one;
    uint32_t wait_ms;
    caws_client_config client; /* client.ws serves the listener, too */
};

/* Leaves the program on --help, and on a mistake: one sentence, status 2. */
struct settings settings_parse(int argc, char **argv);

/* ---- stdin and stdout: cawscat_io.c ------------------------------------ */

struct bytes {
    char *data;
    size_t start, end, size; /* what is in it: data[start] to data[end - 1] */
};
bool bytes_add(struct bytes *b, const void *data, size_t len);

struct input {
    struct bytes bytes;
    bool ended;
    size_t searched; /* up to where there is no newline */
};
/* One read(2), which does not wait where poll(2) has promised so. 0, or an errno. */
int input_read(struct input *in);
/* The next message, if it is complete: a line, or in binary what there is; then say it is done. */
bool input_next(struct input *in, const struct settings *set, caws_slice *message);
void input_done(struct input *in, const caws_slice *message);

/* Writes what stdout takes now, or all. 0, or the errno of a stdout that takes no more. */
int output_flush(struct bytes *out, bool wait);

/* ---- All of it --------------------------------------------------------- */

struct cat {
    struct settings set;
    caws_loop *loop;
    caws_server *server; /* NULL: a client */
    uint64_t client;     /* the id of its conn */
    unsigned open;       /* conns */
    struct input in;
    struct bytes out;
    unsigned long sent, heard; /* messages */
    bool early;          /* with -1: the first message came before anything was sent */
    caws_type early_type;
    struct bytes held;
    bool terminal;       /* a person types and looks */
    bool screen;         /* stdout is a terminal: nothing raw goes there */
    bool colours;
    bool paused;         /* stdout is slow: so we do not read from the peers */
    bool ending;         /* nothing more will be sent */
    bool over;
    int status;
    const char *detail;  /* of the last on_error */
    caws_timer quiet;    /* since a peer's last message after the end of stdin */
};

/* cawscat_conn.c */
void conn_handlers(caws_config *ws, struct cat *cat);
void conn_each(struct cat *cat, void (*fn)(caws_conn *ws, void *arg), void *arg);
bool conn_has_room(struct cat *cat); /* somebody is there, and no queue is long */
void conn_send_lines(struct cat *cat);
void conn_close_all(struct cat *cat, uint16_t code);

/* cawscat_print.c: a notice is for a person; a failure is a sentence on stderr, and the status. */
__attribute__((format(printf, 2, 3))) void print_notice(struct cat *cat, const char *format, ...);
__attribute__((format(printf, 3, 4))) void print_failure(struct cat *cat, int status,
                                                         const char *format, ...);
void print_message(struct cat *cat, caws_type type, const void *data, size_t len);

#endif
