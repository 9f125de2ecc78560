#include "attack_packet.h"

#include "gateway.h"
#include "ip.h"
#include "isakmp.h"

#include <string.h>

/* Far in front of any window, and within half the range of 32 bits, or it would count as old. */
#define HIGH_SEQUENCE (UINT32_C(1) << 30)

static struct attack_view look_at_udp(const struct p2_ip_view *ip)
{
    const uint8_t *data = ip->payload.data + P2_UDP_HEADER_LEN;
    size_t len = ip->payload.len - P2_UDP_HEADER_LEN, at = ip->header_len + P2_UDP_HEADER_LEN;
    bool floated = ip->source_port == P2_PORT_NAT_T || ip->destination_port == P2_PORT_NAT_T;
    bool marked = floated && len >= P2_NON_ESP_MARKER && p2_get_u32(data) == 0;
    if (!floated && ip->source_port != P2_PORT_IKE && ip->destination_port != P2_PORT_IKE)
        return (struct attack_view){0};
    if (floated && !marked && len >= 8)
        return (struct attack_view){SCENARIO_ATTACK_ESP, false, at, p2_get_u32(data), p2_get_u32(data + 4)};
    at += marked ? P2_NON_ESP_MARKER : 0;
    if ((floated && !marked) || ip->header_len + ip->payload.len < at + P2_ISAKMP_HEADER_LEN)
        return (struct attack_view){0};
    return (struct attack_view){SCENARIO_ATTACK_IKE, false, at, 0, 0};
}

struct attack_view attack_look(const uint8_t *packet, size_t len)
{
    struct p2_ip_view ip;
    if (p2_ip_parse(&ip, packet, len) < 0)
        return (struct attack_view){0};
    bool esp = ip.protocol == P2_IP_PROTO_ESP, ah = ip.protocol == P2_IP_PROTO_AH;
    struct attack_view view = {.at = ip.header_len, .is_fragment = ip.is_fragment};
    if (ip.protocol == P2_IP_PROTO_UDP && !ip.is_fragment && ip.payload.len >= P2_UDP_HEADER_LEN)
        return look_at_udp(&ip);
    if ((!esp && !ah) || (!ip.is_fragment && ip.payload.len < 12))
        return (struct attack_view){0};
    view.protocol = esp ? SCENARIO_ATTACK_ESP : SCENARIO_ATTACK_AH;
    if (!ip.is_fragment) {
        view.spi = p2_get_u32(ip.payload.data + (esp ? 0 : 4));
        view.sequence = p2_get_u32(ip.payload.data + (esp ? 4 : 8));
    }
    return view;
}

static void exchange(uint8_t *a, uint8_t *b, size_t len)
{
    uint8_t kept[16];
    memcpy(kept, a, len);
    memcpy(a, b, len);
    memcpy(b, kept, len);
}

/* Sums do not care for the order of what they add up: all checksums stay right. */
void attack_reflect(uint8_t *packet, size_t len)
{
    struct p2_ip_view ip;
    if (p2_ip_parse(&ip, packet, len) < 0)
        return;
    size_t size = ip.family == 4 ? 4 : 16, at = ip.family == 4 ? 12 : 8;
    exchange(packet + at, packet + at + size, size);
    if (ip.protocol == P2_IP_PROTO_UDP && ip.has_ports)
        exchange(packet + ip.header_len, packet + ip.header_len + 2, 2);
}

/* --- forging --- */

static uint32_t draw(struct attack_random random, uint32_t below)
{
    uint8_t bytes[4];
    random.fill(random.ctx, bytes, sizeof bytes);
    return (uint32_t)((uint64_t)p2_get_u32(bytes) * below >> 32);
}

/* Cuts a packet and makes its headers say so. */
static size_t truncate_to(uint8_t *packet, size_t len, size_t new_len)
{
    struct p2_ip_view ip;
    uint8_t header[ATTACK_PACKET_MAX];
    if (p2_ip_parse(&ip, packet, len) < 0)
        return len;
    p2_ip_copy_header(header, &ip, ip.protocol, new_len - ip.header_len);
    memcpy(packet, header, ip.header_len);
    if (ip.protocol == P2_IP_PROTO_UDP)
        p2_udp_build(packet + ip.header_len, ip.source_port, ip.destination_port,
                     new_len - ip.header_len - P2_UDP_HEADER_LEN);
    return new_len;
}

static size_t change(uint8_t *out, size_t len, const struct attack_view *view, size_t behind,
                     enum scenario_attack_method method, struct attack_random random)
{
    size_t spi_at = view->at + (view->protocol == SCENARIO_ATTACK_ESP ? 0 : 4), bit;
    switch (method) {
    case SCENARIO_FORGE_FLIP_BITS:
        bit = draw(random, (uint32_t)(len - behind) * 8);
        out[behind + bit / 8] ^= (uint8_t)(1u << bit % 8);
        break;
    case SCENARIO_FORGE_TRUNCATE:
        return truncate_to(out, len, behind + draw(random, (uint32_t)(len - behind)));
    case SCENARIO_FORGE_WRONG_SPI: /* 0 to 255 are not for SAs: RFC 4303 section 2.1 */
        p2_put_u32(out + spi_at, 256 + draw(random, UINT32_MAX - 256));
        break;
    case SCENARIO_FORGE_RANDOM:
    case SCENARIO_FLOOD_SPOOFED_ESP:
        random.fill(random.ctx, out + behind, len - behind);
        break;
    default:
        break;
    }
    return len;
}

size_t attack_forge(uint8_t *out, const uint8_t *packet, size_t len, enum scenario_attack_method method,
                    uint32_t newest, struct attack_random random)
{
    struct attack_view view = attack_look(packet, len);
    bool ah = view.protocol == SCENARIO_ATTACK_AH;
    size_t sequence_at = view.at + (ah ? 8 : 4);
    memcpy(out, packet, len);
    if (len <= sequence_at + 4)
        return len;
    if (method == SCENARIO_FORGE_HIGH_SEQUENCE)
        p2_put_u32(out + sequence_at, newest + HIGH_SEQUENCE);
    else if (method != SCENARIO_FORGE_WRONG_SPI)
        p2_put_u32(out + sequence_at, newest + 1);
    return change(out, len, &view, sequence_at + 4, method, random);
}

size_t attack_bad_hash(uint8_t *out, const uint8_t *packet, size_t len, struct attack_random random)
{
    enum { BODY = 160 }; /* whole blocks of any cipher, about what a real one has */
    struct p2_ip_view ip;
    struct attack_view view = attack_look(packet, len);
    if (view.protocol != SCENARIO_ATTACK_IKE || p2_ip_parse(&ip, packet, len) < 0)
        return 0;
    size_t total = view.at + P2_ISAKMP_HEADER_LEN + BODY;
    p2_ip_copy_header(out, &ip, P2_IP_PROTO_UDP, total - ip.header_len);
    p2_udp_build(out + ip.header_len, ip.source_port, ip.destination_port,
                 total - ip.header_len - P2_UDP_HEADER_LEN);
    memset(out + ip.header_len + P2_UDP_HEADER_LEN, 0, view.at - ip.header_len - P2_UDP_HEADER_LEN);
    uint8_t *header = out + view.at;
    memcpy(header, packet + view.at, 16); /* the cookies */
    header[16] = P2_PAYLOAD_HASH;
    header[17] = 0x10; /* version 1.0 */
    header[18] = P2_EXCHANGE_QUICK;
    header[19] = P2_FLAG_ENCRYPTED;
    random.fill(random.ctx, header + 20, 4 + 4 + BODY);
    header[20] |= 0x80; /* 0 would be Phase 1 */
    p2_put_u32(header + 24, P2_ISAKMP_HEADER_LEN + BODY);
    return total;
}
