#include "runner.h"
#include "interrupt.h"
#include "library.h"
#include "missing.h"
#include "outputs.h"
#include "plan.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* So many failures before the first success mean that the rest would fail alike. */
#define HOPELESS           10
#define LAST_LINES         6
#define MAX_JOBS_CHOICE    1024
#define DEFAULT_PATIENCE_S 60

struct run {
    struct runner_options options; /* those of `kept` that can be read */
    const struct scenario_set *set;
    struct result_dir dir;
    struct store *store;
    struct plan plan;
    struct workers_tally tally;
    struct store_message message;
    size_t num_stored; /* those that were kept included */
    size_t num_new;
    size_t num_failed;
    char worker[LIBRARY_PATH];
};

static int find_worker(struct run *run)
{
    if (library_worker(run->worker)) {
        command_complain("found no phase2sim-worker; set PHASE2SIM_WORKER to its path");
        return -1;
    }
    if (access(run->worker, X_OK) == 0)
        return 0;
    command_complain("%s: %s", run->worker, strerror(errno));
    return -1;
}

static int write_scenario(void *context, FILE *out, char *message, size_t message_size)
{
    const struct scenario_set *set = context;
    (void)message;
    (void)message_size;
    return fwrite(set->xml, 1, set->xml_len, out) == set->xml_len ? 0 : -1;
}

static int fill_store(struct run *run, struct store_message *message)
{
    for (size_t i = 0; i < run->set->num_cases; i++) {
        const struct scenario_case *of = &run->set->cases[i];
        if (store_add_case(run->store, i, of->name, message))
            return -1;
        for (size_t j = 0; j < of->num_settings; j++)
            if (store_add_setting(run->store, of->name, of->settings[j].axis, of->settings[j].value, message))
                return -1;
    }
    return 0;
}

/* What cannot be read cannot be kept, but keeps nobody from doing its runs again. */
static void attach_kept(struct run *run)
{
    char path[RESULT_DIR_PATH + 32];
    size_t num = run->options.num_kept;
    run->options.num_kept = 0;
    for (size_t i = 0; i < num; i++) {
        snprintf(path, sizeof path, "%s/results.sqlite", run->options.kept[i]);
        if (store_attach(run->store, path, &run->message) == 0)
            run->options.kept[run->options.num_kept++] = run->options.kept[i];
        else
            command_complain("%s; none of its runs is kept", run->message.text);
    }
}

static int open_store(struct run *run)
{
    char path[RESULT_DIR_PATH + 32];
    struct store_message *message = &run->message;
    snprintf(path, sizeof path, "%s/results.sqlite", run->dir.work);
    return result_dir_write_file(run->dir.work, "scenario.xml", write_scenario, (void *)(uintptr_t)run->set,
                                 message->text, sizeof message->text) ||
           store_create(&run->store, path, message) || fill_store(run, message);
}

/* The last lines of what a worker said, indented. */
static void print_last_words(const char *words)
{
    size_t len = strlen(words), lines = 0;
    while (len > 0 && words[len - 1] == '\n')
        len--;
    size_t start = len;
    while (start > 0 && (words[start - 1] != '\n' || ++lines < LAST_LINES))
        start--;
    while (start < len) {
        size_t line_len = 0;
        while (start + line_len < len && words[start + line_len] != '\n')
            line_len++;
        fprintf(stderr, "    %.*s\n", (int)line_len, words + start);
        start += line_len + 1;
    }
}

static int take_outcome(void *context, const struct workers_outcome *outcome)
{
    struct run *run = context;
    const struct workers_job *job = outcome->job;
    size_t index = (size_t)(job - run->plan.jobs);
    unsigned long long number = job->run;
    if (outcome->stream || job->kept) {
        if (*outcome->last_words) {
            command_complain("case %s, run %llu says:", job->case_name, number);
            print_last_words(outcome->last_words);
        }
        if (job->kept ? store_copy_run(run->store, run->plan.sources[index], job->case_name, job->run,
                                       &run->message)
                      : store_add_run(run->store, job->case_name, job->run, outcome->stream->records,
                                      outcome->stream->num_records, &run->message))
            return -1;
        run->plan.stored[index] = true;
        run->num_stored++;
        run->num_new += !job->kept;
        return 0;
    }
    run->num_failed++;
    command_complain("case %s, run %llu failed: %s", job->case_name, number, outcome->how);
    print_last_words(outcome->last_words);
    if (store_add_failed_run(run->store, job->case_name, job->run, outcome->how, &run->message))
        return -1;
    return run->num_stored == 0 && run->num_failed >= HOPELESS ? 1 : 0;
}

static int work(struct run *run)
{
    long online = sysconf(_SC_NPROCESSORS_ONLN);
    size_t parallel = run->options.parallel ? run->options.parallel : online > 0 ? (size_t)online : 1;
    uint64_t patience_s = run->options.patience_s ? run->options.patience_s : DEFAULT_PATIENCE_S;
    struct workers_options options = {.program = run->worker,
                                      .seed = run->set->base.seed,
                                      .parallel = parallel < MAX_JOBS_CHOICE ? parallel : MAX_JOBS_CHOICE,
                                      .patience_ms = patience_s * 1000,
                                      .progress = isatty(STDERR_FILENO) ? stderr : NULL};
    snprintf(run->message.text, sizeof run->message.text, "out of memory");
    int status = workers_run(run->plan.jobs, run->plan.num_jobs, &options, take_outcome, run, &run->tally);
    if (status > 0)
        command_complain("the first %d runs all failed; the others are not tried", HOPELESS);
    if (run->tally.interrupted)
        command_complain("interrupted: %zu of %zu runs were finished%s", run->num_stored, run->plan.num_jobs,
                         run->num_stored ? " and are kept" : "");
    return status < 0 ? -1 : 0;
}

static enum command_exit verdict(const struct summary *summary)
{
    if (!summary->result.complete)
        return COMMAND_RUN_FAILED;
    for (size_t i = 0; i < summary->num_expectations; i++)
        if (!summary->expectations[i].holds)
            return COMMAND_UNEXPECTED;
    return COMMAND_DONE;
}

/* All that was finished in them is in the result now. */
static void remove_superseded(const struct run *run)
{
    for (size_t i = 0; i < run->options.num_kept; i++)
        if (strcmp(run->options.kept[i], run->dir.path) != 0)
            result_dir_remove(run->options.kept[i]);
}

/* Figures, files, the directory in its place, the report. */
static int finish(struct run *run, enum command_exit *result)
{
    struct store_message *message = &run->message;
    struct summary summary = {0};
    struct store_result about = {.seed = run->set->base.seed,
                                 .runs = run->set->base.runs,
                                 .complete = run->num_stored == run->plan.num_jobs};
    snprintf(about.scenario, sizeof about.scenario, "%s", run->set->base.name);
    int failed = store_set_result(run->store, &about, message) ||
                 summary_compute(&summary, run->store, run->set, message);
    if (failed)
        return -1;
    for (size_t i = 0; i < run->plan.num_jobs; i++)
        if (!run->plan.stored[i])
            plan_drop_files(&run->plan.jobs[i]);
    failed = outputs_write(run->dir.work, run->store, run->set, &summary, message);
    store_close(run->store);
    run->store = NULL;
    if (!failed)
        failed = result_dir_commit(&run->dir, message->text, sizeof message->text);
    if (!failed) {
        remove_superseded(run);
        bool printed = outputs_print(run->set, &summary) == 0;
        if (!printed)
            command_complain("cannot print the report: %s", strerror(errno));
        printf("\nResults: %s\n", run->dir.path);
        *result = printed ? verdict(&summary) : COMMAND_RUN_FAILED;
    }
    summary_cleanup(&summary);
    return failed ? -1 : 0;
}

void runner_resume_command(char *text, size_t size, const char *path)
{
    static const char plain[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-+=.,:/@%";
    bool quoted = path[strspn(path, plain)] != '\0';
    size_t len =
        (size_t)snprintf(text, size, "phase2sim resume %s%s", *path == '-' ? "-- " : "", quoted ? "'" : "");
    for (; *path && len < size; path++) {
        const char one[2] = {*path, '\0'};
        len += (size_t)snprintf(text + len, size - len, "%s", *path == '\'' ? "'\\''" : one);
    }
    if (quoted && len < size)
        snprintf(text + len, size - len, "'");
}

static void tell_missing(const struct run *run)
{
    char missing[600], command[RUNNER_COMMAND];
    if (run->num_stored == run->plan.num_jobs)
        return;
    missing_text(missing, sizeof missing, run->plan.jobs, run->plan.stored, run->plan.num_jobs);
    runner_resume_command(command, sizeof command, run->dir.path);
    command_complain("%zu of %zu runs are missing: %s", run->plan.num_jobs - run->num_stored,
                     run->plan.num_jobs, missing);
    command_complain("to run only these: %s", command);
}

/* The result cannot be finished, but runs of it are: they stay where they are. */
static void keep_work(struct run *run)
{
    char command[RUNNER_COMMAND];
    /* By its own name, for there may be something else in its place; by that if they belong together. */
    runner_resume_command(command, sizeof command, run->options.num_kept ? run->dir.path : run->dir.work);
    command_complain(
        "%zu of %zu runs are finished and kept in %s; to complete them when the cause is mended: %s",
        run->num_stored, run->plan.num_jobs, run->dir.work, command);
    result_dir_leave(&run->dir);
}

/* A result that is whole already stays as it is. */
static bool nothing_to_do(const struct run *run)
{
    for (size_t i = 0; i < run->plan.num_jobs; i++)
        if (!run->plan.jobs[i].kept)
            return false;
    if (run->options.num_kept != 1 || strcmp(run->options.kept[0], run->dir.path) != 0)
        return false;
    printf("%s: all %zu runs are there already\n", run->dir.path, run->plan.num_jobs);
    return true;
}

static enum command_exit run_in_directory(struct run *run)
{
    enum command_exit result = COMMAND_RUN_FAILED;
    struct store_message *message = &run->message;
    int failed = open_store(run);
    if (!failed)
        attach_kept(run);
    failed = failed || plan_make(&run->plan, run->set, &run->options, &run->dir, run->store, message);
    if (!failed && nothing_to_do(run))
        return COMMAND_DONE;
    if (!failed && interrupt_install()) {
        snprintf(message->text, sizeof message->text, "cannot handle signals: %s", strerror(errno));
        failed = -1;
    } else if (!failed) {
        failed = work(run);
        if (!failed && run->num_stored > 0)
            failed = finish(run, &result);
        else if (!failed)
            command_complain("no run was finished; there are no results");
        if (!failed && run->num_stored > 0)
            tell_missing(run);
        interrupt_restore();
    }
    if (failed)
        command_complain("%s", message->text);
    if (failed && run->num_new > 0)
        keep_work(run);
    return result;
}

enum command_exit runner_run(const struct scenario_set *set, const struct runner_options *options)
{
    struct run run = {.options = *options, .set = set};
    enum command_exit result = COMMAND_RUN_FAILED;
    if (find_worker(&run))
        return result;
    if (result_dir_begin(&run.dir, options->path, run.message.text, sizeof run.message.text)) {
        command_complain("%s", run.message.text);
        return COMMAND_INPUT_ERROR;
    }
    result = run_in_directory(&run);
    plan_cleanup(&run.plan);
    store_close(run.store);
    result_dir_abandon(&run.dir);
    return result;
}
