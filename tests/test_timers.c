/* The heap of timers against a model that looks through all of them. */
#include "check.h"
#include "timers.h"

#define NUM_TIMERS 48
#define NUM_OPS    1000000

static void arm(struct p2_timers *timers, struct p2_timer *timer, p2_time at)
{
    CU_ASSERT_EQUAL_FATAL(p2_timer_arm(timers, timer, at), P2_OK);
}

/* Takes the first one off as the gateway does. */
static int fire(struct p2_timers *timers)
{
    struct p2_timer *first = p2_timers_first(timers);
    if (!first)
        return -1;
    p2_timer_cancel(timers, first);
    return first->kind;
}

static void nothing_is_armed_at_first(void)
{
    struct p2_timers timers = {0};
    struct p2_timer timer;
    p2_timer_init(&timer, 3, &timers);
    CU_ASSERT_PTR_NULL(p2_timers_first(&timers));
    CU_ASSERT_FALSE(p2_timer_armed(&timer));
    p2_timer_cancel(&timers, &timer);
    CU_ASSERT_EQUAL(timer.kind, 3);
    CU_ASSERT_PTR_EQUAL(timer.owner, &timers);
    p2_timers_cleanup(&timers);
}

static void the_earliest_fires_first(void)
{
    static const p2_time at[5] = {50, 10, 40, P2_TIME_NEVER - 1, 0};
    static const int expected[6] = {4, 1, 2, 0, 3, -1};
    struct p2_timers timers = {0};
    struct p2_timer t[5];
    for (int i = 0; i < 5; i++) {
        p2_timer_init(&t[i], i, NULL);
        arm(&timers, &t[i], at[i]);
        CU_ASSERT_TRUE(p2_timer_armed(&t[i]));
    }
    for (int i = 0; i < 6; i++)
        CU_ASSERT_EQUAL(fire(&timers), expected[i]);
    CU_ASSERT_FALSE(p2_timer_armed(&t[0]));
    p2_timers_cleanup(&timers);
}

static void timers_of_one_instant_fire_in_the_order_of_their_arming(void)
{
    struct p2_timers timers = {0};
    struct p2_timer t[33];
    for (int i = 0; i < 33; i++) {
        p2_timer_init(&t[i], i, NULL);
        arm(&timers, &t[i], i == 20 ? 99 : 100);
    }
    arm(&timers, &t[7], 100); /* again, for the same instant: it is the last to have been armed */
    CU_ASSERT_EQUAL(fire(&timers), 20);
    for (int i = 0; i < 33; i++) {
        if (i != 7 && i != 20)
            CU_ASSERT_EQUAL(fire(&timers), i);
    }
    CU_ASSERT_EQUAL(fire(&timers), 7);
    CU_ASSERT_EQUAL(fire(&timers), -1);
    p2_timers_cleanup(&timers);
}

static void a_timer_can_be_moved_both_ways(void)
{
    struct p2_timers timers = {0};
    struct p2_timer t[3];
    for (int i = 0; i < 3; i++) {
        p2_timer_init(&t[i], i, NULL);
        arm(&timers, &t[i], 100 + i);
    }
    arm(&timers, &t[2], 50);
    CU_ASSERT_PTR_EQUAL(p2_timers_first(&timers), &t[2]);
    arm(&timers, &t[2], 200);
    CU_ASSERT_PTR_EQUAL(p2_timers_first(&timers), &t[0]);
    CU_ASSERT_EQUAL(timers.count, 3);
    p2_timer_cancel(&timers, &t[0]);
    CU_ASSERT_PTR_EQUAL(p2_timers_first(&timers), &t[1]);
    p2_timers_cleanup(&timers);
}

/* "Re-arming never fails": it must not need a larger heap even when that is full. */
static void re_arming_needs_no_room(void)
{
    struct p2_timers timers = {0};
    struct p2_timer t[16];
    for (int i = 0; i < 16; i++) {
        p2_timer_init(&t[i], i, NULL);
        arm(&timers, &t[i], i);
    }
    CU_ASSERT_EQUAL_FATAL(timers.count, timers.capacity);
    for (int i = 0; i < 1000; i++)
        arm(&timers, &t[i % 16], i);
    CU_ASSERT_EQUAL(timers.capacity, 16);
    p2_timers_cleanup(&timers);
}

struct model {
    bool armed[NUM_TIMERS];
    p2_time at[NUM_TIMERS];
    uint64_t order[NUM_TIMERS];
    uint64_t next_order;
};

static int first_of(const struct model *m)
{
    int first = -1;
    for (int i = 0; i < NUM_TIMERS; i++) {
        if (m->armed[i] && (first < 0 || m->at[i] < m->at[first] ||
                            (m->at[i] == m->at[first] && m->order[i] < m->order[first])))
            first = i;
    }
    return first;
}

static void a_million_operations_as_in_the_model(void)
{
    static struct model model;
    struct p2_timers timers = {0};
    struct p2_timer t[NUM_TIMERS];
    struct test_random random = {.seed = 2};
    for (int i = 0; i < NUM_TIMERS; i++)
        p2_timer_init(&t[i], i, NULL);
    for (int op = 0; op < NUM_OPS; op++) {
        uint64_t r = test_random_next(&random);
        size_t i = (size_t)(r >> 40) % NUM_TIMERS;
        if (r % 8 < 4) { /* few instants, so that ties are common */
            model.armed[i] = true;
            model.at[i] = (p2_time)(r >> 8 & 31);
            model.order[i] = model.next_order++;
            arm(&timers, &t[i], model.at[i]);
        } else if (r % 8 < 5) {
            model.armed[i] = false;
            p2_timer_cancel(&timers, &t[i]);
        } else {
            int expected = first_of(&model), fired = fire(&timers);
            if (expected != fired)
                CU_FAIL_FATAL("another timer fired than in the model");
            if (expected >= 0)
                model.armed[expected] = false;
        }
        if (p2_timer_armed(&t[i]) != model.armed[i])
            CU_FAIL_FATAL("armed here and not there");
    }
    p2_timers_cleanup(&timers);
}

CHECK_MAIN("timers", {"nothing is armed at first", nothing_is_armed_at_first},
           {"the earliest fires first", the_earliest_fires_first},
           {"timers of one instant fire in the order of their arming",
            timers_of_one_instant_fire_in_the_order_of_their_arming},
           {"a timer can be moved both ways", a_timer_can_be_moved_both_ways},
           {"re-arming needs no room", re_arming_needs_no_room},
           {"a million operations as in the model", a_million_operations_as_in_the_model})
