/* Captures made by hand and those of real daemons: which packets come out of them, and what is said of those
 * that cannot be read. */
#include "frames_fixture.h"

#define SLL  "0000 0001 0006 020000000002 0000"
#define SLL2 "0000 00000003 0001 00 06 020000000002 0000"

enum outcome { IP4, IP6, NOT_IP, MALFORMED };

static const struct link_case {
    int link_type;
    const char *header, *rest;
    enum outcome outcome;
} link_cases[] = {
    {1, MACS "0800", V4_PACKET, IP4},
    {1, MACS "86dd", V6_PACKET, IP6},
    {1, MACS "8100 0001 0800", V4_PACKET, IP4},
    {1, MACS "88a8 0001 8100 0002 86dd", V6_PACKET, IP6},
    {1, MACS "88a8 0001 8100 0002 8100 0003 8100 0004 0800", V4_PACKET, IP4},
    {1, MACS "88a8 0001 8100 0002 8100 0003 8100 0004 8100 0005 0800", V4_PACKET, NOT_IP}, /* five tags */
    {1, MACS "8864 1100 0001 001e 0021", V4_PACKET, IP4},
    {1, MACS "8864 1100 0001 0032 0057", V6_PACKET, IP6},
    {1, MACS "8100 0001 8864 1100 0001 001e 0021", V4_PACKET, IP4},
    {1, MACS "8864 1100 0001 0032 c021", "0101 0004", NOT_IP}, /* LCP */
    {1, MACS "8864 1165 0001 001e 0021", V4_PACKET, NOT_IP},   /* not of a session */
    {1, MACS "8864 2100 0001 001e 0021", V4_PACKET, NOT_IP},   /* version 2 */
    {1, MACS "8863 1109 0000 0004", "0101 0000", NOT_IP},      /* discovery */
    {1, MACS "0024 aaaa03 000000 0800", V4_PACKET, IP4},       /* 802.3 with LLC and SNAP */
    {1, MACS "0024 aaaa03 00000c 0800", V4_PACKET, NOT_IP},    /* somebody's own protocol number 0800 */
    {1, MACS "0026 424203", "000000000000", NOT_IP},           /* spanning tree */
    {1, MACS "0806", "0001080006040001", NOT_IP},              /* ARP */
    {1, MACS "08", "", NOT_IP},                                /* ends in the link layer */
    {1, MACS "8100 0001 08", "", NOT_IP},                      /* and in a tag */
    {1, MACS "8864 1100 0001 00", "", NOT_IP},                 /* and in PPPoE */
    {1, MACS "8864 1100 0001 001e 00", "", NOT_IP},            /* and in PPP */
    {1, MACS "0800", "", MALFORMED},                           /* nothing behind it */
    {1, MACS "0800", V6_PACKET, MALFORMED},                    /* not what it says */
    {1, MACS "86dd", V4_PACKET, MALFORMED},
    {9, "ff03 0021", V4_PACKET, IP4},
    {9, "ff03 0057", V6_PACKET, IP6},
    {9, "0021", V4_PACKET, IP4},
    {9, "0057", V6_PACKET, IP6},
    {9, "21", V4_PACKET, IP4}, /* compressed */
    {9, "57", V6_PACKET, IP6},
    {9, "ff03 57", V6_PACKET, IP6},
    {9, "ff03 c021", "0101 0004", NOT_IP},
    {9, "ff03", "", NOT_IP},
    {9, "", "", NOT_IP},
    {101, "", V4_PACKET, IP4},
    {101, "", V6_PACKET, IP6},
    {101, "", "00", MALFORMED},
    {101, "", "", MALFORMED},
    {12, "", V4_PACKET, IP4}, /* raw IP with the number that it has in memory on Linux, */
    {14, "", V6_PACKET, IP6}, /* and on OpenBSD */
    {113, SLL "0800", V4_PACKET, IP4},
    {113, SLL "86dd", V6_PACKET, IP6},
    {113, SLL "8100 0001 0800", V4_PACKET, IP4},
    {113, SLL "0806", "0001080006040001", NOT_IP},
    {113, SLL "08", "", NOT_IP},
    {276, "0800" SLL2, V4_PACKET, IP4},
    {276, "86dd" SLL2, V6_PACKET, IP6},
    {276, "0806" SLL2, "0001080006040001", NOT_IP},
    {276, "0800 0000 00000003 0001 00 06 020000000002 00", "", NOT_IP},
    {228, "", V4_PACKET, IP4},
    {228, "", V6_PACKET, MALFORMED},
    {229, "", V6_PACKET, IP6},
    {229, "", V4_PACKET, MALFORMED},
    {0, "02000000", V4_PACKET, IP4},
    {0, "00000002", V4_PACKET, IP4},
    {0, "1c000000", V6_PACKET, IP6},
    {0, "0000001e", V6_PACKET, IP6},
    {0, "18000000", V6_PACKET, IP6},
    {0, "00000007", V4_PACKET, NOT_IP},
    {0, "020000", "", NOT_IP},
    {108, "00000002", V4_PACKET, IP4},
    {108, "0000001c", V6_PACKET, IP6},
    {108, "02000000", V4_PACKET, NOT_IP}, /* network byte order, always */
};

static void check_link_case(const struct link_case *c)
{
    char hex[1024];
    snprintf(hex, sizeof hex, "%s%s", c->header, c->rest);
    begin((uint32_t)c->link_type);
    put_frame(hex);
    read_file();
    bool ip = c->outcome == IP4 || c->outcome == IP6;
    CU_ASSERT_EQUAL(seen.end, FRAMES_END);
    CU_ASSERT_EQUAL(seen.link_type, c->link_type == 12 || c->link_type == 14 ? 101 : c->link_type);
    CU_ASSERT_EQUAL(seen.counts.frames, 1);
    CU_ASSERT_EQUAL(seen.counts.not_ip, c->outcome == NOT_IP);
    CU_ASSERT_EQUAL(seen.counts.malformed_ip, c->outcome == MALFORMED);
    CU_ASSERT_EQUAL_FATAL(seen.num, ip);
    if (!ip)
        return;
    CHECK_HEX(seen.frames[0].link.data, seen.frames[0].link.len, c->header);
    CHECK_HEX(seen.frames[0].packet.data, seen.frames[0].packet.len, c->rest);
    CU_ASSERT_EQUAL(seen.frames[0].packet.data[0] >> 4, c->outcome == IP4 ? 4 : 6);
}

static void takes_off_every_link_layer(void)
{
    for (size_t i = 0; i < sizeof link_cases / sizeof link_cases[0]; i++)
        check_link_case(&link_cases[i]);
}

static void reads_both_byte_orders_and_precisions(void)
{
    for (int i = 0; i < 4; i++) {
        bool big_endian = i & 1, nano = i & 2;
        uint8_t packet[64];
        size_t len = check_unhex(V4_PACKET, packet, sizeof packet);
        begin_classic(nano ? 0xa1b23c4d : 0xa1b2c3d4, big_endian, 101, 65535);
        put_record(1700000000, 123456, packet, len, len);
        put_record(4000000000, 999999, packet, len, len); /* beyond 2038 */
        read_file();
        CU_ASSERT_EQUAL(seen.end, FRAMES_END);
        CU_ASSERT_EQUAL_FATAL(seen.num, 2);
        CU_ASSERT_EQUAL(seen.frames[0].number, 1);
        CU_ASSERT_EQUAL(seen.frames[1].number, 2);
        CU_ASSERT_EQUAL(seen.frames[0].fragments, 1);
        CU_ASSERT_EQUAL(seen.frames[0].at, 1700000000 * P2_SECOND + 123456 * (nano ? 1 : 1000));
        CU_ASSERT_EQUAL(seen.frames[1].at, 4000000000 * P2_SECOND + 999999 * (nano ? 1 : 1000));
        CU_ASSERT_EQUAL(seen.counts.bytes, 2 * len);
    }
}

/* Times are in units of 10^-9 seconds if `with_resolution`, else 10^-6. */
static void begin_pcapng(bool big_endian, bool with_resolution, uint32_t link_type)
{
    file.len = 0;
    file.big_endian = big_endian;
    put_number(0x0a0d0d0a, 4); /* section header */
    put_number(28, 4);
    put_number(0x1a2b3c4d, 4);
    put_number(1, 2);
    put_number(0, 2);
    put_number(UINT64_MAX, 8);
    put_number(28, 4);
    uint32_t len = with_resolution ? 32 : 20;
    put_number(1, 4); /* interface description */
    put_number(len, 4);
    put_number(link_type, 2);
    put_number(0, 2);
    put_number(262144, 4);
    if (with_resolution) {
        put_number(9, 2); /* if_tsresol */
        put_number(1, 2);
        put("\x09\0\0\0", 4);
        put_number(0, 4); /* end of options */
    }
    put_number(len, 4);
}

static void put_enhanced_packet(uint64_t time, const uint8_t *bytes, size_t len)
{
    size_t padded = (len + 3) / 4 * 4;
    put_number(6, 4);
    put_number(32 + padded, 4);
    put_number(0, 4);
    put_number(time >> 32, 4);
    put_number(time & 0xffffffff, 4);
    put_number(len, 4);
    put_number(len, 4);
    put(bytes, len);
    put("\0\0\0", padded - len);
    put_number(32 + padded, 4);
}

static void reads_pcapng(void)
{
    for (int i = 0; i < 4; i++) {
        bool nano = i & 2;
        uint8_t frame[64];
        size_t len = check_unhex(MACS "0800" V4_PACKET, frame, sizeof frame);
        begin_pcapng(i & 1, nano, 1);
        put_enhanced_packet(UINT64_C(1700000000123456789), frame, len);
        put_number(0x0bad, 4); /* a block that nobody knows */
        put_number(12, 4);
        put_number(12, 4);
        put_enhanced_packet(UINT64_C(1700000000123456790), frame, len);
        read_file();
        CU_ASSERT_EQUAL(seen.end, FRAMES_END);
        CU_ASSERT_EQUAL_FATAL(seen.num, 2);
        CHECK_HEX(seen.frames[0].packet.data, seen.frames[0].packet.len, V4_PACKET);
        CU_ASSERT_EQUAL(seen.frames[1].number, 2);
        if (nano)
            CU_ASSERT_EQUAL(seen.frames[1].at, INT64_C(1700000000123456790));
    }
    begin_pcapng(false, false, 101);
    uint8_t packet[64];
    size_t len = check_unhex(V4_PACKET, packet, sizeof packet);
    put_enhanced_packet(UINT64_C(1700000000123456), packet, len);
    put_enhanced_packet(UINT64_MAX, packet, len); /* after 500,000 years, and yet no overflow */
    read_file();
    CU_ASSERT_EQUAL_FATAL(seen.num, 2);
    CU_ASSERT_EQUAL(seen.frames[0].at, INT64_C(1700000000123456000));
    CU_ASSERT(seen.frames[1].at > seen.frames[0].at);
}

static void cuts_padding_off(void)
{
    begin(1);
    put_frame(MACS "0800" V4_PACKET "0000000000000000000000000000 0000 deadbeef");
    put_frame(MACS "86dd" V6_PACKET "0000 deadbeef");
    read_file();
    CU_ASSERT_EQUAL_FATAL(seen.num, 2);
    CHECK_HEX(seen.frames[0].packet.data, seen.frames[0].packet.len, V4_PACKET);
    CHECK_HEX(seen.frames[1].packet.data, seen.frames[1].packet.len, V6_PACKET);
    CU_ASSERT_EQUAL(seen.frames[0].cut, 0);
}

static void tells_what_the_snap_length_cut(void)
{
    uint8_t v4[64], v6[64], options[64];
    size_t len4 = check_unhex(V4_PACKET, v4, sizeof v4), len6 = check_unhex(V6_PACKET, v6, sizeof v6);
    size_t len_options = check_unhex("46000018 00000000 40110000 0a010009 0a020007 01010101", options, 64);
    begin(101);
    put_record(1, 0, v4, len4 - 3, len4);
    put_record(1, 0, v6, len6 - 8, len6);
    put_record(1, 0, v6, len6 - 9, len6);                    /* the header is not whole */
    put_record(1, 0, v4, 19, len4);                          /* nor this one */
    put_record(1, 0, options, len_options - 1, len_options); /* nor this one's options */
    put_record(1, 0, v4, len4 - 3, len4 - 1);                /* there never was as much as the header says */
    put_record(1, 0, v4, len4 - 3, 0);                       /* nonsense on the length that there was */
    v6[6] = P2_IP_PROTO_DESTINATION;
    put_record(1, 0, v6, 40, len6); /* there may be an extension header in what is missing */
    v6[6] = P2_IP_PROTO_FRAGMENT;
    put_record(1, 0, v6, 47, len6);
    read_file();
    CU_ASSERT_EQUAL(seen.counts.malformed_ip, 5);
    CU_ASSERT_EQUAL_FATAL(seen.num, 4);
    CU_ASSERT_EQUAL(seen.frames[0].packet.len, len4 - 3);
    CU_ASSERT_EQUAL(seen.frames[0].cut, 3);
    CU_ASSERT_EQUAL(seen.frames[1].packet.len, 40);
    CU_ASSERT_EQUAL(seen.frames[1].cut, 8);
    CU_ASSERT_EQUAL(seen.frames[2].number, 8);
    CU_ASSERT_EQUAL(seen.frames[3].cut, 1);
}

static void counts_what_is_no_ip_packet(void)
{
    static const char *const malformed[] = {
        "44b8001c 12344000 40110000 0a010009 0a020007 01f41194 00080000", /* a header of 16 bytes */
        "4fb8001c 12344000 40110000 0a010009 0a020007 01f41194 00080000", /* of 60 */
        "45b80013 12344000 40110000 0a010009 0a020007 01f41194 00080000", /* a total length of 19 */
        "45b80000 12344000 40110000 0a010009 0a020007 01f41194 00080000", /* of 0 */
        "45b8001d 12344000 40110000 0a010009 0a020007 01f41194 00080000", /* more than there is */
        "55b8001c 12344000 40110000 0a010009 0a020007 01f41194 00080000", /* version 5 */
        "45b8001b 12342000 40110000 0a010009 0a020007 01f41194 000800", /* not in eights, but not the last */
        "45b80014 12340001 40110000 0a010009 0a020007",                 /* an empty one */
        "60000000 00090000 " V6_PAIR
        "1101 0000 0000 0000 00", /* an extension header longer than the packet */
        "60000000 00103c00 " V6_PAIR
        "0000 0000 0000 0000 1100 0000 0000 0000", /* hop-by-hop options that are not the first */
    };
    begin(101);
    for (size_t i = 0; i < sizeof malformed / sizeof malformed[0]; i++)
        put_frame(malformed[i]);
    put_frame(V4_PACKET);
    read_file();
    CU_ASSERT_EQUAL(seen.counts.frames, 11);
    CU_ASSERT_EQUAL(seen.counts.malformed_ip, 10);
    CU_ASSERT_EQUAL(seen.counts.packets, 1);
    CU_ASSERT_EQUAL(seen.frames[0].number, 11);
}

/* Cut anywhere: what is whole comes out, and the rest is told of. */
static void says_in_which_frame_a_file_ends(void)
{
    for (int pcapng = 0; pcapng < 2; pcapng++) {
        uint8_t packet[64];
        size_t len = check_unhex(V4_PACKET, packet, sizeof packet), starts[3];
        if (pcapng)
            begin_pcapng(false, true, 101);
        else
            begin(101);
        for (int i = 0; i < 3; i++) {
            starts[i] = file.len;
            if (pcapng)
                put_enhanced_packet(1, packet, len);
            else
                put_record(1, 0, packet, len, len);
        }
        size_t whole = file.len;
        for (file.len = starts[0]; file.len < whole; file.len++) {
            size_t expected = (file.len - starts[0]) / (starts[1] - starts[0]);
            char frame[80];
            snprintf(frame, sizeof frame, "x.pcap: frame %zu cannot be read: truncated", expected + 1);
            read_file();
            CU_ASSERT_EQUAL(seen.num, expected);
            CU_ASSERT_EQUAL(seen.end, file.len == starts[expected] ? FRAMES_END : FRAMES_BROKEN);
            CU_ASSERT_TRUE(seen.end == FRAMES_END || strncmp(seen.error, frame, strlen(frame)) == 0);
            CU_ASSERT_PTR_NULL(strchr(seen.error, '\n'));
        }
    }
}

static bool refused_with(const char *words)
{
    struct frames *frames;
    if (open_file(&frames) == 0) {
        frames_close(frames);
        return false;
    }
    return !frames && strncmp(seen.error, "x.pcap: ", 8) == 0 && strstr(seen.error, words) &&
           !strchr(seen.error, '\n');
}

static void refuses_what_is_no_capture(void)
{
    file.len = 0;
    CU_ASSERT_TRUE(refused_with("empty"));
    const char *other = "<?xml version=\"1.0\"?><scenario/>";
    put(other, strlen(other));
    CU_ASSERT_TRUE(refused_with("not a pcap or pcapng capture"));
    begin(101);
    file.len = 20;
    CU_ASSERT_TRUE(refused_with("truncated"));
    begin(105);
    CU_ASSERT_TRUE(refused_with("IEEE802_11"));
    CU_ASSERT_PTR_NOT_NULL(strstr(seen.error, "Ethernet (1), PPP (9), raw IP (101)"));
    CU_ASSERT_PTR_NOT_NULL(strstr(seen.error, "228"));
    begin(9999);
    CU_ASSERT_TRUE(refused_with("9999"));
    begin(101);
    read_file(); /* a capture of nothing is one */
    CU_ASSERT_EQUAL(seen.end, FRAMES_END);
    struct frames *frames;
    CU_ASSERT_EQUAL(frames_open(&frames, "tests/no-such.pcap", seen.error), -1);
    CU_ASSERT_STRING_EQUAL(seen.error, "tests/no-such.pcap: No such file or directory");
    CU_ASSERT_EQUAL(frames_open(&frames, "tests", seen.error), -1);
    CU_ASSERT_STRING_EQUAL(seen.error, "tests: Is a directory");
    CU_ASSERT_PTR_NULL(frames);
    frames_close(frames);
}

/* What comes out makes sense, whatever went in. */
static void check_sense(struct frames *frames)
{
    struct frame frame;
    enum frames_result result;
    uint64_t last = 0;
    while ((result = frames_next(frames, &frame, seen.error)) == FRAMES_NEXT) {
        struct frames_counts counts = frames_counts(frames);
        size_t total = p2_ip_total_len(frame.packet.data, frame.packet.len);
        volatile uint8_t sum = 0; /* every byte is there to be read */
        for (size_t i = 0; i < frame.packet.len; i++)
            sum = (uint8_t)(sum + frame.packet.data[i]);
        for (size_t i = 0; i < frame.link.len; i++)
            sum = (uint8_t)(sum + frame.link.data[i]);
        CU_ASSERT_FATAL(frame.packet.len + frame.cut == total && frame.number > last && frame.at >= 0);
        CU_ASSERT_FATAL(frame.number == counts.frames && frame.fragments >= 1);
        last = frame.number;
    }
    struct frames_counts counts = frames_counts(frames);
    CU_ASSERT_FATAL(result == FRAMES_END || result == FRAMES_BROKEN);
    CU_ASSERT_FATAL(counts.packets + counts.not_ip <= counts.frames);
    frames_close(frames);
}

static void make_mixture(int kind)
{
    static const uint32_t link_types[] = {1, 9, 101, 113, 276, 0};
    uint8_t packet[128];
    size_t len = check_unhex(MACS "8100 0001 8864 1100 0001 001e 0021" V4_PACKET, packet, sizeof packet);
    if (kind == 6) {
        begin_pcapng(false, true, 1);
        for (int i = 0; i < 4; i++)
            put_enhanced_packet(1, packet, len);
        return;
    }
    begin(link_types[kind]);
    put_record(1, 0, packet, len, len);
    for (size_t i = 0; i < sizeof link_cases / sizeof link_cases[0]; i++) {
        char hex[512];
        snprintf(hex, sizeof hex, "%s%s", link_cases[i].header, link_cases[i].rest);
        if (link_cases[i].link_type == (int)link_types[kind])
            put_frame(hex);
    }
    for (uint16_t id = 0; id < 6; id++) { /* raw IP only, but the others have something to chew as well */
        put_v4(1, id, 0, 16, true);
        put_v6(1, id, 16, 24, true);
        put_v4(1, id, 16, 9, false);
        put_v6(1, id, 0, 16, true);
        put_v6(1, id, 40, 9, false);
    }
}

/* P2_MUTATIONS: how many instead of 20,000. P2_SEED: other ones. */
static void no_mutation_does_harm(void)
{
    struct test_random random = {.seed = check_setting("P2_SEED", 791)};
    uint64_t num = check_setting("P2_MUTATIONS", 20000), num_opened = 0;
    for (uint64_t i = 0; i < num; i++) {
        make_mixture((int)test_random_below(&random, 7));
        for (uint64_t n = 1 + test_random_below(&random, 12); n > 0; n--) {
            uint64_t how = test_random_below(&random, 4), dice = test_random_next(&random);
            size_t from = test_random_below(&random, 4) ? 24 : 0; /* seldom the file's own header */
            uint8_t *at = &file.bytes[from + test_random_below(&random, file.len - from)];
            *at = how == 0 ? (uint8_t)dice : (uint8_t)(*at ^ 1u << dice % 8);
        }
        if (test_random_below(&random, 8) == 0)
            file.len = 1 + (size_t)test_random_below(&random, file.len);
        struct frames *frames;
        if (open_file(&frames) != 0)
            continue;
        num_opened++;
        check_sense(frames);
    }
    CU_ASSERT(num_opened > num / 2);
}

/* As many as tshark lists; nothing else than ISAKMP and ESP is in them. */
static void reads_the_corpus(void)
{
    static const struct {
        const char *name;
        uint64_t packets;
    } captures[] = {
        {"aggressive-mode", 51},      {"no-proposal-chosen", 9},
        {"qm-nopfs-aes128-sha1", 53}, {"qm-pfs-modp1024-aes128-sha1", 53},
        {"rekey-under-traffic", 549},
    };
    for (size_t i = 0; i < sizeof captures / sizeof captures[0]; i++) {
        char path[128];
        struct frames *frames;
        snprintf(path, sizeof path, "tests/vectors/corpus/%s/capture.pcap", captures[i].name);
        CU_ASSERT_EQUAL_FATAL(frames_open(&frames, path, seen.error), 0);
        CU_ASSERT_EQUAL(frames_link_type(frames), 1);
        struct frame frame;
        while (frames_next(frames, &frame, seen.error) == FRAMES_NEXT) {
            struct p2_ip_view view;
            CU_ASSERT_EQUAL(p2_ip_parse(&view, frame.packet.data, frame.packet.len), P2_OK);
            CU_ASSERT(view.protocol == P2_IP_PROTO_ESP || view.destination_port == 500);
            CU_ASSERT(frame.at > 1700000000 * P2_SECOND);
        }
        struct frames_counts counts = frames_counts(frames);
        CU_ASSERT_EQUAL(counts.frames, captures[i].packets);
        CU_ASSERT_EQUAL(counts.packets, captures[i].packets);
        CU_ASSERT_EQUAL(counts.malformed_ip + counts.fragments + counts.incomplete, 0);
        frames_close(frames);
    }
}

CHECK_MAIN("frames", {"takes off every link layer", takes_off_every_link_layer},
           {"reads both byte orders and precisions", reads_both_byte_orders_and_precisions},
           {"reads pcapng", reads_pcapng}, {"cuts padding off", cuts_padding_off},
           {"tells what the snap length cut", tells_what_the_snap_length_cut},
           {"counts what is no IP packet", counts_what_is_no_ip_packet},
           {"says in which frame a file ends", says_in_which_frame_a_file_ends},
           {"refuses what is no capture", refuses_what_is_no_capture},
           {"no mutation does harm", no_mutation_does_harm}, {"reads the corpus", reads_the_corpus})
