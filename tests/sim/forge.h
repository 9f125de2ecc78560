/* A man in the middle who holds the ISAKMP SA's keys: one message of an exchange is taken off the wire of a
 * struct sim, opened, changed as a test likes, hashed and encrypted anew, and goes on. So a gateway gets what
 * is authentic and wrong, which no bit flip can give it.
 *
 * The rest of the exchange is translated: each end has its own chain of IVs (RFC 2409 appendix B) and its own
 * idea of the nonces that HASH(2) and HASH(3) cover, depending on what it sent and got itself. A copy of a
 * message that was changed becomes a copy of what it was changed to.
 *
 *     struct forge forge;
 *     struct sim *sim = sim_new(&options);
 *     forge_begin(&forge, sim);
 *     forge_plan(&forge, P2_EXCHANGE_QUICK, 2, wrong_nonce);
 *     sim_run(sim, ...);
 *
 * Phase 1's messages in clear can be changed too; its encrypted ones pass as they are. Not for gateways
 * behind a NAT. */
#ifndef P2_TESTS_FORGE_H
#define P2_TESTS_FORGE_H

#include "isakmp.h"
#include "sim.h"

#define FORGE_PAYLOADS  12
#define FORGE_BODY      1024
#define FORGE_EXCHANGES 32

struct forge_payload {
    uint8_t type;
    size_t len; /* of the body, without the generic header */
    uint8_t body[FORGE_BODY];
};

struct forge_message {
    int from;
    unsigned number; /* within its exchange, from 1 on; copies count once */
    struct p2_isakmp_header header;
    size_t num;
    struct forge_payload payloads[FORGE_PAYLOADS];
    bool keep_hash; /* set by the test: HASH goes out as it stands, instead of being computed */
};

/* Of the message's payloads; the first of that type (asserted to be there). */
struct forge_payload *forge_find(struct forge_message *message, uint8_t type);
/* Appends one. */
void forge_add(struct forge_message *message, uint8_t type, const void *body, size_t len);
/* Takes the first of that type away. */
void forge_remove(struct forge_message *message, uint8_t type);

typedef void forge_edit(struct forge_message *message);

struct forge_copy { /* of a message, as it came and as it went */
    uint8_t came[2048], went[4096];
    size_t came_len, went_len;
};

struct forge_exchange {
    struct p2_isakmp_header first; /* names it */
    unsigned num_messages;
    uint8_t iv[2][P2_CIPHER_MAX_BLOCK]; /* as either side has it */
    struct forge_payload nonces[2][2];  /* [side that knows it so][Ni, Nr] */
    struct forge_copy last[2];          /* of either side */
    bool changed;                       /* it has to be translated from now on */
};

struct forge {
    struct sim *sim;
    uint8_t exchange_type;
    unsigned number;
    forge_edit *edit;
    unsigned num_edited;
    uint32_t next_message_id;
    size_t num_exchanges;
    struct forge_exchange *exchanges; /* FORGE_EXCHANGES; that many are followed */
};

/* Stands in the way of all IKE messages of sim (by sim_lose) until forge_end, which comes before sim_free. */
void forge_begin(struct forge *forge, struct sim *sim);
void forge_end(struct forge *forge);
/* The next message of that number in an exchange of that type is changed by edit. */
void forge_plan(struct forge *forge, uint8_t exchange_type, unsigned number, forge_edit *edit);
/* Copies of what was changed go on as they were sent, from now on. */
void forge_let_copies_pass(struct forge *forge);
/* An authentic informational exchange with one payload, under the newest ISAKMP SA, arrives right now. */
void forge_inform(struct forge *forge, int from, uint8_t payload, const void *body, size_t len);
/* The same with several payloads. */
void forge_informs(struct forge *forge, int from, const struct forge_payload *payloads, size_t num);
/* The same with a notify for ESP that has a zero SPI, as daemons refuse a Quick Mode. */
void forge_notify(struct forge *forge, int from, uint16_t type);
/* A DELETE of one ESP SA by its SPI. */
void forge_delete(struct forge *forge, int from, uint32_t spi);

#endif
