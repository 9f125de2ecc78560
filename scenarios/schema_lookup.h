/* What the schema allows at a place of a document, in the schema's own words. */
#ifndef P2_SCENARIO_SCHEMA_LOOKUP_H
#define P2_SCENARIO_SCHEMA_LOOKUP_H

#include "problems.h"

#include <libxml/tree.h>

/* The complexType of an element, NULL if the schema has no such place. */
const xmlNode *schema_type_of(const xmlDoc *schema, const xmlNode *element);
/* The simpleType of an attribute, or of an element that holds text. NULL if there is none. */
const xmlNode *schema_value_type_of(const xmlDoc *schema, const xmlNode *node);
/* The simpleType of an attribute that an element could have. */
const xmlNode *schema_attribute_type(const xmlDoc *schema, const xmlNode *element, const char *name);
/* Names of the attributes, or of the child elements, that a complexType has. */
void schema_attributes(const xmlNode *type, struct problems_names *names);
void schema_children(const xmlNode *type, struct problems_names *names);
/* The values that a simpleType lists, those nearest to `found` first, or else its documentation. */
void schema_describe(const xmlNode *value_type, const char *found, char out[PROBLEMS_LIST]);
/* How often a child may stand in an element of this type; 0: no such child, -1: as often as one likes. */
int schema_max_occurs(const xmlNode *type, const char *child);

#endif
