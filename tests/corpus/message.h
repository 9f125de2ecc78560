/* Encrypted ISAKMP messages seen from outside: opened, and encrypted again, with an ISAKMP SA's keys.
 *
 * Every message ID has its chain of IVs (RFC 2409 appendix B). Two chains of the same Quick Mode part as soon
 * as the two sides pad differently, and strongSwan pads with a block more than we do: so a captured message
 * is carried over to our chain by decrypting it in its own and encrypting the very same plaintext in ours. */
#ifndef P2_TESTS_MESSAGE_H
#define P2_TESTS_MESSAGE_H

#include "isakmp.h"
#include "keymat.h"

#define CORPUS_MAX_CHAINS 32

struct corpus_chains {
    size_t num;
    struct {
        uint32_t message_id;
        uint8_t iv[P2_CIPHER_MAX_BLOCK]; /* of the next message */
    } list[CORPUS_MAX_CHAINS];
};

struct corpus_message {
    struct p2_isakmp_header header;
    uint8_t *plain; /* payloads and padding */
    size_t plain_len;
    struct p2_payloads payloads; /* borrow plain */
};

/* Decrypts a whole message and moves its chain on. False: not encrypted, not whole blocks, or no payloads
 * come out. */
bool corpus_message_open(struct corpus_message *message, struct corpus_chains *chains,
                         const struct p2_isakmp_keys *keys, struct p2_bytes bytes);
void corpus_message_free(struct corpus_message *message);

/* Encrypts a captured message's plaintext in other chains. out: as many bytes as the captured one has. */
void corpus_message_carry(uint8_t *out, struct corpus_chains *chains, const struct p2_isakmp_keys *keys,
                          const struct corpus_message *message, struct p2_bytes captured);

#endif
