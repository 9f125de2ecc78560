#include "axes.h"

#include "load_fields.h"

#include <stdlib.h>
#include <string.h>

static const char white[] = " \t\r\n";

/* Names of cases are names of folders. A comma joins settings, so none may stand inside one. */
static void safe_name(char *out, size_t size, const char *text)
{
    static const char safe[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789.=%+_-";
    snprintf(out, size, "%s", text);
    for (char *p = out; *p; p++) {
        if (!strchr(safe, *p))
            *p = '_';
    }
}

static bool add_value(struct axis *axis, struct problems *problems, const char *text, size_t len)
{
    char(*values)[SCENARIO_NAME] = realloc(axis->values, (axis->num_values + 1) * sizeof *values);
    if (!values) {
        problems_no_memory(problems);
        return false;
    }
    axis->values = values;
    snprintf(values[axis->num_values++], SCENARIO_NAME, "%.*s", (int)len, text);
    return true;
}

static bool is_duplicate(const struct axis *axis)
{
    char last[SCENARIO_NAME], other[SCENARIO_NAME];
    safe_name(last, sizeof last, axis->values[axis->num_values - 1]);
    for (size_t i = 0; i + 1 < axis->num_values; i++) {
        safe_name(other, sizeof other, axis->values[i]);
        if (strcmp(last, other) == 0)
            return true;
    }
    return false;
}

static bool split_values(struct axis *axis, struct problems *problems)
{
    const char *text = load_required(axis->element, "values");
    for (text += strspn(text, white); *text; text += strspn(text, white)) {
        size_t len = strcspn(text, white);
        const char *why = NULL;
        if (axis->num_values >= AXES_MAX_CASES)
            why = "too many values";
        else if (len >= SCENARIO_NAME)
            why = "a value is too long";
        else if (!add_value(axis, problems, text, len))
            return false;
        else if (is_duplicate(axis))
            why = "two values would make cases of the same name";
        if (why) {
            load_wrong(problems, axis->element, "values", why,
                       "different values of at most 63 bytes, separated by white space");
            return false;
        }
        text += len;
    }
    if (axis->num_values == 0)
        load_wrong(problems, axis->element, "values", "none", "one or more, separated by white space");
    return axis->num_values > 0;
}

bool axes_load(struct axes *axes, struct problems *problems, const xmlNode *root)
{
    *axes = (struct axes){.num_cases = 1};
    const xmlNode *node = load_child(load_child(root, "vary"), "axis");
    for (; node && axes->num < AXES_MAX; node = load_next(node, "axis")) {
        struct axis *axis = &axes->items[axes->num++];
        *axis = (struct axis){
            .element = node, .name = load_required(node, "name"), .set = load_required(node, "set")};
        for (size_t i = 0; i + 1 < axes->num; i++) {
            if (strcmp(axes->items[i].name, axis->name) == 0) {
                load_wrong(problems, node, "name", "a second axis of that name",
                           "a name of its own for each axis");
                return false;
            }
        }
        if (!split_values(axis, problems))
            return false;
        axes->num_cases *= axis->num_values;
        if (axes->num_cases > AXES_MAX_CASES) {
            load_wrong(problems, node, "values", "too many cases",
                       "10000 cases: the product of the numbers of values");
            return false;
        }
    }
    return true;
}

void axes_cleanup(struct axes *axes)
{
    for (size_t i = 0; i < axes->num; i++)
        free(axes->items[i].values);
    *axes = (struct axes){0};
}

bool axes_case(const struct axes *axes, struct problems *problems, size_t i, struct scenario_case *out)
{
    *out = (struct scenario_case){.name = "base", .num_settings = axes->num};
    size_t block = axes->num_cases, len = 0;
    for (size_t a = 0; a < axes->num; a++) {
        const struct axis *axis = &axes->items[a];
        block /= axis->num_values;
        const char *value = axis->values[i / block % axis->num_values];
        snprintf(out->settings[a].axis, SCENARIO_NAME, "%s", axis->name);
        snprintf(out->settings[a].value, SCENARIO_NAME, "%s", value);
        char part[2 * SCENARIO_NAME + 1], safe[2 * SCENARIO_NAME + 1];
        snprintf(part, sizeof part, "%s=%s", out->settings[a].axis, value);
        safe_name(safe, sizeof safe, part);
        len += (size_t)snprintf(out->name + len, sizeof out->name - len, "%s%s", a > 0 ? "," : "", safe);
        if (len >= sizeof out->name) {
            load_wrong(problems, axis->element, "name", "the name of a case would be too long",
                       "axes and values whose names together have at most 159 bytes");
            return false;
        }
    }
    return true;
}

static bool has_part(const struct scenario_case *c, const char *part)
{
    char with_name[2 * SCENARIO_NAME];
    for (size_t i = 0; i < c->num_settings; i++) {
        snprintf(with_name, sizeof with_name, "%s=%s", c->settings[i].axis, c->settings[i].value);
        if (strcmp(part, c->settings[i].value) == 0 || strcmp(part, with_name) == 0)
            return true;
    }
    return false;
}

bool axes_share_value(const struct axes *axes, const char *text)
{
    size_t num = 0;
    for (size_t a = 0; a < axes->num; a++) {
        for (size_t i = 0; i < axes->items[a].num_values; i++)
            num += strcmp(axes->items[a].values[i], text) == 0;
    }
    return num > 1; /* the values of one axis differ */
}

bool axes_case_is(const struct scenario_case *c, const char *text)
{
    if (strcmp(c->name, text) == 0)
        return true;
    char part[2 * SCENARIO_NAME];
    for (;;) {
        size_t len = strcspn(text, ",");
        snprintf(part, sizeof part, "%.*s", len < sizeof part ? (int)len : 0, text);
        if (!has_part(c, part))
            return false;
        if (!text[len])
            return true;
        text += len + 1;
    }
}
