/* What the benchmarks share: the clock and the median. */
#ifndef P2_TESTS_BENCH_H
#define P2_TESTS_BENCH_H

#include <stdlib.h>
#include <time.h>

/* CPU time of this thread. */
static inline double bench_seconds(void)
{
    struct timespec t;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
    return (double)t.tv_sec + (double)t.tv_nsec * 1e-9;
}

static inline int bench_by_value(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

/* Sorts them. */
static inline double bench_median(double *values, size_t num)
{
    qsort(values, num, sizeof *values, bench_by_value);
    return num % 2 ? values[num / 2] : (values[num / 2 - 1] + values[num / 2]) / 2;
}

#endif
