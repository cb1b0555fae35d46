/* The loops that touch every byte, beside memcpy in the same round; then what frames
 * cost in instructions, as "NAME COUNT" lines from standard input say, of caws and,
 * after a line "wslay", of wslay.
 *
 *   kernels [-q] [-r ROUNDS] */
#include <caws.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "protocol/mask.h"
#include "protocol/utf8.h"
#include "server.h"
#include "table.h"

#define LARGEST    (1 << 20)
#define MAX_ROUNDS 99
#define SHIFT      6 /* a payload begins where its header ends */

static const uint8_t key[4] = { 0x37, 0xfa, 0x21, 0x3d };
static uint8_t *source, *target, *text[4]; /* of 1, 2, 3 and 4 bytes a code point */

static void do_memcpy(size_t len)
{
    static void *(*volatile copy)(void *, const void *, size_t) = memcpy; /* not built in */

    copy(target, source, len);
}

static void do_mask(size_t len)
{
    caws__mask(target, len, key, 0);
}

static void do_mask_copy(size_t len)
{
    caws__mask_copy(target, source, len, key, 0);
}

static void do_utf8(const uint8_t *data, size_t len)
{
    if (!caws__utf8_valid(data, len - len % 12))
        die("valid text was refused");
}

static void do_utf8_1(size_t len) { do_utf8(text[0], len); }
static void do_utf8_2(size_t len) { do_utf8(text[1], len); }
static void do_utf8_3(size_t len) { do_utf8(text[2], len); }
static void do_utf8_4(size_t len) { do_utf8(text[3], len); }

static void do_accept_key(size_t len)
{
    char out[29];

    (void)len;
    if (caws_accept_key("dGhlIHNhbXBsZSBub25jZQ==", 24, out) != CAWS_OK)
        die("a key was refused");
}

static const struct kernel {
    const char *name;
    void (*run)(size_t len);
    size_t len;
    double share, gb; /* goals: of memcpy, or in GB/s */
} kernels[] = {
    { "memcpy, 16 KiB", do_memcpy, 16384, 0, 0 },
    { "masking in place, 16 KiB", do_mask, 16384, 0.9, 0 },
    { "masking while copying, 16 KiB", do_mask_copy, 16384, 0.9, 0 },
    { "UTF-8, 16 KiB, ASCII", do_utf8_1, 16384, 0, 110 },
    { "UTF-8, 16 KiB, 2-byte (Greek)", do_utf8_2, 16384, 0, 17 },
    { "UTF-8, 16 KiB, 3-byte (Japanese)", do_utf8_3, 16384, 0, 17 },
    { "UTF-8, 16 KiB, 4-byte", do_utf8_4, 16384, 0, 17 },
    { "memcpy, 1 MiB", do_memcpy, LARGEST, 0, 0 },
    { "masking in place, 1 MiB", do_mask, LARGEST, 0.9, 0 },
    { "masking while copying, 1 MiB", do_mask_copy, LARGEST, 0.9, 0 },
    { "accept key (SHA-1, Base64)", do_accept_key, 0, 0, 0 },
};
#define KERNELS (sizeof kernels / sizeof *kernels)

static double seconds[KERNELS][MAX_ROUNDS]; /* a call */

/* ---- Time -------------------------------------------------------------- */

static double cpu_s(void)
{
    struct timespec t;

    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static double time_of(const struct kernel *k, double at_least)
{
    for (size_t calls = 1;; calls *= 2) {
        double begin = cpu_s(), took;

        for (size_t i = 0; i < calls; i++)
            k->run(k->len);
        took = cpu_s() - begin;
        if (took >= at_least)
            return took / (double)calls;
    }
}

/* ---- Text -------------------------------------------------------------- */

static size_t encode(uint8_t *p, size_t bytes, unsigned i)
{
    static const unsigned base[4] = { 'A', 0x3b1, 0x3041, 0x1f300 };
    unsigned c = base[bytes - 1] + i % (bytes == 2 ? 24 : 26);

    if (bytes == 1)
        *p = (uint8_t)c;
    for (size_t k = bytes; bytes > 1 && k-- > 0; c >>= 6)
        p[k] = (uint8_t)(k > 0 ? 0x80 | (c & 0x3f) : 0xf00 >> bytes | c);
    return bytes;
}

static uint8_t *room(void)
{
    uint8_t *p = aligned_alloc(64, LARGEST + 64);

    if (!p)
        die("no memory");
    memset(p, 1, LARGEST + 64);
    return p + SHIFT;
}

static void make_inputs(void)
{
    source = room();
    target = room();
    for (size_t bytes = 1; bytes <= 4; bytes++) {
        uint8_t *p = text[bytes - 1] = room();

        for (unsigned i = 0; p + 4 <= text[bytes - 1] + LARGEST; i++)
            p += encode(p, bytes, i);
    }
}

/* ---- Tables ------------------------------------------------------------ */

static void print_kernel(size_t i, size_t beside, size_t rounds)
{
    const struct kernel *k = &kernels[i];
    double gb[MAX_ROUNDS], share[MAX_ROUNDS], ns[MAX_ROUNDS];
    bool reached;

    for (size_t r = 0; r < rounds; r++) {
        gb[r] = (double)k->len / seconds[i][r] / 1e9;
        share[r] = seconds[beside][r] / seconds[i][r];
        ns[r] = seconds[i][r] * 1e9;
    }
    cell("%s", k->name);
    if (k->share > 0)
        cell(">= %.2f x memcpy", k->share);
    else if (k->gb > 0)
        cell(">= %.0f GB/s", k->gb);
    else
        cell("-");
    if (k->len > 0)
        cell_spread(gb, rounds, 1, " GB/s");
    else
        cell_spread(ns, rounds, 0, " ns");
    if (k->len > 0)
        cell_spread(share, rounds, 2, " x");
    else
        cell("-");
    reached = k->share > 0 ? spread_of(share, rounds).median >= k->share - 0.005
                           : spread_of(gb, rounds).median >= k->gb;
    cell("%s", k->share > 0 || k->gb > 0 ? reached ? "yes" : "no" : "-");
    end_row();
}

static void print_kernels(size_t rounds)
{
    size_t beside = 0;

    cell("kernel");
    cell("goal");
    cell("speed");
    cell("beside memcpy");
    cell("reached");
    end_row();
    for (size_t i = 0; i < KERNELS; i++) {
        if (kernels[i].run == do_memcpy)
            beside = i;
        print_kernel(i, beside, rounds);
    }
    print_table();
}

static const struct frame_goal {
    const char *name;
    unsigned goal;
} frame_goals[] = {
    { "binary_20", 70 },  { "binary_125", 95 }, { "binary_1024", 160 }, { "binary_65536", 6000 },
    { "text_20", 95 },    { "text_125", 130 },  { "text_1024", 260 },   { "text_65536", 12000 },
    { "binary_20_alone", 0 }, { "text_20_alone", 0 },
};
#define FRAME_GOALS (sizeof frame_goals / sizeof *frame_goals)

static void read_frames(unsigned long counts[2][FRAME_GOALS])
{
    char name[64];
    unsigned long count;
    int who = 0;

    while (scanf("%63s", name) == 1) {
        if (strcmp(name, "wslay") == 0)
            who = 1;
        else if (scanf("%lu", &count) == 1)
            for (size_t i = 0; i < FRAME_GOALS; i++)
                if (strcmp(name, frame_goals[i].name) == 0)
                    counts[who][i] = count;
    }
}

static void print_frames(unsigned long counts[2][FRAME_GOALS])
{
    cell("instructions per masked frame");
    cell("goal");
    cell("caws");
    cell("reached");
    cell("wslay, frame layer");
    end_row();
    for (size_t i = 0; i < FRAME_GOALS; i++) {
        const struct frame_goal *g = &frame_goals[i];
        unsigned long caws = counts[0][i], wslay = counts[1][i];

        if (caws == 0)
            continue;
        cell("%.*s, %d B%s", (int)strcspn(g->name, "_"), g->name, atoi(strchr(g->name, '_') + 1),
             strstr(g->name, "alone") ? ", one a feed" : "");
        cell(g->goal > 0 ? "%u" : "-", g->goal);
        cell("%lu", caws);
        cell("%s", g->goal == 0 ? "-" : caws <= g->goal ? "yes" : "no");
        cell(wslay > 0 && *g->name == 'b' ? "%lu" : "-", wslay);
        end_row();
    }
    print_table();
}

int main(int argc, char **argv)
{
    static unsigned long counts[2][FRAME_GOALS];
    size_t rounds = 15;
    double at_least = 0.01;

    for (int option; (option = getopt(argc, argv, "qr:")) != -1;)
        switch (option) {
        case 'q': at_least = 0.002; break;
        case 'r': rounds = strtoul(optarg, NULL, 10); break;
        default: return 2;
        }
    if (rounds < 1 || rounds > MAX_ROUNDS)
        die("1 to %d rounds", MAX_ROUNDS);
    alarm(300);
    pin_to(LOAD_CORE);
    read_frames(counts);
    print_circumstances();
    make_inputs();
    for (size_t r = 0; r < rounds; r++)
        for (size_t i = 0; i < KERNELS; i++) {
            progress("round %zu of %zu: %s", r + 1, rounds, kernels[i].name);
            seconds[i][r] = time_of(&kernels[i], at_least);
        }
    progress_end();
    print_kernels(rounds);
    printf("\n");
    print_frames(counts);
    return 0;
}
