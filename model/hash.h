/* Hashes and HMAC over nettle. One of the three files that include the crypto library (hash, cipher, dh).
 *
 * RFC 2104 (HMAC), RFC 2403 (HMAC-MD5-96), RFC 2404 (HMAC-SHA-1-96), RFC 4868 (HMAC-SHA-256-128 to -512-256);
 * IKEv1 uses HMAC of the negotiated hash as its prf (RFC 2409 section 4). A new hash is a row in the table of
 * hash.c, a new integrity algorithm another. */
#ifndef P2_HASH_H
#define P2_HASH_H

#include "base.h"

#include <nettle/hmac.h>

#ifdef __cplusplus
extern "C" {
#endif

enum p2_hash {
    P2_HASH_NONE,
    P2_HASH_MD5,
    P2_HASH_SHA1,
    P2_HASH_SHA256,
    P2_HASH_SHA384,
    P2_HASH_SHA512,
    P2_NUM_HASHES
};

#define P2_HASH_MAX_LEN 64

struct p2_hash_info {
    const char *name; /* "sha1": also the value in XML */
    size_t len;       /* bytes of output */
    uint16_t ike_id;  /* RFC 2409 appendix A and IANA, "Hash Algorithm" */
};

/* The row of a hash; never NULL for a member of the enum. */
const struct p2_hash_info *p2_hash_of(enum p2_hash hash);
/* P2_HASH_NONE if there is no such name or number. */
enum p2_hash p2_hash_by_name(const char *name);
enum p2_hash p2_hash_by_ike_id(uint16_t ike_id);

/* out: p2_hash_of(hash)->len bytes. */
void p2_hash_digest(enum p2_hash hash, const struct p2_bytes *parts, size_t num_parts, uint8_t *out);

/* A keyed HMAC whose inner and outer states were computed once; compute() copies them, so that a packet costs
 * no re-keying and one context serves any number of packets. No allocation anywhere. */
struct p2_hmac {
    enum p2_hash hash;
    union {
        struct hmac_md5_ctx md5;
        struct hmac_sha1_ctx sha1;
        struct hmac_sha256_ctx sha256;
        struct hmac_sha512_ctx sha512; /* and SHA-384, which is SHA-512 from another start */
    } keyed;
};

void p2_hmac_init(struct p2_hmac *hmac, enum p2_hash hash, const uint8_t *key, size_t key_len);
/* out_len may be shorter than the hash: the output is truncated to its leftmost bytes. */
void p2_hmac_compute(const struct p2_hmac *hmac, const struct p2_bytes *parts, size_t num_parts, uint8_t *out,
                     size_t out_len);

/* IPsec integrity algorithms: an HMAC and how much of it goes on the wire. */
enum p2_auth {
    P2_AUTH_NONE,
    P2_AUTH_HMAC_MD5_96,
    P2_AUTH_HMAC_SHA1_96,
    P2_AUTH_HMAC_SHA256_128,
    P2_AUTH_HMAC_SHA384_192,
    P2_AUTH_HMAC_SHA512_256,
    P2_NUM_AUTHS
};

struct p2_auth_info {
    const char *name; /* "hmac-sha1-96" */
    enum p2_hash hash;
    size_t key_len;        /* bytes */
    size_t icv_len;        /* bytes on the wire */
    uint16_t ipsec_id;     /* RFC 2407 section 4.5, attribute "Authentication Algorithm": with ESP and AH */
    uint8_t ah_id;         /* RFC 2407 section 4.4.3 and RFC 4868 section 3, AH transform identifier */
    const char *wireshark; /* the name in Wireshark's esp_sa table */
};

const struct p2_auth_info *p2_auth_of(enum p2_auth auth);
enum p2_auth p2_auth_by_name(const char *name);
enum p2_auth p2_auth_by_ipsec_id(uint16_t ipsec_id);
/* The algorithm that an AH transform is for; its "Authentication Algorithm" attribute must name the same one.
 */
enum p2_auth p2_auth_by_ah_id(uint8_t ah_id);

/* Compares in time that does not depend on the content. */
bool p2_equal_constant_time(const uint8_t *a, const uint8_t *b, size_t len);
/* The one place that wipes keys. */
void p2_wipe(void *data, size_t len);

#ifdef __cplusplus
}
#endif
#endif
