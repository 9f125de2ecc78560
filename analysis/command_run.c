/* phase2sim run: all runs of a scenario into a result directory. */
#include "result_dir.h"
#include "runner.h"

#define MAX_LEFT_OVER 4

/* What a phase2sim that was killed had finished is not lost, and its user should know. */
static void tell_left_over(const char *path)
{
    static char found[MAX_LEFT_OVER][RESULT_DIR_PATH];
    char command[RUNNER_COMMAND];
    size_t num = result_dir_left_over(path, found, MAX_LEFT_OVER);
    for (size_t i = 0; i < num; i++) {
        runner_resume_command(command, sizeof command, found[i]);
        command_complain("an earlier phase2sim was ended before it could finish %s; to complete it: %s", path,
                         command);
    }
}

enum command_exit command_run(const struct command_arguments *arguments)
{
    char path[RESULT_DIR_PATH];
    struct scenario_set set;
    if (command_load(&set, arguments))
        return COMMAND_INPUT_ERROR;
    snprintf(path, sizeof path, "results/%s-seed%llu", set.base.name, (unsigned long long)set.base.seed);
    const struct runner_options options = {.path = arguments->output ? arguments->output : path,
                                           .parallel = arguments->jobs,
                                           .patience_s = arguments->patience_s,
                                           .captures = !arguments->no_pcap,
                                           .debug = arguments->debug};
    tell_left_over(options.path);
    enum command_exit result = runner_run(&set, &options);
    scenario_set_cleanup(&set);
    return result;
}
