/* Who agreed on what: a line a case, for scenarios whose cases differ in that. */
#include "text_layout.h"
#include "text_report.h"

#include <stdlib.h>
#include <string.h>

/* The texts of one metric of a case, in the order in which they were first seen. */
static void join(char cell[TEXT_CELL], const struct summary_case *of_case, const char *metric)
{
    size_t len = strlen(cell);
    for (size_t i = 0; i < of_case->num_texts && len < TEXT_CELL; i++) {
        if (strcmp(of_case->texts[i].metric, metric) != 0)
            continue;
        const char *text = of_case->texts[i].text;
        size_t room = TEXT_CELL - len;
        int written = snprintf(cell + len, room, "%s%.60s", len ? ", " : "", text);
        len += written > 0 ? (size_t)written : 0;
    }
}

static bool same_texts(const struct summary_case *a, const struct summary_case *b)
{
    char of_a[TEXT_CELL] = "", of_b[TEXT_CELL] = "";
    join(of_a, a, "chosen-proposal");
    join(of_b, b, "chosen-proposal");
    join(of_a, a, "failure-field");
    join(of_b, b, "failure-field");
    return strcmp(of_a, of_b) == 0;
}

static bool cases_disagree(const struct summary *summary)
{
    for (size_t i = 1; i < summary->num_cases; i++) {
        if (!same_texts(&summary->cases[0], &summary->cases[i]))
            return true;
    }
    return false;
}

int text_report_agreement(FILE *out, const struct summary *summary, bool colour)
{
    static const struct text_column columns[] = {{"case", "", true},
                                                 {"established", "  ", false},
                                                 {"failed", "  ", false},
                                                 {"agreed on", "  ", true},
                                                 {"refused for", "  ", true}};
    if (!cases_disagree(summary))
        return 0;
    char(*cells)[TEXT_CELL] = calloc(summary->num_cases, 5 * sizeof(*cells));
    if (!cells)
        return -1;
    for (size_t i = 0; i < summary->num_cases; i++) {
        const struct summary_case *of_case = &summary->cases[i];
        uint64_t failed =
            summary_count_failures(&of_case->failures, NULL); /* of both phases, as the fields */
        char(*row)[TEXT_CELL] = cells + 5 * i;
        text_report_case_label(row[0], TEXT_CELL, of_case->of);
        snprintf(row[1], TEXT_CELL, "%llu", (unsigned long long)of_case->established);
        snprintf(row[2], TEXT_CELL, "%llu", (unsigned long long)failed);
        join(row[3], of_case, "chosen-proposal");
        join(row[4], of_case, "failure-field");
        for (size_t c = 3; c < 5; c++) {
            if (!row[c][0])
                snprintf(row[c], TEXT_CELL, "-");
        }
    }
    struct text_table table = {columns, 5, cells, summary->num_cases};
    fputc('\n', out);
    text_styled(out, colour, TEXT_BOLD, "Who agreed on what");
    fputc('\n', out);
    text_table_write(out, &table, 31, colour);
    free(cells);
    return 0;
}
