#include "cipher.h"

#include "cursor.h"
#include "hash.h"

#include <nettle/cbc.h>
#include <nettle/ctr.h>

#include <assert.h>
#include <string.h>

struct cipher_row {
    struct p2_cipher_info info;
    void (*init)(struct p2_cipher_key *key, const uint8_t *bytes);
    void (*encrypt)(const struct p2_cipher_key *key, uint8_t *iv, uint8_t *dst, const uint8_t *src,
                    size_t len);
    void (*decrypt)(const struct p2_cipher_key *key, uint8_t *iv, uint8_t *dst, const uint8_t *src,
                    size_t len);
    nettle_cipher_func *block;             /* CTR, GCM: encrypts blocks under ctx.counter.aes */
    bool (*is_weak)(const uint8_t *bytes); /* NULL: no key is known to be */
};

static void null_init(struct p2_cipher_key *key, const uint8_t *bytes)
{
    (void)key;
    (void)bytes;
}

static void null_copy(const struct p2_cipher_key *key, uint8_t *iv, uint8_t *dst, const uint8_t *src,
                      size_t len)
{
    (void)key;
    (void)iv;
    if (dst != src && len > 0)
        memmove(dst, src, len);
}

static void des_init(struct p2_cipher_key *key, const uint8_t *bytes)
{
    (void)des_set_key(&key->ctx.des, bytes); /* it only says what des_is_weak does */
}

static bool des_is_weak(const uint8_t *bytes)
{
    struct des_ctx ctx;
    bool weak = !des_set_key(&ctx, bytes);
    p2_wipe(&ctx, sizeof ctx);
    return weak;
}

static void des_cbc_encrypt(const struct p2_cipher_key *key, uint8_t *iv, uint8_t *dst, const uint8_t *src,
                            size_t len)
{
    cbc_encrypt(&key->ctx.des, (nettle_cipher_func *)des_encrypt, DES_BLOCK_SIZE, iv, len, dst, src);
}

static void des_cbc_decrypt(const struct p2_cipher_key *key, uint8_t *iv, uint8_t *dst, const uint8_t *src,
                            size_t len)
{
    cbc_decrypt(&key->ctx.des, (nettle_cipher_func *)des_decrypt, DES_BLOCK_SIZE, iv, len, dst, src);
}

static void des3_init(struct p2_cipher_key *key, const uint8_t *bytes)
{
    /* The result only says whether one of the three is weak by itself, which RFC 2451 section 2.3 does not
     * mind: the others make up for it. */
    (void)des3_set_key(&key->ctx.des3, bytes);
}

/* The lowest bit of each byte is parity. */
static bool same_des_key(const uint8_t *a, const uint8_t *b)
{
    unsigned differ = 0;
    for (size_t i = 0; i < DES_KEY_SIZE; i++)
        differ |= (a[i] ^ b[i]) & 0xfeu;
    return differ == 0;
}

static bool des3_is_weak(const uint8_t *bytes)
{
    return same_des_key(bytes, bytes + DES_KEY_SIZE) ||
           same_des_key(bytes + DES_KEY_SIZE, bytes + (size_t)2 * DES_KEY_SIZE);
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
    }                                                                                                        \
    static void aes##bits##_ctr_init(struct p2_cipher_key *key, const uint8_t *bytes)                        \
    {                                                                                                        \
        aes##bits##_set_encrypt_key(&key->ctx.counter.aes.aes##bits, bytes);                                 \
        memcpy(key->ctx.counter.salt, bytes + (size_t)(bits) / 8, P2_CIPHER_SALT_LEN);                       \
    }                                                                                                        \
    static void aes##bits##_gcm_init(struct p2_cipher_key *key, const uint8_t *bytes)                        \
    {                                                                                                        \
        aes##bits##_ctr_init(key, bytes);                                                                    \
        gcm_set_key(&key->ctx.counter.ghash, &key->ctx.counter.aes,                                          \
                    (nettle_cipher_func *)aes##bits##_encrypt);                                              \
    }

AES_GLUE(128)
AES_GLUE(192)
AES_GLUE(256)

/* Counter mode is its own inverse. */
static void ctr_transform(const struct p2_cipher_key *key, uint8_t *iv, uint8_t *dst, const uint8_t *src,
                          size_t len);

/* Name, mode, key, salt, block, IV and ICV lengths, IKE and ESP numbers, key length
 * attribute, Wireshark's name. */
#define AES_CBC(bits)                                                                                        \
    {                                                                                                        \
        {                                                                                                    \
            "aes-" #bits "-cbc", P2_CIPHER_MODE_CBC, (bits) / 8, 0, 16, 16, 0, 7, 12, true,                  \
            "AES-CBC [RFC3602]"},                                                                            \
            aes##bits##_init, aes##bits##_cbc_encrypt, aes##bits##_cbc_decrypt, NULL, NULL                   \
    }
#define AES_CTR(bits)                                                                                        \
    {                                                                                                        \
        {"aes-" #bits "-ctr", P2_CIPHER_MODE_CTR, (bits) / 8, 4, 1, 8, 0, 0, 13, true, "AES-CTR [RFC3686]"}, \
            aes##bits##_ctr_init, ctr_transform, ctr_transform, (nettle_cipher_func *)aes##bits##_encrypt,   \
            NULL                                                                                             \
    }
#define GCM16_NAME "AES-GCM with 16 octet ICV [RFC4106]"
#define AES_GCM16(bits)                                                                                      \
    {                                                                                                        \
        {"aes-" #bits "-gcm-16", P2_CIPHER_MODE_GCM, (bits) / 8, 4, 1, 8, 16, 0, 20, true, GCM16_NAME},      \
            aes##bits##_gcm_init, NULL, NULL, (nettle_cipher_func *)aes##bits##_encrypt, NULL                \
    }

/* Numbers of the ESP transforms: RFC 2407 section 4.4.4, RFC 3602 section 5.2, RFC 3686 section 5.2, RFC 4106
 * section 8.2. */
static const struct cipher_row ciphers[P2_NUM_CIPHERS] = {
    [P2_CIPHER_NONE] = {.info = {"none", P2_CIPHER_MODE_NONE, 0, 0, 0, 0, 0, 0, 0, false, "NULL"}},
    [P2_CIPHER_NULL] = {{"null", P2_CIPHER_MODE_NULL, 0, 0, 1, 0, 0, 0, 11, false, "NULL"},
                        null_init,
                        null_copy,
                        null_copy,
                        NULL,
                        NULL},
    [P2_CIPHER_DES_CBC] = {{"des-cbc", P2_CIPHER_MODE_CBC, 8, 0, 8, 8, 0, 1, 2, false, "DES-CBC [RFC2405]"},
                           des_init,
                           des_cbc_encrypt,
                           des_cbc_decrypt,
                           NULL,
                           des_is_weak},
    [P2_CIPHER_3DES_CBC] = {{"3des-cbc", P2_CIPHER_MODE_CBC, 24, 0, 8, 8, 0, 5, 3, false,
                             "TripleDES-CBC [RFC2451]"},
                            des3_init,
                            des3_cbc_encrypt,
                            des3_cbc_decrypt,
                            NULL,
                            des3_is_weak},
    [P2_CIPHER_AES128_CBC] = AES_CBC(128),
    [P2_CIPHER_AES192_CBC] = AES_CBC(192),
    [P2_CIPHER_AES256_CBC] = AES_CBC(256),
    [P2_CIPHER_AES128_CTR] = AES_CTR(128),
    [P2_CIPHER_AES192_CTR] = AES_CTR(192),
    [P2_CIPHER_AES256_CTR] = AES_CTR(256),
    [P2_CIPHER_AES128_GCM16] = AES_GCM16(128),
    [P2_CIPHER_AES192_GCM16] = AES_GCM16(192),
    [P2_CIPHER_AES256_GCM16] = AES_GCM16(256),
};

static void ctr_transform(const struct p2_cipher_key *key, uint8_t *iv, uint8_t *dst, const uint8_t *src,
                          size_t len)
{
    const struct p2_counter_key *counter = &key->ctx.counter;
    uint8_t block[AES_BLOCK_SIZE];
    memcpy(block, counter->salt, 4);
    memcpy(block + 4, iv, 8);
    p2_put_u32(block + 12, 1);
    ctr_crypt(&counter->aes, ciphers[key->cipher].block, AES_BLOCK_SIZE, block, len, dst, src);
}

const struct p2_cipher_info *p2_cipher_of(enum p2_cipher cipher)
{
    assert((unsigned)cipher < P2_NUM_CIPHERS);
    return &ciphers[cipher].info;
}

size_t p2_cipher_whole_blocks(enum p2_cipher cipher, size_t len)
{
    size_t block = p2_cipher_of(cipher)->block_len;
    return (len + block - 1) / block * block;
}

bool p2_cipher_is_for_ike(enum p2_cipher cipher)
{
    return p2_cipher_of(cipher)->ike_id != 0;
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
        if (p2_cipher_is_for_ike((enum p2_cipher)c) && ciphers[c].info.ike_id == ike_id &&
            key_bits_fit(&ciphers[c].info, key_bits))
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

bool p2_cipher_key_is_weak(enum p2_cipher cipher, const uint8_t *bytes)
{
    assert((unsigned)cipher < P2_NUM_CIPHERS);
    return ciphers[cipher].is_weak && ciphers[cipher].is_weak(bytes);
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
    assert(row->encrypt && (len & (row->info.block_len - 1)) == 0); /* every block length is a power of two */
    row->encrypt(key, iv, dst, src, len);
}

void p2_cipher_decrypt(const struct p2_cipher_key *key, uint8_t *iv, uint8_t *dst, const uint8_t *src,
                       size_t len)
{
    const struct cipher_row *row = &ciphers[key->cipher];
    assert(row->encrypt && (len & (row->info.block_len - 1)) == 0); /* every block length is a power of two */
    row->decrypt(key, iv, dst, src, len);
}

/* The nonce of RFC 4106 section 4, and then the additional data. */
static const struct p2_counter_key *gcm_start(const struct p2_cipher_key *key, struct gcm_ctx *gcm,
                                              const uint8_t *iv, struct p2_bytes aad)
{
    const struct p2_counter_key *counter = &key->ctx.counter;
    uint8_t nonce[GCM_IV_SIZE];
    assert(ciphers[key->cipher].info.mode == P2_CIPHER_MODE_GCM);
    memcpy(nonce, counter->salt, 4);
    memcpy(nonce + 4, iv, 8);
    gcm_set_iv(gcm, &counter->ghash, sizeof nonce, nonce);
    if (aad.len > 0)
        gcm_update(gcm, &counter->ghash, aad.len, aad.data);
    return counter;
}

void p2_cipher_seal(const struct p2_cipher_key *key, const uint8_t *iv, struct p2_bytes aad, uint8_t *dst,
                    const uint8_t *src, size_t len, uint8_t *icv)
{
    struct gcm_ctx gcm;
    const struct p2_counter_key *counter = gcm_start(key, &gcm, iv, aad);
    nettle_cipher_func *block = ciphers[key->cipher].block;
    gcm_encrypt(&gcm, &counter->ghash, &counter->aes, block, len, dst, src);
    gcm_digest(&gcm, &counter->ghash, &counter->aes, block, GCM_DIGEST_SIZE, icv);
}

bool p2_cipher_open(const struct p2_cipher_key *key, const uint8_t *iv, struct p2_bytes aad, uint8_t *dst,
                    const uint8_t *src, size_t len, const uint8_t *icv)
{
    struct gcm_ctx gcm;
    const struct p2_counter_key *counter = gcm_start(key, &gcm, iv, aad);
    nettle_cipher_func *block = ciphers[key->cipher].block;
    uint8_t expected[GCM_DIGEST_SIZE];
    gcm_decrypt(&gcm, &counter->ghash, &counter->aes, block, len, dst, src);
    gcm_digest(&gcm, &counter->ghash, &counter->aes, block, GCM_DIGEST_SIZE, expected);
    if (p2_equal_constant_time(expected, icv, GCM_DIGEST_SIZE))
        return true;
    p2_wipe(dst, len); /* what did not verify is nobody's to read */
    return false;
}
