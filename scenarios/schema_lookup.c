#include "schema_lookup.h"

#include "load_xml.h"
#include "units_meant.h"

#include <libxml/xmlregexp.h>
#include <stdlib.h>
#include <string.h>

/* Finds a global declaration: <kind name="name">. */
static const xmlNode *global(const xmlDoc *schema, const char *kind, const char *name)
{
    const xmlNode *node = load_child(xmlDocGetRootElement(schema), kind);
    while (node && name && strcmp(load_attribute(node, "name"), name) != 0)
        node = load_next(node, kind);
    return name ? node : NULL;
}

/* The declaration after `node` inside the type: depth-first through sequence and choice. */
static const xmlNode *next_declaration(const xmlNode *type, const xmlNode *node, const char *kind)
{
    do {
        const xmlNode *next = load_child(node, NULL);
        while (!next && node != type) {
            next = load_next(node, NULL);
            if (!next)
                node = node->parent;
        }
        node = next;
    } while (node && !load_is(node, kind));
    return node;
}

static const char *declared_name(const xmlNode *declaration)
{
    const char *name = load_attribute(declaration, "name");
    return name ? name : load_attribute(declaration, "ref");
}

static const xmlNode *find_declaration(const xmlNode *type, const char *kind, const char *name)
{
    const xmlNode *node = type;
    while ((node = next_declaration(type, node, kind))) {
        if (strcmp(declared_name(node), name) == 0)
            return node;
    }
    return NULL;
}

/* The xs:element of an element of a document. */
static const xmlNode *declaration_of(const xmlDoc *schema, const xmlNode *element)
{
    const char *name = (const char *)element->name;
    if (!element->parent || element->parent->type != XML_ELEMENT_NODE)
        return global(schema, "element", name);
    const xmlNode *type = schema_type_of(schema, element->parent);
    const xmlNode *declaration = type ? find_declaration(type, "element", name) : NULL;
    return declaration && load_attribute(declaration, "ref") ? global(schema, "element", name) : declaration;
}

const xmlNode *schema_type_of(const xmlDoc *schema, const xmlNode *element)
{
    const xmlNode *declaration = declaration_of(schema, element);
    return declaration ? global(schema, "complexType", load_attribute(declaration, "type")) : NULL;
}

static const xmlNode *simple_type(const xmlDoc *schema, const xmlNode *declaration)
{
    return declaration ? global(schema, "simpleType", load_attribute(declaration, "type")) : NULL;
}

const xmlNode *schema_attribute_type(const xmlDoc *schema, const xmlNode *element, const char *name)
{
    const xmlNode *type = schema_type_of(schema, element);
    return simple_type(schema, type ? find_declaration(type, "attribute", name) : NULL);
}

const xmlNode *schema_value_type_of(const xmlDoc *schema, const xmlNode *node)
{
    if (node->type == XML_ATTRIBUTE_NODE)
        return schema_attribute_type(schema, node->parent, (const char *)node->name);
    return simple_type(schema, declaration_of(schema, node));
}

static void declared_names(const xmlNode *type, const char *kind, struct problems_names *names)
{
    const xmlNode *node = type;
    while (type && (node = next_declaration(type, node, kind)))
        problems_names_add(names, declared_name(node));
}

void schema_attributes(const xmlNode *type, struct problems_names *names)
{
    declared_names(type, "attribute", names);
}

void schema_children(const xmlNode *type, struct problems_names *names)
{
    declared_names(type, "element", names);
}

/* The first word of a list that is not in it: what somebody may have meant is near to that. */
static void first_unknown(const char *found, const struct problems_names *values, char *out, size_t size)
{
    static const char white[] = " \t\r\n";
    bool known = true;
    for (found += strspn(found, white); *found && known; found += strspn(found, white)) {
        size_t len = strcspn(found, white);
        snprintf(out, size, "%.*s", (int)(len < size ? len : size - 1), found);
        known = false;
        for (size_t i = 0; i < values->num; i++)
            known = known || strcmp(values->items[i], out) == 0;
        found += len;
    }
}

static bool fits_pattern(const xmlNode *restriction, const char *value)
{
    const xmlNode *pattern = load_child(restriction, "pattern");
    xmlRegexp *compiled = pattern ? xmlRegexpCompile((const xmlChar *)load_required(pattern, "value")) : NULL;
    bool fits = compiled && xmlRegexpExec(compiled, (const xmlChar *)value) == 1;
    xmlRegFreeRegexp(compiled);
    return fits;
}

/* The documentation of a type, and what was meant by a number whose unit is written in another way. */
static void describe_pattern(const xmlNode *value_type, const xmlNode *restriction, const char *found,
                             char out[PROBLEMS_LIST])
{
    char meant[48];
    xmlChar *text = xmlNodeGetContent(load_child(load_child(value_type, "annotation"), "documentation"));
    bool likely = found && units_meant(found, meant, sizeof meant) && strcmp(found, meant) != 0 &&
                  fits_pattern(restriction, meant);
    snprintf(out, PROBLEMS_LIST, "%s%s%s%s", text ? (const char *)text : "",
             likely ? "; did you mean \"" : "", likely ? meant : "", likely ? "\"?" : "");
    xmlFree(text);
}

void schema_describe(const xmlNode *value_type, const char *found, char out[PROBLEMS_LIST])
{
    struct problems_names values = {0};
    char word[64] = "";
    const xmlNode *list = load_child(value_type, "list");
    if (list)
        value_type = global(value_type->doc, "simpleType", load_attribute(list, "itemType"));
    const xmlNode *restriction = load_child(value_type, "restriction");
    for (const xmlNode *v = load_child(restriction, "enumeration"); v; v = load_next(v, "enumeration"))
        problems_names_add(&values, load_attribute(v, "value"));
    if (values.num > 0) {
        if (list && found)
            first_unknown(found, &values, word, sizeof word);
        problems_list(out, &values, list && found ? word : found);
    } else {
        describe_pattern(value_type, restriction, found, out);
    }
    problems_names_cleanup(&values);
}

int schema_max_occurs(const xmlNode *type, const char *child)
{
    const xmlNode *declaration = type ? find_declaration(type, "element", child) : NULL;
    if (!declaration)
        return 0;
    const char *max = load_attribute(declaration, "maxOccurs");
    if (!max && load_is(declaration->parent, "choice"))
        max = load_attribute(declaration->parent, "maxOccurs");
    if (!max)
        return 1;
    return strcmp(max, "unbounded") == 0 ? -1 : (int)strtol(max, NULL, 10);
}
