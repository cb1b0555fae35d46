/* caws, a control that only makes the system calls, and other libraries, one after
 * the other in every round: what each message costs the server.
 *
 *   bench [-q] [-r ROUNDS] [-o WORD]    quick; only works whose name has the word */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "load.h"
#include "server.h"
#include "table.h"

#define MAX_ROUNDS 99
#define IDLE       10000 /* connections */
#define PATH       512

/* ---- Who, and with what ------------------------------------------------ */

enum who { CONTROL, CAWS, LWS, WS, BEAST, WHOS };

static const char *const names[WHOS] = { "control", "caws", "libwebsockets", "ws (node)",
                                         "Boost.Beast" };
static const char *const files[WHOS] = { "control", "caws", "lws", "ws", "beast" };
static bool present[WHOS];

static const char *folder; /* of the programs */
static bool quick;
static size_t rounds = 9;
static const char *only = "";

enum kind { ECHO, BROADCAST, HANDSHAKE, HOLD };

static const struct work {
    const char *name;
    enum kind kind;
    size_t size;
    unsigned frames;     /* in one write */
    size_t conns;
    const char *mode;    /* of caws and the peers ... */
    const char *control; /* ... and of the control */
    const char *buffer;  /* of the control: its second argument */
} works[] = {
    { "echo 20 B", ECHO, 20, 1, 100, "echo", "echo", NULL },
    { "echo 1 KiB", ECHO, 1024, 1, 100, "echo", "echo", NULL },
    { "echo 20 B, P=16", ECHO, 20, 16, 100, "echo", "echo", NULL },
    { "echo 20 B, P=64", ECHO, 20, 64, 100, "echo", "echo", NULL },
    { "echo 16 KiB", ECHO, 16384, 1, 100, "echo", "echo", NULL },
    { "echo 1 MiB", ECHO, 1 << 20, 1, 20, "echo", "echo", "512" },
    { "echo 1 MiB gathered", ECHO, 1 << 20, 1, 20, "echo", "gather", "1048590" },
    { "echo 1 MiB streamed", ECHO, 1 << 20, 1, 20, "stream", "echo", "512" },
    { "broadcast", BROADCAST, 20, 1, 1000, "broadcast", "broadcast", NULL },
    { "broadcast P=16", BROADCAST, 20, 16, 1000, "broadcast", "broadcast", NULL },
    { "handshake", HANDSHAKE, 0, 0, 50, "echo", "accept", NULL },
    { "idle", HOLD, 20, 1, IDLE, "echo", "echo", NULL },
};
#define WORKS (sizeof works / sizeof *works)

/* Of each round; those not measured are below 0. */
static struct {
    double cpu[MAX_ROUNDS]; /* seconds a message */
    double calls[MAX_ROUNDS];
    double bytes;           /* resident, a connection */
    double instructions;    /* a message */
} results[WORKS][WHOS];

/* Which take part in a work: streaming is ours, and Beast has no broadcast here. */
static bool takes_part(const struct work *w, enum who who)
{
    if (!present[who] || !strstr(w->name, only) || (quick && who == BEAST))
        return false;
    if (who == BEAST)
        return w->kind != BROADCAST && strcmp(w->mode, "stream") != 0 &&
               strcmp(w->control, "gather") != 0;
    if (w->kind == HOLD)
        return who != CONTROL && (who == CAWS || !quick);
    return who == CONTROL || who == CAWS ||
           (strcmp(w->mode, "stream") != 0 && strcmp(w->control, "gather") != 0);
}

static void find_programs(void)
{
    const char *modules = getenv("NODE_PATH");
    char path[PATH];

    for (int i = 0; i < WHOS; i++) {
        snprintf(path, sizeof path, "%s/%s", i == WS && modules ? modules : folder, files[i]);
        present[i] = access(path, R_OK) == 0;
    }
}

static void start(struct server *s, const struct work *w, enum who who, const char *callgrind_out)
{
    const char *argv[10] = { NULL };
    char path[PATH], out[PATH];
    size_t n = 0;

    snprintf(doing, sizeof doing, "%s, %s", w->name, names[who]);
    if (callgrind_out) {
        snprintf(out, sizeof out, "--callgrind-out-file=%s", callgrind_out);
        argv[n++] = "valgrind";
        argv[n++] = "--tool=callgrind";
        argv[n++] = "--vgdb=no";
        argv[n++] = "-q";
        argv[n++] = out;
    }
    if (who == WS) {
        argv[n++] = "node";
        argv[n++] = "tests/bench/ws.js";
    } else {
        snprintf(path, sizeof path, "%s/%s", folder, files[who]);
        argv[n++] = path;
    }
    argv[n++] = who == CONTROL ? w->control : w->mode;
    argv[n++] = who == CONTROL ? w->buffer : NULL;
    server_start(s, argv, true);
}

/* ---- One measurement --------------------------------------------------- */

static uint64_t run(const struct work *w, struct load *l, const struct batch *b, uint16_t port,
                    struct amount amount, bool check)
{
    switch (w->kind) {
    case ECHO: return load_echo(l, b, amount, check);
    case BROADCAST: return load_broadcast(l, b, amount, check);
    case HANDSHAKE: return load_handshakes(port, w->conns, amount);
    case HOLD: break;
    }
    return 0;
}

static void measure_cpu(size_t work, enum who who, size_t round)
{
    const struct work *w = &works[work];
    struct amount window = { quick ? 0.1 : 0.5, 0 }, brief = { quick ? 0.03 : 0.1, 0 };
    struct batch b;
    struct server s;
    struct load l;

    batch_make(&b, w->size, w->frames);
    start(&s, w, who, NULL);
    load_open(&l, s.port, who == CONTROL, w->kind == HANDSHAKE ? 0 : w->conns);
    run(w, &l, &b, s.port, brief, true);
    double before = server_cpu_s(&s);
    uint64_t count = run(w, &l, &b, s.port, window, false);
    results[work][who].cpu[round] = (server_cpu_s(&s) - before) / (double)count;
    int counter = count_calls(&s);
    count = run(w, &l, &b, s.port, brief, false);
    if (counter >= 0)
        results[work][who].calls[round] = (double)calls_counted(counter) / (double)count;
    load_close(&l);
    server_stop(&s);
    batch_free(&b);
}

/* After a few connections, so that what a server has at all is there. */
static void measure_resident(size_t work, enum who who)
{
    struct batch b;
    struct server s;
    struct load l;

    batch_make(&b, works[work].size, 1);
    start(&s, &works[work], who, NULL);
    load_open(&l, s.port, false, 100);
    load_echo(&l, &b, (struct amount){ 0, 3 }, true);
    uint64_t before = server_resident(&s);
    load_more(&l, works[work].conns);
    results[work][who].bytes =
        (double)(server_resident(&s) - before) / (double)works[work].conns;
    load_close(&l);
    server_stop(&s);
    batch_free(&b);
}

/* ---- Instructions, by callgrind ---------------------------------------- */

static double collected(const char *file)
{
    FILE *f = fopen(file, "r");
    double count = 0;
    char line[512];

    while (f && fgets(line, sizeof line, f) && sscanf(line, "totals: %lf", &count) != 1)
        continue;
    if (!f || count == 0)
        die("callgrind left no count");
    fclose(f);
    return count;
}

static double instructions_of(size_t work, enum who who, uint64_t batches)
{
    char file[PATH];
    struct batch b;
    struct server s;
    struct load l;

    snprintf(file, sizeof file, "%s/callgrind.%s.%s", folder,
             works[work].frames == 1 ? "1" : "16", names[who]);
    batch_make(&b, works[work].size, works[work].frames);
    start(&s, &works[work], who, file);
    load_open(&l, s.port, who == CONTROL, works[work].conns);
    load_echo(&l, &b, (struct amount){ 0, batches }, true);
    load_close(&l);
    server_stop(&s);
    batch_free(&b);
    return collected(file);
}

/* The difference of two runs: what they have in common is no matter. The longer one's
 * profile is left in the folder, for callgrind_annotate. */
static void measure_instructions(size_t work, enum who who)
{
    enum { FEW = 5, MANY = 105 };
    double more = (double)(MANY - FEW) * (double)works[work].conns * works[work].frames;

    progress("%s: instructions, %s", works[work].name, names[who]);
    double few = instructions_of(work, who, FEW);
    results[work][who].instructions = (instructions_of(work, who, MANY) - few) / more;
}

/* ---- All of them ------------------------------------------------------- */

static void measure_all(void)
{
    double begin = now_s();

    bool any = false;

    for (size_t w = 0; w < WORKS; w++)
        any = any || takes_part(&works[w], CAWS);
    if (!any)
        die("there is no work with \"%s\" in its name", only);
    for (size_t round = 0; round < rounds; round++) {
        for (size_t w = 0; w < WORKS; w++)
            for (enum who who = CONTROL; who < WHOS; who++) {
                if (!takes_part(&works[w], who))
                    continue;
                progress("round %zu of %zu, %.0f s: %s, %s", round + 1, rounds, now_s() - begin,
                         works[w].name, names[who]);
                if (works[w].kind != HOLD)
                    measure_cpu(w, who, round);
                else if (round == 0)
                    measure_resident(w, who);
            }
        if (!isatty(STDERR_FILENO))
            fprintf(stderr, "round %zu of %zu, %.0f s\n", round + 1, rounds, now_s() - begin);
    }
    for (size_t w = 0; w < WORKS && system("valgrind --version >/dev/null 2>&1") == 0; w++)
        for (enum who who = CONTROL; who < WHOS; who++)
            if (works[w].kind == ECHO && works[w].size == 20 && works[w].frames < 64 && who != WS &&
                (!quick || who <= CAWS) && takes_part(&works[w], who))
                measure_instructions(w, who);
    progress_end();
}

/* ---- The table --------------------------------------------------------- */

enum metric { CPU, CALLS, BYTES, INSTRUCTIONS };

static const struct row {
    const char *title, *work;
    enum metric metric;
    double goal;
} rows[] = {
    { "CPU per echo, 20 B, c=100, P=1", "echo 20 B", CPU, 1.03 },
    { "CPU per echo, 1 KiB, c=100, P=1", "echo 1 KiB", CPU, 1.03 },
    { "CPU per echo, 20 B, c=100, P=16", "echo 20 B, P=16", CPU, 1.00 },
    { "CPU per echo, 20 B, c=100, P=64", "echo 20 B, P=64", CPU, 1.08 },
    { "CPU per echo, 16 KiB, c=100", "echo 16 KiB", CPU, 1.03 },
    { "CPU per echo, 1 MiB, c=20, whole", "echo 1 MiB", CPU, 1.12 },
    { "... beside a control that gathers it", "echo 1 MiB gathered", CPU, 1.12 },
    { "CPU per echo, 1 MiB, c=20, streamed", "echo 1 MiB streamed", CPU, 1.05 },
    { "CPU per delivery, broadcast to 1000, 20 B", "broadcast", CPU, 0.70 },
    { "... 16 publishes at a time", "broadcast P=16", CPU, 0.65 },
    { "CPU per handshake, c=50", "handshake", CPU, 1.06 },
    { "system calls per echo, 20 B, P=1", "echo 20 B", CALLS, 2.05 },
    { "system calls per echo, 20 B, P=16", "echo 20 B, P=16", CALLS, 0.15 },
    { "system calls per delivery, broadcast", "broadcast", CALLS, 0 },
    { "system calls per handshake", "handshake", CALLS, 8 },
    { "resident bytes per idle connection", "idle", BYTES, 200 },
    { "user instructions per echo, 20 B, P=1", "echo 20 B", INSTRUCTIONS, 400 },
    { "user instructions per echo, 20 B, P=16", "echo 20 B, P=16", INSTRUCTIONS, 180 },
};
#define ROWS (sizeof rows / sizeof *rows)

static size_t work_named(const char *name)
{
    for (size_t w = 0; w < WORKS; w++)
        if (strcmp(works[w].name, name) == 0)
            return w;
    die("no work %s", name);
}

/* The rounds of one row and server: how many there are. */
static size_t figures(const struct row *r, enum who who, double out[MAX_ROUNDS])
{
    size_t w = work_named(r->work), count = 0;

    for (size_t i = 0; i < rounds; i++) {
        double cpu = results[w][who].cpu[i], floor = results[w][CONTROL].cpu[i];
        double calls = results[w][who].calls[i];

        if (r->metric == CPU && cpu > 0 && floor > 0)
            out[count++] = who == CONTROL ? cpu * 1e6 : cpu / floor;
        if (r->metric == CALLS && calls > 0)
            out[count++] = calls;
    }
    if (r->metric == BYTES && results[w][who].bytes > 0)
        out[count++] = results[w][who].bytes;
    if (r->metric == INSTRUCTIONS && results[w][who].instructions > 0)
        out[count++] = results[w][who].instructions;
    return count;
}

/* As many digits as the goal has. */
static int decimals_of(const struct row *r)
{
    if (r->metric == CALLS)
        return r->goal > 0 && r->goal < 1 ? 3 : 2;
    return r->metric == CPU ? 2 : 0;
}

static void print_figure(const struct row *r, enum who who)
{
    double v[MAX_ROUNDS];
    size_t n = figures(r, who, v);

    if (n == 0)
        cell("-");
    else if (r->metric == CPU && who == CONTROL)
        cell_spread(v, n, 3, " us");
    else
        cell_spread(v, n, decimals_of(r), r->metric == CPU ? " x" : "");
}

static const char *verdict(const struct row *r)
{
    double v[MAX_ROUNDS], half = r->metric == CPU ? 0.005 : 0;
    size_t n = figures(r, CAWS, v);

    if (n == 0 || r->goal == 0)
        return "-";
    return spread_of(v, n).median < r->goal + half ? "yes" : "no";
}

static void print_results(void)
{
    cell("server's cost");
    cell("goal");
    cell("caws");
    cell("reached");
    for (enum who who = CONTROL; who < WHOS; who++)
        if (who != CAWS)
            cell("%s", names[who]);
    end_row();
    for (size_t i = 0; i < ROWS; i++) {
        const struct row *r = &rows[i];

        if (!strstr(r->work, only))
            continue;
        cell("%s", r->title);
        if (r->goal > 0)
            cell("%.*f%s", r->metric == CPU || r->goal < 5 ? 2 : 0, r->goal,
                 r->metric == CPU ? " x" : "");
        else
            cell("-");
        print_figure(r, CAWS);
        cell("%s", verdict(r));
        for (enum who who = CONTROL; who < WHOS; who++)
            if (who != CAWS)
                print_figure(r, who);
        end_row();
    }
    print_table();
}

int main(int argc, char **argv)
{
    char path[PATH];

    snprintf(path, sizeof path, "%s", argv[0]);
    if (strrchr(path, '/'))
        *strrchr(path, '/') = '\0';
    folder = path;
    for (int option; (option = getopt(argc, argv, "qr:o:")) != -1;)
        switch (option) {
        case 'q': quick = true; break;
        case 'r': rounds = strtoul(optarg, NULL, 10); break;
        case 'o': only = optarg; break;
        default: return 2;
        }
    if (rounds < 1 || rounds > MAX_ROUNDS)
        die("1 to %d rounds", MAX_ROUNDS);
    alarm(1500);
    find_programs();
    raise_descriptor_limit();
    pin_to(LOAD_CORE);
    print_circumstances();
    measure_all();
    print_results();
    printf("\nCPU: user and system time of the server's process, as a multiple of the control's\n"
           "in the same round; median (least-greatest) of %zu round%s. c: connections; P: frames\n"
           "in one write.\n",
           rounds, rounds == 1 ? "" : "s");
    return 0;
}
