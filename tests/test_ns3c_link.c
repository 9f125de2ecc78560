/* Links and what they do to packets: bindings/ns3c-link.cc through ns3c.h. */
#include "ns3c_fixture.h"

#include <unistd.h>

static void delay_and_serialisation_are_exact(void)
{
    static struct pair pair;
    pair_open(&pair, &plain, 1);
    struct sender sender = {.udp = pair.from_a, .destination = B, .len = 972, .num = 3};
    sender_start(&sender, SECOND);
    ns3c_run(2 * SECOND);
    CU_ASSERT_EQUAL(ns3c_now(), 2 * SECOND);
    CU_ASSERT_EQUAL_FATAL(pair.log.num, 3);
    /* All three are sent at 1 s; each takes 1000 bytes * 8 / 8 Mbit/s = 1 ms and waits for those before it.
     */
    for (int i = 0; i < 3; i++) {
        CU_ASSERT_EQUAL(pair.log.rows[i].at, SECOND + 20 * MS + (i + 1) * MS);
        CU_ASSERT_EQUAL(pair.log.rows[i].mark, (uint64_t)i + 1);
        CU_ASSERT_EQUAL(pair.log.rows[i].source, A);
        CU_ASSERT_EQUAL(pair.log.rows[i].destination, B);
        CU_ASSERT_EQUAL(pair.log.rows[i].len, 972);
    }
    ns3c_destroy();
}

static void a_nanosecond_begun_counts(void)
{
    static struct pair pair;
    struct ns3c_link_config config = plain;
    config.rate_bps = 3000000000; /* 1000 bytes: 8000 / 3 = 2666.67 ns */
    pair_open(&pair, &config, 1);
    struct sender sender = {.udp = pair.from_a, .destination = B, .len = 972, .num = 1};
    sender_start(&sender, 0);
    ns3c_run(SECOND);
    CU_ASSERT_EQUAL_FATAL(pair.log.num, 1);
    CU_ASSERT_EQUAL(pair.log.rows[0].at, 20 * MS + 2667);
    ns3c_destroy();
}

static void jitter_stays_in_bounds_and_keeps_order(void)
{
    static struct pair pair;
    struct ns3c_link_config config = plain;
    config.jitter_ns = 5 * MS;
    pair_open(&pair, &config, 1);
    struct sender sender = {.udp = pair.from_a, .destination = B, .len = 72, .num = 1000, .interval = MS};
    sender_start(&sender, 0);
    ns3c_run(10 * SECOND);
    CU_ASSERT_EQUAL_FATAL(pair.log.num, 1000);
    int64_t least = INT64_MAX, most = 0;
    for (int i = 0; i < 1000; i++) {
        int64_t took = pair.log.rows[i].at - i * MS - 100000 - 20 * MS; /* 100 bytes: 100 us */
        least = took < least ? took : least;
        most = took > most ? took : most;
        CU_ASSERT_EQUAL(pair.log.rows[i].mark, (uint64_t)i + 1);
        CU_ASSERT_TRUE(i == 0 || pair.log.rows[i].at >= pair.log.rows[i - 1].at);
    }
    CU_ASSERT_TRUE(least >= 0 && least < MS);
    CU_ASSERT_TRUE(most < 5 * MS && most > 4 * MS);
    ns3c_destroy();
}

static void a_mask_loses_just_those_packets(void)
{
    static struct pair pair;
    pair_open(&pair, &plain, 1);
    ns3c_link_lose(pair.link, 0, 0x0a); /* the second and the fourth */
    struct sender sender = {.udp = pair.from_a, .destination = B, .len = 100, .num = 6, .interval = MS};
    sender_start(&sender, 0);
    ns3c_run(SECOND);
    CU_ASSERT_EQUAL_FATAL(pair.log.num, 4);
    CU_ASSERT_EQUAL(pair.log.rows[0].mark, 1);
    CU_ASSERT_EQUAL(pair.log.rows[1].mark, 3);
    CU_ASSERT_EQUAL(pair.log.rows[2].mark, 5);
    CU_ASSERT_EQUAL(pair.log.rows[3].mark, 6);
    CU_ASSERT_EQUAL(ns3c_link_dropped(pair.link, NS3C_LINK_LOSS), 2);
    CU_ASSERT_EQUAL(ns3c_link_dropped(pair.link, NS3C_LINK_QUEUE), 0);
    ns3c_destroy();
}

/* Which of 4000 packets arrive, as a digest; *lost: how many did not. */
static uint64_t run_with_loss(int64_t jitter_ns, uint64_t run, uint64_t *lost)
{
    static struct pair pair;
    struct ns3c_link_config config = plain;
    config.loss = 0.05;
    config.jitter_ns = jitter_ns;
    pair_open(&pair, &config, run);
    struct sender sender = {.udp = pair.from_a, .destination = B, .len = 100, .num = 4000, .interval = MS};
    sender_start(&sender, 0);
    ns3c_run(10 * SECOND);
    uint64_t digest = 0;
    for (size_t i = 0; i < pair.log.num; i++)
        digest = digest * 6364136223846793005u + pair.log.rows[i].mark;
    *lost = ns3c_link_dropped(pair.link, NS3C_LINK_LOSS);
    CU_ASSERT_EQUAL(pair.log.num + *lost, 4000);
    ns3c_destroy();
    return digest;
}

static void loss_is_drawn_from_its_own_stream(void)
{
    uint64_t lost, lost_again, lost_with_jitter, lost_otherwise;
    uint64_t digest = run_with_loss(0, 1, &lost);
    /* 4000 packets, 5 %: 200, standard deviation 13.8; five of them around it. */
    CU_ASSERT_TRUE(lost > 200 - 69 && lost < 200 + 69);
    CU_ASSERT_EQUAL(run_with_loss(0, 1, &lost_again), digest);
    CU_ASSERT_EQUAL(run_with_loss(MS / 2, 1, &lost_with_jitter), digest);
    CU_ASSERT_NOT_EQUAL(run_with_loss(0, 2, &lost_otherwise), digest);
    CU_ASSERT_TRUE(lost_otherwise > 200 - 69 && lost_otherwise < 200 + 69);
}

struct drops {
    size_t num;
    uint64_t marks[16];
    enum ns3c_link_drop reasons[16];
    int64_t at[16];
};

static void note_drop(void *ctx, enum ns3c_link_drop reason, uint64_t mark)
{
    struct drops *drops = ctx;
    if (drops->num == 16)
        return;
    drops->marks[drops->num] = mark;
    drops->reasons[drops->num] = reason;
    drops->at[drops->num] = ns3c_now();
    drops->num++;
}

static void a_full_queue_drops_the_tail(void)
{
    static struct pair pair;
    struct drops drops = {0};
    struct ns3c_link_config config = plain;
    config.queue_packets = 2;
    pair_open(&pair, &config, 1);
    ns3c_link_on_drop(pair.link, note_drop, &drops);
    /* One is being sent, two wait, the other two have no room. */
    struct sender sender = {.udp = pair.from_a, .destination = B, .len = 972, .num = 5};
    sender_start(&sender, 0);
    ns3c_run(SECOND);
    CU_ASSERT_EQUAL(pair.log.num, 3);
    CU_ASSERT_EQUAL_FATAL(drops.num, 2);
    CU_ASSERT_EQUAL(drops.marks[0], 4);
    CU_ASSERT_EQUAL(drops.marks[1], 5);
    CU_ASSERT_EQUAL(drops.reasons[1], NS3C_LINK_QUEUE);
    CU_ASSERT_EQUAL(ns3c_link_dropped(pair.link, NS3C_LINK_QUEUE), 2);
    ns3c_destroy();
}

static void a_lost_packet_is_told_when_it_has_been_sent(void)
{
    static struct pair pair;
    struct drops drops = {0};
    pair_open(&pair, &plain, 1);
    ns3c_link_on_drop(pair.link, note_drop, &drops);
    ns3c_link_lose(pair.link, 0, 2);
    struct sender sender = {.udp = pair.from_a, .destination = B, .len = 972, .num = 2};
    sender_start(&sender, 0);
    ns3c_run(SECOND);
    CU_ASSERT_EQUAL_FATAL(drops.num, 1);
    CU_ASSERT_EQUAL(drops.marks[0], 2);
    CU_ASSERT_EQUAL(drops.reasons[0], NS3C_LINK_LOSS);
    CU_ASSERT_EQUAL(drops.at[0], 2 * MS);
    ns3c_destroy();
}

static void marks_survive_fragmentation(void)
{
    static struct pair pair;
    struct ns3c_link_config config = plain;
    config.mtu = 1000;
    pair_open(&pair, &config, 1);
    struct sender sender = {.udp = pair.from_a, .destination = B, .len = 1400, .num = 3, .interval = 10 * MS};
    sender_start(&sender, 0);
    ns3c_run(SECOND);
    CU_ASSERT_EQUAL_FATAL(pair.log.num, 3);
    for (int i = 0; i < 3; i++) {
        CU_ASSERT_EQUAL(pair.log.rows[i].mark, (uint64_t)i + 1);
        CU_ASSERT_EQUAL(pair.log.rows[i].len, 1400);
        /* 1408 bytes of IP payload: fragments of 976 + 20 and 432 + 20 bytes, one microsecond each byte. */
        CU_ASSERT_EQUAL(pair.log.rows[i].at, i * 10 * MS + 20 * MS + (996 + 452) * 1000);
    }
    ns3c_destroy();
}

static void lost_fragments_lose_the_packet(void)
{
    static struct pair pair;
    struct drops drops = {0};
    struct ns3c_link_config config = plain;
    config.mtu = 1000;
    pair_open(&pair, &config, 1);
    ns3c_link_on_drop(pair.link, note_drop, &drops);
    ns3c_link_lose(pair.link, 0, 2); /* the second fragment of the first datagram */
    struct sender sender = {.udp = pair.from_a, .destination = B, .len = 1400, .num = 2, .interval = 10 * MS};
    sender_start(&sender, 0);
    ns3c_run(60 * SECOND); /* past the 30 s after which the stack gives up on fragments */
    CU_ASSERT_EQUAL_FATAL(pair.log.num, 1);
    CU_ASSERT_EQUAL(pair.log.rows[0].mark, 2);
    CU_ASSERT_EQUAL_FATAL(drops.num, 1);
    CU_ASSERT_EQUAL(drops.marks[0], 1);
    ns3c_destroy();
}

/* It arrives then and there, waits behind nothing, leaves what is on the link alone, and is captured. */
static void an_injected_packet_is_just_there(void)
{
    static struct pair pair;
    static const uint8_t packet[128] = {0x45, 0, 0, 128, 0,    0,    0,    0,    64, 17,  0, 0, 10,  0,  0, 1,
                                        10,   0, 0, 2,   0x0f, 0xa0, 0x0f, 0xa0, 0,  108, 0, 0, 'h', 'i'};
    char path[] = "/tmp/phase2sim-test.XXXXXX";
    int fd = mkstemp(path);
    struct ns3c_link_config config = plain;
    config.loss = 1;
    pair_open(&pair, &config, 1);
    struct ns3c_capture *capture = ns3c_capture_open(pair.b, path);
    CU_ASSERT_PTR_NOT_NULL_FATAL(capture);
    struct sender sender = {.udp = pair.from_a, .destination = B, .len = 972, .num = 3};
    sender_start(&sender, 0);
    ns3c_run(SECOND);
    CU_ASSERT_EQUAL(ns3c_link_inject(pair.link, 1, packet, sizeof packet, UINT64_C(1) << 63 | 7), 0);
    CU_ASSERT_EQUAL(ns3c_link_inject(pair.link, 1, packet, 12, 8), -1);
    CU_ASSERT_EQUAL(ns3c_link_inject(pair.link, 1, packet + 1, 100, 8), -1);
    CU_ASSERT_EQUAL(pair.log.num, 0); /* as an event of its own */
    ns3c_run(SECOND);
    CU_ASSERT_EQUAL_FATAL(pair.log.num, 1); /* the link itself loses everything */
    CU_ASSERT_EQUAL(pair.log.rows[0].at, SECOND);
    CU_ASSERT_EQUAL(pair.log.rows[0].mark, UINT64_C(1) << 63 | 7);
    CU_ASSERT_EQUAL(pair.log.rows[0].len, 100);
    CU_ASSERT_EQUAL(memcmp(pair.log.last, "hi", 2), 0);
    CU_ASSERT_EQUAL(ns3c_link_dropped(pair.link, NS3C_LINK_LOSS), 3);
    CU_ASSERT_EQUAL(ns3c_capture_close(capture), 0);
    CU_ASSERT_EQUAL(lseek(fd, 0, SEEK_END), 24 + 16 + 128);
    close(fd);
    unlink(path);
    ns3c_destroy();
}

CHECK_MAIN("ns3c_link", {"delay and serialisation are exact", delay_and_serialisation_are_exact},
           {"a nanosecond that has begun counts", a_nanosecond_begun_counts},
           {"jitter stays in bounds and keeps the order", jitter_stays_in_bounds_and_keeps_order},
           {"a mask loses just those packets", a_mask_loses_just_those_packets},
           {"loss is drawn from its own stream", loss_is_drawn_from_its_own_stream},
           {"a full queue drops the tail", a_full_queue_drops_the_tail},
           {"a lost packet is told when it has been sent", a_lost_packet_is_told_when_it_has_been_sent},
           {"marks survive fragmentation", marks_survive_fragmentation},
           {"a lost fragment loses its packet only", lost_fragments_lose_the_packet},
           {"an injected packet is just there", an_injected_packet_is_just_there})
