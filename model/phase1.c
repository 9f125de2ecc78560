/* Phase 1 whatever its mode: how it starts, what both modes put into their messages and take out of them, and
 * how it ends. */
#include "phase1.h"

#include <stdio.h>
#include <string.h>

const struct p2_phase1_policy *p2_phase1_policy_of(const struct p2_exchange *ex)
{
    return &ex->isakmp->peer->config.phase1;
}

const struct p2_group_info *p2_phase1_group_of(const struct p2_exchange *ex)
{
    return p2_group_of(p2_phase1_policy_of(ex)->group);
}

enum p2_verdict p2_phase1_refuse(struct p2_exchange *ex, const struct p2_failure_detail *detail)
{
    if (detail->notify != 0)
        p2_informational_clear(ex->gw, ex->isakmp, detail->notify);
    return p2_exchange_fail(ex, detail);
}

/* --- vendor IDs --- */

static const uint8_t vendor_dpd[16] = {0xaf, 0xca, 0xd7, 0x13, 0x68, 0xa1, 0xf1, 0xc9,
                                       0x6b, 0x86, 0x96, 0xfc, 0x77, 0x57, 0x01, 0x00};
static const uint8_t vendor_nat_t[16] = {0x4a, 0x13, 0x1c, 0x81, 0x07, 0x03, 0x58, 0x45,
                                         0x5c, 0x57, 0x28, 0xf2, 0x0e, 0x95, 0x45, 0x2f};

/* Who understands R-U-THERE says so, even if it never asks itself. */
void p2_phase1_add_vendors(struct p2_exchange *ex, struct p2_message *message)
{
    p2_message_add(message, P2_PAYLOAD_VENDOR, vendor_dpd, sizeof(vendor_dpd));
    if (p2_phase1_policy_of(ex)->nat_traversal)
        p2_message_add(message, P2_PAYLOAD_VENDOR, vendor_nat_t, sizeof(vendor_nat_t));
}

void p2_phase1_read_vendors(struct p2_exchange *ex)
{
    struct p2_isakmp_sa *sa = ex->isakmp;
    const struct p2_payload *vendor;
    for (size_t n = 0; (vendor = p2_isakmp_find(&ex->payloads, P2_PAYLOAD_VENDOR, n)) != NULL; n++) {
        if (vendor->body.len != 16)
            continue;
        if (memcmp(vendor->body.data, vendor_dpd, 16) == 0)
            sa->dpd = true;
        if (memcmp(vendor->body.data, vendor_nat_t, 16) == 0)
            sa->nat_t = p2_phase1_policy_of(ex)->nat_traversal;
    }
}

/* --- how it ends --- */

static void arm_lifetime(struct p2_gateway *gw, struct p2_isakmp_sa *sa, uint32_t lifetime_s)
{
    p2_time lifetime = (p2_time)lifetime_s * P2_SECOND;
    uint32_t soft = sa->peer->config.phase1.soft_permille;
    p2_arm(gw, &sa->expire, gw->now + lifetime);
    if (sa->initiator && soft > 0 && soft < 1000)
        p2_arm(gw, &sa->soft, gw->now + lifetime / 1000 * soft);
}

enum p2_verdict p2_phase1_established(struct p2_exchange *ex)
{
    struct p2_isakmp_sa *sa = ex->isakmp;
    memcpy(sa->keys.last_block, ex->iv, P2_CIPHER_MAX_BLOCK);
    if (sa->peer->phase1 == ex)
        sa->peer->phase1 = NULL;
    arm_lifetime(ex->gw, sa, ex->u.phase1.lifetime_s);
    p2_exchange_negotiation(ex, P2_NEGOTIATION_READY, NULL);
    if (ex->u.phase1.initial_contact)
        p2_isakmp_sa_initial_contact(ex->gw, sa);
    p2_isakmp_sa_established(ex->gw, sa);
    return P2_VERDICT_GOOD;
}

/* Tunnels that waited for Phase 1 try again later. */
static void send_away(struct p2_gateway *gw, struct p2_peer *peer)
{
    for (struct p2_tunnel *tunnel; (tunnel = p2_peer_take_waiting(peer)) != NULL;)
        p2_tunnel_failed(gw, tunnel);
}

void p2_phase1_failed(struct p2_exchange *ex)
{
    struct p2_peer *peer = ex->isakmp->peer;
    if (peer->phase1 == ex) {
        peer->phase1 = NULL;
        send_away(ex->gw, peer);
    }
}

static const char *field_of(uint16_t notify)
{
    switch (notify) {
    case P2_NOTIFY_NO_PROPOSAL_CHOSEN:
        return "phase1-proposal";
    case P2_NOTIFY_INVALID_KEY_INFORMATION:
        return "key-exchange";
    case P2_NOTIFY_INVALID_ID_INFORMATION:
        return "phase1-identity";
    case P2_NOTIFY_AUTHENTICATION_FAILED:
        return "pre-shared-key";
    case P2_NOTIFY_PAYLOAD_MALFORMED:
        return "payloads";
    default:
        return "phase1";
    }
}

/* In the messages that anybody may answer with a notify: the ones in clear. */
static const char *payloads_sent(const struct p2_exchange *ex)
{
    bool begun = ex->initiator ? ex->u.phase1.nonce_i_len > 0 : ex->u.phase1.nonce_r_len > 0;
    if (ex->kind == &p2_aggressive_mode)
        return ex->initiator ? "SA, KE, Ni, IDii" : "SA, KE, Nr, IDir, HASH_R";
    return !begun ? "SA" : ex->initiator ? "KE, Ni" : "KE, Nr";
}

/* The field it is about, and what this end said in it. */
static void explain_notify(const struct p2_exchange *ex, uint16_t notify, struct p2_failure_detail *detail)
{
    const struct p2_address *local = &ex->isakmp->peer->config.local;
    struct p2_selector self = p2_selector_single(local);
    char identity[P2_SELECTOR_TEXT];
    detail->failure = p2_failure_of_notify(notify);
    detail->notify = notify;
    detail->notify_received = true;
    detail->rule = "a notify without protection: nothing says that it is the peer's: RFC 2409 section 5.7";
    snprintf(detail->field, sizeof(detail->field), "%s", field_of(notify));
    p2_phase1_format_policy(p2_phase1_policy_of(ex), detail->offered, sizeof(detail->offered));
    p2_selector_format(&self, identity);
    if (notify == P2_NOTIFY_PAYLOAD_MALFORMED)
        snprintf(detail->offered, sizeof(detail->offered), "%s", payloads_sent(ex));
    else if (notify == P2_NOTIFY_AUTHENTICATION_FAILED)
        snprintf(detail->offered, sizeof(detail->offered), "another pre-shared key");
    else if (notify == P2_NOTIFY_INVALID_ID_INFORMATION)
        snprintf(detail->offered, sizeof(detail->offered), "%s", identity);
    else if (notify == P2_NOTIFY_INVALID_KEY_INFORMATION)
        snprintf(detail->offered, sizeof(detail->offered), "a KE payload of %s",
                 p2_phase1_group_of(ex)->name);
    snprintf(detail->acceptable, sizeof(detail->acceptable), "the peer does not say");
}

/* Messages did come, but none could be read: the ends hold different keys. Or the first encrypted one was
 * never answered, though the messages before it were. */
void p2_phase1_explain(const struct p2_exchange *ex, struct p2_failure_detail *detail)
{
    const struct p2_phase1_state *p = &ex->u.phase1;
    bool unanswered = ex->kind == &p2_main_mode && ex->initiator && p->derived;
    if (p->hint != 0) {
        explain_notify(ex, p->hint, detail);
        return;
    }
    if (ex->unreadable == 0 && !unanswered)
        return;
    detail->failure = P2_FAIL_WRONG_KEY;
    detail->rule = "SKEYID comes from the pre-shared key: ends whose keys differ can not read each other: "
                   "RFC 2409 section 5.4";
    if (ex->unreadable > 0)
        snprintf(detail->offered, sizeof(detail->offered), "%u that could not be decrypted or verified",
                 ex->unreadable);
    else
        snprintf(detail->offered, sizeof(detail->offered), "message 5, the first encrypted one, unanswered");
    snprintf(detail->acceptable, sizeof(detail->acceptable), "one under the same pre-shared key");
}

bool p2_phase1_notified(struct p2_exchange *ex, uint16_t notify)
{
    struct p2_failure_detail detail = {
        .message = ex->kind == &p2_main_mode && ex->u.phase1.nonce_i_len > 0 ? "message 3" : "message 1"};
    if (ex->initiator && !ex->u.phase1.derived && ex->job.id == 0) {
        explain_notify(ex, notify, &detail);
        p2_exchange_fail(ex, &detail);
        return true;
    }
    ex->u.phase1.hint = notify;
    return false;
}

/* --- what it costs --- */

void p2_phase1_work_generate(struct p2_exchange *ex, struct p2_work *work)
{
    p2_work_add(work, P2_OP_DH_GENERATE, p2_phase1_policy_of(ex)->group, 1, 0);
}

void p2_phase1_work_derive(struct p2_exchange *ex, struct p2_work *work)
{
    const struct p2_phase1_policy *policy = p2_phase1_policy_of(ex);
    p2_work_add(work, P2_OP_DH_DERIVE, policy->group, 1, 0);
    p2_work_add(work, P2_OP_HMAC, policy->hash, 4, p2_phase1_group_of(ex)->secret_len + 16);
}

void p2_phase1_work_hash(struct p2_exchange *ex, struct p2_work *work)
{
    size_t covered = 2 * p2_phase1_group_of(ex)->public_len + 16 + ex->u.phase1.sa_body_len + 8;
    p2_work_add(work, P2_OP_HMAC, p2_phase1_policy_of(ex)->hash, 1, covered);
}

void p2_phase1_work_cipher(struct p2_exchange *ex, struct p2_work *work, enum p2_operation direction,
                           size_t len)
{
    enum p2_cipher cipher = p2_phase1_policy_of(ex)->cipher;
    p2_work_add(work, direction, cipher, 1, p2_cipher_whole_blocks(cipher, len));
}

void p2_phase1_work_nat(struct p2_exchange *ex, struct p2_work *work)
{
    if (ex->isakmp->nat_t)
        p2_work_add(work, P2_OP_HASH, p2_phase1_policy_of(ex)->hash, 4, 8 + 8 + 4 + 2);
}

/* --- how it starts --- */

static const struct p2_exchange_kind *kind_of(enum p2_phase1_mode mode)
{
    return mode == P2_PHASE1_AGGRESSIVE ? &p2_aggressive_mode : &p2_main_mode;
}

static struct p2_exchange *new_exchange(struct p2_gateway *gw, struct p2_isakmp_sa *sa,
                                        const struct p2_exchange_kind *kind)
{
    struct p2_exchange *ex = p2_exchange_new(gw, kind, sa, sa->initiator, 0);
    if (ex && p2_isakmp_sa_register(gw, sa) == P2_OK)
        return ex;
    if (ex)
        p2_fail_memory(gw);
    p2_isakmp_sa_remove(gw, sa, P2_ISAKMP_LIFETIME);
    return NULL;
}

/* A peer beyond a NAT is reached by the mapping that is there. */
void p2_phase1_start(struct p2_gateway *gw, struct p2_peer *peer, enum p2_start start)
{
    const struct p2_isakmp_sa *present = peer->isakmp;
    struct p2_isakmp_sa *sa = p2_isakmp_sa_new(gw, peer, true);
    if (!sa) {
        send_away(gw, peer);
        return;
    }
    if (present && present->local_port == P2_PORT_NAT_T) {
        sa->remote = present->remote;
        sa->remote_port = present->remote_port;
        sa->local_port = present->local_port;
    }
    p2_random_fill(gw, P2_RANDOM_COOKIE, sa->initiator_cookie, 8);
    struct p2_exchange *ex = new_exchange(gw, sa, kind_of(peer->config.phase1.mode));
    if (!ex) {
        send_away(gw, peer);
        return;
    }
    ex->start = start;
    peer->phase1 = ex;
    p2_exchange_negotiation(ex, P2_NEGOTIATION_STARTED, NULL);
    p2_exchange_begin(ex);
}

static void refuse_mode(struct p2_exchange *ex)
{
    bool aggressive = ex->kind == &p2_aggressive_mode;
    struct p2_failure_detail detail = {
        .failure = P2_FAIL_NO_PROPOSAL_CHOSEN,
        .notify = P2_NOTIFY_NO_PROPOSAL_CHOSEN,
        .field = "phase1-mode",
        .message = "message 1",
        .rule =
            "the initiator chooses the exchange, and the responder's policy must have it: RFC 2409 section "
            "5"};
    snprintf(detail.offered, sizeof(detail.offered), "%s", aggressive ? "aggressive" : "main");
    snprintf(detail.acceptable, sizeof(detail.acceptable), "%s", aggressive ? "main" : "aggressive");
    p2_phase1_refuse(ex, &detail);
}

/* Of the peers at one address: one of that mode, else one that will refuse it; NULL: neither. */
static struct p2_peer *peer_for_mode(struct p2_peer *first, enum p2_phase1_mode mode)
{
    struct p2_peer *other = NULL;
    for (struct p2_peer *peer = first; peer; peer = peer->next_same_address) {
        if (peer->config.phase1.mode == mode)
            return peer;
        if (!other && peer->config.phase1.mode != P2_PHASE1_PRESET)
            other = peer;
    }
    return other;
}

/* A copy of a message that is known, or a notify without the responder's cookie. */
static void receive_again(struct p2_gateway *gw, struct p2_isakmp_sa *sa,
                          const struct p2_isakmp_header *header, const struct p2_datagram *datagram)
{
    bool its = p2_address_equal(&sa->remote, &datagram->source);
    struct p2_exchange *ex = its && !sa->initiator ? p2_exchange_find(sa, 0) : NULL;
    if (its && header->exchange_type == P2_EXCHANGE_INFORMATIONAL && !(header->flags & P2_FLAG_ENCRYPTED))
        p2_informational_receive_clear(gw, sa, datagram);
    else if (ex && ex->kind->type == header->exchange_type)
        p2_exchange_receive(ex, datagram);
    else
        p2_drop(gw, P2_DROP_UNEXPECTED, 0, false);
}

/* A message without a responder cookie: the first one, or a copy of it. */
void p2_phase1_respond(struct p2_gateway *gw, struct p2_peer *peer, const struct p2_isakmp_header *header,
                       const struct p2_datagram *datagram)
{
    struct p2_isakmp_sa *sa = p2_map_get(&gw->isakmp_by_cookie, p2_get_u64(header->initiator_cookie));
    if (sa) {
        receive_again(gw, sa, header, datagram);
        return;
    }
    bool aggressive = header->exchange_type == P2_EXCHANGE_AGGRESSIVE;
    enum p2_phase1_mode mode = aggressive ? P2_PHASE1_AGGRESSIVE : P2_PHASE1_MAIN;
    peer = peer_for_mode(peer, mode);
    if (!peer || header->message_id != 0 || (!aggressive && header->exchange_type != P2_EXCHANGE_MAIN)) {
        p2_drop(gw, P2_DROP_UNEXPECTED, 0, false);
        return;
    }
    sa = p2_isakmp_sa_new(gw, peer, false);
    if (!sa)
        return;
    memcpy(sa->initiator_cookie, header->initiator_cookie, 8);
    p2_random_fill(gw, P2_RANDOM_COOKIE, sa->responder_cookie, 8);
    sa->remote = datagram->source;
    sa->remote_port = datagram->source_port;
    sa->local_port = datagram->destination_port;
    struct p2_exchange *ex = new_exchange(gw, sa, kind_of(mode));
    if (ex && peer->config.phase1.mode != mode)
        refuse_mode(ex);
    else if (ex)
        p2_exchange_receive(ex, datagram);
}
