/* ESP with any cipher and any HMAC: one packet in, one packet out. It looks at no window and no table; that
 * order stands in inbound.c.
 *
 * RFC 4303 section 2 (format), 3.3 and 3.4 (processing), 2.2.1 (extended sequence numbers); the explicit IV
 * and what the ICV covers: RFC 3602 (AES-CBC), 2405 and 2451 (DES), 3686 (AES-CTR), 4106 (AES-GCM), 2410
 * (NULL). */
#ifndef P2_ESP_H
#define P2_ESP_H

#include "cipher.h"
#include "hash.h"
#include "reason.h"

#define P2_ESP_HEADER_LEN 8 /* SPI and sequence number */

/* Keys of one SA, expanded once; const afterwards. */
struct p2_esp_keys {
    enum p2_auth auth; /* NONE: the cipher authenticates itself (GCM), or nothing does */
    bool esn;          /* sequence numbers have 64 bits, of which the upper 32 are not on the wire */
    uint8_t iv_len, icv_len, alignment;
    struct p2_hmac hmac;
    struct p2_cipher_key cipher;
};

/* encryption_key: key_len + salt_len bytes of the cipher's row; authentication_key: key_len of the HMAC's.
 * A caller's bug: cipher NONE, GCM beside an HMAC (RFC 4106 section 2), NULL without one (RFC 4303 section
 * 3.2). CBC or CTR without one is only as bad an idea as it looks: nothing notices what was changed. */
void p2_esp_init(struct p2_esp_keys *keys, enum p2_cipher cipher, const uint8_t *encryption_key,
                 enum p2_auth auth, const uint8_t *authentication_key, bool esn);

/* Length of the ESP packet (from the SPI to the ICV) around a payload of so many bytes. */
size_t p2_esp_sealed_len(const struct p2_esp_keys *keys, size_t payload_len);
/* Writes p2_esp_sealed_len bytes. The lower half of sequence goes on the wire. iv: the cipher's iv_len bytes,
 * unpredictable for CBC, and for CTR and GCM never the same twice under a key, such as the 64-bit sequence
 * number (NULL looks at none). payload must not overlap out. */
void p2_esp_seal(const struct p2_esp_keys *keys, uint32_t spi, uint64_t sequence, const uint8_t *iv,
                 uint8_t next_header, struct p2_bytes payload, uint8_t *out);

/* What is the least an ESP packet of this SA may have, and whether it is aligned as it has to be. */
bool p2_esp_plausible(const struct p2_esp_keys *keys, size_t len);
/* Verifies and decrypts a plausible packet into out (len bytes are enough) and takes the padding off.
 * sequence: as the receiver reckons it; its upper half counts with ESN only.
 * P2_DROP_ICV_MISMATCH: not authentic, and the window must not move. P2_DROP_BAD_PADDING: authentic, so that
 * the number is used up, but not well-formed. P2_DROP_NONE: payload_len and next_header are set. */
enum p2_drop p2_esp_open(const struct p2_esp_keys *keys, const uint8_t *packet, size_t len, uint64_t sequence,
                         uint8_t *out, size_t *payload_len, uint8_t *next_header);

#endif
