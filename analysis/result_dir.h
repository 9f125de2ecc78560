/* A result directory that appears as a whole or not at all: made as a hidden sibling, renamed when it is
 * complete. */
#ifndef P2_RESULT_DIR_H
#define P2_RESULT_DIR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

#define RESULT_DIR_PATH 4096

struct result_dir {
    char path[RESULT_DIR_PATH]; /* where it will stand */
    char work[RESULT_DIR_PATH]; /* where it is made; empty: not begun */
    int lock;                   /* on the working directory, for as long as this program lives; -1: none */
};

/* Functions that return int give 0, or -1 with one line in message. */

/* Sees that `path` may be written or replaced: nothing there, an empty directory, or a result directory of
 * phase2sim; then makes the working directory beside it, parents included. */
int result_dir_begin(struct result_dir *dir, const char *path, char *message, size_t message_size);
/* Puts the result in its place; an older one there is gone then. */
int result_dir_commit(struct result_dir *dir, char *message, size_t message_size);
/* Lets the working directory stay as it is, for result_dir_left_over to find. */
void result_dir_leave(struct result_dir *dir);
/* Removes the working directory. Harmless after a commit, or if nothing was begun. */
void result_dir_abandon(struct result_dir *dir);

/* Working directories for `path` that no living program holds and that have a results.sqlite, sorted by name;
 * at most `max`, of RESULT_DIR_PATH bytes each. Returns how many. */
size_t result_dir_left_over(const char *path, char (*found)[RESULT_DIR_PATH], size_t max);
/* For a path such as "results/.name.Ab12Cd": "results/name", which it was to become. False: it is no working
 * directory's name. */
bool result_dir_target(char path[RESULT_DIR_PATH], const char *work);

/* Makes a directory below the working one ("captures/PFS=none-1"), parents included. `path` becomes its path.
 */
int result_dir_make(const struct result_dir *dir, char path[RESULT_DIR_PATH], const char *name, char *message,
                    size_t message_size);

/* Removes a directory that result_dir_make made, with all that is in it. */
void result_dir_remove(const char *path);

/* Writes directory/name through a temporary file that is renamed, so that readers see the old or the new one.
 * `write` returns 0, or -1 with a line in message (an empty one: errno tells). */
typedef int result_dir_write(void *context, FILE *out, char *message, size_t message_size);
int result_dir_write_file(const char *directory, const char *name, result_dir_write *write, void *context,
                          char *message, size_t message_size);

#endif
