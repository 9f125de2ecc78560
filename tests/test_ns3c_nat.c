/* The NAT node of ns3c.h: what it writes into packets, and what it lets through. */
#include "ns3c_fixture.h"

#define INSIDE(i) (0x0a000001u + (uint32_t)(i)) /* 10.0.0.1, 10.0.0.2: hosts inside */
#define OUTSIDE   0xcb007101u                   /* 203.0.113.1: the NAT's */
#define SERVER(i) (0xc6336401u + (uint32_t)(i)) /* 198.51.100.1 and .2, one node */

struct yard {
    struct ns3c_node *hosts[2], *nat, *server;
    struct ns3c_link *inside[2], *outside;
    struct ns3c_nat *translator;
    struct ns3c_udp *from[2], *at_server;
    uint16_t source_port; /* of what the server got last */
    struct log at_hosts, at_server_log, esp;
    uint8_t wire[2048]; /* the last packet that left the NAT */
    size_t wire_len;
};

static void server_receive(void *ctx, const struct ns3c_udp_packet *packet)
{
    struct yard *yard = ctx;
    yard->source_port = packet->source_port;
    log_udp(&yard->at_server_log, packet);
}

static void host_receive(void *ctx, const struct ns3c_udp_packet *packet)
{
    struct yard *yard = ctx;
    log_udp(&yard->at_hosts, packet);
}

static struct ns3c_link_verdict tap(void *ctx, const uint8_t *packet, size_t len, uint64_t mark)
{
    struct yard *yard = ctx;
    (void)mark;
    yard->wire_len = len;
    memcpy(yard->wire, packet, len < sizeof yard->wire ? len : sizeof yard->wire);
    return (struct ns3c_link_verdict){NS3C_LINK_PASS, 0};
}

static void yard_open(struct yard *yard, bool preserve_port, uint32_t mtu)
{
    struct ns3c_link_config config = plain;
    memset(yard, 0, sizeof *yard);
    ns3c_init(1, 1);
    yard->nat = ns3c_node_new("nat");
    yard->server = ns3c_node_new("server");
    for (uint32_t i = 0; i < 2; i++) {
        yard->hosts[i] = ns3c_node_new(NULL);
        config.mtu = mtu;
        yard->inside[i] = ns3c_link_new(yard->hosts[i], yard->nat, &config);
        ns3c_address_add(yard->hosts[i], ns3c_link_interface(yard->inside[i], 0), ns3c_v4(INSIDE(i)), 32);
        ns3c_route_add(yard->hosts[i], ns3c_v4(0), 0, ns3c_link_interface(yard->inside[i], 0));
        ns3c_route_add(yard->nat, ns3c_v4(INSIDE(i)), 32, ns3c_link_interface(yard->inside[i], 1));
        yard->from[i] = ns3c_udp_open(yard->hosts[i], ns3c_any(), 500, host_receive, yard);
    }
    yard->outside = ns3c_link_new(yard->nat, yard->server, &config);
    uint32_t outside = ns3c_link_interface(yard->outside, 0);
    ns3c_address_add(yard->nat, outside, ns3c_v4(OUTSIDE), 32);
    ns3c_route_add(yard->nat, ns3c_v4(0), 0, outside);
    for (uint32_t i = 0; i < 2; i++)
        ns3c_address_add(yard->server, ns3c_link_interface(yard->outside, 1), ns3c_v4(SERVER(i)), 32);
    ns3c_route_add(yard->server, ns3c_v4(0), 0, ns3c_link_interface(yard->outside, 1));
    yard->at_server = ns3c_udp_open(yard->server, ns3c_any(), 500, server_receive, yard);
    ns3c_protocol_open(yard->server, 50, log_packet, &yard->esp);
    struct ns3c_nat_config nat = {
        .outside = outside, .first_port = 40000, .last_port = 40002, .preserve_port = preserve_port};
    yard->translator = ns3c_nat_new(yard->nat, &nat);
    CU_ASSERT_PTR_NOT_NULL_FATAL(yard->translator);
    ns3c_link_intercept(yard->outside, 0, tap, yard);
}

static struct ns3c_nat_counters counters(const struct yard *yard)
{
    struct ns3c_nat_counters c;
    ns3c_nat_read(yard->translator, &c);
    return c;
}

static void settle(void)
{
    ns3c_run(ns3c_now() + SECOND);
}

static void send_out(struct yard *yard, int host, int server, size_t len, uint64_t mark)
{
    static const uint8_t data[2000];
    CU_ASSERT_EQUAL(ns3c_udp_send(yard->from[host], ns3c_v4(SERVER(server)), 500, data, len, mark), 0);
    settle();
}

static void ports_are_given_in_order_and_lead_back(void)
{
    static struct yard yard;
    yard_open(&yard, false, 1500);
    send_out(&yard, 0, 0, 10, 7);
    CU_ASSERT_EQUAL_FATAL(yard.at_server_log.num, 1);
    CU_ASSERT_EQUAL(yard.at_server_log.rows[0].source, OUTSIDE);
    CU_ASSERT_EQUAL(yard.at_server_log.rows[0].mark, 7);
    CU_ASSERT_EQUAL(yard.source_port, 40000);
    send_out(&yard, 1, 0, 10, 8);
    CU_ASSERT_EQUAL(yard.source_port, 40001);
    send_out(&yard, 0, 1, 10, 9); /* another destination, the same mapping */
    CU_ASSERT_EQUAL(yard.source_port, 40000);

    CU_ASSERT_EQUAL(ns3c_udp_send(yard.at_server, ns3c_v4(OUTSIDE), 40001, (const uint8_t *)"back", 4, 10),
                    0);
    settle();
    CU_ASSERT_EQUAL_FATAL(yard.at_hosts.num, 1);
    CU_ASSERT_EQUAL(yard.at_hosts.rows[0].destination, INSIDE(1));
    CU_ASSERT_EQUAL(yard.at_hosts.rows[0].source, SERVER(0));
    CU_ASSERT_EQUAL(yard.at_hosts.rows[0].mark, 10);
    struct ns3c_nat_counters c = counters(&yard);
    CU_ASSERT_EQUAL(c.outbound, 3);
    CU_ASSERT_EQUAL(c.inbound, 1);
    CU_ASSERT_EQUAL(c.mappings, 2);
    ns3c_destroy();
}

static void what_nobody_asked_for_is_dropped(void)
{
    static struct yard yard;
    yard_open(&yard, false, 1500);
    CU_ASSERT_EQUAL(ns3c_udp_send(yard.at_server, ns3c_v4(OUTSIDE), 40000, (const uint8_t *)"x", 1, 1), 0);
    CU_ASSERT_EQUAL(ns3c_udp_send(yard.at_server, ns3c_v4(INSIDE(0)), 500, (const uint8_t *)"x", 1, 2), 0);
    settle();
    CU_ASSERT_EQUAL(yard.at_hosts.num, 0);
    CU_ASSERT_EQUAL(counters(&yard).unsolicited, 2);
    ns3c_destroy();
}

/* ESP has no ports: that is what NAT traversal is for. */
static void esp_does_not_pass(void)
{
    static struct yard yard;
    uint8_t packet[60];
    yard_open(&yard, false, 1500);
    memset(packet, 0, sizeof packet);
    check_unhex("4500003c beef0000 40320000 0a000001 c6336401", packet, sizeof packet);
    for (int protocol = 50; protocol <= 51; protocol++) {
        packet[9] = (uint8_t)protocol;
        CU_ASSERT_EQUAL(ns3c_packet_send(yard.hosts[0], packet, sizeof packet, 1), 0);
    }
    settle();
    CU_ASSERT_EQUAL(yard.esp.num, 0);
    CU_ASSERT_EQUAL(yard.wire_len, 0);
    CU_ASSERT_EQUAL(counters(&yard).no_ports, 2);
    ns3c_destroy();
}

/* Checksums by hand. UDP from 10.0.0.1:500 to 198.51.100.1:500, "hi": 0a00 + 1 + c633 + 6401 + 11 + a + 1f4 +
 * 1f4 + a + 6869 = 1 a0ab -> a0ac -> 5f53. From 203.0.113.1:40000 (cb00 7101 9c40): cb00 + 7101 + c633 + 6401
 * + 11 + a + 9c40 + 1f4 + a + 6869 = 3 6cf7 -> 6cfa -> 9305. IP, hop limit 3f: 4500 + 1e + beef + 4000 + 3f11
 * + cb00 + 7101 + c633 + 6401 = 3 e953 -> e956 -> 16a9. */
static void checksums_are_corrected(void)
{
    static struct yard yard;
    uint8_t packet[30];
    yard_open(&yard, false, 1500);
    check_unhex("4500001e beef4000 40110000 0a000001 c6336401 01f401f4 000a5f53 6869", packet, sizeof packet);
    CU_ASSERT_EQUAL(ns3c_packet_send(yard.hosts[0], packet, sizeof packet, 1), 0);
    settle();
    CHECK_HEX(yard.wire, yard.wire_len,
              "4500001e beef4000 3f1116a9 cb007101 c6336401 9c4001f4 000a9305 6869");
    packet[26] = packet[27] = 0; /* none stays none */
    CU_ASSERT_EQUAL(ns3c_packet_send(yard.hosts[0], packet, sizeof packet, 1), 0);
    settle();
    CHECK_HEX(yard.wire, yard.wire_len,
              "4500001e beef4000 3f1116a9 cb007101 c6336401 9c4001f4 000a0000 6869");
    ns3c_destroy();
}

/* An echo request with identifier 0x1234; its answer comes back to the host with that identifier. Checksum of
 * the request: 0800 + 1234 + 1 = 1a35 -> e5ca. With identifier 9c40: 0800 + 9c40 + 1 = a441 -> 5bbe. */
static void echoes_pass(void)
{
    static struct yard yard;
    static struct log icmp;
    uint8_t packet[28];
    icmp.num = 0;
    yard_open(&yard, false, 1500);
    ns3c_protocol_open(yard.hosts[0], 1, log_packet, &icmp);
    check_unhex("4500001c beef4000 40010000 0a000001 c6336401 0800e5ca 12340001", packet, sizeof packet);
    CU_ASSERT_EQUAL(ns3c_packet_send(yard.hosts[0], packet, sizeof packet, 1), 0);
    settle();
    CHECK_HEX(yard.wire + 12, yard.wire_len - 12, "cb007101 c6336401 08005bbe 9c400001");
    CU_ASSERT_EQUAL_FATAL(icmp.num, 1);
    CHECK_HEX(icmp.last + 12, 9, "c6336401 0a000001 00");
    CHECK_HEX(icmp.last + 24, 4, "1234 0001");
    ns3c_destroy();
}

static void mappings_live_as_long_as_they_are_used(void)
{
    static struct yard yard;
    yard_open(&yard, false, 1500);
    send_out(&yard, 0, 0, 10, 1);
    ns3c_run(50 * SECOND);
    send_out(&yard, 0, 0, 10, 2);
    ns3c_run(100 * SECOND);
    CU_ASSERT_EQUAL(counters(&yard).mappings, 1); /* 50 s, refreshed, 50 s */
    CU_ASSERT_EQUAL(ns3c_udp_send(yard.at_server, ns3c_v4(OUTSIDE), 40000, (const uint8_t *)"x", 1, 3), 0);
    settle();
    CU_ASSERT_EQUAL(yard.at_hosts.num, 1);
    ns3c_run(111 * SECOND); /* inbound packets do not keep it */
    CU_ASSERT_EQUAL(ns3c_udp_send(yard.at_server, ns3c_v4(OUTSIDE), 40000, (const uint8_t *)"x", 1, 4), 0);
    settle();
    CU_ASSERT_EQUAL(yard.at_hosts.num, 1);
    CU_ASSERT_EQUAL(counters(&yard).unsolicited, 1);
    CU_ASSERT_EQUAL(counters(&yard).expired, 1);
    send_out(&yard, 0, 0, 10, 5);
    CU_ASSERT_EQUAL(yard.source_port, 40001); /* the next one: that is what breaks an old mapping's users */
    ns3c_destroy();
}

static void the_first_host_may_keep_its_port(void)
{
    static struct yard yard;
    yard_open(&yard, true, 1500);
    send_out(&yard, 0, 0, 10, 1);
    CU_ASSERT_EQUAL(yard.source_port, 500);
    send_out(&yard, 1, 0, 10, 2);
    CU_ASSERT_EQUAL(yard.source_port, 40000);
    ns3c_destroy();
}

static void ports_run_out(void)
{
    static struct yard yard;
    yard_open(&yard, false, 1500);
    for (uint16_t i = 0; i < 4; i++) {
        struct ns3c_udp *udp =
            ns3c_udp_open(yard.hosts[0], ns3c_any(), (uint16_t)(1000 + i), host_receive, &yard);
        CU_ASSERT_EQUAL(ns3c_udp_send(udp, ns3c_v4(SERVER(0)), 500, (const uint8_t *)"x", 1, i), 0);
        settle();
    }
    CU_ASSERT_EQUAL(yard.at_server_log.num, 3);
    CU_ASSERT_EQUAL(counters(&yard).exhausted, 1);
    ns3c_run(70 * SECOND); /* all have timed out: it begins anew */
    send_out(&yard, 1, 0, 10, 9);
    CU_ASSERT_EQUAL(yard.at_server_log.num, 4);
    CU_ASSERT_EQUAL(yard.source_port, 40000);
    ns3c_destroy();
}

/* Both hosts number their datagrams alike, so that behind one address their fragments could be mixed up. */
static void fragments_follow_their_first(void)
{
    static struct yard yard;
    static uint8_t data[2][1900];
    yard_open(&yard, false, 1000);
    memset(data[0], 0xaa, sizeof data[0]);
    memset(data[1], 0xbb, sizeof data[1]);
    for (int i = 0; i < 2; i++)
        CU_ASSERT_EQUAL(
            ns3c_udp_send(yard.from[i], ns3c_v4(SERVER(0)), 500, data[i], sizeof data[i], (uint64_t)i + 1),
            0);
    settle();
    CU_ASSERT_EQUAL_FATAL(yard.at_server_log.num, 2);
    for (size_t i = 0; i < 2; i++) {
        CU_ASSERT_EQUAL(yard.at_server_log.rows[i].len, 1900);
        CU_ASSERT_EQUAL(yard.at_server_log.rows[i].mark, i + 1);
    }
    CU_ASSERT_EQUAL(memcmp(yard.at_server_log.last, data[1], sizeof data[1]), 0);
    CU_ASSERT_EQUAL(ns3c_udp_send(yard.at_server, ns3c_v4(OUTSIDE), 40000, data[0], sizeof data[0], 3), 0);
    settle();
    CU_ASSERT_EQUAL(yard.at_hosts.num, 1);
    CU_ASSERT_EQUAL(yard.at_hosts.rows[0].len, 1900);
    CU_ASSERT_EQUAL(counters(&yard).fragments, 0);

    ns3c_link_lose(yard.inside[0], 0, 1); /* without its first one there are no ports for the others */
    CU_ASSERT_EQUAL(ns3c_udp_send(yard.from[0], ns3c_v4(SERVER(0)), 500, data[0], sizeof data[0], 4), 0);
    settle();
    CU_ASSERT_EQUAL(yard.at_server_log.num, 2);
    CU_ASSERT_EQUAL(counters(&yard).fragments, 1);
    ns3c_destroy();
}

static void between_inside_hosts_nothing_is_translated(void)
{
    static struct yard yard;
    yard_open(&yard, false, 1500);
    CU_ASSERT_EQUAL(ns3c_udp_send(yard.from[0], ns3c_v4(INSIDE(1)), 500, (const uint8_t *)"x", 1, 1), 0);
    settle();
    CU_ASSERT_EQUAL_FATAL(yard.at_hosts.num, 1);
    CU_ASSERT_EQUAL(yard.at_hosts.rows[0].source, INSIDE(0));
    CU_ASSERT_EQUAL(counters(&yard).mappings, 0);
    ns3c_destroy();
}

static void a_wrong_config_is_refused(void)
{
    ns3c_init(1, 1);
    struct ns3c_node *node = ns3c_node_new("nat"), *other = ns3c_node_new("other");
    struct ns3c_link *link = ns3c_link_new(node, other, &plain);
    struct ns3c_nat_config config = {
        .outside = ns3c_link_interface(link, 0), .first_port = 40000, .last_port = 50000};
    CU_ASSERT_PTR_NULL(ns3c_nat_new(node, &config)); /* no address */
    ns3c_address_add(node, config.outside, ns3c_v4(OUTSIDE), 32);
    config.last_port = 30000;
    CU_ASSERT_PTR_NULL(ns3c_nat_new(node, &config)); /* no ports */
    config.last_port = 50000;
    CU_ASSERT_PTR_NOT_NULL(ns3c_nat_new(node, &config));
    ns3c_destroy();
}

CHECK_MAIN("ns3c_nat", {"ports are given in order and lead back", ports_are_given_in_order_and_lead_back},
           {"what nobody asked for is dropped", what_nobody_asked_for_is_dropped},
           {"ESP does not pass", esp_does_not_pass}, {"checksums are corrected", checksums_are_corrected},
           {"echoes pass", echoes_pass},
           {"mappings live as long as they are used", mappings_live_as_long_as_they_are_used},
           {"the first host may keep its port", the_first_host_may_keep_its_port},
           {"ports run out", ports_run_out}, {"fragments follow their first", fragments_follow_their_first},
           {"between inside hosts nothing is translated", between_inside_hosts_nothing_is_translated},
           {"a wrong config is refused", a_wrong_config_is_refused})
