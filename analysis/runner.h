/* All runs of a scenario into a result directory: what `run` and `resume` share. */
#ifndef P2_RUNNER_H
#define P2_RUNNER_H

#include "command.h"

struct runner_options {
    const char *path;     /* of the result directory */
    size_t parallel;      /* runs at once; 0: one a CPU that is online */
    uint64_t patience_s;  /* see struct workers_options; 0: the default */
    bool captures, debug; /* what is written beside the records */
    const char **kept;    /* directories with finished runs of the same scenario: these are not done again */
    size_t num_kept;
};

/* Messages go to stderr, the report to stdout. Runs that were finished are never lost: where they cannot be
 * put in place, the message says where they are, and which command completes them. */
enum command_exit runner_run(const struct scenario_set *set, const struct runner_options *options);

/* What a person types to have the missing runs of a result directory done, quoted for a shell if need be. */
void runner_resume_command(char *text, size_t size, const char *path);
#define RUNNER_COMMAND 5000 /* enough for its text, if hardly anything in a path needs quotes */

#endif
