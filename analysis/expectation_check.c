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

enum { NUM_OTHER_DROPS = sizeof other_drops / sizeof other_drops[0] };

/* What stands behind the dot of "drops." and "failures.": a name that can never be would always be 0. */
static bool is_reason(const char *metric)
{
    const char *name = strchr(metric, '.');
    if (name && strncmp(metric, "drops.", 6) == 0) {
        for (int i = 1; i < P2_NUM_DROPS; i++)
            if (strcmp(name + 1, p2_drop_name((enum p2_drop)i)) == 0)
                return true;
        for (size_t i = 0; i < NUM_OTHER_DROPS; i++)
            if (strcmp(name + 1, other_drops[i]) == 0)
                return true;
        return false;
    }
    if (name && strncmp(metric, "failures.", 9) == 0) {
        for (int i = 1; i < P2_NUM_FAILURES; i++)
            if (strcmp(name + 1, p2_failure_name((enum p2_failure)i)) == 0)
                return true;
        return false;
    }
    return true;
}

static int say_reasons(struct store_message *message, const struct scenario_expectation *expected)
{
    bool drops = strncmp(expected->metric, "drops.", 6) == 0;
    const char *names[P2_NUM_DROPS + (int)P2_NUM_FAILURES + (int)NUM_OTHER_DROPS];
    size_t num = 0;
    for (int i = 1; i < (drops ? (int)P2_NUM_DROPS : (int)P2_NUM_FAILURES); i++)
        names[num++] = drops ? p2_drop_name((enum p2_drop)i) : p2_failure_name((enum p2_failure)i);
    for (size_t i = 0; drops && i < NUM_OTHER_DROPS; i++)
        names[num++] = other_drops[i];
    const char *nearest = nearest_of(strchr(expected->metric, '.') + 1, names, num);
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
    if (!is_reason(expected->metric))
        return say_reasons(message, expected);
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
