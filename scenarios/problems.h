/* What is wrong with a scenario, collected as lines "file:line: what was found; what is allowed". */
#ifndef P2_SCENARIO_PROBLEMS_H
#define P2_SCENARIO_PROBLEMS_H

#include "scenario.h"

#define PROBLEMS_KEPT 50 /* the others are counted */

struct problem {
    char *text;     /* without its note; NULL: out of memory */
    size_t start;   /* behind "file:line: " */
    char note[256]; /* which case it is about; empty: all of them */
    int line;
    bool elsewhere; /* in a file that the scenario names */
    size_t order;
};

struct load_usage;

struct problems {
    struct scenario_message *message;
    const char *file, *scenario;       /* the one that is read; and the one that all begins with */
    struct scenario_message *warnings; /* NULL: nobody wants them */
    struct load_usage *usage;          /* NULL: nobody asks what is used */
    char note[256];                    /* which case is looked at; empty: none in particular */
    size_t num_errors;
    struct problem kept[PROBLEMS_KEPT];
    size_t num_kept, num_counted; /* told, and only counted */
    size_t num_of_schema;         /* the first so many: attributes may be missing, or told of already */
    bool is_out_of_memory;
    bool is_misleading; /* names or elements are wrong: what follows would only follow from that */
};

void problems_init(struct problems *problems, struct scenario_message *message, const char *file);
/* What was found, in the order of the lines, goes into the message. */
void problems_finish(struct problems *problems);
/* Adds a line, unless it stands there already. */
void problems_add(struct problems *problems, int line, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
void problems_no_memory(struct problems *problems);
/* No more than a count is kept of what is still added. */
bool problems_is_full(const struct problems *problems);
/* Counts one that need not be told, or that could not be kept anyway. */
void problems_count(struct problems *problems);
/* Whether the schema has found one of this line that begins so. */
bool problems_holds(const struct problems *problems, int line, const char *start);
/* Takes the case from what `plain`, without any case, has too. */
void problems_without_case(struct problems *problems, const struct problems *plain);
void problems_cleanup(struct problems *problems);
/* Adds a line to the warnings, unless it stands there already. Nothing fails because of it. */
void problems_warn(struct problems *problems, int line, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* Replaces control characters, such as the line breaks that a name of a file may have. */
void problems_one_line(char *text);

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
/* "hub, spoke, ...": those nearest to what was found first (NULL: in their order), as many as fit; and behind
 * them "; did you mean "hub"?" if one is near. */
void problems_list(char out[PROBLEMS_LIST], const struct problems_names *names, const char *found);

#endif
