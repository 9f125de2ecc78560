/* Selectors: text, containment, and their form as ID payloads. */
#include "check.h"
#include "selector.h"

static struct p2_selector v4(uint32_t address, uint8_t prefix_len)
{
    return p2_selector_v4(address, prefix_len);
}

static struct p2_selector v6(const char *hex, uint8_t prefix_len)
{
    struct p2_selector selector = {.address = {.family = 6}, .prefix_len = prefix_len};
    CU_ASSERT_EQUAL(check_unhex(hex, selector.address.bytes, 16), 16);
    return selector;
}

/* Each form with the ID body that it has on the wire (RFC 2407 section 4.6.2). The first two are what
 * strongSwan 5.9.8 sent: as IDci of a Quick Mode and as IDii of main mode in the corpus'
 * qm-nopfs-aes128-sha1, frames 7 and 5. */
struct form {
    struct p2_selector selector;
    const char *text, *id;
};

#define DOCUMENTATION_V6 "20010db8 00000000 00000000 00000000"

static struct p2_selector range(struct p2_selector first, struct p2_selector last)
{
    first.is_range = true;
    first.prefix_len = 0;
    first.last = last.address;
    return first;
}

static struct p2_selector service(struct p2_selector selector, uint8_t protocol, uint16_t port)
{
    selector.protocol = protocol;
    selector.port = port;
    return selector;
}

#define FORMS_MAX 24

static size_t forms(struct form out[FORMS_MAX])
{
    struct form all[] = {
        {v4(0x0a010000, 16), "10.1.0.0/16", "04 00 0000 0a010000 ffff0000"},
        {v4(0x0a630001, 32), "10.99.0.1", "01 00 0000 0a630001"},
        {v4(0, 0), "0.0.0.0/0", "04 00 0000 00000000 00000000"},
        {v4(0x80000000, 1), "128.0.0.0/1", "04 00 0000 80000000 80000000"},
        {v4(0xc6336408, 29), "198.51.100.8/29", "04 00 0000 c6336408 fffffff8"},
        {v4(0xc633640a, 31), "198.51.100.10/31", "04 00 0000 c633640a fffffffe"},
        {range(v4(0x0a01000a, 32), v4(0x0a010014, 32)), "10.1.0.10-10.1.0.20",
         "07 00 0000 0a01000a 0a010014"},
        {range(v4(0x0a01000a, 32), v4(0x0a01000a, 32)), "10.1.0.10-10.1.0.10",
         "07 00 0000 0a01000a 0a01000a"},
        {range(v4(0, 32), v4(0xffffffff, 32)), "0.0.0.0-255.255.255.255", "07 00 0000 00000000 ffffffff"},
        {v6(DOCUMENTATION_V6, 32), "2001:db8::/32",
         "06 00 0000" DOCUMENTATION_V6 "ffffffff 00000000 00000000 00000000"},
        {v6("20010db8 00000000 00000000 00000001", 128), "2001:db8::1",
         "05 00 0000 20010db8 00000000 00000000 00000001"},
        {v6("fd000000 00000000 ffe00000 00000000", 75), "fd00::ffe0:0:0:0/75",
         "06 00 0000 fd000000 00000000 ffe00000 00000000 ffffffff ffffffff ffe00000 00000000"},
        {range(v6(DOCUMENTATION_V6, 128), v6("20010db8 00000000 00000000 0000ffff", 128)),
         "2001:db8::-2001:db8::ffff", "08 00 0000" DOCUMENTATION_V6 "20010db8 00000000 00000000 0000ffff"},
        {service(v4(0x0a010000, 24), 6, 443), "10.1.0.0/24 tcp port 443", "04 06 01bb 0a010000 ffffff00"},
        {service(v4(0x0a010005, 32), 17, 500), "10.1.0.5 udp port 500", "01 11 01f4 0a010005"},
        {service(v4(0x0a010000, 24), 1, 0), "10.1.0.0/24 icmp", "04 01 0000 0a010000 ffffff00"},
        {service(v4(0x0a010000, 24), 47, 0), "10.1.0.0/24 protocol 47", "04 2f 0000 0a010000 ffffff00"},
        {service(v4(0x0a010000, 24), 4, 0), "10.1.0.0/24 protocol 4", "04 04 0000 0a010000 ffffff00"},
        {service(v4(0x0a010000, 24), 0, 53), "10.1.0.0/24 port 53", "04 00 0035 0a010000 ffffff00"},
    };
    memcpy(out, all, sizeof(all));
    return sizeof(all) / sizeof(all[0]);
}

static void has_its_text(void)
{
    struct form form[FORMS_MAX];
    size_t num = forms(form);
    for (size_t i = 0; i < num; i++) {
        char text[P2_SELECTOR_TEXT];
        p2_selector_format(&form[i].selector, text);
        CU_ASSERT_STRING_EQUAL(text, form[i].text);
    }
}

static void reads_its_text(void)
{
    struct form form[FORMS_MAX];
    size_t num = forms(form), read = 0;
    for (size_t i = 0; i < num; i++) {
        struct p2_selector selector = v4(0x7f000001, 32);
        if (form[i].selector.protocol != 0 || form[i].selector.port != 0) {
            CU_ASSERT_FALSE(p2_selector_parse(&selector, form[i].text));
            continue;
        }
        CU_ASSERT_TRUE_FATAL(p2_selector_parse(&selector, form[i].text));
        CU_ASSERT_TRUE(p2_selector_equal(&selector, &form[i].selector));
        CU_ASSERT_EQUAL(selector.is_range, form[i].selector.is_range);
        CU_ASSERT_EQUAL(selector.prefix_len, form[i].selector.prefix_len);
        read++;
    }
    CU_ASSERT_EQUAL(read, 13);
}

static void refuses_other_texts(void)
{
    static const char *const cases[] = {
        "",
        "/",
        "-",
        "10.1.0.0/",
        "10.1.0.0/33",
        "10.1.0.0/024",
        "10.1.0.0/00",
        "10.1.0.0/+8",
        "10.1.0.0/-1",
        "10.1.0.0/8 ",
        "10.1.0.0/ 8",
        "10.0.0.0/8/8",
        "10.0.0.0/4294967304",
        "10.1.0.1/16", /* host bits */
        "128.0.0.0/0",
        "2001:db8::1/127",
        "2001:db8::/129",
        "2001:db8::/1000",
        "10.1.0.20-10.1.0.10", /* upside down */
        "2001:db8::2-2001:db8::1",
        "10.1.0.1-2001:db8::1", /* of two families */
        "2001:db8::1-10.1.0.1",
        "10.1.0.1-",
        "10.1.0.1-10.1.0.2-10.1.0.3",
        "10.1.0.1-10.1.0.0/24",
        "10.1.0.0/24-10.1.1.0/24",
        "10.1.0.1 - 10.1.0.2",
        " 10.1.0.1",
        "10.1.0",
        "gate.example",
        "1111111111111111111111111111111111111111111111111111111111111111111111111111111111111111111/8",
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct p2_selector selector = v4(0x0a630000, 24), before = selector;
        CU_ASSERT_FALSE(p2_selector_parse(&selector, cases[i]));
        CU_ASSERT_TRUE(p2_selector_equal(&selector, &before));
    }
}

static void the_longest_text_fits(void)
{
    struct p2_selector longest =
        range(v6("fffffffe ffffffff ffffffff fffffffe", 128), v6("ffffffff ffffffff ffffffff ffffffff", 128));
    char *text = malloc(P2_SELECTOR_TEXT);
    longest.protocol = 255;
    longest.port = 65535;
    p2_selector_format(&longest, text);
    CU_ASSERT_STRING_EQUAL(text, "ffff:fffe:ffff:ffff:ffff:ffff:ffff:fffe-ffff:ffff:ffff:ffff:ffff:ffff:ffff:"
                                 "ffff protocol 255 port 65535");
    free(text);
}

static void a_pair_is_cut_to_size_and_ended(void)
{
    struct p2_selector a = v4(0x0a010000, 24), b = v4(0x0a020000, 24);
    const char *whole = "10.1.0.0/24 to 10.2.0.0/24";
    for (size_t size = 1; size <= strlen(whole) + 1; size++) {
        char *text = malloc(size);
        p2_selector_format_pair(&a, &b, text, size);
        CU_ASSERT_EQUAL(strlen(text), size - 1);
        CU_ASSERT_EQUAL(strncmp(text, whole, size - 1), 0);
        free(text);
    }
}

static void becomes_an_id_payload(void)
{
    struct form form[FORMS_MAX];
    size_t num = forms(form);
    for (size_t i = 0; i < num; i++) {
        uint8_t id[P2_SELECTOR_ID_MAX];
        size_t len = p2_selector_to_id(&form[i].selector, id);
        CHECK_HEX(id, len, form[i].id);
    }
}

static void comes_from_an_id_payload(void)
{
    struct form form[FORMS_MAX];
    size_t num = forms(form);
    for (size_t i = 0; i < num; i++) {
        uint8_t id[64];
        struct p2_selector selector;
        CU_ASSERT_EQUAL_FATAL(p2_selector_from_id(&selector, id, check_unhex(form[i].id, id, sizeof(id))),
                              P2_OK);
        CU_ASSERT_TRUE(p2_selector_equal(&selector, &form[i].selector));
        CU_ASSERT_EQUAL(memcmp(&selector.address, &form[i].selector.address, sizeof(selector.address)), 0);
        CU_ASSERT_EQUAL(selector.is_range, form[i].selector.is_range);
    }
}

/* A subnet with a full mask is one address: both forms mean the same. */
static void a_subnet_of_one_address_is_that_address(void)
{
    struct p2_selector subnet, address;
    uint8_t id[64];
    CU_ASSERT_EQUAL(
        p2_selector_from_id(&subnet, id, check_unhex("04000000 0a630001 ffffffff", id, sizeof(id))), P2_OK);
    CU_ASSERT_EQUAL(p2_selector_from_id(&address, id, check_unhex("01000000 0a630001", id, sizeof(id))),
                    P2_OK);
    CU_ASSERT_TRUE(p2_selector_equal(&subnet, &address));
}

static void refuses_other_ids(void)
{
    static const char *const cases[] = {
        "00000000 0a010000",                   /* reserved */
        "02000000 676174652e6578616d706c65",   /* ID_FQDN */
        "03000000 7540676174652e6578616d706c", /* ID_USER_FQDN */
        "09000000 3000",                       /* ID_DER_ASN1_DN */
        "0b000000 6b6579",                     /* ID_KEY_ID */
        "ff000000 0a010000",
        "01000000 0a010000 00", /* a byte too many */
        "07000000 0a010000 0a0100ff 00",
        "07000000 0a0100ff 0a0100fe", /* ranges upside down */
        "08000000 20010db8 00000000 00000000 00000001 20010db8 00000000 00000000 00000000",
        "08000000 0a010000 0a0100ff", /* the other family's length */
        "04000000 0a010000 ffff0000 00",
        "04000000 0a010000 ff00ff00", /* masks with holes */
        "04000000 0a010000 00ffffff",
        "04000000 0a010000 fffffffd",
        "04000000 0a010000 00000001",
        "06000000 20010db8 00000000 00000000 00000000 ffffffff 00000000 00000001 00000000",
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct p2_selector selector;
        uint8_t id[64];
        CU_ASSERT_EQUAL(p2_selector_from_id(&selector, id, check_unhex(cases[i], id, sizeof(id))),
                        P2_ERR_MALFORMED);
    }
}

static void every_truncated_id_is_malformed(void)
{
    struct form form[FORMS_MAX];
    size_t num = forms(form);
    for (size_t i = 0; i < num; i++) {
        uint8_t id[64];
        size_t whole = check_unhex(form[i].id, id, sizeof(id));
        for (size_t len = 0; len < whole; len++) {
            struct p2_selector selector;
            uint8_t *copy = malloc(len ? len : 1);
            memcpy(copy, id, len);
            CU_ASSERT_EQUAL(p2_selector_from_id(&selector, copy, len), P2_ERR_MALFORMED);
            free(copy);
        }
    }
}

/* selector.h: "host bits are zero". A peer's 10.1.0.99 with mask 255.255.0.0 is 10.1.0.0/16, or it is
 * refused; it must not become a selector that equals no configured one and yet looks like it. */
static void host_bits_do_not_come_in(void)
{
    struct p2_selector selector, prefix = v4(0x0a010000, 16);
    uint8_t id[64];
    size_t len = check_unhex("04000000 0a010063 ffff0000", id, sizeof(id));
    CU_ASSERT_TRUE(p2_selector_from_id(&selector, id, len) == P2_ERR_MALFORMED ||
                   p2_selector_equal(&selector, &prefix));
}

/* Every prefix length, at both of its edges, against plain arithmetic. */
static void contains_just_its_prefix(void)
{
    const uint32_t base = 0xac1f5a5a;
    for (uint8_t len = 0; len <= 32; len++) {
        uint32_t mask = len ? UINT32_MAX << (32 - len) : 0;
        struct p2_selector selector = v4(base & mask, len);
        struct p2_address first = p2_address_v4(base & mask), last = p2_address_v4(base | ~mask);
        CU_ASSERT_TRUE(p2_selector_contains(&selector, &first));
        CU_ASSERT_TRUE(p2_selector_contains(&selector, &last));
        for (uint8_t bit = 0; bit < 32; bit++) {
            struct p2_address flipped = p2_address_v4(base ^ UINT32_C(0x80000000) >> bit);
            CU_ASSERT_EQUAL(p2_selector_contains(&selector, &flipped), bit >= len);
        }
    }
}

static void contains_just_its_prefix_in_ipv6(void)
{
    struct p2_selector selector = v6("fd000000 00000000 ffe00000 00000000", 75);
    for (size_t bit = 0; bit < 128; bit++) {
        struct p2_address a = selector.address;
        a.bytes[bit / 8] ^= (uint8_t)(0x80 >> bit % 8);
        CU_ASSERT_EQUAL(p2_selector_contains(&selector, &a), bit >= 75);
    }
}

static void contains_no_address_of_another_family(void)
{
    struct p2_selector all4 = v4(0, 0), all6 = v6("00000000 00000000 00000000 00000000", 0);
    struct p2_address four = p2_address_v4(0x0a010001), none = {0};
    CU_ASSERT_TRUE(p2_selector_contains(&all4, &four));
    CU_ASSERT_FALSE(p2_selector_contains(&all6, &four));
    CU_ASSERT_FALSE(p2_selector_contains(&all4, &all6.address));
    CU_ASSERT_FALSE(p2_selector_contains(&all4, &none));
}

static void equality_looks_at_everything(void)
{
    const struct p2_selector a = {
        .address = p2_address_v4(0x0a010000), .prefix_len = 16, .protocol = 6, .port = 80};
    struct p2_selector b[5] = {a, a, a, a, a};
    CU_ASSERT_TRUE(p2_selector_equal(&a, &b[0]));
    b[0].address.bytes[1] = 2;
    b[1].prefix_len = 17;
    b[2].protocol = 17;
    b[3].port = 81;
    b[4].address.family = 6;
    for (size_t i = 0; i < 5; i++)
        CU_ASSERT_FALSE(p2_selector_equal(&a, &b[i]));
    struct p2_selector c = v6(DOCUMENTATION_V6, 128), d = c;
    d.address.bytes[15] = 1;
    CU_ASSERT_FALSE(p2_selector_equal(&c, &d));
}

/* By what it covers: see selector.h. */
static void a_range_may_be_a_prefix(void)
{
    static const struct {
        const char *a, *b;
        bool equal;
    } cases[] = {
        {"10.1.0.0-10.1.0.255", "10.1.0.0/24", true},
        {"10.1.0.0-10.1.0.254", "10.1.0.0/24", false},
        {"10.1.0.1-10.1.0.255", "10.1.0.0/24", false},
        {"10.1.0.5-10.1.0.5", "10.1.0.5", true},
        {"0.0.0.0-255.255.255.255", "0.0.0.0/0", true},
        {"0.0.0.0/0", "::/0", false},
        {"10.1.0.0-10.1.1.255", "10.1.0.0/23", true},
        {"10.1.1.0-10.1.2.255", "10.1.1.0-10.1.2.255", true},
        {"2001:db8::-2001:db8::f", "2001:db8::/124", true},
        {"2001:db8::-2001:db8::e", "2001:db8::/124", false},
        {"10.1.0.0/24", "10.1.0.0/25", false},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct p2_selector a, b;
        CU_ASSERT_TRUE_FATAL(p2_selector_parse(&a, cases[i].a) && p2_selector_parse(&b, cases[i].b));
        CU_ASSERT_EQUAL(p2_selector_equal(&a, &b), cases[i].equal);
        CU_ASSERT_EQUAL(p2_selector_equal(&b, &a), cases[i].equal);
        b.port = 80;
        CU_ASSERT_FALSE(p2_selector_equal(&a, &b));
        CU_ASSERT_EQUAL(p2_selector_equal_addresses(&a, &b), cases[i].equal);
    }
}

static void matches_one_end_of_a_packet(void)
{
    static const struct {
        uint8_t protocol; /* the selector's */
        uint16_t port;
        uint8_t packet_protocol;
        uint16_t packet_port;
        bool matches;
    } cases[] = {
        {0, 0, 6, 80, true},    {0, 0, 50, 0, true},        {6, 0, 6, 80, true},
        {6, 0, 17, 80, false},  {6, 80, 6, 80, true},       {6, 80, 6, 81, false},
        {6, 80, 6, 0, false},   {0, 80, 17, 80, true},      {0, 80, 17, 81, false},
        {1, 0, 1, 0x800, true}, {1, 0x800, 1, 0x800, true}, {1, 0x800, 1, 0x300, false},
    };
    struct p2_address inside = p2_address_v4(0x0a010014), outside = p2_address_v4(0x0a010015);
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct p2_selector selector =
            service(range(v4(0x0a01000a, 32), v4(0x0a010014, 32)), cases[i].protocol, cases[i].port);
        CU_ASSERT_EQUAL(
            p2_selector_matches(&selector, &inside, cases[i].packet_protocol, cases[i].packet_port),
            cases[i].matches);
        CU_ASSERT_FALSE(
            p2_selector_matches(&selector, &outside, cases[i].packet_protocol, cases[i].packet_port));
    }
}

static uint32_t few(struct test_random *random, uint32_t n)
{
    return (uint32_t)(test_random_next(random) >> 33) % n;
}

/* Over the last four bits of an address, where everything can be counted. */
static struct p2_selector random_selector(struct test_random *random, bool ipv6)
{
    struct p2_selector selector = ipv6 ? v6("20010db8 00000000 00000000 00000000", 128) : v4(0x0a010000, 32);
    uint8_t a = (uint8_t)few(random, 16), b = (uint8_t)few(random, 16);
    size_t end = ipv6 ? 15 : 3;
    if (few(random, 2)) {
        selector.address.bytes[end] = a < b ? a : b;
        selector = range(selector, selector);
        selector.last.bytes[end] = a < b ? b : a;
    } else {
        uint8_t host_bits = (uint8_t)few(random, 5);
        selector.prefix_len = (uint8_t)(selector.prefix_len - host_bits);
        selector.address.bytes[end] = (uint8_t)(a >> host_bits << host_bits);
    }
    return service(selector, few(random, 2) ? 6 : 0, few(random, 2) ? 80 : 0);
}

static bool simply_contains(const struct p2_selector *selector, uint8_t n)
{
    size_t end = selector->address.family == 6 ? 15 : 3;
    size_t host_bits = (end + 1) * 8 - selector->prefix_len;
    uint8_t first = selector->address.bytes[end];
    if (selector->is_range)
        return n >= first && n <= selector->last.bytes[end];
    return n >= first && n < first + (1 << host_bits);
}

/* Against counting: equality and covering are what the single addresses say. */
static void all_relations_agree_with_counting(void)
{
    struct test_random random = {.seed = 4301};
    unsigned wrong = 0, equal = 0, covering = 0;
    for (int i = 0; i < 20000; i++) {
        bool ipv6 = i % 2;
        struct p2_selector a = random_selector(&random, ipv6), b = random_selector(&random, ipv6);
        bool same = true,
             covers = (a.protocol == 0 || a.protocol == b.protocol) && (a.port == 0 || a.port == b.port);
        for (uint8_t n = 0; n < 16; n++) {
            struct p2_address address = a.address;
            address.bytes[ipv6 ? 15 : 3] = n;
            bool in_a = simply_contains(&a, n), in_b = simply_contains(&b, n);
            wrong += p2_selector_contains(&a, &address) != in_a;
            same = same && in_a == in_b;
            covers = covers && (in_a || !in_b);
        }
        wrong += p2_selector_equal_addresses(&a, &b) != same;
        wrong += p2_selector_equal(&a, &b) != (same && a.protocol == b.protocol && a.port == b.port);
        wrong += p2_selector_covers(&a, &b) != covers;
        equal += same;
        covering += covers;
    }
    CU_ASSERT_EQUAL(wrong, 0);
    CU_ASSERT(equal > 200 && covering > 1000);
}

/* Whatever a selector is, the peer gets the same one out of its ID payload, and a person out of its text. */
static void goes_through_both_forms_unchanged(void)
{
    struct test_random random = {.seed = 2407};
    for (int i = 0; i < 2000; i++) {
        struct p2_selector selector = random_selector(&random, i % 2), back;
        uint8_t id[P2_SELECTOR_ID_MAX];
        char text[P2_SELECTOR_TEXT];
        CU_ASSERT_EQUAL_FATAL(p2_selector_from_id(&back, id, p2_selector_to_id(&selector, id)), P2_OK);
        CU_ASSERT_TRUE_FATAL(p2_selector_equal(&back, &selector) && back.is_range == selector.is_range);
        selector.protocol = 0;
        selector.port = 0;
        p2_selector_format(&selector, text);
        CU_ASSERT_TRUE_FATAL(p2_selector_parse(&back, text));
        CU_ASSERT_TRUE_FATAL(p2_selector_equal(&back, &selector) && back.is_range == selector.is_range);
    }
}

/* The parser of IDs takes any bytes, and what it takes it can send again. */
static void random_ids_are_read_or_refused(void)
{
    struct test_random random = {.seed = 46222};
    unsigned taken = 0;
    for (int i = 0; i < 50000; i++) {
        size_t len = few(&random, 40);
        uint8_t *id = malloc(len ? len : 1), again[P2_SELECTOR_ID_MAX];
        for (size_t n = 0; n < len; n++)
            id[n] = (uint8_t)test_random_next(&random);
        if (len > 0)
            id[0] = (uint8_t)few(&random, 10);
        struct p2_selector selector, back;
        if (p2_selector_from_id(&selector, id, len) == P2_OK) {
            CU_ASSERT_EQUAL_FATAL(p2_selector_from_id(&back, again, p2_selector_to_id(&selector, again)),
                                  P2_OK);
            CU_ASSERT_TRUE_FATAL(p2_selector_equal(&back, &selector));
            taken++;
        }
        free(id);
    }
    CU_ASSERT(taken > 100);
}

CHECK_MAIN("selector", {"has its text", has_its_text}, {"reads its text", reads_its_text},
           {"refuses other texts", refuses_other_texts}, {"the longest text fits", the_longest_text_fits},
           {"a pair is cut to size and ended", a_pair_is_cut_to_size_and_ended},
           {"becomes an ID payload", becomes_an_id_payload},
           {"comes from an ID payload", comes_from_an_id_payload},
           {"a subnet of one address is that address", a_subnet_of_one_address_is_that_address},
           {"refuses other IDs", refuses_other_ids},
           {"every truncated ID is malformed", every_truncated_id_is_malformed},
           {"host bits do not come in", host_bits_do_not_come_in},
           {"contains just its prefix", contains_just_its_prefix},
           {"contains just its prefix in IPv6", contains_just_its_prefix_in_ipv6},
           {"contains no address of another family", contains_no_address_of_another_family},
           {"equality looks at everything", equality_looks_at_everything},
           {"a range may be a prefix", a_range_may_be_a_prefix},
           {"matches one end of a packet", matches_one_end_of_a_packet},
           {"all relations agree with counting", all_relations_agree_with_counting},
           {"goes through both forms unchanged", goes_through_both_forms_unchanged},
           {"random IDs are read or refused", random_ids_are_read_or_refused})
