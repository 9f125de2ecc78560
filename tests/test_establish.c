/* How a tunnel comes up: packets that wait for its first SA, and the commit bit. */
#include "sim/sim.h"

#include "isakmp.h"

/* --- on traffic --- */

static struct sim_options on_traffic(uint32_t waiting)
{
    struct sim_options o = sim_defaults();
    o.tunnel[0].establish = P2_ESTABLISH_ON_TRAFFIC;
    o.tunnel[0].waiting = waiting;
    return o;
}

/* Main mode takes 60 ms and Quick Mode's answer comes 20 ms later; then the packets go, in their order. */
static void the_first_packets_wait(void)
{
    struct sim_options o = on_traffic(5);
    struct sim *sim = sim_new(&o);
    for (size_t i = 0; i < 8; i++) /* the length tells them apart */
        sim_send(sim, 0, 100 + i);
    sim_run(sim, 89 * P2_MS);
    CU_ASSERT_EQUAL(sim_delivered(sim, 1), 0);
    CU_ASSERT_EQUAL(sim_drops(sim, 0, P2_DROP_NO_SA), 3);
    sim_run(sim, 90 * P2_MS);
    CU_ASSERT_EQUAL(sim_delivered(sim, 1), 5);
    CU_ASSERT_EQUAL(sim_quick(sim, 0)->start, P2_START_TRAFFIC);
    sim_send(sim, 0, 200);
    sim_run(sim, P2_SECOND);
    CU_ASSERT_EQUAL(sim_delivered(sim, 1), 6);
    sim_free(sim);
}

static void without_room_the_first_packets_are_dropped(void)
{
    struct sim_options o = on_traffic(0);
    struct sim *sim = sim_new(&o);
    sim_send(sim, 0, 100);
    sim_run(sim, P2_SECOND);
    CU_ASSERT_EQUAL(sim_delivered(sim, 1), 0);
    CU_ASSERT_EQUAL(sim_drops(sim, 0, P2_DROP_NO_SA), 1);
    CU_ASSERT_TRUE(sim_sadbs_equal(sim, 1));
    sim_free(sim);
}

static void waiting_packets_are_dropped_when_the_negotiation_fails(void)
{
    struct sim_options o = on_traffic(5);
    o.tunnel[1].policy.pfs = P2_GROUP_2;
    struct sim *sim = sim_new(&o);
    for (int i = 0; i < 3; i++)
        sim_send(sim, 0, 100);
    sim_run(sim, P2_SECOND);
    CU_ASSERT_EQUAL(sim_drops(sim, 0, P2_DROP_NO_SA), 3);
    CU_ASSERT_EQUAL(ledger_outcome(sim_quick(sim, 0)), LEDGER_FAILED);
    sim_free(sim);
}

/* retry = 0: the packets that come after a failure are dropped and ask no more. */
static void traffic_does_not_ask_again_after_a_failure_without_retry(void)
{
    struct sim_options o = on_traffic(0);
    o.tunnel[0].retry = 0;
    o.tunnel[1].policy.pfs = P2_GROUP_2;
    struct sim *sim = sim_new(&o);
    for (int i = 0; i < 4; i++) {
        sim_send(sim, 0, 100);
        sim_run(sim, (i + 1) * P2_SECOND);
    }
    CU_ASSERT_EQUAL(ledger_outcome(sim_quick(sim, 0)), LEDGER_FAILED);
    CU_ASSERT_PTR_NULL(sim_quick(sim, 1));
    CU_ASSERT_EQUAL(sim_drops(sim, 0, P2_DROP_NO_SA), 4);
    sim_free(sim);
}

static void what_waits_at_the_end_is_freed(void)
{
    struct sim_options o = on_traffic(5);
    struct sim *sim = sim_new(&o);
    sim_send(sim, 0, 100);
    sim_run(sim, 10 * P2_MS);
    sim_free(sim); /* the sanitizers and valgrind look */
}

/* --- commit bit --- */

static struct sim_options committing(void)
{
    struct sim_options o = sim_defaults();
    o.tunnel[1].policy.commit_bit = true;
    return o;
}

static size_t count(const struct sim *sim, uint32_t message_id, uint8_t exchange_type)
{
    size_t n = 0;
    const struct sim_message *m;
    for (size_t i = 0; (m = sim_sent(sim, i)) != NULL; i++)
        n += m->message_id == message_id && m->exchange_type == exchange_type;
    return n;
}

/* The initiator is ready only when the fourth message has come: 40 ms after it began. */
static void with_the_commit_bit_the_initiator_waits_for_connected(void)
{
    struct sim_options o = committing();
    struct sim *sim = sim_new(&o);
    sim_run(sim, P2_SECOND);
    const struct ledger_entry *quick = sim_quick(sim, 0);
    CU_ASSERT_EQUAL(ledger_outcome(quick), LEDGER_ESTABLISHED);
    CU_ASSERT_EQUAL(quick->ready_at[0] - quick->started, 40 * P2_MS);
    CU_ASSERT_EQUAL(quick->ready_at[1] - quick->started, 30 * P2_MS);
    CU_ASSERT_EQUAL(count(sim, quick->id.message_id, P2_EXCHANGE_QUICK), 3);
    CU_ASSERT_EQUAL(count(sim, quick->id.message_id, P2_EXCHANGE_INFORMATIONAL), 1);
    CU_ASSERT_TRUE(sim_sadbs_equal(sim, 1));
    sim_send(sim, 0, 100);
    sim_send(sim, 1, 100);
    sim_run(sim, 2 * P2_SECOND);
    CU_ASSERT_EQUAL(sim_delivered(sim, 0) + sim_delivered(sim, 1), 2);
    sim_free(sim);
}

struct losses {
    uint64_t mask; /* of the messages of the first Quick Mode, CONNECTED included */
    unsigned n;
};

static bool lose_some(void *ctx, const struct sim_message *m)
{
    struct losses *losses = ctx;
    if (m->exchange_type == P2_EXCHANGE_MAIN)
        return false;
    return losses->n < 64 && losses->mask >> losses->n++ & 1;
}

static void every_single_and_double_loss_with_the_commit_bit_heals(void)
{
    for (unsigned a = 0; a < 8; a++) {
        for (unsigned b = a; b < 8; b++) {
            struct losses losses = {UINT64_C(1) << a | UINT64_C(1) << b, 0};
            struct sim_options o = committing();
            o.lose = lose_some;
            o.lose_ctx = &losses;
            struct sim *sim = sim_new(&o);
            sim_run(sim, 100 * P2_SECOND);
            CU_ASSERT_EQUAL(ledger_outcome(sim_quick(sim, 0)), LEDGER_ESTABLISHED);
            CU_ASSERT_TRUE(sim_sadbs_equal(sim, 1));
            sim_free(sim);
        }
    }
}

static bool lose_connected(void *ctx, const struct sim_message *m)
{
    (void)ctx;
    return m->exchange_type == P2_EXCHANGE_INFORMATIONAL;
}

/* The initiator takes its SA down and says so; nothing is left of it on either side. */
static void without_connected_the_negotiation_fails(void)
{
    struct sim_options o = committing();
    o.lose = lose_connected;
    struct sim *sim = sim_new(&o);
    sim_run(sim, 62 * P2_SECOND);
    sim_lose(sim, NULL, NULL);
    sim_run(sim, 200 * P2_SECOND);
    const struct ledger_entry *quick = sim_quick(sim, 0);
    CU_ASSERT_EQUAL(ledger_outcome(quick), LEDGER_FAILED);
    CU_ASSERT_EQUAL(quick->failure.failure, P2_FAIL_TIMEOUT);
    CU_ASSERT_STRING_EQUAL(quick->failure.field, "CONNECTED");
    CU_ASSERT_EQUAL(sim_num_pairs(sim, 0), 0);
    CU_ASSERT_EQUAL(sim_num_pairs(sim, 1), 0);
    sim_free(sim);
}

CHECK_MAIN("establish", {"the first packets wait", the_first_packets_wait},
           {"without room the first packets are dropped", without_room_the_first_packets_are_dropped},
           {"waiting packets are dropped when the negotiation fails",
            waiting_packets_are_dropped_when_the_negotiation_fails},
           {"traffic does not ask again after a failure without retry",
            traffic_does_not_ask_again_after_a_failure_without_retry},
           {"what waits at the end is freed", what_waits_at_the_end_is_freed},
           {"with the commit bit the initiator waits for CONNECTED",
            with_the_commit_bit_the_initiator_waits_for_connected},
           {"every single and double loss with the commit bit heals",
            every_single_and_double_loss_with_the_commit_bit_heals},
           {"without CONNECTED the negotiation fails", without_connected_the_negotiation_fails})
