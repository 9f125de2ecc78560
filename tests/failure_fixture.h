/* What the tests of failures share: how each end of a negotiation must have seen its failure, down to the
 * last field, and which reasons each of the programs provokes. Between them they provoke all there are. */
#ifndef P2_TESTS_FAILURE_FIXTURE_H
#define P2_TESTS_FAILURE_FIXTURE_H

#include "sim/forge.h"

#define BIT(failure) (1u << P2_FAIL_##failure)

/* test_failures.c, test_failures_phase1.c, test_failures_ends.c */
#define FAILURES_QUICK                                                                                       \
    (BIT(NO_PROPOSAL_CHOSEN) | BIT(INVALID_ID_INFORMATION) | BIT(INVALID_KEY_INFORMATION) |                  \
     BIT(PAYLOAD_MALFORMED) | BIT(INVALID_PAYLOAD_TYPE))
#define FAILURES_PHASE1                                                                                      \
    (BIT(NO_PROPOSAL_CHOSEN) | BIT(INVALID_ID_INFORMATION) | BIT(INVALID_KEY_INFORMATION) | BIT(TIMEOUT) |   \
     BIT(WRONG_KEY) | BIT(AUTHENTICATION_FAILED))
#define FAILURES_ENDS                                                                                        \
    (BIT(TIMEOUT) | BIT(SUPERSEDED) | BIT(PHASE1_LOST) | BIT(PEER_DEAD) | BIT(PEER_REFUSED) |                \
     BIT(INVALID_HASH_INFORMATION) | BIT(INTERNAL) | BIT(NO_PROPOSAL_CHOSEN) | BIT(INVALID_ID_INFORMATION) | \
     BIT(INVALID_KEY_INFORMATION) | BIT(PAYLOAD_MALFORMED) | BIT(INVALID_PAYLOAD_TYPE) |                     \
     BIT(AUTHENTICATION_FAILED))

_Static_assert((FAILURES_QUICK | FAILURES_PHASE1 | FAILURES_ENDS) == (1u << P2_NUM_FAILURES) - 2,
               "some reason is provoked by none of the programs");

/* failure P2_FAIL_NONE: this end did not fail, or never heard of it. */
struct view {
    enum p2_failure failure;
    const char *message, *field, *offered, *acceptable;
    const char *rule; /* a part of it: its source. NULL: there is no rule */
    uint16_t notify;
    bool received;
};

/* By an authentic notify: the rule is always the same, and the peer gives no reasons. */
#define HEARD(reason, which, what, sent, number)                                                             \
    {                                                                                                        \
        P2_FAIL_##reason, which, what, sent, "the peer does not say", "RFC 2408 section 3.14.1", number,     \
            true                                                                                             \
    }

/* A rule without its source explains nothing. */
static inline bool names_its_source(const char *rule)
{
    const char *rfc = strstr(rule, "RFC ");
    return (rfc && strstr(rfc, " section ")) || strstr(rule, "Junos");
}

static inline bool same_text(const char *a, const char *b)
{
    return a && b ? strcmp(a, b) == 0 : a == b;
}

static inline bool is_seen(const struct p2_negotiation *n, const struct view *v)
{
    bool rule = v->rule ? n->rule && strstr(n->rule, v->rule) && names_its_source(n->rule) : !n->rule;
    return n->event == P2_NEGOTIATION_FAILED && n->failure == v->failure &&
           same_text(n->message, v->message) && same_text(n->field, v->field) &&
           same_text(n->offered, v->offered) && same_text(n->acceptable, v->acceptable) && rule &&
           n->notify == v->notify && n->notify_received == v->received;
}

/* Both views; what was seen goes into *reasons. */
static inline void check_views(const char *name, const struct ledger_entry *entry, const struct view views[2],
                               unsigned *reasons)
{
    CU_ASSERT_PTR_NOT_NULL_FATAL(entry);
    for (int i = 0; i < 2; i++) {
        const struct p2_negotiation *n = &entry->failures[i];
        bool fails = views[i].failure != P2_FAIL_NONE;
        bool right = entry->failed[i] == fails && (!fails || (is_seen(n, &views[i]) && n->initiator == !i));
        CU_ASSERT_TRUE(right);
        if (!right)
            printf("\n      %s, %s: %s, %s, field %s: %s, accepts %s; notify %u%s; %s\n", name,
                   i ? "responder" : "initiator", p2_failure_name(n->failure), n->message ? n->message : "-",
                   n->field, n->offered, n->acceptable, n->notify, n->notify_received ? " received" : "",
                   n->rule ? n->rule : "no rule");
        if (entry->failed[i])
            *reasons |= 1u << n->failure;
    }
}

#endif
