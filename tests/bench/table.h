/* Figures of several rounds, and tables of them in Markdown, padded to be read as they are. */
#ifndef BENCH_TABLE_H
#define BENCH_TABLE_H

#include <stdbool.h>
#include <stddef.h>

/* Median, least and greatest; sorts v. */
struct spread {
    double median, least, greatest;
};
struct spread spread_of(double *v, size_t count);

/* Cells of the rows, from left to right; the first row is the heading. */
__attribute__((format(printf, 1, 2))) void cell(const char *format, ...);
/* "1.07 (1.05-1.09)", or only the median where there was one round. */
void cell_spread(double *v, size_t count, int decimals, const char *unit);
void end_row(void);
void print_table(void); /* and begin a new one */

/* The machine, kernel, compiler, day and command: what a figure is worth nothing without. */
void print_circumstances(void);

/* On a terminal one line that changes; else nothing. */
__attribute__((format(printf, 1, 2))) void progress(const char *format, ...);
void progress_end(void);

#endif
