/* Building SA payloads, as an offer and as an answer. */
#include "offer_impl.h"

bool p2_policy_has(const struct p2_policy *policy, enum p2_protocol protocol)
{
    for (size_t i = 0; i < policy->num_proposals; i++) {
        if (p2_offer_protocol(&policy->proposals[i], protocol))
            return true;
    }
    return false;
}

static void build_attributes(struct p2_builder *b, const struct p2_offer_context *context,
                             const struct p2_algorithms *algorithms)
{
    const struct p2_policy *policy = context->policy;
    const struct p2_cipher_info *cipher = p2_cipher_of(algorithms->cipher);
    if (cipher->key_length_attribute)
        p2_build_attribute(b, P2_ATTR_KEY_LENGTH, (uint32_t)cipher->key_len * 8);
    if (algorithms->auth != P2_AUTH_NONE)
        p2_build_attribute(b, P2_ATTR_AUTH, p2_auth_of(algorithms->auth)->ipsec_id);
    if (policy->pfs != P2_GROUP_NONE)
        p2_build_attribute(b, P2_ATTR_GROUP, policy->pfs);
    p2_build_attribute(b, P2_ATTR_MODE, p2_wire_mode(context));
    if (policy->esn)
        p2_build_attribute(b, P2_ATTR_ESN, P2_ESN_64_BITS);
    p2_offer_build_lifetimes(b, policy->lifetime_s, policy->lifetime_kb);
}

void p2_offer_build_lifetimes(struct p2_builder *b, uint32_t lifetime_s, uint32_t lifetime_kb)
{
    if (lifetime_s != 0) {
        p2_build_attribute(b, P2_ATTR_LIFE_TYPE, P2_LIFE_SECONDS);
        p2_build_attribute(b, P2_ATTR_LIFE_DURATION, lifetime_s);
    }
    if (lifetime_kb != 0) {
        p2_build_attribute(b, P2_ATTR_LIFE_TYPE, P2_LIFE_KILOBYTES);
        p2_build_attribute(b, P2_ATTR_LIFE_DURATION, lifetime_kb);
    }
}

/* Opens a proposal payload (RFC 2408 section 3.5); its length is filled in by close_payload. */
static size_t open_proposal(struct p2_builder *b, bool last, uint8_t number, enum p2_protocol protocol,
                            size_t num_transforms, uint32_t spi)
{
    size_t start = b->len;
    p2_build_u8(b, last ? P2_PAYLOAD_NONE : P2_PAYLOAD_PROPOSAL);
    p2_build_u8(b, 0);
    p2_build_u16(b, 0);
    p2_build_u8(b, number);
    p2_build_u8(b, (uint8_t)protocol);
    p2_build_u8(b, 4);
    p2_build_u8(b, (uint8_t)num_transforms);
    p2_build_u32(b, spi);
    return start;
}

/* Opens a transform payload (section 3.6). */
static size_t open_transform(struct p2_builder *b, bool last, uint8_t number, uint8_t id)
{
    size_t start = b->len;
    p2_build_u8(b, last ? P2_PAYLOAD_NONE : P2_PAYLOAD_TRANSFORM);
    p2_build_u8(b, 0);
    p2_build_u16(b, 0);
    p2_build_u8(b, number);
    p2_build_u8(b, id);
    p2_build_u16(b, 0);
    return start;
}

static void close_payload(struct p2_builder *b, size_t start)
{
    p2_build_patch_u16(b, start + 2, (uint16_t)(b->len - start));
}

static uint8_t transform_id(enum p2_protocol protocol, const struct p2_algorithms *algorithms)
{
    return protocol == P2_PROTO_AH ? p2_auth_of(algorithms->auth)->ah_id
                                   : p2_cipher_of(algorithms->cipher)->esp_id;
}

static void build_protocol(struct p2_builder *b, const struct p2_offer_context *context,
                           const struct p2_protocol_offer *offer, bool last, uint8_t number, uint32_t spi)
{
    size_t proposal = open_proposal(b, last, number, offer->protocol, offer->num, spi);
    for (size_t i = 0; i < offer->num; i++) {
        const struct p2_algorithms *algorithms = &offer->alternatives[i];
        size_t transform = open_transform(b, i + 1 == offer->num, (uint8_t)(i + 1),
                                          transform_id(offer->protocol, algorithms));
        build_attributes(b, context, algorithms);
        close_payload(b, transform);
    }
    close_payload(b, proposal);
}

void p2_offer_build(struct p2_builder *b, const struct p2_offer_context *context,
                    const uint32_t spi[P2_MAX_BUNDLE])
{
    const struct p2_policy *policy = context->policy;
    p2_build_u32(b, P2_DOI_IPSEC);
    p2_build_u32(b, P2_SIT_IDENTITY_ONLY);
    for (size_t i = 0; i < policy->num_proposals; i++) {
        const struct p2_proposal *proposal = &policy->proposals[i];
        const struct p2_offer_context own = p2_offer_context_of(context, proposal);
        for (size_t j = 0; j < proposal->num_protocols; j++) {
            const struct p2_protocol_offer *offer = &proposal->protocols[j];
            bool last = i + 1 == policy->num_proposals && j + 1 == proposal->num_protocols;
            build_protocol(b, &own, offer, last, (uint8_t)(i + 1), spi[p2_spi_index(offer->protocol)]);
        }
    }
}

void p2_offer_build_answer(struct p2_builder *b, const struct p2_offer_part *parts, size_t num,
                           const uint32_t spi[P2_MAX_BUNDLE])
{
    p2_build_u32(b, P2_DOI_IPSEC);
    p2_build_u32(b, P2_SIT_IDENTITY_ONLY);
    for (size_t i = 0; i < num; i++) {
        const struct p2_offer_part *part = &parts[i];
        size_t proposal = open_proposal(b, i + 1 == num, part->proposal_number, part->protocol, 1,
                                        spi[p2_spi_index(part->protocol)]);
        size_t transform = open_transform(b, true, part->transform_number, part->transform_id);
        p2_build_bytes(b, part->attributes, part->attributes_len);
        close_payload(b, transform);
        close_payload(b, proposal);
    }
}
