/* phase2sim calibrate: this machine's CPU as a profile. */
#include "calibrate.h"
#include "command.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* The file is there as a whole or as it was before. */
static int write_file(const char *path, const char *text, size_t len)
{
    size_t size = strlen(path) + 8;
    char *temporary = malloc(size);
    if (!temporary)
        return -1;
    snprintf(temporary, size, "%s.tmp", path);
    FILE *out = fopen(temporary, "w");
    int failed = !out || fwrite(text, 1, len, out) != len;
    if (out && fclose(out))
        failed = 1;
    if (!failed && rename(temporary, path))
        failed = 1;
    int saved = errno;
    if (failed && out)
        unlink(temporary);
    free(temporary);
    errno = saved;
    return failed ? -1 : 0;
}

enum command_exit command_calibrate(const struct command_arguments *arguments)
{
    char *text = NULL;
    size_t len = 0;
    if (!arguments->output)
        return calibrate_run(stdout, stderr) ? COMMAND_RUN_FAILED : COMMAND_DONE;
    FILE *memory = open_memstream(&text, &len);
    if (!memory) {
        command_complain("%s", strerror(errno));
        return COMMAND_RUN_FAILED;
    }
    enum command_exit result = calibrate_run(memory, stderr) ? COMMAND_RUN_FAILED : COMMAND_DONE;
    if (fclose(memory)) {
        command_complain("out of memory for the profile");
        result = COMMAND_RUN_FAILED;
    }
    if (result == COMMAND_DONE && write_file(arguments->output, text, len)) {
        command_complain("%s: %s", arguments->output, strerror(errno));
        result = COMMAND_INPUT_ERROR;
    }
    free(text);
    return result;
}
