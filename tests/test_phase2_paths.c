/* The ways that packets take into and out of a gateway on a simulated node: policies and routes, ranges, port
 * 4500, IPv6 outside, and a gateway that begins anew. */
#include "gateway_fixture.h"

static struct ns3c_link *policy_pair_open(bool everything)
{
    sites_open(1, 2);
    struct ns3c_link *link = connect_sites(sites, 0, 1, &wan);
    for (unsigned i = 0; i < 2; i++) {
        struct p2_peer_config peer = peer_config(i, 1 - i);
        struct p2_tunnel_config tunnel = tunnel_config(0, i, 1 - i, i == 0);
        tunnel.basis = P2_POLICY_BASED;
        if (everything)
            tunnel.local = tunnel.remote = p2_selector_v4(0, 0);
        site_install(i, &peer, &tunnel);
    }
    return link;
}

/* What goes out of site 0 by protocol. */
struct tap {
    unsigned udp, esp, other;
    uint8_t esp_packet[2048];
    size_t esp_len;
    bool hold_esp; /* the next one is kept, and does not arrive */
};

static struct ns3c_link_verdict watch(void *ctx, const uint8_t *packet, size_t len, uint64_t mark)
{
    struct tap *tap = ctx;
    (void)mark;
    tap->udp += packet[9] == 17;
    tap->esp += packet[9] == 50;
    tap->other += packet[9] != 17 && packet[9] != 50;
    if (packet[9] != 50 || !tap->hold_esp)
        return (struct ns3c_link_verdict){NS3C_LINK_PASS, 0};
    tap->hold_esp = false;
    tap->esp_len = len;
    memcpy(tap->esp_packet, packet, len);
    return (struct ns3c_link_verdict){NS3C_LINK_DROP, 0};
}

/* No route leads to the other side's network: the policy alone does. Between 0.0.0.0/0 and itself everything
 * matches, IKE and ESP too, which must not be caught. */
static void policies_take_what_no_route_leads_to(void)
{
    for (int everything = 0; everything < 2; everything++) {
        struct tap tap = {0};
        struct ns3c_link *link = policy_pair_open(everything);
        ns3c_link_intercept(link, 0, watch, &tap);
        ns3c_run(P2_SECOND);
        CU_ASSERT_EQUAL(sites[1].phase2_ready, 1);
        CU_ASSERT_EQUAL(tap.udp, 5); /* three of main mode, two of Quick Mode */
        exchange_packets(20, 1000);
        for (unsigned i = 0; i < 2; i++) {
            CU_ASSERT_EQUAL(sites[i].received, 20);
            CU_ASSERT_EQUAL(sites[i].drops, 0);
            for (unsigned j = 0; j < 20; j++)
                CU_ASSERT_EQUAL(sites[i].marks[j], j + 1 + (i == 0 ? 1000 : 0));
        }
        CU_ASSERT_EQUAL(tap.udp, 5);
        CU_ASSERT_EQUAL(tap.esp, 20);
        CU_ASSERT_EQUAL(tap.other, 0);
        sites_close();
    }
}

static void what_no_policy_matches_goes_in_clear(void)
{
    struct tap tap = {0};
    struct ns3c_link *link = policy_pair_open(false);
    ns3c_run(P2_SECOND);
    ns3c_link_intercept(link, 0, watch, &tap);
    struct ns3c_udp *udp = ns3c_udp_open(sites[0].node, ns3c_any(), 77, host_receive, &sites[0]);
    struct ns3c_udp *at = ns3c_udp_open(sites[1].node, ns3c_any(), 77, host_receive, &sites[1]);
    CU_ASSERT_PTR_NOT_NULL(at);
    CU_ASSERT_EQUAL(ns3c_udp_send(udp, ns3c_v4(wan_address(1)), 77, (const uint8_t *)"x", 1, 5), 0);
    ns3c_run(2 * P2_SECOND);
    CU_ASSERT_EQUAL(tap.udp, 1);
    CU_ASSERT_EQUAL(tap.esp, 0);
    CU_ASSERT_EQUAL(sites[1].received, 1);
    sites_close();
}

/* The spokes are route-based at their end, which the hub can not tell. */
static void a_hub_with_policies_passes_from_tunnel_to_tunnel(void)
{
    hub_open(P2_POLICY_BASED);
    ns3c_run(P2_SECOND);
    check_spoke_to_spoke();
    sites_close();
}

/* Every address of the range is routed into the tunnel, where there is no SA, and none beside it. */
static void ranges_are_routed_exactly(void)
{
    static const uint32_t ranges[][2] = {{0x0a010001, 0x0a010006},
                                         {0x0a01fffe, 0x0a020002},
                                         {0x0a010000, 0x0a0100ff},
                                         {0x0a010005, 0x0a010005}};
    for (size_t r = 0; r < sizeof ranges / sizeof ranges[0]; r++) {
        sites_open(1, 2);
        connect_sites(sites, 0, 1, &wan);
        struct p2_peer_config peer = peer_config(0, 1);
        struct p2_tunnel_config tunnel = tunnel_config(0, 0, 1, false);
        tunnel.remote = (struct p2_selector){
            .address = p2_address_v4(ranges[r][0]), .is_range = true, .last = p2_address_v4(ranges[r][1])};
        site_install(0, &peer, &tunnel);
        ns3c_run(P2_MS);
        unsigned expected = 0;
        fprintf(stderr, "(messages expected: ");
        for (uint32_t to = ranges[r][0] - 3; to <= ranges[r][1] + 3; to++) {
            bool inside = to >= ranges[r][0] && to <= ranges[r][1];
            expected += inside;
            CU_ASSERT_EQUAL(ns3c_udp_send(sites[0].host, ns3c_v4(to), 9, (const uint8_t *)"x", 1, 1),
                            inside ? 0 : -1);
        }
        fprintf(stderr, ")\n");
        ns3c_run(P2_SECOND);
        CU_ASSERT_EQUAL(sites[0].drops, expected);
        sites_close();
    }
}

/* An IPv4 and a UDP header from site 0 to site 1, port 4500 at both ends, before `len` bytes. */
static size_t put_udp_4500(uint8_t *packet, const uint8_t *data, size_t len)
{
    check_unhex("4500 0000 00000000 40110000 c0000201 c0000202 1194 1194 0000 0000", packet, 28);
    packet[2] = (uint8_t)((len + 28) >> 8);
    packet[3] = (uint8_t)(len + 28);
    packet[24] = (uint8_t)((len + 8) >> 8);
    packet[25] = (uint8_t)(len + 8);
    memcpy(packet + 28, data, len);
    return len + 28;
}

static void port_4500_tells_its_payloads_apart(void)
{
    static const uint8_t keepalive[] = {0xff}, unknown_spi[40] = {0x99}, marker[40] = {0};
    static struct tap tap;
    uint8_t packet[2048];
    memset(&tap, 0, sizeof tap);
    sites_open(1, 2);
    struct ns3c_link *link = connect_sites(sites, 0, 1, &wan);
    for (unsigned i = 0; i < 2; i++) {
        struct p2_peer_config peer = peer_config(i, 1 - i);
        struct p2_tunnel_config tunnel = tunnel_config(0, i, 1 - i, i == 0);
        site_install(i, &peer, &tunnel);
    }
    ns3c_run(P2_SECOND);
    size_t len = put_udp_4500(packet, keepalive, sizeof keepalive);
    CU_ASSERT_EQUAL(ns3c_packet_send(sites[0].node, packet, len, 0), 0);
    ns3c_run(2 * P2_SECOND);
    CU_ASSERT_EQUAL(phase2_gateway_keepalives(sites[1].gateway), 1);
    CU_ASSERT_EQUAL(sites[1].drops, 0);

    len = put_udp_4500(packet, unknown_spi, sizeof unknown_spi);
    CU_ASSERT_EQUAL(ns3c_packet_send(sites[0].node, packet, len, 0), 0);
    ns3c_run(3 * P2_SECOND);
    CU_ASSERT_EQUAL(sites[1].drops, 1);
    CU_ASSERT_EQUAL(sites[1].reason, P2_DROP_UNKNOWN_SPI);

    len = put_udp_4500(packet, marker, sizeof marker); /* IKE: no ESP drop comes of it */
    CU_ASSERT_EQUAL(ns3c_packet_send(sites[0].node, packet, len, 0), 0);
    ns3c_run(4 * P2_SECOND);
    CU_ASSERT_EQUAL(sites[1].drops, 2);
    CU_ASSERT_NOT_EQUAL(sites[1].reason, P2_DROP_UNKNOWN_SPI);

    /* A real ESP packet, put into UDP on the way: the inner one arrives with the mark of its carrier. */
    tap.hold_esp = true;
    ns3c_link_intercept(link, 0, watch, &tap);
    CU_ASSERT_EQUAL(
        ns3c_udp_send(sites[0].host, ns3c_v4(host_address(1)), HOST_PORT, (const uint8_t *)"ping", 4, 76), 0);
    ns3c_run(5 * P2_SECOND);
    CU_ASSERT_EQUAL(sites[1].received, 0);
    CU_ASSERT_TRUE_FATAL(tap.esp_len > 20);
    len = put_udp_4500(packet, tap.esp_packet + 20, tap.esp_len - 20);
    CU_ASSERT_EQUAL(ns3c_packet_send(sites[0].node, packet, len, 77), 0);
    ns3c_run(6 * P2_SECOND);
    CU_ASSERT_EQUAL_FATAL(sites[1].received, 1);
    CU_ASSERT_EQUAL(sites[1].marks[0], 77);
    CU_ASSERT_EQUAL(sites[1].drops, 2);
    CU_ASSERT_EQUAL(phase2_gateway_keepalives(sites[1].gateway), 1);
    sites_close();
}

/* AH has no SA here; that it is asked for shows that protocol 51 gets there. */
static void protocol_51_comes_in(void)
{
    uint8_t packet[60] = {0};
    pair_open(1, 1500);
    ns3c_run(P2_SECOND);
    check_unhex("4500003c 00000000 40330000 c0000201 c0000202 0404 0000 00001234 00000001", packet,
                sizeof packet);
    CU_ASSERT_EQUAL(ns3c_packet_send(sites[0].node, packet, sizeof packet, 0), 0);
    ns3c_run(2 * P2_SECOND);
    CU_ASSERT_EQUAL(sites[1].drops, 1);
    sites_close();
}

static void ike_goes_over_ipv6(void)
{
    struct p2_address outside[2];
    sites_open(1, 2);
    struct ns3c_link *link = ns3c_link_new(sites[0].node, sites[1].node, &wan);
    for (unsigned i = 0; i < 2; i++) {
        struct ns3c_address address = ns3c_v6(UINT64_C(0xfd00000000000000), i + 1);
        outside[i].family = 6;
        memcpy(outside[i].bytes, address.bytes, 16);
        ns3c_address_add(sites[i].node, ns3c_link_interface(link, (int)i), address, 64);
    }
    for (unsigned i = 0; i < 2; i++) {
        struct p2_peer_config peer = peer_config(i, 1 - i);
        struct p2_tunnel_config tunnel = tunnel_config(0, i, 1 - i, i == 0);
        peer.local = outside[i];
        peer.remote = outside[1 - i];
        site_install(i, &peer, &tunnel);
    }
    ns3c_run(P2_SECOND);
    for (unsigned i = 0; i < 2; i++) {
        CU_ASSERT_EQUAL(sites[i].phase1_ready, 1);
        CU_ASSERT_EQUAL(sites[i].phase2_ready, 1);
        CU_ASSERT_EQUAL(sites[i].installed, 2);
        CU_ASSERT_EQUAL(sites[i].drops, 0);
    }
    sites_close();
}

/* Where the inner packets are of IPv6 the node gets a stack for them, and they are routed into the tunnel:
 * with no SA yet they are dropped by the gateway. */
static void ipv6_inside_is_led_to_the_gateway(void)
{
    sites_open(1, 2);
    connect_sites(sites, 0, 1, &wan);
    struct p2_peer_config peer = peer_config(0, 1);
    struct p2_tunnel_config tunnel = tunnel_config(0, 0, 1, false);
    struct ns3c_address inside = ns3c_v6(UINT64_C(0xfd00000000000001), 1);
    tunnel.local = tunnel.remote = (struct p2_selector){.address = {6, {0xfd}}, .prefix_len = 64};
    tunnel.local.address.bytes[7] = 1;
    tunnel.remote.address.bytes[7] = 2;
    site_install(0, &peer, &tunnel);
    ns3c_address_local(sites[0].node, inside);
    struct ns3c_udp *udp = ns3c_udp_open(sites[0].node, inside, 9, host_receive, &sites[0]);
    ns3c_run(P2_MS);
    CU_ASSERT_EQUAL(
        ns3c_udp_send(udp, ns3c_v6(UINT64_C(0xfd00000000000002), 1), 9, (const uint8_t *)"x", 1, 3), 0);
    ns3c_run(P2_SECOND);
    CU_ASSERT_EQUAL(sites[0].drops, 1);
    sites_close();
}

static void a_gateway_that_restarts_begins_anew(void)
{
    pair_open(1, 1500);
    ns3c_run(P2_SECOND);
    exchange_packets(5, 100);
    CU_ASSERT_EQUAL(sites[0].received, 5);
    phase2_gateway_restart(sites[0].gateway);
    CU_ASSERT_EQUAL(
        ns3c_udp_send(sites[1].host, ns3c_v4(host_address(0)), HOST_PORT, (const uint8_t *)"lost", 4, 3000),
        0);
    ns3c_run(ns3c_now() + P2_SECOND);
    CU_ASSERT_EQUAL(sites[0].received, 5); /* its SA is gone */
    CU_ASSERT_EQUAL(sites[0].drops, 1);
    CU_ASSERT_EQUAL(sites[0].reason, P2_DROP_UNKNOWN_SPI);
    for (int i = 0; i < 2; i++) {
        CU_ASSERT_EQUAL(sites[i].phase1_ready, 2);
        CU_ASSERT_EQUAL(sites[i].phase2_ready, 2);
    }
    exchange_packets(5, 100);
    CU_ASSERT_EQUAL(sites[0].received, 10);
    CU_ASSERT_EQUAL(sites[1].received, 10);
    CU_ASSERT_EQUAL(sites[0].drops + sites[1].drops, 1);
    sites_close();
}

CHECK_MAIN("phase2 paths", {"policies take what no route leads to", policies_take_what_no_route_leads_to},
           {"what no policy matches goes in clear", what_no_policy_matches_goes_in_clear},
           {"a hub with policies passes from tunnel to tunnel",
            a_hub_with_policies_passes_from_tunnel_to_tunnel},
           {"ranges are routed exactly", ranges_are_routed_exactly},
           {"port 4500 tells its payloads apart", port_4500_tells_its_payloads_apart},
           {"protocol 51 comes in", protocol_51_comes_in}, {"IKE goes over IPv6", ike_goes_over_ipv6},
           {"IPv6 inside is led to the gateway", ipv6_inside_is_led_to_the_gateway},
           {"a gateway that restarts begins anew", a_gateway_that_restarts_begins_anew})
