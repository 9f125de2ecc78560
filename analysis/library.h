/* The library of scenarios: one question a file. */
#ifndef P2_LIBRARY_H
#define P2_LIBRARY_H

#include <stddef.h>

#define LIBRARY_PATH 4096

/* $PHASE2SIM_SCENARIOS, ../scenarios or ../share/phase2sim/scenarios as seen from the program. 0, or -1:
 * none. */
int library_dir(char path[LIBRARY_PATH]);
/* The same for the worker program: $PHASE2SIM_WORKER, beside the program, or in ../libexec/phase2sim. */
int library_worker(char path[LIBRARY_PATH]);

struct library {
    char **files; /* paths of *.xml, sorted by name */
    size_t num_files;
};

/* 0, or -1 with errno. */
int library_open(struct library *library, const char *directory);
void library_close(struct library *library);

/* The file that an operand means: itself if there is such a file, else the library's scenario of that name,
 * else the operand as it is. */
void library_resolve(char path[LIBRARY_PATH], const char *operand);

#endif
