/* What a Phase 2 proposal is: a protocol with its algorithms, and Junos's predefined ones by name.
 *
 * RFC 2407 section 4.4 and 4.5, RFC 2408 section 4.2. */
#ifndef P2_PROPOSAL_H
#define P2_PROPOSAL_H

#include "cipher.h"
#include "dh.h"
#include "hash.h"

#ifdef __cplusplus
extern "C" {
#endif

#define P2_MAX_PROPOSALS 4 /* in a policy, as in Junos */

enum p2_mode { P2_MODE_TUNNEL = 1, P2_MODE_TRANSPORT = 2 }; /* RFC 2407 4.5, "Encapsulation Mode" */

struct p2_proposal {
    char name[48]; /* predefined or the user's; may be empty */
    enum p2_cipher cipher;
    enum p2_auth auth;
};

/* A predefined proposal by Junos's name ("g2-esp-aes128-sha"). PFS belongs to the policy and is not taken
 * from the name. False: no such name, or its algorithms are not built in. */
bool p2_proposal_predefined(struct p2_proposal *proposal, const char *name);
/* Row i of the predefined names; NULL past the end. */
const char *p2_proposal_predefined_name(size_t i);

#define P2_PROPOSAL_TEXT 64
/* "esp aes-128-cbc hmac-sha1-96" */
void p2_proposal_format(const struct p2_proposal *proposal, char text[P2_PROPOSAL_TEXT]);

#ifdef __cplusplus
}
#endif
#endif
