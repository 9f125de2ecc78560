#include "primes.h"

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

static const struct exchange_case exchanges[] = {
#include "vectors/dh_exchanges.inc"
};

/* One side of an exchange: draws the private value, then derives with the other's public value as it is in
 * the table. */
static void check_side(const struct exchange_case *c, const char *private_hex, const char *public_hex,
                       const char *peer_hex)
{
    const struct p2_group_info *info = p2_group_of(c->group);
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

/* With the exponent n itself, 2^n mod p is 2^n - p, which gives the module's own prime away. Its first 8
 * bytes are zeros in every one of these groups, and they have to be there (RFC 2409 section 5). */
static void primes_are_those_of_the_rfcs(void)
{
    for (size_t i = 0; i < NUM_MODP; i++) {
        size_t len = p2_group_of(modp[i].group)->public_len;
        size_t private_len = p2_group_of(modp[i].group)->private_len;
        uint8_t exponent[P2_DH_MAX_PRIVATE] = {0}, private_key[P2_DH_MAX_PRIVATE], public_key[P2_DH_MAX_LEN],
                expected[P2_DH_MAX_LEN];
        mpz_t p, z;
        mpz_init(p);
        mpz_init(z);
        prime_by_formula(p, &modp[i]);
        CU_ASSERT_EQUAL(mpz_sizeinbase(p, 2), modp[i].bits);
        CU_ASSERT_EQUAL(len, modp[i].bits / 8);
        /* 26 is GMP's Baillie-PSW and two rounds of Miller-Rabin, which is plenty for what no enemy chose. */
        CU_ASSERT(mpz_probab_prime_p(p, 26) > 0);
        mpz_fdiv_q_2exp(z, p, 1);
        CU_ASSERT(mpz_probab_prime_p(z, 26) > 0);

        exponent[private_len - 2] = (uint8_t)(modp[i].bits >> 8);
        exponent[private_len - 1] = (uint8_t)modp[i].bits;
        CU_ASSERT_EQUAL(generate_scripted(modp[i].group, exponent, private_len, private_key, public_key),
                        P2_OK);
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
    uint8_t private_key[P2_DH_MAX_PRIVATE], peer[P2_DH_MAX_LEN], secret[P2_DH_MAX_LEN];
    memset(private_key, 5, sizeof private_key);
    for (size_t i = 0; i < NUM_MODP; i++) {
        size_t len = p2_group_of(modp[i].group)->public_len;
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

/* --- group 24 --- */

/* RFC 5114 section 2.3. */
#define Q_24 "8cf83642a709a097b447997640129da299b1a47d1eb3750ba308b0fe64f5fbd3"

/* The generator comes out as the public value of 1; it has order q, q is prime and divides p - 1, and p is
 * prime.
 */
static void group_24_is_what_rfc_5114_says(void)
{
    uint8_t one[32] = {[31] = 1}, private_key[P2_DH_MAX_PRIVATE], public_key[P2_DH_MAX_LEN];
    mpz_t p, q, g, z;
    CU_ASSERT_EQUAL(generate_scripted(P2_GROUP_24, one, 32, private_key, public_key), P2_OK);
    mpz_init_set_str(p, P_24, 16);
    mpz_init_set_str(q, Q_24, 16);
    mpz_init(g);
    mpz_init(z);
    mpz_import(g, 256, 1, 1, 1, 0, public_key);
    mpz_powm(z, g, q, p);
    CU_ASSERT(mpz_cmp_ui(g, 1) > 0 && mpz_cmp_ui(z, 1) == 0);
    CU_ASSERT(mpz_probab_prime_p(p, 26) > 0 && mpz_probab_prime_p(q, 26) > 0);
    mpz_sub_ui(z, p, 1);
    CU_ASSERT_TRUE(mpz_divisible_p(z, q));
    mpz_clears(p, q, g, z, NULL);
}

/* Not in the subgroup: 0, 1 (in it, and of no use), 2, p - 1, a member plus one, twice
 * a member, p minus a member. A member is taken, and so is its square. */
static void group_24_refuses_what_is_not_in_the_subgroup(void)
{
    uint8_t five[32] = {[31] = 5}, one[32] = {[31] = 1}, private_key[32], g_bytes[256], peer[256],
            secret[256];
    mpz_t p, g, z;
    CU_ASSERT_EQUAL(generate_scripted(P2_GROUP_24, one, 32, private_key, g_bytes), P2_OK);
    mpz_init_set_str(p, P_24, 16);
    mpz_init(g);
    mpz_init(z);
    mpz_import(g, 256, 1, 1, 1, 0, g_bytes);
    const struct {
        int factor; /* of g; 0: none */
        unsigned plus;
        int expected;
    } rows[] = {
        {0, 0, P2_ERR_PEER_VALUE}, {0, 1, P2_ERR_PEER_VALUE}, {0, 2, P2_ERR_PEER_VALUE},  {1, 0, P2_OK},
        {1, 1, P2_ERR_PEER_VALUE}, {2, 0, P2_ERR_PEER_VALUE}, {-1, 0, P2_ERR_PEER_VALUE},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        mpz_mul_si(z, g, rows[i].factor);
        mpz_add_ui(z, z, rows[i].plus);
        mpz_mod(z, z, p);
        to_bytes(peer, 256, z);
        CU_ASSERT_EQUAL(p2_dh_derive(P2_GROUP_24, five, peer, 256, secret), rows[i].expected);
    }
    mpz_powm_ui(z, g, 2, p);
    to_bytes(peer, 256, z);
    CU_ASSERT_EQUAL(p2_dh_derive(P2_GROUP_24, five, peer, 256, secret), P2_OK);
    mpz_sub_ui(z, p, 1);
    to_bytes(peer, 256, z);
    CU_ASSERT_EQUAL(p2_dh_derive(P2_GROUP_24, five, peer, 256, secret), P2_ERR_PEER_VALUE);
    mpz_clears(p, g, z, NULL);
}

/* q, 0 and 2^256 - 1 are drawn again; q itself is refused as a private value. */
static void group_24_draws_again_until_below_q(void)
{
    uint8_t draws[128], private_key[P2_DH_MAX_PRIVATE], public_key[P2_DH_MAX_LEN], secret[256];
    size_t len = check_unhex(Q_24 ZERO_32 "ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff"
                                          "0000000000000000000000000000000000000000000000000000000000000007",
                             draws, sizeof draws);
    CU_ASSERT_EQUAL(generate_scripted(P2_GROUP_24, draws, len, private_key, public_key), P2_OK);
    CHECK_HEX(private_key, 32, "0000000000000000000000000000000000000000000000000000000000000007");
    CU_ASSERT_EQUAL(p2_dh_derive(P2_GROUP_24, draws, public_key, 256, secret), P2_ERR_CRYPTO);
}

/* P-521's order has 521 bits: the upper 7 bits of what is drawn are cleared instead of being drawn again. */
static void p521_uses_one_bit_of_the_first_byte(void)
{
    uint8_t draw[66], private_key[P2_DH_MAX_PRIVATE], public_key[P2_DH_MAX_LEN], same[P2_DH_MAX_LEN];
    memset(draw, 0x33, sizeof draw);
    draw[0] = 0xfe;
    CU_ASSERT_EQUAL(generate_scripted(P2_GROUP_21, draw, 66, private_key, public_key), P2_OK);
    CU_ASSERT(private_key[0] == 0 && memcmp(private_key + 1, draw + 1, 65) == 0);
    draw[0] = 0;
    CU_ASSERT_EQUAL(generate_scripted(P2_GROUP_21, draw, 66, private_key, same), P2_OK);
    CU_ASSERT_EQUAL(memcmp(public_key, same, 132), 0);
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
    static const enum p2_group order[] = {P2_GROUP_1,  P2_GROUP_2,  P2_GROUP_5,  P2_GROUP_14, P2_GROUP_15,
                                          P2_GROUP_16, P2_GROUP_19, P2_GROUP_20, P2_GROUP_21, P2_GROUP_24};
    size_t num_groups = sizeof order / sizeof order[0];
    for (size_t i = 0; i < num_groups; i++) {
        const struct p2_group_info *info = p2_group_at(i);
        CU_ASSERT_PTR_NOT_NULL_FATAL(info);
        CU_ASSERT_EQUAL(info->group, order[i]);
        CU_ASSERT_PTR_EQUAL(p2_group_of(order[i]), info);
        CU_ASSERT_EQUAL(p2_group_by_name(info->name), order[i]);
        CU_ASSERT(info->public_len <= P2_DH_MAX_LEN && info->secret_len <= P2_DH_MAX_LEN);
        CU_ASSERT(info->private_len <= P2_DH_MAX_PRIVATE);
    }
    CU_ASSERT_PTR_NULL(p2_group_at(num_groups));
    CU_ASSERT_PTR_NULL(p2_group_of(P2_GROUP_NONE));
    CU_ASSERT_PTR_NULL(p2_group_of((enum p2_group)3));
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
           {"group 24 is what RFC 5114 says", group_24_is_what_rfc_5114_says},
           {"group 24 refuses what is not in the subgroup", group_24_refuses_what_is_not_in_the_subgroup},
           {"group 24 draws again until below q", group_24_draws_again_until_below_q},
           {"P-521 uses one bit of the first byte", p521_uses_one_bit_of_the_first_byte},
           {"both sides agree", both_sides_agree}, {"table", table})
