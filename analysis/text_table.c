/* The report's table: one row a case. */
#include "figure_text.h"
#include "text_layout.h"
#include "text_report.h"

#include <stdlib.h>
#include <string.h>

enum {
    COLUMN_CASE,
    COLUMN_N,
    COLUMN_MEDIAN,
    COLUMN_INTERVAL,
    COLUMN_P95,
    COLUMN_P99,
    COLUMN_MEAN,
    COLUMN_NETWORK,
    COLUMN_CPU,
    COLUMN_CPU_WAIT,
    COLUMN_RESEND_WAIT,
    COLUMN_BLACKOUT,
    COLUMN_LOST,
    NUM_COLUMNS
};

static const unsigned all_columns = (1U << NUM_COLUMNS) - 1;
static const unsigned split_columns = 1U << COLUMN_MEAN | 1U << COLUMN_NETWORK | 1U << COLUMN_CPU |
                                      1U << COLUMN_CPU_WAIT | 1U << COLUMN_RESEND_WAIT;

static const struct text_column columns[NUM_COLUMNS] = {
    [COLUMN_CASE] = {"case", "", true},
    [COLUMN_N] = {"n", "  ", false},
    [COLUMN_MEDIAN] = {"median", "  ", false},
    [COLUMN_INTERVAL] = {"95 % int.", "  ", false},
    [COLUMN_P95] = {"p95", "  ", false},
    [COLUMN_P99] = {"p99", "  ", false},
    [COLUMN_MEAN] = {"mean", "  ", false},
    [COLUMN_NETWORK] = {"network", " = ", false},
    [COLUMN_CPU] = {"CPU", " + ", false},
    [COLUMN_CPU_WAIT] = {"wait", " + ", false},
    [COLUMN_RESEND_WAIT] = {"resend", " + ", false},
    [COLUMN_BLACKOUT] = {"gap p95", "  ", false},
    [COLUMN_LOST] = {"lost", "  ", false},
};

struct text_subject text_report_subject(const struct summary *summary)
{
    for (size_t i = 0; i < summary->num_cases; i++)
        if (summary_find(&summary->cases[i], "rekey-latency")->figures.n > 0)
            return (struct text_subject){"rekey-latency", "rekey", "rekeys"};
    return (struct text_subject){"phase2-setup", "Phase 2 setup", "Phase 2 setups"};
}

void text_report_case_label(char *label, size_t size, const struct scenario_case *of)
{
    size_t len = 0;
    snprintf(label, size, "%s", of->num_settings ? "" : of->name);
    for (size_t i = 0; i < of->num_settings && len < size; i++)
        len += (size_t)snprintf(label + len, size - len, "%s%s", i ? " / " : "", of->settings[i].value);
}

void text_report_with_case(FILE *out, const struct summary *summary, size_t in_case)
{
    char label[256];
    if (summary->num_cases == 1)
        return;
    text_report_case_label(label, sizeof label, summary->cases[in_case].of);
    fprintf(out, "With %s, ", label);
}

/* One scale for all times of the table. */
static struct figure_scale scale_for(const struct summary *summary, const char *metric)
{
    double smallest = 0, largest = 0;
    for (size_t i = 0; i < summary->num_cases; i++) {
        const struct statistics_summary *figures = &summary_find(&summary->cases[i], metric)->figures;
        if (figures->n > 0 && (smallest <= 0 || figures->median < smallest))
            smallest = figures->median;
        if (figures->n > 0 && figures->p99 > largest)
            largest = figures->p99;
    }
    return figure_scale_for(smallest, largest);
}

static void fill_interval(char cell[TEXT_CELL], const struct statistics_interval *interval,
                          const struct figure_scale *scale)
{
    char low[FIGURE_TEXT], high[FIGURE_TEXT];
    if (!interval->known)
        return;
    figure_text_scaled(low, interval->low, scale);
    figure_text_scaled(high, interval->high, scale);
    snprintf(cell, TEXT_CELL, "%.28s–%.28s", low, high);
}

static void fill_row(char (*cells)[TEXT_CELL], const struct summary_case *of_case, const char *metric,
                     const struct figure_scale *scale)
{
    const struct statistics_summary *figures = &summary_find(of_case, metric)->figures;
    const struct statistics_summary *blackout = &summary_find(of_case, "blackout")->figures;
    const struct {
        int column;
        double ns;
    } times[] = {{COLUMN_MEDIAN, figures->median},
                 {COLUMN_P95, figures->p95},
                 {COLUMN_P99, figures->p99},
                 {COLUMN_MEAN, figures->mean}};
    static const struct {
        int column;
        const char *metric;
    } parts[] = {{COLUMN_NETWORK, "rekey-latency.network"},
                 {COLUMN_CPU, "rekey-latency.cpu"},
                 {COLUMN_CPU_WAIT, "rekey-latency.cpu-wait"},
                 {COLUMN_RESEND_WAIT, "rekey-latency.retransmission-wait"}};
    for (size_t i = 0; i < NUM_COLUMNS; i++)
        snprintf(cells[i], TEXT_CELL, "-");
    snprintf(cells[COLUMN_N], TEXT_CELL, "%zu", figures->n);
    for (size_t i = 0; figures->n > 0 && i < sizeof times / sizeof times[0]; i++)
        figure_text_scaled(cells[times[i].column], times[i].ns, scale);
    fill_interval(cells[COLUMN_INTERVAL], &figures->median_ci95, scale);
    for (size_t i = 0; i < sizeof parts / sizeof parts[0]; i++) {
        const struct statistics_summary *part = &summary_find(of_case, parts[i].metric)->figures;
        if (part->n > 0)
            figure_text_scaled(cells[parts[i].column], part->mean, scale);
    }
    if (blackout->n > 0)
        figure_text_scaled(cells[COLUMN_BLACKOUT], blackout->p95, scale);
    snprintf(cells[COLUMN_LOST], TEXT_CELL, "%llu",
             (unsigned long long)summary_find(of_case, "packets-lost")->total);
}

/* "PFS, loss": what the labels below it are values of. */
static void fill_heading(char heading[TEXT_CELL], const struct scenario_case *of)
{
    size_t len = 0;
    snprintf(heading, TEXT_CELL, "case");
    for (size_t i = 0; i < of->num_settings && len < TEXT_REPORT_LABEL; i++)
        len += (size_t)snprintf(heading + len, TEXT_CELL - len, "%s%s", i ? ", " : "", of->settings[i].axis);
    if (len > TEXT_REPORT_LABEL)
        snprintf(heading, TEXT_CELL, "case");
}

static void write_notes(FILE *out, const struct summary *summary, const struct text_subject *subject,
                        const struct figure_scale *scale, unsigned shown)
{
    char text[1024];
    size_t replications = 0;
    for (size_t i = 0; i < summary->num_cases; i++) {
        size_t own = summary_find(&summary->cases[i], subject->metric)->figures.replications;
        replications = own > replications ? own : replications;
    }
    int len =
        snprintf(text, sizeof text, "Times in %s. n: %s established. 95 %% int.: of the median, %s.",
                 scale->name, subject->nouns,
                 replications > 1 ? "Student's t over replications"
                                  : "order statistics of one replication, too narrow if its rekeys depend "
                                    "on each other");
    if (shown & split_columns & ~(1U << COLUMN_MEAN))
        len +=
            snprintf(text + len, sizeof text - (size_t)len,
                     " mean = network + CPU + wait (for the CPU) + resend (waiting to retransmit), as means, "
                     "since medians do not add up.");
    if (shown & 1U << COLUMN_BLACKOUT)
        snprintf(text + len, sizeof text - (size_t)len,
                 " gap p95: blackout, the longest time without a delivery around a rekey, 95th percentile. "
                 "lost: packets lost to rekeys, all replications together.");
    text_wrap(out, text, TEXT_REPORT_WIDTH, 0, 0);
}

static void write_fitting(FILE *out, const struct text_table *table, unsigned shown, bool colour)
{
    if (text_table_width(table, shown) <= TEXT_REPORT_WIDTH) {
        text_table_write(out, table, shown, colour);
        return;
    }
    text_table_write(out, table, shown & ~split_columns, colour);
    if (!(shown & split_columns))
        return;
    fputc('\n', out);
    text_table_write(out, table, (shown & split_columns) | 1U << COLUMN_CASE, colour);
}

/* A label too long for its column stands above the table, and its number in the table. */
static void fill_rows(FILE *out, char (*cells)[TEXT_CELL], const struct summary *summary, const char *metric,
                      const struct figure_scale *scale)
{
    char label[512];
    for (size_t i = 0; i < summary->num_cases; i++) {
        char(*row)[TEXT_CELL] = cells + i * NUM_COLUMNS;
        fill_row(row, &summary->cases[i], metric, scale);
        text_report_case_label(row[COLUMN_CASE], TEXT_CELL, summary->cases[i].of);
        if (text_width(row[COLUMN_CASE]) <= TEXT_REPORT_LABEL)
            continue;
        text_report_case_label(label, sizeof label, summary->cases[i].of);
        fprintf(out, "[%zu] %s\n", i + 1, label);
        snprintf(row[COLUMN_CASE], TEXT_CELL, "[%zu]", i + 1);
    }
}

static bool has_figures(const struct summary *summary, const char *metric)
{
    for (size_t i = 0; i < summary->num_cases; i++)
        if (summary_find(&summary->cases[i], metric)->figures.n > 0)
            return true;
    return false;
}

/* First negotiations have no parts, and nothing that they interrupt. */
static unsigned shown_columns(const struct summary *summary)
{
    unsigned shown = all_columns;
    if (has_figures(summary, "rekey-latency"))
        return shown;
    shown &= ~(split_columns & ~(1U << COLUMN_MEAN));
    if (!has_figures(summary, "blackout"))
        shown &= ~(1U << COLUMN_BLACKOUT | 1U << COLUMN_LOST);
    return shown;
}

int text_report_table(FILE *out, const struct summary *summary, bool colour)
{
    struct text_subject subject = text_report_subject(summary);
    struct figure_scale scale = scale_for(summary, subject.metric);
    struct text_column own_columns[NUM_COLUMNS];
    char heading[TEXT_CELL];
    if (!has_figures(summary, subject.metric))
        return 0;
    char(*cells)[TEXT_CELL] = calloc(summary->num_cases * NUM_COLUMNS, sizeof *cells);
    if (!cells)
        return -1;
    memcpy(own_columns, columns, sizeof columns);
    fill_heading(heading, summary->cases[0].of);
    own_columns[COLUMN_CASE].title = heading;
    fputc('\n', out);
    fill_rows(out, cells, summary, subject.metric, &scale);
    struct text_table table = {own_columns, NUM_COLUMNS, cells, summary->num_cases};
    unsigned shown = shown_columns(summary);
    write_fitting(out, &table, shown, colour);
    fputc('\n', out);
    write_notes(out, summary, &subject, &scale, shown);
    free(cells);
    return 0;
}
