/* What the tests of hosts share: CPU profiles by hand, and a pair whose Phase 1 is preset. */
#ifndef P2_TESTS_HOST_FIXTURE_H
#define P2_TESTS_HOST_FIXTURE_H

#include "sim/sim.h"

struct prices { /* nanoseconds an operation */
    int64_t hash, hmac, encrypt, decrypt, dh_generate, dh_derive;
};

/* The same price for every algorithm. per_byte: the prices count for each byte. */
static inline struct profile profile_of(const struct prices *p, bool per_byte)
{
    struct profile profile = {.name = "by hand", .scale = 1};
    const int64_t ns[P2_NUM_OPERATIONS] = {[P2_OP_DH_GENERATE] = p->dh_generate,
                                           [P2_OP_DH_DERIVE] = p->dh_derive,
                                           [P2_OP_HMAC] = p->hmac,
                                           [P2_OP_HASH] = p->hash,
                                           [P2_OP_ENCRYPT] = p->encrypt,
                                           [P2_OP_DECRYPT] = p->decrypt};
    for (size_t op = 0; op < P2_NUM_OPERATIONS; op++) {
        for (size_t a = 0; a < P2_MAX_ALGORITHMS; a++) {
            profile.prices[op][a].known = true;
            *(per_byte ? &profile.prices[op][a].per_byte_ps : &profile.prices[op][a].fixed_ps) =
                ns[op] * 1000;
        }
    }
    return profile;
}

/* 10 ms to the right, 7 ms to the left. */
static inline struct sim_options preset(const struct profile *profile)
{
    struct sim_options o = sim_defaults();
    o.delay[0] = 10 * P2_MS;
    o.delay[1] = 7 * P2_MS;
    for (int i = 0; i < 2; i++) {
        o.peer[i].phase1.mode = P2_PHASE1_PRESET;
        o.profile[i] = profile;
    }
    return o;
}

#endif
