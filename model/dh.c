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
    const uint64_t *prime;                  /* MODP: most significant word first; the generator is always 2 */
    const struct ecc_curve *(*curve)(void); /* ECP */
};

#define MODP_GENERATOR 2

/* Every one of these primes is 2^n - 2^(n-64) - 1 + 2^64 (floor(2^(n-130) pi) + k). */

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

/* 256 bits of exponent: RFC 3526 section 8 estimates that group 5 is worth 180 to 240 of them and group 14
 * 220 to 320. More would cost time and buy nothing with these safe primes. */
static const struct group_row groups[] = {
    {{P2_GROUP_1, "group1", 96, 96, 32}, prime_768, NULL},
    {{P2_GROUP_2, "group2", 128, 128, 32}, prime_1024, NULL},
    {{P2_GROUP_5, "group5", 192, 192, 32}, prime_1536, NULL},
    {{P2_GROUP_14, "group14", 256, 256, 32}, prime_2048, NULL},
    {{P2_GROUP_19, "group19", 64, 32, 32}, NULL, nettle_get_secp_256r1},
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

const struct p2_group_info *p2_group_info(enum p2_group group)
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

/* out = base^private mod p with its leading zeros. P2_ERR_PEER_VALUE unless 2 <= base <= p-2: 0, 1 and p-1
 * would give a secret that anybody knows. */
static int modp_power(const struct group_row *row, const mpz_t base, const uint8_t *private_key, uint8_t *out)
{
    mpz_t p, x, y;
    int error = P2_ERR_PEER_VALUE;
    mpz_init(p);
    mpz_import(p, row->info.public_len / sizeof *row->prime, 1, sizeof *row->prime, 0, 0, row->prime);
    nettle_mpz_init_set_str_256_u(x, row->info.private_len, private_key);
    mpz_init(y);
    mpz_sub_ui(y, p, 2);
    if (mpz_cmp_ui(base, 2) >= 0 && mpz_cmp(base, y) <= 0) {
        mpz_powm(y, base, x, p);
        nettle_mpz_get_str_256(row->info.public_len, out, y);
        /* Only a broken source of randomness draws 0. */
        error = mpz_sgn(x) > 0 ? P2_OK : P2_ERR_CRYPTO;
    }
    clear_private(x);
    clear_private(y);
    mpz_clear(p);
    return error;
}

static int modp_generate(const struct group_row *row, struct p2_random random, uint8_t *private_key,
                         uint8_t *public_key)
{
    mpz_t generator;
    random.fill(random.ctx, P2_RANDOM_DH, private_key, row->info.private_len);
    mpz_init_set_ui(generator, MODP_GENERATOR);
    int error = modp_power(row, generator, private_key, public_key);
    mpz_clear(generator);
    return error;
}

static int modp_derive(const struct group_row *row, const uint8_t *private_key, const uint8_t *peer_public,
                       uint8_t *secret)
{
    mpz_t peer;
    nettle_mpz_init_set_str_256_u(peer, row->info.public_len, peer_public);
    int error = modp_power(row, peer, private_key, secret);
    mpz_clear(peer);
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

/* One draw in 2^32 is out of range for P-256: so many bad ones in a row mean that the source is broken. */
#define MAX_DRAWS 16

static int ecp_generate(const struct group_row *row, struct p2_random random, uint8_t *private_key,
                        uint8_t *public_key)
{
    for (int draw = 0; draw < MAX_DRAWS; draw++) {
        struct ecc_scalar scalar;
        random.fill(random.ctx, P2_RANDOM_DH, private_key, row->info.private_len);
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
