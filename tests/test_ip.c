/* IPv4 header views and building. */
#include "check.h"
#include "ip.h"
#include "vectors/corpus.h"

/* RFC 3602 section 4, case 5: the original packet of 84 bytes, an ICMP echo request. */
#define RFC3602_CASE_5                                                                                       \
    "45000054 08f20000 4001f9fe c0a87b03 c0a87b64 08000ebd a70a0000 8e9c083d b95b0700 08090a0b 0c0d0e0f"     \
    "10111213 14151617 18191a1b 1c1d1e1f 20212223 24252627 28292a2b 2c2d2e2f 30313233 34353637"

/* 28 bytes by hand: UDP from 10.1.0.9:500 to 10.2.0.7:4500, TOS 0xb8, DF. */
#define UDP_PACKET "45b8001c 12344000 40110000 0a010009 0a020007 01f41194 00080000"

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
    CU_ASSERT_EQUAL(view.source.family, 4);
    CU_ASSERT_EQUAL(p2_address_to_v4(&view.source), 0xc0a87b03);
    CU_ASSERT_EQUAL(p2_address_to_v4(&view.destination), 0xc0a87b64);
    CU_ASSERT_EQUAL(view.tos, 0);
    CU_ASSERT_EQUAL(view.ttl, 64);
    CU_ASSERT_EQUAL(view.protocol, 1);
    CU_ASSERT_FALSE(view.dont_fragment);
    CU_ASSERT_EQUAL(view.header_len, 20);
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
        bool has_ports;
    } cases[] = {
        {"45000018 00000000 40060000 0a010009 0a020007 01f41194", true},  /* TCP, just the ports */
        {"45000018 00002000 40110000 0a010009 0a020007 01f41194", true},  /* first fragment, more follow */
        {"45000018 00000001 40110000 0a010009 0a020007 01f41194", false}, /* a later fragment */
        {"45000018 00001000 40110000 0a010009 0a020007 01f41194", false}, /* half-way */
        {"45000018 00001fff 40110000 0a010009 0a020007 01f41194", false}, /* the last possible offset */
        {"45000017 00000000 40110000 0a010009 0a020007 01f411", false},   /* three bytes of UDP */
        {"45000018 00000000 40320000 0a010009 0a020007 01f41194", false}, /* ESP */
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct p2_ip_view view;
        CU_ASSERT_EQUAL_FATAL(parse(&view, cases[i].packet), P2_OK);
        CU_ASSERT_EQUAL(view.has_ports, cases[i].has_ports);
        CU_ASSERT_EQUAL(view.source_port, cases[i].has_ports ? 500 : 0);
        CU_ASSERT_EQUAL(view.destination_port, cases[i].has_ports ? 4500 : 0);
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
        "65000014 00000000 40010000 0a010009 0a020007",    /* version 6 */
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
        p2_ip_build(out, &header);
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

CHECK_MAIN("ip", {"parses a real packet", parses_a_real_packet},
           {"parses an ESP packet of the corpus", parses_an_esp_packet_of_the_corpus},
           {"parses ports, TOS and DF", parses_ports_tos_and_df},
           {"ports only where there are ports", ports_only_where_there_are_ports},
           {"skips options", skips_options},
           {"refuses what is no whole IPv4 packet", refuses_what_is_no_whole_ipv4_packet},
           {"no truncation reads outside", no_truncation_reads_outside},
           {"builds headers with their checksums", builds_headers_with_their_checksums},
           {"every checksum verifies", every_checksum_verifies})
