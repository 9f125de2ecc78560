/* The data path, each direction on one page.
 *
 * Outbound (RFC 4303 section 3.3, RFC 4302 section 3.3): find the SA, number the packet, pad, encrypt, ICV,
 * headers. Inbound (section 3.4 of both): find the SA by its SPI, check the window, verify the ICV, decrypt,
 * mark the window, unpad, check the inner selector, deliver. The window moves only after the ICV verified.
 *
 * A pair has one SA each way, or two: then ESP is applied first and AH around it (RFC 4301 section 4.1 leaves
 * such nesting to configuration; RFC 2401 section 4.5 shows it).
 *
 *      tunnel        outer IP [UDP] ESP (inner IP ...)     outer IP AH inner IP ...
 *      transport     IP [UDP] ESP (...)                    IP AH ...
 *      both          outer IP AH ESP (inner IP ...)        IP AH ESP (...)
 *
 * When the host prices packets, a job lies between arrival and processing; the window is then checked twice,
 * the second time together with the mark, so that two copies in the queue can not both pass. */
#include "internal.h"

#include "path_mtu.h"

#include <string.h>

#define OUTER_TTL 64

/* --- outbound --- */

static uint8_t protocol_of_family(uint8_t family)
{
    return family == 6 ? P2_IP_PROTO_IPV6 : P2_IP_PROTO_IPV4;
}

/* What goes into ESP or AH, and the header in front of it: a new one, or in transport mode the packet's own.
 */
struct outgoing {
    struct p2_ip_view view; /* of the packet that came */
    struct p2_ip_header header;
    size_t header_len;
    struct p2_bytes payload;
    uint8_t next_header;
    bool transport;
};

/* RFC 4301 section 5.1.2: DSCP and ECN as in the inner header, or the ECN alone; and section 8.1. */
static void set_outer(struct outgoing *o, const struct p2_policy *policy)
{
    o->header.tos = policy->dscp_zero ? o->view.tos & 3 : o->view.tos;
    o->header.dont_fragment = policy->df == P2_DF_SET || (policy->df == P2_DF_COPY && o->view.dont_fragment);
}

static bool plan(struct outgoing *o, struct p2_gateway *gw, const struct p2_sa_pair *pair,
                 const uint8_t *packet, size_t len)
{
    const struct p2_ip_view *view = &o->view;
    if (p2_ip_parse(&o->view, packet, len) < 0)
        return false;
    o->transport = pair->mode == P2_MODE_TRANSPORT;
    if (o->transport) {
        o->header_len = view->header_len;
        o->payload = view->payload;
        o->next_header = view->protocol;
        return !view->is_fragment; /* it is for whole packets: RFC 4301 section 4.1 */
    }
    o->header = (struct p2_ip_header){.source = pair->tunnel->peer->config.local,
                                      .destination = *p2_pair_remote(pair),
                                      .ttl = OUTER_TTL,
                                      .identification = gw->identification++};
    set_outer(o, &pair->tunnel->config.policy);
    o->header_len = p2_ip_header_len(o->header.destination.family);
    o->payload = (struct p2_bytes){packet, len};
    o->next_header = protocol_of_family(view->family);
    return true;
}

static void write_header(struct outgoing *o, uint8_t protocol, size_t payload_len, uint8_t *out)
{
    o->header.protocol = protocol;
    o->header.payload_len = payload_len;
    if (o->transport)
        p2_ip_copy_header(out, &o->view, protocol, payload_len);
    else
        p2_ip_build(out, &o->header);
}

/* Unpredictable for CBC; for counter modes only new, which the sequence number is (RFC 3686 section 4, RFC
 * 4106 section 3.1). */
static void draw_iv(struct p2_gateway *gw, const struct p2_sa *sa, uint64_t sequence, uint8_t *iv)
{
    const struct p2_cipher_info *info = p2_cipher_info(sa->algorithms.cipher);
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
        len += p2_ah_header_len(&outer->keys.ah, o->transport ? o->view.family : o->header.source.family);
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
static enum p2_drop seal_one(struct p2_gateway *gw, struct p2_sa_pair *pair, struct outgoing *o, size_t len)
{
    struct p2_sa *inner = &pair->out[0], *outer = &pair->out[pair->num - 1];
    bool ah = outer->protocol == P2_PROTO_AH;
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
        pair->out[i].bytes += len;
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
                                const struct outgoing *o, const uint8_t *packet, size_t len, size_t fits)
{
    const struct p2_address *local = &pair->tunnel->peer->config.local;
    const struct p2_address *from = local->family == o->view.family ? local : &o->view.destination;
    uint8_t *answer = gw->packet + gw->packet_used;
    if (o->view.family == 6 && fits < P2_IPV6_MIN_MTU)
        fits = P2_IPV6_MIN_MTU;
    size_t answer_len = p2_path_mtu_answer(answer, from, &o->view, packet, len, (uint32_t)fits);
    gw->packet_used += answer_len;
    p2_emit_packet(gw, P2_ACTION_DELIVER_CLEAR)->u.packet = (struct p2_bytes){answer, answer_len};
    return P2_DROP_TOO_BIG;
}

static enum p2_drop seal_in_pieces(struct p2_gateway *gw, struct p2_sa_pair *pair,
                                   const struct outgoing *whole, const uint8_t *packet, size_t fits)
{
    struct p2_fragments fragments;
    enum p2_drop verdict = P2_DROP_NONE;
    size_t len, num = 0;
    p2_fragments_begin(&fragments, &whole->view, packet, fits);
    while (verdict == P2_DROP_NONE && (len = p2_fragments_next(&fragments, gw->unwrapped)) > 0) {
        struct outgoing piece;
        verdict = plan(&piece, gw, pair, gw->unwrapped, len) ? seal_one(gw, pair, &piece, len)
                                                             : P2_DROP_SELECTOR_MISMATCH;
        num++;
    }
    return num > 0 ? verdict : P2_DROP_TOO_BIG;
}

/* RFC 4301 section 8: what does not fit the path goes in pieces that the inner packet is cut into, or in
 * pieces that routers or the receiver's gateway put together, or not at all; then its sender is told. An IPv6
 * packet that is small enough for any link is never sent back. */
static enum p2_drop seal_too_big(struct p2_gateway *gw, struct p2_sa_pair *pair, struct outgoing *o,
                                 const uint8_t *packet, size_t len)
{
    bool outer_df = o->transport ? o->view.dont_fragment && o->view.family == 4 : o->header.dont_fragment;
    bool may_be_cut = !o->transport && o->view.family == 4 && !o->view.dont_fragment;
    size_t fits = longest_that_fits(pair, o, pair->tunnel->peer->config.mtu);
    if (may_be_cut && (outer_df || pair->tunnel->config.policy.fragment_before))
        return seal_in_pieces(gw, pair, o, packet, fits);
    if (outer_df && (o->view.family == 4 || len > P2_IPV6_MIN_MTU))
        return tell_sender(gw, pair, o, packet, len, fits);
    o->header.dont_fragment = false;
    return seal_one(gw, pair, o, len);
}

static enum p2_drop seal(struct p2_gateway *gw, struct p2_sa_pair *pair, const uint8_t *packet, size_t len)
{
    struct outgoing o;
    uint32_t mtu = pair->tunnel->peer->config.mtu;
    if (!plan(&o, gw, pair, packet, len))
        return P2_DROP_SELECTOR_MISMATCH;
    if (mtu != 0 && sealed_len(pair, &o, o.payload.len) > mtu)
        return seal_too_big(gw, pair, &o, packet, len);
    return seal_one(gw, pair, &o, len);
}

/* --- inbound --- */

/* What came out must be a whole IP packet between the selectors of this SA (RFC 4301 section 5.2, step 4). */
static enum p2_drop check_inner(const struct p2_sa_pair *pair, const uint8_t *inner, size_t len)
{
    struct p2_ip_view view;
    const struct p2_tunnel_config *config = &pair->tunnel->config;
    if (p2_ip_parse(&view, inner, len) < 0)
        return P2_DROP_SELECTOR_MISMATCH;
    bool inside =
        p2_selector_matches(&config->remote, &view.source, view.protocol, view.source_port) &&
        p2_selector_matches(&config->local, &view.destination, view.protocol, view.destination_port);
    return inside ? P2_DROP_NONE : P2_DROP_SELECTOR_MISMATCH;
}

/* What the number on the wire stands for. */
static uint64_t number_of(const struct p2_sa_pair *pair, const struct p2_sa *sa, uint32_t lower)
{
    return pair->esn ? p2_replay_extend(&sa->replay, lower) : lower;
}

/* The inner packet says how long it is; what stands behind it pads the flow of traffic (RFC 4303
 * section 2.7). */
static enum p2_drop cut_to_size(const uint8_t *packet, size_t *len)
{
    size_t says = p2_ip_total_len(packet, *len);
    if (says == 0 || says > *len)
        return P2_DROP_SELECTOR_MISMATCH;
    *len = says;
    return P2_DROP_NONE;
}

/* Verifies and opens the ESP packet behind the header of `view`, marks the window, and leaves in `out` the
 * inner packet (tunnel), or the packet as it was before ESP (transport). */
static enum p2_drop open_esp(struct p2_sa_pair *pair, struct p2_sa *sa, const struct p2_ip_view *view,
                             uint8_t *out, size_t *out_len)
{
    const uint8_t *esp = view->payload.data;
    uint64_t sequence = number_of(pair, sa, p2_get_u32(esp + 4));
    uint8_t next_header;
    size_t at = pair->mode == P2_MODE_TRANSPORT ? view->header_len : 0;
    enum p2_drop verdict = p2_replay_check(&sa->replay, sequence);
    if (verdict != P2_DROP_NONE)
        return verdict;
    verdict = p2_esp_open(&sa->keys.esp, esp, view->payload.len, sequence, out + at, out_len, &next_header);
    if (verdict != P2_DROP_ICV_MISMATCH)
        p2_replay_mark(&sa->replay, sequence);
    if (verdict != P2_DROP_NONE)
        return verdict;
    if (next_header == P2_IP_PROTO_NONE) /* RFC 4303 section 2.6 */
        return P2_DROP_DUMMY;
    if (at == 0)
        return next_header == protocol_of_family(out[0] >> 4) ? cut_to_size(out, out_len)
                                                              : P2_DROP_SELECTOR_MISMATCH;
    p2_ip_copy_header(out, view, next_header, *out_len);
    *out_len += at;
    if (pair->encapsulated) /* RFC 3948 section 3.1.2 */
        p2_ip_adjust_checksum(out, *out_len, &pair->original_source, &pair->original_destination);
    return P2_DROP_NONE;
}

static enum p2_drop open_ah(struct p2_sa_pair *pair, struct p2_sa *sa, const uint8_t *packet, size_t len,
                            uint8_t *out, size_t *out_len)
{
    struct p2_ah_view ah;
    if (!p2_ah_parse(&ah, packet, len))
        return P2_DROP_RUNT;
    uint64_t sequence = number_of(pair, sa, ah.sequence);
    enum p2_drop verdict = p2_replay_check(&sa->replay, sequence);
    if (verdict == P2_DROP_NONE)
        verdict = p2_ah_open(&sa->keys.ah, packet, len, sequence, out, out_len);
    if (verdict == P2_DROP_NONE)
        p2_replay_mark(&sa->replay, sequence);
    return verdict;
}

/* The SA that an ESP header names must be this one. */
static bool is_esp_of(const struct p2_sa *sa, const struct p2_ip_view *view)
{
    return view->protocol == P2_IP_PROTO_ESP && p2_esp_plausible(&sa->keys.esp, view->payload.len) &&
           p2_get_u32(view->payload.data) == sa->spi;
}

/* Takes off all that the pair put on; *inner is the packet that comes out. */
static enum p2_drop open_all(struct p2_gateway *gw, struct p2_sa_pair *pair, const uint8_t *packet,
                             size_t len, struct p2_bytes *inner)
{
    struct p2_sa *outer = &pair->in[pair->num - 1];
    struct p2_ip_view view;
    enum p2_drop verdict;
    *inner = (struct p2_bytes){gw->packet, 0};
    if (outer->protocol == P2_PROTO_AH) {
        size_t opened_len;
        uint8_t *opened = pair->num > 1 ? gw->scratch : gw->packet;
        verdict = open_ah(pair, outer, packet, len, opened, &opened_len);
        if (verdict != P2_DROP_NONE)
            return verdict;
        packet = opened;
        len = opened_len;
    }
    if (p2_ip_parse(&view, packet, len) < 0)
        return P2_DROP_SELECTOR_MISMATCH;
    if (pair->in[0].protocol == P2_PROTO_ESP)
        return is_esp_of(&pair->in[0], &view) ? open_esp(pair, &pair->in[0], &view, gw->packet, &inner->len)
                                              : P2_DROP_SELECTOR_MISMATCH;
    *inner = (struct p2_bytes){packet, len};
    if (pair->mode == P2_MODE_TUNNEL) {
        if (view.payload.len == 0 || view.protocol != protocol_of_family(view.payload.data[0] >> 4))
            return P2_DROP_SELECTOR_MISMATCH;
        *inner = view.payload;
    }
    return P2_DROP_NONE;
}

/* Only the newest packet of SAs that are in use tells where the peer is now: an older one may have been
 * overtaken by its move. */
static void follow(const struct p2_gateway *gw, struct p2_sa_pair *pair, const uint8_t *packet, size_t len)
{
    struct p2_ip_view view;
    if (gw->udp_port != 0 && !pair->replaced && p2_ip_parse(&view, packet, len) == P2_OK &&
        p2_get_u32(view.payload.data + 4) == (uint32_t)pair->in[0].replay.top)
        p2_nat_follow_packet(pair, &view.source, gw->udp_port);
}

/* RFC 4301 section 5.1.2.1: what routers said of congestion to the outer packet holds for the inner one, if
 * its ends know ECN (RFC 3168). */
static void carry_congestion(const uint8_t *outer, uint8_t *inner)
{
    enum { NOT_ECT = 0, CE = 3 };
    uint8_t outer_tos = p2_ip_tos(outer), inner_tos = p2_ip_tos(inner);
    if ((outer_tos & 3) == CE && (inner_tos & 3) != NOT_ECT && (inner_tos & 3) != CE)
        p2_ip_set_tos(inner, inner_tos | CE);
}

static enum p2_drop open(struct p2_gateway *gw, struct p2_sa_pair *pair, const uint8_t *packet, size_t len)
{
    struct p2_bytes inner;
    enum p2_drop verdict = open_all(gw, pair, packet, len, &inner);
    if (verdict == P2_DROP_NONE)
        verdict = check_inner(pair, inner.data, inner.len);
    if (verdict != P2_DROP_NONE)
        return verdict;
    follow(gw, pair, packet, len);
    if (pair->mode == P2_MODE_TUNNEL)
        carry_congestion(packet, (uint8_t *)(uintptr_t)inner.data);
    for (size_t i = 0; i < pair->num; i++) {
        pair->in[i].packets++;
        pair->in[i].bytes += inner.len;
    }
    p2_pair_used(gw, pair, &pair->in[0]);
    pair->heard = pair->tunnel->peer->heard = gw->now;
    if (!pair->confirmed || !pair->authorised)
        p2_pair_confirmed(gw, pair);
    p2_emit_packet(gw, P2_ACTION_DELIVER_CLEAR)->u.packet = inner;
    return P2_DROP_NONE;
}

/* --- both, as jobs or at once --- */

/* In the outermost SA, under whose SPI it came. */
static void count(struct p2_sa_pair *pair, enum p2_drop verdict)
{
    struct p2_sa_counters *c = &pair->in[pair->num - 1].counters;
    switch (verdict) {
    case P2_DROP_NONE:
        c->accepted++;
        break;
    case P2_DROP_REPLAYED:
        c->replayed++;
        break;
    case P2_DROP_TOO_OLD:
        c->too_old++;
        break;
    case P2_DROP_ICV_MISMATCH:
        c->icv_mismatch++;
        break;
    default:
        c->other++;
    }
}

/* A packet that came under this SA goes no further. */
static void drop_inbound(struct p2_gateway *gw, enum p2_drop verdict, enum p2_protocol protocol, uint32_t spi,
                         const uint8_t *packet, size_t len)
{
    struct p2_ip_view view;
    struct p2_ah_view ah;
    struct p2_action *action = p2_drop(gw, verdict, spi, true);
    if (protocol == P2_PROTO_AH && p2_ah_parse(&ah, packet, len))
        action->u.drop.sequence = ah.sequence;
    else if (protocol == P2_PROTO_ESP && p2_ip_parse(&view, packet, len) == P2_OK &&
             view.payload.len >= P2_ESP_HEADER_LEN)
        action->u.drop.sequence = p2_get_u32(view.payload.data + 4);
}

static void process(struct p2_gateway *gw, enum p2_job_kind kind, struct p2_sa_pair *pair,
                    const uint8_t *packet, size_t len)
{
    enum p2_drop verdict = kind == P2_JOB_SEAL ? seal(gw, pair, packet, len) : open(gw, pair, packet, len);
    if (kind == P2_JOB_OPEN)
        count(pair, verdict);
    const struct p2_sa *outer = &pair->in[pair->num - 1];
    if (verdict != P2_DROP_NONE && kind == P2_JOB_SEAL)
        p2_drop(gw, verdict, pair->out[0].spi, true);
    else if (verdict != P2_DROP_NONE)
        drop_inbound(gw, verdict, outer->protocol, outer->spi, packet, len);
}

static void submit(struct p2_gateway *gw, enum p2_job_kind kind, struct p2_sa_pair *pair,
                   const uint8_t *packet, size_t len)
{
    struct p2_work work = {0};
    struct p2_job *job = p2_job_for_packet(gw, kind, pair, packet, len);
    if (!job)
        return;
    for (size_t i = 0; i < pair->num; i++) {
        const struct p2_algorithms *a = &pair->suite.algorithms[i];
        if (a->auth != P2_AUTH_NONE)
            p2_work_add(&work, P2_OP_HMAC, p2_auth_info(a->auth)->hash, 1, len);
        if (a->cipher != P2_CIPHER_NONE && a->cipher != P2_CIPHER_NULL)
            p2_work_add(&work, kind == P2_JOB_SEAL ? P2_OP_ENCRYPT : P2_OP_DECRYPT, a->cipher, 1, len);
    }
    if (!p2_job_submit(gw, job, &work, false)) {
        p2_drop(gw, P2_DROP_POOL_EXHAUSTED, pair->in[0].spi, true);
        p2_job_release(gw, job);
    }
}

void p2_outbound(struct p2_gateway *gw, struct p2_sa_pair *pair, const uint8_t *packet, size_t len)
{
    if (gw->defer_ipsec)
        submit(gw, P2_JOB_SEAL, pair, packet, len);
    else
        process(gw, P2_JOB_SEAL, pair, packet, len);
}

/* What can be told for nothing is told before the CPU has to work: length and window, of the outermost SA. */
static enum p2_drop glance(const struct p2_sa_pair *pair, const struct p2_sa *sa,
                           const struct p2_ip_view *view, const uint8_t *packet, size_t len)
{
    struct p2_ah_view ah;
    if (sa->protocol == P2_PROTO_ESP) {
        if (!p2_esp_plausible(&sa->keys.esp, view->payload.len))
            return P2_DROP_RUNT;
        return p2_replay_check(&sa->replay, number_of(pair, sa, p2_get_u32(view->payload.data + 4)));
    }
    if (!p2_ah_parse(&ah, packet, len) || !p2_ah_plausible(&sa->keys.ah, packet, &ah))
        return P2_DROP_RUNT;
    return p2_replay_check(&sa->replay, number_of(pair, sa, ah.sequence));
}

/* A packet comes under the SPI of its outermost header, which must be the outermost one of the pair. */
static void inbound(struct p2_gateway *gw, const uint8_t *packet, size_t len, const struct p2_ip_view *view,
                    enum p2_protocol protocol, uint32_t spi)
{
    struct p2_sa_pair *pair = p2_pair_by_spi(gw, spi);
    const struct p2_sa *outer = pair ? &pair->in[pair->num - 1] : NULL;
    enum p2_drop verdict = P2_DROP_UNKNOWN_SPI;
    if (pair && (outer->protocol != protocol || outer->spi != spi))
        verdict = P2_DROP_SELECTOR_MISMATCH;
    else if (pair)
        verdict = glance(pair, outer, view, packet, len);
    if (verdict != P2_DROP_NONE)
        drop_inbound(gw, verdict, protocol, spi, packet, len);
    if (pair && verdict != P2_DROP_NONE)
        count(pair, verdict);
    if (!pair)
        p2_pair_unknown(gw, &view->source, protocol, spi);
    else if (verdict != P2_DROP_NONE)
        return;
    else if (gw->defer_ipsec)
        submit(gw, P2_JOB_OPEN, pair, packet, len);
    else
        process(gw, P2_JOB_OPEN, pair, packet, len);
}

void p2_inbound(struct p2_gateway *gw, const uint8_t *packet, size_t len)
{
    struct p2_ip_view view;
    struct p2_ah_view ah;
    if (len > P2_PACKET_MAX) /* IPv6 does not count its own header: it may have 40 bytes more */
        p2_drop(gw, P2_DROP_TOO_BIG, 0, true);
    else if (p2_ip_parse(&view, packet, len) < 0)
        p2_drop(gw, P2_DROP_RUNT, 0, true);
    else if (view.is_fragment)
        p2_drop(gw, P2_DROP_FRAGMENT, 0, true);
    else if (view.protocol == P2_IP_PROTO_ESP && view.payload.len >= P2_ESP_HEADER_LEN)
        inbound(gw, packet, len, &view, P2_PROTO_ESP, p2_get_u32(view.payload.data));
    else if (p2_ah_parse(&ah, packet, len))
        inbound(gw, packet, len, &view, P2_PROTO_AH, ah.spi);
    else
        p2_drop(gw, P2_DROP_RUNT, 0, true);
}

/* The header that the datagram came with, and ESP instead of UDP in it (RFC 3948 section 3.4). */
void p2_inbound_udp(struct p2_gateway *gw, const struct p2_datagram *datagram)
{
    struct p2_ip_header header = {.source = datagram->source,
                                  .destination = datagram->destination,
                                  .ttl = OUTER_TTL,
                                  .protocol = P2_IP_PROTO_ESP,
                                  .payload_len = datagram->len};
    size_t at = p2_ip_header_len(header.source.family);
    if (datagram->len < P2_ESP_HEADER_LEN || at + datagram->len > P2_PACKET_MAX) {
        p2_drop(gw, P2_DROP_RUNT, 0, true);
        return;
    }
    p2_ip_build(gw->unwrapped, &header);
    memcpy(gw->unwrapped + at, datagram->data, datagram->len);
    gw->udp_port = datagram->source_port;
    p2_inbound(gw, gw->unwrapped, at + datagram->len);
}

void p2_packet_job_done(struct p2_gateway *gw, struct p2_job *job)
{
    gw->udp_port = job->udp_port;
    process(gw, job->kind, job->pair, job->packet, job->packet_len);
    p2_job_release(gw, job);
}
