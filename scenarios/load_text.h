/* The text of an XML file, before a parser sees it: of bounded length, UTF-8, and with nothing in it on which
 * libxml2 would be slow or tell the wrong thing. */
#ifndef P2_SCENARIO_LOAD_TEXT_H
#define P2_SCENARIO_LOAD_TEXT_H

#include "problems.h"

#define LOAD_MAX_FILE (16u << 20) /* bytes */

/* Opens a regular file for reading, or a pipe that the shell gave us. NULL, with what it is instead in `why`:
 * nothing that could be read without end, and nothing that would wait for somebody to write. */
FILE *load_open(const char *path, const char **why);

/* What a file holds, to be freed. NULL: reported. */
char *load_text_file(struct problems *problems, const char *file, size_t *len);
/* False: reported. */
bool load_text_check(struct problems *problems, const char *xml, size_t len);

#endif
