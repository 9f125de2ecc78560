/* What the simulator costs a packet: plain forwarding, through a tunnel with an empty transform, with
 * captures, and across a hub of many spokes. Figures are ratios to plain forwarding in the same run; of each,
 * the best of five. */
#define _POSIX_C_SOURCE 200809L
#include "ns3c.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define PACKETS 20000
#define SIZE    1400
#define PORT    9
#define LEFT    0x0a000001u
#define RIGHT   0x0a010001u
#define WAN_B   0xc0000201u
#define WAN_C   0xc0000202u

struct bench {
    struct ns3c_udp *from;
    struct ns3c_timer *timer;
    uint32_t destination;
    uint64_t sent, received;
};

static void receive(void *ctx, const struct ns3c_udp_packet *packet)
{
    struct bench *bench = ctx;
    (void)packet;
    bench->received++;
}

static void fire(void *ctx)
{
    static const uint8_t data[SIZE];
    struct bench *bench = ctx;
    ns3c_udp_send(bench->from, ns3c_v4(bench->destination), PORT, data, sizeof data, ++bench->sent);
    if (bench->sent < PACKETS)
        ns3c_timer_arm(bench->timer, ns3c_now() + 20000);
}

static double cpu_seconds(void)
{
    struct timespec t;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

/* Seconds for all packets; exits if any is missing. */
static double measure(struct bench *bench)
{
    bench->timer = ns3c_timer_new(fire, bench);
    ns3c_timer_arm(bench->timer, 0);
    double start = cpu_seconds();
    ns3c_run(INT64_C(10000000000));
    double took = cpu_seconds() - start;
    if (bench->received != PACKETS) {
        fprintf(stderr, "bench_ns3: %llu of %d packets arrived\n", (unsigned long long)bench->received,
                PACKETS);
        exit(1);
    }
    return took;
}

static const struct ns3c_link_config link_config = {
    .delay_ns = 1000000, .rate_bps = 1000000000, .queue_packets = 1000, .mtu = 1500};

static void put32(uint8_t *out, uint32_t value)
{
    for (int i = 0; i < 4; i++)
        out[i] = (uint8_t)(value >> (24 - 8 * i));
}

/* A tunnel whose transform is to put an outer header in front. */
struct end {
    struct ns3c_node *node;
    uint32_t interface, local, remote;
};

static void wrap(void *ctx, const uint8_t *packet, size_t len, uint64_t mark)
{
    static uint8_t outer[2048];
    struct end *end = ctx;
    outer[0] = 0x45;
    outer[2] = (uint8_t)((len + 20) >> 8);
    outer[3] = (uint8_t)(len + 20);
    outer[8] = 64;
    outer[9] = 50;
    put32(outer + 12, end->local);
    put32(outer + 16, end->remote);
    memcpy(outer + 20, packet, len);
    ns3c_packet_send(end->node, outer, len + 20, mark);
}

static void unwrap(void *ctx, const uint8_t *packet, size_t len, uint64_t mark)
{
    struct end *end = ctx;
    ns3c_tunnel_receive(end->node, end->interface, packet + 20, len - 20, mark);
}

enum mode { PLAIN, TUNNEL, CAPTURE };

/* a -- b -- c -- d: three links, as far as a packet goes between hosts behind two gateways. */
static double run_line(enum mode mode)
{
    struct bench bench = {.destination = RIGHT};
    struct ns3c_node *nodes[4];
    struct ns3c_link *links[3];
    struct ns3c_capture *captures[2] = {NULL, NULL};
    ns3c_init(1, 1);
    for (int i = 0; i < 4; i++)
        nodes[i] = ns3c_node_new(NULL);
    for (int i = 0; i < 3; i++)
        links[i] = ns3c_link_new(nodes[i], nodes[i + 1], &link_config);
    ns3c_address_add(nodes[0], ns3c_link_interface(links[0], 0), ns3c_v4(LEFT), 32);
    ns3c_address_add(nodes[1], ns3c_link_interface(links[1], 0), ns3c_v4(WAN_B), 32);
    ns3c_address_add(nodes[2], ns3c_link_interface(links[1], 1), ns3c_v4(WAN_C), 32);
    ns3c_address_add(nodes[3], ns3c_link_interface(links[2], 1), ns3c_v4(RIGHT), 32);
    for (int i = 0; i < 3; i++)
        ns3c_route_add(nodes[i], ns3c_v4(0), 0, ns3c_link_interface(links[i], 0));
    struct end ends[2] = {{nodes[1], 0, WAN_B, WAN_C}, {nodes[2], 0, WAN_C, WAN_B}};
    for (int i = 0; i < 2 && mode == TUNNEL; i++) {
        ends[i].interface = ns3c_tunnel_new(ends[i].node, 65535, wrap, &ends[i]);
        ns3c_protocol_open(ends[i].node, 50, unwrap, &ends[i]);
        if (i == 0)
            ns3c_route_add(nodes[1], ns3c_v4(RIGHT), 16, ends[i].interface);
    }
    for (int i = 0; i < 2 && mode == CAPTURE; i++)
        captures[i] = ns3c_capture_open(nodes[1 + i], "/dev/null");
    bench.from = ns3c_udp_open(nodes[0], ns3c_any(), PORT, receive, &bench);
    ns3c_udp_open(nodes[3], ns3c_any(), PORT, receive, &bench);
    double took = measure(&bench);
    for (int i = 0; i < 2; i++)
        if (captures[i])
            ns3c_capture_close(captures[i]);
    ns3c_destroy();
    return took;
}

/* From the first spoke through the hub to the last: two links. */
static double run_star(unsigned spokes)
{
    struct bench bench = {.destination = 0x0b000000u + spokes - 1};
    struct ns3c_node *hub, *first = NULL, *last = NULL;
    ns3c_init(1, 1);
    hub = ns3c_node_new(NULL);
    for (unsigned i = 0; i < spokes; i++) {
        struct ns3c_node *spoke = ns3c_node_new(NULL);
        struct ns3c_link *link = ns3c_link_new(hub, spoke, &link_config);
        ns3c_address_add(hub, ns3c_link_interface(link, 0), ns3c_v4(WAN_B), 32);
        ns3c_address_add(spoke, ns3c_link_interface(link, 1), ns3c_v4(0x0b000000u + i), 32);
        ns3c_route_add(hub, ns3c_v4(0x0b000000u + i), 32, ns3c_link_interface(link, 0));
        ns3c_route_add(spoke, ns3c_v4(0), 0, ns3c_link_interface(link, 1));
        first = first ? first : spoke;
        last = spoke;
    }
    bench.from = ns3c_udp_open(first, ns3c_any(), PORT, receive, &bench);
    ns3c_udp_open(last, ns3c_any(), PORT, receive, &bench);
    double took = measure(&bench);
    ns3c_destroy();
    return took;
}

static double best_line(enum mode mode)
{
    double best = run_line(mode);
    for (int i = 1; i < 5; i++) {
        double took = run_line(mode);
        best = took < best ? took : best;
    }
    return best;
}

static double best_star(unsigned spokes)
{
    double best = run_star(spokes);
    for (int i = 1; i < 5; i++) {
        double took = run_star(spokes);
        best = took < best ? took : best;
    }
    return best;
}

int main(void)
{
    double plain = best_line(PLAIN), small = best_star(2), large = best_star(2000);
    printf("plain forwarding, 3 links     %8.2f us a packet, %.0f packets/s\n", plain / PACKETS * 1e6,
           PACKETS / plain);
    printf("tunnel, empty transform       %8.2f times that\n", best_line(TUNNEL) / plain);
    printf("captures on both gateways     %8.2f times that\n", best_line(CAPTURE) / plain);
    printf("hub of 2, 2 links             %8.2f us a packet\n", small / PACKETS * 1e6);
    printf("hub of 2000, 2 links          %8.2f times that\n", large / small);
    return 0;
}
