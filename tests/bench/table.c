#include "table.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/utsname.h>
#include <time.h>
#include <unistd.h>

#define ROWS    64
#define COLUMNS 10
#define WIDTH   72

static char cells[ROWS][COLUMNS][WIDTH];
static size_t row, column;

static int by_value(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;

    return (x > y) - (x < y);
}

struct spread spread_of(double *v, size_t count)
{
    qsort(v, count, sizeof *v, by_value);
    return (struct spread){ (v[(count - 1) / 2] + v[count / 2]) / 2, v[0], v[count - 1] };
}

static void cell_is(const char *format, va_list args)
{
    if (row < ROWS && column < COLUMNS)
        vsnprintf(cells[row][column++], WIDTH, format, args);
}

void cell(const char *format, ...)
{
    va_list args;

    va_start(args, format);
    cell_is(format, args);
    va_end(args);
}

void cell_spread(double *v, size_t count, int decimals, const char *unit)
{
    struct spread s = spread_of(v, count);

    if (count == 1)
        cell("%.*f%s", decimals, s.median, unit);
    else
        cell("%.*f (%.*f-%.*f)%s", decimals, s.median, decimals, s.least, decimals, s.greatest,
             unit);
}

void end_row(void)
{
    if (row < ROWS)
        row++;
    column = 0;
}

static void print_line(const size_t width[COLUMNS], size_t columns, size_t r)
{
    for (size_t c = 0; c < columns; c++)
        printf("| %-*s ", (int)width[c], cells[r][c]);
    printf("|\n");
}

void print_table(void)
{
    size_t width[COLUMNS] = { 0 }, columns = 0;

    for (size_t r = 0; r < row; r++)
        for (size_t c = 0; c < COLUMNS; c++) {
            size_t len = strlen(cells[r][c]);

            if (len > width[c])
                width[c] = len;
            if (len > 0 && c >= columns)
                columns = c + 1;
        }
    for (size_t r = 0; r < row; r++) {
        print_line(width, columns, r);
        for (size_t c = 0; r == 0 && c < columns; c++)
            printf("| %.*s ", (int)width[c], "---------------------------------------------------"
                                             "---------------------");
        if (r == 0)
            printf("|\n");
    }
    memset(cells, 0, sizeof cells);
    row = column = 0;
    fflush(stdout);
}

/* ---- Circumstances ----------------------------------------------------- */

static void print_processor(void)
{
    FILE *f = fopen("/proc/cpuinfo", "r");
    char line[256], name[256] = "unknown processor";

    while (f && fgets(line, sizeof line, f) && sscanf(line, "model name : %255[^\n]", name) != 1)
        continue;
    if (f)
        fclose(f);
    printf("%s, %ld cores", name, sysconf(_SC_NPROCESSORS_ONLN));
}

static void print_load(void)
{
    double load;

    if (getloadavg(&load, 1) == 1)
        printf("; load before: %.1f", load);
}

void print_circumstances(void)
{
    const char *command = getenv("BENCH_COMMAND"), *flags = getenv("BENCH_FLAGS");
    time_t now = time(NULL);
    struct utsname system;
    char day[32] = "";

    strftime(day, sizeof day, "%Y-%m-%d", localtime(&now));
    uname(&system);
    printf("`%s`, %s. ", command ? command : "by hand", day);
    print_processor();
    printf("; Linux %s; gcc %s, %s", system.release, __VERSION__,
           flags ? flags : "unknown flags");
    print_load();
    printf(".\n\n");
    fflush(stdout);
}

/* ---- Progress ---------------------------------------------------------- */

void progress(const char *format, ...)
{
    va_list args;

    if (!isatty(STDERR_FILENO))
        return;
    fputs("\r\033[K", stderr);
    va_start(args, format);
    vfprintf(stderr, format, args);
    va_end(args);
    fflush(stderr);
}

void progress_end(void)
{
    if (isatty(STDERR_FILENO))
        fputs("\r\033[K", stderr);
}
