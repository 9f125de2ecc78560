/* Which runs a result does not have, in words. */
#ifndef P2_MISSING_H
#define P2_MISSING_H

#include <stdbool.h>

#include "workers.h"

/* "PFS=none run 2; PFS=group14 runs 1 to 7, 9", in at most `size` bytes with "..." where more would follow.
 * The jobs are in the order of cases and runs. */
void missing_text(char *text, size_t size, const struct workers_job *jobs, const bool *stored,
                  size_t num_jobs);

#endif
