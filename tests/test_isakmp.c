/* The ISAKMP codec: real messages, every truncation of them, mutations by the hundred thousand, and builders
 * byte for byte. Parsers get copies of the exact size, so that AddressSanitizer sees one byte too many. */
#include "check.h"
#include "isakmp.h"
#include "vectors/corpus.h"

static const char *const messages[] = {CORPUS_MAIN_MODE_1, CORPUS_QUICK_1_PLAIN, CORPUS_PFS_QUICK_2_PLAIN};
#define NUM_MESSAGES (sizeof(messages) / sizeof(messages[0]))

#define BODY(m)     ((m) + P2_ISAKMP_HEADER_LEN)
#define BODY_LEN(n) ((n)-P2_ISAKMP_HEADER_LEN)

static uint8_t *exactly(const uint8_t *data, size_t len)
{
    uint8_t *copy = malloc(len ? len : 1);
    if (len > 0)
        memcpy(copy, data, len);
    return copy;
}

static uint8_t *unhex(const char *hex, size_t *len)
{
    uint8_t bytes[4096];
    *len = check_unhex(hex, bytes, sizeof(bytes));
    return exactly(bytes, *len);
}

/* --- real messages --- */

static void check_payload(const struct p2_payloads *payloads, size_t i, uint8_t type, size_t body_len)
{
    CU_ASSERT_FATAL(i < payloads->num);
    const struct p2_payload *p = &payloads->list[i];
    CU_ASSERT_EQUAL(p->type, type);
    CU_ASSERT_EQUAL(p->body.len, body_len);
    CU_ASSERT_EQUAL(p->whole.len, body_len + 4);
    CU_ASSERT_PTR_EQUAL(p->whole.data + 4, p->body.data);
}

static void parses_main_mode_message_1(void)
{
    static const size_t vendor_lens[] = {8, 16, 20, 16, 16};
    struct p2_isakmp_header header;
    struct p2_payloads payloads;
    size_t len;
    uint8_t *m = unhex(CORPUS_MAIN_MODE_1, &len);
    CU_ASSERT_EQUAL_FATAL(p2_isakmp_parse_header(&header, m, len), P2_OK);
    CHECK_HEX(header.initiator_cookie, 8, "5be3f79f039040e2");
    CHECK_HEX(header.responder_cookie, 8, "0000000000000000");
    CU_ASSERT_EQUAL(header.next_payload, P2_PAYLOAD_SA);
    CU_ASSERT_EQUAL(header.version, 0x10);
    CU_ASSERT_EQUAL(header.exchange_type, P2_EXCHANGE_MAIN);
    CU_ASSERT_EQUAL(header.flags, 0);
    CU_ASSERT_EQUAL(header.message_id, 0);
    CU_ASSERT_EQUAL(header.length, 180);
    CU_ASSERT_EQUAL_FATAL(p2_isakmp_parse_payloads(&payloads, header.next_payload, BODY(m), BODY_LEN(len)),
                          P2_OK);
    CU_ASSERT_EQUAL_FATAL(payloads.num, 6);
    check_payload(&payloads, 0, P2_PAYLOAD_SA, 52);
    for (size_t i = 0; i < 5; i++)
        check_payload(&payloads, i + 1, P2_PAYLOAD_VENDOR, vendor_lens[i]);
    CU_ASSERT_EQUAL(payloads.len, BODY_LEN(len));
    free(m);
}

struct expected_attribute {
    uint16_t type;
    uint64_t value;
};

static void check_attributes(struct p2_bytes attributes, const struct expected_attribute *expected,
                             size_t num)
{
    struct p2_reader r = p2_reader_init(attributes.data, attributes.len);
    struct p2_attribute a;
    for (size_t i = 0; i < num; i++) {
        CU_ASSERT_TRUE_FATAL(p2_isakmp_next_attribute(&r, &a));
        CU_ASSERT_EQUAL(a.type, expected[i].type);
        CU_ASSERT_EQUAL(a.value, expected[i].value);
    }
    CU_ASSERT_FALSE(p2_isakmp_next_attribute(&r, &a));
    CU_ASSERT_FALSE(r.failed);
}

/* The SA payload of a message whose payloads start at data. */
static void parse_sa(struct p2_isakmp_sa_payload *sa, uint8_t first, const uint8_t *data, size_t len)
{
    struct p2_payloads payloads;
    CU_ASSERT_EQUAL_FATAL(p2_isakmp_parse_payloads(&payloads, first, data, len), P2_OK);
    const struct p2_payload *payload = p2_isakmp_find(&payloads, P2_PAYLOAD_SA, 0);
    CU_ASSERT_PTR_NOT_NULL_FATAL(payload);
    CU_ASSERT_EQUAL_FATAL(p2_isakmp_parse_sa(sa, payload->body), P2_OK);
}

/* AES-CBC with 128 bits, SHA-1, group 14, pre-shared key, 15,840 seconds. */
static void parses_the_offer_of_main_mode(void)
{
    static const struct expected_attribute expected[] = {{1, 7}, {14, 128}, {2, 2},     {4, 14},
                                                         {3, 1}, {11, 1},   {12, 15840}};
    struct p2_isakmp_sa_payload sa;
    size_t len;
    uint8_t *m = unhex(CORPUS_MAIN_MODE_1, &len);
    parse_sa(&sa, P2_PAYLOAD_SA, BODY(m), BODY_LEN(len));
    CU_ASSERT_EQUAL_FATAL(sa.num, 1);
    CU_ASSERT_EQUAL(sa.num_proposals, 1);
    CU_ASSERT_EQUAL(sa.transforms[0].protocol, P2_PROTO_ISAKMP);
    CU_ASSERT_EQUAL(sa.transforms[0].spi.len, 0);
    CU_ASSERT_EQUAL(sa.transforms[0].number, 1);
    CU_ASSERT_EQUAL(sa.transforms[0].id, P2_TRANSFORM_KEY_IKE);
    check_attributes(sa.transforms[0].attributes, expected, 7);
    free(m);
}

static void parses_quick_mode_message_1(void)
{
    struct p2_isakmp_header header;
    struct p2_payloads payloads;
    size_t len;
    uint8_t *m = unhex(CORPUS_QUICK_1_PLAIN, &len);
    CU_ASSERT_EQUAL_FATAL(p2_isakmp_parse_header(&header, m, len), P2_OK);
    CU_ASSERT_EQUAL(header.exchange_type, P2_EXCHANGE_QUICK);
    CU_ASSERT_EQUAL(header.flags, P2_FLAG_ENCRYPTED);
    CU_ASSERT_EQUAL(header.message_id, 0xb6160704);
    CU_ASSERT_EQUAL_FATAL(p2_isakmp_parse_payloads(&payloads, header.next_payload, BODY(m), BODY_LEN(len)),
                          P2_OK);
    CU_ASSERT_EQUAL_FATAL(payloads.num, 5);
    check_payload(&payloads, 0, P2_PAYLOAD_HASH, 20);
    check_payload(&payloads, 1, P2_PAYLOAD_SA, 48);
    check_payload(&payloads, 2, P2_PAYLOAD_NONCE, 32);
    check_payload(&payloads, 3, P2_PAYLOAD_ID, 12);
    check_payload(&payloads, 4, P2_PAYLOAD_ID, 12);
    CU_ASSERT_EQUAL(payloads.len, 144); /* and 16 bytes of padding */
    CHECK_HEX(p2_isakmp_find(&payloads, P2_PAYLOAD_ID, 0)->body.data, 12, "04 00 0000 0a010000 ffff0000");
    CHECK_HEX(p2_isakmp_find(&payloads, P2_PAYLOAD_ID, 1)->body.data, 12, "04 00 0000 0a020000 ffff0000");
    CU_ASSERT_PTR_NULL(p2_isakmp_find(&payloads, P2_PAYLOAD_ID, 2));
    CU_ASSERT_PTR_NULL(p2_isakmp_find(&payloads, P2_PAYLOAD_KE, 0));
    free(m);
}

/* The responder's answer: AES-128, HMAC-SHA1, group 2, tunnel mode, 3,960 seconds. */
static void parses_the_answer_of_quick_mode(void)
{
    static const struct expected_attribute expected[] = {{6, 128}, {5, 2}, {3, 2}, {4, 1}, {1, 1}, {2, 3960}};
    struct p2_isakmp_sa_payload sa;
    size_t len;
    uint8_t *m = unhex(CORPUS_PFS_QUICK_2_PLAIN, &len);
    parse_sa(&sa, P2_PAYLOAD_HASH, BODY(m), BODY_LEN(len));
    CU_ASSERT_EQUAL_FATAL(sa.num, 1);
    CU_ASSERT_EQUAL(sa.transforms[0].proposal_number, 1);
    CU_ASSERT_EQUAL(sa.transforms[0].protocol, P2_PROTO_ESP);
    CHECK_HEX(sa.transforms[0].spi.data, sa.transforms[0].spi.len, "09eb5953");
    CU_ASSERT_EQUAL(sa.transforms[0].id, 12);
    check_attributes(sa.transforms[0].attributes, expected, 6);
    free(m);
}

/* --- truncation --- */

static void a_truncated_header_is_malformed(void)
{
    for (size_t i = 0; i < NUM_MESSAGES; i++) {
        size_t whole;
        uint8_t *m = unhex(messages[i], &whole);
        for (size_t len = 0; len < whole; len++) {
            struct p2_isakmp_header header;
            uint8_t *copy = exactly(m, len);
            CU_ASSERT_EQUAL(p2_isakmp_parse_header(&header, copy, len), P2_ERR_MALFORMED);
            free(copy);
        }
        free(m);
    }
}

static void truncated_payloads_are_malformed(void)
{
    for (size_t i = 0; i < NUM_MESSAGES; i++) {
        struct p2_payloads payloads;
        size_t whole;
        uint8_t *m = unhex(messages[i], &whole);
        CU_ASSERT_EQUAL_FATAL(p2_isakmp_parse_payloads(&payloads, m[16], BODY(m), BODY_LEN(whole)), P2_OK);
        size_t end = payloads.len;
        for (size_t len = 0; len <= BODY_LEN(whole); len++) { /* behind the end there is but padding */
            uint8_t *copy = exactly(BODY(m), len);
            CU_ASSERT_EQUAL(p2_isakmp_parse_payloads(&payloads, m[16], copy, len),
                            len < end ? P2_ERR_MALFORMED : P2_OK);
            free(copy);
        }
        free(m);
    }
}

static void a_truncated_sa_payload_is_malformed(void)
{
    for (size_t i = 0; i < NUM_MESSAGES; i++) {
        struct p2_payloads payloads;
        size_t whole;
        uint8_t *m = unhex(messages[i], &whole);
        CU_ASSERT_EQUAL_FATAL(p2_isakmp_parse_payloads(&payloads, m[16], BODY(m), BODY_LEN(whole)), P2_OK);
        struct p2_bytes body = p2_isakmp_find(&payloads, P2_PAYLOAD_SA, 0)->body;
        for (size_t len = 0; len <= body.len + 1; len++) { /* one byte behind the end is wrong, too */
            struct p2_isakmp_sa_payload sa;
            uint8_t *copy = exactly(body.data, len);
            CU_ASSERT_EQUAL(p2_isakmp_parse_sa(&sa, (struct p2_bytes){copy, len}),
                            len == body.len ? P2_OK : P2_ERR_MALFORMED);
            free(copy);
        }
        free(m);
    }
}

/* --- what a header may say --- */

static void a_header_must_be_true(void)
{
    static const struct {
        size_t offset;
        uint8_t value;
    } lies[] = {
        {17, 0x11}, {17, 0x20}, {17, 0x00},             /* version */
        {24, 0x01}, {26, 0x01}, {27, 0xb3}, {27, 0xb5}, /* length: 180 is b4 */
    };
    size_t len;
    uint8_t *m = unhex(CORPUS_MAIN_MODE_1, &len);
    for (size_t i = 0; i < sizeof(lies) / sizeof(lies[0]); i++) {
        struct p2_isakmp_header header;
        uint8_t *copy = exactly(m, len);
        copy[lies[i].offset] = lies[i].value;
        CU_ASSERT_EQUAL(p2_isakmp_parse_header(&header, copy, len), P2_ERR_MALFORMED);
        free(copy);
    }
    free(m);
}

static void a_message_has_at_most_4096_bytes(void)
{
    static uint8_t m[P2_IKE_MAX_MESSAGE + 1];
    struct p2_isakmp_header header;
    m[17] = 0x10;
    p2_put_u32(m + 24, P2_IKE_MAX_MESSAGE);
    CU_ASSERT_EQUAL(p2_isakmp_parse_header(&header, m, P2_IKE_MAX_MESSAGE), P2_OK);
    p2_put_u32(m + 24, P2_IKE_MAX_MESSAGE + 1);
    CU_ASSERT_EQUAL(p2_isakmp_parse_header(&header, m, P2_IKE_MAX_MESSAGE + 1), P2_ERR_MALFORMED);
}

/* --- chains of payloads --- */

static int parse_chain(struct p2_payloads *payloads, uint8_t first, const char *hex)
{
    size_t len;
    uint8_t *bytes = unhex(hex, &len);
    int r = p2_isakmp_parse_payloads(payloads, first, bytes, len);
    free(bytes);
    return r;
}

static void a_chain_of_payloads_must_hold(void)
{
    struct p2_payloads payloads;
    CU_ASSERT_EQUAL(parse_chain(&payloads, 0, ""), P2_OK);
    CU_ASSERT_EQUAL(payloads.num, 0);
    CU_ASSERT_EQUAL(parse_chain(&payloads, 0, "0102"), P2_OK); /* nothing but padding */
    CU_ASSERT_EQUAL(payloads.len, 0);
    CU_ASSERT_EQUAL(parse_chain(&payloads, 10, "00000004"), P2_OK);
    CU_ASSERT_EQUAL(payloads.list[0].body.len, 0);
    CU_ASSERT_EQUAL(parse_chain(&payloads, 200, "0d000005aa 00000004"), P2_OK); /* a type nobody knows */
    CU_ASSERT_EQUAL(payloads.list[0].type, 200);
    CU_ASSERT_EQUAL(payloads.list[1].type, P2_PAYLOAD_VENDOR);
    CU_ASSERT_EQUAL(parse_chain(&payloads, 10, ""), P2_ERR_MALFORMED);
    CU_ASSERT_EQUAL(parse_chain(&payloads, 10, "00000003"),
                    P2_ERR_MALFORMED); /* shorter than its own header */
    CU_ASSERT_EQUAL(parse_chain(&payloads, 10, "00010004"), P2_ERR_MALFORMED); /* RESERVED is not 0 */
    CU_ASSERT_EQUAL(parse_chain(&payloads, 10, "00000005"), P2_ERR_MALFORMED); /* a byte too far */
    CU_ASSERT_EQUAL(parse_chain(&payloads, 10, "0a000004"), P2_ERR_MALFORMED); /* the next one is missing */
}

static void a_message_has_at_most_32_payloads(void)
{
    for (size_t num = P2_MAX_PAYLOADS; num <= P2_MAX_PAYLOADS + 1; num++) {
        uint8_t *bytes = malloc(num * 4);
        struct p2_payloads payloads;
        for (size_t i = 0; i < num; i++)
            p2_put_u32(bytes + i * 4, (i + 1 < num ? 0x0d000000 : 0) + 4);
        CU_ASSERT_EQUAL(p2_isakmp_parse_payloads(&payloads, P2_PAYLOAD_VENDOR, bytes, num * 4),
                        num == P2_MAX_PAYLOADS ? P2_OK : P2_ERR_MALFORMED);
        free(bytes);
    }
}

/* --- SA payloads --- */

static int parse_sa_body(struct p2_isakmp_sa_payload *sa, const char *hex)
{
    size_t len;
    uint8_t *bytes = unhex(hex, &len);
    int r = p2_isakmp_parse_sa(sa, (struct p2_bytes){bytes, len});
    free(bytes); /* only figures are looked at afterwards */
    return r;
}

#define IPSEC_SIT "00000001 00000001 "

static void a_suite_shows_as_two_proposals_of_one_number(void)
{
    struct p2_isakmp_sa_payload sa;
    CU_ASSERT_EQUAL_FATAL(parse_sa_body(&sa, IPSEC_SIT "02000014 01 03 04 01 11111111 00000008 01 0c 0000"
                                                       "00000014 01 02 04 01 22222222 00000008 01 03 0000"),
                          P2_OK);
    CU_ASSERT_EQUAL_FATAL(sa.num, 2);
    CU_ASSERT_EQUAL(sa.num_proposals, 2);
    CU_ASSERT_EQUAL(sa.transforms[0].proposal, 0);
    CU_ASSERT_EQUAL(sa.transforms[1].proposal, 1);
    CU_ASSERT_EQUAL(sa.transforms[0].proposal_number, sa.transforms[1].proposal_number);
    CU_ASSERT_EQUAL(sa.transforms[0].protocol, P2_PROTO_ESP);
    CU_ASSERT_EQUAL(sa.transforms[1].protocol, P2_PROTO_AH);
}

static void several_transforms_keep_their_order(void)
{
    struct p2_isakmp_sa_payload sa;
    CU_ASSERT_EQUAL_FATAL(parse_sa_body(&sa,
                                        IPSEC_SIT "02000020 01 03 04 02 11111111 0300000c 01 0c 0000 80060100"
                                                  "00000008 02 03 0000"
                                                  "00000014 02 03 04 01 11111111 00000008 01 0b 0000"),
                          P2_OK);
    CU_ASSERT_EQUAL_FATAL(sa.num, 3);
    CU_ASSERT_EQUAL(sa.transforms[0].id, 12);
    CU_ASSERT_EQUAL(sa.transforms[0].attributes.len, 4);
    CU_ASSERT_EQUAL(sa.transforms[1].id, 3);
    CU_ASSERT_EQUAL(sa.transforms[1].number, 2);
    CU_ASSERT_EQUAL(sa.transforms[1].proposal, 0);
    CU_ASSERT_EQUAL(sa.transforms[2].id, 11);
    CU_ASSERT_EQUAL(sa.transforms[2].proposal_number, 2);
}

static void refuses_sa_payloads_that_do_not_hold(void)
{
    static const char *const cases[] = {
        "",
        "00000001 00000001",
        "00000000 00000001 00000014 01 03 04 01 11111111 00000008 01 0c 0000", /* the generic ISAKMP DOI */
        "00000001 00000002 00000014 01 03 04 01 11111111 00000008 01 0c 0000", /* SIT_SECRECY */
        IPSEC_SIT "0000000c 01 03 04 00 11111111",                             /* no transforms */
        IPSEC_SIT "03000014 01 03 04 01 11111111 00000008 01 0c 0000", /* a transform behind a proposal */
        IPSEC_SIT "02000014 01 03 04 01 11111111 00000008 01 0c 0000", /* the next proposal is missing */
        IPSEC_SIT "00000015 01 03 04 01 11111111 00000008 01 0c 0000", /* proposal's length */
        IPSEC_SIT "00000014 01 03 ff 01 11111111 00000008 01 0c 0000", /* SPI of 255 bytes */
        IPSEC_SIT "00000014 01 03 04 01 11111111 03000008 01 0c 0000", /* more transforms than counted */
        IPSEC_SIT "0000001c 01 03 04 02 11111111 00000008 01 0c 0000 00000008 02 03 0000", /* fewer */
        IPSEC_SIT "00000014 01 03 04 01 11111111 00000007 01 0c 0000",    /* transform's length */
        IPSEC_SIT "00000014 01 03 04 01 11111111 00000008 01 0c 0000 00", /* a byte too many */
    };
    struct p2_isakmp_sa_payload sa;
    CU_ASSERT_EQUAL(parse_sa_body(&sa, IPSEC_SIT "00000014 01 03 04 01 11111111 00000008 01 0c 0000"), P2_OK);
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
        CU_ASSERT_EQUAL(parse_sa_body(&sa, cases[i]), P2_ERR_MALFORMED);
}

static void an_sa_payload_has_at_most_128_transforms(void)
{
    for (unsigned num = P2_MAX_TRANSFORMS; num <= P2_MAX_TRANSFORMS + 1; num++) {
        uint8_t body[2048];
        struct p2_isakmp_sa_payload sa;
        struct p2_builder b = p2_builder_init(body, sizeof(body));
        p2_build_u32(&b, P2_DOI_IPSEC);
        p2_build_u32(&b, P2_SIT_IDENTITY_ONLY);
        p2_build_u32(&b, 8 + num * 8);
        p2_build_u32(&b, 0x01030000 + num);
        for (unsigned i = 0; i < num; i++) {
            p2_build_u32(&b, (i + 1 < num ? 0x03000000 : 0) + 8);
            p2_build_u32(&b, 0x010c0000);
        }
        CU_ASSERT_FALSE_FATAL(b.failed);
        CU_ASSERT_EQUAL(p2_isakmp_parse_sa(&sa, (struct p2_bytes){body, b.len}),
                        num == P2_MAX_TRANSFORMS ? P2_OK : P2_ERR_MALFORMED);
    }
}

/* --- attributes (RFC 2408 section 3.3) --- */

static void reads_short_and_long_attributes(void)
{
    static const struct expected_attribute expected[] = {
        {2, 28800}, {2, 86400},     {2, UINT64_C(0xfedcba9876543210)}, {2, 0}, {0x7fff, 0xffff},
        {1, 9},     {2, UINT64_MAX}};
    uint8_t bytes[128];
    size_t len =
        check_unhex("80027080 00020004 00015180 00020008 fedcba9876543210 00020000 ffffffff"
                    "00010009 000000000000000009 0002000a 01000000000000000000", /* longer than 64 bits */
                    bytes, sizeof(bytes));
    check_attributes((struct p2_bytes){bytes, len}, expected, 7);
}

static void a_truncated_attribute_fails_its_reader(void)
{
    uint8_t whole[8];
    check_unhex("00020004 00015180", whole, sizeof(whole));
    for (size_t len = 1; len < sizeof(whole); len++) {
        struct p2_attribute a;
        uint8_t *copy = exactly(whole, len);
        struct p2_reader r = p2_reader_init(copy, len);
        CU_ASSERT_FALSE(p2_isakmp_next_attribute(&r, &a));
        CU_ASSERT_TRUE(r.failed);
        CU_ASSERT_FALSE(p2_isakmp_next_attribute(&r, &a));
        free(copy);
    }
}

static void builds_short_and_long_attributes(void)
{
    uint8_t out[32];
    struct p2_builder b = p2_builder_init(out, sizeof(out));
    p2_build_attribute(&b, 2, 0);
    p2_build_attribute(&b, 2, 65535);
    p2_build_attribute(&b, 2, 65536);
    p2_build_attribute(&b, 6, UINT32_MAX);
    CHECK_HEX(out, b.len, "80020000 8002ffff 00020004 00010000 00060004 ffffffff");
}

/* --- mutation --- */

static bool lies_within(struct p2_bytes piece, const uint8_t *data, size_t len)
{
    return piece.data >= data && piece.data <= data + len && piece.len <= (size_t)(data + len - piece.data);
}

static bool sa_is_sound(struct p2_bytes body)
{
    struct p2_isakmp_sa_payload sa;
    if (p2_isakmp_parse_sa(&sa, body) != P2_OK)
        return true;
    if (sa.num < 1 || sa.num > P2_MAX_TRANSFORMS || sa.num_proposals > sa.num)
        return false;
    for (size_t i = 0; i < sa.num; i++) {
        const struct p2_isakmp_transform *t = &sa.transforms[i];
        struct p2_attribute a;
        struct p2_reader r = p2_reader_init(t->attributes.data, t->attributes.len);
        if (!lies_within(t->spi, body.data, body.len) || !lies_within(t->attributes, body.data, body.len))
            return false;
        for (size_t n = 0; p2_isakmp_next_attribute(&r, &a); n++) {
            if (n > t->attributes.len / 4 || (a.bytes.data && !lies_within(a.bytes, body.data, body.len)))
                return false;
        }
    }
    return true;
}

/* True if what parsed is a chain without gaps within the message. Counts messages that parse. */
static bool message_is_sound(const uint8_t *m, size_t len, size_t *num_good)
{
    struct p2_isakmp_header header;
    struct p2_payloads payloads;
    if (p2_isakmp_parse_header(&header, m, len) != P2_OK ||
        p2_isakmp_parse_payloads(&payloads, header.next_payload, BODY(m), BODY_LEN(len)) != P2_OK)
        return true;
    const uint8_t *at = BODY(m);
    for (size_t i = 0; i < payloads.num; i++) {
        const struct p2_payload *p = &payloads.list[i];
        if (p->whole.data != at || p->body.data != at + 4 || p->whole.len != p->body.len + 4)
            return false;
        at += p->whole.len;
        if (!sa_is_sound(p->body)) /* whatever its type says */
            return false;
    }
    ++*num_good;
    return (size_t)(at - BODY(m)) == payloads.len && payloads.len <= BODY_LEN(len);
}

/* One to four changes: a bit, a byte, a length field's favourite values, or the message's end. */
static size_t mutate(struct test_random *random, uint8_t *m, size_t len)
{
    static const uint8_t favourites[] = {0, 1, 3, 4, 7, 8, 0x7f, 0x80, 0xff};
    unsigned num = 1 + (unsigned)(test_random_next(random) & 3);
    for (unsigned i = 0; i < num && len > 0; i++) {
        uint64_t r = test_random_next(random);
        size_t at = (size_t)(r >> 16) % len;
        if (r % 8 < 3)
            m[at] ^= (uint8_t)(1u << (r >> 8 & 7));
        else if (r % 8 < 5)
            m[at] = (uint8_t)(r >> 8);
        else if (r % 8 < 7)
            m[at] = favourites[(r >> 8) % sizeof(favourites)];
        else
            len = at;
    }
    return len;
}

static void two_hundred_thousand_mutations_do_no_harm(void)
{
    struct test_random random = {.seed = 2408};
    size_t num_good = 0, num = 200000;
    for (size_t i = 0; i < num; i++) {
        size_t len;
        uint8_t *m = unhex(messages[i % NUM_MESSAGES], &len);
        len = mutate(&random, m, len);
        if (len >= P2_ISAKMP_HEADER_LEN && i % 4 != 0) /* else the header would shield what lies behind it */
            p2_put_u32(m + 24, (uint32_t)len);
        uint8_t *copy = exactly(m, len);
        if (!message_is_sound(copy, len, &num_good))
            CU_FAIL_FATAL("a parser gave out bytes that are not the message's");
        free(copy);
        free(m);
    }
    CU_ASSERT(num_good > num / 20 && num_good < num - num / 20); /* neither harmless nor all shielded */
}

/* --- building --- */

/* Takes a real message apart and builds it again. */
static long rebuild(const uint8_t *m, size_t len, uint8_t *out, size_t capacity, size_t block)
{
    struct p2_isakmp_header header;
    struct p2_payloads payloads;
    struct p2_message built;
    CU_ASSERT_EQUAL_FATAL(p2_isakmp_parse_header(&header, m, len), P2_OK);
    CU_ASSERT_EQUAL_FATAL(p2_isakmp_parse_payloads(&payloads, header.next_payload, BODY(m), BODY_LEN(len)),
                          P2_OK);
    p2_message_begin(&built, out, capacity, &header);
    for (size_t i = 0; i < payloads.num; i++)
        p2_message_add(&built, (enum p2_payload_type)payloads.list[i].type, payloads.list[i].body.data,
                       payloads.list[i].body.len);
    return p2_message_end(&built, block);
}

static void builds_what_strongswan_built(void)
{
    for (size_t i = 0; i < NUM_MESSAGES; i++) {
        size_t len;
        uint8_t *m = unhex(messages[i], &len), *out = malloc(len);
        memset(out, 0xee, len);
        /* strongSwan adds a whole block where none is needed: nopfs' messages of 144 bytes get 16 of padding
         */
        long built = rebuild(m, len, out, len, m[19] & P2_FLAG_ENCRYPTED ? 16 : 1);
        CU_ASSERT_FATAL(built > 0);
        m[27] = (uint8_t)built;
        m[26] = (uint8_t)(built >> 8);
        CU_ASSERT_EQUAL((size_t)built, i == 1 ? len - 16 : len);
        CU_ASSERT_EQUAL(memcmp(out, m, (size_t)built), 0);
        free(out);
        free(m);
    }
}

static void opens_and_closes_payloads_piece_by_piece(void)
{
    uint8_t out[64];
    struct p2_message m;
    struct p2_isakmp_header header = {.initiator_cookie = {1},
                                      .responder_cookie = {2},
                                      .exchange_type = 5,
                                      .flags = 1,
                                      .message_id = 0x01020304};
    p2_message_begin(&m, out, sizeof(out), &header);
    p2_message_open(&m, P2_PAYLOAD_HASH);
    p2_build_u16(&m.b, 0xbeef);
    p2_message_close(&m);
    p2_message_open(&m, P2_PAYLOAD_DELETE);
    p2_build_u8(&m.b, 0x77);
    p2_message_close(&m);
    CU_ASSERT_EQUAL(p2_message_end(&m, 8), 44);
    CHECK_HEX(out, 44,
              "0100000000000000 0200000000000000 08 10 05 01 01020304 0000002c"
              "0c000006 beef 00000005 77 0000000000");
}

static void a_message_that_does_not_fit_is_no_message(void)
{
    size_t len;
    uint8_t *m = unhex(CORPUS_PFS_QUICK_2_PLAIN, &len);
    for (size_t capacity = 0; capacity <= len; capacity++) {
        uint8_t *out = malloc(capacity ? capacity : 1);
        CU_ASSERT_EQUAL(rebuild(m, len, out, capacity, 16), capacity < len ? P2_ERR_SPACE : (long)len);
        free(out);
    }
    free(m);
}

CHECK_MAIN("isakmp", {"parses main mode message 1", parses_main_mode_message_1},
           {"parses the offer of main mode", parses_the_offer_of_main_mode},
           {"parses Quick Mode message 1", parses_quick_mode_message_1},
           {"parses the answer of Quick Mode", parses_the_answer_of_quick_mode},
           {"a truncated header is malformed", a_truncated_header_is_malformed},
           {"truncated payloads are malformed", truncated_payloads_are_malformed},
           {"a truncated SA payload is malformed", a_truncated_sa_payload_is_malformed},
           {"a header must be true", a_header_must_be_true},
           {"a message has at most 4096 bytes", a_message_has_at_most_4096_bytes},
           {"a chain of payloads must hold", a_chain_of_payloads_must_hold},
           {"a message has at most 32 payloads", a_message_has_at_most_32_payloads},
           {"a suite shows as two proposals of one number", a_suite_shows_as_two_proposals_of_one_number},
           {"several transforms keep their order", several_transforms_keep_their_order},
           {"refuses SA payloads that do not hold", refuses_sa_payloads_that_do_not_hold},
           {"an SA payload has at most 128 transforms", an_sa_payload_has_at_most_128_transforms},
           {"reads short and long attributes", reads_short_and_long_attributes},
           {"a truncated attribute fails its reader", a_truncated_attribute_fails_its_reader},
           {"builds short and long attributes", builds_short_and_long_attributes},
           {"200,000 mutations do no harm", two_hundred_thousand_mutations_do_no_harm},
           {"builds what strongSwan built", builds_what_strongswan_built},
           {"opens and closes payloads piece by piece", opens_and_closes_payloads_piece_by_piece},
           {"a message that does not fit is no message", a_message_that_does_not_fit_is_no_message})
