/* Which runs there are to do, with the files that each writes beside its records. */
#ifndef P2_PLAN_H
#define P2_PLAN_H

#include "result_dir.h"
#include "runner.h"
#include "store_copy.h"
#include "workers.h"

struct plan {
    struct workers_job *jobs; /* case by case, run by run; it borrows the scenario's texts */
    size_t num_jobs;
    int *sources; /* by job: the attached store that it is kept from */
    bool *stored; /* by job: its records are in the store; for the runner to say */
};

/* Makes the directories that the runs need. Runs that a directory of options->kept has are kept, with their
 * captures; if they are not all there they are done again. 0, or -1 with a message. */
int plan_make(struct plan *plan, const struct scenario_set *set, const struct runner_options *options,
              const struct result_dir *dir, struct store *store, struct store_message *message);
/* Removes what a run had begun to capture and to log: unfinished, it would only mislead. */
void plan_drop_files(const struct workers_job *job);
void plan_cleanup(struct plan *plan);

#endif
