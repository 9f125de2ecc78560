/* What the tests of gateways on simulated nodes share: sites of a gateway and its one host, and what each of
 * them saw. */
#ifndef P2_TESTS_GATEWAY_FIXTURE_H
#define P2_TESTS_GATEWAY_FIXTURE_H

#include "check.h"
#include "phase2-ns3.h"

#define HOST_PORT 9
#define LOG_MAX   1000

/* Gateway i has the WAN address 192.0.2.(i + 1) and protects 10.i.0.0/16, where its own host is 10.i.0.1. */
static inline uint32_t wan_address(unsigned i)
{
    return 0xc0000201u + i;
}

static inline uint32_t prefix(unsigned i)
{
    return 0x0a000000u | i << 16;
}

static inline uint32_t host_address(unsigned i)
{
    return prefix(i) | 1;
}

/* What one gateway saw. */
struct site {
    struct ns3c_node *node;
    struct phase2_gateway *gateway;
    struct ns3c_udp *host;
    bool echoes;    /* answers what it gets at once, from within the delivery */
    bool answering; /* meanwhile the gateway must not be at work on the answer: it is still delivering */
    unsigned received;
    uint64_t marks[LOG_MAX];
    unsigned phase1_ready, phase2_ready, failed, installed, removed, drops;
    enum p2_drop reason; /* of the last one */
    p2_time ready_at;
};

static inline void host_receive(void *ctx, const struct ns3c_udp_packet *packet)
{
    struct site *site = ctx;
    if (site->received < LOG_MAX)
        site->marks[site->received] = packet->mark;
    site->received++;
    if (site->echoes) {
        site->answering = true;
        CU_ASSERT_EQUAL(ns3c_udp_send(site->host, packet->source, packet->source_port, packet->data,
                                      packet->len, packet->mark + 1000000),
                        0);
        site->answering = false;
    }
}

static inline void observe(void *ctx, struct phase2_gateway *gateway, p2_time now,
                           const struct p2_action *action, uint64_t event)
{
    struct site *site = ctx;
    (void)event;
    CU_ASSERT_PTR_EQUAL(gateway, site->gateway);
    CU_ASSERT_FALSE(site->answering);
    CU_ASSERT_EQUAL(now, ns3c_now());
    switch (action->type) {
    case P2_ACTION_NEGOTIATION:
        if (action->u.negotiation.event == P2_NEGOTIATION_FAILED)
            site->failed++;
        if (action->u.negotiation.event != P2_NEGOTIATION_READY)
            break;
        site->ready_at = now;
        if (action->u.negotiation.id.message_id)
            site->phase2_ready++;
        else
            site->phase1_ready++;
        break;
    case P2_ACTION_SA_INSTALLED:
        site->installed++;
        break;
    case P2_ACTION_SA_REMOVED:
        site->removed++;
        break;
    case P2_ACTION_DROP:
        site->drops++;
        site->reason = action->u.drop.reason;
        break;
    default:
        break;
    }
}

static inline struct p2_peer_config peer_config(unsigned local, unsigned remote)
{
    struct p2_peer_config peer = {.local = p2_address_v4(wan_address(local)),
                                  .remote = p2_address_v4(wan_address(remote)),
                                  .phase1 = p2_phase1_policy_default("shared")};
    peer.phase1.group = P2_GROUP_2;
    snprintf(peer.name, sizeof peer.name, "gateway-%u", remote);
    return peer;
}

/* For what travels from `local` to `remote`, whoever carries it. */
static inline struct p2_tunnel_config tunnel_config(size_t peer, unsigned local, unsigned remote,
                                                    bool initiator)
{
    struct p2_tunnel_config tunnel = {
        .peer = peer,
        .local = p2_selector_v4(prefix(local), 16),
        .remote = p2_selector_v4(prefix(remote), 16),
        .policy = p2_policy_default("g2-esp-aes128-sha"),
        .establish = initiator ? P2_ESTABLISH_IMMEDIATELY : P2_ESTABLISH_PASSIVE,
        .retry = P2_SECOND,
    };
    snprintf(tunnel.name, sizeof tunnel.name, "%u-%u", local, remote);
    tunnel.policy.pfs = P2_GROUP_14;
    return tunnel;
}

static inline void site_node(struct site *site, unsigned i)
{
    memset(site, 0, sizeof *site);
    site->node = ns3c_node_new(NULL);
    ns3c_address_local(site->node, ns3c_v4(host_address(i)));
    site->host = ns3c_udp_open(site->node, ns3c_v4(host_address(i)), HOST_PORT, host_receive, site);
}

static inline void site_gateway(struct site *site, unsigned i, struct causes *causes,
                                const struct p2_gateway_config *gateway)
{
    struct phase2_gateway_config config = {.gateway = *gateway,
                                           .cores = 1,
                                           .queue = 100,
                                           .causes = causes,
                                           .stream = 100 + i,
                                           .observe = observe,
                                           .ctx = site};
    site->gateway = phase2_gateway_install(site->node, &config);
    CU_ASSERT_PTR_NOT_NULL_FATAL(site->gateway);
}

static inline struct ns3c_link *connect_sites(struct site *sites, unsigned a, unsigned b,
                                              const struct ns3c_link_config *config)
{
    struct ns3c_link *link = ns3c_link_new(sites[a].node, sites[b].node, config);
    ns3c_address_add(sites[a].node, ns3c_link_interface(link, 0), ns3c_v4(wan_address(a)), 32);
    ns3c_address_add(sites[b].node, ns3c_link_interface(link, 1), ns3c_v4(wan_address(b)), 32);
    ns3c_route_add(sites[a].node, ns3c_v4(wan_address(b)), 32, ns3c_link_interface(link, 0));
    ns3c_route_add(sites[b].node, ns3c_v4(wan_address(a)), 32, ns3c_link_interface(link, 1));
    return link;
}

static const struct ns3c_link_config wan = {
    .delay_ns = 10 * P2_MS, .rate_bps = 100000000, .queue_packets = 100, .mtu = 1500, .stream = 1};

static struct site sites[3];
static struct causes *causes;

/* So many nodes, without links and gateways yet. */
static inline void sites_open(uint64_t run, unsigned num)
{
    ns3c_init(1, run);
    CU_ASSERT_EQUAL_FATAL(causes_new(&causes), 0);
    for (unsigned i = 0; i < num; i++)
        site_node(&sites[i], i);
}

/* A gateway with one tunnel. */
static inline void site_install(unsigned i, struct p2_peer_config *peer, struct p2_tunnel_config *tunnel)
{
    struct p2_gateway_config gateway = {peer, 1, tunnel, 1, false};
    site_gateway(&sites[i], i, causes, &gateway);
}

static inline void pair_open(uint64_t run, uint32_t mtu)
{
    struct ns3c_link_config config = wan;
    config.mtu = mtu;
    sites_open(run, 2);
    connect_sites(sites, 0, 1, &config);
    for (unsigned i = 0; i < 2; i++) {
        struct p2_peer_config peer = peer_config(i, 1 - i);
        struct p2_tunnel_config tunnel = tunnel_config(0, i, 1 - i, i == 0);
        site_install(i, &peer, &tunnel);
    }
}

/* Site 0 is the hub of the other two, and its tunnels have this basis. */
static inline void hub_open(enum p2_basis basis)
{
    sites_open(1, 3);
    connect_sites(sites, 0, 1, &wan);
    connect_sites(sites, 0, 2, &wan);
    struct p2_peer_config spokes[] = {peer_config(0, 1), peer_config(0, 2)};
    struct p2_tunnel_config tunnels[] = {tunnel_config(0, 2, 1, false), tunnel_config(1, 1, 2, false)};
    tunnels[0].basis = tunnels[1].basis = basis;
    struct p2_gateway_config hub = {spokes, 2, tunnels, 2, false};
    site_gateway(&sites[0], 0, causes, &hub);
    for (unsigned i = 1; i < 3; i++) {
        struct p2_peer_config peer = peer_config(i, 0);
        struct p2_tunnel_config tunnel = tunnel_config(0, i, 3 - i, true);
        site_install(i, &peer, &tunnel);
    }
}

/* Ten packets from site 1 come to site 2, none twice, in their order. */
static inline void check_spoke_to_spoke(void)
{
    for (unsigned i = 0; i < 10; i++)
        CU_ASSERT_EQUAL(ns3c_udp_send(sites[1].host, ns3c_v4(host_address(2)), HOST_PORT,
                                      (const uint8_t *)"ping", 4, i + 1),
                        0);
    ns3c_run(2 * P2_SECOND);
    CU_ASSERT_EQUAL(sites[2].received, 10);
    for (unsigned i = 0; i < 10; i++)
        CU_ASSERT_EQUAL(sites[2].marks[i], i + 1);
    CU_ASSERT_EQUAL(sites[0].drops + sites[1].drops + sites[2].drops, 0);
}

static inline void sites_close(void)
{
    ns3c_destroy();
    causes_free(causes);
}

/* One packet each way every 10 ms, marked 1, 2, ... from the first site and 1001, ... from the second. */
static inline void exchange_packets(unsigned num, size_t len)
{
    static const uint8_t data[2000];
    for (unsigned i = 0; i < num; i++) {
        CU_ASSERT_EQUAL(ns3c_udp_send(sites[0].host, ns3c_v4(host_address(1)), HOST_PORT, data, len, i + 1),
                        0);
        CU_ASSERT_EQUAL(
            ns3c_udp_send(sites[1].host, ns3c_v4(host_address(0)), HOST_PORT, data, len, i + 1001), 0);
        ns3c_run(ns3c_now() + 10 * P2_MS);
    }
    ns3c_run(ns3c_now() + P2_SECOND);
}

#endif
