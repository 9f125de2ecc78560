/* Which parts of a scenario anything uses. A part that nothing uses is a slip: most likely the name of
 * another one is wrong. Looked at over all cases, for what one does not use another may. */
#ifndef P2_SCENARIO_LOAD_USAGE_H
#define P2_SCENARIO_LOAD_USAGE_H

#include "problems.h"

#include <libxml/tree.h>

struct loader;

/* A flag for each element, in the order of the file; NULL as long as no case was looked at. */
struct load_usage {
    bool *profiles, *gateways, *tunnels;
};

/* Adds what a case that was loaded uses. False: reported (out of memory). */
bool load_note_usage(struct load_usage *usage, const struct loader *l);
/* Reports what no case uses. False: there was something. */
bool load_report_unused(const struct load_usage *usage, struct problems *problems, const xmlNode *root);
void load_usage_cleanup(struct load_usage *usage);

#endif
