/* The report for people: analysis/text_*.c, figure_text.c, nearest.c, progress.c. */
#include "check.h"
#include "figure_text.h"
#include "nearest.h"
#include "progress.h"
#include "record_fixture.h"
#include "text_layout.h"
#include "text_report.h"

static struct scenario_case cases[] = {
    {.name = "PFS=none", .num_settings = 1, .settings = {{"PFS", "none"}}},
    {.name = "PFS=group14", .num_settings = 1, .settings = {{"PFS", "group14"}}},
    {.name = "PFS=group19", .num_settings = 1, .settings = {{"PFS", "group19"}}},
};
static struct scenario_set set = {.cases = cases, .num_cases = 3};

/* What one case shows in each of its two runs: three rekeys of 40, 41 and 42 ms network (1 ms more in run 2).
 */
struct plan {
    int64_t cpu_ms;    /* -1: every negotiation failed; -2: nothing was negotiated; -3: no run */
    int64_t spread_ms; /* more CPU in run 1, less in run 2 */
};

static void add_case(struct store *store, const char *name, struct plan plan)
{
    for (int run = 1; run <= 2 && plan.cpu_ms != -3; run++) {
        struct record records[3];
        size_t num = plan.cpu_ms == -2 ? 0 : 3;
        for (int i = 0; i < 3; i++) {
            int64_t cpu = plan.cpu_ms + (run == 1 ? plan.spread_ms : -plan.spread_ms);
            records[i] = plan.cpu_ms == -1
                             ? fixture_failure("NO-PROPOSAL-CHOSEN", "pfs-group",
                                               "spoke offers none, hub takes group14.")
                             : fixture_negotiation("forced", (39 + i + run) * FIXTURE_MS, cpu * FIXTURE_MS);
        }
        fixture_add(store, name, (uint64_t)run, records, num);
    }
}

static void compute(struct summary *summary, struct store *store)
{
    struct store_message message = {""};
    if (summary_compute(summary, store, &set, &message)) {
        fprintf(stderr, "%s\n", message.text);
        abort();
    }
}

static char *answer(const struct plan *plans, size_t num_cases)
{
    char *text = NULL;
    size_t len = 0;
    struct summary summary;
    set.num_cases = num_cases;
    struct store *store = fixture_store(&set, 2, true);
    for (size_t i = 0; i < num_cases; i++)
        add_case(store, cases[i].name, plans[i]);
    compute(&summary, store);
    FILE *out = open_memstream(&text, &len);
    text_report_answer(out, &summary);
    fclose(out);
    summary_cleanup(&summary);
    store_close(store);
    fixture_remove("fixture.sqlite");
    set.num_cases = 3;
    return text;
}

static void the_question_is_answered(void)
{
    static const struct {
        size_t num_cases;
        struct plan plans[3];
        const char *sentence;
    } rows[] = {
        {3,
         {{0, 0}, {61, 0}, {4, 0}},
         "Against PFS=none, group14 adds 61.0 ms to the median rekey (95 % interval 61.0 to 61.0 ms), on "
         "average nearly all of it "
         "CPU; group19 adds least, 4.00 ms."},
        {3,
         {{70, 0}, {10, 0}, {60, 0}},
         "Against PFS=none, group14 takes 60.0 ms off the median rekey (95 % interval 60.0 to 60.0 ms), "
         "on average nearly all of it "
         "CPU."},
        {3,
         {{10, 0}, {100, 0}, {5, 0}},
         "Against PFS=none, group14 adds 90.0 ms to the median rekey (95 % interval 90.0 to 90.0 ms), on "
         "average nearly all of it "
         "CPU; group19 takes 5.00 ms off."},
        {3,
         {{10, 0}, {100, 0}, {10, 0}},
         "Against PFS=none, group14 adds 90.0 ms to the median rekey (95 % interval 90.0 to 90.0 ms), on "
         "average nearly all of it "
         "CPU; group19 differs by no more than chance (0 ms)."},
        {3,
         {{10, 0}, {12, 1}, {11, 1}},
         "No case's median rekey differs from that of PFS=none by more than chance: the largest difference "
         "is "
         "group14's, +2.00 ms (95 % interval -10.7 to 14.7 ms)."},
        {2, {{10, 0}, {10, 0}}, "The median rekey is the same as with PFS=none in every case."},
        {3,
         {{0, 0}, {61, 0}, {-1, 0}},
         "In 2 of 3 cases a tunnel came up. Against PFS=none, group14 adds 61.0 ms to the median rekey (95 % "
         "interval 61.0 to 61.0 ms), on "
         "average nearly all of it "
         "CPU; with PFS=group19 there was none at all."},
        {1,
         {{0, 0}},
         "A rekey takes 41.5 ms in the median (95 % interval 35.1 to 47.9 ms), on average nearly all of it "
         "network; 95 "
         "% of them "
         "take at most 42.8 ms."},
        {1,
         {{10, 0}},
         "A rekey takes 51.5 ms in the median (95 % interval 45.1 to 57.9 ms), on average most of it "
         "network; 95 % of "
         "them take "
         "at most 52.8 ms."},
        {2,
         {{-1, 0}, {60, 0}},
         "In 1 of 2 cases a tunnel came up. group14: a rekey takes 101.5 ms in the median (95 % interval "
         "95.1 to 107.9 ms), on average the "
         "largest part "
         "of it "
         "CPU; 95 % of them take at most 102.8 ms; with PFS=none there was none at all."},
        {2,
         {{-1, 0}, {-1, 0}},
         "No tunnel came up, for all 12 negotiations failed; the first one: spoke offers none, "
         "hub takes group14."},
        {1,
         {{-2, 0}},
         "Nothing was negotiated: no tunnel is to come up immediately, and no packet wanted one."},
        {1, {{-3, 0}}, "No negotiation came to its end, so there is nothing to measure."},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        char *sentence = answer(rows[i].plans, rows[i].num_cases);
        if (strcmp(sentence, rows[i].sentence) != 0)
            printf("\n      %s\n      not %s\n", sentence, rows[i].sentence);
        CU_ASSERT_STRING_EQUAL(sentence, rows[i].sentence);
        free(sentence);
    }
}

static char *report(const struct plan *plans, bool colour)
{
    char *text = NULL;
    size_t len = 0;
    struct summary summary;
    struct store_message message;
    struct store *store = fixture_store(&set, 2, plans[2].cpu_ms != -3);
    for (size_t i = 0; i < set.num_cases; i++)
        add_case(store, cases[i].name, plans[i]);
    CU_ASSERT_EQUAL(store_add_failed_run(store, cases[2].name, 2, "was killed by signal 11", &message), 0);
    compute(&summary, store);
    FILE *out = open_memstream(&text, &len);
    text_report_write(out, &set, &summary, colour);
    fclose(out);
    summary_cleanup(&summary);
    store_close(store);
    fixture_remove("fixture.sqlite");
    return text;
}

/* All of them stand there, in this order. */
static void check_order(const char *text, const char *const *parts, size_t num)
{
    const char *from = text;
    for (size_t i = 0; i < num; i++) {
        const char *found = strstr(from, parts[i]);
        if (!found)
            printf("\n      missing or out of order: %s      in\n%s\n", parts[i], text);
        CU_ASSERT_PTR_NOT_NULL(found);
        from = found ? found : from;
    }
}

/* Every line fits, and none ends in blanks. */
static void check_lines(const char *text)
{
    for (const char *line = text; *line;) {
        size_t len = strcspn(line, "\n");
        char copy[1024];
        snprintf(copy, sizeof copy, "%.*s", (int)len, line);
        if (text_width(copy) > TEXT_REPORT_WIDTH)
            printf("\n      too wide: %s\n", copy);
        CU_ASSERT_TRUE(text_width(copy) <= TEXT_REPORT_WIDTH);
        CU_ASSERT_FALSE(len > 0 && line[len - 1] == ' ');
        line += len + (line[len] == '\n');
    }
}

static void a_report_has_its_parts(void)
{
    static struct scenario_expectation expectations[] = {
        {"the median rekey takes less than 50 ms", "", "rekey-latency", 0.5, "below", 50e6, "50ms",
         SCENARIO_UNIT_TIME, 30},
        {"no packet is lost", "", "packets-lost", -1, "equal", 0, "0", SCENARIO_UNIT_COUNT, 31}};
    static struct profile profile = {
        .name = "branch", .source = "AMD EPYC 9554, 2026-01-01, median of 401", .scale = 20};
    static struct scenario_gateway gateway = {.cpu = {.profile = 0}};
    static const struct plan plans[] = {{1, 0}, {61, 0}, {-1, 0}};
    set.base = (struct scenario){.name = "fixture",
                                 .question = (char *)(uintptr_t) "What does\n perfect forward secrecy cost?",
                                 .profiles = &profile,
                                 .num_profiles = 1,
                                 .gateways = &gateway,
                                 .num_gateways = 1,
                                 .expectations = expectations,
                                 .num_expectations = 2};
    static const char *const parts[] = {
        "fixture\nWhat does perfect forward secrecy cost?\n",
        "3 cases, 2 replications of each, seed 1.\n",
        "CPU \"branch\": the figures of AMD EPYC 9554, 2026-01-01, median of 401, multiplied by 20: a model "
        "of a "
        "slower\n  device, not a measurement of one.\n",
        "Against PFS=none, group14 adds 60.0 ms",
        "PFS      n  median   95 % int.    p95    p99   mean = network +  CPU + wait + resend  gap p95  "
        "lost\n",
        "none     6    42.5   36.1–48.9   43.8   44.0   42.5 =    41.5 +  1.0 +  0.0 +    0.0        -     "
        "0\n",
        "group14  6   102.5  96.1–108.9  103.8  104.0  102.5 =    41.5 + 61.0 +  0.0 +    0.0        -     "
        "0\n",
        "group19  0       -           -      -      -      - =       - +    - +    - +      -        -     "
        "0\n",
        "  6 × in PFS=group19, the first one: spoke offers none, hub takes group14.\n",
        "  FAILS  the median rekey takes less than 50 ms (seen: 102.5 ms in case PFS=group14)\n",
        "  holds  no packet is lost (seen: 0 packets in every case)\n",
        "  case PFS=group19, run 2: was killed by signal 11\n",
    };
    char *text = report(plans, false);
    check_order(text, parts, sizeof parts / sizeof parts[0]);
    CU_ASSERT_PTR_NULL(strchr(text, '\033'));
    check_lines(text);
    char *coloured = report(plans, true);
    CU_ASSERT_PTR_NOT_NULL(strstr(coloured, "\033[32mholds\033[0m"));
    CU_ASSERT_PTR_NOT_NULL(strstr(coloured, "\033[1;31mFAILS\033[0m"));
    free(text);
    free(coloured);
    set.base = (struct scenario){0};
}

/* A Phase 1 that has not come to its end though it began with the run, and a flow that nobody protects. */
static void add_trouble(struct store *store)
{
    struct record wait = {.type = RECORD_PHASE1,
                          .u.phase1 = {.initiator = "bad-a",
                                       .responder = "hub",
                                       .mode = "main",
                                       .outcome = "unfinished",
                                       .explanation = "hub waited for message 5.",
                                       .latency_ns = -1}};
    struct record flow = {
        .type = RECORD_FLOW,
        .u.flow = {.name = "spoke>hub", .sent = 9, .received = 7, .delivered = 7, .unaccounted = 2}};
    struct record refused[2], up = fixture_negotiation("initial", FIXTURE_MS, 0);
    for (int i = 0; i < 2; i++) {
        refused[i] = fixture_failure("NO-PROPOSAL-CHOSEN", "pfs-group", "they differ.");
        snprintf(refused[i].u.negotiation.tunnel, 8, "vpn-%d", i);
        snprintf(refused[i].u.negotiation.initiator, 8, "bad-%d", i);
    }
    fixture_add(store, cases[0].name, 1, (struct record[]){up, refused[0], refused[1], wait, flow}, 5);
}

/* What did not come up is said ahead of how long the others took, and whose it is below. */
static void trouble_comes_first(void)
{
    static const char *const parts[] = {
        ("\n1 tunnel came up, 3 did not: vpn-0, vpn-1, bad-a with hub. 7 of 9 packets went in clear, "
         "since no tunnel took\nthem. A Phase 2 setup takes 1.00 ms"),
        "median  95 % int.   p95   p99  mean\n",
        "delivered  clear  open  overhead",
        "\nFailed negotiations\n  2 ×, of bad-0, bad-1, the first one: they differ.\n",
        "\nNegotiations that were not over\n  1 ×: hub waited for message 5.\n",
    };
    char *text = NULL;
    size_t len = 0;
    struct summary summary;
    set.num_cases = 1;
    struct store *store = fixture_store(&set, 1, true);
    add_trouble(store);
    compute(&summary, store);
    FILE *out = open_memstream(&text, &len);
    text_report_write(out, &set, &summary, false);
    fclose(out);
    check_order(text, parts, sizeof parts / sizeof parts[0]);
    check_lines(text);
    summary_cleanup(&summary);
    store_close(store);
    fixture_remove("fixture.sqlite");
    set.num_cases = 3;
    free(text);
}

static void incomplete_results_say_so(void)
{
    char *text = report((struct plan[]){{1, 0}, {61, 0}, {-3, 0}}, false);
    CU_ASSERT_PTR_NOT_NULL(strstr(text, "Not complete: 4 of 6 runs were finished"));
    check_lines(text);
    free(text);
}

static void wide_tables_are_split(void)
{
    struct scenario_case kept = cases[1];
    cases[1].num_settings = 3;
    for (size_t i = 0; i < 3; i++)
        snprintf(cases[1].settings[i].value, sizeof cases[1].settings[i].value, "a-long-value-of-axis-%zu",
                 i);
    char *text = report((struct plan[]){{1, 0}, {61, 0}, {1000000, 0}}, false);
    check_lines(text);
    CU_ASSERT_PTR_NOT_NULL(
        strstr(text, "[2] a-long-value-of-axis-0 / a-long-value-of-axis-1 / a-long-value-of-axis-2\n"));
    CU_ASSERT_PTR_NOT_NULL(strstr(text, "\n[2] "));
    cases[1] = kept;
    free(text);
}

static void figures_are_for_people(void)
{
    static const struct {
        double ns;
        const char *text, *difference;
    } rows[] = {
        {0, "0 ms", "0 ms"},
        {0.4, "0 ms", "0 ms"},
        {1, "0.00 µs", "+0.00 µs"},
        {1234, "1.23 µs", "+1.23 µs"},
        {61.34e6, "61.3 ms", "+61.3 ms"},
        {-4.2e6, "-4.20 ms", "-4.20 ms"},
        {999.4e3, "999.4 µs", "+999.4 µs"},
        {999.96e3, "1.00 ms", "+1.00 ms"},
        {123.4e6, "123.4 ms", "+123.4 ms"},
        {99.96e6, "100.0 ms", "+100.0 ms"},
        {2.5e9, "2.50 s", "+2.50 s"},
        {7200e9, "7200 s", "+7200 s"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        char text[FIGURE_TEXT], difference[FIGURE_TEXT];
        figure_text_ns(text, rows[i].ns);
        figure_text_difference(difference, rows[i].ns);
        CU_ASSERT_STRING_EQUAL(text, rows[i].text);
        CU_ASSERT_STRING_EQUAL(difference, rows[i].difference);
    }
    char range[FIGURE_RANGE_TEXT];
    figure_text_range(range, 60.1e6, 62e6);
    CU_ASSERT_STRING_EQUAL(range, "60.1 to 62.0 ms");
    figure_text_range(range, 60.813e6, 60.824e6);
    CU_ASSERT_STRING_EQUAL(range, "60.81 to 60.82 ms");
    figure_text_range(range, 900e3, 1.2e6);
    CU_ASSERT_STRING_EQUAL(range, "900.0 µs to 1.20 ms");
}

static void words_near_are_found(void)
{
    static const char *const verbs[] = {"run", "check", "list", "report", "calibrate"};
    static const struct {
        const char *word, *nearest;
    } rows[] = {
        {"runn", "run"},      {"rum", "run"}, {"chekc", "check"}, {"lst", "list"}, {"calibarte", "calibrate"},
        {"frobnicate", NULL}, {"", NULL},     {"x", NULL},        {"RUN", "run"},  {"Cehck", "check"}};
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        const char *nearest = nearest_of(rows[i].word, verbs, 5);
        CU_ASSERT_TRUE(nearest == rows[i].nearest ||
                       (nearest && rows[i].nearest && !strcmp(nearest, rows[i].nearest)));
    }
}

static void progress_estimates(void)
{
    static const struct {
        size_t done;
        double elapsed_s;
        const char *text;
    } rows[] = {{0, 10, "0 of 40 runs"},
                {10, 10, "10 of 40 runs, about 30 s left"},
                {10, 60, "10 of 40 runs, about 3 min left"},
                {10, 7200, "10 of 40 runs, about 6.0 h left"},
                {39, 10, "39 of 40 runs, less than a second left"},
                {40, 10, "40 of 40 runs"}};
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        char text[80];
        progress_format(text, sizeof text, rows[i].done, 40, rows[i].elapsed_s);
        CU_ASSERT_STRING_EQUAL(text, rows[i].text);
    }
}

CHECK_MAIN("report", {"the question is answered in one sentence", the_question_is_answered},
           {"a report has its parts", a_report_has_its_parts}, {"trouble comes first", trouble_comes_first},
           {"incomplete results say so", incomplete_results_say_so},
           {"wide tables are split", wide_tables_are_split},
           {"figures are for people", figures_are_for_people},
           {"what was meant is found", words_near_are_found},
           {"progress comes with an estimate", progress_estimates})
