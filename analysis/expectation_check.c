/* Expectations looked at before a run: are they about metrics that there are, in their units? */
#include "nearest.h"
#include "reason.h"
#include "summary.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#define MAX_METRICS 64

__attribute__((format(printf, 3, 4))) static int
wrong(struct store_message *message, const struct scenario_expectation *expected, const char *format, ...)
{
    int len = snprintf(message->text, sizeof message->text, "%d: <that> ", expected->line);
    va_list args;
    va_start(args, format);
    vsnprintf(message->text + len, sizeof message->text - (size_t)len, format, args);
    va_end(args);
    return -1;
}

static int say_unknown(struct store_message *message, const struct scenario_expectation *expected)
{
    const char *names[MAX_METRICS], *suffix;
    size_t num = 0;
    while (num < MAX_METRICS && summary_metric_name(num, &suffix)) {
        names[num] = summary_metric_name(num, &suffix);
        num++;
    }
    const char *nearest = nearest_of(expected->metric, names, num);
    wrong(message, expected, "no metric \"%.60s\"%s%s%s allowed:", expected->metric,
          nearest ? "; did you mean \"" : "", nearest ? nearest : "", nearest ? "\"?" : ";");
    for (size_t i = 0; i < num; i++) {
        size_t len = strlen(message->text), size = sizeof message->text;
        const char *name = summary_metric_name(i, &suffix);
        snprintf(message->text + len, size - len, " %s%s%s", name, suffix, i + 1 < num ? "," : "");
    }
    size_t len = strlen(message->text);
    snprintf(message->text + len, sizeof message->text - len, " or failures.NAME");
    return -1;
}

/* Where no gateway drops: on the wire. */
static const char *const other_drops[] = {"link-loss",     "link-queue",    "nat-no-ports", "nat-unsolicited",
                                          "nat-fragments", "nat-exhausted", "bypassed"};

enum {
    NUM_OTHER_DROPS = sizeof other_drops / sizeof other_drops[0],
    MAX_REASONS = (int)P2_NUM_DROPS + (int)P2_NUM_FAILURES + NUM_OTHER_DROPS
};

/* What may stand behind the dot of "drops." and "failures."; returns how many, 0 for other metrics. */
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
    }
    return num;
}

/* A name that can never be would always be 0. */
static int check_reason(struct store_message *message, const struct scenario_expectation *expected)
{
    const char *names[MAX_REASONS];
    size_t num = list_reasons(names, expected->metric);
    if (num == 0)
        return 0;
    const char *reason = strchr(expected->metric, '.') + 1;
    for (size_t i = 0; i < num; i++)
        if (strcmp(reason, names[i]) == 0)
            return 0;
    const char *nearest = nearest_of(reason, names, num);
    wrong(message, expected, "metric \"%.60s\": no such reason%s%s%s; allowed:", expected->metric,
          nearest ? "; did you mean \"" : "", nearest ? nearest : "", nearest ? "\"?" : "");
    for (size_t i = 0; i < num; i++) {
        size_t len = strlen(message->text), size = sizeof message->text;
        snprintf(message->text + len, size - len, " %s%s", names[i], i + 1 < num ? "," : "");
    }
    return -1;
}

/* A metric's unit and what its value must be written as. */
static int check_unit(struct store_message *message, const struct scenario_expectation *expected,
                      const struct summary_metric_info *info)
{
    static const char *const found[] = {[SCENARIO_UNIT_COUNT] = "a plain number",
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
        return 0;
    return wrong(message, expected, "metric \"%s\" compared with \"%s\", which is %s; allowed: %s",
                 expected->metric, expected->wanted, found[expected->unit], allowed[unit]);
}

static int check(struct store_message *message, const struct scenario_expectation *expected)
{
    struct summary_metric_info info;
    if (!summary_metric_info(&info, expected->metric))
        return say_unknown(message, expected);
    if (check_reason(message, expected))
        return -1;
    if (expected->quantile >= 0 && (info.is_total || info.is_text))
        return wrong(message, expected, "metric \"%s\" is a %s and has no quantiles; allowed: no quantile",
                     expected->metric, info.is_text ? "text" : "total");
    if (info.is_text && strcmp(expected->is, "equal") != 0)
        return wrong(message, expected, "metric \"%s\" is a text, is=\"%s\"; allowed: equal",
                     expected->metric, expected->is);
    return check_unit(message, expected, &info);
}

int summary_check_expectations(const struct scenario *scenario, struct store_message *message)
{
    for (size_t i = 0; i < scenario->num_expectations; i++) {
        if (check(message, &scenario->expectations[i]))
            return -1;
    }
    return 0;
}
