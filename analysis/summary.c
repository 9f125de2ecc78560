#include "summary.h"

#include <stdlib.h>
#include <string.h>

/* "a, b and 3 others" of "a,b,c,d,e": as many as there is room for. */
static void shorten_list(char *out, size_t size, const char *names)
{
    static const size_t room_for_others = sizeof " and 1000000 others";
    size_t len = 0, left = 1;
    for (const char *comma = strchr(names, ','); comma; comma = strchr(comma + 1, ','))
        left++;
    out[0] = '\0';
    while (*names) {
        size_t name = strcspn(names, ",");
        if (len + name + 2 + room_for_others > size)
            break;
        len += (size_t)snprintf(out + len, size - len, "%s%.*s", len ? ", " : "", (int)name, names);
        names += name + (names[name] == ',');
        left--;
    }
    if (*names)
        snprintf(out + len, size - len, " and %zu other%s", left, left == 1 ? "" : "s");
}

static int add_failure(void *context, const struct store_cell *cells, size_t num_cells)
{
    struct summary_failures *failures = context;
    struct summary_failure *items = realloc(failures->items, (failures->num + 1) * sizeof *items);
    (void)num_cells;
    if (!items)
        return -2;
    failures->items = items;
    struct summary_failure *failure = &items[failures->num++];
    *failure = (struct summary_failure){.phase = (int)cells[0].integer, .count = (uint64_t)cells[3].integer};
    snprintf(failure->name, sizeof failure->name, "%s", cells[1].text);
    snprintf(failure->explanation, sizeof failure->explanation, "%s", cells[2].text);
    const char *who = strchr(cells[5].text, ',') ? cells[5].text : cells[6].text;
    if (strchr(who, ','))
        shorten_list(failure->who, sizeof failure->who, who);
    return 0;
}

uint64_t summary_count_failures(const struct summary_failures *failures, const char *name)
{
    uint64_t count = 0;
    for (size_t i = 0; i < failures->num; i++)
        if (!name || strcmp(failures->items[i].name, name) == 0)
            count += failures->items[i].count;
    return count;
}

/* Explanations name tunnels and addresses, so alike means: same phase, same notify, same field. SQLite takes
 * `explanation` from the row that min() chose. */
#define NEGOTIATIONS_ALIKE(name, outcome)                                                                    \
    "WITH durations AS (SELECT case_name, run, duration_ns FROM runs)"                                       \
    " SELECT phase, failure, explanation, count(*), min(id), group_concat(DISTINCT initiator),"              \
    " group_concat(DISTINCT responder) FROM ("                                                               \
    " SELECT 1 AS phase, id, " name " AS failure, explanation, coalesce(failure_field, '') AS field,"        \
    "  initiator, responder FROM phase1_negotiations NATURAL JOIN durations"                                 \
    "  WHERE case_name = ?1 AND " outcome " UNION ALL"                                                       \
    " SELECT 2, id, " name ", explanation, coalesce(failure_field, ''), initiator, responder"                \
    "  FROM negotiations NATURAL JOIN durations WHERE case_name = ?1 AND " outcome ")"                       \
    " GROUP BY phase, failure, field ORDER BY phase, min(id)"

static const char failures_sql[] = NEGOTIATIONS_ALIKE("coalesce(failure, 'unknown')", "outcome = 'failed'");

/* What began in the last seconds is simply under way. */
static const char waits_sql[] =
    NEGOTIATIONS_ALIKE("'unfinished'", "outcome = 'unfinished' AND duration_ns - started_ns > 2000000000");

static int count_tunnels(void *context, const struct store_cell *cells, size_t num_cells)
{
    struct summary_case *of_case = context;
    (void)num_cells;
    of_case->tunnels_up = (uint64_t)cells[0].integer;
    of_case->tunnels_down = (uint64_t)cells[1].integer;
    if (of_case->tunnels_down > 0)
        shorten_list(of_case->down, sizeof of_case->down, cells[2].text);
    return 0;
}

/* A tunnel whose Phase 1 never came to be has no Quick Mode: its gateways stand for it. */
static const char tunnels_sql[] =
    "SELECT count(CASE WHEN up THEN 1 END), count(CASE WHEN NOT up THEN 1 END),"
    " group_concat(CASE WHEN NOT up THEN name END) FROM ("
    " SELECT tunnel AS name, max(outcome = 'established') AS up FROM negotiations"
    "  WHERE case_name = ?1 AND tunnel IS NOT NULL GROUP BY tunnel UNION ALL"
    " SELECT min(initiator, responder) || ' with ' || max(initiator, responder), 0 FROM phase1_negotiations"
    "  WHERE case_name = ?1 GROUP BY 1 HAVING max(outcome = 'established') = 0)";

static int count_outcomes(void *context, const struct store_cell *cells, size_t num_cells)
{
    struct summary_case *of_case = context;
    (void)num_cells;
    of_case->finished_runs = (uint64_t)cells[0].integer;
    of_case->established = (uint64_t)cells[1].integer;
    of_case->failed = (uint64_t)cells[2].integer;
    of_case->unfinished = (uint64_t)cells[3].integer;
    of_case->attempts = (uint64_t)cells[4].integer;
    return 0;
}

static const char outcomes_sql[] = "SELECT (SELECT count(*) FROM runs WHERE case_name = ?1),"
                                   " count(CASE outcome WHEN 'established' THEN 1 END),"
                                   " count(CASE outcome WHEN 'failed' THEN 1 END),"
                                   " count(CASE outcome WHEN 'unfinished' THEN 1 END), count(*) +"
                                   " (SELECT count(*) FROM phase1_negotiations WHERE case_name = ?1)"
                                   " FROM negotiations WHERE case_name = ?1";

static int compute_cases(struct summary *summary, struct store *store, const struct scenario_set *set,
                         struct store_message *message)
{
    int status = 0;
    for (size_t i = 0; i < set->num_cases && status == 0; i++) {
        struct summary_case *of_case = &summary->cases[i];
        of_case->of = &set->cases[i];
        status = summary_read_metrics(of_case, store, message);
        if (status == 0)
            status = store_query(store, outcomes_sql, of_case->of->name, count_outcomes, of_case, message);
        if (status == 0)
            status =
                store_query(store, failures_sql, of_case->of->name, add_failure, &of_case->failures, message);
        if (status == 0)
            status = store_query(store, waits_sql, of_case->of->name, add_failure, &of_case->waits, message);
        if (status == 0)
            status = store_query(store, tunnels_sql, of_case->of->name, count_tunnels, of_case, message);
        if (status == 0)
            status = summary_read_attacks(of_case, store, message);
    }
    return status;
}

static const struct {
    const char *metric;
    enum statistics_figure figure;
} compared[] = {
    {"rekey-latency", STATISTICS_MEDIAN},        {"rekey-latency", STATISTICS_MEAN},
    {"rekey-latency.network", STATISTICS_MEAN},  {"rekey-latency.cpu", STATISTICS_MEAN},
    {"rekey-latency.cpu-wait", STATISTICS_MEAN}, {"rekey-latency.retransmission-wait", STATISTICS_MEAN},
    {"phase2-setup", STATISTICS_MEDIAN},         {"blackout", STATISTICS_MEAN},
};

enum { NUM_COMPARED = sizeof compared / sizeof compared[0] };

static int compute_differences(struct summary *summary)
{
    for (size_t i = 1; i < summary->num_cases; i++) {
        for (size_t j = 0; j < NUM_COMPARED; j++) {
            const struct summary_metric *first = summary_find(&summary->cases[0], compared[j].metric);
            const struct summary_metric *other = summary_find(&summary->cases[i], compared[j].metric);
            struct summary_difference *difference = &summary->differences[summary->num_differences];
            *difference = (struct summary_difference){i, compared[j].metric, compared[j].figure, {0}};
            if (statistics_compare(&difference->by, &first->samples, &other->samples, compared[j].figure))
                return -2;
            if (difference->by.replications > 0)
                summary->num_differences++;
        }
    }
    return 0;
}

const struct summary_difference *summary_find_difference(const struct summary *summary, size_t in_case,
                                                         const char *metric, enum statistics_figure figure)
{
    for (size_t i = 0; i < summary->num_differences; i++) {
        const struct summary_difference *difference = &summary->differences[i];
        if (difference->in_case == in_case && difference->figure == figure &&
            strcmp(difference->metric, metric) == 0)
            return difference;
    }
    return NULL;
}

static int judge_expectations(struct summary *summary, const struct scenario *scenario)
{
    for (size_t i = 0; i < scenario->num_expectations; i++) {
        summary->expectations[i].of = &scenario->expectations[i];
        if (summary_judge(&summary->expectations[i], summary))
            return -2;
    }
    return 0;
}

static int add_failed_run(void *context, const struct store_cell *cells, size_t num_cells)
{
    struct summary *summary = context;
    struct summary_failed_run *runs =
        realloc(summary->failed_runs, (summary->num_failed_runs + 1) * sizeof *summary->failed_runs);
    (void)num_cells;
    if (!runs)
        return -2;
    summary->failed_runs = runs;
    struct summary_failed_run *run = &runs[summary->num_failed_runs++];
    snprintf(run->case_name, sizeof run->case_name, "%s", cells[0].text);
    run->run = (uint64_t)cells[1].integer;
    snprintf(run->message, sizeof run->message, "%s", cells[2].text);
    return 0;
}

static int allocate(struct summary *summary, const struct scenario_set *set)
{
    size_t num_expectations = set->base.num_expectations;
    summary->cases = calloc(set->num_cases, sizeof *summary->cases);
    summary->differences = calloc(set->num_cases * NUM_COMPARED, sizeof *summary->differences);
    summary->expectations = calloc(num_expectations + 1, sizeof *summary->expectations);
    if (!summary->cases || !summary->differences || !summary->expectations)
        return -2;
    summary->num_cases = set->num_cases;
    summary->num_expectations = num_expectations;
    return 0;
}

int summary_compute(struct summary *summary, struct store *store, const struct scenario_set *set,
                    struct store_message *message)
{
    *summary = (struct summary){0};
    int status = store_get_result(store, &summary->result, message);
    if (status == 0)
        status = allocate(summary, set);
    if (status == 0)
        status = compute_cases(summary, store, set, message);
    if (status == 0)
        status = store_query(store,
                             "SELECT case_name, run, message FROM failed_runs NATURAL JOIN cases"
                             " ORDER BY position, run",
                             NULL, add_failed_run, summary, message);
    if (status == 0)
        status = compute_differences(summary);
    if (status == 0)
        status = judge_expectations(summary, &set->base);
    if (status == -2)
        snprintf(message->text, sizeof message->text, "out of memory for the summary");
    if (status)
        summary_cleanup(summary);
    return status ? -1 : 0;
}

void summary_cleanup(struct summary *summary)
{
    for (size_t i = 0; i < summary->num_cases; i++) {
        for (size_t j = 0; j < summary->cases[i].num_metrics; j++)
            statistics_samples_cleanup(&summary->cases[i].metrics[j].samples);
        free(summary->cases[i].metrics);
        free(summary->cases[i].texts);
        free(summary->cases[i].failures.items);
        free(summary->cases[i].waits.items);
        free(summary->cases[i].attacks);
        free(summary->cases[i].compromises);
    }
    free(summary->cases);
    free(summary->differences);
    free(summary->expectations);
    free(summary->failed_runs);
    *summary = (struct summary){0};
}
