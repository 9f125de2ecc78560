#include "load_xml.h"

#include "load_text.h"

#include <libxml/SAX2.h>
#include <libxml/parser.h>
#include <libxml/parserInternals.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

/* What goes wrong first; what libxml2 says after that is about what follows from it. */
struct failure {
    int doctype_line; /* 0: no DOCTYPE */
    int code, line;
    char text[256]; /* empty: nothing */
};

/* A DTD could define entities that expand without end or read other files; scenarios have no use for one. */
static void refuse_doctype(void *context, const xmlChar *name, const xmlChar *external_id,
                           const xmlChar *system_id)
{
    (void)name, (void)external_id, (void)system_id;
    xmlParserCtxt *parser = context;
    struct failure *failure = parser->_private;
    failure->doctype_line = xmlSAX2GetLineNumber(parser);
    xmlStopParser(parser);
}

/* An element of a file bears the line on which it begins, an attribute that on which its value begins: what
 * libxml2 knows is where a start tag ends, and only up to line 65535 if there is no text in the element. */
static void set_line(void **private_of_node, long line)
{
    *private_of_node = (void *)(intptr_t)line;
}

static long lines_between(const xmlChar *from, const xmlChar *to)
{
    long lines = 0;
    while ((from = memchr(from, '\n', (size_t)(to - from)))) {
        from++;
        lines++;
    }
    return lines;
}

static bool is_white(xmlChar c)
{
    return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

/* Whether the name that ends at a "=" declares a namespace, which is no attribute to libxml2. */
static bool declares_namespace(const xmlChar *start, const xmlChar *equals)
{
    while (equals > start && is_white(equals[-1]))
        equals--;
    const xmlChar *name = equals;
    while (name > start && !is_white(name[-1]))
        name--;
    size_t len = (size_t)(equals - name);
    return len >= 5 && memcmp(name, "xmlns", 5) == 0 && (len == 5 || name[5] == ':');
}

/* The text of a start tag, whose attributes libxml2 keeps in the order in which they stand there. */
static void note_lines(xmlNode *element, const xmlChar *start, const xmlChar *end, long line)
{
    xmlAttr *attribute = element->properties;
    set_line(&element->_private, line);
    for (const xmlChar *at = start; at < end && attribute; at++) {
        line += *at == '\n';
        if (*at != '=')
            continue;
        bool declares = declares_namespace(start, at);
        for (at++; at < end && is_white(*at); at++)
            line += *at == '\n';
        if (!declares) {
            set_line(&attribute->_private, line);
            attribute = attribute->next;
        }
        const xmlChar *quote = at < end ? memchr(at + 1, *at, (size_t)(end - at - 1)) : NULL;
        if (!quote)
            break;
        line += lines_between(at, quote);
        at = quote;
    }
}

static void start_element(void *context, const xmlChar *name, const xmlChar *prefix, const xmlChar *namespace,
                          int num_namespaces, const xmlChar **namespaces, int num_attributes,
                          int num_defaulted, const xmlChar **attributes)
{
    xmlParserCtxt *parser = context;
    const xmlNode *parent = parser->node;
    xmlSAX2StartElementNs(context, name, prefix, namespace, num_namespaces, namespaces, num_attributes,
                          num_defaulted, attributes);
    if (!parser->node || parser->node == parent || !parser->input)
        return;
    const xmlChar *end = parser->input->cur, *start = end;
    while (start > parser->input->base && *start != '<')
        start--;
    note_lines(parser->node, start, end, parser->input->line - lines_between(start, end));
}

static void note_error(void *context, xmlError *error)
{
    struct failure *failure = ((xmlParserCtxt *)context)->_private;
    if (error->level < XML_ERR_ERROR || *failure->text)
        return;
    const char *text = error->message ? error->message : "unreadable";
    failure->code = error->code;
    failure->line = error->line;
    snprintf(failure->text, sizeof failure->text, "%.*s", (int)strcspn(text, "\n"), text);
}

static void report_parse_error(struct problems *problems, const struct failure *failure)
{
    int line = failure->line > 0 ? failure->line : 1;
    if (failure->doctype_line > 0)
        problems_add(problems, failure->doctype_line, "a DOCTYPE; allowed: XML without DTD and entities");
    else if (strstr(failure->text, "Excessive depth"))
        problems_add(problems, line,
                     "elements inside one another deeper than 256; allowed: what phase2sim.xsd describes");
    else if (failure->code == XML_ERR_NAME_TOO_LONG)
        problems_add(problems, line, "a name longer than 50000 bytes; allowed: what phase2sim.xsd describes");
    else if (strstr(failure->text, "huge text node") || strstr(failure->text, "too long"))
        problems_add(problems, line, "a text longer than 10 MB; allowed: at most 10000000 bytes");
    else if (failure->code == XML_ERR_NO_MEMORY || !*failure->text)
        problems_no_memory(problems);
    else
        problems_add(problems, line,
                     "not well-formed XML: %s; allowed: XML 1.0 in namespace " SCENARIO_NAMESPACE,
                     failure->text);
}

static void prepare(xmlParserCtxt *parser, struct failure *failure)
{
    parser->_private = failure;
    parser->sax->internalSubset = refuse_doctype;
    parser->sax->startElementNs = start_element;
    parser->sax->serror = note_error; /* some are told on standard error otherwise */
    /* NOENT makes an attribute with "&amp;" one text node; there are no other entities. */
    xmlCtxtUseOptions(parser, XML_PARSE_NONET | XML_PARSE_NOENT | XML_PARSE_NOCDATA | XML_PARSE_NOERROR |
                                  XML_PARSE_NOWARNING | XML_PARSE_BIG_LINES);
}

xmlDoc *load_xml_memory(struct problems *problems, const char *xml, size_t len)
{
    if (!load_text_check(problems, xml, len))
        return NULL;
    xmlParserCtxt *parser = xmlCreateMemoryParserCtxt(xml, (int)len);
    if (!parser) {
        problems_no_memory(problems);
        return NULL;
    }
    struct failure failure = {0};
    prepare(parser, &failure);
    xmlParseDocument(parser);
    xmlDoc *doc = parser->myDoc;
    bool ok = failure.doctype_line == 0 && parser->wellFormed && parser->nsWellFormed && doc;
    if (!ok) {
        report_parse_error(problems, &failure);
        xmlFreeDoc(doc);
        doc = NULL;
    }
    parser->myDoc = NULL;
    xmlFreeParserCtxt(parser);
    return doc;
}

xmlDoc *load_xml_file(struct problems *problems, const char *file)
{
    size_t len;
    char *text = load_text_file(problems, file, &len);
    xmlDoc *doc = text ? load_xml_memory(problems, text, len) : NULL;
    free(text);
    return doc;
}

/* Both trees have the same shape. */
static void copy_lines(xmlNode *to, const xmlNode *from)
{
    for (; to && from; to = to->next, from = from->next) {
        to->_private = from->_private;
        if (from->type != XML_ELEMENT_NODE)
            continue;
        xmlAttr *copy = to->properties;
        for (const xmlAttr *attribute = from->properties; attribute && copy;
             attribute = attribute->next, copy = copy->next)
            copy->_private = attribute->_private;
        copy_lines(to->children, from->children); /* the parser bounds the depth */
    }
}

xmlDoc *load_copy(xmlDoc *doc)
{
    xmlDoc *copy = xmlCopyDoc(doc, 1);
    if (copy)
        copy_lines(copy->children, doc->children);
    return copy;
}

void load_set_line(xmlNode *element, int line)
{
    set_line(&element->_private, line);
    for (xmlAttr *attribute = element->properties; attribute; attribute = attribute->next)
        set_line(&attribute->_private, line);
}

static int known_line(const void *private_of_node)
{
    return (int)(intptr_t)private_of_node;
}

int load_line(const xmlNode *node)
{
    /* An attribute that was not in the file has none. */
    if (node && node->type == XML_ATTRIBUTE_NODE && known_line(node->_private) > 0)
        return known_line(node->_private);
    while (node && node->type != XML_ELEMENT_NODE)
        node = node->parent;
    return node && known_line(node->_private) > 0 ? known_line(node->_private) : 1;
}

int load_attribute_line(const xmlNode *element, const char *attribute)
{
    const xmlAttr *found = xmlHasNsProp(element, (const xmlChar *)attribute, NULL);
    return load_line(found ? (const xmlNode *)found : element);
}

const char *load_attribute_value(const xmlNode *attribute)
{
    return attribute->children && attribute->children->content ? (const char *)attribute->children->content
                                                               : "";
}

const char *load_attribute(const xmlNode *element, const char *name)
{
    const xmlAttr *attribute = xmlHasNsProp(element, (const xmlChar *)name, NULL);
    return attribute ? load_attribute_value((const xmlNode *)attribute) : NULL;
}

const char *load_required(const xmlNode *element, const char *name)
{
    const char *value = load_attribute(element, name);
    return value ? value : "";
}

bool load_is(const xmlNode *node, const char *name)
{
    return node->type == XML_ELEMENT_NODE && (!name || strcmp((const char *)node->name, name) == 0);
}

static xmlNode *first_element(xmlNode *node, const char *name)
{
    while (node && !load_is(node, name))
        node = node->next;
    return node;
}

xmlNode *load_child(const xmlNode *parent, const char *name)
{
    return parent ? first_element(parent->children, name) : NULL;
}

xmlNode *load_next(const xmlNode *element, const char *name)
{
    return first_element(element->next, name);
}

/* The element after `node` in document order; depth is bounded by the parser. */
static xmlNode *following(xmlNode *node)
{
    xmlNode *child = load_child(node, NULL);
    if (child)
        return child;
    while (node && node->type == XML_ELEMENT_NODE) {
        xmlNode *next = load_next(node, NULL);
        if (next)
            return next;
        node = node->parent;
    }
    return NULL;
}

void load_leave_namespace(xmlDoc *doc)
{
    for (xmlNode *node = xmlDocGetRootElement(doc); node; node = following(node)) {
        if (node->ns && strcmp((const char *)node->ns->href, SCENARIO_NAMESPACE) == 0)
            node->ns = NULL;
    }
}

void load_enter_namespace(xmlDoc *doc)
{
    xmlNode *root = xmlDocGetRootElement(doc);
    xmlNs *ns = xmlSearchNsByHref(doc, root, (const xmlChar *)SCENARIO_NAMESPACE);
    for (xmlNode *node = root; node; node = following(node)) {
        if (!node->ns)
            node->ns = ns;
    }
}
