#include "dh.h"

#include "hash.h"

#include <gmp.h>
#include <nettle/bignum.h>
#include <nettle/ecc-curve.h>
#include <nettle/ecc.h>

#include <assert.h>
#include <string.h>

struct group_row {
    struct p2_group_info info;
    const uint64_t *prime;     /* MODP: most significant word first */
    const uint64_t *generator; /* MODP: as long as the prime; NULL: 2 */
    const uint64_t *order;     /* MODP: of the subgroup, private_len bytes; NULL: (p-1)/2, p is safe */
    const struct ecc_curve *(*curve)(void); /* ECP */
};

#define MODP_GENERATOR 2

/* Every one of these primes but the last is 2^n - 2^(n-64) - 1 + 2^64 (floor(2^(n-130) pi) + k). */

/* RFC 2409 section 6.1, k = 149686 */
static const uint64_t prime_768[] = {
    0xFFFFFFFFFFFFFFFF, 0xC90FDAA22168C234, 0xC4C6628B80DC1CD1, 0x29024E088A67CC74,
    0x020BBEA63B139B22, 0x514A08798E3404DD, 0xEF9519B3CD3A431B, 0x302B0A6DF25F1437,
    0x4FE1356D6D51C245, 0xE485B576625E7EC6, 0xF44C42E9A63A3620, 0xFFFFFFFFFFFFFFFF,
};

/* RFC 2409 section 6.2, k = 129093 */
static const uint64_t prime_1024[] = {
    0xFFFFFFFFFFFFFFFF, 0xC90FDAA22168C234, 0xC4C6628B80DC1CD1, 0x29024E088A67CC74,
    0x020BBEA63B139B22, 0x514A08798E3404DD, 0xEF9519B3CD3A431B, 0x302B0A6DF25F1437,
    0x4FE1356D6D51C245, 0xE485B576625E7EC6, 0xF44C42E9A637ED6B, 0x0BFF5CB6F406B7ED,
    0xEE386BFB5A899FA5, 0xAE9F24117C4B1FE6, 0x49286651ECE65381, 0xFFFFFFFFFFFFFFFF,
};

/* RFC 3526 section 2, k = 741804 */
static const uint64_t prime_1536[] = {
    0xFFFFFFFFFFFFFFFF, 0xC90FDAA22168C234, 0xC4C6628B80DC1CD1, 0x29024E088A67CC74, 0x020BBEA63B139B22,
    0x514A08798E3404DD, 0xEF9519B3CD3A431B, 0x302B0A6DF25F1437, 0x4FE1356D6D51C245, 0xE485B576625E7EC6,
    0xF44C42E9A637ED6B, 0x0BFF5CB6F406B7ED, 0xEE386BFB5A899FA5, 0xAE9F24117C4B1FE6, 0x49286651ECE45B3D,
    0xC2007CB8A163BF05, 0x98DA48361C55D39A, 0x69163FA8FD24CF5F, 0x83655D23DCA3AD96, 0x1C62F356208552BB,
    0x9ED529077096966D, 0x670C354E4ABC9804, 0xF1746C08CA237327, 0xFFFFFFFFFFFFFFFF,
};

/* RFC 3526 section 3, k = 124476 */
static const uint64_t prime_2048[] = {
    0xFFFFFFFFFFFFFFFF, 0xC90FDAA22168C234, 0xC4C6628B80DC1CD1, 0x29024E088A67CC74, 0x020BBEA63B139B22,
    0x514A08798E3404DD, 0xEF9519B3CD3A431B, 0x302B0A6DF25F1437, 0x4FE1356D6D51C245, 0xE485B576625E7EC6,
    0xF44C42E9A637ED6B, 0x0BFF5CB6F406B7ED, 0xEE386BFB5A899FA5, 0xAE9F24117C4B1FE6, 0x49286651ECE45B3D,
    0xC2007CB8A163BF05, 0x98DA48361C55D39A, 0x69163FA8FD24CF5F, 0x83655D23DCA3AD96, 0x1C62F356208552BB,
    0x9ED529077096966D, 0x670C354E4ABC9804, 0xF1746C08CA18217C, 0x32905E462E36CE3B, 0xE39E772C180E8603,
    0x9B2783A2EC07A28F, 0xB5C55DF06F4C52C9, 0xDE2BCBF695581718, 0x3995497CEA956AE5, 0x15D2261898FA0510,
    0x15728E5A8AACAA68, 0xFFFFFFFFFFFFFFFF,
};

/* RFC 3526 section 4, k = 1690314 */
static const uint64_t prime_3072[] = {
    0xFFFFFFFFFFFFFFFF, 0xC90FDAA22168C234, 0xC4C6628B80DC1CD1, 0x29024E088A67CC74, 0x020BBEA63B139B22,
    0x514A08798E3404DD, 0xEF9519B3CD3A431B, 0x302B0A6DF25F1437, 0x4FE1356D6D51C245, 0xE485B576625E7EC6,
    0xF44C42E9A637ED6B, 0x0BFF5CB6F406B7ED, 0xEE386BFB5A899FA5, 0xAE9F24117C4B1FE6, 0x49286651ECE45B3D,
    0xC2007CB8A163BF05, 0x98DA48361C55D39A, 0x69163FA8FD24CF5F, 0x83655D23DCA3AD96, 0x1C62F356208552BB,
    0x9ED529077096966D, 0x670C354E4ABC9804, 0xF1746C08CA18217C, 0x32905E462E36CE3B, 0xE39E772C180E8603,
    0x9B2783A2EC07A28F, 0xB5C55DF06F4C52C9, 0xDE2BCBF695581718, 0x3995497CEA956AE5, 0x15D2261898FA0510,
    0x15728E5A8AAAC42D, 0xAD33170D04507A33, 0xA85521ABDF1CBA64, 0xECFB850458DBEF0A, 0x8AEA71575D060C7D,
    0xB3970F85A6E1E4C7, 0xABF5AE8CDB0933D7, 0x1E8C94E04A25619D, 0xCEE3D2261AD2EE6B, 0xF12FFA06D98A0864,
    0xD87602733EC86A64, 0x521F2B18177B200C, 0xBBE117577A615D6C, 0x770988C0BAD946E2, 0x08E24FA074E5AB31,
    0x43DB5BFCE0FD108E, 0x4B82D120A93AD2CA, 0xFFFFFFFFFFFFFFFF,
};

/* RFC 3526 section 5, k = 240904 */
static const uint64_t prime_4096[] = {
    0xFFFFFFFFFFFFFFFF, 0xC90FDAA22168C234, 0xC4C6628B80DC1CD1, 0x29024E088A67CC74, 0x020BBEA63B139B22,
    0x514A08798E3404DD, 0xEF9519B3CD3A431B, 0x302B0A6DF25F1437, 0x4FE1356D6D51C245, 0xE485B576625E7EC6,
    0xF44C42E9A637ED6B, 0x0BFF5CB6F406B7ED, 0xEE386BFB5A899FA5, 0xAE9F24117C4B1FE6, 0x49286651ECE45B3D,
    0xC2007CB8A163BF05, 0x98DA48361C55D39A, 0x69163FA8FD24CF5F, 0x83655D23DCA3AD96, 0x1C62F356208552BB,
    0x9ED529077096966D, 0x670C354E4ABC9804, 0xF1746C08CA18217C, 0x32905E462E36CE3B, 0xE39E772C180E8603,
    0x9B2783A2EC07A28F, 0xB5C55DF06F4C52C9, 0xDE2BCBF695581718, 0x3995497CEA956AE5, 0x15D2261898FA0510,
    0x15728E5A8AAAC42D, 0xAD33170D04507A33, 0xA85521ABDF1CBA64, 0xECFB850458DBEF0A, 0x8AEA71575D060C7D,
    0xB3970F85A6E1E4C7, 0xABF5AE8CDB0933D7, 0x1E8C94E04A25619D, 0xCEE3D2261AD2EE6B, 0xF12FFA06D98A0864,
    0xD87602733EC86A64, 0x521F2B18177B200C, 0xBBE117577A615D6C, 0x770988C0BAD946E2, 0x08E24FA074E5AB31,
    0x43DB5BFCE0FD108E, 0x4B82D120A9210801, 0x1A723C12A787E6D7, 0x88719A10BDBA5B26, 0x99C327186AF4E23C,
    0x1A946834B6150BDA, 0x2583E9CA2AD44CE8, 0xDBBBC2DB04DE8EF9, 0x2E8EFC141FBECAA6, 0x287C59474E6BC05D,
    0x99B2964FA090C3A2, 0x233BA186515BE7ED, 0x1F612970CEE2D7AF, 0xB81BDD762170481C, 0xD0069127D5B05AA9,
    0x93B4EA988D8FDDC1, 0x86FFB7DC90A6C08F, 0x4DF435C934063199, 0xFFFFFFFFFFFFFFFF,
};

/* RFC 5114 section 2.3: a prime p of 2,048 bits, and a generator g whose powers are a subgroup of order q, a
 * prime of 256 bits that divides p - 1. */
static const uint64_t prime_2048_256[] = {
    0x87A8E61DB4B6663C, 0xFFBBD19C65195999, 0x8CEEF608660DD0F2, 0x5D2CEED4435E3B00, 0xE00DF8F1D61957D4,
    0xFAF7DF4561B2AA30, 0x16C3D91134096FAA, 0x3BF4296D830E9A7C, 0x209E0C6497517ABD, 0x5A8A9D306BCF67ED,
    0x91F9E6725B4758C0, 0x22E0B1EF4275BF7B, 0x6C5BFC11D45F9088, 0xB941F54EB1E59BB8, 0xBC39A0BF12307F5C,
    0x4FDB70C581B23F76, 0xB63ACAE1CAA6B790, 0x2D52526735488A0E, 0xF13C6D9A51BFA4AB, 0x3AD8347796524D8E,
    0xF6A167B5A41825D9, 0x67E144E514056425, 0x1CCACB83E6B486F6, 0xB3CA3F7971506026, 0xC0B857F689962856,
    0xDED4010ABD0BE621, 0xC3A3960A54E710C3, 0x75F26375D7014103, 0xA4B54330C198AF12, 0x6116D2276E11715F,
    0x693877FAD7EF09CA, 0xDB094AE91E1A1597,
};

static const uint64_t generator_2048_256[] = {
    0x3FB32C9B73134D0B, 0x2E77506660EDBD48, 0x4CA7B18F21EF2054, 0x07F4793A1A0BA125, 0x10DBC15077BE463F,
    0xFF4FED4AAC0BB555, 0xBE3A6C1B0C6B47B1, 0xBC3773BF7E8C6F62, 0x901228F8C28CBB18, 0xA55AE31341000A65,
    0x0196F931C77A57F2, 0xDDF463E5E9EC144B, 0x777DE62AAAB8A862, 0x8AC376D282D6ED38, 0x64E67982428EBC83,
    0x1D14348F6F2F9193, 0xB5045AF2767164E1, 0xDFC967C1FB3F2E55, 0xA4BD1BFFE83B9C80, 0xD052B985D182EA0A,
    0xDB2A3B7313D3FE14, 0xC8484B1E052588B9, 0xB7D2BBD2DF016199, 0xECD06E1557CD0915, 0xB3353BBB64E0EC37,
    0x7FD028370DF92B52, 0xC7891428CDC67EB6, 0x184B523D1DB246C3, 0x2F63078490F00EF8, 0xD647D148D4795451,
    0x5E2327CFEF98C582, 0x664B4C0F6CC41659,
};

static const uint64_t order_2048_256[] = {
    0x8CF83642A709A097,
    0xB447997640129DA2,
    0x99B1A47D1EB3750B,
    0xA308B0FE64F5FBD3,
};

/* How many bits of exponent: RFC 3526 section 8 estimates that group 5 is worth 180 to 240 of them, group 14
 * 220 to 320, group 15 260 to 420 and group 16 300 to 480. More would cost time and buy nothing with these
 * safe primes. Group 24's exponents are below the order of its subgroup, ECP scalars below that of the curve.
 */
static const struct group_row groups[] = {
    {{P2_GROUP_1, "group1", 96, 96, 32}, .prime = prime_768},
    {{P2_GROUP_2, "group2", 128, 128, 32}, .prime = prime_1024},
    {{P2_GROUP_5, "group5", 192, 192, 32}, .prime = prime_1536},
    {{P2_GROUP_14, "group14", 256, 256, 32}, .prime = prime_2048},
    {{P2_GROUP_15, "group15", 384, 384, 40}, .prime = prime_3072},
    {{P2_GROUP_16, "group16", 512, 512, 48}, .prime = prime_4096},
    {{P2_GROUP_19, "group19", 64, 32, 32}, .curve = nettle_get_secp_256r1},
    {{P2_GROUP_20, "group20", 96, 48, 48}, .curve = nettle_get_secp_384r1},
    {{P2_GROUP_21, "group21", 132, 66, 66}, .curve = nettle_get_secp_521r1},
    {{P2_GROUP_24, "group24", 256, 256, 32},
     .prime = prime_2048_256,
     .generator = generator_2048_256,
     .order = order_2048_256},
};

#define NUM_GROUPS (sizeof groups / sizeof groups[0])

static const struct group_row *find(enum p2_group group)
{
    for (size_t i = 0; i < NUM_GROUPS; i++) {
        if (groups[i].info.group == group)
            return &groups[i];
    }
    return NULL;
}

const struct p2_group_info *p2_group_of(enum p2_group group)
{
    const struct group_row *row = find(group);
    return row ? &row->info : NULL;
}

enum p2_group p2_group_by_name(const char *name)
{
    for (size_t i = 0; i < NUM_GROUPS; i++) {
        if (strcmp(groups[i].info.name, name) == 0)
            return groups[i].info.group;
    }
    return P2_GROUP_NONE;
}

const struct p2_group_info *p2_group_at(size_t i)
{
    return i < NUM_GROUPS ? &groups[i].info : NULL;
}

/* GMP frees without wiping. */
static void clear_private(mpz_t z)
{
    size_t num_limbs = mpz_size(z);
    if (num_limbs > 0)
        p2_wipe(mpz_limbs_modify(z, (mp_size_t)num_limbs), num_limbs * sizeof(mp_limb_t));
    mpz_clear(z);
}

static void clear_private_scalar(struct ecc_scalar *scalar)
{
    p2_wipe(scalar->p, (size_t)ecc_size(scalar->ecc) * sizeof(mp_limb_t));
    ecc_scalar_clear(scalar);
}

static void set_words(mpz_t z, const uint64_t *words, size_t len)
{
    mpz_import(z, len / sizeof *words, 1, sizeof *words, 0, 0, words);
}

/* False unless 2 <= base <= p-2: 0, 1 and p-1 would give a secret that anybody knows. In a small subgroup
 * base must be one of its members (RFC 2631 section 2.1.5), or it could reveal the private value piece by
 * piece. */
static bool modp_is_valid(const struct group_row *row, const mpz_t base, const mpz_t p)
{
    mpz_t z, order;
    mpz_inits(z, order, NULL);
    mpz_sub_ui(z, p, 2);
    bool valid = mpz_cmp_ui(base, 2) >= 0 && mpz_cmp(base, z) <= 0;
    if (valid && row->order) {
        set_words(order, row->order, row->info.private_len);
        mpz_powm(z, base, order, p);
        valid = mpz_cmp_ui(z, 1) == 0;
    }
    mpz_clears(z, order, NULL);
    return valid;
}

/* False unless 0 < x, and x < q in a subgroup of order q. */
static bool modp_exponent_fits(const struct group_row *row, const mpz_t x)
{
    bool fits = mpz_sgn(x) > 0;
    if (row->order) {
        mpz_t order;
        mpz_init(order);
        set_words(order, row->order, row->info.private_len);
        fits = fits && mpz_cmp(x, order) < 0;
        mpz_clear(order);
    }
    return fits;
}

/* out = base^private mod p with its leading zeros. P2_ERR_CRYPTO: a private value out of range. */
static int modp_power(const struct group_row *row, const mpz_t base, const mpz_t p,
                      const uint8_t *private_key, uint8_t *out)
{
    mpz_t x, y;
    nettle_mpz_init_set_str_256_u(x, row->info.private_len, private_key);
    mpz_init(y);
    bool fits = modp_exponent_fits(row, x);
    if (fits) {
        mpz_powm(y, base, x, p);
        nettle_mpz_get_str_256(row->info.public_len, out, y);
    }
    clear_private(x);
    clear_private(y);
    return fits ? P2_OK : P2_ERR_CRYPTO;
}

/* How often a private value is drawn before the source of randomness counts as broken: half of all draws are
 * out of range for group 24, and one in 2^32 for P-256. */
#define MAX_DRAWS 128

static int modp_generate(const struct group_row *row, struct p2_random random, uint8_t *private_key,
                         uint8_t *public_key)
{
    mpz_t generator, p;
    int error = P2_ERR_CRYPTO;
    mpz_inits(generator, p, NULL);
    set_words(p, row->prime, row->info.public_len);
    if (row->generator)
        set_words(generator, row->generator, row->info.public_len);
    else
        mpz_set_ui(generator, MODP_GENERATOR);
    for (int draw = 0; draw < MAX_DRAWS && error == P2_ERR_CRYPTO; draw++) {
        random.fill(random.ctx, P2_RANDOM_DH, private_key, row->info.private_len);
        error = modp_power(row, generator, p, private_key, public_key);
    }
    mpz_clears(generator, p, NULL);
    return error;
}

static int modp_derive(const struct group_row *row, const uint8_t *private_key, const uint8_t *peer_public,
                       uint8_t *secret)
{
    mpz_t peer, p;
    mpz_init(p);
    set_words(p, row->prime, row->info.public_len);
    nettle_mpz_init_set_str_256_u(peer, row->info.public_len, peer_public);
    int error = P2_ERR_PEER_VALUE;
    if (modp_is_valid(row, peer, p))
        error = modp_power(row, peer, p, private_key, secret);
    mpz_clear(peer);
    mpz_clear(p);
    return error;
}

/* False unless 0 < scalar < the order of the curve. Initialises the scalar either way. */
static bool scalar_init(struct ecc_scalar *scalar, const struct group_row *row, const uint8_t *bytes)
{
    mpz_t z;
    ecc_scalar_init(scalar, row->curve());
    nettle_mpz_init_set_str_256_u(z, row->info.private_len, bytes);
    bool in_range = ecc_scalar_set(scalar, z) != 0;
    clear_private(z);
    return in_range;
}

/* out: x | y, or x alone if that is all there is room for. */
static void point_write(const struct ecc_point *point, const struct group_row *row, uint8_t *out,
                        size_t out_len)
{
    size_t coordinate_len = row->info.public_len / 2;
    mpz_t x, y;
    mpz_init(x);
    mpz_init(y);
    ecc_point_get(point, x, y);
    nettle_mpz_get_str_256(coordinate_len, out, x);
    if (out_len > coordinate_len)
        nettle_mpz_get_str_256(coordinate_len, out + coordinate_len, y);
    clear_private(x);
    clear_private(y);
}

static int ecp_generate(const struct group_row *row, struct p2_random random, uint8_t *private_key,
                        uint8_t *public_key)
{
    /* P-521's scalars leave 7 bits of their first byte unused. */
    uint8_t top_mask = (uint8_t)(0xffu >> (8 * row->info.private_len - ecc_bit_size(row->curve())));
    for (int draw = 0; draw < MAX_DRAWS; draw++) {
        struct ecc_scalar scalar;
        random.fill(random.ctx, P2_RANDOM_DH, private_key, row->info.private_len);
        private_key[0] &= top_mask;
        bool usable = scalar_init(&scalar, row, private_key);
        if (usable) {
            struct ecc_point point;
            ecc_point_init(&point, row->curve());
            ecc_point_mul_g(&point, &scalar);
            point_write(&point, row, public_key, row->info.public_len);
            ecc_point_clear(&point);
        }
        clear_private_scalar(&scalar);
        if (usable)
            return P2_OK;
    }
    return P2_ERR_CRYPTO;
}

/* False unless the coordinates are below the prime and on the curve, which x = y = 0 is not: RFC 5903 section
 * 7 has the receiver check this. Initialises the point either way. */
static bool point_init(struct ecc_point *point, const struct group_row *row, const uint8_t *bytes)
{
    size_t coordinate_len = row->info.public_len / 2;
    mpz_t x, y;
    ecc_point_init(point, row->curve());
    nettle_mpz_init_set_str_256_u(x, coordinate_len, bytes);
    nettle_mpz_init_set_str_256_u(y, coordinate_len, bytes + coordinate_len);
    bool on_curve = ecc_point_set(point, x, y) != 0;
    mpz_clear(x);
    mpz_clear(y);
    return on_curve;
}

static int ecp_derive(const struct group_row *row, const uint8_t *private_key, const uint8_t *peer_public,
                      uint8_t *secret)
{
    struct ecc_scalar scalar;
    struct ecc_point peer;
    int error = P2_ERR_CRYPTO;
    bool usable = scalar_init(&scalar, row, private_key);
    if (!point_init(&peer, row, peer_public)) {
        error = P2_ERR_PEER_VALUE;
    } else if (usable) {
        ecc_point_mul(&peer, &scalar, &peer);
        point_write(&peer, row, secret, row->info.secret_len);
        p2_wipe(peer.p, (size_t)ecc_size_a(peer.ecc) * sizeof(mp_limb_t));
        error = P2_OK;
    }
    ecc_point_clear(&peer);
    clear_private_scalar(&scalar);
    return error;
}

int p2_dh_generate(enum p2_group group, struct p2_random random, uint8_t *private_key, uint8_t *public_key)
{
    const struct group_row *row = find(group);
    assert(row);
    return row->prime ? modp_generate(row, random, private_key, public_key)
                      : ecp_generate(row, random, private_key, public_key);
}

int p2_dh_derive(enum p2_group group, const uint8_t *private_key, const uint8_t *peer_public,
                 size_t peer_public_len, uint8_t *secret)
{
    const struct group_row *row = find(group);
    assert(row);
    if (peer_public_len != row->info.public_len)
        return P2_ERR_PEER_VALUE;
    return row->prime ? modp_derive(row, private_key, peer_public, secret)
                      : ecp_derive(row, private_key, peer_public, secret);
}
