#include "load_xml.h"

#include <errno.h>
#include <libxml/SAX2.h>
#include <libxml/parser.h>
#include <libxml/parserInternals.h>
#include <stdlib.h>
#include <string.h>

/* Reads at most one byte more than is allowed, so that the caller sees that there is more. */
static char *read_all(FILE *in, size_t *len)
{
    char *data = malloc(LOAD_MAX_FILE + 1);
    if (data)
        *len = fread(data, 1, LOAD_MAX_FILE + 1, in);
    return data;
}

/* A DTD could define entities that expand without end or read other files; scenarios have no use for one. */
static void refuse_doctype(void *context, const xmlChar *name, const xmlChar *external_id,
                           const xmlChar *system_id)
{
    (void)name, (void)external_id, (void)system_id;
    xmlParserCtxt *parser = context;
    *(int *)parser->_private = xmlSAX2GetLineNumber(parser);
    xmlStopParser(parser);
}

/* Where the text ends for libxml2, which would then miss the end of whatever was open; 0: nowhere. Texts of
 * two or four bytes a character are full of such bytes. */
static int line_of_null_byte(const char *xml, size_t len)
{
    const char *null = memchr(xml, '\0', len);
    int line = 1;
    if (!null || (unsigned char)xml[0] >= 0xFE || null < xml + 4)
        return 0;
    for (const char *at = xml; at < null; at++)
        line += *at == '\n';
    return line;
}

static bool is_blank(const char *xml, size_t len)
{
    size_t i = 0;
    while (i < len && strchr(" \t\r\n", xml[i]) && xml[i])
        i++;
    return i == len;
}

/* What libxml2 says of these would lead astray. */
static bool report_special(struct problems *problems, const xmlError *error, const char *xml, size_t len)
{
    int null_line = line_of_null_byte(xml, len);
    if (is_blank(xml, len))
        problems_add(problems, 1, "nothing in it; allowed: XML 1.0 whose root is <scenario xmlns=\"%s\">",
                     SCENARIO_NAMESPACE);
    else if (null_line > 0)
        problems_add(problems, null_line, "a byte of value 0; allowed: text in UTF-8");
    else if (error && error->message && strstr(error->message, "Excessive depth"))
        problems_add(problems, error->line > 0 ? error->line : 1,
                     "elements inside one another deeper than 256; allowed: what phase2sim.xsd describes");
    else
        return false;
    return true;
}

static void report_parse_error(struct problems *problems, xmlParserCtxt *parser, const char *xml, size_t len)
{
    const xmlError *error = xmlCtxtGetLastError(parser);
    if (error && error->code == XML_ERR_NO_MEMORY) {
        problems_no_memory(problems);
        return;
    }
    if (report_special(problems, error, xml, len))
        return;
    const char *text = error && error->message ? error->message : "unreadable";
    int text_len = (int)strcspn(text, "\n");
    problems_add(problems, error && error->line > 0 ? error->line : 1,
                 "not well-formed XML: %.*s; allowed: XML 1.0 whose root is "
                 "<scenario xmlns=\"" SCENARIO_NAMESPACE "\">",
                 text_len < 200 ? text_len : 200, text);
}

xmlDoc *load_xml_memory(struct problems *problems, const char *xml, size_t len)
{
    if (len > LOAD_MAX_FILE) {
        problems_add(problems, 1, "longer than 16 MB; allowed: at most %u bytes", LOAD_MAX_FILE);
        return NULL;
    }
    xmlParserCtxt *parser = xmlCreateMemoryParserCtxt(len > 0 ? xml : " ", len > 0 ? (int)len : 1);
    if (!parser) {
        problems_no_memory(problems);
        return NULL;
    }
    int doctype_line = 0;
    parser->_private = &doctype_line;
    parser->sax->internalSubset = refuse_doctype;
    /* NOENT makes an attribute with "&amp;" one text node; there are no other entities. */
    xmlCtxtUseOptions(parser, XML_PARSE_NONET | XML_PARSE_NOENT | XML_PARSE_NOCDATA | XML_PARSE_NOERROR |
                                  XML_PARSE_NOWARNING | XML_PARSE_BIG_LINES);
    xmlParseDocument(parser);
    xmlDoc *doc = parser->myDoc;
    if (doctype_line > 0)
        problems_add(problems, doctype_line, "a DOCTYPE; allowed: XML without DTD and entities");
    else if (!parser->wellFormed || !doc)
        report_parse_error(problems, parser, xml, len);
    if (doctype_line > 0 || !parser->wellFormed) {
        xmlFreeDoc(doc);
        doc = NULL;
    }
    parser->myDoc = NULL;
    xmlFreeParserCtxt(parser);
    return doc;
}

xmlDoc *load_xml_file(struct problems *problems, const char *file)
{
    size_t len = 0;
    FILE *in = fopen(file, "rb");
    char *data = in ? read_all(in, &len) : NULL;
    int error = errno;
    xmlDoc *doc = NULL;
    if (!in || (data && ferror(in)))
        problems_add(problems, 1, "can not be read: %s; allowed: a readable XML file", strerror(error));
    else if (!data)
        problems_no_memory(problems);
    else
        doc = load_xml_memory(problems, data, len);
    free(data);
    if (in)
        (void)fclose(in);
    return doc;
}

int load_line(const xmlNode *node)
{
    while (node && node->type != XML_ELEMENT_NODE)
        node = node->parent;
    long line = node ? xmlGetLineNo(node) : 1;
    return line > 0 ? (int)line : 1;
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
