/* AH: one IP packet in, one IP packet out, IPv4 or IPv6. It looks at no window and no table.
 *
 * RFC 4302 section 2 (format), 3.1 (where it stands), 3.3.3 and appendix A (what the ICV covers: fields and
 * options that routers may change count as zeros), 2.5.1 (extended sequence numbers). The packet is the whole
 * one, outer header included: with transport mode the original, with tunnel mode an outer header (protocol 4
 * or 41) around it. */
#ifndef P2_AH_H
#define P2_AH_H

#include "base.h"
#include "hash.h"
#include "reason.h"

#define P2_AH_MAX_HEADER 48 /* bytes: 12, and HMAC-SHA-512-256's ICV, padded */

/* Keys of one SA, expanded once; const afterwards. */
struct p2_ah_keys {
    enum p2_auth auth;
    bool esn; /* sequence numbers have 64 bits, of which the upper 32 are not on the wire */
    uint8_t icv_len;
    struct p2_hmac hmac;
};

/* auth is not NONE; key: key_len bytes of its row. */
void p2_ah_init(struct p2_ah_keys *keys, enum p2_auth auth, const uint8_t *key, bool esn);

/* Bytes that AH adds to a packet of family 4 or 6: its length is a multiple of 4 in IPv4, of 8 in IPv6. */
size_t p2_ah_header_len(const struct p2_ah_keys *keys, uint8_t family);

/* Writes packet with AH in it to out, which has room for len + p2_ah_header_len bytes and does not overlap;
 * returns how many that are. IPv4: AH stands behind the header and its options; IPv6: behind hop-by-hop and
 * routing headers, before destination options of the final destination. The lower half of sequence goes on
 * the wire.
 * 0: not a packet that AH can protect, and out holds nothing of use. That is what is not one whole IP packet,
 * a fragment (RFC 4302 section 3.3.4: AH comes before fragmentation), a source route that is not done yet
 * (the destination would change; RFC 5095 and RFC 7126 retired them), and what would become longer than
 * 65,535. */
size_t p2_ah_seal(const struct p2_ah_keys *keys, uint32_t spi, uint64_t sequence, const uint8_t *packet,
                  size_t len, uint8_t *out);

/* Where AH is in a packet, and what it says; from the packet alone, before an SA is known. */
struct p2_ah_view {
    size_t offset; /* of AH in the packet */
    size_t len;    /* of AH */
    size_t link;   /* offset of the byte that says that AH comes next */
    uint32_t spi, sequence;
    uint8_t next_header; /* what comes behind AH */
};

/* False: not one whole IP packet, a fragment, or no AH in it. */
bool p2_ah_parse(struct p2_ah_view *view, const uint8_t *packet, size_t len);
/* Whether AH's length is that of this SA. More padding than there must be is taken: Linux pads to 8 in IPv4
 * too. */
bool p2_ah_plausible(const struct p2_ah_keys *keys, const uint8_t *packet, const struct p2_ah_view *view);
/* Verifies a packet and writes it to out without AH, the header in front of it as it was before: out has room
 * for len bytes and does not overlap. sequence: as the receiver reckons it; its upper half counts with ESN
 * only. P2_DROP_NONE: out_len is set. P2_DROP_RUNT: does not parse or is not plausible. P2_DROP_ICV_MISMATCH:
 * not authentic, and the window must not move. */
enum p2_drop p2_ah_open(const struct p2_ah_keys *keys, const uint8_t *packet, size_t len, uint64_t sequence,
                        uint8_t *out, size_t *out_len);

#endif
