/* What `explain` tells of what is not there: a line for each message that is missing, and why an offer was
 * refused, as far as the capture shows what the other end wants. */
#include "explain_fixture.h"
#include "sim/sim.h"

/* --- missing messages --- */

struct missing {
    struct records records;
    struct known_keys keys;
    struct explanation *e;
    const struct explain_exchange *x;
    json_t *expect;
};

/* A case of the corpus without its n-th Quick Mode message, from 0. */
static struct missing without_quick(size_t which, size_t n)
{
    struct missing m = {records_load(corpus_cases[which]), keys_of(corpus_cases[which]), NULL, NULL, NULL};
    size_t at = records_find(&m.records, is_quick, n);
    uint32_t message_id = message_id_of(&m.records.list[at]);
    records_drop(&m.records, at);
    m.e = explain_records(&m.records, &m.keys);
    m.x = find_exchange(m.e, message_id);
    m.expect = expectations(corpus_cases[which]);
    CU_ASSERT_PTR_NOT_NULL_FATAL(m.x);
    return m;
}

static void missing_free(struct missing *m)
{
    explanation_free(m->e);
    known_keys_cleanup(&m->keys);
    records_free(&m->records);
    json_decref(m->expect);
}

static void without_message_1_nothing_can_be_verified(void)
{
    const size_t cases[] = {NOPFS, PFS, REKEYED};
    for (size_t i = 0; i < 3; i++) {
        struct missing m = without_quick(cases[i], 0);
        CU_ASSERT_EQUAL(explain_outcome(m.e, m.x), EXPLAIN_INCOMPLETE);
        CU_ASSERT_EQUAL(m.x->num_sas, 0);
        for (size_t k = m.x->first; k != EXPLAIN_NONE; k = m.e->messages[k].next)
            CU_ASSERT_NOT_EQUAL(m.e->messages[k].hash, EXPLAIN_HASH_GOOD);
        CU_ASSERT_TRUE(story_has(m.e, m.x, "Message 1 is not in the capture, or could not be read."));
        CU_ASSERT_TRUE(notes_have(m.e, "under SPIs that no Quick Mode in the capture made readable"));
        CU_ASSERT_EQUAL(m.e->ipsec.icv_bad, 0);
        missing_free(&m);
    }
}

static void without_message_2_there_is_no_answer(void)
{
    const size_t cases[] = {NOPFS, PFS, REKEYED};
    for (size_t i = 0; i < 3; i++) {
        struct missing m = without_quick(cases[i], 1);
        CU_ASSERT_EQUAL(explain_outcome(m.e, m.x), EXPLAIN_INCOMPLETE);
        CU_ASSERT_EQUAL(m.e->messages[m.x->part[0]].hash, EXPLAIN_HASH_GOOD);
        CU_ASSERT_EQUAL(m.x->num_sas, 0);
        CU_ASSERT_TRUE(story_has(m.e, m.x, "10.99.0.1 went on, so it did come."));
        CU_ASSERT_TRUE(notes_have(m.e, "under SPIs that no Quick Mode in the capture made readable"));
        CU_ASSERT_EQUAL(m.e->ipsec.icv_bad, 0);
        missing_free(&m);
    }
}

static void without_message_3_the_sas_have_their_keys_all_the_same(void)
{
    const size_t cases[] = {NOPFS, PFS, REKEYED};
    for (size_t i = 0; i < 3; i++) {
        struct missing m = without_quick(cases[i], 2);
        CU_ASSERT_EQUAL(explain_outcome(m.e, m.x), EXPLAIN_INCOMPLETE);
        CU_ASSERT_EQUAL(count_right_keys(m.e, m.expect), json_object_size(json_object_get(m.expect, "sas")));
        CU_ASSERT_EQUAL(m.e->ipsec.icv_ok, m.e->ipsec.packets);
        CU_ASSERT_TRUE(story_has(m.e, m.x, "Message 3 is not in the capture: 10.99.0.2 waits for it"));
        CU_ASSERT_TRUE(story_has(m.e, m.x, "It was completed all the same: both ends sent packets"));
        missing_free(&m);
    }
}

static void of_a_message_and_its_copy_one_is_enough(void)
{
    for (size_t n = 0; n < 2; n++) {
        struct missing m = without_quick(AGGRESSIVE, n);
        CU_ASSERT_EQUAL(explain_outcome(m.e, m.x), EXPLAIN_ESTABLISHED);
        CU_ASSERT_EQUAL(m.x->messages, 3);
        CU_ASSERT_EQUAL(m.e->ipsec.icv_ok, 42);
        missing_free(&m);
    }
}

static void without_the_refusal_an_offer_was_not_answered(void)
{
    struct records r = records_load(corpus_cases[REFUSED]);
    struct known_keys keys = keys_of(corpus_cases[REFUSED]);
    records_drop(&r, 7);
    struct explanation *e = explain_records(&r, &keys);
    const struct explain_exchange *x = find_exchange(e, 0xf655ac51);
    CU_ASSERT_PTR_NOT_NULL_FATAL(x);
    CU_ASSERT_EQUAL(explain_outcome(e, x), EXPLAIN_INCOMPLETE);
    CU_ASSERT_TRUE(story_has(e, x, "10.99.0.2 did not answer message 1"));
    explanation_free(e);
    known_keys_cleanup(&keys);
    records_free(&r);
}

/* Which one it is does not matter for this: no HASH of what is left is found bad, no ICV either. */
static void whichever_message_is_missing_nothing_looks_forged(void)
{
    for (size_t i = 0; i < NUM_CASES; i++) {
        struct records whole = records_load(corpus_cases[i]);
        struct known_keys keys = keys_of(corpus_cases[i]);
        struct explanation *all = explain_records(&whole, &keys);
        size_t good = count_hash(all, EXPLAIN_HASH_GOOD);
        for (size_t k = 0; k < whole.num; k++) {
            if (!is_ike(&whole.list[k]))
                continue;
            struct records r = records_copy(&whole);
            bool phase1 = is_phase1(&r.list[k]);
            records_drop(&r, k);
            struct explanation *e = explain_records(&r, &keys);
            CU_ASSERT_EQUAL(count_hash(e, EXPLAIN_HASH_BAD), 0);
            CU_ASSERT_EQUAL(e->ipsec.icv_bad, 0);
            CU_ASSERT_TRUE(count_hash(e, EXPLAIN_HASH_GOOD) <= good);
            CU_ASSERT_TRUE(!phase1 || count_hash(e, EXPLAIN_HASH_GOOD) == good);
            explanation_free(e);
            records_free(&r);
        }
        explanation_free(all);
        known_keys_cleanup(&keys);
        records_free(&whole);
    }
}

/* --- refusals, between two ends of our own --- */

static void record_message(struct records *r, const struct sim_message *m)
{
    uint8_t bytes[P2_IPV4_HEADER_LEN + P2_UDP_HEADER_LEN + sizeof m->bytes] = {0};
    struct p2_ip_header header = {.source = p2_address_v4(0xc0000201 + (uint32_t)m->from),
                                  .destination = p2_address_v4(0xc0000202 - (uint32_t)m->from),
                                  .ttl = 64,
                                  .protocol = P2_IP_PROTO_UDP,
                                  .payload_len = P2_UDP_HEADER_LEN + m->len};
    size_t len = p2_ip_build(bytes, &header);
    p2_put_u16(bytes + len, m->source_port);
    p2_put_u16(bytes + len + 2, m->destination_port);
    p2_put_u16(bytes + len + 4, (uint16_t)(P2_UDP_HEADER_LEN + m->len));
    memcpy(bytes + len + P2_UDP_HEADER_LEN, m->bytes, m->len);
    len += P2_UDP_HEADER_LEN + m->len;
    struct record record = {bytes, len, len, (uint32_t)(m->at / P2_SECOND),
                            (uint32_t)(m->at % P2_SECOND / 1000)};
    records_insert(r, r->num, &record);
}

/* As keys.xml has it; cipher and hash come from Phase 1, which is in the capture. */
static struct known_isakmp known_of(const struct p2_isakmp_info *info)
{
    struct known_isakmp known = {.cipher = info->cipher,
                                 .hash = info->hash,
                                 .has_d = true,
                                 .has_a = true,
                                 .has_e = true,
                                 .has_iv = true};
    memcpy(known.initiator_cookie, info->keys.initiator_cookie, 8);
    memcpy(known.responder_cookie, info->keys.responder_cookie, 8);
    memcpy(known.skeyid_d, info->keys.skeyid_d, sizeof known.skeyid_d);
    memcpy(known.skeyid_a, info->keys.skeyid_a, sizeof known.skeyid_a);
    memcpy(known.skeyid_e, info->keys.skeyid_e, sizeof known.skeyid_e);
    memcpy(known.iv, info->keys.iv, sizeof known.iv);
    return known;
}

/* Runs the two and gives everything that was on the wire to `check`. */
static void explain_sim(const struct sim_options *options, void (*check)(const struct explanation *))
{
    struct sim *sim = sim_new(options);
    struct records r = {.link_type = 101};
    struct known_isakmp known[2];
    struct known_keys keys = {.isakmp = known, .num_isakmp = 2};
    sim_run(sim, 3 * P2_SECOND);
    for (size_t i = 0; sim_sent(sim, i); i++)
        record_message(&r, sim_sent(sim, i));
    for (int side = 0; side < 2; side++) {
        CU_ASSERT_PTR_NOT_NULL_FATAL(sim_isakmp(sim, side));
        known[side] = known_of(sim_isakmp(sim, side));
    }
    struct explanation *e = explain_records(&r, &keys);
    CU_ASSERT_EQUAL(count_hash(e, EXPLAIN_HASH_BAD), 0);
    check(e);
    explanation_free(e);
    records_free(&r);
    sim_free(sim);
}

/* Both ends begin, each under an offer of its own. */
static struct sim_options both_begin(void)
{
    struct sim_options o = sim_defaults();
    for (int side = 0; side < 2; side++) {
        o.tunnel[side].establish = P2_ESTABLISH_IMMEDIATELY;
        o.tunnel[side].retry = P2_SECOND / 2;
    }
    return o;
}

/* A rejected Quick Mode of this end; fails the test if there is none. */
static const struct explain_exchange *rejected_of(const struct explanation *e, unsigned side)
{
    struct p2_address starter = p2_address_v4(0xc0000201 + side);
    const struct explain_exchange *last = NULL;
    for (size_t i = 0; i < e->num_exchanges; i++) {
        const struct explain_exchange *x = &e->exchanges[i];
        if (x->quick && explain_outcome(e, x) == EXPLAIN_REJECTED && p2_address_equal(&x->starter, &starter))
            last = x;
    }
    CU_ASSERT_PTR_NOT_NULL_FATAL(last);
    return last;
}

static void check_groups(const struct explanation *e)
{
    const struct explain_exchange *left = rejected_of(e, 0), *right = rejected_of(e, 1);
    CU_ASSERT_EQUAL(left->notify, P2_NOTIFY_NO_PROPOSAL_CHOSEN);
    CU_ASSERT_TRUE(story_has(e, left, "192.0.2.2 refused it with NO-PROPOSAL-CHOSEN"));
    CU_ASSERT_TRUE(
        story_has(e, left, "The field is pfs-group: offered group2, while 192.0.2.2 itself offers group14"));
    CU_ASSERT_TRUE(
        story_has(e, right, "The field is pfs-group: offered group14, while 192.0.2.1 itself offers group2"));
}

static void a_refusal_over_groups_names_both(void)
{
    struct sim_options o = both_begin();
    o.tunnel[0].policy.pfs = P2_GROUP_2;
    o.tunnel[1].policy.pfs = P2_GROUP_14;
    explain_sim(&o, check_groups);
}

static void check_ciphers(const struct explanation *e)
{
    const struct explain_exchange *left = rejected_of(e, 0), *right = rejected_of(e, 1);
    CU_ASSERT_TRUE(story_has(
        e, left, "The field is encryption: offered aes-128-cbc, while 192.0.2.2 itself offers aes-256-cbc"));
    CU_ASSERT_TRUE(story_has(
        e, right, "The field is encryption: offered aes-256-cbc, while 192.0.2.1 itself offers aes-128-cbc"));
}

static void a_refusal_over_ciphers_names_both(void)
{
    struct sim_options o = both_begin();
    o.tunnel[1].policy.proposals[0] =
        p2_proposal_of(P2_PROTO_ESP, P2_CIPHER_AES256_CBC, P2_AUTH_HMAC_SHA1_96);
    explain_sim(&o, check_ciphers);
}

static void check_ids(const struct explanation *e)
{
    const struct explain_exchange *left = rejected_of(e, 0);
    CU_ASSERT_EQUAL(left->notify, P2_NOTIFY_INVALID_ID_INFORMATION);
    CU_ASSERT_TRUE(story_has(e, left, "The field is proxy-id: offered 10.1.0.0/24 to 10.2.0.0/24"));
    CU_ASSERT_TRUE(story_has(e, left, "192.0.2.2 would have 10.1.0.0/24 to 10.9.0.0/24"));
}

static void a_refusal_over_proxy_ids_names_both_pairs(void)
{
    struct sim_options o = both_begin();
    o.tunnel[1].local = p2_selector_v4(0x0a090000, 24);
    explain_sim(&o, check_ids);
}

/* INVALID-SPI about a packet of an old SA, sent while a Quick Mode waits for its answer. */
static void a_notify_about_an_old_sa_refuses_no_negotiation(void)
{
    struct records r = records_load(corpus_cases[REFUSED]);
    struct known_keys keys = keys_of(corpus_cases[REFUSED]);
    uint8_t plain[64] = {0}, *isakmp = r.list[7].bytes + IKE_OFFSET;
    struct explanation *e = explain_records(&r, &keys);
    const struct explain_exchange *x = find_exchange(e, 0xf655ac51);
    CU_ASSERT_EQUAL(e->messages[x->notify_message].reading, EXPLAIN_DECRYPTED);
    size_t len = e->messages[x->notify_message].plain_len;
    CU_ASSERT_TRUE_FATAL(len <= sizeof plain);
    memcpy(plain, e->messages[x->notify_message].plain, len);
    explanation_free(e);
    /* In clear, which takes no key to write: INVALID-SPI (11) about SPI 76b49a90, which nobody offered. */
    const size_t hash_len = 24;
    memmove(plain, plain + hash_len, len - hash_len);
    p2_put_u16(plain + 10, 11);
    p2_put_u32(plain + 12, 0x76b49a90);
    memcpy(isakmp + P2_ISAKMP_HEADER_LEN, plain, 16);
    isakmp[16] = P2_PAYLOAD_NOTIFY;
    isakmp[19] = 0;
    p2_put_u32(isakmp + 24, P2_ISAKMP_HEADER_LEN + 16);
    e = explain_records(&r, &keys);
    x = find_exchange(e, 0xf655ac51);
    CU_ASSERT_EQUAL(explain_outcome(e, x), EXPLAIN_INCOMPLETE);
    explanation_free(e);
    known_keys_cleanup(&keys);
    records_free(&r);
}

static void check_no_precedent(const struct explanation *e)
{
    const struct explain_exchange *left = rejected_of(e, 0);
    struct lines lines = {0};
    story_of_refusal(e, (size_t)(left - e->exchanges), &lines);
    CU_ASSERT_TRUE(lines_have(&lines, "What 192.0.2.2 would have taken is not in the capture"));
    CU_ASSERT_FALSE(lines_have(&lines, "The field is"));
    lines_cleanup(&lines);
}

static void without_a_precedent_it_says_that_the_capture_does_not_show_it(void)
{
    struct sim_options o = sim_defaults(); /* the right one only answers */
    o.tunnel[0].policy.pfs = P2_GROUP_2;
    o.tunnel[1].policy.pfs = P2_GROUP_14;
    explain_sim(&o, check_no_precedent);
    o = sim_defaults();
    o.tunnel[1].local = p2_selector_v4(0x0a090000, 24);
    explain_sim(&o, check_no_precedent);
}

CHECK_MAIN("explain: story",
           {"without message 1 nothing can be verified", without_message_1_nothing_can_be_verified},
           {"without message 2 there is no answer", without_message_2_there_is_no_answer},
           {"without message 3 the SAs have their keys all the same",
            without_message_3_the_sas_have_their_keys_all_the_same},
           {"of a message and its copy one is enough", of_a_message_and_its_copy_one_is_enough},
           {"without the refusal an offer was not answered", without_the_refusal_an_offer_was_not_answered},
           {"whichever message is missing, nothing looks forged",
            whichever_message_is_missing_nothing_looks_forged},
           {"a refusal over groups names both", a_refusal_over_groups_names_both},
           {"a refusal over ciphers names both", a_refusal_over_ciphers_names_both},
           {"a refusal over proxy IDs names both pairs", a_refusal_over_proxy_ids_names_both_pairs},
           {"a notify about an old SA refuses no negotiation",
            a_notify_about_an_old_sa_refuses_no_negotiation},
           {"without a precedent it says that the capture does not show it",
            without_a_precedent_it_says_that_the_capture_does_not_show_it})
