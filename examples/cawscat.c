/* cawscat.c - a WebSocket client and server for the command line: see --help.
 *
 * stdin, stdout and the sockets are watched by one poll(2): caws_loop_fd is readable when the loop
 * has work. A line is read when its message has room, and peers are read from when stdout has. */
#include "cawscat.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* ---- Signals ----------------------------------------------------------- */

static struct cat cat;

static void on_interrupt(caws_task *task)
{
    (void)task;
    if (cat.open == 0 && !cat.server)
        cat.status = FAILED; /* it was still connecting */
    conn_close_all(&cat, cat.server ? CAWS_CLOSE_GOING_AWAY : CAWS_CLOSE_NORMAL);
}

/* The first signal asks for an orderly end; the second one is deadly. */
static void on_signal(int number)
{
    static caws_task task = {.fn = on_interrupt};
    static volatile sig_atomic_t posted;

    (void)number;
    if (!posted)
        caws_loop_post(cat.loop, &task);
    posted = 1;
}

static void catch_signals(void)
{
    struct sigaction action = {.sa_flags = (int)SA_RESETHAND};

    action.sa_handler = on_signal;
    sigaction(SIGINT, &action, NULL);
    sigaction(SIGTERM, &action, NULL);
    signal(SIGPIPE, SIG_IGN); /* a write says so, too */
}

/* ---- Beginning --------------------------------------------------------- */

/* No socket may become descriptor 0, 1 or 2 where a caller has closed them. */
static void fill_standard_descriptors(void)
{
    int fd = open("/dev/null", O_RDWR);

    while (fd >= 0 && fd <= STDERR_FILENO)
        fd = open("/dev/null", O_RDWR);
    if (fd >= 0)
        close(fd);
}

static void look_around(void)
{
    const char *no_colour = getenv("NO_COLOR");
    const char *term = getenv("TERM");

    cat.screen = isatty(STDOUT_FILENO);
    cat.terminal = cat.screen && isatty(STDIN_FILENO);
    cat.colours = cat.terminal && !(no_colour && *no_colour) && term && strcmp(term, "dumb") != 0;
}

/* A shell gives /dev/null to what runs in the background: a listener serves on there. */
static bool has_no_stdin(void)
{
    struct stat in, null;

    return cat.server && !cat.set.one && fstat(STDIN_FILENO, &in) == 0 &&
           stat("/dev/null", &null) == 0 && S_ISCHR(in.st_mode) && in.st_rdev == null.st_rdev;
}

static bool start_server(void)
{
    caws_server_config config = {.host = cat.set.host, .port = cat.set.port};

    config.ws = cat.set.client.ws;
    config.ws.origin = NULL;
    cat.server = caws_listen(cat.loop, &config);
    if (!cat.server)
        print_failure(&cat, FAILED, "cannot listen on %s: %s", cat.set.listen, strerror(errno));
    else if (cat.set.port == 0 && strncmp(cat.set.listen, "unix:", 5) == 0)
        print_notice(&cat, "listening on %s; Ctrl-D ends", cat.set.listen);
    else
        print_notice(&cat, "listening on %s port %u; Ctrl-D ends",
                     cat.set.host ? cat.set.host : "every interface",
                     (unsigned)caws_server_port(cat.server));
    return cat.server != NULL;
}

static bool start_client(void)
{
    cat.set.client.ws.origins = NULL;
    caws_conn *ws = caws_connect_with(cat.loop, &cat.set.client);
    if (ws)
        cat.client = caws_id(ws);
    else if (errno == EINVAL)
        print_failure(&cat, USAGE, "%s: not a URL that it can connect to, such as ws://host:port/",
                      cat.set.client.url);
    else
        print_failure(&cat, FAILED, "%s: %s", cat.set.client.url, strerror(errno));
    return ws != NULL;
}

/* ---- The loop ---------------------------------------------------------- */

static void pause_or_resume(caws_conn *ws, void *unused)
{
    (void)unused;
    if (cat.paused)
        caws_pause(ws);
    else
        caws_resume(ws);
}

/* False when stdout takes no more, ever. */
static bool write_out(int events)
{
    int error = (events & (POLLERR | POLLHUP | POLLNVAL)) ? EPIPE : output_flush(&cat.out, false);
    bool slow = cat.out.start < cat.out.end;

    if (error == 0 && slow != cat.paused) {
        cat.paused = slow;
        conn_each(&cat, pause_or_resume, NULL);
    }
    if (error == 0)
        return true;
    /* A reader that has gone, as head(1) does, is no failure: nobody wants more. */
    if (error != EPIPE)
        print_failure(&cat, FAILED, "stdout: %s", strerror(error));
    cat.out.start = cat.out.end;
    conn_close_all(&cat, CAWS_CLOSE_NORMAL);
    return false;
}

static void read_in(void)
{
    int error = input_read(&cat.in);

    if (error != 0) {
        print_failure(&cat, FAILED, "stdin: %s", strerror(error));
        cat.in.ended = true;
    }
}

static void run(void)
{
    struct pollfd fds[] = {{.events = POLLIN}, {.events = POLLIN}, {.fd = STDOUT_FILENO}};
    bool deaf = has_no_stdin();

    while (!cat.over) {
        bool reads = !deaf && !cat.in.ended && !cat.ending && (cat.terminal || conn_has_room(&cat));
        fds[0].fd = caws_loop_fd(cat.loop);
        fds[1].fd = reads ? STDIN_FILENO : -1;
        fds[2].events = cat.out.start < cat.out.end ? POLLOUT : 0;
        int timeout = fds[0].fd < 0 ? 10 : caws_loop_timeout(cat.loop);
        if (poll(fds, 3, timeout) < 0)
            continue; /* EINTR, and a signal's task is waiting */
        if (reads && fds[1].revents)
            read_in();
        caws_loop_step(cat.loop, 0);
        conn_send_lines(&cat); /* what it leaves to do makes caws_loop_fd readable */
        if (!write_out(fds[2].revents))
            fds[2].fd = -1;
    }
}

int main(int argc, char **argv)
{
    fill_standard_descriptors();
    cat.set = settings_parse(argc, argv);
    look_around();
    conn_handlers(&cat.set.client.ws, &cat);
    cat.loop = caws_loop_new(NULL);
    if (!cat.loop) {
        print_failure(&cat, FAILED, "%s", strerror(errno));
        return cat.status;
    }
    catch_signals();
    if (cat.set.listen ? start_server() : start_client())
        run();
    output_flush(&cat.out, true);
    if (cat.server)
        caws_loop_run(cat.loop); /* until the last words have arrived */
    caws_loop_free(cat.loop);
    free(cat.out.data);
    free(cat.in.bytes.data);
    free(cat.held.data);
    return cat.status;
}
