/* phase2sim explain: a capture, told by our own core. */
#include "command.h"

#include "explanation.h"
#include "keys.h"
#include "write.h"

#include <stdio.h>
#include <string.h>

static int load_keys(struct known_keys *keys, const struct command_arguments *arguments)
{
    char error[KEYS_ERROR];
    for (size_t i = 0; i < arguments->num_keys; i++) {
        if (known_keys_load(keys, arguments->keys[i], error) < 0) {
            command_complain("%s", error);
            return -1;
        }
    }
    return 0;
}

static int explain(const struct command_arguments *arguments, struct frames *frames,
                   const struct known_keys *keys)
{
    bool json = arguments->format && strcmp(arguments->format, "json") == 0;
    struct explain_options options = {
        .file = arguments->operand, .verbose = arguments->verbose, .colour = command_wants_colour()};
    struct explanation *e;
    uint32_t window = arguments->has_window ? (uint32_t)arguments->window : EXPLAIN_WINDOW;
    int r = explanation_new(&e, keys, window, arguments->verbose && !json);
    if (r == P2_OK)
        r = explanation_read(e, frames);
    if (r == P2_OK)
        r = json ? explain_write_json(stdout, e, &options) : explain_write_text(stdout, e, &options);
    explanation_free(e);
    return r;
}

enum command_exit command_explain(const struct command_arguments *arguments)
{
    char error[FRAMES_ERROR];
    struct known_keys keys = {0};
    struct frames *frames = NULL;
    enum command_exit result = COMMAND_INPUT_ERROR;
    if (load_keys(&keys, arguments) == 0 && frames_open(&frames, arguments->operand, error) < 0) {
        command_complain("%s", error);
    } else if (frames) {
        result = COMMAND_DONE;
        if (explain(arguments, frames, &keys) < 0) {
            command_complain("out of memory");
            result = COMMAND_RUN_FAILED;
        }
    }
    frames_close(frames);
    known_keys_cleanup(&keys);
    return result;
}
