/* What the tests of Phase 1 share: a pair in aggressive mode, and policies that do not agree, in one thing
 * each. */
#ifndef P2_TESTS_PHASE1_FIXTURE_H
#define P2_TESTS_PHASE1_FIXTURE_H

#include "sim/sim.h"

static inline struct sim_options aggressive(void)
{
    struct sim_options o = sim_defaults();
    o.peer[0].phase1.mode = o.peer[1].phase1.mode = P2_PHASE1_AGGRESSIVE;
    return o;
}

static inline void other_cipher(struct sim_options *o)
{
    o->peer[1].phase1.cipher = P2_CIPHER_AES256_CBC;
}

static inline void other_hash(struct sim_options *o)
{
    o->peer[1].phase1.hash = P2_HASH_SHA256;
}

static inline void other_group(struct sim_options *o)
{
    o->peer[1].phase1.group = P2_GROUP_14;
}

static inline void other_mode(struct sim_options *o)
{
    bool main_mode = o->peer[0].phase1.mode == P2_PHASE1_MAIN;
    o->peer[1].phase1.mode = main_mode ? P2_PHASE1_AGGRESSIVE : P2_PHASE1_MAIN;
}

#endif
