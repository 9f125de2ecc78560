#include "ip.h"

#include <assert.h>
#include <string.h>

static void note_fragment(struct p2_ip_view *view, bool at_start, bool more_follow)
{
    if (at_start && !more_follow)
        return;
    view->is_fragment = true;
    view->is_first_fragment = at_start;
}

static int parse_v4(struct p2_ip_view *view, const uint8_t *packet, size_t len)
{
    if (len < P2_IPV4_HEADER_LEN)
        return P2_ERR_MALFORMED;
    size_t header_len = (packet[0] & 15u) * (size_t)4;
    if (header_len < P2_IPV4_HEADER_LEN || header_len > len || p2_get_u16(packet + 2) != len)
        return P2_ERR_MALFORMED;
    uint16_t fragment = p2_get_u16(packet + 6);
    view->source = p2_address_v4(p2_get_u32(packet + 12));
    view->destination = p2_address_v4(p2_get_u32(packet + 16));
    view->tos = packet[1];
    view->ttl = packet[8];
    view->next_at = 9;
    view->header_len = header_len;
    view->dont_fragment = fragment & 0x4000;
    note_fragment(view, (fragment & 0x1fff) == 0, fragment & 0x2000);
    return P2_OK;
}

/* Steps over the extension headers (RFC 8200 section 4): each has at least eight bytes, so this ends. What a
 * later fragment brings behind its fragment header is the middle of something. */
static int skip_extensions(struct p2_ip_view *view, const uint8_t *packet, size_t len)
{
    view->next_at = 6;
    view->header_len = P2_IPV6_HEADER_LEN;
    while (!view->is_fragment || view->is_first_fragment) {
        uint8_t next = packet[view->next_at];
        if (next == P2_IP_PROTO_HOP_BY_HOP && view->next_at != 6) /* it stands first: section 4.1 */
            return P2_ERR_MALFORMED;
        if (next != P2_IP_PROTO_HOP_BY_HOP && next != P2_IP_PROTO_ROUTING && next != P2_IP_PROTO_FRAGMENT &&
            next != P2_IP_PROTO_DESTINATION)
            break;
        size_t at = view->header_len, left = len - at;
        if (left < 8)
            return P2_ERR_MALFORMED;
        size_t size = next == P2_IP_PROTO_FRAGMENT ? 8 : (packet[at + 1] + 1u) * 8u;
        if (left < size)
            return P2_ERR_MALFORMED;
        if (next == P2_IP_PROTO_FRAGMENT)
            note_fragment(view, (p2_get_u16(packet + at + 2) & 0xfff8) == 0, packet[at + 3] & 1);
        view->next_at = at;
        view->header_len = at + size;
    }
    return P2_OK;
}

static int parse_v6(struct p2_ip_view *view, const uint8_t *packet, size_t len)
{
    if (len < P2_IPV6_HEADER_LEN || p2_get_u16(packet + 4) != len - P2_IPV6_HEADER_LEN)
        return P2_ERR_MALFORMED;
    uint32_t first = p2_get_u32(packet);
    view->source.family = view->destination.family = 6;
    memcpy(view->source.bytes, packet + 8, 16);
    memcpy(view->destination.bytes, packet + 24, 16);
    view->tos = first >> 20 & 0xff;
    view->flow_label = first & 0xfffff;
    view->ttl = packet[7];
    view->dont_fragment = true;
    return skip_extensions(view, packet, len);
}

static void read_ports(struct p2_ip_view *view)
{
    const struct p2_bytes *payload = &view->payload;
    uint8_t protocol = view->protocol;
    if (view->is_fragment && !view->is_first_fragment)
        return;
    if ((protocol == P2_IP_PROTO_UDP || protocol == P2_IP_PROTO_TCP) && payload->len >= 4) {
        view->has_ports = true;
        view->source_port = p2_get_u16(payload->data);
        view->destination_port = p2_get_u16(payload->data + 2);
    } else if ((protocol == P2_IP_PROTO_ICMP || protocol == P2_IP_PROTO_ICMPV6) && payload->len >= 2) {
        view->source_port = view->destination_port = p2_get_u16(payload->data);
    }
}

int p2_ip_parse(struct p2_ip_view *view, const uint8_t *packet, size_t len)
{
    memset(view, 0, sizeof(*view));
    view->family = len > 0 ? packet[0] >> 4 : 0;
    int r = P2_ERR_MALFORMED;
    if (view->family == 4)
        r = parse_v4(view, packet, len);
    else if (view->family == 6)
        r = parse_v6(view, packet, len);
    if (r != P2_OK)
        return r;
    view->protocol = packet[view->next_at];
    view->payload = (struct p2_bytes){packet + view->header_len, len - view->header_len};
    read_ports(view);
    return P2_OK;
}

uint32_t p2_checksum_add(uint32_t sum, const uint8_t *data, size_t len)
{
    for (size_t i = 0; i + 1 < len; i += 2)
        sum += p2_get_u16(data + i);
    return len % 2 == 0 ? sum : sum + ((uint32_t)data[len - 1] << 8);
}

uint16_t p2_checksum_of(uint32_t sum)
{
    while (sum >> 16)
        sum = (sum & 0xffff) + (sum >> 16);
    return (uint16_t)~sum;
}

static void set_checksum(uint8_t *header, size_t len)
{
    p2_put_u16(header + 10, 0);
    p2_put_u16(header + 10, p2_checksum_of(p2_checksum_add(0, header, len)));
}

static void build_v4(uint8_t *out, const struct p2_ip_header *header)
{
    memset(out, 0, P2_IPV4_HEADER_LEN);
    out[0] = 0x45;
    out[1] = header->tos;
    p2_put_u16(out + 2, (uint16_t)(P2_IPV4_HEADER_LEN + header->payload_len));
    p2_put_u16(out + 4, header->identification);
    p2_put_u16(out + 6, header->dont_fragment ? 0x4000 : 0);
    out[8] = header->ttl;
    out[9] = header->protocol;
    memcpy(out + 12, header->source.bytes, 4);
    memcpy(out + 16, header->destination.bytes, 4);
    set_checksum(out, P2_IPV4_HEADER_LEN);
}

static void build_v6(uint8_t *out, const struct p2_ip_header *header)
{
    p2_put_u32(out, UINT32_C(6) << 28 | (uint32_t)header->tos << 20 | (header->flow_label & 0xfffff));
    p2_put_u16(out + 4, (uint16_t)header->payload_len);
    out[6] = header->protocol;
    out[7] = header->ttl;
    memcpy(out + 8, header->source.bytes, 16);
    memcpy(out + 24, header->destination.bytes, 16);
}

void p2_ip_set_payload_len(uint8_t *header, size_t header_len, size_t payload_len)
{
    if (header[0] >> 4 == 6) {
        p2_put_u16(header + 4, (uint16_t)(header_len - P2_IPV6_HEADER_LEN + payload_len));
        return;
    }
    p2_put_u16(header + 2, (uint16_t)(header_len + payload_len));
    set_checksum(header, header_len);
}

void p2_ip_copy_header(uint8_t *out, const struct p2_ip_view *view, uint8_t protocol, size_t payload_len)
{
    memcpy(out, p2_ip_whole(view).data, view->header_len);
    out[view->next_at] = protocol;
    p2_ip_set_payload_len(out, view->header_len, payload_len);
}

size_t p2_ip_total_len(const uint8_t *packet, size_t len)
{
    if (len >= P2_IPV4_HEADER_LEN && packet[0] >> 4 == 4)
        return p2_get_u16(packet + 2);
    if (len >= P2_IPV6_HEADER_LEN && packet[0] >> 4 == 6)
        return P2_IPV6_HEADER_LEN + p2_get_u16(packet + 4);
    return 0;
}

uint8_t p2_ip_tos(const uint8_t *packet)
{
    return packet[0] >> 4 == 6 ? (uint8_t)(packet[0] << 4 | packet[1] >> 4) : packet[1];
}

void p2_ip_set_tos(uint8_t *packet, uint8_t tos)
{
    if (packet[0] >> 4 == 6) {
        packet[0] = (uint8_t)(0x60 | tos >> 4);
        packet[1] = (uint8_t)(tos << 4 | (packet[1] & 15));
        return;
    }
    packet[1] = tos;
    set_checksum(packet, (packet[0] & 15u) * (size_t)4);
}

size_t p2_ip_build(uint8_t *out, const struct p2_ip_header *header)
{
    assert(header->source.family == header->destination.family);
    if (header->source.family == 6)
        build_v6(out, header);
    else
        build_v4(out, header);
    return p2_ip_header_len(header->source.family);
}

/* In one's complement arithmetic: taking away is adding the complement (RFC 1624 section 3). */
static uint32_t add_change(uint32_t sum, const struct p2_address *old, const struct p2_address *new)
{
    for (size_t i = 0; i < p2_address_len(old->family); i += 2) {
        sum += (uint16_t)~p2_get_u16(old->bytes + i);
        sum += p2_get_u16(new->bytes + i);
    }
    return sum;
}

/* Where the checksum stands that covers the addresses; 0: there is none. */
static size_t checksum_at(const struct p2_ip_view *view)
{
    if (view->is_fragment && !view->is_first_fragment)
        return 0;
    if (view->protocol == P2_IP_PROTO_TCP)
        return 16;
    if (view->protocol == P2_IP_PROTO_UDP)
        return 6;
    return view->protocol == P2_IP_PROTO_ICMPV6 ? 2 : 0;
}

void p2_ip_adjust_checksum(uint8_t *packet, size_t len, const struct p2_address *source,
                           const struct p2_address *destination)
{
    struct p2_ip_view view;
    size_t at = p2_ip_parse(&view, packet, len) == P2_OK ? checksum_at(&view) : 0;
    if (at == 0 || view.payload.len < at + 2)
        return;
    uint8_t *field = packet + view.header_len + at;
    bool udp = view.protocol == P2_IP_PROTO_UDP;
    if (udp && p2_get_u16(field) == 0)
        return;
    uint32_t sum = (uint16_t)~p2_get_u16(field);
    sum = add_change(sum, source, &view.source);
    sum = add_change(sum, destination, &view.destination);
    uint16_t changed = p2_checksum_of(sum);
    p2_put_u16(field, udp && changed == 0 ? 0xffff : changed); /* 0 would mean that there is none: RFC 768 */
}

void p2_udp_build(uint8_t *out, uint16_t source_port, uint16_t destination_port, size_t payload_len)
{
    p2_put_u16(out, source_port);
    p2_put_u16(out + 2, destination_port);
    p2_put_u16(out + 4, (uint16_t)(P2_UDP_HEADER_LEN + payload_len));
    p2_put_u16(out + 6, 0);
}
