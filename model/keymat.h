/* Keys and hashes of IKEv1: each formula beside its section of RFC 2409. prf is the HMAC of the negotiated
 * hash. */
#ifndef P2_KEYMAT_H
#define P2_KEYMAT_H

#include "cipher.h"
#include "hash.h"

/* The keys of one ISAKMP SA. Every SKEYID is p2_hash_of(hash)->len bytes. */
struct p2_isakmp_keys {
    enum p2_hash hash;
    enum p2_cipher cipher;
    uint8_t skeyid_d[P2_HASH_MAX_LEN];
    uint8_t skeyid_a[P2_HASH_MAX_LEN];
    uint8_t skeyid_e[P2_HASH_MAX_LEN];
    uint8_t encryption_key[P2_CIPHER_MAX_KEY];
    struct p2_hmac prf_d, prf_a; /* keyed with SKEYID_d and SKEYID_a */
    struct p2_cipher_key cipher_key;
    uint8_t last_block[P2_CIPHER_MAX_BLOCK]; /* of Phase 1: every later exchange's IV stems from it */
};

/* What the SKEYIDs are made of. */
struct p2_phase1_secrets {
    struct p2_bytes psk, ni, nr;        /* nonces: payload bodies */
    struct p2_bytes ke_i, ke_r;         /* g^xi, g^xr: payload bodies */
    struct p2_bytes shared;             /* g^xy */
    const uint8_t *cookie_i, *cookie_r; /* 8 bytes each */
};

/* SKEYID for pre-shared keys, section 5: prf(pre-shared-key, Ni_b | Nr_b). skeyid: the hash's length. */
void p2_keymat_skeyid(enum p2_hash hash, const struct p2_phase1_secrets *secrets, uint8_t *skeyid);
/* Section 5: SKEYID_d, _a and _e; then everything p2_keymat_prepare does. keys->hash and cipher are set
 * before. */
void p2_keymat_skeyids(struct p2_isakmp_keys *keys, const struct p2_phase1_secrets *secrets,
                       const uint8_t *skeyid);
/* From the three SKEYIDs: the cipher key (appendix B: expanded when SKEYID_e is too short) and the keyed
 * contexts. encryption_key may be a weak one: see p2_cipher_key_is_weak. */
void p2_keymat_prepare(struct p2_isakmp_keys *keys);
/* Section 5: HASH_I (of_initiator) or HASH_R. sa, id: payload bodies. */
void p2_keymat_hash_ir(enum p2_hash hash, const struct p2_phase1_secrets *secrets, const uint8_t *skeyid,
                       bool of_initiator, struct p2_bytes sa, struct p2_bytes id, uint8_t *out);
/* Appendix B: the IV of Phase 1's first encrypted message, hash(g^xi | g^xr). */
void p2_keymat_phase1_iv(const struct p2_isakmp_keys *keys, const struct p2_phase1_secrets *secrets,
                         uint8_t *iv);
/* Appendix B: the IV of a Quick Mode or informational exchange, hash(last Phase 1 block | M-ID). */
void p2_keymat_phase2_iv(const struct p2_isakmp_keys *keys, uint32_t message_id, uint8_t *iv);

/* Section 5.5. payloads: everything behind the HASH payload as sent. nonce_i NULL: HASH(1), and the hash of
 * an informational exchange (section 5.7); else HASH(2), where Ni_b stands behind M-ID. */
void p2_keymat_hash_1_2(const struct p2_isakmp_keys *keys, uint32_t message_id,
                        const struct p2_bytes *nonce_i, struct p2_bytes payloads, uint8_t *out);
void p2_keymat_hash_3(const struct p2_isakmp_keys *keys, uint32_t message_id, struct p2_bytes nonce_i,
                      struct p2_bytes nonce_r, uint8_t *out);

#define P2_KEYMAT_MAX (P2_CIPHER_MAX_KEY + P2_HASH_MAX_LEN)

/* Section 5.5: KEYMAT of one SA. shared: g(qm)^xy, empty without PFS. The encryption key comes first,
 * its salt next. */
void p2_keymat_derive(const struct p2_isakmp_keys *keys, struct p2_bytes shared, uint8_t protocol,
                      uint32_t spi, struct p2_bytes nonce_i, struct p2_bytes nonce_r, uint8_t *out,
                      size_t out_len);

#endif
