/* Measures what each operation of work.h costs on this machine and writes it as a CPU profile.
 *
 * HMAC is measured with its key states ready and ciphers with their schedules expanded, as they are used on
 * packets. Operations with a length get a straight line through the prices at several lengths. The
 * price is the lower decile of the repetitions; its spread is the distance from their 5th to their 15th
 * percentile, or that between the prices of the first and the second half of the repetitions, whichever is
 * larger, relative to the price. Where that is more than CALIBRATE_MAX_SPREAD nothing is written: such
 * figures would be the neighbours' as much as the machine's. */
#ifndef P2_CALIBRATE_H
#define P2_CALIBRATE_H

#include <stddef.h>
#include <stdio.h>
#include <time.h>

#define CALIBRATE_REPETITIONS 1001
#define CALIBRATE_MAX_SPREAD  0.1

/* Writes the profile "measured" to out; takes about half a minute. 0, or -1 with one line on messages. */
int calibrate_run(FILE *out, FILE *messages);

struct calibrate_options {
    const char *name;   /* of the profile */
    size_t repetitions; /* at least 8: fewer make it faster and less certain */
    double max_spread;
    int (*clock)(struct timespec *now); /* time that this thread has had; 0 or -1. NULL: the system's */
};

/* The same, otherwise. */
int calibrate_measure(FILE *out, FILE *messages, const struct calibrate_options *options);

#endif
