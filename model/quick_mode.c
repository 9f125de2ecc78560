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
#include "internal.h"

#include <stdio.h>
#include <string.h>

enum { I_SENT_1 = 1, I_SENT_3, R_SENT_2 };

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

static struct p2_offer_context context_of(const struct p2_exchange *ex)
{
    const struct p2_isakmp_sa *sa = ex->isakmp;
    return (struct p2_offer_context){.policy = &ex->u.quick.tunnel->config.policy,
                                     .encapsulated = sa->nat_local || sa->nat_remote,
                                     .initiator = ex->initiator};
}

/* --- refusing --- */

/* What is wrong with a message: the notify that says so, and the texts for the record. */
struct refusal {
    enum p2_failure failure;
    uint16_t notify;
    const char *field, *offered, *acceptable, *rule;
};

/* The peer gets the notify, the record gets the details. */
static enum p2_verdict refuse(struct p2_exchange *ex, const struct refusal *why)
{
    struct p2_failure_detail detail = {.failure = why->failure, .notify = why->notify, .rule = why->rule};
    detail.message = ex->initiator ? "message 2" : "message 1";
    snprintf(detail.field, sizeof(detail.field), "%s", why->field);
    snprintf(detail.offered, sizeof(detail.offered), "%s", why->offered);
    snprintf(detail.acceptable, sizeof(detail.acceptable), "%s", why->acceptable);
    if (why->notify != 0)
        p2_informational_notify(ex->gw, ex->isakmp, why->notify);
    return p2_exchange_fail(ex, &detail);
}

static enum p2_verdict malformed(struct p2_exchange *ex, const char *field, const char *offered,
                                 const char *acceptable)
{
    struct refusal why = {P2_FAIL_PAYLOAD_MALFORMED,
                          P2_NOTIFY_PAYLOAD_MALFORMED,
                          field,
                          offered,
                          acceptable,
                          "a payload must be well-formed: RFC 2408 section 5"};
    return refuse(ex, &why);
}

static enum p2_verdict no_proposal(struct p2_exchange *ex, const char *field, const char *offered,
                                   const char *acceptable, const char *rule)
{
    struct refusal why = {
        P2_FAIL_NO_PROPOSAL_CHOSEN, P2_NOTIFY_NO_PROPOSAL_CHOSEN, field, offered, acceptable, rule};
    return refuse(ex, &why);
}

static enum p2_verdict bad_ids(struct p2_exchange *ex, const char *offered, const char *acceptable)
{
    struct refusal why = {P2_FAIL_INVALID_ID_INFORMATION,
                          P2_NOTIFY_INVALID_ID_INFORMATION,
                          "proxy-id",
                          offered,
                          acceptable,
                          "each end's local proxy ID must be the other's remote one: RFC 2409 section 5.5"};
    return refuse(ex, &why);
}

static enum p2_verdict bad_key(struct p2_exchange *ex, const char *offered, const char *acceptable)
{
    struct refusal why = {
        P2_FAIL_INVALID_KEY_INFORMATION,
        P2_NOTIFY_INVALID_KEY_INFORMATION,
        "key-exchange",
        offered,
        acceptable,
        "with PFS there is one KE payload, a value of the agreed group: RFC 2409 section 5.5"};
    return refuse(ex, &why);
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

/* RESPONDER-LIFETIME (RFC 2407 section 4.6.3.1): our lifetimes are shorter, and this is how to say so. */
static void add_lifetimes(struct p2_exchange *ex, struct p2_message *m)
{
    const struct p2_quick_state *q = &ex->u.quick;
    const struct p2_offer_choice *choice = &q->choice;
    enum p2_protocol protocol = choice->suite.protocol[0];
    p2_message_open(m, P2_PAYLOAD_NOTIFY);
    p2_build_u32(&m->b, P2_DOI_IPSEC);
    p2_build_u8(&m->b, (uint8_t)protocol);
    p2_build_u8(&m->b, 4);
    p2_build_u16(&m->b, P2_NOTIFY_RESPONDER_LIFETIME);
    p2_build_u32(&m->b, q->spi_in[p2_spi_index(protocol)]);
    p2_offer_build_lifetimes(&m->b, choice->claims_s ? choice->lifetime_s : 0,
                             choice->claims_kb ? choice->lifetime_kb : 0);
    p2_message_close(m);
}

/* Payloads are complete but for HASH; the KE value may still be missing, which does not change a length. */
static void build(struct p2_exchange *ex, struct p2_message *m, uint8_t *buffer, size_t capacity)
{
    static const uint8_t zeros[P2_HASH_MAX_LEN];
    const struct p2_quick_state *q = &ex->u.quick;
    struct p2_isakmp_header header = p2_exchange_header(ex, true);
    struct p2_offer_context context = context_of(ex);
    if (q->commit && !ex->initiator)
        header.flags |= P2_FLAG_COMMIT;
    p2_message_begin(m, buffer, capacity, &header);
    p2_message_add(m, P2_PAYLOAD_HASH, zeros, p2_hash_info(ex->isakmp->keys.hash)->len);
    p2_message_open(m, P2_PAYLOAD_SA);
    if (ex->initiator)
        p2_offer_build(&m->b, &context, q->spi_in);
    else
        p2_offer_build_answer(&m->b, q->choice.parts, q->choice.num, q->spi_in);
    p2_message_close(m);
    if (ex->initiator)
        p2_message_add(m, P2_PAYLOAD_NONCE, q->nonce_i, q->nonce_i_len);
    else
        p2_message_add(m, P2_PAYLOAD_NONCE, q->nonce_r, q->nonce_r_len);
    if (q->group != P2_GROUP_NONE)
        p2_message_add(m, P2_PAYLOAD_KE, q->public_key, p2_group_info(q->group)->public_len);
    if (q->has_ids)
        add_ids(ex, m);
    if (!ex->initiator && (q->choice.claims_s || q->choice.claims_kb))
        add_lifetimes(ex, m);
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
    size_t hash_len = p2_hash_info(ex->isakmp->keys.hash)->len, shared = 0, blocks = 0;
    for (size_t i = 0; i < q->choice.suite.num; i++)
        blocks += (p2_algorithms_keymat_len(&q->choice.suite.algorithms[i]) + hash_len - 1) / hash_len;
    if (q->group != P2_GROUP_NONE) {
        p2_work_add(work, P2_OP_DH_DERIVE, q->group, 1, 0);
        shared = p2_group_info(q->group)->secret_len;
    }
    size_t input = hash_len + shared + 5 + q->nonce_i_len + q->nonce_r_len;
    p2_work_add(work, P2_OP_HMAC, ex->isakmp->keys.hash, 2 * blocks, input);
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
    if (nonce->body.len < P2_NONCE_MIN || nonce->body.len > P2_NONCE_MAX) {
        char offered[32];
        snprintf(offered, sizeof(offered), "%zu bytes", nonce->body.len);
        return malformed(ex, "nonce", offered, "8 to 256 bytes");
    }
    memcpy(ex->initiator ? q->nonce_r : q->nonce_i, nonce->body.data, nonce->body.len);
    *(ex->initiator ? &q->nonce_r_len : &q->nonce_i_len) = nonce->body.len;
    return P2_VERDICT_GOOD;
}

/* The peer's public value is kept; whether it is one of the group shows when it is used. */
static enum p2_verdict read_ke(struct p2_exchange *ex)
{
    struct p2_quick_state *q = &ex->u.quick;
    const struct p2_payload *ke = p2_isakmp_find(&ex->payloads, P2_PAYLOAD_KE, 0);
    size_t wanted = q->group != P2_GROUP_NONE ? p2_group_info(q->group)->public_len : 0;
    if ((wanted != 0) != (ke != NULL) || (ke && ke->body.len != wanted)) {
        char offered[64] = "no KE payload", acceptable[64] = "no KE payload";
        if (ke)
            snprintf(offered, sizeof(offered), "a KE payload of %zu bytes", ke->body.len);
        if (wanted != 0)
            snprintf(acceptable, sizeof(acceptable), "one of %zu bytes", wanted);
        return bad_key(ex, offered, acceptable);
    }
    if (ke) {
        memcpy(q->peer_public, ke->body.data, ke->body.len);
        q->peer_public_len = ke->body.len;
    }
    return P2_VERDICT_GOOD;
}

/* The answer is one of the proposals that were offered, with one transform for each protocol. */
static bool answers_our_offer(const struct p2_exchange *ex, const struct p2_isakmp_sa_payload *sa)
{
    size_t num_proposals = ex->u.quick.tunnel->config.policy.num_proposals;
    unsigned number = sa->transforms[0].proposal_number;
    return sa->num == sa->num_proposals && sa->num <= P2_MAX_BUNDLE &&
           sa->transforms[sa->num - 1].proposal_number == number && number >= 1 && number <= num_proposals;
}

static enum p2_verdict read_sa(struct p2_exchange *ex)
{
    struct p2_quick_state *q = &ex->u.quick;
    struct p2_isakmp_sa_payload sa;
    struct p2_offer_context context = context_of(ex);
    if (p2_isakmp_parse_sa(&sa, p2_isakmp_find(&ex->payloads, P2_PAYLOAD_SA, 0)->body) < 0)
        return malformed(ex, "security-association", "an SA payload that does not parse", "a whole one");
    p2_offer_choose(&q->choice, &sa, &context);
    if (ex->initiator && !answers_our_offer(ex, &sa))
        return no_proposal(ex, "answer", "other proposals than were offered", "one that was offered",
                           "the responder must choose one proposal and not alter it: RFC 2408 section 4.2");
    if (!q->choice.found)
        return no_proposal(ex, q->choice.field, q->choice.offered, q->choice.acceptable, q->choice.rule);
    q->group = q->choice.group;
    return P2_VERDICT_GOOD;
}

/* RESPONDER-LIFETIME among the notifies of the answer; the others say nothing that matters here. */
static enum p2_verdict read_lifetimes(struct p2_exchange *ex)
{
    struct p2_offer_choice *choice = &ex->u.quick.choice;
    const struct p2_payload *notify;
    for (size_t i = 0; (notify = p2_isakmp_find(&ex->payloads, P2_PAYLOAD_NOTIFY, i)) != NULL; i++) {
        struct p2_reader r = p2_reader_init(notify->body.data, notify->body.len);
        p2_read_u32(&r);
        p2_read_u8(&r);
        uint8_t spi_len = p2_read_u8(&r);
        uint16_t type = p2_read_u16(&r);
        p2_read_bytes(&r, spi_len);
        struct p2_bytes data = p2_read_bytes(&r, r.left);
        if (type != P2_NOTIFY_RESPONDER_LIFETIME)
            continue;
        if (r.failed || !p2_offer_read_lifetimes(data, &choice->lifetime_s, &choice->lifetime_kb))
            return malformed(ex, "responder-lifetime", "attributes that do not parse", "whole attributes");
    }
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

/* What this gateway would have taken from that peer, seen from the initiator: of its tunnels with it the one
 * that has one side right, else the first one. */
static void acceptable_ids(struct p2_exchange *ex, const struct p2_selector *ci, const struct p2_selector *cr,
                           char *text, size_t size)
{
    const struct p2_tunnel *nearest = NULL;
    bool half = false;
    for (size_t i = 0; i < ex->gw->num_tunnels && !half; i++) {
        const struct p2_tunnel *tunnel = &ex->gw->tunnels[i];
        if (tunnel->peer != ex->isakmp->peer)
            continue;
        half = p2_selector_equal(&tunnel->config.remote, ci) || p2_selector_equal(&tunnel->config.local, cr);
        if (half || !nearest)
            nearest = tunnel;
    }
    if (nearest)
        p2_selector_format_pair(&nearest->config.remote, &nearest->config.local, text, size);
    else
        snprintf(text, size, "no tunnel with this peer");
}

static enum p2_verdict find_tunnel(struct p2_exchange *ex)
{
    struct p2_selector ci, cr;
    if (read_ids(ex, &ci, &cr) < 0)
        return malformed(ex, "proxy-id", "ID payloads that do not parse", "an address, a subnet or a range");
    ex->u.quick.tunnel = p2_tunnel_by_selectors(ex->gw, ex->isakmp->peer, &cr, &ci);
    if (!ex->u.quick.tunnel) {
        char offered[P2_WHY_MAX], acceptable[P2_WHY_MAX];
        p2_selector_format_pair(&ci, &cr, offered, sizeof(offered));
        acceptable_ids(ex, &ci, &cr, acceptable, sizeof(acceptable));
        return bad_ids(ex, offered, acceptable);
    }
    return P2_VERDICT_GOOD;
}

static enum p2_verdict check_ids(struct p2_exchange *ex)
{
    struct p2_selector ci, cr;
    const struct p2_tunnel_config *config = &ex->u.quick.tunnel->config;
    if (read_ids(ex, &ci, &cr) < 0)
        return malformed(ex, "proxy-id", "ID payloads that do not parse", "an address, a subnet or a range");
    if (!p2_selector_equal(&ci, &config->local) || !p2_selector_equal(&cr, &config->remote)) {
        char offered[P2_WHY_MAX], acceptable[P2_WHY_MAX];
        p2_selector_format_pair(&ci, &cr, offered, sizeof(offered));
        p2_selector_format_pair(&config->local, &config->remote, acceptable, sizeof(acceptable));
        return bad_ids(ex, offered, acceptable);
    }
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
        return malformed(ex, "payloads", "payloads that are missing or do not belong here",
                         "HASH, SA, Ni [, KE] [, IDci, IDcr]");
    for (size_t i = 0; i < num && verdict == P2_VERDICT_GOOD; i++)
        verdict = readings[i](ex);
    return verdict;
}

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
    static reading *const readings[] = {read_nonce, find_tunnel, read_sa, read_ke};
    enum p2_verdict verdict = open_verified(ex, NULL);
    if (verdict == P2_VERDICT_GOOD)
        verdict = in_turn(ex, readings, sizeof(readings) / sizeof(readings[0]));
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
    static reading *const readings[] = {read_nonce, check_ids, read_sa, read_ke, read_lifetimes};
    struct p2_bytes ni = nonce_i(ex);
    enum p2_verdict verdict = open_verified(ex, &ni);
    ex->u.quick.commit = ex->inbox[19] & P2_FLAG_COMMIT;
    return verdict == P2_VERDICT_GOOD ? in_turn(ex, readings, sizeof(readings) / sizeof(readings[0]))
                                      : verdict;
}

/* --- computing and sending --- */

static enum p2_verdict fail_crypto(struct p2_exchange *ex, int error)
{
    struct refusal why = {P2_FAIL_INTERNAL, 0, "diffie-hellman", "", "", NULL};
    if (error == P2_ERR_PEER_VALUE)
        return bad_key(ex, "a value that is not of the group", "2 to p-2, or a point on the curve");
    return refuse(ex, &why);
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
        return fail_crypto(ex, r);
    p2_keymat_hash_3(&ex->isakmp->keys, ex->message_id, nonce_i(ex), nonce_r(ex), hash);
    p2_message_begin(&m, buffer, sizeof(buffer), &header);
    p2_message_add(&m, P2_PAYLOAD_HASH, hash, p2_hash_info(ex->isakmp->keys.hash)->len);
    if (!ex->u.quick.commit)
        return finished(ex, p2_exchange_send(ex, &m));
    ex->next_state = I_SENT_3;
    return p2_exchange_send(ex, &m);
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
    return P2_VERDICT_GOOD;
}

/* CONNECTED: HDR*, HASH(1), N, as an informational message under the Quick Mode's own message ID. */
static void build_connected(struct p2_exchange *ex, struct p2_message *m, uint8_t *buffer, size_t capacity)
{
    static const uint8_t zeros[P2_HASH_MAX_LEN];
    const struct p2_quick_state *q = &ex->u.quick;
    struct p2_isakmp_header header = p2_exchange_header(ex, true);
    enum p2_protocol protocol = q->choice.suite.protocol[0];
    header.exchange_type = P2_EXCHANGE_INFORMATIONAL;
    p2_message_begin(m, buffer, capacity, &header);
    p2_message_add(m, P2_PAYLOAD_HASH, zeros, p2_hash_info(ex->isakmp->keys.hash)->len);
    p2_message_open(m, P2_PAYLOAD_NOTIFY);
    p2_build_u32(&m->b, P2_DOI_IPSEC);
    p2_build_u8(&m->b, (uint8_t)protocol);
    p2_build_u8(&m->b, 4);
    p2_build_u16(&m->b, P2_NOTIFY_CONNECTED);
    p2_build_u32(&m->b, q->spi_in[p2_spi_index(protocol)]);
    p2_message_close(m);
}

static void work_connected(struct p2_exchange *ex, struct p2_work *work)
{
    uint8_t buffer[P2_IKE_MAX_MESSAGE];
    struct p2_message m;
    if (!ex->u.quick.commit)
        return;
    build_connected(ex, &m, buffer, sizeof(buffer));
    work_protect(ex, work, P2_OP_ENCRYPT, m.b.len - P2_ISAKMP_HEADER_LEN, m.b.len - P2_ISAKMP_HEADER_LEN);
}

static enum p2_verdict answer_message_3(struct p2_exchange *ex)
{
    uint8_t buffer[P2_IKE_MAX_MESSAGE];
    struct p2_message m;
    if (!ex->u.quick.commit)
        return finished(ex, P2_VERDICT_GOOD);
    build_connected(ex, &m, buffer, sizeof(buffer));
    p2_message_hash(ex, &m, NULL);
    return finished(ex, p2_exchange_send(ex, &m));
}

static enum p2_verdict verify_connected(struct p2_exchange *ex)
{
    enum p2_verdict verdict = open_verified(ex, NULL);
    const struct p2_payload *notify = NULL;
    if (verdict == P2_VERDICT_GOOD)
        notify = p2_isakmp_find(&ex->payloads, P2_PAYLOAD_NOTIFY, 0);
    if (!notify || notify->body.len < 8 || p2_get_u16(notify->body.data + 6) != P2_NOTIFY_CONNECTED)
        return verdict == P2_VERDICT_GOOD ? p2_exchange_drop(ex, P2_DROP_UNEXPECTED) : verdict;
    return finished(ex, P2_VERDICT_GOOD);
}

/* --- the table --- */

static const struct p2_step steps[] = {
    /* initiator, state, awaits, verify, compute, next state, resends */
    {true, P2_STATE_START, NULL, NULL, NULL, work_message_1, send_message_1, I_SENT_1, true},
    {true, I_SENT_1, "message 2", work_verify, verify_message_2, work_message_3, send_message_3,
     P2_STATE_DONE /* or I_SENT_3 */, true},
    {true, I_SENT_3, "CONNECTED", work_verify, verify_connected, NULL, NULL, P2_STATE_DONE, false},
    {false, P2_STATE_START, "message 1", work_verify, verify_message_1, work_message_2, send_message_2,
     R_SENT_2, true},
    {false, R_SENT_2, "message 3", work_verify, verify_message_3, work_connected, answer_message_3,
     P2_STATE_DONE, false},
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
static void quick_mode_timed_out(struct p2_exchange *ex, struct p2_failure_detail *detail)
{
    struct p2_peer *peer = ex->isakmp->peer;
    if (ex->u.quick.hint != 0)
        p2_notify_detail(ex, ex->u.quick.hint, detail);
    else if (ex->initiator && peer->isakmp == ex->isakmp && peer->config.phase1.mode == P2_PHASE1_MAIN)
        peer->isakmp = NULL;
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
    draw_spis(ex);
    p2_random_fill(gw, P2_RANDOM_NONCE, q->nonce_i, P2_NONCE_LEN);
    q->nonce_i_len = P2_NONCE_LEN;
    p2_exchange_negotiation(ex, P2_NEGOTIATION_STARTED, NULL);
    p2_exchange_begin(ex);
}
