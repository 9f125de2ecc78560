/* Where the packets of the flows ended, if that is not plain: one row a case, and no column of zeros. */
#include "figure_text.h"
#include "reason.h"
#include "text_layout.h"
#include "text_report.h"

#include <stdlib.h>
#include <string.h>

static const struct {
    const char *title;
    const char *metric;
    bool always;
    bool tells; /* worth a table of its own, and an answer */
    const char *what;
} counts[] = {
    {"sent", "packets-sent", true, false, ""},
    {"delivered", "packets-delivered", true, false, ""},
    {"clear", "packets-in-clear", false, false, ""}, /* of those delivered; told ahead of all else */
    {"window", "false-positives", false, true,
     "are dropped by the replay window though no copy of them ever came"},
    {"links", "lost-on-links", false, false, ""}, /* what a link loses anyway is not news */
    {"no SA", "lost-without-sa", false, true, "are lost for want of an SA"},
    {"too big", "lost-too-big", false, true, "are too big for the path and may not be fragmented"},
    {"CPU", "lost-to-cpu", false, true, "find no room in the queue of a CPU"},
    {"other", "lost-otherwise", false, true, "are dropped by gateways"},
    {"open", "unaccounted", false, true, "get lost between the gateways"},
    {"ICMP", "icmp-too-big", false, false, ""},
};

enum {
    NUM_COUNTS = sizeof counts / sizeof counts[0],
    COLUMN_CASE = 0,
    COLUMN_COUNTS,
    COLUMN_OVERHEAD = COLUMN_COUNTS + NUM_COUNTS,
    COLUMN_DELAY,
    NUM_COLUMNS
};

static bool any_total(const struct summary *summary, const char *metric)
{
    for (size_t i = 0; i < summary->num_cases; i++)
        if (summary_find(&summary->cases[i], metric)->total > 0)
            return true;
    return false;
}

/* Packets that are under way when the run ends are not lost; if none ever arrives, they are. */
static bool is_loss(const struct summary_case *of_case, size_t count)
{
    return counts[count].tells && (strcmp(counts[count].metric, "unaccounted") != 0 ||
                                   summary_find(of_case, "packets-delivered")->total == 0);
}

/* --- the answer --- */

/* " (no-policy 190", or ", runt 3" after others; nothing if there were none. */
static void write_reason(FILE *out, const struct summary_case *of_case, const char *reason, bool *any)
{
    char name[64];
    snprintf(name, sizeof name, "drops.%s", reason);
    const struct summary_metric *drops = summary_find(of_case, name);
    if (!drops || drops->total == 0)
        return;
    fprintf(out, "%s%s %llu", *any ? ", " : " (", reason, (unsigned long long)drops->total);
    *any = true;
}

/* " (no-policy 190)": what those were dropped for that have no column of their own. */
static void write_reasons(FILE *out, const struct summary_case *of_case, const char *metric)
{
    static const enum p2_drop others[] = {
        P2_DROP_NO_POLICY,     P2_DROP_UNKNOWN_SPI,       P2_DROP_RUNT,
        P2_DROP_SEQUENCE_ZERO, P2_DROP_SEQUENCE_OVERFLOW, P2_DROP_ICV_MISMATCH,
        P2_DROP_BAD_PADDING,   P2_DROP_SELECTOR_MISMATCH, P2_DROP_DUMMY};
    static const char *const in_nats[] = {"nat-no-ports", "nat-unsolicited", "nat-fragments",
                                          "nat-exhausted"};
    bool other = strcmp(metric, "lost-otherwise") == 0, open = strcmp(metric, "unaccounted") == 0,
         any = false;
    for (size_t i = 0; other && i < sizeof others / sizeof others[0]; i++)
        write_reason(out, of_case, p2_drop_name(others[i]), &any);
    for (size_t i = 0; open && i < sizeof in_nats / sizeof in_nats[0]; i++)
        write_reason(out, of_case, in_nats[i], &any);
    if (any)
        fputc(')', out);
}

/* Which loss was the greatest in which case. False: nothing was lost but on links. */
static bool find_worst(const struct summary *summary, size_t *in_case, size_t *count)
{
    uint64_t most = 0;
    for (size_t i = 0; i < summary->num_cases; i++) {
        for (size_t j = 0; j < NUM_COUNTS; j++) {
            uint64_t total = summary_find(&summary->cases[i], counts[j].metric)->total;
            if (!is_loss(&summary->cases[i], j) || total <= most)
                continue;
            most = total;
            *in_case = i;
            *count = j;
        }
    }
    return most > 0;
}

static void answer_loss(FILE *out, const struct summary *summary, size_t worst, size_t count)
{
    const struct summary_case *of_case = &summary->cases[worst];
    size_t spared = 0;
    for (size_t i = 0; i < summary->num_cases; i++)
        spared += summary_find(&summary->cases[i], counts[count].metric)->total == 0;
    text_report_with_case(out, summary, worst);
    fprintf(out, "%llu of %llu packets %s",
            (unsigned long long)summary_find(of_case, counts[count].metric)->total,
            (unsigned long long)summary_find(of_case, "packets-sent")->total, counts[count].what);
    write_reasons(out, of_case, counts[count].metric);
    if (summary->num_cases > 1)
        fprintf(out, "; no case has more, and %zu of the %zu %s none.", spared, summary->num_cases,
                spared == 1 ? "has" : "have");
    else
        fputc('.', out);
}

/* False: the cases do not differ. */
static bool answer_overhead(FILE *out, const struct summary *summary)
{
    size_t least = 0, most = 0;
    char labels[2][256];
    for (size_t i = 0; i < summary->num_cases; i++) {
        const struct statistics_summary *figures = &summary_find(&summary->cases[i], "overhead")->figures;
        if (figures->n == 0)
            return false;
        if (figures->mean < summary_find(&summary->cases[least], "overhead")->figures.mean)
            least = i;
        if (figures->mean > summary_find(&summary->cases[most], "overhead")->figures.mean)
            most = i;
    }
    double from = summary_find(&summary->cases[least], "overhead")->figures.mean,
           to = summary_find(&summary->cases[most], "overhead")->figures.mean;
    if (to - from < 0.05)
        return false;
    text_report_case_label(labels[0], sizeof labels[0], summary->cases[least].of);
    text_report_case_label(labels[1], sizeof labels[1], summary->cases[most].of);
    fprintf(out, "A packet grows by %.1f bytes with %s and by %.1f with %s.", from, labels[0], to, labels[1]);
    return true;
}

bool text_report_packets_answer(FILE *out, const struct summary *summary)
{
    size_t in_case = 0, count = 0;
    for (size_t i = 0; i < summary->num_cases; i++)
        if (summary->cases[i].failures.num > 0 || summary->cases[i].established == 0)
            return false;
    if (!any_total(summary, "packets-sent") ||
        strcmp(text_report_subject(summary).metric, "rekey-latency") == 0)
        return false;
    if (!find_worst(summary, &in_case, &count))
        return answer_overhead(out, summary);
    answer_loss(out, summary, in_case, count);
    return true;
}

/* --- the table --- */

/* Packets are the subject where nothing was rekeyed, or where some were lost otherwise than on links or went
 * in clear. */
static bool is_wanted(const struct summary *summary)
{
    size_t in_case, count;
    return any_total(summary, "packets-sent") &&
           (strcmp(text_report_subject(summary).metric, "rekey-latency") != 0 ||
            any_total(summary, "packets-in-clear") || find_worst(summary, &in_case, &count));
}

static void fill_mean(char cell[TEXT_CELL], const struct summary_case *of_case, const char *metric)
{
    const struct statistics_summary *figures = &summary_find(of_case, metric)->figures;
    if (figures->n == 0)
        snprintf(cell, TEXT_CELL, "-");
    else if (strcmp(metric, "overhead") == 0)
        snprintf(cell, TEXT_CELL, "%.1f", figures->mean);
    else
        figure_text_ns(cell, figures->mean);
}

static void fill_row(char (*row)[TEXT_CELL], const struct summary_case *of_case, size_t number)
{
    text_report_case_label(row[COLUMN_CASE], TEXT_CELL, of_case->of);
    if (text_width(row[COLUMN_CASE]) > TEXT_REPORT_LABEL)
        snprintf(row[COLUMN_CASE], TEXT_CELL, "[%zu]", number); /* as in the table above */
    for (size_t i = 0; i < NUM_COUNTS; i++)
        snprintf(row[COLUMN_COUNTS + i], TEXT_CELL, "%llu",
                 (unsigned long long)summary_find(of_case, counts[i].metric)->total);
    fill_mean(row[COLUMN_OVERHEAD], of_case, "overhead");
    fill_mean(row[COLUMN_DELAY], of_case, "packet-delay");
}

static unsigned shown_columns(const struct summary *summary)
{
    unsigned shown = 1U << COLUMN_CASE | 1U << COLUMN_OVERHEAD | 1U << COLUMN_DELAY;
    for (size_t i = 0; i < NUM_COUNTS; i++)
        if (counts[i].always || any_total(summary, counts[i].metric))
            shown |= 1U << (COLUMN_COUNTS + i);
    return shown;
}

static void name_columns(struct text_column columns[NUM_COLUMNS])
{
    columns[COLUMN_CASE] = (struct text_column){"packets", "", true};
    for (size_t i = 0; i < NUM_COUNTS; i++)
        columns[COLUMN_COUNTS + i] = (struct text_column){counts[i].title, "  ", false};
    columns[COLUMN_OVERHEAD] = (struct text_column){"overhead", "  ", false};
    columns[COLUMN_DELAY] = (struct text_column){"delay", "  ", false};
}

int text_report_packets(FILE *out, const struct summary *summary, bool colour)
{
    struct text_column columns[NUM_COLUMNS];
    if (!is_wanted(summary))
        return 0;
    char(*cells)[TEXT_CELL] = calloc(summary->num_cases * NUM_COLUMNS, sizeof *cells);
    if (!cells)
        return -1;
    for (size_t i = 0; i < summary->num_cases; i++)
        fill_row(cells + i * NUM_COLUMNS, &summary->cases[i], i + 1);
    name_columns(columns);
    struct text_table table = {columns, NUM_COLUMNS, cells, summary->num_cases};
    fputc('\n', out);
    text_table_write(out, &table, shown_columns(summary), colour);
    fputc('\n', out);
    text_wrap(
        out,
        "Packets of all flows and replications, each under one end. clear: of those delivered, the ones "
        "that no tunnel protected. window: good ones that a replay window dropped (false positives). links: "
        "lost there or in their queues. open: under way at the end, or "
        "lost unseen. ICMP: answers that packets are too big. overhead: bytes that a packet grew by, outer "
        "header included (not those of its IP fragments); delay: of those delivered; both as means over "
        "flows.",
        TEXT_REPORT_WIDTH, 0, 0);
    free(cells);
    return 0;
}
