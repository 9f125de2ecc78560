#include "statistics.h"

#include <gsl/gsl_cdf.h>
#include <gsl/gsl_sort.h>
#include <gsl/gsl_statistics_double.h>
#include <math.h>
#include <stdlib.h>

int statistics_add(struct statistics_samples *samples, uint64_t run, double value)
{
    if (samples->num == samples->capacity) {
        size_t capacity = samples->capacity ? 2 * samples->capacity : 64;
        struct statistics_sample *items = realloc(samples->items, capacity * sizeof *items);
        if (!items)
            return -1;
        samples->items = items;
        samples->capacity = capacity;
    }
    samples->items[samples->num++] = (struct statistics_sample){run, value};
    return 0;
}

void statistics_samples_cleanup(struct statistics_samples *samples)
{
    free(samples->items);
    *samples = (struct statistics_samples){0};
}

static int by_run_and_value(const void *left, const void *right)
{
    const struct statistics_sample *a = left, *b = right;
    if (a->run != b->run)
        return a->run < b->run ? -1 : 1;
    return (a->value > b->value) - (a->value < b->value);
}

void statistics_sort(struct statistics_samples *samples)
{
    if (samples->num > 1)
        qsort(samples->items, samples->num, sizeof *samples->items, by_run_and_value);
}

/* The values alone, sorted; NULL: out of memory. */
static double *sorted_values(const struct statistics_samples *samples)
{
    double *values = malloc((samples->num ? samples->num : 1) * sizeof *values);
    if (!values)
        return NULL;
    for (size_t i = 0; i < samples->num; i++)
        values[i] = samples->items[i].value;
    gsl_sort(values, 1, samples->num);
    return values;
}

struct statistics_interval statistics_median_interval(const double *sorted, size_t n)
{
    struct statistics_interval interval = {0};
    /* The median lies below x(l) exactly if fewer than l samples lie below the median: P(Binomial(n, 1/2) <
     * l). */
    size_t l = 0, too_large = n / 2 + 1;
    while (too_large - l > 1) {
        size_t middle = l + (too_large - l) / 2;
        if (gsl_cdf_binomial_P((unsigned)(middle - 1), 0.5, (unsigned)n) <= 0.025)
            l = middle;
        else
            too_large = middle;
    }
    if (l > 0)
        interval = (struct statistics_interval){true, sorted[l - 1], sorted[n - l]};
    return interval;
}

struct statistics_interval statistics_mean_interval(const double *values, size_t n)
{
    struct statistics_interval interval = {0};
    if (n < 2)
        return interval;
    double mean = gsl_stats_mean(values, 1, n);
    double half =
        gsl_cdf_tdist_Pinv(0.975, (double)(n - 1)) * gsl_stats_sd_m(values, 1, n, mean) / sqrt((double)n);
    return (struct statistics_interval){true, mean - half, mean + half};
}

/* The first sample after `from` that is of another replication. */
static size_t end_of_run(const struct statistics_samples *samples, size_t from)
{
    size_t end = from;
    while (end < samples->num && samples->items[end].run == samples->items[from].run)
        end++;
    return end;
}

static double figure_of(const struct statistics_sample *sorted, size_t num, enum statistics_figure figure)
{
    /* A sample is {run, value} and so its values stand two doubles apart. */
    _Static_assert(sizeof *sorted == 2 * sizeof sorted->value, "GSL counts its stride in doubles");
    if (figure == STATISTICS_MEAN)
        return gsl_stats_mean(&sorted->value, 2, num);
    return gsl_stats_median_from_sorted_data(&sorted->value, 2, num);
}

/* One median a replication. NULL: out of memory. */
static double *medians(const struct statistics_samples *samples, size_t *num_medians)
{
    double *values = malloc((samples->num ? samples->num : 1) * sizeof *values);
    *num_medians = 0;
    for (size_t at = 0, end; values && at < samples->num; at = end) {
        end = end_of_run(samples, at);
        values[(*num_medians)++] = figure_of(&samples->items[at], end - at, STATISTICS_MEDIAN);
    }
    return values;
}

int statistics_summarise(struct statistics_summary *summary, const struct statistics_samples *samples)
{
    double *sorted = sorted_values(samples);
    double *each = medians(samples, &summary->replications);
    size_t n = samples->num, replications = summary->replications;
    *summary = (struct statistics_summary){.n = n, .replications = replications};
    if (sorted && each && n > 0) {
        summary->mean = gsl_stats_mean(sorted, 1, n);
        summary->median = gsl_stats_median_from_sorted_data(sorted, 1, n);
        summary->p95 = gsl_stats_quantile_from_sorted_data(sorted, 1, n, 0.95);
        summary->p99 = gsl_stats_quantile_from_sorted_data(sorted, 1, n, 0.99);
        summary->median_ci95 = replications > 1 ? statistics_mean_interval(each, replications)
                                                : statistics_median_interval(sorted, n);
        if (sorted[0] >= 0 && summary->median_ci95.low < 0)
            summary->median_ci95.low = 0; /* a few wild replications do not make a duration negative */
    }
    bool failed = !sorted || !each;
    free(sorted);
    free(each);
    return failed ? -1 : 0;
}

int statistics_quantile(double *quantile, const struct statistics_samples *samples, double p)
{
    double *sorted = sorted_values(samples);
    if (!sorted)
        return -1;
    *quantile = samples->num ? gsl_stats_quantile_from_sorted_data(sorted, 1, samples->num, p) : 0;
    free(sorted);
    return 0;
}

int statistics_compare(struct statistics_difference *difference, const struct statistics_samples *a,
                       const struct statistics_samples *b, enum statistics_figure figure)
{
    double *pairs = malloc((a->num ? a->num : 1) * sizeof *pairs);
    size_t num_pairs = 0;
    if (!pairs)
        return -1;
    for (size_t i = 0, j = 0; i < a->num && j < b->num;) {
        uint64_t run_a = a->items[i].run, run_b = b->items[j].run;
        size_t end_a = end_of_run(a, i), end_b = end_of_run(b, j);
        if (run_a == run_b)
            pairs[num_pairs++] =
                figure_of(&b->items[j], end_b - j, figure) - figure_of(&a->items[i], end_a - i, figure);
        if (run_a <= run_b)
            i = end_a;
        if (run_b <= run_a)
            j = end_b;
    }
    *difference = (struct statistics_difference){.replications = num_pairs};
    if (num_pairs > 0)
        difference->mean = gsl_stats_mean(pairs, 1, num_pairs);
    difference->ci95 = statistics_mean_interval(pairs, num_pairs);
    free(pairs);
    return 0;
}
