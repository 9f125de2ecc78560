/* Keys and hashes of IKEv1: first against real daemons, whose messages decrypt, whose hashes verify and whose
 * SAs' keys come out only if every formula is right; then each formula by itself, against values that
 * python3's hashlib and hmac computed with the formulas of RFC 2409 written out a second time. */
#include "check.h"
#include "cursor.h"
#include "isakmp.h"
#include "keymat.h"
#include "vectors/corpus.h"

#define NUM_QUICKS (sizeof(corpus_quicks) / sizeof(corpus_quicks[0]))

struct message {
    uint8_t bytes[1024];
    size_t len;
    uint8_t plain[1024]; /* payloads */
    struct p2_payloads payloads;
};

static struct p2_isakmp_keys keys_of(const struct corpus_isakmp_sa *sa)
{
    struct p2_isakmp_keys keys = {.hash = p2_hash_by_name(sa->hash), .cipher = p2_cipher_by_name(sa->cipher)};
    check_unhex(sa->skeyid_d, keys.skeyid_d, sizeof(keys.skeyid_d));
    check_unhex(sa->skeyid_a, keys.skeyid_a, sizeof(keys.skeyid_a));
    check_unhex(sa->skeyid_e, keys.skeyid_e, sizeof(keys.skeyid_e));
    check_unhex(sa->iv, keys.last_block, sizeof(keys.last_block));
    p2_keymat_prepare(&keys);
    return keys;
}

/* Decrypts if iv is given (which then goes on to the next message) and parses. */
static void read_message(struct message *m, const char *hex, const struct p2_isakmp_keys *keys, uint8_t *iv)
{
    m->len = check_unhex(hex, m->bytes, sizeof(m->bytes));
    const uint8_t *body = m->bytes + P2_ISAKMP_HEADER_LEN;
    size_t len = m->len - P2_ISAKMP_HEADER_LEN;
    if (iv)
        p2_cipher_decrypt(&keys->cipher_key, iv, m->plain, body, len);
    else
        memcpy(m->plain, body, len);
    CU_ASSERT_EQUAL_FATAL(p2_isakmp_parse_payloads(&m->payloads, m->bytes[16], m->plain, len), P2_OK);
}

static struct p2_bytes body_of(const struct message *m, enum p2_payload_type type)
{
    const struct p2_payload *payload = p2_isakmp_find(&m->payloads, (uint8_t)type, 0);
    CU_ASSERT_PTR_NOT_NULL_FATAL(payload);
    return payload->body;
}

/* What HASH(1) and HASH(2) cover: everything behind the HASH payload, without the padding. */
static struct p2_bytes behind_hash(const struct message *m)
{
    size_t first = m->payloads.list[0].whole.len;
    return (struct p2_bytes){m->plain + first, m->payloads.len - first};
}

static bool is_hash_of(const struct message *m, const uint8_t *computed, size_t len)
{
    struct p2_bytes hash = body_of(m, P2_PAYLOAD_HASH);
    return m->payloads.list[0].type == P2_PAYLOAD_HASH && hash.len == len &&
           memcmp(hash.data, computed, len) == 0;
}

/* The three messages of a Quick Mode, decrypted one behind the other: appendix B's IV for the first, then the
 * last ciphertext block of the one before. */
static void read_quick(struct message m[3], const struct corpus_quick *quick,
                       const struct p2_isakmp_keys *keys)
{
    uint8_t iv[P2_CIPHER_MAX_BLOCK];
    p2_keymat_phase2_iv(keys, quick->message_id, iv);
    for (size_t i = 0; i < 3; i++)
        read_message(&m[i], quick->messages[i], keys, iv);
}

static void hashes_of_real_quick_modes_verify(void)
{
    CU_ASSERT_EQUAL(NUM_QUICKS, 7);
    for (size_t i = 0; i < NUM_QUICKS; i++) {
        const struct corpus_quick *quick = &corpus_quicks[i];
        struct p2_isakmp_keys keys = keys_of(quick->isakmp);
        struct message m[3];
        uint8_t hash[P2_HASH_MAX_LEN];
        read_quick(m, quick, &keys);
        struct p2_bytes ni = body_of(&m[0], P2_PAYLOAD_NONCE), nr = body_of(&m[1], P2_PAYLOAD_NONCE);
        p2_keymat_hash_1_2(&keys, quick->message_id, NULL, behind_hash(&m[0]), hash);
        CU_ASSERT_TRUE(is_hash_of(&m[0], hash, 20));
        p2_keymat_hash_1_2(&keys, quick->message_id, &ni, behind_hash(&m[1]), hash);
        CU_ASSERT_TRUE(is_hash_of(&m[1], hash, 20));
        p2_keymat_hash_3(&keys, quick->message_id, ni, nr, hash);
        CU_ASSERT_TRUE(is_hash_of(&m[2], hash, 20));
    }
}

/* Each direction's SPI is the one that its receiver chose: the initiator's stands in message 1. */
static void derives_the_keys_that_the_daemons_exported(void)
{
    for (size_t i = 0; i < NUM_QUICKS; i++) {
        const struct corpus_quick *quick = &corpus_quicks[i];
        const struct corpus_sa *sas[2] = {&quick->to_initiator, &quick->to_responder};
        struct p2_isakmp_keys keys = keys_of(quick->isakmp);
        struct message m[3];
        uint8_t shared[256], keymat[P2_KEYMAT_MAX];
        struct p2_bytes secret = {shared, quick->dh_secret ? check_unhex(quick->dh_secret, shared, 256) : 0};
        read_quick(m, quick, &keys);
        for (size_t n = 0; n < 2; n++) {
            struct p2_isakmp_sa_payload sa;
            CU_ASSERT_EQUAL_FATAL(p2_isakmp_parse_sa(&sa, body_of(&m[n], P2_PAYLOAD_SA)), P2_OK);
            CU_ASSERT_EQUAL(p2_get_u32(sa.transforms[0].spi.data), sas[n]->spi);
            p2_keymat_derive(&keys, secret, P2_PROTO_ESP, sas[n]->spi, body_of(&m[0], P2_PAYLOAD_NONCE),
                             body_of(&m[1], P2_PAYLOAD_NONCE), keymat, 36);
            CHECK_HEX(keymat, 16, sas[n]->encryption_key);
            CHECK_HEX(keymat + 16, 20, sas[n]->authentication_key);
        }
    }
}

/* Of the Quick Mode with PFS the keys must depend on the secret, or PFS protects nothing. */
static void without_the_secret_of_pfs_other_keys_come_out(void)
{
    const struct corpus_quick *quick = &corpus_quicks[1];
    CU_ASSERT_PTR_NOT_NULL_FATAL(quick->dh_secret);
    struct p2_isakmp_keys keys = keys_of(quick->isakmp);
    struct message m[3];
    uint8_t keymat[P2_KEYMAT_MAX], expected[16];
    read_quick(m, quick, &keys);
    p2_keymat_derive(&keys, (struct p2_bytes){NULL, 0}, P2_PROTO_ESP, quick->to_initiator.spi,
                     body_of(&m[0], P2_PAYLOAD_NONCE), body_of(&m[1], P2_PAYLOAD_NONCE), keymat, 36);
    check_unhex(quick->to_initiator.encryption_key, expected, sizeof(expected));
    CU_ASSERT_NOT_EQUAL(memcmp(keymat, expected, 16), 0);
}

/* Appendix B. SHA-1's 20 bytes do for AES-128; for AES-256 they are expanded. The expanded key was computed
 * with python3 hmac; that it is right shows in the Quick Mode that decrypts under it. */
static void expands_the_key_of_aes_256(void)
{
    struct p2_isakmp_keys pfs = keys_of(&corpus_pfs), nopfs = keys_of(&corpus_nopfs);
    CHECK_HEX(pfs.encryption_key, 32, "3fa7bf0addb051699fe9d6912faadcf25f619d618a9c8fcb82cf94c819ed913f");
    CHECK_HEX(nopfs.encryption_key, 16, "c95d9dc88f5c3de88976ff4fa8c2c8fc");
}

/* Messages 5 and 6 of main mode decrypt under hash(g^xi | g^xr); their ID payloads are the gateways'
 * addresses, and the last block of message 6 is what all later exchanges start from. */
static void main_mode_decrypts_under_its_iv(void)
{
    static const struct corpus_isakmp_sa *const sas[] = {&corpus_nopfs, &corpus_pfs, &corpus_rekey};
    for (size_t i = 0; i < 3; i++) {
        struct p2_isakmp_keys keys = keys_of(sas[i]);
        struct message m[4];
        uint8_t iv[P2_CIPHER_MAX_BLOCK];
        read_message(&m[0], sas[i]->main_mode[0], &keys, NULL);
        read_message(&m[1], sas[i]->main_mode[1], &keys, NULL);
        struct p2_phase1_secrets secrets = {.ke_i = body_of(&m[0], P2_PAYLOAD_KE),
                                            .ke_r = body_of(&m[1], P2_PAYLOAD_KE)};
        p2_keymat_phase1_iv(&keys, &secrets, iv);
        read_message(&m[2], sas[i]->main_mode[2], &keys, iv);
        read_message(&m[3], sas[i]->main_mode[3], &keys, iv);
        struct p2_bytes id_i = body_of(&m[2], P2_PAYLOAD_ID), id_r = body_of(&m[3], P2_PAYLOAD_ID);
        CHECK_HEX(id_i.data, id_i.len, "01 00 0000 0a630001");
        CHECK_HEX(id_r.data, id_r.len, "01 00 0000 0a630002");
        CHECK_HEX(iv, 16, sas[i]->iv);
    }
}

/* --- each formula by itself --- */

/* python3: prf = lambda k, d: hmac.new(k, d, h).digest(), and RFC 2409 sections 5 and 5.5 and appendix B from
 * there. */
struct formulas {
    enum p2_hash hash;
    const char *skeyid, *skeyid_d, *skeyid_a, *skeyid_e;
    const char *hash_i, *hash_r;
    const char *phase1_iv, *phase2_iv;
    const char *key_32, *key_24; /* of the ISAKMP cipher */
    const char *keymat_pfs, *keymat;
    const char *hash_1, *hash_2, *hash_3;
};

static const struct formulas formulas[] = {
    {P2_HASH_SHA1, "db6de66125aa5289eaf4f4ee2bb2ea59a3deb081", "0a46512da8fceb5bc7441d85ce895efc9210f2c0",
     "ae28559743b97c44dbfc255be68a3fd159b93d7e", "f0d9848b26501241613edd1a11c19e4bcf372a03",
     "7ccdaadaa5eeda475159070825401a38100ec5b9", "e5a3567a03e563aeb87ddcf48d07646b864d7b13",
     "1f98b0cbce26172c380daa9223500e16", "5ca0c222db4feed1fad49500e277733e",
     "cf60f2f9cdc66ee02010b321bfcc84ec91d9fa5ac8fae6103f17a8c925f00df6",
     "cf60f2f9cdc66ee02010b321bfcc84ec91d9fa5ac8fae610",
     "058a9787ceec182f55661311df456b584688a788cbe9a389421da0bb3ca78291"
     "853c6f8b4f61465eead337bd4f46fb59ef55e0ef5c2d8072626197ba8c939fe8",
     "8a5f03a06a950b331d3c66a45e59cde2ee55e2eb51684c090de22b976d0594f8"
     "bf3e25747efb99623674b4dbfef9b2629302665ca1784f3e690ec679e38a60fd",
     "b0c6a8291a4239bf29daef5d7da583da777973f3", "d93ec532dfd32dd6692f0b3385584bfdfaa6d68d",
     "3ef3d8d6a88b2dac04985cbbd6c47fe4fe87c8e6"},
    {P2_HASH_SHA256, "edb7d8adb43f141d6c03545d781ee97baba0a8544b72b47d91c3ade63d45cefd",
     "0d64aa9d92b229bfa6c3df82fa200761278a6d8dd8faec7911a38fef193738a4",
     "2402f5db21db60197044ffeb076d4f935ee1e731567e4791c29cd39ed7617299",
     "c17eeed2e063fcc1d7f1f572b5c72ea323a65889e21330f019947d03408337dc",
     "c5a5465288d5d453a77cef81541d77f1e1a26dcdcfebacd61e3c451d4ce68fea",
     "8c73086e7fac09ce348f49c2f436a112d2f75570b654f3c2e075ac034cd2d1c5", "c3c7b4454f6571ecded8257e37da17f7",
     "4083504ce71ac9c9b76d14685e0af886", "c17eeed2e063fcc1d7f1f572b5c72ea323a65889e21330f019947d03408337dc",
     "c17eeed2e063fcc1d7f1f572b5c72ea323a65889e21330f0",
     "bec65efd75a99b3ab4beaafd07d76ba6996296f574f5db5aade97ed19dcb21a3"
     "e6f4d113a78abc2173be870f7d5351334f3e230541e51d8f125189d108d10837",
     "5dfbf50173da2d3c1fbbe443f58aa21dcdcd35ac05299c829b78de68bd83f90f"
     "c518a56f2d9821523f71010e9c6b09b597133a0bb4e7e374f912089ccc7af00e",
     "5703b5db0bb44793a9c7f4ee6d379dd3f2f70080abc326f927ab283588bb6bde",
     "269cba0753a49b1f1d9ecaf7d84ba80b694de70714b15543f1a44b92acdaa7d9",
     "26c156886abe44a835d4418c0d26427b6479c72097a90aaa1cd0f99ae2795d9b"},
};

/* Ni = 10 to 1f, Nr = 40 to 5f, g^xy = 80 to df, g^xi = 96 times 11, g^xr = 96 times 22. */
static struct p2_phase1_secrets made_up_secrets(void)
{
    static uint8_t ni[16], nr[32], shared[96], ke_i[96], ke_r[96];
    static const uint8_t cookies[2][8] = {{1, 2, 3, 4, 5, 6, 7, 8},
                                          {0xf1, 0xf2, 0xf3, 0xf4, 0xf5, 0xf6, 0xf7, 0xf8}};
    for (uint8_t i = 0; i < 96; i++) {
        shared[i] = (uint8_t)(0x80 + i);
        nr[i % 32] = (uint8_t)(0x40 + i % 32);
        ni[i % 16] = (uint8_t)(0x10 + i % 16);
    }
    memset(ke_i, 0x11, sizeof(ke_i));
    memset(ke_r, 0x22, sizeof(ke_r));
    return (struct p2_phase1_secrets){.psk = {(const uint8_t *)"a pre-shared key", 16},
                                      .ni = {ni, 16},
                                      .nr = {nr, 32},
                                      .ke_i = {ke_i, 96},
                                      .ke_r = {ke_r, 96},
                                      .shared = {shared, 96},
                                      .cookie_i = cookies[0],
                                      .cookie_r = cookies[1]};
}

static struct p2_isakmp_keys made_up_keys(const struct formulas *f, enum p2_cipher cipher, uint8_t *skeyid)
{
    struct p2_isakmp_keys keys = {.hash = f->hash, .cipher = cipher};
    struct p2_phase1_secrets secrets = made_up_secrets();
    p2_keymat_skeyid(f->hash, &secrets, skeyid);
    p2_keymat_skeyids(&keys, &secrets, skeyid);
    return keys;
}

static void skeyids_as_in_section_5(void)
{
    for (size_t i = 0; i < 2; i++) {
        const struct formulas *f = &formulas[i];
        size_t len = p2_hash_of(f->hash)->len;
        uint8_t skeyid[P2_HASH_MAX_LEN];
        struct p2_isakmp_keys keys = made_up_keys(f, P2_CIPHER_AES256_CBC, skeyid);
        CHECK_HEX(skeyid, len, f->skeyid);
        CHECK_HEX(keys.skeyid_d, len, f->skeyid_d);
        CHECK_HEX(keys.skeyid_a, len, f->skeyid_a);
        CHECK_HEX(keys.skeyid_e, len, f->skeyid_e);
        CHECK_HEX(keys.encryption_key, 32, f->key_32);
        keys = made_up_keys(f, P2_CIPHER_3DES_CBC, skeyid);
        CHECK_HEX(keys.encryption_key, 24, f->key_24);
    }
}

static void hash_i_and_hash_r_as_in_section_5(void)
{
    static const uint8_t sa[12] = {0, 0, 0, 1, 0, 0, 0, 1, 0, 0, 0, 1}, id[8] = {1, 0, 0, 0, 10, 99, 0, 1};
    struct p2_phase1_secrets secrets = made_up_secrets();
    for (size_t i = 0; i < 2; i++) {
        const struct formulas *f = &formulas[i];
        size_t len = p2_hash_of(f->hash)->len;
        uint8_t skeyid[P2_HASH_MAX_LEN], out[P2_HASH_MAX_LEN];
        check_unhex(f->skeyid, skeyid, sizeof(skeyid));
        p2_keymat_hash_ir(f->hash, &secrets, skeyid, true, (struct p2_bytes){sa, 12},
                          (struct p2_bytes){id, 8}, out);
        CHECK_HEX(out, len, f->hash_i);
        p2_keymat_hash_ir(f->hash, &secrets, skeyid, false, (struct p2_bytes){sa, 12},
                          (struct p2_bytes){id, 8}, out);
        CHECK_HEX(out, len, f->hash_r);
    }
}

static void ivs_as_in_appendix_b(void)
{
    struct p2_phase1_secrets secrets = made_up_secrets();
    for (size_t i = 0; i < 2; i++) {
        const struct formulas *f = &formulas[i];
        uint8_t skeyid[P2_HASH_MAX_LEN], iv[P2_CIPHER_MAX_BLOCK];
        struct p2_isakmp_keys keys = made_up_keys(f, P2_CIPHER_AES128_CBC, skeyid);
        for (uint8_t n = 0; n < 16; n++)
            keys.last_block[n] = (uint8_t)(0xa0 + n);
        p2_keymat_phase1_iv(&keys, &secrets, iv);
        CHECK_HEX(iv, 16, f->phase1_iv);
        p2_keymat_phase2_iv(&keys, 0x00c0ffee, iv);
        CHECK_HEX(iv, 16, f->phase2_iv);
    }
}

/* The IV of a cipher with blocks of 8 bytes stems from 8 bytes and has 8: python3, hashlib.sha1(last[:8] +
 * mid). */
static void ivs_of_3des_have_eight_bytes(void)
{
    uint8_t skeyid[P2_HASH_MAX_LEN], iv[P2_CIPHER_MAX_BLOCK];
    struct p2_isakmp_keys keys = made_up_keys(&formulas[0], P2_CIPHER_3DES_CBC, skeyid);
    memset(iv, 0xee, sizeof(iv));
    for (uint8_t n = 0; n < 16; n++)
        keys.last_block[n] = (uint8_t)(0xa0 + n);
    p2_keymat_phase2_iv(&keys, 0x00c0ffee, iv);
    CHECK_HEX(iv, 16, "2e69a124846b6105 eeeeeeeeeeeeeeee");
}

static void hashes_as_in_section_5_5(void)
{
    struct p2_phase1_secrets s = made_up_secrets();
    struct p2_bytes payloads = {(const uint8_t *)"payloads as sent", 16};
    for (size_t i = 0; i < 2; i++) {
        const struct formulas *f = &formulas[i];
        size_t len = p2_hash_of(f->hash)->len;
        uint8_t skeyid[P2_HASH_MAX_LEN], out[P2_HASH_MAX_LEN];
        struct p2_isakmp_keys keys = made_up_keys(f, P2_CIPHER_AES128_CBC, skeyid);
        p2_keymat_hash_1_2(&keys, 0x00c0ffee, NULL, payloads, out);
        CHECK_HEX(out, len, f->hash_1);
        p2_keymat_hash_1_2(&keys, 0x00c0ffee, &s.ni, payloads, out);
        CHECK_HEX(out, len, f->hash_2);
        p2_keymat_hash_3(&keys, 0x00c0ffee, s.ni, s.nr, out);
        CHECK_HEX(out, len, f->hash_3);
    }
}

/* 64 bytes are several blocks of either hash; shorter ones are what 64 begin with, and nothing behind them is
 * written. */
static void keymat_as_in_section_5_5(void)
{
    struct p2_phase1_secrets s = made_up_secrets();
    for (size_t i = 0; i < 2; i++) {
        const struct formulas *f = &formulas[i];
        uint8_t skeyid[P2_HASH_MAX_LEN], out[64];
        struct p2_isakmp_keys keys = made_up_keys(f, P2_CIPHER_AES128_CBC, skeyid);
        p2_keymat_derive(&keys, s.shared, P2_PROTO_ESP, 0xdeadbeef, s.ni, s.nr, out, 64);
        CHECK_HEX(out, 64, f->keymat_pfs);
        p2_keymat_derive(&keys, (struct p2_bytes){NULL, 0}, P2_PROTO_AH, 0xdeadbeef, s.ni, s.nr, out, 64);
        CHECK_HEX(out, 64, f->keymat);
        for (size_t len = 1; len <= 64; len++) {
            uint8_t *exact = malloc(len);
            p2_keymat_derive(&keys, (struct p2_bytes){NULL, 0}, P2_PROTO_AH, 0xdeadbeef, s.ni, s.nr, exact,
                             len);
            CU_ASSERT_EQUAL(memcmp(exact, out, len), 0);
            free(exact);
        }
    }
}

CHECK_MAIN("keymat", {"hashes of real Quick Modes verify", hashes_of_real_quick_modes_verify},
           {"derives the keys that the daemons exported", derives_the_keys_that_the_daemons_exported},
           {"without the secret of PFS other keys come out", without_the_secret_of_pfs_other_keys_come_out},
           {"expands the key of AES-256", expands_the_key_of_aes_256},
           {"main mode decrypts under its IV", main_mode_decrypts_under_its_iv},
           {"SKEYIDs as in section 5", skeyids_as_in_section_5},
           {"HASH_I and HASH_R as in section 5", hash_i_and_hash_r_as_in_section_5},
           {"IVs as in appendix B", ivs_as_in_appendix_b},
           {"IVs of 3DES have eight bytes", ivs_of_3des_have_eight_bytes},
           {"hashes as in section 5.5", hashes_as_in_section_5_5},
           {"KEYMAT as in section 5.5", keymat_as_in_section_5_5})
