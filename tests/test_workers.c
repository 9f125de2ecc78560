/* Worker processes: analysis/workers.c, process.c, interrupt.c. Runs tests/vectors/fake-worker.sh, so it
 * wants to be started in the top directory. */
#include "check.h"
#include "interrupt.h"
#include "process.h"
#include "record_fixture.h"
#include "workers.h"

#include <signal.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define PATIENCE_MS 2000
#define FAKE_WORKER "tests/vectors/fake-worker.sh"

enum { NUM_JOBS = 8 };

/* What was delivered, in its order. */
struct delivered {
    char log[4096]; /* "PFS=none/1:13 " or "PFS=none/2:how " */
    char words[256];
    int stop_after; /* deliveries; 0: never */
    int num;
};

static int deliver(void *context, const struct workers_outcome *outcome)
{
    struct delivered *delivered = context;
    size_t len = strlen(delivered->log);
    snprintf(delivered->log + len, sizeof delivered->log - len, "%s/%llu:", outcome->job->case_name,
             (unsigned long long)outcome->job->run);
    len = strlen(delivered->log);
    if (outcome->stream)
        snprintf(delivered->log + len, sizeof delivered->log - len, "%zu ", outcome->stream->num_records);
    else
        snprintf(delivered->log + len, sizeof delivered->log - len, "%s ", outcome->how);
    snprintf(delivered->words, sizeof delivered->words, "%.255s", outcome->last_words);
    delivered->num++;
    return delivered->num == delivered->stop_after ? 7 : 0;
}

static int run(const char *program, const char *mode, size_t parallel, struct delivered *delivered,
               struct workers_tally *tally)
{
    static const char xml[] = "<scenario/>";
    struct workers_job jobs[NUM_JOBS];
    struct workers_options options = {
        .program = program, .seed = 1, .parallel = parallel, .patience_ms = PATIENCE_MS};
    for (size_t i = 0; i < NUM_JOBS; i++)
        jobs[i] = (struct workers_job){.case_name = i < 4 ? "PFS=none" : "PFS=group2",
                                       .run = i % 4 + 1,
                                       .xml = xml,
                                       .xml_len = sizeof xml - 1};
    setenv("FAKE_WORKER", mode, 1);
    CU_ASSERT_EQUAL_FATAL(interrupt_install(), 0);
    int status = workers_run(jobs, NUM_JOBS, &options, deliver, delivered, tally);
    interrupt_restore();
    return status;
}

static const char all_good[] = "PFS=none/1:14 PFS=none/2:14 PFS=none/3:14 PFS=none/4:14 "
                               "PFS=group2/1:14 PFS=group2/2:14 PFS=group2/3:14 PFS=group2/4:14 ";

static void results_come_in_order(void)
{
    static const struct {
        const char *mode;
        size_t parallel;
    } rows[] = {{"ok", 1}, {"ok", 4}, {"lively", 8}, {"mixed", 4}, {"mixed", 3}, {"ok", 100}};
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct delivered delivered = {.num = 0};
        struct workers_tally tally;
        CU_ASSERT_EQUAL(run(FAKE_WORKER, rows[i].mode, rows[i].parallel, &delivered, &tally), 0);
        CU_ASSERT_STRING_EQUAL(delivered.log, all_good);
        CU_ASSERT_EQUAL(tally.finished, NUM_JOBS);
        CU_ASSERT_EQUAL(tally.failed, 0);
        CU_ASSERT_FALSE(tally.interrupted);
    }
}

static void failures_cost_one_run(void)
{
    static const struct {
        const char *mode, *how;
    } rows[] = {{"exit", "ended with exit code 5"},
                {"hang", "showed no progress for 2 s and was ended"},
                {"crash", "was killed by signal 11 (Segmentation fault)"},
                {"silent", "its records stop after line 13 without an end record"}};
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct delivered delivered = {.num = 0};
        struct workers_tally tally;
        char expected[512];
        snprintf(expected, sizeof expected,
                 "PFS=none/1:14 PFS=none/2:%s PFS=none/3:14 PFS=none/4:14 "
                 "PFS=group2/1:14 PFS=group2/2:%s PFS=group2/3:14 PFS=group2/4:14 ",
                 rows[i].how, rows[i].how);
        CU_ASSERT_EQUAL(run(FAKE_WORKER, rows[i].mode, 2, &delivered, &tally), 0);
        CU_ASSERT_STRING_EQUAL(delivered.log, expected);
        CU_ASSERT_EQUAL(tally.finished, 6);
        CU_ASSERT_EQUAL(tally.failed, 2);
    }
}

static void words_are_kept(void)
{
    struct delivered delivered = {.stop_after = 2};
    struct workers_tally tally;
    CU_ASSERT_EQUAL(run(FAKE_WORKER, "exit", 1, &delivered, &tally), 7);
    CU_ASSERT_STRING_EQUAL(delivered.words, "no memory for the world\n");
    CU_ASSERT_EQUAL(delivered.num, 2); /* deliver's word ends it */
}

static void a_missing_program_is_named(void)
{
    struct delivered delivered = {.stop_after = 1};
    struct workers_tally tally;
    CU_ASSERT_EQUAL(run("/nonexistent/worker", "ok", 1, &delivered, &tally), 7);
    CU_ASSERT_STRING_EQUAL(delivered.log, "PFS=none/1:ended with exit code 127 ");
    CU_ASSERT_STRING_EQUAL(delivered.words, "cannot start /nonexistent/worker: No such file or directory\n");
}

static double seconds(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

/* The first run of each case ends at once, the others sleep for a minute. */
static void signals_end_it_soon(void)
{
    static const int signals[] = {SIGINT, SIGTERM};
    for (size_t i = 0; i < sizeof signals / sizeof signals[0]; i++) {
        struct delivered delivered = {.num = 0};
        struct workers_tally tally;
        double start = seconds();
        pid_t us = getpid(), sender = fork();
        if (sender == 0) {
            poll(NULL, 0, 700);
            kill(us, signals[i]);
            _exit(0);
        }
        CU_ASSERT_EQUAL(run(FAKE_WORKER, "slow", NUM_JOBS, &delivered, &tally), 0);
        waitpid(sender, NULL, 0);
        CU_ASSERT_TRUE(tally.interrupted);
        CU_ASSERT_EQUAL(tally.finished, 2);
        CU_ASSERT_EQUAL(tally.failed, 0);
        CU_ASSERT_STRING_EQUAL(delivered.log, "PFS=none/1:14 PFS=group2/1:14 ");
        CU_ASSERT_TRUE(seconds() - start <
                       3.5); /* killing them takes 3.7 s: they ended because they were asked */
        CU_ASSERT_EQUAL(waitpid(-1, NULL, WNOHANG), -1); /* no child is left */
    }
}

/* Whoever ends a session ends the workers too; their ends are no failures then. */
static void ended_together_is_no_failure(void)
{
    struct delivered delivered = {.num = 0};
    struct workers_tally tally;
    CU_ASSERT_EQUAL(run(FAKE_WORKER, "together", NUM_JOBS, &delivered, &tally), 0);
    CU_ASSERT_TRUE(tally.interrupted);
    CU_ASSERT_EQUAL(tally.failed, 0);
    CU_ASSERT_PTR_NULL(strstr(delivered.log, "exit code 9"));
}

static const char *script(char path[256], const char *text)
{
    FILE *file = fopen(fixture_path(path, "script.sh"), "w");
    fprintf(file, "#!/bin/sh\n%s\n", text);
    fclose(file);
    chmod(path, 0700);
    return path;
}

static void run_process(struct process *process, const char *path, const char *input, size_t len)
{
    char *argv[] = {(char *)(uintptr_t)path, NULL};
    struct pollfd fds[1 + PROCESS_STREAMS];
    CU_ASSERT_EQUAL_FATAL(interrupt_install(), 0);
    CU_ASSERT_EQUAL_FATAL(process_start(process, argv, input, len), 0);
    while (!process->ended) {
        size_t num = process_poll(process, fds);
        fds[num++] = (struct pollfd){.fd = interrupt_fd(), .events = POLLIN};
        poll(fds, (nfds_t)num, -1);
        interrupt_drain();
        process_advance(process);
    }
    interrupt_restore();
}

/* More than a pipe holds, in both directions at once. */
static void much_goes_through(void)
{
    enum { LEN = 3000000 };
    char path[256], *input = malloc(LEN);
    struct process process;
    for (size_t i = 0; i < LEN; i++)
        input[i] = (char)('a' + i % 26);
    run_process(&process, script(path, "exec cat"), input, LEN);
    CU_ASSERT_EQUAL(process.output_len, LEN);
    CU_ASSERT_TRUE(process.output_len == LEN && memcmp(process.output, input, LEN) == 0);
    process_cleanup(&process);
    run_process(&process, script(path, "exec <&-; echo done"), input, LEN);
    CU_ASSERT_EQUAL(process.output_len, 5);
    CU_ASSERT_PTR_NULL(process_how_ended(&process, path, sizeof path));
    process_cleanup(&process);
    free(input);
    fixture_remove("script.sh");
}

static void last_words_are_the_last(void)
{
    char path[256];
    struct process process;
    run_process(&process, script(path, "i=0; while [ $i -lt 2000 ]; do echo line $i >&2; i=$((i + 1)); done"),
                "", 0);
    CU_ASSERT_EQUAL(process.last_words_len, PROCESS_LAST_WORDS - 1);
    CU_ASSERT_STRING_EQUAL(process.last_words + process.last_words_len - 10, "line 1999\n");
    CU_ASSERT_PTR_NOT_NULL(strstr(process.last_words, "line 1900\nline 1901\n"));
    process_cleanup(&process);
    fixture_remove("script.sh");
}

/* A grandchild that keeps the pipes open does not keep us waiting. */
static void a_grandchild_is_not_waited_for(void)
{
    char path[256];
    struct process process;
    double start = seconds();
    run_process(&process, script(path, "sleep 20 &\necho done"), "", 0);
    CU_ASSERT_TRUE(seconds() - start < 10);
    CU_ASSERT_EQUAL(process.output_len, 5);
    kill(-process.pid, SIGKILL);
    process_cleanup(&process);
    fixture_remove("script.sh");
}

CHECK_MAIN("workers", {"results come in order, whichever ends first", results_come_in_order},
           {"a failure costs one run", failures_cost_one_run}, {"what a worker says is kept", words_are_kept},
           {"a missing program is named", a_missing_program_is_named},
           {"a signal ends it soon and keeps what was finished", signals_end_it_soon},
           {"workers that got the signal too have not failed", ended_together_is_no_failure},
           {"more than a pipe holds goes through", much_goes_through},
           {"last words are the last ones", last_words_are_the_last},
           {"a grandchild is not waited for", a_grandchild_is_not_waited_for})
