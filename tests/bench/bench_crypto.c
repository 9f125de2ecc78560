/* Crypto, ours and the bare library calls: medians in nanoseconds and their ratio, measured in turn in the
 * same run.
 *
 *     bench_crypto [repetitions]
 *
 * A benchmark and not a test: it judges nothing. What the library cannot do without is on the bare side too:
 * HMAC contexts are keyed and ciphers expanded beforehand, the prime is a number already. */
#include "bench.h"
#include "cipher.h"
#include "dh.h"
#include "hash.h"

#include <gmp.h>
#include <nettle/bignum.h>
#include <nettle/cbc.h>
#include <nettle/ecc-curve.h>
#include <nettle/ecc.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MAX_BYTES 1408
#define BATCH_NS  50000.0

struct work {
    size_t bytes;
    struct p2_hmac hmac;
    struct p2_cipher_key cipher;
    uint8_t iv[P2_CIPHER_MAX_BLOCK];
    uint8_t data[MAX_BYTES], out[P2_DH_MAX_LEN];
    enum p2_group group;
    uint8_t private_key[P2_DH_MAX_PRIVATE], public_key[P2_DH_MAX_LEN];
    uint64_t random_state;
    mpz_t prime, generator, peer, exponent, result;
    struct ecc_point point, product;
    struct ecc_scalar scalar;
};

struct pair {
    const char *name;
    void (*ours)(struct work *work);
    void (*bare)(struct work *work);
};

static void fail(const char *what)
{
    fprintf(stderr, "bench_crypto: %s\n", what);
    exit(EXIT_FAILURE);
}

static void fill(void *ctx, enum p2_random_use use, uint8_t *out, size_t len)
{
    uint64_t *state = ctx;
    (void)use;
    for (size_t i = 0; i < len; i++) {
        *state = *state * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
        out[i] = (uint8_t)(*state >> 56);
    }
}

static void our_hmac(struct work *w)
{
    struct p2_bytes part = {w->data, w->bytes};
    p2_hmac_compute(&w->hmac, &part, 1, w->out, 12);
}

static void bare_hmac_sha1(struct work *w)
{
    hmac_sha1_update(&w->hmac.keyed.sha1, w->bytes, w->data);
    hmac_sha1_digest(&w->hmac.keyed.sha1, 12, w->out);
}

static void bare_hmac_sha256(struct work *w)
{
    hmac_sha256_update(&w->hmac.keyed.sha256, w->bytes, w->data);
    hmac_sha256_digest(&w->hmac.keyed.sha256, 12, w->out);
}

static void our_encrypt(struct work *w)
{
    p2_cipher_encrypt(&w->cipher, w->iv, w->data, w->data, w->bytes);
}

static void our_decrypt(struct work *w)
{
    p2_cipher_decrypt(&w->cipher, w->iv, w->data, w->data, w->bytes);
}

#define BARE_AES(bits)                                                                                       \
    static void bare_encrypt_aes##bits(struct work *w)                                                       \
    {                                                                                                        \
        cbc_aes##bits##_encrypt(&w->cipher.ctx.aes##bits.encrypt, w->iv, w->bytes, w->data, w->data);        \
    }                                                                                                        \
    static void bare_decrypt_aes##bits(struct work *w)                                                       \
    {                                                                                                        \
        cbc_decrypt(&w->cipher.ctx.aes##bits.decrypt, (nettle_cipher_func *)aes##bits##_decrypt,             \
                    AES_BLOCK_SIZE, w->iv, w->bytes, w->data, w->data);                                      \
    }

BARE_AES(128)
BARE_AES(192)
BARE_AES(256)

static void bare_encrypt_des3(struct work *w)
{
    cbc_encrypt(&w->cipher.ctx.des3, (nettle_cipher_func *)des3_encrypt, DES3_BLOCK_SIZE, w->iv, w->bytes,
                w->data, w->data);
}

static void bare_decrypt_des3(struct work *w)
{
    cbc_decrypt(&w->cipher.ctx.des3, (nettle_cipher_func *)des3_decrypt, DES3_BLOCK_SIZE, w->iv, w->bytes,
                w->data, w->data);
}

static void our_generate(struct work *w)
{
    uint8_t private_key[P2_DH_MAX_PRIVATE];
    if (p2_dh_generate(w->group, (struct p2_random){fill, &w->random_state}, private_key, w->out) != P2_OK)
        fail("generate");
}

static void our_derive(struct work *w)
{
    if (p2_dh_derive(w->group, w->private_key, w->public_key, p2_group_of(w->group)->public_len, w->out) !=
        P2_OK)
        fail("derive");
}

static void bare_generate_modp(struct work *w)
{
    mpz_powm(w->result, w->generator, w->exponent, w->prime);
}

static void bare_derive_modp(struct work *w)
{
    mpz_powm(w->result, w->peer, w->exponent, w->prime);
}

static void bare_generate_ecp(struct work *w)
{
    ecc_point_mul_g(&w->product, &w->scalar);
}

static void bare_derive_ecp(struct work *w)
{
    ecc_point_mul(&w->product, &w->scalar, &w->point);
}

/* Nanoseconds. */
static double time_batch(void (*run)(struct work *), struct work *work, size_t batch)
{
    double start = bench_seconds();
    for (size_t i = 0; i < batch; i++)
        run(work);
    return (bench_seconds() - start) * 1e9;
}

/* Ours and bare alternate, and the ratio is the median of the ratios of neighbours: what the machine does
 * meanwhile hits both. */
static void report(const struct pair *pair, struct work *work, size_t repetitions)
{
    double *ours = calloc(3 * repetitions, sizeof *ours), *bare = ours + repetitions,
           *ratio = bare + repetitions;
    size_t batch = 1;
    if (!ours)
        fail("out of memory");
    while (time_batch(pair->ours, work, batch) < BATCH_NS)
        batch *= 2;
    for (size_t r = 0; r < repetitions; r++) {
        ours[r] = time_batch(pair->ours, work, batch) / (double)batch;
        bare[r] = time_batch(pair->bare, work, batch) / (double)batch;
        ratio[r] = ours[r] / bare[r];
    }
    printf("%-20s %6zu %12.1f %12.1f %8.3f\n", pair->name, work->bytes, bench_median(ours, repetitions),
           bench_median(bare, repetitions), bench_median(ratio, repetitions));
    free(ours);
}

static void bench_packets(struct work *w, size_t repetitions)
{
    static const size_t sizes[] = {64, 512, 1400};
    static const struct {
        struct pair pair;
        enum p2_hash hash;
        enum p2_cipher cipher;
    } rows[] = {
        {{"hmac sha1", our_hmac, bare_hmac_sha1}, P2_HASH_SHA1, P2_CIPHER_NONE},
        {{"hmac sha256", our_hmac, bare_hmac_sha256}, P2_HASH_SHA256, P2_CIPHER_NONE},
        {{"encrypt aes-128-cbc", our_encrypt, bare_encrypt_aes128}, P2_HASH_NONE, P2_CIPHER_AES128_CBC},
        {{"decrypt aes-128-cbc", our_decrypt, bare_decrypt_aes128}, P2_HASH_NONE, P2_CIPHER_AES128_CBC},
        {{"encrypt aes-192-cbc", our_encrypt, bare_encrypt_aes192}, P2_HASH_NONE, P2_CIPHER_AES192_CBC},
        {{"decrypt aes-192-cbc", our_decrypt, bare_decrypt_aes192}, P2_HASH_NONE, P2_CIPHER_AES192_CBC},
        {{"encrypt aes-256-cbc", our_encrypt, bare_encrypt_aes256}, P2_HASH_NONE, P2_CIPHER_AES256_CBC},
        {{"decrypt aes-256-cbc", our_decrypt, bare_decrypt_aes256}, P2_HASH_NONE, P2_CIPHER_AES256_CBC},
        {{"encrypt 3des-cbc", our_encrypt, bare_encrypt_des3}, P2_HASH_NONE, P2_CIPHER_3DES_CBC},
        {{"decrypt 3des-cbc", our_decrypt, bare_decrypt_des3}, P2_HASH_NONE, P2_CIPHER_3DES_CBC},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        for (size_t s = 0; s < sizeof sizes / sizeof sizes[0]; s++) {
            uint8_t key[P2_CIPHER_MAX_KEY];
            fill(&w->random_state, P2_RANDOM_NONCE, key, sizeof key);
            /* 1400 bytes of payload are 1408 with ESP's padding, next header and whole blocks. */
            w->bytes = rows[i].cipher != P2_CIPHER_NONE ? (sizes[s] + 15) / 16 * 16 : sizes[s];
            if (rows[i].hash != P2_HASH_NONE)
                p2_hmac_init(&w->hmac, rows[i].hash, key, 20);
            else
                p2_cipher_init(&w->cipher, rows[i].cipher, key);
            report(&rows[i].pair, w, repetitions);
        }
    }
}

/* p2_dh_generate gives g^n mod p = 2^n - p for the exponent n (the length of p in bits), and so the prime. */
static void fill_exponent(void *ctx, enum p2_random_use use, uint8_t *out, size_t len)
{
    size_t bits = *(const size_t *)ctx;
    (void)use;
    memset(out, 0, len);
    out[len - 2] = (uint8_t)(bits >> 8);
    out[len - 1] = (uint8_t)bits;
}

static void set_modp(struct work *w, const struct p2_group_info *info)
{
    size_t bits = 8 * info->public_len;
    uint8_t private_key[P2_DH_MAX_PRIVATE];
    if (p2_dh_generate(info->group, (struct p2_random){fill_exponent, &bits}, private_key, w->out) != P2_OK)
        fail("prime");
    nettle_mpz_set_str_256_u(w->peer, info->public_len, w->out);
    mpz_ui_pow_ui(w->prime, 2, bits);
    mpz_sub(w->prime, w->prime, w->peer);
    mpz_set_ui(w->generator, 2);
    nettle_mpz_set_str_256_u(w->peer, info->public_len, w->public_key);
    nettle_mpz_set_str_256_u(w->exponent, info->private_len, w->private_key);
}

static void set_ecp(struct work *w, const struct p2_group_info *info)
{
    const struct ecc_curve *curve = info->group == P2_GROUP_19   ? nettle_get_secp_256r1()
                                    : info->group == P2_GROUP_20 ? nettle_get_secp_384r1()
                                                                 : nettle_get_secp_521r1();
    ecc_point_clear(&w->point);
    ecc_point_clear(&w->product);
    ecc_scalar_clear(&w->scalar);
    ecc_point_init(&w->point, curve);
    ecc_point_init(&w->product, curve);
    ecc_scalar_init(&w->scalar, curve);
    nettle_mpz_set_str_256_u(w->peer, info->public_len / 2, w->public_key);
    nettle_mpz_set_str_256_u(w->result, info->public_len / 2, w->public_key + info->public_len / 2);
    nettle_mpz_set_str_256_u(w->exponent, info->private_len, w->private_key);
    if (!ecc_point_set(&w->point, w->peer, w->result) || !ecc_scalar_set(&w->scalar, w->exponent))
        fail("point");
}

static void bench_groups(struct work *w, size_t repetitions)
{
    w->bytes = 0;
    for (size_t i = 0; p2_group_at(i); i++) {
        const struct p2_group_info *info = p2_group_at(i);
        bool is_modp = info->public_len == info->secret_len;
        char name[64];
        if (info->group == P2_GROUP_24) /* no safe prime: set_modp can not find it out */
            continue;
        w->group = info->group;
        if (p2_dh_generate(w->group, (struct p2_random){fill, &w->random_state}, w->private_key,
                           w->public_key) != P2_OK)
            fail("generate");
        if (is_modp)
            set_modp(w, info);
        else
            set_ecp(w, info);
        struct pair pair = {name, our_generate, is_modp ? bare_generate_modp : bare_generate_ecp};
        snprintf(name, sizeof name, "generate %s", info->name);
        report(&pair, w, repetitions);
        pair = (struct pair){name, our_derive, is_modp ? bare_derive_modp : bare_derive_ecp};
        snprintf(name, sizeof name, "derive %s", info->name);
        report(&pair, w, repetitions);
    }
}

int main(int argc, char **argv)
{
    static struct work work;
    size_t repetitions = argc > 1 ? strtoul(argv[1], NULL, 10) : 501;
    if (repetitions == 0)
        fail("usage: bench_crypto [repetitions]");
    work.random_state = 1;
    mpz_inits(work.prime, work.generator, work.peer, work.exponent, work.result, (mpz_ptr)NULL);
    ecc_point_init(&work.point, nettle_get_secp_256r1());
    ecc_point_init(&work.product, nettle_get_secp_256r1());
    ecc_scalar_init(&work.scalar, nettle_get_secp_256r1());
    printf("%-20s %6s %12s %12s %8s\n", "operation", "bytes", "ours ns", "bare ns", "ratio");
    bench_packets(&work, repetitions);
    bench_groups(&work, repetitions);
    mpz_clears(work.prime, work.generator, work.peer, work.exponent, work.result, (mpz_ptr)NULL);
    ecc_point_clear(&work.point);
    ecc_point_clear(&work.product);
    ecc_scalar_clear(&work.scalar);
    return EXIT_SUCCESS;
}
