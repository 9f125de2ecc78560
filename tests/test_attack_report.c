/* What is said of attackers: metrics from the store, and the report's table and sentences. */
#include "check.h"
#include "record_fixture.h"
#include "text_report.h"

static struct scenario_case cases[] = {
    {.name = "window=64", .num_settings = 1, .settings = {{"window", "64"}}},
    {.name = "window=off", .num_settings = 1, .settings = {{"window", "off"}}},
};
static struct scenario_set set = {.cases = cases, .num_cases = 2};

/* Two links in one run: what each injected ends as something. */
static void add_run(struct store *store, const char *of_case, uint64_t run, uint64_t accepted)
{
    struct record records[6] = {
        {.type = RECORD_ATTACK,
         .u.attack = {.kind = "replay",
                      .method = "reverse",
                      .link = "a-hub",
                      .at_ns = 5,
                      .recorded = 100,
                      .injected = 60,
                      .ike = 4,
                      .arrived = 59,
                      .replayed = 30 - accepted,
                      .too_old = 20,
                      .unknown_spi = 4,
                      .other = 5,
                      .other_reasons = "duplicate 3, hash-mismatch 2",
                      .accepted = accepted,
                      .came_first = accepted / 10,
                      .live = 55}},
        {.type = RECORD_ATTACK,
         .u.attack = {.kind = "replay",
                      .method = "reverse",
                      .link = "b-hub",
                      .at_ns = 5,
                      .injected = 7,
                      .arrived = 7,
                      .too_old = 1,
                      .other = 1,
                      .other_reasons = "hash-mismatch 1",
                      .answered = 2,
                      .unfinished = 3,
                      .live = 7}},
        {.type = RECORD_ATTACK,
         .u.attack = {.kind = "forge",
                      .method = "random",
                      .link = "a-hub",
                      .at_ns = 6,
                      .injected = 7,
                      .arrived = 7,
                      .icv_mismatch = 7,
                      .live = 7}},
        {.type = RECORD_COMPROMISE, .u.compromise = {"a-hub", 9, "skeyid-d skeyid-e", 1, 3, 2, 500, 400}},
        {.type = RECORD_READING,
         .u.reading = {"a-hub", 9, "skeyid-d skeyid-e", "0x00001000", "read", 400, 400}},
        {.type = RECORD_FLOW,
         .u.flow = {.name = "spoke>hub", .sent = 9, .received = 7, .false_positives = run}},
    };
    fixture_add(store, of_case, run, records, 6);
}

static struct store *attacked(void)
{
    struct store *store = fixture_store(&set, 2, true);
    for (uint64_t run = 1; run <= 2; run++) {
        add_run(store, cases[0].name, run, 0);
        add_run(store, cases[1].name, run, 30);
    }
    return store;
}

static void compute(struct summary *summary, struct store *store)
{
    struct store_message message = {""};
    if (summary_compute(summary, store, &set, &message)) {
        fprintf(stderr, "%s\n", message.text);
        abort();
    }
}

static void metrics_are_sums(void)
{
    static const struct {
        const char *metric;
        uint64_t with_window, without;
    } rows[] = {
        {"replayed-injected", 134, 134},
        {"replayed-rejected", 122, 62}, /* waiting and being answered are none */
        {"replayed-accepted", 0, 60},
        {"forged-injected", 14, 14},
        {"forged-rejected", 14, 14},
        {"forged-accepted", 0, 0},
        {"flood-injected", 0, 0},
        {"ike-injected", 8, 8},
        {"injected-live", 138, 138},
        {"injected-answered", 4, 4},
        {"injected-unfinished", 6, 6},
        {"injected-came-first", 0, 6},
        {"injected-lost", 2, 2},
        {"injected-as.replayed", 60, 0},
        {"injected-as.too-old", 42, 42},
        {"injected-as.icv-mismatch", 14, 14},
        {"injected-as.unknown-spi", 8, 8},
        {"injected-as.other", 12, 12},
        {"false-positives", 3, 3},
        {"compromised-packets", 1000, 1000},
        {"compromised-packets-read", 800, 800},
        {"compromised-negotiations", 6, 6},
        {"compromised-negotiations-read", 4, 4},
    };
    struct summary summary;
    struct store *store = attacked();
    compute(&summary, store);
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        const uint64_t wanted[] = {rows[i].with_window, rows[i].without};
        struct summary_metric_info info;
        CU_ASSERT_TRUE(summary_metric_info(&info, rows[i].metric) && info.is_total);
        for (size_t k = 0; k < 2; k++) {
            const struct summary_metric *metric = summary_find(&summary.cases[k], rows[i].metric);
            CU_ASSERT_PTR_NOT_NULL_FATAL(metric);
            if (metric->total != wanted[k])
                printf("\n    %s: %llu\n", rows[i].metric, (unsigned long long)metric->total);
            CU_ASSERT_EQUAL(metric->total, wanted[k]);
        }
    }
    summary_cleanup(&summary);
    store_close(store);
    fixture_remove("fixture.sqlite");
}

static char *report(const struct store *store)
{
    char *text = NULL;
    size_t len = 0;
    struct summary summary;
    FILE *out = open_memstream(&text, &len);
    compute(&summary, (struct store *)(uintptr_t)store);
    text_report_attacks(out, &summary, false);
    fclose(out);
    summary_cleanup(&summary);
    return text;
}

static void a_report_tells_attacks(void)
{
    static const char *const parts[] = {
        "\nAttacks\n",
        "case  attack          injected  live  replayed  too old  bad ICV  no SA  other  accepted  lost\n",
        "64    replay reverse       134   124        60       42        0      8     22         0     2\n",
        "off   replay reverse       134   124         0       42        0      8     22        60     2\n",
        "64    forge random          14    14         0        0       14      0      0         0     0\n",
        "  64: replay reverse: of 134 packets injected, 124 reached an SA that was there; 122 were rejected, "
        "4 "
        "answered\n    from store, 6 still waiting for the CPU at the end and 0 accepted. Rejected for other "
        "reasons: duplicate\n    6, hash-mismatch 6.\n",
        "60 accepted, 6 of them before their originals came,\n    or in place of lost ones. ",
        "\nEach injected packet has one end. ",
        "  64: knowing skeyid-d skeyid-e, the attacker read 4 of 6 recorded Quick Modes, and 800 of 1000 "
        "recorded "
        "ESP\n    packets (2 of 2 SAs).\n",
        "  off: 3 packets of flows never came, for they were taken for replayed or too old.\n",
    };
    struct store *store = attacked();
    char *text = report(store);
    for (size_t i = 0; i < sizeof parts / sizeof parts[0]; i++) {
        if (!strstr(text, parts[i]))
            printf("\n    missing: %s    in: %s\n", parts[i], text);
        CU_ASSERT_PTR_NOT_NULL(strstr(text, parts[i]));
    }
    free(text);
    store_close(store);
    fixture_remove("fixture.sqlite");
}

static void peace_is_not_told(void)
{
    struct store *store = fixture_store(&set, 2, true);
    struct record record = {.type = RECORD_FLOW, .u.flow = {.name = "spoke>hub", .false_positives = 1}};
    struct summary summary;
    fixture_add(store, cases[0].name, 1, &record, 1);
    char *text = report(store);
    CU_ASSERT_STRING_EQUAL(text, "");
    free(text);
    compute(&summary, store); /* no attack: nothing was rejected as anything, but totals are there to be 0 */
    CU_ASSERT_PTR_NULL(summary_find(&summary.cases[0], "injected-as.replayed"));
    CU_ASSERT_EQUAL(summary_find(&summary.cases[0], "replayed-injected")->total, 0);
    summary_cleanup(&summary);
    store_close(store);
    fixture_remove("fixture.sqlite");
}

/* As the store has it after runs of which each accepted so many. */
static void check_answer(uint64_t with_window, uint64_t without, const char *expected)
{
    char *text = NULL;
    size_t len = 0;
    struct summary summary;
    struct store *store = fixture_store(&set, 2, true);
    add_run(store, cases[0].name, 1, with_window);
    add_run(store, cases[1].name, 1, without);
    compute(&summary, store);
    FILE *out = open_memstream(&text, &len);
    CU_ASSERT_TRUE(text_report_attacks_answer(out, &summary));
    fclose(out);
    CU_ASSERT_STRING_EQUAL(text, expected);
    free(text);
    summary_cleanup(&summary);
    store_close(store);
    fixture_remove("fixture.sqlite");
}

#define READ                                                                                                 \
    " With 64, of 500 ESP packets that attackers recorded, 400 could be read; no case has more, and all "    \
    "have some."

static void the_answer_is_who_got_in(void)
{
    check_answer(0, 0,
                 "Of 148 packets that attackers injected in all cases together, none was accepted." READ);
    check_answer(0, 30,
                 "With off, of 74 packets that attackers injected, 30 were accepted, 3 of them before their "
                 "originals came, "
                 "or in place of lost ones; in 1 of 2 cases, none." READ);
    check_answer(
        1, 0, "With 64, of 74 packets that attackers injected, 1 was accepted; in 1 of 2 cases, none." READ);
    check_answer(
        2, 2,
        "With 64, of 74 packets that attackers injected, 2 were accepted; no case has more, and all have "
        "some." READ);
}

CHECK_MAIN("attack report", {"the answer is who got in", the_answer_is_who_got_in},
           {"metrics are sums", metrics_are_sums}, {"a report tells attacks", a_report_tells_attacks},
           {"peace is not told", peace_is_not_told})
