/* Two gateways over a network that loses, duplicates, reorders and corrupts, with an attacker who replays and
 * forges: everything by one seed, so that a run can be had again. Hosts are numbered as in sim.h; tunnel n
 * protects 10.1.n.0/24 on side 0 and 10.2.n.0/24 on side 1. */
#ifndef P2_TESTS_DISORDER_H
#define P2_TESTS_DISORDER_H

#include "check.h"
#include "host.h"
#include "ledger.h"

#define DISORDER_TUNNELS 2

/* Chances are in thousandths. */
struct disorder_options {
    uint64_t seed;
    p2_time delay[2];    /* left to right, right to left */
    p2_time jitter;      /* up to so much more for each datagram: it may be overtaken */
    unsigned loss;       /* of each copy */
    unsigned duplicates; /* one or two copies more */
    unsigned corruption; /* of each copy */
    const struct profile *profile[2];
    uint32_t cores[2], queue[2];
    bool defer_ipsec;
    struct p2_peer_config peer[2];
    struct p2_tunnel_config tunnel[2][DISORDER_TUNNELS];
    size_t num_tunnels;
    bool verbose; /* tells each message, negotiation and SA on stdout */
};

/* A datagram that is about to enter the network, and what may be done to it. */
struct disorder_message {
    int from;
    bool ipsec;
    uint8_t exchange_type; /* not of IPsec */
    uint32_t message_id;
    uint64_t mark; /* of IPsec: of the clear packet */
    const uint8_t *data;
    size_t len;
};

enum disorder_fate { DISORDER_PASS, DISORDER_LOSE, DISORDER_DELAY, DISORDER_DOUBLE };

/* Decides before chance does. delay: of DISORDER_DELAY, and of the second copy of DISORDER_DOUBLE. */
typedef enum disorder_fate disorder_fate_fn(void *ctx, const struct disorder_message *message,
                                            p2_time *delay);

struct disorder;

struct disorder *disorder_new(const struct disorder_options *options);
void disorder_free(struct disorder *world);
void disorder_run(struct disorder *world, p2_time until);
/* From now on nothing is lost, doubled, delayed beyond its delay, or changed. What is under way stays. */
void disorder_calm(struct disorder *world);
/* A datagram of those seen so far, as it was or altered, reaches a side right now. */
void disorder_attack(struct disorder *world);
void disorder_send(struct disorder *world, int from, size_t tunnel, size_t len);
/* A clear packet of the caller's own; its mark shows in what becomes of it. */
void disorder_send_packet(struct disorder *world, int from, const uint8_t *packet, size_t len, uint64_t mark);
/* Hands a side an IP packet with ESP or AH right now, as an attacker would. */
void disorder_inject(struct disorder *world, int to, const uint8_t *packet, size_t len, uint64_t mark);
void disorder_rekey(struct disorder *world, int side, size_t tunnel);
void disorder_clear(struct disorder *world, int side, size_t tunnel);
/* The gateway loses all its memory, as in a power failure. */
void disorder_restart(struct disorder *world, int side);
/* Sees what comes out of a side and all that its gateway does; either may be NULL. */
struct disorder_witness {
    void *ctx;
    void (*deliver)(void *ctx, int side, const uint8_t *packet, size_t len, uint64_t mark);
    void (*observe)(void *ctx, int side, const struct p2_action *action);
};
void disorder_call_witness(struct disorder *world, const struct disorder_witness *witness);
/* NULL: chance alone decides. */
void disorder_intercept(struct disorder *world, disorder_fate_fn *fn, void *ctx);
/* Hands a side a datagram that it once got, or that the other side once sent, as an attacker would: the n-th
 * from the end (0: the last) of an exchange type from a sender. False: none seen. */
bool disorder_replay(struct disorder *world, int from, uint8_t exchange_type, size_t n);

p2_time disorder_now(const struct disorder *world);
struct p2_gateway *disorder_gateway(struct disorder *world, int side);
const struct ledger *disorder_ledger(const struct disorder *world);
const struct causes *disorder_causes(const struct disorder *world);
/* IKE messages that the gateways sent, each counted once. */
size_t disorder_num_messages(const struct disorder *world);
/* When a side last got a packet through a tunnel; -1: never. */
p2_time disorder_last_delivery(const struct disorder *world, int side, size_t tunnel);
/* The longest time between two deliveries of a tunnel, among those that ended since the last call. */
p2_time disorder_longest_silence(struct disorder *world);
/* No SA of either side has outlived its hard limit. */
bool disorder_limits_kept(struct disorder *world);
/* A negotiation is under way on a side that waits for nothing: no timer, no job, no message. */
bool disorder_is_stuck(struct disorder *world);
/* Every SA of one side is there on the other too, with the same keys. */
bool disorder_sadbs_equal(struct disorder *world);

#endif
