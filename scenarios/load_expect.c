/* <expect>: what the results must show. Which cases an expectation is about is resolved where the cases are
 * known. */
#include "load.h"

#include "units.h"

#include <string.h>

/* A time in nanoseconds, a percentage as a part of 1, or a plain number. */
static bool read_measured(const char *text, struct scenario_expectation *that)
{
    p2_time time;
    if (units_time(text, &time)) {
        that->value = (double)time;
        that->unit = SCENARIO_UNIT_TIME;
        return true;
    }
    that->unit = strchr(text, '%') ? SCENARIO_UNIT_PART : SCENARIO_UNIT_COUNT;
    return units_probability(text, &that->value) || units_decimal(text, &that->value);
}

/* Either value or text. */
static bool load_wanted(struct problems *problems, const xmlNode *node, struct scenario_expectation *that)
{
    const char *value = load_attribute(node, "value"), *text = load_attribute(node, "text");
    if ((value != NULL) == (text != NULL)) {
        problems_add(problems, load_line(node), "<that> with %s text; allowed: either value or text",
                     value ? "both value and" : "neither value nor");
        return false;
    }
    size_t size = sizeof that->wanted;
    if ((size_t)snprintf(that->wanted, size, "%s", value ? value : text) >= size) {
        load_wrong(problems, node, value ? "value" : "text", "too long", "at most 95 bytes");
        return false;
    }
    if (text) {
        that->unit = SCENARIO_UNIT_TEXT;
        return true;
    }
    if (read_measured(value, that))
        return true;
    load_wrong(problems, node, "value", "", "a number, a percentage up to 100%, or a time");
    return false;
}

static bool parse_quantile(const char *text, void *out)
{
    return units_decimal(text, out);
}

static bool parse_metric(const char *text, void *out)
{
    snprintf(out, sizeof(((struct scenario_expectation *)NULL)->metric), "%s", text);
    return true;
}

static bool parse_comparison(const char *text, void *out)
{
    snprintf(out, sizeof(((struct scenario_expectation *)NULL)->is), "%s", text);
    return true;
}

static bool parse_case(const char *text, void *out)
{
    size_t size = sizeof(((struct scenario_expectation *)NULL)->case_name);
    return (size_t)snprintf(out, size, "%s", text) < size;
}

static const struct field_kind field_quantile = {"a number from 0 to 1", parse_quantile};
static const struct field_kind field_metric = {"the name of a metric", parse_metric};
static const struct field_kind field_comparison = {"below, above, at-most, at-least, equal",
                                                   parse_comparison};
static const struct field_kind field_case = {"the name of a case", parse_case};

static const struct field that_fields[] = {
    {"case", &field_case, offsetof(struct scenario_expectation, case_name)},
    {"metric", &field_metric, offsetof(struct scenario_expectation, metric)},
    {"quantile", &field_quantile, offsetof(struct scenario_expectation, quantile)},
    {"is", &field_comparison, offsetof(struct scenario_expectation, is)},
};

void load_expectation_text(struct scenario_expectation *that, const char *value)
{
    static const struct {
        const char *is, *words;
    } comparisons[] = {{"below", "below"},
                       {"above", "above"},
                       {"at-most", "at most"},
                       {"at-least", "at least"},
                       {"equal", "equal to"}};
    const char *words = that->is;
    for (size_t i = 0; i < sizeof comparisons / sizeof comparisons[0]; i++)
        words = strcmp(that->is, comparisons[i].is) == 0 ? comparisons[i].words : words;
    char which[48] = "";
    if (that->quantile == 0.5)
        snprintf(which, sizeof which, "median ");
    else if (that->quantile >= 0)
        snprintf(which, sizeof which, "%g-quantile of ", that->quantile);
    snprintf(that->text, sizeof that->text, "%s%s%s%s is %s %s", that->case_name,
             *that->case_name ? ": " : "", which, that->metric, words, value);
}

bool load_expectations(struct loader *l, const xmlNode *expect)
{
    bool ok = true;
    for (const xmlNode *node = load_child(expect, "that"); node; node = load_next(node, "that")) {
        if (l->scenario->num_expectations == LOAD_MAX_EXPECTATIONS)
            return !load_too_many(l, node, "metric", "expectations", LOAD_MAX_EXPECTATIONS);
        struct scenario_expectation *that =
            LOAD_APPEND(l->problems, l->scenario->expectations, l->scenario->num_expectations);
        if (!that)
            return false;
        that->quantile = -1;
        that->line = load_line(node);
        ok = load_fields(l->problems, node, that_fields, FIELDS(that_fields), that) && ok;
        ok = load_wanted(l->problems, node, that) && ok;
        load_expectation_text(that, that->wanted);
    }
    return ok;
}
