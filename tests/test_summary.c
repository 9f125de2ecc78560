/* The figures of a result: analysis/summary.c, metrics.c, expectation.c, summary_json.c, csv.c. */
#include "check.h"
#include "csv.h"
#include "record_fixture.h"

#include <jansson.h>
#include <math.h>

static struct scenario_case cases[] = {
    {.name = "PFS=none", .num_settings = 1, .settings = {{"PFS", "none"}}},
    {.name = "PFS=group14", .num_settings = 1, .settings = {{"PFS", "group14"}}},
};
static struct scenario_set set = {.cases = cases, .num_cases = 2};

/* Two runs of two cases. Rekeys of none: 10, 20, 30 and 20, 30, 40 ms; group14 takes 50 ms of CPU more in run
 * 1 and 60 ms in run 2. Initial negotiations and a failure are there to be left out. */
static struct store *two_cases(void)
{
    struct store *store = fixture_store(&set, 2, true);
    for (int in_case = 0; in_case < 2; in_case++) {
        for (int run = 1; run <= 2; run++) {
            int64_t cpu = in_case ? (40 + 10 * run) * FIXTURE_MS : 0;
            struct record records[12] = {fixture_negotiation("initial", 999 * FIXTURE_MS, 0)};
            for (int i = 1; i <= 3; i++) {
                records[i] = fixture_negotiation("soft-lifetime", (i + run - 1) * 10 * FIXTURE_MS, cpu);
                records[i].u.negotiation.started_ns = (4 - i) * FIXTURE_MS;
                records[i].u.negotiation.packets_lost = 2;
                records[i].u.negotiation.blackout_ns = i == 3 ? -1 : i * FIXTURE_MS;
            }
            records[4] = fixture_failure("timeout", "", "hub never answered.");
            records[4].u.negotiation.retransmissions = 5;
            strcpy(records[4].u.negotiation.reason, "forced"); /* a rekey, but not an established one */
            records[5] = (struct record){.type = RECORD_FLOW,
                                         .u.flow = {.name = "spoke>hub",
                                                    .sent = 100,
                                                    .received = 99,
                                                    .delivered = 95,
                                                    .false_positives = 3,
                                                    .lost_on_links = 2,
                                                    .icmp_too_big = 7,
                                                    .size_bytes = 300,
                                                    .protected_packets = 10,
                                                    .protected_bytes = 3560,
                                                    .longest_gap_ns = 1,
                                                    .mean_delay_ns = 1,
                                                    .first_delivery_ns = run * 5 * FIXTURE_MS}};
            records[6] = (struct record){.type = RECORD_DROP, .u.drop = {"hub", "replayed", 3}};
            records[7] =
                (struct record){.type = RECORD_CPU, .u.cpu = {"spoke[1]", 1, 1, 6000 * FIXTURE_MS, 0, 0}};
            records[8] =
                (struct record){.type = RECORD_CPU, .u.cpu = {"spoke[2]", 2, 1, 24000 * FIXTURE_MS, 0, 0}};
            records[9] = (struct record){
                .type = RECORD_PHASE1,
                .u.phase1 = {"spoke", "hub", "main", "established", "", "", "", 0, 200 * FIXTURE_MS}};
            records[10] = records[9];
            strcpy(records[10].u.phase1.initiator, "hub");
            strcpy(records[10].u.phase1.responder, "spoke");
            records[11] = (struct record){.type = RECORD_SADB, .u.sadb = {"hub", 8, 3}};
            fixture_add(store, cases[in_case].name, (uint64_t)run, records, 12);
        }
    }
    return store;
}

static struct summary compute(struct store *store)
{
    struct summary summary;
    struct store_message message = {""};
    CU_ASSERT_EQUAL_FATAL(summary_compute(&summary, store, &set, &message), 0);
    return summary;
}

struct judgement {
    bool holds;
    const char *seen;
};

/* What these expectations of the scenario make of what is in the store. */
static void check_judged(struct store *store, struct scenario_expectation *expectations,
                         const struct judgement *judgements, size_t num)
{
    set.base.expectations = expectations;
    set.base.num_expectations = num;
    struct summary summary = compute(store);
    CU_ASSERT_EQUAL_FATAL(summary.num_expectations, num);
    for (size_t i = 0; i < num; i++) {
        if (strcmp(summary.expectations[i].seen, judgements[i].seen) != 0)
            printf("\n      %s: %s\n", expectations[i].text, summary.expectations[i].seen);
        CU_ASSERT_EQUAL(summary.expectations[i].holds, judgements[i].holds);
        CU_ASSERT_STRING_EQUAL(summary.expectations[i].seen, judgements[i].seen);
    }
    set.base.num_expectations = 0;
    summary_cleanup(&summary);
}

static void metrics_are_what_they_say(void)
{
    static const struct {
        const char *name, *unit;
        size_t n;     /* 0: a total */
        double value; /* mean or total */
    } rows[] = {
        {"rekey-latency", "ns", 6, 25e6},
        {"rekey-latency.network", "ns", 6, 25e6},
        {"rekey-latency.cpu", "ns", 6, 0},
        {"rekey-latency.cpu-wait", "ns", 6, 0},
        {"rekey-latency.retransmission-wait", "ns", 6, 0},
        {"rekey-latency.initiator", "ns", 6, 25e6},
        {"rekey-latency.responder", "ns", 6, 25e6},
        {"cpu-off-path", "ns", 6, 0},
        {"phase2-setup", "ns", 2, 999e6},
        {"phase1-setup", "ns", 4, 200e6},
        {"blackout", "ns", 4, 1.5e6},
        {"packets-lost", "packets", 0, 12},
        {"retransmissions", "packets", 0, 10},
        {"established", "negotiations", 0, 8},
        {"phase1-established", "negotiations", 0, 4},
        {"isakmp-rekeys", "negotiations", 0, 2}, /* both runs: hub began the second one */
        {"sas-left-over", "SAs", 0, 6},
        {"time-to-first-packet", "ns", 2, 7.5e6},
        {"packets-sent", "packets", 0, 200},
        {"packets-received", "packets", 0, 198},
        {"packets-delivered", "packets", 0, 190},
        {"false-positives", "packets", 0, 6},
        {"lost-on-links", "packets", 0, 4},
        {"lost-without-sa", "packets", 0, 0},
        {"lost-too-big", "packets", 0, 0},
        {"lost-to-cpu", "packets", 0, 0},
        {"lost-otherwise", "packets", 0, 0},
        {"unaccounted", "packets", 0, 0},
        {"packets-in-clear", "packets", 0, 170}, /* 95 delivered, 10 protected, in both runs */
        {"icmp-too-big", "packets", 0, 14},
        {"packet-delay", "ns", 2, 1},
        {"overhead", "B", 2, 56},
        {"drops.replayed", "packets", 0, 6},
        {"replayed-injected", "packets", 0, 0},
        {"replayed-rejected", "packets", 0, 0},
        {"replayed-accepted", "packets", 0, 0},
        {"forged-injected", "packets", 0, 0},
        {"forged-rejected", "packets", 0, 0},
        {"forged-accepted", "packets", 0, 0},
        {"flood-injected", "packets", 0, 0},
        {"flood-rejected", "packets", 0, 0},
        {"flood-accepted", "packets", 0, 0},
        {"ike-injected", "packets", 0, 0},
        {"injected-live", "packets", 0, 0},
        {"injected-answered", "packets", 0, 0},
        {"injected-unfinished", "packets", 0, 0},
        {"injected-came-first", "packets", 0, 0},
        {"injected-lost", "packets", 0, 0},
        {"compromised-packets", "packets", 0, 0},
        {"compromised-packets-read", "packets", 0, 0},
        {"compromised-negotiations", "negotiations", 0, 0},
        {"compromised-negotiations-read", "negotiations", 0, 0},
        {"cpu-utilisation.spoke", "ratio", 4, 0.15}, /* 6/60 and 24/(2*60), in both runs */
    };
    struct store *store = two_cases();
    struct summary summary = compute(store);
    CU_ASSERT_EQUAL(summary.cases[0].num_metrics, sizeof rows / sizeof rows[0]);
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        const struct summary_metric *metric = summary_find(&summary.cases[0], rows[i].name);
        CU_ASSERT_PTR_NOT_NULL_FATAL(metric);
        CU_ASSERT_STRING_EQUAL(metric->unit, rows[i].unit);
        CU_ASSERT_EQUAL(metric->is_total, rows[i].n == 0);
        CU_ASSERT_EQUAL(metric->figures.n, rows[i].n);
        CU_ASSERT_DOUBLE_EQUAL(metric->is_total ? (double)metric->total : metric->figures.mean, rows[i].value,
                               1e-6);
    }
    CU_ASSERT_EQUAL(summary.cases[0].finished_runs, 2);
    CU_ASSERT_EQUAL(summary.cases[0].established, 8);
    CU_ASSERT_EQUAL(summary.cases[0].failed, 2);
    summary_cleanup(&summary);
    store_close(store);
    fixture_remove("fixture.sqlite");
}

static void differences_are_to_the_first_case(void)
{
    struct store *store = two_cases();
    struct summary summary = compute(store);
    const struct summary_difference *median =
        summary_find_difference(&summary, 1, "rekey-latency", STATISTICS_MEDIAN);
    const struct summary_difference *network =
        summary_find_difference(&summary, 1, "rekey-latency.network", STATISTICS_MEAN);
    CU_ASSERT_PTR_NOT_NULL_FATAL(median);
    CU_ASSERT_PTR_NOT_NULL_FATAL(network);
    CU_ASSERT_DOUBLE_EQUAL(median->by.mean, 55e6, 1e-3); /* 50 and 60 ms */
    CU_ASSERT_DOUBLE_EQUAL(median->by.ci95.low, 55e6 - 12.706204736 * 5e6, 10);
    CU_ASSERT_DOUBLE_EQUAL(network->by.mean, 0, 1e-3);
    CU_ASSERT_PTR_NULL(summary_find_difference(&summary, 0, "rekey-latency", STATISTICS_MEDIAN));
    summary_cleanup(&summary);
    store_close(store);
    fixture_remove("fixture.sqlite");
}

static void expectations_are_judged(void)
{
    static struct scenario_expectation expectations[] = {
        {"a", "", "rekey-latency", 0.5, "below", 100e6, "", SCENARIO_UNIT_TIME, 7},
        {"b", "", "rekey-latency", 0.5, "below", 50e6, "", SCENARIO_UNIT_TIME, 7},
        {"c", "PFS=none", "rekey-latency", 0.5, "below", 50e6, "", SCENARIO_UNIT_TIME, 7},
        {"d", "PFS=none", "rekey-latency", 0.5, "below", 25e6, "", SCENARIO_UNIT_TIME, 7},
        {"e", "PFS=none", "rekey-latency", 0.5, "at-most", 25e6, "", SCENARIO_UNIT_TIME, 7},
        {"f", "PFS=none", "rekey-latency", 0.5, "above", 25e6, "", SCENARIO_UNIT_TIME, 7},
        {"g", "PFS=none", "rekey-latency", -1, "at-least", 25e6, "", SCENARIO_UNIT_TIME, 7},
        {"h", "", "packets-lost", -1, "equal", 12, "", SCENARIO_UNIT_COUNT, 7},
        {"i", "", "drops.replayed", -1, "equal", 6, "", SCENARIO_UNIT_COUNT, 7},
        {"j", "", "drops.cpu-queue-full", -1, "equal", 0, "", SCENARIO_UNIT_COUNT, 7},
        {"k", "", "failures.timeout", -1, "at-most", 1, "", SCENARIO_UNIT_COUNT, 7},
        {"l", "", "failures", -1, "equal", 2, "", SCENARIO_UNIT_COUNT, 7},
        {"m", "", "failures.NO-PROPOSAL-CHOSEN", -1, "equal", 0, "", SCENARIO_UNIT_COUNT, 7},
        {"n", "PFS=group5", "packets-lost", -1, "equal", 0, "", SCENARIO_UNIT_COUNT, 7},
        {"o", "", "no-such-thing", -1, "equal", 0, "", SCENARIO_UNIT_COUNT, 7},
        {"p", "", "cpu-utilisation.spoke", -1, "below", 0.2, "", SCENARIO_UNIT_PART, 7},
    };
    static const struct judgement seen[] = {
        {true, "25.0 ms (PFS=none) to 80.0 ms (PFS=group14)"},
        {false, "80.0 ms in case PFS=group14"},
        {true, "25.0 ms"},
        {false, "25.0 ms in case PFS=none"},
        {true, "25.0 ms"},
        {false, "25.0 ms in case PFS=none"},
        {true, "25.0 ms"},
        {true, "12 packets in every case"},
        {true, "6 packets in every case"},
        {true, "0 packets in every case"},
        {false, "2 failures in case PFS=none"},
        {true, "2 failures in every case"},
        {true, "0 failures in every case"},
        {false, "no case \"PFS=group5\""},
        {false, "no metric \"no-such-thing\" in case PFS=none"},
        {true, "15.00 % in every case"},
    };
    enum { NUM = sizeof expectations / sizeof expectations[0] };
    struct store *store = two_cases();
    check_judged(store, expectations, seen, NUM);
    store_close(store);
    fixture_remove("fixture.sqlite");
}

/* All that were seen must be the one that is wanted. */
static void texts_are_judged(void)
{
    static struct scenario_expectation expectations[] = {
        {"a", "PFS=none", "chosen-proposal", -1, "equal", 0, "g2-esp-aes128-sha", SCENARIO_UNIT_TEXT, 1},
        {"b", "PFS=none", "chosen-proposal", -1, "equal", 0, "g2-esp-3des-sha", SCENARIO_UNIT_TEXT, 1},
        {"c", "", "chosen-proposal", -1, "equal", 0, "g2-esp-aes128-sha", SCENARIO_UNIT_TEXT, 1},
        {"d", "PFS=none", "failure-field", -1, "equal", 0, "pfs-group", SCENARIO_UNIT_TEXT, 1},
        {"e", "PFS=group14", "failure-field", -1, "equal", 0, "pfs-group", SCENARIO_UNIT_TEXT, 1},
        {"f", "PFS=group9", "failure-field", -1, "equal", 0, "pfs-group", SCENARIO_UNIT_TEXT, 1},
    };
    static const struct judgement seen[] = {
        {true, "2 × g2-esp-aes128-sha in case PFS=none"},
        {false, "2 × g2-esp-aes128-sha in case PFS=none"},
        {false, "1 × g2-esp-aes128-sha, 1 × esp null hmac-sha1-96 in case PFS=group14"},
        {true, "2 × pfs-group in case PFS=none"},
        {false, "nothing to take it from in case PFS=group14"},
        {false, "no case \"PFS=group9\""},
    };
    struct store *store = fixture_store(&set, 1, true);
    struct record records[4] = {
        fixture_negotiation("initial", 1, 1),
        fixture_negotiation("forced", 1, 1),
        fixture_failure("NO-PROPOSAL-CHOSEN", "pfs-group", "no."),
        {.type = RECORD_PHASE1,
         .u.phase1 = {"spoke", "hub", "main", "failed", "NO-PROPOSAL-CHOSEN", "pfs-group", "no.", 0, -1}}};
    fixture_add(store, "PFS=none", 1, records, 4);
    strcpy(records[1].u.negotiation.suite, "esp null hmac-sha1-96");
    records[1].u.negotiation.proposal[0] = '\0'; /* a proposal without a name is known by its algorithms */
    fixture_add(store, "PFS=group14", 1, records, 2);
    check_judged(store, expectations, seen, sizeof expectations / sizeof expectations[0]);
    store_close(store);
    fixture_remove("fixture.sqlite");
}

static void a_case_without_rekeys_does_not_hold(void)
{
    static struct scenario_expectation expectations[] = {
        {"a", "PFS=none", "rekey-latency", 0.5, "below", 100e6, "", SCENARIO_UNIT_TIME, 7},
        {"b", "PFS=group14", "packets-lost", -1, "equal", 0, "", SCENARIO_UNIT_COUNT, 7},
    };
    struct store *store = fixture_store(&set, 1, false);
    fixture_add(store, "PFS=none", 1, NULL, 0);
    set.base.expectations = expectations;
    set.base.num_expectations = 2;
    struct summary summary = compute(store);
    CU_ASSERT_FALSE(summary.expectations[0].holds);
    CU_ASSERT_STRING_EQUAL(summary.expectations[0].seen, "nothing to take it from in case PFS=none: n = 0");
    CU_ASSERT_FALSE(summary.expectations[1].holds);
    CU_ASSERT_STRING_EQUAL(summary.expectations[1].seen, "no finished run of case PFS=group14");
    set.base.num_expectations = 0;
    summary_cleanup(&summary);
    store_close(store);
    fixture_remove("fixture.sqlite");
}

static void unknown_metrics_are_told_before_a_run(void)
{
    static const struct {
        const char *metric;
        double quantile;
        const char *is;
        enum scenario_unit unit;
        const char *wanted;
        const char *found, *allowed; /* NULL: good */
    } rows[] = {
        {"rekey-latency", 0.95, "below", SCENARIO_UNIT_TIME, "1s", NULL, NULL},
        {"drops.replayed", -1, "below", SCENARIO_UNIT_COUNT, "1", NULL, NULL},
        {"drops.link-loss", -1, "below", SCENARIO_UNIT_COUNT, "1", NULL, NULL},
        {"drops.link-los", -1, "below", SCENARIO_UNIT_COUNT, "1", "did you mean \"link-loss\"?",
         "link-queue"},
        {"failures", -1, "equal", SCENARIO_UNIT_COUNT, "0", NULL, NULL},
        {"failures.timeout", -1, "equal", SCENARIO_UNIT_COUNT, "0", NULL, NULL},
        {"cpu-utilisation.hub", -1, "below", SCENARIO_UNIT_PART, "50%", NULL, NULL},
        {"established", -1, "equal", SCENARIO_UNIT_COUNT, "3", NULL, NULL},
        {"phase1-established", -1, "equal", SCENARIO_UNIT_COUNT, "3", NULL, NULL},
        {"isakmp-rekeys", -1, "equal", SCENARIO_UNIT_COUNT, "3", NULL, NULL},
        {"sas-left-over", -1, "equal", SCENARIO_UNIT_COUNT, "0", NULL, NULL},
        {"packets-delivered", -1, "above", SCENARIO_UNIT_COUNT, "0", NULL, NULL},
        {"time-to-first-packet", 0.5, "below", SCENARIO_UNIT_TIME, "1s", NULL, NULL},
        {"chosen-proposal", -1, "equal", SCENARIO_UNIT_TEXT, "g2-esp-3des-sha", NULL, NULL},
        {"failure-field", -1, "equal", SCENARIO_UNIT_TEXT, "pfs-group", NULL, NULL},
        {"rekey-latncy", 0.5, "below", SCENARIO_UNIT_TIME, "1s",
         "no metric \"rekey-latncy\"; did you mean \"rekey-latency\"?", "failures.NAME"},
        {"drops", -1, "below", SCENARIO_UNIT_COUNT, "1", "no metric \"drops\"", "drops.REASON"},
        {"rekey-latency.hub", -1, "below", SCENARIO_UNIT_TIME, "1s", "no metric \"rekey-latency.hub\"",
         "blackout"},
        {"packets-lost", 0.5, "below", SCENARIO_UNIT_COUNT, "1",
         "metric \"packets-lost\" is a total and has no quantiles", "no quantile"},
        {"chosen-proposal", 0.5, "equal", SCENARIO_UNIT_TEXT, "x", "is a text and has no quantiles",
         "no quantile"},
        {"chosen-proposal", -1, "below", SCENARIO_UNIT_TEXT, "x", "is a text, is=\"below\"",
         "allowed: equal"},
        {"drops.replay", -1, "equal", SCENARIO_UNIT_COUNT, "0", "metric \"drops.replay\": no such reason",
         "replayed"},
        {"failures.TIMEOUT", -1, "equal", SCENARIO_UNIT_COUNT, "0",
         "metric \"failures.TIMEOUT\": no such reason", "timeout"},
        {"injected-as.too-old", -1, "equal", SCENARIO_UNIT_COUNT, "0", NULL, NULL},
        {"injected-as.tooold", -1, "equal", SCENARIO_UNIT_COUNT, "0",
         "no such reason; did you mean \"too-old\"?", "replayed, too-old"},
        {"injected-as.NONSENSE", -1, "equal", SCENARIO_UNIT_COUNT, "0", "no such reason", "unknown-spi"},
        {"injected-as", -1, "equal", SCENARIO_UNIT_COUNT, "0", "no metric \"injected-as\"",
         "compromised-negotiations-read"},
        {"cpu-utilisation.hubb", -1, "below", SCENARIO_UNIT_PART, "50%",
         "no such gateway; did you mean \"hub\"?", "allowed: hub"},
        {"rekey-latency", -1, "below", SCENARIO_UNIT_COUNT, "100",
         "compared with \"100\", which is a plain number", "a time, such as"},
        {"packets-lost", -1, "below", SCENARIO_UNIT_TIME, "5ms", "compared with \"5ms\", which is a time",
         "a plain number"},
        {"cpu-utilisation.hub", -1, "below", SCENARIO_UNIT_COUNT, "0.5", "which is a plain number",
         "a percentage, such as"},
        {"chosen-proposal", -1, "equal", SCENARIO_UNIT_COUNT, "3", "which is a plain number",
         "text=\"g2-esp"},
        {"established", -1, "equal", SCENARIO_UNIT_TEXT, "many", "which is a text", "a plain number"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct scenario_expectation expectation = {
            .quantile = rows[i].quantile, .unit = rows[i].unit, .line = 35};
        struct scenario scenario = {.expectations = &expectation, .num_expectations = 1};
        struct scenario_gateway gateway = {.name = "hub"};
        scenario.gateways = &gateway;
        scenario.num_gateways = 1;
        char text[2048] = "";
        strcpy(expectation.metric, rows[i].metric);
        strcpy(expectation.is, rows[i].is);
        strcpy(expectation.wanted, rows[i].wanted);
        CU_ASSERT_EQUAL(summary_wrong_expectation(&scenario, &expectation, text, sizeof text),
                        rows[i].found != NULL);
        bool said = !rows[i].found ||
                    (strstr(text, rows[i].found) && strstr(text, rows[i].allowed) && strstr(text, "llowed"));
        if (!said)
            printf("\n      %s\n", text);
        CU_ASSERT_TRUE(said);
    }
}

static char *json_of(struct summary *summary)
{
    char *text = NULL;
    size_t len = 0;
    FILE *out = open_memstream(&text, &len);
    CU_ASSERT_EQUAL(summary_write(summary, out), 0);
    fclose(out);
    return text;
}

static void json_has_the_documented_shape(void)
{
    struct store *store = two_cases();
    struct store_message message;
    CU_ASSERT_EQUAL(store_add_failed_run(store, "PFS=none", 3, "was killed", &message), 0);
    struct summary summary = compute(store);
    char *text = json_of(&summary), *again = json_of(&summary);
    CU_ASSERT_STRING_EQUAL(text, again);
    json_t *root = json_loads(text, 0, NULL);
    CU_ASSERT_PTR_NOT_NULL_FATAL(root);
    const char *format, *scenario, *name, *pfs, *unit, *against;
    json_int_t seed, runs, n, mean, median, p95, p99, low, high, total, timeouts, difference;
    int complete;
    CU_ASSERT_EQUAL(json_unpack(root, "{s:s, s:s, s:I, s:I, s:b}", "format", &format, "scenario", &scenario,
                                "seed", &seed, "runs", &runs, "complete", &complete),
                    0);
    CU_ASSERT_STRING_EQUAL(format, "phase2sim-summary/1");
    CU_ASSERT_TRUE(seed == 1 && runs == 2 && complete);
    CU_ASSERT_EQUAL(json_array_size(json_object_get(root, "cases")), 2);
    const json_t *first = json_array_get(json_object_get(root, "cases"), 0);
    CU_ASSERT_EQUAL(json_unpack((json_t *)(uintptr_t)first, "{s:s, s:{s:s}, s:{s:I}}", "name", &name,
                                "settings", "PFS", &pfs, "failures", "timeout", &timeouts),
                    0);
    CU_ASSERT_TRUE(strcmp(name, "PFS=none") == 0 && strcmp(pfs, "none") == 0 && timeouts == 2);
    json_t *metrics = json_object_get(first, "metrics");
    CU_ASSERT_EQUAL(json_unpack(metrics, "{s:{s:s, s:I, s:I, s:I, s:I, s:I, s:[I, I]}, s:{s:I}}",
                                "rekey-latency", "unit", &unit, "n", &n, "mean", &mean, "median", &median,
                                "p95", &p95, "p99", &p99, "median_ci95", &low, &high, "packets-lost", "total",
                                &total),
                    0);
    /* 10, 20, 20, 30, 30, 40 ms; the replications' medians are 20 and 30. */
    CU_ASSERT_TRUE(n == 6 && mean == 25000000 && median == 25000000 && p95 == 37500000 && p99 == 39500000);
    CU_ASSERT_TRUE(low == 0 && llabs(high - (25000000 + 63531024)) <= 1);
    CU_ASSERT_EQUAL(total, 12);
    CU_ASSERT_EQUAL(json_unpack(json_array_get(json_object_get(root, "differences"), 0), "{s:s, s:I}",
                                "against", &against, "mean", &difference),
                    0);
    CU_ASSERT_TRUE(strcmp(against, "PFS=none") == 0 && difference == 55000000);
    CU_ASSERT_EQUAL(json_array_size(json_object_get(root, "failed_runs")), 1);
    json_decref(root);
    free(text);
    free(again);
    summary_cleanup(&summary);
    store_close(store);
    fixture_remove("fixture.sqlite");
}

static void csv_is_fixed(void)
{
    static const char expected[] =
        "case,run,tunnel,initiator,responder,reason,message_id,outcome,pfs_group,started_ns,latency_ns,"
        "network_ns,"
        "cpu_ns,cpu_wait_ns,retransmission_wait_ns,retransmissions,blackout_ns,packets_lost\n"
        "PFS=none,2,\"z \"\"quoted\"\", name\",spoke,hub,forced,9c88846c,established,14,5,3,1,2,0,0,0,,0\n"
        "PFS=none,2,vpn,spoke,hub,initial,9c88846c,established,,9,7,3,4,0,0,1,12,2\n"
        "PFS=group14,1,vpn,spoke,hub,initial,9c88846c,failed,,0,,,,,,0,,0\n";
    struct store *store = fixture_store(&set, 2, true);
    struct store_message message;
    struct record late = fixture_negotiation("initial", 3, 4), early = fixture_negotiation("forced", 1, 2);
    late.u.negotiation.started_ns = 9;
    late.u.negotiation.blackout_ns = 12;
    late.u.negotiation.packets_lost = 2;
    late.u.negotiation.retransmissions = 1;
    early.u.negotiation.started_ns = 5;
    early.u.negotiation.pfs_group = 14;
    strcpy(early.u.negotiation.tunnel, "z \"quoted\", name");
    struct record failed = fixture_failure("timeout", "", "");
    /* Written in another order than they are to be read. */
    fixture_add(store, "PFS=group14", 1, &failed, 1);
    fixture_add(store, "PFS=none", 2, (struct record[]){late, early}, 2);
    char *text = NULL;
    size_t len = 0;
    FILE *out = open_memstream(&text, &len);
    CU_ASSERT_EQUAL(csv_write(out, store, &message), 0);
    fclose(out);
    CU_ASSERT_STRING_EQUAL(text, expected);
    free(text);
    store_close(store);
    fixture_remove("fixture.sqlite");
}

CHECK_MAIN("summary", {"metrics are what they say", metrics_are_what_they_say},
           {"differences are to the first case, run by run", differences_are_to_the_first_case},
           {"expectations are judged and say what was seen", expectations_are_judged},
           {"texts must all be the one that is wanted", texts_are_judged},
           {"an expectation without figures does not hold", a_case_without_rekeys_does_not_hold},
           {"unknown metrics are told before a run", unknown_metrics_are_told_before_a_run},
           {"summary.json has the documented shape", json_has_the_documented_shape},
           {"rekeys.csv has fixed bytes", csv_is_fixed})
