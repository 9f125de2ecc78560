/* A node's CPU in virtual time. Times are nanoseconds by hand. */
#include "check.h"
#include "cpu.h"

static void start_all(struct cpu *cpu, p2_time now)
{
    while (cpu_start_next(cpu, now))
        ;
}

static bool submit(struct cpu *cpu, p2_time now, uint64_t number, p2_time price)
{
    struct cpu_job job = {.job = number, .price = price, .submitted = now};
    return cpu_submit(cpu, &job);
}

/* Submits, and starts what can be started, as the host does after each input. */
static bool arrive(struct cpu *cpu, p2_time now, uint64_t number, p2_time price)
{
    bool accepted = submit(cpu, now, number, price);
    start_all(cpu, now);
    return accepted;
}

/* The number of the job that ends first, with what waits started in its place; 0: none ends by then. */
static uint64_t end_one(struct cpu *cpu, p2_time now)
{
    struct cpu_job job;
    bool ended = cpu_take_finished(cpu, now, &job);
    if (ended)
        CU_ASSERT(job.ends <= now);
    start_all(cpu, now);
    return ended ? job.job : 0;
}

static struct cpu new_cpu(uint32_t cores, uint32_t queue)
{
    struct cpu cpu;
    CU_ASSERT_EQUAL_FATAL(cpu_init(&cpu, cores, queue), P2_OK);
    CU_ASSERT_EQUAL(cpu_next(&cpu), P2_TIME_NEVER);
    return cpu;
}

static void one_core_serves_in_the_order_of_arrival(void)
{
    struct cpu cpu = new_cpu(1, 10);
    CU_ASSERT_TRUE(arrive(&cpu, 0, 1, 100));
    CU_ASSERT_TRUE(arrive(&cpu, 10, 2, 5)); /* shorter, and still second */
    CU_ASSERT_TRUE(arrive(&cpu, 20, 3, 50));
    CU_ASSERT_EQUAL(cpu_next(&cpu), 100);
    CU_ASSERT_EQUAL(end_one(&cpu, 99), 0);
    CU_ASSERT_EQUAL(end_one(&cpu, 100), 1);
    CU_ASSERT_EQUAL(cpu_next(&cpu), 105);
    CU_ASSERT_EQUAL(end_one(&cpu, 105), 2);
    CU_ASSERT_EQUAL(cpu_next(&cpu), 155);
    CU_ASSERT_EQUAL(end_one(&cpu, 155), 3);
    CU_ASSERT_EQUAL(cpu_next(&cpu), P2_TIME_NEVER);
    CU_ASSERT_EQUAL(cpu.jobs, 3);
    CU_ASSERT_EQUAL(cpu.busy, 155);
    CU_ASSERT_EQUAL(cpu.waited, 90 + 85);
    CU_ASSERT_EQUAL(cpu.longest_queue, 2);
    cpu_cleanup(&cpu);
}

static void several_cores_work_at_once(void)
{
    struct cpu cpu = new_cpu(3, 10);
    for (uint64_t n = 1; n <= 4; n++)
        CU_ASSERT_TRUE(arrive(&cpu, 0, n, 100 - (p2_time)n * 10)); /* 90, 80, 70 and, once one is free, 60 */
    CU_ASSERT_EQUAL(cpu.longest_queue, 1);
    CU_ASSERT_EQUAL(end_one(&cpu, 70), 3);
    CU_ASSERT_EQUAL(end_one(&cpu, 80), 2);
    CU_ASSERT_EQUAL(end_one(&cpu, 90), 1);
    CU_ASSERT_EQUAL(cpu_next(&cpu), 130);
    CU_ASSERT_EQUAL(end_one(&cpu, 130), 4);
    CU_ASSERT_EQUAL(cpu.busy, 90 + 80 + 70 + 60);
    CU_ASSERT_EQUAL(cpu.waited, 70);
    cpu_cleanup(&cpu);
}

static void jobs_that_end_together_come_in_the_order_of_their_numbers(void)
{
    struct cpu cpu = new_cpu(3, 0);
    arrive(&cpu, 0, 9, 100);
    arrive(&cpu, 50, 3, 50);
    arrive(&cpu, 60, 5, 40);
    CU_ASSERT_EQUAL(end_one(&cpu, 100), 3);
    CU_ASSERT_EQUAL(end_one(&cpu, 100), 5);
    CU_ASSERT_EQUAL(end_one(&cpu, 100), 9);
    CU_ASSERT_EQUAL(end_one(&cpu, 100), 0);
    cpu_cleanup(&cpu);
}

static void a_full_queue_refuses(void)
{
    struct cpu cpu = new_cpu(1, 2);
    CU_ASSERT_TRUE(arrive(&cpu, 0, 1, 100));
    CU_ASSERT_TRUE(arrive(&cpu, 0, 2, 100));
    CU_ASSERT_TRUE(arrive(&cpu, 0, 3, 100));
    CU_ASSERT_FALSE(arrive(&cpu, 0, 4, 100));
    CU_ASSERT_EQUAL(cpu.jobs, 3);
    CU_ASSERT_EQUAL(cpu.longest_queue, 2);
    CU_ASSERT_EQUAL(end_one(&cpu, 100), 1);
    CU_ASSERT_TRUE(arrive(&cpu, 100, 5, 100));
    CU_ASSERT_FALSE(arrive(&cpu, 100, 6, 100));
    CU_ASSERT_EQUAL(end_one(&cpu, 200), 2);
    CU_ASSERT_EQUAL(end_one(&cpu, 300), 3);
    CU_ASSERT_EQUAL(end_one(&cpu, 400), 5);
    CU_ASSERT_EQUAL(cpu.busy, 400);
    cpu_cleanup(&cpu);
}

/* Before anything was started: an idle core takes one more than the queue holds. */
static void an_idle_core_counts_as_room(void)
{
    struct cpu cpu = new_cpu(2, 1);
    CU_ASSERT_TRUE(submit(&cpu, 0, 1, 10));
    CU_ASSERT_TRUE(submit(&cpu, 0, 2, 10));
    CU_ASSERT_TRUE(submit(&cpu, 0, 3, 10));
    CU_ASSERT_FALSE(submit(&cpu, 0, 4, 10));
    start_all(&cpu, 0);
    CU_ASSERT_EQUAL(cpu.longest_queue, 1);
    CU_ASSERT_FALSE(submit(&cpu, 0, 5, 10));
    cpu_cleanup(&cpu);
}

static void without_a_queue_only_an_idle_core_takes_work(void)
{
    struct cpu cpu = new_cpu(1, 0);
    CU_ASSERT_TRUE(arrive(&cpu, 0, 1, 10));
    CU_ASSERT_FALSE(arrive(&cpu, 5, 2, 10));
    CU_ASSERT_EQUAL(end_one(&cpu, 10), 1);
    CU_ASSERT_TRUE(arrive(&cpu, 10, 3, 10));
    CU_ASSERT_EQUAL(cpu.longest_queue, 0);
    cpu_cleanup(&cpu);
}

/* Verification and answer of one message are two stages: the second one does not queue again behind job 2. */
static void the_next_stage_keeps_its_core(void)
{
    struct cpu cpu = new_cpu(1, 1);
    struct cpu_job finished, next = {.job = 7, .price = 30, .submitted = 100};
    arrive(&cpu, 0, 1, 100);
    arrive(&cpu, 0, 2, 100);
    CU_ASSERT_TRUE_FATAL(cpu_take_finished(&cpu, 100, &finished));
    CU_ASSERT_EQUAL(finished.job, 1);
    CU_ASSERT_FALSE(submit(&cpu, 100, 3, 1)); /* the core that just got idle is no room for others */
    cpu_continue(&cpu, 100, &next);
    start_all(&cpu, 100);
    CU_ASSERT_EQUAL(cpu_next(&cpu), 130);
    CU_ASSERT_EQUAL(end_one(&cpu, 130), 7);
    CU_ASSERT_EQUAL(end_one(&cpu, 230), 2);
    CU_ASSERT_EQUAL(cpu.busy, 230);
    CU_ASSERT_EQUAL(cpu.waited, 130); /* job 2's; a further stage waits for nothing */
    cpu_cleanup(&cpu);
}

static void a_core_that_is_not_continued_goes_to_the_next(void)
{
    struct cpu cpu = new_cpu(1, 1);
    struct cpu_job finished;
    arrive(&cpu, 0, 1, 100);
    arrive(&cpu, 0, 2, 100);
    CU_ASSERT_TRUE_FATAL(cpu_take_finished(&cpu, 100, &finished));
    struct cpu_job *started = cpu_start_next(&cpu, 100);
    CU_ASSERT_PTR_NOT_NULL_FATAL(started);
    CU_ASSERT_EQUAL(started->job, 2);
    CU_ASSERT_EQUAL(started->ends, 200);
    CU_ASSERT_PTR_NULL(cpu_start_next(&cpu, 100));
    cpu_cleanup(&cpu);
}

static void a_cancelled_job_is_charged_for_what_it_used(void)
{
    struct cpu cpu = new_cpu(1, 5);
    for (uint64_t n = 1; n <= 4; n++)
        arrive(&cpu, 0, n, 100);
    CU_ASSERT_TRUE(cpu_cancel(&cpu, 0, 3));  /* it waits, and is charged nothing */
    CU_ASSERT_TRUE(cpu_cancel(&cpu, 40, 1)); /* it runs, and used 40 of its 100 */
    start_all(&cpu, 40);
    CU_ASSERT_EQUAL(cpu.busy, 40 + 100);
    CU_ASSERT_EQUAL(end_one(&cpu, 140), 2);
    CU_ASSERT_EQUAL(end_one(&cpu, 240), 4);
    CU_ASSERT_EQUAL(end_one(&cpu, P2_TIME_NEVER - 1), 0);
    CU_ASSERT_FALSE(cpu_cancel(&cpu, 240, 4));
    CU_ASSERT_FALSE(cpu_cancel(&cpu, 240, 77));
    CU_ASSERT_EQUAL(cpu.busy, 240);
    cpu_cleanup(&cpu);
}

/* The queue is a ring: cancelling while it wraps around must keep the others and their order. */
static void cancelling_keeps_the_order_wherever_the_ring_stands(void)
{
    for (uint64_t turn = 0; turn < 6; turn++) {
        for (uint64_t cancelled = 1; cancelled <= 4; cancelled++) {
            struct cpu cpu = new_cpu(1, 4);
            for (uint64_t i = 0; i < turn; i++) {
                arrive(&cpu, 0, 100 + i, 0);
                CU_ASSERT_EQUAL(end_one(&cpu, 0), 100 + i);
            }
            arrive(&cpu, 0, 50, 1);
            for (uint64_t n = 1; n <= 4; n++)
                CU_ASSERT_TRUE(arrive(&cpu, 0, n, 1));
            CU_ASSERT_TRUE(cpu_cancel(&cpu, 0, cancelled));
            CU_ASSERT_EQUAL(end_one(&cpu, 1), 50);
            p2_time now = 2;
            for (uint64_t n = 1; n <= 4; n++) {
                if (n != cancelled)
                    CU_ASSERT_EQUAL(end_one(&cpu, now++), n);
            }
            cpu_cleanup(&cpu);
        }
    }
}

/* Ends of jobs after the recurrence for first come first served: a job starts when it is there and the core
 * that is free first is free. */
static void ends_as_the_recurrence_says(uint32_t cores)
{
    enum { NUM = 20000 };
    static p2_time expected[NUM + 1];
    struct test_random random = {.seed = cores};
    struct cpu cpu = new_cpu(cores, NUM);
    p2_time free_at[8] = {0}, now = 0, waited = 0, busy = 0;
    size_t num_ended = 0;
    for (uint64_t n = 1; n <= NUM; n++) {
        now += (p2_time)(test_random_next(&random) % (200 / cores));
        p2_time price = (p2_time)(test_random_next(&random) % 200);
        size_t core = 0;
        for (size_t i = 1; i < cores; i++)
            core = free_at[i] < free_at[core] ? i : core;
        p2_time starts = free_at[core] > now ? free_at[core] : now;
        free_at[core] = expected[n] = starts + price;
        waited += starts - now;
        busy += price;
        while (cpu_next(&cpu) <= now) {
            p2_time at = cpu_next(&cpu);
            CU_ASSERT_EQUAL_FATAL(expected[end_one(&cpu, at)], at);
            num_ended++;
        }
        CU_ASSERT_TRUE_FATAL(arrive(&cpu, now, n, price));
    }
    for (; cpu_next(&cpu) != P2_TIME_NEVER; num_ended++) {
        p2_time at = cpu_next(&cpu);
        CU_ASSERT_EQUAL_FATAL(expected[end_one(&cpu, at)], at);
    }
    CU_ASSERT_EQUAL(num_ended, NUM);
    CU_ASSERT_EQUAL(cpu.jobs, NUM);
    CU_ASSERT_EQUAL(cpu.waited, waited);
    CU_ASSERT_EQUAL(cpu.busy, busy);
    cpu_cleanup(&cpu);
}

static void many_jobs_end_as_the_recurrence_says(void)
{
    ends_as_the_recurrence_says(1);
    ends_as_the_recurrence_says(2);
    ends_as_the_recurrence_says(7);
}

CHECK_MAIN("cpu", {"one core serves in the order of arrival", one_core_serves_in_the_order_of_arrival},
           {"several cores work at once", several_cores_work_at_once},
           {"jobs that end together come in the order of their numbers",
            jobs_that_end_together_come_in_the_order_of_their_numbers},
           {"a full queue refuses", a_full_queue_refuses},
           {"an idle core counts as room", an_idle_core_counts_as_room},
           {"without a queue only an idle core takes work", without_a_queue_only_an_idle_core_takes_work},
           {"the next stage keeps its core", the_next_stage_keeps_its_core},
           {"a core that is not continued goes to the next", a_core_that_is_not_continued_goes_to_the_next},
           {"a cancelled job is charged for what it used", a_cancelled_job_is_charged_for_what_it_used},
           {"cancelling keeps the order wherever the ring stands",
            cancelling_keeps_the_order_wherever_the_ring_stands},
           {"many jobs end as the recurrence says", many_jobs_end_as_the_recurrence_says})
