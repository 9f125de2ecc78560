/* What one end of a tunnel offers and accepts. Both overwrite only what the element says, so that a tunnel's
 * element and then an end's own make that end's policy. False: reported. */
#ifndef P2_SCENARIO_LOAD_POLICY_H
#define P2_SCENARIO_LOAD_POLICY_H

#include "problems.h"

#include <libxml/tree.h>

bool load_phase1(struct problems *problems, const xmlNode *element, struct p2_phase1_policy *phase1);
/* An element with proposals replaces all of those before. */
bool load_policy(struct problems *problems, const xmlNode *element, struct p2_policy *policy);

#endif
