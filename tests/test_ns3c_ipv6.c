/* IPv6 beside IPv4 in ns3c.h: addresses, routes, UDP, whole packets, tunnels and captures; nothing is sent
 * that nobody asked for. */
#include "ns3c_fixture.h"

#include <unistd.h>

#define HIGH UINT64_C(0xfd00000000000000)

static struct ns3c_address net(unsigned subnet, unsigned host)
{
    return ns3c_v6(HIGH | subnet, host);
}

static bool same(const struct ns3c_address *a, struct ns3c_address b)
{
    return memcmp(a, &b, sizeof b) == 0;
}

/* What arrived last, with its addresses. */
struct seen {
    size_t num;
    int64_t at;
    struct ns3c_address source, destination;
    uint64_t mark;
    size_t len;
    uint8_t bytes[4096];
};

static void see_udp(void *ctx, const struct ns3c_udp_packet *packet)
{
    struct seen *seen = ctx;
    seen->num++;
    seen->at = ns3c_now();
    seen->source = packet->source;
    seen->destination = packet->destination;
    seen->mark = packet->mark;
    seen->len = packet->len;
    memcpy(seen->bytes, packet->data, packet->len < sizeof seen->bytes ? packet->len : sizeof seen->bytes);
}

static void see_packet(void *ctx, const uint8_t *packet, size_t len, uint64_t mark)
{
    struct seen *seen = ctx;
    seen->num++;
    seen->at = ns3c_now();
    seen->mark = mark;
    seen->len = len;
    memcpy(seen->bytes, packet, len < sizeof seen->bytes ? len : sizeof seen->bytes);
}

/* a (fd00::1:1) -- r -- b (fd00::2:1); r has another link to b for fd00:0:0:3::/64, which is slower. */
struct path {
    struct ns3c_node *a, *r, *b;
    struct ns3c_link *ar, *rb, *slow;
    struct ns3c_udp *from_a, *at_b;
    struct seen seen;
};

static void path_open(struct path *path, uint32_t mtu)
{
    struct ns3c_link_config config = plain;
    memset(path, 0, sizeof *path);
    ns3c_init(1, 1);
    path->a = ns3c_node_new("a");
    path->r = ns3c_node_new("r");
    path->b = ns3c_node_new("b");
    path->from_a =
        ns3c_udp_open(path->a, ns3c_any(), PORT, see_udp, &path->seen); /* before there is a stack */
    path->ar = ns3c_link_new(path->a, path->r, &config);
    config.mtu = mtu;
    path->rb = ns3c_link_new(path->r, path->b, &config);
    config.delay_ns = 70 * MS;
    path->slow = ns3c_link_new(path->r, path->b, &config);
    ns3c_address_add(path->a, ns3c_link_interface(path->ar, 0), net(1, 1), 64);
    ns3c_address_add(path->r, ns3c_link_interface(path->ar, 1), net(1, 2), 64);
    ns3c_address_add(path->r, ns3c_link_interface(path->rb, 0), net(2, 2), 64);
    ns3c_address_add(path->b, ns3c_link_interface(path->rb, 1), net(2, 1), 128);
    ns3c_address_local(path->b, net(3, 1));
    ns3c_address_local(path->b, net(3, 2));
    ns3c_route_add(path->a, ns3c_v6(0, 0), 0, ns3c_link_interface(path->ar, 0));
    ns3c_route_add(path->b, ns3c_v6(0, 0), 0, ns3c_link_interface(path->rb, 1));
    ns3c_route_add(path->r, net(3, 0), 64, ns3c_link_interface(path->slow, 0));
    ns3c_route_add(path->r, net(3, 2), 128, ns3c_link_interface(path->rb, 0));
    path->at_b = ns3c_udp_open(path->b, ns3c_any(), PORT, see_udp, &path->seen);
}

static void datagrams_go_both_ways(void)
{
    static struct path path;
    path_open(&path, 1500);
    CU_ASSERT_EQUAL(ns3c_udp_send(path.from_a, net(2, 1), PORT, (const uint8_t *)"there", 5, 7), 0);
    ns3c_run(SECOND);
    CU_ASSERT_EQUAL_FATAL(path.seen.num, 1);
    CU_ASSERT_EQUAL(path.seen.at, 2 * (20 * MS + (40 + 8 + 5) * 1000)); /* a byte takes a microsecond */
    CU_ASSERT_TRUE(same(&path.seen.source, net(1, 1)));
    CU_ASSERT_TRUE(same(&path.seen.destination, net(2, 1)));
    CU_ASSERT_EQUAL(path.seen.mark, 7);
    CU_ASSERT_EQUAL(memcmp(path.seen.bytes, "there", 5), 0);

    struct ns3c_udp *bound = ns3c_udp_open(path.b, net(3, 1), PORT + 1, see_udp, &path.seen);
    CU_ASSERT_PTR_NOT_NULL_FATAL(bound);
    CU_ASSERT_PTR_NULL(ns3c_udp_open(path.b, net(3, 1), PORT + 1, see_udp, &path.seen));
    CU_ASSERT_EQUAL(ns3c_udp_send(bound, net(1, 1), PORT, (const uint8_t *)"back", 4, 8), 0);
    ns3c_run(2 * SECOND);
    CU_ASSERT_EQUAL_FATAL(path.seen.num, 2);
    CU_ASSERT_TRUE(same(&path.seen.source, net(3, 1)));
    fprintf(stderr, "(a message expected: ");
    CU_ASSERT_EQUAL(ns3c_udp_send(bound, ns3c_v4(A), PORT, (const uint8_t *)"x", 1, 9), -1);
    fprintf(stderr, ")\n");
    ns3c_destroy();
}

static void the_longest_prefix_routes(void)
{
    static struct path path;
    path_open(&path, 1500);
    CU_ASSERT_EQUAL(ns3c_udp_send(path.from_a, net(3, 2), PORT, (const uint8_t *)"fast", 4, 1), 0);
    ns3c_run(SECOND);
    CU_ASSERT_EQUAL(path.seen.num, 1);
    CU_ASSERT_EQUAL(path.seen.at, 2 * (20 * MS + 52000));
    CU_ASSERT_EQUAL(ns3c_udp_send(path.from_a, net(3, 1), PORT, (const uint8_t *)"slow", 4, 2), 0);
    ns3c_run(2 * SECOND);
    CU_ASSERT_EQUAL(path.seen.num, 2);
    CU_ASSERT_EQUAL(path.seen.at, SECOND + 90 * MS + 2 * 52000);
    ns3c_destroy();
}

/* Only the sender may fragment, so it has to learn of a smaller MTU on the way from Packet Too Big. */
static void a_smaller_mtu_on_the_way_is_learned(void)
{
    static struct path path;
    static const uint8_t data[1440];
    path_open(&path, 1300);
    CU_ASSERT_EQUAL(ns3c_udp_send(path.from_a, net(2, 1), PORT, data, sizeof data, 1), 0);
    ns3c_run(SECOND);
    CU_ASSERT_EQUAL(path.seen.num, 0);
    CU_ASSERT_EQUAL(ns3c_udp_send(path.from_a, net(2, 1), PORT, data, sizeof data, 2), 0);
    ns3c_run(2 * SECOND);
    CU_ASSERT_EQUAL(path.seen.num, 1);
    CU_ASSERT_EQUAL(path.seen.len, sizeof data);
    CU_ASSERT_EQUAL(path.seen.mark, 2); /* in fragments, which keep it */
    ns3c_destroy();
}

/* RFC 8200 section 3: traffic class 0xb8, ns-3's flow label, hop limit 77. */
static void put_header(uint8_t *packet, size_t len, uint8_t next, struct ns3c_address source,
                       struct ns3c_address destination)
{
    memset(packet, 0, len);
    packet[0] = 0x6b;
    packet[1] = 0x80;
    packet[3] = 1;
    packet[4] = (uint8_t)((len - 40) >> 8);
    packet[5] = (uint8_t)(len - 40);
    packet[6] = next;
    packet[7] = 77;
    memcpy(packet + 8, source.bytes, 16);
    memcpy(packet + 24, destination.bytes, 16);
}

static void whole_packets_arrive_as_they_were_sent(void)
{
    for (uint8_t protocol = 50; protocol <= 51; protocol++) {
        for (size_t len = 1400; len <= 3000; len += 1600) { /* the second one in three fragments */
            static struct path path;
            static uint8_t packet[3000];
            path_open(&path, 1500);
            ns3c_protocol_open(path.b, protocol, see_packet, &path.seen);
            put_header(packet, len, protocol, net(1, 1), net(3, 2));
            for (size_t i = 40; i < len; i++)
                packet[i] = (uint8_t)(i * 7);
            CU_ASSERT_EQUAL(ns3c_packet_send(path.a, packet, len, 42), 0);
            ns3c_run(SECOND);
            CU_ASSERT_EQUAL_FATAL(path.seen.num, 1);
            CU_ASSERT_EQUAL(path.seen.mark, 42);
            CU_ASSERT_EQUAL_FATAL(path.seen.len, len);
            packet[7] = 76; /* a hop */
            CU_ASSERT_EQUAL(memcmp(path.seen.bytes, packet, len), 0);
            ns3c_destroy();
        }
    }
}

static void a_protocol_opened_before_the_stack_hears_it(void)
{
    static struct seen seen;
    uint8_t packet[60];
    seen.num = 0;
    ns3c_init(1, 1);
    struct ns3c_node *a = ns3c_node_new("a"), *b = ns3c_node_new("b");
    ns3c_protocol_open(b, 50, see_packet, &seen);
    struct ns3c_link *link = ns3c_link_new(a, b, &plain);
    put_header(packet, sizeof packet, 50, net(1, 1), net(1, 2));
    fprintf(stderr, "(a message expected: ");
    CU_ASSERT_EQUAL(ns3c_packet_send(a, packet, sizeof packet, 1), -1); /* no stack, no route */
    fprintf(stderr, ")\n");
    ns3c_address_add(a, ns3c_link_interface(link, 0), net(1, 1), 64);
    CU_ASSERT_EQUAL(ns3c_packet_send(a, packet, sizeof packet, 1), 0); /* b knows nothing of IPv6 yet */
    ns3c_run(SECOND);
    CU_ASSERT_EQUAL(seen.num, 0);
    ns3c_address_add(b, ns3c_link_interface(link, 1), net(1, 2), 64);
    CU_ASSERT_EQUAL(ns3c_packet_send(a, packet, sizeof packet, 2), 0);
    ns3c_run(2 * SECOND);
    CU_ASSERT_EQUAL(seen.num, 1);
    CU_ASSERT_EQUAL(seen.mark, 2);
    ns3c_destroy();
}

/* Both families go into it; over IPv4 outside, as protocol 99. */
struct tunnel_end {
    struct ns3c_node *node;
    uint32_t interface;
    struct seen in;
};

static void tunnel_wrap(void *ctx, const uint8_t *packet, size_t len, uint64_t mark)
{
    static uint8_t outer[4096];
    struct tunnel_end *end = ctx;
    see_packet(&end->in, packet, len, mark);
    memset(outer, 0, 20);
    outer[0] = 0x45;
    outer[2] = (uint8_t)((len + 20) >> 8);
    outer[3] = (uint8_t)(len + 20);
    outer[8] = 64;
    outer[9] = 99;
    memcpy(outer + 12, ns3c_v4(A).bytes, 4);
    memcpy(outer + 16, ns3c_v4(B).bytes, 4);
    memcpy(outer + 20, packet, len);
    CU_ASSERT_EQUAL(ns3c_packet_send(end->node, outer, len + 20, mark), 0);
}

static void tunnel_unwrap(void *ctx, const uint8_t *packet, size_t len, uint64_t mark)
{
    struct tunnel_end *end = ctx;
    CU_ASSERT_EQUAL(ns3c_tunnel_receive(end->node, end->interface, packet + 20, len - 20, mark), 0);
}

static void tunnels_carry_both_families(void)
{
    static struct pair pair;
    static struct tunnel_end a, b;
    static struct seen seen;
    memset(&a, 0, sizeof a);
    memset(&b, 0, sizeof b);
    memset(&seen, 0, sizeof seen);
    pair_open(&pair, &plain, 1);
    a.node = pair.a;
    b.node = pair.b;
    a.interface = ns3c_tunnel_new(a.node, 65535, tunnel_wrap, &a);
    b.interface = ns3c_tunnel_new(b.node, 65535, tunnel_wrap, &b);
    ns3c_protocol_open(b.node, 99, tunnel_unwrap, &b);
    ns3c_address_local(a.node, net(1, 1));
    ns3c_address_local(b.node, net(2, 1));
    ns3c_address_local(b.node, ns3c_v4(0x14000001));
    ns3c_route_add(a.node, net(2, 0), 64, a.interface);
    ns3c_route_add(a.node, ns3c_v4(0x14000000), 8, a.interface);
    struct ns3c_udp *from = ns3c_udp_open(a.node, ns3c_any(), 9, see_udp, &seen);
    ns3c_udp_open(b.node, ns3c_any(), 9, see_udp, &seen);
    CU_ASSERT_EQUAL(ns3c_udp_send(from, net(2, 1), 9, (const uint8_t *)"six", 3, 6), 0);
    ns3c_run(SECOND);
    CU_ASSERT_EQUAL_FATAL(seen.num, 1);
    CU_ASSERT_TRUE(same(&seen.destination, net(2, 1)));
    CU_ASSERT_TRUE(same(&seen.source, net(1, 1))); /* the only one there is */
    CU_ASSERT_EQUAL(seen.mark, 6);
    /* The whole inner packet, its checksum too: RFC 8200 section 8.1, summed by hand: fd00+1+1 + fd00+2+1 +
     * 000b (length) + 11 (UDP) + 9 + 9 + b + 7369 + 7800 = 2e5a7; e5a7 + 2 = e5a9; its complement is 1a56. */
    CHECK_HEX(a.in.bytes, a.in.len,
              "60000001 000b 11 40 fd000000000000010000000000000001 fd000000000000020000000000000001"
              "0009 0009 000b 1a56 736978");
    CU_ASSERT_EQUAL(ns3c_udp_send(from, ns3c_v4(0x14000001), 9, (const uint8_t *)"four", 4, 4), 0);
    ns3c_run(2 * SECOND);
    CU_ASSERT_EQUAL(seen.num, 2);
    CU_ASSERT_EQUAL(seen.mark, 4);
    ns3c_destroy();
}

/* The first line that a command prints. */
static void ask(const char *format, const char *file, char *line, size_t size)
{
    char command[400];
    snprintf(command, sizeof command, format, file);
    line[0] = 0;
    FILE *pipe = popen(command, "r");
    if (pipe && !fgets(line, (int)size, pipe))
        line[0] = 0;
    if (pipe)
        pclose(pipe);
    line[strcspn(line, "\n")] = 0;
}

static size_t capture_into(const char *file, uint8_t *bytes, size_t capacity)
{
    static struct path path;
    static const uint8_t data[2000];
    path_open(&path, 1500);
    struct ns3c_capture *capture = ns3c_capture_open(path.r, file);
    CU_ASSERT_PTR_NOT_NULL_FATAL(capture);
    CU_ASSERT_EQUAL(ns3c_udp_send(path.from_a, net(2, 1), PORT, data, 100, 1), 0);
    CU_ASSERT_EQUAL(ns3c_udp_send(path.from_a, net(2, 1), PORT, data, 2000, 2), 0);
    CU_ASSERT_EQUAL(ns3c_udp_send(path.from_a, net(2, 1), PORT + 9, data, 10, 3), 0); /* nobody is there */
    ns3c_run(60 * SECOND);
    CU_ASSERT_EQUAL(ns3c_capture_close(capture), 0);
    ns3c_destroy();
    FILE *f = fopen(file, "rb");
    size_t len = f ? fread(bytes, 1, capacity, f) : 0;
    if (f)
        fclose(f);
    return len;
}

static void captures_show_just_what_was_sent(void)
{
    static uint8_t first[1 << 15], again[1 << 15];
    char file[] = "/tmp/ns3c-capture-XXXXXX", answer[200];
    int fd = mkstemp(file);
    CU_ASSERT_TRUE_FATAL(fd >= 0);
    close(fd);
    size_t first_len = capture_into(file, first, sizeof first);
    size_t again_len = capture_into(file, again, sizeof again);
    CU_ASSERT_TRUE(first_len == again_len && first_len > 4000 && memcmp(first, again, first_len) == 0);
    /* Each packet once in and once out: a datagram, two fragments, one for a closed port and the answer. */
    ask("tshark -r %s 2>/dev/null | wc -l", file, answer, sizeof answer);
    CU_ASSERT_EQUAL(atoi(answer), 10);
    ask("tshark -r %s -Y 'icmpv6.type == 1 && icmpv6.code == 4' 2>/dev/null | wc -l", file, answer,
        sizeof answer);
    CU_ASSERT_EQUAL(atoi(answer), 2);
    ask("tshark -r %s -o udp.check_checksum:TRUE -Y '_ws.malformed || udp.checksum.status != 1 || "
        "icmpv6.checksum.status != 1' 2>/dev/null",
        file, answer, sizeof answer);
    CU_ASSERT_STRING_EQUAL(answer, "");
    unlink(file);
}

CHECK_MAIN("ns3c_ipv6", {"datagrams go both ways", datagrams_go_both_ways},
           {"the longest prefix routes", the_longest_prefix_routes},
           {"a smaller MTU on the way is learned", a_smaller_mtu_on_the_way_is_learned},
           {"whole packets arrive as they were sent", whole_packets_arrive_as_they_were_sent},
           {"a protocol opened before the stack hears it", a_protocol_opened_before_the_stack_hears_it},
           {"tunnels carry both families", tunnels_carry_both_families},
           {"captures show just what was sent", captures_show_just_what_was_sent})
