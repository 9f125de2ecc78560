/* Links that duplicate, reorder, and let a hook decide: what test_ns3c_link.c leaves off. */
#include "ns3c_fixture.h"

static void run_packets(struct pair *pair, const struct ns3c_link_config *config, uint64_t run, size_t num)
{
    pair_open(pair, config, run);
    struct sender sender = {.udp = pair->from_a, .destination = B, .len = 72, .num = num, .interval = MS};
    sender_start(&sender, 0);
    ns3c_run(10 * SECOND);
}

static uint64_t digest(const struct log *log)
{
    uint64_t sum = 0;
    for (size_t i = 0; i < log->num; i++)
        sum = (sum * 6364136223846793005u + log->rows[i].mark) * 31 + (uint64_t)log->rows[i].at;
    return sum;
}

static void duplicates_arrive_together(void)
{
    static struct pair pair;
    struct ns3c_link_config config = plain;
    config.duplicate = 1;
    run_packets(&pair, &config, 1, 5);
    CU_ASSERT_EQUAL_FATAL(pair.log.num, 10);
    for (size_t i = 0; i < 10; i++) {
        CU_ASSERT_EQUAL(pair.log.rows[i].mark, i / 2 + 1);
        CU_ASSERT_EQUAL(pair.log.rows[i].at, (int64_t)(i / 2) * MS + 20 * MS + 100000);
    }
    ns3c_destroy();
    config.duplicate = 0.1;
    run_packets(&pair, &config, 1, 2000);
    /* 200 expected, standard deviation 13.4; five of them around it. */
    CU_ASSERT_TRUE(pair.log.num > 2200 - 67 && pair.log.num < 2200 + 67);
    ns3c_destroy();
}

static void what_is_held_up_is_overtaken(void)
{
    static struct pair pair;
    struct ns3c_link_config config = plain;
    config.reorder = 0.1;
    config.reorder_ns = 5 * MS + MS / 2;
    run_packets(&pair, &config, 1, 2000);
    CU_ASSERT_EQUAL_FATAL(pair.log.num, 2000);
    size_t held = 0, overtaken = 0;
    for (size_t i = 0; i < 2000; i++) {
        int64_t took = pair.log.rows[i].at - (int64_t)(pair.log.rows[i].mark - 1) * MS - 20 * MS - 100000;
        CU_ASSERT_TRUE(took == 0 || took == config.reorder_ns);
        if (took == 0)
            continue;
        held++;
        overtaken += i > 0 && pair.log.rows[i - 1].mark > pair.log.rows[i].mark;
    }
    /* All but those with nothing but others of their kind in the 5 ms behind them. */
    CU_ASSERT_TRUE(overtaken > held * 95 / 100);
    CU_ASSERT_TRUE(held > 200 - 67 && held < 200 + 67);
    ns3c_destroy();
}

/* Each has a stream of its own: switching one on leaves the others' draws as they were. */
static void disorder_disturbs_no_other_draws(void)
{
    static struct pair pair;
    static bool arrived[2][2001];
    struct ns3c_link_config config = plain;
    config.loss = 0.05;
    for (int with = 0; with < 2; with++) {
        config.duplicate = with * 0.3;
        config.reorder = with * 0.3;
        config.reorder_ns = 2 * MS;
        run_packets(&pair, &config, 1, 2000);
        for (size_t i = 0; i < pair.log.num; i++)
            arrived[with][pair.log.rows[i].mark] = true;
        CU_ASSERT_TRUE(ns3c_link_dropped(pair.link, NS3C_LINK_LOSS) > 50);
        uint64_t first = digest(&pair.log);
        ns3c_destroy();
        run_packets(&pair, &config, 1, 2000);
        CU_ASSERT_EQUAL(digest(&pair.log), first);
        ns3c_destroy();
    }
    CU_ASSERT_EQUAL(memcmp(arrived[0], arrived[1], sizeof arrived[0]), 0);
}

/* The third packet is lost, the fifth comes 10 ms late, the seventh twice. */
struct censor {
    size_t seen;
    uint8_t last[100];
    size_t last_len;
    uint64_t last_mark;
};

static struct ns3c_link_verdict judge(void *ctx, const uint8_t *packet, size_t len, uint64_t mark)
{
    struct censor *censor = ctx;
    struct ns3c_link_verdict verdict = {NS3C_LINK_PASS, 0};
    censor->last_len = len;
    censor->last_mark = mark;
    memcpy(censor->last, packet, len < sizeof censor->last ? len : sizeof censor->last);
    switch (++censor->seen) {
    case 3:
        verdict.action = NS3C_LINK_DROP;
        break;
    case 5:
        verdict.action = NS3C_LINK_DELAY;
        verdict.delay_ns = 10 * MS;
        break;
    case 7:
        verdict.action = NS3C_LINK_DUPLICATE;
        break;
    default:
        break;
    }
    return verdict;
}

static void a_hook_decides_on_single_packets(void)
{
    static const uint64_t expected[] = {1, 2, 4, 6, 7, 7, 8, 5};
    static struct pair pair;
    static struct censor censor;
    memset(&censor, 0, sizeof censor);
    pair_open(&pair, &plain, 1);
    ns3c_link_intercept(pair.link, 0, judge, &censor);
    struct sender sender = {.udp = pair.from_a, .destination = B, .len = 72, .num = 8, .interval = MS};
    sender_start(&sender, 0);
    ns3c_run(SECOND);
    CU_ASSERT_EQUAL(censor.seen, 8);
    CU_ASSERT_EQUAL(ns3c_link_dropped(pair.link, NS3C_LINK_LOSS), 1);
    CU_ASSERT_EQUAL_FATAL(pair.log.num, 8);
    for (size_t i = 0; i < 8; i++)
        CU_ASSERT_EQUAL(pair.log.rows[i].mark, expected[i]);
    CU_ASSERT_EQUAL(pair.log.rows[7].at, 4 * MS + 20 * MS + 100000 + 10 * MS);
    /* It saw the whole packet: 20 of IP with its checksum, 8 of UDP, 72 of data. RFC 791: 4500 + 64 + 7 +
     * 4011
     * + a00 + 1 + a00 + 2 = 997f; its complement is 6680. */
    CU_ASSERT_EQUAL(censor.last_len, 100);
    CU_ASSERT_EQUAL(censor.last_mark, 8);
    CHECK_HEX(censor.last, 28, "45000064 00070000 4011 6680 0a000001 0a000002 0fa0 0fa0 0050 0000");

    ns3c_link_intercept(pair.link, 0, NULL, NULL);
    CU_ASSERT_EQUAL(ns3c_udp_send(pair.from_a, ns3c_v4(B), PORT, (const uint8_t *)"x", 1, 9), 0);
    CU_ASSERT_EQUAL(ns3c_udp_send(pair.at_b, ns3c_v4(A), PORT, (const uint8_t *)"x", 1, 10), 0);
    ns3c_run(2 * SECOND);
    CU_ASSERT_EQUAL(censor.seen, 8);
    CU_ASSERT_EQUAL(pair.log.num, 10);
    ns3c_destroy();
}

CHECK_MAIN("ns3c_disorder", {"duplicates arrive together", duplicates_arrive_together},
           {"what is held up is overtaken", what_is_held_up_is_overtaken},
           {"disorder disturbs no other draws", disorder_disturbs_no_other_draws},
           {"a hook decides on single packets", a_hook_decides_on_single_packets})
