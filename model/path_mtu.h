/* Packets that are too big for a path: what their sender is told, and how an IPv4 packet is taken apart.
 *
 * RFC 4301 section 8 and appendix D, RFC 792 and RFC 1191 (ICMP), RFC 4443 section 3.2 (ICMPv6), RFC 791
 * (fragments). */
#ifndef P2_PATH_MTU_H
#define P2_PATH_MTU_H

#include "ip.h"

#define P2_IPV6_MIN_MTU 1280 /* RFC 8200 section 5 */

/* "Fragmentation needed" (IPv4) or "packet too big" (IPv6) to the sender of a packet, with as much of it as
 * the RFCs want: 8 bytes behind its header, or up to 1,280 bytes in all. from: of the packet's family.
 * Returns the length of the whole IP packet. */
size_t p2_path_mtu_answer(uint8_t *out, const struct p2_address *from, const struct p2_ip_view *view,
                          const uint8_t *packet, size_t len, uint32_t mtu);

/* Takes an IPv4 packet apart (which may be a fragment itself). */
struct p2_fragments {
    const uint8_t *packet;
    struct p2_ip_view view;
    size_t max;  /* bytes of each fragment, header included */
    size_t done; /* bytes of the payload that are out */
};

/* view: of the packet, which outlives this. max: at least the header and eight bytes (else nothing comes). */
void p2_fragments_begin(struct p2_fragments *fragments, const struct p2_ip_view *view, const uint8_t *packet,
                        size_t max);
/* Writes the next one, at most `max` bytes, and returns its length; 0: that was all. */
size_t p2_fragments_next(struct p2_fragments *fragments, uint8_t *out);

#endif
