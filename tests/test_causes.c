/* The chain of causes: what time is attributed to, and that the parts add up. */
#include "causes.h"
#include "check.h"

#define US INT64_C(1000)

static struct causes *new_causes(void)
{
    struct causes *causes;
    CU_ASSERT_EQUAL_FATAL(causes_new(&causes), P2_OK);
    return causes;
}

static void check_split(const struct cause_split *split, p2_time network, p2_time cpu, p2_time cpu_wait,
                        p2_time retransmission_wait)
{
    CU_ASSERT_EQUAL(split->network, network);
    CU_ASSERT_EQUAL(split->cpu, cpu);
    CU_ASSERT_EQUAL(split->cpu_wait, cpu_wait);
    CU_ASSERT_EQUAL(split->retransmission_wait, retransmission_wait);
}

static void numbers_count_from_one(void)
{
    struct causes *causes = new_causes();
    CU_ASSERT_EQUAL(causes_add(causes, 5, CAUSE_EXTERNAL, 0), 1);
    CU_ASSERT_EQUAL(causes_add(causes, 5, CAUSE_STEP, 1), 2);
    CU_ASSERT_EQUAL(causes_add(causes, 9, CAUSE_ARRIVAL, 2), 3);
    CU_ASSERT_EQUAL(causes_time(causes, 1), 5);
    CU_ASSERT_EQUAL(causes_time(causes, 3), 9);
    causes_free(causes);
    causes_free(NULL);
}

/* One message: work of 30 us that waits 7 us, 10,000 us over the wire, and at the other end work of 50 us
 * that starts at once. */
static void each_edge_goes_to_its_part(void)
{
    struct causes *causes = new_causes();
    struct cause_split split;
    uint64_t start = causes_add(causes, 100 * US, CAUSE_EXTERNAL, 0);
    uint64_t submit = causes_add(causes, 100 * US, CAUSE_JOB_SUBMIT, start);
    uint64_t begin = causes_add(causes, 107 * US, CAUSE_JOB_START, submit);
    uint64_t end = causes_add(causes, 137 * US, CAUSE_JOB_END, begin);
    uint64_t emission = causes_add(causes, 137 * US, CAUSE_EMISSION, end);
    uint64_t arrival = causes_add(causes, 10137 * US, CAUSE_ARRIVAL, emission);
    submit = causes_add(causes, 10137 * US, CAUSE_JOB_SUBMIT, arrival);
    begin = causes_add(causes, 10137 * US, CAUSE_JOB_START, submit);
    end = causes_add(causes, 10187 * US, CAUSE_JOB_END, begin);
    uint64_t ready = causes_add(causes, 10187 * US, CAUSE_STEP, end);
    CU_ASSERT_TRUE(causes_walk(causes, ready, 100 * US, &split));
    check_split(&split, 10000 * US, 80 * US, 7 * US, 0);
    CU_ASSERT_TRUE(causes_walk(causes, ready, 137 * US, &split));
    check_split(&split, 10000 * US, 50 * US, 0, 0);
    causes_free(causes);
}

/* The first copy is lost; the one that counts left 1 s after the timer was armed. The wait of the lost copy's
 * own way counts for nothing. */
static void a_resend_goes_to_waiting_for_retransmission(void)
{
    struct causes *causes = new_causes();
    struct cause_split split;
    uint64_t start = causes_add(causes, 0, CAUSE_EXTERNAL, 0);
    causes_add(causes, 0, CAUSE_EMISSION, start);
    uint64_t resend = causes_add(causes, P2_SECOND, CAUSE_RESEND, start);
    uint64_t copy = causes_add(causes, P2_SECOND, CAUSE_EMISSION, resend);
    uint64_t arrival = causes_add(causes, P2_SECOND + 3 * P2_MS, CAUSE_ARRIVAL, copy);
    CU_ASSERT_TRUE(causes_walk(causes, arrival, 0, &split));
    check_split(&split, 3 * P2_MS, 0, 0, P2_SECOND);
    causes_free(causes);
}

static void an_event_at_the_start_takes_no_time(void)
{
    struct causes *causes = new_causes();
    struct cause_split split = {1, 1, 1, 1};
    uint64_t start = causes_add(causes, 42, CAUSE_EXTERNAL, 0);
    uint64_t step = causes_add(causes, 42, CAUSE_STEP, start);
    CU_ASSERT_TRUE(causes_walk(causes, step, 42, &split));
    check_split(&split, 0, 0, 0, 0);
    CU_ASSERT_TRUE(causes_walk(causes, start, 42, &split));
    causes_free(causes);
}

static void a_walk_may_not_pass_something_external(void)
{
    struct causes *causes = new_causes();
    struct cause_split split;
    causes_add(causes, 0, CAUSE_EXTERNAL, 0);
    uint64_t later = causes_add(causes, 10, CAUSE_EXTERNAL, 0);
    uint64_t arrival = causes_add(causes, 20, CAUSE_ARRIVAL, causes_add(causes, 10, CAUSE_EMISSION, later));
    CU_ASSERT_FALSE(causes_walk(causes, arrival, 0, &split));
    CU_ASSERT_TRUE(causes_walk(causes, arrival, 10, &split));
    causes_free(causes);
}

/* t0 lies within an edge: that chain did not start there. */
static void a_walk_must_meet_the_start_exactly(void)
{
    struct causes *causes = new_causes();
    struct cause_split split;
    uint64_t start = causes_add(causes, 0, CAUSE_EXTERNAL, 0);
    uint64_t arrival = causes_add(causes, 20, CAUSE_ARRIVAL, causes_add(causes, 0, CAUSE_EMISSION, start));
    CU_ASSERT_FALSE(causes_walk(causes, arrival, 10, &split));
    CU_ASSERT_FALSE(causes_walk(causes, arrival, 21, &split));
    CU_ASSERT_TRUE(causes_walk(causes, arrival, 20, &split));
    causes_free(causes);
}

/* Adds a random event behind `cause`; instants stay where they are. */
static uint64_t add_random(struct causes *causes, struct test_random *random, uint64_t cause)
{
    static const enum cause_kind kinds[] = {CAUSE_STEP,      CAUSE_EMISSION, CAUSE_ARRIVAL, CAUSE_JOB_SUBMIT,
                                            CAUSE_JOB_START, CAUSE_JOB_END,  CAUSE_RESEND};
    uint64_t r = test_random_next(random);
    enum cause_kind kind = kinds[r % 7];
    bool instant = kind == CAUSE_STEP || kind == CAUSE_EMISSION || kind == CAUSE_JOB_SUBMIT;
    p2_time after = instant ? 0 : (p2_time)(r >> 8 & 0xffff);
    return causes_add(causes, causes_time(causes, cause) + after, kind, cause);
}

static void the_parts_always_add_up(void)
{
    struct test_random random = {.seed = 3};
    struct causes *causes = new_causes();
    uint64_t num = 64;
    for (uint64_t i = 1; i <= num; i++)
        causes_add(causes, 1000, CAUSE_EXTERNAL, 0);
    for (int i = 0; i < 100000; i++) { /* trees: any earlier event may have several effects */
        uint64_t r = test_random_next(&random);
        num = add_random(causes, &random, r % 4 ? num : r / 4 % num + 1);
    }
    for (uint64_t event = 1; event <= num; event += 97) {
        struct cause_split s;
        CU_ASSERT_TRUE_FATAL(causes_walk(causes, event, 1000, &s));
        if (s.network + s.cpu + s.cpu_wait + s.retransmission_wait != causes_time(causes, event) - 1000)
            CU_FAIL_FATAL("the parts do not add up");
    }
    causes_free(causes);
}

CHECK_MAIN("causes", {"numbers count from one", numbers_count_from_one},
           {"each edge goes to its part", each_edge_goes_to_its_part},
           {"a resend goes to waiting for retransmission", a_resend_goes_to_waiting_for_retransmission},
           {"an event at the start takes no time", an_event_at_the_start_takes_no_time},
           {"a walk may not pass something external", a_walk_may_not_pass_something_external},
           {"a walk must meet the start exactly", a_walk_must_meet_the_start_exactly},
           {"the parts always add up", the_parts_always_add_up})
