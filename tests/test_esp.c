/* ESP: packets of RFC 3602, of the RFC 4106 test cases and of real daemons, the refusal of everything that
 * was touched, padding and lengths. */
#include "check.h"
#include "cursor.h"
#include "esp.h"
#include "ip.h"
#include "vectors/corpus.h"

static struct p2_esp_keys keys_of(enum p2_cipher cipher, const char *encryption_key, enum p2_auth auth,
                                  const char *authentication_key)
{
    struct p2_esp_keys keys;
    uint8_t e[P2_CIPHER_MAX_KEY], a[P2_HASH_MAX_LEN];
    check_unhex(encryption_key, e, sizeof(e));
    check_unhex(authentication_key, a, sizeof(a));
    p2_esp_init(&keys, cipher, e, auth, a, false);
    return keys;
}

/* Authentication keys of our own: 00, 01, 02, ... */
#define KEY_20 "000102030405060708090a0b0c0d0e0f10111213"
#define KEY_32 KEY_20 "1415161718191a1b1c1d1e1f"
#define KEY_64 KEY_32 KEY_32

static uint8_t *seal(const struct p2_esp_keys *keys, uint32_t spi, uint64_t sequence, const uint8_t *iv,
                     uint8_t next_header, struct p2_bytes payload, size_t *len)
{
    *len = p2_esp_sealed_len(keys, payload.len);
    uint8_t *out = malloc(*len); /* exactly, for AddressSanitizer */
    memset(out, 0xee, *len);
    p2_esp_seal(keys, spi, sequence, iv, next_header, payload, out);
    return out;
}

/* --- vectors --- */

/* RFC 3602 section 4, cases 5 to 8. The RFC's packets have no authentication: `packet` is the RFC's, from the
 * SPI to the ciphertext; the ICVs over it were computed with python3 hmac under the keys above. */
struct rfc3602_case {
    const char *key;
    uint32_t spi, sequence;
    const char *iv;
    uint8_t next_header;
    const char *payload, *packet, *sha1_96, *sha256_128;
};

#define ICMP_8_TO_37                                                                                         \
    "08090a0b 0c0d0e0f 10111213 14151617 18191a1b 1c1d1e1f 20212223 24252627 28292a2b 2c2d2e2f"              \
    "30313233 34353637"
#define FF_32 "ffffffff ffffffff ffffffff ffffffff ffffffff ffffffff ffffffff ffffffff"

static const struct rfc3602_case rfc3602[] = {
    /* case 5: transport mode */
    {"90d382b4 10eeba7a d938c46c ec1a82bf", 0x4321, 1, "e96e8c08 ab465763 fd098d45 dd3ff893", 1,
     "08000ebd a70a0000 8e9c083d b95b0700" ICMP_8_TO_37,
     "00004321 00000001 e96e8c08 ab465763 fd098d45 dd3ff893"
     "f663c25d 325c18c6 a9453e19 4e120849 a4870b66 cc6b9965 330013b4 898dc856"
     "a4699e52 3a55db08 0b59ec3a 8e4b7e52 775b07d1 db34ed9c 538ab50c 551b874a"
     "a269add0 47ad2d59 13ac19b7 cfbad4a6",
     "9a338e6bd44d34499ec1548b", "29dcb883222069e2a5465186d6e51f05"},
    /* case 6: transport mode */
    {"90d382b4 10eeba7a d938c46c ec1a82bf", 0x4321, 8, "69d08df7 d203329d b093fc49 24e5bd80", 1,
     "0800b5e8 a80a0500 a69c083d 0b660e00 77777777 77777777 77777777",
     "00004321 00000008 69d08df7 d203329d b093fc49 24e5bd80"
     "f5199588 1ec4e0c4 488987ce 742e8109 689bb379 d2d750c0 d915dca3 46a89f75",
     "bd250fd9c45d243d6e6e8788", "2dee6856179d3dd217f1f6920feed2b8"},
    /* case 7: tunnel mode */
    {"01234567 89abcdef 01234567 89abcdef", 0x8765, 2, "f4e76524 4f6407ad f13dc138 0f673f37", 4,
     "45000054 09040000 4001f988 c0a87b03 c0a87bc8 08009f76 a90a0100 b49c083d 02a20400" ICMP_8_TO_37,
     "00008765 00000002 f4e76524 4f6407ad f13dc138 0f673f37"
     "773b5241 a4c44922 5e4f3ce5 ed611b0c 237ca96c f74a9301 3c1b0ea1 a0cf70f8"
     "e4ecaec7 8ac53aad 7a0f022b 859243c6 47752e94 a859352b 8a4d4d2d ecd136e5"
     "c177f132 ad3fbfb2 201ac990 4c74ee0a 109e0ca1 e4dfe9d5 a100b842 f1c22f0d",
     "2cf1e8c1a94723b88060224a", "771b0a4d2be28767cb0b5c901fcc563e"},
    /* case 8: tunnel mode */
    {"01234567 89abcdef 01234567 89abcdef", 0x8765, 5, "85d47224 b5f3dd5d 2101d4ea 8dffab22", 4,
     "45000044 090c0000 4001f990 c0a87b03 c0a87bc8 0800d63c aa0a0200 c69c083d a3de0300" FF_32,
     "00008765 00000005 85d47224 b5f3dd5d 2101d4ea 8dffab22"
     "15b92683 819596a8 047232cc 00f7048f e45318e1 1f8a0f62 ede3c3fc 61203bb5"
     "0f980a08 c9843fd3 a1b06d5c 07ff9639 b7eb7dfb 3512e5de 435e7207 ed971ef3"
     "d2726d9b 5ef6affc 6d17a0de cbb13892",
     "a29f2705fda792723cd0fa8a", "1bd64e8f00e524a753196a60041b3a82"},
};

static void seals_as_in_rfc_3602(void)
{
    for (size_t i = 0; i < 4; i++) {
        const struct rfc3602_case *c = &rfc3602[i];
        for (int sha256 = 0; sha256 < 2; sha256++) {
            uint8_t iv[16], payload[128];
            struct p2_esp_keys keys =
                keys_of(P2_CIPHER_AES128_CBC, c->key, sha256 ? P2_AUTH_HMAC_SHA256_128 : P2_AUTH_HMAC_SHA1_96,
                        sha256 ? KEY_32 : KEY_20);
            struct p2_bytes text = {payload, check_unhex(c->payload, payload, sizeof(payload))};
            size_t len, icv_len = sha256 ? 16 : 12;
            check_unhex(c->iv, iv, sizeof(iv));
            uint8_t *out = seal(&keys, c->spi, c->sequence, iv, c->next_header, text, &len);
            CHECK_HEX(out, len - icv_len, c->packet);
            CHECK_HEX(out + len - icv_len, icv_len, sha256 ? c->sha256_128 : c->sha1_96);
            free(out);
        }
    }
}

/* Whole packets that python3's cryptography and hmac made: 3DES with HMAC-SHA-256-128 and one byte of padding
 * (the ciphertext also with openssl enc -des-ede3-cbc); AES-256 with HMAC-SHA1-96, no padding and all-one
 * numbers. */
static void seals_with_other_ciphers(void)
{
    uint8_t iv[16], payload[32];
    size_t len;
    for (uint8_t i = 0; i < 32; i++)
        payload[i] = i;
    check_unhex("f69f2445df4f9b17", iv, sizeof(iv));
    struct p2_esp_keys keys =
        keys_of(P2_CIPHER_3DES_CBC, "0123456789abcdef 23456789abcdef01 456789abcdef0123",
                P2_AUTH_HMAC_SHA256_128, KEY_32);
    uint8_t *out = seal(&keys, 0x0badcafe, 7, iv, 4, (struct p2_bytes){payload, 21}, &len);
    CHECK_HEX(out, len,
              "0badcafe00000007f69f2445df4f9b17686c56135b804a15ed644c604e193b6f77f5a1771a7d4506"
              "78aed981a5ded57d5a45ef4c2e6450e0");
    free(out);
    for (uint8_t i = 0; i < 16; i++) {
        payload[i] = (uint8_t)(100 + i);
        iv[i] = (uint8_t)(0xf0 + i);
    }
    keys = keys_of(P2_CIPHER_AES256_CBC, KEY_32, P2_AUTH_HMAC_SHA1_96, KEY_20);
    out = seal(&keys, UINT32_MAX, UINT32_MAX, iv, 4, (struct p2_bytes){payload, 14}, &len);
    CHECK_HEX(out, len,
              "fffffffffffffffff0f1f2f3f4f5f6f7f8f9fafbfcfdfeff6fb612ba45a7f884bad3c7dd880c4a31"
              "c3e68279d7a606031b978a5c");
    free(out);
}

/* --- packets of real daemons --- */

static struct p2_esp_keys keys_of_corpus(uint32_t spi)
{
    const struct corpus_quick *quick = &corpus_quicks[0];
    const struct corpus_sa *sa = spi == quick->to_initiator.spi ? &quick->to_initiator : &quick->to_responder;
    CU_ASSERT_EQUAL_FATAL(sa->spi, spi);
    return keys_of(P2_CIPHER_AES128_CBC, sa->encryption_key, P2_AUTH_HMAC_SHA1_96, sa->authentication_key);
}

/* RFC 1071, over bytes that hold their own checksum. */
static bool checksum_holds(const uint8_t *data, size_t len)
{
    uint32_t sum = 0;
    for (size_t i = 0; i < len; i++)
        sum += i % 2 ? data[i] : data[i] * 256u;
    return sum % 0xffff == 0 && sum > 0;
}

/* Of an inner packet: IPv4 between the two prefixes, ICMP, both checksums hold. */
static bool is_a_ping(const uint8_t *packet, size_t len)
{
    struct p2_ip_view view;
    return p2_ip_parse(&view, packet, len) == P2_OK && view.protocol == 1 && checksum_holds(packet, 20) &&
           (p2_address_to_v4(&view.source) & 0xfffc0000) == 0x0a000000 &&
           checksum_holds(view.payload.data, view.payload.len);
}

/* A packet of the corpus from its SPI on, at its exact size. */
static uint8_t *esp_of(const struct corpus_esp *e, size_t *len)
{
    uint8_t whole[2048];
    *len = check_unhex(e->packet, whole, sizeof(whole)) - P2_IPV4_HEADER_LEN;
    uint8_t *esp = malloc(*len);
    memcpy(esp, whole + P2_IPV4_HEADER_LEN, *len);
    return esp;
}

#define NUM_ESP (sizeof(corpus_esp_packets) / sizeof(corpus_esp_packets[0]))

static void opens_packets_of_strongswan(void)
{
    bool padding_seen[16] = {false};
    for (size_t i = 0; i < NUM_ESP; i++) {
        const struct corpus_esp *e = &corpus_esp_packets[i];
        struct p2_esp_keys keys = keys_of_corpus(e->spi);
        size_t len, inner_len = 0;
        uint8_t next_header = 0, *esp = esp_of(e, &len), *inner = malloc(len);
        CU_ASSERT_EQUAL(p2_get_u32(esp + 4), e->sequence);
        CU_ASSERT_TRUE(p2_esp_plausible(&keys, len));
        CU_ASSERT_EQUAL_FATAL(p2_esp_open(&keys, esp, len, e->sequence, inner, &inner_len, &next_header),
                              P2_DROP_NONE);
        CU_ASSERT_EQUAL_FATAL(inner_len, e->inner_len);
        CU_ASSERT_EQUAL(next_header, P2_IP_PROTO_IPV4);
        CU_ASSERT_TRUE(is_a_ping(inner, inner_len));
        padding_seen[len - 8 - 16 - 12 - 2 - inner_len] = true;
        free(inner);
        free(esp);
    }
    for (size_t i = 0; i < 16; i++)
        CU_ASSERT_TRUE(padding_seen[i]);
}

/* Our sealing of their payload with their IV is their packet. */
static void seals_what_strongswan_sealed(void)
{
    for (size_t i = 0; i < NUM_ESP; i++) {
        const struct corpus_esp *e = &corpus_esp_packets[i];
        struct p2_esp_keys keys = keys_of_corpus(e->spi);
        size_t len, inner_len = 0, sealed_len;
        uint8_t next_header, *esp = esp_of(e, &len), *inner = malloc(len);
        CU_ASSERT_EQUAL_FATAL(p2_esp_open(&keys, esp, len, e->sequence, inner, &inner_len, &next_header),
                              P2_DROP_NONE);
        uint8_t *sealed =
            seal(&keys, e->spi, e->sequence, esp + 8, 4, (struct p2_bytes){inner, inner_len}, &sealed_len);
        CU_ASSERT_EQUAL_FATAL(sealed_len, len);
        CU_ASSERT_EQUAL(memcmp(sealed, esp, len), 0);
        free(sealed);
        free(inner);
        free(esp);
    }
}

/* What opening a packet of exactly this size says. */
static enum p2_drop verdict_of(const struct p2_esp_keys *keys, const uint8_t *packet, size_t len,
                               uint64_t sequence)
{
    uint8_t *out = malloc(len), next_header;
    size_t payload_len;
    enum p2_drop verdict = p2_esp_open(keys, packet, len, sequence, out, &payload_len, &next_header);
    free(out);
    return verdict;
}

/* Every bit of the packet, SPI and sequence number included, is under the ICV. */
static void check_every_bit(const struct p2_esp_keys *keys, uint8_t *packet, size_t len, uint64_t sequence)
{
    for (size_t bit = 0; bit < len * 8; bit++) {
        packet[bit / 8] ^= (uint8_t)(1u << bit % 8);
        CU_ASSERT_EQUAL(verdict_of(keys, packet, len, sequence), P2_DROP_ICV_MISMATCH);
        packet[bit / 8] ^= (uint8_t)(1u << bit % 8);
    }
    CU_ASSERT_EQUAL(verdict_of(keys, packet, len, sequence), P2_DROP_NONE);
}

static void a_flipped_bit_is_refused_wherever_it_is(void)
{
    const struct corpus_esp *e = &corpus_esp_packets[0];
    struct p2_esp_keys keys = keys_of_corpus(e->spi);
    size_t len;
    uint8_t *esp = esp_of(e, &len);
    check_every_bit(&keys, esp, len, e->sequence);
    free(esp);
}

static void under_another_key_it_is_refused(void)
{
    const struct corpus_esp *e = &corpus_esp_packets[0];
    struct p2_esp_keys keys = keys_of_corpus(corpus_quicks[0].to_initiator.spi);
    CU_ASSERT_NOT_EQUAL_FATAL(e->spi, corpus_quicks[0].to_initiator.spi);
    size_t len;
    uint8_t *esp = esp_of(e, &len);
    CU_ASSERT_EQUAL(verdict_of(&keys, esp, len, e->sequence), P2_DROP_ICV_MISMATCH);
    free(esp);
}

/* --- every kind of suite --- */

static const struct suite_case {
    const char *cipher, *auth;
    bool esn;
    uint32_t spi;
    uint64_t sequence;
    size_t payload_len;
    const char *packet;
} suite_cases[] = {
#include "vectors/esp_suites.inc"
};

#define NUM_SUITES (sizeof(suite_cases) / sizeof(suite_cases[0]))

static struct p2_esp_keys keys_of_suite(const struct suite_case *c)
{
    struct p2_esp_keys keys;
    uint8_t e[P2_CIPHER_MAX_KEY], a[P2_HASH_MAX_LEN];
    for (size_t i = 0; i < sizeof(e); i++)
        e[i] = (uint8_t)i;
    for (size_t i = 0; i < sizeof(a); i++)
        a[i] = (uint8_t)(0x80 + i);
    p2_esp_init(&keys, p2_cipher_by_name(c->cipher), e, p2_auth_by_name(c->auth), a, c->esn);
    return keys;
}

static uint8_t *seal_suite(const struct suite_case *c, const struct p2_esp_keys *keys, size_t *len)
{
    uint8_t payload[64], iv[P2_CIPHER_MAX_IV];
    for (size_t i = 0; i < sizeof(payload); i++)
        payload[i] = (uint8_t)(5 * i);
    for (size_t i = 0; i < sizeof(iv); i++)
        iv[i] = (uint8_t)(0xf0 + i);
    return seal(keys, c->spi, c->sequence, iv, 41, (struct p2_bytes){payload, c->payload_len}, len);
}

static void seals_and_opens_with_every_suite(void)
{
    bool cipher_seen[P2_NUM_CIPHERS] = {false}, auth_seen[P2_NUM_AUTHS] = {false};
    for (size_t i = 0; i < NUM_SUITES; i++) {
        const struct suite_case *c = &suite_cases[i];
        struct p2_esp_keys keys = keys_of_suite(c);
        size_t len, opened_len = 99;
        uint8_t *packet = seal_suite(c, &keys, &len), next_header = 0, *out = malloc(len);
        CHECK_HEX(packet, len, c->packet);
        CU_ASSERT_TRUE(p2_esp_plausible(&keys, len));
        CU_ASSERT_EQUAL(p2_esp_open(&keys, packet, len, c->sequence, out, &opened_len, &next_header),
                        P2_DROP_NONE);
        CU_ASSERT(opened_len == c->payload_len && next_header == 41);
        for (size_t n = 0; n < c->payload_len; n++)
            CU_ASSERT_EQUAL(out[n], (uint8_t)(5 * n));
        cipher_seen[keys.cipher.cipher] = auth_seen[keys.auth] = true;
        free(out);
        free(packet);
    }
    for (unsigned n = P2_CIPHER_NONE + 1; n < P2_NUM_CIPHERS; n++)
        CU_ASSERT_TRUE(cipher_seen[n]);
    for (unsigned n = P2_AUTH_NONE; n < P2_NUM_AUTHS; n++)
        CU_ASSERT_TRUE(auth_seen[n]);
}

/* Whatever the suite, as long as there is an ICV; and the upper half of the number is under it with ESN and
 * only then. */
static void every_suite_refuses_what_was_touched(void)
{
    for (size_t i = 0; i < NUM_SUITES; i++) {
        const struct suite_case *c = &suite_cases[i];
        struct p2_esp_keys keys = keys_of_suite(c);
        size_t len;
        uint8_t *packet = seal_suite(c, &keys, &len);
        enum p2_drop verdict = verdict_of(&keys, packet, len, c->sequence ^ UINT64_C(0x100000000));
        CU_ASSERT_EQUAL(verdict, c->esn ? P2_DROP_ICV_MISMATCH : P2_DROP_NONE);
        if (keys.icv_len > 0)
            check_every_bit(&keys, packet, len, c->sequence);
        free(packet);
    }
}

/* draft-mcgrew-gcm-test-01 section 4: whole ESP packets by the author of RFC 4106. The first has an extended
 * sequence number. Their plaintexts end with ESP's trailer (next header 1), which is left out here because
 * sealing adds it. */
static void packets_of_the_gcm_draft(void)
{
    static const struct {
        enum p2_cipher cipher;
        bool esn;
        uint32_t spi;
        uint64_t sequence;
        const char *key_and_salt, *iv, *payload, *text_and_icv;
    } cases[] = {
        {P2_CIPHER_AES128_GCM16, true, 0x4321, UINT64_C(0x8765432100000000),
         "4c80cdefbb5d10da906ac73c3613a634"
         "2e443b68",
         "4956ed7e3b244cfe",
         "45000048699a000080114db7c0a80102c0a801010a9bf15638d301000001000000000000045f736970045f75"
         "6470037369700963796265726369747902646b0000210001",
         "fecf537e729d5b07dc30df528dd22b768d1b98736696a6fd348509fa13ceac34cfa2436f14a3f3cf65925bf1"
         "f4a13c5d15b21e1884f5ff6247aeabb786b93bce61bc17d768fd9732459018148f6cbe722fd04796562dfdb4"},
        {P2_CIPHER_AES192_GCM16, false, 0xa5f8, UINT64_C(0xa),
         "feffe9928665731c6d6a8f9467308308feffe9928665731c"
         "cafebabe",
         "facedbaddecaf888", "45000028a4ad4000400678800a01038f0a010612802306b8cb712602dd6bb03e501016d07568",
         "a5b1f8066029aea40e598b8122de02420938b3ab33f828e687b8858b5bfbdbd0315b27452144cc7795457b96"
         "52037f5318027b5b4cd7a636"},
        {P2_CIPHER_AES256_GCM16, false, 0x4a2cbfe3, UINT64_C(0x2),
         "abbccddef00112233445566778899aababbccddef00112233445566778899aab"
         "11223344",
         "0102030405060708",
         "4500003069a6400080062690c0a801029389155e0a9e008b2dc57ee0000000007002400020bf0000020405b4"
         "01010402",
         "ff425c9b724599df7a3bcd510194e00d6a78107f1b0b1cbf06efae9d65a5d763748a637985771d347f054565"
         "9f14e99def842d8eb335f4eecfdbf831824b4c4915956c96"},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        static struct p2_esp_keys keys;
        uint8_t key[P2_CIPHER_MAX_KEY], iv[8], payload[128];
        size_t len, payload_len = check_unhex(cases[i].payload, payload, sizeof(payload));
        check_unhex(cases[i].key_and_salt, key, sizeof(key));
        check_unhex(cases[i].iv, iv, sizeof(iv));
        p2_esp_init(&keys, cases[i].cipher, key, P2_AUTH_NONE, NULL, cases[i].esn);
        uint8_t *packet = seal(&keys, cases[i].spi, cases[i].sequence, iv, 1,
                               (struct p2_bytes){payload, payload_len}, &len);
        CHECK_HEX(packet + 16, len - 16, cases[i].text_and_icv);
        CU_ASSERT_EQUAL(verdict_of(&keys, packet, len, cases[i].sequence), P2_DROP_NONE);
        free(packet);
    }
}

/* --- padding --- */

/* A packet whose trailer is as given: encrypted and authenticated like any other. Returns what opening it
 * says. */
static enum p2_drop open_trailer(const char *plain_hex, size_t *payload_len)
{
    struct p2_esp_keys keys =
        keys_of(P2_CIPHER_AES128_CBC, "90d382b4 10eeba7a d938c46c ec1a82bf", P2_AUTH_HMAC_SHA1_96, KEY_20);
    uint8_t plain[64], iv[16] = {0}, next_header = 0;
    size_t text_len = check_unhex(plain_hex, plain, sizeof(plain)), len = 8 + 16 + text_len + 12;
    uint8_t *packet = calloc(1, len), *out = malloc(len);
    p2_cipher_encrypt(&keys.cipher, iv, packet + 24, plain, text_len);
    struct p2_bytes covered = {packet, len - 12};
    p2_hmac_compute(&keys.hmac, &covered, 1, packet + len - 12, 12);
    CU_ASSERT_TRUE(p2_esp_plausible(&keys, len));
    enum p2_drop verdict = p2_esp_open(&keys, packet, len, 0, out, payload_len, &next_header);
    if (verdict == P2_DROP_NONE)
        CU_ASSERT_EQUAL(next_header, 4);
    free(out);
    free(packet);
    return verdict;
}

#define BLOCK "45000000 00000000 00000000 00000000"

static void takes_good_padding_off(void)
{
    static const struct {
        const char *plain;
        size_t payload_len;
    } cases[] = {
        {"00000000 00000000 00000000 00000004", 14}, /* none */
        {"00000000 00000000 00000000 00010104", 13},
        {"01020304 05060708 090a0b0c 0d0e0e04", 0}, /* nothing else */
        {BLOCK "01020304 05060708 090a0b0c 0d0e0e04", 16},
        {"00000001 02030405 06070809 0a0b0c0d 0e0f1011 12131415 16171819 1a1b1b04",
         3}, /* more than a block */
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        size_t payload_len = 99;
        CU_ASSERT_EQUAL(open_trailer(cases[i].plain, &payload_len), P2_DROP_NONE);
        CU_ASSERT_EQUAL(payload_len, cases[i].payload_len);
    }
}

static void refuses_bad_padding(void)
{
    static const char *const cases[] = {
        "00000000 00000000 00000000 00000f04", /* one more than there is */
        "00000000 00000000 00000000 0000ff04",
        BLOCK "00000000 00000000 00000000 00001f04", /* the same with two blocks */
        "00000000 00000000 00000000 00000104",       /* 0 instead of 1 */
        "00000000 00000000 00000000 01020304",       /* its first byte is missing */
        "00000000 00000000 00000001 02040304",       /* its last byte is wrong */
        "02020304 05060708 090a0b0c 0d0e0e04",
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        size_t payload_len;
        CU_ASSERT_EQUAL(open_trailer(cases[i], &payload_len), P2_DROP_BAD_PADDING);
    }
}

/* --- lengths --- */

static void lengths_by_hand(void)
{
    static const struct {
        enum p2_cipher cipher;
        enum p2_auth auth;
        size_t payload_len, sealed_len;
    } cases[] = {
        {P2_CIPHER_AES128_CBC, P2_AUTH_HMAC_SHA1_96, 0, 8 + 16 + 16 + 12},
        {P2_CIPHER_AES128_CBC, P2_AUTH_HMAC_SHA1_96, 14, 8 + 16 + 16 + 12},
        {P2_CIPHER_AES128_CBC, P2_AUTH_HMAC_SHA1_96, 15, 8 + 16 + 32 + 12},
        {P2_CIPHER_AES256_CBC, P2_AUTH_HMAC_SHA256_128, 1400, 8 + 16 + 1408 + 16},
        {P2_CIPHER_3DES_CBC, P2_AUTH_HMAC_SHA1_96, 6, 8 + 8 + 8 + 12},
        {P2_CIPHER_3DES_CBC, P2_AUTH_HMAC_SHA256_128, 7, 8 + 8 + 16 + 16},
        {P2_CIPHER_DES_CBC, P2_AUTH_HMAC_MD5_96, 6, 8 + 8 + 8 + 12},
        {P2_CIPHER_NULL, P2_AUTH_HMAC_SHA512_256, 2, 8 + 0 + 4 + 32},
        {P2_CIPHER_NULL, P2_AUTH_HMAC_SHA384_192, 3, 8 + 0 + 8 + 24},
        {P2_CIPHER_AES256_CTR, P2_AUTH_HMAC_SHA1_96, 1400, 8 + 8 + 1404 + 12},
        {P2_CIPHER_AES128_CTR, P2_AUTH_NONE, 1402, 8 + 8 + 1404 + 0},
        {P2_CIPHER_AES128_GCM16, P2_AUTH_NONE, 0, 8 + 8 + 4 + 16},
        {P2_CIPHER_AES256_GCM16, P2_AUTH_NONE, 1403, 8 + 8 + 1408 + 16},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct p2_esp_keys keys = keys_of(cases[i].cipher, KEY_32 "20212223", cases[i].auth, KEY_64);
        CU_ASSERT_EQUAL(p2_esp_sealed_len(&keys, cases[i].payload_len), cases[i].sealed_len);
    }
}

/* An HMAC that goes with the cipher: none with a combined mode. */
static enum p2_auth auth_beside(enum p2_cipher cipher, enum p2_auth auth)
{
    return p2_cipher_of(cipher)->icv_len > 0 ? P2_AUTH_NONE : auth;
}

/* A length is plausible if and only if some payload has it. */
static void only_aligned_lengths_are_plausible(void)
{
    for (enum p2_cipher cipher = P2_CIPHER_NONE + 1; cipher < P2_NUM_CIPHERS; cipher++) {
        struct p2_esp_keys keys =
            keys_of(cipher, KEY_32 "20212223", auth_beside(cipher, P2_AUTH_HMAC_SHA1_96), KEY_20);
        bool possible[300] = {false};
        for (size_t payload = 0; payload < 200; payload++)
            possible[p2_esp_sealed_len(&keys, payload)] = true;
        for (size_t len = 0; len < 200; len++)
            CU_ASSERT_EQUAL(p2_esp_plausible(&keys, len), possible[len]);
    }
}

/* Exact buffers, every payload length: what comes back is what went in, and nothing is written or read
 * beyond. */
static void every_length_comes_back(void)
{
    for (enum p2_cipher cipher = P2_CIPHER_NONE + 1; cipher < P2_NUM_CIPHERS; cipher++) {
        struct p2_esp_keys keys =
            keys_of(cipher, KEY_32 "20212223", auth_beside(cipher, P2_AUTH_HMAC_SHA256_128), KEY_32);
        for (size_t payload_len = 1; payload_len < 80; payload_len++) {
            uint8_t *payload = malloc(payload_len), iv[16] = {1, 2, 3}, next_header = 0;
            size_t len, opened_len = 0;
            memset(payload, (int)payload_len, payload_len);
            uint8_t *packet = seal(&keys, 256, 1, iv, 59, (struct p2_bytes){payload, payload_len}, &len);
            uint8_t *out = malloc(len);
            CU_ASSERT_EQUAL(p2_esp_open(&keys, packet, len, 1, out, &opened_len, &next_header), P2_DROP_NONE);
            CU_ASSERT_EQUAL(opened_len, payload_len);
            CU_ASSERT_EQUAL(next_header, 59);
            CU_ASSERT_EQUAL(memcmp(out, payload, payload_len), 0);
            free(out);
            free(packet);
            free(payload);
        }
    }
}

CHECK_MAIN("esp", {"seals as in RFC 3602", seals_as_in_rfc_3602},
           {"seals with other ciphers", seals_with_other_ciphers},
           {"opens packets of strongSwan", opens_packets_of_strongswan},
           {"seals what strongSwan sealed", seals_what_strongswan_sealed},
           {"a flipped bit is refused wherever it is", a_flipped_bit_is_refused_wherever_it_is},
           {"under another key it is refused", under_another_key_it_is_refused},
           {"seals and opens with every suite", seals_and_opens_with_every_suite},
           {"every suite refuses what was touched", every_suite_refuses_what_was_touched},
           {"packets of the GCM draft", packets_of_the_gcm_draft},
           {"takes good padding off", takes_good_padding_off}, {"refuses bad padding", refuses_bad_padding},
           {"lengths by hand", lengths_by_hand},
           {"only aligned lengths are plausible", only_aligned_lengths_are_plausible},
           {"every length comes back", every_length_comes_back})
