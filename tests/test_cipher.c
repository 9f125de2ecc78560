#include "check.h"

#include "cipher.h"
#include "hash.h"

struct known_case {
    const char *source;
    enum p2_cipher cipher;
    const char *key; /* the salt behind it */
    const char *iv, *plain, *encrypted;
};

/* The four blocks that every AES example of NIST SP 800-38A encrypts (appendix F). */
#define SP800_38A_PLAIN                                                                                      \
    "6bc1bee22e409f96e93d7e117393172a ae2d8a571e03ac9c9eb76fac45af8e51"                                      \
    "30c81c46a35ce411e5fbc1191a0a52ef f69f2445df4f9b17ad2b417be66c3710"
#define SP800_38A_IV "000102030405060708090a0b0c0d0e0f"

static const struct known_case cases[] = {
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
    {"RFC 3686 section 6, test vector 1", P2_CIPHER_AES128_CTR,
     "ae6852f8121067cc4bf7a5765577f39e"
     "00000030",
     "0000000000000000", "53696e676c6520626c6f636b206d7367", "e4095d4fb7a7b3792d6175a3261311b8"},
    {"RFC 3686 section 6, test vector 2", P2_CIPHER_AES128_CTR,
     "7e24067817fae0d743d6ce1f32539163"
     "006cb6db",
     "c0543b59da48d90b", "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f",
     "5104a106168a72d9790d41ee8edad388eb2e1efc46da57c8fce630df9141be28"},
    {"RFC 3686 section 6, test vector 3", P2_CIPHER_AES128_CTR,
     "7691be035e5020a8ac6e618529f9a0dc"
     "00e0017b",
     "27777f3f4a1786f0", "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f20212223",
     "c1cf48a89f2ffdd9cf4652e9efdb72d74540a42bde6d7836d59a5ceaaef3105325b2072f"},
    {"RFC 3686 section 6, test vector 4", P2_CIPHER_AES192_CTR,
     "16af5b145fc9f579c175f93e3bfb0eed863d06ccfdb78515"
     "00000048",
     "36733c147d6d93cb", "53696e676c6520626c6f636b206d7367", "4b55384fe259c9c84e7935a003cbe928"},
    {"RFC 3686 section 6, test vector 5", P2_CIPHER_AES192_CTR,
     "7c5cb2401b3dc33c19e7340819e0f69c678c3db8e6f6a91a"
     "0096b03b",
     "020c6eadc2cb500d", "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f",
     "453243fc609b23327edfaafa7131cd9f8490701c5ad4a79cfc1fe0ff42f4fb00"},
    {"RFC 3686 section 6, test vector 6", P2_CIPHER_AES192_CTR,
     "02bf391ee8ecb159b959617b0965279bf59b60a786d3e0fe"
     "0007bdfd",
     "5cbd60278dcc0912", "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f20212223",
     "96893fc55e5c722f540b7dd1ddf7e758d288bc95c69165884536c811662f2188abee0935"},
    {"RFC 3686 section 6, test vector 7", P2_CIPHER_AES256_CTR,
     "776beff2851db06f4c8a0542c8696f6c6a81af1eec96b4d37fc1d689e6c1c104"
     "00000060",
     "db5672c97aa8f0b2", "53696e676c6520626c6f636b206d7367", "145ad01dbf824ec7560863dc71e3e0c0"},
    {"RFC 3686 section 6, test vector 8", P2_CIPHER_AES256_CTR,
     "f6d66d6bd52d59bb0796365879eff886c66dd51a5b6a99744b50590c87a23884"
     "00faac24",
     "c1585ef15a43d875", "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f",
     "f05e231b3894612c49ee000b804eb2a9b8306b508f839d6a5530831d9344af1c"},
    {"RFC 3686 section 6, test vector 9", P2_CIPHER_AES256_CTR,
     "ff7a617ce69148e4f1726e2f43581de2aa62d9f805532edff1eed687fb54153d"
     "001cc5b7",
     "51a51d70a1c11148", "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f20212223",
     "eb6c52821d0bbbf7ce7594462aca4faab407df866569fd07f48cc0b583d6071f1ec0e6b8"},
    {"NIST SP 800-17 table 1, round 0: variable plaintext", P2_CIPHER_DES_CBC, "0101010101010101",
     "0000000000000000", "8000000000000000", "95f8a5e5dd31d900"},
    {"NIST SP 800-17 table 2, round 0: variable key", P2_CIPHER_DES_CBC, "8001010101010101",
     "0000000000000000", "0000000000000000", "95a8d72813daa94d"},
    {"NIST SP 800-17 table 4, round 0: substitution tables", P2_CIPHER_DES_CBC, "7ca110454a1a6e57",
     "0000000000000000", "01a1d6d039776742", "690f5b0d9a26939b"},
    {"FIPS 81 table C1, CBC", P2_CIPHER_DES_CBC, "0123456789abcdef", "1234567890abcdef",
     "4e6f77206973207468652074696d6520666f7220616c6c20", "e5c7cdde872bf27c43e934008c389c0f683788499a7c05f6"},
    {"RFC 2410, test case 1", P2_CIPHER_NULL, "", "", "0123456789abcdef", "0123456789abcdef"},
    {"RFC 2410, test case 2", P2_CIPHER_NULL, "", "",
     "4e6574776f726b2053656375726974792050656f706c652048617665204120537472616e67652053656e7365204f6620"
     "48756d6f72",
     "4e6574776f726b2053656375726974792050656f706c652048617665204120537472616e67652053656e7365204f6620"
     "48756d6f72"},
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
    size_t iv_len, block_len, len;
    uint8_t iv[P2_CIPHER_MAX_BLOCK], plain[64];
};

static struct loaded load(const struct known_case *c)
{
    struct loaded l;
    uint8_t key[P2_CIPHER_MAX_KEY];
    const struct p2_cipher_info *info = p2_cipher_of(c->cipher);
    CU_ASSERT_EQUAL_FATAL(check_unhex(c->key, key, sizeof key), info->key_len + info->salt_len);
    p2_cipher_init(&l.key, c->cipher, key);
    memset(key, 0, sizeof key);
    l.iv_len = check_unhex(c->iv, l.iv, sizeof l.iv);
    l.block_len = info->block_len;
    l.len = check_unhex(c->plain, l.plain, sizeof l.plain);
    CU_ASSERT_EQUAL_FATAL(l.iv_len, info->iv_len);
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
        if (p2_cipher_of(cases[i].cipher)->mode != P2_CIPHER_MODE_CBC)
            continue;
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

/* The test cases of McGrew and Viega, "The Galois/Counter Mode of Operation (GCM)", appendix B, that have an
 * IV of 96 bits; those that NIST SP 800-38D is validated with. The first 4 bytes of the IV are RFC 4106's
 * salt. */
struct gcm_case {
    unsigned number;
    enum p2_cipher cipher;
    const char *key, *salt, *iv, *aad, *plain, *encrypted, *icv;
};

#define KEY_FEFF "feffe9928665731c6d6a8f9467308308"
#define GCM_PLAIN                                                                                            \
    "d9313225f88406e5a55909c5aff5269a86a7a9531534f7da2e4c303d8a318a72"                                       \
    "1c3c0c95956809532fcf0e2449a6b525b16aedf5aa0de657ba637b39"
#define GCM_AAD "feedfacedeadbeeffeedfacedeadbeefabaddad2"

static const struct gcm_case gcm_cases[] = {
    {1, P2_CIPHER_AES128_GCM16, "00000000000000000000000000000000", "00000000", "0000000000000000", "", "",
     "", "58e2fccefa7e3061367f1d57a4e7455a"},
    {2, P2_CIPHER_AES128_GCM16, "00000000000000000000000000000000", "00000000", "0000000000000000", "",
     "00000000000000000000000000000000", "0388dace60b6a392f328c2b971b2fe78",
     "ab6e47d42cec13bdf53a67b21257bddf"},
    {3, P2_CIPHER_AES128_GCM16, KEY_FEFF, "cafebabe", "facedbaddecaf888", "", GCM_PLAIN "1aafd255",
     "42831ec2217774244b7221b784d0d49ce3aa212f2c02a4e035c17e2329aca12e21d514b25466931c7d8f6a5aac84aa05"
     "1ba30b396a0aac973d58e091473f5985",
     "4d5c2af327cd64a62cf35abd2ba6fab4"},
    {4, P2_CIPHER_AES128_GCM16, KEY_FEFF, "cafebabe", "facedbaddecaf888", GCM_AAD, GCM_PLAIN,
     "42831ec2217774244b7221b784d0d49ce3aa212f2c02a4e035c17e2329aca12e21d514b25466931c7d8f6a5aac84aa05"
     "1ba30b396a0aac973d58e091",
     "5bc94fbc3221a5db94fae95ae7121a47"},
    {7, P2_CIPHER_AES192_GCM16, "000000000000000000000000000000000000000000000000", "00000000",
     "0000000000000000", "", "", "", "cd33b28ac773f74ba00ed1f312572435"},
    {8, P2_CIPHER_AES192_GCM16, "000000000000000000000000000000000000000000000000", "00000000",
     "0000000000000000", "", "00000000000000000000000000000000", "98e7247c07f0fe411c267e4384b0f600",
     "2ff58d80033927ab8ef4d4587514f0fb"},
    {9, P2_CIPHER_AES192_GCM16, KEY_FEFF "feffe9928665731c", "cafebabe", "facedbaddecaf888", "",
     GCM_PLAIN "1aafd255",
     "3980ca0b3c00e841eb06fac4872a2757859e1ceaa6efd984628593b40ca1e19c7d773d00c144c525ac619d18c84a3f47"
     "18e2448b2fe324d9ccda2710acade256",
     "9924a7c8587336bfb118024db8674a14"},
    {10, P2_CIPHER_AES192_GCM16, KEY_FEFF "feffe9928665731c", "cafebabe", "facedbaddecaf888", GCM_AAD,
     GCM_PLAIN,
     "3980ca0b3c00e841eb06fac4872a2757859e1ceaa6efd984628593b40ca1e19c7d773d00c144c525ac619d18c84a3f47"
     "18e2448b2fe324d9ccda2710",
     "2519498e80f1478f37ba55bd6d27618c"},
    {13, P2_CIPHER_AES256_GCM16, "0000000000000000000000000000000000000000000000000000000000000000",
     "00000000", "0000000000000000", "", "", "", "530f8afbc74536b9a963b4f1c4cb738b"},
    {14, P2_CIPHER_AES256_GCM16, "0000000000000000000000000000000000000000000000000000000000000000",
     "00000000", "0000000000000000", "", "00000000000000000000000000000000",
     "cea7403d4d606b6e074ec5d3baf39d18", "d0d1c8a799996bf0265b98b5d48ab919"},
    {15, P2_CIPHER_AES256_GCM16, KEY_FEFF KEY_FEFF, "cafebabe", "facedbaddecaf888", "", GCM_PLAIN "1aafd255",
     "522dc1f099567d07f47f37a32a84427d643a8cdcbfe5c0c97598a2bd2555d1aa8cb08e48590dbb3da7b08b1056828838"
     "c5f61e6393ba7a0abcc9f662898015ad",
     "b094dac5d93471bdec1a502270e3cc6c"},
    {16, P2_CIPHER_AES256_GCM16, KEY_FEFF KEY_FEFF, "cafebabe", "facedbaddecaf888", GCM_AAD, GCM_PLAIN,
     "522dc1f099567d07f47f37a32a84427d643a8cdcbfe5c0c97598a2bd2555d1aa8cb08e48590dbb3da7b08b1056828838"
     "c5f61e6393ba7a0abcc9f662",
     "76fc6ece0f4e1768cddf8853bb2d551b"},
};

#define NUM_GCM (sizeof gcm_cases / sizeof gcm_cases[0])

struct loaded_gcm {
    struct p2_cipher_key key;
    uint8_t iv[8], aad_bytes[32], plain[64];
    struct p2_bytes aad;
    size_t len;
};

static void load_gcm(struct loaded_gcm *l, const struct gcm_case *c)
{
    uint8_t key[P2_CIPHER_MAX_KEY];
    size_t key_len = check_unhex(c->key, key, sizeof key);
    CU_ASSERT_EQUAL_FATAL(key_len, p2_cipher_of(c->cipher)->key_len);
    CU_ASSERT_EQUAL_FATAL(check_unhex(c->salt, key + key_len, sizeof key - key_len), 4);
    p2_cipher_init(&l->key, c->cipher, key);
    CU_ASSERT_EQUAL_FATAL(check_unhex(c->iv, l->iv, sizeof l->iv), p2_cipher_of(c->cipher)->iv_len);
    l->aad = (struct p2_bytes){l->aad_bytes, check_unhex(c->aad, l->aad_bytes, sizeof l->aad_bytes)};
    l->len = check_unhex(c->plain, l->plain, sizeof l->plain);
}

static void gcm_known_answers(void)
{
    for (size_t i = 0; i < NUM_GCM; i++) {
        static struct loaded_gcm l;
        uint8_t out[64], icv[16];
        load_gcm(&l, &gcm_cases[i]);
        p2_cipher_seal(&l.key, l.iv, l.aad, out, l.plain, l.len, icv);
        CHECK_HEX(out, l.len, gcm_cases[i].encrypted);
        CHECK_HEX(icv, sizeof icv, gcm_cases[i].icv);
        CU_ASSERT_TRUE(p2_cipher_open(&l.key, l.iv, l.aad, out, out, l.len, icv)); /* in place */
        CHECK_HEX(out, l.len, gcm_cases[i].plain);
    }
}

/* Whichever bit of text, additional data, IV or ICV is flipped: refused, and no plaintext is left. */
static void gcm_refuses_what_was_touched(void)
{
    static struct loaded_gcm l;
    const struct gcm_case *c = &gcm_cases[3];
    uint8_t text[64], icv[16], out[64], zeros[64] = {0};
    load_gcm(&l, c);
    check_unhex(c->encrypted, text, sizeof text);
    check_unhex(c->icv, icv, sizeof icv);
    struct {
        uint8_t *bytes;
        size_t len;
    } pieces[] = {{text, l.len}, {icv, sizeof icv}, {l.iv, sizeof l.iv}, {l.aad_bytes, l.aad.len}};
    for (size_t p = 0; p < sizeof pieces / sizeof pieces[0]; p++) {
        for (size_t bit = 0; bit < 8 * pieces[p].len; bit++) {
            pieces[p].bytes[bit / 8] ^= (uint8_t)(1u << bit % 8);
            CU_ASSERT_FALSE(p2_cipher_open(&l.key, l.iv, l.aad, out, text, l.len, icv));
            CU_ASSERT_EQUAL(memcmp(out, zeros, l.len), 0);
            pieces[p].bytes[bit / 8] ^= (uint8_t)(1u << bit % 8);
        }
    }
    CU_ASSERT_TRUE(p2_cipher_open(&l.key, l.iv, l.aad, out, text, l.len, icv));
}

/* 4,099 bytes, so that the counter passes 256 and the last block is not whole. Byte i is 7 i + i/256; key and
 * salt are 00, 01, 02, ..., the IV is f0 to f7, the additional data are "12345678". The SHA-256 of what comes
 * out (with GCM's ICV) was computed with python3's cryptography and hashlib. */
static void long_counters(void)
{
    static const struct {
        enum p2_cipher cipher;
        const char *sha256;
    } rows[] = {
        {P2_CIPHER_AES128_CTR, "38d4e9e491c467ce6adadc4fe1f9c73e7976e5dd6f8793a70ab7949a4f45c5c9"},
        {P2_CIPHER_AES192_CTR, "efcd4a663f6d5f55e432ca908172bb604c55966290f35f1c5f0b69deda63ba83"},
        {P2_CIPHER_AES256_CTR, "793d9b0ea818ac7733d66aab6320cd276fd22de7da99fae0f595410986038c31"},
        {P2_CIPHER_AES128_GCM16, "8c19006209bb3d71c5a4c3fefc0d56f579cc1f3fc483b514fe4d2e295ef57848"},
        {P2_CIPHER_AES192_GCM16, "c571977e538492d09d24f2199a7425c83d2156d72447c9195412fb3aed01324f"},
        {P2_CIPHER_AES256_GCM16, "ab1f9481067f7b1842f9020d1996f00b0be89931cf446551d8dc0ffaba9c0f70"},
    };
    static uint8_t data[4099 + 16];
    uint8_t bytes[P2_CIPHER_MAX_KEY], iv[8], digest[32];
    struct p2_bytes aad = {(const uint8_t *)"12345678", 8};
    for (uint8_t i = 0; i < P2_CIPHER_MAX_KEY; i++)
        bytes[i] = i;
    for (uint8_t i = 0; i < 8; i++)
        iv[i] = (uint8_t)(0xf0 + i);
    for (size_t r = 0; r < sizeof rows / sizeof rows[0]; r++) {
        static struct p2_cipher_key key;
        size_t icv_len = p2_cipher_of(rows[r].cipher)->icv_len;
        for (size_t i = 0; i < 4099; i++)
            data[i] = (uint8_t)(7 * i + i / 256);
        p2_cipher_init(&key, rows[r].cipher, bytes);
        if (icv_len > 0)
            p2_cipher_seal(&key, iv, aad, data, data, 4099, data + 4099);
        else
            p2_cipher_encrypt(&key, iv, data, data, 4099);
        p2_hash_digest(P2_HASH_SHA256, &(struct p2_bytes){data, 4099 + icv_len}, 1, digest);
        CHECK_HEX(digest, sizeof digest, rows[r].sha256);
        CHECK_HEX(iv, sizeof iv, "f0f1f2f3f4f5f6f7");
    }
}

/* nettle decrypts CBC in pieces of 512 bytes: in place and apart must agree beyond that, and with one block a
 * call. */
static void long_messages(void)
{
    for (unsigned c = P2_CIPHER_DES_CBC; c <= P2_CIPHER_AES256_CBC; c++) {
        static uint8_t plain[1536], encrypted[1536], single[1536];
        struct test_random state = {.seed = c};
        struct p2_random random = test_random(&state);
        uint8_t bytes[P2_CIPHER_MAX_KEY], iv0[P2_CIPHER_MAX_BLOCK], iv[P2_CIPHER_MAX_BLOCK];
        struct p2_cipher_key key;
        size_t block = p2_cipher_of((enum p2_cipher)c)->block_len;
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
    CHECK_HEX(l.iv, l.iv_len, cases[0].iv);
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

/* What each algorithm's RFC says: lengths; RFC 2409 appendix A and IANA, "Encryption Algorithm" (DES 1, 3DES
 * 5, AES 7; 0: not for ISAKMP); RFC 2407 section 4.4.4 and IANA, ESP transforms (DES 2, 3DES 3, NULL 11,
 * AES-CBC 12, AES-CTR 13, AES-GCM with 16 octets 20); and whether the key length is an attribute, in bits. */
static const struct table_row {
    const char *name;
    enum p2_cipher cipher;
    size_t key_len, salt_len, block_len, iv_len, icv_len;
    uint16_t ike_id;
    uint8_t esp_id;
    uint16_t key_bits;
} table_rows[] = {
    {"null", P2_CIPHER_NULL, 0, 0, 1, 0, 0, 0, 11, 0},
    {"des-cbc", P2_CIPHER_DES_CBC, 8, 0, 8, 8, 0, 1, 2, 0},
    {"3des-cbc", P2_CIPHER_3DES_CBC, 24, 0, 8, 8, 0, 5, 3, 0},
    {"aes-128-cbc", P2_CIPHER_AES128_CBC, 16, 0, 16, 16, 0, 7, 12, 128},
    {"aes-192-cbc", P2_CIPHER_AES192_CBC, 24, 0, 16, 16, 0, 7, 12, 192},
    {"aes-256-cbc", P2_CIPHER_AES256_CBC, 32, 0, 16, 16, 0, 7, 12, 256},
    {"aes-128-ctr", P2_CIPHER_AES128_CTR, 16, 4, 1, 8, 0, 0, 13, 128},
    {"aes-192-ctr", P2_CIPHER_AES192_CTR, 24, 4, 1, 8, 0, 0, 13, 192},
    {"aes-256-ctr", P2_CIPHER_AES256_CTR, 32, 4, 1, 8, 0, 0, 13, 256},
    {"aes-128-gcm-16", P2_CIPHER_AES128_GCM16, 16, 4, 1, 8, 16, 0, 20, 128},
    {"aes-192-gcm-16", P2_CIPHER_AES192_GCM16, 24, 4, 1, 8, 16, 0, 20, 192},
    {"aes-256-gcm-16", P2_CIPHER_AES256_GCM16, 32, 4, 1, 8, 16, 0, 20, 256},
};

#define NUM_ROWS (sizeof table_rows / sizeof table_rows[0])

static void table(void)
{
    CU_ASSERT_EQUAL(NUM_ROWS, P2_NUM_CIPHERS - 1);
    for (size_t i = 0; i < NUM_ROWS; i++) {
        const struct table_row *row = &table_rows[i];
        const struct p2_cipher_info *info = p2_cipher_of(row->cipher);
        CU_ASSERT_STRING_EQUAL(info->name, row->name);
        CU_ASSERT_EQUAL(p2_cipher_by_name(row->name), row->cipher);
        CU_ASSERT(info->key_len == row->key_len && info->salt_len == row->salt_len &&
                  info->block_len == row->block_len && info->iv_len == row->iv_len &&
                  info->icv_len == row->icv_len);
        CU_ASSERT(info->key_len + info->salt_len <= P2_CIPHER_MAX_KEY && info->iv_len <= P2_CIPHER_MAX_IV &&
                  info->block_len <= P2_CIPHER_MAX_BLOCK && info->icv_len <= P2_CIPHER_MAX_ICV);
        CU_ASSERT_EQUAL(p2_cipher_is_for_ike(row->cipher), row->ike_id != 0);
    }
    CU_ASSERT_EQUAL(p2_cipher_by_name("aes-128-gcm-12"), P2_CIPHER_NONE);
    CU_ASSERT_EQUAL(p2_cipher_by_name(""), P2_CIPHER_NONE);
    CU_ASSERT_PTR_NOT_NULL(p2_cipher_of(P2_CIPHER_NONE));
    CU_ASSERT_FALSE(p2_cipher_is_for_ike(P2_CIPHER_NONE));
}

/* Every number with every key length: the row that has both is found, and nothing else is. */
static void numbers(void)
{
    static const uint16_t bits[] = {0, 56, 64, 127, 128, 129, 160, 192, 224, 256, 288};
    for (uint16_t id = 0; id < 30; id++) {
        for (size_t b = 0; b < sizeof bits / sizeof bits[0]; b++) {
            enum p2_cipher ike = P2_CIPHER_NONE, esp = P2_CIPHER_NONE;
            for (size_t i = 0; i < NUM_ROWS; i++) {
                if (table_rows[i].key_bits == bits[b] && id > 0 && table_rows[i].ike_id == id)
                    ike = table_rows[i].cipher;
                if (table_rows[i].key_bits == bits[b] && id > 0 && table_rows[i].esp_id == id)
                    esp = table_rows[i].cipher;
            }
            CU_ASSERT_EQUAL(p2_cipher_by_ike_id(id, bits[b]), ike);
            CU_ASSERT_EQUAL(p2_cipher_by_esp_id((uint8_t)id, bits[b]), esp);
        }
    }
}

CHECK_MAIN("cipher", {"known answers", known_answers}, {"in place", in_place},
           {"IV chains across calls", iv_chains_across_calls}, {"long messages", long_messages},
           {"nothing leaves the IV alone", nothing_leaves_the_iv_alone},
           {"3DES parity is not looked at", parity_is_not_looked_at}, {"table", table}, {"numbers", numbers},
           {"GCM known answers", gcm_known_answers},
           {"GCM refuses what was touched", gcm_refuses_what_was_touched}, {"long counters", long_counters})
