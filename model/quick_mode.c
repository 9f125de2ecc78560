/* Quick Mode (RFC 2409 section 5.5), in both roles:
 *
 *      Initiator                                        Responder
 *      HDR*, HASH(1), SA, Ni [, KE] [, IDci, IDcr] -->
 *                                                  <--  HDR*, HASH(2), SA, Nr [, KE] [, IDci, IDcr]
 *      HDR*, HASH(3)                               -->
 *
 * For transport mode through a NAT, NAT-OAi and NAT-OAr follow the IDs (RFC 3947 section 5.2).
 *
 * The responder installs its inbound SA with its answer and may send once HASH(3) verified; the initiator
 * installs and may send once HASH(2) verified. The initiator resends its first message, the responder its
 * answer; the third message is sent again whenever a copy of the second one shows that it got lost.
 *
 * Commit bit (RFC 2408 section 3.1): a responder that sets it in its answer makes the initiator wait for a
 * fourth message, a CONNECTED notify under the same message ID and the same chain of IVs; the third one is
 * then resent until it comes.
 *
 * PFS, initiator's x responder's policy:
 *
 *      initiator   responder   KE in message 1     outcome
 *      none        none        absent              agreed, no PFS
 *      none        none        present             INVALID-KEY-INFORMATION, field key-exchange
 *      none        group y     any                 NO-PROPOSAL-CHOSEN, field pfs-group: none, group y
 *      group x     none        any                 NO-PROPOSAL-CHOSEN, field pfs-group: group x, none
 *      group x     group y     any                 NO-PROPOSAL-CHOSEN, field pfs-group: group x, group y
 *      group x     group x     of group x          agreed, PFS with group x
 *      group x     group x     absent              INVALID-KEY-INFORMATION, field key-exchange
 *      group x     group x     wrong length        INVALID-KEY-INFORMATION, field key-exchange
 *      group x     group x     not of the group    INVALID-KEY-INFORMATION, field key-exchange */
#include "quick.h"

#include <string.h>

enum { I_SENT_1 = 1, I_SENT_3, R_SENT_2 };

/* --- reading --- */

/* One for each protocol that may be agreed on. */
static void draw_spis(struct p2_exchange *ex)
{
    struct p2_quick_state *q = &ex->u.quick;
    static const enum p2_protocol protocols[] = {P2_PROTO_ESP, P2_PROTO_AH};
    for (size_t i = 0; i < P2_MAX_BUNDLE; i++) {
        bool wanted = p2_policy_has(&q->tunnel->config.policy, protocols[i]);
        q->spi_in[p2_spi_index(protocols[i])] = wanted ? p2_spi_new(ex->gw) : 0;
    }
}

static enum p2_verdict verify_message_1(struct p2_exchange *ex)
{
    enum p2_verdict verdict = p2_quick_open(ex, NULL);
    if (verdict == P2_VERDICT_GOOD)
        verdict = p2_quick_read_1(ex);
    if (verdict == P2_VERDICT_GOOD) {
        p2_exchange_negotiation(ex, P2_NEGOTIATION_STARTED, NULL);
        ex->u.quick.commit = ex->u.quick.tunnel->config.policy.commit_bit;
        draw_spis(ex);
        p2_random_fill(ex->gw, P2_RANDOM_NONCE, ex->u.quick.nonce_r, P2_NONCE_LEN);
        ex->u.quick.nonce_r_len = P2_NONCE_LEN;
    }
    return verdict;
}

static enum p2_verdict verify_message_2(struct p2_exchange *ex)
{
    struct p2_bytes ni = p2_quick_nonce_i(ex);
    enum p2_verdict verdict = p2_quick_open(ex, &ni);
    ex->u.quick.commit = ex->inbox[19] & P2_FLAG_COMMIT;
    return verdict == P2_VERDICT_GOOD ? p2_quick_read_2(ex) : verdict;
}

/* --- computing and sending --- */

static int generate(struct p2_exchange *ex)
{
    struct p2_quick_state *q = &ex->u.quick;
    return q->group == P2_GROUP_NONE
               ? P2_OK
               : p2_dh_generate(q->group, ex->gw->random, q->private_key, q->public_key);
}

/* g(qm)^xy, told to the host for keys.xml; then both SAs. */
static int install(struct p2_exchange *ex)
{
    struct p2_quick_state *q = &ex->u.quick;
    struct p2_bytes shared = {q->shared, 0};
    if (q->group != P2_GROUP_NONE) {
        int r = p2_dh_derive(q->group, q->private_key, q->peer_public, q->peer_public_len, q->shared);
        if (r < 0)
            return r;
        shared.len = p2_group_of(q->group)->secret_len;
        struct p2_action *action = p2_emit(ex->gw, P2_ACTION_DH_SECRET);
        action->id = p2_exchange_id(ex);
        action->u.secret = shared;
        p2_wipe(q->private_key, sizeof(q->private_key));
    }
    return p2_pair_install(ex, shared);
}

static enum p2_verdict send_message_1(struct p2_exchange *ex)
{
    uint8_t buffer[P2_IKE_MAX_MESSAGE];
    struct p2_message m;
    int r = generate(ex);
    if (r < 0)
        return p2_quick_fail_crypto(ex, r);
    p2_quick_build(ex, &m, buffer, sizeof(buffer));
    p2_message_hash(ex, &m, NULL);
    return p2_exchange_send(ex, &m);
}

static enum p2_verdict send_message_2(struct p2_exchange *ex)
{
    uint8_t buffer[P2_IKE_MAX_MESSAGE];
    struct p2_message m;
    struct p2_bytes ni = p2_quick_nonce_i(ex);
    int r = generate(ex);
    if (r == P2_OK)
        r = install(ex);
    if (r < 0)
        return p2_quick_fail_crypto(ex, r);
    p2_quick_build(ex, &m, buffer, sizeof(buffer));
    p2_message_hash(ex, &m, &ni);
    return p2_exchange_send(ex, &m);
}

/* This end is ready, unless sending failed. */
static enum p2_verdict finished(struct p2_exchange *ex, enum p2_verdict verdict)
{
    struct p2_quick_state *q = &ex->u.quick;
    if (verdict != P2_VERDICT_GOOD)
        return verdict;
    if (q->tunnel->negotiating == ex)
        q->tunnel->negotiating = NULL;
    p2_pair_authorise(ex->gw, q->pair);
    p2_exchange_negotiation(ex, P2_NEGOTIATION_READY, NULL);
    q->pair = NULL;
    return P2_VERDICT_GOOD;
}

static enum p2_verdict send_message_3(struct p2_exchange *ex)
{
    uint8_t buffer[P2_IKE_MAX_MESSAGE], hash[P2_HASH_MAX_LEN];
    struct p2_message m;
    struct p2_isakmp_header header = p2_exchange_header(ex, true);
    int r = install(ex);
    if (r < 0)
        return p2_quick_fail_crypto(ex, r);
    p2_keymat_hash_3(&ex->isakmp->keys, ex->message_id, p2_quick_nonce_i(ex), p2_quick_nonce_r(ex), hash);
    p2_message_begin(&m, buffer, sizeof(buffer), &header);
    p2_message_add(&m, P2_PAYLOAD_HASH, hash, p2_hash_of(ex->isakmp->keys.hash)->len);
    if (!ex->u.quick.commit)
        return finished(ex, p2_exchange_send(ex, &m));
    ex->next_state = I_SENT_3;
    return p2_exchange_send(ex, &m);
}

static enum p2_verdict verify_message_3(struct p2_exchange *ex)
{
    uint8_t expected[P2_HASH_MAX_LEN];
    size_t len = p2_hash_of(ex->isakmp->keys.hash)->len;
    if (!p2_exchange_is_encrypted(ex) || p2_exchange_open(ex) < 0)
        return p2_exchange_drop(ex, P2_DROP_HASH_MISMATCH);
    const struct p2_payload *hash = p2_isakmp_find(&ex->payloads, P2_PAYLOAD_HASH, 0);
    p2_keymat_hash_3(&ex->isakmp->keys, ex->message_id, p2_quick_nonce_i(ex), p2_quick_nonce_r(ex), expected);
    if (!hash || hash->body.len != len || !p2_equal_constant_time(expected, hash->body.data, len))
        return p2_exchange_drop(ex, P2_DROP_HASH_MISMATCH);
    p2_exchange_chain(ex);
    return P2_VERDICT_GOOD;
}

static enum p2_verdict answer_message_3(struct p2_exchange *ex)
{
    uint8_t buffer[P2_IKE_MAX_MESSAGE];
    struct p2_message m;
    if (!ex->u.quick.commit)
        return finished(ex, P2_VERDICT_GOOD);
    p2_quick_build_connected(ex, &m, buffer, sizeof(buffer));
    p2_message_hash(ex, &m, NULL);
    return finished(ex, p2_exchange_send(ex, &m));
}

static enum p2_verdict verify_connected(struct p2_exchange *ex)
{
    struct p2_isakmp_notify notify;
    uint8_t iv[P2_CIPHER_MAX_BLOCK];
    memcpy(iv, ex->iv, sizeof(iv));
    enum p2_verdict verdict = p2_quick_open(ex, NULL);
    if (verdict != P2_VERDICT_GOOD)
        return verdict;
    const struct p2_payload *payload = p2_isakmp_find(&ex->payloads, P2_PAYLOAD_NOTIFY, 0);
    if (!payload || !p2_isakmp_parse_notify(&notify, payload->body) || notify.type != P2_NOTIFY_CONNECTED) {
        memcpy(ex->iv, iv, sizeof(iv)); /* CONNECTED, when it comes, is chained to message 3 */
        return p2_exchange_drop(ex, P2_DROP_UNEXPECTED);
    }
    return finished(ex, P2_VERDICT_GOOD);
}

/* --- the table --- */

static const struct p2_step steps[] = {
    /* initiator, state, awaits, verify, compute, next state, resends */
    {true, P2_STATE_START, NULL, NULL, NULL, p2_quick_work_message_1, send_message_1, I_SENT_1, true},
    {true, I_SENT_1, "message 2", p2_quick_work_verify, verify_message_2, p2_quick_work_message_3,
     send_message_3, P2_STATE_DONE /* or I_SENT_3 */, true},
    {true, I_SENT_3, "CONNECTED", p2_quick_work_verify, verify_connected, NULL, NULL, P2_STATE_DONE, false},
    {false, P2_STATE_START, "message 1", p2_quick_work_verify, verify_message_1, p2_quick_work_message_2,
     send_message_2, R_SENT_2, true},
    {false, R_SENT_2, "message 3", p2_quick_work_verify, verify_message_3, p2_quick_work_connected,
     answer_message_3, P2_STATE_DONE, false},
};

/* An end that never heard the last message takes its SA down again and says so, since the peer may be using
 * it. */
static void quick_mode_failed(struct p2_exchange *ex)
{
    struct p2_quick_state *q = &ex->u.quick;
    if (q->pair) {
        q->pair->negotiator = NULL;
        p2_pair_remove(ex->gw, q->pair, P2_REMOVED_NEVER_CONFIRMED);
    }
    q->pair = NULL;
    if (q->tunnel && q->tunnel->negotiating == ex) {
        q->tunnel->negotiating = NULL;
        p2_tunnel_failed(ex->gw, q->tunnel);
    }
}

/* A notify that may have meant this one is the better explanation. Otherwise the peer may not have the ISAKMP
 * SA (any more): the next Quick Mode starts with Phase 1. */
static void quick_mode_explain(const struct p2_exchange *ex, struct p2_failure_detail *detail)
{
    if (ex->u.quick.hint != 0)
        p2_notify_detail(ex, ex->u.quick.hint, detail);
}

static void quick_mode_timed_out(struct p2_exchange *ex)
{
    if (ex->u.quick.hint == 0 && ex->initiator && ex->received_len == 0)
        p2_isakmp_sa_unanswered(ex->gw, ex->isakmp);
}

const struct p2_exchange_kind p2_quick_mode = {
    P2_EXCHANGE_QUICK, steps, sizeof(steps) / sizeof(steps[0]), quick_mode_explain, quick_mode_timed_out,
    quick_mode_failed};

void p2_quick_start(struct p2_gateway *gw, struct p2_tunnel *tunnel, enum p2_start start)
{
    struct p2_isakmp_sa *sa = tunnel->peer->isakmp;
    struct p2_exchange *ex = p2_exchange_new(gw, &p2_quick_mode, sa, true, p2_message_id_new(gw, sa));
    if (!ex) {
        p2_tunnel_failed(gw, tunnel);
        return;
    }
    struct p2_quick_state *q = &ex->u.quick;
    ex->start = start;
    tunnel->negotiating = ex;
    q->tunnel = tunnel;
    q->group = tunnel->config.policy.pfs;
    q->has_ids = true;
    draw_spis(ex);
    p2_random_fill(gw, P2_RANDOM_NONCE, q->nonce_i, P2_NONCE_LEN);
    q->nonce_i_len = P2_NONCE_LEN;
    p2_exchange_negotiation(ex, P2_NEGOTIATION_STARTED, NULL);
    p2_exchange_begin(ex);
}
