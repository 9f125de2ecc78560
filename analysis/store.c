#include "store_impl.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define MAX_COLUMNS 40
static const char fixed_schema[] =
    "CREATE TABLE result(scenario TEXT NOT NULL, seed INTEGER NOT NULL, runs INTEGER NOT NULL,"
    " complete INTEGER NOT NULL) STRICT;"
    "CREATE TABLE cases(position INTEGER PRIMARY KEY, case_name TEXT NOT NULL UNIQUE) STRICT;"
    "CREATE TABLE settings(case_name TEXT NOT NULL, axis TEXT NOT NULL, value TEXT NOT NULL,"
    " PRIMARY KEY(case_name, axis)) STRICT;"
    "CREATE TABLE failed_runs(case_name TEXT NOT NULL, run INTEGER NOT NULL, message TEXT NOT NULL,"
    " PRIMARY KEY(case_name, run)) STRICT;";

static const char views[] =
    "CREATE VIEW rekeys AS SELECT * FROM negotiations WHERE reason NOT IN ('initial', 'traffic');"
    "CREATE VIEW established_rekeys AS SELECT * FROM rekeys WHERE outcome = 'established';"
    "CREATE INDEX negotiations_by_case ON negotiations(case_name, run);";

int store_fail(struct store *store, const char *doing, struct store_message *message)
{
    snprintf(message->text, sizeof message->text, "cannot %s: %s", doing, sqlite3_errmsg(store->db));
    return -1;
}

int store_exec(struct store *store, const char *sql, const char *doing, struct store_message *message)
{
    return sqlite3_exec(store->db, sql, NULL, NULL, NULL) == SQLITE_OK ? 0
                                                                       : store_fail(store, doing, message);
}

static bool is_case_column(const struct record_field *field)
{
    return strcmp(field->column, "case_name") == 0 || strcmp(field->column, "run") == 0;
}

/* Every table has case_name and run first, so a record's own members of these names (RECORD_RUN) are left
 * out. */
static void table_sql(FILE *sql, const struct record_layout *layout, int source)
{
    (void)source;
    fprintf(sql, "CREATE TABLE %s(id INTEGER PRIMARY KEY, case_name TEXT NOT NULL, run INTEGER NOT NULL",
            layout->table);
    for (size_t i = 0; i < layout->num_fields; i++) {
        const struct record_field *field = &layout->fields[i];
        if (is_case_column(field))
            continue;
        bool text = field->kind == RECORD_KIND_TEXT || field->kind == RECORD_KIND_OPTIONAL_TEXT;
        bool always = field->kind == RECORD_KIND_TEXT || field->kind == RECORD_KIND_COUNT ||
                      field->kind == RECORD_KIND_TIME;
        fprintf(sql, ", %s %s%s", field->column, text ? "TEXT" : "INTEGER", always ? " NOT NULL" : "");
    }
    fputs(") STRICT;", sql);
}

size_t store_write_columns(FILE *sql, const struct record_layout *layout)
{
    size_t num_columns = 0;
    for (size_t i = 0; i < layout->num_fields; i++) {
        if (is_case_column(&layout->fields[i]))
            continue;
        fprintf(sql, ", %s", layout->fields[i].column);
        num_columns++;
    }
    return num_columns;
}

static void insert_sql(FILE *sql, const struct record_layout *layout, int source)
{
    (void)source;
    fprintf(sql, "INSERT INTO %s(case_name, run", layout->table);
    size_t num_columns = 2 + store_write_columns(sql, layout);
    fputs(") VALUES(?", sql);
    for (size_t i = 1; i < num_columns; i++)
        fputs(", ?", sql);
    fputc(')', sql);
}

int store_build_sql(char sql[STORE_MAX_SQL], store_write_sql *write, const struct record_layout *layout,
                    int source, struct store_message *message)
{
    FILE *out = fmemopen(sql, STORE_MAX_SQL, "w");
    if (!out) {
        snprintf(message->text, sizeof message->text, "cannot prepare the store: %s", strerror(errno));
        return -1;
    }
    write(out, layout, source);
    long len = ftell(out);
    (void)fclose(out);
    assert(len > 0 && len < STORE_MAX_SQL - 1);
    (void)len;
    return 0;
}

static int create_schema(struct store *store, struct store_message *message)
{
    char sql[STORE_MAX_SQL];
    snprintf(sql, sizeof sql, "PRAGMA application_id = %d; PRAGMA user_version = %d; BEGIN;",
             STORE_APPLICATION_ID, STORE_VERSION);
    if (store_exec(store, sql, "start the store", message) ||
        store_exec(store, fixed_schema, "make the tables", message))
        return -1;
    for (unsigned i = 0; i < RECORD_NUM_TYPES; i++) {
        const struct record_layout *layout = record_layout_of((enum record_type)i);
        if (store_build_sql(sql, table_sql, layout, 0, message) ||
            store_exec(store, sql, "make the tables", message) ||
            store_build_sql(sql, insert_sql, layout, 0, message))
            return -1;
        if (sqlite3_prepare_v2(store->db, sql, -1, &store->insert[i], NULL) != SQLITE_OK)
            return store_fail(store, "prepare the store", message);
    }
    return store_exec(store, views, "make the views", message) ||
           store_exec(store, "COMMIT", "make the tables", message);
}

static int open_database(struct store **store, const char *path, int flags, struct store_message *message)
{
    *store = calloc(1, sizeof **store);
    if (!*store) {
        snprintf(message->text, sizeof message->text, "%s: out of memory", path);
        return -1;
    }
    if (sqlite3_open_v2(path, &(*store)->db, flags, NULL) == SQLITE_OK)
        return 0;
    snprintf(message->text, sizeof message->text, "%s: %s", path, sqlite3_errmsg((*store)->db));
    store_close(*store);
    *store = NULL;
    return -1;
}

int store_create(struct store **store, const char *path, struct store_message *message)
{
    *store = NULL;
    if (access(path, F_OK) == 0) {
        snprintf(message->text, sizeof message->text, "%s: is there already", path);
        return -1;
    }
    if (open_database(store, path, SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE, message))
        return -1;
    if (create_schema(*store, message) == 0)
        return 0;
    store_close(*store);
    *store = NULL;
    return -1;
}

static int get_version(void *context, const struct store_cell *cells, size_t num_cells)
{
    (void)num_cells;
    *(int64_t *)context = cells[0].integer;
    return 0;
}

int store_check(struct store *store, const char *database, const char *path, struct store_message *message)
{
    int64_t application = 0, version = 0;
    char sql[64];
    snprintf(sql, sizeof sql, "PRAGMA %s.application_id", database);
    int failed = store_query(store, sql, NULL, get_version, &application, message);
    snprintf(sql, sizeof sql, "PRAGMA %s.user_version", database);
    if (failed || store_query(store, sql, NULL, get_version, &version, message)) {
        struct store_message inner = *message;
        snprintf(message->text, sizeof message->text, "%s: %.400s", path, inner.text);
    } else if (application != STORE_APPLICATION_ID) {
        snprintf(message->text, sizeof message->text, "%s: not a result store of phase2sim", path);
    } else if (version != STORE_VERSION) {
        snprintf(message->text, sizeof message->text,
                 "%s: version %lld of the store; this program reads version %d", path, (long long)version,
                 STORE_VERSION);
    } else {
        return 0;
    }
    return -1;
}

int store_open(struct store **store, const char *path, struct store_message *message)
{
    *store = NULL;
    if (open_database(store, path, SQLITE_OPEN_READONLY, message))
        return -1;
    if (store_check(*store, "main", path, message) == 0)
        return 0;
    store_close(*store);
    *store = NULL;
    return -1;
}

void store_close(struct store *store)
{
    if (!store)
        return;
    for (unsigned i = 0; i < RECORD_NUM_TYPES; i++)
        sqlite3_finalize(store->insert[i]);
    sqlite3_close(store->db);
    free(store);
}

int store_execute(struct store *store, const char *sql, const char *kinds, const union store_bound *values,
                  const char *doing, struct store_message *message)
{
    sqlite3_stmt *statement = NULL;
    if (sqlite3_prepare_v2(store->db, sql, -1, &statement, NULL) != SQLITE_OK)
        return store_fail(store, doing, message);
    int status = SQLITE_OK;
    for (int i = 0; kinds[i] && status == SQLITE_OK; i++) {
        if (kinds[i] == 't')
            status = sqlite3_bind_text(statement, i + 1, values[i].text, -1, SQLITE_TRANSIENT);
        else
            status = sqlite3_bind_int64(statement, i + 1, values[i].integer);
    }
    if (status == SQLITE_OK)
        status = sqlite3_step(statement);
    int failed = status == SQLITE_DONE ? 0 : store_fail(store, doing, message);
    sqlite3_finalize(statement);
    return failed;
}

int store_set_result(struct store *store, const struct store_result *result, struct store_message *message)
{
    const union store_bound values[] = {{.text = result->scenario},
                                        {.integer = (int64_t)result->seed},
                                        {.integer = (int64_t)result->runs},
                                        {.integer = result->complete}};
    if (store_exec(store, "DELETE FROM result", "store the result", message))
        return -1;
    return store_execute(store, "INSERT INTO result VALUES(?, ?, ?, ?)", "tiii", values, "store the result",
                         message);
}

static int get_result(void *context, const struct store_cell *cells, size_t num_cells)
{
    struct store_result *result = context;
    assert(num_cells == 4);
    (void)num_cells;
    snprintf(result->scenario, sizeof result->scenario, "%s", cells[0].text);
    result->seed = (uint64_t)cells[1].integer;
    result->runs = (uint64_t)cells[2].integer;
    result->complete = cells[3].integer != 0;
    return 1;
}

int store_get_result(struct store *store, struct store_result *result, struct store_message *message)
{
    int found = store_query(store, "SELECT scenario, seed, runs, complete FROM result", NULL, get_result,
                            result, message);
    if (found == 0)
        snprintf(message->text, sizeof message->text, "the store has no result in it");
    return found == 1 ? 0 : -1;
}

int store_add_case(struct store *store, size_t position, const char *case_name, struct store_message *message)
{
    const union store_bound values[] = {{.integer = (int64_t)position}, {.text = case_name}};
    return store_execute(store, "INSERT INTO cases VALUES(?, ?)", "it", values, "store a case", message);
}

int store_add_setting(struct store *store, const char *case_name, const char *axis, const char *value,
                      struct store_message *message)
{
    const union store_bound values[] = {{.text = case_name}, {.text = axis}, {.text = value}};
    return store_execute(store, "INSERT INTO settings VALUES(?, ?, ?)", "ttt", values, "store a setting",
                         message);
}

int store_add_failed_run(struct store *store, const char *case_name, uint64_t run, const char *how,
                         struct store_message *message)
{
    const union store_bound values[] = {{.text = case_name}, {.integer = (int64_t)run}, {.text = how}};
    return store_execute(store, "INSERT INTO failed_runs VALUES(?, ?, ?)", "tit", values,
                         "store a failed run", message);
}

static int insert_record(struct store *store, const char *case_name, uint64_t run,
                         const struct record *record, struct store_message *message)
{
    const struct record_layout *layout = record_layout_of(record->type);
    sqlite3_stmt *insert = store->insert[record->type];
    assert(insert); /* opened for reading only? */
    sqlite3_bind_text(insert, 1, case_name, -1, SQLITE_STATIC);
    sqlite3_bind_int64(insert, 2, (int64_t)run);
    int column = 3;
    for (size_t i = 0; i < layout->num_fields; i++) {
        struct record_value value;
        if (is_case_column(&layout->fields[i]))
            continue;
        if (record_field_get(record, &layout->fields[i], &value)) {
            snprintf(message->text, sizeof message->text, "%s.%s is too large", layout->type,
                     layout->fields[i].name);
            return -1;
        }
        if (value.is_null)
            sqlite3_bind_null(insert, column++);
        else if (value.text)
            sqlite3_bind_text(insert, column++, value.text, -1, SQLITE_STATIC);
        else
            sqlite3_bind_int64(insert, column++, value.integer);
    }
    int failed = sqlite3_step(insert) == SQLITE_DONE ? 0 : store_fail(store, "store a record", message);
    sqlite3_reset(insert);
    return failed;
}

int store_add_run(struct store *store, const char *case_name, uint64_t run, const struct record *records,
                  size_t num_records, struct store_message *message)
{
    if (store_exec(store, "BEGIN", "store a run", message))
        return -1;
    int failed = 0;
    for (size_t i = 0; i < num_records && !failed; i++)
        failed = insert_record(store, case_name, run, &records[i], message);
    if (!failed)
        failed = store_exec(store, "COMMIT", "store a run", message);
    if (failed)
        sqlite3_exec(store->db, "ROLLBACK", NULL, NULL, NULL);
    return failed;
}

static void read_cell(sqlite3_stmt *statement, int column, struct store_cell *cell)
{
    cell->is_null = sqlite3_column_type(statement, column) == SQLITE_NULL;
    /* Numbers first: asking for the text converts the value. */
    cell->integer = sqlite3_column_int64(statement, column);
    cell->real = sqlite3_column_double(statement, column);
    const unsigned char *text = sqlite3_column_text(statement, column);
    cell->text = text ? (const char *)text : "";
}

int store_query(struct store *store, const char *sql, const char *case_name, store_visit *visit,
                void *context, struct store_message *message)
{
    sqlite3_stmt *statement = NULL;
    struct store_cell cells[MAX_COLUMNS];
    if (sqlite3_prepare_v2(store->db, sql, -1, &statement, NULL) != SQLITE_OK)
        return store_fail(store, "read the store", message);
    if (case_name)
        sqlite3_bind_text(statement, 1, case_name, -1, SQLITE_STATIC);
    int num_columns = sqlite3_column_count(statement);
    assert(num_columns <= MAX_COLUMNS);
    int stopped = 0, status;
    while (!stopped && (status = sqlite3_step(statement)) != SQLITE_DONE) {
        if (status != SQLITE_ROW) {
            stopped = store_fail(store, "read the store", message);
            break;
        }
        for (int i = 0; i < num_columns; i++)
            read_cell(statement, i, &cells[i]);
        stopped = visit(context, cells, (size_t)num_columns);
    }
    sqlite3_finalize(statement);
    return stopped;
}

struct each {
    const struct record_layout *layout;
    enum record_type type;
    store_visit_record *visit;
    void *context;
};

static int each_row(void *context, const struct store_cell *cells, size_t num_cells)
{
    const struct each *each = context;
    struct record record = {.type = each->type};
    assert(num_cells == each->layout->num_fields);
    for (size_t i = 0; i < num_cells; i++) {
        const struct record_field *field = &each->layout->fields[i];
        bool is_text = field->kind == RECORD_KIND_TEXT || field->kind == RECORD_KIND_OPTIONAL_TEXT;
        struct record_value value = {cells[i].is_null, is_text && !cells[i].is_null ? cells[i].text : NULL,
                                     cells[i].integer};
        if (record_field_set(&record, field, &value))
            return -2;
    }
    return each->visit(each->context, &record);
}

int store_each(struct store *store, enum record_type type, const char *case_name, uint64_t run,
               store_visit_record *visit, void *context, struct store_message *message)
{
    struct each each = {record_layout_of(type), type, visit, context};
    char sql[STORE_MAX_SQL];
    size_t len = 0;
    for (size_t i = 0; i < each.layout->num_fields; i++)
        len += (size_t)snprintf(sql + len, sizeof sql - len, "%s%s", i ? ", " : "SELECT ",
                                each.layout->fields[i].column);
    snprintf(sql + len, sizeof sql - len, " FROM %s WHERE case_name = ?1 AND run = %llu ORDER BY id",
             each.layout->table, (unsigned long long)run);
    int status = store_query(store, sql, case_name, each_row, &each, message);
    if (status == -2)
        snprintf(message->text, sizeof message->text, "a record in table %s is damaged", each.layout->table);
    return status == -2 ? -1 : status;
}
