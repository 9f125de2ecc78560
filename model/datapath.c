/* The data path, each direction on one page.
 *
 * Outbound (RFC 4303 section 3.3): find the SA, number the packet, pad, encrypt, ICV, outer header.
 * Inbound (section 3.4): find the SA by its SPI, check the window, verify the ICV, decrypt, mark the window,
 * unpad, check the inner selector, deliver. The window moves only after the ICV verified.
 *
 * When the host prices packets, a job lies between arrival and processing; the window is then checked twice,
 * the second time together with the mark, so that two copies in the queue can not both pass. */
#include "internal.h"

#include "ip.h"

#include <string.h>

#define OUTER_TTL 64

static enum p2_drop seal(struct p2_gateway *gw, struct p2_sa_pair *pair, const uint8_t *packet, size_t len)
{
    const struct p2_peer_config *peer = &pair->tunnel->peer->config;
    size_t sealed = p2_esp_sealed_len(&pair->out.keys, len);
    uint8_t iv[P2_CIPHER_MAX_BLOCK];
    if (P2_IPV4_HEADER_LEN + sealed > P2_PACKET_MAX)
        return P2_DROP_TOO_BIG;
    if (pair->sequence == UINT32_MAX) /* RFC 4303 section 3.3.3: the counter must not cycle */
        return P2_DROP_SEQUENCE_OVERFLOW;
    p2_random_fill(gw, P2_RANDOM_IV, iv, p2_cipher_info(pair->algorithms.cipher)->block_len);
    p2_esp_seal(&pair->out.keys, pair->out.spi, ++pair->sequence, iv, P2_IP_PROTO_IPV4,
                (struct p2_bytes){packet, len}, gw->packet + P2_IPV4_HEADER_LEN);
    struct p2_ip_header outer = {.source = peer->local,
                                 .destination = peer->remote,
                                 .tos = packet[1],
                                 .ttl = OUTER_TTL,
                                 .protocol = P2_IP_PROTO_ESP,
                                 .identification = gw->identification++,
                                 .payload_len = sealed};
    p2_ip_build(gw->packet, &outer);
    pair->out.packets++;
    pair->out.bytes += len;
    p2_emit_packet(gw, P2_ACTION_SEND_IPSEC)->u.packet =
        (struct p2_bytes){gw->packet, P2_IPV4_HEADER_LEN + sealed};
    return P2_DROP_NONE;
}

/* What came out must be a whole IP packet between the prefixes of this SA (RFC 4301 section 5.2, step 4). */
static enum p2_drop check_inner(const struct p2_sa_pair *pair, const uint8_t *inner, size_t len,
                                uint8_t next_header)
{
    struct p2_ip_view view;
    if (next_header != P2_IP_PROTO_IPV4 || p2_ip_parse(&view, inner, len) < 0)
        return P2_DROP_SELECTOR_MISMATCH;
    const struct p2_tunnel_config *config = &pair->tunnel->config;
    bool inside = p2_selector_contains(&config->remote, &view.source) &&
                  p2_selector_contains(&config->local, &view.destination);
    return inside ? P2_DROP_NONE : P2_DROP_SELECTOR_MISMATCH;
}

static enum p2_drop open(struct p2_gateway *gw, struct p2_sa_pair *pair, const uint8_t *esp, size_t len)
{
    uint32_t sequence = p2_get_u32(esp + 4);
    uint8_t next_header;
    size_t inner_len;
    enum p2_drop verdict = p2_replay_check(&pair->replay, sequence);
    if (verdict != P2_DROP_NONE)
        return verdict;
    if (!p2_esp_verify(&pair->in.keys, esp, len))
        return P2_DROP_ICV_MISMATCH;
    p2_replay_mark(&pair->replay, sequence);
    verdict = p2_esp_open(&pair->in.keys, esp, len, gw->packet, &inner_len, &next_header);
    if (verdict == P2_DROP_NONE)
        verdict = check_inner(pair, gw->packet, inner_len, next_header);
    if (verdict != P2_DROP_NONE)
        return verdict;
    pair->in.packets++;
    pair->in.bytes += inner_len;
    pair->tunnel->peer->heard = gw->now;
    if (!pair->confirmed || !pair->authorised)
        p2_pair_confirmed(gw, pair);
    p2_emit_packet(gw, P2_ACTION_DELIVER_CLEAR)->u.packet = (struct p2_bytes){gw->packet, inner_len};
    return P2_DROP_NONE;
}

static void process(struct p2_gateway *gw, enum p2_job_kind kind, struct p2_sa_pair *pair,
                    const uint8_t *packet, size_t len)
{
    enum p2_drop verdict = kind == P2_JOB_SEAL ? seal(gw, pair, packet, len) : open(gw, pair, packet, len);
    if (verdict != P2_DROP_NONE)
        p2_drop(gw, verdict, kind == P2_JOB_SEAL ? pair->out.spi : pair->in.spi, true);
}

static void submit(struct p2_gateway *gw, enum p2_job_kind kind, struct p2_sa_pair *pair,
                   const uint8_t *packet, size_t len)
{
    struct p2_work work = {0};
    struct p2_job *job = p2_job_for_packet(gw, kind, pair, packet, len);
    if (!job)
        return;
    p2_work_add(&work, P2_OP_HMAC, p2_auth_info(pair->algorithms.auth)->hash, 1, len);
    p2_work_add(&work, kind == P2_JOB_SEAL ? P2_OP_ENCRYPT : P2_OP_DECRYPT, pair->algorithms.cipher, 1, len);
    p2_job_submit(gw, job, &work, false);
}

void p2_outbound(struct p2_gateway *gw, struct p2_sa_pair *pair, const uint8_t *packet, size_t len)
{
    if (gw->defer_ipsec)
        submit(gw, P2_JOB_SEAL, pair, packet, len);
    else
        process(gw, P2_JOB_SEAL, pair, packet, len);
}

/* What can be told for nothing is told before the CPU has to work: length and window. */
void p2_inbound(struct p2_gateway *gw, struct p2_sa_pair *pair, const uint8_t *packet, size_t len)
{
    enum p2_drop verdict = P2_DROP_RUNT;
    if (p2_esp_plausible(&pair->in.keys, len))
        verdict = p2_replay_check(&pair->replay, p2_get_u32(packet + 4));
    if (verdict != P2_DROP_NONE)
        p2_drop(gw, verdict, pair->in.spi, true);
    else if (gw->defer_ipsec)
        submit(gw, P2_JOB_OPEN, pair, packet, len);
    else
        process(gw, P2_JOB_OPEN, pair, packet, len);
}

void p2_packet_job_done(struct p2_gateway *gw, struct p2_job *job)
{
    process(gw, job->kind, job->pair, job->packet, job->packet_len);
    p2_job_release(gw, job);
}
