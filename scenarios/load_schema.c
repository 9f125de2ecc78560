#include "load_schema.h"

#include "schema_lookup.h"

#include <string.h>

static void ignore_error(void *context, xmlErrorPtr error)
{
    (void)context, (void)error;
}

bool load_schema_init(struct load_schema *schema, struct problems *problems)
{
    *schema = (struct load_schema){0};
    int len = (int)scenario_schema_len;
    xmlSchemaParserCtxt *parser = xmlSchemaNewMemParserCtxt(scenario_schema, len);
    if (parser) {
        xmlSchemaSetParserStructuredErrors(parser, ignore_error, NULL);
        schema->compiled = xmlSchemaParse(parser);
        xmlSchemaFreeParserCtxt(parser);
    }
    schema->doc = xmlReadMemory(scenario_schema, len, "phase2sim.xsd", NULL,
                                XML_PARSE_NONET | XML_PARSE_NOERROR | XML_PARSE_NOWARNING);
    if (schema->compiled && schema->doc)
        return true;
    problems_no_memory(problems);
    load_schema_cleanup(schema);
    return false;
}

void load_schema_cleanup(struct load_schema *schema)
{
    xmlSchemaFree(schema->compiled);
    xmlFreeDoc(schema->doc);
    *schema = (struct load_schema){0};
}

struct validation {
    const struct load_schema *schema;
    struct problems *problems;
    const xmlNode *last; /* libxml2 reports a wrong value twice, as a facet and as a type */
};

static const char *name_of(const xmlNode *node)
{
    return (const char *)node->name;
}

/* "xml:lang" as it was written, for its own name alone may be one of ours. */
static struct problems_quote attribute_name(const xmlNode *attribute)
{
    char name[64];
    const xmlNs *ns = attribute->ns;
    snprintf(name, sizeof name, "%s%s%s", ns && ns->prefix ? (const char *)ns->prefix : "",
             ns && ns->prefix ? ":" : "", name_of(attribute));
    return problems_quote(name);
}

static void report_unknown_attribute(struct validation *v, const xmlNode *attribute)
{
    struct problems_names names = {0};
    char allowed[PROBLEMS_LIST];
    schema_attributes(schema_type_of(v->schema->doc, attribute->parent), &names);
    problems_list(allowed, &names, name_of(attribute));
    problems_add(v->problems, load_line(attribute), "<%s> %s=\"%s\": no such attribute; allowed: %s",
                 problems_quote(name_of(attribute->parent)).text, attribute_name(attribute).text,
                 problems_quote(load_attribute_value(attribute)).text, allowed);
    problems_names_cleanup(&names);
}

/* libxml2's text begins "Element '...': The attribute 'x' is required but missing." */
static void report_missing_attribute(struct validation *v, const xmlNode *element, const char *text)
{
    static const char marker[] = "The attribute '";
    const char *start = strstr(text, marker);
    char name[64], allowed[PROBLEMS_LIST];
    snprintf(name, sizeof name, "%.*s", start ? (int)strcspn(start + sizeof marker - 1, "'") : 0,
             start ? start + sizeof marker - 1 : "");
    schema_describe(schema_attribute_type(v->schema->doc, element, name), NULL, allowed);
    v->problems->is_misleading |= strcmp(name, "name") == 0;
    problems_add(v->problems, load_line(element),
                 "<%s> without %s, which it must have; allowed: %s=\"...\" with %s", name_of(element), name,
                 name, allowed);
}

static int num_before(const xmlNode *element)
{
    int num = 0;
    for (const xmlNode *node = element->prev; node; node = node->prev)
        num += load_is(node, name_of(element));
    return num;
}

/* "Expected is one of ( {urn:...}link, {urn:...}gateway )." -> "link, gateway" */
static void expected_names(char out[PROBLEMS_LIST], const char *text)
{
    size_t len = 0;
    const char *p = strstr(text, "Expected is");
    for (p = p ? strchr(p, '(') : NULL; p && *p && *p != ')' && len + 1 < PROBLEMS_LIST; p++) {
        if (*p == '{')
            p += strcspn(p, "}");
        else if (*p != '(' && !(*p == ' ' && (len == 0 || p[1] == ')')))
            out[len++] = *p;
        if (!*p)
            break;
    }
    out[len] = '\0';
}

static bool is_foreign(const xmlNode *element)
{
    return !element->ns || strcmp((const char *)element->ns->href, SCENARIO_NAMESPACE) != 0;
}

/* libxml2 looks at none of those behind the first, so they are told of with it. */
static void report_unknown_elements(struct validation *v, const xmlNode *element, const xmlNode *type)
{
    struct problems_names names = {0};
    schema_children(type, &names);
    for (; element; element = load_next(element, NULL)) {
        char allowed[PROBLEMS_LIST];
        bool foreign = is_foreign(element);
        if (!foreign && schema_max_occurs(type, name_of(element)) != 0)
            continue;
        problems_list(allowed, &names, name_of(element));
        problems_add(v->problems, load_line(element), "<%s> in <%s>: no such element here%s; allowed: %s",
                     problems_quote(name_of(element)).text, name_of(element->parent),
                     foreign ? " (its namespace is not the scenario's)" : "", allowed);
    }
    problems_names_cleanup(&names);
}

static void report_content(struct validation *v, const xmlNode *element, const char *text)
{
    char expected[PROBLEMS_LIST];
    expected_names(expected, text);
    v->problems->is_misleading = true;
    if (strstr(text, "Missing child")) {
        problems_add(v->problems, load_line(element), "<%s> is not complete; allowed next in it: %s",
                     name_of(element), expected);
        return;
    }
    const xmlNode *parent = element->parent;
    const xmlNode *type = schema_type_of(v->schema->doc, parent);
    int before = num_before(element),
        max = is_foreign(element) ? 0 : schema_max_occurs(type, name_of(element));
    if (max == 0) {
        report_unknown_elements(v, element, type);
        return;
    }
    struct problems_names names = {0};
    char allowed[PROBLEMS_LIST];
    schema_children(type, &names);
    problems_list(allowed, &names, NULL);
    problems_names_cleanup(&names);
    const char *found = name_of(element);
    if (max > 0 && before >= max)
        problems_add(v->problems, load_line(element), "<%s> number %d in <%s>; allowed: at most %d", found,
                     before + 1, name_of(parent), max);
    else
        problems_add(v->problems, load_line(element), "<%s> at this place in <%s>; allowed: the order %s%s%s",
                     found, name_of(parent), allowed, *expected ? "; here: " : "", expected);
}

/* xsi:type and xsi:nil would change what an element may hold. */
static const xmlNode *instance_attribute(const xmlNode *element)
{
    static const char instance[] = "http://www.w3.org/2001/XMLSchema-instance";
    for (const xmlAttr *attribute = element->properties; attribute; attribute = attribute->next) {
        if (attribute->ns && strcmp((const char *)attribute->ns->href, instance) == 0)
            return (const xmlNode *)attribute;
    }
    return NULL;
}

/* Others refer to these. */
static bool is_referred_to(const xmlNode *node)
{
    static const char *const names[] = {"name", "count", "step"};
    bool found = false;
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
        found |= node->type == XML_ATTRIBUTE_NODE && strcmp(name_of(node), names[i]) == 0;
    return found;
}

static void report_value(struct validation *v, const xmlNode *node)
{
    char allowed[PROBLEMS_LIST];
    const xmlNode *element = node->type == XML_ELEMENT_NODE ? node : node->parent;
    const xmlNode *instance = node->type == XML_ELEMENT_NODE || node->ns ? instance_attribute(element) : NULL;
    if (instance) {
        v->problems->is_misleading = true;
        report_unknown_attribute(v, instance);
        return;
    }
    v->problems->is_misleading |= is_referred_to(node);
    xmlChar *found = xmlNodeGetContent(node);
    const char *text = found ? (const char *)found : "";
    const xmlNode *type = schema_value_type_of(v->schema->doc, node);
    if (type)
        schema_describe(type, text, allowed);
    else
        snprintf(allowed, sizeof allowed, "what phase2sim.xsd says");
    if (node->type == XML_ATTRIBUTE_NODE)
        problems_add(v->problems, load_line(node), "<%s> %s=\"%s\"; allowed: %s", name_of(node->parent),
                     name_of(node), problems_quote(text).text, allowed);
    else
        problems_add(v->problems, load_line(node), "<%s> holds \"%s\"; allowed: %s", name_of(node),
                     problems_quote(text).text, allowed);
    xmlFree(found);
}

/* Text where only elements may stand, or anything where nothing may. libxml2 then looks for no child that is
 * missing. */
static void report_text(struct validation *v, const xmlNode *element)
{
    struct problems_names names = {0};
    char allowed[PROBLEMS_LIST];
    schema_children(schema_type_of(v->schema->doc, element), &names);
    problems_list(allowed, &names, NULL);
    const xmlNode *child = names.num == 0 ? load_child(element, NULL) : NULL;
    v->problems->is_misleading = true;
    problems_add(v->problems, load_line(child ? child : element), "%s%s%s in <%s>; allowed in it: %s",
                 child ? "<" : "text", child ? problems_quote(name_of(child)).text : "", child ? ">" : "",
                 name_of(element), allowed);
    problems_names_cleanup(&names);
}

/* As libxml2 writes it: {namespace}name'... */
static bool is_named(const xmlAttr *attribute, const char *text)
{
    const char *ns = attribute->ns ? (const char *)attribute->ns->href : NULL;
    const char *name = (const char *)attribute->name;
    if ((*text == '{') != (ns != NULL))
        return false;
    if (ns) {
        size_t len = strlen(ns);
        if (strncmp(text + 1, ns, len) != 0 || text[len + 1] != '}')
            return false;
        text += len + 2;
    }
    return strncmp(text, name, strlen(name)) == 0 && text[strlen(name)] == '\'';
}

/* libxml2 gives the element even where the attribute is wrong, and names that in "Element 'e', attribute 'a':
 * ...". */
static const xmlNode *culprit(const xmlError *error, const char *text)
{
    static const char marker[] = "', attribute '";
    const xmlNode *node = error->node;
    const char *start = strstr(text, marker), *end = strstr(text, ": ");
    if (!node || node->type != XML_ELEMENT_NODE || !start || (end && end < start))
        return node;
    start += sizeof marker - 1;
    for (const xmlAttr *attribute = node->properties; attribute; attribute = attribute->next) {
        if (is_named(attribute, start))
            return (const xmlNode *)attribute;
    }
    return node;
}

static void on_error(void *context, xmlErrorPtr error)
{
    struct validation *v = context;
    const char *text = error->message ? error->message : "";
    const xmlNode *node = culprit(error, text);
    if (!node || node == v->last)
        return;
    v->last = node;
    if (problems_is_full(v->problems)) {
        problems_count(v->problems);
        return;
    }
    switch (error->code) {
    case XML_SCHEMAV_CVC_COMPLEX_TYPE_3_2_1:
    case XML_SCHEMAV_CVC_COMPLEX_TYPE_3_2_2:
        report_unknown_attribute(v, node);
        break;
    case XML_SCHEMAV_CVC_COMPLEX_TYPE_4:
        report_missing_attribute(v, node, text);
        v->last = NULL; /* another attribute of this element may be missing too */
        break;
    case XML_SCHEMAV_ELEMENT_CONTENT:
        report_content(v, node, text);
        break;
    case XML_SCHEMAV_CVC_COMPLEX_TYPE_2_1:
    case XML_SCHEMAV_CVC_COMPLEX_TYPE_2_2:
    case XML_SCHEMAV_CVC_COMPLEX_TYPE_2_3:
        report_text(v, node);
        break;
    default:
        report_value(v, node);
    }
}

static bool check_root(struct problems *problems, const xmlNode *root, const char *name)
{
    const char *ns = root->ns ? (const char *)root->ns->href : "";
    if (load_is(root, name) && strcmp(ns, SCENARIO_NAMESPACE) == 0)
        return true;
    problems->is_misleading = true;
    problems_add(problems, load_line(root),
                 "the root is <%s> in namespace \"%s\"; allowed: <%s xmlns=\"" SCENARIO_NAMESPACE "\">",
                 problems_quote((const char *)root->name).text, problems_quote(ns).text, name);
    return false;
}

bool load_validate(const struct load_schema *schema, struct problems *problems, xmlDoc *doc, const char *root)
{
    size_t before = problems->num_errors;
    if (!check_root(problems, xmlDocGetRootElement(doc), root))
        return false;
    xmlSchemaValidCtxt *validator = xmlSchemaNewValidCtxt(schema->compiled);
    if (!validator) {
        problems_no_memory(problems);
        return false;
    }
    struct validation validation = {schema, problems, NULL};
    xmlSchemaSetValidStructuredErrors(validator, on_error, &validation);
    xmlSchemaSetValidOptions(validator, XML_SCHEMA_VAL_VC_I_CREATE);
    int result = xmlSchemaValidateDoc(validator, doc);
    xmlSchemaFreeValidCtxt(validator);
    if (result != 0 && problems->num_errors == before)
        problems_add(problems, 1, "not valid; allowed: what phase2sim.xsd says");
    problems->num_of_schema = problems->num_errors > before ? problems->num_kept : 0;
    return problems->num_errors == before;
}
