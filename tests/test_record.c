/* The record stream: analysis/record.c and stream.c. */
#include "check.h"
#include "record_fixture.h"
#include "stream.h"

#include <errno.h>

static char *written(const struct record *record)
{
    char *text = NULL;
    size_t len = 0;
    FILE *out = open_memstream(&text, &len);
    CU_ASSERT_EQUAL(record_write(out, record), 0);
    fclose(out);
    return text;
}

static void every_type_comes_back(void)
{
    for (unsigned type = 0; type < RECORD_NUM_TYPES; type++) {
        struct record before = fixture_full((enum record_type)type), after;
        char message[256] = "", *line = written(&before);
        CU_ASSERT_EQUAL(record_parse(line, strlen(line), &after, message, sizeof message), 0);
        CU_ASSERT_STRING_EQUAL(message, "");
        CU_ASSERT_EQUAL(memcmp(&before, &after, sizeof before), 0);
        free(line);
    }
}

static void bytes_are_fixed(void)
{
    struct record record = fixture_negotiation("soft-lifetime", 3, 4);
    record.u.negotiation.pfs_group = 14;
    char *line = written(&record);
    CU_ASSERT_STRING_EQUAL(
        line,
        "{\"type\":\"negotiation\",\"tunnel\":\"vpn\",\"initiator\":\"spoke\",\"responder\":\"hub\","
        "\"reason\":\"soft-lifetime\",\"message_id\":\"9c88846c\",\"outcome\":\"established\","
        "\"failure\":null,\"failure_field\":null,\"offered\":null,\"acceptable\":null,\"explanation\":null,"
        "\"proposal\":\"g2-esp-aes128-sha\",\"suite\":\"esp aes-128-cbc "
        "hmac-sha1-96\",\"pfs_group\":14,\"started_ns\":0,\"latency_ns\":7,\"network_ns\":3,\"cpu_ns\":4,"
        "\"cpu_wait_ns\":0,"
        "\"retransmission_wait_ns\":0,\"initiator_ready_ns\":3,\"responder_ready_ns\":7,\"cpu_off_path_ns\":"
        "0,"
        "\"retransmissions\":0,\"blackout_ns\":null,\"packets_lost\":0}\n");
    free(line);
    struct record run = fixture_run("PFS=none", 2);
    line = written(&run);
    CU_ASSERT_STRING_EQUAL(line,
                           "{\"type\":\"run\",\"format\":\"phase2sim-records/1\",\"scenario\":\"fixture\","
                           "\"case\":\"PFS=none\",\"run\":2,\"seed\":1,\"duration_ns\":60000000000}\n");
    free(line);
}

static void null_and_absent_are_alike(void)
{
    static const char with_null[] =
        "{\"type\":\"phase1\",\"initiator\":\"a\",\"responder\":\"b\",\"mode\":\"main\","
        "\"outcome\":\"failed\",\"failure\":null,\"explanation\":null,\"started_ns\":5,"
        "\"latency_ns\":null}";
    static const char without[] =
        "{\"type\":\"phase1\",\"initiator\":\"a\",\"responder\":\"b\",\"mode\":\"main\","
        "\"outcome\":\"failed\",\"started_ns\":5,\"unknown\":[1,{\"a\":null}]}";
    struct record a, b;
    char message[256];
    CU_ASSERT_EQUAL(record_parse(with_null, strlen(with_null), &a, message, sizeof message), 0);
    CU_ASSERT_EQUAL(record_parse(without, strlen(without), &b, message, sizeof message), 0);
    CU_ASSERT_EQUAL(memcmp(&a, &b, sizeof a), 0);
    CU_ASSERT_EQUAL(a.u.phase1.latency_ns, -1);
    CU_ASSERT_STRING_EQUAL(a.u.phase1.failure, "");
}

static void bad_lines_are_explained(void)
{
    static const struct {
        const char *line, *message;
    } rows[] = {
        {"", "not a JSON object"},
        {"[1,2]", "a record without \"type\""},
        {"{\"type\":\"end\",", "not a JSON object"},
        {"{\"type\":\"end\",\"type\":\"end\"}", "duplicate"},
        {"{\"type\":\"fin\"}", "unknown record type \"fin\""},
        {"{\"type\":\"fi\\nn\"}", "unknown record type \"fi n\""},
        {"{\"type\":7}", "a record without \"type\""},
        {"{\"type\":\"a\nb\"}", "not a JSON object"},
        {"{\"type\":\"end\",\"records\":1,\"simulated_ns\":2}",
         "end record: \"events\" is missing, not a count"},
        {"{\"type\":\"end\",\"records\":-1,\"simulated_ns\":2,\"events\":3}",
         "\"records\" is -1, not a count"},
        {"{\"type\":\"end\",\"records\":1.5,\"simulated_ns\":2,\"events\":3}",
         "\"records\" is 1.5, not a count"},
        {"{\"type\":\"end\",\"records\":null,\"simulated_ns\":2,\"events\":3}",
         "\"records\" is null, not a count"},
        {"{\"type\":\"end\",\"records\":1,\"simulated_ns\":\"2\",\"events\":3}",
         "\"simulated_ns\" is \"2\", not an integer"},
        {"{\"type\":\"drop\",\"gateway\":1,\"reason\":\"x\",\"packets\":3}", "\"gateway\" is 1, not text"},
        {"{\"type\":\"drop\",\"gateway\":\"a\",\"reason\":"
         "\"123456789012345678901234567890123456789012345678\","
         "\"packets\":3}",
         "\"reason\" is longer than 47 bytes"},
        {"{\"type\":\"drop\",\"gateway\":\"a\\u0000\",\"reason\":\"x\",\"packets\":3}", "not a JSON object"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct record record;
        char message[256] = "";
        CU_ASSERT_EQUAL(record_parse(rows[i].line, strlen(rows[i].line), &record, message, sizeof message),
                        -1);
        if (!strstr(message, rows[i].message))
            printf("\n      %s\n      gave: %s\n", rows[i].line, message);
        CU_ASSERT_PTR_NOT_NULL(strstr(message, rows[i].message));
        CU_ASSERT_PTR_NULL(strchr(message, '\n'));
    }
}

static void what_json_cannot_hold_is_refused(void)
{
    char *text = NULL;
    size_t len = 0;
    FILE *out = open_memstream(&text, &len);
    struct record record = {.type = RECORD_DROP,
                            .u.drop = {.gateway = "hub", .reason = "replay", .packets = 1}};
    record.u.drop.packets = (uint64_t)INT64_MAX + 1;
    errno = 0;
    CU_ASSERT_EQUAL(record_write(out, &record), -1);
    CU_ASSERT_EQUAL(errno, EOVERFLOW);
    record.u.drop.packets = (uint64_t)INT64_MAX;
    strcpy(record.u.drop.gateway, "hub\xff");
    CU_ASSERT_EQUAL(record_write(out, &record), -1);
    CU_ASSERT_EQUAL(errno, EILSEQ);
    strcpy(record.u.drop.gateway, "hub");
    CU_ASSERT_EQUAL(record_write(out, &record), 0);
    fclose(out);
    CU_ASSERT_STRING_EQUAL(
        text,
        "{\"type\":\"drop\",\"gateway\":\"hub\",\"reason\":\"replay\",\"packets\":9223372036854775807}\n");
    free(text);
}

#define RUN_LINE                                                                                             \
    "{\"type\":\"run\",\"format\":\"phase2sim-records/"                                                      \
    "1\",\"scenario\":\"s\",\"case\":\"base\",\"run\":3,\"seed\":9,"                                         \
    "\"duration_ns\":1}\n"
#define DROP_LINE "{\"type\":\"drop\",\"gateway\":\"hub\",\"reason\":\"replay\",\"packets\":1}\n"
#define END_LINE  "{\"type\":\"end\",\"records\":2,\"simulated_ns\":1,\"events\":1}\n"

static void streams_are_checked(void)
{
    static const struct {
        const char *stream, *message; /* NULL: good */
    } rows[] = {
        {RUN_LINE DROP_LINE END_LINE, NULL},
        {RUN_LINE DROP_LINE "{\"type\":\"end\",\"records\":2,\"simulated_ns\":1,\"events\":1}", NULL},
        {"", "it wrote no records"},
        {"\n", "line 1 of its records: not a JSON object"},
        {DROP_LINE END_LINE, "do not begin with the run record"},
        {RUN_LINE, "stop after line 1 without an end record"},
        {RUN_LINE DROP_LINE, "stop after line 2 without an end record"},
        {RUN_LINE DROP_LINE "{\"type\":\"en", "line 3 of its records"},
        {RUN_LINE END_LINE, "counts 2 records, but 1 arrived"},
        {RUN_LINE DROP_LINE DROP_LINE END_LINE, "counts 2 records, but 3 arrived"},
        {RUN_LINE RUN_LINE END_LINE, "line 2 of its records: a second run record"},
        {RUN_LINE END_LINE END_LINE, "line 2 of its records: a second end record"},
        {RUN_LINE DROP_LINE END_LINE "trailing", "line 4 of its records"},
        {"{\"type\":\"run\",\"format\":\"phase2sim-records/"
         "2\",\"scenario\":\"s\",\"case\":\"base\",\"run\":3,\"seed\":9,"
         "\"duration_ns\":1}\n" DROP_LINE END_LINE,
         "format \"phase2sim-records/2\""},
        {"{\"type\":\"run\",\"format\":\"phase2sim-records/"
         "1\",\"scenario\":\"s\",\"case\":\"base\",\"run\":4,\"seed\":9,"
         "\"duration_ns\":1}\n" DROP_LINE END_LINE,
         "are of case base, run 4, seed 9"},
        {"{\"type\":\"run\",\"format\":\"phase2sim-records\\n2\",\"scenario\":\"s\",\"case\":\"base\","
         "\"run\":3,\"seed\":9,\"duration_ns\":1}\n" DROP_LINE END_LINE,
         "format \"phase2sim-records 2\""},
        {"{\"type\":\"run\",\"format\":\"phase2sim-records/1\",\"scenario\":\"s\",\"case\":\"ba\\u001bse\","
         "\"run\":3,\"seed\":9,\"duration_ns\":1}\n" DROP_LINE END_LINE,
         "are of case ba?se, run 3, seed 9"},
    };
    static const struct stream_expected expected = {"base", 3, 9};
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct stream stream;
        char message[256] = "";
        int failed =
            stream_parse(&stream, rows[i].stream, strlen(rows[i].stream), &expected, message, sizeof message);
        CU_ASSERT_EQUAL(failed, rows[i].message ? -1 : 0);
        CU_ASSERT_EQUAL(stream.num_records, rows[i].message ? 0 : 3);
        if (rows[i].message && !strstr(message, rows[i].message))
            printf("\n      row %zu gave: %s\n", i, message);
        CU_ASSERT_TRUE(!rows[i].message || strstr(message, rows[i].message) != NULL);
        CU_ASSERT_PTR_NULL(strchr(message, '\n'));
        stream_cleanup(&stream);
    }
}

CHECK_MAIN("record", {"every type comes back as it was", every_type_comes_back},
           {"the bytes of a line are fixed", bytes_are_fixed},
           {"null and absent members are alike", null_and_absent_are_alike},
           {"bad lines are refused with what was found", bad_lines_are_explained},
           {"what JSON cannot hold is refused", what_json_cannot_hold_is_refused},
           {"a stream must be whole and of this run", streams_are_checked})
