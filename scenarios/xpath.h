/* The attributes that a path of --set or of an <axis> means, and setting them. */
#ifndef P2_SCENARIO_XPATH_H
#define P2_SCENARIO_XPATH_H

#include "problems.h"

#include <libxml/xpath.h>

/* Why a path selects nothing that can be set, and what would. */
struct xpath_problem {
    char why[192];
    char allowed[PROBLEMS_LIST];
};

/* XPath 1.0 in which names without prefix are those of the scenario. NULL: see the problem. To be freed with
 * xmlXPathFreeObject, before the document. */
xmlXPathObject *xpath_select(xmlDoc *doc, const char *path, struct xpath_problem *problem);
/* False: out of memory. */
bool xpath_set(const xmlXPathObject *selected, const char *value);

#endif
