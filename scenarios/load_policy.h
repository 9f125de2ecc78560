/* What one end of a tunnel offers and accepts. All of these overwrite only what the element says, so that a
 * tunnel's element and then an end's own make that end's policy. False: reported. */
#ifndef P2_SCENARIO_LOAD_POLICY_H
#define P2_SCENARIO_LOAD_POLICY_H

#include "problems.h"

#include <libxml/tree.h>

/* PFS as the names of the proposals say it, until the whole policy is known. */
struct load_pfs {
    bool as_named;                         /* pfs="as-named" is in force */
    enum p2_group named[P2_MAX_PROPOSALS]; /* of each proposal; none: nopfs, or a custom one */
};

bool load_phase1(struct problems *problems, const xmlNode *element, struct p2_phase1_policy *phase1);
/* An element with proposals replaces all of those before. */
bool load_policy(struct problems *problems, const xmlNode *element, struct p2_policy *policy,
                 struct load_pfs *pfs);
/* Once an end's policy is whole: settles its PFS, and warns when the names disagree. */
void load_pfs_settle(struct problems *problems, int line, struct p2_policy *policy,
                     const struct load_pfs *pfs);

/* Part of load_policy, in load_proposal.c: the <proposal> and <proposals> of a policy element. */
bool load_proposals(struct problems *problems, const xmlNode *element, struct p2_policy *policy,
                    struct load_pfs *pfs);

#endif
