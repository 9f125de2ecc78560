/* A host that forgets everything: what becomes of the work that waited, of timers, and of its peer. */
#include "sim/sim.h"

/* HMACs of 1 ms, all else is free; preset Phase 1; ESP packets are jobs. */
static struct sim *established(struct profile *profile)
{
    struct sim_options o = sim_defaults();
    *profile = (struct profile){.name = "by hand", .scale = 1};
    for (size_t op = 0; op < P2_NUM_OPERATIONS; op++) {
        for (size_t a = 0; a < P2_MAX_ALGORITHMS; a++)
            profile->prices[op][a] = (struct profile_price){true, op == P2_OP_HMAC ? P2_MS * 1000 : 0, 0};
    }
    for (int i = 0; i < 2; i++) {
        o.peer[i].phase1.mode = P2_PHASE1_PRESET;
        o.profile[i] = profile;
    }
    o.defer_ipsec = true;
    struct sim *sim = sim_new(&o);
    sim_run(sim, P2_SECOND);
    CU_ASSERT_TRUE(sim_sadbs_equal(sim, 1));
    return sim;
}

/* One is being sealed and two wait. The one begun 0.5 ms ago is charged for that and no more. */
static void waiting_work_is_dropped_and_not_charged(void)
{
    struct profile profile;
    struct sim *sim = established(&profile);
    struct host *left = sim_host(sim, 0);
    p2_time busy = host_cpu(left)->busy;
    for (int i = 0; i < 3; i++)
        sim_send(sim, 0, 100);
    CU_ASSERT_EQUAL(host_cpu(left)->queue_len, 2);
    sim_run(sim, P2_SECOND + P2_MS / 2);
    CU_ASSERT_EQUAL(host_restart(left, sim_now(sim)), P2_OK);
    CU_ASSERT_EQUAL(sim_drops(sim, 0, P2_DROP_NO_SA), 3);
    CU_ASSERT_EQUAL(sim_drops(sim, 0, P2_DROP_CPU_QUEUE_FULL), 0);
    CU_ASSERT_EQUAL(host_cpu(left)->queue_len, 0);
    CU_ASSERT_EQUAL(host_cpu(left)->busy - busy, P2_MS / 2);
    sim_run(sim, P2_SECOND + 10 * P2_MS);
    CU_ASSERT_EQUAL(sim_delivered(sim, 1), 0);
    sim_free(sim);
}

static void an_ike_message_in_work_is_dropped(void)
{
    struct profile profile;
    struct sim *sim = established(&profile);
    sim_rekey(sim, 1); /* its message 1 takes 1 ms to make and 7 or 10 to arrive; then it is being verified */
    for (int i = 0; i < 100 && host_cpu(sim_host(sim, 0))->running[0].job == 0; i++)
        sim_run(sim, sim_now(sim) + P2_MS / 4);
    CU_ASSERT_NOT_EQUAL_FATAL(host_cpu(sim_host(sim, 0))->running[0].job, 0);
    CU_ASSERT_EQUAL(host_restart(sim_host(sim, 0), sim_now(sim)), P2_OK);
    CU_ASSERT_EQUAL(sim_drops(sim, 0, P2_DROP_UNKNOWN_COOKIE), 1);
    CU_ASSERT_EQUAL(host_cpu(sim_host(sim, 0))->running[0].job, 0);
    sim_free(sim);
}

/* No SA and no timer is left of before; the tunnel comes up again, with other SPIs, since the random stream
 * goes on. */
static void it_begins_anew(void)
{
    struct profile profile;
    struct p2_sa_info before, after;
    struct sim *sim = established(&profile);
    struct host *left = sim_host(sim, 0);
    CU_ASSERT_TRUE(p2_gateway_sa_at(host_gateway(left), 0, &before));
    const struct ledger_entry *first = sim_quick(sim, 0);
    CU_ASSERT_EQUAL(host_restart(left, sim_now(sim)), P2_OK);
    CU_ASSERT_FALSE(p2_gateway_sa_at(host_gateway(left), 0, &after));
    CU_ASSERT_EQUAL(p2_gateway_negotiations(host_gateway(left)), 0);
    CU_ASSERT_TRUE(host_next_timeout(left) <= sim_now(sim)); /* the tunnel is to come up at once */

    sim_run(sim, 2 * P2_SECOND);
    CU_ASSERT_TRUE_FATAL(p2_gateway_sa_at(host_gateway(left), 0, &after));
    CU_ASSERT_NOT_EQUAL(after.spi, before.spi);
    CU_ASSERT_EQUAL(sim_num_pairs(sim, 0), 1);
    CU_ASSERT_PTR_NOT_NULL_FATAL(sim_quick(sim, 1));
    CU_ASSERT_EQUAL(ledger_outcome(sim_quick(sim, 1)), LEDGER_ESTABLISHED);
    CU_ASSERT_STRING_EQUAL(first->tunnel, sim_quick(sim, 1)->tunnel); /* the old names are still there */
    sim_send(sim, 0, 100);
    sim_send(sim, 1, 100);
    sim_run(sim, 3 * P2_SECOND);
    CU_ASSERT_EQUAL(sim_delivered(sim, 0), 1);
    CU_ASSERT_EQUAL(sim_delivered(sim, 1), 1);
    sim_free(sim);
}

/* An attacker's copy of the first message that ever was: who has forgotten all takes it for a new one and
 * answers. The negotiation that it is a copy of stays what it was. */
static void a_copied_first_message_changes_no_outcome(void)
{
    struct sim_options o = sim_defaults();
    struct sim *sim = sim_new(&o);
    sim_run(sim, 10 * P2_SECOND);
    const struct sim_message *first = sim_sent(sim, 0);
    CU_ASSERT_PTR_NOT_NULL_FATAL(first);
    CU_ASSERT_EQUAL_FATAL(first->from, 0);
    CU_ASSERT_EQUAL(ledger_outcome(sim_phase1(sim, 0)), LEDGER_ESTABLISHED);
    CU_ASSERT_EQUAL(host_restart(sim_host(sim, 1), sim_now(sim)), P2_OK);
    struct p2_datagram d = {o.peer[1].remote, o.peer[1].local, 500, 500, first->bytes, first->len};
    CU_ASSERT_EQUAL(host_receive_ike(sim_host(sim, 1), sim_now(sim), &d, HOST_INJECTED | 5), P2_OK);
    CU_ASSERT_EQUAL(p2_gateway_negotiations(host_gateway(sim_host(sim, 1))), 1);
    sim_run(sim, 200 * P2_SECOND); /* it gives up */
    CU_ASSERT_EQUAL(p2_gateway_negotiations(host_gateway(sim_host(sim, 1))), 0);
    CU_ASSERT_EQUAL(ledger_outcome(sim_phase1(sim, 0)), LEDGER_ESTABLISHED);
    CU_ASSERT_PTR_NULL(sim_phase1(sim, 1));
    sim_free(sim);
}

CHECK_MAIN("restart", {"waiting work is dropped and not charged", waiting_work_is_dropped_and_not_charged},
           {"an IKE message in work is dropped", an_ike_message_in_work_is_dropped},
           {"it begins anew", it_begins_anew},
           {"a copied first message changes no outcome", a_copied_first_message_changes_no_outcome})
