/* A phase2 gateway on an ns-3 node, for C. In C++ the same thing is ns3::Phase2Gateway (phase2-gateway.h). */
#ifndef P2_PHASE2_NS3_H
#define P2_PHASE2_NS3_H

#include "host.h"
#include "ns3c.h"

#ifdef __cplusplus
extern "C" {
#endif

struct phase2_gateway;

typedef void phase2_observe_fn(void *ctx, struct phase2_gateway *gateway, p2_time now,
                               const struct p2_action *action, uint64_t event);

struct phase2_gateway_config {
    struct p2_gateway_config gateway;
    const struct profile *profile; /* NULL: work takes no time */
    uint32_t cores, queue;
    struct causes *causes;
    int64_t stream;             /* number of the gateway's one random stream */
    phase2_observe_fn *observe; /* may be NULL */
    void (*injected)(void *ctx, p2_time now, uint64_t mark, uint64_t event); /* see struct host_ops; may be
                                                                                NULL */
    void *ctx;
};

/* Opens UDP 500 and 4500 and protocols 50 and 51 on the node. Route-based tunnels have their remote selectors
 * routed into a tunnel interface; for policy-based ones a policy is put on top of the node's routing. The
 * gateway starts at time 0 of the simulation. NULL when out of memory. */
struct phase2_gateway *phase2_gateway_install(struct ns3c_node *node,
                                              const struct phase2_gateway_config *config);
void phase2_gateway_rekey(struct phase2_gateway *gateway, size_t tunnel);
/* Takes all SAs of a tunnel down and tells the peer. */
void phase2_gateway_take_down(struct phase2_gateway *gateway, size_t tunnel);
/* It forgets everything and begins anew, now: see host_restart. */
void phase2_gateway_restart(struct phase2_gateway *gateway);
/* NAT keepalives (RFC 3948 section 4) that arrived so far. */
uint64_t phase2_gateway_keepalives(const struct phase2_gateway *gateway);
/* With policy-based tunnels: packets of the node itself that no policy matched and that left in clear. */
uint64_t phase2_gateway_bypassed(const struct phase2_gateway *gateway);
struct host *phase2_gateway_host(struct phase2_gateway *gateway);

#ifdef __cplusplus
}
#endif
#endif
