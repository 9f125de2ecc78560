/* A packet on its way out (RFC 4303 section 3.3, RFC 4302 section 3.3): plan its headers, fit it to the path,
 * number it, pad, encrypt, ICV, headers. */
#include "internal.h"

#include "path_mtu.h"

#include <string.h>

/* What goes into ESP or AH, and the header in front of it: a new one, or in transport mode the packet's own.
 */
struct outgoing {
    const struct p2_ip_view *view; /* of the packet that came, or of a piece of it */
    struct p2_ip_header header;
    size_t header_len;
    struct p2_bytes payload;
    uint8_t next_header;
    bool transport;
};

/* RFC 4301 section 5.1.2: DSCP and ECN as in the inner header, or the ECN alone; and section 8.1. */
static void set_outer(struct outgoing *o, const struct p2_policy *policy)
{
    o->header.tos = policy->dscp_zero ? o->view->tos & 3 : o->view->tos;
    o->header.dont_fragment = policy->df == P2_DF_SET || (policy->df == P2_DF_COPY && o->view->dont_fragment);
}

/* False: it may not go this way. */
static bool plan(struct outgoing *o, struct p2_gateway *gw, const struct p2_sa_pair *pair,
                 const struct p2_ip_view *view)
{
    o->view = view;
    o->transport = pair->mode == P2_MODE_TRANSPORT;
    if (o->transport) {
        o->header_len = view->header_len;
        o->payload = view->payload;
        o->next_header = view->protocol;
        return !view->is_fragment; /* it is for whole packets: RFC 4301 section 4.1 */
    }
    o->header = (struct p2_ip_header){.source = pair->tunnel->peer->config.local,
                                      .destination = *p2_pair_remote(pair),
                                      .ttl = P2_OUTER_TTL,
                                      .identification = gw->identification++};
    set_outer(o, &pair->tunnel->config.policy);
    o->header_len = p2_ip_header_len(o->header.destination.family);
    o->payload = p2_ip_whole(view);
    o->next_header = p2_ip_protocol_of_family(view->family);
    return true;
}

static void write_header(struct outgoing *o, uint8_t protocol, size_t payload_len, uint8_t *out)
{
    o->header.protocol = protocol;
    o->header.payload_len = payload_len;
    if (o->transport)
        p2_ip_copy_header(out, o->view, protocol, payload_len);
    else
        p2_ip_build(out, &o->header);
}

/* Unpredictable for CBC; for counter modes only new, which the sequence number is (RFC 3686 section 4, RFC
 * 4106 section 3.1). */
static void draw_iv(struct p2_gateway *gw, const struct p2_sa *sa, uint64_t sequence, uint8_t *iv)
{
    const struct p2_cipher_info *info = p2_cipher_of(sa->algorithms.cipher);
    if (info->mode == P2_CIPHER_MODE_CBC)
        p2_random_fill(gw, P2_RANDOM_IV, iv, info->iv_len);
    else
        p2_put_u64(iv, sequence);
}

/* What so many bytes of payload become, all headers included. Asked before any number is used up: the SAs of
 * a bundle count in step. */
static size_t sealed_len(const struct p2_sa_pair *pair, const struct outgoing *o, size_t payload_len)
{
    const struct p2_sa *inner = &pair->out[0], *outer = &pair->out[pair->num - 1];
    size_t len = payload_len;
    if (inner->protocol == P2_PROTO_ESP)
        len = p2_esp_sealed_len(&inner->keys.esp, len) + (pair->encapsulated ? P2_UDP_HEADER_LEN : 0);
    if (outer->protocol == P2_PROTO_AH)
        len += p2_ah_header_len(&outer->keys.ah, o->transport ? o->view->family : o->header.source.family);
    return o->header_len + len;
}

/* IP [UDP] ESP. Returns the packet's length. */
static size_t seal_esp(struct p2_gateway *gw, const struct p2_sa_pair *pair, struct p2_sa *sa,
                       struct outgoing *o, uint8_t *out)
{
    size_t udp = pair->encapsulated ? P2_UDP_HEADER_LEN : 0, at = o->header_len;
    size_t sealed = p2_esp_sealed_len(&sa->keys.esp, o->payload.len);
    uint8_t iv[P2_CIPHER_MAX_BLOCK];
    draw_iv(gw, sa, ++sa->sequence, iv);
    write_header(o, udp ? P2_IP_PROTO_UDP : P2_IP_PROTO_ESP, udp + sealed, out);
    if (udp)
        p2_udp_build(out + at, P2_PORT_NAT_T, pair->tunnel->peer->nat_port, sealed);
    p2_esp_seal(&sa->keys.esp, sa->spi, sa->sequence, iv, o->next_header, o->payload, out + at + udp);
    return at + udp + sealed;
}

/* IP and what AH is to protect behind it; AH itself is put in between afterwards. */
static size_t build_plain(struct outgoing *o, uint8_t *out)
{
    write_header(o, o->next_header, o->payload.len, out);
    memcpy(out + o->header_len, o->payload.data, o->payload.len);
    return o->header_len + o->payload.len;
}

/* One packet that leaves in one piece, at least from here. */
static enum p2_drop seal_one(struct p2_gateway *gw, struct p2_sa_pair *pair, struct outgoing *o)
{
    struct p2_sa *inner = &pair->out[0], *outer = &pair->out[pair->num - 1];
    bool ah = outer->protocol == P2_PROTO_AH;
    size_t clear_len = p2_ip_whole(o->view).len;
    uint8_t *result = gw->packet + gw->packet_used, *out = ah ? gw->scratch : result;
    if (gw->packet_used + P2_PACKET_MAX > P2_PACKET_ARENA)
        return P2_DROP_TOO_BIG;
    if (outer->sequence >= pair->hard_sequence) /* RFC 4303 section 3.3.3: the counter must not cycle */
        return P2_DROP_SEQUENCE_OVERFLOW;
    if (pair->exhausted)
        return P2_DROP_NO_SA;
    if (sealed_len(pair, o, o->payload.len) > P2_PACKET_MAX)
        return P2_DROP_TOO_BIG;
    size_t sealed = inner->protocol == P2_PROTO_ESP ? seal_esp(gw, pair, inner, o, out) : build_plain(o, out);
    if (ah)
        sealed = p2_ah_seal(&outer->keys.ah, outer->spi, ++outer->sequence, gw->scratch, sealed, result);
    if (sealed == 0) /* a header that AH can not protect */
        return P2_DROP_SELECTOR_MISMATCH;
    for (size_t i = 0; i < pair->num; i++) {
        pair->out[i].packets++;
        pair->out[i].bytes += clear_len;
    }
    p2_pair_used(gw, pair, outer);
    gw->packet_used += sealed;
    p2_emit_packet(gw, P2_ACTION_SEND_IPSEC)->u.packet = (struct p2_bytes){result, sealed};
    return P2_DROP_NONE;
}

/* The longest packet that fits the path once it is protected. Padding makes steps, of a block at most. */
static size_t longest_that_fits(const struct p2_sa_pair *pair, const struct outgoing *o, size_t mtu)
{
    size_t payload_len = mtu;
    while (payload_len > 0 && sealed_len(pair, o, payload_len) > mtu)
        payload_len--;
    return o->transport ? o->header_len + payload_len : payload_len;
}

/* The sender may make its packets smaller. */
static enum p2_drop tell_sender(struct p2_gateway *gw, const struct p2_sa_pair *pair,
                                const struct outgoing *o, size_t fits)
{
    struct p2_bytes packet = p2_ip_whole(o->view);
    const struct p2_address *local = &pair->tunnel->peer->config.local;
    const struct p2_address *from = local->family == o->view->family ? local : &o->view->destination;
    uint8_t *answer = gw->packet + gw->packet_used;
    if (o->view->family == 6 && fits < P2_IPV6_MIN_MTU)
        fits = P2_IPV6_MIN_MTU;
    size_t answer_len = p2_path_mtu_answer(answer, from, o->view, packet.data, packet.len, (uint32_t)fits);
    gw->packet_used += answer_len;
    p2_emit_packet(gw, P2_ACTION_DELIVER_CLEAR)->u.packet = (struct p2_bytes){answer, answer_len};
    return P2_DROP_TOO_BIG;
}

static enum p2_drop seal_in_pieces(struct p2_gateway *gw, struct p2_sa_pair *pair,
                                   const struct outgoing *whole, size_t fits)
{
    struct p2_fragments fragments;
    enum p2_drop verdict = P2_DROP_NONE;
    size_t len, num = 0;
    p2_fragments_begin(&fragments, whole->view, p2_ip_whole(whole->view).data, fits);
    while (verdict == P2_DROP_NONE && (len = p2_fragments_next(&fragments, gw->unwrapped)) > 0) {
        struct outgoing piece;
        struct p2_ip_view view;
        verdict = p2_ip_parse(&view, gw->unwrapped, len) == P2_OK && plan(&piece, gw, pair, &view)
                      ? seal_one(gw, pair, &piece)
                      : P2_DROP_SELECTOR_MISMATCH;
        num++;
    }
    return num > 0 ? verdict : P2_DROP_TOO_BIG;
}

/* RFC 4301 section 8: what does not fit the path goes in pieces that the inner packet is cut into, or in
 * pieces that routers or the receiver's gateway put together, or not at all; then its sender is told. An IPv6
 * packet that is small enough for any link is never sent back. */
static enum p2_drop seal_too_big(struct p2_gateway *gw, struct p2_sa_pair *pair, struct outgoing *o)
{
    bool outer_df = o->transport ? o->view->dont_fragment && o->view->family == 4 : o->header.dont_fragment;
    bool may_be_cut = !o->transport && o->view->family == 4 && !o->view->dont_fragment;
    size_t fits = longest_that_fits(pair, o, pair->tunnel->peer->config.mtu);
    if (may_be_cut && (outer_df || pair->tunnel->config.policy.fragment_before))
        return seal_in_pieces(gw, pair, o, fits);
    if (outer_df && (o->view->family == 4 || p2_ip_whole(o->view).len > P2_IPV6_MIN_MTU))
        return tell_sender(gw, pair, o, fits);
    o->header.dont_fragment = false;
    return seal_one(gw, pair, o);
}

enum p2_drop p2_seal_packet(struct p2_gateway *gw, struct p2_sa_pair *pair, const struct p2_ip_view *packet)
{
    struct outgoing o;
    uint32_t mtu = pair->tunnel->peer->config.mtu;
    if (!plan(&o, gw, pair, packet))
        return P2_DROP_SELECTOR_MISMATCH;
    if (mtu != 0 && sealed_len(pair, &o, o.payload.len) > mtu)
        return seal_too_big(gw, pair, &o);
    return seal_one(gw, pair, &o);
}
