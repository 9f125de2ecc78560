/* The verbs that only look at scenarios: check and list. */
#include "command.h"
#include "library.h"
#include "nearest.h"
#include "problems.h"
#include "summary.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

static bool is_there(const char *path)
{
    struct stat is;
    return lstat(path, &is) == 0; /* a link that leads nowhere is there too */
}

/* A name that is no file: what the library has, for it may have been meant. */
static void complain_missing(char *operand)
{
    char directory[LIBRARY_PATH];
    struct library library = {0};
    if (library_dir(directory) == 0)
        (void)library_open(&library, directory);
    const char **names = calloc(library.num_files + 1, sizeof *names);
    for (size_t i = 0; names && i < library.num_files; i++) {
        char *dot = strrchr(library.files[i], '.');
        *dot = '\0';
        names[i] = strrchr(library.files[i], '/') + 1;
    }
    const char *nearest = names ? nearest_of(operand, names, library.num_files) : NULL;
    problems_one_line(operand);
    fprintf(stderr, "%s:1: no such file, and no scenario of that name in the library",
            *operand ? operand : "\"\"");
    if (nearest)
        fprintf(stderr, "; did you mean \"%s\"?", nearest);
    fprintf(stderr, "%s allowed: the path of an XML file, or one of the library's:", nearest ? "" : ";");
    for (size_t i = 0; names && i < library.num_files; i++)
        fprintf(stderr, "%s %s", i ? "," : "", names[i]);
    fputs(library.num_files ? "\n" : " none\n", stderr);
    free(names);
    library_close(&library);
}

int command_load(struct scenario_set *set, const struct command_arguments *arguments)
{
    char path[LIBRARY_PATH];
    struct scenario_message message = {{0}};
    struct scenario_options options = arguments->scenario;
    options.wrong_expectation = summary_wrong_expectation;
    options.all_used = options.num_overrides == 0; /* who tries something may leave the rest as it is */
    library_resolve(path, arguments->operand);
    if (!strchr(path, '/') && !is_there(path)) {
        complain_missing(path);
        return -1;
    }
    if (scenario_set_load(set, path, &options, &message)) {
        size_t len = strlen(message.text);
        fprintf(stderr, "%s%s", message.text, len && message.text[len - 1] == '\n' ? "" : "\n");
        return -1;
    }
    /* Warnings change nothing but what the author may think of it. */
    if (*set->warnings.text)
        fprintf(stderr, "%s\n", set->warnings.text);
    return 0;
}

enum command_exit command_check(const struct command_arguments *arguments)
{
    struct scenario_set set;
    if (command_load(&set, arguments))
        return COMMAND_INPUT_ERROR;
    printf("%s: valid: %zu case%s, %llu run%s each, %zu gateway%s, %zu tunnel%s\n", set.base.name,
           set.num_cases, set.num_cases == 1 ? "" : "s", (unsigned long long)set.base.runs,
           set.base.runs == 1 ? "" : "s", set.base.num_gateways, set.base.num_gateways == 1 ? "" : "s",
           set.base.num_tunnels, set.base.num_tunnels == 1 ? "" : "s");
    scenario_set_cleanup(&set);
    return COMMAND_DONE;
}

/* A scenario's question on one line: XML text comes with line breaks. */
static void print_question(const char *question)
{
    const char *blanks = " \t\r\n";
    for (const char *word = question; word && *(word += strspn(word, blanks));) {
        size_t len = strcspn(word, blanks);
        printf("%s%.*s", word == question ? "" : " ", (int)len, word);
        word += len;
    }
    putchar('\n');
}

static int list_file(const char *file, int name_width)
{
    static const struct scenario_options as_written;
    struct scenario_message message = {{0}};
    struct scenario_set set;
    if (scenario_set_load(&set, file, &as_written, &message)) {
        fprintf(stderr, "%s\n", message.text);
        return -1;
    }
    const char *name = strrchr(file, '/') + 1;
    printf("%-*.*s ", name_width, (int)strlen(name) - 4, name);
    print_question(set.base.question ? set.base.question : "(asks no question)");
    scenario_set_cleanup(&set);
    return 0;
}

enum command_exit command_list(const struct command_arguments *arguments)
{
    char directory[LIBRARY_PATH];
    struct library library;
    (void)arguments;
    if (library_dir(directory)) {
        command_complain("found no library of scenarios; set PHASE2SIM_SCENARIOS to its directory");
        return COMMAND_INPUT_ERROR;
    }
    if (library_open(&library, directory)) {
        command_complain("%s: %s", directory, strerror(errno));
        return COMMAND_INPUT_ERROR;
    }
    enum command_exit result = COMMAND_DONE;
    size_t width = 0;
    for (size_t i = 0; i < library.num_files; i++) {
        size_t len = strlen(strrchr(library.files[i], '/') + 1) - 4;
        width = len > width ? len : width;
    }
    for (size_t i = 0; i < library.num_files; i++)
        if (list_file(library.files[i], (int)width))
            result = COMMAND_INPUT_ERROR;
    if (library.num_files == 0)
        command_complain("%s: no scenarios (*.xml) in it", directory);
    library_close(&library);
    return result;
}
