#include "check.h"

#include "cipher.h"

struct cbc_case {
    const char *source;
    enum p2_cipher cipher;
    const char *key, *iv, *plain, *encrypted;
};

/* The four blocks that every AES example of NIST SP 800-38A encrypts (appendix F). */
#define SP800_38A_PLAIN                                                                                      \
    "6bc1bee22e409f96e93d7e117393172a ae2d8a571e03ac9c9eb76fac45af8e51"                                      \
    "30c81c46a35ce411e5fbc1191a0a52ef f69f2445df4f9b17ad2b417be66c3710"
#define SP800_38A_IV "000102030405060708090a0b0c0d0e0f"

static const struct cbc_case cases[] = {
    {"RFC 3602 section 4, case 1", P2_CIPHER_AES128_CBC, "06a9214036b8a15b512e03d534120006",
     "3dafba429d9eb430b422da802c9fac41", "53696e676c6520626c6f636b206d7367",
     "e353779c1079aeb82708942dbe77181a"},
    {"RFC 3602 section 4, case 2", P2_CIPHER_AES128_CBC, "c286696d887c9aa0611bbb3e2025a45a",
     "562e17996d093d28ddb3ba695a2e6f58", "000102030405060708090a0b0c0d0e0f 101112131415161718191a1b1c1d1e1f",
     "d296cd94c2cccf8a3a863028b5e1dc0a 7586602d253cfff91b8266bea6d61ab1"},
    {"RFC 3602 section 4, case 3", P2_CIPHER_AES128_CBC, "6c3ea0477630ce21a2ce334aa746c2cd",
     "c782dc4c098c66cbd9cd27d825682c81",
     "5468697320697320612034382d6279746520 6d657373616765202865786163746c79203320414553 20626c6f636b7329",
     "d0a02b3836451753d493665d33f0e886 2dea54cdb293abc7506939276772f8d5 021c19216bad525c8579695d83ba2684"},
    {"RFC 3602 section 4, case 4", P2_CIPHER_AES128_CBC, "56e47a38c5598974bc46903dba290349",
     "8ce82eefbea0da3c44699ed7db51b7d9",
     "a0a1a2a3a4a5a6a7a8a9aaabacadaeaf b0b1b2b3b4b5b6b7b8b9babbbcbdbebf"
     "c0c1c2c3c4c5c6c7c8c9cacbcccdcecf d0d1d2d3d4d5d6d7d8d9dadbdcdddedf",
     "c30e32ffedc0774e6aff6af0869f71aa 0f3af07a9a31a9c684db207eb0ef8e4e"
     "35907aa632c3ffdf868bb7b29d3d46ad 83ce9f9a102ee99d49a53e87f4c3da55"},
    {"NIST SP 800-38A F.2.1", P2_CIPHER_AES128_CBC, "2b7e151628aed2a6abf7158809cf4f3c", SP800_38A_IV,
     SP800_38A_PLAIN,
     "7649abac8119b246cee98e9b12e9197d 5086cb9b507219ee95db113a917678b2"
     "73bed6b8e3c1743b7116e69e22229516 3ff1caa1681fac09120eca307586e1a7"},
    {"NIST SP 800-38A F.2.3", P2_CIPHER_AES192_CBC, "8e73b0f7da0e6452c810f32b809079e562f8ead2522c6b7b",
     SP800_38A_IV, SP800_38A_PLAIN,
     "4f021db243bc633d7178183a9fa071e8 b4d9ada9ad7dedf4e5e738763f69145a"
     "571b242012fb7ae07fa9baac3df102e0 08b0e27988598881d920a9e64f5615cd"},
    {"NIST SP 800-38A F.2.5", P2_CIPHER_AES256_CBC,
     "603deb1015ca71be2b73aef0857d7781 1f352c073b6108d72d9810a30914dff4", SP800_38A_IV, SP800_38A_PLAIN,
     "f58c4c04d6e5f1ba779eabfb5f7bfbd6 9cfc4e967edb808d679f777bc6702c7d"
     "39f23369a9d9bacfa530e26304231461 b2eb05e2c39be9fcda6c19078c6a9d1b"},
    {"NIST SP 800-20 table A.1, round 0: variable plaintext", P2_CIPHER_3DES_CBC,
     "010101010101010101010101010101010101010101010101", "0000000000000000", "8000000000000000",
     "95f8a5e5dd31d900"},
    {"NIST SP 800-20 table A.1, round 63: variable plaintext", P2_CIPHER_3DES_CBC,
     "010101010101010101010101010101010101010101010101", "0000000000000000", "0000000000000001",
     "166b40b44aba4bd6"},
    {"NIST SP 800-20 table A.2, round 0: variable key", P2_CIPHER_3DES_CBC,
     "800101010101010180010101010101018001010101010101", "0000000000000000", "0000000000000000",
     "95a8d72813daa94d"},
    {"NIST SP 800-20 table A.4, round 0: substitution tables", P2_CIPHER_3DES_CBC,
     "7ca110454a1a6e577ca110454a1a6e577ca110454a1a6e57", "0000000000000000", "01a1d6d039776742",
     "690f5b0d9a26939b"},
    {"NIST SP 800-67 appendix B, TECB block 1", P2_CIPHER_3DES_CBC,
     "0123456789abcdef23456789abcdef01456789abcdef0123", "0000000000000000", "5468652071756663",
     "a826fd8ce53b855f"},
    {"NIST SP 800-67 appendix B, TECB block 2", P2_CIPHER_3DES_CBC,
     "0123456789abcdef23456789abcdef01456789abcdef0123", "0000000000000000", "6b2062726f776e20",
     "cce21c8112256fe6"},
    /* Three different keys; the blocks are those of the TECB example in SP 800-67, the chaining with this IV
     * comes from openssl enc -des-ede3-cbc -nopad (OpenSSL 3.0). */
    {"NIST SP 800-67 appendix B keys and text, CBC by OpenSSL", P2_CIPHER_3DES_CBC,
     "0123456789abcdef 23456789abcdef01 456789abcdef0123", "f69f2445df4f9b17",
     "5468652071756663 6b2062726f776e20 666f78206a756d70",
     "a5c282bad0de3774 becd2e04386b589f b5057d8552fc4336"},
};

#define NUM_CASES (sizeof cases / sizeof cases[0])

struct loaded {
    struct p2_cipher_key key;
    size_t block_len, len;
    uint8_t iv[P2_CIPHER_MAX_BLOCK], plain[64];
};

static struct loaded load(const struct cbc_case *c)
{
    struct loaded l;
    uint8_t key[P2_CIPHER_MAX_KEY];
    CU_ASSERT_EQUAL_FATAL(check_unhex(c->key, key, sizeof key), p2_cipher_info(c->cipher)->key_len);
    p2_cipher_init(&l.key, c->cipher, key);
    memset(key, 0, sizeof key);
    l.block_len = check_unhex(c->iv, l.iv, sizeof l.iv);
    l.len = check_unhex(c->plain, l.plain, sizeof l.plain);
    CU_ASSERT_EQUAL_FATAL(l.block_len, p2_cipher_info(c->cipher)->block_len);
    return l;
}

static void known_answers(void)
{
    for (size_t i = 0; i < NUM_CASES; i++) {
        struct loaded l = load(&cases[i]);
        uint8_t iv[P2_CIPHER_MAX_BLOCK], encrypted[64], plain[64];
        memcpy(iv, l.iv, sizeof iv);
        p2_cipher_encrypt(&l.key, iv, encrypted, l.plain, l.len);
        CHECK_HEX(encrypted, l.len, cases[i].encrypted);

        check_unhex(cases[i].encrypted, encrypted, sizeof encrypted);
        p2_cipher_decrypt(&l.key, l.iv, plain, encrypted, l.len);
        CHECK_HEX(plain, l.len, cases[i].plain);
    }
}

static void in_place(void)
{
    for (size_t i = 0; i < NUM_CASES; i++) {
        struct loaded l = load(&cases[i]);
        uint8_t iv[P2_CIPHER_MAX_BLOCK];
        memcpy(iv, l.iv, sizeof iv);
        p2_cipher_encrypt(&l.key, iv, l.plain, l.plain, l.len);
        CHECK_HEX(l.plain, l.len, cases[i].encrypted);
        p2_cipher_decrypt(&l.key, l.iv, l.plain, l.plain, l.len);
        CHECK_HEX(l.plain, l.len, cases[i].plain);
    }
}

/* A message cut into single blocks gives the known answer too, if the IV that comes out of a call goes into
 * the next (RFC 2409 appendix B needs that from one message of an exchange to the next). */
static void iv_chains_across_calls(void)
{
    for (size_t i = 0; i < NUM_CASES; i++) {
        struct loaded l = load(&cases[i]);
        uint8_t iv[P2_CIPHER_MAX_BLOCK], encrypted[64], plain[64];
        memcpy(iv, l.iv, sizeof iv);
        for (size_t at = 0; at < l.len; at += l.block_len) {
            p2_cipher_encrypt(&l.key, iv, encrypted + at, l.plain + at, l.block_len);
            CU_ASSERT_EQUAL(memcmp(iv, encrypted + at, l.block_len), 0);
        }
        CHECK_HEX(encrypted, l.len, cases[i].encrypted);
        for (size_t at = 0; at < l.len; at += l.block_len) {
            p2_cipher_decrypt(&l.key, l.iv, plain + at, encrypted + at, l.block_len);
            CU_ASSERT_EQUAL(memcmp(l.iv, encrypted + at, l.block_len), 0);
        }
        CHECK_HEX(plain, l.len, cases[i].plain);
    }
}

/* nettle decrypts CBC in pieces of 512 bytes: in place and apart must agree beyond that, and with one block a
 * call. */
static void long_messages(void)
{
    for (unsigned c = P2_CIPHER_NONE + 1; c < P2_NUM_CIPHERS; c++) {
        static uint8_t plain[1536], encrypted[1536], single[1536];
        struct test_random state = {.seed = c};
        struct p2_random random = test_random(&state);
        uint8_t bytes[P2_CIPHER_MAX_KEY], iv0[P2_CIPHER_MAX_BLOCK], iv[P2_CIPHER_MAX_BLOCK];
        struct p2_cipher_key key;
        size_t block = p2_cipher_info((enum p2_cipher)c)->block_len;
        random.fill(random.ctx, P2_RANDOM_IV, bytes, sizeof bytes);
        random.fill(random.ctx, P2_RANDOM_IV, iv0, sizeof iv0);
        random.fill(random.ctx, P2_RANDOM_IV, plain, sizeof plain);
        p2_cipher_init(&key, (enum p2_cipher)c, bytes);
        memcpy(iv, iv0, sizeof iv);
        p2_cipher_encrypt(&key, iv, encrypted, plain, sizeof plain);
        memcpy(iv, iv0, sizeof iv);
        for (size_t at = 0; at < sizeof plain; at += block)
            p2_cipher_encrypt(&key, iv, single + at, plain + at, block);
        CU_ASSERT_EQUAL(memcmp(single, encrypted, sizeof single), 0);
        memcpy(iv, iv0, sizeof iv);
        p2_cipher_decrypt(&key, iv, encrypted, encrypted, sizeof encrypted);
        CU_ASSERT_EQUAL(memcmp(plain, encrypted, sizeof plain), 0);
        CU_ASSERT_EQUAL(memcmp(iv, single + sizeof single - block, block), 0);
    }
}

static void nothing_leaves_the_iv_alone(void)
{
    struct loaded l = load(&cases[0]);
    p2_cipher_encrypt(&l.key, l.iv, l.plain, l.plain, 0);
    p2_cipher_decrypt(&l.key, l.iv, l.plain, l.plain, 0);
    CHECK_HEX(l.iv, l.block_len, cases[0].iv);
    CHECK_HEX(l.plain, l.len, cases[0].plain);
}

/* RFC 2451 section 2.3: the lowest bit of each key byte is parity and has no effect. */
static void parity_is_not_looked_at(void)
{
    struct loaded l = load(&cases[NUM_CASES - 1]);
    uint8_t key[24], out[64];
    check_unhex(cases[NUM_CASES - 1].key, key, sizeof key);
    for (size_t i = 0; i < sizeof key; i++)
        key[i] ^= 1;
    p2_cipher_init(&l.key, P2_CIPHER_3DES_CBC, key);
    p2_cipher_encrypt(&l.key, l.iv, out, l.plain, l.len);
    CHECK_HEX(out, l.len, cases[NUM_CASES - 1].encrypted);
}

static void names(void)
{
    CU_ASSERT_EQUAL(p2_cipher_by_name("3des-cbc"), P2_CIPHER_3DES_CBC);
    CU_ASSERT_EQUAL(p2_cipher_by_name("aes-128-cbc"), P2_CIPHER_AES128_CBC);
    CU_ASSERT_EQUAL(p2_cipher_by_name("aes-192-cbc"), P2_CIPHER_AES192_CBC);
    CU_ASSERT_EQUAL(p2_cipher_by_name("aes-256-cbc"), P2_CIPHER_AES256_CBC);
    CU_ASSERT_EQUAL(p2_cipher_by_name("des-cbc"), P2_CIPHER_NONE);
    CU_ASSERT_EQUAL(p2_cipher_by_name(""), P2_CIPHER_NONE);
    CU_ASSERT_PTR_NOT_NULL(p2_cipher_info(P2_CIPHER_NONE));
}

/* RFC 2409 appendix A: 3DES-CBC 5; RFC 3602 section 5.1: AES-CBC 7. RFC 2407 section 4.4.4: ESP_3DES 3; RFC
 * 3602 section 5.2: ESP_AES 12. The key length is required with AES (section 5.3) and forbidden with 3DES. */
static void numbers(void)
{
    CU_ASSERT_EQUAL(p2_cipher_by_ike_id(5, 0), P2_CIPHER_3DES_CBC);
    CU_ASSERT_EQUAL(p2_cipher_by_ike_id(5, 192), P2_CIPHER_NONE);
    CU_ASSERT_EQUAL(p2_cipher_by_ike_id(7, 128), P2_CIPHER_AES128_CBC);
    CU_ASSERT_EQUAL(p2_cipher_by_ike_id(7, 192), P2_CIPHER_AES192_CBC);
    CU_ASSERT_EQUAL(p2_cipher_by_ike_id(7, 256), P2_CIPHER_AES256_CBC);
    CU_ASSERT_EQUAL(p2_cipher_by_ike_id(7, 0), P2_CIPHER_NONE);
    CU_ASSERT_EQUAL(p2_cipher_by_ike_id(7, 129), P2_CIPHER_NONE);
    CU_ASSERT_EQUAL(p2_cipher_by_ike_id(1, 0), P2_CIPHER_NONE);
    CU_ASSERT_EQUAL(p2_cipher_by_ike_id(0, 0), P2_CIPHER_NONE);
    CU_ASSERT_EQUAL(p2_cipher_by_esp_id(3, 0), P2_CIPHER_3DES_CBC);
    CU_ASSERT_EQUAL(p2_cipher_by_esp_id(3, 192), P2_CIPHER_NONE);
    CU_ASSERT_EQUAL(p2_cipher_by_esp_id(12, 128), P2_CIPHER_AES128_CBC);
    CU_ASSERT_EQUAL(p2_cipher_by_esp_id(12, 192), P2_CIPHER_AES192_CBC);
    CU_ASSERT_EQUAL(p2_cipher_by_esp_id(12, 256), P2_CIPHER_AES256_CBC);
    CU_ASSERT_EQUAL(p2_cipher_by_esp_id(12, 0), P2_CIPHER_NONE);
    CU_ASSERT_EQUAL(p2_cipher_by_esp_id(11, 0), P2_CIPHER_NONE);
    CU_ASSERT_EQUAL(p2_cipher_by_esp_id(0, 0), P2_CIPHER_NONE);
}

CHECK_MAIN("cipher", {"known answers", known_answers}, {"in place", in_place},
           {"IV chains across calls", iv_chains_across_calls}, {"long messages", long_messages},
           {"nothing leaves the IV alone", nothing_leaves_the_iv_alone},
           {"3DES parity is not looked at", parity_is_not_looked_at}, {"names", names}, {"numbers", numbers})
