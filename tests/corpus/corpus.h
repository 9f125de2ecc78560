/* One case of tests/vectors/corpus: its capture, keys, expectations and policies (see the README there). */
#ifndef P2_TESTS_CORPUS_H
#define P2_TESTS_CORPUS_H

#include "capture.h"
#include "gateway.h"

#define CORPUS_MAX 32 /* of anything below */

enum corpus_side { CORPUS_INITIATOR, CORPUS_RESPONDER };

struct corpus_sa { /* as the daemon exported it */
    uint32_t spi;
    uint8_t encryption_key[P2_CIPHER_MAX_KEY], authentication_key[P2_HASH_MAX_LEN];
    size_t encryption_key_len, authentication_key_len;
    char cipher[32], auth[32]; /* Wireshark's names */
};

struct corpus_quick {
    uint32_t message_id;
    unsigned num_messages;
};

struct corpus_secret {
    uint32_t message_id;
    uint8_t bytes[P2_DH_MAX_LEN];
    size_t len;
};

struct corpus_end {
    struct p2_address gateway;
    struct p2_selector network;
    struct p2_policy policy;
};

struct corpus {
    char name[64];
    struct p2_phase1_policy phase1; /* preset, with the keys of keys.xml */
    struct p2_isakmp_keys keys;
    struct corpus_secret secrets[CORPUS_MAX];
    size_t num_secrets;
    struct corpus_sa sas[CORPUS_MAX];
    size_t num_sas;
    struct corpus_quick quicks[CORPUS_MAX];
    size_t num_quicks;
    size_t num_ipsec, num_with_keys; /* ESP packets; Quick Modes that succeeded */
    bool pfs;
    struct corpus_end ends[2];
    struct capture capture;
};

/* Ends the program if anything is missing. */
void corpus_load(struct corpus *corpus, const char *name);
void corpus_free(struct corpus *corpus);

enum corpus_side corpus_sender(const struct corpus *corpus, const struct corpus_frame *frame);
const struct corpus_sa *corpus_sa(const struct corpus *corpus, uint32_t spi);                /* NULL: none */
const struct corpus_secret *corpus_secret(const struct corpus *corpus, uint32_t message_id); /* NULL: none */
/* The SPI that a message's DELETE of one ESP SA names; 0: it has none. */
uint32_t corpus_deleted_spi(const struct corpus_message *message);
bool corpus_deletes_isakmp(const struct corpus_message *message);

#endif
