/* One line on a terminal that says how much is done and how long the rest may take. */
#ifndef P2_PROGRESS_H
#define P2_PROGRESS_H

#include <stdio.h>
#include <time.h>

struct progress {
    FILE *terminal; /* NULL: show nothing */
    size_t total;
    struct timespec started;
    char shown[80]; /* what stands there now; empty: nothing */
};

void progress_start(struct progress *progress, FILE *terminal, size_t total);
void progress_show(struct progress *progress, size_t done);
/* Takes the line away, so that others can write there. */
void progress_clear(struct progress *progress);
/* "12 of 40 runs, about 3 min left" */
void progress_format(char *text, size_t text_size, size_t done, size_t total, double elapsed_s);

#endif
