#include "esp.h"

#include "cursor.h"

#include <assert.h>
#include <string.h>

#define ALIGNMENT 4 /* RFC 4303 section 2.4: the trailer ends on a multiple of it, whatever the cipher */

void p2_esp_init(struct p2_esp_keys *keys, enum p2_cipher cipher, const uint8_t *encryption_key,
                 enum p2_auth auth, const uint8_t *authentication_key, bool esn)
{
    const struct p2_cipher_info *c = p2_cipher_of(cipher);
    const struct p2_auth_info *a = p2_auth_of(auth);
    assert(c->icv_len == 0 || auth == P2_AUTH_NONE);
    assert(cipher != P2_CIPHER_NULL || auth != P2_AUTH_NONE);
    keys->auth = auth;
    keys->esn = esn;
    keys->iv_len = (uint8_t)c->iv_len;
    keys->icv_len = (uint8_t)(c->icv_len + a->icv_len);
    keys->alignment = (uint8_t)(c->block_len > ALIGNMENT ? c->block_len : ALIGNMENT);
    p2_cipher_init(&keys->cipher, cipher, encryption_key);
    if (auth != P2_AUTH_NONE)
        p2_hmac_init(&keys->hmac, a->hash, authentication_key, a->key_len);
    else
        memset(&keys->hmac, 0, sizeof(keys->hmac));
}

static bool is_combined(const struct p2_esp_keys *keys)
{
    return keys->auth == P2_AUTH_NONE && keys->icv_len > 0;
}

/* Payload, padding, pad length and next header (RFC 4303 section 2.4). */
static size_t ciphertext_len(const struct p2_esp_keys *keys, size_t payload_len)
{
    size_t unit = keys->alignment; /* 4, 8 or 16 */
    return (payload_len + 2 + unit - 1) & ~(unit - 1);
}

size_t p2_esp_sealed_len(const struct p2_esp_keys *keys, size_t payload_len)
{
    return P2_ESP_HEADER_LEN + keys->iv_len + ciphertext_len(keys, payload_len) + keys->icv_len;
}

/* What GCM authenticates and does not encrypt: SPI and sequence number, all 64 bits of it with ESN (RFC 4106
 * section 5). */
static struct p2_bytes gcm_aad(const struct p2_esp_keys *keys, const uint8_t *packet, uint64_t sequence,
                               uint8_t buffer[12])
{
    if (!keys->esn)
        return (struct p2_bytes){packet, P2_ESP_HEADER_LEN};
    memcpy(buffer, packet, 4);
    p2_put_u32(buffer + 4, (uint32_t)(sequence >> 32));
    memcpy(buffer + 8, packet + 4, 4);
    return (struct p2_bytes){buffer, 12};
}

/* RFC 4303 section 3.3.2.1: with ESN the upper half stands behind the packet, as if it had been sent. */
static void compute_hmac(const struct p2_esp_keys *keys, const uint8_t *packet, size_t covered,
                         uint64_t sequence, uint8_t *icv)
{
    uint8_t high[4];
    struct p2_bytes parts[2] = {{packet, covered}, {high, sizeof(high)}};
    if (keys->esn)
        p2_put_u32(high, (uint32_t)(sequence >> 32));
    p2_hmac_compute(&keys->hmac, parts, keys->esn ? 2 : 1, icv, keys->icv_len);
}

void p2_esp_seal(const struct p2_esp_keys *keys, uint32_t spi, uint64_t sequence, const uint8_t *iv,
                 uint8_t next_header, struct p2_bytes payload, uint8_t *out)
{
    size_t len = ciphertext_len(keys, payload.len), pad = len - payload.len - 2;
    uint8_t chain[P2_CIPHER_MAX_IV], aad[12], *text = out + P2_ESP_HEADER_LEN + keys->iv_len;
    p2_put_u32(out, spi);
    p2_put_u32(out + 4, (uint32_t)sequence);
    if (keys->iv_len > 0) {
        memcpy(out + P2_ESP_HEADER_LEN, iv, keys->iv_len);
        memcpy(chain, iv, keys->iv_len);
    }
    memcpy(text, payload.data, payload.len);
    for (size_t i = 0; i < pad; i++)
        text[payload.len + i] = (uint8_t)(i + 1); /* RFC 4303 section 2.4: 1, 2, 3, ... */
    text[len - 2] = (uint8_t)pad;
    text[len - 1] = next_header;
    if (is_combined(keys)) {
        p2_cipher_seal(&keys->cipher, iv, gcm_aad(keys, out, sequence, aad), text, text, len, text + len);
        return;
    }
    p2_cipher_encrypt(&keys->cipher, chain, text, text, len);
    if (keys->auth != P2_AUTH_NONE)
        compute_hmac(keys, out, (size_t)(text - out) + len, sequence, text + len);
}

bool p2_esp_plausible(const struct p2_esp_keys *keys, size_t len)
{
    size_t around = (size_t)P2_ESP_HEADER_LEN + keys->iv_len + keys->icv_len;
    return len >= around + keys->alignment && ((len - around) & (keys->alignment - 1u)) == 0;
}

/* False: not authentic. */
static bool verify_and_decrypt(const struct p2_esp_keys *keys, const uint8_t *packet, size_t text_len,
                               uint64_t sequence, uint8_t *out)
{
    const uint8_t *iv = packet + P2_ESP_HEADER_LEN, *text = iv + keys->iv_len;
    uint8_t chain[P2_CIPHER_MAX_IV], icv[P2_HASH_MAX_LEN], aad[12];
    if (is_combined(keys))
        return p2_cipher_open(&keys->cipher, iv, gcm_aad(keys, packet, sequence, aad), out, text, text_len,
                              text + text_len);
    if (keys->auth != P2_AUTH_NONE) {
        compute_hmac(keys, packet, (size_t)(text - packet) + text_len, sequence, icv);
        if (!p2_equal_constant_time(icv, text + text_len, keys->icv_len))
            return false;
    }
    memcpy(chain, iv, keys->iv_len);
    p2_cipher_decrypt(&keys->cipher, chain, out, text, text_len);
    return true;
}

enum p2_drop p2_esp_open(const struct p2_esp_keys *keys, const uint8_t *packet, size_t len, uint64_t sequence,
                         uint8_t *out, size_t *payload_len, uint8_t *next_header)
{
    size_t text_len = len - P2_ESP_HEADER_LEN - keys->iv_len - keys->icv_len;
    if (!verify_and_decrypt(keys, packet, text_len, sequence, out))
        return P2_DROP_ICV_MISMATCH;
    size_t pad = out[text_len - 2];
    if (pad + 2 > text_len)
        return P2_DROP_BAD_PADDING;
    for (size_t i = 0; i < pad; i++) {
        if (out[text_len - 2 - pad + i] !=
            (uint8_t)(i + 1)) /* RFC 4303 section 2.4: the receiver should look */
            return P2_DROP_BAD_PADDING;
    }
    *payload_len = text_len - 2 - pad;
    *next_header = out[text_len - 1];
    return P2_DROP_NONE;
}
