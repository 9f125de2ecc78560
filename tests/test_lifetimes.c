/* Lifetimes in their three kinds (seconds, kilobytes, sequence numbers), who decides on them, and what is
 * rekeyed when. */
#include "sim/sim.h"

#include "isakmp.h"

static struct sim_options with(void (*change)(struct p2_policy *policy, int side))
{
    struct sim_options o = sim_defaults();
    for (int side = 0; side < 2; side++) {
        o.tunnel[side].retry = 5 * P2_SECOND;
        change(&o.tunnel[side].policy, side);
    }
    return o;
}

static struct p2_sa_info first_sa(struct sim *sim, int side)
{
    struct p2_sa_info sa = {0};
    CU_ASSERT_TRUE_FATAL(p2_gateway_sa_at(host_gateway(sim_host(sim, side)), 0, &sa));
    return sa;
}

/* --- who decides --- */

static void unequal(struct p2_policy *policy, int side)
{
    policy->lifetime_s = side ? 300 : 3600;
    policy->lifetime_kb = side ? 64 : 1024;
}

static void check_limits(struct sim *sim, int side, p2_time seconds, uint64_t kilobytes)
{
    struct p2_sa_info sa = first_sa(sim, side);
    CU_ASSERT_EQUAL(sa.hard_at - sa.installed, seconds * P2_SECOND);
    CU_ASSERT_EQUAL(sa.hard_bytes, kilobytes * 1024);
}

/* As Junos does: each end goes by the shorter one, but the initiator only knows its own. */
static void a_shorter_lifetime_of_the_responder_stays_unknown(void)
{
    struct sim_options o = with(unequal);
    struct sim *sim = sim_new(&o);
    sim_run(sim, P2_SECOND);
    check_limits(sim, 0, 3600, 1024);
    check_limits(sim, 1, 300, 64);
    sim_free(sim);
}

static void claim(struct p2_policy *policy, int side)
{
    unequal(policy, side);
    policy->lifetime_rule = P2_LIFETIME_CLAIM;
}

static void a_responder_that_claims_is_heard(void)
{
    struct sim_options o = with(claim);
    struct sim *sim = sim_new(&o);
    sim_run(sim, P2_SECOND);
    check_limits(sim, 0, 300, 64);
    check_limits(sim, 1, 300, 64);
    sim_free(sim);
}

static void obey(struct p2_policy *policy, int side)
{
    unequal(policy, side);
    policy->lifetime_rule = P2_LIFETIME_OBEY;
}

static void a_responder_that_obeys_takes_the_initiators(void)
{
    struct sim_options o = with(obey);
    struct sim *sim = sim_new(&o);
    sim_run(sim, P2_SECOND);
    check_limits(sim, 0, 3600, 1024);
    check_limits(sim, 1, 3600, 1024);
    sim_free(sim);
}

static void exact(struct p2_policy *policy, int side)
{
    policy->lifetime_s = side ? 300 : 3600;
    policy->lifetime_rule = P2_LIFETIME_EXACT;
}

static void strict(struct p2_policy *policy, int side)
{
    exact(policy, side);
    policy->lifetime_rule = P2_LIFETIME_STRICT;
}

static void a_refused_lifetime_is_explained(void)
{
    void (*const rules[])(struct p2_policy *, int) = {exact, strict};
    static const char *const acceptable[] = {"300 seconds", "at most 300 seconds"};
    for (int i = 0; i < 2; i++) {
        struct sim_options o = with(rules[i]);
        struct sim *sim = sim_new(&o);
        sim_run(sim, P2_SECOND);
        const struct ledger_entry *quick = sim_quick(sim, 0);
        CU_ASSERT_EQUAL(ledger_outcome(quick), LEDGER_FAILED);
        CU_ASSERT_EQUAL(quick->failure.failure, P2_FAIL_NO_PROPOSAL_CHOSEN);
        CU_ASSERT_STRING_EQUAL(quick->failure.field, "lifetime");
        CU_ASSERT_STRING_EQUAL(quick->failure.offered, "3600 seconds");
        CU_ASSERT_STRING_EQUAL(quick->failure.acceptable, acceptable[i]);
        CU_ASSERT_EQUAL(sim_num_pairs(sim, 0) + sim_num_pairs(sim, 1), 0);
        sim_free(sim);
    }
}

/* --- volume --- */

static void small_volume(struct p2_policy *policy, int side)
{
    (void)side;
    policy->lifetime_kb = 64;
}

/* 45 to 52 packets of 1,024 bytes reach the soft limit, 80 % less a fuzz of up to 10 %. */
static void volume_is_rekeyed_ahead_of_its_end(void)
{
    struct sim_options o = with(small_volume);
    struct sim *sim = sim_new(&o);
    sim_run(sim, P2_SECOND);
    for (int i = 0; i < 200; i++) {
        sim_send(sim, 0, 1024);
        sim_run(sim, sim_now(sim) + 20 * P2_MS);
    }
    CU_ASSERT_EQUAL(sim_delivered(sim, 1), 200);
    CU_ASSERT_EQUAL_FATAL(sim_quick(sim, 1)->start, P2_START_SOFT_VOLUME);
    CU_ASSERT_PTR_NOT_NULL(sim_quick(sim, 3));
    CU_ASSERT_PTR_NULL(sim_quick(sim, 5));
    sim_run(sim, sim_now(sim) + 10 * P2_SECOND);
    CU_ASSERT_TRUE(sim_sadbs_equal(sim, 1));
    sim_free(sim);
}

/* What the responder sends counts too, although its own soft limit lies further on. */
static void the_receivers_volume_counts_as_well(void)
{
    struct sim_options o = with(small_volume);
    struct sim *sim = sim_new(&o);
    sim_run(sim, P2_SECOND);
    for (int i = 0; i < 60; i++) {
        sim_send(sim, 1, 1024);
        sim_run(sim, sim_now(sim) + 20 * P2_MS);
    }
    CU_ASSERT_EQUAL_FATAL(sim_quick(sim, 1)->start, P2_START_SOFT_VOLUME);
    CU_ASSERT_EQUAL(sim_quick(sim, 1)->initiator, 0);
    sim_free(sim);
}

static bool lose_quick_mode(void *ctx, const struct sim_message *m)
{
    (void)ctx;
    return m->exchange_type == P2_EXCHANGE_QUICK;
}

/* A burst that no rekey can keep up with: not one byte beyond the limit, and the tunnel comes back. */
static void the_hard_limit_by_volume_is_kept(void)
{
    struct sim_options o = with(small_volume);
    struct sim *sim = sim_new(&o);
    sim_run(sim, P2_SECOND);
    sim_lose(sim, lose_quick_mode, NULL);
    for (int i = 0; i < 100; i++)
        sim_send(sim, 0, 1024);
    sim_run(sim, sim_now(sim) + P2_SECOND);
    CU_ASSERT_EQUAL(sim_delivered(sim, 1), 64);
    CU_ASSERT_EQUAL(sim_drops(sim, 0, P2_DROP_NO_SA), 36);
    sim_lose(sim, NULL, NULL);
    sim_run(sim, sim_now(sim) + 100 * P2_SECOND);
    CU_ASSERT_TRUE(sim_sadbs_equal(sim, 1));
    sim_send(sim, 0, 1024);
    sim_run(sim, sim_now(sim) + P2_SECOND);
    CU_ASSERT_EQUAL(sim_delivered(sim, 1), 65);
    sim_free(sim);
}

/* --- sequence numbers --- */

static void few_numbers(struct p2_policy *policy, int side)
{
    (void)side;
    policy->sequence_max = 100;
}

static void sequence_numbers_are_rekeyed_ahead_of_their_end(void)
{
    struct sim_options o = with(few_numbers);
    struct sim *sim = sim_new(&o);
    sim_run(sim, P2_SECOND);
    for (int i = 0; i < 250; i++) {
        sim_send(sim, 0, 64);
        sim_run(sim, sim_now(sim) + 20 * P2_MS);
    }
    CU_ASSERT_EQUAL(sim_delivered(sim, 1), 250);
    CU_ASSERT_EQUAL(sim_drops(sim, 0, P2_DROP_SEQUENCE_OVERFLOW), 0);
    CU_ASSERT_EQUAL_FATAL(sim_quick(sim, 1)->start, P2_START_SEQUENCE);
    CU_ASSERT_EQUAL_FATAL(sim_quick(sim, 2)->start, P2_START_SEQUENCE);
    sim_free(sim);
}

/* Soft limits are a part of the way from the first number, as if the SA had got there by itself. */
static void numbers_near_the_end(struct p2_policy *policy, int side)
{
    (void)side;
    policy->sequence_first = UINT32_MAX - 99;
    policy->soft_permille = 800;
    policy->fuzz_permille = 0;
}

static void an_sa_that_begins_near_the_end_is_rekeyed_once_ahead_of_it(void)
{
    struct sim_options o = with(numbers_near_the_end);
    struct sim *sim = sim_new(&o);
    sim_run(sim, P2_SECOND);
    for (int i = 0; i < 79; i++)
        sim_send(sim, 0, 64);
    sim_run(sim, 2 * P2_SECOND);
    CU_ASSERT_PTR_NULL_FATAL(sim_quick(sim, 1));
    sim_send(sim, 0, 64);
    sim_run(sim, 3 * P2_SECOND);
    CU_ASSERT_PTR_NOT_NULL_FATAL(sim_quick(sim, 1));
    CU_ASSERT_PTR_NULL(sim_quick(sim, 2));
    CU_ASSERT_EQUAL(sim_quick(sim, 1)->start, P2_START_SEQUENCE);
    CU_ASSERT_EQUAL(sim_delivered(sim, 1), 80);
    sim_free(sim);
}

/* --- install-interval --- */

static void wait_before_use(struct p2_policy *policy, int side)
{
    policy->install_interval = side ? 0 : 3 * P2_SECOND;
    policy->overlap = P2_SECOND;
}

static uint32_t spi_in_use(struct sim *sim, int side)
{
    struct p2_sa_info sa;
    uint64_t most = 0;
    uint32_t spi = 0;
    sim_send(sim, side, 64);
    for (size_t i = 0; p2_gateway_sa_at(host_gateway(sim_host(sim, side)), i, &sa); i++) {
        if (!sa.inbound && sa.packets > most) {
            most = sa.packets;
            spi = sa.spi;
        }
    }
    return spi;
}

static void a_rekeyed_sa_waits_for_its_interval(void)
{
    struct sim_options o = with(wait_before_use);
    struct sim *sim = sim_new(&o);
    sim_run(sim, P2_SECOND);
    uint32_t first = spi_in_use(sim, 0);
    CU_ASSERT_NOT_EQUAL(first, 0); /* the first SA of all waits for nothing */
    for (int i = 0; i < 10; i++)
        sim_send(sim, 0, 64);
    sim_rekey(sim, 0);
    sim_run(sim, 2 * P2_SECOND);
    CU_ASSERT_TRUE(sim_sadbs_equal(sim, 2));
    CU_ASSERT_EQUAL(spi_in_use(sim, 0), first);
    size_t delivered = sim_delivered(sim, 1);
    sim_run(sim, 4 * P2_SECOND + 100 * P2_MS); /* the rekey took 30 ms */
    for (int i = 0; i < 40; i++)
        sim_send(sim, 0, 64);
    CU_ASSERT_NOT_EQUAL(spi_in_use(sim, 0), first);
    sim_run(sim, 10 * P2_SECOND);
    CU_ASSERT_EQUAL(sim_delivered(sim, 1), delivered + 42);
    CU_ASSERT_TRUE(sim_sadbs_equal(sim, 1));
    sim_free(sim);
}

/* --- idle tunnels --- */

static void short_life(struct p2_policy *policy, int side)
{
    (void)side;
    policy->lifetime_s = 20;
}

static size_t num_quick(struct sim *sim)
{
    size_t n = 0;
    while (sim_quick(sim, n))
        n++;
    return n;
}

static void an_idle_tunnel_is_rekeyed_only_if_it_must_be_up(void)
{
    for (int on_traffic = 0; on_traffic < 2; on_traffic++) {
        struct sim_options o = with(short_life);
        o.tunnel[0].establish = on_traffic ? P2_ESTABLISH_ON_TRAFFIC : P2_ESTABLISH_IMMEDIATELY;
        struct sim *sim = sim_new(&o);
        sim_send(sim, 0, 64); /* dropped, but it starts the tunnel */
        sim_run(sim, 100 * P2_SECOND);
        CU_ASSERT_EQUAL(num_quick(sim) > 1, !on_traffic);
        CU_ASSERT_EQUAL(sim_num_pairs(sim, 0), on_traffic ? 0 : 1);
        CU_ASSERT_EQUAL(sim_num_pairs(sim, 1), on_traffic ? 0 : 1);
        sim_free(sim);
    }
}

CHECK_MAIN(
    "lifetimes",
    {"a shorter lifetime of the responder stays unknown", a_shorter_lifetime_of_the_responder_stays_unknown},
    {"a responder that claims is heard", a_responder_that_claims_is_heard},
    {"a responder that obeys takes the initiator's", a_responder_that_obeys_takes_the_initiators},
    {"a refused lifetime is explained", a_refused_lifetime_is_explained},
    {"volume is rekeyed ahead of its end", volume_is_rekeyed_ahead_of_its_end},
    {"the receiver's volume counts as well", the_receivers_volume_counts_as_well},
    {"the hard limit by volume is kept", the_hard_limit_by_volume_is_kept},
    {"sequence numbers are rekeyed ahead of their end", sequence_numbers_are_rekeyed_ahead_of_their_end},
    {"an SA that begins near the end is rekeyed once ahead of it",
     an_sa_that_begins_near_the_end_is_rekeyed_once_ahead_of_it},
    {"a rekeyed SA waits for its interval", a_rekeyed_sa_waits_for_its_interval},
    {"an idle tunnel is rekeyed only if it must be up", an_idle_tunnel_is_rekeyed_only_if_it_must_be_up})
