/* Signs of life: a byte now and then on a pipe to whoever waits for this run, as long as it gets on. They
 * follow the machine's clock and reach no result. */
#ifndef P2_ALIVE_H
#define P2_ALIVE_H

#include <stdint.h>

#define ALIVE_PERIOD_MS 200

struct alive {
    int fd; /* -1: nobody waits */
    int64_t progress;
    int64_t told_ms;
};

/* What is done so far, in any measure: simulated time, parts built. A run that stays at the same figure gives
 * no sign. */
void alive_note(struct alive *alive, int64_t progress);

#endif
