/* Weak keys: which ones they are, and what becomes of a negotiation that ends with one.
 *
 * No peer can bring one about and no nonces lead to one in a lifetime, so the linker puts two functions of
 * this program in front of the library's (see the Makefile): they derive as ever, and then put a weak key
 * where the derived one was, as chance might. */
#include "failure_fixture.h"

#include "keymat.h"

#define RETRY (5 * P2_SECOND)

/* RFC 2409 appendix A: the 4 weak and the 12 semi-weak keys of DES. */
static const char *const des_weak[] = {
    "0101010101010101", "1f1f1f1f0e0e0e0e", "e0e0e0e0f1f1f1f1", "fefefefefefefefe",
    "01fe01fe01fe01fe", "1fe01fe00ef10ef1", "01e001e001f101f1", "1ffe1ffe0efe0efe",
    "011f011f010e010e", "e0fee0fef1fef1fe", "fe01fe01fe01fe01", "e01fe01ff10ef10e",
    "e001e001f101f101", "fe1ffe1ffe0efe0e", "1f011f010e010e01", "fee0fee0fef1fef1",
};

#define GOOD_1 "0123456789abcdef"
#define GOOD_2 "23456789abcdef01"
#define GOOD_3 "456789abcdef0123"

static bool is_weak(enum p2_cipher cipher, const char *hex)
{
    uint8_t key[P2_CIPHER_MAX_KEY];
    CU_ASSERT_EQUAL(check_unhex(hex, key, sizeof key), p2_cipher_of(cipher)->key_len);
    return p2_cipher_key_is_weak(cipher, key);
}

/* Each in all ways to set its parity bits, and with each single bit of the others changed. */
static void des_has_sixteen(void)
{
    for (size_t i = 0; i < sizeof des_weak / sizeof des_weak[0]; i++) {
        uint8_t key[8];
        check_unhex(des_weak[i], key, sizeof key);
        for (unsigned parity = 0; parity < 256; parity++) {
            for (unsigned byte = 0; byte < 8; byte++)
                key[byte] = (uint8_t)((key[byte] & 0xfe) | (parity >> byte & 1));
            CU_ASSERT_TRUE(p2_cipher_key_is_weak(P2_CIPHER_DES_CBC, key));
        }
        for (unsigned bit = 0; bit < 64; bit++) {
            key[bit / 8] ^= (uint8_t)(1u << bit % 8);
            CU_ASSERT_EQUAL(p2_cipher_key_is_weak(P2_CIPHER_DES_CBC, key), bit % 8 == 0);
            key[bit / 8] ^= (uint8_t)(1u << bit % 8);
        }
    }
    CU_ASSERT_FALSE(is_weak(P2_CIPHER_DES_CBC, GOOD_1));
    CU_ASSERT_FALSE(is_weak(P2_CIPHER_DES_CBC, GOOD_2));
}

/* RFC 2451 section 2.3. GOOD_1 with other parity bits is 0022446688aaccee. */
static void triple_des_has_those_that_are_des(void)
{
    CU_ASSERT_TRUE(is_weak(P2_CIPHER_3DES_CBC, GOOD_1 GOOD_1 GOOD_2));
    CU_ASSERT_TRUE(is_weak(P2_CIPHER_3DES_CBC, GOOD_1 GOOD_2 GOOD_2));
    CU_ASSERT_TRUE(is_weak(P2_CIPHER_3DES_CBC, GOOD_1 GOOD_1 GOOD_1));
    CU_ASSERT_TRUE(is_weak(P2_CIPHER_3DES_CBC, GOOD_1 "0022446688aaccee" GOOD_2));
    CU_ASSERT_TRUE(is_weak(P2_CIPHER_3DES_CBC, GOOD_2 GOOD_1 "0022446688aaccee"));
    CU_ASSERT_FALSE(is_weak(P2_CIPHER_3DES_CBC, GOOD_1 GOOD_2 GOOD_3));
    CU_ASSERT_FALSE(is_weak(P2_CIPHER_3DES_CBC, GOOD_1 GOOD_2 GOOD_1)); /* two keys, and still 112 bits */
    CU_ASSERT_FALSE(is_weak(P2_CIPHER_3DES_CBC, "0101010101010101" GOOD_2 GOOD_3));
}

static void others_have_none(void)
{
    static const uint8_t zeros[P2_CIPHER_MAX_KEY];
    for (int c = P2_CIPHER_NONE; c < P2_NUM_CIPHERS; c++) {
        if (c != P2_CIPHER_DES_CBC && c != P2_CIPHER_3DES_CBC)
            CU_ASSERT_FALSE(p2_cipher_key_is_weak((enum p2_cipher)c, zeros));
    }
}

/* --- what SKEYID_e gives (RFC 2409 appendix B) --- */

static void key_of(enum p2_cipher cipher, enum p2_hash hash, const char *skeyid_e, const char *expected)
{
    struct p2_isakmp_keys keys = {.hash = hash, .cipher = cipher};
    size_t len = check_unhex(skeyid_e, keys.skeyid_e, sizeof keys.skeyid_e);
    CU_ASSERT_EQUAL(len, p2_hash_of(hash)->len);
    p2_keymat_prepare(&keys);
    CHECK_HEX(keys.encryption_key, p2_cipher_of(cipher)->key_len, expected);
}

#define WEAK_1 "fefefefefefefefe"
#define WEAK_2 "0100000101010001" /* parity does not count */

static void des_takes_the_first_good_eight_bytes(void)
{
    key_of(P2_CIPHER_DES_CBC, P2_HASH_MD5, GOOD_1 GOOD_2, GOOD_1);
    key_of(P2_CIPHER_DES_CBC, P2_HASH_MD5, GOOD_1 WEAK_1, GOOD_1);
    key_of(P2_CIPHER_DES_CBC, P2_HASH_MD5, WEAK_1 GOOD_2, GOOD_2);
    key_of(P2_CIPHER_DES_CBC, P2_HASH_SHA1, WEAK_1 GOOD_2 "01010101", GOOD_2);
    key_of(P2_CIPHER_DES_CBC, P2_HASH_SHA256, WEAK_1 WEAK_2 WEAK_1 GOOD_3, GOOD_3);
    key_of(P2_CIPHER_DES_CBC, P2_HASH_MD5, WEAK_1 WEAK_2, WEAK_1);
    key_of(P2_CIPHER_DES_CBC, P2_HASH_SHA1, WEAK_2 WEAK_1 "89abcdef", WEAK_2); /* four bytes are no key */
    key_of(P2_CIPHER_3DES_CBC, P2_HASH_SHA512, GOOD_1 GOOD_1 GOOD_2 GOOD_1 GOOD_2 GOOD_3 GOOD_1 GOOD_2,
           GOOD_1 GOOD_1 GOOD_2);
}

/* --- what becomes of it --- */

static struct {
    const char *key;   /* NULL: chance is as it is */
    unsigned from, to; /* of the derivations in a row, those that come out like this */
    unsigned num;      /* so far */
    bool in_phase1;    /* SKEYID_e, else KEYMAT */
} chance;

static bool strikes(void)
{
    unsigned n = chance.num++;
    return chance.key && n >= chance.from && n < chance.to;
}

void __real_p2_keymat_derive(const struct p2_isakmp_keys *keys, struct p2_bytes shared, uint8_t protocol,
                             uint32_t spi, struct p2_bytes nonce_i, struct p2_bytes nonce_r, uint8_t *out,
                             size_t out_len);
void __wrap_p2_keymat_derive(const struct p2_isakmp_keys *keys, struct p2_bytes shared, uint8_t protocol,
                             uint32_t spi, struct p2_bytes nonce_i, struct p2_bytes nonce_r, uint8_t *out,
                             size_t out_len);
void __real_p2_keymat_skeyids(struct p2_isakmp_keys *keys, const struct p2_phase1_secrets *secrets,
                              const uint8_t *skeyid);
void __wrap_p2_keymat_skeyids(struct p2_isakmp_keys *keys, const struct p2_phase1_secrets *secrets,
                              const uint8_t *skeyid);

void __wrap_p2_keymat_derive(const struct p2_isakmp_keys *keys, struct p2_bytes shared, uint8_t protocol,
                             uint32_t spi, struct p2_bytes nonce_i, struct p2_bytes nonce_r, uint8_t *out,
                             size_t out_len)
{
    __real_p2_keymat_derive(keys, shared, protocol, spi, nonce_i, nonce_r, out, out_len);
    if (!chance.in_phase1 && strikes())
        check_unhex(chance.key, out, out_len);
}

void __wrap_p2_keymat_skeyids(struct p2_isakmp_keys *keys, const struct p2_phase1_secrets *secrets,
                              const uint8_t *skeyid)
{
    __real_p2_keymat_skeyids(keys, secrets, skeyid);
    if (chance.in_phase1 && strikes()) {
        check_unhex(chance.key, keys->skeyid_e, sizeof keys->skeyid_e);
        p2_keymat_prepare(keys);
    }
}

struct row {
    const char *name;
    enum p2_cipher cipher;
    enum p2_hash hash; /* of Phase 1 */
    bool in_phase1;
    const char *key;
    unsigned from, to;
    int refuser; /* 0: the initiator; NOBODY: the negotiation succeeds */
};

#define NOBODY (-1)
#define ALWAYS 99

/* Quick Mode derives in the order: responder's inbound SA and its outbound one, then the initiator's. A
 * responder that takes what it gets leaves it to the initiator. */
static const struct row quick[] = {
    {"DES, inbound", P2_CIPHER_DES_CBC, P2_HASH_SHA1, false, WEAK_1, 0, 1, 1},
    {"DES, outbound", P2_CIPHER_DES_CBC, P2_HASH_SHA1, false, "e01fe01ff10ef10e", 1, 2, 1},
    {"DES, inbound, at the initiator", P2_CIPHER_DES_CBC, P2_HASH_SHA1, false, WEAK_1, 2, 3, 0},
    {"DES, outbound, at the initiator", P2_CIPHER_DES_CBC, P2_HASH_SHA1, false, "01fe01fe01fe01fe", 3, 4, 0},
    {"3DES, K1 = K2", P2_CIPHER_3DES_CBC, P2_HASH_SHA1, false, GOOD_1 GOOD_1 GOOD_2, 0, 1, 1},
    {"3DES, K2 = K3", P2_CIPHER_3DES_CBC, P2_HASH_SHA1, false, GOOD_1 GOOD_2 GOOD_2, 1, 2, 1},
    {"3DES, K1 = K2, at the initiator", P2_CIPHER_3DES_CBC, P2_HASH_SHA1, false, GOOD_1 GOOD_1 GOOD_2, 2, 3,
     0},
    {"3DES, two keys", P2_CIPHER_3DES_CBC, P2_HASH_SHA1, false, GOOD_1 GOOD_2 GOOD_1, 0, ALWAYS, NOBODY},
    {"AES, all the same", P2_CIPHER_AES128_CBC, P2_HASH_SHA1, false, WEAK_1 WEAK_1, 0, ALWAYS, NOBODY},
};

static const struct row phase1[] = {
    {"DES, no good bytes", P2_CIPHER_DES_CBC, P2_HASH_MD5, true, WEAK_1 WEAK_2, 0, 1, 1},
    {"DES, no good bytes, at the initiator", P2_CIPHER_DES_CBC, P2_HASH_MD5, true, WEAK_1 WEAK_2, 1, 2, 0},
    {"DES, eight good bytes behind", P2_CIPHER_DES_CBC, P2_HASH_MD5, true, WEAK_1 GOOD_1, 0, ALWAYS, NOBODY},
    {"3DES, K1 = K2", P2_CIPHER_3DES_CBC, P2_HASH_SHA256, true, GOOD_1 GOOD_1 GOOD_2 GOOD_3, 0, 1, 1},
    {"3DES, K2 = K3, at the initiator", P2_CIPHER_3DES_CBC, P2_HASH_SHA256, true, GOOD_1 GOOD_2 GOOD_2 GOOD_3,
     1, 2, 0},
};

static struct sim_options options_for(const struct row *row, enum p2_phase1_mode mode)
{
    struct sim_options o = sim_defaults();
    for (int i = 0; i < 2; i++) {
        o.peer[i].phase1.mode = mode;
        o.tunnel[i].retry = RETRY;
        o.tunnel[i].policy.pfs = P2_GROUP_2;
        if (row->in_phase1) {
            o.peer[i].phase1.cipher = row->cipher;
            o.peer[i].phase1.hash = row->hash;
        } else {
            o.tunnel[i].policy.proposals[0].protocols[0].alternatives[0].cipher = row->cipher;
        }
    }
    return o;
}

/* The refuser names the key; the other end hears the notify: in Phase 1 in clear, which ends nothing that has
 * keys. */
static bool is_refused(struct sim *sim, const struct row *row)
{
    const struct ledger_entry *entry = row->in_phase1 ? sim_phase1(sim, 0) : sim_quick(sim, 0);
    const struct p2_negotiation *own = &entry->failures[row->refuser],
                                *others = &entry->failures[!row->refuser];
    return entry->failed[0] && entry->failed[1] && own->failure == P2_FAIL_INVALID_KEY_INFORMATION &&
           own->notify == P2_NOTIFY_INVALID_KEY_INFORMATION && !own->notify_received &&
           strcmp(own->field, "encryption-key") == 0 && strstr(own->offered, "weak key") &&
           names_its_source(own->rule) && others->failure == P2_FAIL_INVALID_KEY_INFORMATION &&
           others->notify_received && sim_failures(sim, 0) == 1 && sim_failures(sim, 1) == 1;
}

/* While chance is that bad nothing is installed; the next negotiation is agreed on. */
static void run_row(const struct row *row, enum p2_phase1_mode mode)
{
    struct sim_options o = options_for(row, mode);
    chance.key = row->key;
    chance.from = row->from;
    chance.to = row->to;
    chance.num = 0;
    chance.in_phase1 = row->in_phase1;
    struct sim *sim = sim_new(&o);
    sim_run(sim, P2_SECOND);
    bool right =
        sim_num_pairs(sim, 0) == (row->refuser == NOBODY) && sim_num_pairs(sim, 1) == sim_num_pairs(sim, 0);
    sim_run(sim, 100 * P2_SECOND);
    if (row->refuser == NOBODY)
        right = right && sim_failures(sim, 0) + sim_failures(sim, 1) == 0;
    else
        right = right && is_refused(sim, row);
    chance.key = NULL;
    CU_ASSERT_TRUE(right);
    if (!right)
        printf("\n      %s\n", row->name);
    CU_ASSERT_TRUE(sim_sadbs_equal(sim, 1));
    sim_check_traffic(sim);
    sim_free(sim);
}

static void quick_mode_refuses_them(void)
{
    for (size_t i = 0; i < sizeof quick / sizeof quick[0]; i++)
        run_row(&quick[i], P2_PHASE1_MAIN);
}

static void main_mode_refuses_them(void)
{
    for (size_t i = 0; i < sizeof phase1 / sizeof phase1[0]; i++)
        run_row(&phase1[i], P2_PHASE1_MAIN);
}

static void aggressive_mode_refuses_them(void)
{
    for (size_t i = 0; i < sizeof phase1 / sizeof phase1[0]; i++)
        run_row(&phase1[i], P2_PHASE1_AGGRESSIVE);
}

CHECK_MAIN("weak keys", {"DES has sixteen", des_has_sixteen},
           {"3DES has those that make it DES", triple_des_has_those_that_are_des},
           {"others have none", others_have_none},
           {"DES takes the first good eight bytes of SKEYID_e", des_takes_the_first_good_eight_bytes},
           {"Quick Mode refuses them", quick_mode_refuses_them},
           {"main mode refuses them", main_mode_refuses_them},
           {"aggressive mode refuses them", aggressive_mode_refuses_them})
