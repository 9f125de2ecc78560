/* Randomness and Diffie-Hellman as a capture has them: every draw of message ID, SPI and nonce, and every
 * public value and secret, is what the daemon drew. */
#ifndef P2_TESTS_SCRIPT_H
#define P2_TESTS_SCRIPT_H

#include "check.h"
#include "corpus.h"

#define SCRIPT_MAX      32 /* draws of a kind */
#define SCRIPT_MAX_DRAW 32 /* bytes of one */
#define SCRIPT_USES     (P2_RANDOM_FUZZ + 1)

struct script_draws {
    size_t num, next;
    struct {
        size_t len;
        uint8_t bytes[SCRIPT_MAX_DRAW];
    } list[SCRIPT_MAX];
    size_t unscripted; /* draws beyond the list, or of another length */
};

/* One Diffie-Hellman computation, seen from one side; what dh.c's double answers with. */
struct script_dh {
    uint8_t public_key[P2_DH_MAX_LEN], peer_public[P2_DH_MAX_LEN], secret[P2_DH_MAX_LEN];
    size_t public_len, secret_len;
};

struct script {
    struct script_draws draws[SCRIPT_USES];
    struct script_dh dh[SCRIPT_MAX];
    size_t num_dh, next_dh;
    struct test_random rest; /* for what is not scripted */
};

/* All that one side of a case draws, in the order of the capture. */
void script_init(struct script *script, const struct corpus *corpus, enum corpus_side side);
/* The next packet's IV, and no other one. */
void script_iv(struct script *script, const uint8_t *iv, size_t len);
/* script must live as long as the source is used. */
struct p2_random script_random(struct script *script);
/* The next computation; NULL: there is none. */
const struct script_dh *script_take_dh(struct script *script);

#endif
