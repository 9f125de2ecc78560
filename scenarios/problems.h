/* What is wrong with a scenario, collected as lines "file:line: what was found; what is allowed". */
#ifndef P2_SCENARIO_PROBLEMS_H
#define P2_SCENARIO_PROBLEMS_H

#include "scenario.h"

struct problems {
    struct scenario_message *message;
    const char *file;
    struct scenario_message *warnings; /* NULL: nobody wants them */
    char note[256];                    /* appended to each line: which case it is about; empty: nothing */
    size_t num_errors;
};

void problems_init(struct problems *problems, struct scenario_message *message, const char *file);
/* Adds a line. When the message is full, it says only that there is more. */
void problems_add(struct problems *problems, int line, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
void problems_no_memory(struct problems *problems);
/* Adds a line to the warnings, unless it stands there already. Nothing fails because of it. */
void problems_warn(struct problems *problems, int line, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* What the user wrote, fit for a message: cut when long, control characters replaced. */
struct problems_quote {
    char text[72];
};
struct problems_quote problems_quote(const char *text);

/* Names that would have been allowed, collected to be listed. They are borrowed. */
struct problems_names {
    const char **items;
    size_t num;
    bool failed; /* out of memory: the list is shorter than it should be */
};

void problems_names_add(struct problems_names *names, const char *name);
void problems_names_cleanup(struct problems_names *names);

#define PROBLEMS_LIST 320
/* "hub, spoke, ...": those nearest to what was found first (NULL: in their order), as many as fit. */
void problems_list(char out[PROBLEMS_LIST], const struct problems_names *names, const char *found);

#endif
