/* phase2sim-worker: one case, one replication, one process. The case comes as XML on standard input, the
 * records leave on standard output. `phase2sim run` starts it; a crash here costs one run and nothing else.
 */
#include "world.h"

#include <errno.h>
#include <getopt.h>
#include <limits.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>

static const char usage[] =
    "usage: phase2sim-worker --case NAME --run N --seed S [--captures DIR] [--debug FILE] [--alive FD]"
    " < CASE.xml > RECORDS\n"
    "  Simulates one case of a scenario once. `phase2sim run` starts it for every case and replication.\n"
    "  The debug file gets a line for each packet that a gateway rejects.\n"
    "  The open file descriptor FD gets a byte now and then while the run gets on.\n";

static char *read_all(FILE *in, size_t *len)
{
    size_t capacity = 65536;
    char *text = malloc(capacity);
    *len = 0;
    while (text) {
        *len += fread(text + *len, 1, capacity - *len, in);
        if (*len < capacity)
            break;
        char *bigger = realloc(text, capacity *= 2);
        if (!bigger)
            free(text);
        text = bigger;
    }
    return text;
}

static int fail_usage(const char *what)
{
    fprintf(stderr, "phase2sim-worker: %s\n%s", what, usage);
    return 2;
}

static int fail_file(const char *path)
{
    fprintf(stderr, "phase2sim-worker: %s: %s\n", path, strerror(errno));
    return 3;
}

static bool parse_number(const char *text, uint64_t *number)
{
    char *end;
    errno = 0;
    *number = strtoull(text, &end, 10);
    return text[0] >= '0' && text[0] <= '9' && *end == '\0' && errno == 0;
}

static int simulate(const struct world_run *run)
{
    size_t len;
    struct scenario scenario;
    struct scenario_message message = {{0}};
    char *xml = read_all(stdin, &len);
    if (!xml || scenario_load_memory(&scenario, xml, len, run->case_name, &message) < 0) {
        fprintf(stderr, "%s\n", xml ? message.text : "phase2sim-worker: out of memory");
        free(xml);
        return 2;
    }
    int result = world_simulate(&scenario, run, stdout, &message);
    if (result < 0)
        fprintf(stderr, "phase2sim-worker: %s\n", message.text);
    scenario_cleanup(&scenario);
    free(xml);
    return result < 0 ? 3 : 0;
}

/* 0, or what to end with plus 1: help was asked for, or something is wrong. */
static int parse_options(int argc, char **argv, struct world_run *run, const char **debug)
{
    static const struct option options[] = {
        {"case", required_argument, NULL, 'c'},  {"run", required_argument, NULL, 'r'},
        {"seed", required_argument, NULL, 's'},  {"captures", required_argument, NULL, 'd'},
        {"debug", required_argument, NULL, 'D'}, {"alive", required_argument, NULL, 'a'},
        {"help", no_argument, NULL, 'h'},        {NULL, 0, NULL, 0}};
    uint64_t fd = 0;
    for (int option; (option = getopt_long(argc, argv, "", options, NULL)) != -1;) {
        if (option == 'c')
            run->case_name = optarg;
        else if (option == 'd')
            run->captures = optarg;
        else if (option == 'D')
            *debug = optarg;
        else if (option == 'r' && !parse_number(optarg, &run->run))
            return fail_usage("--run takes a number") + 1;
        else if (option == 's' && !parse_number(optarg, &run->seed))
            return fail_usage("--seed takes a number") + 1;
        else if (option == 'a' && (!parse_number(optarg, &fd) || fd > INT_MAX))
            return fail_usage("--alive takes the number of an open file") + 1;
        else if (option == 'a')
            run->alive->fd = (int)fd;
        else if (option == 'h')
            return fputs(usage, stdout), 1;
        else if (option == '?')
            return fail_usage("unknown option") + 1;
    }
    if (!run->case_name || run->run == 0 || run->seed == 0 || optind != argc)
        return fail_usage("--case, --run and --seed are needed, and nothing else") + 1;
    return 0;
}

int main(int argc, char **argv)
{
    struct alive alive = {.fd = -1};
    struct world_run run = {.alive = &alive};
    const char *debug = NULL;
    (void)signal(SIGXFSZ, SIG_IGN); /* a file too large is an error of a write, which is told */
    int over = parse_options(argc, argv, &run, &debug);
    if (over)
        return over - 1;
    if (debug && !(run.debug = fopen(debug, "w")))
        return fail_file(debug);
    int result = simulate(&run);
    if (run.debug && (ferror(run.debug) | fclose(run.debug)))
        return fail_file(debug);
    return result;
}
