#include "check.h"

#include "hash.h"

/* FIPS 180-4; the messages and digests are those of FIPS 180-1 appendices A to C and FIPS 180-2 appendix B,
 * as the "SHA1" and "SHA256" examples of NIST's cryptographic toolkit also give them. */
struct digest_case {
    enum p2_hash hash;
    const char *message;
    size_t repeat;
    const char *digest;
};

static const struct digest_case digest_cases[] = {
    {P2_HASH_SHA1, "abc", 1, "a9993e364706816aba3e25717850c26c9cd0d89d"},
    {P2_HASH_SHA1, "abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq", 1,
     "84983e441c3bd26ebaae4aa1f95129e5e54670f1"},
    {P2_HASH_SHA1, "aaaaaaaaaa", 100000, "34aa973cd4c4daa4f61eeb2bdbad27316534016f"},
    {P2_HASH_SHA1, "", 1, "da39a3ee5e6b4b0d3255bfef95601890afd80709"},
    {P2_HASH_SHA256, "abc", 1, "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"},
    {P2_HASH_SHA256, "abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq", 1,
     "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1"},
    {P2_HASH_SHA256, "aaaaaaaaaa", 100000,
     "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0"},
    {P2_HASH_SHA256, "", 1, "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"},
};

static void digests_of_fips_180(void)
{
    for (size_t i = 0; i < sizeof digest_cases / sizeof digest_cases[0]; i++) {
        const struct digest_case *c = &digest_cases[i];
        struct p2_bytes *parts = calloc(c->repeat, sizeof *parts);
        uint8_t out[P2_HASH_MAX_LEN];
        CU_ASSERT_PTR_NOT_NULL_FATAL(parts);
        for (size_t n = 0; n < c->repeat; n++)
            parts[n] = (struct p2_bytes){(const uint8_t *)c->message, strlen(c->message)};
        p2_hash_digest(c->hash, parts, c->repeat, out);
        CHECK_HEX(out, p2_hash_info(c->hash)->len, c->digest);
        free(parts);
    }
}

struct hmac_case {
    const char *key;
    const char *data;
    const char *sha1;   /* NULL: not given */
    const char *sha256; /* NULL: not given */
    size_t out_len;     /* 0: the whole hash */
};

#define X10(s) s s s s s s s s s s
#define X20(s) X10(s) X10(s)
#define X50(s) X20(s) X20(s) X10(s)
#define X80(s) X20(s) X20(s) X20(s) X20(s)

#define HI_THERE       "4869205468657265"
#define WHAT_DO_YA     "7768617420646f2079612077616e7420666f72206e6f7468696e673f"
#define KEY_1_TO_25    "0102030405060708090a0b0c0d0e0f10111213141516171819"
#define TRUNCATION     "546573742057697468205472756e636174696f6e"
#define BLOCK_SIZE_KEY "54657374205573696e67204c6172676572205468616e20426c6f636b2d53697a65204b6579"
#define HASH_KEY_FIRST BLOCK_SIZE_KEY "202d2048617368204b6579204669727374"
/* "... and Larger Than One Block-Size Data" */
#define MORE_THAN_A_BLOCK                                                                                    \
    BLOCK_SIZE_KEY "20616e64204c6172676572205468616e204f6e6520426c6f636b2d53697a652044617461"
/* "This is a test using a larger than block-size key and a larger than block-size data. The key needs to be
 * hashed before being used by the HMAC algorithm." */
#define LONG_TEXT                                                                                            \
    "5468697320697320612074657374207573696e672061206c6172676572207468616e20626c6f636b2d73697a65206b65792061" \
    "6e6420"                                                                                                 \
    "61206c6172676572207468616e20626c6f636b2d73697a6520646174612e20546865206b6579206e6565647320746f20626520" \
    "686173"                                                                                                 \
    "686564206265666f7265206265696e6720757365642062792074686520484d414320616c676f726974686d2e"

/* RFC 2202 section 3, test cases 1 to 7; the 96-bit digest is the second line of case 5. */
static const struct hmac_case rfc2202[] = {
    {X20("0b"), HI_THERE, "b617318655057264e28bc0b6fb378c8ef146be00", NULL, 0},
    {"4a656665", WHAT_DO_YA, "effcdf6ae5eb2fa2d27416d5f184df9c259a7c79", NULL, 0},
    {X20("aa"), X50("dd"), "125d7342b9ac11cd91a39af48aa17b4f63f175d3", NULL, 0},
    {KEY_1_TO_25, X50("cd"), "4c9007f4026250c6bc8414f9bf50c86c2d7235da", NULL, 0},
    {X20("0c"), TRUNCATION, "4c1a03424b55e07fe7f27be1d58bb9324a9a5a04", NULL, 0},
    {X20("0c"), TRUNCATION, "4c1a03424b55e07fe7f27be1", NULL, 12},
    {X80("aa"), HASH_KEY_FIRST, "aa4ae5e15272d00e95705637ce8a3b55ed402112", NULL, 0},
    {X80("aa"), MORE_THAN_A_BLOCK, "e8e99d0f45237d786d6bbaa7965c7808bbff1a91", NULL, 0},
};

/* RFC 4231 section 4, test cases 1 to 7; case 5 is truncated to 128 bits. */
static const struct hmac_case rfc4231[] = {
    {X20("0b"), HI_THERE, NULL, "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7", 0},
    {"4a656665", WHAT_DO_YA, NULL, "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843", 0},
    {X20("aa"), X50("dd"), NULL, "773ea91e36800e46854db8ebd09181a72959098b3ef8c122d9635514ced565fe", 0},
    {KEY_1_TO_25, X50("cd"), NULL, "82558a389a443c0ea4cc819899f2083a85f0faa3e578f8077a2e3ff46729665b", 0},
    {X20("0c"), TRUNCATION, NULL, "a3b6167473100ee06e0c796c2955552b", 16},
    {X80("aa") X50("aa") "aa", HASH_KEY_FIRST, NULL,
     "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54", 0},
    {X80("aa") X50("aa") "aa", LONG_TEXT, NULL,
     "9b09ffa71b942fcb27635fbcd5b0e944bfdc63644f0713938a7f51535c3a35e2", 0},
};

static void check_hmac(enum p2_hash hash, const struct hmac_case *c, const char *expected)
{
    uint8_t key[256], data[256], out[P2_HASH_MAX_LEN];
    size_t key_len = check_unhex(c->key, key, sizeof key);
    size_t len = check_unhex(c->data, data, sizeof data);
    size_t out_len = c->out_len ? c->out_len : p2_hash_info(hash)->len;
    struct p2_hmac hmac;
    p2_hmac_init(&hmac, hash, key, key_len);
    memset(key, 0, sizeof key);

    struct p2_bytes whole = {data, len};
    p2_hmac_compute(&hmac, &whole, 1, out, out_len);
    CHECK_HEX(out, out_len, expected);

    /* The same context again, the message in pieces, one of them empty and without an address. */
    struct p2_bytes parts[] = {
        {data, 1}, {NULL, 0}, {data + 1, len / 2}, {data + 1 + len / 2, len - 1 - len / 2}};
    memset(out, 0, sizeof out);
    p2_hmac_compute(&hmac, parts, 4, out, out_len);
    CHECK_HEX(out, out_len, expected);
}

static void hmac_sha1_of_rfc_2202(void)
{
    for (size_t i = 0; i < sizeof rfc2202 / sizeof rfc2202[0]; i++)
        check_hmac(P2_HASH_SHA1, &rfc2202[i], rfc2202[i].sha1);
}

static void hmac_sha256_of_rfc_4231(void)
{
    for (size_t i = 0; i < sizeof rfc4231 / sizeof rfc4231[0]; i++)
        check_hmac(P2_HASH_SHA256, &rfc4231[i], rfc4231[i].sha256);
}

/* Development oracle: printf '' | openssl dgst -sha1 -mac HMAC -macopt hexkey:00. Zero padding makes a key of
 * one zero byte and the empty key the same HMAC (RFC 2104 section 2). */
static void hmac_of_nothing_with_no_key(void)
{
    struct p2_hmac hmac;
    uint8_t out[P2_HASH_MAX_LEN];
    p2_hmac_init(&hmac, P2_HASH_SHA1, NULL, 0);
    p2_hmac_compute(&hmac, NULL, 0, out, 20);
    CHECK_HEX(out, 20, "fbdb1d1b18aa6c08324b7d64b71fb76370690e1d");
    p2_hmac_init(&hmac, P2_HASH_SHA256, NULL, 0);
    p2_hmac_compute(&hmac, NULL, 0, out, 32);
    CHECK_HEX(out, 32, "b613679a0814d9ec772f95d778c35fc5ff1697c493715653c6c712144292c5ad");
}

static void truncation_writes_no_further(void)
{
    struct p2_hmac hmac;
    uint8_t out[P2_HASH_MAX_LEN];
    memset(out, 0xee, sizeof out);
    p2_hmac_init(&hmac, P2_HASH_SHA256, (const uint8_t *)"key", 3);
    p2_hmac_compute(&hmac, NULL, 0, out, 16);
    for (size_t i = 16; i < sizeof out; i++)
        CU_ASSERT_EQUAL(out[i], 0xee);
}

/* Numbers: RFC 2409 appendix A and IANA "Hash Algorithm" (SHA 2, SHA2-256 4). */
static void hashes_by_name_and_number(void)
{
    CU_ASSERT_EQUAL(p2_hash_by_name("sha1"), P2_HASH_SHA1);
    CU_ASSERT_EQUAL(p2_hash_by_name("sha256"), P2_HASH_SHA256);
    CU_ASSERT_EQUAL(p2_hash_by_name("md5"), P2_HASH_NONE);
    CU_ASSERT_EQUAL(p2_hash_by_name(""), P2_HASH_NONE);
    CU_ASSERT_EQUAL(p2_hash_by_ike_id(2), P2_HASH_SHA1);
    CU_ASSERT_EQUAL(p2_hash_by_ike_id(4), P2_HASH_SHA256);
    CU_ASSERT_EQUAL(p2_hash_by_ike_id(1), P2_HASH_NONE);
    CU_ASSERT_EQUAL(p2_hash_by_ike_id(0), P2_HASH_NONE);
    CU_ASSERT_EQUAL(p2_hash_info(P2_HASH_SHA1)->len, 20);
    CU_ASSERT_EQUAL(p2_hash_info(P2_HASH_SHA256)->len, 32);
    CU_ASSERT_PTR_NOT_NULL(p2_hash_info(P2_HASH_NONE));
}

/* Numbers: RFC 2407 section 4.5 and IANA "Authentication Algorithm" (HMAC-SHA 2, HMAC-SHA2-256 5). */
static void auths_by_name_and_number(void)
{
    CU_ASSERT_EQUAL(p2_auth_by_name("hmac-sha1-96"), P2_AUTH_HMAC_SHA1_96);
    CU_ASSERT_EQUAL(p2_auth_by_name("hmac-sha256-128"), P2_AUTH_HMAC_SHA256_128);
    CU_ASSERT_EQUAL(p2_auth_by_name("hmac-md5-96"), P2_AUTH_NONE);
    CU_ASSERT_EQUAL(p2_auth_by_ipsec_id(2), P2_AUTH_HMAC_SHA1_96);
    CU_ASSERT_EQUAL(p2_auth_by_ipsec_id(5), P2_AUTH_HMAC_SHA256_128);
    CU_ASSERT_EQUAL(p2_auth_by_ipsec_id(1), P2_AUTH_NONE);
    CU_ASSERT_EQUAL(p2_auth_by_ipsec_id(0), P2_AUTH_NONE);
    const struct p2_auth_info *sha1 = p2_auth_info(P2_AUTH_HMAC_SHA1_96);
    CU_ASSERT(sha1->hash == P2_HASH_SHA1 && sha1->key_len == 20 && sha1->icv_len == 12);
    const struct p2_auth_info *sha256 = p2_auth_info(P2_AUTH_HMAC_SHA256_128);
    CU_ASSERT(sha256->hash == P2_HASH_SHA256 && sha256->key_len == 32 && sha256->icv_len == 16);
    CU_ASSERT_EQUAL(p2_auth_info(P2_AUTH_NONE)->icv_len, 0);
}

static void comparison_sees_every_bit(void)
{
    uint8_t a[16] = {0}, b[16] = {0};
    CU_ASSERT_TRUE(p2_equal_constant_time(a, b, sizeof a));
    CU_ASSERT_TRUE(p2_equal_constant_time(a, b, 0));
    for (size_t bit = 0; bit < 8 * sizeof a; bit++) {
        b[bit / 8] = (uint8_t)(1u << bit % 8);
        CU_ASSERT_FALSE(p2_equal_constant_time(a, b, sizeof a));
        b[bit / 8] = 0;
    }
    b[15] = 1;
    CU_ASSERT_TRUE(p2_equal_constant_time(a, b, 15));
}

static void wipe_clears_just_what_it_is_told(void)
{
    uint8_t data[4] = {1, 2, 3, 4};
    p2_wipe(data + 1, 2);
    CHECK_HEX(data, 4, "01000004");
    p2_wipe(NULL, 0);
}

CHECK_MAIN("hash", {"FIPS 180 digests", digests_of_fips_180}, {"RFC 2202 HMAC-SHA-1", hmac_sha1_of_rfc_2202},
           {"RFC 4231 HMAC-SHA-256", hmac_sha256_of_rfc_4231},
           {"HMAC of nothing with no key", hmac_of_nothing_with_no_key},
           {"truncation writes no further", truncation_writes_no_further},
           {"hashes by name and number", hashes_by_name_and_number},
           {"auths by name and number", auths_by_name_and_number},
           {"comparison sees every bit", comparison_sees_every_bit},
           {"wipe clears just what it is told", wipe_clears_just_what_it_is_told})
