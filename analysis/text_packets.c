/* Where the packets of the flows ended, if that is not plain: one row a case, and no column of zeros. */
#include "figure_text.h"
#include "text_report.h"

#include "text_layout.h"

#include <stdlib.h>
#include <string.h>

static const struct {
    const char *title;
    const char *metric;
    bool always;
    bool tells; /* worth a table of its own */
} counts[] = {
    {"sent", "packets-sent", true, false},
    {"delivered", "packets-delivered", true, false},
    {"window", "window-false-positives", false, true},
    {"links", "lost-on-links", false, false}, /* what a link loses anyway is not news */
    {"no SA", "lost-without-sa", false, true},
    {"too big", "lost-too-big", false, true},
    {"CPU", "lost-to-cpu", false, true},
    {"other", "lost-otherwise", false, true},
    {"open", "unaccounted", false, false},
    {"ICMP", "icmp-too-big", false, false},
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

/* Packets are the subject where nothing was rekeyed, or where some were lost otherwise than on links. */
static bool is_wanted(const struct summary *summary)
{
    bool wanted = strcmp(text_report_subject(summary).metric, "rekey-latency") != 0;
    for (size_t i = 0; i < NUM_COUNTS; i++)
        wanted = wanted || (counts[i].tells && any_total(summary, counts[i].metric));
    return wanted && any_total(summary, "packets-sent");
}

static void fill_mean(char cell[TEXT_CELL], const struct summary_case *of_case, const char *metric)
{
    const struct statistics_summary *figures = &summary_find(of_case, metric)->figures;
    char text[FIGURE_TEXT];
    snprintf(cell, TEXT_CELL, "-");
    if (figures->n == 0)
        return;
    if (strcmp(metric, "overhead") == 0)
        snprintf(text, sizeof text, "%.1f", figures->mean);
    else
        figure_text_ns(text, figures->mean);
    snprintf(cell, TEXT_CELL, "%s", text);
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

void text_report_packets(FILE *out, const struct summary *summary, bool colour)
{
    struct text_column columns[NUM_COLUMNS];
    if (!is_wanted(summary))
        return;
    char(*cells)[TEXT_CELL] = calloc(summary->num_cases * NUM_COLUMNS, sizeof *cells);
    if (!cells) {
        fputs("(out of memory for the table of packets)\n", out);
        return;
    }
    for (size_t i = 0; i < summary->num_cases; i++)
        fill_row(cells + i * NUM_COLUMNS, &summary->cases[i], i + 1);
    name_columns(columns);
    struct text_table table = {columns, NUM_COLUMNS, cells, summary->num_cases};
    fputc('\n', out);
    text_table_write(out, &table, shown_columns(summary), colour);
    fputc('\n', out);
    text_wrap(
        out,
        "Packets of all flows and replications, each under one end. window: good ones that a replay window "
        "dropped (false positives). links: lost there or in their queues. open: under way at the end, or "
        "lost unseen. ICMP: answers that packets are too big. overhead: bytes that a packet grew by, outer "
        "header included (not those of its IP fragments); delay: of those delivered; both as means over "
        "flows.",
        TEXT_REPORT_WIDTH, 0, 0);
    free(cells);
}
