/* Timers, streams, routing, whole packets, tunnels and captures of ns3c.h; links are in test_ns3c_link.c. */
#include "ns3c_fixture.h"

#include <unistd.h>

struct ticks {
    size_t num;
    int64_t at[8];
};

static void note_tick(void *ctx)
{
    struct ticks *ticks = ctx;
    if (ticks->num < 8)
        ticks->at[ticks->num++] = ns3c_now();
}

static void timers_fire_once_where_last_armed(void)
{
    struct ticks ticks = {0}, cancelled = {0};
    ns3c_init(1, 1);
    struct ns3c_timer *timer = ns3c_timer_new(note_tick, &ticks);
    struct ns3c_timer *other = ns3c_timer_new(note_tick, &cancelled);
    ns3c_timer_arm(timer, 5 * MS);
    ns3c_timer_arm(timer, 3 * MS);
    ns3c_timer_arm(timer, 7 * MS);
    ns3c_timer_arm(timer, 7 * MS);
    ns3c_timer_arm(other, 4 * MS);
    ns3c_timer_cancel(other);
    ns3c_run(10 * MS);
    CU_ASSERT_EQUAL_FATAL(ticks.num, 1);
    CU_ASSERT_EQUAL(ticks.at[0], 7 * MS);
    CU_ASSERT_EQUAL(cancelled.num, 0);
    CU_ASSERT_EQUAL(ns3c_events(), 1); /* those replaced and cancelled are no events */

    ns3c_timer_cancel(timer);      /* fired already: harmless */
    ns3c_timer_arm(timer, 2 * MS); /* past: now */
    ns3c_timer_arm(other, 12 * MS);
    ns3c_run(12 * MS);
    CU_ASSERT_EQUAL(ticks.num, 2);
    CU_ASSERT_EQUAL(ticks.at[1], 10 * MS);
    CU_ASSERT_EQUAL(cancelled.num, 1); /* due at the very end of a run: belongs to it */
    ns3c_destroy();
}

struct chain {
    struct ns3c_timer *timer;
    size_t left, fired;
};

static void chain_fire(void *ctx)
{
    struct chain *chain = ctx;
    chain->fired++;
    if (chain->left-- > 1)
        ns3c_timer_arm(chain->timer, ns3c_now());
    else
        ns3c_stop();
}

static void a_run_does_all_of_its_last_instant(void)
{
    struct ticks later = {0};
    struct chain chain = {.left = 5};
    ns3c_init(1, 1);
    chain.timer = ns3c_timer_new(chain_fire, &chain);
    struct ns3c_timer *after = ns3c_timer_new(note_tick, &later);
    ns3c_timer_arm(chain.timer, MS);
    ns3c_timer_arm(after, MS + 1);
    ns3c_run(MS);
    CU_ASSERT_EQUAL(chain.fired, 5);
    CU_ASSERT_EQUAL(later.num, 0);
    CU_ASSERT_EQUAL(ns3c_now(), MS);

    chain.left = 1; /* stops the run early */
    ns3c_timer_arm(chain.timer, 2 * MS);
    ns3c_run(5 * MS);
    CU_ASSERT_EQUAL(ns3c_now(), 2 * MS);
    CU_ASSERT_EQUAL(later.num, 1);
    ns3c_run(5 * MS);
    CU_ASSERT_EQUAL(ns3c_now(), 5 * MS);
    ns3c_destroy();
}

static void streams_depend_on_nothing_but_their_number(void)
{
    uint8_t first[100], again[100], other[100], otherwise[100];
    ns3c_init(7, 3);
    struct ns3c_stream *five = ns3c_stream_new(5), *six = ns3c_stream_new(6);
    ns3c_stream_fill(six, other, sizeof other);
    ns3c_stream_fill(five, first, sizeof first);
    double low = 1, high = 0, sum = 0;
    for (int i = 0; i < 10000; i++) {
        double u = ns3c_stream_uniform(six);
        low = u < low ? u : low;
        high = u > high ? u : high;
        sum += u;
    }
    CU_ASSERT_TRUE(low >= 0 && low < 0.01 && high < 1 && high > 0.99);
    CU_ASSERT_TRUE(sum > 4850 && sum < 5150); /* standard deviation 29 */
    ns3c_destroy();

    ns3c_init(7, 3);
    five = ns3c_stream_new(5);
    for (size_t i = 0; i < sizeof again; i += 3) /* pieces of three bytes give the same bytes as a whole */
        ns3c_stream_fill(five, again + i, sizeof again - i < 3 ? sizeof again - i : 3);
    ns3c_destroy();
    ns3c_init(7, 4);
    ns3c_stream_fill(ns3c_stream_new(5), otherwise, sizeof otherwise);
    ns3c_destroy();
    CU_ASSERT_EQUAL(memcmp(first, again, sizeof first), 0);
    CU_ASSERT_NOT_EQUAL(memcmp(first, other, sizeof first), 0);
    CU_ASSERT_NOT_EQUAL(memcmp(first, otherwise, sizeof first), 0);
}

static void all_byte_values_are_drawn(void)
{
    static uint8_t bytes[256 * 1000];
    unsigned counts[256] = {0};
    ns3c_init(1, 1);
    ns3c_stream_fill(ns3c_stream_new(1), bytes, sizeof bytes);
    ns3c_destroy();
    for (size_t i = 0; i < sizeof bytes; i++)
        counts[bytes[i]]++;
    for (int i = 0; i < 256; i++)
        CU_ASSERT_TRUE(counts[i] > 1000 - 190 && counts[i] < 1000 + 190); /* six standard deviations */
}

/* a -- b -- c; b has two links to c, and all of b's links bear its one address. */
struct line {
    struct ns3c_node *a, *b, *c;
    struct ns3c_link *ab, *fast, *slow;
    struct ns3c_udp *from_a, *at_c;
    struct log log;
};

static void line_open(struct line *line, int64_t fast_delay, int64_t slow_delay)
{
    struct ns3c_link_config config = {.rate_bps = 1000000000, .queue_packets = 100, .mtu = 1500, .stream = 1};
    ns3c_init(1, 1);
    line->log.num = 0;
    line->a = ns3c_node_new("a");
    line->b = ns3c_node_new("b");
    line->c = ns3c_node_new("c");
    line->ab = ns3c_link_new(line->a, line->b, &config);
    config.delay_ns = fast_delay;
    line->fast = ns3c_link_new(line->b, line->c, &config);
    config.delay_ns = slow_delay;
    line->slow = ns3c_link_new(line->b, line->c, &config);
    ns3c_address_add(line->a, ns3c_link_interface(line->ab, 0), ns3c_v4(A), 32);
    ns3c_address_add(line->b, ns3c_link_interface(line->ab, 1), ns3c_v4(B), 32);
    ns3c_address_add(line->b, ns3c_link_interface(line->fast, 0), ns3c_v4(B), 32);
    ns3c_address_add(line->b, ns3c_link_interface(line->slow, 0), ns3c_v4(B), 32);
    ns3c_address_add(line->c, ns3c_link_interface(line->fast, 1), ns3c_v4(C), 32);
    ns3c_address_local(line->c, ns3c_v4(0x14000001)); /* 20.0.0.1 */
    ns3c_address_local(line->c, ns3c_v4(0x14010001)); /* 20.1.0.1 */
    ns3c_route_add(line->a, ns3c_v4(0), 0, ns3c_link_interface(line->ab, 0));
    ns3c_route_add(line->b, ns3c_v4(A), 32, ns3c_link_interface(line->ab, 1));
    ns3c_route_add(line->c, ns3c_v4(0), 0, ns3c_link_interface(line->fast, 1));
    line->from_a = ns3c_udp_open(line->a, ns3c_any(), PORT, log_udp, &line->log);
    line->at_c = ns3c_udp_open(line->c, ns3c_any(), PORT, log_udp, &line->log);
}

static void the_longest_prefix_routes(void)
{
    static struct line line;
    line_open(&line, MS, 50 * MS);
    ns3c_route_add(line.b, ns3c_v4(0x14000000), 8, ns3c_link_interface(line.slow, 0));
    ns3c_route_add(line.b, ns3c_v4(0x14010000), 16, ns3c_link_interface(line.fast, 0));
    ns3c_route_add(line.b, ns3c_v4(0), 0, ns3c_link_interface(line.ab, 1));
    CU_ASSERT_EQUAL(ns3c_udp_send(line.from_a, ns3c_v4(0x14000001), PORT, (const uint8_t *)"slow", 4, 1), 0);
    CU_ASSERT_EQUAL(ns3c_udp_send(line.from_a, ns3c_v4(0x14010001), PORT, (const uint8_t *)"fast", 4, 2), 0);
    ns3c_run(SECOND);
    CU_ASSERT_EQUAL_FATAL(line.log.num, 2);
    CU_ASSERT_EQUAL(line.log.rows[0].mark, 2);
    CU_ASSERT_EQUAL(line.log.rows[0].at,
                    MS + 256 + 256 + 256); /* 32 bytes each, the second waits on the first link */
    CU_ASSERT_EQUAL(line.log.rows[1].mark, 1);
    CU_ASSERT_EQUAL(line.log.rows[1].at, 50 * MS + 256 + 256);
    CU_ASSERT_EQUAL(line.log.rows[1].destination, 0x14000001);

    /* The same prefix again replaces its route. */
    ns3c_route_add(line.b, ns3c_v4(0x14010000), 16, ns3c_link_interface(line.slow, 0));
    CU_ASSERT_EQUAL(ns3c_udp_send(line.from_a, ns3c_v4(0x14010001), PORT, (const uint8_t *)"slow", 4, 3), 0);
    ns3c_run(2 * SECOND);
    CU_ASSERT_EQUAL_FATAL(line.log.num, 3);
    CU_ASSERT_EQUAL(line.log.rows[2].at, SECOND + 50 * MS + 256 + 256);
    ns3c_destroy();
}

static void forwarding_works_both_ways(void)
{
    static struct line line;
    line_open(&line, MS, 50 * MS);
    ns3c_route_add(line.b, ns3c_v4(C), 32, ns3c_link_interface(line.fast, 0));
    struct ns3c_udp *bound = ns3c_udp_open(line.c, ns3c_v4(0x14010001), PORT + 1, log_udp, &line.log);
    CU_ASSERT_PTR_NOT_NULL_FATAL(bound);
    CU_ASSERT_EQUAL(ns3c_udp_send(line.from_a, ns3c_v4(C), PORT, (const uint8_t *)"there", 5, 1), 0);
    CU_ASSERT_EQUAL(ns3c_udp_send(line.at_c, ns3c_v4(A), PORT, (const uint8_t *)"back", 4, 2), 0);
    CU_ASSERT_EQUAL(ns3c_udp_send(bound, ns3c_v4(A), PORT, (const uint8_t *)"bound", 5, 3), 0);
    ns3c_run(SECOND);
    CU_ASSERT_EQUAL_FATAL(line.log.num, 3);
    CU_ASSERT_EQUAL(line.log.rows[0].mark, 2);
    CU_ASSERT_EQUAL(line.log.rows[0].source, C);
    CU_ASSERT_EQUAL(line.log.rows[1].mark, 1);
    CU_ASSERT_EQUAL(line.log.rows[1].source, A);
    CU_ASSERT_EQUAL(line.log.rows[2].source, 0x14010001);
    ns3c_destroy();
}

static void a_taken_port_and_a_missing_route_are_told(void)
{
    static struct pair pair;
    pair_open(&pair, &plain, 1);
    CU_ASSERT_PTR_NULL(ns3c_udp_open(pair.a, ns3c_any(), PORT, log_udp, &pair.log));
    fprintf(stderr, "(two messages expected: ");
    CU_ASSERT_EQUAL(ns3c_udp_send(pair.from_a, ns3c_v4(0x0b000001), PORT, (const uint8_t *)"x", 1, 1), -1);
    CU_ASSERT_EQUAL(ns3c_packet_send(pair.a, (const uint8_t *)"x", 1, 1), -1);
    fprintf(stderr, ")\n");
    ns3c_destroy();
}

/* An IPv4 header for so many bytes in all, DF set, identification 0xbeef; the checksum is left to others. */
static void put_header(uint8_t *packet, size_t len, uint8_t protocol, uint32_t source, uint32_t destination)
{
    memset(packet, 0, len);
    packet[0] = 0x45;
    packet[1] = 0xb8;
    packet[2] = (uint8_t)(len >> 8);
    packet[3] = (uint8_t)len;
    packet[4] = 0xbe;
    packet[5] = 0xef;
    packet[6] = 0x40;
    packet[8] = 77;
    packet[9] = protocol;
    for (int i = 0; i < 4; i++) {
        packet[12 + i] = (uint8_t)(source >> (24 - 8 * i));
        packet[16 + i] = (uint8_t)(destination >> (24 - 8 * i));
    }
}

/* RFC 1071: over a header with its checksum in place, the sum is all ones. */
static bool header_checks(const uint8_t *packet)
{
    uint32_t sum = 0;
    for (int i = 0; i < 20; i += 2)
        sum += (uint32_t)packet[i] << 8 | packet[i + 1];
    sum = (sum >> 16) + (sum & 0xffff);
    return sum + (sum >> 16) == 0xffff;
}

static void whole_packets_arrive_as_they_were_sent(void)
{
    static const uint32_t mtus[] = {1500, 1000};
    for (int i = 0; i < 2; i++) {
        static struct pair pair;
        static struct log log;
        static uint8_t packet[1440];
        struct ns3c_link_config config = plain;
        config.mtu = mtus[i];
        log.num = 0;
        pair_open(&pair, &config, 1);
        ns3c_protocol_open(pair.b, 50, log_packet, &log);
        put_header(packet, sizeof packet, 50, A, B);
        for (size_t j = 20; j < sizeof packet; j++)
            packet[j] = (uint8_t)j;
        CU_ASSERT_EQUAL(ns3c_packet_send(pair.a, packet, sizeof packet, 42), 0);
        packet[9] = 51; /* nobody asked for this one */
        CU_ASSERT_EQUAL(ns3c_packet_send(pair.a, packet, sizeof packet, 43), 0);
        packet[9] = 50;
        ns3c_run(SECOND);
        CU_ASSERT_EQUAL_FATAL(log.num, 1);
        CU_ASSERT_EQUAL(log.rows[0].mark, 42);
        CU_ASSERT_EQUAL(log.rows[0].len, sizeof packet);
        CU_ASSERT_TRUE(header_checks(log.last));
        memcpy(packet + 10, log.last + 10, 2);
        CU_ASSERT_EQUAL(memcmp(log.last, packet, sizeof packet), 0);
        ns3c_destroy();
    }
}

static void fragments_in_any_order_make_a_whole_packet(void)
{
    static struct pair pair;
    static struct log log;
    static uint8_t first[20 + 800], second[20 + 400];
    log.num = 0;
    pair_open(&pair, &plain, 1);
    ns3c_protocol_open(pair.b, 50, log_packet, &log);
    put_header(first, sizeof first, 50, A, B);
    put_header(second, sizeof second, 50, A, B);
    memset(first + 20, 1, sizeof first - 20);
    memset(second + 20, 2, sizeof second - 20);
    first[6] = 0x20; /* more fragments */
    second[6] = 0;
    second[7] = 800 / 8; /* offset */
    CU_ASSERT_EQUAL(ns3c_packet_send(pair.a, second, sizeof second, 5), 0);
    CU_ASSERT_EQUAL(ns3c_packet_send(pair.a, first, sizeof first, 5), 0);
    ns3c_run(SECOND);
    CU_ASSERT_EQUAL_FATAL(log.num, 1);
    CU_ASSERT_EQUAL(log.rows[0].len, 20 + 800 + 400);
    CU_ASSERT_EQUAL(log.rows[0].mark, 5);
    CU_ASSERT_TRUE(header_checks(log.last));
    CU_ASSERT_EQUAL((log.last[2] << 8) + log.last[3], 20 + 800 + 400);
    CU_ASSERT_EQUAL(log.last[6], 0); /* no fragment any more */
    CU_ASSERT_EQUAL(log.last[7], 0);
    CU_ASSERT_EQUAL(log.last[20 + 799], 1);
    CU_ASSERT_EQUAL(log.last[20 + 800], 2);
    ns3c_destroy();
}

/* A tunnel of the simplest kind: what goes in at one end comes out at the other, as protocol 99. */
struct tunnel_end {
    struct ns3c_node *node;
    uint32_t interface, local, remote;
    struct log in;
};

static void tunnel_wrap(void *ctx, const uint8_t *packet, size_t len, uint64_t mark)
{
    static uint8_t outer[2048];
    struct tunnel_end *end = ctx;
    log_packet(&end->in, packet, len, mark);
    put_header(outer, len + 20, 99, end->local, end->remote);
    memcpy(outer + 20, packet, len);
    CU_ASSERT_EQUAL(ns3c_packet_send(end->node, outer, len + 20, mark), 0);
}

static void tunnel_unwrap(void *ctx, const uint8_t *packet, size_t len, uint64_t mark)
{
    struct tunnel_end *end = ctx;
    CU_ASSERT_EQUAL(ns3c_tunnel_receive(end->node, end->interface, packet + 20, len - 20, mark), 0);
}

static void tunnel_open(struct tunnel_end *end, struct ns3c_node *node, uint32_t local, uint32_t remote)
{
    memset(end, 0, sizeof *end);
    end->node = node;
    end->local = local;
    end->remote = remote;
    end->interface = ns3c_tunnel_new(node, 65535, tunnel_wrap, end);
    ns3c_protocol_open(node, 99, tunnel_unwrap, end);
}

#define INNER_A 0x0a640001u /* 10.100.0.1 */
#define INNER_B 0x0ac80001u /* 10.200.0.1 */

static void tunnels_carry_whole_packets(void)
{
    static struct pair pair;
    static struct tunnel_end a, b;
    static const uint8_t data[1400] = "through";
    struct ns3c_link_config config = plain;
    config.mtu = 1000;
    pair_open(&pair, &config, 1);
    tunnel_open(&a, pair.a, A, B);
    tunnel_open(&b, pair.b, B, A);
    ns3c_address_local(pair.a, ns3c_v4(INNER_A));
    ns3c_address_local(pair.b, ns3c_v4(INNER_B));
    ns3c_route_add(pair.a, ns3c_v4(INNER_B), 16, a.interface);
    ns3c_route_add(pair.b, ns3c_v4(INNER_A), 16, b.interface);
    struct ns3c_udp *inner_a = ns3c_udp_open(pair.a, ns3c_v4(INNER_A), 9, log_udp, &pair.log);
    struct ns3c_udp *inner_b = ns3c_udp_open(pair.b, ns3c_v4(INNER_B), 9, log_udp, &pair.log);
    CU_ASSERT_EQUAL(ns3c_udp_send(inner_a, ns3c_v4(INNER_B), 9, data, sizeof data, 7), 0);
    ns3c_run(SECOND);
    CU_ASSERT_EQUAL(ns3c_udp_send(inner_b, ns3c_v4(INNER_A), 9, data, sizeof data, 8), 0);
    ns3c_run(2 * SECOND);
    CU_ASSERT_EQUAL_FATAL(pair.log.num, 2);
    CU_ASSERT_EQUAL(pair.log.rows[0].source, INNER_A);
    CU_ASSERT_EQUAL(pair.log.rows[0].destination, INNER_B);
    CU_ASSERT_EQUAL(pair.log.rows[0].mark, 7);
    CU_ASSERT_EQUAL(pair.log.rows[0].len, sizeof data);
    CU_ASSERT_EQUAL(pair.log.rows[1].source, INNER_B);
    CU_ASSERT_EQUAL(pair.log.rows[1].mark, 8);
    CU_ASSERT_EQUAL_FATAL(a.in.num, 1);
    CU_ASSERT_EQUAL(a.in.rows[0].source, INNER_A);
    CU_ASSERT_EQUAL(a.in.rows[0].mark, 7);
    CU_ASSERT_EQUAL(a.in.rows[0].len, sizeof data + 28); /* whole: only the outer packet is fragmented */
    CU_ASSERT_TRUE(header_checks(a.in.last));
    CU_ASSERT_EQUAL(memcmp(pair.log.last, data, 7), 0);
    ns3c_destroy();
}

/* Some of everything: UDP, fragments, an unreachable port, protocol 50; the middle node is captured. */
static void run_captured(const char *file, uint64_t run)
{
    static struct pair pair;
    static uint8_t packet[200];
    struct ns3c_link_config config = plain;
    config.mtu = 1000;
    config.jitter_ns = MS;
    pair_open(&pair, &config, run);
    struct ns3c_capture *capture = ns3c_capture_open(pair.b, file);
    CU_ASSERT_PTR_NOT_NULL_FATAL(capture);
    struct sender sender = {
        .udp = pair.from_a, .destination = B, .len = 1400, .num = 10, .interval = 10 * MS};
    sender_start(&sender, 0);
    CU_ASSERT_EQUAL(ns3c_udp_send(pair.from_a, ns3c_v4(B), PORT + 7, (const uint8_t *)"nobody", 6, 0), 0);
    put_header(packet, sizeof packet, 50, A, B);
    packet[23] = 1; /* SPI 1 */
    packet[27] = 1; /* sequence number 1 */
    CU_ASSERT_EQUAL(ns3c_packet_send(pair.a, packet, sizeof packet, 1), 0);
    ns3c_run(SECOND);
    CU_ASSERT_EQUAL(ns3c_capture_close(capture), 0);
    ns3c_destroy();
}

static size_t read_file(const char *file, uint8_t *out, size_t capacity)
{
    FILE *f = fopen(file, "rb");
    size_t len = f ? fread(out, 1, capacity, f) : 0;
    if (f)
        fclose(f);
    return len;
}

/* The first line that a command prints. */
static void ask(const char *command, char *line, size_t size)
{
    line[0] = 0;
    FILE *pipe = popen(command, "r");
    if (pipe && !fgets(line, (int)size, pipe))
        line[0] = 0;
    if (pipe)
        pclose(pipe);
    line[strcspn(line, "\n")] = 0;
}

static void captures_open_in_tshark(void)
{
    char file[] = "/tmp/ns3c-capture-XXXXXX", command[400], answer[200];
    int fd = mkstemp(file);
    CU_ASSERT_TRUE_FATAL(fd >= 0);
    close(fd);
    run_captured(file, 1);
#define TSHARK "tshark -r %s -o ip.check_checksum:TRUE -o udp.check_checksum:TRUE "
    snprintf(command, sizeof command,
             TSHARK "-Y '_ws.malformed || _ws.expert.severity >= 6291456' 2>/dev/null", file);
    ask(command, answer, sizeof answer);
    CU_ASSERT_STRING_EQUAL(answer, ""); /* no warning (6291456) and no error (8388608) */
    /* 20 fragments and the two single packets come in, one ICMP error goes out. */
    snprintf(command, sizeof command, TSHARK "2>/dev/null | wc -l", file);
    ask(command, answer, sizeof answer);
    CU_ASSERT_EQUAL(atoi(answer), 23);
    snprintf(command, sizeof command,
             TSHARK "-Y 'ip.checksum.status == 0 || icmp.checksum.status == 0' 2>/dev/null", file);
    ask(command, answer, sizeof answer);
    CU_ASSERT_STRING_EQUAL(answer, "");
    snprintf(command, sizeof command, TSHARK "-Y 'icmp.type == 3 && icmp.code == 3' 2>/dev/null | wc -l",
             file);
    ask(command, answer, sizeof answer);
    CU_ASSERT_EQUAL(atoi(answer), 1);
    snprintf(command, sizeof command, TSHARK "-Y 'udp.length == 1408' 2>/dev/null | wc -l", file);
    ask(command, answer, sizeof answer);
    CU_ASSERT_EQUAL(atoi(answer), 10); /* tshark reassembles them too */
    unlink(file);
}

static void captures_repeat_byte_for_byte(void)
{
    static uint8_t first[1 << 16], again[1 << 16], other[1 << 16];
    char file[] = "/tmp/ns3c-capture-XXXXXX";
    int fd = mkstemp(file);
    CU_ASSERT_TRUE_FATAL(fd >= 0);
    close(fd);
    run_captured(file, 1);
    size_t first_len = read_file(file, first, sizeof first);
    run_captured(file, 1);
    size_t again_len = read_file(file, again, sizeof again);
    run_captured(file, 2);
    size_t other_len = read_file(file, other, sizeof other);
    unlink(file);
    CU_ASSERT_TRUE(first_len > 15000);
    CU_ASSERT_TRUE(first_len == again_len && memcmp(first, again, first_len) == 0);
    CU_ASSERT_TRUE(first_len == other_len && memcmp(first, other, first_len) != 0); /* the jitter */
}

static void transit_is_captured_once_in_and_once_out(void)
{
    static struct line line;
    char file[] = "/tmp/ns3c-capture-XXXXXX", command[300], answer[100];
    int fd = mkstemp(file);
    CU_ASSERT_TRUE_FATAL(fd >= 0);
    close(fd);
    line_open(&line, MS, 50 * MS);
    ns3c_route_add(line.b, ns3c_v4(C), 32, ns3c_link_interface(line.fast, 0));
    struct ns3c_capture *capture = ns3c_capture_open(line.b, file);
    CU_ASSERT_PTR_NOT_NULL_FATAL(capture);
    CU_ASSERT_EQUAL(ns3c_udp_send(line.from_a, ns3c_v4(C), PORT, (const uint8_t *)"x", 1, 1), 0);
    ns3c_run(SECOND);
    CU_ASSERT_EQUAL(ns3c_capture_close(capture), 0);
    ns3c_destroy();
    snprintf(command, sizeof command, "tshark -r %s -T fields -e ip.ttl 2>/dev/null | tr '\\n' ' '", file);
    ask(command, answer, sizeof answer);
    CU_ASSERT_STRING_EQUAL(answer, "64 63 ");
    unlink(file);
}

static void an_unwritable_capture_is_told(void)
{
    static struct pair pair;
    pair_open(&pair, &plain, 1);
    CU_ASSERT_PTR_NULL(ns3c_capture_open(pair.a, "/nonexistent/x.pcap"));
    struct ns3c_capture *full = ns3c_capture_open(pair.a, "/dev/full");
    if (full)
        CU_ASSERT_EQUAL(ns3c_capture_close(full), -1);
    ns3c_destroy();
}

CHECK_MAIN("ns3c", {"timers fire once, where they were armed last", timers_fire_once_where_last_armed},
           {"a run does all of its last instant", a_run_does_all_of_its_last_instant},
           {"streams depend on nothing but their number", streams_depend_on_nothing_but_their_number},
           {"all byte values are drawn", all_byte_values_are_drawn},
           {"the longest prefix routes", the_longest_prefix_routes},
           {"forwarding works both ways", forwarding_works_both_ways},
           {"a taken port and a missing route are told", a_taken_port_and_a_missing_route_are_told},
           {"whole packets arrive as they were sent", whole_packets_arrive_as_they_were_sent},
           {"fragments in any order make a whole packet", fragments_in_any_order_make_a_whole_packet},
           {"tunnels carry whole packets", tunnels_carry_whole_packets},
           {"captures open in tshark", captures_open_in_tshark},
           {"captures repeat byte for byte", captures_repeat_byte_for_byte},
           {"transit is captured once in and once out", transit_is_captured_once_in_and_once_out},
           {"an unwritable capture is told", an_unwritable_capture_is_told})
