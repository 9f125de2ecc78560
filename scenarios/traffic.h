/* Traffic: constant-rate flows between what the gateways protect, and what a rekey does to them.
 *
 * Blackout of a negotiation: the longest gap between two deliveries of a flow of its tunnel beyond the flow's
 * sending interval, from the gap that holds t0 until the first delivery of a packet sent after the
 * negotiation was over. Packets lost to it: what a gateway dropped in that time for want of an SA or of room
 * at its CPU; where negotiations overlap, the newest one has them. */
#ifndef P2_TRAFFIC_H
#define P2_TRAFFIC_H

#include "fate.h"
#include "gateway.h"
#include "scenario.h"

struct traffic_flow {
    const struct scenario_flow *config;
    int tunnel;
    unsigned bit; /* in its tunnel's windows; 64: they are full, and do without it */
    struct traffic_flow *next_of_tunnel;
    p2_time first;           /* when packet 0 leaves; packet n leaves n intervals later */
    uint64_t sent, received; /* received: every copy that its sender's gateway or a link made */
    uint64_t copied;         /* and every one that an attacker made */
    struct fates fates;
    uint64_t protected_packets, protected_bytes; /* that its sender's gateway protected; bytes of whole outer
                                                    packets, several for one if it was cut up before */
    uint64_t last_protected;                     /* its number plus one; 0: none yet */
    uint64_t icmp_too_big;                       /* answers that its sender got */
    p2_time first_delivery;                      /* since packet 0 left; -1: none yet */
    p2_time last_delivery;                       /* -1: none yet */
    p2_time longest_gap;
    p2_time delay_sum;
};

/* From t0 of a negotiation until its tunnel's flows have shown that it is over. */
struct traffic_window {
    int tunnel;
    p2_time over;      /* t1, or the failure's instant; P2_TIME_NEVER: going on */
    uint64_t watching; /* flows of the tunnel that have not shown it yet, by their bit */
    p2_time blackout;  /* -1: no flow was seen */
    uint64_t packets_lost;
    struct traffic_window *next_open; /* of the tunnel */
};

/* What is about one tunnel. */
struct traffic_tunnel {
    struct traffic_window *open; /* the newest first */
    struct traffic_flow *flows;  /* those that have a bit, the newest first */
    uint64_t flow_bits;          /* of all of those */
};

struct traffic {
    struct traffic_flow *flows;
    size_t num_flows;
    struct traffic_tunnel *tunnels; /* by the scenario's number */
    bool out_of_memory;
};

/* P2_OK or P2_ERR_NOMEM. The scenario must outlive it. */
int traffic_init(struct traffic *traffic, const struct scenario *scenario) P2_WARN_UNUSED;
void traffic_cleanup(struct traffic *traffic);

/* What travels with a packet: which flow, which number. */
uint64_t traffic_mark(size_t flow, uint64_t number);
void traffic_sent(struct traffic *traffic, size_t flow);
void traffic_delivered(struct traffic *traffic, p2_time now, uint64_t mark);
/* An attacker's copy of it was delivered, which is as good as any other to who gets it; but when attackers
 * send says nothing of delays and gaps. True: it is the first copy of that packet. */
bool traffic_copied(struct traffic *traffic, uint64_t mark);
void traffic_dropped(struct traffic *traffic, uint64_t mark, enum p2_drop reason);
/* A link lost it, or had no room for it. */
void traffic_lost(struct traffic *traffic, uint64_t mark);
/* A gateway sent a protected packet of so many bytes. */
void traffic_protected(struct traffic *traffic, int gateway, uint64_t mark, size_t len);
/* A gateway delivers a packet with this mark to its protected side: of its own flow, that is an answer. */
void traffic_answered(struct traffic *traffic, int gateway, uint64_t mark, const struct p2_bytes *packet);

/* window: storage of the caller, kept until traffic_cleanup. */
void traffic_window_open(struct traffic *traffic, struct traffic_window *window, int tunnel);
void traffic_window_over(struct traffic *traffic, struct traffic_window *window, p2_time now);
/* The run is over: a gap that lasts until then counts as far as it was seen. */
void traffic_end(struct traffic *traffic, p2_time now);

#endif
