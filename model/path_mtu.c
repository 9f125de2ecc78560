#include "path_mtu.h"

#include <string.h>

enum { ICMP_UNREACHABLE = 3, FRAGMENTATION_NEEDED = 4, ICMPV6_TOO_BIG = 2 };

#define ICMP_HEADER_LEN 8
#define TTL             64

static uint32_t pseudo_header(const struct p2_ip_header *header)
{
    uint32_t sum = p2_checksum_add(0, header->source.bytes, 16);
    sum = p2_checksum_add(sum, header->destination.bytes, 16);
    return sum + (uint32_t)header->payload_len + P2_IP_PROTO_ICMPV6;
}

size_t p2_path_mtu_answer(uint8_t *out, const struct p2_address *from, const struct p2_ip_view *view,
                          const uint8_t *packet, size_t len, uint32_t mtu)
{
    bool v6 = view->family == 6;
    size_t at = p2_ip_header_len(view->family),
           most = v6 ? P2_IPV6_MIN_MTU - at - ICMP_HEADER_LEN : view->header_len + 8;
    size_t quoted = len < most ? len : most;
    struct p2_ip_header header = {.source = *from,
                                  .destination = view->source,
                                  .ttl = TTL,
                                  .protocol = v6 ? P2_IP_PROTO_ICMPV6 : P2_IP_PROTO_ICMP,
                                  .payload_len = ICMP_HEADER_LEN + quoted};
    uint8_t *icmp = out + p2_ip_build(out, &header);
    memset(icmp, 0, ICMP_HEADER_LEN);
    icmp[0] = v6 ? ICMPV6_TOO_BIG : ICMP_UNREACHABLE;
    icmp[1] = v6 ? 0 : FRAGMENTATION_NEEDED;
    if (v6)
        p2_put_u32(icmp + 4, mtu);
    else
        p2_put_u16(icmp + 6, (uint16_t)mtu);
    memcpy(icmp + ICMP_HEADER_LEN, packet, quoted);
    p2_put_u16(icmp + 2,
               p2_checksum_of(p2_checksum_add(v6 ? pseudo_header(&header) : 0, icmp, header.payload_len)));
    return at + header.payload_len;
}

/* --- fragments --- */

void p2_fragments_begin(struct p2_fragments *f, const struct p2_ip_view *view, const uint8_t *packet,
                        size_t max)
{
    *f = (struct p2_fragments){.packet = packet, .view = *view, .max = max};
}

/* Options with the copied flag go into every fragment, the others only into the first one (RFC 791
 * section 3.1). Returns the header's length. */
static size_t copy_later_header(const struct p2_fragments *f, uint8_t *out)
{
    size_t len = P2_IPV4_HEADER_LEN, end = f->view.header_len;
    memcpy(out, f->packet, P2_IPV4_HEADER_LEN);
    for (size_t at = P2_IPV4_HEADER_LEN; at < end && f->packet[at] != 0;) {
        uint8_t type = f->packet[at];
        size_t option = type == 1 ? 1 : at + 1 < end ? f->packet[at + 1] : 0;
        if (option == 0 || option > end - at)
            break;
        if (type & 0x80) {
            memcpy(out + len, f->packet + at, option);
            len += option;
        }
        at += option;
    }
    while (len % 4 != 0)
        out[len++] = 0;
    out[0] = (uint8_t)(0x40 | len / 4);
    return len;
}

static size_t copy_header(const struct p2_fragments *f, uint8_t *out)
{
    if (f->done > 0)
        return copy_later_header(f, out);
    memcpy(out, f->packet, f->view.header_len);
    return f->view.header_len;
}

size_t p2_fragments_next(struct p2_fragments *f, uint8_t *out)
{
    size_t left = f->view.payload.len - f->done;
    uint16_t flags = p2_get_u16(f->packet + 6);
    if (left == 0)
        return 0;
    size_t header_len = copy_header(f, out), room = f->max > header_len ? f->max - header_len : 0;
    size_t len = left <= room ? left : room / 8 * 8;
    if (len == 0)
        return 0;
    bool more = len < left || (flags & 0x2000);
    size_t offset = (flags & 0x1fffu) + f->done / 8;
    p2_put_u16(out + 6, (uint16_t)((flags & 0xc000) | (more ? 0x2000 : 0) | offset));
    p2_ip_set_payload_len(out, header_len, len);
    memcpy(out + header_len, f->view.payload.data + f->done, len);
    f->done += len;
    return header_len + len;
}
