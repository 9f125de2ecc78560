#include "esp.h"

#include "cursor.h"

#include <string.h>

void p2_esp_init(struct p2_esp_keys *keys, enum p2_cipher cipher, const uint8_t *encryption_key,
                 enum p2_auth auth, const uint8_t *authentication_key)
{
    const struct p2_auth_info *info = p2_auth_info(auth);
    keys->auth = auth;
    p2_cipher_init(&keys->cipher, cipher, encryption_key);
    p2_hmac_init(&keys->hmac, info->hash, authentication_key, info->key_len);
}

static size_t block_len(const struct p2_esp_keys *keys)
{
    return p2_cipher_info(keys->cipher.cipher)->block_len;
}

static size_t icv_len(const struct p2_esp_keys *keys)
{
    return p2_auth_info(keys->auth)->icv_len;
}

/* Payload, padding, pad length and next header fill whole blocks (RFC 4303 section 2.4). */
static size_t ciphertext_len(const struct p2_esp_keys *keys, size_t payload_len)
{
    size_t block = block_len(keys);
    return (payload_len + 2 + block - 1) / block * block;
}

size_t p2_esp_sealed_len(const struct p2_esp_keys *keys, size_t payload_len)
{
    return P2_ESP_HEADER_LEN + block_len(keys) + ciphertext_len(keys, payload_len) + icv_len(keys);
}

void p2_esp_seal(const struct p2_esp_keys *keys, uint32_t spi, uint32_t sequence, const uint8_t *iv,
                 uint8_t next_header, struct p2_bytes payload, uint8_t *out)
{
    size_t block = block_len(keys), len = ciphertext_len(keys, payload.len), pad = len - payload.len - 2;
    uint8_t chain[P2_CIPHER_MAX_BLOCK], *text = out + P2_ESP_HEADER_LEN + block;
    p2_put_u32(out, spi);
    p2_put_u32(out + 4, sequence);
    memcpy(out + P2_ESP_HEADER_LEN, iv, block);
    memcpy(chain, iv, block);
    memcpy(text, payload.data, payload.len);
    for (size_t i = 0; i < pad; i++)
        text[payload.len + i] = (uint8_t)(i + 1); /* RFC 4303 section 2.4: 1, 2, 3, ... */
    text[len - 2] = (uint8_t)pad;
    text[len - 1] = next_header;
    p2_cipher_encrypt(&keys->cipher, chain, text, text, len);
    struct p2_bytes covered = {out, P2_ESP_HEADER_LEN + block + len};
    p2_hmac_compute(&keys->hmac, &covered, 1, out + covered.len, icv_len(keys));
}

bool p2_esp_plausible(const struct p2_esp_keys *keys, size_t len)
{
    size_t block = block_len(keys), around = P2_ESP_HEADER_LEN + block + icv_len(keys);
    return len >= around + block && (len - around) % block == 0;
}

bool p2_esp_verify(const struct p2_esp_keys *keys, const uint8_t *packet, size_t len)
{
    uint8_t icv[P2_HASH_MAX_LEN];
    struct p2_bytes covered = {packet, len - icv_len(keys)};
    p2_hmac_compute(&keys->hmac, &covered, 1, icv, icv_len(keys));
    return p2_equal_constant_time(icv, packet + covered.len, icv_len(keys));
}

enum p2_drop p2_esp_open(const struct p2_esp_keys *keys, const uint8_t *packet, size_t len, uint8_t *out,
                         size_t *payload_len, uint8_t *next_header)
{
    size_t block = block_len(keys), text_len = len - P2_ESP_HEADER_LEN - block - icv_len(keys);
    uint8_t chain[P2_CIPHER_MAX_BLOCK];
    memcpy(chain, packet + P2_ESP_HEADER_LEN, block);
    p2_cipher_decrypt(&keys->cipher, chain, out, packet + P2_ESP_HEADER_LEN + block, text_len);
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
