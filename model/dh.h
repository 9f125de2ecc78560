/* Diffie-Hellman: MODP groups over GMP, ECP groups over nettle.
 *
 * RFC 2409 section 6 (groups 1, 2), RFC 3526 (5, 14 to 16), RFC 5903 (19 to 21), RFC 5114 (24). Values are
 * big-endian and of fixed length: MODP values keep their leading zeros (RFC 2409 section 5), ECP values are x
 * | y without a prefix octet and the shared secret is x alone (RFC 5903 section 7). A new group is a row in
 * the table of dh.c. */
#ifndef P2_DH_H
#define P2_DH_H

#include "base.h"

#ifdef __cplusplus
extern "C" {
#endif

/* IANA group numbers. */
enum p2_group {
    P2_GROUP_NONE = 0,
    P2_GROUP_1 = 1,
    P2_GROUP_2 = 2,
    P2_GROUP_5 = 5,
    P2_GROUP_14 = 14,
    P2_GROUP_15 = 15,
    P2_GROUP_16 = 16,
    P2_GROUP_19 = 19,
    P2_GROUP_20 = 20,
    P2_GROUP_21 = 21,
    P2_GROUP_24 = 24,
};

#define P2_DH_MAX_LEN     512 /* bytes of a public value or a secret */
#define P2_DH_MAX_PRIVATE 66  /* bytes of a private exponent or scalar */

struct p2_group_info {
    enum p2_group group;
    const char *name;  /* "group14": also the value in XML */
    size_t public_len; /* bytes on the wire */
    size_t secret_len; /* bytes of g^xy that enter SKEYID and KEYMAT */
    /* bytes of a private value: RFC 3526 section 8 says how many are worth their time. So many are drawn from
     * p2_random, and drawn again while they are out of range. */
    size_t private_len;
};

/* NULL if this build does not know the group. */
const struct p2_group_info *p2_group_of(enum p2_group group);
enum p2_group p2_group_by_name(const char *name); /* P2_GROUP_NONE: unknown, or "none" */
/* Row i of the table in the order of the numbers; NULL past the end. For listings and for calibrate. */
const struct p2_group_info *p2_group_at(size_t i);

/* Draws a private value and computes the public one. private_key: private_len bytes; public_key: public_len.
 */
int p2_dh_generate(enum p2_group group, struct p2_random random, uint8_t *private_key,
                   uint8_t *public_key) P2_WARN_UNUSED;
/* secret: secret_len bytes. P2_ERR_PEER_VALUE if the peer's value is not 2..p-2, or not in group 24's
 * subgroup, or not a point on the curve, or not public_len bytes long. P2_ERR_CRYPTO: private_key is out of
 * range. */
int p2_dh_derive(enum p2_group group, const uint8_t *private_key, const uint8_t *peer_public,
                 size_t peer_public_len, uint8_t *secret) P2_WARN_UNUSED;

#ifdef __cplusplus
}
#endif
#endif
