/* A CPU profile: what each operation costs on one kind of machine, and the price of a piece of work.
 *
 * All arithmetic is on integers, so a profile gives the same virtual time everywhere; doubling the scale
 * doubles every price exactly. */
#ifndef P2_PROFILE_H
#define P2_PROFILE_H

#include "work.h"

#ifdef __cplusplus
extern "C" {
#endif

struct profile_price {
    bool known;
    int64_t fixed_ps;    /* picoseconds an operation */
    int64_t per_byte_ps; /* picoseconds a byte */
};

struct profile {
    char name[64];
    char source[256]; /* where the figures come from: CPU, date, method */
    uint32_t scale;   /* times slower than the machine that was measured; 1: that machine */
    struct profile_price prices[P2_NUM_OPERATIONS][P2_MAX_ALGORITHMS];
};

/* Nanoseconds: each line of work is rounded to whole nanoseconds, times its count, times the scale. Asserts
 * that every operation of the work has a price. */
p2_time profile_price_of(const struct profile *profile, const struct p2_work *work);
/* The first operation this build can ask for that the profile has no price for; false if it is complete. */
bool profile_first_unpriced(const struct profile *profile, enum p2_operation *op, unsigned *algorithm);

#ifdef __cplusplus
}
#endif
#endif
