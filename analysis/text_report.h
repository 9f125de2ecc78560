/* The report for a terminal and for report.txt: at most 110 columns wide, UTF-8. */
#ifndef P2_TEXT_REPORT_H
#define P2_TEXT_REPORT_H

#include "summary.h"

#define TEXT_REPORT_WIDTH 110
#define TEXT_REPORT_LABEL 28 /* a case's label that is longer gets a line of its own */

/* 0, or -1 with errno: out of memory, and `out` has not all of it. So do its parts below that return int. */
int text_report_write(FILE *out, const struct scenario_set *set, const struct summary *summary, bool colour);

/* What the figures are of: rekeys if there were any, else the first negotiations of the tunnels. */
struct text_subject {
    const char *metric; /* "rekey-latency", "phase2-setup" */
    const char *noun;   /* "rekey", "Phase 2 setup" */
    const char *nouns;
};

struct text_subject text_report_subject(const struct summary *summary);

/* A case as the report calls it: "group14" if one axis alone makes the difference, else "group14, 1%". */
void text_report_case_label(char *label, size_t size, const struct scenario_case *of);
/* "With group14, " before what is said of one case; nothing if there is only one. */
void text_report_with_case(FILE *out, const struct summary *summary, size_t in_case);

/* Parts of text_report_write, in files of their own. */

/* What comes before the answer if it must be known first: some tunnels did not come up, packets went in
 * clear. Nothing, or sentences with a blank behind each. */
void text_report_trouble(FILE *out, const struct summary *summary);
/* The scenario's question answered from the figures in one sentence, without a line break at its end. */
void text_report_answer(FILE *out, const struct summary *summary);
/* Which CPU each gateway was given, and that a scaled profile is a model. */
int text_report_cpus(FILE *out, const struct scenario_set *set);
/* Cases differ by more than chance in what text_report_answer is about, or negotiations failed, or packets of
 * the flows were dropped where nobody should drop them: there is more to tell than of the attackers. */
bool text_report_cases_differ(const struct summary *summary);
/* How much attackers got in, and could read. False, nothing written: there were none. */
bool text_report_attacks_answer(FILE *out, const struct summary *summary);
/* What attackers injected and read, if there were any. */
int text_report_attacks(FILE *out, const struct summary *summary, bool colour);
/* One row a case. */
int text_report_table(FILE *out, const struct summary *summary, bool colour);
/* A row a case with the proposals that were chosen and the fields that were refused, if cases differ in them;
 * else nothing. */
int text_report_agreement(FILE *out, const struct summary *summary, bool colour);
/* The answer, if packets are what there is to tell of: nothing was rekeyed and nothing failed. False,
 * nothing written: they are not. */
bool text_report_packets_answer(FILE *out, const struct summary *summary);
/* Where packets ended, a row a case; nothing if all that is to be said is what links lose. */
int text_report_packets(FILE *out, const struct summary *summary, bool colour);

#endif
