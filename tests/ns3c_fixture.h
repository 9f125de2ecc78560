/* What the tests of ns3c.h share: a log of arrivals, a pair of nodes, a sender.
 *
 * Times are computed by hand. A packet of n bytes of UDP is n + 28 bytes on the wire. */
#ifndef P2_TESTS_NS3C_FIXTURE_H
#define P2_TESTS_NS3C_FIXTURE_H

#include "check.h"
#include "ns3c.h"

#define MS     INT64_C(1000000)
#define SECOND INT64_C(1000000000)

#define A     0x0a000001u /* 10.0.0.1 */
#define B     0x0a000002u
#define C     0x0a000003u
#define PORT  4000
#define STEPS 4096

/* What arrived, in order. */
struct log {
    size_t num;
    struct {
        int64_t at;
        uint64_t mark;
        uint32_t source, destination;
        size_t len;
    } rows[STEPS];
    uint8_t last[2048];
};

static inline void log_row(struct log *log, uint32_t source, uint32_t destination, const uint8_t *data,
                           size_t len, uint64_t mark)
{
    if (log->num == STEPS)
        return;
    log->rows[log->num].at = ns3c_now();
    log->rows[log->num].mark = mark;
    log->rows[log->num].source = source;
    log->rows[log->num].destination = destination;
    log->rows[log->num].len = len;
    log->num++;
    memcpy(log->last, data, len < sizeof log->last ? len : sizeof log->last);
}

static inline void log_udp(void *ctx, const struct ns3c_udp_packet *packet)
{
    log_row(ctx, ns3c_to_v4(&packet->source), ns3c_to_v4(&packet->destination), packet->data, packet->len,
            packet->mark);
}

static inline uint32_t get32(const uint8_t *in)
{
    return (uint32_t)in[0] << 24 | (uint32_t)in[1] << 16 | (uint32_t)in[2] << 8 | in[3];
}

static inline void log_packet(void *ctx, const uint8_t *packet, size_t len, uint64_t mark)
{
    log_row(ctx, get32(packet + 12), get32(packet + 16), packet, len, mark);
}

/* 20 ms, 8 Mbit/s: a byte takes a microsecond. */
static const struct ns3c_link_config plain = {
    .delay_ns = 20 * MS, .rate_bps = 8000000, .queue_packets = 1000, .mtu = 1500, .stream = 100};

/* Two nodes and a link; B's port is open. */
struct pair {
    struct ns3c_node *a, *b;
    struct ns3c_link *link;
    struct ns3c_udp *from_a, *at_b;
    struct log log;
};

static inline void pair_open(struct pair *pair, const struct ns3c_link_config *config, uint64_t run)
{
    ns3c_init(1, run);
    pair->log.num = 0;
    pair->a = ns3c_node_new("a");
    pair->b = ns3c_node_new("b");
    pair->link = ns3c_link_new(pair->a, pair->b, config);
    ns3c_address_add(pair->a, ns3c_link_interface(pair->link, 0), ns3c_v4(A), 24);
    ns3c_address_add(pair->b, ns3c_link_interface(pair->link, 1), ns3c_v4(B), 24);
    pair->from_a = ns3c_udp_open(pair->a, ns3c_any(), PORT, log_udp, &pair->log);
    pair->at_b = ns3c_udp_open(pair->b, ns3c_any(), PORT, log_udp, &pair->log);
}

/* A datagram with mark 1, 2, ... each time the timer fires. */
struct sender {
    struct ns3c_udp *udp;
    struct ns3c_timer *timer;
    uint32_t destination;
    int64_t interval;
    size_t len, num, sent;
};

static inline void sender_fire(void *ctx)
{
    static const uint8_t data[2000];
    struct sender *sender = ctx;
    CU_ASSERT_EQUAL(
        ns3c_udp_send(sender->udp, ns3c_v4(sender->destination), PORT, data, sender->len, ++sender->sent), 0);
    if (sender->sent < sender->num)
        ns3c_timer_arm(sender->timer, ns3c_now() + sender->interval);
}

static inline void sender_start(struct sender *sender, int64_t at)
{
    sender->timer = ns3c_timer_new(sender_fire, sender);
    ns3c_timer_arm(sender->timer, at);
}

#endif
