/* The primes of the MODP groups, as their RFCs define them and not as model/dh.c writes them down. */
#ifndef P2_TESTS_PRIMES_H
#define P2_TESTS_PRIMES_H

#include "check.h"
#include "dh.h"

#include <gmp.h>

struct modp_case {
    enum p2_group group;
    unsigned bits, k;
};

/* p = 2^n - 2^(n-64) - 1 + 2^64 (floor(2^(n-130) pi) + k): RFC 2409 sections 6.1, 6.2; RFC 3526 sections
 * 2 to 5. */
static const struct modp_case modp[] = {
    {P2_GROUP_1, 768, 149686},   {P2_GROUP_2, 1024, 129093},   {P2_GROUP_5, 1536, 741804},
    {P2_GROUP_14, 2048, 124476}, {P2_GROUP_15, 3072, 1690314}, {P2_GROUP_16, 4096, 240904},
};

#define NUM_MODP (sizeof modp / sizeof modp[0])

/* sum += factor 2^bits arctan(1/x), by Gregory's series. */
static inline void add_arctan(mpz_t sum, long factor, unsigned long x, unsigned bits)
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
static inline void prime_by_formula(mpz_t p, const struct modp_case *c)
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

/* RFC 5114 section 2.3. */
#define P_24                                                                                                 \
    "87a8e61db4b6663cffbbd19c651959998ceef608660dd0f25d2ceed4435e3b00e00df8f1d61957d4faf7df4561b2aa30"       \
    "16c3d91134096faa3bf4296d830e9a7c209e0c6497517abd5a8a9d306bcf67ed91f9e6725b4758c022e0b1ef4275bf7b"       \
    "6c5bfc11d45f9088b941f54eb1e59bb8bc39a0bf12307f5c4fdb70c581b23f76b63acae1caa6b7902d52526735488a0e"       \
    "f13c6d9a51bfa4ab3ad8347796524d8ef6a167b5a41825d967e144e5140564251ccacb83e6b486f6b3ca3f7971506026"       \
    "c0b857f689962856ded4010abd0be621c3a3960a54e710c375f26375d7014103a4b54330c198af126116d2276e11715f"       \
    "693877fad7ef09cadb094ae91e1a1597"

static inline void to_bytes(uint8_t *out, size_t len, const mpz_t z)
{
    size_t used = (mpz_sizeinbase(z, 2) + 7) / 8;
    memset(out, 0, len);
    CU_ASSERT_FATAL(mpz_sgn(z) == 0 || used <= len);
    if (mpz_sgn(z) != 0)
        mpz_export(out + len - used, NULL, 1, 1, 1, 0, z);
}

/* Of a MODP group of ours. */
static inline void prime_of(mpz_t p, enum p2_group group)
{
    mpz_set_str(p, P_24, 16);
    for (size_t i = 0; i < NUM_MODP; i++) {
        if (modp[i].group == group)
            prime_by_formula(p, &modp[i]);
    }
}

#endif
