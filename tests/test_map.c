/* The hash map against a model that has one cell for each key. */
#include "check.h"
#include "map.h"

#define NUM_KEYS 768
#define NUM_OPS  1000000

/* Keys that share their home slot: the inverse of map.c's hash of products that differ in their top bits
 * only. Should the hash change, these are ordinary keys. */
static uint64_t colliding(uint64_t n, uint64_t home)
{
    const uint64_t phi = UINT64_C(0x9e3779b97f4a7c15);
    uint64_t inverse = phi; /* Newton's iteration modulo 2^64 */
    for (int i = 0; i < 6; i++)
        inverse *= 2 - phi * inverse;
    uint64_t folded = (n << 44 | home << 20) * inverse;
    return folded ^ folded >> 32;
}

/* Ordinary, dense, colliding at the first slot, colliding at the last one (so that clusters wrap around). */
static uint64_t key_of(size_t i)
{
    struct test_random random = {.seed = i};
    switch (i % 4) {
    case 0:
        return test_random_next(&random);
    case 1:
        return i / 4;
    case 2:
        return colliding(i / 4 + 1, 0);
    default:
        return colliding(i / 4 + 1, 0xffffff);
    }
}

static void agrees_with_the_model(struct p2_map *map, void *const *model, size_t count)
{
    CU_ASSERT_EQUAL_FATAL(map->count, count);
    for (size_t i = 0; i < NUM_KEYS; i++) {
        if (p2_map_get(map, key_of(i)) != model[i])
            CU_FAIL_FATAL("a key has another value than in the model");
    }
}

/* Which keys are in play grows and shrinks, so that the map is at times nearly empty and at times nearly
 * full. */
static void a_million_operations_as_in_the_model(void)
{
    static char values[16];
    void *model[NUM_KEYS] = {NULL};
    struct p2_map map = {0};
    struct test_random random = {.seed = 1};
    size_t count = 0;
    for (size_t op = 0; op < NUM_OPS; op++) {
        uint64_t r = test_random_next(&random);
        size_t i = (size_t)(r >> 32) % NUM_KEYS;
        unsigned put_percent = op / 50000 % 2 ? 30 : 60;
        if (r % 100 < put_percent) {
            count += model[i] == NULL;
            model[i] = &values[r >> 16 & 15];
            CU_ASSERT_EQUAL_FATAL(p2_map_put(&map, key_of(i), model[i]), P2_OK);
        } else if (r % 100 < 90) {
            count -= model[i] != NULL;
            model[i] = NULL;
            p2_map_remove(&map, key_of(i));
        } else if (p2_map_get(&map, key_of(i)) != model[i]) {
            CU_FAIL_FATAL("a key has another value than in the model");
        }
        if (op % 5000 == 0)
            agrees_with_the_model(&map, model, count);
    }
    agrees_with_the_model(&map, model, count);
    p2_map_cleanup(&map);
}

/* Removing from the middle, the front and the end of one cluster must not hide what stands behind. */
static void removing_from_a_cluster_hides_nothing(void)
{
    static char values[10];
    for (uint64_t home = 0; home < 16; home++) {
        for (size_t removed = 0; removed < 10; removed++) {
            struct p2_map map = {0};
            for (size_t i = 0; i < 10; i++)
                CU_ASSERT_EQUAL(p2_map_put(&map, colliding(i, home), &values[i]), P2_OK);
            p2_map_remove(&map, colliding(removed, home));
            CU_ASSERT_EQUAL(map.count, 9);
            for (size_t i = 0; i < 10; i++)
                CU_ASSERT_PTR_EQUAL(p2_map_get(&map, colliding(i, home)), i == removed ? NULL : &values[i]);
            p2_map_cleanup(&map);
        }
    }
}

static void an_empty_map_has_nothing(void)
{
    struct p2_map map = {0};
    CU_ASSERT_PTR_NULL(p2_map_get(&map, 0));
    CU_ASSERT_PTR_NULL(p2_map_get(&map, UINT64_MAX));
    p2_map_remove(&map, 0);
    CU_ASSERT_EQUAL(map.count, 0);
    p2_map_cleanup(&map);
    p2_map_cleanup(&map);
}

static void a_later_value_replaces_an_earlier_one(void)
{
    char first, second;
    struct p2_map map = {0};
    CU_ASSERT_EQUAL(p2_map_put(&map, 7, &first), P2_OK);
    CU_ASSERT_EQUAL(p2_map_put(&map, 7, &second), P2_OK);
    CU_ASSERT_PTR_EQUAL(p2_map_get(&map, 7), &second);
    CU_ASSERT_EQUAL(map.count, 1);
    p2_map_remove(&map, 7);
    CU_ASSERT_PTR_NULL(p2_map_get(&map, 7));
    p2_map_cleanup(&map);
}

static void the_least_and_the_greatest_key_are_keys(void)
{
    char least, greatest;
    struct p2_map map = {0};
    CU_ASSERT_EQUAL(p2_map_put(&map, 0, &least), P2_OK);
    CU_ASSERT_EQUAL(p2_map_put(&map, UINT64_MAX, &greatest), P2_OK);
    CU_ASSERT_PTR_EQUAL(p2_map_get(&map, 0), &least);
    CU_ASSERT_PTR_EQUAL(p2_map_get(&map, UINT64_MAX), &greatest);
    p2_map_cleanup(&map);
}

/* A table that never shrinks may still not grow while it holds few: SPIs and message IDs come and go for
 * hours. */
static void coming_and_going_does_not_grow_it(void)
{
    char value;
    struct p2_map map = {0};
    for (uint64_t key = 0; key < 100000; key++) {
        CU_ASSERT_EQUAL_FATAL(p2_map_put(&map, key * 256, &value), P2_OK);
        if (key >= 5)
            p2_map_remove(&map, (key - 5) * 256);
    }
    CU_ASSERT_EQUAL(map.count, 5);
    CU_ASSERT(map.capacity <= 16);
    p2_map_cleanup(&map);
}

CHECK_MAIN("map", {"a million operations as in the model", a_million_operations_as_in_the_model},
           {"removing from a cluster hides nothing", removing_from_a_cluster_hides_nothing},
           {"an empty map has nothing", an_empty_map_has_nothing},
           {"a later value replaces an earlier one", a_later_value_replaces_an_earlier_one},
           {"the least and the greatest key are keys", the_least_and_the_greatest_key_are_keys},
           {"coming and going does not grow it", coming_and_going_does_not_grow_it})
