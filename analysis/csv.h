/* rekeys.csv: a row a Phase 2 negotiation, for spreadsheets and scripts.
 *
 * Quoted as RFC 4180 section 2 says, lines end with LF, numbers are nanoseconds or counts, null is empty.
 * Rows stand in the scenario's order of cases, then by run, start and tunnel. */
#ifndef P2_CSV_H
#define P2_CSV_H

#include "store.h"

/* 0, or -1 with one line in message. */
int csv_write(FILE *out, struct store *store, struct store_message *message);
/* One field, quoted if it must be. */
void csv_write_field(FILE *out, const char *text);

#endif
