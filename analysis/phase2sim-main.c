/* phase2sim: what people type. It does not link ns-3; phase2sim-worker does. */
#include "command.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>

int main(int argc, char **argv)
{
    const struct command *command = NULL;
    static struct command_arguments arguments;
    int result = COMMAND_DONE;
    (void)signal(SIGXFSZ, SIG_IGN); /* a file too large is an error of a write, which is told */
    switch (command_parse(argc, argv, &command, &arguments)) {
    case COMMAND_PARSED_RUN:
        result = (int)command->run(&arguments);
        break;
    case COMMAND_PARSED_DONE:
        break;
    case COMMAND_PARSED_ERROR:
        return COMMAND_INPUT_ERROR;
    }
    /* A report that did not reach its reader is no success: a full disk behind a redirection, for one. */
    if (fflush(stdout) || ferror(stdout)) {
        command_complain("cannot write the output: %s", strerror(errno));
        return result == COMMAND_DONE ? COMMAND_RUN_FAILED : result;
    }
    return result;
}
