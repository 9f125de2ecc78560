/* Attributes of a Phase 2 transform: their numbers, and what one transform says in our terms. Only the two
 * files of offer.h share this. RFC 2407 section 4.5. */
#ifndef P2_OFFER_ATTRIBUTES_H
#define P2_OFFER_ATTRIBUTES_H

#include "offer.h"

enum {
    P2_ATTR_LIFE_TYPE = 1,
    P2_ATTR_LIFE_DURATION = 2,
    P2_ATTR_GROUP = 3,
    P2_ATTR_MODE = 4,
    P2_ATTR_AUTH = 5,
    P2_ATTR_KEY_LENGTH = 6,
};

enum { P2_LIFE_SECONDS = 1, P2_LIFE_KILOBYTES = 2 };

/* RFC 3947 section 5.1: 3 and 4 for tunnel and transport in UDP. */
static inline uint16_t p2_wire_mode(const struct p2_offer_context *context)
{
    return (uint16_t)(context->policy->mode + (context->encapsulated ? 2 : 0));
}

#endif
