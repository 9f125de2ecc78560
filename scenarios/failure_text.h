/* A failed negotiation as one sentence that a person understands: who, which message, which rule, what was
 * offered and what would have been taken. And one that still waits when the run ends: for what. */
#ifndef P2_SCENARIO_FAILURE_TEXT_H
#define P2_SCENARIO_FAILURE_TEXT_H

#include "gateway.h"

#define FAILURE_TEXT 512

struct failure_view {
    const char *initiator, *responder; /* gateways as reports call them */
    bool phase1;
    enum p2_phase1_mode mode;             /* of Phase 1 */
    bool unfinished;                      /* when the run ended: it still waits */
    const struct p2_negotiation *failure; /* as the side that knows most told it */
};

/* Cut if it is too long. */
void failure_text(char out[FAILURE_TEXT], const struct failure_view *view);
/* "NO-PROPOSAL-CHOSEN" for 14; "notify 99" for a number without a name here; empty for 0. */
void failure_notify_name(char out[48], uint16_t notify);

#endif
