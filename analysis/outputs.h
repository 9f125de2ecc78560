/* The files of a result directory that are made from its store: summary.json, rekeys.csv, report.txt. */
#ifndef P2_OUTPUTS_H
#define P2_OUTPUTS_H

#include "summary.h"

/* Writes all of them. 0, or -1 with one line in message. */
int outputs_write(const char *directory, struct store *store, const struct scenario_set *set,
                  const struct summary *summary, struct store_message *message);
/* Prints the report on stdout, in colour on a terminal unless NO_COLOR is set. 0, or -1 with errno. */
int outputs_print(const struct scenario_set *set, const struct summary *summary);

#endif
