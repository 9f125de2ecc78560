/* results.sqlite: analysis/store.c. */
#include "check.h"
#include "record_fixture.h"

static struct scenario_case cases[] = {{.name = "PFS=none"}, {.name = "PFS=group14"}};
static const struct scenario_set set = {.cases = cases, .num_cases = 2};

static int keep_record(void *context, const struct record *record)
{
    *(struct record *)context = *record;
    return 1;
}

static void every_type_comes_back(void)
{
    struct store *store = fixture_store(&set, 1, true);
    struct store_message message;
    struct record all[RECORD_NUM_TYPES];
    for (unsigned type = 0; type < RECORD_NUM_TYPES; type++)
        all[type] = fixture_full((enum record_type)type);
    /* The run record's own case and run are the columns that every table has. */
    strcpy(all[RECORD_RUN].u.run.case_name, "PFS=none");
    all[RECORD_RUN].u.run.run = 7;
    CU_ASSERT_EQUAL(store_add_run(store, "PFS=none", 7, all, RECORD_NUM_TYPES, &message), 0);
    for (unsigned type = 0; type < RECORD_NUM_TYPES; type++) {
        struct record read;
        memset(&read, 0xff, sizeof read);
        CU_ASSERT_EQUAL(
            store_each(store, (enum record_type)type, "PFS=none", 7, keep_record, &read, &message), 1);
        CU_ASSERT_EQUAL(memcmp(&read.u, &all[type].u, sizeof read.u), 0);
        CU_ASSERT_EQUAL(
            store_each(store, (enum record_type)type, "PFS=none", 8, keep_record, &read, &message), 0);
        CU_ASSERT_EQUAL(store_each(store, (enum record_type)type, "other", 7, keep_record, &read, &message),
                        0);
    }
    store_close(store);
    fixture_remove("fixture.sqlite");
}

static int get_text(void *context, const struct store_cell *cells, size_t num_cells)
{
    CU_ASSERT_EQUAL(num_cells, 1);
    strcat(strcat(context, cells[0].is_null ? "NULL" : cells[0].text), " ");
    return 0;
}

static void nulls_and_views_are_sql(void)
{
    static const struct {
        const char *sql, *seen;
    } rows[] = {
        {"SELECT latency_ns FROM negotiations ORDER BY id", "NULL 3000000 5000000 NULL "},
        {"SELECT typeof(pfs_group) || typeof(failure) FROM negotiations WHERE id = 2", "nullnull "},
        {"SELECT failure FROM negotiations WHERE failure IS NOT NULL",
         "NO-PROPOSAL-CHOSEN NO-PROPOSAL-CHOSEN "},
        {"SELECT reason FROM rekeys", "forced forced "},
        {"SELECT latency_ns FROM established_rekeys", "5000000 "},
        {"SELECT case_name FROM cases ORDER BY position", "PFS=none PFS=group14 "},
        {"SELECT case_name || run || scenario || seed FROM runs", "PFS=none1fixture1 "},
        {"PRAGMA user_version", "3 "},
        {"PRAGMA application_id", "1882354541 "},
    };
    struct store *store = fixture_store(&set, 1, true);
    struct store_message message;
    struct record records[] = {fixture_failure("NO-PROPOSAL-CHOSEN", "", ""),
                               fixture_negotiation("initial", 2 * FIXTURE_MS, FIXTURE_MS),
                               fixture_negotiation("forced", 4 * FIXTURE_MS, FIXTURE_MS),
                               fixture_failure("NO-PROPOSAL-CHOSEN", "", "")};
    strcpy(records[3].u.negotiation.reason, "forced");
    fixture_add(store, "PFS=none", 1, records, 4);
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        char seen[256] = "";
        CU_ASSERT_EQUAL(store_query(store, rows[i].sql, NULL, get_text, seen, &message), 0);
        CU_ASSERT_STRING_EQUAL(seen, rows[i].seen);
    }
    char seen[64];
    CU_ASSERT_EQUAL(store_query(store, "SELECT x FROM nowhere", NULL, get_text, seen, &message), -1);
    CU_ASSERT_PTR_NOT_NULL(strstr(message.text, "nowhere"));
    store_close(store);
    fixture_remove("fixture.sqlite");
}

static void a_run_is_stored_whole_or_not(void)
{
    struct store *store = fixture_store(&set, 1, true);
    struct store_message message;
    struct record records[] = {fixture_run("PFS=none", 1),
                               {.type = RECORD_DROP, .u.drop = {"hub", "replay", UINT64_MAX}}};
    char seen[64] = "";
    CU_ASSERT_EQUAL(store_add_run(store, "PFS=none", 1, records, 2, &message), -1);
    CU_ASSERT_STRING_EQUAL(message.text, "drop.packets is too large");
    CU_ASSERT_EQUAL(store_query(store, "SELECT count(*) FROM runs", NULL, get_text, seen, &message), 0);
    CU_ASSERT_STRING_EQUAL(seen, "0 ");
    records[1].u.drop.packets = 3;
    CU_ASSERT_EQUAL(store_add_run(store, "PFS=none", 1, records, 2, &message), 0);
    store_close(store);
    fixture_remove("fixture.sqlite");
}

static void result_comes_back(void)
{
    struct store *store = fixture_store(&set, 20, false);
    struct store_message message;
    struct store_result result;
    char path[256];
    store_close(store);
    CU_ASSERT_EQUAL(store_open(&store, fixture_path(path, "fixture.sqlite"), &message), 0);
    CU_ASSERT_EQUAL(store_get_result(store, &result, &message), 0);
    CU_ASSERT_STRING_EQUAL(result.scenario, "fixture");
    CU_ASSERT_EQUAL(result.runs, 20);
    CU_ASSERT_FALSE(result.complete);
    CU_ASSERT_EQUAL(store_add_case(store, 9, "x", &message), -1); /* open for reading only */
    store_close(store);
    fixture_remove("fixture.sqlite");
}

static void foreign_files_are_refused(void)
{
    char path[256];
    struct store *store;
    struct store_message message;
    fixture_path(path, "foreign");
    CU_ASSERT_EQUAL(store_open(&store, path, &message), -1);
    CU_ASSERT_PTR_NULL(store);
    FILE *file = fopen(path, "w");
    fputs("this is no data base at all, but long enough to have a header of one hundred bytes, which is what "
          "SQLite looks at first of all",
          file);
    fclose(file);
    CU_ASSERT_EQUAL(store_open(&store, path, &message), -1);
    CU_ASSERT_PTR_NOT_NULL(strstr(message.text, "not a database"));
    CU_ASSERT_EQUAL(store_create(&store, path, &message), -1);
    CU_ASSERT_PTR_NOT_NULL(strstr(message.text, "is there already"));
    file = fopen(path, "w");
    fclose(file);
    CU_ASSERT_EQUAL(store_open(&store, path, &message), -1);
    CU_ASSERT_PTR_NOT_NULL(strstr(message.text, "not a result store"));
    fixture_remove("foreign");
}

static char *bytes_of_a_store(size_t *len)
{
    char path[256], *bytes = NULL;
    struct store *store = fixture_store(&set, 2, true);
    struct record records[40];
    for (size_t i = 0; i < 40; i++)
        records[i] = fixture_negotiation("forced", (int64_t)i * FIXTURE_MS, 5);
    for (uint64_t run = 1; run <= 2; run++)
        fixture_add(store, "PFS=none", run, records, 40);
    store_close(store);
    FILE *file = fopen(fixture_path(path, "fixture.sqlite"), "rb"), *memory = open_memstream(&bytes, len);
    for (int byte; (byte = getc(file)) != EOF;)
        putc(byte, memory);
    fclose(memory);
    fclose(file);
    fixture_remove("fixture.sqlite");
    return bytes;
}

static void equal_runs_give_equal_files(void)
{
    size_t len_a, len_b;
    char *a = bytes_of_a_store(&len_a), *b = bytes_of_a_store(&len_b);
    CU_ASSERT_TRUE(len_a > 4096);
    CU_ASSERT_TRUE(len_a == len_b && memcmp(a, b, len_a) == 0);
    free(a);
    free(b);
}

CHECK_MAIN("store", {"every type comes back as it was", every_type_comes_back},
           {"null is NULL, and the views say what a rekey is", nulls_and_views_are_sql},
           {"a run is stored whole or not at all", a_run_is_stored_whole_or_not},
           {"what the result is about comes back", result_comes_back},
           {"other files are refused", foreign_files_are_refused},
           {"equal runs give equal files", equal_runs_give_equal_files})
