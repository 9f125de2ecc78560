/* What an engineer must know before any figure: tunnels that did not come up beside others that did, and
 * packets that went in clear. */
#include "text_report.h"

/* Several cases have a table of who agreed, and their own sentence. */
static void write_tunnels(FILE *out, const struct summary_case *of_case)
{
    uint64_t failed = summary_count_failures(&of_case->failures, NULL);
    if (of_case->established == 0)
        return;
    if (of_case->tunnels_down > 0)
        fprintf(out, "%llu tunnel%s came up, %llu did not: %s. ", (unsigned long long)of_case->tunnels_up,
                of_case->tunnels_up == 1 ? "" : "s", (unsigned long long)of_case->tunnels_down,
                of_case->down);
    else if (failed > 0)
        fprintf(out, "%s came up, but %llu negotiation%s failed. ",
                of_case->tunnels_up == 1 ? "The tunnel" : "Every tunnel", (unsigned long long)failed,
                failed == 1 ? "" : "s");
}

static void write_clear(FILE *out, const struct summary *summary)
{
    uint64_t most = 0;
    size_t worst = 0;
    for (size_t i = 0; i < summary->num_cases; i++) {
        uint64_t clear = summary_find(&summary->cases[i], "packets-in-clear")->total;
        if (clear > most) {
            most = clear;
            worst = i;
        }
    }
    if (most == 0)
        return;
    text_report_with_case(out, summary, worst);
    fprintf(out, "%llu of %llu packets went in clear, since no tunnel took them. ", (unsigned long long)most,
            (unsigned long long)summary_find(&summary->cases[worst], "packets-sent")->total);
}

void text_report_trouble(FILE *out, const struct summary *summary)
{
    if (summary->num_cases == 1)
        write_tunnels(out, &summary->cases[0]);
    write_clear(out, summary);
}
