/* Reading Quick Mode's messages 1 and 2, and refusing them: each refusal names the field, both values and the
 * rule. */
#include "quick.h"

#include <stdio.h>
#include <string.h>

#define BIT(type) (UINT32_C(1) << (type))
#define ALLOWED_1_2                                                                                          \
    (BIT(P2_PAYLOAD_HASH) | BIT(P2_PAYLOAD_SA) | BIT(P2_PAYLOAD_NONCE) | BIT(P2_PAYLOAD_KE) |                \
     BIT(P2_PAYLOAD_ID) | BIT(P2_PAYLOAD_NOTIFY) | BIT(P2_PAYLOAD_VENDOR) | BIT(P2_PAYLOAD_NAT_OA))

/* An initiator of Phase 1 that stayed on port 500 saw no NAT, and does not expect UDP there either (RFC 3947
 * section 4). */
struct p2_offer_context p2_quick_context(const struct p2_exchange *ex)
{
    const struct p2_isakmp_sa *sa = ex->isakmp;
    bool nat = (sa->nat_local || sa->nat_remote) && sa->local_port == P2_PORT_NAT_T;
    return (struct p2_offer_context){
        .policy = &ex->u.quick.tunnel->config.policy, .encapsulated = nat, .initiator = ex->initiator};
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

static enum p2_verdict foreign_payload(struct p2_exchange *ex, unsigned type, const char *acceptable)
{
    char offered[32];
    struct refusal why = {P2_FAIL_INVALID_PAYLOAD_TYPE,
                          P2_NOTIFY_INVALID_PAYLOAD_TYPE,
                          "payloads",
                          offered,
                          acceptable,
                          "a payload must be of a type that belongs into its message: RFC 2408 section 5.3"};
    snprintf(offered, sizeof(offered), "a payload of type %u", type);
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

/* Both ends derive the same keys, so one of them says it. */
static enum p2_verdict weak_key(struct p2_exchange *ex)
{
    struct refusal why = {P2_FAIL_INVALID_KEY_INFORMATION,
                          P2_NOTIFY_INVALID_KEY_INFORMATION,
                          "encryption-key",
                          "KEYMAT with a weak key",
                          "one without",
                          P2_RULE_WEAK_KEY};
    return refuse(ex, &why);
}

enum p2_verdict p2_quick_fail_crypto(struct p2_exchange *ex, int error)
{
    if (error == P2_ERR_PEER_VALUE)
        return bad_key(ex, "a value that is not of the group", "2 to p-2, or a point on the curve");
    if (error == P2_ERR_WEAK_KEY)
        return weak_key(ex);
    return p2_exchange_fail_internally(ex, error == P2_ERR_NOMEM ? "memory" : "diffie-hellman");
}

/* --- reading --- */

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
    size_t wanted = q->group != P2_GROUP_NONE ? p2_group_of(q->group)->public_len : 0;
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

/* What the ends saw of NATs in Phase 1 is authenticated by nothing, and they may have seen different things:
 * the initiator's view is as good as ours, and both forms are understood. */
static void choose(struct p2_exchange *ex, const struct p2_isakmp_sa_payload *sa)
{
    struct p2_quick_state *q = &ex->u.quick;
    struct p2_offer_context context = p2_quick_context(ex);
    p2_offer_choose(&q->choice, sa, &context);
    if (q->choice.found || ex->initiator || !ex->isakmp->nat_t)
        return;
    struct p2_offer_choice choice;
    context.encapsulated = !context.encapsulated;
    p2_offer_choose(&choice, sa, &context);
    if (choice.found)
        q->choice = choice;
}

static enum p2_verdict read_sa(struct p2_exchange *ex)
{
    struct p2_quick_state *q = &ex->u.quick;
    struct p2_isakmp_sa_payload sa;
    if (p2_isakmp_parse_sa(&sa, p2_isakmp_find(&ex->payloads, P2_PAYLOAD_SA, 0)->body) < 0)
        return malformed(ex, "security-association", "an SA payload that does not parse", "a whole one");
    choose(ex, &sa);
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
    const struct p2_payload *payload;
    for (size_t i = 0; (payload = p2_isakmp_find(&ex->payloads, P2_PAYLOAD_NOTIFY, i)) != NULL; i++) {
        struct p2_isakmp_notify notify;
        bool whole = p2_isakmp_parse_notify(&notify, payload->body);
        if (notify.type != P2_NOTIFY_RESPONDER_LIFETIME)
            continue;
        if (!whole || !p2_offer_read_lifetimes(notify.data, &choice->lifetime_s, &choice->lifetime_kb))
            return malformed(ex, "responder-lifetime", "attributes that do not parse", "whole attributes");
    }
    return P2_VERDICT_GOOD;
}

static int read_id(struct p2_exchange *ex, size_t i, struct p2_selector *id)
{
    struct p2_quick_state *q = &ex->u.quick;
    const struct p2_payload *payload = p2_isakmp_find(&ex->payloads, P2_PAYLOAD_ID, i);
    if (!payload || p2_selector_from_id(id, payload->body.data, payload->body.len) < 0)
        return P2_ERR_MALFORMED;
    memcpy(q->ids[i], payload->body.data, payload->body.len);
    q->ids_len[i] = payload->body.len;
    return P2_OK;
}

/* IDci and IDcr, or the gateways' own addresses if they are absent (section 5.5). */
static int read_ids(struct p2_exchange *ex, struct p2_selector *ci, struct p2_selector *cr)
{
    const struct p2_peer_config *peer = &ex->isakmp->peer->config;
    ex->u.quick.has_ids = p2_isakmp_find(&ex->payloads, P2_PAYLOAD_ID, 0) != NULL;
    if (!ex->u.quick.has_ids) {
        *ci = p2_selector_single(ex->initiator ? &peer->local : &peer->remote);
        *cr = p2_selector_single(ex->initiator ? &peer->remote : &peer->local);
        return P2_OK;
    }
    return read_id(ex, 0, ci) == P2_OK && read_id(ex, 1, cr) == P2_OK ? P2_OK : P2_ERR_MALFORMED;
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

static enum p2_verdict malformed_ids(struct p2_exchange *ex)
{
    if (!p2_isakmp_find(&ex->payloads, P2_PAYLOAD_ID, 1))
        return malformed(ex, "proxy-id", "one ID payload", "IDci and IDcr, or neither");
    return malformed(ex, "proxy-id", "ID payloads that do not parse", "an address, a subnet or a range");
}

/* Some peers write what this end knows them by, others what they know themselves by. */
static struct p2_tunnel *tunnel_for_ids(struct p2_exchange *ex, struct p2_selector ci, struct p2_selector cr)
{
    const struct p2_peer *peer = ex->isakmp->peer;
    struct p2_tunnel *tunnel = p2_tunnel_by_selectors(ex->gw, peer, &cr, &ci);
    if (tunnel)
        return tunnel;
    p2_nat_perceive_ids(ex, &ci, &cr);
    return p2_tunnel_by_selectors(ex->gw, peer, &cr, &ci);
}

static enum p2_verdict find_tunnel(struct p2_exchange *ex)
{
    struct p2_selector ci, cr;
    if (read_ids(ex, &ci, &cr) < 0)
        return malformed_ids(ex);
    ex->u.quick.tunnel = tunnel_for_ids(ex, ci, cr);
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
        return malformed_ids(ex);
    enum p2_proxy_rule rule = config->policy.proxy_rule;
    if (!p2_proxy_ids_mirror(rule, &ci, &config->local) || !p2_proxy_ids_mirror(rule, &cr, &config->remote)) {
        char offered[P2_WHY_MAX], acceptable[P2_WHY_MAX];
        p2_selector_format_pair(&ci, &cr, offered, sizeof(offered));
        p2_selector_format_pair(&config->local, &config->remote, acceptable, sizeof(acceptable));
        return bad_ids(ex, offered, acceptable);
    }
    return P2_VERDICT_GOOD;
}

enum p2_verdict p2_quick_open(struct p2_exchange *ex, const struct p2_bytes *ni)
{
    if (!p2_exchange_is_encrypted(ex) || p2_exchange_open(ex) < 0 || !p2_exchange_verify_hash(ex, ni))
        return p2_exchange_drop(ex, P2_DROP_HASH_MISMATCH);
    p2_exchange_chain(ex);
    return P2_VERDICT_GOOD;
}

static enum p2_verdict bad_originals(struct p2_exchange *ex, const char *offered)
{
    struct refusal why = {P2_FAIL_PAYLOAD_MALFORMED,
                          P2_NOTIFY_PAYLOAD_MALFORMED,
                          "original-addresses",
                          offered,
                          "two NAT-OA payloads with the addresses of initiator and responder",
                          "transport mode through a NAT needs both original addresses: RFC 3947 section 5.2"};
    return refuse(ex, &why);
}

static enum p2_verdict read_originals(struct p2_exchange *ex)
{
    return p2_nat_read_originals(ex) ? P2_VERDICT_GOOD : bad_originals(ex, "others");
}

/* By now the tunnel is known, and so the mode. */
static enum p2_verdict check_originals(struct p2_exchange *ex)
{
    const struct p2_quick_state *q = &ex->u.quick;
    bool needed = p2_quick_context(ex).encapsulated && q->tunnel->config.policy.mode == P2_MODE_TRANSPORT;
    return needed && q->originals[0].family == 0 ? bad_originals(ex, "none") : P2_VERDICT_GOOD;
}

typedef enum p2_verdict reading(struct p2_exchange *ex);

static enum p2_verdict in_turn(struct p2_exchange *ex, reading *const *readings, size_t num)
{
    enum p2_verdict verdict = P2_VERDICT_GOOD;
    const char *wanted =
        ex->initiator ? "HASH, SA, Nr [, KE] [, IDci, IDcr]" : "HASH, SA, Ni [, KE] [, IDci, IDcr]";
    const struct p2_payload *foreign = p2_payloads_foreign(&ex->payloads, ALLOWED_1_2);
    if (foreign)
        return foreign_payload(ex, foreign->type, wanted);
    if (!p2_isakmp_find(&ex->payloads, P2_PAYLOAD_SA, 0))
        return malformed(ex, "payloads", "no SA payload", wanted);
    if (!p2_isakmp_find(&ex->payloads, P2_PAYLOAD_NONCE, 0))
        return malformed(ex, "payloads", "no nonce", wanted);
    for (size_t i = 0; i < num && verdict == P2_VERDICT_GOOD; i++)
        verdict = readings[i](ex);
    return verdict;
}

#define IN_TURN(ex, ...)                                                                                     \
    in_turn((ex), (reading *const[]){__VA_ARGS__},                                                           \
            sizeof((reading *const[]){__VA_ARGS__}) / sizeof(reading *))

enum p2_verdict p2_quick_read_1(struct p2_exchange *ex)
{
    return IN_TURN(ex, read_nonce, read_originals, find_tunnel, read_sa, check_originals, read_ke);
}

enum p2_verdict p2_quick_read_2(struct p2_exchange *ex)
{
    return IN_TURN(ex, read_nonce, read_originals, check_ids, read_sa, check_originals, read_ke,
                   read_lifetimes);
}
