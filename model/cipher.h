/* Block ciphers in CBC mode over nettle, for ISAKMP and for ESP.
 *
 * RFC 3602 (AES-CBC), RFC 2451 (3DES-CBC), RFC 2409 appendix A and B. A new cipher is a row in cipher.c. */
#ifndef P2_CIPHER_H
#define P2_CIPHER_H

#include "base.h"

#include <nettle/aes.h>
#include <nettle/des.h>

#ifdef __cplusplus
extern "C" {
#endif

enum p2_cipher {
    P2_CIPHER_NONE,
    P2_CIPHER_3DES_CBC,
    P2_CIPHER_AES128_CBC,
    P2_CIPHER_AES192_CBC,
    P2_CIPHER_AES256_CBC,
    P2_NUM_CIPHERS
};

#define P2_CIPHER_MAX_KEY   32
#define P2_CIPHER_MAX_BLOCK 16

struct p2_cipher_info {
    const char *name;          /* "aes-128-cbc", "3des-cbc": also the value in XML */
    size_t key_len;            /* bytes */
    size_t block_len;          /* bytes; the IV has the same length */
    uint16_t ike_id;           /* RFC 2409 appendix A, "Encryption Algorithm" */
    uint8_t esp_id;            /* RFC 2407 section 4.4.4, ESP transform identifier */
    bool key_length_attribute; /* the key length travels as an attribute (bits) */
    const char *wireshark;     /* the name in Wireshark's esp_sa table */
};

const struct p2_cipher_info *p2_cipher_info(enum p2_cipher cipher);
/* P2_CIPHER_NONE if unknown. key_bits 0: no key-length attribute was given. */
enum p2_cipher p2_cipher_by_name(const char *name);
enum p2_cipher p2_cipher_by_ike_id(uint16_t ike_id, uint16_t key_bits);
enum p2_cipher p2_cipher_by_esp_id(uint8_t esp_id, uint16_t key_bits);

/* Key schedules of both directions, expanded once; const afterwards. */
struct p2_cipher_key {
    enum p2_cipher cipher;
    union {
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
    } ctx;
};

/* key: p2_cipher_info(cipher)->key_len bytes. 3DES parity bits are not looked at. */
void p2_cipher_init(struct p2_cipher_key *key, enum p2_cipher cipher, const uint8_t *bytes);
/* CBC. len is a multiple of the block length; dst may equal src. iv (block_len bytes) goes in as the IV and
 * comes out as the last ciphertext block, which is the next IV of an ISAKMP exchange. No allocation. */
void p2_cipher_encrypt(const struct p2_cipher_key *key, uint8_t *iv, uint8_t *dst, const uint8_t *src,
                       size_t len);
void p2_cipher_decrypt(const struct p2_cipher_key *key, uint8_t *iv, uint8_t *dst, const uint8_t *src,
                       size_t len);

#ifdef __cplusplus
}
#endif
#endif
