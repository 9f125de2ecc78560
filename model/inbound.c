/* A packet on its way in (RFC 4303 section 3.4, RFC 4302 section 3.4): check the window, verify the ICV,
 * decrypt, mark the window, unpad, check the inner selector, deliver. The window moves only after the ICV
 * verified. */
#include "internal.h"

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
        return next_header == p2_ip_protocol_of_family(out[0] >> 4) ? cut_to_size(out, out_len)
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
static enum p2_drop open_all(struct p2_gateway *gw, struct p2_sa_pair *pair, const struct p2_ip_view *packet,
                             struct p2_bytes *inner)
{
    struct p2_sa *outer = &pair->in[pair->num - 1];
    struct p2_bytes whole = p2_ip_whole(packet);
    struct p2_ip_view opened;
    *inner = (struct p2_bytes){gw->packet, 0};
    if (outer->protocol == P2_PROTO_AH) {
        size_t len;
        uint8_t *out = pair->num > 1 ? gw->scratch : gw->packet;
        enum p2_drop verdict = open_ah(pair, outer, whole.data, whole.len, out, &len);
        if (verdict != P2_DROP_NONE)
            return verdict;
        if (p2_ip_parse(&opened, out, len) < 0)
            return P2_DROP_SELECTOR_MISMATCH;
        packet = &opened;
    }
    if (pair->in[0].protocol == P2_PROTO_ESP)
        return is_esp_of(&pair->in[0], packet) ? open_esp(pair, &pair->in[0], packet, gw->packet, &inner->len)
                                               : P2_DROP_SELECTOR_MISMATCH;
    *inner = p2_ip_whole(packet);
    if (pair->mode == P2_MODE_TUNNEL) {
        if (packet->payload.len == 0 ||
            packet->protocol != p2_ip_protocol_of_family(packet->payload.data[0] >> 4))
            return P2_DROP_SELECTOR_MISMATCH;
        *inner = packet->payload;
    }
    return P2_DROP_NONE;
}

/* Only the newest packet of SAs that are in use tells where the peer is now: an older one may have been
 * overtaken by its move. */
static void follow(const struct p2_gateway *gw, struct p2_sa_pair *pair, const struct p2_ip_view *packet)
{
    if (gw->udp_port != 0 && !pair->replaced &&
        p2_get_u32(packet->payload.data + 4) == (uint32_t)pair->in[0].replay.top)
        p2_nat_follow_packet(pair, &packet->source, gw->udp_port);
}

/* RFC 4301 section 5.1.2.1: what routers said of congestion to the outer packet holds for the inner one, if
 * its ends know ECN (RFC 3168). */
static void carry_congestion(uint8_t outer_tos, uint8_t *inner)
{
    enum { NOT_ECT = 0, CE = 3 };
    uint8_t inner_tos = p2_ip_tos(inner);
    if ((outer_tos & 3) == CE && (inner_tos & 3) != NOT_ECT && (inner_tos & 3) != CE)
        p2_ip_set_tos(inner, inner_tos | CE);
}

enum p2_drop p2_open_packet(struct p2_gateway *gw, struct p2_sa_pair *pair, const struct p2_ip_view *packet)
{
    struct p2_bytes inner;
    enum p2_drop verdict = open_all(gw, pair, packet, &inner);
    if (verdict == P2_DROP_NONE)
        verdict = check_inner(pair, inner.data, inner.len);
    if (verdict != P2_DROP_NONE)
        return verdict;
    follow(gw, pair, packet);
    if (pair->mode == P2_MODE_TUNNEL)
        carry_congestion(packet->tos, (uint8_t *)(uintptr_t)inner.data);
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

enum p2_drop p2_glance(const struct p2_sa_pair *pair, const struct p2_sa *sa, const struct p2_ip_view *packet)
{
    struct p2_bytes whole = p2_ip_whole(packet);
    struct p2_ah_view ah;
    if (sa->protocol == P2_PROTO_ESP) {
        if (!p2_esp_plausible(&sa->keys.esp, packet->payload.len))
            return P2_DROP_RUNT;
        return p2_replay_check(&sa->replay, number_of(pair, sa, p2_get_u32(packet->payload.data + 4)));
    }
    if (!p2_ah_parse(&ah, whole.data, whole.len) || !p2_ah_plausible(&sa->keys.ah, whole.data, &ah))
        return P2_DROP_RUNT;
    return p2_replay_check(&sa->replay, number_of(pair, sa, ah.sequence));
}
