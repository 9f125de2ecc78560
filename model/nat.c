/* NAT traversal in Phase 1 and after it (RFC 3947): each end says from which address and port it sends, and
 * to which, as hashes; where that is not what the other end sees, a NAT stands between them. Then IKE moves
 * to port 4500, away from NATs that think they understand port 500, with ESP in UDP beside it (RFC 3948).
 *
 *      NAT-D = hash(CKY-I | CKY-R | IP | port)
 *
 * The initiator moves with the first message after it saw both hashes (section 4); the responder answers to
 * where a message came from. The end behind the NAT keeps its mapping alive; the other end follows an
 * authentic message or packet to a mapping that changed.
 *
 * Transport mode. A packet of the gateway behind the NAT has its own address in front, which the NAT replaces
 * with its own, so everybody else knows the gateway by the NAT's address: in selectors, in routes and in
 * sockets. Quick Mode tells the original addresses, by which proxy IDs are understood and checksums are made
 * right (RFC 3948 section 3.1.2). What it can not do: two gateways behind one NAT look alike to their peer
 * (section 5.2), and where a NAT changes its address, a selector names the old one. */
#include "internal.h"

#include <string.h>

static void digest(const struct p2_isakmp_sa *sa, const struct p2_address *address, uint16_t port,
                   uint8_t out[P2_HASH_MAX_LEN])
{
    uint8_t bytes[2];
    p2_put_u16(bytes, port);
    struct p2_bytes parts[] = {{sa->initiator_cookie, 8},
                               {sa->responder_cookie, 8},
                               {address->bytes, p2_address_len(address->family)},
                               {bytes, 2}};
    p2_hash_digest(sa->keys.hash, parts, sizeof(parts) / sizeof(parts[0]), out);
}

void p2_nat_add(struct p2_exchange *ex, struct p2_message *message)
{
    const struct p2_isakmp_sa *sa = ex->isakmp;
    uint8_t hash[P2_HASH_MAX_LEN];
    size_t len = p2_hash_of(sa->keys.hash)->len;
    if (!sa->nat_t)
        return;
    digest(sa, &sa->remote, sa->remote_port, hash);
    p2_message_add(message, P2_PAYLOAD_NAT_D, hash, len);
    digest(sa, &sa->peer->config.local, sa->local_port, hash);
    p2_message_add(message, P2_PAYLOAD_NAT_D, hash, len);
}

static bool says(const struct p2_payload *payload, const uint8_t *hash, size_t len)
{
    return payload->body.len == len && memcmp(payload->body.data, hash, len) == 0;
}

/* The first one is of the address that the peer sent to; a host with several addresses may add more than one
 * of its own (section 3.2), and one that fits is enough. */
void p2_nat_read(struct p2_exchange *ex)
{
    struct p2_isakmp_sa *sa = ex->isakmp;
    uint8_t here[P2_HASH_MAX_LEN], there[P2_HASH_MAX_LEN];
    size_t len = p2_hash_of(sa->keys.hash)->len;
    const struct p2_payload *first = p2_isakmp_find(&ex->payloads, P2_PAYLOAD_NAT_D, 0), *own;
    if (!sa->nat_t || !first || !p2_isakmp_find(&ex->payloads, P2_PAYLOAD_NAT_D, 1))
        return;
    digest(sa, &ex->to, ex->to_port, here);
    digest(sa, &ex->from, ex->from_port, there);
    sa->nat_local = !says(first, here, len);
    sa->nat_remote = true;
    for (size_t n = 1; (own = p2_isakmp_find(&ex->payloads, P2_PAYLOAD_NAT_D, n)) != NULL; n++) {
        if (says(own, there, len))
            sa->nat_remote = false;
    }
    if (sa->initiator && sa->local_port != P2_PORT_NAT_T && (sa->nat_local || sa->nat_remote))
        sa->local_port = sa->remote_port = P2_PORT_NAT_T;
}

/* Of several ISAKMP SAs with a peer those on port 500 know nothing of where its ESP in UDP goes. */
static void learn_path(struct p2_isakmp_sa *sa)
{
    if (sa->local_port != P2_PORT_NAT_T)
        return;
    sa->peer->nat_address = sa->remote;
    sa->peer->nat_port = sa->remote_port;
}

void p2_nat_follow(struct p2_exchange *ex)
{
    struct p2_isakmp_sa *sa = ex->isakmp;
    bool follows = sa->established ? sa->nat_remote : !sa->initiator;
    if (!follows)
        return;
    sa->remote = ex->from;
    sa->remote_port = ex->from_port;
    sa->local_port = ex->to_port;
    if (sa->established)
        learn_path(sa);
}

void p2_nat_follow_packet(struct p2_sa_pair *pair, const struct p2_address *source, uint16_t port)
{
    struct p2_peer *peer = pair->tunnel->peer;
    if (!pair->nat_remote)
        return;
    peer->nat_address = *source;
    peer->nat_port = port;
    if (peer->isakmp && peer->isakmp->nat_remote) { /* IKE shares the mapping */
        peer->isakmp->remote = *source;
        peer->isakmp->remote_port = port;
    }
}

/* --- original addresses --- */

static void add_original(struct p2_message *message, const struct p2_address *address)
{
    struct p2_selector single = p2_selector_single(address);
    uint8_t id[P2_SELECTOR_ID_MAX]; /* a NAT-OA payload is an ID payload with zeros for protocol and port */
    p2_message_add(message, P2_PAYLOAD_NAT_OA, id, p2_selector_to_id(&single, id));
}

void p2_nat_add_originals(struct p2_exchange *quick, struct p2_message *message)
{
    const struct p2_isakmp_sa *sa = quick->isakmp;
    const struct p2_address *local = &sa->peer->config.local;
    if (!(sa->nat_local || sa->nat_remote) || quick->u.quick.tunnel->config.policy.mode != P2_MODE_TRANSPORT)
        return;
    add_original(message, quick->initiator ? local : &sa->remote);
    add_original(message, quick->initiator ? &sa->remote : local);
}

bool p2_nat_read_originals(struct p2_exchange *quick)
{
    uint8_t family = quick->isakmp->remote.family;
    size_t num = 0;
    if (!quick->isakmp->nat_local && !quick->isakmp->nat_remote) /* then they say nothing */
        return true;
    for (const struct p2_payload *p; (p = p2_isakmp_find(&quick->payloads, P2_PAYLOAD_NAT_OA, num)); num++) {
        struct p2_selector original;
        size_t len = p2_address_len(family);
        if (num == 2 || p2_selector_from_id(&original, p->body.data, p->body.len) < 0 || original.is_range ||
            original.address.family != family || original.prefix_len != len * 8)
            return false;
        quick->u.quick.originals[num] = original.address;
    }
    return num != 1;
}

static void perceive(struct p2_selector *id, const struct p2_address *original,
                     const struct p2_address *known)
{
    struct p2_selector single = p2_selector_single(original);
    if (p2_selector_equal_addresses(id, &single)) {
        single = p2_selector_single(known);
        single.protocol = id->protocol;
        single.port = id->port;
        *id = single;
    }
}

void p2_nat_perceive_ids(const struct p2_exchange *quick, struct p2_selector *ci, struct p2_selector *cr)
{
    const struct p2_peer_config *peer = &quick->isakmp->peer->config;
    const struct p2_address *originals = quick->u.quick.originals;
    if (originals[0].family == 0)
        return;
    perceive(ci, &originals[0], quick->initiator ? &peer->local : &peer->remote);
    perceive(cr, &originals[1], quick->initiator ? &peer->remote : &peer->local);
}

/* --- keepalives --- */

void p2_nat_keep_alive(struct p2_gateway *gw, struct p2_isakmp_sa *sa)
{
    struct p2_peer *peer = sa->peer;
    p2_time interval = peer->config.phase1.nat_keepalive;
    learn_path(sa);
    if (sa->nat_local && interval > 0 && !p2_timer_armed(&peer->keepalive))
        p2_arm(gw, &peer->keepalive, gw->now + interval);
    else if (!sa->nat_local)
        p2_timer_cancel(&gw->timers, &peer->keepalive);
}

/* One byte to which nobody answers (RFC 3948 section 2.3). IPsec SAs need the mapping as well. */
void p2_nat_timer(struct p2_gateway *gw, struct p2_peer *peer)
{
    static const uint8_t keepalive = 0xff;
    if (!p2_peer_has_sas(gw, peer))
        return;
    struct p2_action *action = p2_emit(gw, P2_ACTION_SEND_IKE);
    memset(&action->id, 0, sizeof(action->id));
    action->u.send_ike.resend = action->u.send_ike.answer = false;
    action->u.send_ike.datagram = (struct p2_datagram){.source = peer->config.local,
                                                       .destination = peer->nat_address,
                                                       .source_port = P2_PORT_NAT_T,
                                                       .destination_port = peer->nat_port,
                                                       .data = &keepalive,
                                                       .len = 1};
    p2_arm(gw, &peer->keepalive, gw->now + peer->config.phase1.nat_keepalive);
}
