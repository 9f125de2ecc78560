/* IPv4 header views: what the data path needs of outer and inner packets. RFC 791. */
#ifndef P2_IP_H
#define P2_IP_H

#include "cursor.h"

#define P2_IPV4_HEADER_LEN 20

enum {
    P2_IP_PROTO_IPV4 = 4,
    P2_IP_PROTO_UDP = 17,
    P2_IP_PROTO_TCP = 6,
    P2_IP_PROTO_ESP = 50,
    P2_IP_PROTO_NONE = 59
};

struct p2_ip_view {
    struct p2_address source, destination;
    uint8_t tos, ttl, protocol;
    bool dont_fragment;
    size_t header_len;
    struct p2_bytes payload;
    bool has_ports; /* UDP or TCP with at least four bytes: not so in later fragments */
    uint16_t source_port, destination_port;
};

/* A whole IPv4 packet. P2_OK, or P2_ERR_MALFORMED: too short, another version, or a total length that is not
 * len. */
int p2_ip_parse(struct p2_ip_view *view, const uint8_t *packet, size_t len) P2_WARN_UNUSED;

struct p2_ip_header {
    struct p2_address source, destination;
    uint8_t tos, ttl, protocol;
    bool dont_fragment;
    uint16_t identification;
    size_t payload_len;
};

/* Writes P2_IPV4_HEADER_LEN bytes, checksum included. */
void p2_ip_build(uint8_t *out, const struct p2_ip_header *header);

#endif
