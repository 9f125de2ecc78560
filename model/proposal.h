/* What a Phase 2 proposal is: one protocol, or AH and ESP together, each with its algorithms; and Junos's
 * predefined ones by name.
 *
 * As ISAKMP means them (RFC 2408 section 4.2): the transforms of one proposal payload are alternatives (OR),
 * proposal payloads of one number belong together (AND), those of different numbers are alternatives again.
 * RFC 2407 section 4.4 and 4.5. */
#ifndef P2_PROPOSAL_H
#define P2_PROPOSAL_H

#include "cipher.h"
#include "dh.h"
#include "hash.h"

#ifdef __cplusplus
extern "C" {
#endif

#define P2_MAX_PROPOSALS    4 /* in a policy, as in Junos */
#define P2_MAX_ALTERNATIVES 8 /* transforms of one protocol */
#define P2_MAX_BUNDLE       2 /* protocols of a proposal: AH around ESP */

/* RFC 2407 4.5, "Encapsulation Mode". The UDP-encapsulated forms of RFC 3947 section 5.1 are 3 and 4 on the
 * wire; they follow from the NAT that Phase 1 found and are no part of a policy. */
enum p2_mode { P2_MODE_TUNNEL = 1, P2_MODE_TRANSPORT = 2 };

struct p2_algorithms {
    enum p2_cipher cipher; /* ESP: never NONE (P2_CIPHER_NULL is the one that leaves bytes alone); AH: NONE */
    enum p2_auth auth;     /* NONE with a combined mode such as GCM only */
};

/* Bytes of KEYMAT that they take: encryption key, its salt, authentication key. */
size_t p2_algorithms_keymat_len(const struct p2_algorithms *algorithms);

struct p2_protocol_offer {
    enum p2_protocol protocol; /* ESP or AH */
    size_t num;
    struct p2_algorithms alternatives[P2_MAX_ALTERNATIVES]; /* best first */
};

struct p2_proposal {
    char name[48];        /* predefined or the user's; may be empty */
    size_t num_protocols; /* 1, or 2: AH, then ESP, both applied (ESP first, AH around it) */
    struct p2_protocol_offer protocols[P2_MAX_BUNDLE];
};

/* What two ends agreed on: one choice for each protocol. */
struct p2_suite {
    char name[48]; /* of the proposal it came from */
    size_t num;
    enum p2_protocol protocol[P2_MAX_BUNDLE];
    struct p2_algorithms algorithms[P2_MAX_BUNDLE];
};

/* One protocol with one choice of algorithms. */
struct p2_proposal p2_proposal_of(enum p2_protocol protocol, enum p2_cipher cipher, enum p2_auth auth);

/* A predefined proposal by Junos's name ("g2-esp-aes128-sha"). *pfs is what the name says (NULL: not wanted):
 * a policy's own PFS goes before it. False: no such name. */
bool p2_proposal_predefined(struct p2_proposal *proposal, enum p2_group *pfs, const char *name);
/* Row i of the predefined names; NULL past the end. */
const char *p2_proposal_predefined_name(size_t i);

/* A predefined set by Junos's name ("standard", "compatible", "basic"): the names of its proposals, best
 * first, NULL behind the last one. NULL: no such set. */
const char *const *p2_proposal_set(const char *name);
/* Row i of the sets' names; NULL past the end. */
const char *p2_proposal_set_name(size_t i);

#define P2_PROPOSAL_TEXT 96
/* "esp aes-128-cbc hmac-sha1-96", "ah hmac-md5-96 and esp null hmac-sha1-96"; alternatives are joined by a
 * slash, and cut to size if there are too many. */
void p2_proposal_format(const struct p2_proposal *proposal, char text[P2_PROPOSAL_TEXT]);
void p2_suite_format(const struct p2_suite *suite, char text[P2_PROPOSAL_TEXT]);

#ifdef __cplusplus
}
#endif
#endif
