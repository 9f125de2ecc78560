/* Finished runs out of other result stores. */
#ifndef P2_STORE_COPY_H
#define P2_STORE_COPY_H

#include "store.h"

#define STORE_MAX_SOURCES 8
#define STORE_NO_RUN      (-1)

/* Makes the runs of another store's file findable. The sources count 0, 1, ... in this order. -1 with a
 * message if it is no such store, of another version, or broken. Never more than STORE_MAX_SOURCES. */
int store_attach(struct store *store, const char *path, struct store_message *message);
/* The first source that has a run from its first to its end record, or STORE_NO_RUN; -2 with a message. */
int store_find_run(struct store *store, const char *case_name, uint64_t run, struct store_message *message);
/* All records of a run of a source, as store_add_run would have stored them. */
int store_copy_run(struct store *store, int source, const char *case_name, uint64_t run,
                   struct store_message *message);

#endif
