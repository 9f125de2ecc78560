/* Scenarios that are wrong in one place each, and what their users are told: file, line, what was found, what
 * is allowed. */
#ifndef P2_TESTS_WRONG_FIXTURE_H
#define P2_TESTS_WRONG_FIXTURE_H

#include "scenario_fixture.h"

/* One change to the fixture that makes it wrong, and what the message must hold. */
struct wrong {
    const char *from, *to;
    int line;
    const char *found, *allowed;
};

static inline bool is_well_formed(const char *message)
{
    for (const char *line = message; line; line = strchr(line, '\n')) {
        line += *line == '\n';
        size_t len = strcspn(line, "\n");
        const char *allowed = strstr(line, "allowed");
        if (strncmp(line, "... and ", 8) != 0 && (!allowed || allowed > line + len))
            return false;
        if (!strchr(line, '\n'))
            break;
    }
    return true;
}

static inline void check_message(const char *what, const char *message, const char *file, int line,
                                 const char *found, const char *allowed)
{
    char start[256];
    snprintf(start, sizeof start, "%s:%d: ", file, line);
    bool ok = strncmp(message, start, strlen(start)) == 0 && strstr(message, found) &&
              strstr(message, allowed) && is_well_formed(message);
    if (!ok)
        printf("\n    %s\n    expected line %d, \"%s\", \"%s\"\n    got %s\n", what, line, found, allowed,
               message);
    else if (getenv("SHOW_MESSAGES"))
        printf("\n    %s", message + strlen(file) + 1);
    CU_ASSERT_TRUE(ok);
}

static inline void check_text(const char *what, const char *text, int line, const char *found,
                              const char *allowed)
{
    struct fixture fixture;
    struct scenario_set set;
    struct scenario_message message;
    fixture_init(&fixture);
    fixture_write(&fixture, "scenario.xml", text);
    int result = scenario_set_load(&set, fixture.file, NULL, &message);
    if (result == 0) {
        printf("\n    %s: loads\n", what);
        CU_FAIL("a wrong scenario loads");
        scenario_set_cleanup(&set);
    } else {
        check_message(what, message.text, fixture.file, line, found, allowed);
    }
    fixture_cleanup(&fixture);
}

static inline void check_rows(const struct wrong *rows, size_t num_rows)
{
    for (size_t i = 0; i < num_rows; i++) {
        char *text = fixture_replace(fixture_text, rows[i].from, rows[i].to);
        check_text(rows[i].to, text, rows[i].line, rows[i].found, rows[i].allowed);
        free(text);
    }
}

#define CHECK_ROWS(rows) check_rows(rows, sizeof(rows) / sizeof(rows)[0])

#endif
