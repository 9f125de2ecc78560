/* Known answers for analysis/statistics.c.
 *
 * Quantiles and t intervals were computed with a Python program of its own (type 7 by its formula; Student's
 * t by numeric integration of the density). The order-statistic interval is checked against exact binomial
 * sums here. */
#include "check.h"
#include "statistics.h"

#include <math.h>

#define CHECK_CLOSE(value, expected)                                                                         \
    CU_ASSERT_DOUBLE_EQUAL(value, expected, 1e-9 * (1 + fabs((double)(expected))))

static struct statistics_samples samples_of(const uint64_t *runs, const double *values, size_t num)
{
    struct statistics_samples samples = {0};
    for (size_t i = 0; i < num; i++)
        CU_ASSERT_EQUAL(statistics_add(&samples, runs ? runs[i] : 1, values[i]), 0);
    statistics_sort(&samples);
    return samples;
}

static void quantiles_interpolate(void)
{
    static const double values[] = {50, 15, 40, 20, 35};
    static const struct {
        double p, quantile;
    } rows[] = {{0, 15}, {0.05, 16}, {0.25, 20}, {0.5, 35}, {0.95, 48}, {0.99, 49.6}, {1, 50}};
    struct statistics_samples samples = samples_of(NULL, values, 5);
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        double quantile;
        CU_ASSERT_EQUAL(statistics_quantile(&quantile, &samples, rows[i].p), 0);
        CHECK_CLOSE(quantile, rows[i].quantile);
    }
    statistics_samples_cleanup(&samples);
}

static void a_summary_is_right(void)
{
    static const double values[] = {3, 1, 4, 1, 5, 9, 2, 6, 5, 3, 5};
    struct statistics_samples samples = samples_of(NULL, values, 11);
    struct statistics_summary summary;
    CU_ASSERT_EQUAL(statistics_summarise(&summary, &samples), 0);
    CU_ASSERT_EQUAL(summary.n, 11);
    CU_ASSERT_EQUAL(summary.replications, 1);
    CHECK_CLOSE(summary.mean, 4);
    CHECK_CLOSE(summary.median, 4);
    CHECK_CLOSE(summary.p95, 7.5);
    CHECK_CLOSE(summary.p99, 8.7);
    /* 11 samples: x(2) and x(10); P(2 <= Binomial(11, 1/2) <= 9) = 0.9883. x(3) would give 0.9346. */
    CU_ASSERT_TRUE(summary.median_ci95.known);
    CHECK_CLOSE(summary.median_ci95.low, 1);
    CHECK_CLOSE(summary.median_ci95.high, 6);
    statistics_samples_cleanup(&samples);
}

static void nothing_has_no_figures(void)
{
    struct statistics_samples samples = {0};
    struct statistics_summary summary;
    double quantile = 7;
    CU_ASSERT_EQUAL(statistics_summarise(&summary, &samples), 0);
    CU_ASSERT_EQUAL(summary.n, 0);
    CU_ASSERT_EQUAL(summary.replications, 0);
    CU_ASSERT_FALSE(summary.median_ci95.known);
    CU_ASSERT_EQUAL(statistics_quantile(&quantile, &samples, 0.5), 0);
    CHECK_CLOSE(quantile, 0);
}

/* P(x(l) <= median <= x(n+1-l)) for independent samples: exact sums of binomial coefficients. */
static long double coverage(unsigned n, unsigned l)
{
    long double below = 0, coefficient = 1;
    for (unsigned i = 0; i < l; i++) {
        below += coefficient;
        coefficient = coefficient * (n - i) / (i + 1);
    }
    return 1 - 2 * below / powl(2, n);
}

static void the_median_is_covered(void)
{
    double values[300];
    for (unsigned i = 0; i < 300; i++)
        values[i] = i + 1;
    for (unsigned n = 1; n <= 300; n++) {
        struct statistics_interval interval = statistics_median_interval(values, n);
        CU_ASSERT_EQUAL(interval.known, n >= 6);
        if (!interval.known)
            continue;
        unsigned l = (unsigned)interval.low;
        CU_ASSERT_EQUAL((unsigned)interval.high, n + 1 - l);
        CU_ASSERT_TRUE(coverage(n, l) >= 0.95L);
        CU_ASSERT_TRUE(l == n / 2 || coverage(n, l + 1) < 0.95L);
    }
    /* Textbook values (Conover, "Practical Nonparametric Statistics", table of the sign test). */
    CU_ASSERT_EQUAL(statistics_median_interval(values, 20).low, 6);
    CU_ASSERT_EQUAL(statistics_median_interval(values, 100).low, 40);
    CU_ASSERT_EQUAL(statistics_median_interval(values, 100).high, 61);
}

static void the_mean_has_students_interval(void)
{
    static const double five[] = {1, 2, 4, 8, 16}, two[] = {10, 12}, same[] = {3, 3, 3};
    struct statistics_interval interval = statistics_mean_interval(five, 5);
    CU_ASSERT_TRUE(interval.known);
    CU_ASSERT_DOUBLE_EQUAL(interval.low, -1.37313256, 1e-7);
    CU_ASSERT_DOUBLE_EQUAL(interval.high, 13.77313256, 1e-7);
    interval = statistics_mean_interval(two, 2);
    CU_ASSERT_DOUBLE_EQUAL(interval.low, -1.70620474, 1e-7);
    CU_ASSERT_DOUBLE_EQUAL(interval.high, 23.70620474, 1e-7);
    interval = statistics_mean_interval(same, 3);
    CHECK_CLOSE(interval.low, 3);
    CHECK_CLOSE(interval.high, 3);
    CU_ASSERT_FALSE(statistics_mean_interval(five, 1).known);
}

static void replications_come_first(void)
{
    /* Medians of the replications: 10 and 12.5. All samples together: 1, 10, 11, 12, 13, 100, 101. */
    static const uint64_t runs[] = {2, 1, 2, 1, 2, 1, 2};
    static const double values[] = {101, 10, 11, 100, 12, 1, 13};
    struct statistics_samples samples = samples_of(runs, values, 7);
    struct statistics_summary summary;
    CU_ASSERT_EQUAL(statistics_summarise(&summary, &samples), 0);
    CU_ASSERT_EQUAL(summary.replications, 2);
    CHECK_CLOSE(summary.median, 12);
    CU_ASSERT_EQUAL(summary.median_ci95.low, 0);
    CU_ASSERT_DOUBLE_EQUAL(summary.median_ci95.high, 11.25 + 12.706204736 * 1.25, 1e-6);
    statistics_samples_cleanup(&samples);
}

static void differences_are_paired(void)
{
    /* Run 1: 5 - 4 = 1. Run 2: 13 - 10 = 3. Run 3 and run 9 have no partner. */
    static const uint64_t runs_a[] = {1, 1, 1, 2, 3}, runs_b[] = {1, 2, 2, 9};
    static const double values_a[] = {3, 4, 8, 10, 1000}, values_b[] = {5, 12, 14, -1000};
    struct statistics_samples a = samples_of(runs_a, values_a, 5), b = samples_of(runs_b, values_b, 4),
                              none = {0};
    struct statistics_difference difference;
    CU_ASSERT_EQUAL(statistics_compare(&difference, &a, &b, STATISTICS_MEDIAN), 0);
    CU_ASSERT_EQUAL(difference.replications, 2);
    CHECK_CLOSE(difference.mean, 2);
    CU_ASSERT_TRUE(difference.ci95.known);
    CU_ASSERT_DOUBLE_EQUAL(difference.ci95.low, 2 - 12.706204736, 1e-6);
    CU_ASSERT_EQUAL(statistics_compare(&difference, &a, &b, STATISTICS_MEAN), 0);
    CHECK_CLOSE(difference.mean, 1.5); /* run 1: 5 - 5 */
    CU_ASSERT_EQUAL(statistics_compare(&difference, &a, &none, STATISTICS_MEAN), 0);
    CU_ASSERT_EQUAL(difference.replications, 0);
    CU_ASSERT_FALSE(difference.ci95.known);
    statistics_samples_cleanup(&a);
    statistics_samples_cleanup(&b);
}

/* Common random numbers: a large spread between runs, a small difference in each. */
static void pairing_pays(void)
{
    struct test_random random = {.seed = 1};
    struct statistics_samples a = {0}, b = {0};
    struct statistics_difference difference;
    for (uint64_t run = 1; run <= 10; run++) {
        double level = (double)(test_random_next(&random) % 1000000);
        for (unsigned i = 0; i < 5; i++) {
            CU_ASSERT_EQUAL(statistics_add(&a, run, level + i), 0);
            CU_ASSERT_EQUAL(statistics_add(&b, run, level + i + 100 + (double)(run % 3)), 0);
        }
    }
    CU_ASSERT_EQUAL(statistics_compare(&difference, &a, &b, STATISTICS_MEDIAN), 0);
    CU_ASSERT_DOUBLE_EQUAL(difference.mean, 101, 1e-6); /* run % 3 sums to 10 over 10 runs */
    CU_ASSERT_TRUE(difference.ci95.low > 100 && difference.ci95.high < 102);
    statistics_samples_cleanup(&a);
    statistics_samples_cleanup(&b);
}

/* Two runs with medians 1 and 9: 5 -+ 12.706 * 4 without the cut. Below 0 it may reach if a sample does. */
static void the_interval_of_durations_is_not_negative(void)
{
    struct statistics_samples durations = {0}, differences = {0};
    struct statistics_summary summary;
    CU_ASSERT_EQUAL(statistics_add(&durations, 1, 1) | statistics_add(&durations, 2, 9), 0);
    CU_ASSERT_EQUAL(statistics_summarise(&summary, &durations), 0);
    CU_ASSERT_EQUAL(summary.median_ci95.low, 0);
    CHECK_CLOSE(summary.median_ci95.high, 5 + 4 * 12.7062047361747);
    CU_ASSERT_EQUAL(statistics_add(&differences, 1, -1) | statistics_add(&differences, 2, 9), 0);
    CU_ASSERT_EQUAL(statistics_summarise(&summary, &differences), 0);
    CHECK_CLOSE(summary.median_ci95.low, 4 - 5 * 12.7062047361747);
    statistics_samples_cleanup(&durations);
    statistics_samples_cleanup(&differences);
}

CHECK_MAIN("statistics", {"quantiles interpolate between order statistics", quantiles_interpolate},
           {"a summary is right", a_summary_is_right},
           {"the interval of durations is not negative", the_interval_of_durations_is_not_negative},
           {"nothing has no figures", nothing_has_no_figures},
           {"the median is covered with 95 %, and by no wider interval than needed", the_median_is_covered},
           {"the mean has Student's interval", the_mean_has_students_interval},
           {"replications come first", replications_come_first},
           {"differences are paired by run", differences_are_paired},
           {"pairing takes the spread between runs away", pairing_pays})
