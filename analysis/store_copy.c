#include "store_copy.h"
#include "store_impl.h"

#include <assert.h>
#include <string.h>

/* Where the rows of each run lie in the tables of the sources, found in one pass: rows are stored a run at a
 * time, so they stand together. */
static const char places[] = "CREATE TEMP TABLE kept_runs(case_name TEXT, run INTEGER, source INTEGER,"
                             " PRIMARY KEY(case_name, run)) WITHOUT ROWID;"
                             "CREATE TEMP TABLE kept_rows(case_name TEXT, run INTEGER, source INTEGER,"
                             " type INTEGER, first INTEGER, last INTEGER,"
                             " PRIMARY KEY(case_name, run, source, type)) WITHOUT ROWID;";

static void rows_sql(FILE *sql, const struct record_layout *layout, int source)
{
    fprintf(
        sql,
        "INSERT INTO kept_rows SELECT case_name, run, %d, ?1, min(id), max(id) FROM kept%d.%s GROUP BY 1, 2",
        source, source, layout->table);
}

static void copy_sql(FILE *sql, const struct record_layout *layout, int source)
{
    fprintf(sql, "INSERT INTO main.%s(case_name, run", layout->table);
    store_write_columns(sql, layout);
    fputs(") SELECT case_name, run", sql);
    store_write_columns(sql, layout);
    fprintf(sql,
            " FROM kept%d.%s WHERE id >= (SELECT first FROM kept_rows WHERE case_name = ?1 AND run = ?2 AND"
            " source = %d AND type = ?3) AND id <= (SELECT last FROM kept_rows WHERE case_name = ?1 AND"
            " run = ?2 AND source = %d AND type = ?3) AND case_name = ?1 AND run = ?2 ORDER BY id",
            source, layout->table, source, source);
}

static int find_places(struct store *store, int source, struct store_message *message)
{
    char sql[STORE_MAX_SQL];
    for (unsigned i = 0; i < RECORD_NUM_TYPES; i++) {
        const union store_bound type = {.integer = i};
        if (store_build_sql(sql, rows_sql, record_layout_of((enum record_type)i), source, message) ||
            store_execute(store, sql, "i", &type, "find the finished runs", message))
            return -1;
    }
    snprintf(sql, sizeof sql, "INSERT OR IGNORE INTO kept_runs SELECT case_name, run, %d FROM kept%d.ends",
             source, source);
    return store_exec(store, sql, "find the finished runs", message);
}

int store_attach(struct store *store, const char *path, struct store_message *message)
{
    char sql[64], database[16];
    const union store_bound file = {.text = path};
    int source = store->num_sources;
    assert(source < STORE_MAX_SOURCES);
    if (source == 0 && store_exec(store, places, "prepare to keep runs", message))
        return -1;
    snprintf(database, sizeof database, "kept%d", source);
    snprintf(sql, sizeof sql, "ATTACH ?1 AS %s", database);
    if (store_execute(store, sql, "t", &file, "open the earlier results", message))
        return -1;
    if (store_check(store, database, path, message) == 0 && find_places(store, source, message) == 0) {
        store->num_sources++;
        return 0;
    }
    snprintf(sql, sizeof sql, "DETACH %s", database);
    sqlite3_exec(store->db, sql, NULL, NULL, NULL);
    return -1;
}

static int take_source(void *source, const struct store_cell *cells, size_t num_cells)
{
    (void)num_cells;
    *(int *)source = (int)cells[0].integer;
    return 1;
}

int store_find_run(struct store *store, const char *case_name, uint64_t run, struct store_message *message)
{
    char sql[128];
    int source = STORE_NO_RUN;
    snprintf(sql, sizeof sql, "SELECT source FROM kept_runs WHERE case_name = ?1 AND run = %llu",
             (unsigned long long)run);
    return store_query(store, sql, case_name, take_source, &source, message) < 0 ? -2 : source;
}

static int copy_rows(struct store *store, int source, const char *case_name, uint64_t run,
                     struct store_message *message)
{
    char sql[STORE_MAX_SQL];
    for (unsigned i = 0; i < RECORD_NUM_TYPES; i++) {
        const union store_bound values[] = {{.text = case_name}, {.integer = (int64_t)run}, {.integer = i}};
        if (store_build_sql(sql, copy_sql, record_layout_of((enum record_type)i), source, message) ||
            store_execute(store, sql, "tii", values, "keep a finished run", message))
            return -1;
    }
    return 0;
}

int store_copy_run(struct store *store, int source, const char *case_name, uint64_t run,
                   struct store_message *message)
{
    if (store_exec(store, "BEGIN", "keep a finished run", message))
        return -1;
    int failed = copy_rows(store, source, case_name, run, message) ||
                 store_exec(store, "COMMIT", "keep a finished run", message);
    if (failed)
        sqlite3_exec(store->db, "ROLLBACK", NULL, NULL, NULL);
    return failed ? -1 : 0;
}
