/* Phase 1 as it grows old: lifetimes and rekeys, and a peer that starts anew. */
#include "phase1_fixture.h"

#include "isakmp.h"

#define SETTLE (150 * P2_SECOND) /* longer than all resends and the lingering of a finished exchange */

/* --- lifetimes and rekeys --- */

static struct sim_options short_lived(uint32_t left_s, uint32_t right_s)
{
    struct sim_options o = sim_defaults();
    o.peer[0].phase1.lifetime_s = left_s;
    o.peer[1].phase1.lifetime_s = right_s;
    for (int side = 0; side < 2; side++)
        o.tunnel[side].policy.lifetime_s = 60;
    return o;
}

static void the_initiator_rekeys_at_the_soft_limit(void)
{
    for (int mode = 0; mode < 2; mode++) {
        struct sim_options o = short_lived(1000, 1000);
        o.peer[0].phase1.mode = o.peer[1].phase1.mode = mode ? P2_PHASE1_AGGRESSIVE : P2_PHASE1_MAIN;
        struct sim *sim = sim_new(&o);
        sim_run(sim, 899 * P2_SECOND);
        CU_ASSERT_PTR_NULL(sim_phase1(sim, 1));
        sim_run(sim, 902 * P2_SECOND);
        const struct ledger_entry *second = sim_phase1(sim, 1);
        CU_ASSERT_PTR_NOT_NULL_FATAL(second);
        CU_ASSERT_EQUAL(second->start, P2_START_SOFT_LIFETIME);
        CU_ASSERT_EQUAL(second->initiator, 0);
        CU_ASSERT_EQUAL(ledger_outcome(second), LEDGER_ESTABLISHED);
        sim_run(sim, 1000 * P2_SECOND);
        for (int side = 0; side < 2; side++) {
            const struct p2_isakmp_info *gone = sim_isakmp_removed(sim, side, 0);
            CU_ASSERT_PTR_NOT_NULL_FATAL(gone);
            CU_ASSERT_EQUAL(gone->end, P2_ISAKMP_REPLACED);
            CU_ASSERT_EQUAL(memcmp(gone->id.initiator_cookie, sim_phase1(sim, 0)->id.initiator_cookie, 8), 0);
            CU_ASSERT_PTR_NULL(sim_isakmp_removed(sim, side, 1));
        }
        for (size_t n = 0; sim_quick(sim, n); n++) { /* those that began later are under the new one */
            bool later = sim_quick(sim, n)->started > 902 * P2_SECOND;
            const struct ledger_entry *under = sim_phase1(sim, later ? 1 : 0);
            CU_ASSERT_EQUAL(memcmp(sim_quick(sim, n)->id.initiator_cookie, under->id.initiator_cookie, 8), 0);
            CU_ASSERT_EQUAL(ledger_outcome(sim_quick(sim, n)), LEDGER_ESTABLISHED);
        }
        sim_check_traffic(sim);
        sim_free(sim);
    }
}

static void without_a_soft_limit_phase_1_waits_until_it_is_needed(void)
{
    for (uint32_t soft = 0; soft <= 1000; soft += 1000) {
        struct sim_options o = short_lived(1000, 1000);
        o.peer[0].phase1.soft_permille = o.peer[1].phase1.soft_permille = soft;
        struct sim *sim = sim_new(&o);
        sim_run(sim, 999 * P2_SECOND);
        CU_ASSERT_PTR_NULL(sim_phase1(sim, 1));
        sim_run(sim, 1100 * P2_SECOND);
        CU_ASSERT_PTR_NOT_NULL_FATAL(sim_phase1(sim, 1));
        CU_ASSERT_EQUAL(sim_phase1(sim, 1)->start, P2_START_INITIAL);
        CU_ASSERT_EQUAL(sim_isakmp_removed(sim, 0, 0)->end, P2_ISAKMP_LIFETIME);
        sim_check_traffic(sim);
        sim_free(sim);
    }
}

/* Message 2 of a Quick Mode under the old SA is lost while the new one is established: it is sent again. */
static bool lose_one_quick_answer(void *ctx, const struct sim_message *m)
{
    unsigned *left = ctx;
    bool hit = *left > 0 && m->exchange_type == P2_EXCHANGE_QUICK && m->from == 1;
    *left -= hit;
    return hit;
}

static void a_quick_mode_under_way_finishes_under_the_old_one(void)
{
    unsigned left = 3;
    struct sim_options o = short_lived(1000, 1000);
    o.tunnel[0].policy.lifetime_s = o.tunnel[1].policy.lifetime_s = 3600;
    struct sim *sim = sim_new(&o);
    sim_run(sim, 899900 * P2_MS);
    sim_lose(sim, lose_one_quick_answer, &left);
    sim_rekey(sim, 0);
    sim_run(sim, 920 * P2_SECOND);
    const struct ledger_entry *quick = sim_quick(sim, 1);
    CU_ASSERT_EQUAL(left, 0);
    CU_ASSERT_EQUAL(ledger_outcome(quick), LEDGER_ESTABLISHED);
    CU_ASSERT_EQUAL(memcmp(quick->id.initiator_cookie, sim_phase1(sim, 0)->id.initiator_cookie, 8), 0);
    CU_ASSERT_TRUE(quick->ready_at[0] > sim_phase1(sim, 1)->ready_at[0]);
    CU_ASSERT_PTR_NULL(sim_isakmp_removed(sim, 0, 0)); /* its exchange lingers, to answer copies */
    sim_run(sim, 1000 * P2_SECOND);
    CU_ASSERT_PTR_NOT_NULL(sim_isakmp_removed(sim, 0, 0));
    CU_ASSERT_TRUE(sim_sadbs_equal(sim, 2));
    sim_free(sim);
}

/* The responder's lifetime is the shorter one: its DELETE tells the initiator. */
static void the_shorter_lifetime_wins_and_ipsec_sas_survive(void)
{
    struct sim_options o = short_lived(28800, 300);
    o.tunnel[0].policy.lifetime_s = o.tunnel[1].policy.lifetime_s = 3600;
    struct sim *sim = sim_new(&o);
    sim_run(sim, 299 * P2_SECOND);
    CU_ASSERT_PTR_NULL(sim_isakmp_removed(sim, 1, 0));
    sim_run(sim, 500 * P2_SECOND);
    CU_ASSERT_EQUAL(sim_isakmp_removed(sim, 1, 0)->end, P2_ISAKMP_LIFETIME);
    CU_ASSERT_EQUAL(sim_isakmp_removed(sim, 0, 0)->end, P2_ISAKMP_BY_PEER);
    CU_ASSERT_TRUE(sim_sadbs_equal(sim, 1));
    sim_check_traffic(sim);
    sim_rekey(sim, 0);
    sim_run(sim, 510 * P2_SECOND);
    CU_ASSERT_PTR_NOT_NULL(sim_phase1(sim, 1));
    CU_ASSERT_TRUE(sim_sadbs_equal(sim, 2) || sim_sadbs_equal(sim, 1));
    sim_free(sim);
}

/* Both start at once and so have two ISAKMP SAs, whose soft limits fall together. */
static void simultaneous_phase_1s_end_in_agreement(void)
{
    for (int mode = 0; mode < 2; mode++) {
        struct sim_options o = short_lived(1000, 1000);
        o.peer[0].phase1.mode = o.peer[1].phase1.mode = mode ? P2_PHASE1_AGGRESSIVE : P2_PHASE1_MAIN;
        o.tunnel[1].establish = P2_ESTABLISH_IMMEDIATELY;
        o.tunnel[0].retry = o.tunnel[1].retry = 5 * P2_SECOND;
        struct sim *sim = sim_new(&o);
        for (int second = 1; second < 3000; second++) {
            sim_run(sim, second * P2_SECOND);
            CU_ASSERT_TRUE_FATAL(second < 2 || (sim_num_pairs(sim, 0) > 0 && sim_num_pairs(sim, 1) > 0));
        }
        size_t num = 0, failed = 0;
        for (; sim_phase1(sim, num); num++)
            failed += ledger_outcome(sim_phase1(sim, num)) != LEDGER_ESTABLISHED;
        CU_ASSERT_EQUAL(failed, 0);
        CU_ASSERT_EQUAL(num, 2 + 3); /* from then on there is one lineage: at 900, 1800 and 2700 s */
        for (size_t n = 0; sim_quick(sim, n); n++)
            CU_ASSERT_EQUAL(ledger_outcome(sim_quick(sim, n)), LEDGER_ESTABLISHED);
        sim_check_traffic(sim);
        sim_free(sim);
    }
}

static bool lose_phase_1(void *ctx, const struct sim_message *m)
{
    (void)ctx;
    return m->exchange_type == P2_EXCHANGE_MAIN;
}

/* A rekey that comes to nothing is tried again while the old SA lasts. */
static void a_failed_rekey_is_tried_again(void)
{
    struct sim_options o = short_lived(4000, 4000);
    struct sim *sim = sim_new(&o);
    sim_run(sim, 3599 * P2_SECOND);
    sim_lose(sim, lose_phase_1, NULL);
    sim_run(sim, 3700 * P2_SECOND);
    CU_ASSERT_EQUAL(ledger_outcome(sim_phase1(sim, 1)), LEDGER_FAILED);
    sim_lose(sim, NULL, NULL);
    sim_run(sim, 3800 * P2_SECOND);
    CU_ASSERT_EQUAL(ledger_outcome(sim_phase1(sim, 2)), LEDGER_ESTABLISHED);
    CU_ASSERT_EQUAL(sim_phase1(sim, 2)->start, P2_START_SOFT_LIFETIME);
    sim_check_traffic(sim);
    sim_free(sim);
}

/* --- a peer that starts anew --- */

static void a_restarted_initiator_is_in_order_again(void)
{
    for (int mode = 0; mode < 2; mode++) {
        struct sim_options o = mode ? aggressive() : sim_defaults();
        struct sim *sim = sim_new(&o);
        sim_run(sim, 10 * P2_SECOND);
        sim_restart(sim, 0);
        sim_run(sim, 12 * P2_SECOND);
        CU_ASSERT_EQUAL(sim_removed(sim, 1, P2_REMOVED_INITIAL_CONTACT), 1);
        CU_ASSERT_EQUAL(sim_isakmp_removed(sim, 1, 0)->end, P2_ISAKMP_INITIAL_CONTACT);
        CU_ASSERT_TRUE(sim_sadbs_equal(sim, 1));
        CU_ASSERT_EQUAL(sim_count_sent(sim, P2_EXCHANGE_INFORMATIONAL),
                        0); /* no DELETEs for what nobody knows */
        sim_check_traffic(sim);
        sim_free(sim);
    }
}

/* The end that keeps the tunnel up is not the one that restarts: it learns by INITIAL-CONTACT of the other's
 * first Phase 1, and starts again itself. */
static void a_restarted_responder_gets_its_tunnel_back(void)
{
    struct sim_options o = sim_defaults();
    o.tunnel[1].establish = P2_ESTABLISH_ON_TRAFFIC;
    o.tunnel[0].retry = 5 * P2_SECOND;
    struct sim *sim = sim_new(&o);
    sim_run(sim, 10 * P2_SECOND);
    sim_restart(sim, 1);
    sim_send(sim, 1, 100); /* makes it start */
    sim_run(sim, 12 * P2_SECOND);
    CU_ASSERT_EQUAL(sim_removed(sim, 0, P2_REMOVED_INITIAL_CONTACT), 1);
    CU_ASSERT_TRUE(sim_num_pairs(sim, 0) > 0);
    sim_check_traffic(sim);
    sim_run(sim, SETTLE);
    CU_ASSERT_TRUE(sim_sadbs_equal(sim, sim_num_pairs(sim, 0)));
    sim_free(sim);
}

static void initial_contact_is_a_matter_of_policy(void)
{
    struct sim_options o = sim_defaults();
    o.peer[0].phase1.initial_contact = o.peer[1].phase1.initial_contact = false;
    struct sim *sim = sim_new(&o);
    sim_run(sim, 10 * P2_SECOND);
    sim_restart(sim, 0);
    sim_run(sim, 12 * P2_SECOND);
    CU_ASSERT_EQUAL(sim_removed(sim, 1, P2_REMOVED_INITIAL_CONTACT), 0);
    CU_ASSERT_EQUAL(sim_num_pairs(sim, 1), 2);
    CU_ASSERT_EQUAL(sim_num_pairs(sim, 0), 1);
    sim_free(sim);
}

/* Nobody says that the peer started anew: a Quick Mode that goes unanswered finds out. */
static void an_isakmp_sa_that_only_one_end_has_goes(void)
{
    struct sim_options o = sim_defaults();
    o.peer[0].phase1.initial_contact = o.peer[1].phase1.initial_contact = false;
    o.tunnel[0].retry = 5 * P2_SECOND;
    struct sim *sim = sim_new(&o);
    sim_run(sim, 10 * P2_SECOND);
    sim_restart(sim, 1);
    sim_rekey(sim, 0);
    sim_run(sim, 80 * P2_SECOND); /* 63 s and 5 s later Phase 1 begins */
    CU_ASSERT_EQUAL(sim_quick(sim, 1)->failure.failure, P2_FAIL_TIMEOUT);
    CU_ASSERT_EQUAL(ledger_outcome(sim_phase1(sim, 1)), LEDGER_ESTABLISHED);
    CU_ASSERT_EQUAL(ledger_outcome(sim_quick(sim, 2)), LEDGER_ESTABLISHED);
    sim_check_traffic(sim);
    sim_run(sim, 200 * P2_SECOND);
    CU_ASSERT_EQUAL(sim_isakmp_removed(sim, 0, 0)->end, P2_ISAKMP_UNANSWERED);
    CU_ASSERT_PTR_NULL(sim_isakmp_removed(sim, 0, 1));
    sim_free(sim);
}

/* A rekey of Phase 1 must not look like a restart. */
static void only_the_first_phase_1_has_initial_contact(void)
{
    struct sim_options o = short_lived(1000, 1000);
    struct sim *sim = sim_new(&o);
    sim_run(sim, 2000 * P2_SECOND);
    CU_ASSERT_PTR_NOT_NULL(sim_phase1(sim, 1));
    CU_ASSERT_EQUAL(sim_removed(sim, 0, P2_REMOVED_INITIAL_CONTACT), 0);
    CU_ASSERT_EQUAL(sim_removed(sim, 1, P2_REMOVED_INITIAL_CONTACT), 0);
    sim_free(sim);
}

CHECK_MAIN(
    "phase1 lifetimes", {"the initiator rekeys at the soft limit", the_initiator_rekeys_at_the_soft_limit},
    {"a Quick Mode under way finishes under the old one", a_quick_mode_under_way_finishes_under_the_old_one},
    {"the shorter lifetime wins and IPsec SAs survive", the_shorter_lifetime_wins_and_ipsec_sas_survive},
    {"simultaneous Phase 1s end in agreement", simultaneous_phase_1s_end_in_agreement},
    {"a failed rekey is tried again", a_failed_rekey_is_tried_again},
    {"without a soft limit Phase 1 waits until it is needed",
     without_a_soft_limit_phase_1_waits_until_it_is_needed},
    {"a restarted initiator is in order again", a_restarted_initiator_is_in_order_again},
    {"a restarted responder gets its tunnel back", a_restarted_responder_gets_its_tunnel_back},
    {"INITIAL-CONTACT is a matter of policy", initial_contact_is_a_matter_of_policy},
    {"an ISAKMP SA that only one end has goes", an_isakmp_sa_that_only_one_end_has_goes},
    {"only the first Phase 1 has INITIAL-CONTACT", only_the_first_phase_1_has_initial_contact})
