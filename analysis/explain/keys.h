/* Keys that `explain` is given: keys.xml as `run` writes it, and Wireshark's tables for what they allow.
 *
 * keys.xml (xmlns="urn:phase2sim:keys:1"): isakmp-sa with initiator-cookie, responder-cookie, cipher, hash
 * and any of skeyid-d, skeyid-a, skeyid-e and iv (the last ciphertext block of Phase 1); in it quick-mode
 * with message-id and dh-secret, g(qm)^xy. ikev1_decryption_table: INITIATOR-COOKIE,KEY, the key as the
 * cipher takes it. It decrypts; cipher, hash and IV then come from a Phase 1 in the capture, and nothing can
 * be verified or derived. esp_sa: "IPv4","SOURCE","DESTINATION","SPI","CIPHER","KEY","AUTHENTICATION","KEY":
 * the keys of one SA. */
#ifndef P2_EXPLAIN_KEYS_H
#define P2_EXPLAIN_KEYS_H

#include "cipher.h"
#include "hash.h"

#define KEYS_ERROR      512
#define KEYS_MAX_SECRET 1024 /* bytes; group 18 */

/* One ISAKMP SA. */
struct known_isakmp {
    uint8_t initiator_cookie[8], responder_cookie[8];
    bool any_responder;    /* from Wireshark's table, which names the initiator's cookie only */
    enum p2_cipher cipher; /* NONE: not told */
    enum p2_hash hash;     /* NONE: not told */
    bool has_d, has_a, has_e, has_iv;
    uint8_t skeyid_d[P2_HASH_MAX_LEN], skeyid_a[P2_HASH_MAX_LEN], skeyid_e[P2_HASH_MAX_LEN];
    uint8_t iv[P2_CIPHER_MAX_BLOCK];
    size_t key_len; /* of the next; 0: SKEYID_e it is */
    uint8_t key[P2_CIPHER_MAX_KEY];
};

/* g(qm)^xy of a Quick Mode. */
struct known_secret {
    uint8_t initiator_cookie[8];
    uint32_t message_id;
    size_t len;
    uint8_t bytes[KEYS_MAX_SECRET];
};

/* One line of esp_sa. */
struct known_esp {
    uint8_t family; /* 4 or 6 */
    bool any_source, any_destination, any_spi;
    struct p2_address source, destination;
    uint32_t spi;
    enum p2_cipher cipher;
    enum p2_auth auth;                         /* NONE: GCM, or nothing authenticates it */
    uint8_t encryption_key[P2_CIPHER_MAX_KEY]; /* salt behind it */
    uint8_t authentication_key[P2_HASH_MAX_LEN];
};

struct known_keys {
    struct known_isakmp *isakmp;
    struct known_secret *secrets;
    struct known_esp *esp;
    size_t num_isakmp, num_secrets, num_esp;
};

/* Adds what stands in a file: keys.xml, or one of the tables (told apart by what is in it, not by its name);
 * or in a directory: its keys.xml, or else its tables. 0, or -1 with one line in error: file, line, what was
 * found, what is allowed. Then *keys is as it was. */
int known_keys_load(struct known_keys *keys, const char *path, char error[KEYS_ERROR]) P2_WARN_UNUSED;
/* Wipes. */
void known_keys_cleanup(struct known_keys *keys);

#endif
