/* What every test program here shares: the ending of main, hex, and a seeded source of randomness.
 *
 *     static void hashes_nothing(void)
 *     {
 *         uint8_t out[20];
 *         p2_hash_digest(P2_HASH_SHA1, NULL, 0, out);
 *         CHECK_HEX(out, sizeof out, "da39a3ee 5e6b4b0d 3255bfef 95601890 afd80709");
 *     }
 *     CHECK_MAIN("hash", {"hashes nothing", hashes_nothing})
 */
#ifndef P2_TESTS_CHECK_H
#define P2_TESTS_CHECK_H

#include "base.h"

#include <CUnit/Basic.h>
#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Sanitizers bring an allocator of their own, so a test can't. */
#if defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(memory_sanitizer) || __has_feature(thread_sanitizer)
#define CHECK_UNDER_SANITIZER 1
#endif
#elif defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define CHECK_UNDER_SANITIZER 1
#endif

struct check_case {
    const char *name;
    void (*run)(void);
};

/* CU_basic_run_tests returns 0 after failed assertions too, so the verdict comes from the counts; a program
 * that ran no test has failed. */
static inline int check_run(const char *suite_name, const struct check_case *cases, size_t num_cases)
{
    if (CU_initialize_registry() != CUE_SUCCESS)
        return EXIT_FAILURE;
    CU_pSuite suite = CU_add_suite(suite_name, NULL, NULL);
    for (size_t i = 0; i < num_cases; i++) {
        if (!suite || !CU_add_test(suite, cases[i].name, cases[i].run)) {
            fprintf(stderr, "%s: cannot register \"%s\": %s\n", suite_name, cases[i].name,
                    CU_get_error_msg());
            CU_cleanup_registry();
            return EXIT_FAILURE;
        }
    }
    CU_basic_set_mode(CU_BRM_VERBOSE);
    CU_ErrorCode ran = CU_basic_run_tests();
    bool passed =
        ran == CUE_SUCCESS && CU_get_number_of_failure_records() == 0 && CU_get_number_of_tests_run() > 0;
    CU_cleanup_registry();
    return passed ? EXIT_SUCCESS : EXIT_FAILURE;
}

/* The main of a test program: CHECK_MAIN("suite", {"what holds", function}, ...). */
#define CHECK_MAIN(suite_name, ...)                                                                          \
    int main(void)                                                                                           \
    {                                                                                                        \
        static const struct check_case check_cases[] = {__VA_ARGS__};                                        \
        return check_run(suite_name, check_cases, sizeof check_cases / sizeof check_cases[0]);               \
    }

/* For calls that only fail when the test itself is wrong, or memory is out. */
static inline void check_ok(int result)
{
    if (result != P2_OK) {
        fprintf(stderr, "a call of the library returned %d\n", result);
        abort();
    }
}

/* Decodes hex; white space is skipped. Returns the number of bytes. A slip in a test's own data ends the
 * program. */
static inline size_t check_unhex(const char *hex, uint8_t *out, size_t capacity)
{
    size_t num_digits = 0;
    for (; *hex; hex++) {
        if (isspace((unsigned char)*hex))
            continue;
        const char *digits = "0123456789abcdef";
        const char *digit = strchr(digits, tolower((unsigned char)*hex));
        if (!digit || num_digits / 2 >= capacity) {
            fprintf(stderr, "check_unhex: bad or too long at \"%.20s\"\n", hex);
            abort();
        }
        unsigned high = num_digits % 2 ? out[num_digits / 2] * 16u : 0;
        out[num_digits / 2] = (uint8_t)(high + (unsigned)(digit - digits));
        num_digits++;
    }
    if (num_digits % 2) {
        fprintf(stderr, "check_unhex: odd number of digits\n");
        abort();
    }
    return num_digits / 2;
}

/* True if the bytes are those of the hex string; shows both when they are not. */
static inline bool check_hex_equal(const void *bytes, size_t len, const char *hex)
{
    static uint8_t expected[65536];
    size_t expected_len = check_unhex(hex, expected, sizeof expected);
    if (expected_len == len && (len == 0 || memcmp(bytes, expected, len) == 0))
        return true;
    printf("\n      expected %zu bytes: ", expected_len);
    for (size_t i = 0; i < expected_len; i++)
        printf("%02x", expected[i]);
    printf("\n      got      %zu bytes: ", len);
    for (size_t i = 0; i < len; i++)
        printf("%02x", ((const uint8_t *)bytes)[i]);
    printf("\n");
    return false;
}

#define CHECK_HEX(bytes, len, hex) CU_ASSERT_TRUE(check_hex_equal(bytes, len, hex))

/* A number that whoever runs the test may set, P2_SEED=77: how many cases, or which one. */
static inline uint64_t check_setting(const char *name, uint64_t otherwise)
{
    const char *text = getenv(name);
    return text ? strtoull(text, NULL, 10) : otherwise;
}

/* Deterministic randomness: splitmix64 (Steele, Lea, Flood, "Fast splittable pseudorandom number generators",
 * 2014).
 *
 *     struct test_random state = {.seed = 1};
 *     struct p2_random random = test_random(&state);
 */
struct test_random {
    uint64_t seed;
};

static inline uint64_t test_random_next(struct test_random *state)
{
    uint64_t z = state->seed += UINT64_C(0x9e3779b97f4a7c15);
    z = (z ^ z >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
    z = (z ^ z >> 27) * UINT64_C(0x94d049bb133111eb);
    return z ^ z >> 31;
}

/* 0 to n - 1. */
static inline uint64_t test_random_below(struct test_random *state, uint64_t n)
{
    return test_random_next(state) % n;
}

static inline void test_random_fill(void *ctx, enum p2_random_use use, uint8_t *out, size_t len)
{
    (void)use;
    for (size_t i = 0; i < len; i++)
        out[i] = (uint8_t)test_random_next(ctx);
}

/* state lives as long as the source is used. */
static inline struct p2_random test_random(struct test_random *state)
{
    return (struct p2_random){test_random_fill, state};
}

#endif
