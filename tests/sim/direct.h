/* Two gateways back to back: no network, no hosts, and a clock that stands still. Between them a tunnel of
 * every kind that the data path knows, negotiated under preset Phase 1s: ESP with CBC, CTR, GCM and NULL, AH,
 * both; window on and off, extended sequence numbers, tunnel and transport mode, outer IPv4 and IPv6. What a
 * test sends through them it hands over itself. */
#ifndef P2_TESTS_DIRECT_H
#define P2_TESTS_DIRECT_H

#include "check.h"
#include "gateway.h"

struct direct_kind {
    const char *name;
    bool ah, esp; /* both: AH around ESP */
    enum p2_cipher cipher;
    enum p2_auth auth; /* of ESP; AH has HMAC-SHA1-96 unless it is alone */
    bool esn;
    uint32_t window; /* 0: off */
    bool transport;
    uint8_t protocol; /* what its selectors let through; 0: everything */
};

struct direct_tunnel {
    const struct direct_kind *kind;
    uint8_t family; /* of the gateways' own addresses; without a transport mode of what is inside too */
    struct p2_address inside[2]; /* a host on each side */
};

#define DIRECT_MAX_TUNNELS 64
#define DIRECT_NOW         P2_SECOND /* the one time that there is */

struct direct {
    struct p2_gateway *gateways[2];
    struct test_random random[2];
    struct direct_tunnel tunnels[DIRECT_MAX_TUNNELS];
    size_t num_tunnels;
};

/* Both ends have all their SAs then (or the program ends). With extended numbers the first is a few below
 * 2^32. */
void direct_init(struct direct *direct, uint64_t seed, bool defer_ipsec);
void direct_cleanup(struct direct *direct);

#endif
