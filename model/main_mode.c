/* Phase 1 in main mode with a pre-shared key (RFC 2409 section 5.4):
 *
 *      Initiator                              Responder
 *      HDR, SA, VID                    -->
 *                                      <--    HDR, SA, VID
 *      HDR, KE, Ni [, NAT-D, NAT-D]    -->
 *                                      <--    HDR, KE, Nr [, NAT-D, NAT-D]
 *      HDR*, IDii, HASH_I [, N]        -->
 *                                      <--    HDR*, IDir, HASH_R [, N]
 *
 * N is INITIAL-CONTACT. Only the initiator resends; the responder answers duplicates from store. */
#include "phase1.h"

#include <string.h>

enum { I_SENT_SA = 1, I_SENT_KE, I_SENT_HASH, R_SENT_SA, R_SENT_KE };

/* --- messages 1 and 2 --- */

static enum p2_verdict send_sa(struct p2_exchange *ex)
{
    uint8_t buffer[P2_IKE_MAX_MESSAGE];
    struct p2_message m;
    struct p2_isakmp_header header = p2_exchange_header(ex, false);
    p2_message_begin(&m, buffer, sizeof(buffer), &header);
    p2_phase1_add_sa(ex, &m);
    p2_phase1_add_vendors(ex, &m);
    return p2_exchange_send(ex, &m);
}

static enum p2_verdict verify_sa(struct p2_exchange *ex)
{
    if (p2_exchange_open(ex) < 0)
        return p2_exchange_drop(ex, P2_DROP_MALFORMED);
    enum p2_verdict verdict = p2_phase1_read_sa(ex);
    if (verdict != P2_VERDICT_GOOD)
        return verdict;
    p2_phase1_read_vendors(ex);
    if (ex->initiator)
        memcpy(ex->isakmp->responder_cookie, ex->inbox + 8, 8);
    else
        p2_exchange_negotiation(ex, P2_NEGOTIATION_STARTED, NULL);
    return P2_VERDICT_GOOD;
}

/* --- messages 3 and 4 --- */

static enum p2_verdict put_ke(struct p2_exchange *ex)
{
    uint8_t buffer[P2_IKE_MAX_MESSAGE];
    struct p2_message m;
    struct p2_isakmp_header header = p2_exchange_header(ex, false);
    p2_message_begin(&m, buffer, sizeof(buffer), &header);
    p2_phase1_add_ke(ex, &m);
    p2_nat_add(ex, &m);
    return p2_exchange_send(ex, &m);
}

static enum p2_verdict send_ke(struct p2_exchange *ex)
{
    enum p2_verdict verdict = p2_phase1_generate(ex);
    return verdict == P2_VERDICT_GOOD ? put_ke(ex) : verdict;
}

static enum p2_verdict verify_ke(struct p2_exchange *ex)
{
    if (p2_exchange_open(ex) < 0)
        return p2_exchange_drop(ex, P2_DROP_MALFORMED);
    enum p2_verdict verdict = p2_phase1_read_ke(ex);
    if (verdict == P2_VERDICT_GOOD)
        p2_nat_read(ex);
    return verdict;
}

/* The initiator's value is tried before ours goes out, so that it can be refused. */
static enum p2_verdict answer_ke(struct p2_exchange *ex)
{
    enum p2_verdict verdict = p2_phase1_generate(ex);
    if (verdict == P2_VERDICT_GOOD)
        verdict = p2_phase1_derive(ex);
    return verdict == P2_VERDICT_GOOD ? put_ke(ex) : verdict;
}

/* --- messages 5 and 6 --- */

static enum p2_verdict send_hash(struct p2_exchange *ex)
{
    uint8_t buffer[P2_IKE_MAX_MESSAGE];
    struct p2_message m;
    struct p2_isakmp_header header = p2_exchange_header(ex, true);
    p2_message_begin(&m, buffer, sizeof(buffer), &header);
    p2_phase1_add_id(ex, &m);
    p2_phase1_add_hash(ex, &m);
    p2_phase1_add_contact(ex, &m);
    return p2_exchange_send(ex, &m);
}

static enum p2_verdict derive_and_send_hash(struct p2_exchange *ex)
{
    enum p2_verdict verdict = p2_phase1_derive(ex);
    return verdict == P2_VERDICT_GOOD ? send_hash(ex) : verdict;
}

static enum p2_verdict verify_hash(struct p2_exchange *ex)
{
    if (!p2_exchange_is_encrypted(ex) || p2_exchange_open(ex) < 0)
        return p2_exchange_drop(ex, P2_DROP_MALFORMED);
    enum p2_verdict verdict = p2_phase1_read_id(ex);
    if (verdict != P2_VERDICT_GOOD)
        return verdict;
    if (!p2_phase1_verify_hash(ex))
        return p2_exchange_drop(ex, P2_DROP_HASH_MISMATCH);
    verdict = p2_phase1_check_id(ex);
    if (verdict != P2_VERDICT_GOOD)
        return verdict;
    p2_phase1_read_contact(ex);
    p2_exchange_chain(ex);
    return P2_VERDICT_GOOD;
}

static enum p2_verdict answer_hash(struct p2_exchange *ex)
{
    enum p2_verdict verdict = send_hash(ex);
    return verdict == P2_VERDICT_GOOD ? p2_phase1_established(ex) : verdict;
}

/* --- what it costs --- */

static void work_answer_ke(struct p2_exchange *ex, struct p2_work *work)
{
    p2_phase1_work_generate(ex, work);
    p2_phase1_work_nat(ex, work);
    p2_phase1_work_derive(ex, work);
}

static void work_send_ke(struct p2_exchange *ex, struct p2_work *work)
{
    p2_phase1_work_generate(ex, work);
    p2_phase1_work_nat(ex, work);
}

/* ID payload (12 bytes for an IPv4 address), HASH payload and perhaps INITIAL-CONTACT. */
static void work_send_hash(struct p2_exchange *ex, struct p2_work *work)
{
    size_t hash_len = p2_hash_of(ex->isakmp->keys.hash)->len;
    p2_phase1_work_hash(ex, work);
    p2_phase1_work_cipher(ex, work, P2_OP_ENCRYPT, 12 + 4 + hash_len + p2_phase1_contact_len(ex));
}

static void work_derive_and_hash(struct p2_exchange *ex, struct p2_work *work)
{
    p2_phase1_work_derive(ex, work);
    work_send_hash(ex, work);
}

static void work_verify_hash(struct p2_exchange *ex, struct p2_work *work)
{
    p2_phase1_work_hash(ex, work);
    p2_phase1_work_cipher(ex, work, P2_OP_DECRYPT, ex->inbox_len - P2_ISAKMP_HEADER_LEN);
}

/* --- the table --- */

static const struct p2_step steps[] = {
    /* initiator, state, awaits, verify, compute, next state, resends */
    {true, P2_STATE_START, NULL, NULL, NULL, NULL, send_sa, I_SENT_SA, true},
    {true, I_SENT_SA, "message 2", NULL, verify_sa, work_send_ke, send_ke, I_SENT_KE, true},
    {true, I_SENT_KE, "message 4", NULL, verify_ke, work_derive_and_hash, derive_and_send_hash, I_SENT_HASH,
     true},
    {true, I_SENT_HASH, "message 6", work_verify_hash, verify_hash, NULL, p2_phase1_established,
     P2_STATE_DONE, false},
    {false, P2_STATE_START, "message 1", NULL, verify_sa, NULL, send_sa, R_SENT_SA, false},
    {false, R_SENT_SA, "message 3", NULL, verify_ke, work_answer_ke, answer_ke, R_SENT_KE, false},
    {false, R_SENT_KE, "message 5", work_verify_hash, verify_hash, work_send_hash, answer_hash, P2_STATE_DONE,
     false},
};

const struct p2_exchange_kind p2_main_mode = {P2_EXCHANGE_MAIN,  steps, sizeof(steps) / sizeof(steps[0]),
                                              p2_phase1_explain, NULL,  p2_phase1_failed};
