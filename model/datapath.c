/* The data path: from a packet to its SA, and through it as a job or at once; outbound.c seals, inbound.c
 * opens.
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

#include <string.h>

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
                         const struct p2_ip_view *packet)
{
    struct p2_bytes whole = p2_ip_whole(packet);
    struct p2_ah_view ah;
    struct p2_action *action = p2_drop(gw, verdict, spi, true);
    if (protocol == P2_PROTO_AH && p2_ah_parse(&ah, whole.data, whole.len))
        action->u.drop.sequence = ah.sequence;
    else if (protocol == P2_PROTO_ESP && packet->payload.len >= P2_ESP_HEADER_LEN)
        action->u.drop.sequence = p2_get_u32(packet->payload.data + 4);
}

static void process(struct p2_gateway *gw, enum p2_job_kind kind, struct p2_sa_pair *pair,
                    const struct p2_ip_view *packet)
{
    enum p2_drop verdict;
    if (kind == P2_JOB_SEAL) {
        verdict = p2_seal_packet(gw, pair, packet);
        if (verdict != P2_DROP_NONE)
            p2_drop(gw, verdict, pair->out[0].spi, true);
        return;
    }
    const struct p2_sa *outer = &pair->in[pair->num - 1];
    verdict = p2_open_packet(gw, pair, packet);
    count(pair, verdict);
    if (verdict != P2_DROP_NONE)
        drop_inbound(gw, verdict, outer->protocol, outer->spi, packet);
}

static void submit(struct p2_gateway *gw, enum p2_job_kind kind, struct p2_sa_pair *pair,
                   struct p2_bytes packet)
{
    struct p2_work work = {0};
    struct p2_job *job = p2_job_for_packet(gw, kind, pair, packet.data, packet.len);
    if (!job)
        return;
    for (size_t i = 0; i < pair->num; i++) {
        const struct p2_algorithms *a = &pair->suite.algorithms[i];
        if (a->auth != P2_AUTH_NONE)
            p2_work_add(&work, P2_OP_HMAC, p2_auth_of(a->auth)->hash, 1, packet.len);
        if (a->cipher != P2_CIPHER_NONE && a->cipher != P2_CIPHER_NULL)
            p2_work_add(&work, kind == P2_JOB_SEAL ? P2_OP_ENCRYPT : P2_OP_DECRYPT, a->cipher, 1, packet.len);
    }
    if (!p2_job_submit(gw, job, &work, false)) {
        p2_drop(gw, P2_DROP_POOL_EXHAUSTED, pair->in[0].spi, true);
        p2_job_release(gw, job);
    }
}

static void submit_or_process(struct p2_gateway *gw, enum p2_job_kind kind, struct p2_sa_pair *pair,
                              const struct p2_ip_view *packet)
{
    if (gw->defer_ipsec)
        submit(gw, kind, pair, p2_ip_whole(packet));
    else
        process(gw, kind, pair, packet);
}

void p2_outbound(struct p2_gateway *gw, struct p2_sa_pair *pair, const struct p2_ip_view *packet)
{
    submit_or_process(gw, P2_JOB_SEAL, pair, packet);
}

/* A packet comes under the SPI of its outermost header, which must be the outermost one of the pair. */
static void inbound(struct p2_gateway *gw, const struct p2_ip_view *packet, enum p2_protocol protocol,
                    uint32_t spi)
{
    struct p2_sa_pair *pair = p2_pair_by_spi(gw, spi);
    const struct p2_sa *outer = pair ? &pair->in[pair->num - 1] : NULL;
    enum p2_drop verdict = P2_DROP_UNKNOWN_SPI;
    if (pair && (outer->protocol != protocol || outer->spi != spi))
        verdict = P2_DROP_SELECTOR_MISMATCH;
    else if (pair)
        verdict = p2_glance(pair, outer, packet);
    if (verdict == P2_DROP_NONE) {
        submit_or_process(gw, P2_JOB_OPEN, pair, packet);
        return;
    }
    drop_inbound(gw, verdict, protocol, spi, packet);
    if (pair)
        count(pair, verdict);
    else
        p2_pair_unknown(gw, &packet->source, protocol, spi);
}

void p2_inbound(struct p2_gateway *gw, const uint8_t *packet, size_t len)
{
    struct p2_ip_view view;
    struct p2_ah_view ah;
    if (len > P2_PACKET_MAX) /* IPv6 does not count its own header: it may have 40 bytes more */
        p2_drop(gw, P2_DROP_TOO_BIG, 0, true);
    else if (p2_ip_parse(&view, packet, len) < 0)
        p2_drop(gw, P2_DROP_RUNT, 0, true); /* NOLINT(bugprone-branch-clone): what follows needs the view */
    else if (view.is_fragment)
        p2_drop(gw, P2_DROP_FRAGMENT, 0, true);
    else if (view.protocol == P2_IP_PROTO_ESP && view.payload.len >= P2_ESP_HEADER_LEN)
        inbound(gw, &view, P2_PROTO_ESP, p2_get_u32(view.payload.data));
    else if (p2_ah_parse(&ah, packet, len))
        inbound(gw, &view, P2_PROTO_AH, ah.spi);
    else
        p2_drop(gw, P2_DROP_RUNT, 0, true);
}

/* The header that the datagram came with, and ESP instead of UDP in it (RFC 3948 section 3.4). */
void p2_inbound_udp(struct p2_gateway *gw, const struct p2_datagram *datagram)
{
    struct p2_ip_header header = {.source = datagram->source,
                                  .destination = datagram->destination,
                                  .ttl = P2_OUTER_TTL,
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
    struct p2_ip_view view;
    gw->udp_port = job->udp_port;
    if (p2_ip_parse(&view, job->packet, job->packet_len) == P2_OK) /* as it did before it was a job */
        process(gw, job->kind, job->pair, &view);
    p2_job_release(gw, job);
}
