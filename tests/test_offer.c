/* The SA payload of a Quick Mode: what is offered, what is accepted, and why something is refused. */
#include "offer_fixture.h"
#include "vectors/corpus.h"

/* Body of the SA payload of a message. */
static struct p2_bytes sa_body(const char *message_hex, uint8_t bytes[1024])
{
    size_t len = check_unhex(message_hex, bytes, 1024);
    struct p2_payloads payloads;
    CU_ASSERT_EQUAL_FATAL(p2_isakmp_parse_payloads(&payloads, bytes[16], bytes + 28, len - 28), P2_OK);
    return p2_isakmp_find(&payloads, P2_PAYLOAD_SA, 0)->body;
}

static bool same_bytes(struct p2_bytes a, const void *data, size_t len)
{
    return a.len == len && memcmp(a.data, data, len) == 0;
}

/* --- building --- */

static void offers_what_strongswan_offers(void)
{
    uint8_t message[1024], out[256];
    struct p2_bytes expected = sa_body(CORPUS_QUICK_1_PLAIN, message);
    struct p2_builder b = p2_builder_init(out, sizeof(out));
    struct p2_policy policy = aes128_sha1();
    policy.lifetime_s = 3960;
    build(&b, &policy, 0xaf823cb1, 0);
    CU_ASSERT_FALSE(b.failed);
    CU_ASSERT_TRUE(same_bytes(expected, out, b.len));
    expected = sa_body(CORPUS_PFS_QUICK_2_PLAIN, message); /* an answer looks like an offer of one proposal */
    b = p2_builder_init(out, sizeof(out));
    policy.pfs = P2_GROUP_2;
    build(&b, &policy, 0x09eb5953, 0);
    CU_ASSERT_TRUE(same_bytes(expected, out, b.len));
}

/* By hand from RFC 2408 sections 3.5 and 3.6 and RFC 2407 section 4.5: proposals are numbered from 1, 3DES
 * has no key length, group 14 stands in both, and 86,400 s need the long form. */
static void offers_several_proposals_in_their_order(void)
{
    static const char *const proposals[2][2] = {{"3des-cbc", "hmac-sha1-96"},
                                                {"aes-256-cbc", "hmac-sha256-128"}};
    uint8_t out[256];
    struct p2_builder b = p2_builder_init(out, sizeof(out));
    struct p2_policy policy = policy_of(2, proposals);
    policy.pfs = P2_GROUP_14;
    policy.lifetime_s = 86400;
    build(&b, &policy, 0x11223344, 0);
    CHECK_HEX(out, b.len,
              "00000001 00000001"
              "0200002c 01 03 04 01 11223344  00000020 01 03 0000 80050002 8003000e 80040001 80010001 "
              "00020004 00015180"
              "00000030 02 03 04 01 11223344  00000024 01 0c 0000 80060100 80050005 8003000e 80040001 "
              "80010001 00020004"
              "00015180");
}

static void answers_with_the_transform_as_it_came(void)
{
    uint8_t offer[1024], answer[1024], out[256];
    struct p2_isakmp_sa_payload sa;
    CU_ASSERT_EQUAL_FATAL(p2_isakmp_parse_sa(&sa, sa_body(CORPUS_QUICK_1_PLAIN, offer)), P2_OK);
    const struct p2_isakmp_transform *t = &sa.transforms[0];
    struct p2_builder b = p2_builder_init(out, sizeof(out));
    struct p2_offer_part part = {P2_PROTO_ESP, t->proposal_number, t->number, t->id, {0}, 0, 0};
    part.attributes_len = t->attributes.len;
    memcpy(part.attributes, t->attributes.data, t->attributes.len);
    p2_offer_build_answer(&b, &part, 1, (const uint32_t[]){0x229cf959, 0});
    /* strongSwan's answer in frame 8 is frame 7's SA payload but for the SPI */
    struct p2_bytes expected = sa_body(CORPUS_QUICK_1_PLAIN, answer);
    check_unhex("229cf959", (uint8_t *)(uintptr_t)expected.data + 16, 4);
    CU_ASSERT_TRUE(same_bytes(expected, out, b.len));
    b = p2_builder_init(out, sizeof(out));
    const struct p2_offer_part both[] = {{P2_PROTO_AH, 7, 2, 3, {0x80, 4, 0, 1}, 4, 0},
                                         {P2_PROTO_ESP, 7, 3, 3, {0}, 0, 0}};
    p2_offer_build_answer(&b, both, 2, (const uint32_t[]){0x01020304, 0x0a0b0c0d});
    CHECK_HEX(out, b.len,
              "00000001 00000001 02000018 07 02 04 01 0a0b0c0d 0000000c 02 03 0000 80040001"
              "00000014 07 03 04 01 01020304 00000008 03 03 0000");
}

static void an_offer_that_does_not_fit_fails_its_builder(void)
{
    struct p2_policy policy = aes128_sha1();
    for (size_t capacity = 0; capacity <= 48; capacity++) {
        uint8_t *out = malloc(capacity ? capacity : 1);
        struct p2_builder b = p2_builder_init(out, capacity);
        build(&b, &policy, 1000, 0);
        CU_ASSERT_EQUAL(b.failed, capacity < 48);
        free(out);
    }
}

/* --- choosing --- */

static void accepts_what_strongswan_offers(void)
{
    uint8_t message[1024];
    struct p2_isakmp_sa_payload sa;
    struct p2_offer_choice choice;
    struct p2_policy policy = aes128_sha1();
    policy.lifetime_s = 86400;
    policy.pfs = P2_GROUP_2;
    CU_ASSERT_EQUAL_FATAL(p2_isakmp_parse_sa(&sa, sa_body(CORPUS_PFS_QUICK_2_PLAIN, message)), P2_OK);
    struct p2_offer_context context = responder(&policy);
    p2_offer_choose(&choice, &sa, &context);
    CU_ASSERT_TRUE_FATAL(choice.found);
    CU_ASSERT_EQUAL(choice.parts[0].spi, 0x09eb5953);
    CU_ASSERT_EQUAL(choice.suite.algorithms[0].cipher, P2_CIPHER_AES128_CBC);
    CU_ASSERT_EQUAL(choice.suite.algorithms[0].auth, P2_AUTH_HMAC_SHA1_96);
    CU_ASSERT_EQUAL(choice.group, P2_GROUP_2);
    CU_ASSERT_EQUAL(choice.lifetime_s, 3960);
    CU_ASSERT_EQUAL(choice.parts[0].proposal_number, 1);
    CU_ASSERT_EQUAL(choice.parts[0].transform_id, 12);
    CHECK_HEX(choice.parts[0].attributes, choice.parts[0].attributes_len,
              "80060080 80050002 80030002 80040001 80010001 80020f78");
    CU_ASSERT_STRING_EQUAL(choice.field, "");
}

/* The responder would rather have 3DES; the initiator's order counts. */
static void the_initiators_order_decides(void)
{
    static const char *const wishes[2][2] = {{"3des-cbc", "hmac-sha1-96"}, {"aes-128-cbc", "hmac-sha1-96"}};
    static const struct offered offered[] = {
        {1, P2_PROTO_ESP, 12, "80060100 80050002" TUNNEL}, /* AES-256: not ours */
        {2, P2_PROTO_ESP, 12, AES_SHA1 TUNNEL},
        {3, P2_PROTO_ESP, 3, "80050002" TUNNEL}};
    static const struct offered turned[] = {{1, P2_PROTO_ESP, 3, "80050002" TUNNEL},
                                            {2, P2_PROTO_ESP, 12, AES_SHA1 TUNNEL}};
    struct p2_policy policy = policy_of(2, wishes);
    struct p2_offer_choice choice = choose(&policy, offered, 3);
    CU_ASSERT_TRUE(choice.found);
    CU_ASSERT_EQUAL(choice.parts[0].spi, 0x02000000);
    CU_ASSERT_EQUAL(choice.suite.algorithms[0].cipher, P2_CIPHER_AES128_CBC);
    choice = choose(&policy, turned, 2);
    CU_ASSERT_EQUAL(choice.parts[0].spi, 0x01000000);
    CU_ASSERT_EQUAL(choice.suite.algorithms[0].cipher, P2_CIPHER_3DES_CBC);
}

/* Several transforms of one proposal payload: the first acceptable one. */
static void transforms_of_one_proposal_are_tried_in_turn(void)
{
    uint8_t bytes[128];
    struct p2_isakmp_sa_payload sa;
    struct p2_offer_choice choice;
    struct p2_policy policy = aes128_sha1();
    size_t len = check_unhex("00000001 00000001 00000038 01 03 04 03 aabbccdd"
                             "03000010 01 0c 0000 80060100 80050002"
                             "03000010 02 0c 0000 80060080 80050002"
                             "0000000c 03 03 0000 80050002",
                             bytes, sizeof(bytes));
    CU_ASSERT_EQUAL_FATAL(p2_isakmp_parse_sa(&sa, (struct p2_bytes){bytes, len}), P2_OK);
    struct p2_offer_context context = responder(&policy);
    p2_offer_choose(&choice, &sa, &context);
    CU_ASSERT_TRUE(choice.found);
    CU_ASSERT_EQUAL(choice.parts[0].transform_number, 2);
    CU_ASSERT_EQUAL(choice.parts[0].spi, 0xaabbccdd);
}

/* --- refusing: the field, what was offered in it and what would have done --- */

struct refusal {
    uint8_t protocol, id;
    const char *attributes;
    const char *field, *offered, *acceptable;
};

static const struct refusal refusals[] = {
    {P2_PROTO_AH, 3, "80050002" TUNNEL, "protocol", "ah", "esp"},
    {P2_PROTO_ISAKMP, 12, AES_SHA1 TUNNEL, "protocol", "another protocol", "esp"},
    {P2_PROTO_ESP, 12, "80060100 80050002" TUNNEL, "encryption", "aes-256-cbc", "aes-128-cbc"},
    {P2_PROTO_ESP, 3, "80050002" TUNNEL, "encryption", "3des-cbc", "aes-128-cbc"},
    {P2_PROTO_ESP, 7, "80050002" TUNNEL, "encryption", "ESP transform 7", "aes-128-cbc"},
    {P2_PROTO_ESP, 12, "80050002" TUNNEL, "encryption", "ESP transform 12 with a key length of 0",
     "aes-128-cbc"},
    {P2_PROTO_ESP, 12, "800600c1 80050002" TUNNEL, "encryption", "ESP transform 12 with a key length of 193",
     "aes-128-cbc"},
    {P2_PROTO_ESP, 12, "80060080 80050005" TUNNEL, "authentication", "hmac-sha256-128", "hmac-sha1-96"},
    {P2_PROTO_ESP, 12, "80060080 80050009" TUNNEL, "authentication", "algorithm 9", "hmac-sha1-96"},
    {P2_PROTO_ESP, 12, "80060080" TUNNEL, "authentication", "none", "hmac-sha1-96"},
    {P2_PROTO_ESP, 12, AES_SHA1 "80040002", "mode", "transport", "tunnel"},
    {P2_PROTO_ESP, 12, AES_SHA1 "80040003", "mode", "udp-encapsulated-tunnel", "tunnel"},
    {P2_PROTO_ESP, 12, AES_SHA1 TUNNEL "8003000e", "pfs-group", "group14", "none"},
    {P2_PROTO_ESP, 12, AES_SHA1 TUNNEL "80030063", "pfs-group", "group99", "none"},
    {P2_PROTO_ESP, 12, AES_SHA1 TUNNEL "80080001", "attribute", "attribute 8", "attributes 1 to 6 and 11"},
};

static void each_refusal_says_what_and_why(void)
{
    struct p2_policy policy = aes128_sha1();
    CU_ASSERT_TRUE(choose_one(&policy, 12, AES_SHA1 TUNNEL).found);
    for (size_t i = 0; i < sizeof(refusals) / sizeof(refusals[0]); i++) {
        const struct refusal *r = &refusals[i];
        struct offered offered = {1, r->protocol, r->id, r->attributes};
        struct p2_offer_choice choice = choose(&policy, &offered, 1);
        check_refusal(&choice, r->field, r->offered, r->acceptable);
    }
}

static void sequence_numbers_must_be_of_one_length(void)
{
    struct p2_policy policy = aes128_sha1();
    struct p2_offer_choice choice = choose_one(&policy, 12, AES_SHA1 TUNNEL "800b0001");
    check_refusal(&choice, "esn", "64 bits", "32 bits");
    policy.esn = true;
    CU_ASSERT_TRUE(choose_one(&policy, 12, AES_SHA1 TUNNEL "800b0001").found);
    choice = choose_one(&policy, 12, AES_SHA1 TUNNEL);
    check_refusal(&choice, "esn", "32 bits", "64 bits");
}

/* The table of PFS, initiator's group by responder's: only equal ones agree. */
static void groups_must_be_equal(void)
{
    static const struct {
        enum p2_group group;
        const char *attribute, *name;
    } groups[] = {{P2_GROUP_NONE, "", "none"},
                  {P2_GROUP_1, "80030001", "group1"},
                  {P2_GROUP_2, "80030002", "group2"},
                  {P2_GROUP_14, "8003000e", "group14"},
                  {P2_GROUP_19, "80030013", "group19"}};
    struct p2_policy policy = aes128_sha1();
    for (size_t i = 0; i < 25; i++) {
        char attributes[64];
        size_t theirs = i / 5, ours = i % 5;
        policy.pfs = groups[ours].group;
        snprintf(attributes, sizeof(attributes), "%s%s%s", AES_SHA1, groups[theirs].attribute, TUNNEL);
        struct p2_offer_choice choice = choose_one(&policy, 12, attributes);
        if (theirs == ours) {
            CU_ASSERT_TRUE(choice.found);
            CU_ASSERT_EQUAL(choice.group, groups[ours].group);
        } else {
            check_refusal(&choice, "pfs-group", groups[theirs].name, groups[ours].name);
        }
    }
}

static void all_of_the_policy_is_acceptable(void)
{
    static const char *const proposals[3][2] = {
        {"aes-256-cbc", "hmac-sha256-128"}, {"aes-256-cbc", "hmac-sha1-96"}, {"3des-cbc", "hmac-sha1-96"}};
    struct p2_policy policy = policy_of(3, proposals);
    struct p2_offer_choice choice = choose_one(&policy, 12, "80060100 80050009" TUNNEL);
    check_refusal(&choice, "authentication", "algorithm 9", "hmac-sha256-128, hmac-sha1-96");
    choice = choose_one(&policy, 12, AES_SHA1 TUNNEL);
    CU_ASSERT_PTR_NOT_NULL(strstr(choice.acceptable, "aes-256-cbc"));
    CU_ASSERT_PTR_NOT_NULL(strstr(choice.acceptable, "3des-cbc"));
}

/* The refusal is about the offer that came nearest, wherever it stands. */
static void the_nearest_offer_is_the_one_explained(void)
{
    static const struct offered offered[] = {{1, P2_PROTO_AH, 3, "80050002" TUNNEL},
                                             {2, P2_PROTO_ESP, 12, AES_SHA1 TUNNEL "80030005"},
                                             {3, P2_PROTO_ESP, 3, "80050002" TUNNEL},
                                             {4, P2_PROTO_ESP, 12, AES_SHA1 "80040002"}};
    struct p2_policy policy = aes128_sha1();
    struct p2_offer_choice choice = choose(&policy, offered, 4);
    check_refusal(&choice, "pfs-group", "group5", "none");
}

/* --- the mode --- */

/* RFC 3947 section 5.1: with a NAT between them both ends speak of modes 3 and 4. */
static void a_nat_changes_the_mode(void)
{
    static uint8_t bytes[2048];
    struct p2_isakmp_sa_payload sa;
    struct p2_offer_choice choice;
    struct p2_policy policy = aes128_sha1();
    struct p2_offer_context context = {.policy = &policy, .encapsulated = true};
    struct offered offered = {1, P2_PROTO_ESP, 12, AES_SHA1 "80040003"};
    size_t len = build_offer(bytes, sizeof(bytes), &offered, 1);
    CU_ASSERT_EQUAL_FATAL(p2_isakmp_parse_sa(&sa, (struct p2_bytes){bytes, len}), P2_OK);
    p2_offer_choose(&choice, &sa, &context);
    CU_ASSERT_TRUE(choice.found);
    context.encapsulated = false;
    p2_offer_choose(&choice, &sa, &context);
    check_refusal(&choice, "mode", "udp-encapsulated-tunnel", "tunnel");
}

static void the_mode_is_the_policys_unless_it_is_said(void)
{
    struct p2_policy policy = aes128_sha1();
    CU_ASSERT_TRUE(choose_one(&policy, 12, AES_SHA1).found);
    policy.mode = P2_MODE_TRANSPORT;
    CU_ASSERT_TRUE(choose_one(&policy, 12, AES_SHA1 "80040002").found);
    CU_ASSERT_FALSE(choose_one(&policy, 12, AES_SHA1 TUNNEL).found);
}

/* --- what does not hold --- */

/* A refusal names a field always, also when a transform is not even read. */
static void malformed_attributes_are_refused_and_named(void)
{
    static const char *const cases[] = {AES_SHA1 TUNNEL "00020005 00000e10", AES_SHA1 TUNNEL "8001",
                                        AES_SHA1 TUNNEL "0002ffff"};
    struct p2_policy policy = aes128_sha1();
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct p2_offer_choice choice = choose_one(&policy, 12, cases[i]);
        CU_ASSERT_FALSE(choice.found);
        CU_ASSERT_STRING_NOT_EQUAL(choice.field, "");
    }
}

static void a_malformed_transform_does_not_hide_a_good_one(void)
{
    static const struct offered offered[] = {{1, P2_PROTO_ESP, 12, AES_SHA1 TUNNEL "8001"},
                                             {2, P2_PROTO_ESP, 12, AES_SHA1 TUNNEL}};
    struct p2_policy policy = aes128_sha1();
    struct p2_offer_choice choice = choose(&policy, offered, 2);
    CU_ASSERT_TRUE(choice.found);
    CU_ASSERT_EQUAL(choice.parts[0].spi, 0x02000000);
}

static struct p2_offer_choice choose_spi(const char *spi_len, const char *spi, uint32_t proposal_len)
{
    static uint8_t bytes[128];
    char hex[256];
    struct p2_isakmp_sa_payload sa;
    struct p2_offer_choice choice;
    struct p2_policy policy = aes128_sha1();
    snprintf(hex, sizeof(hex), "00000001 00000001 %08x 01 03 %s 01 %s 00000010 01 0c 0000 %s", proposal_len,
             spi_len, spi, AES_SHA1);
    size_t len = check_unhex(hex, bytes, sizeof(bytes));
    CU_ASSERT_EQUAL_FATAL(p2_isakmp_parse_sa(&sa, (struct p2_bytes){bytes, len}), P2_OK);
    struct p2_offer_context context = responder(&policy);
    p2_offer_choose(&choice, &sa, &context);
    return choice;
}

static void an_esp_spi_has_four_bytes(void)
{
    CU_ASSERT_TRUE(choose_spi("04", "00000100", 28).found);
    struct p2_offer_choice none = choose_spi("00", "", 24), two = choose_spi("02", "0102", 26),
                           eight = choose_spi("08", "0102030405060708", 32);
    CU_ASSERT_FALSE(none.found);
    CU_ASSERT_FALSE(two.found);
    CU_ASSERT_FALSE(eight.found);
    CU_ASSERT_STRING_NOT_EQUAL(two.field, "");
}

/* RFC 4303 section 2.1: 0 must not be sent on the wire, and 1 to 255 are reserved. */
static void reserved_spis_are_refused(void)
{
    CU_ASSERT_FALSE(choose_spi("04", "00000000", 28).found);
    CU_ASSERT_FALSE(choose_spi("04", "000000ff", 28).found);
}

/* A long attribute of another value must not pass for the value that its lowest bits are. */
static void values_are_not_cut_to_what_would_do(void)
{
    static const char *const cases[] = {
        "80060080 00050004 00010002" TUNNEL,          /* authentication 65,538 is not 2 */
        "00060004 00010080 80050002" TUNNEL,          /* nor are 65,664 bits 128 */
        AES_SHA1 "00040008 00000001 00000001",        /* mode 2^32 + 1 */
        AES_SHA1 TUNNEL "00030008 00000001 00000000", /* group 2^32 is not "none" */
    };
    struct p2_policy policy = aes128_sha1();
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
        CU_ASSERT_FALSE(choose_one(&policy, 12, cases[i]).found);
    CU_ASSERT_TRUE(choose_one(&policy, 12, "00060004 00000080 00050004 00000002" TUNNEL).found);
}

CHECK_MAIN("offer", {"offers what strongSwan offers", offers_what_strongswan_offers},
           {"offers several proposals in their order", offers_several_proposals_in_their_order},
           {"answers with the transform as it came", answers_with_the_transform_as_it_came},
           {"an offer that does not fit fails its builder", an_offer_that_does_not_fit_fails_its_builder},
           {"accepts what strongSwan offers", accepts_what_strongswan_offers},
           {"the initiator's order decides", the_initiators_order_decides},
           {"transforms of one proposal are tried in turn", transforms_of_one_proposal_are_tried_in_turn},
           {"each refusal says what and why", each_refusal_says_what_and_why},
           {"sequence numbers must be of one length", sequence_numbers_must_be_of_one_length},
           {"groups must be equal", groups_must_be_equal},
           {"all of the policy is acceptable", all_of_the_policy_is_acceptable},
           {"the nearest offer is the one explained", the_nearest_offer_is_the_one_explained},
           {"a NAT changes the mode", a_nat_changes_the_mode},
           {"the mode is the policy's unless it is said", the_mode_is_the_policys_unless_it_is_said},
           {"malformed attributes are refused and named", malformed_attributes_are_refused_and_named},
           {"a malformed transform does not hide a good one", a_malformed_transform_does_not_hide_a_good_one},
           {"an ESP SPI has four bytes", an_esp_spi_has_four_bytes},
           {"reserved SPIs are refused", reserved_spis_are_refused},
           {"values are not cut to what would do", values_are_not_cut_to_what_would_do})
