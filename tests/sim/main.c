/* sim FIRST COUNT: the worlds of so many seeds, up to the first that fails.
 * sim -t SEED: one, with a trace of its events.
 * sim -m COUNT: small worlds, each again and again with another allocation
 * that fails, until so many have. */
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "sim.h"

static jmp_buf out_of_the_world;

static void show_where(void)
{
    show_last_events();
    if (sim.inject.on)
        printf("seed %llu, small, allocation %llu fails%s\n", (unsigned long long)sim.seed,
               (unsigned long long)sim.inject.at,
               sim.inject.onwards ? ", and all that follow" : "");
    else
        printf("seed %llu: make sim SEED=%llu\n", (unsigned long long)sim.seed,
               (unsigned long long)sim.seed);
    fflush(stdout);
}

void broken(const struct end *e, const char *format, ...)
{
    va_list args;
    printf("seed %llu, %llu ms, ", (unsigned long long)sim.seed, (unsigned long long)sim.now);
    if (e)
        printf("%s %u: ", e->client ? "client" : "server", e->number / 2);
    va_start(args, format);
    vprintf(format, args);
    va_end(args);
    printf("\nthe last events:\n");
    show_where();
    longjmp(out_of_the_world, 1);
}

/* A crash, a failed assertion, or the patience of whoever ran this. */
static void crashed(int signal_number)
{
    printf("seed %llu, %llu ms: signal %d\n", (unsigned long long)sim.seed,
           (unsigned long long)sim.now, signal_number);
    show_where();
    _Exit(2);
}

/* Called by AddressSanitizer, if that is there. */
void __asan_on_error(void);
void __asan_on_error(void)
{
    show_where();
}

static bool survives(uint64_t seed)
{
    if (setjmp(out_of_the_world) != 0)
        return false;
    world_run(seed);
    return true;
}

/* ---- Memory that fails on purpose ------------------------------------------ */

static bool survives_without(uint64_t seed, uint64_t allocation, bool onwards)
{
    sim.inject = (struct injection){ true, onwards, allocation, 0 };
    return survives(seed);
}

/* Worlds whose events are the same count once. */
static bool is_new(uint64_t hash)
{
    static uint64_t *known;
    static size_t count, cap;
    for (size_t i = 0; i < count; i++)
        if (known[i] == hash)
            return false;
    known = grown(known, &cap, count + 1, sizeof *known);
    known[count++] = hash;
    return true;
}

static bool run_faults(uint64_t wanted)
{
    uint64_t seed, struck = 0, worlds = 0;
    bool well = true;
    for (seed = 1; well && struck < wanted; seed++) {
        uint64_t allocations;
        well = survives_without(seed, 0, false);
        if (!is_new(sim.hash))
            continue;
        worlds++;
        allocations = sim.inject.seen;
        for (uint64_t i = 0; well && struck < wanted && i < 2 * allocations; i++) {
            well = survives_without(seed, 1 + i / 2, i % 2);
            struck += sim.inject.seen >= sim.inject.at;
        }
    }
    printf("faults: %llu allocation failures in %llu worlds, %d failures found\n",
           (unsigned long long)struck, (unsigned long long)worlds, !well);
    return well;
}

static void usage(const char *name)
{
    fprintf(stderr, "usage: %s FIRST COUNT | -t SEED | -m COUNT\n", name);
    exit(64);
}

int main(int argc, char **argv)
{
    uint64_t events = 0, hash = 0, first, count, run = 0;
    bool well = true;
    if (argc != 3)
        usage(argv[0]);
    sim.trace = strcmp(argv[1], "-t") == 0;
    first = strtoull(argv[sim.trace ? 2 : 1], NULL, 10);
    count = sim.trace ? 1 : strtoull(argv[2], NULL, 10);
    if (count == 0)
        usage(argv[0]);
    signal(SIGABRT, crashed);
    signal(SIGSEGV, crashed);
    signal(SIGTERM, crashed);
    if (strcmp(argv[1], "-m") == 0)
        return !run_faults(strtoull(argv[2], NULL, 10));
    while (well && run < count) {
        well = survives(first + run++);
        events += sim.events;
        hash = (hash ^ sim.hash) * 0x100000001b3u;
    }
    printf("%llu ends, %llu messages, %llu allocations and %llu random numbers refused\n",
           (unsigned long long)totals.ends, (unsigned long long)totals.messages,
           (unsigned long long)totals.no_memory, (unsigned long long)totals.no_randomness);
    printf("sim SEED=%llu COUNT=%llu hash %016llx\n", (unsigned long long)first,
           (unsigned long long)run, (unsigned long long)hash);
    printf("sim: %llu seeds, %llu events, %d failures\n", (unsigned long long)run,
           (unsigned long long)events, !well);
    return !well;
}
