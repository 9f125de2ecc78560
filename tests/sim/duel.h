/* Two gateways that stand face to face and do their work at once, for those who throw things at them. What a
 * gateway sends the other one gets, with no loss and no delay; time passes when the test says so. Each input
 * is followed to its end: what became of it is known, and is one thing.
 *
 *     struct duel *duel = duel_new(seed);           the tunnels are up then
 *     struct duel_outcome outcome = duel_throw(duel, 1, bytes, len);
 *     const char *wrong = duel_check(duel);         NULL: all is as it should be
 *     duel_free(duel); */
#ifndef P2_TESTS_DUEL_H
#define P2_TESTS_DUEL_H

#include "check.h"
#include "gateway.h"

#define DUEL_TUNNELS 3
#define DUEL_KEPT    128 /* messages that were on the wire: the first ones, with Phase 1, and the last */
#define DUEL_FIRST   8
#define DUEL_MESSAGE 2048 /* bytes of one at most */

struct duel_message {
    int from;
    struct p2_datagram datagram; /* its data are the bytes below */
    uint8_t bytes[DUEL_MESSAGE];
};

/* What came of one input. */
struct duel_outcome {
    unsigned drops;      /* under a reason: at most one is right */
    enum p2_drop reason; /* the last one */
    unsigned answers;    /* datagrams that left because of it, its jobs' included */
    unsigned steps;      /* whatever else it moved */
};

struct duel {
    struct p2_gateway *gateways[2];
    struct test_random random[2];
    p2_time now;
    uint64_t mark; /* of the latest input */
    struct duel_message kept[DUEL_KEPT], queue[DUEL_KEPT];
    uint64_t num_kept;
    size_t num_queued;
    struct p2_isakmp_info isakmp[2]; /* the newest ISAKMP SA, with its keys */
    uint64_t drops[2][P2_NUM_DROPS], inputs[2], taken[2];
    size_t delivered[2], installed[2];
    uint8_t packet[DUEL_MESSAGE]; /* the last one that left protected */
    size_t packet_len;
    const char *wrong; /* the first thing that should not be */
};

/* Left starts; both have all their SAs when it returns (or the program ends). */
struct duel *duel_new(uint64_t seed);
void duel_free(struct duel *duel);
/* A datagram from the other gateway's address; what it provokes is exchanged before this returns. */
struct duel_outcome duel_throw(struct duel *duel, int to, const uint8_t *data, size_t len);
/* A whole packet with ESP or AH. */
struct duel_outcome duel_throw_packet(struct duel *duel, int to, const uint8_t *packet, size_t len);
/* Time passes, with all that is due in it. */
void duel_wait(struct duel *duel, p2_time time);
/* Left rekeys a tunnel. */
void duel_rekey(struct duel *duel, size_t tunnel);
/* Left starts such a rekey, and its message does not get through: that message, or NULL if there is none. */
const struct duel_message *duel_ask(struct duel *duel, size_t tunnel);
/* What is wrong: an input that did not end under exactly one name; a tunnel without SAs that mirror each
 * other, or that carries no packets. */
const char *duel_check(struct duel *duel);

#endif
