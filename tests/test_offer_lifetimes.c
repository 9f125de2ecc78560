/* Lifetimes in an offer: what is read, which one counts by which rule, and what is refused. */
#include "offer_fixture.h"

static void the_shorter_lifetime_wins(void)
{
    static const struct {
        const char *attributes;
        uint32_t lifetime_s; /* ours is 3,600 */
    } cases[] = {
        {SECONDS "80020e0f", 3599},
        {SECONDS "80020e10", 3600},
        {SECONDS "80020e11", 3600},
        {SECONDS "00020004 00000e0f", 3599}, /* Junos sends four bytes always */
        {SECONDS "00020004 00015180", 3600},
        {SECONDS "00020008 00000001 000000b4", 3600}, /* 2^32 + 180: not 180 */
        {"", 3600},                                   /* not given: 28,800 */
        {SECONDS, 3600},
        {KILOBYTES "80020064", 3600}, /* 100 kilobytes are not 100 seconds */
        {SECONDS "800200b4" KILOBYTES "80020064", 180},
        {KILOBYTES "80020064" SECONDS "800200b4", 180},
        {"800200b4" SECONDS, 3600}, /* a duration of no type: RFC 2407 section 4.5 */
    };
    struct p2_policy policy = aes128_sha1();
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        char attributes[128];
        snprintf(attributes, sizeof(attributes), "%s%s", AES_SHA1 TUNNEL, cases[i].attributes);
        struct p2_offer_choice choice = choose_one(&policy, 12, attributes);
        CU_ASSERT_TRUE(choice.found);
        CU_ASSERT_EQUAL(choice.lifetime_s, cases[i].lifetime_s);
    }
}

#define LIFE(s, kb) SECONDS "0002000400" s KILOBYTES "0002000400" kb

/* Each rule, with the initiator's lifetimes shorter, equal and longer than ours: 3,600 s and 4,608 KB. */
static void responders_have_rules_for_lifetimes(void)
{
    static const struct {
        enum p2_lifetime_rule rule;
        const char *attributes;
        uint32_t lifetime_s, lifetime_kb; /* 0, 0: refused */
        bool claims_s, claims_kb;
    } cases[] = {
        {P2_LIFETIME_SHORTER, LIFE("000e0f", "001200"), 3599, 4608, false, false},
        {P2_LIFETIME_SHORTER, LIFE("000e11", "001201"), 3600, 4608, false, false},
        {P2_LIFETIME_OBEY, LIFE("000e0f", "001200"), 3599, 4608, false, false},
        {P2_LIFETIME_OBEY, LIFE("015180", "0fffff"), 86400, 0xfffff, false, false},
        {P2_LIFETIME_OBEY, SECONDS "80020e10", 3600, 0, false, false},
        {P2_LIFETIME_STRICT, LIFE("000e0f", "0011ff"), 3599, 4607, false, false},
        {P2_LIFETIME_STRICT, LIFE("000e11", "001200"), 0, 0, false, false},
        {P2_LIFETIME_STRICT, LIFE("000e10", "001201"), 0, 0, false, false},
        {P2_LIFETIME_STRICT, SECONDS "80020e10", 0, 0, false, false}, /* no limit is longer than any */
        {P2_LIFETIME_CLAIM, LIFE("000e0f", "0011ff"), 3599, 4607, false, false},
        {P2_LIFETIME_CLAIM, LIFE("000e11", "001200"), 3600, 4608, true, false},
        {P2_LIFETIME_CLAIM, SECONDS "80020e10", 3600, 4608, false, true},
        {P2_LIFETIME_EXACT, LIFE("000e10", "001200"), 3600, 4608, false, false},
        {P2_LIFETIME_EXACT, LIFE("000e0f", "001200"), 0, 0, false, false},
        {P2_LIFETIME_EXACT, SECONDS "80020e10", 0, 0, false, false},
    };
    struct p2_policy policy = aes128_sha1();
    policy.lifetime_kb = 4608;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        char attributes[128];
        bool refused = cases[i].lifetime_s == 0;
        policy.lifetime_rule = cases[i].rule;
        snprintf(attributes, sizeof(attributes), "%s%s", AES_SHA1 TUNNEL, cases[i].attributes);
        struct p2_offer_choice choice = choose_one(&policy, 12, attributes);
        CU_ASSERT_EQUAL(choice.found, !refused);
        if (refused) {
            CU_ASSERT_STRING_EQUAL(choice.field, "lifetime");
            continue;
        }
        CU_ASSERT_EQUAL(choice.lifetime_s, cases[i].lifetime_s);
        CU_ASSERT_EQUAL(choice.lifetime_kb, cases[i].lifetime_kb);
        CU_ASSERT_EQUAL(choice.claims_s, cases[i].claims_s);
        CU_ASSERT_EQUAL(choice.claims_kb, cases[i].claims_kb);
    }
}

static void a_refused_lifetime_is_named(void)
{
    struct p2_policy policy = aes128_sha1();
    policy.lifetime_kb = 4608;
    policy.lifetime_rule = P2_LIFETIME_STRICT;
    struct p2_offer_choice choice = choose_one(&policy, 12, AES_SHA1 TUNNEL LIFE("000e11", "001200"));
    check_refusal(&choice, "lifetime", "3601 seconds", "at most 3600 seconds");
    choice = choose_one(&policy, 12, AES_SHA1 TUNNEL SECONDS "80020e10");
    check_refusal(&choice, "lifetime", "no limit in kilobytes", "at most 4608 kilobytes");
    policy.lifetime_rule = P2_LIFETIME_EXACT;
    choice = choose_one(&policy, 12, AES_SHA1 TUNNEL LIFE("000e0f", "001200"));
    check_refusal(&choice, "lifetime", "3599 seconds", "3600 seconds");
    CU_ASSERT_PTR_NOT_NULL(strstr(choice.rule, "exact"));
}

static void claimed_lifetimes_only_shorten(void)
{
    uint8_t data[32];
    struct p2_builder b = p2_builder_init(data, sizeof(data));
    p2_offer_build_lifetimes(&b, 1800, 100000);
    CHECK_HEX(data, b.len, "80010001 80020708 80010002 00020004 000186a0");
    struct p2_bytes bytes = {data, b.len};
    uint32_t s = 3600, kb = 0;
    CU_ASSERT_TRUE(p2_offer_read_lifetimes(bytes, &s, &kb));
    CU_ASSERT_EQUAL(s, 1800);
    CU_ASSERT_EQUAL(kb, 100000);
    s = 60, kb = 64;
    CU_ASSERT_TRUE(p2_offer_read_lifetimes(bytes, &s, &kb));
    CU_ASSERT_EQUAL(s, 60);
    CU_ASSERT_EQUAL(kb, 64);
    bytes.len--;
    CU_ASSERT_FALSE(p2_offer_read_lifetimes(bytes, &s, &kb));
}

CHECK_MAIN("offer: lifetimes", {"the shorter lifetime wins", the_shorter_lifetime_wins},
           {"responders have rules for lifetimes", responders_have_rules_for_lifetimes},
           {"a refused lifetime is named", a_refused_lifetime_is_named},
           {"claimed lifetimes only shorten", claimed_lifetimes_only_shorten})
