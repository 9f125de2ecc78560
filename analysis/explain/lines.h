/* A list of lines of text, each of which is a sentence or a few: stories and notes, for any form of output.
 */
#ifndef P2_EXPLAIN_LINES_H
#define P2_EXPLAIN_LINES_H

#include <stdbool.h>
#include <stddef.h>

struct lines {
    char **list;
    size_t num;
    bool out_of_memory;
};

void lines_add(struct lines *lines, const char *format, ...) __attribute__((format(printf, 2, 3)));
void lines_cleanup(struct lines *lines);

#endif
