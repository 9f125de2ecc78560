/* phase2sim report: the figures and the report of a finished run, made again. */
#include "command.h"
#include "outputs.h"
#include "result_dir.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

/* The scenario of a result directory and its store. */
struct finished {
    struct scenario_set set;
    struct store *store;
};

static int open_finished(struct finished *finished, const char *directory)
{
    static const struct scenario_options as_written;
    char path[RESULT_DIR_PATH];
    struct scenario_message problem = {{0}};
    struct store_message message;
    if (snprintf(path, sizeof path, "%s/results.sqlite", directory) >= RESULT_DIR_PATH) {
        command_complain("the path is too long");
        return -1;
    }
    if (access(path, F_OK) != 0) {
        command_complain("%s: no result directory of phase2sim (%s)", directory, strerror(errno));
        return -1;
    }
    if (store_open(&finished->store, path, &message)) {
        command_complain("%s", message.text);
        return -1;
    }
    snprintf(path, sizeof path, "%s/scenario.xml", directory);
    if (scenario_set_load(&finished->set, path, &as_written, &problem) == 0)
        return 0;
    fprintf(stderr, "%s\n", problem.text);
    store_close(finished->store);
    return -1;
}

static enum command_exit report_on(struct finished *finished, const char *directory)
{
    struct summary summary;
    struct store_message message;
    enum command_exit result = COMMAND_DONE;
    if (summary_compute(&summary, finished->store, &finished->set, &message)) {
        command_complain("%s: %s", directory, message.text);
        return COMMAND_INPUT_ERROR;
    }
    for (size_t i = 0; i < summary.num_expectations; i++)
        if (!summary.expectations[i].holds)
            result = COMMAND_UNEXPECTED;
    if (!summary.result.complete)
        result = COMMAND_RUN_FAILED;
    if (outputs_print(&finished->set, &summary)) {
        command_complain("cannot print the report: %s", strerror(errno));
        result = COMMAND_RUN_FAILED;
    }
    if (outputs_write(directory, finished->store, &finished->set, &summary, &message)) {
        command_complain("%s", message.text);
        result = COMMAND_INPUT_ERROR;
    }
    summary_cleanup(&summary);
    return result;
}

enum command_exit command_report(const struct command_arguments *arguments)
{
    struct finished finished = {.store = NULL};
    if (open_finished(&finished, arguments->operand))
        return COMMAND_INPUT_ERROR;
    enum command_exit result = report_on(&finished, arguments->operand);
    store_close(finished.store);
    scenario_set_cleanup(&finished.set);
    return result;
}
