/* The eavesdropper: whole IP packets as they were on the wire, in order of time, and some keys of Phase 1 in;
 * what can be read of them out. It sends nothing and decides nothing.
 *
 * RFC 2409 section 5.5 and appendix B: a Quick Mode is encrypted under SKEYID_e, each message chained to the
 * one before; KEYMAT = prf(SKEYID_d, [g(qm)^xy |] protocol | SPI | Ni_b | Nr_b). So SKEYID_e reads the
 * negotiations, nonces and SPIs included; SKEYID_d beside it opens the SAs that they made without PFS;
 * SKEYID_d alone opens nothing, for it lacks the nonces; and with PFS it takes g(qm)^xy too.
 *
 * Whether a packet was opened is not assumed but tried: its ICV verified under the keys that came out. */
#ifndef P2_EAVESDROP_H
#define P2_EAVESDROP_H

#include "cipher.h"
#include "hash.h"

/* What is known of one ISAKMP SA. The last ciphertext block of Phase 1 is no secret: it was on the wire. */
struct p2_eavesdrop_isakmp {
    uint8_t initiator_cookie[8], responder_cookie[8];
    enum p2_cipher cipher;
    enum p2_hash hash;
    bool knows_d, knows_e;
    uint8_t skeyid_d[P2_HASH_MAX_LEN], skeyid_e[P2_HASH_MAX_LEN]; /* of those that are known */
    uint8_t last_block[P2_CIPHER_MAX_BLOCK];
};

enum p2_heard {
    P2_HEARD_OTHER, /* neither of the next two, or a piece of a packet */
    P2_HEARD_IKE,   /* Phase 1 and what is not encrypted too */
    P2_HEARD_ESP    /* alone, behind AH, or in UDP */
};

/* One packet. */
struct p2_eavesdrop_packet {
    enum p2_heard what;
    bool read; /* it was encrypted, and could be opened */
    uint32_t spi;
    /* if read: IKE's payloads with the padding, or what ESP held. Good until the next call */
    struct p2_bytes plain;
    uint8_t next; /* the first payload's type, or ESP's next header */
};

/* One SA that packets were heard of, or a Quick Mode was read. Told apart by SPI alone. */
struct p2_eavesdrop_sa {
    uint32_t spi;
    bool negotiated;        /* its Quick Mode was read */
    bool pfs;               /* with a Diffie-Hellman of its own */
    uint64_t packets, read; /* how many, and how many of them could be opened */
};

struct p2_eavesdrop_counts {
    uint64_t quick_modes, quick_modes_read; /* heard at all; with both nonces and SPIs */
    uint64_t packets, packets_read;         /* ESP */
};

struct p2_eavesdrop;

/* Functions that return int: P2_OK or P2_ERR_NOMEM. */
int p2_eavesdrop_new(struct p2_eavesdrop **eavesdrop) P2_WARN_UNUSED;
/* Wipes all keys. NULL is harmless. */
void p2_eavesdrop_free(struct p2_eavesdrop *eavesdrop);

/* Of packets that are heard from now on. */
int p2_eavesdrop_learn(struct p2_eavesdrop *eavesdrop,
                       const struct p2_eavesdrop_isakmp *isakmp) P2_WARN_UNUSED;
/* g(qm)^xy of the Quick Mode with this initiator's cookie and message ID; at most P2_DH_MAX_LEN bytes. */
int p2_eavesdrop_learn_secret(struct p2_eavesdrop *eavesdrop, const uint8_t initiator_cookie[8],
                              uint32_t message_id, struct p2_bytes secret) P2_WARN_UNUSED;

/* Listens to one whole IP packet. */
int p2_eavesdrop_hear(struct p2_eavesdrop *eavesdrop, struct p2_eavesdrop_packet *heard,
                      const uint8_t *packet, size_t len) P2_WARN_UNUSED;

struct p2_eavesdrop_counts p2_eavesdrop_counts(const struct p2_eavesdrop *eavesdrop);
/* In the order in which they were first heard of; false past the end. */
bool p2_eavesdrop_sa_at(const struct p2_eavesdrop *eavesdrop, size_t i, struct p2_eavesdrop_sa *sa);

#endif
