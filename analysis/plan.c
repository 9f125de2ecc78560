#include "plan.h"

#include <dirent.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

struct planner {
    const struct scenario_set *set;
    const struct runner_options *options;
    const struct result_dir *dir;
    struct store *store;
    struct store_message *message;
};

static const char *copy_path(const struct planner *planner, const char *path)
{
    char *copy = malloc(strlen(path) + 1);
    if (!copy)
        snprintf(planner->message->text, sizeof planner->message->text, "out of memory");
    return copy ? strcpy(copy, path) : NULL;
}

/* The first replication of each case is captured. */
static int plan_captures(const struct planner *planner, struct workers_job *job)
{
    char path[RESULT_DIR_PATH], name[RECORD_TEXT + 64];
    if (!planner->options->captures || job->run != 1)
        return 0;
    snprintf(name, sizeof name, "captures/%s-%llu", job->case_name, (unsigned long long)job->run);
    if (result_dir_make(planner->dir, path, name, planner->message->text, sizeof planner->message->text))
        return -1;
    job->captures = copy_path(planner, path);
    return job->captures ? 0 : -1;
}

static int plan_debug(const struct planner *planner, struct workers_job *job)
{
    char directory[RESULT_DIR_PATH], path[RESULT_DIR_PATH + RECORD_TEXT + 64];
    if (!planner->options->debug)
        return 0;
    if (result_dir_make(planner->dir, directory, "debug", planner->message->text,
                        sizeof planner->message->text))
        return -1;
    snprintf(path, sizeof path, "%s/%s-%llu.log", directory, job->case_name, (unsigned long long)job->run);
    job->debug = copy_path(planner, path);
    return job->debug ? 0 : -1;
}

/* --- runs that are there already --- */

static bool link_file(const char *from, const char *to, const char *name)
{
    char old[RESULT_DIR_PATH], new[RESULT_DIR_PATH];
    return snprintf(old, sizeof old, "%s%s", from, name) < RESULT_DIR_PATH &&
           snprintf(new, sizeof new, "%s%s", to, name) < RESULT_DIR_PATH && link(old, new) == 0;
}

/* `name` is of a directory below both, which is empty in the second. */
static bool link_files(const char *from, const char *to, const char *name)
{
    char path[RESULT_DIR_PATH], file[RESULT_DIR_PATH];
    if (snprintf(path, sizeof path, "%s%s", from, name) >= RESULT_DIR_PATH)
        return false;
    DIR *directory = opendir(path);
    bool linked = directory != NULL;
    for (struct dirent *entry; linked && (entry = readdir(directory)) != NULL;)
        if (strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0)
            linked = snprintf(file, sizeof file, "%s/%s", name, entry->d_name) < RESULT_DIR_PATH &&
                     link_file(from, to, file);
    if (directory)
        closedir(directory);
    return linked;
}

void plan_drop_files(const struct workers_job *job)
{
    if (job->captures)
        result_dir_remove(job->captures);
    if (job->debug)
        unlink(job->debug);
}

/* As links: neither time nor room, and the earlier ones stay as they are. Where that does not work the run
 * is done again, into files of its own. */
static int keep_files(const struct planner *planner, struct workers_job *job, const char *from)
{
    const char *to = planner->dir->work;
    size_t len = strlen(to);
    if ((!job->debug || link_file(from, to, job->debug + len)) &&
        (!job->captures || link_files(from, to, job->captures + len))) {
        job->kept = true;
        return 0;
    }
    plan_drop_files(job);
    if (!job->captures || mkdir(job->captures, 0777) == 0)
        return 0;
    snprintf(planner->message->text, sizeof planner->message->text, "%.300s: cannot be made again",
             job->captures);
    return -1;
}

static int plan_kept(const struct planner *planner, struct workers_job *job, int *source)
{
    *source = STORE_NO_RUN;
    if (planner->options->num_kept == 0)
        return 0;
    *source = store_find_run(planner->store, job->case_name, job->run, planner->message);
    if (*source < 0)
        return *source == STORE_NO_RUN ? 0 : -1;
    return keep_files(planner, job, planner->options->kept[*source]);
}

/* --- all of them --- */

static int plan_run(const struct planner *planner, struct plan *plan, const struct scenario_case *of,
                    uint64_t number)
{
    size_t index = plan->num_jobs++;
    struct workers_job *job = &plan->jobs[index];
    *job = (struct workers_job){.case_name = of->name, .run = number, .xml = of->xml, .xml_len = of->xml_len};
    return plan_captures(planner, job) || plan_debug(planner, job) ||
                   plan_kept(planner, job, &plan->sources[index])
               ? -1
               : 0;
}

int plan_make(struct plan *plan, const struct scenario_set *set, const struct runner_options *options,
              const struct result_dir *dir, struct store *store, struct store_message *message)
{
    const struct planner planner = {set, options, dir, store, message};
    size_t runs = (size_t)set->base.runs;
    *plan = (struct plan){.jobs = calloc(set->num_cases * runs, sizeof *plan->jobs),
                          .sources = calloc(set->num_cases * runs, sizeof *plan->sources),
                          .stored = calloc(set->num_cases * runs, sizeof *plan->stored)};
    if (!plan->jobs || !plan->sources || !plan->stored) {
        snprintf(message->text, sizeof message->text, "out of memory for %zu cases of %zu runs",
                 set->num_cases, runs);
        return -1;
    }
    for (size_t i = 0; i < set->num_cases; i++)
        for (size_t j = 0; j < runs; j++)
            if (plan_run(&planner, plan, &set->cases[i], j + 1))
                return -1;
    return 0;
}

void plan_cleanup(struct plan *plan)
{
    for (size_t i = 0; i < plan->num_jobs; i++) {
        free((char *)(uintptr_t)plan->jobs[i].captures);
        free((char *)(uintptr_t)plan->jobs[i].debug);
    }
    free(plan->jobs);
    free(plan->sources);
    free(plan->stored);
    *plan = (struct plan){0};
}
