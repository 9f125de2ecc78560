#include "cipher.h"

#include <nettle/cbc.h>

#include <assert.h>
#include <string.h>

struct cipher_row {
    struct p2_cipher_info info;
    void (*init)(struct p2_cipher_key *key, const uint8_t *bytes);
    void (*encrypt)(const struct p2_cipher_key *key, uint8_t *iv, uint8_t *dst, const uint8_t *src,
                    size_t len);
    void (*decrypt)(const struct p2_cipher_key *key, uint8_t *iv, uint8_t *dst, const uint8_t *src,
                    size_t len);
};

static void des3_init(struct p2_cipher_key *key, const uint8_t *bytes)
{
    /* The result only says whether a key is weak; RFC 2451 section 2.3 leaves such keys alone because they
     * are as unlikely as any other. The schedule is expanded either way. */
    (void)des3_set_key(&key->ctx.des3, bytes);
}

static void des3_cbc_encrypt(const struct p2_cipher_key *key, uint8_t *iv, uint8_t *dst, const uint8_t *src,
                             size_t len)
{
    cbc_encrypt(&key->ctx.des3, (nettle_cipher_func *)des3_encrypt, DES3_BLOCK_SIZE, iv, len, dst, src);
}

static void des3_cbc_decrypt(const struct p2_cipher_key *key, uint8_t *iv, uint8_t *dst, const uint8_t *src,
                             size_t len)
{
    cbc_decrypt(&key->ctx.des3, (nettle_cipher_func *)des3_decrypt, DES3_BLOCK_SIZE, iv, len, dst, src);
}

/* nettle has a type and a set of functions for each key length. */
#define AES_GLUE(bits)                                                                                       \
    static void aes##bits##_init(struct p2_cipher_key *key, const uint8_t *bytes)                            \
    {                                                                                                        \
        aes##bits##_set_encrypt_key(&key->ctx.aes##bits.encrypt, bytes);                                     \
        aes##bits##_invert_key(&key->ctx.aes##bits.decrypt, &key->ctx.aes##bits.encrypt);                    \
    }                                                                                                        \
    static void aes##bits##_cbc_encrypt(const struct p2_cipher_key *key, uint8_t *iv, uint8_t *dst,          \
                                        const uint8_t *src, size_t len)                                      \
    {                                                                                                        \
        cbc_aes##bits##_encrypt(&key->ctx.aes##bits.encrypt, iv, len, dst, src);                             \
    }                                                                                                        \
    static void aes##bits##_cbc_decrypt(const struct p2_cipher_key *key, uint8_t *iv, uint8_t *dst,          \
                                        const uint8_t *src, size_t len)                                      \
    {                                                                                                        \
        cbc_decrypt(&key->ctx.aes##bits.decrypt, (nettle_cipher_func *)aes##bits##_decrypt, AES_BLOCK_SIZE,  \
                    iv, len, dst, src);                                                                      \
    }

AES_GLUE(128)
AES_GLUE(192)
AES_GLUE(256)

static const struct cipher_row ciphers[P2_NUM_CIPHERS] = {
    [P2_CIPHER_NONE] = {{"none", 0, 0, 0, 0, false, "NULL"}, NULL, NULL, NULL},
    [P2_CIPHER_3DES_CBC] = {{"3des-cbc", 24, 8, 5, 3, false, "TripleDES-CBC [RFC2451]"},
                            des3_init,
                            des3_cbc_encrypt,
                            des3_cbc_decrypt},
    [P2_CIPHER_AES128_CBC] = {{"aes-128-cbc", 16, 16, 7, 12, true, "AES-CBC [RFC3602]"},
                              aes128_init,
                              aes128_cbc_encrypt,
                              aes128_cbc_decrypt},
    [P2_CIPHER_AES192_CBC] = {{"aes-192-cbc", 24, 16, 7, 12, true, "AES-CBC [RFC3602]"},
                              aes192_init,
                              aes192_cbc_encrypt,
                              aes192_cbc_decrypt},
    [P2_CIPHER_AES256_CBC] = {{"aes-256-cbc", 32, 16, 7, 12, true, "AES-CBC [RFC3602]"},
                              aes256_init,
                              aes256_cbc_encrypt,
                              aes256_cbc_decrypt},
};

const struct p2_cipher_info *p2_cipher_info(enum p2_cipher cipher)
{
    assert((unsigned)cipher < P2_NUM_CIPHERS);
    return &ciphers[cipher].info;
}

enum p2_cipher p2_cipher_by_name(const char *name)
{
    unsigned c = P2_NUM_CIPHERS - 1;
    while (c > P2_CIPHER_NONE && strcmp(ciphers[c].info.name, name) != 0)
        c--;
    return (enum p2_cipher)c;
}

/* A cipher with several key lengths needs the attribute (RFC 3602 section 5.3); one with a fixed length must
 * not have it (RFC 2409 appendix A, RFC 2407 section 4.5). */
static bool key_bits_fit(const struct p2_cipher_info *info, uint16_t key_bits)
{
    return key_bits == (info->key_length_attribute ? info->key_len * 8 : 0);
}

enum p2_cipher p2_cipher_by_ike_id(uint16_t ike_id, uint16_t key_bits)
{
    for (unsigned c = P2_CIPHER_NONE + 1; c < P2_NUM_CIPHERS; c++) {
        if (ciphers[c].info.ike_id == ike_id && key_bits_fit(&ciphers[c].info, key_bits))
            return (enum p2_cipher)c;
    }
    return P2_CIPHER_NONE;
}

enum p2_cipher p2_cipher_by_esp_id(uint8_t esp_id, uint16_t key_bits)
{
    for (unsigned c = P2_CIPHER_NONE + 1; c < P2_NUM_CIPHERS; c++) {
        if (ciphers[c].info.esp_id == esp_id && key_bits_fit(&ciphers[c].info, key_bits))
            return (enum p2_cipher)c;
    }
    return P2_CIPHER_NONE;
}

void p2_cipher_init(struct p2_cipher_key *key, enum p2_cipher cipher, const uint8_t *bytes)
{
    assert(cipher > P2_CIPHER_NONE && cipher < P2_NUM_CIPHERS);
    memset(key, 0, sizeof *key);
    key->cipher = cipher;
    ciphers[cipher].init(key, bytes);
}

void p2_cipher_encrypt(const struct p2_cipher_key *key, uint8_t *iv, uint8_t *dst, const uint8_t *src,
                       size_t len)
{
    const struct cipher_row *row = &ciphers[key->cipher];
    assert(len % row->info.block_len == 0);
    row->encrypt(key, iv, dst, src, len);
}

void p2_cipher_decrypt(const struct p2_cipher_key *key, uint8_t *iv, uint8_t *dst, const uint8_t *src,
                       size_t len)
{
    const struct cipher_row *row = &ciphers[key->cipher];
    assert(len % row->info.block_len == 0);
    row->decrypt(key, iv, dst, src, len);
}
