/* Selectors: which traffic a Phase 2 SA carries, and their form as ID payloads (proxy IDs).
 *
 * RFC 2407 section 4.6.2 (ID types), RFC 2409 section 5.5 (IDci, IDcr), RFC 4301 section 4.4.1. */
#ifndef P2_SELECTOR_H
#define P2_SELECTOR_H

#include "base.h"

#ifdef __cplusplus
extern "C" {
#endif

/* A prefix or a range of addresses, with protocol and port (0: any). A single address is a prefix of full
 * length. An ICMP type and code is a port: type << 8 | code (but 0, an echo reply, can not be selected). */
struct p2_selector {
    struct p2_address address; /* of a prefix, host bits zero; of a range, its first one */
    uint8_t prefix_len;        /* not for a range */
    uint8_t protocol;
    uint16_t port;
    bool is_range;
    struct p2_address last; /* of a range: included, not below `address`, same family */
};

/* An IPv4 prefix, the address in host byte order: p2_selector_v4(0x0a010000, 16) is 10.1.0.0/16. */
static inline struct p2_selector p2_selector_v4(uint32_t host_order, uint8_t prefix_len)
{
    struct p2_selector selector = {p2_address_v4(host_order), prefix_len, 0, 0, false, {0, {0}}};
    return selector;
}

/* Just this address, of either family. */
struct p2_selector p2_selector_single(const struct p2_address *address);

/* "10.1.0.0/24", "10.1.0.5" or "10.1.0.10-10.1.0.20", in IPv6 too: any protocol and port. False, and the
 * selector as it was: anything else, host bits that are not zero, a range that is upside down. */
bool p2_selector_parse(struct p2_selector *selector, const char *text);

#define P2_SELECTOR_TEXT 112

/* As above, and behind it what it says of protocol and port: " udp port 500", " icmp", " protocol 47". */
void p2_selector_format(const struct p2_selector *selector, char text[P2_SELECTOR_TEXT]);
/* "10.1.0.0/24 to 10.0.0.0/24": a pair of proxy IDs, cut to size if it must be. */
void p2_selector_format_pair(const struct p2_selector *from, const struct p2_selector *to, char *text,
                             size_t size);

/* The first and the last address that it covers. */
void p2_selector_bounds(const struct p2_selector *selector, struct p2_address *first,
                        struct p2_address *last);
/* Of the addresses alone, and by what they cover: 10.1.0.0-10.1.0.255 equals 10.1.0.0/24. Vendors write the
 * same traffic as a range, as a subnet or as an address, and what a peer sends for it differs accordingly;
 * the SA that comes of it does not. */
bool p2_selector_equal_addresses(const struct p2_selector *a, const struct p2_selector *b);
/* Protocol and port too. */
bool p2_selector_equal(const struct p2_selector *a, const struct p2_selector *b);
bool p2_selector_contains(const struct p2_selector *selector, const struct p2_address *address);
/* One end of a packet. A packet whose port is not known (0, as in a later fragment) matches only where any
 * port does. */
bool p2_selector_matches(const struct p2_selector *selector, const struct p2_address *address,
                         uint8_t protocol, uint16_t port);
/* Whatever matches b matches a. */
bool p2_selector_covers(const struct p2_selector *a, const struct p2_selector *b);

#define P2_SELECTOR_ID_MAX 36
/* The body of an ID payload (after the generic header): ID type, protocol, port, data. Returns its length.
 * A prefix of full length goes out as an address, every other prefix as a subnet, a range as a range. */
size_t p2_selector_to_id(const struct p2_selector *selector, uint8_t out[P2_SELECTOR_ID_MAX]);
/* P2_OK, or P2_ERR_MALFORMED: a type that names no addresses, a wrong length, a mask with holes, a range that
 * is upside down. Host bits of a subnet are cleared. */
int p2_selector_from_id(struct p2_selector *selector, const uint8_t *body, size_t len) P2_WARN_UNUSED;

#ifdef __cplusplus
}
#endif
#endif
