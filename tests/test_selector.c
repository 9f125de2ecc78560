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

static size_t forms(struct form out[12])
{
    struct form all[] = {
        {v4(0x0a010000, 16), "10.1.0.0/16", "04 00 0000 0a010000 ffff0000"},
        {v4(0x0a630001, 32), "10.99.0.1/32", "01 00 0000 0a630001"},
        {v4(0, 0), "0.0.0.0/0", "04 00 0000 00000000 00000000"},
        {v4(0x80000000, 1), "128.0.0.0/1", "04 00 0000 80000000 80000000"},
        {v4(0xc6336408, 29), "198.51.100.8/29", "04 00 0000 c6336408 fffffff8"},
        {v4(0xc633640a, 31), "198.51.100.10/31", "04 00 0000 c633640a fffffffe"},
        {v6(DOCUMENTATION_V6, 32), "2001:db8:0:0:0:0:0:0/32",
         "06 00 0000" DOCUMENTATION_V6 "ffffffff 00000000 00000000 00000000"},
        {v6("20010db8 00000000 00000000 00000001", 128), "2001:db8:0:0:0:0:0:1/128",
         "05 00 0000 20010db8 00000000 00000000 00000001"},
        {v6("fd000000 00000000 ffe00000 00000000", 75), "fd00:0:0:0:ffe0:0:0:0/75",
         "06 00 0000 fd000000 00000000 ffe00000 00000000 ffffffff ffffffff ffe00000 00000000"},
    };
    struct form tcp = {v4(0x0a010000, 24), "10.1.0.0/24 protocol 6 port 443", "04 06 01bb 0a010000 ffffff00"};
    tcp.selector.protocol = 6;
    tcp.selector.port = 443;
    size_t num = sizeof(all) / sizeof(all[0]);
    memcpy(out, all, sizeof(all));
    out[num] = tcp;
    return num + 1;
}

static void has_its_text(void)
{
    struct form form[12];
    size_t num = forms(form);
    for (size_t i = 0; i < num; i++) {
        char text[P2_SELECTOR_TEXT];
        p2_selector_format(&form[i].selector, text);
        CU_ASSERT_STRING_EQUAL(text, form[i].text);
    }
}

static void the_longest_text_is_cut_and_ended(void)
{
    struct p2_selector longest = v6("ffffffff ffffffff ffffffff fffffffe", 128);
    char *text = malloc(P2_SELECTOR_TEXT);
    longest.protocol = 255;
    longest.port = 65535;
    p2_selector_format(&longest, text);
    CU_ASSERT_EQUAL(strncmp(text, "ffff:ffff:ffff:ffff:ffff:ffff:ffff:fffe/128 protocol 255", 56), 0);
    CU_ASSERT(strlen(text) < P2_SELECTOR_TEXT);
    free(text);
}

static void becomes_an_id_payload(void)
{
    struct form form[12];
    size_t num = forms(form);
    for (size_t i = 0; i < num; i++) {
        uint8_t id[P2_SELECTOR_ID_MAX];
        size_t len = p2_selector_to_id(&form[i].selector, id);
        CHECK_HEX(id, len, form[i].id);
    }
}

static void comes_from_an_id_payload(void)
{
    struct form form[12];
    size_t num = forms(form);
    for (size_t i = 0; i < num; i++) {
        uint8_t id[64];
        struct p2_selector selector;
        CU_ASSERT_EQUAL_FATAL(p2_selector_from_id(&selector, id, check_unhex(form[i].id, id, sizeof(id))),
                              P2_OK);
        CU_ASSERT_TRUE(p2_selector_equal(&selector, &form[i].selector));
        CU_ASSERT_EQUAL(memcmp(&selector.address, &form[i].selector.address, sizeof(selector.address)), 0);
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
        "07000000 0a010000 0a0100ff",          /* ID_IPV4_ADDR_RANGE: this build does not know it */
        "09000000 3000",                       /* ID_DER_ASN1_DN */
        "0b000000 6b6579",                     /* ID_KEY_ID */
        "ff000000 0a010000",
        "01000000 0a010000 00", /* a byte too many */
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
    struct form form[12];
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
    b[0].address.bytes[3] = 1;
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

CHECK_MAIN("selector", {"has its text", has_its_text},
           {"the longest text is cut and ended", the_longest_text_is_cut_and_ended},
           {"becomes an ID payload", becomes_an_id_payload},
           {"comes from an ID payload", comes_from_an_id_payload},
           {"a subnet of one address is that address", a_subnet_of_one_address_is_that_address},
           {"refuses other IDs", refuses_other_ids},
           {"every truncated ID is malformed", every_truncated_id_is_malformed},
           {"host bits do not come in", host_bits_do_not_come_in},
           {"contains just its prefix", contains_just_its_prefix},
           {"contains just its prefix in IPv6", contains_just_its_prefix_in_ipv6},
           {"contains no address of another family", contains_no_address_of_another_family},
           {"equality looks at everything", equality_looks_at_everything})
