/* What the world's files share: world.c builds and runs, world_records.c tells. */
#ifndef P2_WORLD_IMPL_H
#define P2_WORLD_IMPL_H

#include "keyring.h"
#include "ledger.h"
#include "phase2-ns3.h"
#include "traffic.h"
#include "world.h"

struct world_gateway {
    struct world *world;
    int index;
    const struct scenario_gateway *config;
    const struct profile *profile; /* NULL: work is free */
    struct ns3c_node *node;
    struct phase2_gateway *gateway;
    struct ns3c_udp *udp; /* on the inside address; NULL: no flow begins or ends here */
    struct ns3c_capture *capture;
    struct p2_peer_config *peers;
    size_t num_peers;
    struct p2_tunnel_config *tunnels;
    size_t num_tunnels;
    uint64_t drops[P2_NUM_DROPS];
};

struct world_sender {
    struct world *world;
    size_t flow;
    struct ns3c_timer *timer;
};

struct world_event {
    struct world *world;
    const struct scenario_event *config;
    struct ns3c_timer *timer;
};

struct world {
    const struct scenario *scenario;
    const struct world_run *run;
    struct world_gateway *gateways;
    struct ns3c_link **links;
    struct world_sender *senders;
    struct world_event *events;
    size_t (*local_tunnel)[2]; /* by the scenario's tunnel and end: which tunnel it is at that gateway */
    struct traffic traffic;
    struct ledger ledger;
    struct keyring keyring;
    struct causes *causes;
    struct traffic_window **windows; /* by the ledger's entry; NULL: Phase 1 */
    size_t windows_capacity;
    struct scenario_message *message;
};

/* The inside address of a gateway: the first host of what it protects. */
uint32_t world_inside_address(const struct scenario_gateway *gateway);
/* 0, or -1 with errno. */
int world_write_records(struct world *world, FILE *out);

#endif
