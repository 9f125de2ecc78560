/* Two gateways in virtual time without ns-3: an exact delay each way, losses written as literal masks, no
 * other noise. Time jumps to the earliest event. Host 0 is "left" (10.1.0.0/24 behind 192.0.2.1), host 1
 * "right" (10.2.0.0/24 behind 192.0.2.2); left starts the tunnel. */
#ifndef P2_TESTS_SIM_H
#define P2_TESTS_SIM_H

#include "check.h"
#include "host.h"
#include "ledger.h"

#define SIM_MAX_SENT 4096

struct sim_message { /* an IKE datagram as it was sent, lost or not */
    int from;
    p2_time at;
    uint8_t exchange_type;
    uint32_t message_id;
    bool lost;
    bool keepalive;                         /* not IKE at all: one byte */
    uint16_t source_port, destination_port; /* as its sender has them */
    uint8_t bytes[2048];                    /* without the marker of port 4500 */
    size_t len;
};

struct sim_options {
    p2_time delay[2];    /* left to right, right to left */
    uint64_t lose_quick; /* bit n: the n-th (from 0) Quick Mode datagram of both sides together is lost */
    uint64_t lose_main;  /* the same for Phase 1, either mode */
    bool (*lose)(void *ctx, const struct sim_message *message); /* further losses; NULL: none */
    void *lose_ctx;
    const struct profile *profile[2]; /* NULL: work is free */
    uint32_t queue;                   /* of the CPUs; 0: 1000 */
    uint64_t seed[2];
    bool nat[2]; /* that side is behind a NAT, whose address is the other side's peer[].remote. It passes no
                    ESP without UDP */
    struct p2_peer_config peer[2];
    struct p2_tunnel_config tunnel[2];
    size_t num_tunnels; /* so many copies of tunnel[], each with the next prefixes; 0: one */
    bool defer_ipsec;
};

/* Main mode, group 2 in Phase 1, AES-128 and SHA-1, no PFS, 3,600 s, 10 ms each way, work is free. */
struct sim_options sim_defaults(void);

struct sim;

struct sim *sim_new(const struct sim_options *options);
void sim_free(struct sim *sim);
/* From now on this decides on further losses; NULL: none. */
void sim_lose(struct sim *sim, bool (*lose)(void *ctx, const struct sim_message *message), void *ctx);
/* Runs until nothing is left to do or that time is reached. */
void sim_run(struct sim *sim, p2_time until);
p2_time sim_now(const struct sim *sim);
struct host *sim_host(struct sim *sim, int side);
struct ledger *sim_ledger(struct sim *sim);
const struct causes *sim_causes(const struct sim *sim);
const struct sim_message *sim_sent(const struct sim *sim, size_t i); /* NULL past the end */
size_t sim_count_sent(const struct sim *sim, uint8_t exchange_type);
size_t sim_drops(const struct sim *sim, int side, enum p2_drop reason);
/* Those of them that were data packets. */
size_t sim_ipsec_drops(const struct sim *sim, int side, enum p2_drop reason);
/* Under any reason. */
size_t sim_all_drops(const struct sim *sim, int side);
/* Of that side so far, the newest last; NULL past the end. The order is that of their end. */
const struct p2_isakmp_info *sim_isakmp_removed(const struct sim *sim, int side, size_t i);
/* The SAs that a side removed for this reason; pairs count once. */
size_t sim_removed(const struct sim *sim, int side, enum p2_removal why);
/* How often a side told that a negotiation failed, of either phase. */
size_t sim_failures(const struct sim *sim, int side);
/* How a side's last Phase 1 failed. */
const struct p2_negotiation *sim_phase1_failure(const struct sim *sim, int side);
/* The newest ISAKMP SA of a side, with its keys. */
const struct p2_isakmp_info *sim_isakmp(const struct sim *sim, int side);
/* The n-th Phase 1 of the ledger; NULL: there is none. */
const struct ledger_entry *sim_phase1(struct sim *sim, size_t n);

/* An inner packet of so many bytes between the first hosts of the two protected prefixes (of an address: that
 * itself), its payload a pattern. */
void sim_send(struct sim *sim, int from, size_t len);
/* Any packet, from the protected side or, in transport mode, from the gateway itself. */
void sim_send_packet(struct sim *sim, int from, const uint8_t *packet, size_t len);
/* The last one that came out. Good until the next one. */
struct p2_bytes sim_last_delivered(const struct sim *sim, int side);
size_t sim_delivered(const struct sim *sim, int side);
/* The last packet that came out is, byte for byte, the last one that went in at the other side. */
bool sim_arrived_whole(const struct sim *sim, int side);
/* The last packet that was on the wire from a side. Good until the next one. */
struct p2_bytes sim_last_ipsec(const struct sim *sim, int from);
/* Asserts that one packet each way arrives within a second, in which nothing else does. */
void sim_check_traffic(struct sim *sim);
/* ESP packets from now on are lost while true. */
void sim_lose_ipsec(struct sim *sim, bool lose);
/* Hands a datagram to a side right now, as an attacker would. */
void sim_inject_ike(struct sim *sim, int to, const uint8_t *data, size_t len);
/* The same with the network's delay, for a man in the middle (sim/forge.h). */
void sim_launch_ike(struct sim *sim, int to, const uint8_t *data, size_t len);
void sim_rekey(struct sim *sim, int side);
/* A side loses all it knows and begins again with its config; its randomness goes on where it was. */
void sim_restart(struct sim *sim, int side);
/* The NAT of a side gives it other ports; nothing reaches it by the old ones. */
void sim_move_nat(struct sim *sim, int side);

/* Both databases mirror each other: every inbound SA of one side is an outbound one of the other, with the
 * same keys, and all outbound ones are authorised. num: how many pairs each side must have. */
bool sim_sadbs_equal(struct sim *sim, size_t num_pairs);
size_t sim_num_pairs(struct sim *sim, int side);
/* The n-th Quick Mode of the ledger; NULL: there is none. */
const struct ledger_entry *sim_quick(struct sim *sim, size_t n);

#endif
