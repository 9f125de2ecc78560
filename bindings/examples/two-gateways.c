/* Two gateways, a link of 20 ms and a tunnel: how long each negotiation takes, and what gets through. In C.
 */
#include "phase2-ns3.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#define LEFT       0xcb007101u /* 203.0.113.1 */
#define RIGHT      0xc6336401u /* 198.51.100.1 */
#define LEFT_HOST  0x0a010001u /* 10.1.0.1 */
#define RIGHT_HOST 0x0a020001u /* 10.2.0.1 */

static void receive(void *ctx, const struct ns3c_udp_packet *packet)
{
    (void)packet;
    ++*(unsigned *)ctx;
}

/* From the start of a negotiation to the moment when this side is ready. */
static void observe(void *name, struct phase2_gateway *gateway, p2_time now, const struct p2_action *action,
                    uint64_t event)
{
    static p2_time started;
    const struct p2_negotiation *negotiation = &action->u.negotiation;
    (void)gateway, (void)event;
    if (action->type != P2_ACTION_NEGOTIATION)
        return;
    if (negotiation->event == P2_NEGOTIATION_STARTED && negotiation->initiator)
        started = now;
    else if (negotiation->event == P2_NEGOTIATION_READY)
        printf("%-5s phase %d ready after %.3f ms\n", (char *)name, negotiation->id.message_id ? 2 : 1,
               (double)(now - started) / P2_MS);
}

static struct ns3c_udp *gateway(struct ns3c_node *node, struct causes *causes, bool left, unsigned *received)
{
    static const char psk[] = "example";
    struct p2_peer_config peer = {.name = "peer",
                                  .local = p2_address_v4(left ? LEFT : RIGHT),
                                  .remote = p2_address_v4(left ? RIGHT : LEFT),
                                  .phase1 = {.mode = P2_PHASE1_MAIN,
                                             .psk_len = sizeof psk - 1,
                                             .cipher = P2_CIPHER_AES128_CBC,
                                             .hash = P2_HASH_SHA1,
                                             .group = P2_GROUP_14,
                                             .lifetime_s = 86400,
                                             .retransmission = P2_RETRANSMISSION_DEFAULT}};
    struct p2_tunnel_config tunnel = {.name = "vpn",
                                      .local = {p2_address_v4(left ? 0x0a010000 : 0x0a020000), 16, 0, 0},
                                      .remote = {p2_address_v4(left ? 0x0a020000 : 0x0a010000), 16, 0, 0},
                                      .policy = {.num_proposals = 1,
                                                 .mode = P2_MODE_TUNNEL,
                                                 .pfs = P2_GROUP_14,
                                                 .lifetime_s = 20,
                                                 .soft_permille = 800,
                                                 .fuzz_permille = 100,
                                                 .replay_window = 64,
                                                 .overlap = P2_SECOND},
                                      .establish = left ? P2_ESTABLISH_IMMEDIATELY : P2_ESTABLISH_PASSIVE,
                                      .retry = P2_SECOND};
    memcpy(peer.phase1.psk, psk, sizeof psk - 1);
    p2_proposal_predefined(&tunnel.policy.proposals[0], "g2-esp-aes128-sha");
    struct phase2_gateway_config config = {.gateway = {&peer, 1, &tunnel, 1, false},
                                           .cores = 1,
                                           .queue = 100,
                                           .causes = causes,
                                           .stream = left ? 10 : 11,
                                           .observe = observe,
                                           .ctx = left ? "left" : "right"};
    ns3c_address_local(node, left ? LEFT_HOST : RIGHT_HOST);
    if (!phase2_gateway_install(node, &config))
        return NULL;
    return ns3c_udp_open(node, left ? LEFT_HOST : RIGHT_HOST, 9, receive, received);
}

int main(void)
{
    struct causes *causes;
    unsigned received[2] = {0, 0}, sent = 0;
    ns3c_init(1, 1);
    if (causes_new(&causes) < 0)
        return 1;
    struct ns3c_node *left = ns3c_node_new("left"), *right = ns3c_node_new("right");
    struct ns3c_link_config wan = {
        .delay_ns = 20 * P2_MS, .rate_bps = 100000000, .queue_packets = 100, .mtu = 1500};
    struct ns3c_link *link = ns3c_link_new(left, right, &wan);
    ns3c_address_add(left, ns3c_link_interface(link, 0), LEFT, 32);
    ns3c_address_add(right, ns3c_link_interface(link, 1), RIGHT, 32);
    ns3c_route_add(left, RIGHT, 32, ns3c_link_interface(link, 0));
    ns3c_route_add(right, LEFT, 32, ns3c_link_interface(link, 1));
    struct ns3c_udp *at_left = gateway(left, causes, true, &received[0]);
    struct ns3c_udp *at_right = gateway(right, causes, false, &received[1]);
    for (p2_time now = P2_SECOND; at_left && at_right && now < 60 * P2_SECOND; now += 100 * P2_MS, sent++) {
        static const uint8_t data[1000];
        ns3c_run(now);
        ns3c_udp_send(at_left, RIGHT_HOST, 9, data, sizeof data, 0);
        ns3c_udp_send(at_right, LEFT_HOST, 9, data, sizeof data, 0);
    }
    ns3c_run(61 * P2_SECOND);
    printf("%u packets sent each way: %u arrived on the left, %u on the right\n", sent, received[0],
           received[1]);
    ns3c_destroy();
    causes_free(causes);
    return 0;
}
