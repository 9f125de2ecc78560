#include "missing.h"

#include <stdio.h>
#include <string.h>

struct text {
    char *bytes;
    size_t size, len;
    bool full;
};

/* A piece goes in as a whole, with room left for an ellipsis, or not at all. */
static void put(struct text *text, const char *piece)
{
    size_t len = strlen(piece);
    if (text->full)
        return;
    text->full = text->len + len + sizeof " ..." > text->size;
    snprintf(text->bytes + text->len, text->size - text->len, "%s", text->full ? " ..." : piece);
    text->len += text->full ? 0 : len;
}

/* The end of the stretch of missing runs that starts at i, within one case. */
static size_t end_of_stretch(size_t i, const struct workers_job *jobs, const bool *stored, size_t num_jobs)
{
    size_t end = i;
    while (end < num_jobs && !stored[end] && strcmp(jobs[end].case_name, jobs[i].case_name) == 0)
        end++;
    return end;
}

void missing_text(char *text, size_t size, const struct workers_job *jobs, const bool *stored,
                  size_t num_jobs)
{
    struct text out = {text, size, 0, false};
    const char *case_name = "";
    char piece[RECORD_TEXT + 64];
    text[0] = '\0';
    for (size_t i = 0; i < num_jobs; i++) {
        if (stored[i])
            continue;
        size_t end = end_of_stretch(i, jobs, stored, num_jobs);
        bool same_case = strcmp(case_name, jobs[i].case_name) == 0;
        int len = same_case ? snprintf(piece, sizeof piece, ", ")
                            : snprintf(piece, sizeof piece, "%scase %s, run ", *case_name ? "; " : "",
                                       jobs[i].case_name);
        unsigned long long first = jobs[i].run, last = jobs[end - 1].run;
        snprintf(piece + len, sizeof piece - (size_t)len, first == last ? "%llu" : "%llu to %llu", first,
                 last);
        put(&out, piece);
        case_name = jobs[i].case_name;
        i = end - 1;
    }
}
