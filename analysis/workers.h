/* Runs of cases spread over worker processes; their results come back in the order of the jobs, whichever
 * ends first. */
#ifndef P2_WORKERS_H
#define P2_WORKERS_H

#include "stream.h"

struct workers_job {
    const char *case_name;
    uint64_t run;
    const char *xml; /* the scenario of this case */
    size_t xml_len;
    const char *captures; /* a directory, or NULL: no captures */
    const char *debug;    /* a file for a line a rejected packet, or NULL */
    bool kept;            /* done earlier: not run, only delivered in its turn */
};

struct workers_options {
    const char *program; /* path of phase2sim-worker */
    uint64_t seed;
    size_t parallel;      /* how many at once, at least 1 */
    uint64_t patience_ms; /* a worker that shows no progress for so long is ended; 0: never */
    FILE *progress;       /* a terminal to show the progress on, or NULL */
};

/* What became of one job. */
struct workers_outcome {
    const struct workers_job *job;
    const struct stream *stream; /* NULL: failed, or the job was done earlier */
    const char *how;             /* how it failed, in one line; "" if it did not */
    const char *last_words;      /* the end of what it wrote on stderr; "" if nothing */
};

/* Called once a job that ended, in the order of the jobs. Another value than 0 ends the whole. */
typedef int workers_deliver(void *context, const struct workers_outcome *outcome);

struct workers_tally {
    size_t finished;
    size_t failed;
    bool interrupted; /* the rest was not run, or not to its end */
};

/* interrupt_install must have been called. Returns 0, also if runs failed; what deliver returned; or -1: out
 * of memory. After a signal the workers are ended and the finished jobs, and those done earlier, delivered.
 */
int workers_run(const struct workers_job *jobs, size_t num_jobs, const struct workers_options *options,
                workers_deliver *deliver, void *context, struct workers_tally *tally);

#endif
