/* What eavesdrop.c and eavesdrop_quick.c share. */
#ifndef P2_EAVESDROP_IMPL_H
#define P2_EAVESDROP_IMPL_H

#include "dh.h"
#include "eavesdrop.h"
#include "esp.h"
#include "gateway.h"
#include "keymat.h"
#include "map.h"
#include "offer.h"

#define P2_HEARD_MAX          65536 /* of one packet */
#define P2_HEARD_MAX_MESSAGES 4     /* of a Quick Mode: CONNECTED is the fourth */
#define P2_HEARD_MAX_NONCE    256

struct p2_known_isakmp {
    struct p2_eavesdrop_isakmp is;
    struct p2_isakmp_keys keys; /* with zeros for what is not known; skeyid_a never is */
};

struct p2_known_secret {
    uint8_t initiator_cookie[8];
    uint32_t message_id;
    uint8_t bytes[P2_DH_MAX_LEN];
    size_t len;
};

/* One offered proposal of message 1, as far as message 2 refers to it. */
struct p2_heard_offer {
    uint8_t number, protocol;
    uint32_t spi;
};

/* One exchange under a message ID. */
struct p2_heard_exchange {
    uint8_t initiator_cookie[8], responder_cookie[8];
    uint32_t message_id;
    bool quick; /* it has had a Quick Mode message */
    bool lost;  /* a message made no sense: the chain is broken, or it never was readable */
    bool read;  /* both nonces and the choice */
    bool pfs;
    size_t isakmp;                            /* index */
    uint64_t messages[P2_HEARD_MAX_MESSAGES]; /* last bytes of each, to know a resent one */
    size_t num_messages;
    uint8_t iv[P2_CIPHER_MAX_BLOCK];
    uint8_t nonce[2][P2_HEARD_MAX_NONCE];
    size_t nonce_len[2];
    struct p2_heard_offer offers[P2_MAX_TRANSFORMS];
    size_t num_offers;
};

struct p2_heard_sa {
    struct p2_eavesdrop_sa is;
    bool has_keys;
    uint64_t
        top; /* the highest number opened so far: its upper half is that of the next one, nearly always */
    struct p2_esp_keys keys;
};

struct p2_eavesdrop {
    struct p2_known_isakmp *isakmp;
    struct p2_known_secret *secrets;
    struct p2_heard_exchange *exchanges;
    struct p2_heard_sa *sas;
    size_t num_isakmp, num_secrets, num_exchanges, num_sas;
    struct p2_map exchange_places, sa_places; /* index + 1 */
    struct p2_eavesdrop_counts counts;
    uint8_t plain[P2_HEARD_MAX];
};

/* The SA with this SPI, made if it is new; NULL: out of memory. Good until the next one is made. */
struct p2_heard_sa *p2_heard_sa(struct p2_eavesdrop *e, uint32_t spi);
/* One ISAKMP message. */
int p2_eavesdrop_ike(struct p2_eavesdrop *e, struct p2_eavesdrop_packet *heard, const uint8_t *message,
                     size_t len);

#endif
