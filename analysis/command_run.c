/* phase2sim run: all runs of a scenario into a result directory. */
#include "command.h"
#include "interrupt.h"
#include "library.h"
#include "outputs.h"
#include "result_dir.h"
#include "workers.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* So many failures before the first success mean that the rest would fail alike. */
#define HOPELESS        10
#define LAST_LINES      6
#define MAX_JOBS_CHOICE 1024

struct run {
    const struct command_arguments *arguments;
    struct scenario_set set;
    struct result_dir dir;
    struct store *store;
    struct workers_job *jobs;
    bool *stored; /* which jobs' results are in the store */
    size_t num_jobs;
    struct workers_tally tally;
    struct store_message message;
    size_t num_stored, num_failed;
    bool hopeless;
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

static int begin_directory(struct run *run)
{
    char path[RESULT_DIR_PATH];
    const char *output = run->arguments->output;
    snprintf(path, sizeof path, "results/%s-seed%llu", run->set.base.name,
             (unsigned long long)run->set.base.seed);
    if (result_dir_begin(&run->dir, output ? output : path, run->message.text, sizeof run->message.text) == 0)
        return 0;
    command_complain("%s", run->message.text);
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
    for (size_t i = 0; i < run->set.num_cases; i++) {
        const struct scenario_case *of = &run->set.cases[i];
        if (store_add_case(run->store, i, of->name, message))
            return -1;
        for (size_t j = 0; j < of->num_settings; j++)
            if (store_add_setting(run->store, of->name, of->settings[j].axis, of->settings[j].value, message))
                return -1;
    }
    return 0;
}

static int open_store(struct run *run)
{
    char path[RESULT_DIR_PATH + 32];
    struct store_message *message = &run->message;
    snprintf(path, sizeof path, "%s/results.sqlite", run->dir.work);
    return result_dir_write_file(run->dir.work, "scenario.xml", write_scenario, &run->set, message->text,
                                 sizeof message->text) ||
           store_create(&run->store, path, message) || fill_store(run, message);
}

static const char *copy_path(struct run *run, const char *path)
{
    char *copy = malloc(strlen(path) + 1);
    if (!copy)
        snprintf(run->message.text, sizeof run->message.text, "out of memory");
    return copy ? strcpy(copy, path) : NULL;
}

/* The first replication of each case is captured. */
static int plan_captures(struct run *run, struct workers_job *job)
{
    char path[RESULT_DIR_PATH], name[RECORD_TEXT + 64];
    if (run->arguments->no_pcap || job->run != 1)
        return 0;
    snprintf(name, sizeof name, "captures/%s-%llu", job->case_name, (unsigned long long)job->run);
    if (result_dir_make(&run->dir, path, name, run->message.text, sizeof run->message.text))
        return -1;
    job->captures = copy_path(run, path);
    return job->captures ? 0 : -1;
}

static int plan_debug(struct run *run, struct workers_job *job)
{
    char directory[RESULT_DIR_PATH], path[RESULT_DIR_PATH + RECORD_TEXT + 64];
    if (!run->arguments->debug)
        return 0;
    if (result_dir_make(&run->dir, directory, "debug", run->message.text, sizeof run->message.text))
        return -1;
    snprintf(path, sizeof path, "%s/%s-%llu.log", directory, job->case_name, (unsigned long long)job->run);
    job->debug = copy_path(run, path);
    return job->debug ? 0 : -1;
}

static int plan_jobs(struct run *run)
{
    size_t runs = (size_t)run->set.base.runs;
    run->jobs = calloc(run->set.num_cases * runs, sizeof *run->jobs);
    run->stored = calloc(run->set.num_cases * runs, sizeof *run->stored);
    if (!run->jobs || !run->stored) {
        snprintf(run->message.text, sizeof run->message.text, "out of memory for %zu cases of %zu runs",
                 run->set.num_cases, runs);
        return -1;
    }
    for (size_t i = 0; i < run->set.num_cases; i++) {
        for (size_t j = 0; j < runs; j++) {
            const struct scenario_case *of = &run->set.cases[i];
            struct workers_job *job = &run->jobs[run->num_jobs++];
            *job = (struct workers_job){
                .case_name = of->name, .run = j + 1, .xml = of->xml, .xml_len = of->xml_len};
            if (plan_captures(run, job) || plan_debug(run, job))
                return -1;
        }
    }
    return 0;
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
    unsigned long long number = job->run;
    if (outcome->stream) {
        run->num_stored++;
        run->stored[job - run->jobs] = true;
        if (*outcome->last_words) {
            command_complain("case %s, run %llu says:", job->case_name, number);
            print_last_words(outcome->last_words);
        }
        return store_add_run(run->store, job->case_name, job->run, outcome->stream->records,
                             outcome->stream->num_records, &run->message);
    }
    run->num_failed++;
    command_complain("case %s, run %llu failed: %s", job->case_name, number, outcome->how);
    print_last_words(outcome->last_words);
    run->hopeless = run->num_stored == 0 && run->num_failed >= HOPELESS;
    if (store_add_failed_run(run->store, job->case_name, job->run, outcome->how, &run->message))
        return -1;
    return run->hopeless ? 1 : 0;
}

static int work(struct run *run)
{
    long online = sysconf(_SC_NPROCESSORS_ONLN);
    size_t jobs = run->arguments->jobs ? run->arguments->jobs : online > 0 ? (size_t)online : 1;
    struct workers_options options = {run->worker, run->set.base.seed,
                                      jobs < MAX_JOBS_CHOICE ? jobs : MAX_JOBS_CHOICE,
                                      isatty(STDERR_FILENO) ? stderr : NULL};
    snprintf(run->message.text, sizeof run->message.text, "out of memory");
    int status = workers_run(run->jobs, run->num_jobs, &options, take_outcome, run, &run->tally);
    if (status > 0)
        command_complain("the first %d runs all failed; the others are not tried", HOPELESS);
    if (run->tally.interrupted)
        command_complain("interrupted: %zu of %zu runs were finished%s", run->num_stored, run->num_jobs,
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

/* What a run that did not finish had begun to capture and to log would only mislead. */
static void remove_begun_files(const struct run *run)
{
    for (size_t i = 0; i < run->num_jobs; i++) {
        if (run->jobs[i].captures && !run->stored[i])
            result_dir_remove(run->jobs[i].captures);
        if (run->jobs[i].debug && !run->stored[i])
            unlink(run->jobs[i].debug);
    }
}

/* Figures, files, the directory in its place, the report. */
static int finish(struct run *run, enum command_exit *result)
{
    struct store_message *message = &run->message;
    struct summary summary = {0};
    struct store_result about = {
        .seed = run->set.base.seed, .runs = run->set.base.runs, .complete = run->num_stored == run->num_jobs};
    snprintf(about.scenario, sizeof about.scenario, "%s", run->set.base.name);
    int failed = store_set_result(run->store, &about, message) ||
                 summary_compute(&summary, run->store, &run->set, message);
    if (failed)
        return -1;
    remove_begun_files(run);
    failed = outputs_write(run->dir.work, run->store, &run->set, &summary, message);
    store_close(run->store);
    run->store = NULL;
    if (!failed)
        failed = result_dir_commit(&run->dir, message->text, sizeof message->text);
    if (!failed) {
        outputs_print(&run->set, &summary);
        printf("\nResults: %s\n", run->dir.path);
        *result = verdict(&summary);
    }
    summary_cleanup(&summary);
    return failed ? -1 : 0;
}

static void cleanup(struct run *run)
{
    for (size_t i = 0; i < run->num_jobs; i++) {
        free((char *)(uintptr_t)run->jobs[i].captures);
        free((char *)(uintptr_t)run->jobs[i].debug);
    }
    free(run->jobs);
    free(run->stored);
    store_close(run->store);
    result_dir_abandon(&run->dir);
    scenario_set_cleanup(&run->set);
}

static enum command_exit run_in_directory(struct run *run)
{
    enum command_exit result = COMMAND_RUN_FAILED;
    int failed = open_store(run) || plan_jobs(run);
    if (!failed && interrupt_install()) {
        snprintf(run->message.text, sizeof run->message.text, "cannot handle signals: %s", strerror(errno));
        failed = -1;
    } else if (!failed) {
        failed = work(run);
        if (!failed && run->num_stored > 0)
            failed = finish(run, &result);
        else if (!failed)
            command_complain("no run was finished; there are no results");
        interrupt_restore();
    }
    if (failed)
        command_complain("%s", run->message.text);
    return result;
}

enum command_exit command_run(const struct command_arguments *arguments)
{
    struct run run = {.arguments = arguments};
    enum command_exit result;
    if (command_load(&run.set, arguments))
        return COMMAND_INPUT_ERROR;
    if (find_worker(&run))
        result = COMMAND_RUN_FAILED;
    else if (begin_directory(&run))
        result = COMMAND_INPUT_ERROR;
    else
        result = run_in_directory(&run);
    cleanup(&run);
    return result;
}
