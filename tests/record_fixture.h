/* Records and results for the tests of analysis/. */
#ifndef P2_TESTS_RECORD_FIXTURE_H
#define P2_TESTS_RECORD_FIXTURE_H

#include "record_field.h"
#include "store.h"
#include "summary.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define FIXTURE_MS INT64_C(1000000)

/* A record of a type in which every member has a value of its own, "" and null nowhere. */
static inline struct record fixture_full(enum record_type type)
{
    struct record record;
    memset(&record, 0, sizeof record);
    record.type = type;
    const struct record_layout *layout = record_layout_of(type);
    for (size_t i = 0; i < layout->num_fields; i++) {
        const struct record_field *field = &layout->fields[i];
        bool is_text = field->kind == RECORD_KIND_TEXT || field->kind == RECORD_KIND_OPTIONAL_TEXT;
        char text[40];
        snprintf(text, sizeof text, "t%zu, \"µ\"", i);
        struct record_value value = {false, is_text ? text : NULL, (int64_t)(1000 + i)};
        int failed = record_field_set(&record, field, &value);
        assert(!failed);
        (void)failed;
    }
    return record;
}

/* An established negotiation whose latency is the sum of its parts. */
static inline struct record fixture_negotiation(const char *reason, int64_t network_ns, int64_t cpu_ns)
{
    struct record record;
    memset(&record, 0, sizeof record);
    record.type = RECORD_NEGOTIATION;
    record.u.negotiation = (struct record_negotiation){.tunnel = "vpn",
                                                       .initiator = "spoke",
                                                       .responder = "hub",
                                                       .message_id = "9c88846c",
                                                       .outcome = "established",
                                                       .proposal = "g2-esp-aes128-sha",
                                                       .suite = "esp aes-128-cbc hmac-sha1-96",
                                                       .latency_ns = network_ns + cpu_ns,
                                                       .network_ns = network_ns,
                                                       .cpu_ns = cpu_ns,
                                                       .initiator_ready_ns = network_ns,
                                                       .responder_ready_ns = network_ns + cpu_ns,
                                                       .blackout_ns = -1};
    snprintf(record.u.negotiation.reason, sizeof record.u.negotiation.reason, "%s", reason);
    return record;
}

static inline struct record fixture_failure(const char *failure, const char *field, const char *explanation)
{
    struct record record = fixture_negotiation("initial", 0, 0);
    struct record_negotiation *n = &record.u.negotiation;
    snprintf(n->outcome, sizeof n->outcome, "failed");
    snprintf(n->failure, sizeof n->failure, "%s", failure);
    snprintf(n->failure_field, sizeof n->failure_field, "%s", field);
    snprintf(n->explanation, sizeof n->explanation, "%s", explanation);
    n->proposal[0] = n->suite[0] = '\0';
    n->latency_ns = n->network_ns = n->cpu_ns = n->cpu_wait_ns = n->retransmission_wait_ns = -1;
    n->initiator_ready_ns = n->responder_ready_ns = -1;
    return record;
}

static inline struct record fixture_run(const char *case_name, uint64_t run)
{
    struct record record;
    memset(&record, 0, sizeof record);
    record.type = RECORD_RUN;
    record.u.run = (struct record_run){.format = RECORD_FORMAT,
                                       .scenario = "fixture",
                                       .run = run,
                                       .seed = 1,
                                       .duration_ns = 60000 * FIXTURE_MS};
    snprintf(record.u.run.case_name, sizeof record.u.run.case_name, "%s", case_name);
    return record;
}

/* A new directory for one test program's files; the caller removes what it puts there. */
static inline const char *fixture_directory(void)
{
    static char path[64];
    if (!*path) {
        snprintf(path, sizeof path, "/tmp/phase2sim-test.XXXXXX");
        if (!mkdtemp(path)) {
            perror(path);
            abort();
        }
    }
    mkdir(path, 0700); /* again, if fixture_remove took the last file away */
    return path;
}

static inline const char *fixture_path(char path[256], const char *name)
{
    snprintf(path, 256, "%s/%s", fixture_directory(), name);
    return path;
}

static inline void fixture_remove(const char *name)
{
    char path[256];
    unlink(fixture_path(path, name));
    rmdir(fixture_directory());
}

/* A new store with the cases of a set; it is the file fixture.sqlite. */
static inline struct store *fixture_store(const struct scenario_set *set, uint64_t runs, bool complete)
{
    char path[256];
    struct store *store;
    struct store_message message;
    struct store_result result = {.scenario = "fixture", .seed = 1, .runs = runs, .complete = complete};
    unlink(fixture_path(path, "fixture.sqlite"));
    int failed = store_create(&store, path, &message) || store_set_result(store, &result, &message);
    for (size_t i = 0; i < set->num_cases && !failed; i++)
        failed = store_add_case(store, i, set->cases[i].name, &message);
    if (failed) {
        fprintf(stderr, "fixture_store: %s\n", message.text);
        abort();
    }
    return store;
}

static inline void fixture_add(struct store *store, const char *case_name, uint64_t run,
                               const struct record *records, size_t num_records)
{
    struct store_message message;
    struct record all[256];
    assert(num_records < 256);
    all[0] = fixture_run(case_name, run);
    if (num_records > 0)
        memcpy(all + 1, records, num_records * sizeof *records);
    if (store_add_run(store, case_name, run, all, num_records + 1, &message)) {
        fprintf(stderr, "fixture_add: %s\n", message.text);
        abort();
    }
}

/* All of a file, as a string to be freed. */
static inline char *fixture_read(FILE *file)
{
    char *text = NULL;
    size_t len = 0;
    FILE *memory = open_memstream(&text, &len);
    rewind(file);
    for (int byte; (byte = getc(file)) != EOF;)
        putc(byte, memory);
    fclose(memory);
    return text;
}

#endif
