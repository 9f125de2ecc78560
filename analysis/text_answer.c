/* The answer in one sentence, built from the differences between cases. */
#include "figure_text.h"
#include "text_report.h"

#include <math.h>
#include <string.h>

static const struct {
    const char *metric;
    const char *name;
} parts[] = {
    {"rekey-latency.network", "network"},
    {"rekey-latency.cpu", "CPU"},
    {"rekey-latency.cpu-wait", "waiting for the CPU"},
    {"rekey-latency.retransmission-wait", "waiting for retransmissions"},
};

enum { NUM_PARTS = sizeof parts / sizeof parts[0] };

/* ", nearly all of it CPU"; nothing if no part stands out. */
static void write_share(FILE *out, const char *name, double share)
{
    if (share >= 0.9)
        fprintf(out, ", on average nearly all of it %s", name);
    else if (share >= 0.6)
        fprintf(out, ", on average most of it %s", name);
    else if (share >= 0.4)
        fprintf(out, ", on average the largest part of it %s", name);
}

static void write_interval(FILE *out, const struct statistics_interval *interval, double sign)
{
    if (!interval->known) {
        fputs(" (too few replications for an interval)", out);
        return;
    }
    double low = sign * interval->low, high = sign * interval->high;
    char range[FIGURE_RANGE_TEXT];
    figure_text_range(range, fmin(low, high), fmax(low, high));
    fprintf(out, " (95 %% interval %s)", range);
}

static size_t first_with_figures(const struct summary *summary, const char *metric)
{
    size_t i = 0;
    while (i < summary->num_cases && summary_find(&summary->cases[i], metric)->figures.n == 0)
        i++;
    return i;
}

/* The first failure's sentence, or its name where it has none. */
static void write_first(FILE *out, const struct summary_failure *first)
{
    if (*first->explanation)
        fprintf(out, "; the first one: %s", first->explanation);
    else
        fprintf(out, ", the first one with %s.", first->name);
}

static void answer_nothing(FILE *out, const struct summary *summary)
{
    uint64_t failed = 0, waiting = 0, attempts = 0, runs = 0;
    const struct summary_failure *first = NULL, *first_wait = NULL;
    for (size_t i = 0; i < summary->num_cases; i++) {
        const struct summary_case *of_case = &summary->cases[i];
        attempts += of_case->attempts;
        runs += of_case->finished_runs;
        failed += summary_count_failures(&of_case->failures, NULL);
        waiting += summary_count_failures(&of_case->waits, NULL);
        if (!first && of_case->failures.num > 0)
            first = &of_case->failures.items[0];
        if (!first_wait && of_case->waits.num > 0)
            first_wait = &of_case->waits.items[0];
    }
    if (first && waiting > 0) {
        fprintf(out, "No tunnel came up: %llu negotiation%s failed and %llu %s not over when the run ended",
                (unsigned long long)failed, failed == 1 ? "" : "s", (unsigned long long)waiting,
                waiting == 1 ? "was" : "were");
        write_first(out, first);
    } else if (first && failed == 1) {
        fputs("No tunnel came up, for the one negotiation failed", out);
        fprintf(out, *first->explanation ? ": %s" : " (%s).",
                *first->explanation ? first->explanation : first->name);
    } else if (first) {
        fprintf(out, "No tunnel came up, for all %llu negotiations failed", (unsigned long long)failed);
        write_first(out, first);
    } else if (first_wait) {
        fprintf(out, "No tunnel came up. %s", first_wait->explanation);
    } else if (attempts == 0 && runs > 0) {
        fputs("Nothing was negotiated: no tunnel is to come up immediately, and no packet wanted one.", out);
    } else {
        fputs("No negotiation came to its end, so there is nothing to measure.", out);
    }
}

static void answer_one(FILE *out, const struct summary_case *of_case, const struct text_subject *subject,
                       const char *label)
{
    const struct statistics_summary *figures = &summary_find(of_case, subject->metric)->figures;
    char median[FIGURE_TEXT], p95[FIGURE_TEXT];
    figure_text_ns(median, figures->median);
    figure_text_ns(p95, figures->p95);
    fprintf(out, "%s%s%s takes %s in the median", label ? label : "A", label ? ": a " : " ", subject->noun,
            median);
    if (figures->median_ci95.known)
        write_interval(out, &figures->median_ci95, 1);
    double largest = 0;
    size_t largest_part = 0;
    for (size_t i = 0; i < NUM_PARTS && strcmp(subject->metric, "rekey-latency") == 0; i++) {
        double mean = summary_find(of_case, parts[i].metric)->figures.mean;
        if (mean > largest) {
            largest = mean;
            largest_part = i;
        }
    }
    if (figures->mean > 0)
        write_share(out, parts[largest_part].name, largest / figures->mean);
    fprintf(out, "; 95 %% of them take at most %s", p95);
}

/* Which part grew (or shrank) most, if the means changed in the direction of the median. */
static void write_changing_part(FILE *out, const struct summary *summary,
                                const struct summary_difference *median)
{
    const struct summary_difference *whole =
        summary_find_difference(summary, median->in_case, "rekey-latency", STATISTICS_MEAN);
    double best = 0;
    const char *name = NULL;
    if (strcmp(median->metric, "rekey-latency") != 0 || !whole || whole->by.mean * median->by.mean <= 0)
        return;
    for (size_t i = 0; i < NUM_PARTS; i++) {
        const struct summary_difference *part =
            summary_find_difference(summary, median->in_case, parts[i].metric, STATISTICS_MEAN);
        if (part && part->by.mean / whole->by.mean > best) {
            best = part->by.mean / whole->by.mean;
            name = parts[i].name;
        }
    }
    if (name)
        write_share(out, name, best);
}

static bool may_be_chance(const struct summary_difference *difference)
{
    const struct statistics_interval *interval = &difference->by.ci95;
    return llround(difference->by.mean) == 0 ||
           (interval->known && interval->low <= 0 && interval->high >= 0);
}

/* The cases that differ most and least from the first one. */
struct extremes {
    const struct summary_difference *most, *least;
    size_t num;
    bool all_chance;
};

static struct extremes find_extremes(const struct summary *summary, const char *metric)
{
    struct extremes found = {.all_chance = true};
    for (size_t i = 1; i < summary->num_cases; i++) {
        const struct summary_difference *median =
            summary_find_difference(summary, i, metric, STATISTICS_MEDIAN);
        if (!median)
            continue;
        found.num++;
        found.all_chance = found.all_chance && may_be_chance(median);
        if (!found.most || fabs(median->by.mean) > fabs(found.most->by.mean))
            found.most = median;
        if (!found.least || median->by.mean < found.least->by.mean)
            found.least = median;
    }
    if (found.least == found.most)
        found.least = NULL;
    return found;
}

static void write_least(FILE *out, const struct summary *summary, const struct summary_difference *least)
{
    char label[160], text[FIGURE_TEXT];
    text_report_case_label(label, sizeof label, summary->cases[least->in_case].of);
    if (may_be_chance(least)) {
        figure_text_difference(text, least->by.mean);
        fprintf(out, "; %s differs by no more than chance (%s)", label, text);
    } else {
        figure_text_ns(text, fabs(least->by.mean));
        fprintf(out, least->by.mean > 0 ? "; %s adds least, %s" : "; %s takes %s off", label, text);
    }
}

static void answer_difference(FILE *out, const struct summary *summary, const struct text_subject *subject,
                              const struct extremes *extremes)
{
    const struct summary_difference *most = extremes->most;
    double sign = most->by.mean < 0 ? -1 : 1;
    char label[160], text[FIGURE_TEXT];
    text_report_case_label(label, sizeof label, summary->cases[most->in_case].of);
    figure_text_ns(text, fabs(most->by.mean));
    fprintf(out, "Against %s, %s %s %s %s the median %s", summary->cases[0].of->name, label,
            sign < 0 ? "takes" : "adds", text, sign < 0 ? "off" : "to", subject->noun);
    write_interval(out, &most->by.ci95, sign);
    write_changing_part(out, summary, most);
    if (extremes->least)
        write_least(out, summary, extremes->least);
}

static void answer_chance(FILE *out, const struct summary *summary, const struct text_subject *subject,
                          const struct extremes *extremes)
{
    const struct summary_difference *most = extremes->most;
    char label[160], text[FIGURE_TEXT];
    text_report_case_label(label, sizeof label, summary->cases[most->in_case].of);
    if (llround(most->by.mean) == 0) {
        fprintf(out, "The median %s is the same as with %s in every case", subject->noun,
                summary->cases[0].of->name);
        return;
    }
    figure_text_difference(text, most->by.mean);
    fprintf(
        out,
        "No case's median %s differs from that of %s by more than chance: the largest difference is %s's, %s",
        subject->noun, summary->cases[0].of->name, label, text);
    write_interval(out, &most->by.ci95, 1);
}

/* "; with PFS=group5 and 2 other cases there was none at all" */
static void write_empty_cases(FILE *out, const struct summary *summary, const char *metric)
{
    const char *name = NULL;
    size_t num = 0;
    for (size_t i = 0; i < summary->num_cases; i++) {
        const struct summary_case *of_case = &summary->cases[i];
        if (of_case->finished_runs == 0 || summary_find(of_case, metric)->figures.n > 0)
            continue;
        if (num++ == 0)
            name = of_case->of->name;
    }
    if (num == 1)
        fprintf(out, "; with %s there was none at all", name);
    else if (num > 1)
        fprintf(out, "; with %s and %zu other case%s there was none at all", name, num - 1,
                num == 2 ? "" : "s");
}

/* Where cases end differently, that comes before how long they took. */
static void answer_who_came_up(FILE *out, const struct summary *summary)
{
    size_t run = 0, up = 0, with_failure = 0;
    for (size_t i = 0; i < summary->num_cases; i++) {
        const struct summary_case *of_case = &summary->cases[i];
        run += of_case->finished_runs > 0;
        up += of_case->established > 0;
        with_failure += of_case->failed > 0;
    }
    if (up < run)
        fprintf(out, "In %zu of %zu cases a tunnel came up. ", up, run);
    else if (run > 1 && with_failure > 0)
        fprintf(out, "A tunnel came up in every case; in %zu of %zu a negotiation failed. ", with_failure,
                run);
}

bool text_report_cases_differ(const struct summary *summary)
{
    struct extremes extremes = find_extremes(summary, text_report_subject(summary).metric);
    bool differ = extremes.num > 0 && !extremes.all_chance;
    for (size_t i = 0; i < summary->num_cases; i++)
        differ = differ || summary->cases[i].failed > 0 || summary->cases[i].established == 0 ||
                 summary_find(&summary->cases[i], "false-positives")->total > 0 ||
                 summary_find(&summary->cases[i], "lost-to-cpu")->total > 0;
    return differ;
}

void text_report_answer(FILE *out, const struct summary *summary)
{
    struct text_subject subject = text_report_subject(summary);
    struct extremes extremes = find_extremes(summary, subject.metric);
    size_t first = first_with_figures(summary, subject.metric);
    char label[160];
    if (first == summary->num_cases) {
        answer_nothing(out, summary);
        return;
    }
    answer_who_came_up(out, summary);
    if (extremes.num == 0) {
        /* One case, or a first case without figures: there is nothing to compare with. */
        text_report_case_label(label, sizeof label, summary->cases[first].of);
        answer_one(out, &summary->cases[first], &subject, summary->num_cases > 1 ? label : NULL);
    } else if (extremes.all_chance) {
        answer_chance(out, summary, &subject, &extremes);
    } else {
        answer_difference(out, summary, &subject, &extremes);
    }
    write_empty_cases(out, summary, subject.metric);
    fputc('.', out);
}
