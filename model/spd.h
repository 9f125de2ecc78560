/* The security policy database: which entry a packet belongs to, and which entries have a peer's proxy IDs.
 * RFC 4301 section 4.4.1; the order is ours, since IKEv1 tunnels come without one.
 *
 * Entries are pairs of selectors. Each stands in a bucket: that of the smallest prefixes that cover its local
 * and its remote addresses (for a prefix that is itself). A packet is looked up once for each pair of prefix
 * lengths in use, its shape, so the number of entries does not matter. A range is not cut into prefixes,
 * since a pair of ranges would become hundreds of pieces and shapes. Its bucket stays small all the same: a
 * range contains both sides of the middle of its smallest covering prefix, so entries that share a bucket
 * overlap each other in both addresses. Only nested ranges, the services of one pair of networks and several
 * tunnels for the same traffic do so.
 *
 * Neither lookup allocates. */
#ifndef P2_SPD_H
#define P2_SPD_H

#include "ip.h"
#include "map.h"
#include "policy.h"

/* For each of IPv4 and IPv6. */
#define P2_SPD_MAX_SHAPES 256

struct p2_spd_entry {
    struct p2_selector local, remote;
    void *value;               /* the caller's */
    struct p2_spd_entry *next; /* of the bucket, in the order of matching */
};

struct p2_spd_shapes {
    uint16_t shapes[P2_SPD_MAX_SHAPES]; /* local prefix length << 8 | remote one, falling */
    size_t num;
};

/* Zeros: empty. */
struct p2_spd {
    struct p2_map by_prefixes; /* to buckets */
    struct p2_spd_bucket *buckets;
    struct p2_spd_shapes v4, v6;
};

void p2_spd_cleanup(struct p2_spd *spd);

/* The selectors are copied; value must not be NULL. P2_OK, P2_ERR_NOMEM, P2_ERR_SPACE (more than
 * P2_SPD_MAX_SHAPES pairs of prefix lengths) or P2_ERR_MALFORMED (not both IPv4 or both IPv6, a prefix length
 * beyond the address, a range upside down). The SPD is unchanged after any error. */
int p2_spd_add(struct p2_spd *spd, const struct p2_selector *local, const struct p2_selector *remote,
               void *value) P2_WARN_UNUSED;

/* The value of the first entry that matches a packet that leaves: its source is local, its destination
 * remote. NULL: none. First are those with the longer local covering prefix, then with the longer remote one;
 * then the narrower local range, the narrower remote one; then those that name more of protocol, local port
 * and remote port; then the order of addition. */
void *p2_spd_for_packet(const struct p2_spd *spd, const struct p2_ip_view *packet);

/* The entries with just these addresses, and with P2_PROXY_SERVICE also this protocol and these ports, in the
 * order of matching: the first one, or the one after `previous`; NULL: no more. */
const struct p2_spd_entry *p2_spd_exact(const struct p2_spd *spd, const struct p2_selector *local,
                                        const struct p2_selector *remote, enum p2_proxy_rule rule,
                                        const struct p2_spd_entry *previous);

#endif
