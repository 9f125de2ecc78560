/* Policies on top of a node's routing: what they take, of both families, and what they leave alone. */
#include "ns3c_fixture.h"

/* host -- gateway -- world. What goes from 10.x or fd00:0:0:1:: to 20.x or fd00:0:0:2:: is the policy's, but
 * only if its UDP destination port is PORT. */
#define HOST    0x0a000001u
#define GATEWAY 0x0a000002u
#define WORLD   0x14000001u

static struct ns3c_address net(unsigned subnet, unsigned host)
{
    return ns3c_v6(UINT64_C(0xfd00000000000000) | subnet, host);
}

struct field {
    struct ns3c_node *host, *gateway, *world;
    struct ns3c_link *inside, *outside;
    struct ns3c_policy *policy;
    struct ns3c_udp *from_host, *from_gateway, *at_world[2];
    size_t asked, taken;
    uint64_t mark;
    uint8_t bytes[2048];
    size_t len;
    struct log log;
};

static bool decide(void *ctx, const uint8_t *packet, size_t len)
{
    struct field *field = ctx;
    const uint8_t *udp = packet + (packet[0] >> 4 == 4 ? 20 : 40);
    field->asked++;
    return udp + 4 <= packet + len && (udp[2] << 8 | udp[3]) == PORT;
}

static bool decide_addresses(void *ctx, struct ns3c_address source, struct ns3c_address destination)
{
    (void)ctx;
    if (source.family != destination.family)
        return false;
    return source.family == 4 ? source.bytes[0] == 10 && destination.bytes[0] == 20
                              : source.bytes[7] == 1 && destination.bytes[7] == 2;
}

static void take(void *ctx, const uint8_t *packet, size_t len, uint64_t mark)
{
    struct field *field = ctx;
    field->taken++;
    field->mark = mark;
    field->len = len;
    memcpy(field->bytes, packet, len < sizeof field->bytes ? len : sizeof field->bytes);
}

/* policy_first: before the node knows of IPv6. */
static void field_open(struct field *field, bool policy_first)
{
    static const struct ns3c_policy_ops ops = {decide, decide_addresses, take};
    memset(field, 0, sizeof *field);
    ns3c_init(1, 1);
    field->host = ns3c_node_new("host");
    field->gateway = ns3c_node_new("gateway");
    field->world = ns3c_node_new("world");
    field->inside = ns3c_link_new(field->host, field->gateway, &plain);
    field->outside = ns3c_link_new(field->gateway, field->world, &plain);
    if (policy_first)
        field->policy = ns3c_policy_open(field->gateway, &ops, field);
    uint32_t in = ns3c_link_interface(field->inside, 1), out = ns3c_link_interface(field->outside, 0);
    uint32_t host = ns3c_link_interface(field->inside, 0), world = ns3c_link_interface(field->outside, 1);
    ns3c_address_add(field->host, host, ns3c_v4(HOST), 32);
    ns3c_address_add(field->host, host, net(1, 1), 128);
    ns3c_address_add(field->gateway, in, ns3c_v4(GATEWAY), 32);
    ns3c_address_add(field->gateway, in, net(1, 2), 128);
    ns3c_address_add(field->world, world, ns3c_v4(WORLD), 32);
    ns3c_address_add(field->world, world, net(2, 1), 128);
    ns3c_route_add(field->host, ns3c_v4(0), 0, host);
    ns3c_route_add(field->host, ns3c_v6(0, 0), 0, host);
    ns3c_route_add(field->gateway, ns3c_v4(0), 0, out);
    ns3c_route_add(field->gateway, ns3c_v6(0, 0), 0, out);
    ns3c_route_add(field->gateway, ns3c_v4(HOST), 32, in);
    ns3c_route_add(field->gateway, net(1, 1), 128, in);
    ns3c_route_add(field->world, ns3c_v4(0), 0, world);
    ns3c_route_add(field->world, ns3c_v6(0, 0), 0, world);
    if (!policy_first)
        field->policy = ns3c_policy_open(field->gateway, &ops, field);
    field->from_host = ns3c_udp_open(field->host, ns3c_any(), PORT, log_udp, &field->log);
    field->from_gateway = ns3c_udp_open(field->gateway, ns3c_any(), PORT, log_udp, &field->log);
    for (uint16_t i = 0; i < 2; i++)
        field->at_world[i] =
            ns3c_udp_open(field->world, ns3c_any(), (uint16_t)(PORT + i), log_udp, &field->log);
}

static void send_from(struct ns3c_udp *udp, struct ns3c_address to, uint16_t port, uint64_t mark)
{
    static const uint8_t data[1000] = "data";
    CU_ASSERT_EQUAL(ns3c_udp_send(udp, to, port, data, 1000, mark), 0);
    ns3c_run(ns3c_now() + SECOND);
}

/* Whole, one hop further, with its checksum, and not at the world. */
static void what_is_forwarded_is_taken(void)
{
    for (int first = 0; first < 2; first++) {
        static struct field field;
        field_open(&field, first);
        send_from(field.from_host, ns3c_v4(WORLD), PORT, 4);
        CU_ASSERT_EQUAL(field.taken, 1);
        CU_ASSERT_EQUAL(field.mark, 4);
        CU_ASSERT_EQUAL(field.len, 1028);
        /* RFC 791: 4500 + 404 + 3f11 + a00 + 1 + 1400 + 1 = a617; its complement is 59e8. */
        CHECK_HEX(field.bytes, 28, "45000404 00000000 3f11 59e8 0a000001 14000001 0fa00fa0 03f00000");
        send_from(field.from_host, net(2, 1), PORT, 6);
        CU_ASSERT_EQUAL(field.taken, 2);
        CU_ASSERT_EQUAL(field.mark, 6);
        CU_ASSERT_EQUAL(field.len, 1048);
        CHECK_HEX(field.bytes, 44,
                  "60000001 03f0113f fd000000000000010000000000000001 fd000000000000020000000000000001 "
                  "0fa00fa0");
        CU_ASSERT_EQUAL(field.log.num, 0);
        ns3c_destroy();
    }
}

static void what_the_node_sends_is_taken(void)
{
    static struct field field;
    field_open(&field, false);
    send_from(field.from_gateway, ns3c_v4(WORLD), PORT, 4);
    CU_ASSERT_EQUAL(field.taken, 1);
    CU_ASSERT_EQUAL(field.mark, 4);
    CHECK_HEX(field.bytes + 8, 2, "4011"); /* no hop yet */
    CHECK_HEX(field.bytes + 12, 8, "0a000002 14000001");
    send_from(field.from_gateway, net(2, 1), PORT, 6);
    CU_ASSERT_EQUAL(field.taken, 2);
    CU_ASSERT_EQUAL(field.mark, 6);
    CU_ASSERT_EQUAL(field.bytes[7], 64);
    CU_ASSERT_EQUAL(field.log.num, 0);
    ns3c_destroy();
}

/* The addresses match and the port does not: it is judged and goes its way. */
static void the_rest_goes_its_way(void)
{
    static struct field field;
    field_open(&field, false);
    send_from(field.from_host, ns3c_v4(WORLD), PORT + 1, 1);
    send_from(field.from_host, net(2, 1), PORT + 1, 2);
    send_from(field.from_gateway, ns3c_v4(WORLD), PORT + 1, 3);
    send_from(field.from_gateway, net(2, 1), PORT + 1, 4);
    CU_ASSERT_EQUAL(field.asked, 4);
    CU_ASSERT_EQUAL(field.taken, 0);
    CU_ASSERT_EQUAL_FATAL(field.log.num, 4);
    for (size_t i = 0; i < 4; i++)
        CU_ASSERT_EQUAL(field.log.rows[i].mark, i + 1);
    CU_ASSERT_EQUAL(field.log.rows[2].source, GATEWAY);
    send_from(field.at_world[0], ns3c_v4(HOST), PORT, 5); /* the other way its addresses do not match */
    send_from(field.at_world[0], ns3c_v4(GATEWAY), PORT, 6);
    send_from(field.at_world[0], net(1, 1), PORT, 7);
    CU_ASSERT_EQUAL(field.asked, 4);
    CU_ASSERT_EQUAL(field.log.num, 7);
    ns3c_destroy();
}

static void what_was_taken_comes_back_unjudged(void)
{
    static struct field field;
    field_open(&field, false);
    for (int v6 = 0; v6 < 2; v6++) {
        send_from(field.from_host, v6 ? net(2, 1) : ns3c_v4(WORLD), PORT, 1);
        CU_ASSERT_EQUAL(field.taken, (size_t)v6 + 1);
        CU_ASSERT_EQUAL(ns3c_policy_receive(field.policy, field.bytes, field.len, 9), 0);
        ns3c_run(ns3c_now() + SECOND);
        CU_ASSERT_EQUAL(field.taken, (size_t)v6 + 1);
        CU_ASSERT_EQUAL_FATAL(field.log.num, (size_t)v6 + 1);
        CU_ASSERT_EQUAL(field.log.rows[v6].mark, 9);
    }
    fprintf(stderr, "(two messages expected: ");
    CU_ASSERT_EQUAL(ns3c_policy_receive(field.policy, field.bytes, 10, 9), -1);
    CU_ASSERT_EQUAL(ns3c_policy_send(field.policy, field.bytes, 10, 9), -1);
    fprintf(stderr, ")\n");
    ns3c_destroy();
}

static void outer_packets_go_past_it(void)
{
    static struct field field;
    field_open(&field, false);
    for (int v6 = 0; v6 < 2; v6++) {
        send_from(field.from_gateway, v6 ? net(2, 1) : ns3c_v4(WORLD), PORT, 1);
        CU_ASSERT_EQUAL(field.taken, 2 * (size_t)v6 + 1);
        CU_ASSERT_EQUAL(ns3c_policy_send(field.policy, field.bytes, field.len, 8), 0);
        ns3c_run(ns3c_now() + SECOND);
        CU_ASSERT_EQUAL(field.taken, 2 * (size_t)v6 + 1);
        CU_ASSERT_EQUAL_FATAL(field.log.num, (size_t)v6 + 1);
        CU_ASSERT_EQUAL(ns3c_packet_send(field.gateway, field.bytes, field.len, 7), 0);
        CU_ASSERT_EQUAL(field.taken, 2 * (size_t)v6 + 2);
        CU_ASSERT_EQUAL(field.mark, 7);
    }
    ns3c_destroy();
}

/* On its last hop: the sender is told, and nothing is taken. */
static void what_has_no_hop_left_is_not_taken(void)
{
    static struct field field;
    static struct log icmp;
    uint8_t packet[32];
    icmp.num = 0;
    field_open(&field, false);
    ns3c_protocol_open(field.host, 1, log_packet, &icmp);
    check_unhex("45000020 00010000 01110000 0a000001 14000001 0fa00fa0 000c0000 00000000", packet,
                sizeof packet);
    CU_ASSERT_EQUAL(ns3c_packet_send(field.host, packet, sizeof packet, 1), 0);
    ns3c_run(SECOND);
    CU_ASSERT_EQUAL(field.taken, 0);
    CU_ASSERT_EQUAL_FATAL(icmp.num, 1);
    CU_ASSERT_EQUAL(icmp.last[20], 11); /* time exceeded */
    ns3c_destroy();
}

CHECK_MAIN("ns3c_policy", {"what is forwarded is taken", what_is_forwarded_is_taken},
           {"what the node sends is taken", what_the_node_sends_is_taken},
           {"the rest goes its way", the_rest_goes_its_way},
           {"what was taken comes back unjudged", what_was_taken_comes_back_unjudged},
           {"outer packets go past it", outer_packets_go_past_it},
           {"what has no hop left is not taken", what_has_no_hop_left_is_not_taken})
