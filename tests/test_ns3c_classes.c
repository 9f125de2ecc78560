/* Links that tell packets apart by their DSCP, and what a datagram's header says. */
#include "ns3c_fixture.h"

#define EF     46
#define AF41   34
#define BIT(n) (UINT64_C(1) << (n))
#define WIRE   100000 /* ns that a packet of 100 bytes takes to be sent */

/* Datagrams of one class that leave a at the same instant, with marks first, first + 1, ... */
struct burst {
    struct pair *pair;
    uint8_t dscp;
    uint64_t first;
    size_t num;
};

static void fire(void *ctx)
{
    static const uint8_t data[72];
    const struct burst *burst = ctx;
    const struct ns3c_udp_marking marking = {(uint8_t)(burst->dscp << 2), false};
    for (size_t i = 0; i < burst->num; i++)
        CU_ASSERT_EQUAL(ns3c_udp_send_marked(burst->pair->from_a, ns3c_v4(B), PORT, data, sizeof data,
                                             burst->first + i, &marking),
                        0);
}

static void at(struct burst *burst, int64_t time)
{
    ns3c_timer_arm(ns3c_timer_new(fire, burst), time);
}

static void open_with(struct pair *pair, const struct ns3c_link_class *classes, size_t num, uint32_t queue)
{
    struct ns3c_link_config config = plain;
    config.classes = classes;
    config.num_classes = num;
    config.queue_packets = queue;
    pair_open(pair, &config, 1);
}

/* The k-th packet on the wire, from 0 on, if the wire was busy from 0 on. */
static void check_arrivals(const struct log *log, const uint64_t *marks, size_t num)
{
    CU_ASSERT_EQUAL_FATAL(log->num, num);
    for (size_t i = 0; i < num; i++) {
        CU_ASSERT_EQUAL(log->rows[i].mark, marks[i]);
        CU_ASSERT_EQUAL(log->rows[i].at, 20 * MS + (int64_t)(i + 1) * WIRE);
    }
}

static void expedited_packets_overtake_what_waits_but_not_what_is_being_sent(void)
{
    static struct pair pair;
    const struct ns3c_link_class ef = {.dscps = BIT(EF), .priority = 1, .queue_packets = 10};
    open_with(&pair, &ef, 1, 10);
    struct burst bulk = {&pair, 0, 1, 4}, voice = {&pair, EF, 11, 2}, later = {&pair, EF, 21, 1};
    at(&bulk, 0);
    at(&voice, WIRE / 2);
    at(&later, 3 * WIRE + 1); /* while the first packet of those that wait is being sent */
    ns3c_run(SECOND);
    check_arrivals(&pair.log, (const uint64_t[]){1, 11, 12, 2, 21, 3, 4}, 7);
    ns3c_destroy();
}

static void without_its_mark_a_packet_overtakes_nothing(void)
{
    static struct pair pair;
    const struct ns3c_link_class ef = {.dscps = BIT(EF), .priority = 1, .queue_packets = 10};
    open_with(&pair, &ef, 1, 10);
    struct burst bulk = {&pair, 0, 1, 3}, other = {&pair, AF41, 11, 2};
    at(&bulk, 0);
    at(&other, WIRE / 2);
    ns3c_run(SECOND);
    check_arrivals(&pair.log, (const uint64_t[]){1, 2, 3, 11, 12}, 5);
    ns3c_destroy();
}

static void equal_priorities_are_served_as_they_come_and_higher_ones_first(void)
{
    static struct pair pair;
    const struct ns3c_link_class classes[] = {
        {.dscps = BIT(AF41), .queue_packets = 10},
        {.dscps = BIT(EF) | BIT(44), .priority = 7, .queue_packets = 10},
        {.dscps = BIT(10), .priority = 1, .queue_packets = 10}};
    open_with(&pair, classes, 3, 10);
    struct burst bursts[] = {{&pair, 0, 1, 2},   {&pair, AF41, 11, 1}, {&pair, 0, 3, 1},
                             {&pair, 10, 21, 1}, {&pair, EF, 31, 1},   {&pair, 44, 41, 1}};
    for (size_t i = 0; i < 6; i++)
        at(&bursts[i], (int64_t)i * 1000);
    ns3c_run(SECOND);
    check_arrivals(&pair.log, (const uint64_t[]){1, 31, 41, 21, 2, 11, 3}, 7);
    ns3c_destroy();
}

static void a_full_queue_drops_of_its_own_class(void)
{
    static struct pair pair;
    const struct ns3c_link_class ef = {.dscps = BIT(EF), .priority = 1, .queue_packets = 2};
    open_with(&pair, &ef, 1, 3);
    struct burst bulk = {&pair, 0, 1, 6}, voice = {&pair, EF, 11, 4};
    at(&bulk, 0);
    at(&voice, 1000);
    ns3c_run(SECOND);
    /* one is being sent, three wait, two have no room; two wait, two have none */
    check_arrivals(&pair.log, (const uint64_t[]){1, 11, 12, 2, 3, 4}, 6);
    CU_ASSERT_EQUAL(ns3c_link_dropped(pair.link, NS3C_LINK_QUEUE), 4);
    CU_ASSERT_EQUAL(ns3c_link_dropped(pair.link, NS3C_LINK_LOSS), 0);
    ns3c_destroy();
}

static void a_class_on_a_longer_way_keeps_its_order_and_is_overtaken(void)
{
    static struct pair pair;
    const struct ns3c_link_class slow = {.dscps = BIT(AF41), .queue_packets = 10, .delay_ns = 5 * MS};
    struct ns3c_link_config config = plain;
    config.jitter_ns = 2 * MS;
    config.classes = &slow;
    config.num_classes = 1;
    pair_open(&pair, &config, 1);
    static struct burst bursts[200];
    for (size_t i = 0; i < 200; i++) {
        bursts[i] = (struct burst){&pair, i % 2 ? AF41 : 0, i + 1, 1};
        at(&bursts[i], (int64_t)i * MS);
    }
    ns3c_run(SECOND);
    CU_ASSERT_EQUAL_FATAL(pair.log.num, 200);
    uint64_t last[2] = {0, 0}, overtaken = 0;
    for (size_t i = 0; i < 200; i++) {
        uint64_t mark = pair.log.rows[i].mark;
        bool is_slow = mark % 2 == 0;
        CU_ASSERT(mark > last[is_slow]);
        overtaken += is_slow && mark < last[0];
        last[is_slow] = mark;
        int64_t under_way = pair.log.rows[i].at - (int64_t)(mark - 1) * MS - 20 * MS - WIRE;
        CU_ASSERT(under_way >= (is_slow ? 5 * MS : 0));
        CU_ASSERT(under_way < (is_slow ? 7 * MS : 2 * MS));
    }
    CU_ASSERT(overtaken >= 90);
    ns3c_destroy();
}

/* --- IPv6, and headers --- */

struct seen {
    size_t num;
    uint8_t packets[4][64];
};

static struct ns3c_link_verdict see(void *ctx, const uint8_t *packet, size_t len, uint64_t mark)
{
    struct seen *seen = ctx;
    (void)mark;
    if (seen->num < 4)
        memcpy(seen->packets[seen->num++], packet, len < 64 ? len : 64);
    return (struct ns3c_link_verdict){NS3C_LINK_PASS, 0};
}

static void a_header_says_what_it_is_told(void)
{
    static struct pair pair;
    static const uint8_t data[4];
    struct seen seen = {0};
    const struct ns3c_udp_marking markings[] = {{0xb8, false}, {0, true}, {0xba, true}};
    pair_open(&pair, &plain, 1);
    ns3c_link_intercept(pair.link, 0, see, &seen);
    for (size_t i = 0; i < 3; i++)
        CU_ASSERT_EQUAL(ns3c_udp_send_marked(pair.from_a, ns3c_v4(B), PORT, data, 4, i, &markings[i]), 0);
    CU_ASSERT_EQUAL(ns3c_udp_send(pair.from_a, ns3c_v4(B), PORT, data, 4, 4), 0);
    ns3c_run(SECOND);
    static const uint8_t tos[] = {0xb8, 0, 0xba, 0}, flags[] = {0, 0x40, 0x40, 0};
    CU_ASSERT_EQUAL_FATAL(seen.num, 4);
    for (size_t i = 0; i < 4; i++) {
        CU_ASSERT_EQUAL(seen.packets[i][1], tos[i]);
        CU_ASSERT_EQUAL(seen.packets[i][6], flags[i]);
    }
    ns3c_destroy();
}

static void traffic_classes_of_ipv6_are_told_apart(void)
{
    static struct pair pair;
    static const uint8_t data[72];
    const struct ns3c_link_class ef = {.dscps = BIT(EF), .priority = 1, .queue_packets = 10};
    const struct ns3c_address a6 = ns3c_v6(0xfd00000000000000, 1), b6 = ns3c_v6(0xfd00000000000000, 2);
    const struct ns3c_udp_marking bulk = {0, false}, voice = {EF << 2, false};
    struct seen seen = {0};
    open_with(&pair, &ef, 1, 10);
    ns3c_address_add(pair.a, ns3c_link_interface(pair.link, 0), a6, 64);
    ns3c_address_add(pair.b, ns3c_link_interface(pair.link, 1), b6, 64);
    ns3c_link_intercept(pair.link, 0, see, &seen);
    for (uint64_t i = 0; i < 3; i++)
        CU_ASSERT_EQUAL(ns3c_udp_send_marked(pair.from_a, b6, PORT, data, 72, i + 1, i == 2 ? &voice : &bulk),
                        0);
    ns3c_run(SECOND);
    CU_ASSERT_EQUAL_FATAL(pair.log.num, 3);
    static const uint64_t order[] = {1, 3, 2};
    for (size_t i = 0; i < 3; i++)
        CU_ASSERT_EQUAL(pair.log.rows[i].mark, order[i]);
    CU_ASSERT_EQUAL(seen.packets[1][0], 0x6b);
    CU_ASSERT_EQUAL(seen.packets[1][1] & 0xf0, 0x80);
    ns3c_destroy();
}

CHECK_MAIN("classes of traffic",
           {"expedited packets overtake what waits but not what is being sent",
            expedited_packets_overtake_what_waits_but_not_what_is_being_sent},
           {"without its mark a packet overtakes nothing", without_its_mark_a_packet_overtakes_nothing},
           {"equal priorities are served as they come and higher ones first",
            equal_priorities_are_served_as_they_come_and_higher_ones_first},
           {"a full queue drops of its own class", a_full_queue_drops_of_its_own_class},
           {"a class on a longer way keeps its order and is overtaken",
            a_class_on_a_longer_way_keeps_its_order_and_is_overtaken},
           {"a header says what it is told", a_header_says_what_it_is_told},
           {"traffic classes of IPv6 are told apart", traffic_classes_of_ipv6_are_told_apart})
