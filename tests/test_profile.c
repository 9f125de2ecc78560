#include "check.h"

#include "cipher.h"
#include "dh.h"
#include "hash.h"
#include "profile.h"

/* A profile that prices everything this build can ask for, at 1 us and 1 ns a byte. */
static void price_everything(struct profile *profile)
{
    memset(profile, 0, sizeof *profile);
    profile->scale = 1;
    for (unsigned op = 0; op < P2_NUM_OPERATIONS; op++) {
        for (unsigned a = 0; a < P2_MAX_ALGORITHMS; a++) {
            if (p2_operation_algorithm((enum p2_operation)op, a))
                profile->prices[op][a] = (struct profile_price){true, 1000000, 1000};
        }
    }
}

static struct p2_work one(enum p2_operation op, unsigned algorithm, size_t times, size_t bytes)
{
    struct p2_work work = {0};
    p2_work_add(&work, op, algorithm, times, bytes);
    return work;
}

static void no_work_is_free(void)
{
    static struct profile profile;
    struct p2_work work = {0};
    price_everything(&profile);
    CU_ASSERT_EQUAL(profile_price_of(&profile, &work), 0);
}

/* Worked by hand: 3 HMACs of 100 bytes, one derivation, 2 encryptions of 16 bytes. */
static void price_is_the_sum_of_its_lines(void)
{
    static struct profile profile;
    struct p2_work work = {0};
    price_everything(&profile);
    profile.prices[P2_OP_HMAC][P2_HASH_SHA1] = (struct profile_price){true, 145000, 1270};
    profile.prices[P2_OP_DH_DERIVE][P2_GROUP_2] = (struct profile_price){true, 153200000, 0};
    profile.prices[P2_OP_ENCRYPT][P2_CIPHER_AES128_CBC] = (struct profile_price){true, 0, 720};
    p2_work_add(&work, P2_OP_HMAC, P2_HASH_SHA1, 3, 100);           /* 145 + 127 = 272 ns each */
    p2_work_add(&work, P2_OP_DH_DERIVE, P2_GROUP_2, 1, 0);          /* 153,200 ns */
    p2_work_add(&work, P2_OP_ENCRYPT, P2_CIPHER_AES128_CBC, 2, 16); /* 11.52, so 12 ns each */
    CU_ASSERT_EQUAL(profile_price_of(&profile, &work), 3 * 272 + 153200 + 2 * 12);
}

/* Half a nanosecond rounds up, once for each line and before it is multiplied. */
static void rounding(void)
{
    static const struct {
        int64_t fixed_ps, per_byte_ps;
        size_t times, bytes;
        p2_time ns;
    } rows[] = {
        {499, 0, 1, 0, 0},    {500, 0, 1, 0, 1},       {1499, 0, 1, 0, 1},     {1500, 0, 1, 0, 2},
        {499, 0, 1000, 0, 0}, {500, 0, 1000, 0, 1000}, {0, 1, 1, 499, 0},      {0, 1, 1, 500, 1},
        {250, 25, 1, 10, 1},  {250, 25, 1, 9, 0},      {0, 0, 65535, 1400, 0}, {1000, 0, 65535, 0, 65535},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        static struct profile profile;
        price_everything(&profile);
        profile.prices[P2_OP_HASH][P2_HASH_SHA256] =
            (struct profile_price){true, rows[i].fixed_ps, rows[i].per_byte_ps};
        struct p2_work work = one(P2_OP_HASH, P2_HASH_SHA256, rows[i].times, rows[i].bytes);
        CU_ASSERT_EQUAL(profile_price_of(&profile, &work), rows[i].ns);
    }
}

/* Exactly, whatever the rounding did: a machine twice as slow takes twice as long for every piece of work. */
static void doubling_the_scale_doubles_every_price(void)
{
    static struct profile profile;
    struct test_random state = {.seed = 7};
    price_everything(&profile);
    for (unsigned op = 0; op < P2_NUM_OPERATIONS; op++) {
        for (unsigned a = 0; a < P2_MAX_ALGORITHMS; a++) {
            profile.prices[op][a].fixed_ps = (int64_t)(test_random_next(&state) % 1000000000);
            profile.prices[op][a].per_byte_ps = (int64_t)(test_random_next(&state) % 100000);
        }
    }
    for (int round = 0; round < 1000; round++) {
        struct p2_work work = {0};
        size_t times = test_random_next(&state) % 20, bytes = test_random_next(&state) % 3000;
        p2_work_add(&work, P2_OP_HMAC, P2_HASH_SHA256, times, bytes);
        p2_work_add(&work, P2_OP_DECRYPT, P2_CIPHER_3DES_CBC, 1, bytes / 8 * 8);
        p2_work_add(&work, P2_OP_DH_GENERATE, P2_GROUP_19, 1, 0);
        profile.scale = (uint32_t)(1 + test_random_next(&state) % 1000);
        p2_time single = profile_price_of(&profile, &work);
        profile.scale *= 2;
        CU_ASSERT_EQUAL(profile_price_of(&profile, &work), 2 * single);
        profile.scale = 1;
        CU_ASSERT_EQUAL(single % profile_price_of(&profile, &work), 0);
    }
}

/* 65,535 exponentiations of a second each on a machine 50,000 times slower: 100 years, and still exact. */
static void large_prices_do_not_overflow(void)
{
    static struct profile profile;
    price_everything(&profile);
    profile.scale = 50000;
    profile.prices[P2_OP_DH_DERIVE][P2_GROUP_14].fixed_ps = INT64_C(1000000000000);
    struct p2_work work = one(P2_OP_DH_DERIVE, P2_GROUP_14, 65535, 0);
    CU_ASSERT_EQUAL(profile_price_of(&profile, &work), INT64_C(65535) * 50000 * P2_SECOND);
}

/* Every row this build knows, taken out in turn, is found and named. */
static void a_missing_price_is_found(void)
{
    static struct profile profile;
    enum p2_operation op = P2_NUM_OPERATIONS;
    unsigned algorithm = 0, num_removed = 0;
    price_everything(&profile);
    CU_ASSERT_FALSE(profile_first_unpriced(&profile, &op, &algorithm));
    CU_ASSERT_EQUAL(op, P2_NUM_OPERATIONS);
    for (unsigned o = 0; o < P2_NUM_OPERATIONS; o++) {
        for (unsigned a = 0; a < P2_MAX_ALGORITHMS; a++) {
            if (!profile.prices[o][a].known)
                continue;
            profile.prices[o][a].known = false;
            CU_ASSERT_TRUE(profile_first_unpriced(&profile, &op, &algorithm));
            CU_ASSERT(op == o && algorithm == a);
            profile.prices[o][a].known = true;
            num_removed++;
        }
    }
    /* At least 5 groups, 2 hashes and 4 ciphers, each in two operations. */
    CU_ASSERT(num_removed >= 22);
}

static void the_first_of_several_missing_is_named(void)
{
    static struct profile profile;
    enum p2_operation op;
    unsigned algorithm;
    CU_ASSERT_TRUE(profile_first_unpriced(&profile, &op, &algorithm));
    CU_ASSERT(op == P2_OP_DH_GENERATE && algorithm == P2_GROUP_1);
    price_everything(&profile);
    profile.prices[P2_OP_DECRYPT][P2_CIPHER_AES256_CBC].known = false;
    profile.prices[P2_OP_HMAC][P2_HASH_SHA256].known = false;
    CU_ASSERT_TRUE(profile_first_unpriced(&profile, &op, &algorithm));
    CU_ASSERT(op == P2_OP_HMAC && algorithm == P2_HASH_SHA256);
}

static void operations_by_name(void)
{
    for (unsigned op = 0; op < P2_NUM_OPERATIONS; op++)
        CU_ASSERT_EQUAL(p2_operation_by_name(p2_operation_name((enum p2_operation)op)), op);
    CU_ASSERT_EQUAL(p2_operation_by_name("dh"), P2_NUM_OPERATIONS);
    CU_ASSERT_STRING_EQUAL(p2_operation_algorithm(P2_OP_DH_DERIVE, 14), "group14");
    CU_ASSERT_STRING_EQUAL(p2_operation_algorithm(P2_OP_HMAC, P2_HASH_SHA256), "sha256");
    CU_ASSERT_STRING_EQUAL(p2_operation_algorithm(P2_OP_ENCRYPT, P2_CIPHER_3DES_CBC), "3des-cbc");
    CU_ASSERT_PTR_NULL(p2_operation_algorithm(P2_OP_DH_DERIVE, 0));
    CU_ASSERT_PTR_NULL(p2_operation_algorithm(P2_OP_DH_DERIVE, 3));
    CU_ASSERT_PTR_NULL(p2_operation_algorithm(P2_OP_HASH, P2_HASH_NONE));
    CU_ASSERT_PTR_NULL(p2_operation_algorithm(P2_OP_DECRYPT, P2_NUM_CIPHERS));
}

CHECK_MAIN("profile", {"no work is free", no_work_is_free},
           {"price is the sum of its lines", price_is_the_sum_of_its_lines}, {"rounding", rounding},
           {"doubling the scale doubles every price", doubling_the_scale_doubles_every_price},
           {"large prices do not overflow", large_prices_do_not_overflow},
           {"a missing price is found", a_missing_price_is_found},
           {"the first of several missing is named", the_first_of_several_missing_is_named},
           {"operations by name", operations_by_name})
