/* Ciphers over nettle, for ISAKMP and for ESP: CBC, counter mode, GCM, and the cipher that leaves bytes
 * alone.
 *
 * RFC 2405 (DES-CBC), 2451 (3DES-CBC), 3602 (AES-CBC), 3686 (AES-CTR), 4106 (AES-GCM), 2410 (NULL); RFC 2409
 * appendix A and B. A new cipher is a row in cipher.c, and glue for what nettle calls its functions. */
#ifndef P2_CIPHER_H
#define P2_CIPHER_H

#include "base.h"

#include <nettle/aes.h>
#include <nettle/des.h>
#include <nettle/gcm.h>

#ifdef __cplusplus
extern "C" {
#endif

enum p2_cipher {
    P2_CIPHER_NONE,
    P2_CIPHER_NULL, /* encryption that changes nothing: not the same as no encryption at all, NONE */
    P2_CIPHER_DES_CBC,
    P2_CIPHER_3DES_CBC,
    P2_CIPHER_AES128_CBC,
    P2_CIPHER_AES192_CBC,
    P2_CIPHER_AES256_CBC,
    P2_CIPHER_AES128_CTR,
    P2_CIPHER_AES192_CTR,
    P2_CIPHER_AES256_CTR,
    P2_CIPHER_AES128_GCM16,
    P2_CIPHER_AES192_GCM16,
    P2_CIPHER_AES256_GCM16,
    P2_NUM_CIPHERS
};

enum p2_cipher_mode {
    P2_CIPHER_MODE_NONE,
    P2_CIPHER_MODE_NULL,
    P2_CIPHER_MODE_CBC,
    P2_CIPHER_MODE_CTR,
    P2_CIPHER_MODE_GCM
};

#define P2_CIPHER_MAX_KEY   36 /* with the salt */
#define P2_CIPHER_MAX_BLOCK 16
#define P2_CIPHER_MAX_IV    16
#define P2_CIPHER_MAX_ICV   16
#define P2_CIPHER_SALT_LEN  4 /* of every cipher that has one */

struct p2_cipher_info {
    const char *name; /* "aes-128-cbc", "3des-cbc": also the value in XML */
    enum p2_cipher_mode mode;
    size_t key_len;   /* bytes, without salt */
    size_t salt_len;  /* bytes of KEYMAT behind the key: RFC 3686 section 5.1, RFC 4106 section 8.1 */
    size_t block_len; /* bytes; what is encrypted is a multiple of it: 1 unless the mode is CBC */
    size_t iv_len;    /* bytes in each ESP packet; an ISAKMP cipher's IV has the same length */
    size_t icv_len;   /* bytes; 0 unless the cipher authenticates too */
    uint16_t ike_id;  /* RFC 2409 appendix A, "Encryption Algorithm"; 0: not for ISAKMP */
    uint8_t esp_id;   /* RFC 2407 section 4.4.4 and IANA, ESP transform identifier */
    bool key_length_attribute; /* the key length travels as an attribute (bits, without salt) */
    const char *wireshark;     /* the name in Wireshark's esp_sa table */
};

const struct p2_cipher_info *p2_cipher_of(enum p2_cipher cipher);
/* So many bytes, rounded up to whole blocks. */
size_t p2_cipher_whole_blocks(enum p2_cipher cipher, size_t len);
/* True if ISAKMP messages may be encrypted with it: ciphers in CBC mode. */
bool p2_cipher_is_for_ike(enum p2_cipher cipher);
/* P2_CIPHER_NONE if unknown. key_bits 0: no key-length attribute was given. */
enum p2_cipher p2_cipher_by_name(const char *name);
enum p2_cipher p2_cipher_by_ike_id(uint16_t ike_id, uint16_t key_bits);
enum p2_cipher p2_cipher_by_esp_id(uint8_t esp_id, uint16_t key_bits);

/* The key of CTR and GCM, which only ever encrypt blocks. */
struct p2_counter_key {
    union {
        struct aes128_ctx aes128;
        struct aes192_ctx aes192;
        struct aes256_ctx aes256;
    } aes;
    uint8_t salt[P2_CIPHER_SALT_LEN];
    struct gcm_key ghash; /* a table of 4 KB; the reason that this union is so large */
};

/* Key schedules of both directions, expanded once; const afterwards. */
struct p2_cipher_key {
    enum p2_cipher cipher;
    union {
        struct des_ctx des;
        struct des3_ctx des3;
        struct {
            struct aes128_ctx encrypt, decrypt;
        } aes128;
        struct {
            struct aes192_ctx encrypt, decrypt;
        } aes192;
        struct {
            struct aes256_ctx encrypt, decrypt;
        } aes256;
        struct p2_counter_key counter;
    } ctx;
};

/* RFC 2409 appendix A: the weak and semi-weak keys of DES. RFC 2451 section 2.3: 3DES is no more than DES
 * when its first two keys or its last two are the same. bytes: key_len; parity bits are not looked at. */
bool p2_cipher_key_is_weak(enum p2_cipher cipher, const uint8_t *bytes);

/* bytes: key_len + salt_len of the cipher's row. A weak key is taken like any other. Parity bits of DES and
 * 3DES are not looked at. */
void p2_cipher_init(struct p2_cipher_key *key, enum p2_cipher cipher, const uint8_t *bytes);

/* Every cipher but GCM. len is a multiple of block_len; dst may equal src. No allocation.
 * iv, iv_len bytes: CBC takes it as the IV and leaves the last ciphertext block there, which is the next IV
 * of an ISAKMP exchange; CTR only reads it (RFC 3686 section 4: the counter block is salt | iv | 1). */
void p2_cipher_encrypt(const struct p2_cipher_key *key, uint8_t *iv, uint8_t *dst, const uint8_t *src,
                       size_t len);
void p2_cipher_decrypt(const struct p2_cipher_key *key, uint8_t *iv, uint8_t *dst, const uint8_t *src,
                       size_t len);

/* GCM (NIST SP 800-38D) with the nonce salt | iv of RFC 4106 section 4. iv: iv_len bytes, never twice under a
 * key; aad: authenticated and not encrypted; icv: icv_len bytes. dst may equal src. No allocation. */
void p2_cipher_seal(const struct p2_cipher_key *key, const uint8_t *iv, struct p2_bytes aad, uint8_t *dst,
                    const uint8_t *src, size_t len, uint8_t *icv);
/* False: the ICV does not verify, and dst holds nothing (zeros). */
bool p2_cipher_open(const struct p2_cipher_key *key, const uint8_t *iv, struct p2_bytes aad, uint8_t *dst,
                    const uint8_t *src, size_t len, const uint8_t *icv) P2_WARN_UNUSED;

#ifdef __cplusplus
}
#endif
#endif
