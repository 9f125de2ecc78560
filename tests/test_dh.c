#include "check.h"

#include "dh.h"

#include <gmp.h>

/* Hands out the given bytes one after another; what comes after the end is zeros. */
struct script {
    const uint8_t *bytes;
    size_t len;
    bool only_dh; /* cleared by a draw for anything else */
};

static void script_fill(void *ctx, enum p2_random_use use, uint8_t *out, size_t len)
{
    struct script *script = ctx;
    size_t given = len < script->len ? len : script->len;
    memset(out, 0, len);
    memcpy(out, script->bytes, given);
    script->bytes += given;
    script->len -= given;
    script->only_dh = script->only_dh && use == P2_RANDOM_DH;
}

static int generate_scripted(enum p2_group group, const uint8_t *bytes, size_t len, uint8_t *private_key,
                             uint8_t *public_key)
{
    struct script script = {bytes, len, true};
    int error = p2_dh_generate(group, (struct p2_random){script_fill, &script}, private_key, public_key);
    CU_ASSERT_TRUE(script.only_dh);
    return error;
}

struct exchange_case {
    enum p2_group group;
    const char *private_i, *private_r, *public_i, *public_r, *secret;
};

/* MODP: Python 3's pow(2, x, p), with p from the formulas of RFC 2409 section 6 and RFC 3526 and with the
 * private exponents SHA-256("phase2sim initiator group N") and SHA-256("phase2sim responder group N"). ECP:
 * the example of RFC 5903 section 8.1. */
static const struct exchange_case exchanges[] = {
    {P2_GROUP_1, "87bbaf8755bf2d42953a2571b534a4a60b7d1e0bb5303526e065efc662a08f8f",
     "b7907e53bee5529fc4c62bc5c73412b527f93a62610ee68c1b1073923329d59d",
     "60fff35e91f6ecdef58ed9f79e34f5667c3b724e7e0985c615e964db7cebdbe3b4fe153fa18c1783368ffab911f618d3"
     "5f36b1edec3d671ef9d744a4b2236a34c4da08d3fd6037b090aa2f279f6645cec1a41b4291a33156c69af8e4963cf171",
     "68509c99b9917e137f3252350c69adc85256bca8e60c76cd0d098c0a1e00d1ec74bb49ac0c86cdea5171fb872d6c055c"
     "16d11b86668e716ff43b566936cceed94db9170b7ff83abe7bda0ea17e0c0bf038b116c5437d9a0088eddf4777e353f9",
     "5816bc5bf0b342c73554a49db621911283f2f9f410da578891f4c1769fda0e24add8e45836a2470f2e8deb35aede9a29"
     "f2deab40d7597069fcbd5d02cfc7f8d5791f5219776ad526bb697c307f7bd8943f82f4288ba5f03ae3f3b93b48f944ef"},
    {P2_GROUP_2, "6ba0d25567bc9289fe1ec3ccedbc3f23992d607323d174b97aa2f2cc3374b957",
     "de0f8d739a562c6eb4e808b27b561ef3edefcfdc9072c71fd8e10069ffccfc6b",
     "13d79bb4ead8311f181a3a3ce5ac370d23f7bead28449ffd83cdae94b2a6189c05f2933cd3cf7c3d6f63c48506ca6960"
     "2d4dae1c5f16ef2d781270c7a3eec836c69d48e7be3666e71459d6bbb5be93cfac0746f42f4511bdae2fbd4d91b45af5"
     "d9e6c5ed7f712ce6f2469bd71273c8c99a1d00c1104d2f2426154d2d343d276b",
     "6ad81bca7f7e5d92134caa309e2dcb9a3d3ac0d94159d39440a18fb567d3151a70a1e9d11b0e590a37814c5a6538f3cf"
     "4767380a2ceb06aecdf3ea814de96167ac5f0b4360332ffd8a2ff71c768deadbcb50052623b51fe917e79abf4ba6cacb"
     "d3548cffb707a0824bd9ce7f557d651c9a25290dd39ab2c375b7d09e1929bdc2",
     "b84277d5e0cbf33ffb70b5525299fe507da533d7d388396d3a966945d81c55439bec824ad588343cd866df3ad17b727e"
     "e8bb7bbda498bf205a5b94618051dd4c1e2396eb0cd0c06c13220892aaddf0ee401e0d2c7f4a3a0bc9f997b307e9b9a3"
     "ebb5fce4ba61d35ee19b31f7cb97bc4919ee43a36d783f757851113132c2bc42"},
    {P2_GROUP_5, "80eb805bd688f36f3fbfc0d7af252f2d1348998f41790f4f330acb60330350ef",
     "f9a9c8d01426c32e6f519ce020388a7d437a7c39a54ba45edaab4f81c347ac4d",
     "372168f6142e06bb292b6cb67adcd82f01b0c59aac6c3c4cd63a4c1226c548d94c1eda6526fff48ccf6c4169ab6eca09"
     "8e49683571aa7b9f7bfa2cfe53761047491ce080e3e808db6ea81878f6e97c819ce031535a464d79ea3dd861ffae2c25"
     "cf5e064ecc2781c841bb9827dedf6d4656e800f50de07214377c3aeeee9704272520651e0b2cf245a8c6aa4cb8c190c9"
     "2a2377f4fef0b17d247318e9f9136acd1efde1a016d27c11963bdff63c59d9627925cea358f1379eb9273d47a47a544a",
     "1f1aa66e44f1297e3ddb66719758c722500c3defe0686c09087404e35d3cdf4bd90b6c58265d129106c873b3087de679"
     "2dae88a2d26f2b5c5ecb4c1c43743468d1f3978f961b9ee97b2c5e43be0cbb50538a2d70e74caf30126ea46365ae962a"
     "609c9431c1030a32b412ca38a95a94d629e0ab69f442147a8f9f8dfa822a89ab3aa679c7b719fc6c2355dc104045e137"
     "3875d7abe7a1d3aeccf998ebf2e8558d0dbf78bc0c8e9fd77ec64f3dd5787e7ea27a106a4987d776db5d9ff9b9074568",
     "9863c99991fb00130954664b252cf2a2b911c941a7cf45f999bda7f92220f598ec7335b1d64b1628ee35495057d66104"
     "ee1b6ec78cbb260736380c35a72359ba6316da0e6d83f9efbc22ee75245df26fe5073e2c8b19b9ab0e875ff2aa3113c3"
     "73cac7fb2115614623011f67b5bf501d2e14e6149c9f97f23a6cf0439a11c1fa8b3b28e305bf08e6d5caab0eacf568c5"
     "5d0782c2ac17c93a3302496a1de3a8384b34da44a49a6a8e0af92938ff4c1401a25c79e55248942c2549d724d849a738"},
    {P2_GROUP_14, "ef6d91431dfe24d812310cdcd79a377f61bc858d7b8c96a8f798c587e9f61bf2",
     "2513b51387cc6ef0446d30b654aa219885b3f6a43d39e7fcc7ea7f45edab1422",
     "8472120cb3b51af4e03494a445899bf560930e72c59f991dabf99ed2e49bc9b005581823475108576840ca4cb64f91ab"
     "0d31c54f24dffc801c37fb835c755c4918bc8777d1db14e4acf695faa9c5a193f71ca723fc0dec8c7e87522cababd558"
     "6b9773d93dfb0262132412fc77b66ede3a1cd944d265de36135dcac299858587ef7b48ebce5ddfa7c642b85d77699a8c"
     "011b574c75daac8d50860f15bafb9901031c602c61bdf5d95dfea2a77c4614ad1e3e490e9deeea64dcf263858fc7fd64"
     "8ea57acc534d41c6dde5eae05d9a121e0a40e7dc50cded53b5f0a7abbbebfae93ed62a7d82a393155b88d8efabdb1859"
     "f12de34208af8e90fe4946b9585fab08",
     "03c8246f8032d59c00eeceda5009f9b46d8accc27bd6ab3a7ef65c61e0f8ceca1cd17701bf4587388e6fc993fc806733"
     "6917c05fa31b653b2134d336546516288a314e0c478c60b2ec91036aaf915e6771821cf67eb7ce3bbcd2cbe0b8e7ed68"
     "44ec668c4062d14d3e145bca9bd4a18f03006ab8a08153236777808accd37def03e0526a7fc6746caed7776dfbd7a367"
     "9054768c4b82570e68f144082c84531efda0a41a3fb2f1bee3d6c500167aa4721dde7e0d949187656a14095c57ee0ad2"
     "08f4c3f3b20dd9c5a6024ff68c34b247dbf5ef0bfb08d877eb7385527f732409684cf2b8f71808428405bc7e0d376bad"
     "c267c66bc308601fa7f943149d8fd8bf",
     "c1be77bb84f103890280ff63b86399dd18b9f62833ef88b0312240920763eac15e2b9275350911c316c209df2fc46eec"
     "3f43d23badbdf211332a9c3153b32942d0f09c9fc084bc53a9d2eec32600d0c8b008f55c4abc9437bdc915c40719ef34"
     "d737d0e99163fafb0e36782272ab75286e37989eb33e748b101c85898f78e9de7b2f85f6839ffd1d105c5f44dcd5b12c"
     "2483aa7f9db88259b2991d4f0d8e4c7370c73afb946724c1bb115b983fb89a48364d19010c09beaeebde24afb8e8517f"
     "236b92d5668fc26ffc7d5cf64c20bf2a0f46cb7842329530b145baa79a6f147ebe6e06914e1103eb3e1305faef59d738"
     "4ec0ba3010d463daaf19efa6233ba9eb"},
    {P2_GROUP_19, "c88f01f510d9ac3f70a292daa2316de544e9aab8afe84049c62a9c57862d1433",
     "c6ef9c5d78ae012a011164acb397ce2088685d8f06bf9be0b283ab46476bee53",
     "dad0b65394221cf9b051e1feca5787d098dfe637fc90b9ef945d0c3772581180"
     "5271a0461cdb8252d61f1c456fa3e59ab1f45b33accf5f58389e0577b8990bb3",
     "d12dfb5289c8d4f81208b70270398c342296970a0bccb74c736fc7554494bf63"
     "56fbf3ca366cc23e8157854c13c58d6aac23f046ada30f8353e74f33039872ab",
     "d6840f6b42f6edafd13116e0e12565202fef8e9ece7dce03812464d04b9442de"},
};

/* One side of an exchange: draws the private value, then derives with the other's public value as it is in
 * the table. */
static void check_side(const struct exchange_case *c, const char *private_hex, const char *public_hex,
                       const char *peer_hex)
{
    const struct p2_group_info *info = p2_group_info(c->group);
    uint8_t drawn[P2_DH_MAX_PRIVATE], private_key[P2_DH_MAX_PRIVATE], public_key[P2_DH_MAX_LEN];
    uint8_t peer[P2_DH_MAX_LEN], secret[P2_DH_MAX_LEN];
    size_t drawn_len = check_unhex(private_hex, drawn, sizeof drawn);
    CU_ASSERT_EQUAL_FATAL(drawn_len, info->private_len);
    CU_ASSERT_EQUAL(generate_scripted(c->group, drawn, drawn_len, private_key, public_key), P2_OK);
    CHECK_HEX(private_key, info->private_len, private_hex);
    CHECK_HEX(public_key, info->public_len, public_hex);
    size_t peer_len = check_unhex(peer_hex, peer, sizeof peer);
    CU_ASSERT_EQUAL(p2_dh_derive(c->group, private_key, peer, peer_len, secret), P2_OK);
    CHECK_HEX(secret, info->secret_len, c->secret);
}

static void known_answers(void)
{
    for (size_t i = 0; i < sizeof exchanges / sizeof exchanges[0]; i++) {
        const struct exchange_case *c = &exchanges[i];
        check_side(c, c->private_i, c->public_i, c->public_r);
        check_side(c, c->private_r, c->public_r, c->public_i);
    }
}

struct modp_case {
    enum p2_group group;
    unsigned bits, k;
};

/* p = 2^n - 2^(n-64) - 1 + 2^64 (floor(2^(n-130) pi) + k): RFC 2409 sections 6.1, 6.2; RFC 3526 sections
 * 2, 3. */
static const struct modp_case modp[] = {
    {P2_GROUP_1, 768, 149686},
    {P2_GROUP_2, 1024, 129093},
    {P2_GROUP_5, 1536, 741804},
    {P2_GROUP_14, 2048, 124476},
};

#define NUM_MODP (sizeof modp / sizeof modp[0])

/* sum += factor 2^bits arctan(1/x), by Gregory's series. */
static void add_arctan(mpz_t sum, long factor, unsigned long x, unsigned bits)
{
    mpz_t power, term;
    mpz_init_set_ui(power, 1);
    mpz_init(term);
    mpz_mul_2exp(power, power, bits);
    mpz_mul_si(power, power, factor);
    mpz_tdiv_q_ui(power, power, x);
    for (unsigned long n = 1; mpz_sgn(power) != 0; n += 2) {
        mpz_tdiv_q_ui(term, power, n);
        if (n % 4 == 1)
            mpz_add(sum, sum, term);
        else
            mpz_sub(sum, sum, term);
        mpz_tdiv_q_ui(power, power, x * x);
    }
    mpz_clear(power);
    mpz_clear(term);
}

/* Machin: pi = 16 arctan(1/5) - 4 arctan(1/239). The 64 bits of guard swallow the rounding of the series. */
static void prime_by_formula(mpz_t p, const struct modp_case *c)
{
    mpz_t power;
    unsigned bits = c->bits - 130 + 64;
    mpz_init(power);
    mpz_set_ui(p, 0);
    add_arctan(p, 16, 5, bits);
    add_arctan(p, -4, 239, bits);
    mpz_fdiv_q_2exp(p, p, 64);
    mpz_add_ui(p, p, c->k);
    mpz_mul_2exp(p, p, 64);
    mpz_ui_pow_ui(power, 2, c->bits);
    mpz_add(p, p, power);
    mpz_ui_pow_ui(power, 2, c->bits - 64);
    mpz_sub(p, p, power);
    mpz_sub_ui(p, p, 1);
    mpz_clear(power);
}

static void to_bytes(uint8_t *out, size_t len, const mpz_t z)
{
    size_t used = (mpz_sizeinbase(z, 2) + 7) / 8;
    memset(out, 0, len);
    CU_ASSERT_FATAL(mpz_sgn(z) == 0 || used <= len);
    if (mpz_sgn(z) != 0)
        mpz_export(out + len - used, NULL, 1, 1, 1, 0, z);
}

/* With the exponent n itself, 2^n mod p is 2^n - p, which gives the module's own prime away. Its first 8
 * bytes are zeros in every one of these groups, and they have to be there (RFC 2409 section 5). */
static void primes_are_those_of_the_rfcs(void)
{
    for (size_t i = 0; i < NUM_MODP; i++) {
        size_t len = p2_group_info(modp[i].group)->public_len;
        uint8_t exponent[32] = {0}, private_key[P2_DH_MAX_PRIVATE], public_key[P2_DH_MAX_LEN],
                expected[P2_DH_MAX_LEN];
        mpz_t p, z;
        mpz_init(p);
        mpz_init(z);
        prime_by_formula(p, &modp[i]);
        CU_ASSERT_EQUAL(mpz_sizeinbase(p, 2), modp[i].bits);
        CU_ASSERT_EQUAL(len, modp[i].bits / 8);
        CU_ASSERT(mpz_probab_prime_p(p, 25) > 0);
        mpz_fdiv_q_2exp(z, p, 1);
        CU_ASSERT(mpz_probab_prime_p(z, 25) > 0);

        exponent[30] = (uint8_t)(modp[i].bits >> 8);
        exponent[31] = (uint8_t)modp[i].bits;
        CU_ASSERT_EQUAL(generate_scripted(modp[i].group, exponent, 32, private_key, public_key), P2_OK);
        mpz_ui_pow_ui(z, 2, modp[i].bits);
        mpz_sub(z, z, p);
        to_bytes(expected, len, z);
        CU_ASSERT_EQUAL(memcmp(public_key, expected, len), 0);
        CHECK_HEX(public_key, 9, "0000000000000000 36");
        mpz_clear(z);
        mpz_clear(p);
    }
}

/* The same power as a secret, of a peer whose public value is 2. Written out for group 1: 2^768 - p by
 * Python 3. */
static void modp_secret_keeps_leading_zeros(void)
{
    uint8_t exponent[32] = {[30] = 3}, two[96] = {[95] = 2}, secret[96];
    CU_ASSERT_EQUAL(p2_dh_derive(P2_GROUP_1, exponent, two, sizeof two, secret), P2_OK);
    CHECK_HEX(secret, sizeof secret,
              "000000000000000036f0255dde973dcb3b399d747f23e32ed6fdb1f77598338bfdf44159c4ec64dd"
              "aeb5f78671cbfb22106ae64c32c5bce4cfd4f5920da0ebc8b01eca9292ae3dba1b7a4a899da18139"
              "0bb3bd1659c5c9df0000000000000001");
}

#define P256_G                                                                                               \
    "6b17d1f2e12c4247f8bce6e563a440f277037d812deb33a0f4a13945d898c296"                                       \
    "4fe342e2fe1a7f9b8ee7eb4a7c0f9e162bce33576b315ececbb6406837bf51f5"

/* 379 is the first multiple of the base point whose x begins with a zero byte, 43 the first whose y does.
 * Found and computed with the affine formulas in Python 3. */
static void ecp_keeps_leading_zeros(void)
{
    uint8_t scalar[32] = {[30] = 379 >> 8, [31] = 379 & 0xff};
    uint8_t private_key[P2_DH_MAX_PRIVATE], public_key[P2_DH_MAX_LEN], base[64], secret[32];
    CU_ASSERT_EQUAL(generate_scripted(P2_GROUP_19, scalar, 32, private_key, public_key), P2_OK);
    CHECK_HEX(public_key, 64,
              "005543894af3d00ed7d740abdbd75c96b06877b787db5f70eea78b90a8d7c00a"
              "bb4c85a3d8ea29efaafa24406912dd84d5b14dc32bf656ef6c6bd58a5d943f92");
    check_unhex(P256_G, base, sizeof base);
    CU_ASSERT_EQUAL(p2_dh_derive(P2_GROUP_19, scalar, base, 64, secret), P2_OK);
    CHECK_HEX(secret, 32, "005543894af3d00ed7d740abdbd75c96b06877b787db5f70eea78b90a8d7c00a");

    uint8_t scalar_43[32] = {[31] = 43};
    CU_ASSERT_EQUAL(generate_scripted(P2_GROUP_19, scalar_43, 32, private_key, public_key), P2_OK);
    CHECK_HEX(public_key, 64,
              "986ae2506f1ff104d04230861d8f4b498f4bc4c6d009b30f7544dc129b82d28d"
              "003cccc0a6460e0ae328a4d97d3c7b61d86fc6289c189f2525110c441bb07e97");
}

/* Out-of-range values around both ends, and their neighbours that are allowed. */
static void modp_refuses_values_out_of_range(void)
{
    static const struct {
        bool from_p;
        int offset, expected;
    } values[] = {
        {false, 0, P2_ERR_PEER_VALUE},
        {false, 1, P2_ERR_PEER_VALUE},
        {false, 2, P2_OK},
        {true, -2, P2_OK},
        {true, -1, P2_ERR_PEER_VALUE},
        {true, 0, P2_ERR_PEER_VALUE},
        {true, 1, P2_ERR_PEER_VALUE},
        {true, 2, P2_ERR_PEER_VALUE},
    };
    uint8_t private_key[32] = {[31] = 5}, peer[P2_DH_MAX_LEN], secret[P2_DH_MAX_LEN];
    for (size_t i = 0; i < NUM_MODP; i++) {
        size_t len = p2_group_info(modp[i].group)->public_len;
        mpz_t z;
        mpz_init(z);
        for (size_t v = 0; v < sizeof values / sizeof values[0]; v++) {
            if (values[v].from_p)
                prime_by_formula(z, &modp[i]);
            else
                mpz_set_ui(z, 0);
            if (values[v].offset < 0)
                mpz_sub_ui(z, z, (unsigned long)-values[v].offset);
            else
                mpz_add_ui(z, z, (unsigned long)values[v].offset);
            to_bytes(peer, len, z);
            CU_ASSERT_EQUAL(p2_dh_derive(modp[i].group, private_key, peer, len, secret), values[v].expected);
        }
        memset(peer, 0xff, len);
        CU_ASSERT_EQUAL(p2_dh_derive(modp[i].group, private_key, peer, len, secret), P2_ERR_PEER_VALUE);
        mpz_clear(z);
    }
}

static void wrong_length_is_refused(void)
{
    uint8_t private_key[P2_DH_MAX_PRIVATE], public_key[P2_DH_MAX_LEN], secret[P2_DH_MAX_LEN];
    uint8_t longer[P2_DH_MAX_LEN + 1] = {0};
    for (size_t i = 0; p2_group_at(i); i++) {
        const struct p2_group_info *info = p2_group_at(i);
        struct test_random state = {.seed = i};
        CU_ASSERT_EQUAL(p2_dh_generate(info->group, test_random(&state), private_key, public_key), P2_OK);
        CU_ASSERT_EQUAL(p2_dh_derive(info->group, private_key, public_key, info->public_len, secret), P2_OK);
        CU_ASSERT_EQUAL(p2_dh_derive(info->group, private_key, public_key, 0, secret), P2_ERR_PEER_VALUE);
        CU_ASSERT_EQUAL(p2_dh_derive(info->group, private_key, public_key, info->public_len - 1, secret),
                        P2_ERR_PEER_VALUE);
        /* The same number with one more leading zero. */
        memcpy(longer + 1, public_key, info->public_len);
        CU_ASSERT_EQUAL(p2_dh_derive(info->group, private_key, longer, info->public_len + 1, secret),
                        P2_ERR_PEER_VALUE);
    }
}

static void ecp_refuses_what_is_not_a_point(void)
{
    static const char *const bad[] = {
        "0000000000000000000000000000000000000000000000000000000000000000"
        "0000000000000000000000000000000000000000000000000000000000000000",
        "6b17d1f2e12c4247f8bce6e563a440f277037d812deb33a0f4a13945d898c296"
        "4fe342e2fe1a7f9b8ee7eb4a7c0f9e162bce33576b315ececbb6406837bf51f4",
        "6b17d1f2e12c4247f8bce6e563a440f277037d812deb33a0f4a13945d898c297"
        "4fe342e2fe1a7f9b8ee7eb4a7c0f9e162bce33576b315ececbb6406837bf51f5",
        "6b17d1f2e12c4247f8bce6e563a440f277037d812deb33a0f4a13945d898c296"
        "0000000000000000000000000000000000000000000000000000000000000000",
        "ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff"
        "ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff",
        /* x = p (FIPS 186-4 section D.1.2.3), y a square root of b, by Python 3: on the curve if x were
           reduced. */
        "ffffffff00000001000000000000000000000000ffffffffffffffffffffffff"
        "66485c780e2f83d72433bd5d84a06bb6541c2af31dae871728bf856a174f93f4",
    };
    uint8_t private_key[32] = {[31] = 5}, peer[64], secret[32];
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        size_t len = check_unhex(bad[i], peer, sizeof peer);
        CU_ASSERT_EQUAL(p2_dh_derive(P2_GROUP_19, private_key, peer, len, secret), P2_ERR_PEER_VALUE);
    }
}

/* n, the order of the base point: FIPS 186-4 section D.1.2.3. */
#define P256_ORDER "ffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551"
#define ZERO_32    "0000000000000000000000000000000000000000000000000000000000000000"

/* The first draws are n, 0 and 2^256 - 1; then comes 1, whose public value is the base point. */
static void ecp_draws_again_until_in_range(void)
{
    uint8_t draws[128], private_key[P2_DH_MAX_PRIVATE], public_key[P2_DH_MAX_LEN];
    size_t len =
        check_unhex(P256_ORDER ZERO_32 "ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff"
                                       "0000000000000000000000000000000000000000000000000000000000000001",
                    draws, sizeof draws);
    CU_ASSERT_EQUAL(generate_scripted(P2_GROUP_19, draws, len, private_key, public_key), P2_OK);
    CHECK_HEX(private_key, 32, "0000000000000000000000000000000000000000000000000000000000000001");
    CHECK_HEX(public_key, 64, P256_G);

    /* n - 1 is the largest scalar: minus the base point. */
    check_unhex(P256_ORDER, draws, sizeof draws);
    draws[31]--;
    CU_ASSERT_EQUAL(generate_scripted(P2_GROUP_19, draws, 32, private_key, public_key), P2_OK);
    CHECK_HEX(public_key, 64,
              "6b17d1f2e12c4247f8bce6e563a440f277037d812deb33a0f4a13945d898c296"
              "b01cbd1c01e58065711814b583f061e9d431cca994cea1313449bf97c840ae0a");
}

/* A source that gives nothing but zeros is an error, neither a key nor an endless loop. */
static void broken_randomness_is_an_error(void)
{
    uint8_t private_key[P2_DH_MAX_PRIVATE], public_key[P2_DH_MAX_LEN];
    for (size_t i = 0; p2_group_at(i); i++) {
        const uint8_t nothing = 0;
        CU_ASSERT_EQUAL(generate_scripted(p2_group_at(i)->group, &nothing, 1, private_key, public_key),
                        P2_ERR_CRYPTO);
    }
}

static void bad_private_value_is_an_error(void)
{
    uint8_t private_key[32], peer[64], secret[32];
    check_unhex(P256_G, peer, sizeof peer);
    check_unhex(P256_ORDER, private_key, sizeof private_key);
    CU_ASSERT_EQUAL(p2_dh_derive(P2_GROUP_19, private_key, peer, sizeof peer, secret), P2_ERR_CRYPTO);
}

static void both_sides_agree(void)
{
    for (size_t i = 0; p2_group_at(i); i++) {
        const struct p2_group_info *info = p2_group_at(i);
        struct test_random state = {.seed = 100 + i};
        uint8_t private_i[P2_DH_MAX_PRIVATE], private_r[P2_DH_MAX_PRIVATE];
        uint8_t public_i[P2_DH_MAX_LEN], public_r[P2_DH_MAX_LEN], secret_i[P2_DH_MAX_LEN],
            secret_r[P2_DH_MAX_LEN];
        CU_ASSERT_EQUAL(p2_dh_generate(info->group, test_random(&state), private_i, public_i), P2_OK);
        CU_ASSERT_EQUAL(p2_dh_generate(info->group, test_random(&state), private_r, public_r), P2_OK);
        CU_ASSERT_EQUAL(p2_dh_derive(info->group, private_i, public_r, info->public_len, secret_i), P2_OK);
        CU_ASSERT_EQUAL(p2_dh_derive(info->group, private_r, public_i, info->public_len, secret_r), P2_OK);
        CU_ASSERT_EQUAL(memcmp(secret_i, secret_r, info->secret_len), 0);
        CU_ASSERT_NOT_EQUAL(memcmp(public_i, public_r, info->public_len), 0);
    }
}

static void table(void)
{
    static const enum p2_group order[] = {P2_GROUP_1, P2_GROUP_2, P2_GROUP_5, P2_GROUP_14, P2_GROUP_19};
    size_t num_groups = sizeof order / sizeof order[0];
    for (size_t i = 0; i < num_groups; i++) {
        const struct p2_group_info *info = p2_group_at(i);
        CU_ASSERT_PTR_NOT_NULL_FATAL(info);
        CU_ASSERT_EQUAL(info->group, order[i]);
        CU_ASSERT_PTR_EQUAL(p2_group_info(order[i]), info);
        CU_ASSERT_EQUAL(p2_group_by_name(info->name), order[i]);
        CU_ASSERT(info->public_len <= P2_DH_MAX_LEN && info->secret_len <= P2_DH_MAX_LEN);
        CU_ASSERT(info->private_len <= P2_DH_MAX_PRIVATE);
    }
    CU_ASSERT_PTR_NULL(p2_group_at(num_groups));
    CU_ASSERT_PTR_NULL(p2_group_info(P2_GROUP_NONE));
    CU_ASSERT_PTR_NULL(p2_group_info((enum p2_group)3));
    CU_ASSERT_EQUAL(p2_group_by_name("none"), P2_GROUP_NONE);
    CU_ASSERT_EQUAL(p2_group_by_name("group3"), P2_GROUP_NONE);
}

CHECK_MAIN("dh", {"known answers", known_answers},
           {"primes are those of the RFCs", primes_are_those_of_the_rfcs},
           {"MODP secret keeps leading zeros", modp_secret_keeps_leading_zeros},
           {"ECP keeps leading zeros", ecp_keeps_leading_zeros},
           {"MODP refuses values out of range", modp_refuses_values_out_of_range},
           {"wrong length is refused", wrong_length_is_refused},
           {"ECP refuses what is not a point", ecp_refuses_what_is_not_a_point},
           {"ECP draws again until in range", ecp_draws_again_until_in_range},
           {"broken randomness is an error", broken_randomness_is_an_error},
           {"bad private value is an error", bad_private_value_is_an_error},
           {"both sides agree", both_sides_agree}, {"table", table})
