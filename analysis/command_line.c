/* From argv to a verb and its arguments; each error is one line that says what would have been right. */
#include "command.h"
#include "nearest.h"
#include "text_layout.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum option_kind {
    OPTION_OUTPUT,
    OPTION_RUNS,
    OPTION_SEED,
    OPTION_JOBS,
    OPTION_PATIENCE,
    OPTION_SET,
    OPTION_NO_PCAP,
    OPTION_DEBUG,
    OPTION_KEYS,
    OPTION_FORMAT,
    OPTION_WINDOW,
    OPTION_VERBOSE,
    OPTION_HELP
};

static const struct option {
    const char *name;
    const char *value; /* NULL: takes none */
    uint64_t min, max; /* of a number; max 0: it is none */
} options[] = {
    [OPTION_OUTPUT] = {"-o", "a path", 0, 0},
    [OPTION_RUNS] = {"--runs", "a number", 1, 100000},
    [OPTION_SEED] = {"--seed", "a number", 1, UINT64_C(4294944442)}, /* what ns-3's generator takes */
    [OPTION_JOBS] = {"--jobs", "a number", 1, 1024},
    [OPTION_PATIENCE] = {"--patience", "a number", 1, 86400},
    [OPTION_SET] = {"--set", "PATH=VALUE", 0, 0},
    [OPTION_NO_PCAP] = {"--no-pcap", NULL, 0, 0},
    [OPTION_DEBUG] = {"--debug", NULL, 0, 0},
    [OPTION_KEYS] = {"--keys", "a path", 0, 0},
    [OPTION_FORMAT] = {"--format", "text or json", 0, 0},
    [OPTION_WINDOW] = {"--window", "a number", 0, 131072},
    [OPTION_VERBOSE] = {"--verbose", NULL, 0, 0},
    [OPTION_HELP] = {"--help", NULL, 0, 0},
};

enum { NUM_OPTIONS = sizeof options / sizeof options[0], MAX_NAMES = 16 };

bool command_wants_colour(void)
{
    const char *no_color = getenv("NO_COLOR");
    return isatty(STDOUT_FILENO) && (!no_color || !*no_color);
}

void command_complain(const char *format, ...)
{
    va_list arguments;
    fputs("phase2sim: ", stderr);
    va_start(arguments, format);
    vfprintf(stderr, format, arguments);
    va_end(arguments);
    fputc('\n', stderr);
}

/* "unknown verb "runn": did you mean "run"? Allowed: run, check, ..." */
static void complain_unknown(const char *what, const char *found, const char *const *names, size_t num_names)
{
    const char *nearest = nearest_of(found, names, num_names);
    fprintf(stderr, "phase2sim: unknown %s \"%s\"", what, found);
    if (nearest)
        fprintf(stderr, "; did you mean \"%s\"?", nearest);
    fputs(nearest ? " Allowed:" : "; allowed:", stderr);
    for (size_t i = 0; i < num_names; i++)
        fprintf(stderr, "%s %s", i ? "," : "", names[i]);
    fputc('\n', stderr);
}

/* True if the space-separated list has the name in it. */
static bool is_in_list(const char *list, const char *name, size_t name_len)
{
    while (*list) {
        size_t len = strcspn(list, " ");
        if (len == name_len && strncmp(list, name, len) == 0)
            return true;
        list += len + (list[len] == ' ');
    }
    return false;
}

static const struct option *find_option(const struct command *command, const char *argument, size_t len)
{
    const char *names[MAX_NAMES];
    size_t num_names = 0;
    for (size_t i = 0; i < NUM_OPTIONS; i++) {
        if (i != OPTION_HELP && !is_in_list(command->options, options[i].name, strlen(options[i].name)))
            continue;
        names[num_names++] = options[i].name;
        if (strlen(options[i].name) == len && strncmp(options[i].name, argument, len) == 0)
            return &options[i];
    }
    char what[64], found[64];
    snprintf(what, sizeof what, "option of %s", command->name);
    snprintf(found, sizeof found, "%.*s", (int)len, argument);
    complain_unknown(what, found, names, num_names);
    return NULL;
}

static int parse_number(uint64_t *number, const struct option *option, const char *text)
{
    char *end;
    errno = 0;
    unsigned long long value = strtoull(text, &end, 10);
    if (errno || *end || strspn(text, "0123456789") != strlen(text) || value < option->min ||
        value > option->max) {
        command_complain("%s \"%s\": not a whole number from %llu to %llu", option->name, text,
                         (unsigned long long)option->min, (unsigned long long)option->max);
        return -1;
    }
    *number = value;
    return 0;
}

/* The '=' after the path: the first one outside of predicates and quotes
 * ("//gateway[@name='hub']/@address=..."). */
static char *end_of_path(char *text)
{
    int depth = 0;
    char quote = '\0';
    for (; *text; text++) {
        if (quote)
            quote = (char)(*text == quote ? '\0' : quote);
        else if (*text == '\'' || *text == '"')
            quote = *text;
        else if (*text == '[' || *text == '(')
            depth++;
        else if (*text == ']' || *text == ')')
            depth--;
        else if (*text == '=' && depth <= 0)
            return text;
    }
    return NULL;
}

static int parse_override(struct command_arguments *arguments, char *text)
{
    char *equals = end_of_path(text);
    if (!equals || equals == text) {
        command_complain("--set \"%s\": not PATH=VALUE, as in --set '//policy/@pfs=group14'", text);
        return -1;
    }
    if (arguments->scenario.num_overrides == COMMAND_MAX_OVERRIDES) {
        command_complain("--set is given more than %d times", COMMAND_MAX_OVERRIDES);
        return -1;
    }
    *equals = '\0';
    arguments->overrides[arguments->scenario.num_overrides++] = (struct scenario_override){text, equals + 1};
    return 0;
}

static int add_keys(struct command_arguments *arguments, const char *path)
{
    if (arguments->num_keys == COMMAND_MAX_KEYS) {
        command_complain("--keys is given more than %d times", COMMAND_MAX_KEYS);
        return -1;
    }
    arguments->keys[arguments->num_keys++] = path;
    return 0;
}

static int set_format(struct command_arguments *arguments, const char *format)
{
    static const char *const formats[] = {"text", "json"};
    for (size_t i = 0; i < sizeof formats / sizeof formats[0]; i++) {
        if (strcmp(format, formats[i]) == 0) {
            arguments->format = formats[i];
            return 0;
        }
    }
    complain_unknown("format", format, formats, sizeof formats / sizeof formats[0]);
    return -1;
}

static int take_option(struct command_arguments *arguments, const struct option *option, char *value)
{
    uint64_t number = 0;
    if (option->max > 0 && parse_number(&number, option, value))
        return -1;
    switch ((enum option_kind)(option - options)) {
    case OPTION_OUTPUT:
        arguments->output = value;
        if (!*value)
            command_complain("-o \"\": not a path");
        return *value ? 0 : -1;
    case OPTION_RUNS:
        arguments->scenario.runs = number;
        return 0;
    case OPTION_SEED:
        arguments->scenario.has_seed = true;
        arguments->scenario.seed = number;
        return 0;
    case OPTION_JOBS:
        arguments->jobs = (size_t)number;
        return 0;
    case OPTION_PATIENCE:
        arguments->patience_s = number;
        return 0;
    case OPTION_SET:
        return parse_override(arguments, value);
    case OPTION_NO_PCAP:
        arguments->no_pcap = true;
        return 0;
    case OPTION_DEBUG:
        arguments->debug = true;
        return 0;
    case OPTION_KEYS:
        return add_keys(arguments, value);
    case OPTION_FORMAT:
        return set_format(arguments, value);
    case OPTION_WINDOW:
        arguments->has_window = true;
        arguments->window = number;
        return 0;
    case OPTION_VERBOSE:
        arguments->verbose = true;
        return 0;
    case OPTION_HELP:
        break;
    }
    return 0;
}

static int take_operand(const struct command *command, struct command_arguments *arguments, const char *text)
{
    if (!command->operand)
        command_complain("%s takes no argument, but was given \"%s\"", command->name, text);
    else if (arguments->operand)
        command_complain("%s takes one %s, but was also given \"%s\"", command->name, command->operand, text);
    else
        arguments->operand = text;
    return arguments->operand == text ? 0 : -1;
}

/* In several lines if need be, the others below what follows the verb. */
static void print_usage(const struct command *command)
{
    enum { MAX_LINE = 107 };
    static const char start[] = "Usage: phase2sim ";
    char text[256];
    snprintf(text, sizeof text, "%s%s", start, command->synopsis);
    text_wrap(stdout, text, MAX_LINE, 0, strlen(start) + strlen(command->name) + 1);
}

static void print_command_help(const struct command *command)
{
    print_usage(command);
    printf("\n%c%s.\n\n%s", command->summary[0] - 'a' + 'A', command->summary + 1, command->help);
}

static void print_help(FILE *out)
{
    fputs("Usage: phase2sim VERB ...\n\nSimulates IPsec Phase 2 (IKEv1 Quick Mode, ESP) between gateways in "
          "an ns-3\n"
          "network described by an XML scenario, and reports measured, repeatable figures.\n\n",
          out);
    for (size_t i = 0; i < num_commands; i++)
        fprintf(out, "  %-10s %s\n", commands[i].name, commands[i].summary);
    fputs("\n  --help     this text; `phase2sim VERB --help` has the options of a verb\n"
          "  --version  the version\n\n"
          "Exit codes: 0 done and every expectation holds; 1 an expectation failed; 2 usage or input error;\n"
          "3 a run failed or was interrupted. More in phase2sim(1).\n",
          out);
}

static enum command_parsed parse_arguments(int argc, char **argv, const struct command *command,
                                           struct command_arguments *arguments)
{
    bool only_operands = false;
    for (int i = 0; i < argc; i++) {
        char *argument = argv[i];
        if (only_operands || argument[0] != '-' || !argument[1]) {
            if (take_operand(command, arguments, argument))
                return COMMAND_PARSED_ERROR;
            continue;
        }
        only_operands = strcmp(argument, "--") == 0;
        if (only_operands)
            continue;
        size_t len = strcspn(argument, "=");
        const struct option *option = find_option(command, argument, len);
        if (!option)
            return COMMAND_PARSED_ERROR;
        if (option == &options[OPTION_HELP]) {
            print_command_help(command);
            return COMMAND_PARSED_DONE;
        }
        char *value = argument[len] == '='            ? argument + len + 1
                      : option->value && i + 1 < argc ? argv[++i]
                                                      : NULL;
        if (!value != !option->value) {
            command_complain("%s %s %s", option->name, value ? "takes no value, but was given" : "needs",
                             value ? value : option->value);
            return COMMAND_PARSED_ERROR;
        }
        if (take_option(arguments, option, value))
            return COMMAND_PARSED_ERROR;
    }
    if (command->operand && !arguments->operand) {
        command_complain("%s needs %s: phase2sim %s", command->name, command->operand, command->synopsis);
        return COMMAND_PARSED_ERROR;
    }
    return COMMAND_PARSED_RUN;
}

static const struct command *find_command(const char *name)
{
    const char *names[MAX_NAMES];
    for (size_t i = 0; i < num_commands; i++) {
        names[i] = commands[i].name;
        if (strcmp(name, names[i]) == 0)
            return &commands[i];
    }
    static const char *const own_options[] = {"--help", "--version"};
    if (name[0] == '-')
        complain_unknown("option", name, own_options, 2);
    else
        complain_unknown("verb", name, names, num_commands);
    return NULL;
}

enum command_parsed command_parse(int argc, char **argv, const struct command **command,
                                  struct command_arguments *arguments)
{
    *arguments = (struct command_arguments){0};
    arguments->scenario.overrides = arguments->overrides;
    if (argc < 2) {
        print_help(stderr);
        return COMMAND_PARSED_ERROR;
    }
    bool asks_for_help =
        strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "-h") == 0 || strcmp(argv[1], "help") == 0;
    if (asks_for_help && argc == 2) {
        print_help(stdout);
        return COMMAND_PARSED_DONE;
    }
    if (strcmp(argv[1], "--version") == 0) {
        puts("phase2sim " PHASE2SIM_VERSION);
        return COMMAND_PARSED_DONE;
    }
    *command = find_command(argv[asks_for_help ? 2 : 1]);
    if (!*command)
        return COMMAND_PARSED_ERROR;
    if (asks_for_help) {
        print_command_help(*command);
        return COMMAND_PARSED_DONE;
    }
    return parse_arguments(argc - 2, argv + 2, *command, arguments);
}
