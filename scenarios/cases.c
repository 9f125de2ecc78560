/* From a scenario file to its cases. Everything works on copies of one DOM, so that messages about a case
 * still bear the lines of the file. */
#include "axes.h"
#include "load.h"
#include "load_text.h"
#include "load_usage.h"
#include "xpath.h"

#include <libxml/xpathInternals.h>

#include <stdlib.h>
#include <string.h>

static bool dump(struct problems *problems, xmlDoc *doc, char **xml, size_t *len)
{
    xmlChar *text = NULL;
    int size = 0;
    xmlDocDumpMemoryEnc(doc, &text, &size, "UTF-8");
    *xml = text && (size_t)size <= LOAD_MAX_FILE ? malloc((size_t)size + 1) : NULL;
    if (text && (size_t)size > LOAD_MAX_FILE) {
        problems_add(
            problems, 1,
            "longer than 16 MB with what has a default and with its CPU profiles, as workers get it; "
            "allowed: at most %u bytes",
            LOAD_MAX_FILE);
    } else if (*xml) {
        memcpy(*xml, text, (size_t)size + 1);
        *len = (size_t)size;
    } else {
        problems_no_memory(problems);
    }
    xmlFree(text);
    return *xml != NULL;
}

/* What can stand in XML (XML 1.0 section 2.2, for ASCII). */
static bool is_text(const char *value)
{
    const char *c = value;
    while (*c && ((unsigned char)*c >= ' ' || strchr("\t\r\n", *c)))
        c++;
    return !*c && xmlCheckUTF8((const xmlChar *)value);
}

/* Axes set it last, so that another value would be lost without a word. */
static bool is_varied(struct problems *problems, xmlDoc *doc, const struct scenario_override *override,
                      const xmlXPathObject *selected)
{
    const xmlNode *vary = load_child(xmlDocGetRootElement(doc), "vary");
    bool varied = false;
    for (const xmlNode *axis = load_child(vary, "axis"); axis && !varied; axis = load_next(axis, "axis")) {
        struct xpath_problem ignored = {0};
        xmlXPathObject *own = xpath_select(doc, load_required(axis, "set"), &ignored);
        varied = own && xmlXPathHasSameNodes(own->nodesetval, selected->nodesetval);
        xmlXPathFreeObject(own);
        if (varied) {
            struct problems_quote name = problems_quote(load_required(axis, "name"));
            problems_add(problems, load_line(axis),
                         "--set %s=%s: axis %s sets it in every case; allowed: what no axis sets, or --set "
                         "\"//axis[@name='%s']/@values=...\"",
                         problems_quote(override->path).text, problems_quote(override->value).text, name.text,
                         name.text);
        }
    }
    return varied;
}

static bool apply_override(struct problems *problems, xmlDoc *doc, const struct scenario_override *override)
{
    if (!is_text(override->value) || !is_text(override->path)) {
        problems_add(problems, 1, "--set %s=%s: not text; allowed: UTF-8 without control characters",
                     problems_quote(override->path).text, problems_quote(override->value).text);
        return false;
    }
    struct xpath_problem problem = {0};
    xmlXPathObject *selected = xpath_select(doc, override->path, &problem);
    if (!selected) {
        problems_add(problems, 1, "--set %s=%s: %s; allowed: %s", problems_quote(override->path).text,
                     problems_quote(override->value).text, problem.why, problem.allowed);
        return false;
    }
    bool varied = is_varied(problems, doc, override, selected);
    bool ok = !varied && xpath_set(selected, override->value);
    if (!ok && !varied)
        problems_no_memory(problems);
    xmlXPathFreeObject(selected);
    return ok;
}

static bool set_root(struct problems *problems, xmlDoc *doc, const char *name, uint64_t value)
{
    char text[24];
    snprintf(text, sizeof text, "%llu", (unsigned long long)value);
    if (xmlSetProp(xmlDocGetRootElement(doc), (const xmlChar *)name, (const xmlChar *)text))
        return true;
    problems_no_memory(problems);
    return false;
}

static bool apply_options(struct problems *problems, xmlDoc *doc, const struct scenario_options *options)
{
    bool ok = true;
    for (size_t i = 0; options && i < options->num_overrides; i++)
        ok = apply_override(problems, doc, &options->overrides[i]) && ok;
    if (ok && options && options->runs > 0)
        ok = set_root(problems, doc, "runs", options->runs);
    if (ok && options && options->has_seed)
        ok = set_root(problems, doc, "seed", options->seed);
    return ok;
}

/* Two axes that set the same attribute would silently undo each other. */
static bool overlaps(struct problems *problems, const struct axes *axes, xmlXPathObject *selected[], size_t a)
{
    for (size_t i = 0; i < a; i++) {
        if (xmlXPathHasSameNodes(selected[i]->nodesetval, selected[a]->nodesetval)) {
            char why[SCENARIO_NAME + 64];
            snprintf(why, sizeof why, "axis %.63s sets the same", axes->items[i].name);
            load_wrong(problems, axes->items[a].element, "set", why, "axes that set different attributes");
            return true;
        }
    }
    return false;
}

/* Of <scenario>, only the duration; of what stands in it, what a run is made from. */
static bool can_vary(const xmlNode *node)
{
    static const char *const of_all_cases[] = {"lesson", "vary", "expect"};
    const xmlNode *part = node;
    while (part->parent && part->parent->parent && part->parent->parent->type == XML_ELEMENT_NODE)
        part = part->parent;
    if (part->type == XML_ATTRIBUTE_NODE)
        return strcmp((const char *)part->name, "duration") == 0;
    for (size_t i = 0; i < sizeof of_all_cases / sizeof of_all_cases[0]; i++) {
        if (load_is(part, of_all_cases[i]))
            return false;
    }
    return true;
}

/* An axis whose cases would all be the same, but for their names. */
static bool sets_what_all_share(struct problems *problems, const struct axis *axis,
                                const xmlXPathObject *selected)
{
    for (int i = 0; i < selected->nodesetval->nodeNr; i++) {
        const xmlNode *node = selected->nodesetval->nodeTab[i];
        if (can_vary(node))
            continue;
        char why[96];
        snprintf(why, sizeof why, "%.60s is the same in all cases", (const char *)node->name);
        load_wrong(problems, axis->element, "set", why,
                   "the duration, and what stands in cpu-profile, topology, tunnels, traffic or timeline");
        return true;
    }
    return false;
}

/* Every path is evaluated on the scenario as it is before any axis changes it. */
static bool set_axes(struct problems *problems, xmlDoc *doc, const struct axes *axes,
                     const struct scenario_case *c)
{
    xmlXPathObject *selected[AXES_MAX] = {0};
    bool ok = true;
    for (size_t a = 0; a < axes->num && ok; a++) {
        struct xpath_problem problem = {0};
        selected[a] = xpath_select(doc, axes->items[a].set, &problem);
        if (!selected[a])
            load_wrong(problems, axes->items[a].element, "set", problem.why, problem.allowed);
        ok = selected[a] && !sets_what_all_share(problems, &axes->items[a], selected[a]) &&
             !overlaps(problems, axes, selected, a);
    }
    for (size_t a = 0; a < axes->num && ok; a++) {
        ok = xpath_set(selected[a], c->settings[a].value);
        if (!ok)
            problems_no_memory(problems);
    }
    for (size_t a = 0; a < axes->num; a++)
        xmlXPathFreeObject(selected[a]);
    return ok;
}

/* What all cases are made with. */
struct maker {
    const struct load_schema *schema;
    struct problems *problems;
    xmlDoc *whole;
    const struct axes *axes;
};

/* Makes a case from the whole scenario, checks it, and keeps its text. */
static bool make_case(const struct maker *maker, size_t i, struct scenario_case *c, struct scenario *scenario)
{
    struct problems *problems = maker->problems;
    if (!axes_case(maker->axes, problems, i, c))
        return false;
    xmlDoc *doc = load_copy(maker->whole);
    if (!doc) {
        problems_no_memory(problems);
        return false;
    }
    bool ok = set_axes(problems, doc, maker->axes, c);
    xmlNode *vary = load_child(xmlDocGetRootElement(doc), "vary");
    if (vary) {
        xmlUnlinkNode(vary);
        xmlFreeNode(vary);
    }
    if (maker->axes->num > 0)
        snprintf(problems->note, sizeof problems->note, " (case %s)", c->name);
    ok = ok && load_validate(maker->schema, problems, doc, "scenario") &&
         load_scenario(scenario, problems, doc) && dump(problems, doc, &c->xml, &c->xml_len);
    problems->note[0] = '\0';
    xmlFreeDoc(doc);
    return ok;
}

/* What the scenario says in the same way without its axes is no matter of a case. */
static void name_the_cases(const struct maker *maker)
{
    struct problems plain;
    struct scenario_message message;
    struct scenario scenario = {0};
    problems_init(&plain, &message, maker->problems->file);
    load_scenario(&scenario, &plain, maker->whole);
    scenario_cleanup(&scenario);
    problems_without_case(maker->problems, &plain);
    problems_cleanup(&plain);
}

/* Each case is kept as a text. */
#define MAX_BYTES (UINT64_C(256) << 20)

static bool fits(const struct scenario_set *set, const struct maker *maker)
{
    char why[80];
    uint64_t cases = maker->axes->num_cases;
    if (maker->axes->num == 0 || cases * set->xml_len <= MAX_BYTES)
        return true;
    snprintf(why, sizeof why, "%llu cases of %zu bytes each", (unsigned long long)cases, set->xml_len);
    load_wrong(maker->problems, maker->axes->items[0].element, "values", why,
               "cases that have at most 256 MB together");
    return false;
}

/* Cases that fail are mostly alike. */
#define MAX_FAILED_CASES 100

static bool make_cases(struct scenario_set *set, const struct maker *maker)
{
    if (!fits(set, maker))
        return false;
    set->cases = calloc(maker->axes->num_cases, sizeof *set->cases);
    if (!set->cases) {
        problems_no_memory(maker->problems);
        return false;
    }
    size_t failed = 0;
    for (size_t i = 0; i < maker->axes->num_cases && failed < MAX_FAILED_CASES; i++) {
        struct scenario scenario = {0};
        set->num_cases = i + 1;
        failed += !make_case(maker, i, &set->cases[i], i == 0 ? &set->base : &scenario);
        scenario_cleanup(&scenario);
    }
    if (failed > 0 && maker->axes->num > 0)
        name_the_cases(maker);
    return failed == 0;
}

#define MAX_EXPECTATIONS 100000 /* of all cases */

/* Adds one expectation for each case that this one means. */
static bool resolve_expectation(struct scenario_set *set, struct problems *problems, const struct axes *axes,
                                const xmlNode *element, const struct scenario_expectation *written,
                                struct scenario *out)
{
    if (axes_share_value(axes, written->case_name)) {
        load_wrong(problems, element, "case", "several axes have that value",
                   "it with its axis, \"axis=value\"");
        return false;
    }
    const char *rest = written->text + strlen(written->case_name) + (*written->case_name ? 2 : 0);
    struct problems_names names = {0};
    bool found = false, ok = true;
    for (size_t i = 0; i < set->num_cases && ok; i++) {
        const char *name = set->cases[i].name;
        problems_names_add(&names, name);
        if (*written->case_name && !axes_case_is(&set->cases[i], written->case_name))
            continue;
        found = true;
        if (out->num_expectations == MAX_EXPECTATIONS)
            load_wrong(problems, element, "metric", "too many expectations", "100000 in all cases together");
        struct scenario_expectation *that =
            out->num_expectations < MAX_EXPECTATIONS
                ? LOAD_APPEND(problems, out->expectations, out->num_expectations)
                : NULL;
        ok = that != NULL;
        if (!ok)
            break;
        *that = *written;
        if (!*written->case_name)
            break;
        snprintf(that->case_name, sizeof that->case_name, "%s", name);
        snprintf(that->text, sizeof that->text, "%s: %s", name, rest);
    }
    if (!found) {
        char allowed[PROBLEMS_LIST];
        problems_list(allowed, &names, written->case_name);
        load_wrong(problems, element, "case", "no such case", allowed);
    }
    problems_names_cleanup(&names);
    return found && ok;
}

static bool resolve_expectations(struct scenario_set *set, struct problems *problems, const struct axes *axes,
                                 const xmlNode *root)
{
    struct scenario resolved = {0};
    const xmlNode *element = load_child(load_child(root, "expect"), "that");
    bool ok = true;
    for (size_t i = 0; i < set->base.num_expectations && element; i++, element = load_next(element, "that"))
        ok = resolve_expectation(set, problems, axes, element, &set->base.expectations[i], &resolved) && ok;
    free(set->base.expectations);
    set->base.expectations = resolved.expectations;
    set->base.num_expectations = resolved.num_expectations;
    return ok;
}

/* Of the first case, whose expectations are those of all. */
static bool judge_expectations(const struct scenario_set *set, struct problems *problems,
                               const struct scenario_options *options)
{
    char text[2048];
    bool ok = true;
    for (size_t i = 0; options && options->wrong_expectation && i < set->base.num_expectations; i++) {
        const struct scenario_expectation *expected = &set->base.expectations[i];
        if (!options->wrong_expectation(&set->base, expected, text, sizeof text))
            continue;
        problems_add(problems, expected->line, "<that> %s", text);
        ok = false;
    }
    return ok;
}

static bool load_set(struct scenario_set *set, const struct load_schema *schema, struct problems *problems,
                     xmlDoc *doc, const struct scenario_options *options)
{
    /* Validation also writes the defaults into the document, so that --set and axes can set them. */
    bool ok = load_validate(schema, problems, doc, "scenario");
    bool told = !ok;
    ok = !problems->is_misleading && load_inline_profiles(schema, problems, doc, problems->file) && ok;
    ok = ok && apply_options(problems, doc, options);
    if (ok && options && (options->num_overrides > 0 || options->runs > 0 || options->has_seed)) {
        ok = load_validate(schema, problems, doc, "scenario");
        told = !ok;
    }
    if (told && !problems->is_misleading) {
        load_scenario(&set->base, problems, doc); /* for what else is wrong */
        judge_expectations(set, problems, options);
        return false;
    }
    ok = ok && dump(problems, doc, &set->xml, &set->xml_len);
    const xmlNode *root = xmlDocGetRootElement(doc);
    struct axes axes = {0};
    struct maker maker = {schema, problems, doc, &axes};
    ok = ok && axes_load(&axes, problems, root);
    struct load_usage usage = {0};
    if (ok) {
        problems->usage = options && options->all_used ? &usage : NULL;
        ok = make_cases(set, &maker);
        ok = ok && (!problems->usage || load_report_unused(&usage, problems, root));
        problems->usage = NULL;
        ok = judge_expectations(set, problems, options) && ok;
        ok = ok && resolve_expectations(set, problems, &axes, root);
    }
    load_usage_cleanup(&usage);
    axes_cleanup(&axes);
    return ok;
}

int scenario_set_load(struct scenario_set *set, const char *file, const struct scenario_options *options,
                      struct scenario_message *message)
{
    struct problems problems;
    struct load_schema schema;
    *set = (struct scenario_set){0};
    problems_init(&problems, message, file);
    problems.warnings = &set->warnings;
    bool known = load_schema_init(&schema, &problems);
    xmlDoc *doc = known ? load_xml_file(&problems, file) : NULL;
    bool ok = doc && load_set(set, &schema, &problems, doc, options);
    xmlFreeDoc(doc);
    load_schema_cleanup(&schema);
    problems_finish(&problems);
    if (!ok)
        scenario_set_cleanup(set);
    return ok ? 0 : -1;
}

void scenario_set_cleanup(struct scenario_set *set)
{
    for (size_t i = 0; i < set->num_cases; i++)
        free(set->cases[i].xml);
    free(set->cases);
    free(set->xml);
    scenario_cleanup(&set->base);
    *set = (struct scenario_set){0};
}
