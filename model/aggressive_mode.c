/* Phase 1 in aggressive mode with a pre-shared key (RFC 2409 section 5.4):
 *
 *      Initiator                                  Responder
 *      HDR, SA, KE, Ni, IDii, VID          -->
 *                                          <--    HDR, SA, KE, Nr, IDir, HASH_R, VID [, NAT-D, NAT-D]
 *      HDR*, HASH_I [, NAT-D, NAT-D] [, N] -->
 *
 * N is INITIAL-CONTACT. The RFC leaves open whether message 3 is encrypted: we send it so, as real daemons
 * do, and read both. If it was not, nothing of Phase 1 was encrypted, and the IVs of Phase 2 stem from the
 * hash of the public values that would have been its IV (appendix B).
 *
 * Identities travel in clear, and whoever sees message 2 can try keys against HASH_R. On the other hand the
 * responder knows who speaks before it has to choose a key, so that peers behind one address may have keys of
 * their own.
 *
 * The initiator resends message 1 and the responder message 2; a copy of message 2 shows that message 3 got
 * lost. */
#include "phase1.h"

#include <string.h>

enum { I_SENT_1 = 1, R_SENT_2 };

/* --- message 1 --- */

static enum p2_verdict send_1(struct p2_exchange *ex)
{
    uint8_t buffer[P2_IKE_MAX_MESSAGE];
    struct p2_message m;
    struct p2_isakmp_header header = p2_exchange_header(ex, false);
    enum p2_verdict verdict = p2_phase1_generate(ex);
    if (verdict != P2_VERDICT_GOOD)
        return verdict;
    p2_message_begin(&m, buffer, sizeof(buffer), &header);
    p2_phase1_add_sa(ex, &m);
    p2_phase1_add_ke(ex, &m);
    p2_phase1_add_id(ex, &m);
    p2_phase1_add_vendors(ex, &m);
    return p2_exchange_send(ex, &m);
}

/* Who it is comes first: the policy depends on it. */
static enum p2_verdict verify_1(struct p2_exchange *ex)
{
    static enum p2_verdict (*const readings[])(struct p2_exchange *) = {p2_phase1_read_id, p2_phase1_check_id,
                                                                        p2_phase1_read_sa, p2_phase1_read_ke};
    if (p2_exchange_open(ex) < 0)
        return p2_exchange_drop(ex, P2_DROP_MALFORMED);
    for (size_t i = 0; i < sizeof(readings) / sizeof(readings[0]); i++) {
        enum p2_verdict verdict = readings[i](ex);
        if (verdict != P2_VERDICT_GOOD)
            return verdict;
    }
    p2_phase1_read_vendors(ex);
    p2_exchange_negotiation(ex, P2_NEGOTIATION_STARTED, NULL);
    return P2_VERDICT_GOOD;
}

/* --- message 2 --- */

static enum p2_verdict send_2(struct p2_exchange *ex)
{
    uint8_t buffer[P2_IKE_MAX_MESSAGE];
    struct p2_message m;
    struct p2_isakmp_header header = p2_exchange_header(ex, false);
    enum p2_verdict verdict = p2_phase1_generate(ex);
    if (verdict == P2_VERDICT_GOOD)
        verdict = p2_phase1_derive(ex);
    if (verdict != P2_VERDICT_GOOD)
        return verdict;
    p2_message_begin(&m, buffer, sizeof(buffer), &header);
    p2_phase1_add_sa(ex, &m);
    p2_phase1_add_ke(ex, &m);
    p2_phase1_add_id(ex, &m);
    p2_phase1_add_hash(ex, &m);
    p2_phase1_add_vendors(ex, &m);
    p2_nat_add(ex, &m);
    return p2_exchange_send(ex, &m);
}

/* HASH_R can only be checked after the dear part. */
static enum p2_verdict verify_2(struct p2_exchange *ex)
{
    if (p2_exchange_open(ex) < 0)
        return p2_exchange_drop(ex, P2_DROP_MALFORMED);
    enum p2_verdict verdict = p2_phase1_read_sa(ex);
    if (verdict == P2_VERDICT_GOOD)
        verdict = p2_phase1_read_id(ex);
    if (verdict != P2_VERDICT_GOOD)
        return verdict;
    /* Before its cookie is taken over: what is not whole may be anybody's, and the true one is still to come.
     */
    static const uint8_t needed[] = {P2_PAYLOAD_HASH, P2_PAYLOAD_KE, P2_PAYLOAD_NONCE};
    for (size_t i = 0; i < sizeof(needed); i++) {
        if (!p2_isakmp_find(&ex->payloads, needed[i], 0))
            return p2_exchange_drop(ex, P2_DROP_MALFORMED);
    }
    memcpy(ex->isakmp->responder_cookie, ex->inbox + 8, 8);
    p2_phase1_read_vendors(ex);
    p2_nat_read(ex);
    return p2_phase1_read_ke(ex);
}

static enum p2_verdict refuse_hash_r(struct p2_exchange *ex)
{
    struct p2_failure_detail detail = {
        .failure = P2_FAIL_AUTHENTICATION_FAILED,
        .notify = P2_NOTIFY_AUTHENTICATION_FAILED,
        .field = "pre-shared-key",
        .offered = "another one, by its HASH_R",
        .acceptable = "only its own",
        .rule = "HASH_R proves that the responder holds the same pre-shared key: RFC 2409 section 5.4"};
    return p2_phase1_refuse(ex, &detail);
}

/* --- message 3 --- */

static enum p2_verdict send_3(struct p2_exchange *ex)
{
    uint8_t buffer[P2_IKE_MAX_MESSAGE];
    struct p2_message m;
    struct p2_isakmp_header header = p2_exchange_header(ex, true);
    p2_message_begin(&m, buffer, sizeof(buffer), &header);
    p2_phase1_add_hash(ex, &m);
    p2_nat_add(ex, &m);
    p2_phase1_add_contact(ex, &m);
    return p2_exchange_send(ex, &m);
}

static enum p2_verdict answer_2(struct p2_exchange *ex)
{
    enum p2_verdict verdict = p2_phase1_derive(ex);
    if (verdict != P2_VERDICT_GOOD)
        return verdict;
    if (!p2_phase1_verify_hash(ex))
        return refuse_hash_r(ex);
    verdict = p2_phase1_check_id(ex);
    if (verdict == P2_VERDICT_GOOD)
        verdict = send_3(ex);
    return verdict == P2_VERDICT_GOOD ? p2_phase1_established(ex) : verdict;
}

static enum p2_verdict verify_3(struct p2_exchange *ex)
{
    if (p2_exchange_open(ex) < 0 || !p2_phase1_verify_hash(ex))
        return p2_exchange_drop(ex, P2_DROP_HASH_MISMATCH);
    p2_nat_read(ex);
    p2_phase1_read_contact(ex);
    if (p2_exchange_is_encrypted(ex))
        p2_exchange_chain(ex);
    return P2_VERDICT_GOOD;
}

/* --- what it costs --- */

static void work_2(struct p2_exchange *ex, struct p2_work *work)
{
    p2_phase1_work_generate(ex, work);
    p2_phase1_work_derive(ex, work);
    p2_phase1_work_hash(ex, work);
    p2_phase1_work_nat(ex, work);
}

static void work_3(struct p2_exchange *ex, struct p2_work *work)
{
    size_t hash_len = p2_hash_of(ex->isakmp->keys.hash)->len, payload = 4 + hash_len;
    p2_phase1_work_derive(ex, work);
    p2_phase1_work_hash(ex, work);
    p2_phase1_work_hash(ex, work);
    p2_phase1_work_nat(ex, work);
    p2_phase1_work_cipher(ex, work, P2_OP_ENCRYPT,
                          payload * (ex->isakmp->nat_t ? 3 : 1) + p2_phase1_contact_len(ex));
}

static void work_verify_3(struct p2_exchange *ex, struct p2_work *work)
{
    p2_phase1_work_hash(ex, work);
    if (p2_exchange_is_encrypted(ex))
        p2_phase1_work_cipher(ex, work, P2_OP_DECRYPT, ex->inbox_len - P2_ISAKMP_HEADER_LEN);
}

/* --- the table --- */

static const struct p2_step steps[] = {
    /* initiator, state, awaits, verify, compute, next state, resends */
    {true, P2_STATE_START, NULL, NULL, NULL, p2_phase1_work_generate, send_1, I_SENT_1, true},
    {true, I_SENT_1, "message 2", NULL, verify_2, work_3, answer_2, P2_STATE_DONE, false},
    {false, P2_STATE_START, "message 1", NULL, verify_1, work_2, send_2, R_SENT_2, true},
    {false, R_SENT_2, "message 3", work_verify_3, verify_3, NULL, p2_phase1_established, P2_STATE_DONE,
     false},
};

const struct p2_exchange_kind p2_aggressive_mode = {
    P2_EXCHANGE_AGGRESSIVE, steps, sizeof(steps) / sizeof(steps[0]),
    p2_phase1_explain,      NULL,  p2_phase1_failed};
