/* Figures with their uncertainty, over GSL.
 *
 * A sample is one measured value and the replication it comes from. Rekeys of one replication share a hub's
 * CPU, so they are not independent; replications are. Therefore an interval over several replications takes
 * the median in each replication first and puts Student's t over those (Law, "Simulation Modeling and
 * Analysis", 9.4: replications as the unit of independence). With one replication there is only the
 * order-statistic interval, which is exact for independent samples of any distribution (David and Nagaraja,
 * "Order Statistics", 7.1) and too narrow for dependent ones.
 *
 * Point figures (mean, median, p95, p99) are of all samples together. Quantiles interpolate linearly between
 * order statistics (type 7 of Hyndman and Fan, 1996: the default of GSL, NumPy and R). */
#ifndef P2_STATISTICS_H
#define P2_STATISTICS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct statistics_sample {
    uint64_t run;
    double value;
};

struct statistics_samples {
    struct statistics_sample *items;
    size_t num;
    size_t capacity;
};

/* 0, or -1: out of memory. */
int statistics_add(struct statistics_samples *samples, uint64_t run, double value);
void statistics_samples_cleanup(struct statistics_samples *samples);
/* By run, then by value. The functions below want their samples sorted. */
void statistics_sort(struct statistics_samples *samples);

/* An interval that covers the true value with a probability of at least 95 %. */
struct statistics_interval {
    bool known; /* false: too few samples for one */
    double low, high;
};

struct statistics_summary {
    size_t n;
    size_t replications;                    /* that have a sample */
    double mean, median, p95, p99;          /* 0 if n is 0 */
    struct statistics_interval median_ci95; /* does not reach below 0 if no sample does */
};

/* 0, or -1: out of memory. */
int statistics_summarise(struct statistics_summary *summary, const struct statistics_samples *samples);
/* The quantile (0..1) of all samples; 0 without samples. 0, or -1: out of memory. */
int statistics_quantile(double *quantile, const struct statistics_samples *samples, double p);

enum statistics_figure { STATISTICS_MEAN, STATISTICS_MEDIAN };

/* How much larger a figure is in `b` than in `a`: taken in each replication that both have, which share their
 * random numbers, then averaged over these replications. */
struct statistics_difference {
    size_t replications; /* that both have samples in; 0: nothing to compare */
    double mean;
    struct statistics_interval ci95; /* Student's t over the replications; needs two */
};

/* 0, or -1: out of memory. */
int statistics_compare(struct statistics_difference *difference, const struct statistics_samples *a,
                       const struct statistics_samples *b, enum statistics_figure figure);

/* The two building blocks, for the tests' known answers. */

/* Of sorted values: [x(l), x(n+1-l)] with the largest l that covers the median with at least 95 %. Unknown
 * for n < 6. */
struct statistics_interval statistics_median_interval(const double *sorted, size_t n);
/* Of independent values: mean -+ t(0.975, n-1) s/sqrt(n). Unknown for n < 2. */
struct statistics_interval statistics_mean_interval(const double *values, size_t n);

#endif
