/* What becomes of every packet that attackers injected: each ends as exactly one of
 *
 *     rejected, under the reason that the gateway named
 *     answered from store, without any computation (IKE)
 *     accepted: delivered (IPsec), or it moved a negotiation or an SA (IKE)
 *     unfinished: it arrived, and nothing had become of it when the run was over
 *     never arrived at any gateway (a NAT or another link stopped it, or it is a piece of a packet)
 *
 * They are known by their marks, which travel with them through links, gateways and jobs. */
#ifndef P2_SCENARIO_ATTACK_H
#define P2_SCENARIO_ATTACK_H

#include "causes.h"
#include "gateway.h"
#include "map.h"
#include "scenario.h"

struct attack_counts {
    uint64_t recorded; /* packets that it had to go by */
    uint64_t injected;
    uint64_t ike;     /* of those */
    uint64_t arrived; /* at a gateway; so many and no more have one of the fates below */
    uint64_t rejected[P2_NUM_DROPS];
    uint64_t answered;
    uint64_t accepted;
    uint64_t came_first; /* of those: the first copy of its packet to come, for the original was overtaken or
                            lost */
    uint64_t unfinished;
    uint64_t live; /* reached an SA that was there: an IPsec SA, or for IKE an ISAKMP SA */
};

struct attack_packet {
    uint32_t attack;
    bool ike, arrived, decided;
    uint64_t copy_of;
};

struct attacks {
    struct attack_counts *counts; /* by the scenario's event */
    struct attack_packet *packets;
    size_t num_packets;
    struct p2_map by_event; /* IKE: the arrival in the chain of causes, to a packet's index + 1 */
    bool out_of_memory;
};

/* P2_OK or P2_ERR_NOMEM. */
int attacks_init(struct attacks *attacks, size_t num_events) P2_WARN_UNUSED;
void attacks_cleanup(struct attacks *attacks);

/* The mark of a packet that is injected now, with HOST_INJECTED; 0: out of memory. copy_of: the mark of the
 * packet that it is, byte for byte, which may be an injected one; 0: it is nobody's. */
uint64_t attacks_inject(struct attacks *attacks, size_t event, bool ike, uint64_t copy_of);
/* Whose copy the packet with this mark is: a mark that no attacker gave, or 0; of others the mark itself. */
uint64_t attacks_original(const struct attacks *attacks, uint64_t mark);
/* What it carried was delivered, and nothing like it had been. */
void attacks_came_first(struct attacks *attacks, uint64_t mark);
/* As host_ops.injected. */
void attacks_arrived(struct attacks *attacks, uint64_t mark, uint64_t event);
/* As host_ops.observe, of any gateway. */
void attacks_observe(struct attacks *attacks, const struct causes *causes, const struct p2_action *action);
/* The run is over. */
void attacks_end(struct attacks *attacks);

/* "replay", "flip-bits", ... */
const char *attack_kind_name(enum scenario_attack_kind kind);
const char *attack_method_name(enum scenario_attack_method method);

#endif
