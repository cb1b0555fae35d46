/* A server program under measurement: a process of its own, on a core of its
 * own. Each prints its port when it listens on 127.0.0.1, and dies with us. */
#ifndef BENCH_SERVER_H
#define BENCH_SERVER_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#define SERVER_CORE 0
#define LOAD_CORE   1

struct server {
    pid_t pid;
    clockid_t clock; /* its CPU time: user and system, all threads */
    uint16_t port;
};

/* Ends this process with a message, and what it was doing. */
extern char doing[80];
__attribute__((format(printf, 1, 2), noreturn)) void die(const char *format, ...);

double now_s(void);
void pin_to(int core);            /* this process; nothing where there is no such core */
void raise_descriptor_limit(void);

/* argv ends with NULL; the child's standard error goes to /dev/null if quiet. */
void server_start(struct server *s, const char *const *argv, bool quiet);
void server_stop(struct server *s);

double server_cpu_s(const struct server *s);
uint64_t server_resident(const struct server *s); /* bytes, user space */

/* Counts the system calls of the server from now on, by the kernel's tracepoint:
 * exact, and whichever way they are made. -1 where the kernel lets us not. */
int count_calls(const struct server *s);
uint64_t calls_counted(int counter); /* closes it */

#endif
