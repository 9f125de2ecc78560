/* Expectations looked at before a run: are they about metrics that there are, in their units? */
#include "nearest.h"
#include "reason.h"
#include "summary.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Where the message about one expectation is written. */
struct found {
    char *text;
    size_t size;
};

__attribute__((format(printf, 2, 3))) static bool wrong(const struct found *found, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    vsnprintf(found->text, found->size, format, args);
    va_end(args);
    return true;
}

__attribute__((format(printf, 2, 3))) static void append(const struct found *found, const char *format, ...)
{
    size_t len = strlen(found->text);
    va_list args;
    va_start(args, format);
    vsnprintf(found->text + len, found->size - len, format, args);
    va_end(args);
}

static size_t count_metrics(void)
{
    const char *suffix;
    size_t num = 0;
    while (summary_metric_name(num, &suffix))
        num++;
    return num;
}

static bool say_unknown(const struct found *found, const struct scenario_expectation *expected)
{
    const char *suffix;
    size_t num = count_metrics();
    const char **names = calloc(num, sizeof *names);
    for (size_t i = 0; names && i < num; i++)
        names[i] = summary_metric_name(i, &suffix);
    const char *nearest = names ? nearest_of(expected->metric, names, num) : NULL;
    free(names);
    wrong(found, "no metric \"%.60s\"%s%s%s allowed:", expected->metric, nearest ? "; did you mean \"" : "",
          nearest ? nearest : "", nearest ? "\"?" : ";");
    for (size_t i = 0; i < num; i++) {
        const char *name = summary_metric_name(i, &suffix);
        append(found, " %s%s%s", name, suffix, i + 1 < num ? "," : "");
    }
    append(found, " or failures.NAME");
    return true;
}

/* Where no gateway drops: on the wire. */
static const char *const other_drops[] = {"link-loss",     "link-queue",    "nat-no-ports", "nat-unsolicited",
                                          "nat-fragments", "nat-exhausted", "bypassed"};

/* The parts of the query of "injected-as" in metrics.c. */
static const char *const injected_as[] = {"replayed", "too-old", "icv-mismatch", "unknown-spi", "other"};

enum {
    NUM_INJECTED_AS = sizeof injected_as / sizeof injected_as[0],
    NUM_OTHER_DROPS = sizeof other_drops / sizeof other_drops[0],
    MAX_REASONS = (int)P2_NUM_DROPS + (int)P2_NUM_FAILURES + NUM_OTHER_DROPS + NUM_INJECTED_AS
};

/* What may stand behind the dot of "drops.", "failures." and "injected-as."; returns how many, 0 for other
 * metrics. */
static size_t list_reasons(const char *names[MAX_REASONS], const char *metric)
{
    size_t num = 0;
    if (strncmp(metric, "drops.", 6) == 0) {
        for (int i = 1; i < P2_NUM_DROPS; i++)
            names[num++] = p2_drop_name((enum p2_drop)i);
        for (size_t i = 0; i < NUM_OTHER_DROPS; i++)
            names[num++] = other_drops[i];
    } else if (strncmp(metric, "failures.", 9) == 0) {
        for (int i = 1; i < P2_NUM_FAILURES; i++)
            names[num++] = p2_failure_name((enum p2_failure)i);
    } else if (strncmp(metric, "injected-as.", 12) == 0) {
        for (size_t i = 0; i < NUM_INJECTED_AS; i++)
            names[num++] = injected_as[i];
    }
    return num;
}

static bool say_unknown_part(const struct found *found, const struct scenario_expectation *expected,
                             const char *part, const char *const *names, size_t num)
{
    const char *name = strchr(expected->metric, '.') + 1;
    const char *nearest = nearest_of(name, names, num);
    wrong(found, "metric \"%.60s\": no such %s%s%s%s; allowed:", expected->metric, part,
          nearest ? "; did you mean \"" : "", nearest ? nearest : "", nearest ? "\"?" : "");
    for (size_t i = 0; i < num; i++)
        append(found, " %s%s", names[i], i + 1 < num ? "," : "");
    return true;
}

static bool is_among(const char *name, const char *const *names, size_t num)
{
    size_t i = 0;
    while (i < num && strcmp(name, names[i]) != 0)
        i++;
    return i < num;
}

/* A name that can never be would always be 0. */
static bool wrong_reason(const struct found *found, const struct scenario_expectation *expected)
{
    const char *names[MAX_REASONS];
    size_t num = list_reasons(names, expected->metric);
    return num > 0 && !is_among(strchr(expected->metric, '.') + 1, names, num) &&
           say_unknown_part(found, expected, "reason", names, num);
}

/* Counted gateways have one figure together. */
static bool wrong_gateway(const struct found *found, const struct scenario *scenario,
                          const struct scenario_expectation *expected)
{
    static const char start[] = "cpu-utilisation.";
    const char *name = expected->metric + sizeof start - 1, *names[16];
    size_t num = 0;
    if (strncmp(expected->metric, start, sizeof start - 1) != 0)
        return false;
    for (size_t i = 0; i < scenario->num_gateways; i++) {
        const char *gateway = scenario->gateways[i].name;
        size_t len = strcspn(gateway, "[");
        if (strlen(name) == len && memcmp(gateway, name, len) == 0)
            return scenario->gateways[i].cpu.profile < 0 &&
                   wrong(found,
                         "metric \"%.60s\": that gateway's computations take no time; allowed: a gateway "
                         "with <cpu profile=\"...\"/>",
                         expected->metric);
        if (num < sizeof names / sizeof names[0] && !strchr(gateway, '['))
            names[num++] = gateway;
    }
    say_unknown_part(found, expected, "gateway", names, num);
    if (num == 0)
        append(found, " the name of a gateway, of counted ones without a number");
    return true;
}

/* A metric's unit and what its value must be written as. */
static bool wrong_unit(const struct found *found, const struct scenario_expectation *expected,
                       const struct summary_metric_info *info)
{
    static const char *const written[] = {[SCENARIO_UNIT_COUNT] = "a plain number",
                                          [SCENARIO_UNIT_TIME] = "a time",
                                          [SCENARIO_UNIT_PART] = "a percentage",
                                          [SCENARIO_UNIT_TEXT] = "a text"};
    bool time = strcmp(info->unit, "ns") == 0, part = strcmp(info->unit, "ratio") == 0;
    enum scenario_unit unit = info->is_text ? SCENARIO_UNIT_TEXT
                              : time        ? SCENARIO_UNIT_TIME
                              : part        ? SCENARIO_UNIT_PART
                                            : SCENARIO_UNIT_COUNT;
    static const char *const allowed[] = {[SCENARIO_UNIT_COUNT] = "a plain number, such as value=\"0\"",
                                          [SCENARIO_UNIT_TIME] = "a time, such as value=\"100ms\"",
                                          [SCENARIO_UNIT_PART] = "a percentage, such as value=\"50%\"",
                                          [SCENARIO_UNIT_TEXT] =
                                              "a text, such as text=\"g2-esp-aes128-sha\""};
    if (expected->unit == unit)
        return false;
    return wrong(found, "metric \"%s\" compared with \"%s\", which is %s; allowed: %s", expected->metric,
                 expected->wanted, written[expected->unit], allowed[unit]);
}

bool summary_wrong_expectation(const struct scenario *scenario, const struct scenario_expectation *expected,
                               char *text, size_t size)
{
    struct found found = {text, size};
    struct summary_metric_info info;
    if (!summary_metric_info(&info, expected->metric))
        return say_unknown(&found, expected);
    if (wrong_reason(&found, expected) || wrong_gateway(&found, scenario, expected))
        return true;
    if (expected->quantile >= 0 && (info.is_total || info.is_text))
        return wrong(&found, "metric \"%s\" is a %s and has no quantiles; allowed: no quantile",
                     expected->metric, info.is_text ? "text" : "total");
    if (info.is_text && strcmp(expected->is, "equal") != 0)
        return wrong(&found, "metric \"%s\" is a text, is=\"%s\"; allowed: equal", expected->metric,
                     expected->is);
    return wrong_unit(&found, expected, &info);
}
