/* What the files of offer.h share: the numbers of Phase 2 attributes (RFC 2407 section 4.5), and one
 * transform against one protocol of a policy. */
#ifndef P2_OFFER_IMPL_H
#define P2_OFFER_IMPL_H

#include "offer.h"

enum {
    P2_ATTR_LIFE_TYPE = 1,
    P2_ATTR_LIFE_DURATION = 2,
    P2_ATTR_GROUP = 3,
    P2_ATTR_MODE = 4,
    P2_ATTR_AUTH = 5,
    P2_ATTR_KEY_LENGTH = 6,
    P2_ATTR_ESN = 11, /* RFC 4304 section 2 */
};

enum { P2_ESN_64_BITS = 1 };
enum { P2_LIFE_SECONDS = 1, P2_LIFE_KILOBYTES = 2 };

/* ESP alone goes into UDP: AH covers the addresses that a NAT changes, so that it does not help there (RFC
 * 3715 section 2.1), and has no such mode. */
static inline struct p2_offer_context p2_offer_context_of(const struct p2_offer_context *context,
                                                          const struct p2_proposal *proposal)
{
    struct p2_offer_context own = *context;
    for (size_t i = 0; i < proposal->num_protocols; i++)
        own.encapsulated &= proposal->protocols[i].protocol == P2_PROTO_ESP;
    return own;
}

/* RFC 3947 section 5.1: 3 and 4 for tunnel and transport in UDP. */
static inline uint16_t p2_wire_mode(const struct p2_offer_context *context)
{
    return (uint16_t)(context->policy->mode + (context->encapsulated ? 2 : 0));
}

/* How far an offer got along the fields, and what stopped it: a higher rank came nearer. */
enum p2_offer_rank {
    P2_RANK_ACCEPTED,
    P2_RANK_SHAPE,
    P2_RANK_PROTOCOL,
    P2_RANK_ENCRYPTION,
    P2_RANK_AUTHENTICATION,
    P2_RANK_MODE,
    P2_RANK_GROUP,
    P2_RANK_ESN,
    P2_RANK_ATTRIBUTE,
    P2_RANK_LIFETIME,
};

struct p2_offer_refusal {
    enum p2_offer_rank rank;
    char field[32], offered[P2_WHY_MAX], acceptable[P2_WHY_MAX];
    const char *rule; /* a literal */
};

/* Notes the field and what was offered in it; what is acceptable comes after it. */
#define P2_REFUSE(r, n, what, why, ...)                                                                      \
    do {                                                                                                     \
        (r)->rank = (n);                                                                                     \
        (r)->rule = (why);                                                                                   \
        snprintf((r)->field, sizeof((r)->field), "%s", (what));                                              \
        snprintf((r)->offered, sizeof((r)->offered), __VA_ARGS__);                                           \
    } while (0)

/* Another refusal in the same field: both are told as one where that is true of both. */
void p2_offer_merge(struct p2_offer_refusal *nearest, const struct p2_offer_refusal *why);

/* The protocol of a proposal; NULL: it has no such. */
const struct p2_protocol_offer *p2_offer_protocol(const struct p2_proposal *proposal, unsigned protocol);

/* Adds the transform to the choice as one part, if it is one of our alternatives for its protocol and all
 * else fits; or says in which field it differs. */
bool p2_offer_accept_transform(struct p2_offer_refusal *why, struct p2_offer_choice *choice,
                               const struct p2_offer_context *context, const struct p2_protocol_offer *ours,
                               const struct p2_isakmp_transform *t);

#endif
