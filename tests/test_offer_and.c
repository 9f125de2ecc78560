/* AND and OR of proposals: the SA payload of a Quick Mode with several protocols under one number. */
#include "offer_fixture.h"

static const struct offered suite[] = {{1, P2_PROTO_ESP, 12, AES_SHA1 TUNNEL},
                                       {1, P2_PROTO_AH, 3, "80050002" TUNNEL}};
static const struct offered turned[] = {{1, P2_PROTO_AH, 3, "80050002" TUNNEL},
                                        {1, P2_PROTO_ESP, 12, AES_SHA1 TUNNEL}};

static struct p2_policy ah_and_esp(void)
{
    struct p2_policy policy = aes128_sha1();
    struct p2_protocol_offer esp = policy.proposals[0].protocols[0];
    policy.proposals[0] = p2_proposal_of(P2_PROTO_AH, P2_CIPHER_NONE, P2_AUTH_HMAC_SHA1_96);
    policy.proposals[0].protocols[policy.proposals[0].num_protocols++] = esp;
    return policy;
}

static void an_and_is_all_or_nothing(void)
{
    static const struct offered with_another[] = {{1, P2_PROTO_ESP, 12, AES_SHA1 TUNNEL},
                                                  {1, P2_PROTO_AH, 3, "80050002" TUNNEL},
                                                  {2, P2_PROTO_ESP, 12, AES_SHA1 TUNNEL}};
    struct p2_policy policy = aes128_sha1();
    struct p2_offer_choice choice = choose(&policy, suite, 2);
    check_refusal(&choice, "protocol", "esp with ah", "esp");
    choice = choose(&policy, turned, 2);
    check_refusal(&choice, "protocol", "ah with esp", "esp");
    choice = choose(&policy, with_another, 3);
    CU_ASSERT_TRUE(choice.found);
    CU_ASSERT_EQUAL(choice.num, 1);
    CU_ASSERT_EQUAL(choice.parts[0].spi, 0x03000000);
    policy = ah_and_esp();
    choice = choose(&policy, &suite[0], 1);
    check_refusal(&choice, "protocol", "esp", "ah with esp");
}

/* Whatever the order of the payloads: the parts keep it for the answer, the suite has ESP first. */
static void an_and_is_agreed_on_as_a_whole(void)
{
    struct p2_policy policy = ah_and_esp();
    const struct offered *orders[] = {suite, turned};
    for (size_t i = 0; i < 2; i++) {
        struct p2_offer_choice choice = choose(&policy, orders[i], 2);
        CU_ASSERT_TRUE_FATAL(choice.found);
        CU_ASSERT_EQUAL(choice.num, 2);
        CU_ASSERT_EQUAL(choice.suite.num, 2);
        CU_ASSERT_EQUAL(choice.parts[0].protocol, orders[i][0].protocol);
        CU_ASSERT_EQUAL(choice.parts[1].spi, 0x02000000);
        CU_ASSERT_EQUAL(choice.suite.protocol[0], P2_PROTO_ESP);
        CU_ASSERT_EQUAL(choice.suite.algorithms[0].cipher, P2_CIPHER_AES128_CBC);
        CU_ASSERT_EQUAL(choice.suite.protocol[1], P2_PROTO_AH);
        CU_ASSERT_EQUAL(choice.suite.algorithms[1].cipher, P2_CIPHER_NONE);
    }
}

static void one_bad_part_of_an_and_is_named(void)
{
    static const struct offered bad[] = {{1, P2_PROTO_AH, 5, "80050005" TUNNEL},
                                         {1, P2_PROTO_ESP, 12, AES_SHA1 TUNNEL}},
                                twice[] = {{1, P2_PROTO_AH, 3, "80050002" TUNNEL},
                                           {1, P2_PROTO_AH, 3, "80050002" TUNNEL}};
    struct p2_policy policy = ah_and_esp();
    struct p2_offer_choice choice = choose(&policy, bad, 2);
    check_refusal(&choice, "authentication", "hmac-sha256-128", "hmac-sha1-96");
    choice = choose(&policy, twice, 2);
    check_refusal(&choice, "protocol", "ah with ah", "ah with esp");
}

/* What was offered is told whole, unless some of it would have been taken elsewhere. */
static void alternatives_are_refused_together(void)
{
    static const struct offered ciphers[] = {{1, P2_PROTO_ESP, 2, "80050002" TUNNEL},
                                             {2, P2_PROTO_ESP, 3, "80050002" TUNNEL},
                                             {3, P2_PROTO_ESP, 2, "80050002" TUNNEL}},
                                crossed[] = {{1, P2_PROTO_ESP, 3, "80050002" TUNNEL},
                                             {2, P2_PROTO_ESP, 2, "80050001" TUNNEL}},
                                ah[] = {{1, P2_PROTO_AH, 3, "80050002" TUNNEL}};
    struct p2_policy policy = aes128_sha1();
    struct p2_offer_choice choice = choose(&policy, ciphers, 3);
    check_refusal(&choice, "encryption", "des-cbc, 3des-cbc", "aes-128-cbc");
    policy.proposals[0] = p2_proposal_of(P2_PROTO_ESP, P2_CIPHER_3DES_CBC, P2_AUTH_HMAC_MD5_96);
    policy.proposals[1] = p2_proposal_of(P2_PROTO_ESP, P2_CIPHER_DES_CBC, P2_AUTH_HMAC_SHA1_96);
    policy.num_proposals = 2;
    choice = choose(&policy, crossed, 2);
    check_refusal(&choice, "authentication", "hmac-sha1-96", "hmac-md5-96");
    policy = ah_and_esp();
    policy.proposals[1] = p2_proposal_of(P2_PROTO_ESP, P2_CIPHER_DES_CBC, P2_AUTH_HMAC_SHA1_96);
    policy.num_proposals = 2;
    choice = choose(&policy, ah, 1);
    check_refusal(&choice, "protocol", "ah", "ah with esp, esp");
}

/* An AH transform's number and its attribute must name the same algorithm (RFC 2407 section 4.4.3). */
static void ah_says_its_algorithm_twice(void)
{
    struct p2_policy policy = aes128_sha1();
    policy.proposals[0] = p2_proposal_of(P2_PROTO_AH, P2_CIPHER_NONE, P2_AUTH_HMAC_SHA1_96);
    struct offered good = {1, P2_PROTO_AH, 3, "80050002" TUNNEL},
                   bad = {1, P2_PROTO_AH, 5, "80050002" TUNNEL};
    CU_ASSERT_TRUE(choose(&policy, &good, 1).found);
    struct p2_offer_choice choice = choose(&policy, &bad, 1);
    check_refusal(&choice, "authentication", "AH transform 5 with hmac-sha1-96", "hmac-sha1-96");
}

/* By hand from RFC 2408 section 4.2: an AND as two payloads of number 1, alternatives as transforms. */
static void offers_and_and_or(void)
{
    uint8_t out[512];
    struct p2_builder b = p2_builder_init(out, sizeof(out));
    struct p2_policy policy = ah_and_esp();
    policy.lifetime_s = 0;
    policy.lifetime_kb = 4608;
    policy.proposals[0].protocols[1].alternatives[policy.proposals[0].protocols[1].num++] =
        (struct p2_algorithms){P2_CIPHER_3DES_CBC, P2_AUTH_HMAC_SHA1_96};
    build(&b, &policy, 0x11111111, 0x22222222);
    CHECK_HEX(
        out, b.len,
        "00000001 00000001"
        "02000024 01 02 04 01 22222222  00000018 01 03 0000 80050002 80040001 80010002 80021200"
        "00000040 01 03 04 02 11111111  0300001c 01 0c 0000 80060080 80050002 80040001 80010002 80021200"
        "00000018 02 03 0000 80050002 80040001 80010002 80021200");
}

CHECK_MAIN("offer: AND and OR", {"alternatives are refused together", alternatives_are_refused_together},
           {"an AND is all or nothing", an_and_is_all_or_nothing},
           {"an AND is agreed on as a whole", an_and_is_agreed_on_as_a_whole},
           {"one bad part of an AND is named", one_bad_part_of_an_and_is_named},
           {"AH says its algorithm twice", ah_says_its_algorithm_twice},
           {"offers AND and OR", offers_and_and_or})
