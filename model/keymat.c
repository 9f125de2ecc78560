#include "keymat.h"

#include "cursor.h"

#include <assert.h>
#include <string.h>

#define PIECE(p, n) ((struct p2_bytes){(p), (n)})
#define COUNT(a)    (sizeof(a) / sizeof((a)[0]))

static void prf(enum p2_hash hash, struct p2_bytes key, const struct p2_bytes *parts, size_t num,
                uint8_t *out)
{
    struct p2_hmac hmac;
    p2_hmac_init(&hmac, hash, key.data, key.len);
    p2_hmac_compute(&hmac, parts, num, out, p2_hash_of(hash)->len);
    p2_wipe(&hmac, sizeof(hmac));
}

void p2_keymat_skeyid(enum p2_hash hash, const struct p2_phase1_secrets *secrets, uint8_t *skeyid)
{
    struct p2_bytes parts[] = {secrets->ni, secrets->nr};
    prf(hash, secrets->psk, parts, COUNT(parts), skeyid);
}

/* prf(SKEYID, [previous |] g^xy | CKY-I | CKY-R | number) */
static void skeyid_x(struct p2_isakmp_keys *keys, const struct p2_phase1_secrets *secrets,
                     const uint8_t *skeyid, const uint8_t *previous, uint8_t number, uint8_t *out)
{
    size_t len = p2_hash_of(keys->hash)->len;
    struct p2_bytes parts[] = {PIECE(previous, previous ? len : 0), secrets->shared,
                               PIECE(secrets->cookie_i, 8), PIECE(secrets->cookie_r, 8), PIECE(&number, 1)};
    prf(keys->hash, PIECE(skeyid, len), parts, COUNT(parts), out);
}

void p2_keymat_skeyids(struct p2_isakmp_keys *keys, const struct p2_phase1_secrets *secrets,
                       const uint8_t *skeyid)
{
    skeyid_x(keys, secrets, skeyid, NULL, 0, keys->skeyid_d);
    skeyid_x(keys, secrets, skeyid, keys->skeyid_d, 1, keys->skeyid_a);
    skeyid_x(keys, secrets, skeyid, keys->skeyid_a, 2, keys->skeyid_e);
    p2_keymat_prepare(keys);
}

/* Appendix B: DES takes the first eight bytes of SKEYID_e that are no weak or semi-weak key. If there are
 * none the key stays weak, for whoever has to refuse it. Other ciphers take what comes first. */
static const uint8_t *first_good_key(const struct p2_isakmp_keys *keys, size_t len, size_t need)
{
    size_t at = 0;
    while (keys->cipher == P2_CIPHER_DES_CBC && at + need <= len &&
           p2_cipher_key_is_weak(keys->cipher, keys->skeyid_e + at))
        at += need;
    return keys->skeyid_e + (at + need <= len ? at : 0);
}

/* Appendix B: K1 = prf(SKEYID_e, 0), K2 = prf(SKEYID_e, K1), ... when SKEYID_e is shorter than the key. */
static void expand_encryption_key(struct p2_isakmp_keys *keys)
{
    size_t len = p2_hash_of(keys->hash)->len, need = p2_cipher_of(keys->cipher)->key_len;
    if (len >= need) {
        memcpy(keys->encryption_key, first_good_key(keys, len, need), need);
        return;
    }
    static const uint8_t zero = 0;
    uint8_t block[P2_HASH_MAX_LEN];
    struct p2_bytes input = PIECE(&zero, 1);
    for (size_t done = 0; done < need; done += len) {
        prf(keys->hash, PIECE(keys->skeyid_e, len), &input, 1, block);
        memcpy(keys->encryption_key + done, block, need - done < len ? need - done : len);
        input = PIECE(block, len);
    }
    p2_wipe(block, sizeof(block));
}

void p2_keymat_prepare(struct p2_isakmp_keys *keys)
{
    size_t len = p2_hash_of(keys->hash)->len;
    expand_encryption_key(keys);
    p2_cipher_init(&keys->cipher_key, keys->cipher, keys->encryption_key);
    p2_hmac_init(&keys->prf_d, keys->hash, keys->skeyid_d, len);
    p2_hmac_init(&keys->prf_a, keys->hash, keys->skeyid_a, len);
}

void p2_keymat_hash_ir(enum p2_hash hash, const struct p2_phase1_secrets *secrets, const uint8_t *skeyid,
                       bool of_initiator, struct p2_bytes sa, struct p2_bytes id, uint8_t *out)
{
    struct p2_bytes cookie_i = PIECE(secrets->cookie_i, 8), cookie_r = PIECE(secrets->cookie_r, 8);
    struct p2_bytes parts_i[] = {secrets->ke_i, secrets->ke_r, cookie_i, cookie_r, sa, id};
    struct p2_bytes parts_r[] = {secrets->ke_r, secrets->ke_i, cookie_r, cookie_i, sa, id};
    prf(hash, PIECE(skeyid, p2_hash_of(hash)->len), of_initiator ? parts_i : parts_r, COUNT(parts_i), out);
}

void p2_keymat_phase1_iv(const struct p2_isakmp_keys *keys, const struct p2_phase1_secrets *secrets,
                         uint8_t *iv)
{
    uint8_t digest[P2_HASH_MAX_LEN];
    struct p2_bytes parts[] = {secrets->ke_i, secrets->ke_r};
    p2_hash_digest(keys->hash, parts, COUNT(parts), digest);
    memcpy(iv, digest, p2_cipher_of(keys->cipher)->block_len);
}

void p2_keymat_phase2_iv(const struct p2_isakmp_keys *keys, uint32_t message_id, uint8_t *iv)
{
    uint8_t digest[P2_HASH_MAX_LEN], mid[4];
    size_t block = p2_cipher_of(keys->cipher)->block_len;
    p2_put_u32(mid, message_id);
    struct p2_bytes parts[] = {PIECE(keys->last_block, block), PIECE(mid, 4)};
    p2_hash_digest(keys->hash, parts, COUNT(parts), digest);
    memcpy(iv, digest, block);
}

void p2_keymat_hash_1_2(const struct p2_isakmp_keys *keys, uint32_t message_id,
                        const struct p2_bytes *nonce_i, struct p2_bytes payloads, uint8_t *out)
{
    uint8_t mid[4];
    p2_put_u32(mid, message_id);
    struct p2_bytes parts[] = {PIECE(mid, 4), nonce_i ? *nonce_i : PIECE(NULL, 0), payloads};
    p2_hmac_compute(&keys->prf_a, parts, COUNT(parts), out, p2_hash_of(keys->hash)->len);
}

void p2_keymat_hash_3(const struct p2_isakmp_keys *keys, uint32_t message_id, struct p2_bytes nonce_i,
                      struct p2_bytes nonce_r, uint8_t *out)
{
    uint8_t start[5] = {0};
    p2_put_u32(start + 1, message_id);
    struct p2_bytes parts[] = {PIECE(start, 5), nonce_i, nonce_r};
    p2_hmac_compute(&keys->prf_a, parts, COUNT(parts), out, p2_hash_of(keys->hash)->len);
}

void p2_keymat_derive(const struct p2_isakmp_keys *keys, struct p2_bytes shared, uint8_t protocol,
                      uint32_t spi, struct p2_bytes nonce_i, struct p2_bytes nonce_r, uint8_t *out,
                      size_t out_len)
{
    assert(out_len <= P2_KEYMAT_MAX);
    uint8_t block[P2_HASH_MAX_LEN], protocol_spi[5] = {protocol};
    size_t len = p2_hash_of(keys->hash)->len;
    p2_put_u32(protocol_spi + 1, spi);
    struct p2_bytes parts[] = {PIECE(block, 0), shared, PIECE(protocol_spi, 5), nonce_i, nonce_r};
    for (size_t done = 0; done < out_len; done += len) {
        p2_hmac_compute(&keys->prf_d, parts, COUNT(parts), block, len);
        memcpy(out + done, block, out_len - done < len ? out_len - done : len);
        parts[0].len = len; /* K(n+1) = prf(SKEYID_d, K(n) | ...) */
    }
    p2_wipe(block, sizeof(block));
}
