/* The figures of a finished run: computed from the store, written as summary.json, shown by the report. */
#ifndef P2_SUMMARY_H
#define P2_SUMMARY_H

#include "scenario.h"
#include "statistics.h"
#include "store.h"

#define SUMMARY_FORMAT "phase2sim-summary/1"

/* A metric of one case: either samples with their figures, or a total over all finished runs. */
struct summary_metric {
    char name[112];   /* "rekey-latency.cpu", "drops.replay", "cpu-utilisation.hub" */
    const char *unit; /* "ns", "ratio", "packets" */
    bool is_total;
    uint64_t total;
    struct statistics_samples samples; /* sorted */
    struct statistics_summary figures;
};

/* One of the texts that a metric of texts was in a case: chosen-proposal, failure-field. */
struct summary_text {
    const char *metric;
    char text[RECORD_TEXT];
    uint64_t count; /* how many negotiations */
};

/* Failed negotiations of one phase, alike in what went wrong. */
struct summary_failure {
    int phase;
    char name[48];         /* "NO-PROPOSAL-CHOSEN" */
    char explanation[512]; /* of the first one; may be empty */
    char who[128];         /* "bad-a, bad-b and 3 others": if more than one gateway had it; else empty */
    uint64_t count;
};

struct summary_failures {
    struct summary_failure *items;
    size_t num;
};

/* All that one kind of attack did in a case, on all links and in all runs. */
struct summary_attack {
    char kind[16], method[32];
    uint64_t injected, live, replayed, too_old, icv_mismatch, unknown_spi, other, answered, unfinished,
        accepted, came_first, arrived;
    struct summary_reason {
        char name[48];
        uint64_t packets;
    } reasons[P2_NUM_DROPS]; /* the others, in the order in which they were first seen */
    size_t num_reasons;
};

/* The same of the attackers who learned these keys. */
struct summary_compromise {
    char knows[48];
    uint64_t quick_modes, quick_modes_read, packets, packets_read;
    uint64_t sas, sas_read; /* of which at least one packet was recorded, or read */
};

struct summary_case {
    const struct scenario_case *of; /* borrowed from the scenario set */
    uint64_t finished_runs;
    uint64_t established, failed, unfinished; /* Phase 2 negotiations */
    struct summary_metric *metrics;
    size_t num_metrics;
    struct summary_text *texts; /* those of one metric together, in the order in which they were first seen */
    size_t num_texts;
    struct summary_failures failures;
    struct summary_failures waits; /* what was not over when the run ended, though it had had the time */
    uint64_t attempts;             /* negotiations of both phases, however they ended */
    uint64_t tunnels_up;           /* that were established at least once */
    uint64_t tunnels_down;         /* never, with pairs of gateways that did not even get through Phase 1 */
    char down[128];                /* these, as summary_failure has who */
    struct summary_attack *attacks;
    size_t num_attacks;
    struct summary_compromise *compromises;
    size_t num_compromises;
};

/* How a case differs from the first one, in one metric. */
struct summary_difference {
    size_t in_case;
    const char *metric;
    enum statistics_figure figure;
    struct statistics_difference by;
};

struct summary_expectation {
    const struct scenario_expectation *of; /* borrowed */
    bool holds;
    char seen[512];
};

struct summary_failed_run {
    char case_name[RECORD_TEXT];
    uint64_t run;
    char message[512];
};

struct summary {
    struct store_result result;
    struct summary_case *cases;
    size_t num_cases;
    struct summary_difference *differences;
    size_t num_differences;
    struct summary_expectation *expectations;
    size_t num_expectations;
    struct summary_failed_run *failed_runs;
    size_t num_failed_runs;
};

/* 0, or -1 with one line in message. The set must outlive the summary. */
int summary_compute(struct summary *summary, struct store *store, const struct scenario_set *set,
                    struct store_message *message);
void summary_cleanup(struct summary *summary);
/* Writes summary.json; equal summaries give equal bytes. 0, or -1 with errno. */
int summary_write(const struct summary *summary, FILE *out);

/* NULL: this case has no such metric. */
const struct summary_metric *summary_find(const struct summary_case *of_case, const char *metric);
/* How many negotiations these are; of that name only, unless it is NULL. */
uint64_t summary_count_failures(const struct summary_failures *failures, const char *name);
/* NULL: not compared, or the case is the first one. */
const struct summary_difference *summary_find_difference(const struct summary *summary, size_t in_case,
                                                         const char *metric, enum statistics_figure figure);

/* What is known of a metric before a run. */
struct summary_metric_info {
    const char *unit;
    bool is_total;
    bool is_text; /* no number: texts that must all be equal */
};

/* False: there is no such metric. */
bool summary_metric_info(struct summary_metric_info *info, const char *name);
/* Metric i for a list of them; NULL past the end. *suffix: what follows the name, such as ".REASON". */
const char *summary_metric_name(size_t i, const char **suffix);
/* Sees before a run whether an expectation is about a metric that there is, in its unit. True: it is not, and
 * text says "what was found; what is allowed". */
bool summary_wrong_expectation(const struct scenario *scenario, const struct scenario_expectation *expected,
                               char *text, size_t size);

/* Parts of summary_compute, in files of their own. */

/* Fills the metrics of a case from the store. 0, or -1 with one line in message. */
int summary_read_metrics(struct summary_case *of_case, struct store *store, struct store_message *message);
/* Reads what attackers did in a case. 0, or -1 with one line in message. */
int summary_read_attacks(struct summary_case *of_case, struct store *store, struct store_message *message);
/* Judges one expectation by the metrics of the cases. 0, or -1: out of memory. */
int summary_judge(struct summary_expectation *expectation, const struct summary *summary);

#endif
