/* What store.c and store_copy.c share. */
#ifndef P2_STORE_IMPL_H
#define P2_STORE_IMPL_H

#include "record_field.h"
#include "store.h"

#include <sqlite3.h>

#define STORE_MAX_SQL 8192

struct store {
    sqlite3 *db;
    sqlite3_stmt *insert[RECORD_NUM_TYPES];
    int num_sources; /* attached as kept0, kept1, ... */
};

/* -1 with "cannot store a run: database or disk is full". */
int store_fail(struct store *store, const char *doing, struct store_message *message);
int store_exec(struct store *store, const char *sql, const char *doing, struct store_message *message);

/* One statement with bound texts (t) and integers (i), in the order of `kinds`. */
union store_bound {
    const char *text;
    int64_t integer;
};

int store_execute(struct store *store, const char *sql, const char *kinds, const union store_bound *values,
                  const char *doing, struct store_message *message);
/* Whether a database ("main", "kept0") is a result store that this program reads; if not, why. */
int store_check(struct store *store, const char *database, const char *path, struct store_message *message);

/* Writes SQL about a type's table; every table has case_name and run first. */
typedef void store_write_sql(FILE *sql, const struct record_layout *layout, int source);
int store_build_sql(char sql[STORE_MAX_SQL], store_write_sql *write, const struct record_layout *layout,
                    int source, struct store_message *message);
/* ", peer, latency_ns": the columns after case_name and run; returns how many. */
size_t store_write_columns(FILE *sql, const struct record_layout *layout);

#endif
