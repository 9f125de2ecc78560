/* Choosing from an SA payload: suites of protocols against the policy's proposals, and which offer came
 * nearest if none will do. */
#include "offer_impl.h"

#include <stdio.h>
#include <string.h>

static const char rule_protocol[] =
    "the protocols of one proposal number belong together: RFC 2408 section 4.2";

static const char *protocol_text(unsigned protocol)
{
    return protocol == P2_PROTO_AH ? "ah" : protocol == P2_PROTO_ESP ? "esp" : "another protocol";
}

/* The transforms of one proposal payload: they follow each other. */
struct payload {
    const struct p2_isakmp_transform *first;
    size_t num;
};

/* All payloads of one proposal number. */
struct offered_suite {
    size_t num;
    struct payload payloads[P2_MAX_BUNDLE];
    bool too_many;
};

static struct offered_suite collect(const struct p2_isakmp_sa_payload *sa, uint8_t number)
{
    struct offered_suite suite = {0};
    for (size_t i = 0; i < sa->num; i++) {
        const struct p2_isakmp_transform *t = &sa->transforms[i];
        if (t->proposal_number != number)
            continue;
        if (suite.num > 0 && suite.payloads[suite.num - 1].first->proposal == t->proposal)
            suite.payloads[suite.num - 1].num++;
        else if (suite.num < P2_MAX_BUNDLE)
            suite.payloads[suite.num++] = (struct payload){t, 1};
        else
            suite.too_many = true;
    }
    return suite;
}

const struct p2_protocol_offer *p2_offer_protocol(const struct p2_proposal *proposal, unsigned protocol)
{
    for (size_t i = 0; i < proposal->num_protocols; i++) {
        if (proposal->protocols[i].protocol == protocol)
            return &proposal->protocols[i];
    }
    return NULL;
}

static bool same_protocols(const struct offered_suite *suite, const struct p2_proposal *proposal)
{
    bool twice = suite->num == 2 && suite->payloads[0].first->protocol == suite->payloads[1].first->protocol;
    if (suite->too_many || twice || suite->num != proposal->num_protocols)
        return false;
    for (size_t i = 0; i < suite->num; i++) {
        if (!p2_offer_protocol(proposal, suite->payloads[i].first->protocol))
            return false;
    }
    return true;
}

static void refuse_protocols(struct p2_offer_refusal *why, const struct offered_suite *suite,
                             const struct p2_proposal *proposal)
{
    const struct payload *p = suite->payloads;
    bool two = proposal->num_protocols == 2;
    P2_REFUSE(why, P2_RANK_PROTOCOL, "protocol", rule_protocol, "%s%s%s%s",
              protocol_text(p[0].first->protocol), suite->num > 1 ? " with " : "",
              suite->num > 1 ? protocol_text(p[1].first->protocol) : "", suite->too_many ? " and more" : "");
    snprintf(why->acceptable, sizeof(why->acceptable), "%s%s",
             two ? "" : protocol_text(proposal->protocols[0].protocol), two ? "ah with esp" : "");
}

static void keep_nearest(struct p2_offer_refusal *nearest, const struct p2_offer_refusal *why)
{
    if (why->rank > nearest->rank)
        *nearest = *why;
    else if (why->rank == nearest->rank && strcmp(why->field, nearest->field) == 0)
        p2_offer_merge(nearest, why);
}

static bool accept(struct p2_offer_refusal *why, struct p2_offer_choice *choice,
                   const struct p2_offer_context *context, const struct p2_proposal *proposal,
                   const struct p2_isakmp_transform *t)
{
    const struct p2_offer_context own = p2_offer_context_of(context, proposal);
    return p2_offer_accept_transform(why, choice, &own, p2_offer_protocol(proposal, t->protocol), t);
}

/* The other protocols of a bundle: the first transform of each that will do. */
static bool accept_others(struct p2_offer_refusal *nearest, struct p2_offer_choice *choice,
                          const struct p2_offer_context *context, const struct p2_proposal *proposal,
                          const struct offered_suite *suite)
{
    struct p2_offer_refusal why;
    for (size_t i = 1; i < suite->num; i++) {
        size_t before = choice->num;
        for (size_t j = 0; j < suite->payloads[i].num && choice->num == before; j++) {
            if (!accept(&why, choice, context, proposal, &suite->payloads[i].first[j]))
                keep_nearest(nearest, &why);
        }
        if (choice->num == before)
            return false;
    }
    return true;
}

/* Application order: ESP is the inner one. */
static void finish(struct p2_offer_choice *choice, const struct p2_offer_context *context,
                   const struct p2_proposal *proposal)
{
    struct p2_suite *suite = &choice->suite;
    suite->num = choice->num;
    if (suite->num == 2 && suite->protocol[0] == P2_PROTO_AH) {
        struct p2_algorithms ah = suite->algorithms[0];
        suite->protocol[0] = P2_PROTO_ESP;
        suite->protocol[1] = P2_PROTO_AH;
        suite->algorithms[0] = suite->algorithms[1];
        suite->algorithms[1] = ah;
    }
    memcpy(suite->name, proposal->name, sizeof(suite->name));
    choice->group = context->policy->pfs;
    choice->encapsulated = p2_offer_context_of(context, proposal).encapsulated;
    choice->found = true;
}

/* One suite: the initiator's order of transforms decides before the order of our proposals. */
static void try_suite(struct p2_offer_choice *choice, struct p2_offer_refusal *nearest,
                      const struct p2_offer_context *context, const struct offered_suite *suite)
{
    const struct p2_policy *policy = context->policy;
    struct p2_offer_refusal why;
    for (size_t t = 0; t < suite->payloads[0].num; t++) {
        for (size_t i = 0; i < policy->num_proposals; i++) {
            const struct p2_proposal *proposal = &policy->proposals[i];
            choice->num = 0;
            why = (struct p2_offer_refusal){0};
            if (!same_protocols(suite, proposal))
                refuse_protocols(&why, suite, proposal);
            else if (accept(&why, choice, context, proposal, &suite->payloads[0].first[t]) &&
                     accept_others(nearest, choice, context, proposal, suite))
                finish(choice, context, proposal);
            if (choice->found)
                return;
            keep_nearest(nearest, &why);
        }
    }
}

static bool is_first_of_its_number(const struct p2_isakmp_sa_payload *sa, size_t i)
{
    for (size_t j = 0; j < i; j++) {
        if (sa->transforms[j].proposal_number == sa->transforms[i].proposal_number)
            return false;
    }
    return true;
}

void p2_offer_choose(struct p2_offer_choice *choice, const struct p2_isakmp_sa_payload *sa,
                     const struct p2_offer_context *context)
{
    struct p2_offer_refusal nearest = {0};
    memset(choice, 0, sizeof(*choice));
    for (size_t i = 0; i < sa->num && !choice->found; i++) {
        if (!is_first_of_its_number(sa, i))
            continue;
        struct offered_suite suite = collect(sa, sa->transforms[i].proposal_number);
        try_suite(choice, &nearest, context, &suite);
    }
    if (choice->found)
        return;
    choice->num = 0;
    memcpy(choice->field, nearest.field, sizeof(choice->field));
    memcpy(choice->offered, nearest.offered, sizeof(choice->offered));
    memcpy(choice->acceptable, nearest.acceptable, sizeof(choice->acceptable));
    choice->rule = nearest.rule;
}
