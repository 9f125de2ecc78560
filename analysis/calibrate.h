/* Measures what each operation of work.h costs on this machine and writes it as a CPU profile.
 *
 * HMAC is measured with its key states ready and ciphers with their schedules expanded, as they are used on
 * packets. Operations with a length get a straight line through the prices at several lengths. The
 * price is the lower decile of the repetitions, its spread the distance from their 5th to their 15th
 * percentile. */
#ifndef P2_CALIBRATE_H
#define P2_CALIBRATE_H

#include <stddef.h>
#include <stdio.h>

#define CALIBRATE_REPETITIONS 1001
#define CALIBRATE_QUICK       9

/* Writes the profile "measured" to out; takes about half a minute. 0, or -1 with one line on messages. */
int calibrate_run(FILE *out, FILE *messages);

/* The same under another name and with another number of repetitions, at least 4: fewer make it faster and
 * less certain. */
int calibrate_measure(FILE *out, FILE *messages, const char *name, size_t repetitions);

#endif
