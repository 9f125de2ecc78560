#include "text_report.h"
#include "text_layout.h"

#include <stdlib.h>
#include <string.h>

static int write_heading(FILE *out, const struct scenario_set *set, const struct summary *summary,
                         bool colour)
{
    char text[256];
    uint64_t wanted = summary->result.runs * summary->num_cases, finished = 0;
    text_styled(out, colour, TEXT_BOLD, summary->result.scenario);
    fputc('\n', out);
    if (set->base.question)
        text_wrap(out, set->base.question, TEXT_REPORT_WIDTH, 0, 0);
    fputc('\n', out);
    snprintf(text, sizeof text, "%zu case%s, %llu replication%s of each, seed %llu.", summary->num_cases,
             summary->num_cases == 1 ? "" : "s", (unsigned long long)summary->result.runs,
             summary->result.runs == 1 ? "" : "s", (unsigned long long)summary->result.seed);
    text_wrap(out, text, TEXT_REPORT_WIDTH, 0, 0);
    for (size_t i = 0; i < summary->num_cases; i++)
        finished += summary->cases[i].finished_runs;
    if (!summary->result.complete) {
        snprintf(text, sizeof text,
                 "Not complete: %llu of %llu runs were finished, and only they are counted here.",
                 (unsigned long long)finished, (unsigned long long)wanted);
        text_styled(out, colour, TEXT_BAD, text);
        fputc('\n', out);
    }
    return text_report_cpus(out, set);
}

static int write_answer(FILE *out, const struct summary *summary)
{
    struct text_piece sentence;
    if (text_piece_open(&sentence))
        return -1;
    text_report_trouble(sentence.to, summary);
    bool attacked = text_report_attacks_answer(sentence.to, summary);
    if (!attacked || text_report_cases_differ(summary)) {
        if (attacked)
            fputc(' ', sentence.to);
        if (!text_report_packets_answer(sentence.to, summary))
            text_report_answer(sentence.to, summary);
    }
    return text_piece_wrap(&sentence, out, TEXT_REPORT_WIDTH, 0, 0);
}

static bool alike(const struct summary_failure *a, const struct summary_failure *b)
{
    return a->phase == b->phase && strcmp(a->name, b->name) == 0 &&
           strcmp(a->explanation, b->explanation) == 0;
}

/* Two lists are told in the same way: what failed, and what was not over. */
struct failure_list {
    const char *title;
    bool waits;
};

static const struct summary_failures *list_of(const struct failure_list *list,
                                              const struct summary_case *of_case)
{
    return list->waits ? &of_case->waits : &of_case->failures;
}

static const struct summary_failure *find_alike(const struct failure_list *list,
                                                const struct summary_case *of_case,
                                                const struct summary_failure *failure)
{
    const struct summary_failures *failures = list_of(list, of_case);
    for (size_t i = 0; i < failures->num; i++)
        if (alike(&failures->items[i], failure))
            return &failures->items[i];
    return NULL;
}

/* " in PFS=none and 2 other cases": where, from the first one on that has it; and how often in all. */
static uint64_t count_alike(char *where, size_t size, const struct failure_list *list,
                            const struct summary *summary, size_t first,
                            const struct summary_failure *failure)
{
    uint64_t count = 0;
    size_t num_cases = 0;
    for (size_t i = first; i < summary->num_cases; i++) {
        const struct summary_failure *same = find_alike(list, &summary->cases[i], failure);
        count += same ? same->count : 0;
        num_cases += same != NULL;
    }
    where[0] = '\0';
    if (num_cases == summary->num_cases && num_cases > 1)
        snprintf(where, size, " in every case");
    else if (num_cases > 1)
        snprintf(where, size, " in %.160s and %zu other case%s", summary->cases[first].of->name,
                 num_cases - 1, num_cases == 2 ? "" : "s");
    else if (summary->num_cases > 1)
        snprintf(where, size, " in %.160s", summary->cases[first].of->name);
    return count;
}

/* One failure with its count over all cases from the first one on that has it, as one sentence. */
static void write_failure(FILE *out, const struct failure_list *list, const struct summary *summary,
                          size_t first, const struct summary_failure *failure)
{
    char text[1024], where[256];
    uint64_t count = count_alike(where, sizeof where, list, summary, first, failure);
    if (*failure->explanation)
        snprintf(text, sizeof text, "%llu ×%s%s%s%s: %s", (unsigned long long)count, where,
                 *failure->who ? ", of " : "", failure->who, count > 1 ? ", the first one" : "",
                 failure->explanation);
    else
        snprintf(text, sizeof text, "%llu ×%s: %s in Phase %d.", (unsigned long long)count, where,
                 failure->name, failure->phase);
    text_wrap(out, text, TEXT_REPORT_WIDTH, 2, 4);
}

static bool was_told(const struct failure_list *list, const struct summary *summary, size_t before,
                     const struct summary_failure *failure)
{
    for (size_t i = 0; i < before; i++)
        if (find_alike(list, &summary->cases[i], failure))
            return true;
    return false;
}

static void write_failures(FILE *out, const struct failure_list *list, const struct summary *summary,
                           bool colour)
{
    bool any = false;
    for (size_t i = 0; i < summary->num_cases; i++) {
        const struct summary_failures *failures = list_of(list, &summary->cases[i]);
        for (size_t j = 0; j < failures->num; j++) {
            if (was_told(list, summary, i, &failures->items[j]))
                continue;
            if (!any) {
                fputc('\n', out);
                text_styled(out, colour, TEXT_BOLD, list->title);
                fputc('\n', out);
            }
            any = true;
            write_failure(out, list, summary, i, &failures->items[j]);
        }
    }
}

static void write_expectations(FILE *out, const struct summary *summary, bool colour)
{
    char text[1200];
    if (summary->num_expectations == 0)
        return;
    fputc('\n', out);
    text_styled(out, colour, TEXT_BOLD, "Expectations");
    fputc('\n', out);
    for (size_t i = 0; i < summary->num_expectations; i++) {
        const struct summary_expectation *expectation = &summary->expectations[i];
        fputs("  ", out);
        text_styled(out, colour, expectation->holds ? TEXT_GOOD : TEXT_BAD,
                    expectation->holds ? "holds" : "FAILS");
        snprintf(text, sizeof text, "%s (seen: %s)", expectation->of->text, expectation->seen);
        fputs("  ", out);
        text_flow(out, text, TEXT_REPORT_WIDTH, 9, 9);
    }
}

static void write_failed_runs(FILE *out, const struct summary *summary, bool colour)
{
    char text[800];
    if (summary->num_failed_runs == 0)
        return;
    fputc('\n', out);
    text_styled(out, colour, TEXT_BAD, "Failed runs");
    fputc('\n', out);
    for (size_t i = 0; i < summary->num_failed_runs; i++) {
        const struct summary_failed_run *run = &summary->failed_runs[i];
        snprintf(text, sizeof text, "case %s, run %llu: %s", run->case_name, (unsigned long long)run->run,
                 run->message);
        text_wrap(out, text, TEXT_REPORT_WIDTH, 2, 4);
    }
}

int text_report_write(FILE *out, const struct scenario_set *set, const struct summary *summary, bool colour)
{
    if (write_heading(out, set, summary, colour))
        return -1;
    fputc('\n', out);
    if (write_answer(out, summary) || text_report_table(out, summary, colour) ||
        text_report_agreement(out, summary, colour) || text_report_packets(out, summary, colour) ||
        text_report_attacks(out, summary, colour))
        return -1;
    write_failures(out, &(struct failure_list){"Failed negotiations", false}, summary, colour);
    write_failures(out, &(struct failure_list){"Negotiations that were not over", true}, summary, colour);
    write_expectations(out, summary, colour);
    write_failed_runs(out, summary, colour);
    return 0;
}
