/* ESP in CBC mode with an HMAC: one packet in, one packet out. It looks at no window and no table; that order
 * stands in datapath.c.
 *
 * RFC 4303 section 2 (format), 3.3 and 3.4 (processing), RFC 3602 (AES-CBC: explicit IV). */
#ifndef P2_ESP_H
#define P2_ESP_H

#include "cipher.h"
#include "hash.h"
#include "reason.h"

#define P2_ESP_HEADER_LEN 8 /* SPI and sequence number */

/* Keys of one SA, expanded once; const afterwards. */
struct p2_esp_keys {
    enum p2_auth auth;
    struct p2_cipher_key cipher;
    struct p2_hmac hmac;
};

void p2_esp_init(struct p2_esp_keys *keys, enum p2_cipher cipher, const uint8_t *encryption_key,
                 enum p2_auth auth, const uint8_t *authentication_key);

/* Length of the ESP packet (from the SPI to the ICV) around a payload of so many bytes. */
size_t p2_esp_sealed_len(const struct p2_esp_keys *keys, size_t payload_len);
/* Writes p2_esp_sealed_len bytes. iv: as many as the cipher's block; payload must not overlap out. */
void p2_esp_seal(const struct p2_esp_keys *keys, uint32_t spi, uint32_t sequence, const uint8_t *iv,
                 uint8_t next_header, struct p2_bytes payload, uint8_t *out);

/* What is the least an ESP packet of this SA may have, and whether it is whole blocks. */
bool p2_esp_plausible(const struct p2_esp_keys *keys, size_t len);
/* Verifies the ICV of a plausible packet. */
bool p2_esp_verify(const struct p2_esp_keys *keys, const uint8_t *packet, size_t len);
/* Decrypts a verified packet into out (len bytes are enough) and takes the padding off. P2_DROP_NONE, or
 * P2_DROP_BAD_PADDING. */
enum p2_drop p2_esp_open(const struct p2_esp_keys *keys, const uint8_t *packet, size_t len, uint8_t *out,
                         size_t *payload_len, uint8_t *next_header);

#endif
