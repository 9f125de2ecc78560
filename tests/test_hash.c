#include "check.h"

#include "hash.h"

/* RFC 1321 section A.5 (MD5). FIPS 180-4; the messages and digests are those of FIPS 180-1 appendices A to C
 * and FIPS 180-2 appendices B to D, as the examples of NIST's cryptographic toolkit also give them. */
struct digest_case {
    enum p2_hash hash;
    const char *message;
    size_t repeat;
    const char *digest;
};

static const struct digest_case digest_cases[] = {
    {P2_HASH_MD5, "", 1, "d41d8cd98f00b204e9800998ecf8427e"},
    {P2_HASH_MD5, "a", 1, "0cc175b9c0f1b6a831c399e269772661"},
    {P2_HASH_MD5, "abc", 1, "900150983cd24fb0d6963f7d28e17f72"},
    {P2_HASH_MD5, "message digest", 1, "f96b697d7cb7938d525a2f31aaf161d0"},
    {P2_HASH_MD5, "abcdefghijklmnopqrstuvwxyz", 1, "c3fcd3d76192e4007dfb496cca67e13b"},
    {P2_HASH_MD5, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789", 1,
     "d174ab98d277d9f5a5611c2c9f419d9f"},
    {P2_HASH_MD5, "1234567890", 8, "57edf4a22be3c955ac49da2e2107b67a"},
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
    {P2_HASH_SHA384, "abc", 1,
     "cb00753f45a35e8bb5a03d699ac65007272c32ab0eded1631a8b605a43ff5bed8086072ba1e7cc2358baeca134c825a7"},
    {P2_HASH_SHA384,
     "abcdefghbcdefghicdefghijdefghijkefghijklfghijklmghijklmnhijklmnoijklmnopjklmnopqklmnopqrlmnopqrsmnopqrs"
     "tnopqrstu",
     1, "09330c33f71147e83d192fc782cd1b4753111b173b3b05d22fa08086e3b0f712fcc7c71a557e2db966c3e9fa91746039"},
    {P2_HASH_SHA384, "aaaaaaaaaa", 100000,
     "9d0e1809716474cb086e834e310a4a1ced149e9c00f248527972cec5704c2a5b07b8b3dc38ecc4ebae97ddd87f3d8985"},
    {P2_HASH_SHA512, "abc", 1,
     "ddaf35a193617abacc417349ae20413112e6fa4e89a97ea20a9eeee64b55d39a2192992a274fc1a836ba3c23a3feebbd"
     "454d4423643ce80e2a9ac94fa54ca49f"},
    {P2_HASH_SHA512,
     "abcdefghbcdefghicdefghijdefghijkefghijklfghijklmghijklmnhijklmnoijklmnopjklmnopqklmnopqrlmnopqrsmnopqrs"
     "tnopqrstu",
     1,
     "8e959b75dae313da8cf4f72814fc143f8f7779c6eb9f7fa17299aeadb6889018501d289e4900f7e4331b99dec4b5433a"
     "c7d329eeb6dd26545e96e55b874be909"},
    {P2_HASH_SHA512, "aaaaaaaaaa", 100000,
     "e718483d0ce769644e2e42c7bc15b4638e1f98b13b2044285632a803afa973ebde0ff244877ea60a4cb0432ce577c31b"
     "eb009c5c2c49aa2e4eadb217ad8cc09b"},
};

static void digests_of_rfc_1321_and_fips_180(void)
{
    for (size_t i = 0; i < sizeof digest_cases / sizeof digest_cases[0]; i++) {
        const struct digest_case *c = &digest_cases[i];
        struct p2_bytes *parts = calloc(c->repeat, sizeof *parts);
        uint8_t out[P2_HASH_MAX_LEN];
        CU_ASSERT_PTR_NOT_NULL_FATAL(parts);
        for (size_t n = 0; n < c->repeat; n++)
            parts[n] = (struct p2_bytes){(const uint8_t *)c->message, strlen(c->message)};
        p2_hash_digest(c->hash, parts, c->repeat, out);
        CHECK_HEX(out, p2_hash_of(c->hash)->len, c->digest);
        free(parts);
    }
}

struct hmac_case {
    const char *key;
    const char *data;
    size_t out_len;                      /* 0: the whole hash */
    const char *expected[P2_NUM_HASHES]; /* NULL: not given */
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

/* RFC 2202 section 2, test cases 1 to 7 of HMAC-MD5; the 96-bit digest is the second line of case 5. */
static const struct hmac_case rfc2202_md5[] = {
    {X10("0b") "0b0b0b0b0b0b", HI_THERE, 0, {[P2_HASH_MD5] = "9294727a3638bb1c13f48ef8158bfc9d"}},
    {"4a656665", WHAT_DO_YA, 0, {[P2_HASH_MD5] = "750c783e6ab0b503eaa86e310a5db738"}},
    {X10("aa") "aaaaaaaaaaaa", X50("dd"), 0, {[P2_HASH_MD5] = "56be34521d144c88dbb8c733f0e8b3f6"}},
    {KEY_1_TO_25, X50("cd"), 0, {[P2_HASH_MD5] = "697eaf0aca3a3aea3a75164746ffaa79"}},
    {X10("0c") "0c0c0c0c0c0c", TRUNCATION, 0, {[P2_HASH_MD5] = "56461ef2342edc00f9bab995690efd4c"}},
    {X10("0c") "0c0c0c0c0c0c", TRUNCATION, 12, {[P2_HASH_MD5] = "56461ef2342edc00f9bab995"}},
    {X80("aa"), HASH_KEY_FIRST, 0, {[P2_HASH_MD5] = "6b1ab7fe4bd7bf8f0b62e6ce61b9d0cd"}},
    {X80("aa"), MORE_THAN_A_BLOCK, 0, {[P2_HASH_MD5] = "6f630fad67cda0ee1fb1f562db3aa53e"}},
};

/* RFC 2202 section 3, test cases 1 to 7 of HMAC-SHA1; likewise. */
static const struct hmac_case rfc2202_sha1[] = {
    {X20("0b"), HI_THERE, 0, {[P2_HASH_SHA1] = "b617318655057264e28bc0b6fb378c8ef146be00"}},
    {"4a656665", WHAT_DO_YA, 0, {[P2_HASH_SHA1] = "effcdf6ae5eb2fa2d27416d5f184df9c259a7c79"}},
    {X20("aa"), X50("dd"), 0, {[P2_HASH_SHA1] = "125d7342b9ac11cd91a39af48aa17b4f63f175d3"}},
    {KEY_1_TO_25, X50("cd"), 0, {[P2_HASH_SHA1] = "4c9007f4026250c6bc8414f9bf50c86c2d7235da"}},
    {X20("0c"), TRUNCATION, 0, {[P2_HASH_SHA1] = "4c1a03424b55e07fe7f27be1d58bb9324a9a5a04"}},
    {X20("0c"), TRUNCATION, 12, {[P2_HASH_SHA1] = "4c1a03424b55e07fe7f27be1"}},
    {X80("aa"), HASH_KEY_FIRST, 0, {[P2_HASH_SHA1] = "aa4ae5e15272d00e95705637ce8a3b55ed402112"}},
    {X80("aa"), MORE_THAN_A_BLOCK, 0, {[P2_HASH_SHA1] = "e8e99d0f45237d786d6bbaa7965c7808bbff1a91"}},
};

/* RFC 4231 section 4, test cases 1 to 7; case 5 is truncated to 128 bits. */
static const struct hmac_case rfc4231[] = {
    {X20("0b"),
     HI_THERE,
     0,
     {[P2_HASH_SHA256] = "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7",
      [P2_HASH_SHA384] =
          "afd03944d84895626b0825f4ab46907f15f9dadbe4101ec682aa034c7cebc59cfaea9ea9076ede7f4af152e8b2fa9cb6",
      [P2_HASH_SHA512] =
          "87aa7cdea5ef619d4ff0b4241a1d6cb02379f4e2ce4ec2787ad0b30545e17cdedaa833b7d6b8a702038b274eaea3f4e4"
          "be9d914eeb61f1702e696c203a126854"}},
    {"4a656665",
     WHAT_DO_YA,
     0,
     {[P2_HASH_SHA256] = "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843",
      [P2_HASH_SHA384] =
          "af45d2e376484031617f78d2b58a6b1b9c7ef464f5a01b47e42ec3736322445e8e2240ca5e69e2c78b3239ecfab21649",
      [P2_HASH_SHA512] =
          "164b7a7bfcf819e2e395fbe73b56e0a387bd64222e831fd610270cd7ea2505549758bf75c05a994a6d034f65f8f0e6fd"
          "caeab1a34d4a6b4b636e070a38bce737"}},
    {X20("aa"),
     X50("dd"),
     0,
     {[P2_HASH_SHA256] = "773ea91e36800e46854db8ebd09181a72959098b3ef8c122d9635514ced565fe",
      [P2_HASH_SHA384] =
          "88062608d3e6ad8a0aa2ace014c8a86f0aa635d947ac9febe83ef4e55966144b2a5ab39dc13814b94e3ab6e101a34f27",
      [P2_HASH_SHA512] =
          "fa73b0089d56a284efb0f0756c890be9b1b5dbdd8ee81a3655f83e33b2279d39bf3e848279a722c806b485a47e67c807"
          "b946a337bee8942674278859e13292fb"}},
    {KEY_1_TO_25,
     X50("cd"),
     0,
     {[P2_HASH_SHA256] = "82558a389a443c0ea4cc819899f2083a85f0faa3e578f8077a2e3ff46729665b",
      [P2_HASH_SHA384] =
          "3e8a69b7783c25851933ab6290af6ca77a9981480850009cc5577c6e1f573b4e6801dd23c4a7d679ccf8a386c674cffb",
      [P2_HASH_SHA512] =
          "b0ba465637458c6990e5a8c5f61d4af7e576d97ff94b872de76f8050361ee3dba91ca5c11aa25eb4d679275cc5788063"
          "a5f19741120c4f2de2adebeb10a298dd"}},
    {X20("0c"),
     TRUNCATION,
     16,
     {[P2_HASH_SHA256] = "a3b6167473100ee06e0c796c2955552b",
      [P2_HASH_SHA384] = "3abf34c3503b2a23a46efc619baef897",
      [P2_HASH_SHA512] = "415fad6271580a531d4179bc891d87a6"}},
    {X80("aa") X50("aa") "aa",
     HASH_KEY_FIRST,
     0,
     {[P2_HASH_SHA256] = "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54",
      [P2_HASH_SHA384] =
          "4ece084485813e9088d2c63a041bc5b44f9ef1012a2b588f3cd11f05033ac4c60c2ef6ab4030fe8296248df163f44952",
      [P2_HASH_SHA512] =
          "80b24263c7c1a3ebb71493c1dd7be8b49b46d1f41b4aeec1121b013783f8f3526b56d037e05f2598bd0fd2215d6a1e52"
          "95e64f73f63f0aec8b915a985d786598"}},
    {X80("aa") X50("aa") "aa",
     LONG_TEXT,
     0,
     {[P2_HASH_SHA256] = "9b09ffa71b942fcb27635fbcd5b0e944bfdc63644f0713938a7f51535c3a35e2",
      [P2_HASH_SHA384] =
          "6617178e941f020d351e2f254e8fd32c602420feb0b8fb9adccebb82461e99c5a678cc31e799176d3860e6110c46523e",
      [P2_HASH_SHA512] =
          "e37b6a775dc87dbaa4dfa9f96e5e3ffddebd71f8867289865df5a32d20cdc944b6022cac3c4982b10d5eeb55c3e4de15"
          "134676fb6de0446065c97440fa8c6a58"}},
};

static void check_hmac(enum p2_hash hash, const struct hmac_case *c, const char *expected)
{
    uint8_t key[256], data[256], out[P2_HASH_MAX_LEN];
    size_t key_len = check_unhex(c->key, key, sizeof key);
    size_t len = check_unhex(c->data, data, sizeof data);
    size_t out_len = c->out_len ? c->out_len : p2_hash_of(hash)->len;
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

static void check_hmacs(const struct hmac_case *cases, size_t num_cases, size_t num_expected)
{
    size_t num = 0;
    for (size_t i = 0; i < num_cases; i++) {
        for (unsigned h = P2_HASH_NONE + 1; h < P2_NUM_HASHES; h++) {
            if (cases[i].expected[h]) {
                check_hmac((enum p2_hash)h, &cases[i], cases[i].expected[h]);
                num++;
            }
        }
    }
    CU_ASSERT_EQUAL(num, num_expected);
}

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

static void hmac_md5_and_sha1_of_rfc_2202(void)
{
    check_hmacs(rfc2202_md5, COUNT(rfc2202_md5), 8);
    check_hmacs(rfc2202_sha1, COUNT(rfc2202_sha1), 8);
}

static void hmac_sha2_of_rfc_4231(void)
{
    check_hmacs(rfc4231, COUNT(rfc4231), 3 * 7);
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

/* Numbers: RFC 2409 appendix A and IANA "Hash Algorithm" (MD5 1, SHA 2, SHA2-256 4, -384 5, -512 6; 3 is
 * Tiger). Lengths: RFC 1321, FIPS 180-4. */
static void hashes_by_name_and_number(void)
{
    static const struct {
        const char *name;
        enum p2_hash hash;
        uint16_t ike_id;
        size_t len;
    } rows[] = {
        {"md5", P2_HASH_MD5, 1, 16},       {"sha1", P2_HASH_SHA1, 2, 20},
        {"sha256", P2_HASH_SHA256, 4, 32}, {"sha384", P2_HASH_SHA384, 5, 48},
        {"sha512", P2_HASH_SHA512, 6, 64},
    };
    CU_ASSERT_EQUAL(COUNT(rows), P2_NUM_HASHES - 1);
    for (size_t i = 0; i < COUNT(rows); i++) {
        CU_ASSERT_EQUAL(p2_hash_by_name(rows[i].name), rows[i].hash);
        CU_ASSERT_EQUAL(p2_hash_by_ike_id(rows[i].ike_id), rows[i].hash);
        CU_ASSERT_EQUAL(p2_hash_of(rows[i].hash)->len, rows[i].len);
        CU_ASSERT_STRING_EQUAL(p2_hash_of(rows[i].hash)->name, rows[i].name);
    }
    CU_ASSERT_EQUAL(p2_hash_by_name("tiger"), P2_HASH_NONE);
    CU_ASSERT_EQUAL(p2_hash_by_name(""), P2_HASH_NONE);
    CU_ASSERT_EQUAL(p2_hash_by_ike_id(0), P2_HASH_NONE);
    CU_ASSERT_EQUAL(p2_hash_by_ike_id(3), P2_HASH_NONE);
    CU_ASSERT_EQUAL(p2_hash_by_ike_id(7), P2_HASH_NONE);
    CU_ASSERT_PTR_NOT_NULL(p2_hash_of(P2_HASH_NONE));
}

/* Attribute values: RFC 2407 section 4.5 and IANA "Authentication Algorithm" (MD5 1, SHA 2, DES-MAC 3, KPDK
 * 4, SHA2-256 5, -384 6, -512 7). AH transforms: RFC 2407 section 4.4.3 and IANA (MD5 2, SHA 3, DES 4,
 * SHA2-256 5, -384 6, -512 7). Key and ICV lengths: RFC 2403, RFC 2404, RFC 4868 section 2.6. */
static void auths_by_name_and_number(void)
{
    static const struct {
        const char *name;
        enum p2_auth auth;
        enum p2_hash hash;
        uint16_t ipsec_id;
        uint8_t ah_id;
        size_t key_len, icv_len;
    } rows[] = {
        {"hmac-md5-96", P2_AUTH_HMAC_MD5_96, P2_HASH_MD5, 1, 2, 16, 12},
        {"hmac-sha1-96", P2_AUTH_HMAC_SHA1_96, P2_HASH_SHA1, 2, 3, 20, 12},
        {"hmac-sha256-128", P2_AUTH_HMAC_SHA256_128, P2_HASH_SHA256, 5, 5, 32, 16},
        {"hmac-sha384-192", P2_AUTH_HMAC_SHA384_192, P2_HASH_SHA384, 6, 6, 48, 24},
        {"hmac-sha512-256", P2_AUTH_HMAC_SHA512_256, P2_HASH_SHA512, 7, 7, 64, 32},
    };
    CU_ASSERT_EQUAL(COUNT(rows), P2_NUM_AUTHS - 1);
    for (size_t i = 0; i < COUNT(rows); i++) {
        const struct p2_auth_info *info = p2_auth_of(rows[i].auth);
        CU_ASSERT_EQUAL(p2_auth_by_name(rows[i].name), rows[i].auth);
        CU_ASSERT_EQUAL(p2_auth_by_ipsec_id(rows[i].ipsec_id), rows[i].auth);
        CU_ASSERT_EQUAL(p2_auth_by_ah_id(rows[i].ah_id), rows[i].auth);
        CU_ASSERT_STRING_EQUAL(info->name, rows[i].name);
        CU_ASSERT(info->hash == rows[i].hash && info->key_len == rows[i].key_len &&
                  info->icv_len == rows[i].icv_len);
    }
    CU_ASSERT_EQUAL(p2_auth_by_name("hmac-sha256-96"), P2_AUTH_NONE);
    for (uint8_t id = 0; id < 12; id++) {
        if (id == 0 || id == 3 || id == 4 || id > 7)
            CU_ASSERT_EQUAL(p2_auth_by_ipsec_id(id), P2_AUTH_NONE);
        if (id < 2 || id == 4 || id > 7)
            CU_ASSERT_EQUAL(p2_auth_by_ah_id(id), P2_AUTH_NONE);
    }
    CU_ASSERT(p2_auth_of(P2_AUTH_NONE)->icv_len == 0 && p2_auth_of(P2_AUTH_NONE)->key_len == 0);
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

CHECK_MAIN("hash", {"RFC 1321 and FIPS 180 digests", digests_of_rfc_1321_and_fips_180},
           {"RFC 2202 HMACs", hmac_md5_and_sha1_of_rfc_2202}, {"RFC 4231 HMACs", hmac_sha2_of_rfc_4231},
           {"HMAC of nothing with no key", hmac_of_nothing_with_no_key},
           {"truncation writes no further", truncation_writes_no_further},
           {"hashes by name and number", hashes_by_name_and_number},
           {"auths by name and number", auths_by_name_and_number},
           {"comparison sees every bit", comparison_sees_every_bit},
           {"wipe clears just what it is told", wipe_clears_just_what_it_is_told})
