/* The result store: every record of every run in one SQLite file (results.sqlite).
 *
 * PRAGMA user_version is STORE_VERSION, PRAGMA application_id STORE_APPLICATION_ID ("p2sm"). Tables, in
 * STRICT mode:
 *
 *   - result: one row: scenario, seed, runs (wanted of each case), complete (1: all of them are here)
 *   - cases: position (0, 1, ...: the scenario's order), case_name
 *   - settings: case_name, axis, value: what <vary> set in this case
 *   - failed_runs: case_name, run, message: runs that ended without a result
 *   - runs, negotiations, phase1_negotiations, failures, flows, drops, cpus, sadbs, sas, attacks,
 * compromises, readings, ends: one table a record type of record.h, in the order in which the records were
 * written: id, case_name, run, then the record's members under their names in record.h; times in nanoseconds
 * of simulated time, NULL where record.h says null
 *
 * and the views
 *
 *   - rekeys: negotiations that replace an SA: reason is neither 'initial' nor 'traffic'
 *   - established_rekeys: those of them that came to be: what the metric rekey-latency is made of
 *
 * Only phase2sim writes, in the order of (case, run), one transaction a run: equal runs give equal files. */
#ifndef P2_STORE_H
#define P2_STORE_H

#include "record.h"

#define STORE_VERSION        3
#define STORE_APPLICATION_ID 0x7032736d

struct store;

struct store_message {
    char text[2048];
};

/* What one result directory is about. */
struct store_result {
    char scenario[RECORD_TEXT];
    uint64_t seed;
    uint64_t runs; /* of each case */
    bool complete;
};

/* Functions that return int give 0, or -1 with one line in message. */

/* Makes a new file; it is an error if there is one. *store is NULL after a failure. */
int store_create(struct store **store, const char *path, struct store_message *message);
/* Opens for reading only. */
int store_open(struct store **store, const char *path, struct store_message *message);
/* NULL is harmless. */
void store_close(struct store *store);

int store_set_result(struct store *store, const struct store_result *result, struct store_message *message);
int store_get_result(struct store *store, struct store_result *result, struct store_message *message);
int store_add_case(struct store *store, size_t position, const char *case_name,
                   struct store_message *message);
int store_add_setting(struct store *store, const char *case_name, const char *axis, const char *value,
                      struct store_message *message);
/* All records of one run, in one transaction. */
int store_add_run(struct store *store, const char *case_name, uint64_t run, const struct record *records,
                  size_t num_records, struct store_message *message);
int store_add_failed_run(struct store *store, const char *case_name, uint64_t run, const char *how,
                         struct store_message *message);

/* One column of a row that a query gave. */
struct store_cell {
    bool is_null;
    const char *text; /* borrowed, valid during the visit; "" if null */
    int64_t integer;
    double real;
};

/* Called once a row; another value than 0 ends the query. */
typedef int store_visit(void *context, const struct store_cell *cells, size_t num_cells);

/* Runs a query; ?1 in it is case_name (NULL: not bound). Returns 0, what visit returned, or -1 with a
 * message. */
int store_query(struct store *store, const char *sql, const char *case_name, store_visit *visit,
                void *context, struct store_message *message);

/* Gives each record of one type and one run in the order in which it was written. */
typedef int store_visit_record(void *context, const struct record *record);
int store_each(struct store *store, enum record_type type, const char *case_name, uint64_t run,
               store_visit_record *visit, void *context, struct store_message *message);

#endif
