/* Phase 1 in both modes: losses, refusals and what each end says about them. */
#include "phase1_fixture.h"

#include "cursor.h"
#include "isakmp.h"

#define SETTLE (150 * P2_SECOND) /* longer than all resends and the lingering of a finished exchange */

/* --- aggressive mode --- */

static void aggressive_mode_takes_three_messages(void)
{
    struct sim_options o = aggressive();
    struct sim *sim = sim_new(&o);
    sim_run(sim, P2_SECOND);
    CU_ASSERT_EQUAL(sim_count_sent(sim, P2_EXCHANGE_AGGRESSIVE), 3);
    CU_ASSERT_EQUAL(sim_count_sent(sim, P2_EXCHANGE_QUICK), 3);
    CU_ASSERT_EQUAL(sim_count_sent(sim, P2_EXCHANGE_MAIN), 0);
    CU_ASSERT_FALSE(sim_sent(sim, 0)->bytes[19] & P2_FLAG_ENCRYPTED);
    CU_ASSERT_FALSE(sim_sent(sim, 1)->bytes[19] & P2_FLAG_ENCRYPTED);
    CU_ASSERT_TRUE(sim_sent(sim, 2)->bytes[19] & P2_FLAG_ENCRYPTED);
    CU_ASSERT_TRUE(sim_sadbs_equal(sim, 1));
    /* appendix B: the IVs of Phase 2 stem from the last ciphertext block of message 3 */
    const struct sim_message *third = sim_sent(sim, 2);
    for (int side = 0; side < 2; side++)
        CU_ASSERT_EQUAL(memcmp(sim_isakmp(sim, side)->keys.iv, third->bytes + third->len - 16, 16), 0);
    sim_check_traffic(sim);
    sim_free(sim);
}

static void aggressive_mode_with_every_group_and_suite(void)
{
    const enum p2_group groups[] = {P2_GROUP_1, P2_GROUP_5, P2_GROUP_14, P2_GROUP_19};
    const enum p2_cipher ciphers[] = {P2_CIPHER_3DES_CBC, P2_CIPHER_AES256_CBC};
    for (size_t i = 0; i < 8; i++) {
        struct sim_options o = aggressive();
        for (int side = 0; side < 2; side++) {
            o.peer[side].phase1.group = groups[i % 4];
            o.peer[side].phase1.cipher = ciphers[i / 4];
            o.peer[side].phase1.hash = i % 2 ? P2_HASH_SHA256 : P2_HASH_SHA1;
        }
        struct sim *sim = sim_new(&o);
        sim_run(sim, P2_SECOND);
        CU_ASSERT_TRUE(sim_sadbs_equal(sim, 1));
        sim_free(sim);
    }
}

/* Twelve datagrams cover the three messages and enough of their resends. */
static void every_single_and_double_loss_of_aggressive_mode_ends_established(void)
{
    for (unsigned i = 0; i < 12; i++) {
        for (unsigned j = i; j < 12; j++) {
            struct sim_options o = aggressive();
            o.lose_main = UINT64_C(1) << i | UINT64_C(1) << j;
            struct sim *sim = sim_new(&o);
            sim_run(sim, SETTLE);
            bool good = sim_quick(sim, 0) && ledger_outcome(sim_quick(sim, 0)) == LEDGER_ESTABLISHED &&
                        sim_sadbs_equal(sim, 1) && !sim_phase1(sim, 1);
            if (!good)
                printf("\n      lost: %u and %u\n", i, j);
            CU_ASSERT_TRUE(good);
            sim_free(sim);
        }
    }
}

struct by_number { /* all copies of one message of aggressive mode */
    unsigned number;
};

static bool is_number(void *ctx, const struct sim_message *m)
{
    const struct by_number *b = ctx;
    unsigned number = m->from == 1 ? 2 : m->bytes[19] & P2_FLAG_ENCRYPTED ? 3 : 1;
    return m->exchange_type == P2_EXCHANGE_AGGRESSIVE && number == b->number;
}

static void the_loss_of_all_copies_names_the_message(void)
{
    for (unsigned number = 1; number <= 3; number++) {
        struct by_number b = {number};
        struct sim_options o = aggressive();
        o.lose = is_number;
        o.lose_ctx = &b;
        struct sim *sim = sim_new(&o);
        sim_run(sim, SETTLE);
        const struct ledger_entry *phase1 = sim_phase1(sim, 0);
        CU_ASSERT_EQUAL(ledger_outcome(phase1), LEDGER_FAILED);
        CU_ASSERT_EQUAL(phase1->failure.failure, P2_FAIL_TIMEOUT);
        CU_ASSERT_STRING_EQUAL(phase1->failure.message, number == 3 ? "message 3" : "message 2");
        CU_ASSERT_EQUAL(p2_gateway_negotiations(host_gateway(sim_host(sim, 0))), 0);
        CU_ASSERT_EQUAL(p2_gateway_negotiations(host_gateway(sim_host(sim, 1))), 0);
        sim_free(sim);
    }
}

/* RFC 2409 section 5.4 lets message 3 be in clear: an initiator of that kind, played by hand from the keys
 * that the simulated one told. */

static bool take_away_third(void *ctx, const struct sim_message *m)
{
    struct by_number third = {3};
    (void)ctx;
    return is_number(&third, m);
}

static void message_3_may_come_in_clear(void)
{
    struct sim_options o = aggressive();
    o.lose = take_away_third;
    struct sim *sim = sim_new(&o);
    sim_run(sim, 500 * P2_MS);
    const struct p2_isakmp_info *info = sim_isakmp(sim, 0);
    const struct sim_message *first = sim_sent(sim, 0), *second = sim_sent(sim, 1), *third = sim_sent(sim, 2);
    struct p2_payloads one, two;
    CU_ASSERT_EQUAL_FATAL(
        p2_isakmp_parse_payloads(&one, first->bytes[16], first->bytes + 28, first->len - 28), 0);
    CU_ASSERT_EQUAL_FATAL(
        p2_isakmp_parse_payloads(&two, second->bytes[16], second->bytes + 28, second->len - 28), 0);
    /* what would have been the IV: SHA-1(g^xi | g^xr) */
    struct p2_bytes publics[2] = {p2_isakmp_find(&one, P2_PAYLOAD_KE, 0)->body,
                                  p2_isakmp_find(&two, P2_PAYLOAD_KE, 0)->body};
    uint8_t iv[P2_HASH_MAX_LEN], used[16], clear[2048];
    p2_hash_digest(P2_HASH_SHA1, publics, 2, iv);
    struct p2_cipher_key key;
    p2_cipher_init(&key, info->cipher, info->encryption_key);
    memcpy(clear, third->bytes, third->len);
    clear[19] = 0;
    memcpy(used, iv, 16);
    p2_cipher_decrypt(&key, used, clear + 28, third->bytes + 28, third->len - 28);
    struct p2_payloads three;
    CU_ASSERT_EQUAL_FATAL(p2_isakmp_parse_payloads(&three, clear[16], clear + 28, third->len - 28), 0);
    CU_ASSERT_EQUAL(sim_isakmp(sim, 1)->keys.iv[0], 0); /* nothing there yet */
    CU_ASSERT_EQUAL(sim_phase1(sim, 0)->ready_event[1], 0);
    sim_inject_ike(sim, 1, clear, third->len);
    CU_ASSERT_NOT_EQUAL(sim_phase1(sim, 0)->ready_event[1], 0);
    CU_ASSERT_EQUAL(memcmp(sim_isakmp(sim, 1)->keys.iv, iv, 16), 0);
    CU_ASSERT_EQUAL(memcmp(sim_isakmp(sim, 1)->keys.skeyid_e, info->keys.skeyid_e, 20), 0);
    sim_free(sim);
}

/* --- refusals --- */

struct refusal {
    const char *field, *offered, *acceptable;
    void (*disagree)(struct sim_options *o);
};

/* The responder says what it would have taken, and its notify ends the initiator's exchange at once. */
static void check_refusal(struct sim_options o, const struct refusal *r, bool aggressive_mode)
{
    r->disagree(&o);
    struct sim *sim = sim_new(&o);
    sim_run(sim, P2_SECOND / 2);
    const struct ledger_entry *phase1 = sim_phase1(sim, 0);
    CU_ASSERT_TRUE_FATAL(phase1->failed[0] && phase1->failed[1]);
    const struct p2_negotiation *f = &phase1->failure;
    CU_ASSERT_EQUAL(f->failure, P2_FAIL_NO_PROPOSAL_CHOSEN);
    CU_ASSERT_EQUAL(f->notify, 14);
    CU_ASSERT_STRING_EQUAL(f->message, "message 1");
    CU_ASSERT_PTR_NOT_NULL(f->rule);
    CU_ASSERT_STRING_EQUAL(f->field, r->field);
    bool mode = strcmp(r->field, "phase1-mode") == 0;
    CU_ASSERT_STRING_EQUAL(f->offered, mode && aggressive_mode ? r->acceptable : r->offered);
    CU_ASSERT_STRING_EQUAL(f->acceptable, mode && aggressive_mode ? r->offered : r->acceptable);
    CU_ASSERT_EQUAL(sim_count_sent(sim, P2_EXCHANGE_INFORMATIONAL), 1);
    const struct sim_message *notify = sim_sent(sim, 1);
    CU_ASSERT_FALSE(notify->bytes[19] & P2_FLAG_ENCRYPTED);
    CU_ASSERT_EQUAL(memcmp(notify->bytes, sim_sent(sim, 0)->bytes, 8), 0); /* the initiator's cookie */
    CU_ASSERT_NOT_EQUAL(notify->message_id, 0);
    sim_run(sim, SETTLE);
    CU_ASSERT_EQUAL(sim_count_sent(sim, aggressive_mode ? P2_EXCHANGE_AGGRESSIVE : P2_EXCHANGE_MAIN), 1);
    sim_free(sim);
}

static void each_refusal_names_field_and_values(void)
{
    const struct refusal refusals[] = {
        {"encryption", "aes-128-cbc", "aes-256-cbc", other_cipher},
        {"hash", "sha1", "sha256", other_hash},
        {"group", "group2", "group14", other_group},
        {"phase1-mode", "main", "aggressive", other_mode},
    };
    for (size_t i = 0; i < sizeof(refusals) / sizeof(refusals[0]); i++) {
        check_refusal(sim_defaults(), &refusals[i], false);
        check_refusal(aggressive(), &refusals[i], true);
    }
}

static void another_authentication_method_is_named(void)
{
    struct sim_options o = sim_defaults();
    struct sim *sim = sim_new(&o);
    sim_run(sim, P2_MS);
    uint8_t offer[2048];
    const struct sim_message *first = sim_sent(sim, 0);
    memcpy(offer, first->bytes, first->len);
    offer[7] ^= 1; /* another initiator */
    bool found = false;
    for (size_t i = 28; i + 4 <= first->len && !found; i++) {
        found = memcmp(offer + i, "\x80\x03\x00\x01", 4) == 0;
        if (found)
            offer[i + 3] = 3; /* RFC 2409 appendix A: RSA signatures */
    }
    CU_ASSERT_TRUE_FATAL(found);
    sim_inject_ike(sim, 1, offer, first->len);
    const struct p2_negotiation *f = &sim_phase1(sim, 1)->failure;
    CU_ASSERT_STRING_EQUAL(f->field, "authentication-method");
    CU_ASSERT_STRING_EQUAL(f->offered, "rsa-signatures");
    CU_ASSERT_STRING_EQUAL(f->acceptable, "pre-shared-key");
    sim_free(sim);
}

/* The responder can not read message 5; the initiator's message 5 is never answered. */
static void a_wrong_key_in_main_mode_shows_on_both_sides(void)
{
    struct sim_options o = sim_defaults();
    o.peer[1].phase1.psk[0] ^= 1;
    struct sim *sim = sim_new(&o);
    sim_run(sim, SETTLE);
    for (int side = 0; side < 2; side++) {
        const struct p2_negotiation *f = sim_phase1_failure(sim, side);
        CU_ASSERT_EQUAL(f->failure, P2_FAIL_WRONG_KEY);
        CU_ASSERT_EQUAL(f->initiator, side == 0);
        CU_ASSERT_STRING_EQUAL_FATAL(f->message, side == 0 ? "message 6" : "message 5");
        CU_ASSERT_PTR_NOT_NULL(f->rule);
        CU_ASSERT_STRING_EQUAL(f->acceptable, "one under the same pre-shared key");
    }
    CU_ASSERT_STRING_EQUAL(sim_phase1_failure(sim, 1)->offered, "6 that could not be decrypted or verified");
    sim_free(sim);
}

/* The initiator knows at HASH_R, and tells; the responder can not be sure who told, and waits. */
static void a_wrong_key_in_aggressive_mode_shows_at_once(void)
{
    struct sim_options o = aggressive();
    o.peer[1].phase1.psk[0] ^= 1;
    struct sim *sim = sim_new(&o);
    sim_run(sim, P2_SECOND / 2);
    const struct ledger_entry *phase1 = sim_phase1(sim, 0);
    CU_ASSERT_TRUE(phase1->failed[0]);
    CU_ASSERT_FALSE(phase1->failed[1]);
    CU_ASSERT_EQUAL(phase1->failure.failure, P2_FAIL_AUTHENTICATION_FAILED);
    CU_ASSERT_EQUAL(phase1->failure.notify, 24);
    CU_ASSERT_STRING_EQUAL(phase1->failure.message, "message 2");
    CU_ASSERT_STRING_EQUAL(phase1->failure.field, "pre-shared-key");
    CU_ASSERT_EQUAL(sim_count_sent(sim, P2_EXCHANGE_INFORMATIONAL), 1);
    sim_run(sim, SETTLE);
    const struct p2_negotiation *hint = sim_phase1_failure(sim, 1);
    CU_ASSERT_EQUAL(hint->failure, P2_FAIL_AUTHENTICATION_FAILED);
    CU_ASSERT_EQUAL(hint->notify, 24);
    CU_ASSERT_TRUE(hint->notify_received);
    CU_ASSERT_STRING_EQUAL(hint->field, "pre-shared-key");
    sim_free(sim);
}

/* In main mode the initiator has keys by then: the notify does not end it, but explains its timeout. */
static void another_identity_is_refused_with_both(void)
{
    for (int mode = 0; mode < 2; mode++) {
        struct sim_options o = mode ? aggressive() : sim_defaults();
        o.peer[1].remote_id = p2_address_v4(0x0a0a0a0a);
        struct sim *sim = sim_new(&o);
        sim_run(sim, P2_SECOND);
        CU_ASSERT_EQUAL(sim_phase1(sim, 0)->failed[0], mode == 1);
        sim_run(sim, SETTLE);
        for (int side = 0; side < 2; side++) {
            const struct p2_negotiation *f = sim_phase1_failure(sim, side);
            CU_ASSERT_EQUAL(f->failure, P2_FAIL_INVALID_ID_INFORMATION);
            CU_ASSERT_EQUAL(f->notify, 18);
            CU_ASSERT_EQUAL(f->notify_received, side == 0);
        }
        const struct p2_negotiation *f = sim_phase1_failure(sim, 1);
        CU_ASSERT_STRING_EQUAL(f->message, mode ? "message 1" : "message 5");
        CU_ASSERT_STRING_EQUAL(f->field, "phase1-identity");
        CU_ASSERT_STRING_EQUAL(f->offered, "192.0.2.1");
        CU_ASSERT_STRING_EQUAL(f->acceptable, "10.10.10.10");
        sim_free(sim);
    }
}

/* The responder's identity is not what the initiator wants: the last message of either mode. */
static void the_responders_identity_is_checked_too(void)
{
    for (int mode = 0; mode < 2; mode++) {
        struct sim_options o = mode ? aggressive() : sim_defaults();
        o.peer[0].remote_id = p2_address_v4(0x0a0a0a0a);
        struct sim *sim = sim_new(&o);
        sim_run(sim, P2_SECOND);
        const struct p2_negotiation *f = sim_phase1_failure(sim, 0);
        CU_ASSERT_EQUAL(f->failure, P2_FAIL_INVALID_ID_INFORMATION);
        CU_ASSERT_STRING_EQUAL_FATAL(f->message, mode ? "message 2" : "message 6");
        CU_ASSERT_STRING_EQUAL(f->offered, "192.0.2.2");
        CU_ASSERT_EQUAL(sim_num_pairs(sim, 0), 0);
        sim_free(sim);
    }
}

/* Main mode, message 3 with a KE payload of another length, and then with a value that is none. */
static bool lose_third_of_main(void *ctx, const struct sim_message *m)
{
    (void)ctx;
    return m->exchange_type == P2_EXCHANGE_MAIN && m->from == 0 && m->bytes[16] == P2_PAYLOAD_KE;
}

static void a_bad_public_value_is_refused(void)
{
    for (int too_short = 0; too_short < 2; too_short++) {
        struct sim_options o = sim_defaults();
        o.lose = lose_third_of_main;
        struct sim *sim = sim_new(&o);
        sim_run(sim, 100 * P2_MS);
        const struct sim_message *third = sim_sent(sim, 2);
        uint8_t bad[2048];
        size_t len = third->len;
        memcpy(bad, third->bytes, len);
        if (too_short) { /* 4 bytes less in the payload, and in all */
            memmove(bad + 28 + 4, bad + 28 + 8, len - 28 - 8);
            p2_put_u16(bad + 28 + 2, 128);
            len -= 4;
            p2_put_u32(bad + 24, (uint32_t)len);
        } else {
            memset(bad + 28 + 4, 0, 128);
        }
        sim_inject_ike(sim, 1, bad, len);
        sim_run(sim, 200 * P2_MS);
        const struct p2_negotiation *f = &sim_phase1(sim, 0)->failure;
        CU_ASSERT_TRUE(sim_phase1(sim, 0)->failed[0] && sim_phase1(sim, 0)->failed[1]);
        CU_ASSERT_EQUAL(f->failure, P2_FAIL_INVALID_KEY_INFORMATION);
        CU_ASSERT_EQUAL(f->notify, 17);
        CU_ASSERT_STRING_EQUAL(f->message, "message 3");
        if (too_short)
            CU_ASSERT_STRING_EQUAL(f->offered, "124 bytes");
        sim_free(sim);
    }
}

/* A NO-PROPOSAL-CHOSEN in clear from nobody knows whom: while there are no keys it is believed, later not. */
static void a_clear_notify_ends_nothing_once_there_are_keys(void)
{
    struct sim_options o = sim_defaults();
    struct sim *sim = sim_new(&o);
    sim_run(sim, P2_SECOND);
    uint8_t notify[28 + 12] = {0};
    memcpy(notify, sim_sent(sim, 1)->bytes, 16);
    notify[16] = P2_PAYLOAD_NOTIFY;
    notify[17] = 0x10;
    notify[18] = P2_EXCHANGE_INFORMATIONAL;
    p2_put_u32(notify + 20, 77);
    p2_put_u32(notify + 24, sizeof(notify));
    p2_put_u16(notify + 30, 12);
    p2_put_u32(notify + 32, P2_DOI_IPSEC);
    notify[36] = P2_PROTO_ISAKMP;
    p2_put_u16(notify + 38, P2_NOTIFY_NO_PROPOSAL_CHOSEN);
    sim_inject_ike(sim, 0, notify, sizeof(notify));
    CU_ASSERT_EQUAL(sim_drops(sim, 0, P2_DROP_UNEXPECTED), 1);
    CU_ASSERT_FALSE(sim_phase1(sim, 0)->failed[0]);
    sim_check_traffic(sim);
    sim_free(sim);
}

CHECK_MAIN("phase1", {"aggressive mode takes three messages", aggressive_mode_takes_three_messages},
           {"aggressive mode with every group and suite", aggressive_mode_with_every_group_and_suite},
           {"every single and double loss of aggressive mode ends established",
            every_single_and_double_loss_of_aggressive_mode_ends_established},
           {"the loss of all copies names the message", the_loss_of_all_copies_names_the_message},
           {"message 3 may come in clear", message_3_may_come_in_clear},
           {"each refusal names field and values", each_refusal_names_field_and_values},
           {"another authentication method is named", another_authentication_method_is_named},
           {"a wrong key in main mode shows on both sides", a_wrong_key_in_main_mode_shows_on_both_sides},
           {"a wrong key in aggressive mode shows at once", a_wrong_key_in_aggressive_mode_shows_at_once},
           {"another identity is refused with both", another_identity_is_refused_with_both},
           {"the responder\'s identity is checked too", the_responders_identity_is_checked_too},
           {"a bad public value is refused", a_bad_public_value_is_refused},
           {"a clear notify ends nothing once there are keys",
            a_clear_notify_ends_nothing_once_there_are_keys})
