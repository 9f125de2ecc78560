/* The SA payload of a Quick Mode: what a policy offers, which offer it accepts, and the answer.
 *
 * RFC 2407 section 4.5 (attributes), RFC 2408 section 4.2 (several proposals), RFC 2409 section 5.5 (one
 * group). */
#ifndef P2_OFFER_H
#define P2_OFFER_H

#include "gateway.h"
#include "isakmp.h"

/* The body of the SA payload: one proposal payload for each of the policy's, in its order, numbered from 1.
 */
void p2_offer_build(struct p2_builder *builder, const struct p2_policy *policy, uint32_t spi);

struct p2_offer_choice {
    bool found;
    struct p2_isakmp_transform transform; /* as it came */
    struct p2_algorithms algorithms;
    uint32_t spi;
    uint32_t lifetime_s; /* the shorter of both */
    enum p2_group group;
    /* If nothing was found: the field in which the offer that came nearest differs. */
    char field[32], offered[P2_WHY_MAX], acceptable[P2_WHY_MAX];
};

/* The first transform, in the initiator's order, that the policy accepts. Also how an initiator checks the
 * answer. */
void p2_offer_choose(struct p2_offer_choice *choice, const struct p2_isakmp_sa_payload *sa,
                     const struct p2_policy *policy);

/* The body of the answering SA payload: the chosen transform as it came, with our SPI. */
void p2_offer_build_answer(struct p2_builder *builder, uint8_t proposal_number, uint8_t transform_number,
                           uint8_t transform_id, struct p2_bytes attributes, uint32_t spi);

#endif
