/* Two cores in virtual time: Quick Modes with every group, every single and double loss, refusals, rekeys,
 * and what stands in the two databases afterwards. */
#include "sim/sim.h"

#include "isakmp.h"

#define SETTLE (100 * P2_SECOND) /* longer than all resends and the lingering of a finished exchange */

static void establishes_with_every_group(void)
{
    const enum p2_group groups[] = {P2_GROUP_NONE, P2_GROUP_1,  P2_GROUP_2,
                                    P2_GROUP_5,    P2_GROUP_14, P2_GROUP_19};
    for (size_t i = 0; i < sizeof(groups) / sizeof(groups[0]); i++) {
        struct sim_options o = sim_defaults();
        o.tunnel[0].policy.pfs = o.tunnel[1].policy.pfs = groups[i];
        struct sim *sim = sim_new(&o);
        sim_run(sim, P2_SECOND);
        CU_ASSERT_TRUE(sim_sadbs_equal(sim, 1));
        CU_ASSERT_EQUAL(sim_quick(sim, 0)->group, groups[i]);
        sim_send(sim, 0, 100);
        sim_send(sim, 1, 1400);
        sim_run(sim, 2 * P2_SECOND);
        CU_ASSERT_EQUAL(sim_delivered(sim, 0), 1);
        CU_ASSERT_EQUAL(sim_delivered(sim, 1), 1);
        sim_free(sim);
    }
}

static void establishes_with_every_suite(void)
{
    const enum p2_cipher ciphers[] = {P2_CIPHER_3DES_CBC, P2_CIPHER_AES128_CBC, P2_CIPHER_AES192_CBC,
                                      P2_CIPHER_AES256_CBC};
    for (size_t i = 0; i < 16; i++) {
        struct sim_options o = sim_defaults();
        for (int side = 0; side < 2; side++) {
            o.tunnel[side].policy.proposals[0] = p2_proposal_of(
                P2_PROTO_ESP, ciphers[i % 4], i / 4 % 2 ? P2_AUTH_HMAC_SHA256_128 : P2_AUTH_HMAC_SHA1_96);
            o.peer[side].phase1.cipher = ciphers[(i + 1) % 4];
            o.peer[side].phase1.hash = i / 8 ? P2_HASH_SHA256 : P2_HASH_SHA1;
        }
        struct sim *sim = sim_new(&o);
        sim_run(sim, P2_SECOND);
        CU_ASSERT_TRUE(sim_sadbs_equal(sim, 1));
        sim_send(sim, 0, 333);
        sim_run(sim, 2 * P2_SECOND);
        CU_ASSERT_EQUAL(sim_delivered(sim, 1), 1);
        sim_free(sim);
    }
}

static void preset_needs_no_phase_1(void)
{
    struct sim_options o = sim_defaults();
    o.peer[0].phase1.mode = o.peer[1].phase1.mode = P2_PHASE1_PRESET;
    struct sim *sim = sim_new(&o);
    sim_run(sim, P2_SECOND);
    CU_ASSERT_TRUE(sim_sadbs_equal(sim, 1));
    for (size_t i = 0; sim_sent(sim, i); i++)
        CU_ASSERT_EQUAL(sim_sent(sim, i)->exchange_type, P2_EXCHANGE_QUICK);
    sim_free(sim);
}

/* --- losses --- */

static void survives(uint64_t lose_quick, uint64_t lose_main)
{
    struct sim_options o = sim_defaults();
    o.lose_quick = lose_quick;
    o.lose_main = lose_main;
    struct sim *sim = sim_new(&o);
    sim_run(sim, SETTLE);
    const struct ledger_entry *quick = sim_quick(sim, 0);
    bool good =
        quick && ledger_outcome(quick) == LEDGER_ESTABLISHED && sim_sadbs_equal(sim, 1) && !sim_quick(sim, 1);
    if (!good)
        printf("\n      quick mask %#llx, main mask %#llx\n", (unsigned long long)lose_quick,
               (unsigned long long)lose_main);
    CU_ASSERT_TRUE(good);
    CU_ASSERT_EQUAL(p2_gateway_negotiations(host_gateway(sim_host(sim, 0))), 0);
    CU_ASSERT_EQUAL(p2_gateway_negotiations(host_gateway(sim_host(sim, 1))), 0);
    sim_free(sim);
}

/* Twelve datagrams cover the three messages and enough of their resends that later losses fall on nothing
 * new. */
static void every_single_and_double_loss_of_quick_mode_ends_established(void)
{
    for (unsigned i = 0; i < 12; i++) {
        for (unsigned j = i; j < 12; j++)
            survives(UINT64_C(1) << i | UINT64_C(1) << j, 0);
    }
}

static void every_single_and_double_loss_of_main_mode_ends_established(void)
{
    for (unsigned i = 0; i < 14; i++) {
        for (unsigned j = i; j < 14; j++)
            survives(0, UINT64_C(1) << i | UINT64_C(1) << j);
    }
}

struct lost_message { /* all copies of one of the three messages */
    unsigned number;
};

/* From the left come message 1 and then message 3; they differ in length, and only 1 is longer than 100
 * bytes. */
static bool is_the_message(void *ctx, const struct sim_message *m)
{
    const struct lost_message *lost = ctx;
    if (m->exchange_type != P2_EXCHANGE_QUICK)
        return false;
    unsigned number = m->from == 1 ? 2 : m->len > 100 ? 1 : 3;
    return number == lost->number;
}

static void only_the_loss_of_all_copies_fails_and_leaves_nothing(void)
{
    for (unsigned number = 1; number <= 3; number++) {
        struct lost_message lost = {.number = number};
        struct sim_options o = sim_defaults();
        o.lose = is_the_message;
        o.lose_ctx = &lost;
        struct sim *sim = sim_new(&o);
        sim_run(sim, SETTLE);
        const struct ledger_entry *quick = sim_quick(sim, 0);
        CU_ASSERT_EQUAL(ledger_outcome(quick), LEDGER_FAILED);
        CU_ASSERT_EQUAL(quick->failure.failure, P2_FAIL_TIMEOUT);
        CU_ASSERT_STRING_EQUAL(quick->failure.field, number == 3 ? "message 3" : "message 2");
        CU_ASSERT_EQUAL(sim_num_pairs(sim, 0), 0);
        CU_ASSERT_EQUAL(sim_num_pairs(sim, 1), 0);
        size_t copies = 0;
        for (size_t i = 0; sim_sent(sim, i); i++)
            copies += is_the_message(&lost, sim_sent(sim, i));
        CU_ASSERT_TRUE(copies >= 6);
        sim_free(sim);
    }
}

static void resends_are_identical_and_in_time(void)
{
    struct lost_message lost = {.number = 1};
    struct sim_options o = sim_defaults();
    o.lose = is_the_message;
    o.lose_ctx = &lost;
    struct sim *sim = sim_new(&o);
    sim_run(sim, SETTLE);
    const struct sim_message *first = NULL;
    p2_time expected = 0, interval = P2_SECOND;
    unsigned copies = 0;
    for (size_t i = 0; sim_sent(sim, i); i++) {
        const struct sim_message *m = sim_sent(sim, i);
        if (!is_the_message(&lost, m))
            continue;
        if (!first) {
            first = m;
            expected = m->at;
        }
        CU_ASSERT_EQUAL(m->at, expected);
        CU_ASSERT_EQUAL(m->len, first->len);
        CU_ASSERT_EQUAL(memcmp(m->bytes, first->bytes, m->len), 0);
        expected += interval;
        interval *= 2;
        copies++;
    }
    CU_ASSERT_EQUAL(copies, 6);
    sim_free(sim);
}

/* --- refusals --- */

static const struct ledger_entry *run_refused(struct sim **sim, const struct sim_options *o)
{
    *sim = sim_new(o);
    sim_run(*sim, SETTLE);
    CU_ASSERT_EQUAL(sim_num_pairs(*sim, 0), 0);
    CU_ASSERT_EQUAL(sim_num_pairs(*sim, 1), 0);
    const struct ledger_entry *quick = sim_quick(*sim, 0);
    CU_ASSERT_PTR_NOT_NULL_FATAL(quick);
    CU_ASSERT_TRUE(quick->failed[0] && quick->failed[1]);
    CU_ASSERT_EQUAL(ledger_outcome(quick), LEDGER_FAILED);
    return quick;
}

static void pfs_mismatch_names_both_groups(void)
{
    struct sim *sim;
    struct sim_options o = sim_defaults();
    o.tunnel[0].policy.pfs = P2_GROUP_2;
    o.tunnel[1].policy.pfs = P2_GROUP_14;
    const struct ledger_entry *quick = run_refused(&sim, &o);
    CU_ASSERT_EQUAL(quick->failure.failure, P2_FAIL_NO_PROPOSAL_CHOSEN);
    CU_ASSERT_EQUAL(quick->failure.notify, 14);
    CU_ASSERT_STRING_EQUAL(quick->failure.field, "pfs-group");
    CU_ASSERT_STRING_EQUAL(quick->failure.offered, "group2");
    CU_ASSERT_STRING_EQUAL(quick->failure.acceptable, "group14");
    sim_free(sim);
}

static void proposal_mismatch_names_the_field(void)
{
    struct sim *sim;
    struct sim_options o = sim_defaults();
    o.tunnel[1].policy.proposals[0].protocols[0].alternatives[0].cipher = P2_CIPHER_AES256_CBC;
    const struct ledger_entry *quick = run_refused(&sim, &o);
    CU_ASSERT_EQUAL(quick->failure.failure, P2_FAIL_NO_PROPOSAL_CHOSEN);
    CU_ASSERT_STRING_EQUAL(quick->failure.field, "encryption");
    CU_ASSERT_STRING_EQUAL(quick->failure.offered, "aes-128-cbc");
    CU_ASSERT_STRING_EQUAL(quick->failure.acceptable, "aes-256-cbc");
    sim_free(sim);
}

static void proxy_id_mismatch_names_both_pairs(void)
{
    struct sim *sim;
    struct sim_options o = sim_defaults();
    o.tunnel[1].remote.prefix_len = 16;
    const struct ledger_entry *quick = run_refused(&sim, &o);
    CU_ASSERT_EQUAL(quick->failure.failure, P2_FAIL_INVALID_ID_INFORMATION);
    CU_ASSERT_EQUAL(quick->failure.notify, 18);
    CU_ASSERT_STRING_EQUAL(quick->failure.offered, "10.1.0.0/24 to 10.2.0.0/24");
    CU_ASSERT_STRING_EQUAL(quick->failure.acceptable, "10.1.0.0/16 to 10.2.0.0/24");
    sim_free(sim);
}

static void wrong_key_fails_in_phase_1(void)
{
    struct sim_options o = sim_defaults();
    o.peer[1].phase1.psk[0] ^= 1;
    struct sim *sim = sim_new(&o);
    sim_run(sim, SETTLE);
    CU_ASSERT_PTR_NULL(sim_quick(sim, 0));
    const struct ledger_entry *phase1 = &sim_ledger(sim)->entries[0];
    CU_ASSERT_EQUAL(ledger_outcome(phase1), LEDGER_FAILED);
    CU_ASSERT_EQUAL(phase1->failure.failure, P2_FAIL_WRONG_KEY);
    CU_ASSERT_STRING_EQUAL(phase1->failure.field, "message 5");
    CU_ASSERT_STRING_EQUAL(phase1->failure.acceptable, "one under the same pre-shared key");
    CU_ASSERT_EQUAL(sim_num_pairs(sim, 0), 0);
    sim_free(sim);
}

static void initiators_order_decides(void)
{
    struct sim_options o = sim_defaults();
    for (int side = 0; side < 2; side++) {
        o.tunnel[side].policy.num_proposals = 2;
        p2_proposal_predefined(&o.tunnel[side].policy.proposals[side], NULL, "nopfs-esp-3des-sha");
        p2_proposal_predefined(&o.tunnel[side].policy.proposals[!side], NULL, "nopfs-esp-aes128-sha");
    }
    struct sim *sim = sim_new(&o);
    struct p2_sa_info info;
    sim_run(sim, P2_SECOND);
    CU_ASSERT_TRUE(sim_sadbs_equal(sim, 1));
    CU_ASSERT_TRUE_FATAL(p2_gateway_sa_at(host_gateway(sim_host(sim, 1)), 0, &info));
    CU_ASSERT_EQUAL(info.cipher, P2_CIPHER_3DES_CBC);
    sim_free(sim);
}

static void the_shorter_lifetime_wins(void)
{
    for (int side = 0; side < 2; side++) {
        struct sim_options o = sim_defaults();
        struct p2_sa_info info;
        o.tunnel[side].policy.lifetime_s = 600;
        struct sim *sim = sim_new(&o);
        sim_run(sim, P2_SECOND);
        CU_ASSERT_TRUE_FATAL(p2_gateway_sa_at(host_gateway(sim_host(sim, 1)), 0, &info));
        CU_ASSERT_EQUAL(info.hard_at - info.installed, 600 * P2_SECOND);
        sim_free(sim);
    }
}

/* --- rekeys --- */

static struct sim_options short_lived(void)
{
    struct sim_options o = sim_defaults();
    o.tunnel[0].policy.lifetime_s = o.tunnel[1].policy.lifetime_s = 20;
    return o;
}

/* Traffic both ways every 100 ms; not a single packet may be lost to a rekey. */
static void rekeys_are_make_before_break(void)
{
    struct sim_options o = short_lived();
    struct sim *sim = sim_new(&o);
    size_t sent = 0;
    sim_run(sim, P2_SECOND);
    for (p2_time t = P2_SECOND; t < 200 * P2_SECOND; t += P2_SECOND / 10, sent++) {
        sim_run(sim, t);
        sim_send(sim, 0, 200);
        sim_send(sim, 1, 200);
        CU_ASSERT_TRUE(sim_num_pairs(sim, 0) <= 2 && sim_num_pairs(sim, 1) <= 2);
    }
    sim_run(sim, 200 * P2_SECOND);
    CU_ASSERT_EQUAL(sim_delivered(sim, 0), sent);
    CU_ASSERT_EQUAL(sim_delivered(sim, 1), sent);
    CU_ASSERT_EQUAL(sim_drops(sim, 0, P2_DROP_UNKNOWN_SPI) + sim_drops(sim, 1, P2_DROP_UNKNOWN_SPI), 0);
    size_t rekeys = 0;
    for (const struct ledger_entry *e; (e = sim_quick(sim, rekeys)) != NULL; rekeys++) {
        CU_ASSERT_EQUAL(ledger_outcome(e), LEDGER_ESTABLISHED);
        CU_ASSERT_EQUAL(e->start, rekeys == 0 ? P2_START_INITIAL : P2_START_SOFT_LIFETIME);
        CU_ASSERT_EQUAL(e->initiator, 0);
    }
    CU_ASSERT_TRUE(rekeys >= 12 && rekeys <= 15); /* a soft limit between 14 and 16 s */
    sim_free(sim);
}

static void an_idle_tunnel_loses_its_old_sas_at_the_hard_limit(void)
{
    struct sim_options o = short_lived();
    struct sim *sim = sim_new(&o);
    for (p2_time t = P2_SECOND; t < 100 * P2_SECOND; t += P2_SECOND) {
        struct p2_sa_info info;
        sim_run(sim, t);
        for (int side = 0; side < 2; side++) {
            for (size_t i = 0; p2_gateway_sa_at(host_gateway(sim_host(sim, side)), i, &info); i++)
                CU_ASSERT_TRUE(info.hard_at >= t);
        }
        CU_ASSERT_TRUE(sim_num_pairs(sim, 0) >= 1);
    }
    sim_free(sim);
}

static void either_side_can_be_forced_to_rekey(void)
{
    for (int side = 0; side < 2; side++) {
        struct sim_options o = sim_defaults();
        struct sim *sim = sim_new(&o);
        sim_run(sim, P2_SECOND);
        sim_rekey(sim, side);
        sim_run(sim, 2 * P2_SECOND);
        const struct ledger_entry *quick = sim_quick(sim, 1);
        CU_ASSERT_PTR_NOT_NULL_FATAL(quick);
        CU_ASSERT_EQUAL(quick->start, P2_START_FORCED);
        CU_ASSERT_EQUAL(quick->initiator, side);
        CU_ASSERT_TRUE(sim_sadbs_equal(sim, 2));
        sim_send(sim, 0, 100);
        sim_send(sim, 1, 100);
        sim_run(sim, 10 * P2_SECOND);
        CU_ASSERT_TRUE(sim_sadbs_equal(sim, 1));
        CU_ASSERT_EQUAL(sim_delivered(sim, 0) + sim_delivered(sim, 1), 2);
        sim_free(sim);
    }
}

static void a_forced_start_without_an_sa_is_the_first_one(void)
{
    struct sim_options o = sim_defaults();
    o.tunnel[0].establish = P2_ESTABLISH_PASSIVE;
    struct sim *sim = sim_new(&o);
    sim_run(sim, P2_SECOND);
    sim_rekey(sim, 0);
    sim_run(sim, 2 * P2_SECOND);
    CU_ASSERT_PTR_NOT_NULL_FATAL(sim_quick(sim, 0));
    CU_ASSERT_EQUAL(sim_quick(sim, 0)->start, P2_START_INITIAL);
    CU_ASSERT_TRUE(sim_sadbs_equal(sim, 1));
    sim_free(sim);
}

static void a_lost_rekey_leaves_the_old_sas_working(void)
{
    struct lost_message lost = {.number = 3};
    struct sim_options o = sim_defaults();
    struct sim *sim = sim_new(&o);
    sim_run(sim, P2_SECOND);
    sim_lose(sim, is_the_message, &lost);
    sim_rekey(sim, 0);
    sim_run(sim, SETTLE);
    CU_ASSERT_EQUAL(ledger_outcome(sim_quick(sim, 1)), LEDGER_FAILED);
    CU_ASSERT_TRUE(sim_sadbs_equal(sim, 1));
    sim_send(sim, 0, 100);
    sim_send(sim, 1, 100);
    sim_run(sim, SETTLE + P2_SECOND);
    CU_ASSERT_EQUAL(sim_delivered(sim, 0) + sim_delivered(sim, 1), 2);
    sim_free(sim);
}

static void on_traffic_starts_with_the_first_packet(void)
{
    struct sim_options o = sim_defaults();
    o.tunnel[0].establish = P2_ESTABLISH_ON_TRAFFIC;
    struct sim *sim = sim_new(&o);
    sim_run(sim, P2_SECOND);
    CU_ASSERT_PTR_NULL(sim_sent(sim, 0));
    sim_send(sim, 0, 100);
    sim_run(sim, 2 * P2_SECOND);
    CU_ASSERT_EQUAL(sim_drops(sim, 0, P2_DROP_NO_SA), 1);
    CU_ASSERT_TRUE(sim_sadbs_equal(sim, 1));
    CU_ASSERT_EQUAL(sim_quick(sim, 0)->start, P2_START_TRAFFIC);
    sim_free(sim);
}

/* --- duplicates and forgeries --- */

static void a_replayed_first_message_starts_nothing_new(void)
{
    struct sim_options o = sim_defaults();
    struct sim *sim = sim_new(&o);
    sim_run(sim, SETTLE); /* the exchange is long forgotten; its message ID is not */
    for (size_t i = 0; sim_sent(sim, i); i++) {
        if (sim_sent(sim, i)->exchange_type == P2_EXCHANGE_QUICK)
            sim_inject_ike(sim, !sim_sent(sim, i)->from, sim_sent(sim, i)->bytes, sim_sent(sim, i)->len);
    }
    sim_run(sim, SETTLE + P2_SECOND);
    CU_ASSERT_PTR_NULL(sim_quick(sim, 1));
    CU_ASSERT_TRUE(sim_sadbs_equal(sim, 1));
    CU_ASSERT_EQUAL(sim_drops(sim, 1, P2_DROP_DUPLICATE), 2);
    sim_free(sim);
}

/* Every byte of every Quick Mode message, changed and sent ahead of the real one, changes nothing. */
static bool forge_first(void *ctx, const struct sim_message *m)
{
    struct sim **sim = ctx;
    uint8_t forged[2048];
    if (m->exchange_type != P2_EXCHANGE_QUICK || m->from == 1)
        return false;
    memcpy(forged, m->bytes, m->len);
    forged[m->len - 1] ^= 1;
    sim_inject_ike(*sim, 1, forged, m->len);
    return false;
}

static void a_forged_message_ahead_of_the_real_one_changes_nothing(void)
{
    struct sim *sim = NULL;
    struct sim_options o = sim_defaults();
    o.lose = forge_first;
    o.lose_ctx = &sim;
    sim = sim_new(&o);
    sim_run(sim, 20 * P2_SECOND);
    CU_ASSERT_TRUE(sim_sadbs_equal(sim, 1));
    CU_ASSERT_EQUAL(sim_drops(sim, 1, P2_DROP_HASH_MISMATCH), 2);
    CU_ASSERT_EQUAL(ledger_outcome(sim_quick(sim, 0)), LEDGER_ESTABLISHED);
    sim_free(sim);
}

/* Nothing can be encrypted before there are keys: a copy of each clear message with the flag set comes first.
 */
static bool flag_first(void *ctx, const struct sim_message *m)
{
    struct sim **sim = ctx;
    uint8_t forged[2048 + 16] = {0};
    if (m->exchange_type == P2_EXCHANGE_MAIN && !(m->bytes[19] & P2_FLAG_ENCRYPTED)) {
        size_t len = P2_ISAKMP_HEADER_LEN + (m->len - P2_ISAKMP_HEADER_LEN + 15) / 16 * 16;
        memcpy(forged, m->bytes, m->len);
        forged[19] |= P2_FLAG_ENCRYPTED;
        forged[26] = (uint8_t)(len >> 8);
        forged[27] = (uint8_t)len;
        sim_inject_ike(*sim, !m->from, forged, len);
    }
    return false;
}

static void an_encryption_flag_before_there_are_keys_is_malformed(void)
{
    struct sim *sim = NULL;
    struct sim_options o = sim_defaults();
    o.lose = flag_first;
    o.lose_ctx = &sim;
    sim = sim_new(&o);
    sim_run(sim, 20 * P2_SECOND);
    CU_ASSERT_TRUE(sim_sadbs_equal(sim, 1));
    CU_ASSERT_TRUE(sim_drops(sim, 0, P2_DROP_MALFORMED) + sim_drops(sim, 1, P2_DROP_MALFORMED) >= 4);
    sim_free(sim);
}

/* The responder never gets message 3 and takes its SA down with a DELETE: the initiator, who thought that all
 * was well, tries again. */
static void a_tunnel_that_was_deleted_comes_up_again(void)
{
    struct lost_message lost = {.number = 3};
    struct sim_options o = sim_defaults();
    o.tunnel[0].retry = 10 * P2_SECOND;
    o.lose = is_the_message;
    o.lose_ctx = &lost;
    struct sim *sim = sim_new(&o);
    sim_run(sim, 70 * P2_SECOND);
    CU_ASSERT_EQUAL(ledger_outcome(sim_quick(sim, 0)), LEDGER_FAILED);
    CU_ASSERT_PTR_NOT_NULL_FATAL(sim_quick(sim, 1));
    CU_ASSERT_EQUAL(sim_quick(sim, 1)->start, P2_START_DELETED);
    sim_lose(sim, NULL, NULL);
    sim_run(sim, SETTLE);
    CU_ASSERT_TRUE(sim_sadbs_equal(sim, 1));
    sim_free(sim);
}

/* RFC 2408 section 4.2: what was chosen comes back unmodified, whatever lifetime the responder would have
 * liked. */
static void the_responder_answers_with_what_it_chose(void)
{
    struct sim_options o = sim_defaults();
    o.peer[1].phase1.lifetime_s = 600;
    struct sim *sim = sim_new(&o);
    sim_run(sim, P2_SECOND);
    const struct sim_message *first = sim_sent(sim, 0), *second = sim_sent(sim, 1);
    CU_ASSERT_EQUAL_FATAL(first->len, second->len);
    CU_ASSERT_EQUAL(memcmp(first->bytes + P2_ISAKMP_HEADER_LEN, second->bytes + P2_ISAKMP_HEADER_LEN,
                           first->len - P2_ISAKMP_HEADER_LEN),
                    0);
    CU_ASSERT_TRUE(sim_sadbs_equal(sim, 1));
    sim_free(sim);
}

CHECK_MAIN("negotiation", {"establishes with every group", establishes_with_every_group},
           {"establishes with every suite", establishes_with_every_suite},
           {"the responder answers with what it chose", the_responder_answers_with_what_it_chose},
           {"preset needs no Phase 1", preset_needs_no_phase_1},
           {"every single and double loss of Quick Mode ends established",
            every_single_and_double_loss_of_quick_mode_ends_established},
           {"every single and double loss of main mode ends established",
            every_single_and_double_loss_of_main_mode_ends_established},
           {"only the loss of all copies fails, and leaves nothing behind",
            only_the_loss_of_all_copies_fails_and_leaves_nothing},
           {"resends are identical and in time", resends_are_identical_and_in_time},
           {"PFS mismatch names both groups", pfs_mismatch_names_both_groups},
           {"proposal mismatch names the field", proposal_mismatch_names_the_field},
           {"proxy ID mismatch names both pairs", proxy_id_mismatch_names_both_pairs},
           {"wrong key fails in Phase 1", wrong_key_fails_in_phase_1},
           {"the initiator's order decides", initiators_order_decides},
           {"the shorter lifetime wins", the_shorter_lifetime_wins},
           {"rekeys are make-before-break", rekeys_are_make_before_break},
           {"an idle tunnel loses its old SAs at the hard limit",
            an_idle_tunnel_loses_its_old_sas_at_the_hard_limit},
           {"either side can be forced to rekey", either_side_can_be_forced_to_rekey},
           {"a forced start without an SA is the first one", a_forced_start_without_an_sa_is_the_first_one},
           {"a lost rekey leaves the old SAs working", a_lost_rekey_leaves_the_old_sas_working},
           {"an encryption flag before there are keys is malformed",
            an_encryption_flag_before_there_are_keys_is_malformed},
           {"a tunnel that was deleted comes up again", a_tunnel_that_was_deleted_comes_up_again},
           {"on-traffic starts with the first packet", on_traffic_starts_with_the_first_packet},
           {"a replayed first message starts nothing new", a_replayed_first_message_starts_nothing_new},
           {"a forged message ahead of the real one changes nothing",
            a_forged_message_ahead_of_the_real_one_changes_nothing})
