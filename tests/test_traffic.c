/* What a rekey does to traffic: blackouts and lost packets, by hand-made deliveries and drops. */
#include "check.h"
#include "traffic.h"

#define INTERVAL (40 * P2_MS)
#define DELAY    (20 * P2_MS)

/* One tunnel between gateways 0 and 1 with a flow each way; the second flow may stop early. */
struct fixture {
    struct scenario_tunnel tunnel;
    struct scenario_flow flows[2];
    struct scenario scenario;
    struct traffic traffic;
};

static void open_fixture(struct fixture *f, p2_time stop_of_second)
{
    memset(f, 0, sizeof(*f));
    f->tunnel.ends[1].gateway = 1;
    for (int i = 0; i < 2; i++)
        f->flows[i] = (struct scenario_flow){.from = i, .to = !i, .interval = INTERVAL, .size = 100};
    f->flows[0].stop = 100 * P2_SECOND;
    f->flows[1].stop = stop_of_second;
    f->scenario.tunnels = &f->tunnel;
    f->scenario.num_tunnels = 1;
    f->scenario.flows = f->flows;
    f->scenario.num_flows = 2;
    CU_ASSERT_EQUAL_FATAL(traffic_init(&f->traffic, &f->scenario), P2_OK);
}

/* Packets of a flow that were sent in [from, until) arrive. */
static void deliver(struct fixture *f, size_t flow, p2_time from, p2_time until)
{
    for (p2_time sent = from; sent < until; sent += INTERVAL)
        traffic_delivered(&f->traffic, sent + DELAY, traffic_mark(flow, (uint64_t)(sent / INTERVAL)));
}

static void drop(struct fixture *f, size_t flow, unsigned num)
{
    for (unsigned i = 0; i < num; i++)
        traffic_dropped(&f->traffic, traffic_mark(flow, i), P2_DROP_NO_SA);
}

static void a_gap_around_a_rekey_is_its_blackout(void)
{
    struct fixture f;
    struct traffic_window window;
    open_fixture(&f, 5 * P2_SECOND);
    deliver(&f, 0, 0, 10 * P2_SECOND);
    traffic_window_open(&f.traffic, &window, 0);
    traffic_window_over(&f.traffic, &window, 10 * P2_SECOND + 100 * P2_MS);
    deliver(&f, 0, 10 * P2_SECOND + 200 * P2_MS, 11 * P2_SECOND);
    CU_ASSERT_EQUAL(window.blackout, 200 * P2_MS);
    deliver(&f, 0, 20 * P2_SECOND, 21 * P2_SECOND); /* a later gap is none of its business */
    CU_ASSERT_EQUAL(window.blackout, 200 * P2_MS);
    traffic_cleanup(&f.traffic);
}

static void undisturbed_traffic_has_no_blackout(void)
{
    struct fixture f;
    struct traffic_window window;
    open_fixture(&f, 100 * P2_SECOND);
    deliver(&f, 0, 0, 10 * P2_SECOND);
    traffic_window_open(&f.traffic, &window, 0);
    traffic_window_over(&f.traffic, &window, 10 * P2_SECOND);
    deliver(&f, 0, 10 * P2_SECOND, 11 * P2_SECOND);
    CU_ASSERT_EQUAL(window.blackout, 0);
    traffic_cleanup(&f.traffic);
}

static void a_packet_is_lost_once_however_many_negotiations_overlap(void)
{
    struct fixture f;
    struct traffic_window first, second;
    open_fixture(&f, 100 * P2_SECOND);
    traffic_window_open(&f.traffic, &first, 0);
    drop(&f, 0, 3);
    traffic_window_open(&f.traffic, &second, 0);
    drop(&f, 0, 5);
    CU_ASSERT_EQUAL(first.packets_lost, 3);
    CU_ASSERT_EQUAL(second.packets_lost, 5);
    traffic_cleanup(&f.traffic);
}

static void only_losses_of_a_rekey_count(void)
{
    struct fixture f;
    struct traffic_window window;
    open_fixture(&f, 100 * P2_SECOND);
    drop(&f, 0, 2); /* before it */
    traffic_window_open(&f.traffic, &window, 0);
    traffic_dropped(&f.traffic, traffic_mark(0, 1), P2_DROP_ICV_MISMATCH);
    traffic_dropped(&f.traffic, 0, P2_DROP_NO_SA); /* no packet of a flow */
    CU_ASSERT_EQUAL(window.packets_lost, 0);
    traffic_dropped(&f.traffic, traffic_mark(1, 1), P2_DROP_UNKNOWN_SPI);
    CU_ASSERT_EQUAL(window.packets_lost, 1);
    traffic_cleanup(&f.traffic);
}

/* The second flow ended at 5 s and can never show that the rekey at 10 s is over; the first one alone closes
 * it. */
static void a_flow_that_ended_keeps_no_window_open(void)
{
    struct fixture f;
    struct traffic_window window;
    open_fixture(&f, 5 * P2_SECOND);
    deliver(&f, 0, 0, 10 * P2_SECOND);
    traffic_window_open(&f.traffic, &window, 0);
    traffic_window_over(&f.traffic, &window, 10 * P2_SECOND);
    deliver(&f, 0, 10 * P2_SECOND, 11 * P2_SECOND);
    drop(&f, 0, 7);
    CU_ASSERT_EQUAL(window.packets_lost, 0);
    traffic_cleanup(&f.traffic);
}

static void a_blackout_that_lasts_to_the_end_counts_as_far_as_it_was_seen(void)
{
    struct fixture f;
    struct traffic_window window;
    open_fixture(&f, 5 * P2_SECOND);
    deliver(&f, 0, 0, 10 * P2_SECOND);
    traffic_window_open(&f.traffic, &window, 0);
    traffic_window_over(&f.traffic, &window, 11 * P2_SECOND);
    traffic_end(&f.traffic, 30 * P2_SECOND);
    p2_time last = 10 * P2_SECOND - INTERVAL + DELAY;
    CU_ASSERT_EQUAL(window.blackout, 30 * P2_SECOND - last - INTERVAL);
    CU_ASSERT_EQUAL(f.traffic.flows[0].longest_gap, window.blackout);
    traffic_cleanup(&f.traffic);
}

CHECK_MAIN("traffic", {"a gap around a rekey is its blackout", a_gap_around_a_rekey_is_its_blackout},
           {"undisturbed traffic has no blackout", undisturbed_traffic_has_no_blackout},
           {"a packet is lost once, however many negotiations overlap",
            a_packet_is_lost_once_however_many_negotiations_overlap},
           {"only losses of a rekey count", only_losses_of_a_rekey_count},
           {"a flow that ended keeps no window open", a_flow_that_ended_keeps_no_window_open},
           {"a blackout that lasts to the end counts as far as it was seen",
            a_blackout_that_lasts_to_the_end_counts_as_far_as_it_was_seen})
