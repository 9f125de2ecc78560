/* phase2sim resume: the runs that a result directory does not have. */
#include "result_dir.h"
#include "runner.h"
#include "store_copy.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct resume {
    char path[RESULT_DIR_PATH];                     /* where the result stands, or was to stand */
    char found[STORE_MAX_SOURCES][RESULT_DIR_PATH]; /* what there is of it */
    const char *kept[STORE_MAX_SOURCES];
    size_t num_kept;
    struct scenario_set set;
};

static bool has(const char *directory, const char *name)
{
    char path[RESULT_DIR_PATH];
    return snprintf(path, sizeof path, "%s/%s", directory, name) < RESULT_DIR_PATH && access(path, F_OK) == 0;
}

static int find_sources(struct resume *resume, const char *operand)
{
    size_t len = strlen(operand), num = 0;
    while (len > 1 && operand[len - 1] == '/')
        len--;
    if (len >= RESULT_DIR_PATH) {
        command_complain("%.100s...: the path is too long", operand);
        return -1;
    }
    snprintf(resume->path, RESULT_DIR_PATH, "%.*s", (int)len, operand);
    if (has(resume->path, "results.sqlite"))
        memcpy(resume->found[num++], resume->path, len + 1);
    char target[RESULT_DIR_PATH];
    if (result_dir_target(target, resume->path))
        memcpy(resume->path, target, sizeof target);
    else
        num += result_dir_left_over(resume->path, resume->found + num, STORE_MAX_SOURCES - num);
    resume->num_kept = num;
    if (num > 0)
        return 0;
    command_complain("%s: no result directory of phase2sim, and none was begun there%s%s", operand,
                     errno ? ": " : "", errno ? strerror(errno) : "");
    return -1;
}

/* The whole file, or NULL. */
static char *read_file(const char *directory, const char *name, size_t *len)
{
    char path[RESULT_DIR_PATH + 32];
    size_t capacity = 65536;
    snprintf(path, sizeof path, "%s/%s", directory, name);
    FILE *in = fopen(path, "r");
    char *text = in ? malloc(capacity) : NULL;
    for (*len = 0; text && (*len += fread(text + *len, 1, capacity - *len, in)) == capacity;) {
        char *bigger = realloc(text, capacity *= 2);
        if (!bigger)
            free(text);
        text = bigger;
    }
    if (in)
        (void)fclose(in);
    return text;
}

static bool same_scenario(const char *a, const char *b)
{
    size_t len_a = 0, len_b = 0;
    char *text_a = read_file(a, "scenario.xml", &len_a), *text_b = read_file(b, "scenario.xml", &len_b);
    bool same = text_a && text_b && len_a == len_b && memcmp(text_a, text_b, len_a) == 0;
    free(text_a);
    free(text_b);
    return same;
}

/* Whose runs may be put together: those of one and the same scenario. */
static int check_sources(struct resume *resume)
{
    for (size_t i = 0; i < resume->num_kept; i++) {
        resume->kept[i] = resume->found[i];
        if (same_scenario(resume->found[0], resume->found[i]))
            continue;
        command_complain(
            "%s and %s are not of the same scenario; name the one to complete, or remove the other",
            resume->found[0], resume->found[i]);
        return -1;
    }
    return 0;
}

static int load_scenario(struct resume *resume)
{
    static const struct scenario_options as_written;
    char path[RESULT_DIR_PATH + 32];
    struct scenario_message problem = {{0}};
    snprintf(path, sizeof path, "%s/scenario.xml", resume->found[0]);
    if (scenario_set_load(&resume->set, path, &as_written, &problem) == 0)
        return 0;
    fprintf(stderr, "%s\n", problem.text);
    return -1;
}

enum command_exit command_resume(const struct command_arguments *arguments)
{
    struct resume *resume = calloc(1, sizeof *resume);
    enum command_exit result = COMMAND_INPUT_ERROR;
    if (!resume) {
        command_complain("out of memory");
        return COMMAND_RUN_FAILED;
    }
    if (find_sources(resume, arguments->operand) == 0 && check_sources(resume) == 0 &&
        load_scenario(resume) == 0) {
        const struct runner_options options = {.path = resume->path,
                                               .parallel = arguments->jobs,
                                               .patience_s = arguments->patience_s,
                                               .captures = has(resume->found[0], "captures"),
                                               .debug = has(resume->found[0], "debug"),
                                               .kept = resume->kept,
                                               .num_kept = resume->num_kept};
        result = runner_run(&resume->set, &options);
        scenario_set_cleanup(&resume->set);
    }
    free(resume);
    return result;
}
