/* What became of each packet, by hand-made deliveries, drops and losses. */
#include "check.h"
#include "fate.h"
#include "traffic.h"

#include "ip.h"

/* One flow from gateway 0 to gateway 1 in one tunnel. */
struct fixture {
    struct scenario_tunnel tunnel;
    struct scenario_flow flow;
    struct scenario scenario;
    struct traffic traffic;
};

static void open_fixture(struct fixture *f, uint64_t sent)
{
    memset(f, 0, sizeof *f);
    f->tunnel.ends[1].gateway = 1;
    f->flow = (struct scenario_flow){.to = 1, .interval = P2_MS, .size = 100, .stop = 100 * P2_SECOND};
    f->scenario =
        (struct scenario){.tunnels = &f->tunnel, .num_tunnels = 1, .flows = &f->flow, .num_flows = 1};
    CU_ASSERT_EQUAL_FATAL(traffic_init(&f->traffic, &f->scenario), P2_OK);
    for (uint64_t i = 0; i < sent; i++)
        traffic_sent(&f->traffic, 0);
}

static void check_fates(struct fixture *f, const uint64_t expected[FATE_NUM])
{
    uint64_t counts[FATE_NUM], sum = 0;
    const struct traffic_flow *flow = &f->traffic.flows[0];
    fates_count(&flow->fates, flow->sent, counts);
    for (int i = 0; i < FATE_NUM; i++) {
        CU_ASSERT_EQUAL(counts[i], expected[i]);
        sum += counts[i];
    }
    CU_ASSERT_EQUAL(sum, flow->sent);
    CU_ASSERT_FALSE(f->traffic.out_of_memory);
}

static void each_packet_has_one_end_and_they_add_up(void)
{
    static const enum p2_drop reasons[] = {P2_DROP_REPLAYED,     P2_DROP_TOO_OLD,  P2_DROP_NO_SA,
                                           P2_DROP_UNKNOWN_SPI,  P2_DROP_TOO_BIG,  P2_DROP_CPU_QUEUE_FULL,
                                           P2_DROP_ICV_MISMATCH, P2_DROP_FRAGMENT, P2_DROP_SELECTOR_MISMATCH};
    struct fixture f;
    open_fixture(&f, 1000);
    for (uint64_t i = 0; i < 9; i++)
        traffic_dropped(&f.traffic, traffic_mark(0, 10 * i), reasons[i]);
    traffic_lost(&f.traffic, traffic_mark(0, 999));
    traffic_lost(&f.traffic, traffic_mark(0, 998));
    for (uint64_t i = 500; i < 600; i++)
        traffic_delivered(&f.traffic, P2_SECOND, traffic_mark(0, i));
    check_fates(&f, (const uint64_t[FATE_NUM]){[FATE_UNKNOWN] = 889,
                                               [FATE_DELIVERED] = 100,
                                               [FATE_WINDOW] = 2,
                                               [FATE_LINK] = 2,
                                               [FATE_NO_SA] = 2,
                                               [FATE_TOO_BIG] = 1,
                                               [FATE_CPU] = 1,
                                               [FATE_OTHER] = 3});
    traffic_cleanup(&f.traffic);
}

static void a_second_copy_that_is_rejected_is_no_false_positive(void)
{
    struct fixture f;
    open_fixture(&f, 3);
    traffic_delivered(&f.traffic, P2_SECOND, traffic_mark(0, 0));
    traffic_dropped(&f.traffic, traffic_mark(0, 0), P2_DROP_REPLAYED); /* the copy came second, */
    traffic_dropped(&f.traffic, traffic_mark(0, 1), P2_DROP_REPLAYED); /* or first */
    traffic_delivered(&f.traffic, P2_SECOND, traffic_mark(0, 1));
    traffic_dropped(&f.traffic, traffic_mark(0, 2), P2_DROP_TOO_OLD);
    check_fates(&f, (const uint64_t[FATE_NUM]){[FATE_DELIVERED] = 2, [FATE_WINDOW] = 1});
    traffic_cleanup(&f.traffic);
}

/* The window rejects what an attacker's copy has overtaken: that is no false positive, for it has come. */
static void a_packet_that_an_attacker_brought_has_come(void)
{
    struct fixture f;
    open_fixture(&f, 4);
    CU_ASSERT_TRUE(traffic_copied(&f.traffic, traffic_mark(0, 0)));
    traffic_dropped(&f.traffic, traffic_mark(0, 0), P2_DROP_REPLAYED);
    CU_ASSERT_FALSE(traffic_copied(&f.traffic, traffic_mark(0, 0))); /* without a window, once more */
    traffic_lost(&f.traffic, traffic_mark(0, 1));
    CU_ASSERT_TRUE(traffic_copied(&f.traffic, traffic_mark(0, 1)));
    traffic_delivered(&f.traffic, P2_SECOND, traffic_mark(0, 2));
    CU_ASSERT_FALSE(traffic_copied(&f.traffic, traffic_mark(0, 2)));
    traffic_dropped(&f.traffic, traffic_mark(0, 3), P2_DROP_TOO_OLD); /* and nobody brought this one */
    CU_ASSERT_FALSE(traffic_copied(&f.traffic, 0));
    check_fates(&f, (const uint64_t[FATE_NUM]){[FATE_DELIVERED] = 3, [FATE_WINDOW] = 1});
    const struct traffic_flow *flow = &f.traffic.flows[0];
    CU_ASSERT(flow->received == 1 && flow->copied == 4);
    CU_ASSERT_EQUAL(flow->delay_sum, P2_SECOND - flow->first - 2 * flow->config->interval);
    traffic_cleanup(&f.traffic);
}

static void what_happened_first_to_a_packet_that_never_came_is_its_end(void)
{
    struct fixture f;
    open_fixture(&f, 1);
    traffic_lost(&f.traffic, traffic_mark(0, 0));
    traffic_dropped(&f.traffic, traffic_mark(0, 0), P2_DROP_TOO_OLD); /* a late copy by somebody else */
    check_fates(&f, (const uint64_t[FATE_NUM]){[FATE_LINK] = 1});
    traffic_cleanup(&f.traffic);
}

static void what_comes_twice_counts_once_as_delivered(void)
{
    struct fixture f;
    open_fixture(&f, 2);
    for (int i = 0; i < 3; i++)
        traffic_delivered(&f.traffic, P2_SECOND, traffic_mark(0, 0));
    CU_ASSERT_EQUAL(f.traffic.flows[0].received, 3);
    check_fates(&f, (const uint64_t[FATE_NUM]){[FATE_DELIVERED] = 1, [FATE_UNKNOWN] = 1});
    traffic_cleanup(&f.traffic);
}

static void pieces_are_of_one_packet_and_a_hub_on_the_way_counts_nothing(void)
{
    struct fixture f;
    open_fixture(&f, 3);
    traffic_protected(&f.traffic, 0, traffic_mark(0, 0), 160);
    traffic_protected(&f.traffic, 0, traffic_mark(0, 1), 90);
    traffic_protected(&f.traffic, 0, traffic_mark(0, 1), 80);
    traffic_protected(&f.traffic, 1, traffic_mark(0, 1), 5000); /* another gateway passes it on */
    traffic_protected(&f.traffic, 0, 77, 5000);                 /* no packet of a flow */
    CU_ASSERT_EQUAL(f.traffic.flows[0].protected_packets, 2);
    CU_ASSERT_EQUAL(f.traffic.flows[0].protected_bytes, 330);
    traffic_cleanup(&f.traffic);
}

static void answers_are_icmp_to_the_sender(void)
{
    struct fixture f;
    uint8_t packet[64];
    open_fixture(&f, 1);
    struct p2_ip_header header = {.source = {.family = 4, .bytes = {10, 2, 0, 1}},
                                  .destination = {.family = 4, .bytes = {10, 1, 0, 1}},
                                  .ttl = 64,
                                  .protocol = P2_IP_PROTO_ICMP,
                                  .payload_len = 8};
    p2_ip_build(packet, &header);
    memset(packet + 20, 0, 8);
    const struct p2_bytes icmp = {packet, 28};
    traffic_answered(&f.traffic, 0, traffic_mark(0, 0), &icmp);
    traffic_answered(&f.traffic, 1, traffic_mark(0, 0), &icmp); /* not where it was sent */
    CU_ASSERT_EQUAL(f.traffic.flows[0].icmp_too_big, 1);
    header.protocol = P2_IP_PROTO_UDP;
    p2_ip_build(packet, &header);
    traffic_answered(&f.traffic, 0, traffic_mark(0, 0), &icmp);
    CU_ASSERT_EQUAL(f.traffic.flows[0].icmp_too_big, 1);
    traffic_cleanup(&f.traffic);
}

CHECK_MAIN("fate", {"each packet has one end and they add up", each_packet_has_one_end_and_they_add_up},
           {"a second copy that is rejected is no false positive",
            a_second_copy_that_is_rejected_is_no_false_positive},
           {"a packet that an attacker brought has come", a_packet_that_an_attacker_brought_has_come},
           {"what happened first to a packet that never came is its end",
            what_happened_first_to_a_packet_that_never_came_is_its_end},
           {"what comes twice counts once as delivered", what_comes_twice_counts_once_as_delivered},
           {"pieces are of one packet and a hub on the way counts nothing",
            pieces_are_of_one_packet_and_a_hub_on_the_way_counts_nothing},
           {"answers are ICMP to the sender", answers_are_icmp_to_the_sender})
