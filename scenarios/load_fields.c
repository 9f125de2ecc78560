#include "load_fields.h"

#include "dh.h"
#include "hash.h"
#include "units.h"

#include <string.h>

void load_wrong(struct problems *problems, const xmlNode *element, const char *attribute, const char *why,
                const char *allowed)
{
    const char *found = load_attribute(element, attribute);
    int line = load_attribute_line(element, attribute);
    char start[160];
    snprintf(start, sizeof start, "<%.60s> %.60s=\"", (const char *)element->name, attribute);
    /* The schema has said that it is missing, or wrong. */
    if (problems->num_of_schema > 0 && (!found || problems_holds(problems, line, start))) {
        problems_count(problems);
        return;
    }
    problems_add(problems, line, "<%s> %s=\"%s\"%s%s; allowed: %s", (const char *)element->name, attribute,
                 problems_quote(found ? found : "").text, *why ? ": " : "", why, allowed);
}

bool load_fields(struct problems *problems, const xmlNode *element, const struct field *fields,
                 size_t num_fields, void *out)
{
    bool ok = true;
    for (size_t i = 0; i < num_fields; i++) {
        const char *text = load_attribute(element, fields[i].attribute);
        if (!text || fields[i].kind->parse(text, (char *)out + fields[i].offset))
            continue;
        load_wrong(problems, element, fields[i].attribute, "", fields[i].kind->allowed);
        ok = false;
    }
    return ok;
}

static bool parse_name(const char *text, void *out)
{
    size_t len = strlen(text);
    if (len >= SCENARIO_NAME)
        return false;
    memcpy(out, text, len + 1);
    return true;
}

/* So that sums of several stay far from the end of 64 bits. */
#define MAX_TIME (INT64_C(87600) * 3600 * P2_SECOND)

static bool parse_time(const char *text, void *out)
{
    p2_time time;
    if (!units_time(text, &time) || time > MAX_TIME)
        return false;
    *(p2_time *)out = time;
    return true;
}

static bool parse_lifetime(const char *text, void *out)
{
    p2_time time;
    if (!units_time(text, &time) || time <= 0 || time % P2_SECOND != 0 || time / P2_SECOND > UINT32_MAX)
        return false;
    *(uint32_t *)out = (uint32_t)(time / P2_SECOND);
    return true;
}

static bool parse_count(const char *text, void *out)
{
    return units_count(text, out);
}

static bool parse_number(const char *text, void *out)
{
    return units_number(text, out);
}

static bool parse_rate(const char *text, void *out)
{
    return units_rate(text, out);
}

static bool parse_interval(const char *text, void *out)
{
    return units_interval(text, out);
}

static bool parse_probability(const char *text, void *out)
{
    return units_probability(text, out);
}

static bool parse_permille(const char *text, void *out)
{
    return units_permille(text, out);
}

static bool parse_boolean(const char *text, void *out)
{
    *(bool *)out = strcmp(text, "true") == 0;
    return *(bool *)out || strcmp(text, "false") == 0;
}

static bool parse_hash(const char *text, void *out)
{
    enum p2_hash hash = p2_hash_by_name(text);
    *(enum p2_hash *)out = hash;
    return hash != P2_HASH_NONE;
}

static bool parse_group(const char *text, void *out)
{
    enum p2_group group = p2_group_by_name(text);
    *(enum p2_group *)out = group;
    return group != P2_GROUP_NONE;
}

static bool parse_pfs(const char *text, void *out)
{
    return parse_group(text, out) || strcmp(text, "none") == 0;
}

const struct field_kind field_name = {"a name of at most 40 characters", parse_name};
const struct field_kind field_time = {
    "a number and ns, us, ms, s, min or h, up to 87600h, which are ten years", parse_time};
const struct field_kind field_lifetime = {"whole seconds, 1s to 4294967295s", parse_lifetime};
const struct field_kind field_count = {"a whole number", parse_count};
const struct field_kind field_number = {"a whole number", parse_number};
const struct field_kind field_rate = {"a number and bps, kbps, Mbps or Gbps, at least 1bps", parse_rate};
const struct field_kind field_interval = {"a number and /ms, /s or /min, more than 0 and at most 1000000/ms",
                                          parse_interval};
const struct field_kind field_probability = {"0% to 100%", parse_probability};
const struct field_kind field_permille = {"0% to 100%", parse_permille};
const struct field_kind field_boolean = {"true or false", parse_boolean};
const struct field_kind field_hash = {"a hash that is built in", parse_hash};
const struct field_kind field_group = {"a group that is built in", parse_group};
const struct field_kind field_pfs = {"none, or a group that is built in", parse_pfs};
