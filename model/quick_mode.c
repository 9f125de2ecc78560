/* Quick Mode (RFC 2409 section 5.5), in both roles:
 *
 *      Initiator                                        Responder
 *      HDR*, HASH(1), SA, Ni [, KE] [, IDci, IDcr] -->
 *                                                  <--  HDR*, HASH(2), SA, Nr [, KE] [, IDci, IDcr]
 *      HDR*, HASH(3)                               -->
 *
 * The responder installs its inbound SA with its answer and may send once HASH(3) verified; the initiator
 * installs and may send once HASH(2) verified. The initiator resends its first message, the responder its
 * answer; the third message is sent again whenever a copy of the second one shows that it got lost.
 *
 * PFS, initiator's x responder's policy: equal groups (or none twice) agree; anything else ends in
 * NO-PROPOSAL-CHOSEN with the field pfs-group; a group that was agreed on but a KE payload that is missing,
 * or too much, or not a value of the group ends in INVALID-KEY-INFORMATION. */
#include "internal.h"

#include "offer.h"

#include <stdio.h>
#include <string.h>

enum { I_SENT_1 = 1, R_SENT_2 };

#define BIT(type)    (UINT32_C(1) << (type))
#define REQUIRED_1_2 (BIT(P2_PAYLOAD_HASH) | BIT(P2_PAYLOAD_SA) | BIT(P2_PAYLOAD_NONCE))
#define ALLOWED_1_2                                                                                          \
    (REQUIRED_1_2 | BIT(P2_PAYLOAD_KE) | BIT(P2_PAYLOAD_ID) | BIT(P2_PAYLOAD_NOTIFY) | BIT(P2_PAYLOAD_VENDOR))

static struct p2_bytes nonce_i(const struct p2_exchange *ex)
{
    return (struct p2_bytes){ex->u.quick.nonce_i, ex->u.quick.nonce_i_len};
}

static struct p2_bytes nonce_r(const struct p2_exchange *ex)
{
    return (struct p2_bytes){ex->u.quick.nonce_r, ex->u.quick.nonce_r_len};
}

/* A refusal of ours: the peer gets the notify, the record gets the details. */
static enum p2_verdict refuse(struct p2_exchange *ex, const struct p2_failure_detail *detail)
{
    if (detail->notify != 0)
        p2_informational_notify(ex->gw, ex->isakmp, detail->notify);
    return p2_exchange_fail(ex, detail);
}

static enum p2_verdict refuse_simply(struct p2_exchange *ex, enum p2_failure failure, uint16_t notify,
                                     const char *field, const char *offered, const char *acceptable)
{
    struct p2_failure_detail detail = {.failure = failure, .notify = notify};
    snprintf(detail.field, sizeof(detail.field), "%s", field);
    snprintf(detail.offered, sizeof(detail.offered), "%s", offered);
    snprintf(detail.acceptable, sizeof(detail.acceptable), "%s", acceptable);
    return refuse(ex, &detail);
}

static enum p2_verdict malformed(struct p2_exchange *ex, const char *field)
{
    return refuse_simply(ex, P2_FAIL_PAYLOAD_MALFORMED, P2_NOTIFY_PAYLOAD_MALFORMED, field, "", "");
}

/* --- building messages 1 and 2 --- */

static void add_ids(struct p2_exchange *ex, struct p2_message *m)
{
    const struct p2_tunnel_config *config = &ex->u.quick.tunnel->config;
    uint8_t id[P2_SELECTOR_ID_MAX];
    const struct p2_selector *ci = ex->initiator ? &config->local : &config->remote;
    const struct p2_selector *cr = ex->initiator ? &config->remote : &config->local;
    p2_message_add(m, P2_PAYLOAD_ID, id, p2_selector_to_id(ci, id));
    p2_message_add(m, P2_PAYLOAD_ID, id, p2_selector_to_id(cr, id));
}

/* Payloads are complete but for HASH; the KE value may still be missing, which does not change a length. */
static void build(struct p2_exchange *ex, struct p2_message *m, uint8_t *buffer, size_t capacity)
{
    static const uint8_t zeros[P2_HASH_MAX_LEN];
    const struct p2_quick_state *q = &ex->u.quick;
    struct p2_isakmp_header header = p2_exchange_header(ex, true);
    struct p2_bytes attributes = {q->attributes, q->attributes_len};
    p2_message_begin(m, buffer, capacity, &header);
    p2_message_add(m, P2_PAYLOAD_HASH, zeros, p2_hash_info(ex->isakmp->keys.hash)->len);
    p2_message_open(m, P2_PAYLOAD_SA);
    if (ex->initiator)
        p2_offer_build(&m->b, &q->tunnel->config.policy, q->spi_in);
    else
        p2_offer_build_answer(&m->b, q->proposal_number, q->transform_number, q->transform_id, attributes,
                              q->spi_in);
    p2_message_close(m);
    if (ex->initiator)
        p2_message_add(m, P2_PAYLOAD_NONCE, q->nonce_i, q->nonce_i_len);
    else
        p2_message_add(m, P2_PAYLOAD_NONCE, q->nonce_r, q->nonce_r_len);
    if (q->group != P2_GROUP_NONE)
        p2_message_add(m, P2_PAYLOAD_KE, q->public_key, p2_group_info(q->group)->public_len);
    if (q->has_ids)
        add_ids(ex, m);
}

/* --- what it costs --- */

static size_t cipher_text(const struct p2_exchange *ex, size_t len)
{
    size_t block = p2_cipher_info(ex->isakmp->keys.cipher)->block_len;
    return (len + block - 1) / block * block;
}

/* HASH over and encryption of a message that has so many bytes of payloads. */
static void work_protect(const struct p2_exchange *ex, struct p2_work *work, enum p2_operation direction,
                         size_t hashed, size_t payloads)
{
    p2_work_add(work, P2_OP_HMAC, ex->isakmp->keys.hash, 1, hashed);
    p2_work_add(work, direction, ex->isakmp->keys.cipher, 1, cipher_text(ex, payloads));
}

static void work_verify(struct p2_exchange *ex, struct p2_work *work)
{
    size_t len = ex->inbox_len - P2_ISAKMP_HEADER_LEN;
    if (ex->state == P2_STATE_START) /* the exchange's own first IV */
        p2_work_add(work, P2_OP_HASH, ex->isakmp->keys.hash, 1, P2_CIPHER_MAX_BLOCK + 4);
    work_protect(ex, work, P2_OP_DECRYPT, len, len);
}

static void work_build(struct p2_exchange *ex, struct p2_work *work)
{
    uint8_t buffer[P2_IKE_MAX_MESSAGE];
    struct p2_message m;
    build(ex, &m, buffer, sizeof(buffer));
    size_t len = m.b.len - P2_ISAKMP_HEADER_LEN;
    work_protect(ex, work, P2_OP_ENCRYPT, len, len);
}

static void work_message_1(struct p2_exchange *ex, struct p2_work *work)
{
    if (ex->u.quick.group != P2_GROUP_NONE)
        p2_work_add(work, P2_OP_DH_GENERATE, ex->u.quick.group, 1, 0);
    p2_work_add(work, P2_OP_HASH, ex->isakmp->keys.hash, 1, P2_CIPHER_MAX_BLOCK + 4);
    work_build(ex, work);
}

/* KEYMAT of both directions: as many blocks of the prf as the keys need. */
static void work_keymat(struct p2_exchange *ex, struct p2_work *work)
{
    const struct p2_quick_state *q = &ex->u.quick;
    size_t hash_len = p2_hash_info(ex->isakmp->keys.hash)->len, shared = 0;
    size_t need = p2_cipher_info(q->algorithms.cipher)->key_len + p2_auth_info(q->algorithms.auth)->key_len;
    if (q->group != P2_GROUP_NONE) {
        p2_work_add(work, P2_OP_DH_DERIVE, q->group, 1, 0);
        shared = p2_group_info(q->group)->secret_len;
    }
    size_t input = hash_len + shared + 5 + q->nonce_i_len + q->nonce_r_len;
    p2_work_add(work, P2_OP_HMAC, ex->isakmp->keys.hash, 2 * ((need + hash_len - 1) / hash_len), input);
}

static void work_message_2(struct p2_exchange *ex, struct p2_work *work)
{
    if (ex->u.quick.group != P2_GROUP_NONE)
        p2_work_add(work, P2_OP_DH_GENERATE, ex->u.quick.group, 1, 0);
    work_keymat(ex, work);
    work_build(ex, work);
}

static void work_message_3(struct p2_exchange *ex, struct p2_work *work)
{
    size_t hash_len = p2_hash_info(ex->isakmp->keys.hash)->len;
    work_keymat(ex, work);
    work_protect(ex, work, P2_OP_ENCRYPT, 5 + ex->u.quick.nonce_i_len + ex->u.quick.nonce_r_len,
                 4 + hash_len);
}

/* --- reading messages 1 and 2 --- */

static enum p2_verdict read_nonce(struct p2_exchange *ex)
{
    struct p2_quick_state *q = &ex->u.quick;
    const struct p2_payload *nonce = p2_isakmp_find(&ex->payloads, P2_PAYLOAD_NONCE, 0);
    if (nonce->body.len < P2_NONCE_MIN || nonce->body.len > P2_NONCE_MAX)
        return malformed(ex, "nonce length");
    memcpy(ex->initiator ? q->nonce_r : q->nonce_i, nonce->body.data, nonce->body.len);
    *(ex->initiator ? &q->nonce_r_len : &q->nonce_i_len) = nonce->body.len;
    return P2_VERDICT_GOOD;
}

/* The peer's public value is kept; whether it is one of the group shows when it is used. */
static enum p2_verdict read_ke(struct p2_exchange *ex)
{
    struct p2_quick_state *q = &ex->u.quick;
    const struct p2_payload *ke = p2_isakmp_find(&ex->payloads, P2_PAYLOAD_KE, 0);
    bool wanted = q->group != P2_GROUP_NONE;
    if (wanted != (ke != NULL) || (ke && ke->body.len != p2_group_info(q->group)->public_len))
        return refuse_simply(ex, P2_FAIL_INVALID_KEY_INFORMATION, P2_NOTIFY_INVALID_KEY_INFORMATION,
                             "key-exchange", ke ? "a KE payload" : "no KE payload",
                             wanted ? "one of the group's length" : "none");
    if (ke) {
        memcpy(q->peer_public, ke->body.data, ke->body.len);
        q->peer_public_len = ke->body.len;
    }
    return P2_VERDICT_GOOD;
}

static enum p2_verdict read_sa(struct p2_exchange *ex)
{
    struct p2_quick_state *q = &ex->u.quick;
    struct p2_isakmp_sa_payload sa;
    struct p2_offer_choice choice;
    if (p2_isakmp_parse_sa(&sa, p2_isakmp_find(&ex->payloads, P2_PAYLOAD_SA, 0)->body) < 0)
        return malformed(ex, "security association");
    p2_offer_choose(&choice, &sa, &q->tunnel->config.policy);
    if (ex->initiator && sa.num != 1)
        return refuse_simply(ex, P2_FAIL_NO_PROPOSAL_CHOSEN, P2_NOTIFY_NO_PROPOSAL_CHOSEN, "answer",
                             "several transforms", "the one that was chosen");
    if (!choice.found)
        return refuse_simply(ex, P2_FAIL_NO_PROPOSAL_CHOSEN, P2_NOTIFY_NO_PROPOSAL_CHOSEN, choice.field,
                             choice.offered, choice.acceptable);
    if (choice.transform.attributes.len > sizeof(q->attributes))
        return malformed(ex, "attributes");
    memcpy(q->attributes, choice.transform.attributes.data, choice.transform.attributes.len);
    q->attributes_len = choice.transform.attributes.len;
    q->proposal_number = choice.transform.proposal_number;
    q->transform_number = choice.transform.number;
    q->transform_id = choice.transform.id;
    q->algorithms = choice.algorithms;
    q->group = choice.group;
    q->spi_out = choice.spi;
    q->lifetime_s = choice.lifetime_s;
    return P2_VERDICT_GOOD;
}

/* IDci and IDcr, or the gateways' own addresses if they are absent (section 5.5). */
static int read_ids(struct p2_exchange *ex, struct p2_selector *ci, struct p2_selector *cr)
{
    const struct p2_peer_config *peer = &ex->isakmp->peer->config;
    const struct p2_payload *first = p2_isakmp_find(&ex->payloads, P2_PAYLOAD_ID, 0);
    const struct p2_payload *second = p2_isakmp_find(&ex->payloads, P2_PAYLOAD_ID, 1);
    ex->u.quick.has_ids = first != NULL;
    if (!first) {
        *ci = (struct p2_selector){.address = ex->initiator ? peer->local : peer->remote, .prefix_len = 32};
        *cr = (struct p2_selector){.address = ex->initiator ? peer->remote : peer->local, .prefix_len = 32};
        return P2_OK;
    }
    if (!second || p2_selector_from_id(ci, first->body.data, first->body.len) < 0)
        return P2_ERR_MALFORMED;
    return p2_selector_from_id(cr, second->body.data, second->body.len);
}

/* What this gateway would have taken from that peer, seen from the initiator: the first tunnel with it. */
static void acceptable_ids(struct p2_exchange *ex, char *text, size_t size)
{
    snprintf(text, size, "no tunnel with this peer");
    for (size_t i = 0; i < ex->gw->num_tunnels; i++) {
        const struct p2_tunnel *tunnel = &ex->gw->tunnels[i];
        if (tunnel->peer == ex->isakmp->peer) {
            p2_selector_format_pair(&tunnel->config.remote, &tunnel->config.local, text, size);
            return;
        }
    }
}

static enum p2_verdict find_tunnel(struct p2_exchange *ex)
{
    struct p2_selector ci, cr;
    if (read_ids(ex, &ci, &cr) < 0)
        return malformed(ex, "proxy-id");
    ex->u.quick.tunnel = p2_tunnel_by_selectors(ex->gw, ex->isakmp->peer, &cr, &ci);
    if (!ex->u.quick.tunnel) {
        char offered[P2_WHY_MAX], acceptable[P2_WHY_MAX];
        p2_selector_format_pair(&ci, &cr, offered, sizeof(offered));
        acceptable_ids(ex, acceptable, sizeof(acceptable));
        return refuse_simply(ex, P2_FAIL_INVALID_ID_INFORMATION, P2_NOTIFY_INVALID_ID_INFORMATION, "proxy-id",
                             offered, acceptable);
    }
    return P2_VERDICT_GOOD;
}

static enum p2_verdict check_ids(struct p2_exchange *ex)
{
    struct p2_selector ci, cr;
    const struct p2_tunnel_config *config = &ex->u.quick.tunnel->config;
    if (read_ids(ex, &ci, &cr) < 0 || !p2_selector_equal(&ci, &config->local) ||
        !p2_selector_equal(&cr, &config->remote))
        return refuse_simply(ex, P2_FAIL_INVALID_ID_INFORMATION, P2_NOTIFY_INVALID_ID_INFORMATION, "proxy-id",
                             "other proxy IDs in the answer", "those that were offered");
    return P2_VERDICT_GOOD;
}

/* Decryption and HASH(1) or HASH(2); until it verified the message may be anybody's. */
static enum p2_verdict open_verified(struct p2_exchange *ex, const struct p2_bytes *ni)
{
    if (!(ex->inbox[19] & P2_FLAG_ENCRYPTED) || p2_exchange_open(ex) < 0 || !p2_exchange_verify_hash(ex, ni))
        return p2_exchange_drop(ex, P2_DROP_HASH_MISMATCH);
    p2_exchange_chain(ex);
    return P2_VERDICT_GOOD;
}

typedef enum p2_verdict reading(struct p2_exchange *ex);

static enum p2_verdict in_turn(struct p2_exchange *ex, reading *const *readings, size_t num)
{
    enum p2_verdict verdict = P2_VERDICT_GOOD;
    if (!p2_payloads_are(&ex->payloads, REQUIRED_1_2, ALLOWED_1_2))
        return malformed(ex, "payloads");
    for (size_t i = 0; i < num && verdict == P2_VERDICT_GOOD; i++)
        verdict = readings[i](ex);
    return verdict;
}

static enum p2_verdict verify_message_1(struct p2_exchange *ex)
{
    static reading *const readings[] = {read_nonce, find_tunnel, read_sa, read_ke};
    enum p2_verdict verdict = open_verified(ex, NULL);
    if (verdict == P2_VERDICT_GOOD)
        verdict = in_turn(ex, readings, sizeof(readings) / sizeof(readings[0]));
    if (verdict == P2_VERDICT_GOOD) {
        p2_exchange_negotiation(ex, P2_NEGOTIATION_STARTED, NULL);
        ex->u.quick.spi_in = p2_spi_new(ex->gw);
        p2_random_fill(ex->gw, P2_RANDOM_NONCE, ex->u.quick.nonce_r, P2_NONCE_LEN);
        ex->u.quick.nonce_r_len = P2_NONCE_LEN;
    }
    return verdict;
}

static enum p2_verdict verify_message_2(struct p2_exchange *ex)
{
    static reading *const readings[] = {read_nonce, check_ids, read_sa, read_ke};
    struct p2_bytes ni = nonce_i(ex);
    enum p2_verdict verdict = open_verified(ex, &ni);
    return verdict == P2_VERDICT_GOOD ? in_turn(ex, readings, sizeof(readings) / sizeof(readings[0]))
                                      : verdict;
}

/* --- computing and sending --- */

static enum p2_verdict fail_crypto(struct p2_exchange *ex, int error)
{
    if (error == P2_ERR_PEER_VALUE)
        return refuse_simply(ex, P2_FAIL_INVALID_KEY_INFORMATION, P2_NOTIFY_INVALID_KEY_INFORMATION,
                             "key-exchange", "a value that is not of the group",
                             "2 to p-2, or a point on the curve");
    return refuse_simply(ex, P2_FAIL_INTERNAL, 0, "diffie-hellman", "", "");
}

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
        shared.len = p2_group_info(q->group)->secret_len;
        struct p2_action *action = p2_emit(ex->gw, P2_ACTION_DH_SECRET);
        action->id = p2_exchange_id(ex);
        action->u.secret = shared;
        p2_wipe(q->private_key, sizeof(q->private_key));
    }
    q->pair = p2_pair_install(ex, shared);
    return q->pair ? P2_OK : P2_ERR_NOMEM;
}

static enum p2_verdict send_message_1(struct p2_exchange *ex)
{
    uint8_t buffer[P2_IKE_MAX_MESSAGE];
    struct p2_message m;
    int r = generate(ex);
    if (r < 0)
        return fail_crypto(ex, r);
    build(ex, &m, buffer, sizeof(buffer));
    p2_message_hash(ex, &m, NULL);
    return p2_exchange_send(ex, &m);
}

static enum p2_verdict send_message_2(struct p2_exchange *ex)
{
    uint8_t buffer[P2_IKE_MAX_MESSAGE];
    struct p2_message m;
    struct p2_bytes ni = nonce_i(ex);
    int r = generate(ex);
    if (r == P2_OK)
        r = install(ex);
    if (r < 0)
        return fail_crypto(ex, r);
    build(ex, &m, buffer, sizeof(buffer));
    p2_message_hash(ex, &m, &ni);
    return p2_exchange_send(ex, &m);
}

static enum p2_verdict send_message_3(struct p2_exchange *ex)
{
    uint8_t buffer[P2_IKE_MAX_MESSAGE], hash[P2_HASH_MAX_LEN];
    struct p2_message m;
    struct p2_isakmp_header header = p2_exchange_header(ex, true);
    int r = install(ex);
    if (r < 0)
        return fail_crypto(ex, r);
    p2_keymat_hash_3(&ex->isakmp->keys, ex->message_id, nonce_i(ex), nonce_r(ex), hash);
    p2_message_begin(&m, buffer, sizeof(buffer), &header);
    p2_message_add(&m, P2_PAYLOAD_HASH, hash, p2_hash_info(ex->isakmp->keys.hash)->len);
    enum p2_verdict verdict = p2_exchange_send(ex, &m);
    if (verdict == P2_VERDICT_GOOD) {
        ex->u.quick.tunnel->negotiating = NULL;
        p2_pair_authorise(ex->gw, ex->u.quick.pair);
        p2_exchange_negotiation(ex, P2_NEGOTIATION_READY, NULL);
        ex->u.quick.pair = NULL;
    }
    return verdict;
}

static enum p2_verdict verify_message_3(struct p2_exchange *ex)
{
    uint8_t expected[P2_HASH_MAX_LEN];
    size_t len = p2_hash_info(ex->isakmp->keys.hash)->len;
    if (!(ex->inbox[19] & P2_FLAG_ENCRYPTED) || p2_exchange_open(ex) < 0)
        return p2_exchange_drop(ex, P2_DROP_HASH_MISMATCH);
    const struct p2_payload *hash = p2_isakmp_find(&ex->payloads, P2_PAYLOAD_HASH, 0);
    p2_keymat_hash_3(&ex->isakmp->keys, ex->message_id, nonce_i(ex), nonce_r(ex), expected);
    if (!hash || hash->body.len != len || !p2_equal_constant_time(expected, hash->body.data, len))
        return p2_exchange_drop(ex, P2_DROP_HASH_MISMATCH);
    p2_exchange_chain(ex);
    p2_pair_authorise(ex->gw, ex->u.quick.pair);
    p2_exchange_negotiation(ex, P2_NEGOTIATION_READY, NULL);
    ex->u.quick.pair = NULL;
    return P2_VERDICT_GOOD;
}

/* --- the table --- */

static const struct p2_step steps[] = {
    /* initiator, state, awaits, verify, compute, next state, resends */
    {true, P2_STATE_START, NULL, NULL, NULL, work_message_1, send_message_1, I_SENT_1, true},
    {true, I_SENT_1, "message 2", work_verify, verify_message_2, work_message_3, send_message_3,
     P2_STATE_DONE, false},
    {false, P2_STATE_START, "message 1", work_verify, verify_message_1, work_message_2, send_message_2,
     R_SENT_2, true},
    {false, R_SENT_2, "message 3", work_verify, verify_message_3, NULL, NULL, P2_STATE_DONE, false},
};

/* A responder that never got message 3 takes its SA down again and says so, since the initiator may be using
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
static void quick_mode_timed_out(struct p2_exchange *ex, struct p2_failure_detail *detail)
{
    if (ex->u.quick.hint != 0)
        p2_notify_detail(ex, ex->u.quick.hint, detail);
    else if (ex->initiator)
        p2_isakmp_sa_unanswered(ex->gw, ex->isakmp);
}

const struct p2_exchange_kind p2_quick_mode = {P2_EXCHANGE_QUICK, steps, sizeof(steps) / sizeof(steps[0]),
                                               quick_mode_timed_out, quick_mode_failed};

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
    q->spi_in = p2_spi_new(gw);
    p2_random_fill(gw, P2_RANDOM_NONCE, q->nonce_i, P2_NONCE_LEN);
    q->nonce_i_len = P2_NONCE_LEN;
    p2_exchange_negotiation(ex, P2_NEGOTIATION_STARTED, NULL);
    p2_exchange_begin(ex);
}
