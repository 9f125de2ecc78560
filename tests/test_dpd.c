/* Dead peer detection (RFC 3706): who is asked and when, what counts as an answer, and what a dead peer takes
 * with it. */
#include "sim/sim.h"

#include "cursor.h"
#include "isakmp.h"
#include "keymat.h"

#define INTERVAL (10 * P2_SECOND)

static struct sim_options watching(void)
{
    struct sim_options o = sim_defaults();
    o.peer[0].phase1.dpd_interval = INTERVAL;
    o.peer[0].phase1.dpd_tries = 3;
    o.tunnel[0].retry = 7 * P2_SECOND;
    return o;
}

static size_t count_info(struct sim *sim, int from)
{
    size_t num = 0;
    for (size_t i = 0; sim_sent(sim, i); i++)
        num += sim_sent(sim, i)->exchange_type == P2_EXCHANGE_INFORMATIONAL && sim_sent(sim, i)->from == from;
    return num;
}

static bool everything(void *ctx, const struct sim_message *m)
{
    (void)ctx, (void)m;
    return true;
}

static bool all_from_right(void *ctx, const struct sim_message *m)
{
    (void)ctx;
    return m->from == 1;
}

static void a_silent_peer_is_asked_and_answers(void)
{
    struct sim_options o = watching();
    struct sim *sim = sim_new(&o);
    sim_run(sim, 105 * P2_SECOND);
    CU_ASSERT_EQUAL(count_info(sim, 0), 10);
    CU_ASSERT_EQUAL(count_info(sim, 1), 10);
    CU_ASSERT_TRUE(sim_sadbs_equal(sim, 1));
    for (size_t i = 0; sim_sent(sim, i); i++)
        CU_ASSERT_TRUE(sim_sent(sim, i)->exchange_type != P2_EXCHANGE_INFORMATIONAL ||
                       sim_sent(sim, i)->bytes[19] & P2_FLAG_ENCRYPTED);
    CU_ASSERT_EQUAL(sim_drops(sim, 0, P2_DROP_UNKNOWN_NOTIFY) + sim_drops(sim, 1, P2_DROP_UNKNOWN_NOTIFY), 0);
    sim_free(sim);
}

static void nobody_is_asked_who_is_heard(void)
{
    struct sim_options o = watching();
    struct sim *sim = sim_new(&o);
    while (sim_now(sim) < 100 * P2_SECOND) {
        sim_run(sim, sim_now(sim) + 4 * P2_SECOND);
        sim_send(sim, 1, 100); /* ESP is a sign of life */
    }
    CU_ASSERT_EQUAL(count_info(sim, 0), 0);
    sim_free(sim);
}

static void without_an_interval_nobody_asks(void)
{
    struct sim_options o = watching();
    o.peer[0].phase1.dpd_interval = 0;
    struct sim *sim = sim_new(&o);
    sim_run(sim, 1000 * P2_SECOND);
    CU_ASSERT_EQUAL(count_info(sim, 0) + count_info(sim, 1), 0);
    sim_free(sim);
}

/* Three questions an interval apart, and an interval after the last one the peer is dead. The tunnel's next
 * attempts come `retry` later. */
static void a_dead_peer_takes_its_sas_and_exchanges_with_it(void)
{
    struct sim_options o = watching();
    struct sim *sim = sim_new(&o);
    sim_run(sim, P2_SECOND);
    sim_lose(sim, everything, NULL);
    sim_run(sim, 35 * P2_SECOND);
    sim_rekey(sim, 0); /* under way when it ends */
    CU_ASSERT_EQUAL(sim_num_pairs(sim, 0), 1);
    sim_run(sim, 41 * P2_SECOND);
    CU_ASSERT_EQUAL(count_info(sim, 0), 3);
    CU_ASSERT_EQUAL(sim_num_pairs(sim, 0), 0);
    CU_ASSERT_EQUAL(sim_removed(sim, 0, P2_REMOVED_PEER_DEAD), 1);
    CU_ASSERT_EQUAL(sim_isakmp_removed(sim, 0, 0)->end, P2_ISAKMP_PEER_DEAD);
    CU_ASSERT_EQUAL(sim_quick(sim, 1)->failure.failure, P2_FAIL_PEER_DEAD);
    CU_ASSERT_PTR_NULL(sim_phase1(sim, 1));
    sim_lose(sim, NULL, NULL);
    sim_run(sim, 50 * P2_SECOND);
    const struct ledger_entry *phase1 = sim_phase1(sim, 1), *quick = sim_quick(sim, 2);
    CU_ASSERT_PTR_NOT_NULL_FATAL(phase1);
    CU_ASSERT_EQUAL(phase1->start, P2_START_PEER_DEAD);
    CU_ASSERT_TRUE(phase1->started >= 47 * P2_SECOND && phase1->started < 48 * P2_SECOND);
    CU_ASSERT_PTR_NOT_NULL_FATAL(quick);
    CU_ASSERT_EQUAL(quick->start, P2_START_PEER_DEAD);
    CU_ASSERT_EQUAL(ledger_outcome(quick), LEDGER_ESTABLISHED);
    CU_ASSERT_TRUE(sim_sadbs_equal(sim, 1)); /* INITIAL-CONTACT cleaned up the other end */
    sim_free(sim);
}

/* A restarted peer that has nothing to say does not answer under SAs that it does not know. */
static void a_restarted_passive_peer_is_found_out(void)
{
    struct sim_options o = watching();
    struct sim *sim = sim_new(&o);
    sim_run(sim, 5 * P2_SECOND);
    sim_restart(sim, 1);
    sim_run(sim, 60 * P2_SECOND);
    CU_ASSERT_EQUAL(sim_removed(sim, 0, P2_REMOVED_PEER_DEAD), 1);
    CU_ASSERT_TRUE(sim_sadbs_equal(sim, 1));
    sim_free(sim);
}

static void one_lost_answer_is_no_death(void)
{
    struct sim_options o = watching();
    struct sim *sim = sim_new(&o);
    sim_run(sim, 5 * P2_SECOND);
    sim_lose(sim, all_from_right, NULL);
    sim_run(sim, 35 * P2_SECOND); /* three go unanswered */
    CU_ASSERT_EQUAL(count_info(sim, 0), 3);
    sim_lose(sim, NULL, NULL);
    sim_lose_ipsec(sim, false);
    sim_send(sim, 1, 100);
    sim_run(sim, 200 * P2_SECOND);
    CU_ASSERT_EQUAL(sim_num_pairs(sim, 0), 1);
    CU_ASSERT_PTR_NULL(sim_isakmp_removed(sim, 0, 0));
    sim_free(sim);
}

/* --- what counts --- */

/* A protected informational message of the other side with this notify: its keys are those of the ISAKMP SA.
 */
static size_t forge(struct sim *sim, uint32_t message_id, uint16_t notify, uint32_t sequence,
                    uint8_t out[256])
{
    const struct p2_isakmp_info *info = sim_isakmp(sim, 0);
    struct p2_isakmp_keys keys = {.hash = info->hash, .cipher = info->cipher};
    memcpy(keys.skeyid_d, info->keys.skeyid_d, P2_HASH_MAX_LEN);
    memcpy(keys.skeyid_a, info->keys.skeyid_a, P2_HASH_MAX_LEN);
    memcpy(keys.skeyid_e, info->keys.skeyid_e, P2_HASH_MAX_LEN);
    memcpy(keys.last_block, info->keys.iv, P2_CIPHER_MAX_BLOCK);
    p2_keymat_prepare(&keys);
    struct p2_isakmp_header header = {
        .exchange_type = P2_EXCHANGE_INFORMATIONAL, .flags = P2_FLAG_ENCRYPTED, .message_id = message_id};
    memcpy(header.initiator_cookie, info->id.initiator_cookie, 8);
    memcpy(header.responder_cookie, info->id.responder_cookie, 8);
    struct p2_message m;
    uint8_t zeros[20] = {0}, iv[P2_CIPHER_MAX_BLOCK];
    p2_message_begin(&m, out, 256, &header);
    p2_message_add(&m, P2_PAYLOAD_HASH, zeros, 20);
    p2_message_open(&m, P2_PAYLOAD_NOTIFY);
    p2_build_u32(&m.b, P2_DOI_IPSEC);
    p2_build_u8(&m.b, P2_PROTO_ISAKMP);
    p2_build_u8(&m.b, 16);
    p2_build_u16(&m.b, notify);
    p2_build_bytes(&m.b, header.initiator_cookie, 8);
    p2_build_bytes(&m.b, header.responder_cookie, 8);
    p2_build_u32(&m.b, sequence);
    p2_message_close(&m);
    struct p2_bytes rest = {out + 28 + 24, m.b.len - 28 - 24};
    p2_keymat_hash_1_2(&keys, message_id, NULL, rest, out + 28 + 4);
    size_t len = (size_t)p2_message_end(&m, 16);
    p2_keymat_phase2_iv(&keys, message_id, iv);
    p2_cipher_encrypt(&keys.cipher_key, iv, out + 28, out + 28, len - 28);
    return len;
}

/* The peer is dead, but somebody goes on answering with numbers of long ago. */
static void wrong_numbers_keep_nobody_alive(void)
{
    uint8_t ack[256];
    struct sim_options o = watching();
    struct sim *sim = sim_new(&o);
    sim_run(sim, P2_SECOND);
    sim_lose(sim, everything, NULL);
    for (uint32_t i = 0; i < 8; i++) {
        sim_run(sim, (12 + 4 * (p2_time)i) * P2_SECOND);
        sim_inject_ike(sim, 0, ack, forge(sim, 1000 + i, P2_NOTIFY_R_U_THERE_ACK, 5 + i, ack));
    }
    sim_run(sim, 41 * P2_SECOND);
    CU_ASSERT_EQUAL(sim_drops(sim, 0, P2_DROP_REPLAYED), 8);
    CU_ASSERT_EQUAL(sim_removed(sim, 0, P2_REMOVED_PEER_DEAD), 1);
    sim_free(sim);
}

static void questions_are_answered_once_and_in_rising_order(void)
{
    uint8_t question[256];
    struct sim_options o = watching();
    o.peer[0].phase1.dpd_interval = 0;
    struct sim *sim = sim_new(&o);
    sim_run(sim, P2_SECOND);
    size_t len = forge(sim, 1000, P2_NOTIFY_R_U_THERE, 7, question);
    sim_inject_ike(sim, 1, question, len);
    CU_ASSERT_EQUAL(count_info(sim, 1), 1);
    sim_inject_ike(sim, 1, question, len); /* the same bytes */
    CU_ASSERT_EQUAL(sim_drops(sim, 1, P2_DROP_DUPLICATE), 1);
    const struct {
        uint32_t sequence;
        size_t answers;
    } rows[] = {{7, 1}, {6, 1}, {8, 2}, {8, 2}, {20, 3}, {19, 3}};
    for (uint32_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        len = forge(sim, 2000 + i, P2_NOTIFY_R_U_THERE, rows[i].sequence, question);
        sim_inject_ike(sim, 1, question, len);
        CU_ASSERT_EQUAL(count_info(sim, 1), rows[i].answers);
    }
    sim_free(sim);
}

static void an_unknown_notify_is_counted(void)
{
    uint8_t message[256];
    struct sim_options o = sim_defaults();
    struct sim *sim = sim_new(&o);
    sim_run(sim, P2_SECOND);
    sim_inject_ike(sim, 1, message, forge(sim, 1000, 40000, 0, message));
    CU_ASSERT_EQUAL(sim_drops(sim, 1, P2_DROP_UNKNOWN_NOTIFY), 1);
    CU_ASSERT_TRUE(sim_sadbs_equal(sim, 1));
    CU_ASSERT_PTR_NULL(sim_isakmp_removed(sim, 1, 0));
    sim_free(sim);
}

/* Both ends watch, traffic flows and stops, Phase 1 is rekeyed meanwhile. */
static void the_watch_goes_on_under_the_next_isakmp_sa(void)
{
    struct sim_options o = watching();
    o.peer[1].phase1.dpd_interval = 15 * P2_SECOND;
    o.peer[0].phase1.lifetime_s = o.peer[1].phase1.lifetime_s = 200;
    struct sim *sim = sim_new(&o);
    sim_run(sim, 1000 * P2_SECOND);
    CU_ASSERT_EQUAL(sim_removed(sim, 0, P2_REMOVED_PEER_DEAD) + sim_removed(sim, 1, P2_REMOVED_PEER_DEAD), 0);
    CU_ASSERT_PTR_NOT_NULL(sim_phase1(sim, 4));
    sim_lose(sim, everything, NULL);
    sim_run(sim, 1080 * P2_SECOND);
    CU_ASSERT_EQUAL(sim_removed(sim, 0, P2_REMOVED_PEER_DEAD), 1);
    CU_ASSERT_EQUAL(sim_removed(sim, 1, P2_REMOVED_PEER_DEAD), 1);
    sim_free(sim);
}

CHECK_MAIN("dpd", {"a silent peer is asked and answers", a_silent_peer_is_asked_and_answers},
           {"nobody is asked who is heard", nobody_is_asked_who_is_heard},
           {"without an interval nobody asks", without_an_interval_nobody_asks},
           {"a dead peer takes its SAs and exchanges with it",
            a_dead_peer_takes_its_sas_and_exchanges_with_it},
           {"a restarted passive peer is found out", a_restarted_passive_peer_is_found_out},
           {"one lost answer is no death", one_lost_answer_is_no_death},
           {"wrong numbers keep nobody alive", wrong_numbers_keep_nobody_alive},
           {"questions are answered once and in rising order",
            questions_are_answered_once_and_in_rising_order},
           {"an unknown notify is counted", an_unknown_notify_is_counted},
           {"the watch goes on under the next ISAKMP SA", the_watch_goes_on_under_the_next_isakmp_sa})
