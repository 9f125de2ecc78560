/* Validation against scenarios/phase2sim.xsd, with messages that a person understands. */
#ifndef P2_SCENARIO_LOAD_SCHEMA_H
#define P2_SCENARIO_LOAD_SCHEMA_H

#include "load_xml.h"

#include <libxml/xmlschemas.h>

/* The schema twice: compiled, to validate; and as a document, to look up what it allows. */
struct load_schema {
    xmlSchema *compiled;
    xmlDoc *doc;
};

/* False: reported (out of memory). */
bool load_schema_init(struct load_schema *schema, struct problems *problems);
void load_schema_cleanup(struct load_schema *schema);

/* Reports what the schema does not allow, and adds the attributes that have a default but are not written.
 * The root must be `root`. False: something was reported. */
bool load_validate(const struct load_schema *schema, struct problems *problems, xmlDoc *doc,
                   const char *root);

#endif
