/* Each metric as the query that defines it: what sqlite3 says to it on a results.sqlite is what the summary
 * says. */
#include "summary.h"

#include <stdlib.h>
#include <string.h>

enum metric_kind {
    METRIC_SAMPLES,         /* rows of run, value */
    METRIC_TOTAL,           /* one row: the total */
    METRIC_NAMED_TOTALS,    /* rows of name, total: one metric each */
    METRIC_TEXTS,           /* rows of text, count: what is different, and how often it was */
    METRIC_GATEWAY_SAMPLES, /* rows of gateway, run, value; counted gateways ("spoke[3]") count as one */
};

struct metric_definition {
    const char *name;
    const char *unit;
    enum metric_kind kind;
    const char *sql;
};

#define ATTACKS(value, of) "SELECT sum(" value ") FROM attacks WHERE case_name = ?1" of
#define REJECTED           "replayed + too_old + icv_mismatch + unknown_spi + other"
#define COMPROMISES(value) "SELECT sum(" value ") FROM compromises WHERE case_name = ?1"

#define REKEYS(value)                                                                                        \
    "SELECT run, " value " FROM established_rekeys WHERE case_name = ?1 AND " value " IS NOT NULL"

#define FLOWS(column) "SELECT sum(" column ") FROM flows WHERE case_name = ?1"

static const struct metric_definition definitions[] = {
    {"rekey-latency", "ns", METRIC_SAMPLES, REKEYS("latency_ns")},
    {"rekey-latency.network", "ns", METRIC_SAMPLES, REKEYS("network_ns")},
    {"rekey-latency.cpu", "ns", METRIC_SAMPLES, REKEYS("cpu_ns")},
    {"rekey-latency.cpu-wait", "ns", METRIC_SAMPLES, REKEYS("cpu_wait_ns")},
    {"rekey-latency.retransmission-wait", "ns", METRIC_SAMPLES, REKEYS("retransmission_wait_ns")},
    {"rekey-latency.initiator", "ns", METRIC_SAMPLES, REKEYS("initiator_ready_ns")},
    {"rekey-latency.responder", "ns", METRIC_SAMPLES, REKEYS("responder_ready_ns")},
    {"cpu-off-path", "ns", METRIC_SAMPLES, REKEYS("cpu_off_path_ns")},
    {"phase2-setup", "ns", METRIC_SAMPLES,
     "SELECT run, latency_ns FROM negotiations WHERE case_name = ?1 AND reason IN ('initial', 'traffic')"
     " AND outcome = 'established' AND latency_ns IS NOT NULL"},
    {"phase1-setup", "ns", METRIC_SAMPLES,
     "SELECT run, latency_ns FROM phase1_negotiations WHERE case_name = ?1 AND outcome = 'established'"
     " AND latency_ns IS NOT NULL"},
    /* A rekey that failed interrupts its flow too, so this is of all rekeys. */
    {"blackout", "ns", METRIC_SAMPLES,
     "SELECT run, blackout_ns FROM rekeys WHERE case_name = ?1 AND blackout_ns IS NOT NULL"},
    {"packets-lost", "packets", METRIC_TOTAL, "SELECT sum(packets_lost) FROM rekeys WHERE case_name = ?1"},
    {"retransmissions", "packets", METRIC_TOTAL,
     "SELECT sum(retransmissions) FROM negotiations WHERE case_name = ?1"},
    {"established", "negotiations", METRIC_TOTAL,
     "SELECT count(*) FROM negotiations WHERE case_name = ?1 AND outcome = 'established'"},
    {"phase1-established", "negotiations", METRIC_TOTAL,
     "SELECT count(*) FROM phase1_negotiations WHERE case_name = ?1 AND outcome = 'established'"},
    /* All but the first between the same two gateways, whoever started it. */
    {"isakmp-rekeys", "negotiations", METRIC_TOTAL,
     "SELECT count(*) - count(DISTINCT run || ' ' || min(initiator, responder) || ' ' ||"
     " max(initiator, responder)) FROM phase1_negotiations WHERE case_name = ?1 AND outcome = 'established'"},
    {"sas-left-over", "SAs", METRIC_TOTAL, "SELECT sum(left_over) FROM sadbs WHERE case_name = ?1"},
    {"chosen-proposal", "text", METRIC_TEXTS,
     "SELECT coalesce(proposal, suite), count(*) FROM negotiations WHERE case_name = ?1 AND"
     " outcome = 'established' AND coalesce(proposal, suite) IS NOT NULL GROUP BY 1 ORDER BY min(id)"},
    {"failure-field", "text", METRIC_TEXTS,
     "SELECT failure_field, count(*) FROM (SELECT 1 AS phase, id, failure_field FROM phase1_negotiations"
     " WHERE case_name = ?1 AND outcome = 'failed' UNION ALL SELECT 2, id, failure_field FROM negotiations"
     " WHERE case_name = ?1 AND outcome = 'failed') WHERE failure_field IS NOT NULL"
     " GROUP BY 1 ORDER BY min(phase), min(id)"},
    {"time-to-first-packet", "ns", METRIC_SAMPLES,
     "SELECT run, first_delivery_ns FROM flows WHERE case_name = ?1 AND first_delivery_ns IS NOT NULL"},
    {"packets-sent", "packets", METRIC_TOTAL, FLOWS("sent")},
    {"packets-received", "packets", METRIC_TOTAL, FLOWS("received")},
    {"packets-delivered", "packets", METRIC_TOTAL, FLOWS("delivered")},
    {"false-positives", "packets", METRIC_TOTAL, FLOWS("false_positives")},
    {"lost-on-links", "packets", METRIC_TOTAL, FLOWS("lost_on_links")},
    {"lost-without-sa", "packets", METRIC_TOTAL, FLOWS("lost_without_sa")},
    {"lost-too-big", "packets", METRIC_TOTAL, FLOWS("lost_too_big")},
    {"lost-to-cpu", "packets", METRIC_TOTAL, FLOWS("lost_to_cpu")},
    {"lost-otherwise", "packets", METRIC_TOTAL, FLOWS("lost_otherwise")},
    {"unaccounted", "packets", METRIC_TOTAL, FLOWS("unaccounted")},
    {"packets-in-clear", "packets", METRIC_TOTAL, FLOWS("max(delivered - protected_packets, 0)")},
    {"icmp-too-big", "packets", METRIC_TOTAL, FLOWS("icmp_too_big")},
    /* Of each flow in each run: what a packet grew by, and how long it took. */
    {"overhead", "B", METRIC_SAMPLES,
     "SELECT run, CAST(protected_bytes AS REAL) / protected_packets - size_bytes FROM flows"
     " WHERE case_name = ?1 AND protected_packets > 0"},
    {"packet-delay", "ns", METRIC_SAMPLES,
     "SELECT run, mean_delay_ns FROM flows WHERE case_name = ?1 AND received > 0"},
    {"drops", "packets", METRIC_NAMED_TOTALS,
     "SELECT reason, sum(packets) FROM drops WHERE case_name = ?1 GROUP BY reason ORDER BY reason"},
    {"replayed-injected", "packets", METRIC_TOTAL, ATTACKS("injected", " AND kind = 'replay'")},
    {"replayed-rejected", "packets", METRIC_TOTAL, ATTACKS(REJECTED, " AND kind = 'replay'")},
    {"replayed-accepted", "packets", METRIC_TOTAL, ATTACKS("accepted", " AND kind = 'replay'")},
    {"forged-injected", "packets", METRIC_TOTAL, ATTACKS("injected", " AND kind = 'forge'")},
    {"forged-rejected", "packets", METRIC_TOTAL, ATTACKS(REJECTED, " AND kind = 'forge'")},
    {"forged-accepted", "packets", METRIC_TOTAL, ATTACKS("accepted", " AND kind = 'forge'")},
    {"flood-injected", "packets", METRIC_TOTAL, ATTACKS("injected", " AND kind = 'flood'")},
    {"flood-rejected", "packets", METRIC_TOTAL, ATTACKS(REJECTED, " AND kind = 'flood'")},
    {"flood-accepted", "packets", METRIC_TOTAL, ATTACKS("accepted", " AND kind = 'flood'")},
    {"ike-injected", "packets", METRIC_TOTAL, ATTACKS("ike", "")},
    {"injected-live", "packets", METRIC_TOTAL, ATTACKS("live", "")},
    {"injected-answered", "packets", METRIC_TOTAL, ATTACKS("answered", "")},
    {"injected-unfinished", "packets", METRIC_TOTAL, ATTACKS("unfinished", "")},
    {"injected-came-first", "packets", METRIC_TOTAL, ATTACKS("came_first", "")},
    {"injected-lost", "packets", METRIC_TOTAL, ATTACKS("injected - arrived", "")},
    {"injected-as", "packets", METRIC_NAMED_TOTALS,
     "WITH a AS (SELECT * FROM attacks WHERE case_name = ?1) SELECT 'replayed', sum(replayed) FROM a HAVING"
     " count(*) > 0 UNION ALL SELECT 'too-old', sum(too_old) FROM a HAVING count(*) > 0 UNION ALL"
     " SELECT 'icv-mismatch', sum(icv_mismatch) FROM a HAVING count(*) > 0 UNION ALL"
     " SELECT 'unknown-spi', sum(unknown_spi) FROM a HAVING count(*) > 0 UNION ALL"
     " SELECT 'other', sum(other) FROM a HAVING count(*) > 0"},
    {"compromised-packets", "packets", METRIC_TOTAL, COMPROMISES("packets")},
    {"compromised-packets-read", "packets", METRIC_TOTAL, COMPROMISES("packets_read")},
    {"compromised-negotiations", "negotiations", METRIC_TOTAL, COMPROMISES("quick_modes")},
    {"compromised-negotiations-read", "negotiations", METRIC_TOTAL, COMPROMISES("quick_modes_read")},
    {"cpu-utilisation", "ratio", METRIC_GATEWAY_SAMPLES,
     "SELECT gateway, cpus.run, CAST(busy_ns AS REAL) / (cores * duration_ns) FROM cpus JOIN runs"
     " USING (case_name, run) WHERE case_name = ?1 AND cores > 0 AND duration_ns > 0 ORDER BY cpus.id"},
};

enum { NUM_DEFINITIONS = sizeof definitions / sizeof definitions[0] };

struct reading {
    struct summary_case *of_case;
    const struct metric_definition *definition;
};

static struct summary_metric *find(const struct summary_case *of_case, const char *name)
{
    for (size_t i = 0; i < of_case->num_metrics; i++)
        if (strcmp(of_case->metrics[i].name, name) == 0)
            return &of_case->metrics[i];
    return NULL;
}

const struct summary_metric *summary_find(const struct summary_case *of_case, const char *metric)
{
    return find(of_case, metric);
}

static bool is_total(const struct metric_definition *definition)
{
    return definition->kind == METRIC_TOTAL || definition->kind == METRIC_NAMED_TOTALS;
}

/* The metric `name` or `name.suffix`, made if it is not there yet. NULL: out of memory. */
static struct summary_metric *obtain(const struct reading *reading, const char *suffix)
{
    struct summary_case *of_case = reading->of_case;
    char name[sizeof of_case->metrics->name];
    snprintf(name, sizeof name, "%s%s%s", reading->definition->name, *suffix ? "." : "", suffix);
    struct summary_metric *metric = find(of_case, name);
    if (metric)
        return metric;
    metric = realloc(of_case->metrics, (of_case->num_metrics + 1) * sizeof *metric);
    if (!metric)
        return NULL;
    of_case->metrics = metric;
    metric += of_case->num_metrics++;
    *metric = (struct summary_metric){.unit = reading->definition->unit};
    memcpy(metric->name, name, sizeof name);
    metric->is_total = is_total(reading->definition);
    return metric;
}

static int read_text(struct summary_case *of_case, const char *metric, const struct store_cell *cells)
{
    struct summary_text *texts = realloc(of_case->texts, (of_case->num_texts + 1) * sizeof *texts);
    if (!texts)
        return -2;
    of_case->texts = texts;
    struct summary_text *text = &texts[of_case->num_texts++];
    *text = (struct summary_text){.metric = metric, .count = (uint64_t)cells[1].integer};
    snprintf(text->text, sizeof text->text, "%s", cells[0].text);
    return 0;
}

static int read_row(void *context, const struct store_cell *cells, size_t num_cells)
{
    const struct reading *reading = context;
    enum metric_kind kind = reading->definition->kind;
    char suffix[64] = "";
    (void)num_cells;
    if (kind == METRIC_TEXTS)
        return read_text(reading->of_case, reading->definition->name, cells);
    if (kind == METRIC_NAMED_TOTALS)
        snprintf(suffix, sizeof suffix, "%s", cells[0].text);
    else if (kind == METRIC_GATEWAY_SAMPLES)
        snprintf(suffix, sizeof suffix, "%.*s", (int)strcspn(cells[0].text, "["), cells[0].text);
    struct summary_metric *metric = obtain(reading, suffix);
    if (!metric)
        return -2;
    if (metric->is_total) {
        /* The sum over no rows is NULL; the cell's integer is then 0. */
        metric->total = (uint64_t)cells[num_cells - 1].integer;
        return 0;
    }
    return statistics_add(&metric->samples, (uint64_t)cells[num_cells - 2].integer, cells[num_cells - 1].real)
               ? -2
               : 0;
}

int summary_read_metrics(struct summary_case *of_case, struct store *store, struct store_message *message)
{
    int status = 0;
    for (size_t i = 0; i < NUM_DEFINITIONS && status == 0; i++) {
        struct reading reading = {of_case, &definitions[i]};
        bool always_there = definitions[i].kind == METRIC_SAMPLES || definitions[i].kind == METRIC_TOTAL;
        if (always_there && !obtain(&reading, ""))
            status = -2;
        else
            status = store_query(store, definitions[i].sql, of_case->of->name, read_row, &reading, message);
    }
    for (size_t i = 0; i < of_case->num_metrics && status == 0; i++) {
        statistics_sort(&of_case->metrics[i].samples);
        if (statistics_summarise(&of_case->metrics[i].figures, &of_case->metrics[i].samples))
            status = -2;
    }
    if (status == -2)
        snprintf(message->text, sizeof message->text, "out of memory for the figures of case %s",
                 of_case->of->name);
    return status ? -1 : 0;
}

/* "rekey-latency" by itself, "drops.replayed" by what stands before its dot. */
static const struct metric_definition *find_definition(const char *name)
{
    for (size_t i = 0; i < NUM_DEFINITIONS; i++) {
        enum metric_kind kind = definitions[i].kind;
        bool named = kind == METRIC_NAMED_TOTALS || kind == METRIC_GATEWAY_SAMPLES;
        size_t len = strlen(definitions[i].name);
        if (strncmp(name, definitions[i].name, len) == 0 && name[len] == (named ? '.' : '\0'))
            return &definitions[i];
    }
    return NULL;
}

bool summary_metric_info(struct summary_metric_info *info, const char *name)
{
    *info = (struct summary_metric_info){"failures", true, false};
    if (strcmp(name, "failures") == 0 || strncmp(name, "failures.", 9) == 0)
        return true;
    const struct metric_definition *definition = find_definition(name);
    if (!definition)
        return false;
    info->unit = definition->unit;
    info->is_total = is_total(definition);
    info->is_text = definition->kind == METRIC_TEXTS;
    return true;
}

const char *summary_metric_name(size_t i, const char **suffix)
{
    static const char *const suffixes[] = {[METRIC_SAMPLES] = "",
                                           [METRIC_TOTAL] = "",
                                           [METRIC_NAMED_TOTALS] = ".REASON",
                                           [METRIC_TEXTS] = "",
                                           [METRIC_GATEWAY_SAMPLES] = ".GATEWAY"};
    if (i > NUM_DEFINITIONS)
        return NULL;
    *suffix = i == NUM_DEFINITIONS ? "" : suffixes[definitions[i].kind];
    return i == NUM_DEFINITIONS ? "failures" : definitions[i].name;
}
