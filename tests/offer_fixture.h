/* What the tests of offers share: policies, SA payloads written by hand, and what is chosen from them. */
#ifndef P2_TESTS_OFFER_FIXTURE_H
#define P2_TESTS_OFFER_FIXTURE_H

#include "check.h"
#include "offer.h"

#define AES_SHA1  "80060080 80050002"
#define TUNNEL    "80040001"
#define SECONDS   "80010001"
#define KILOBYTES "80010002"

/* A policy as XML would give it, by the names of ciphers and integrity algorithms. */
static inline struct p2_policy policy_of(size_t num, const char *const (*proposals)[2])
{
    struct p2_policy policy = {
        .num_proposals = num, .mode = P2_MODE_TUNNEL, .pfs = P2_GROUP_NONE, .lifetime_s = 3600};
    for (size_t i = 0; i < num; i++) {
        enum p2_cipher cipher = p2_cipher_by_name(proposals[i][0]);
        enum p2_auth auth = p2_auth_by_name(proposals[i][1]);
        CU_ASSERT_FATAL(cipher != P2_CIPHER_NONE && auth != P2_AUTH_NONE);
        policy.proposals[i] = p2_proposal_of(P2_PROTO_ESP, cipher, auth);
    }
    return policy;
}

static inline struct p2_policy aes128_sha1(void)
{
    static const char *const proposals[1][2] = {{"aes-128-cbc", "hmac-sha1-96"}};
    return policy_of(1, proposals);
}

static inline struct p2_offer_context responder(const struct p2_policy *policy)
{
    return (struct p2_offer_context){.policy = policy};
}

/* The offer of a policy under one SPI for ESP and one for AH. */
static inline void build(struct p2_builder *b, const struct p2_policy *policy, uint32_t esp, uint32_t ah)
{
    const uint32_t spi[P2_MAX_BUNDLE] = {[P2_SPI_ESP] = esp, [P2_SPI_AH] = ah};
    struct p2_offer_context context = {.policy = policy, .initiator = true};
    p2_offer_build(b, &context, spi);
}

/* A proposal payload with one transform. SPI: its place in the list, times 0x01000000. */
struct offered {
    uint8_t number, protocol, id;
    const char *attributes;
};

static inline size_t build_offer(uint8_t *out, size_t capacity, const struct offered *offered, size_t num)
{
    struct p2_builder b = p2_builder_init(out, capacity);
    p2_build_u32(&b, P2_DOI_IPSEC);
    p2_build_u32(&b, P2_SIT_IDENTITY_ONLY);
    for (size_t i = 0; i < num; i++) {
        uint8_t attributes[128];
        uint32_t len = (uint32_t)check_unhex(offered[i].attributes, attributes, sizeof(attributes));
        p2_build_u32(&b, (i + 1 < num ? UINT32_C(0x02000000) : 0) + 20 + len);
        p2_build_u8(&b, offered[i].number);
        p2_build_u8(&b, offered[i].protocol);
        p2_build_u16(&b, 0x0401);
        p2_build_u32(&b, (uint32_t)(i + 1) << 24);
        p2_build_u32(&b, 8 + len);
        p2_build_u8(&b, 1);
        p2_build_u8(&b, offered[i].id);
        p2_build_u16(&b, 0);
        p2_build_bytes(&b, attributes, len);
    }
    CU_ASSERT_FALSE_FATAL(b.failed);
    return b.len;
}

/* The choice borrows the offer's bytes: they live until the next call. */
static inline struct p2_offer_choice choose(const struct p2_policy *policy, const struct offered *offered,
                                            size_t num)
{
    static uint8_t bytes[2048];
    struct p2_isakmp_sa_payload sa;
    struct p2_offer_choice choice;
    size_t len = build_offer(bytes, sizeof(bytes), offered, num);
    CU_ASSERT_EQUAL_FATAL(p2_isakmp_parse_sa(&sa, (struct p2_bytes){bytes, len}), P2_OK);
    struct p2_offer_context context = responder(policy);
    p2_offer_choose(&choice, &sa, &context);
    return choice;
}

static inline struct p2_offer_choice choose_one(const struct p2_policy *policy, uint8_t id,
                                                const char *attributes)
{
    struct offered offered = {1, P2_PROTO_ESP, id, attributes};
    return choose(policy, &offered, 1);
}

static inline void check_refusal(const struct p2_offer_choice *choice, const char *field, const char *offered,
                                 const char *acceptable)
{
    CU_ASSERT_FALSE(choice->found);
    CU_ASSERT_STRING_EQUAL(choice->field, field);
    CU_ASSERT_STRING_EQUAL(choice->offered, offered);
    CU_ASSERT_STRING_EQUAL(choice->acceptable, acceptable);
}

#endif
