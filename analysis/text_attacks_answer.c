/* The answer where there are attackers: how many of their packets got in, and how many they could read. */
#include "text_report.h"

#include <inttypes.h>

/* What attackers wanted and what they got, of one case. */
struct success {
    uint64_t tried, got;
    uint64_t first; /* of those: copies that took the place of their originals, so that nothing came twice */
};

static struct success injected_in(const struct summary_case *of_case)
{
    struct success success = {0};
    for (size_t i = 0; i < of_case->num_attacks; i++) {
        success.tried += of_case->attacks[i].injected;
        success.got += of_case->attacks[i].accepted;
        success.first += of_case->attacks[i].came_first;
    }
    return success;
}

static struct success read_in(const struct summary_case *of_case)
{
    struct success success = {0};
    for (size_t i = 0; i < of_case->num_compromises; i++) {
        success.tried += of_case->compromises[i].packets;
        success.got += of_case->compromises[i].packets_read;
    }
    return success;
}

static const struct aim {
    struct success (*in)(const struct summary_case *of_case);
    const char *what; /* "of 3 ", what, ", 1 was accepted" */
    const char *one, *many;
} aims[] = {
    {injected_in, "packets that attackers injected", "was accepted", "were accepted"},
    {read_in, "ESP packets that attackers recorded", "could be read", "could be read"},
};

/* Of all cases together, none; or of the case where most succeeded, so many. False: nobody tried. */
static bool answer(FILE *out, const struct summary *summary, const struct aim *aim, const char *before)
{
    struct success all = {0}, best = {0};
    size_t best_case = 0, spared = 0, attacked = 0;
    for (size_t i = 0; i < summary->num_cases; i++) {
        struct success success = aim->in(&summary->cases[i]);
        attacked += success.tried > 0;
        spared += success.tried > 0 && success.got == 0;
        all.tried += success.tried;
        all.got += success.got;
        if (success.got > best.got) {
            best = success;
            best_case = i;
        }
    }
    if (all.tried == 0)
        return false;
    fputs(before, out);
    if (all.got == 0) {
        fprintf(out, "Of %" PRIu64 " %s%s, none %s.", all.tried, aim->what,
                attacked > 1 ? " in all cases together" : "", aim->one);
        return true;
    }
    text_report_with_case(out, summary, best_case);
    fprintf(out, "%s %" PRIu64 " %s, %" PRIu64 " %s", summary->num_cases > 1 ? "of" : "Of", best.tried,
            aim->what, best.got, best.got == 1 ? aim->one : aim->many);
    if (best.first > 0)
        fprintf(out, ", %" PRIu64 " of them before their originals came, or in place of lost ones",
                best.first);
    if (spared > 0)
        fprintf(out, "; in %zu of %zu cases, none", spared, attacked);
    else if (attacked > 1)
        fprintf(out, "; no case has more, and all have some");
    fputc('.', out);
    return true;
}

bool text_report_attacks_answer(FILE *out, const struct summary *summary)
{
    bool answered = false;
    for (size_t i = 0; i < sizeof aims / sizeof aims[0]; i++)
        answered = answer(out, summary, &aims[i], answered ? " " : "") || answered;
    return answered;
}
