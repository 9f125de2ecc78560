/* Any bytes as a scenario file, which lies in memory only. */
#define _GNU_SOURCE /* memfd_create */

#include "scenario.h"
#include "summary.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void require(bool holds, const char *what)
{
    if (holds)
        return;
    fprintf(stderr, "found: %s\n", what);
    abort();
}

/* Lines of this file come first, and in order. */
static void check(const char *text, const char *path)
{
    size_t len = strlen(path);
    unsigned long last = 0;
    require(strncmp(text, path, len) == 0 && text[len] == ':', "the first line does not name the file");
    for (const char *line = text; line; line = strchr(line, '\n')) {
        line += *line == '\n';
        if (strncmp(line, path, len) != 0)
            continue;
        unsigned long number = strtoul(line + len + 1, NULL, 10);
        require(number >= last && number > 0, "lines are not in order");
        last = number;
    }
}

/* What was taken is taken again as a worker gets it. */
static void check_cases(const struct scenario_set *set)
{
    require(set->num_cases > 0 && set->base.num_gateways > 0, "nothing in it");
    for (size_t i = 0; i < set->num_cases && i < 10; i++) {
        struct scenario scenario;
        struct scenario_message message;
        require(scenario_load_memory(&scenario, set->cases[i].xml, set->cases[i].xml_len, "case", &message) ==
                    0,
                message.text);
        scenario_cleanup(&scenario);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct scenario_options options = {.wrong_expectation = summary_wrong_expectation, .all_used = true};
    struct scenario_set set;
    struct scenario_message message;
    char path[64];
    int fd = memfd_create("scenario", 0);
    snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
    require(fd >= 0 && write(fd, data, size) == (ssize_t)size, "no file in memory");
    if (scenario_set_load(&set, path, &options, &message) < 0) {
        check(message.text, path);
    } else {
        require(message.text[0] == '\0', "a message without failure");
        check_cases(&set);
        scenario_set_cleanup(&set);
    }
    close(fd);
    return 0;
}
