/* Mishaps that a tunnel must come back from by itself: both ends at work at once, forgeries and replays,
 * full queues and pools, an ISAKMP SA that only one end has, limits that fall together. */
#include "sim/sim.h"

#include "cursor.h"
#include "isakmp.h"

#define HOUR (3600 * P2_SECOND)

static void both_are_idle(struct sim *sim)
{
    CU_ASSERT_EQUAL(p2_gateway_negotiations(host_gateway(sim_host(sim, 0))), 0);
    CU_ASSERT_EQUAL(p2_gateway_negotiations(host_gateway(sim_host(sim, 1))), 0);
}

/* Both sides send every 100 ms. Returns how many each has sent. */
static size_t chat(struct sim *sim, p2_time until)
{
    size_t sent = 0;
    for (; sim_now(sim) < until; sent++) {
        sim_send(sim, 0, 100);
        sim_send(sim, 1, 100);
        sim_run(sim, sim_now(sim) + P2_SECOND / 10);
    }
    return sent;
}

/* From now on neither side is ever without SAs, and somebody goes on rekeying. Looks every 10 s. */
static void stays_up(struct sim *sim, p2_time until)
{
    size_t rekeys = 0;
    p2_time began = sim_now(sim);
    while (sim_now(sim) < until) {
        sim_run(sim, sim_now(sim) + 10 * P2_SECOND);
        CU_ASSERT_TRUE_FATAL(sim_num_pairs(sim, 0) > 0 && sim_num_pairs(sim, 1) > 0);
    }
    const struct ledger_entry *quick;
    for (size_t n = 0; (quick = sim_quick(sim, n)) != NULL; n++) {
        if (quick->started >= began && quick->start == P2_START_SOFT_LIFETIME) {
            CU_ASSERT_EQUAL(ledger_outcome(quick), LEDGER_ESTABLISHED);
            rekeys++;
        }
    }
    CU_ASSERT_TRUE((p2_time)rekeys >= (until - began) / HOUR);
    CU_ASSERT_TRUE(sim_sadbs_equal(sim, sim_num_pairs(sim, 0)));
    sim_check_traffic(sim);
}

/* --- both at once --- */

/*     left                      right
 *       ---- rekey A, message 1 --->
 *       <--- rekey B, message 1 ----
 * Each end sees its own pair last, so each may think that it replaced the other's. */
static void simultaneous_rekeys_with_traffic_keep_a_pair(void)
{
    struct sim_options o = sim_defaults();
    struct sim *sim = sim_new(&o);
    sim_run(sim, P2_SECOND);
    sim_rekey(sim, 0);
    sim_rekey(sim, 1);
    size_t sent = chat(sim, 30 * P2_SECOND);
    CU_ASSERT_EQUAL(sim_delivered(sim, 0), sent);
    CU_ASSERT_EQUAL(sim_delivered(sim, 1), sent);
    stays_up(sim, 3 * HOUR);
    sim_free(sim);
}

/* Nobody's packet confirms either pair, and yet one of them must be rekeyed in time. */
static void simultaneous_rekeys_without_traffic_keep_a_pair(void)
{
    struct sim_options o = sim_defaults();
    struct sim *sim = sim_new(&o);
    sim_run(sim, P2_SECOND);
    sim_rekey(sim, 0);
    sim_rekey(sim, 1);
    sim_run(sim, 10 * P2_SECOND);
    stays_up(sim, 3 * HOUR);
    sim_free(sim);
}

static void both_sides_may_start_at_once(void)
{
    struct sim_options o = sim_defaults();
    o.tunnel[1].establish = P2_ESTABLISH_IMMEDIATELY;
    o.tunnel[0].retry = o.tunnel[1].retry = 10 * P2_SECOND;
    struct sim *sim = sim_new(&o);
    sim_run(sim, P2_SECOND);
    size_t sent = chat(sim, 30 * P2_SECOND);
    CU_ASSERT_EQUAL(sim_delivered(sim, 0), sent);
    CU_ASSERT_EQUAL(sim_delivered(sim, 1), sent);
    stays_up(sim, 3 * HOUR);
    sim_free(sim);
}

/* --- attackers --- */

static const struct sim_message *first_quick_message(struct sim *sim)
{
    size_t i = 0;
    while (sim_sent(sim, i) && sim_sent(sim, i)->exchange_type != P2_EXCHANGE_QUICK)
        i++;
    CU_ASSERT_PTR_NOT_NULL_FATAL(sim_sent(sim, i));
    return sim_sent(sim, i);
}

/* Message 1 is lost, and before it is sent again something comes under its message ID that does not verify.
 */
static void one_forged_answer_does_not_end_resending(void)
{
    uint8_t forged[2048];
    struct sim_options o = sim_defaults();
    o.lose_quick = 1;
    struct sim *sim = sim_new(&o);
    sim_run(sim, 500 * P2_MS);
    const struct sim_message *first = first_quick_message(sim);
    memcpy(forged, first->bytes, first->len);
    forged[first->len - 1] ^= 1;
    sim_inject_ike(sim, 0, forged, first->len);
    sim_run(sim, 10 * P2_SECOND);
    CU_ASSERT_EQUAL(sim_drops(sim, 0, P2_DROP_HASH_MISMATCH), 1);
    CU_ASSERT_EQUAL(ledger_outcome(sim_quick(sim, 0)), LEDGER_ESTABLISHED);
    CU_ASSERT_EQUAL(sim_quick(sim, 0)->resent, 1);
    CU_ASSERT_TRUE(sim_sadbs_equal(sim, 1));
    sim_free(sim);
}

/* An attacker kept the message that was lost and brings it later: the negotiation is sound, but where its
 * time went cannot be told. */
static void a_replayed_copy_of_a_lost_message_leaves_no_split(void)
{
    struct cause_split split;
    struct sim_options o = sim_defaults();
    o.lose_quick = 1;
    struct sim *sim = sim_new(&o);
    sim_run(sim, 500 * P2_MS);
    const struct sim_message *first = first_quick_message(sim);
    p2_time sent_at = first->at;
    sim_inject_ike(sim, 1, first->bytes, first->len);
    sim_run(sim, 20 * P2_SECOND);
    CU_ASSERT_EQUAL_FATAL(ledger_outcome(sim_quick(sim, 0)), LEDGER_ESTABLISHED);
    CU_ASSERT_EQUAL(ledger_latency(sim_quick(sim, 0), sim_causes(sim), &split),
                    500 * P2_MS + 20 * P2_MS - sent_at); /* messages 2 and 3 crossed the network */
    CU_ASSERT_EQUAL(split.network, -1);
    CU_ASSERT_EQUAL(split.cpu, -1);
    CU_ASSERT_EQUAL(split.cpu_wait, -1);
    CU_ASSERT_EQUAL(split.retransmission_wait, -1);
    sim_free(sim);
}

/* --- limits and timers --- */

/* The right side's hard limit comes first, since its SAs were there first; its DELETE reaches the left side
 * just before that one's own limit. */
static void a_delete_just_before_our_hard_limit_brings_a_new_pair(void)
{
    struct sim_options o = sim_defaults();
    o.delay[1] = 5 * P2_MS;
    o.tunnel[0].retry = 10 * P2_SECOND;
    for (int side = 0; side < 2; side++) {
        o.tunnel[side].policy.lifetime_s = 20;
        o.tunnel[side].policy.soft_permille = 1000; /* no rekey ahead of the hard limit */
        o.tunnel[side].policy.fuzz_permille = 0;
    }
    struct sim *sim = sim_new(&o);
    for (int lifetime = 0; lifetime < 10; lifetime++) {
        sim_run(sim, (20 * lifetime + 10) * P2_SECOND);
        CU_ASSERT_TRUE(sim_sadbs_equal(sim, 1));
        sim_check_traffic(sim);
    }
    sim_free(sim);
}

static bool lose_everything(void *ctx, const struct sim_message *m)
{
    (void)ctx, (void)m;
    return true;
}

/* 1 s times 10 to the 100th is out of the range of time; the waits between two copies stop growing. */
static void a_hundred_tries_with_backoff_10_do_not_overflow(void)
{
    struct sim_options o = sim_defaults();
    for (int side = 0; side < 2; side++)
        o.peer[side].phase1.retransmission = (struct p2_retransmission){P2_SECOND, 10000, 100};
    o.lose = lose_everything;
    struct sim *sim = sim_new(&o);
    sim_run(sim, 1000 * HOUR);
    size_t copies = 0;
    p2_time last = 0, longest = 0;
    for (; sim_sent(sim, copies); copies++) {
        p2_time wait = sim_sent(sim, copies)->at - last;
        CU_ASSERT_TRUE(wait >= 0);
        longest = wait > longest ? wait : longest;
        last = sim_sent(sim, copies)->at;
    }
    CU_ASSERT_EQUAL(copies, 101);
    CU_ASSERT_EQUAL(longest, HOUR);
    both_are_idle(sim);
    sim_free(sim);

    o.lose = NULL;
    sim = sim_new(&o);
    sim_run(sim, 10 * P2_SECOND);
    CU_ASSERT_TRUE(sim_sadbs_equal(sim, 1));
    sim_free(sim);
}

/* The ISAKMP SA's 20 s are over while message 3 is lost and message 2 waits to be sent again: the responder
 * may not forget what the initiator already counts on. */
static void an_isakmp_sa_that_expires_during_a_quick_mode_lets_it_finish(void)
{
    struct sim_options o = sim_defaults();
    o.peer[0].phase1.lifetime_s = o.peer[1].phase1.lifetime_s = 20;
    o.lose_quick = 1 << 5; /* the first Quick Mode is 0 to 2 */
    struct sim *sim = sim_new(&o);
    sim_run(sim, 19500 * P2_MS);
    sim_rekey(sim, 0);
    sim_run(sim, 25 * P2_SECOND);
    CU_ASSERT_PTR_NOT_NULL_FATAL(sim_quick(sim, 1));
    CU_ASSERT_TRUE(sim_quick(sim, 1)->started < 20 * P2_SECOND);
    CU_ASSERT_TRUE(sim_quick(sim, 1)->ready_at[1] > 20 * P2_SECOND);
    CU_ASSERT_EQUAL(ledger_outcome(sim_quick(sim, 1)), LEDGER_ESTABLISHED);
    CU_ASSERT_TRUE(sim_sadbs_equal(sim, 2));
    sim_check_traffic(sim);
    sim_free(sim);
}

/* Message 6 is the only encrypted one of main mode that comes from the right. */
static bool is_message_6(void *ctx, const struct sim_message *m)
{
    (void)ctx;
    return m->exchange_type == P2_EXCHANGE_MAIN && m->from == 1 && m->bytes[19] & P2_FLAG_ENCRYPTED;
}

/* The responder has an ISAKMP SA that the initiator gave up. When it is its turn to start it gets no answer
 * under that one and must begin with Phase 1. */
static void an_isakmp_sa_that_only_the_responder_has_is_renegotiated(void)
{
    struct sim_options o = sim_defaults();
    o.tunnel[0].establish = P2_ESTABLISH_ON_TRAFFIC;
    o.tunnel[1].retry = 10 * P2_SECOND;
    o.lose = is_message_6;
    struct sim *sim = sim_new(&o);
    sim_run(sim, P2_SECOND);
    sim_send(sim, 0, 100);
    sim_run(sim, 200 * P2_SECOND);
    CU_ASSERT_EQUAL(sim_num_pairs(sim, 0) + sim_num_pairs(sim, 1), 0);
    sim_lose(sim, NULL, NULL);
    sim_rekey(sim, 1);
    sim_run(sim, 400 * P2_SECOND);
    CU_ASSERT_TRUE(sim_sadbs_equal(sim, 1));
    sim_check_traffic(sim);
    sim_free(sim);
}

/* --- refusals --- */

/* The right side lacks the left's first tunnel (its two are 1 and 2 of the left's numbering). The first
 * message of the good one is lost, so that the refusal of the other comes while both wait for an answer; it
 * does not say which it means. */
static void a_refusal_does_not_end_the_wrong_quick_mode(void)
{
    struct sim_options o = sim_defaults();
    o.num_tunnels = 2;
    o.tunnel[1].local.address = p2_address_v4(0x0a020100);
    o.tunnel[1].remote.address = p2_address_v4(0x0a010100);
    o.lose_quick = 1;
    struct sim *sim = sim_new(&o);
    sim_run(sim, 100 * P2_SECOND);
    size_t num[LEDGER_FAILED + 1] = {0};
    const struct ledger_entry *quick;
    for (size_t n = 0; (quick = sim_quick(sim, n)) != NULL; n++) {
        num[ledger_outcome(quick)]++;
        if (ledger_outcome(quick) == LEDGER_FAILED)
            CU_ASSERT_EQUAL(quick->failure.failure, P2_FAIL_INVALID_ID_INFORMATION);
    }
    CU_ASSERT_EQUAL(num[LEDGER_ESTABLISHED], 1);
    CU_ASSERT_EQUAL(num[LEDGER_FAILED], 1);
    CU_ASSERT_TRUE(sim_sadbs_equal(sim, 1));
    both_are_idle(sim);
    sim_free(sim);
}

static void make_profile(struct profile *profile)
{
    memset(profile, 0, sizeof(*profile));
    profile->scale = 1;
    for (unsigned op = 0; op < P2_NUM_OPERATIONS; op++) {
        for (unsigned a = 0; a < P2_MAX_ALGORITHMS; a++)
            profile->prices[op][a] = (struct profile_price){true, 1000 * P2_MS, 1000};
    }
}

/* Three data packets fill a CPU with one core and one place in its queue, so the rekey's first job, before
 * any message was sent, finds no room. */
static void a_refused_first_job_is_tried_again(void)
{
    struct profile profile;
    struct cause_split split;
    make_profile(&profile);
    struct sim_options o = sim_defaults();
    o.profile[0] = o.profile[1] = &profile;
    o.tunnel[0].policy.pfs = o.tunnel[1].policy.pfs = P2_GROUP_2;
    o.queue = 1;
    o.defer_ipsec = true;
    struct sim *sim = sim_new(&o);
    sim_run(sim, 5 * P2_SECOND);
    for (int i = 0; i < 3; i++)
        sim_send(sim, 0, 1000);
    sim_rekey(sim, 0);
    CU_ASSERT_TRUE(sim_drops(sim, 0, P2_DROP_CPU_QUEUE_FULL) >= 2); /* a packet and the rekey */
    sim_run(sim, 20 * P2_SECOND);
    CU_ASSERT_PTR_NOT_NULL_FATAL(sim_quick(sim, 1));
    CU_ASSERT_EQUAL_FATAL(ledger_outcome(sim_quick(sim, 1)), LEDGER_ESTABLISHED);
    p2_time latency = ledger_latency(sim_quick(sim, 1), sim_causes(sim), &split);
    CU_ASSERT_EQUAL(split.retransmission_wait, o.peer[0].phase1.retransmission.first);
    CU_ASSERT_EQUAL(split.network, 30 * P2_MS);
    CU_ASSERT_EQUAL(latency, split.network + split.cpu + split.cpu_wait + split.retransmission_wait);
    sim_free(sim);
}

/* --- two bare gateways: the test itself is the host, and refuses jobs or floods as it likes --- */

struct bare {
    struct sim_options options;
    struct p2_gateway *gw[2];
    struct test_random random[2];
    p2_time now;
    int refuse_side;
    size_t refuse, num_jobs[2]; /* the refuse-th job of that side is refused */
};

static void bare_init(struct bare *b, const struct sim_options *options)
{
    *b = (struct bare){.options = *options, .random = {{1}, {2}}, .refuse_side = -1};
    for (int side = 0; side < 2; side++) {
        struct p2_gateway_config config = {&options->peer[side], 1, &options->tunnel[side], 1, false};
        CU_ASSERT_EQUAL_FATAL(p2_gateway_new(&b->gw[side], &config, test_random(&b->random[side])), P2_OK);
    }
}

static void bare_cleanup(struct bare *b)
{
    p2_gateway_free(b->gw[0]);
    p2_gateway_free(b->gw[1]);
}

struct outbox { /* what one call wants done; its bytes must outlive the next call */
    size_t num_messages, num_jobs;
    uint8_t messages[8][2048];
    size_t len[8];
    uint64_t jobs[8];
};

static void drain(struct bare *b, int side, struct outbox *out)
{
    struct p2_action action;
    out->num_messages = out->num_jobs = 0;
    while (p2_gateway_next_action(b->gw[side], &action)) {
        const struct p2_datagram *d = &action.u.send_ike.datagram;
        if (action.type == P2_ACTION_SEND_IKE && out->num_messages < 8) {
            memcpy(out->messages[out->num_messages], d->data, d->len);
            out->len[out->num_messages++] = d->len;
        } else if (action.type == P2_ACTION_COMPUTE && out->num_jobs < 8) {
            out->jobs[out->num_jobs++] = action.u.compute.job;
        }
    }
}

static int bare_receive(struct bare *b, int to, const uint8_t *bytes, size_t len)
{
    const struct p2_peer_config *peer = &b->options.peer[to];
    struct p2_datagram d = {peer->remote, peer->local, 500, 500, bytes, len};
    return p2_gateway_receive_ike(b->gw[to], b->now, 1, &d);
}

/* Carries out what a call wanted, and what comes of that: a network and a CPU that take no time. */
static void settle(struct bare *b, int side)
{
    struct outbox out;
    drain(b, side, &out);
    for (size_t i = 0; i < out.num_jobs; i++) {
        bool refuse = side == b->refuse_side && b->num_jobs[side]++ == b->refuse;
        int r = refuse ? p2_gateway_refuse_job(b->gw[side], b->now, 1, out.jobs[i])
                       : p2_gateway_finish_job(b->gw[side], b->now, 1, out.jobs[i]);
        CU_ASSERT_EQUAL_FATAL(r, P2_OK);
        settle(b, side);
    }
    for (size_t i = 0; i < out.num_messages; i++) {
        CU_ASSERT_EQUAL_FATAL(bare_receive(b, !side, out.messages[i], out.len[i]), P2_OK);
        settle(b, !side);
    }
}

static void bare_run(struct bare *b, p2_time until)
{
    for (;;) {
        p2_time next[2] = {p2_gateway_next_timeout(b->gw[0]), p2_gateway_next_timeout(b->gw[1])};
        int side = next[1] < next[0];
        if (next[side] > until)
            break;
        b->now = next[side] > b->now ? next[side] : b->now;
        CU_ASSERT_EQUAL_FATAL(p2_gateway_tick(b->gw[side], b->now, 1), P2_OK);
        settle(b, side);
    }
    b->now = until;
}

static bool bare_is_up(const struct bare *b)
{
    struct p2_sa_info info;
    return p2_gateway_sa_at(b->gw[0], 1, &info) && p2_gateway_sa_at(b->gw[1], 1, &info) &&
           p2_gateway_negotiations(b->gw[0]) == 0 && p2_gateway_negotiations(b->gw[1]) == 0;
}

/* Whichever job of either side finds no room, first stages and second ones of both phases: the message will
 * come once more. */
static void any_refused_job_is_recovered_from(void)
{
    for (int side = 0; side < 2; side++) {
        size_t n = 0;
        for (bool refused = true; refused; n++) {
            struct bare b;
            struct sim_options o = sim_defaults();
            o.tunnel[0].policy.pfs = o.tunnel[1].policy.pfs = P2_GROUP_2;
            o.tunnel[0].retry = 5 * P2_SECOND;
            bare_init(&b, &o);
            b.refuse_side = side;
            b.refuse = n;
            bare_run(&b, 200 * P2_SECOND);
            refused = b.num_jobs[side] > n;
            bool up = bare_is_up(&b);
            if (!up)
                printf("\n      side %d, job %zu\n", side, n);
            CU_ASSERT_TRUE(up);
            bare_cleanup(&b);
        }
        CU_ASSERT_TRUE(n > 6); /* main mode alone has three for each side */
    }
}

/* More first messages than a gateway keeps exchanges, each under a new cookie and none of them to be
 * continued; then it wants to start itself. It fails for once, without an error, and tries again. */
static void an_exhausted_pool_recovers(void)
{
    struct bare b;
    struct outbox out;
    struct p2_action action;
    struct sim_options o = sim_defaults();
    o.tunnel[0].retry = 5 * P2_SECOND;
    for (int side = 0; side < 2; side++) /* so that the flood's exchanges end soon and without many resends */
        o.peer[side].phase1.retransmission = (struct p2_retransmission){P2_SECOND, 1000, 1};
    bare_init(&b, &o);
    CU_ASSERT_EQUAL_FATAL(p2_gateway_rekey(b.gw[1], 0, 1, 0), P2_OK);
    drain(&b, 1, &out);
    CU_ASSERT_EQUAL_FATAL(out.num_messages, 1);
    size_t refused = 0;
    for (uint32_t i = 1; i <= 66000; i++) {
        p2_put_u32(out.messages[0], i);
        CU_ASSERT_EQUAL_FATAL(bare_receive(&b, 0, out.messages[0], out.len[0]), P2_OK);
        while (p2_gateway_next_action(b.gw[0], &action))
            refused += action.type == P2_ACTION_DROP && action.u.drop.reason == P2_DROP_POOL_EXHAUSTED;
    }
    CU_ASSERT_TRUE(refused > 0);
    CU_ASSERT_EQUAL(p2_gateway_tick(b.gw[0], 0, 1), P2_OK); /* its own start */
    settle(&b, 0);
    bare_run(&b, 60 * P2_SECOND);
    CU_ASSERT_TRUE(bare_is_up(&b));
    bare_cleanup(&b);
}

CHECK_MAIN(
    "recovery",
    {"simultaneous rekeys with traffic keep a pair", simultaneous_rekeys_with_traffic_keep_a_pair},
    {"simultaneous rekeys without traffic keep a pair", simultaneous_rekeys_without_traffic_keep_a_pair},
    {"both sides may start at once", both_sides_may_start_at_once},
    {"one forged answer does not end resending", one_forged_answer_does_not_end_resending},
    {"a replayed copy of a lost message leaves no split", a_replayed_copy_of_a_lost_message_leaves_no_split},
    {"a DELETE just before our hard limit brings a new pair",
     a_delete_just_before_our_hard_limit_brings_a_new_pair},
    {"a hundred tries with backoff 10 do not overflow", a_hundred_tries_with_backoff_10_do_not_overflow},
    {"an ISAKMP SA that expires during a Quick Mode lets it finish",
     an_isakmp_sa_that_expires_during_a_quick_mode_lets_it_finish},
    {"an ISAKMP SA that only the responder has is renegotiated",
     an_isakmp_sa_that_only_the_responder_has_is_renegotiated},
    {"a refusal does not end the wrong Quick Mode", a_refusal_does_not_end_the_wrong_quick_mode},
    {"a refused first job is tried again", a_refused_first_job_is_tried_again},
    {"any refused job is recovered from", any_refused_job_is_recovered_from},
    {"an exhausted pool recovers", an_exhausted_pool_recovers})
