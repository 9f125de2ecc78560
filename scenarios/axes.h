/* <vary>: axes, their values, and the names of the cases that crossing them makes. */
#ifndef P2_SCENARIO_AXES_H
#define P2_SCENARIO_AXES_H

#include "load_xml.h"

#define AXES_MAX       8
#define AXES_MAX_CASES 10000

struct axis {
    const xmlNode *element;
    const char *name, *set; /* borrowed from the element */
    char (*values)[SCENARIO_NAME];
    size_t num_values;
};

struct axes {
    struct axis items[AXES_MAX];
    size_t num;
    size_t num_cases; /* 1 without axes */
};

/* Of a validated scenario. False: reported. Either way axes_cleanup is due. */
bool axes_load(struct axes *axes, struct problems *problems, const xmlNode *root);
void axes_cleanup(struct axes *axes);

/* Name and settings of case i; the first axis is the slowest. False: reported. */
bool axes_case(const struct axes *axes, struct problems *problems, size_t i, struct scenario_case *out);
/* Whether several axes have that value, so that it says nothing without the name of one. */
bool axes_share_value(const struct axes *axes, const char *text);
/* True if an expectation's case="..." means this case: its name, or a list of its parts ("PFS=none") or
 * values ("none"). */
bool axes_case_is(const struct scenario_case *c, const char *text);

#endif
