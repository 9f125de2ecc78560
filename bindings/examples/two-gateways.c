/* Two gateways, a link of 20 ms and a tunnel, in C: when each side is ready, and what gets through. */
#include "phase2-ns3.h"

#include <stdio.h>

/* Left is 192.0.2.1 with 10.0.0.0/16 behind it, right is 192.0.2.2 with 10.1.0.0/16; hosts are .0.1. */
#define OUTSIDE(side) (0xc0000201u + (side))
#define OTHER(side)   ((side) ^ 1u)
#define INSIDE(side)  (0x0a000000u + ((side) << 16))

static void receive(void *received, const struct ns3c_udp_packet *packet)
{
    *(unsigned *)received += packet->len > 0;
}

static void observe(void *name, struct phase2_gateway *gateway, p2_time now, const struct p2_action *action,
                    uint64_t event)
{
    (void)gateway, (void)event;
    if (action->type == P2_ACTION_NEGOTIATION && action->u.negotiation.event == P2_NEGOTIATION_READY)
        printf("%9.6f s: phase %d ready on the %s\n", (double)now / P2_SECOND, action->id.message_id ? 2 : 1,
               (const char *)name);
}

static struct ns3c_udp *build(struct ns3c_node *node, struct causes *causes, unsigned side,
                              unsigned *received)
{
    struct p2_peer_config peer = {.local = p2_address_v4(OUTSIDE(side)),
                                  .remote = p2_address_v4(OUTSIDE(OTHER(side))),
                                  .phase1 = p2_phase1_policy_default("example")};
    struct p2_tunnel_config tunnel = {.name = "vpn",
                                      .local = p2_selector_v4(INSIDE(side), 16),
                                      .remote = p2_selector_v4(INSIDE(OTHER(side)), 16),
                                      .policy = p2_policy_default("g2-esp-aes128-sha"),
                                      .establish = side ? P2_ESTABLISH_PASSIVE : P2_ESTABLISH_IMMEDIATELY};
    tunnel.policy.pfs = P2_GROUP_14;
    tunnel.policy.lifetime_s = 20;
    struct phase2_gateway_config config = {.gateway = {&peer, 1, &tunnel, 1, false},
                                           .cores = 1,
                                           .queue = 100,
                                           .causes = causes,
                                           .stream = side,
                                           .observe = observe,
                                           .ctx = side ? "right" : "left"};
    ns3c_address_local(node, ns3c_v4(INSIDE(side) + 1));
    return phase2_gateway_install(node, &config)
               ? ns3c_udp_open(node, ns3c_v4(INSIDE(side) + 1), 9, receive, received)
               : NULL;
}

int main(void)
{
    struct causes *causes;
    struct ns3c_udp *udp[2];
    unsigned received[2] = {0, 0}, sent = 0;
    ns3c_init(1, 1);
    struct ns3c_node *nodes[2] = {ns3c_node_new("left"), ns3c_node_new("right")};
    struct ns3c_link_config wan = {
        .delay_ns = 20 * P2_MS, .rate_bps = 100000000, .queue_packets = 100, .mtu = 1500, .stream = 2};
    struct ns3c_link *link = ns3c_link_new(nodes[0], nodes[1], &wan);
    if (causes_new(&causes) < 0)
        return 1;
    for (unsigned side = 0; side < 2; side++) {
        uint32_t interface = ns3c_link_interface(link, (int)side);
        ns3c_address_add(nodes[side], interface, ns3c_v4(OUTSIDE(side)), 32);
        ns3c_route_add(nodes[side], ns3c_v4(OUTSIDE(OTHER(side))), 32, interface);
        udp[side] = build(nodes[side], causes, side, &received[side]);
        if (!udp[side])
            return 1;
    }
    for (p2_time now = P2_SECOND; now < 60 * P2_SECOND; now += 100 * P2_MS, sent++) {
        ns3c_run(now);
        for (unsigned side = 0; side < 2; side++)
            ns3c_udp_send(udp[side], ns3c_v4(INSIDE(OTHER(side)) + 1), 9, (const uint8_t *)"hello", 5, 0);
    }
    ns3c_run(61 * P2_SECOND);
    printf("%u packets sent each way: %u arrived on the left, %u on the right\n", sent, received[0],
           received[1]);
    ns3c_destroy();
    causes_free(causes);
    return 0;
}
