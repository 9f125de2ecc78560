/* IP headers: what the data path needs of outer and inner packets, and the building of outer ones.
 *
 * RFC 791 (IPv4), RFC 8200 (IPv6 and its extension headers), RFC 768 (UDP). */
#ifndef P2_IP_H
#define P2_IP_H

#include "cursor.h"

#define P2_IPV4_HEADER_LEN 20
#define P2_IPV6_HEADER_LEN 40
#define P2_UDP_HEADER_LEN  8

enum {
    P2_IP_PROTO_HOP_BY_HOP = 0, /* this one, 43, 44 and 60 are extension headers: RFC 8200 section 4 */
    P2_IP_PROTO_ICMP = 1,
    P2_IP_PROTO_IPV4 = 4,
    P2_IP_PROTO_TCP = 6,
    P2_IP_PROTO_UDP = 17,
    P2_IP_PROTO_IPV6 = 41,
    P2_IP_PROTO_ROUTING = 43,
    P2_IP_PROTO_FRAGMENT = 44,
    P2_IP_PROTO_ESP = 50,
    P2_IP_PROTO_AH = 51,
    P2_IP_PROTO_ICMPV6 = 58,
    P2_IP_PROTO_NONE = 59,
    P2_IP_PROTO_DESTINATION = 60
};

struct p2_ip_view {
    uint8_t family; /* 4 or 6 */
    struct p2_address source, destination;
    uint8_t tos;         /* IPv6: the traffic class */
    uint8_t ttl;         /* IPv6: the hop limit */
    uint32_t flow_label; /* 20 bits; IPv4: 0 */
    uint8_t protocol;    /* the upper layer's: in IPv6 what stands behind hop-by-hop options, destination
                            options, routing and fragment headers. In a later IPv6 fragment what its fragment
                            header says, which may be an extension header that the first fragment holds */
    size_t next_at;      /* offset of the byte that holds `protocol` */
    size_t header_len;   /* options or extension headers included: the offset of the payload */
    bool dont_fragment;  /* IPv6: always, for no router may fragment it */
    bool is_fragment; /* a piece of a packet; not so for an IPv6 atomic fragment (RFC 6946), which is whole */
    bool is_first_fragment; /* and it is the one with the upper layer's header */
    struct p2_bytes payload;
    bool has_ports; /* UDP or TCP with at least four bytes: not so in later fragments */
    /* 0 where there is none. ICMP and ICMPv6 have no ports (has_ports is false), but the selector that RFC
     * 4301 section 4.4.1.1 makes of their type and code: type << 8 | code stands in both, since it is one
     * selector whichever way the packet goes. */
    uint16_t source_port, destination_port;
};

/* A whole packet, IPv4 or IPv6. P2_OK, or P2_ERR_MALFORMED: too short, another version, a total length that
 * is not len, extension headers that do not fit, hop-by-hop options that are not the first of them. */
int p2_ip_parse(struct p2_ip_view *view, const uint8_t *packet, size_t len) P2_WARN_UNUSED;
/* The packet that a view is of. */
static inline struct p2_bytes p2_ip_whole(const struct p2_ip_view *view)
{
    return (struct p2_bytes){view->payload.data - view->header_len, view->header_len + view->payload.len};
}

/* What stands in front of a packet of this family that is the payload of another: 4 (IP in IP) or 41. */
static inline uint8_t p2_ip_protocol_of_family(uint8_t family)
{
    return family == 6 ? P2_IP_PROTO_IPV6 : P2_IP_PROTO_IPV4;
}

/* The sum of 16-bit words that checksums are made of, an odd last byte padded, and the checksum that it makes
 * (RFC 1071). */
uint32_t p2_checksum_add(uint32_t sum, const uint8_t *data, size_t len);
uint16_t p2_checksum_of(uint32_t sum);

/* What a packet says of its own length; 0: it is none. It may be longer than that. */
size_t p2_ip_total_len(const uint8_t *packet, size_t len);
/* TOS or traffic class of a well-formed packet, and another one in its place. */
uint8_t p2_ip_tos(const uint8_t *packet);
void p2_ip_set_tos(uint8_t *packet, uint8_t tos);

struct p2_ip_header {
    struct p2_address source, destination; /* of one family, which is the header's */
    uint8_t tos, ttl, protocol;
    uint32_t flow_label;     /* IPv6 only, 20 bits */
    bool dont_fragment;      /* IPv4 only */
    uint16_t identification; /* IPv4 only */
    size_t payload_len;      /* with the header at most 65,535; IPv6: without it */
};

static inline size_t p2_ip_header_len(uint8_t family)
{
    return family == 6 ? P2_IPV6_HEADER_LEN : P2_IPV4_HEADER_LEN;
}

/* Writes 20 bytes (the checksum included) or 40, by the addresses' family, and returns how many. */
size_t p2_ip_build(uint8_t *out, const struct p2_ip_header *header);

/* Makes a header, options or extension headers included, announce so many bytes behind it; an IPv4 header's
 * checksum is made right. */
void p2_ip_set_payload_len(uint8_t *header, size_t header_len, size_t payload_len);

/* Copies the header that `view` found in front of its payload, options or extension headers included, and
 * makes it announce another protocol and so many bytes behind it; out: view->header_len bytes. Transport mode
 * keeps the rest as it is. */
void p2_ip_copy_header(uint8_t *out, const struct p2_ip_view *view, uint8_t protocol, size_t payload_len);

/* The addresses of a whole packet were `source` and `destination` when its sender reckoned its checksum:
 * makes the checksum of TCP, UDP or ICMPv6 that of the addresses it has now, by their difference (RFC 1624),
 * so that what else may be wrong with it stays wrong. Other protocols, later fragments, and UDP without a
 * checksum are left alone. All four addresses are of one family. */
void p2_ip_adjust_checksum(uint8_t *packet, size_t len, const struct p2_address *source,
                           const struct p2_address *destination);

/* Writes P2_UDP_HEADER_LEN bytes. The checksum is 0, none, as RFC 3948 section 2.1 wants it around ESP; over
 * IPv6 RFC 6935 allows that for tunnels. */
void p2_udp_build(uint8_t *out, uint16_t source_port, uint16_t destination_port, size_t payload_len);

#endif
