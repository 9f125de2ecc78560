/* Judging what a scenario's author expects. */
#include "summary.h"
#include "figure_text.h"

#include <string.h>

struct seen {
    bool known; /* false: the case has no such figure */
    double value;
    const char *unit;
};

static struct seen count_failures(const struct summary_case *of_case, const char *name)
{
    return (struct seen){true, (double)summary_count_failures(&of_case->failures, name), "failures"};
}

/* What the case shows for the expectation's metric. 0, or -1: out of memory. */
static int look_at(struct seen *seen, const struct summary_case *of_case,
                   const struct scenario_expectation *expected)
{
    const struct summary_metric *metric = summary_find(of_case, expected->metric);
    *seen = (struct seen){0};
    if (of_case->finished_runs == 0)
        return 0;
    if (strcmp(expected->metric, "failures") == 0) {
        *seen = count_failures(of_case, NULL);
    } else if (strncmp(expected->metric, "failures.", 9) == 0) {
        *seen = count_failures(of_case, expected->metric + 9);
    } else if (!metric && strncmp(expected->metric, "drops.", 6) == 0) {
        /* Nothing dropped under this reason: there is no record of it then. */
        *seen = (struct seen){true, 0, "packets"};
    } else if (metric && metric->is_total) {
        *seen = (struct seen){true, (double)metric->total, metric->unit};
    } else if (metric && metric->figures.n > 0) {
        *seen = (struct seen){true, metric->figures.mean, metric->unit};
        if (expected->quantile >= 0)
            return statistics_quantile(&seen->value, &metric->samples, expected->quantile);
    }
    return 0;
}

static bool compare(double value, const char *is, double expected)
{
    if (strcmp(is, "below") == 0)
        return value < expected;
    if (strcmp(is, "above") == 0)
        return value > expected;
    if (strcmp(is, "at-most") == 0)
        return value <= expected;
    if (strcmp(is, "at-least") == 0)
        return value >= expected;
    return value == expected;
}

static void say_unknown(struct summary_expectation *expectation, const struct summary_case *of_case)
{
    const char *name = of_case->of->name;
    if (of_case->finished_runs == 0)
        snprintf(expectation->seen, sizeof expectation->seen, "no finished run of case %s", name);
    else if (summary_find(of_case, expectation->of->metric))
        snprintf(expectation->seen, sizeof expectation->seen, "nothing to take it from in case %s: n = 0",
                 name);
    else
        snprintf(expectation->seen, sizeof expectation->seen, "no metric \"%s\" in case %s",
                 expectation->of->metric, name);
}

/* The extremes of a figure over the cases that hold. */
struct range {
    size_t num;
    struct seen low, high;
    const char *low_name, *high_name;
};

static void widen(struct range *range, const struct seen *seen, const char *name)
{
    if (range->num == 0 || seen->value < range->low.value) {
        range->low = *seen;
        range->low_name = name;
    }
    if (range->num == 0 || seen->value > range->high.value) {
        range->high = *seen;
        range->high_name = name;
    }
    range->num++;
}

static void say_range(struct summary_expectation *expectation, const struct range *range)
{
    char low[FIGURE_TEXT], high[FIGURE_TEXT];
    figure_text(low, range->low.value, range->low.unit);
    figure_text(high, range->high.value, range->high.unit);
    if (range->low.value == range->high.value)
        snprintf(expectation->seen, sizeof expectation->seen, "%s%s", high,
                 range->num > 1 ? " in every case" : "");
    else
        snprintf(expectation->seen, sizeof expectation->seen, "%s (%s) to %s (%s)", low, range->low_name,
                 high, range->high_name);
}

static bool concerns(const struct scenario_expectation *expected, const struct summary_case *of_case)
{
    return !*expected->case_name || strcmp(expected->case_name, of_case->of->name) == 0;
}

static void say_no_case(struct summary_expectation *expectation)
{
    expectation->holds = false;
    snprintf(expectation->seen, sizeof expectation->seen, "no case \"%s\"", expectation->of->case_name);
}

/* Every text that the case has must be the one that is wanted, and there must be one. */
static void judge_text(struct summary_expectation *expectation, const struct summary_case *of_case)
{
    const struct scenario_expectation *expected = expectation->of;
    size_t num = 0, size = sizeof expectation->seen;
    expectation->holds = true;
    expectation->seen[0] = '\0';
    for (size_t i = 0; i < of_case->num_texts; i++) {
        const struct summary_text *text = &of_case->texts[i];
        if (strcmp(text->metric, expected->metric) != 0)
            continue;
        size_t len = strlen(expectation->seen);
        snprintf(expectation->seen + len, size - len, "%s%llu × %s", num++ > 0 ? ", " : "",
                 (unsigned long long)text->count, text->text);
        expectation->holds = expectation->holds && strcmp(text->text, expected->wanted) == 0;
    }
    if (num == 0) {
        expectation->holds = false;
        snprintf(expectation->seen, size, "%s in case %s",
                 of_case->finished_runs == 0 ? "no finished run" : "nothing to take it from",
                 of_case->of->name);
    } else {
        size_t len = strlen(expectation->seen);
        snprintf(expectation->seen + len, size - len, " in case %s", of_case->of->name);
    }
}

static void judge_texts(struct summary_expectation *expectation, const struct summary *summary)
{
    bool any = false;
    for (size_t i = 0; i < summary->num_cases && (!any || expectation->holds); i++) {
        if (!concerns(expectation->of, &summary->cases[i]))
            continue;
        any = true;
        judge_text(expectation, &summary->cases[i]);
    }
    if (!any)
        say_no_case(expectation);
}

int summary_judge(struct summary_expectation *expectation, const struct summary *summary)
{
    const struct scenario_expectation *expected = expectation->of;
    struct range range = {0};
    if (expected->unit == SCENARIO_UNIT_TEXT) {
        judge_texts(expectation, summary);
        return 0;
    }
    expectation->holds = true;
    for (size_t i = 0; i < summary->num_cases && expectation->holds; i++) {
        const struct summary_case *of_case = &summary->cases[i];
        struct seen seen;
        if (!concerns(expected, of_case))
            continue;
        if (look_at(&seen, of_case, expected))
            return -1;
        expectation->holds = seen.known && compare(seen.value, expected->is, expected->value);
        if (!seen.known) {
            say_unknown(expectation, of_case);
        } else if (!expectation->holds) {
            char text[FIGURE_TEXT];
            figure_text(text, seen.value, seen.unit);
            snprintf(expectation->seen, sizeof expectation->seen, "%s in case %s", text, of_case->of->name);
        }
        widen(&range, &seen, of_case->of->name);
    }
    if (range.num == 0)
        say_no_case(expectation);
    else if (expectation->holds)
        say_range(expectation, &range);
    return 0;
}
