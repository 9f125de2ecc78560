/* Reading XML: a file or memory into a DOM, safely, and small helpers on it.
 *
 * Documents here have no DTD (refused), hence no entities beyond XML's five, and each attribute is one text
 * node. */
#ifndef P2_SCENARIO_LOAD_XML_H
#define P2_SCENARIO_LOAD_XML_H

#include "problems.h"

#include <libxml/tree.h>

#define SCENARIO_NAMESPACE "urn:phase2sim:scenario:1"

/* NULL: reported. */
xmlDoc *load_xml_file(struct problems *problems, const char *file);
xmlDoc *load_xml_memory(struct problems *problems, const char *xml, size_t len);

/* A copy that knows its lines. NULL: out of memory. */
xmlDoc *load_copy(xmlDoc *doc);
/* Where an element begins, an attribute's value, or the element around a text. */
int load_line(const xmlNode *node);
/* Of an attribute; of the element if it has no such attribute. */
int load_attribute_line(const xmlNode *element, const char *attribute);
/* As if an element had stood on that line with all its attributes. */
void load_set_line(xmlNode *element, int line);
/* Borrowed; NULL: no such attribute. */
const char *load_attribute(const xmlNode *element, const char *name);
/* Of an attribute that the schema requires or has a default for: never NULL. */
const char *load_required(const xmlNode *element, const char *name);
const char *load_attribute_value(const xmlNode *attribute);
bool load_is(const xmlNode *node, const char *name);
/* The first child element, or next sibling element, of that name (NULL: any). */
xmlNode *load_child(const xmlNode *parent, const char *name);
xmlNode *load_next(const xmlNode *element, const char *name);

/* XPath 1.0 knows no default namespace: an expression without prefixes finds elements without a namespace
 * only. So the elements of our namespace leave it while a path is evaluated, and come back. */
void load_leave_namespace(xmlDoc *doc);
void load_enter_namespace(xmlDoc *doc);

#endif
