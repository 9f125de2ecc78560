/* What the parts of the listener share. Functions that return int: P2_OK or P2_ERR_NOMEM. */
#ifndef P2_EXPLAIN_LISTENER_H
#define P2_EXPLAIN_LISTENER_H

#include "explanation.h"
#include "ip.h"

/* A packet on its way through the listener. */
struct explain_heard {
    const struct frame *frame;
    struct p2_ip_view view; /* of the whole packet */
    bool is_cut;            /* the capture did not keep all of it */
    uint16_t source_port, destination_port;
};

/* What maps keep something under: whoever writes the packets can not make many of these meet. */
uint64_t explain_key(const void *a, size_t a_len, const void *b, size_t b_len);

/* The pair of two addresses; *from_first: the source is its first peer. */
int explain_pair_of(struct explanation *e, size_t *pair, bool *from_first, const struct p2_address *source,
                    const struct p2_address *destination);
/* Puts an event at the end of a pair's ladder; EXPLAIN_NONE: there is no more room. */
int explain_event(struct explanation *e, size_t *event, size_t pair);

/* --- messages.c, opening.c, phase1_seen.c, quick_seen.c, informational_seen.c --- */

/* A UDP payload that should be one ISAKMP message. */
int explain_hear_isakmp(struct explanation *e, const struct explain_heard *heard, struct p2_bytes message);
/* Decrypts and verifies as far as the keys go; sets reading, hash, number, plain, and the exchange's IV. */
int explain_open(struct explanation *e, size_t message);
/* Keys, from known_keys and from what Phase 1 showed; to be called when either has changed. */
int explain_prepare_keys(struct explanation *e, struct explain_isakmp *isakmp);
/* What a message of Phase 1 says in clear. */
int explain_phase1(struct explanation *e, size_t message);
/* Its last ciphertext block may be what IVs stem from. */
void explain_phase1_block(struct explanation *e, size_t message);
/* What a message of a Quick Mode says. */
int explain_quick(struct explanation *e, size_t message);
/* Its notifies and deletes, whatever exchange it is of. */
void explain_notes(struct explanation *e, size_t message);

/* --- ipsec.c, sas.c --- */

int explain_hear_esp(struct explanation *e, const struct explain_heard *heard, struct p2_bytes esp,
                     bool in_udp);
int explain_hear_ah(struct explanation *e, const struct explain_heard *heard);

/* Of so many SAs with one number the right one is looked for. */
#define EXPLAIN_MAX_OLDER 64

/* The newest SA with this protocol and SPI; EXPLAIN_NONE. */
size_t explain_find_sa(const struct explanation *e, enum p2_protocol protocol, uint32_t spi);
/* A new one in front of older ones of its number; EXPLAIN_NONE in *sa: there is no more room. */
int explain_add_sa(struct explanation *e, size_t *sa, enum p2_protocol protocol, uint32_t spi, bool keyed);
/* Its keys, of the lengths of its algorithms, and its window. */
int explain_key_sa(struct explanation *e, struct explain_sa *sa, const uint8_t *encryption_key,
                   const uint8_t *authentication_key);

#endif
