/* The command line of phase2sim: its verbs, their options, and the exit codes. */
#ifndef P2_COMMAND_H
#define P2_COMMAND_H

#include "scenario.h"

#define PHASE2SIM_VERSION "0.1.0"

enum command_exit {
    COMMAND_DONE = 0,        /* done, and every expectation holds */
    COMMAND_UNEXPECTED = 1,  /* an expectation failed */
    COMMAND_INPUT_ERROR = 2, /* usage or input */
    COMMAND_RUN_FAILED = 3,  /* a run failed, or the whole was interrupted */
};

#define COMMAND_MAX_OVERRIDES 64
#define COMMAND_MAX_KEYS      16

/* What was given; what was not is 0, NULL or false. */
struct command_arguments {
    const char *operand; /* SCENARIO.xml, DIR or CAPTURE */
    const char *output;
    size_t jobs;
    uint64_t patience_s;
    bool no_pcap, debug, verbose;
    const char *format; /* "text" or "json" */
    bool has_window;
    uint64_t window;
    const char *keys[COMMAND_MAX_KEYS];
    size_t num_keys;
    struct scenario_options scenario; /* its overrides point to the array below */
    struct scenario_override overrides[COMMAND_MAX_OVERRIDES];
};

struct command {
    const char *name;
    const char *synopsis; /* "run SCENARIO.xml [-o DIR] ..." */
    const char *summary;  /* one line for the program's own help */
    const char *help;     /* the rest of the verb's help */
    const char *operand;  /* "SCENARIO.xml"; NULL: takes none */
    const char *options;  /* the names of the options it takes, separated by spaces */
    enum command_exit (*run)(const struct command_arguments *arguments);
};

/* The verbs in the order in which help lists them. */
extern const struct command commands[];
extern const size_t num_commands;

/* What parsing the command line led to. */
enum command_parsed {
    COMMAND_PARSED_RUN,   /* run command->run with the arguments */
    COMMAND_PARSED_DONE,  /* help or version was printed */
    COMMAND_PARSED_ERROR, /* one line was written to stderr */
};

/* The strings of argv are cut in place (--set PATH=VALUE) and borrowed by the arguments. */
enum command_parsed command_parse(int argc, char **argv, const struct command **command,
                                  struct command_arguments *arguments);

enum command_exit command_run(const struct command_arguments *arguments);
enum command_exit command_resume(const struct command_arguments *arguments);
enum command_exit command_check(const struct command_arguments *arguments);
enum command_exit command_list(const struct command_arguments *arguments);
enum command_exit command_report(const struct command_arguments *arguments);
enum command_exit command_explain(const struct command_arguments *arguments);
enum command_exit command_calibrate(const struct command_arguments *arguments);

/* Whether people read standard output and want it coloured: a terminal, and no NO_COLOR (no-color.org). */
bool command_wants_colour(void);
/* One line "phase2sim: ..." on stderr. */
void command_complain(const char *format, ...) __attribute__((format(printf, 1, 2)));
/* Loads a scenario: a file, or a name in the library. Messages go to stderr. 0 or -1. */
int command_load(struct scenario_set *set, const struct command_arguments *arguments);

#endif
