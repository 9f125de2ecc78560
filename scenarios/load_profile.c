/* <cpu-profile>: prices, and the profile files that hold them. */
#include "load.h"

#include "load_text.h"
#include "units.h"

#include <dirent.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* The limits keep price * scale * quantity of work far from the end of 64 bits. */
static bool parse_price(const char *text, int64_t max_ps, void *out)
{
    int64_t ps;
    if (!units_picoseconds(text, &ps) || ps > max_ps)
        return false;
    *(int64_t *)out = ps;
    return true;
}

static bool parse_fixed(const char *text, void *out)
{
    return parse_price(text, INT64_C(10000000000000), out);
}

static bool parse_per_byte(const char *text, void *out)
{
    return parse_price(text, INT64_C(1000000), out);
}

static const struct field_kind field_fixed = {"a number and ps, ns, us, ms or s, at most 10s", parse_fixed};
static const struct field_kind field_per_byte = {"a number and ps, ns, us, ms or s, at most 1us",
                                                 parse_per_byte};

static const struct field price_fields[] = {
    {"fixed", &field_fixed, offsetof(struct profile_price, fixed_ps)},
    {"per-byte", &field_per_byte, offsetof(struct profile_price, per_byte_ps)},
};

/* The number of an algorithm that the operation knows; P2_MAX_ALGORITHMS, reported, if there is none. */
static unsigned find_algorithm(struct problems *problems, const xmlNode *element, enum p2_operation op)
{
    const char *text = load_required(element, "algorithm");
    struct problems_names names = {0};
    unsigned found = P2_MAX_ALGORITHMS;
    for (unsigned a = 0; a < P2_MAX_ALGORITHMS && found == P2_MAX_ALGORITHMS; a++) {
        const char *name = p2_operation_algorithm(op, a);
        if (name && strcmp(name, text) == 0)
            found = a;
        else if (name)
            problems_names_add(&names, name);
    }
    if (found == P2_MAX_ALGORITHMS) {
        char why[64], allowed[PROBLEMS_LIST];
        snprintf(why, sizeof why, "%s knows no such algorithm", p2_operation_name(op));
        problems_list(allowed, &names, text);
        load_wrong(problems, element, "algorithm", why, allowed);
    }
    problems_names_cleanup(&names);
    return found;
}

static bool load_price(struct problems *problems, const xmlNode *element, struct profile *profile)
{
    enum p2_operation op = p2_operation_by_name(load_required(element, "operation"));
    if (op == P2_NUM_OPERATIONS) {
        load_wrong(problems, element, "operation", "no such operation",
                   "dh-generate, dh-derive, hmac, hash, encrypt, decrypt");
        return false;
    }
    unsigned algorithm = find_algorithm(problems, element, op);
    if (algorithm == P2_MAX_ALGORITHMS)
        return false;
    struct profile_price *price = &profile->prices[op][algorithm];
    if (price->known) {
        load_wrong(problems, element, "algorithm", "a second price of the same operation",
                   "one price for each operation and algorithm");
        return false;
    }
    price->known = true;
    return load_fields(problems, element, price_fields, FIELDS(price_fields), price);
}

/* "AMD EPYC 7R13, 2024-05-01, median of 1001 runs, spread 3%" */
static void describe_source(const xmlNode *source, char *out, size_t size)
{
    static const char *const parts[] = {"cpu", "date", "method", "spread"};
    size_t len = 0;
    for (size_t i = 0; source && i < sizeof parts / sizeof parts[0]; i++) {
        const char *text = load_attribute(source, parts[i]);
        if (text && len < size)
            len += (size_t)snprintf(out + len, size - len, "%s%s%s", len > 0 ? ", " : "",
                                    strcmp(parts[i], "spread") == 0 ? "spread " : "", text);
    }
}

static const struct field profile_fields[] = {
    {"name", &field_name, offsetof(struct profile, name)},
    {"scale", &field_count, offsetof(struct profile, scale)},
};

bool load_profile(struct problems *problems, const xmlNode *element, struct profile *profile, bool complete)
{
    _Static_assert(sizeof profile->name >= SCENARIO_NAME, "a profile's name is any name");
    bool ok = load_fields(problems, element, profile_fields, FIELDS(profile_fields), profile);
    describe_source(load_child(element, "source"), profile->source, sizeof profile->source);
    for (const xmlNode *price = load_child(element, "price"); price; price = load_next(price, "price"))
        ok = load_price(problems, price, profile) && ok;
    if (ok && complete && !load_child(element, "source") && !load_attribute(element, "base")) {
        problems_add(problems, load_line(element),
                     "<cpu-profile> \"%s\" without <source>; allowed: a <source> that says where "
                     "the prices come from",
                     profile->name);
        ok = false;
    }
    return ok;
}

bool load_profiles(struct loader *l, const xmlNode *root)
{
    struct scenario *s = l->scenario;
    bool ok = true;
    for (const xmlNode *node = load_child(root, "cpu-profile"); node; node = load_next(node, "cpu-profile")) {
        if (s->num_profiles == LOAD_MAX_PROFILES)
            return !load_too_many(l, node, "name", "cpu-profiles", LOAD_MAX_PROFILES);
        struct profile *profile = LOAD_APPEND(l->problems, s->profiles, s->num_profiles);
        if (!profile)
            return false;
        ok = load_profile(l->problems, node, profile, true) && ok;
        for (size_t i = 0; i + 1 < s->num_profiles; i++) {
            if (strcmp(s->profiles[i].name, profile->name) == 0) {
                load_wrong(l->problems, node, "name", "a second profile of that name",
                           "a name of its own for each cpu-profile");
                ok = false;
            }
        }
    }
    return ok;
}

/* A path relative to the file that names it. NULL: out of memory. */
static char *resolve(const char *file, const char *path)
{
    const char *slash = strrchr(file, '/');
    size_t dir_len = *path != '/' && slash ? (size_t)(slash - file) + 1 : 0;
    size_t size = dir_len + strlen(path) + 1;
    char *resolved = malloc(size);
    if (resolved)
        snprintf(resolved, size, "%.*s%s", (int)dir_len, file, path);
    return resolved;
}

/* The XML files beside a missing one, as the user would name them. */
static void list_beside(const char *file, const char *base, char out[PROBLEMS_LIST])
{
    char *dir_path = resolve(file, ".");
    DIR *dir = dir_path ? opendir(dir_path) : NULL;
    const char *slash = strrchr(base, '/');
    int prefix_len = slash ? (int)(slash - base) + 1 : 0;
    struct problems_names names = {0};
    char found[32][160];
    size_t num = 0;
    for (const struct dirent *entry; dir && num < 32 && (entry = readdir(dir));) {
        size_t len = strlen(entry->d_name);
        if (len > 4 && len < 80 && prefix_len < 80 && strcmp(entry->d_name + len - 4, ".xml") == 0) {
            snprintf(found[num], sizeof found[num], "%.*s%.79s", prefix_len, base, entry->d_name);
            problems_names_add(&names, found[num++]);
        }
    }
    problems_list(out, &names, base);
    if (num == 0)
        snprintf(out, PROBLEMS_LIST, "a profile file, relative to the scenario's own folder");
    problems_names_cleanup(&names);
    if (dir)
        closedir(dir);
    free(dir_path);
}

/* Reads and checks a profile file. Its errors bear its own name. */
static xmlDoc *load_profile_file(const struct load_schema *schema, struct problems *problems,
                                 const char *file)
{
    const char *scenario_file = problems->file;
    size_t num_of_schema = problems->num_of_schema;
    problems->file = file;
    xmlDoc *doc = load_xml_file(problems, file);
    bool ok = doc && load_validate(schema, problems, doc, "cpu-profile");
    const xmlNode *root = ok ? xmlDocGetRootElement(doc) : NULL;
    struct profile *profile = ok ? calloc(1, sizeof *profile) : NULL;
    if (ok && !profile)
        problems_no_memory(problems);
    ok = profile && load_profile(problems, root, profile, false);
    if (ok && load_attribute(root, "base")) {
        load_wrong(problems, root, "base", "a profile file that rests on another",
                   "<source> and <price> elements");
        ok = false;
    }
    if (ok && profile->scale != 1) {
        load_wrong(problems, root, "scale", "a scale in a profile file",
                   "1; a scenario's own cpu-profile says the scale");
        ok = false;
    }
    free(profile);
    problems->file = scenario_file;
    problems->num_of_schema = num_of_schema;
    if (!ok) {
        xmlFreeDoc(doc);
        return NULL;
    }
    return doc;
}

/* Copies what a profile file holds under the scenario's element, as if it stood on that line. */
static bool adopt(xmlNode *element, xmlNode *root, const char *base)
{
    load_leave_namespace(root->doc); /* or the copies would bring a declaration of it each */
    for (xmlNode *child = load_child(root, NULL); child; child = load_next(child, NULL)) {
        xmlNode *copy = xmlDocCopyNode(child, element->doc, 1);
        xmlNode *indent = xmlNewDocText(element->doc, (const xmlChar *)"\n    ");
        if (!copy || !indent) {
            xmlFreeNode(copy);
            xmlFreeNode(indent);
            return false;
        }
        load_set_line(copy, load_line(element));
        xmlSetNs(copy, element->ns);
        xmlAddChild(element, indent);
        xmlAddChild(element, copy);
        if (load_is(copy, "source") &&
            !xmlSetNsProp(copy, NULL, (const xmlChar *)"file", (const xmlChar *)base))
            return false;
    }
    xmlNode *newline = xmlNewDocText(element->doc, (const xmlChar *)"\n  ");
    if (newline)
        xmlAddChild(element, newline);
    return newline != NULL;
}

static bool inline_profile(const struct load_schema *schema, struct problems *problems, xmlNode *element,
                           const char *file)
{
    const char *base = load_required(element, "base");
    if (load_child(element, NULL)) {
        load_wrong(problems, element, "base", "beside prices of its own",
                   "either base, or <source> and <price> elements");
        return false;
    }
    char *path = resolve(file, base);
    const char *why = NULL;
    FILE *in = path ? load_open(path, &why) : NULL;
    bool ok = false;
    if (!path) {
        problems_no_memory(problems);
    } else if (!in) {
        char allowed[PROBLEMS_LIST];
        list_beside(path, base, allowed);
        load_wrong(problems, element, "base", access(path, F_OK) != 0 ? "no such file" : why, allowed);
    } else {
        (void)fclose(in);
        xmlDoc *doc = load_profile_file(schema, problems, path);
        ok = doc && adopt(element, xmlDocGetRootElement(doc), base);
        if (doc && !ok)
            problems_no_memory(problems);
        if (ok)
            xmlUnsetProp(element, (const xmlChar *)"base");
        xmlFreeDoc(doc);
    }
    free(path);
    return ok;
}

bool load_inline_profiles(const struct load_schema *schema, struct problems *problems, xmlDoc *doc,
                          const char *file)
{
    bool ok = true;
    xmlNode *node = load_child(xmlDocGetRootElement(doc), "cpu-profile");
    for (; node; node = load_next(node, "cpu-profile")) {
        if (load_attribute(node, "base"))
            ok = inline_profile(schema, problems, node, file) && ok;
    }
    return ok;
}
