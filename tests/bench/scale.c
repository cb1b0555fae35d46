/* As many connections as the limits allow, in pairs of processes: what each costs in
 * user space and in the kernel; then what a broadcast costs as its receivers grow.
 *
 *   scale [-p PAIRS] [-q]    with -q, few of both */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <signal.h>
#include <unistd.h>

#include "load.h"
#include "server.h"
#include "table.h"

#define MAX_PAIRS 100
#define ROUNDS    3
#define SPARE     200 /* descriptors of a process that are no connections */
#define EACH      (32 * 1024) /* bytes at most that both ends of a connection take */

static char folder[512], control[600], caws[600];
static bool quick;

/* ---- Many connections -------------------------------------------------- */

/* A server, and the process that holds the other ends. */
static struct pair {
    struct server server;
    pid_t holder;
    int to, from; /* pipes */
    double cpu;   /* seconds, of the server */
    double wall;
    uint64_t resident;
} pairs[MAX_PAIRS];

/* From a file of /proc; the number behind a word, or 0. */
static uint64_t number_in(const char *path, const char *word)
{
    char text[8192];
    uint64_t number = 0;
    FILE *f = fopen(path, "r");
    size_t n = f ? fread(text, 1, sizeof text - 1, f) : 0;

    if (f)
        fclose(f);
    text[n] = '\0';
    if (strstr(text, word))
        sscanf(strstr(text, word) + strlen(word), "%*[: ]%" SCNu64, &number);
    return number;
}

/* Slabs, page by page buffers of sockets, and page tables: bytes. */
static uint64_t kernel_memory(void)
{
    uint64_t tcp = 0;
    char line[256];
    FILE *f = fopen("/proc/net/sockstat", "r");

    while (f && fgets(line, sizeof line, f))
        if (strncmp(line, "TCP:", 4) == 0 && strstr(line, "mem"))
            sscanf(strstr(line, "mem"), "mem %" SCNu64, &tcp);
    if (f)
        fclose(f);
    return (number_in("/proc/meminfo", "Slab") + number_in("/proc/meminfo", "PageTables")) * 1024 +
           tcp * (uint64_t)sysconf(_SC_PAGESIZE);
}

static void say(int fd, double number)
{
    if (write(fd, &number, sizeof number) != sizeof number)
        die("a pipe is closed");
}

static double hear(int fd)
{
    double number;

    if (read(fd, &number, sizeof number) != sizeof number)
        die("a process that holds connections has ended");
    return number;
}

/* Opens them, says how long that took; when asked, sends a message on each. */
static void hold(const struct server *s, size_t count, int from, int to)
{
    double begin = now_s();
    struct batch b;
    struct load l;

    prctl(PR_SET_PDEATHSIG, SIGKILL);
    load_open(&l, s->port, false, count);
    say(to, now_s() - begin);
    hear(from);
    batch_make(&b, 20, 1);
    say(to, (double)load_echo(&l, &b, (struct amount){ 0, 1 }, true));
    hear(from);
    _exit(0);
}

static void open_pair(struct pair *p, size_t count)
{
    const char *argv[] = { caws, "hold", NULL };
    int down[2], up[2];

    server_start(&p->server, argv, true);
    p->resident = server_resident(&p->server);
    p->cpu = server_cpu_s(&p->server);
    if (pipe(down) < 0 || pipe(up) < 0)
        die("pipe");
    p->holder = fork();
    if (p->holder == 0)
        hold(&p->server, count, down[0], up[1]);
    close(down[0]);
    close(up[1]);
    p->to = down[1];
    p->from = up[0];
    p->wall = hear(p->from);
    p->cpu = server_cpu_s(&p->server) - p->cpu;
    p->resident = server_resident(&p->server) - p->resident;
}

static void close_pair(struct pair *p)
{
    close(p->to);
    close(p->from);
    kill(p->holder, SIGKILL);
    waitpid(p->holder, NULL, 0);
    server_stop(&p->server);
}

static size_t pairs_possible(size_t wanted, size_t each)
{
    uint64_t memory = number_in("/proc/meminfo", "MemAvailable") * 1024 / 2 / EACH / each;
    uint64_t files = number_in("/proc/sys/fs/file-max", "") / 2 / each;
    size_t most = wanted < MAX_PAIRS ? wanted : MAX_PAIRS;

    if (memory < most)
        most = memory;
    if (files > 0 && files < most)
        most = files;
    return most > 0 ? most : 1;
}

/* What the handshakes cost a server that answers with a fixed 101. */
static void open_floor(size_t count, double *rate, double *cpu)
{
    const char *argv[] = { control, "accept", NULL };
    struct server s;
    struct load l;

    server_start(&s, argv, true);
    double begin = now_s();
    load_open(&l, s.port, false, count);
    *rate = (double)count / (now_s() - begin);
    *cpu = server_cpu_s(&s) / (double)count * 1e6;
    load_close(&l);
    server_stop(&s);
}

static void print_held(size_t n, size_t each, double kernel, double floor[2][ROUNDS])
{
    double resident[MAX_PAIRS], rate[MAX_PAIRS], cpu[MAX_PAIRS], per = (double)each;

    for (size_t i = 0; i < n; i++) {
        resident[i] = (double)pairs[i].resident / per;
        rate[i] = per / pairs[i].wall;
        cpu[i] = pairs[i].cpu / per * 1e6;
    }
    cell("%zu connections, %zu pairs of processes", n * each, n);
    cell("caws, of all pairs");
    cell("a minimal accept loop");
    end_row();
    cell("user space, resident bytes per connection");
    cell_spread(resident, n, 0, "");
    cell("-");
    end_row();
    cell("kernel, bytes per end of a connection");
    cell("%.0f", kernel / (double)(n * each) / 2);
    cell("-");
    end_row();
    cell("handshakes per second, a server and its load on a core each");
    cell_spread(rate, n, 0, "");
    cell_spread(floor[0], ROUNDS, 0, "");
    end_row();
    cell("server CPU per handshake, connection stays");
    cell_spread(cpu, n, 2, " us");
    cell_spread(floor[1], ROUNDS, 2, " us");
    end_row();
    print_table();
}

static void hold_many(size_t wanted)
{
    struct rlimit limit;
    double echoed = 0, floor[2][ROUNDS];

    getrlimit(RLIMIT_NOFILE, &limit);
    size_t each = limit.rlim_cur > 20000 ? 20000 - SPARE : (size_t)limit.rlim_cur - SPARE;
    if (quick && each > 2000)
        each = 2000;
    size_t n = pairs_possible(wanted, each);
    for (size_t i = 0; i < ROUNDS; i++)
        open_floor(each, &floor[0][i], &floor[1][i]);
    uint64_t before = kernel_memory();
    for (size_t i = 0; i < n; i++) {
        progress("%zu connections", i * each);
        open_pair(&pairs[i], each);
    }
    double kernel = (double)(kernel_memory() - before);
    for (size_t i = 0; i < n; i++) {
        progress("a message on each: %zu", i * each);
        say(pairs[i].to, 1);
        echoed += hear(pairs[i].from);
    }
    if (echoed != (double)(n * each))
        die("not all connections are alive");
    progress_end();
    print_held(n, each, kernel, floor);
    for (size_t i = 0; i < n; i++)
        close_pair(&pairs[i]);
}

/* ---- Broadcast --------------------------------------------------------- */

static const size_t receivers[] = { 10, 100, 1000, 10000 };
#define SIZES (sizeof receivers / sizeof *receivers)

static double delivery_cost(const char *program, bool raw, size_t count)
{
    const char *argv[] = { program, "broadcast", NULL };
    struct batch b;
    struct server s;
    struct load l;

    batch_make(&b, 20, 1);
    snprintf(doing, sizeof doing, "%s, broadcast to %zu", raw ? "control" : "caws", count);
    server_start(&s, argv, true);
    load_open(&l, s.port, raw, count);
    load_broadcast(&l, &b, (struct amount){ 0, 2 }, true);
    double before = server_cpu_s(&s);
    uint64_t delivered = load_broadcast(&l, &b, (struct amount){ quick ? 0.1 : 1, 0 }, false);
    double cost = (server_cpu_s(&s) - before) / (double)delivered;
    load_close(&l);
    server_stop(&s);
    batch_free(&b);
    return cost * 1e6;
}

static void print_broadcast(double cost[2][SIZES][ROUNDS])
{
    double before[2] = { 0 };

    cell("receivers of a broadcast, 20 B");
    cell("caws, CPU per delivery");
    cell("send loop");
    cell("beside it");
    cell("caws: per delivery, as ten times fewer");
    cell("send loop: the same");
    end_row();
    for (size_t i = 0; i < SIZES; i++) {
        double ratio[ROUNDS], now[2];

        for (size_t r = 0; r < ROUNDS; r++)
            ratio[r] = cost[0][i][r] / cost[1][i][r];
        cell("%zu", receivers[i]);
        for (int who = 0; who < 2; who++) {
            cell_spread(cost[who][i], ROUNDS, 3, " us");
            now[who] = spread_of(cost[who][i], ROUNDS).median;
        }
        cell_spread(ratio, ROUNDS, 2, " x");
        for (int who = 0; who < 2; who++) {
            cell(i > 0 ? "%.2f x" : "-", now[who] / before[who]);
            before[who] = now[who];
        }
        end_row();
    }
    print_table();
}

static void broadcast_to_more(void)
{
    static double cost[2][SIZES][ROUNDS];

    for (size_t r = 0; r < ROUNDS; r++)
        for (size_t i = 0; i < SIZES; i++) {
            progress("round %zu of %d: broadcast to %zu", r + 1, ROUNDS, receivers[i]);
            cost[1][i][r] = delivery_cost(control, true, receivers[i]);
            cost[0][i][r] = delivery_cost(caws, false, receivers[i]);
        }
    progress_end();
    print_broadcast(cost);
}

int main(int argc, char **argv)
{
    size_t wanted = 10;

    snprintf(folder, sizeof folder, "%s", argv[0]);
    if (strrchr(folder, '/'))
        *strrchr(folder, '/') = '\0';
    snprintf(control, sizeof control, "%s/control", folder);
    snprintf(caws, sizeof caws, "%s/caws", folder);
    for (int option; (option = getopt(argc, argv, "qp:")) != -1;)
        switch (option) {
        case 'q': quick = true; break;
        case 'p': wanted = strtoul(optarg, NULL, 10); break;
        default: return 2;
        }
    alarm(600);
    raise_descriptor_limit();
    pin_to(LOAD_CORE);
    print_circumstances();
    hold_many(quick ? 2 : wanted);
    printf("\n");
    broadcast_to_more();
    return 0;
}
