#include "ip.h"

#include <string.h>

int p2_ip_parse(struct p2_ip_view *view, const uint8_t *packet, size_t len)
{
    if (len < P2_IPV4_HEADER_LEN || packet[0] >> 4 != 4)
        return P2_ERR_MALFORMED;
    size_t header_len = (packet[0] & 15u) * 4u;
    if (header_len < P2_IPV4_HEADER_LEN || header_len > len || p2_get_u16(packet + 2) != len)
        return P2_ERR_MALFORMED;
    uint16_t fragment = p2_get_u16(packet + 6);
    view->source = p2_address_v4(p2_get_u32(packet + 12));
    view->destination = p2_address_v4(p2_get_u32(packet + 16));
    view->tos = packet[1];
    view->ttl = packet[8];
    view->protocol = packet[9];
    view->dont_fragment = fragment & 0x4000;
    view->header_len = header_len;
    view->payload = (struct p2_bytes){packet + header_len, len - header_len};
    view->has_ports = (fragment & 0x1fff) == 0 && view->payload.len >= 4 &&
                      (view->protocol == P2_IP_PROTO_UDP || view->protocol == P2_IP_PROTO_TCP);
    view->source_port = view->has_ports ? p2_get_u16(view->payload.data) : 0;
    view->destination_port = view->has_ports ? p2_get_u16(view->payload.data + 2) : 0;
    return P2_OK;
}

static uint16_t checksum(const uint8_t *header)
{
    uint32_t sum = 0;
    for (size_t i = 0; i < P2_IPV4_HEADER_LEN; i += 2)
        sum += p2_get_u16(header + i);
    while (sum >> 16)
        sum = (sum & 0xffff) + (sum >> 16);
    return (uint16_t)~sum;
}

void p2_ip_build(uint8_t *out, const struct p2_ip_header *header)
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
    p2_put_u16(out + 10, checksum(out));
}
