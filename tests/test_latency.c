/* Latency and its split, by perturbation: what is changed shows in its own part, exactly, and nowhere else.
 */
#include "sim/sim.h"

#include "isakmp.h"

/* Prices that are easy to add up: DH 10 ms and 20 ms, everything else 100 us an operation, 1 ns a byte. */
static void make_profile(struct profile *profile, uint32_t scale)
{
    memset(profile, 0, sizeof(*profile));
    profile->scale = scale;
    for (unsigned op = 0; op < P2_NUM_OPERATIONS; op++) {
        for (unsigned a = 0; a < P2_MAX_ALGORITHMS; a++) {
            int64_t fixed = op == P2_OP_DH_GENERATE ? 10 * P2_MS
                            : op == P2_OP_DH_DERIVE ? 20 * P2_MS
                                                    : 100000;
            profile->prices[op][a] =
                (struct profile_price){true, fixed * 1000, op > P2_OP_DH_DERIVE ? 1000 : 0};
        }
    }
}

struct measured {
    p2_time latency;
    struct cause_split split;
    p2_time cpu_total;
    unsigned resent;
};

/* The first Quick Mode of a run. */
static struct measured measure(const struct sim_options *options)
{
    struct measured m = {0};
    struct sim *sim = sim_new(options);
    sim_run(sim, 60 * P2_SECOND);
    const struct ledger_entry *quick = sim_quick(sim, 0);
    CU_ASSERT_PTR_NOT_NULL_FATAL(quick);
    CU_ASSERT_EQUAL_FATAL(ledger_outcome(quick), LEDGER_ESTABLISHED);
    m.latency = ledger_latency(quick, sim_causes(sim), &m.split);
    m.cpu_total = quick->cpu_total;
    m.resent = quick->resent;
    sim_free(sim);
    return m;
}

static struct profile once, twice;

static struct sim_options priced(const struct profile *profile)
{
    struct sim_options o = sim_defaults();
    o.profile[0] = o.profile[1] = profile;
    o.tunnel[0].policy.pfs = o.tunnel[1].policy.pfs = P2_GROUP_2;
    return o;
}

static void parts_add_up(const struct measured *m)
{
    CU_ASSERT_EQUAL(m->latency,
                    m->split.network + m->split.cpu + m->split.cpu_wait + m->split.retransmission_wait);
}

static void three_messages_cross_the_network(void)
{
    struct sim_options o = sim_defaults();
    struct measured m = measure(&o);
    CU_ASSERT_EQUAL(m.latency, 30 * P2_MS);
    CU_ASSERT_EQUAL(m.split.network, 30 * P2_MS);
    parts_add_up(&m);
}

static void one_ms_more_delay_adds_three_ms_of_network_and_nothing_else(void)
{
    make_profile(&once, 1);
    struct sim_options o = priced(&once);
    struct measured before = measure(&o);
    o.delay[0] += P2_MS;
    o.delay[1] += P2_MS;
    struct measured after = measure(&o);
    CU_ASSERT_EQUAL(after.split.network, before.split.network + 3 * P2_MS);
    CU_ASSERT_EQUAL(after.split.cpu, before.split.cpu);
    CU_ASSERT_EQUAL(after.split.cpu_wait, before.split.cpu_wait);
    CU_ASSERT_EQUAL(after.split.retransmission_wait, 0);
    CU_ASSERT_EQUAL(after.latency, before.latency + 3 * P2_MS);
    parts_add_up(&after);
}

static void doubled_prices_double_the_cpu_part_exactly(void)
{
    make_profile(&once, 1);
    make_profile(&twice, 2);
    struct sim_options o = priced(&once);
    struct measured before = measure(&o);
    o.profile[0] = o.profile[1] = &twice;
    struct measured after = measure(&o);
    CU_ASSERT_TRUE(before.split.cpu > 60 * P2_MS); /* two generations and two derivations */
    CU_ASSERT_EQUAL(after.split.cpu, 2 * before.split.cpu);
    CU_ASSERT_EQUAL(after.split.network, before.split.network);
    CU_ASSERT_EQUAL(after.split.cpu_wait, 0);
    CU_ASSERT_EQUAL(before.split.cpu, before.cpu_total); /* without losses all work lies on the chain */
}

static void a_lost_first_message_adds_exactly_the_resend_timer(void)
{
    make_profile(&once, 1);
    struct sim_options o = priced(&once);
    struct measured before = measure(&o);
    o.lose_quick = 1;
    struct measured after = measure(&o);
    CU_ASSERT_EQUAL(after.split.retransmission_wait, o.peer[0].phase1.retransmission.first);
    CU_ASSERT_EQUAL(after.split.network, before.split.network);
    CU_ASSERT_EQUAL(after.split.cpu, before.split.cpu);
    CU_ASSERT_EQUAL(after.latency, before.latency + o.peer[0].phase1.retransmission.first);
    CU_ASSERT_EQUAL(after.resent, 1);
    parts_add_up(&after);
}

static void two_lost_first_messages_add_both_intervals(void)
{
    struct sim_options o = sim_defaults();
    o.lose_quick = 3;
    struct measured m = measure(&o);
    CU_ASSERT_EQUAL(m.split.retransmission_wait, 3 * P2_SECOND); /* 1 s, then 2 s */
    CU_ASSERT_EQUAL(m.split.network, 30 * P2_MS);
}

/* The responder resends message 2 after its second of waiting; that copy makes the initiator send message 3
 * again. */
static void a_lost_third_message_costs_one_resend_of_the_second(void)
{
    struct sim_options o = sim_defaults();
    o.lose_quick = 1 << 2;
    struct measured m = measure(&o);
    CU_ASSERT_EQUAL(m.split.retransmission_wait, P2_SECOND);
    CU_ASSERT_EQUAL(m.split.network, 30 * P2_MS);
    CU_ASSERT_EQUAL(m.latency, P2_SECOND + 30 * P2_MS);
}

/* The right side is busy with its own rekey when the left side's first message comes in. */
static void contention_shows_as_cpu_waiting(void)
{
    make_profile(&once, 1);
    struct sim_options o = priced(&once);
    struct sim *sim = sim_new(&o);
    sim_run(sim, 10 * P2_SECOND);
    sim_rekey(sim, 0);
    sim_run(sim, 10 * P2_SECOND + 15 * P2_MS);
    sim_rekey(sim, 1);
    sim_run(sim, 20 * P2_SECOND);
    p2_time waited = 0;
    for (size_t n = 1; n <= 2; n++) {
        struct cause_split split;
        CU_ASSERT_EQUAL_FATAL(ledger_outcome(sim_quick(sim, n)), LEDGER_ESTABLISHED);
        p2_time latency = ledger_latency(sim_quick(sim, n), sim_causes(sim), &split);
        CU_ASSERT_EQUAL(latency, split.network + split.cpu + split.cpu_wait + split.retransmission_wait);
        CU_ASSERT_EQUAL(split.network, 30 * P2_MS);
        waited += split.cpu_wait;
    }
    CU_ASSERT_TRUE(waited > 0);
    sim_free(sim);
}

/* Verifying takes longer than the resend timer: what was sent is sent again, and the answer in the queue
 * still counts. */
static void a_cpu_slower_than_the_timers_is_no_failure(void)
{
    make_profile(&once, 1);
    for (unsigned a = 0; a < P2_MAX_ALGORITHMS; a++)
        once.prices[P2_OP_DECRYPT][a].fixed_ps = 2500 * P2_MS * 1000;
    struct sim_options o = priced(&once);
    struct measured m = measure(&o);
    CU_ASSERT_TRUE(m.split.cpu > 3 * 2500 * P2_MS);
    CU_ASSERT_EQUAL(m.split.retransmission_wait, 0);
    CU_ASSERT_TRUE(m.resent > 0);
    parts_add_up(&m);
}

CHECK_MAIN("latency", {"three messages cross the network", three_messages_cross_the_network},
           {"1 ms more delay adds 3 ms of network and nothing else",
            one_ms_more_delay_adds_three_ms_of_network_and_nothing_else},
           {"doubled prices double the CPU part exactly", doubled_prices_double_the_cpu_part_exactly},
           {"a lost first message adds exactly the resend timer",
            a_lost_first_message_adds_exactly_the_resend_timer},
           {"two lost first messages add both intervals", two_lost_first_messages_add_both_intervals},
           {"a lost third message costs one resend of the second",
            a_lost_third_message_costs_one_resend_of_the_second},
           {"a CPU slower than the timers is no failure", a_cpu_slower_than_the_timers_is_no_failure},
           {"contention shows as CPU waiting", contention_shows_as_cpu_waiting})
