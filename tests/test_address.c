/* Addresses: text, order, and hashes that collide where a test wants them to. */
#include "check.h"

static struct p2_address v6(const char *hex)
{
    struct p2_address address = {.family = 6};
    CU_ASSERT_EQUAL(check_unhex(hex, address.bytes, 16), 16);
    return address;
}

static void ipv4_has_its_text(void)
{
    static const struct {
        uint32_t address;
        const char *text;
    } cases[] = {{0, "0.0.0.0"}, {0xc0000201, "192.0.2.1"}, {0xffffffff, "255.255.255.255"}};
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct p2_address address = p2_address_v4(cases[i].address), parsed;
        char text[P2_ADDRESS_TEXT];
        p2_address_format(&address, text);
        CU_ASSERT_STRING_EQUAL(text, cases[i].text);
        CU_ASSERT_TRUE_FATAL(p2_address_parse(&parsed, text));
        CU_ASSERT_EQUAL(memcmp(&parsed, &address, sizeof(address)), 0);
    }
}

/* The addresses of RFC 5952 sections 4 and 5, and edges. */
static void ipv6_has_the_text_of_rfc_5952(void)
{
    static const struct {
        const char *hex, *text;
    } cases[] = {
        {"20010db8 00000000 00000000 00000001", "2001:db8::1"},          /* 4.1: no leading zeros */
        {"20010db8 00000000 00000000 00020001", "2001:db8::2:1"},        /* 4.2.1: as short as can be */
        {"20010db8 00000001 00010001 00010001", "2001:db8:0:1:1:1:1:1"}, /* 4.2.2: not for one group */
        {"20010000 00000001 00000000 00000001", "2001:0:0:1::1"},        /* 4.2.3: the longest run */
        {"20010db8 00000000 00010000 00000001", "2001:db8::1:0:0:1"},    /* the first of two */
        {"20010db8 00000000 00000000 0000aaaa", "2001:db8::aaaa"},       /* 4.3: lower case */
        {"00000000 00000000 0000ffff c0000201", "::ffff:192.0.2.1"},     /* 5: the well-known prefix */
        {"00000000 00000000 00000000 c0000201", "::c000:201"},           /* but not the deprecated one */
        {"00000000 00000000 00000000 00000000", "::"},
        {"00000000 00000000 00000000 00000001", "::1"},
        {"00010000 00000000 00000000 00000000", "1::"},
        {"00000001 00000000 00000000 00000000", "0:1::"},
        {"00000000 00010000 00000001 00000001", "::1:0:0:1:0:1"},
        {"00010001 00010001 00010001 00000001", "1:1:1:1:1:1:0:1"},
        {"00010001 00010001 00010001 00010000", "1:1:1:1:1:1:1:0"},
        {"ffffffff ffffffff ffffffff ffffffff", "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff"},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct p2_address address = v6(cases[i].hex), parsed;
        char *text = malloc(P2_ADDRESS_TEXT);
        p2_address_format(&address, text);
        CU_ASSERT_STRING_EQUAL(text, cases[i].text);
        CU_ASSERT_TRUE_FATAL(p2_address_parse(&parsed, text));
        CU_ASSERT_EQUAL(memcmp(&parsed, &address, sizeof(address)), 0);
        free(text);
    }
}

static void reads_other_spellings(void)
{
    static const char *const cases[] = {"2001:db8:0:0:0:0:0:1", "2001:0DB8::0001", "2001:DB8:0:0::1",
                                        "2001:db8::0.0.0.1"};
    struct p2_address expected = v6("20010db8 00000000 00000000 00000001");
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct p2_address parsed;
        CU_ASSERT_TRUE_FATAL(p2_address_parse(&parsed, cases[i]));
        CU_ASSERT_TRUE(p2_address_equal(&parsed, &expected));
    }
}

static void refuses_what_is_no_address(void)
{
    static const char *const cases[] = {
        "",
        "1",
        "1.2.3",
        "1.2.3.4.5",
        "1.2.3.256",
        "1.2.3.04",
        "1.2.3.4 ",
        " 1.2.3.4",
        "0x1.2.3.4",
        "1.2.3.-4",
        "1..3.4",
        "1.2.3.4/32",
        ":",
        ":::",
        "1:2:3",
        "1::2::3",
        "12345::",
        "g::",
        "1:2:3:4:5:6:7:8:9",
        "::1%eth0",
        "::1/128",
        "[::1]",
        "::1.2.3",
        "::1.2.3.256",
        "1:2:3:4:5:6:7:8::",
        ":1:2:3:4:5:6:7:8",
        "1:",
        "gate.example",
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct p2_address address = p2_address_v4(0x0a010203);
        CU_ASSERT_FALSE(p2_address_parse(&address, cases[i]));
        CU_ASSERT_EQUAL(p2_address_to_v4(&address), 0x0a010203);
        CU_ASSERT_EQUAL(address.family, 4);
    }
}

static void any_address_survives_its_text(void)
{
    struct test_random random = {.seed = 5952};
    for (int i = 0; i < 20000; i++) {
        struct p2_address address = {.family = 6}, parsed;
        uint64_t shape = test_random_next(&random);
        char text[P2_ADDRESS_TEXT];
        for (size_t n = 0; n < 16; n++) {
            if (shape >> n / 2 & 1) /* groups of zeros are common */
                address.bytes[n] = (uint8_t)test_random_next(&random);
        }
        p2_address_format(&address, text);
        CU_ASSERT_TRUE_FATAL(p2_address_parse(&parsed, text));
        CU_ASSERT_TRUE_FATAL(p2_address_equal(&parsed, &address));
    }
}

static void no_address_has_a_text_too(void)
{
    struct p2_address none = {0};
    char text[P2_ADDRESS_TEXT];
    p2_address_format(&none, text);
    CU_ASSERT_STRING_EQUAL(text, "none");
}

static void is_equal_and_ordered_as_a_number(void)
{
    struct p2_address rows[] = {p2_address_v4(0), p2_address_v4(0x7fffffff), p2_address_v4(0x80000000),
                                p2_address_v4(0xc0000201), p2_address_v4(0xffffffff)};
    size_t num = sizeof(rows) / sizeof(rows[0]);
    for (size_t a = 0; a < num; a++) {
        for (size_t b = 0; b < num; b++) {
            int order = p2_address_compare(&rows[a], &rows[b]);
            CU_ASSERT_EQUAL((order > 0) - (order < 0), (a > b) - (a < b));
            CU_ASSERT_EQUAL(p2_address_equal(&rows[a], &rows[b]), a == b);
        }
    }
    struct p2_address low = v6("20010db8 00000000 00000000 00000001"),
                      high = v6("20010db8 00000000 00000000 00000100");
    CU_ASSERT(p2_address_compare(&low, &high) < 0 && p2_address_compare(&high, &low) > 0);
    CU_ASSERT_FALSE(p2_address_equal(&low, &high));
    struct p2_address four = p2_address_v4(0x20010db8), six = v6("20010db8 00000000 00000000 00000000");
    CU_ASSERT_FALSE(p2_address_equal(&four, &six));
}

/* base.h promises how hashes differ; tests of the tables that rely on them make collisions that way. */
static void hashes_collide_as_promised(void)
{
    struct p2_address a = v6("20010db8 00000001 00000000 00000000"),
                      b = v6("20010db8 00000002 00000000 00000000");
    uint64_t difference = p2_address_hash(&a) ^ p2_address_hash(&b);
    CU_ASSERT(difference != 0);
    for (size_t i = 0; i < 8; i++)
        b.bytes[8 + i] = (uint8_t)(difference >> (56 - 8 * i));
    CU_ASSERT_EQUAL(p2_address_hash(&a), p2_address_hash(&b));
    CU_ASSERT_FALSE(p2_address_equal(&a, &b));
}

CHECK_MAIN("address", {"IPv4 has its text", ipv4_has_its_text},
           {"IPv6 has the text of RFC 5952", ipv6_has_the_text_of_rfc_5952},
           {"reads other spellings", reads_other_spellings},
           {"refuses what is no address", refuses_what_is_no_address},
           {"any address survives its text", any_address_survives_its_text},
           {"no address has a text too", no_address_has_a_text_too},
           {"is equal and ordered as a number", is_equal_and_ordered_as_a_number},
           {"hashes collide as promised", hashes_collide_as_promised})
