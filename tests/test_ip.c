/* IP header views and building. */
#include "check.h"
#include "ip.h"
#include "vectors/corpus.h"

/* RFC 3602 section 4, case 5: the original packet of 84 bytes, an ICMP echo request. */
#define RFC3602_CASE_5                                                                                       \
    "45000054 08f20000 4001f9fe c0a87b03 c0a87b64 08000ebd a70a0000 8e9c083d b95b0700 08090a0b 0c0d0e0f"     \
    "10111213 14151617 18191a1b 1c1d1e1f 20212223 24252627 28292a2b 2c2d2e2f 30313233 34353637"

/* 28 bytes by hand: UDP from 10.1.0.9:500 to 10.2.0.7:4500, TOS 0xb8, DF. */
#define UDP_PACKET "45b8001c 12344000 40110000 0a010009 0a020007 01f41194 00080000"

/* The addresses of all IPv6 packets here: 2001:db8::1 to 2001:db8::2. */
#define V6_PAIR "20010db8 00000000 00000000 00000001 20010db8 00000000 00000000 00000002"

/* Extension headers by hand, from RFC 8200's pictures; the first byte is the next one's number. */
#define UDP_V6     "01f41194 00080000"                  /* ports 500 and 4500 */
#define OPTIONS    "00 010400000000"                    /* eight bytes in all, PadN */
#define OPTIONS_16 "01 010c0000 00000000 00000000 0000" /* sixteen */
#define ROUTING_24                                                                                           \
    "02 0401 00000000"                                                                                       \
    "20010db8 00000000 00000000 000000ff" /* type 4, one segment left */

static uint8_t *exactly(const char *hex, size_t *len)
{
    static uint8_t bytes[2048];
    *len = check_unhex(hex, bytes, sizeof(bytes));
    uint8_t *copy = malloc(*len ? *len : 1);
    memcpy(copy, bytes, *len);
    return copy;
}

static int parse(struct p2_ip_view *view, const char *hex)
{
    static uint8_t bytes[2048];
    return p2_ip_parse(view, bytes, check_unhex(hex, bytes, sizeof(bytes)));
}

static void parses_a_real_packet(void)
{
    struct p2_ip_view view;
    size_t len;
    uint8_t *packet = exactly(RFC3602_CASE_5, &len);
    CU_ASSERT_EQUAL_FATAL(p2_ip_parse(&view, packet, len), P2_OK);
    CU_ASSERT_EQUAL(view.family, 4);
    CU_ASSERT_EQUAL(view.source.family, 4);
    CU_ASSERT_EQUAL(p2_address_to_v4(&view.source), 0xc0a87b03);
    CU_ASSERT_EQUAL(p2_address_to_v4(&view.destination), 0xc0a87b64);
    CU_ASSERT_EQUAL(view.tos, 0);
    CU_ASSERT_EQUAL(view.ttl, 64);
    CU_ASSERT_EQUAL(view.protocol, 1);
    CU_ASSERT_FALSE(view.dont_fragment);
    CU_ASSERT_EQUAL(view.header_len, 20);
    CU_ASSERT_EQUAL(view.next_at, 9);
    CU_ASSERT_PTR_EQUAL(view.payload.data, packet + 20);
    CU_ASSERT_EQUAL(view.payload.len, 64);
    CU_ASSERT_FALSE(view.has_ports);
    free(packet);
}

static void parses_an_esp_packet_of_the_corpus(void)
{
    struct p2_ip_view view;
    CU_ASSERT_EQUAL_FATAL(parse(&view, corpus_esp_packets[0].packet), P2_OK);
    CU_ASSERT_EQUAL(p2_address_to_v4(&view.source), 0x0a630001);
    CU_ASSERT_EQUAL(p2_address_to_v4(&view.destination), 0x0a630002);
    CU_ASSERT_EQUAL(view.protocol, P2_IP_PROTO_ESP);
    CU_ASSERT_EQUAL(p2_get_u32(view.payload.data), corpus_esp_packets[0].spi);
}

static void parses_ports_tos_and_df(void)
{
    struct p2_ip_view view;
    CU_ASSERT_EQUAL_FATAL(parse(&view, UDP_PACKET), P2_OK);
    CU_ASSERT_EQUAL(view.tos, 0xb8);
    CU_ASSERT_TRUE(view.dont_fragment);
    CU_ASSERT_TRUE(view.has_ports);
    CU_ASSERT_EQUAL(view.source_port, 500);
    CU_ASSERT_EQUAL(view.destination_port, 4500);
}

/* RFC 791: ports stand in the first fragment only; offsets count in units of 8 bytes. */
static void ports_only_where_there_are_ports(void)
{
    static const struct {
        const char *packet;
        bool has_ports, is_fragment, is_first;
    } cases[] = {
        {"45000018 00000000 40060000 0a010009 0a020007 01f41194", true, false,
         false},                                                                     /* TCP, just the ports */
        {"45000018 00002000 40110000 0a010009 0a020007 01f41194", true, true, true}, /* first, more follow */
        {"45000018 00000001 40110000 0a010009 0a020007 01f41194", false, true, false}, /* a later fragment */
        {"45000018 00003000 40110000 0a010009 0a020007 01f41194", false, true, false}, /* half-way */
        {"45000018 00001fff 40110000 0a010009 0a020007 01f41194", false, true, false}, /* the last offset */
        {"45000018 00004000 40110000 0a010009 0a020007 01f41194", true, false, false}, /* DF */
        {"45000017 00000000 40110000 0a010009 0a020007 01f411", false, false, false}, /* three bytes of UDP */
        {"45000018 00000000 40320000 0a010009 0a020007 01f41194", false, false, false}, /* ESP */
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct p2_ip_view view;
        CU_ASSERT_EQUAL_FATAL(parse(&view, cases[i].packet), P2_OK);
        CU_ASSERT_EQUAL(view.has_ports, cases[i].has_ports);
        CU_ASSERT_EQUAL(view.source_port, cases[i].has_ports ? 500 : 0);
        CU_ASSERT_EQUAL(view.destination_port, cases[i].has_ports ? 4500 : 0);
        CU_ASSERT_EQUAL(view.is_fragment, cases[i].is_fragment);
        CU_ASSERT_EQUAL(view.is_first_fragment, cases[i].is_first);
    }
}

/* RFC 4301 section 4.4.1.1: type << 8 | code is the selector of ICMP. */
static void icmp_has_its_type_and_code(void)
{
    static const struct {
        const char *packet;
        uint16_t selector;
    } cases[] = {
        {RFC3602_CASE_5, 0x0800},
        {"45000016 00000000 40010000 0a010009 0a020007 0304", 0x0304},
        {"45000015 00000000 40010000 0a010009 0a020007 03", 0},
        {"45000016 00000001 40010000 0a010009 0a020007 0304", 0}, /* a later fragment */
        {"60000000 00023a40" V6_PAIR "8600", 0x8600},
        {"60000000 00013a40" V6_PAIR "86", 0},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct p2_ip_view view;
        CU_ASSERT_EQUAL_FATAL(parse(&view, cases[i].packet), P2_OK);
        CU_ASSERT_FALSE(view.has_ports);
        CU_ASSERT_EQUAL(view.source_port, cases[i].selector);
        CU_ASSERT_EQUAL(view.destination_port, cases[i].selector);
    }
}

static void skips_options(void)
{
    struct p2_ip_view view;
    CU_ASSERT_EQUAL_FATAL(
        parse(&view, "46000020 00000000 40110000 0a010009 0a020007 01010101 01f41194 00080000"), P2_OK);
    CU_ASSERT_EQUAL(view.header_len, 24);
    CU_ASSERT_EQUAL(view.payload.len, 8);
    CU_ASSERT_EQUAL(view.source_port, 500);
}

static void refuses_what_is_no_whole_ipv4_packet(void)
{
    static const char *const cases[] = {
        "",
        "65000014 00000000 40010000 0a010009 0a020007", /* version 6, 20 bytes */
        "55000014 00000000 40010000 0a010009 0a020007", /* version 5 */
        "45",
        "44000014 00000000 40010000 0a010009 0a020007",    /* header of 16 bytes */
        "46000014 00000000 40010000 0a010009 0a020007",    /* header longer than the packet */
        "45000015 00000000 40010000 0a010009 0a020007",    /* total length one too big */
        "45000013 00000000 40010000 0a010009 0a020007",    /* and one too small */
        "45000014 00000000 40010000 0a010009 0a020007 00", /* a byte behind the end */
    };
    struct p2_ip_view view;
    CU_ASSERT_EQUAL(parse(&view, "45000014 00000000 40010000 0a010009 0a020007"), P2_OK);
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
        CU_ASSERT_EQUAL(parse(&view, cases[i]), P2_ERR_MALFORMED);
}

/* With the total length as it was, and with one that fits: in the latter case what is cut into is payload
 * only. */
static void no_truncation_reads_outside(void)
{
    size_t whole;
    uint8_t *packet = exactly(UDP_PACKET, &whole);
    for (size_t len = 0; len < whole; len++) {
        struct p2_ip_view view;
        uint8_t *copy = malloc(len ? len : 1);
        memcpy(copy, packet, len);
        CU_ASSERT_EQUAL(p2_ip_parse(&view, copy, len), P2_ERR_MALFORMED);
        if (len >= 4)
            p2_put_u16(copy + 2, (uint16_t)len);
        CU_ASSERT_EQUAL(p2_ip_parse(&view, copy, len), len < 20 ? P2_ERR_MALFORMED : P2_OK);
        if (len >= 20)
            CU_ASSERT_EQUAL(view.payload.len, len - 20);
        free(copy);
    }
    free(packet);
}

/* What stands behind the addresses, and what is made of it. */
struct chain {
    const char *payload;
    uint8_t next; /* of the IPv6 header */
    uint8_t protocol;
    size_t next_at, header_len;
    bool is_fragment, is_first, has_ports;
};

static const struct chain chains[] = {
    {UDP_V6, 17, 17, 6, 40, false, false, true},
    {"", 59, 59, 6, 40, false, false, false},
    {"00000001", 50, 50, 6, 40, false, false, false},            /* ESP hides what follows */
    {"11 04 0000 00000001", 51, 51, 6, 40, false, false, false}, /* so does AH, for us */
    {"11" OPTIONS UDP_V6, 0, 17, 40, 48, false, false, true},
    {"11" OPTIONS_16 UDP_V6, 60, 17, 40, 56, false, false, true},
    {"06" ROUTING_24 UDP_V6, 43, 6, 40, 64, false, false, true},
    {"2b" OPTIONS "3c" ROUTING_24 "32" OPTIONS "00000001", 0, 50, 72, 80, false, false, false},
    {"3c" OPTIONS "3c" OPTIONS "11" OPTIONS UDP_V6, 60, 17, 56, 64, false, false, true},
    {"1100 0001 00000007" UDP_V6, 44, 17, 40, 48, true, true, true},   /* first fragment */
    {"1100 0008 00000007" UDP_V6, 44, 17, 40, 48, true, false, false}, /* the last one */
    {"1100 fff9 00000007" UDP_V6, 44, 17, 40, 48, true, false, false}, /* as far as it goes */
    {"1100 0000 00000007" UDP_V6, 44, 17, 40, 48, false, false, true}, /* atomic (RFC 6946) */
    {"1100 0006 00000007" UDP_V6, 44, 17, 40, 48, false, false, true}, /* reserved bits */
    {"3c00 0001 00000007 11" OPTIONS UDP_V6, 44, 17, 48, 56, true, true, true},
    {"3c00 0009 00000007 11" OPTIONS UDP_V6, 44, 60, 40, 48, true, false,
     false}, /* the middle of something */
    {"2c" OPTIONS "1100 0001 00000007" UDP_V6, 0, 17, 48, 56, true, true, true},
    {"2c00 0001 00000007 1100 0008 00000008" UDP_V6, 44, 17, 48, 56, true, false, false}, /* of a fragment */
    {"2c00 0001 00000007 1100 0000 00000008" UDP_V6, 44, 17, 48, 56, true, true, true},
};

static size_t build_chain(const struct chain *chain, uint8_t out[256])
{
    size_t len = check_unhex("6a512345 00000040" V6_PAIR, out, 256);
    len += check_unhex(chain->payload, out + len, 256 - len);
    p2_put_u16(out + 4, (uint16_t)(len - P2_IPV6_HEADER_LEN));
    out[6] = chain->next;
    return len;
}

static void steps_over_ipv6_extension_headers(void)
{
    for (size_t i = 0; i < sizeof(chains) / sizeof(chains[0]); i++) {
        const struct chain *chain = &chains[i];
        uint8_t packet[256];
        size_t len = build_chain(chain, packet);
        struct p2_ip_view view;
        CU_ASSERT_EQUAL_FATAL(p2_ip_parse(&view, packet, len), P2_OK);
        CU_ASSERT_EQUAL(view.protocol, chain->protocol);
        CU_ASSERT_EQUAL(view.next_at, chain->next_at);
        CU_ASSERT_EQUAL(packet[view.next_at], chain->protocol);
        CU_ASSERT_EQUAL(view.header_len, chain->header_len);
        CU_ASSERT_PTR_EQUAL(view.payload.data, packet + chain->header_len);
        CU_ASSERT_EQUAL(view.payload.len, len - chain->header_len);
        CU_ASSERT_EQUAL(view.is_fragment, chain->is_fragment);
        CU_ASSERT_EQUAL(view.is_first_fragment, chain->is_first);
        CU_ASSERT_EQUAL(view.has_ports, chain->has_ports);
        CU_ASSERT_EQUAL(view.source_port, chain->has_ports ? 500 : 0);
        CU_ASSERT_EQUAL(view.destination_port, chain->has_ports ? 4500 : 0);
    }
}

static void reads_the_fixed_ipv6_header(void)
{
    uint8_t packet[256];
    struct p2_ip_view view;
    struct p2_address source, destination;
    CU_ASSERT_TRUE(p2_address_parse(&source, "2001:db8::1") && p2_address_parse(&destination, "2001:db8::2"));
    CU_ASSERT_EQUAL_FATAL(p2_ip_parse(&view, packet, build_chain(&chains[0], packet)), P2_OK);
    CU_ASSERT_EQUAL(view.family, 6);
    CU_ASSERT_EQUAL(view.tos, 0xa5);
    CU_ASSERT_EQUAL(view.flow_label, 0x12345);
    CU_ASSERT_EQUAL(view.ttl, 64);
    CU_ASSERT_TRUE(view.dont_fragment);
    CU_ASSERT_TRUE(p2_address_equal(&view.source, &source));
    CU_ASSERT_TRUE(p2_address_equal(&view.destination, &destination));
}

static void refuses_what_is_no_whole_ipv6_packet(void)
{
    static const char *const cases[] = {
        "60000000 00001140" V6_PAIR "00",                                 /* payload length one too small */
        "60000000 00021140" V6_PAIR "00",                                 /* and one too big */
        "60000000 00080040" V6_PAIR "1101010400000000",                   /* options of 16 bytes in 8 */
        "60000000 00080040" V6_PAIR "11ff010400000000",                   /* of 2,048 */
        "60000000 00102b40" V6_PAIR "00000401 00000000 1100010400000000", /* hop-by-hop second */
        "60000000 00100040" V6_PAIR "0000010400000000 1100010400000000",  /* twice */
        "60000000 00082c40" V6_PAIR "3c000001 00000007", /* a first fragment with half a chain */
    };
    struct p2_ip_view view;
    CU_ASSERT_EQUAL(parse(&view, "60000000 00011140" V6_PAIR "00"), P2_OK);
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
        CU_ASSERT_EQUAL(parse(&view, cases[i]), P2_ERR_MALFORMED);
}

/* Every truncation of every chain, with the payload length as it was and with one that fits. Address
 * sanitizer sees a read behind the end; here it shows that just the extension headers must be whole. */
static void no_ipv6_truncation_reads_outside(void)
{
    for (size_t i = 0; i < sizeof(chains) / sizeof(chains[0]); i++) {
        uint8_t packet[256];
        size_t whole = build_chain(&chains[i], packet);
        for (size_t len = 0; len < whole; len++) {
            struct p2_ip_view view;
            uint8_t *copy = malloc(len ? len : 1);
            memcpy(copy, packet, len);
            CU_ASSERT_EQUAL(p2_ip_parse(&view, copy, len), P2_ERR_MALFORMED);
            if (len >= P2_IPV6_HEADER_LEN)
                p2_put_u16(copy + 4, (uint16_t)(len - P2_IPV6_HEADER_LEN));
            int r = p2_ip_parse(&view, copy, len);
            CU_ASSERT_EQUAL(r, len < chains[i].header_len ? P2_ERR_MALFORMED : P2_OK);
            if (r == P2_OK)
                CU_ASSERT_EQUAL(view.payload.len, len - chains[i].header_len);
            free(copy);
        }
    }
}

/* Bytes that look like extension headers often enough: what is taken must make sense. */
static void hostile_bytes_make_sense_or_are_refused(void)
{
    static const uint8_t next[] = {0, 43, 44, 60, 17, 6, 1, 58, 50, 51, 59, 255};
    struct test_random random = {.seed = 8200};
    unsigned taken = 0;
    for (int i = 0; i < 100000; i++) {
        size_t len = (size_t)(test_random_next(&random) % 160);
        uint8_t *packet = malloc(len ? len : 1);
        for (size_t n = 0; n < len; n++) {
            uint64_t r = test_random_next(&random);
            packet[n] = r & 1 ? next[(r >> 8) % sizeof(next)] : (uint8_t)(r >> 16 & r >> 24);
        }
        if (len >= P2_IPV6_HEADER_LEN) {
            packet[0] = test_random_next(&random) & 1 ? 0x60 : 0x46;
            p2_put_u16(packet + (packet[0] == 0x60 ? 4 : 2), (uint16_t)(packet[0] == 0x60 ? len - 40 : len));
        }
        struct p2_ip_view view;
        if (p2_ip_parse(&view, packet, len) == P2_OK) {
            CU_ASSERT_FATAL(view.header_len <= len && view.next_at < view.header_len);
            CU_ASSERT_EQUAL_FATAL(view.payload.len, len - view.header_len);
            CU_ASSERT_EQUAL_FATAL(packet[view.next_at], view.protocol);
            CU_ASSERT_FATAL(view.is_fragment || !view.is_first_fragment);
            taken++;
        }
        free(packet);
    }
    CU_ASSERT(taken > 10000 && taken < 90000);
}

/* RFC 8200 section 3. */
static void builds_ipv6_headers(void)
{
    struct p2_ip_header header = {
        .tos = 0xb8, .ttl = 63, .protocol = 50, .flow_label = 0xfff12345, .payload_len = 1400};
    uint8_t *out = malloc(P2_IPV6_HEADER_LEN);
    CU_ASSERT_TRUE(p2_address_parse(&header.source, "2001:db8::1") &&
                   p2_address_parse(&header.destination, "2001:db8::2"));
    memset(out, 0xff, P2_IPV6_HEADER_LEN);
    CU_ASSERT_EQUAL(p2_ip_build(out, &header), P2_IPV6_HEADER_LEN);
    CHECK_HEX(out, P2_IPV6_HEADER_LEN, "6b812345 0578323f" V6_PAIR);
    CU_ASSERT_EQUAL(p2_ip_header_len(6), 40);
    CU_ASSERT_EQUAL(p2_ip_header_len(4), 20);
    free(out);
}

/* RFC 3948 section 2.1: the checksum is none. */
static void builds_udp_headers(void)
{
    uint8_t *out = malloc(P2_UDP_HEADER_LEN);
    memset(out, 0xff, P2_UDP_HEADER_LEN);
    p2_udp_build(out, 4500, 61000, 1000);
    CHECK_HEX(out, P2_UDP_HEADER_LEN, "1194ee48 03f00000");
    free(out);
}

/* Checksums that others computed: RFC 3602 section 4, cases 5 and 7 (original packets), and the header that
 * Wikipedia's "Internet checksum" works through (b861). */
static void builds_headers_with_their_checksums(void)
{
    static const struct {
        struct p2_ip_header header;
        uint32_t source, destination;
        const char *expected;
    } cases[] = {
        {{.ttl = 64, .protocol = 1, .identification = 0x08f2, .payload_len = 64},
         0xc0a87b03,
         0xc0a87b64,
         "45000054 08f20000 4001f9fe c0a87b03 c0a87b64"},
        {{.ttl = 64, .protocol = 1, .identification = 0x0904, .payload_len = 64},
         0xc0a87b03,
         0xc0a87bc8,
         "45000054 09040000 4001f988 c0a87b03 c0a87bc8"},
        {{.ttl = 64, .protocol = 17, .dont_fragment = true, .payload_len = 95},
         0xc0a80001,
         0xc0a800c7,
         "45000073 00004000 4011b861 c0a80001 c0a800c7"},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct p2_ip_header header = cases[i].header;
        uint8_t *out = malloc(P2_IPV4_HEADER_LEN);
        memset(out, 0xff, P2_IPV4_HEADER_LEN);
        header.source = p2_address_v4(cases[i].source);
        header.destination = p2_address_v4(cases[i].destination);
        CU_ASSERT_EQUAL(p2_ip_build(out, &header), P2_IPV4_HEADER_LEN);
        CHECK_HEX(out, P2_IPV4_HEADER_LEN, cases[i].expected);
        free(out);
    }
}

/* RFC 1071: the sum over a good header, its checksum included, is 0xffff. The reference adds up in a
 * different way. */
static void every_checksum_verifies(void)
{
    struct test_random random = {.seed = 791};
    for (int i = 0; i < 100000; i++) {
        uint64_t a = test_random_next(&random), b = test_random_next(&random);
        struct p2_ip_header header = {.source = p2_address_v4((uint32_t)a),
                                      .destination = p2_address_v4((uint32_t)(a >> 32)),
                                      .tos = (uint8_t)b,
                                      .ttl = (uint8_t)(b >> 8),
                                      .protocol = (uint8_t)(b >> 16),
                                      .dont_fragment = b >> 24 & 1,
                                      .identification = (uint16_t)(b >> 32),
                                      .payload_len = (size_t)(b >> 48) % 65516};
        uint8_t out[P2_IPV4_HEADER_LEN];
        unsigned sum = 0;
        p2_ip_build(out, &header);
        for (size_t n = 0; n < sizeof(out); n++) {
            sum += n % 2 ? out[n] : out[n] * 256u;
            sum = sum > 0xffff ? sum - 0xffff : sum;
        }
        if (sum != 0xffff)
            CU_FAIL_FATAL("a checksum does not verify");
    }
}

/* RFC 1624 section 4: a word 0x5555 becomes 0x3285 under the checksum 0xdd2f, and the new one is 0x0000; with
 * UDP, 0xffff stands for that (RFC 768). */
static void checksums_follow_addresses(void)
{
    const struct {
        uint8_t protocol, at;
        uint16_t before, after;
        uint16_t offset; /* of the fragment, with the flag for more */
    } rows[] = {{P2_IP_PROTO_TCP, 16, 0xdd2f, 0x0000, 0},     {P2_IP_PROTO_UDP, 6, 0xdd2f, 0xffff, 0},
                {P2_IP_PROTO_UDP, 6, 0x0000, 0x0000, 0},      {P2_IP_PROTO_ICMP, 2, 0xdd2f, 0xdd2f, 0},
                {P2_IP_PROTO_UDP, 6, 0xdd2f, 0xffff, 0x2000}, {P2_IP_PROTO_UDP, 6, 0xdd2f, 0xdd2f, 0x0010}};
    struct p2_address source = p2_address_v4(0x55550001), destination = p2_address_v4(0x0a000001);
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        uint8_t packet[40] = {0};
        struct p2_ip_header header = {.source = p2_address_v4(0x32850001),
                                      .destination = destination,
                                      .ttl = 1,
                                      .protocol = rows[i].protocol,
                                      .payload_len = 20};
        p2_ip_build(packet, &header);
        p2_put_u16(packet + 6, rows[i].offset);
        p2_put_u16(packet + 20 + rows[i].at, rows[i].before);
        p2_ip_adjust_checksum(packet, sizeof(packet), &source, &destination);
        CU_ASSERT_EQUAL(p2_get_u16(packet + 20 + rows[i].at), rows[i].after);
    }
    uint8_t stub[25] = {0}; /* too short for a checksum */
    struct p2_ip_header header = {
        .source = source, .destination = destination, .protocol = P2_IP_PROTO_UDP, .payload_len = 5};
    p2_ip_build(stub, &header);
    p2_ip_adjust_checksum(stub, sizeof(stub), &destination, &source);
    CU_ASSERT_EQUAL(stub[24], 0);
}

/* The same in IPv6, where ICMPv6 has the addresses in its checksum too (RFC 4443 section 2.3). */
static void checksums_follow_ipv6_addresses(void)
{
    uint8_t packet[60] = {0};
    struct p2_address from = {6, {0x55, 0x55}}, now = {6, {0x32, 0x85}}, to = {6, {0xfd}};
    struct p2_ip_header header = {
        .source = to, .destination = now, .protocol = P2_IP_PROTO_ICMPV6, .payload_len = 20};
    p2_ip_build(packet, &header);
    p2_put_u16(packet + 42, 0xdd2f);
    p2_ip_adjust_checksum(packet, sizeof(packet), &to, &from);
    CU_ASSERT_EQUAL(p2_get_u16(packet + 42), 0);
}

CHECK_MAIN("ip", {"parses a real packet", parses_a_real_packet},
           {"parses an ESP packet of the corpus", parses_an_esp_packet_of_the_corpus},
           {"parses ports, TOS and DF", parses_ports_tos_and_df},
           {"ports only where there are ports", ports_only_where_there_are_ports},
           {"skips options", skips_options}, {"ICMP has its type and code", icmp_has_its_type_and_code},
           {"steps over IPv6 extension headers", steps_over_ipv6_extension_headers},
           {"reads the fixed IPv6 header", reads_the_fixed_ipv6_header},
           {"refuses what is no whole IPv6 packet", refuses_what_is_no_whole_ipv6_packet},
           {"no IPv6 truncation reads outside", no_ipv6_truncation_reads_outside},
           {"hostile bytes make sense or are refused", hostile_bytes_make_sense_or_are_refused},
           {"builds IPv6 headers", builds_ipv6_headers}, {"builds UDP headers", builds_udp_headers},
           {"refuses what is no whole IPv4 packet", refuses_what_is_no_whole_ipv4_packet},
           {"no truncation reads outside", no_truncation_reads_outside},
           {"builds headers with their checksums", builds_headers_with_their_checksums},
           {"every checksum verifies", every_checksum_verifies},
           {"checksums follow addresses", checksums_follow_addresses},
           {"checksums follow IPv6 addresses", checksums_follow_ipv6_addresses})
