#include "offer.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

/* RFC 2407 section 4.5 */
enum {
    ATTR_LIFE_TYPE = 1,
    ATTR_LIFE_DURATION = 2,
    ATTR_GROUP = 3,
    ATTR_MODE = 4,
    ATTR_AUTH = 5,
    ATTR_KEY_LENGTH = 6,
};

#define LIFE_SECONDS 1

static void build_attributes(struct p2_builder *b, const struct p2_policy *policy,
                             const struct p2_algorithms *proposal)
{
    const struct p2_cipher_info *cipher = p2_cipher_info(proposal->cipher);
    if (cipher->key_length_attribute)
        p2_build_attribute(b, ATTR_KEY_LENGTH, (uint32_t)cipher->key_len * 8);
    if (proposal->auth != P2_AUTH_NONE) /* RFC 2407 section 4.5: absence means none */
        p2_build_attribute(b, ATTR_AUTH, p2_auth_info(proposal->auth)->ipsec_id);
    if (policy->pfs != P2_GROUP_NONE)
        p2_build_attribute(b, ATTR_GROUP, policy->pfs);
    p2_build_attribute(b, ATTR_MODE, policy->mode);
    p2_build_attribute(b, ATTR_LIFE_TYPE, LIFE_SECONDS);
    p2_build_attribute(b, ATTR_LIFE_DURATION, policy->lifetime_s);
}

/* One proposal payload with one transform; attributes come either from the policy or as they were received.
 */
struct proposal_payload {
    bool last;
    uint8_t number, transform_number, transform_id;
    uint32_t spi;
};

static void build_proposal(struct p2_builder *b, const struct proposal_payload *p,
                           const struct p2_policy *policy, const struct p2_proposal *proposal,
                           struct p2_bytes attributes)
{
    size_t start = b->len;
    p2_build_u8(b, p->last ? P2_PAYLOAD_NONE : P2_PAYLOAD_PROPOSAL);
    p2_build_u8(b, 0);
    p2_build_u16(b, 0);
    p2_build_u8(b, p->number);
    p2_build_u8(b, P2_PROTO_ESP);
    p2_build_u8(b, 4);
    p2_build_u8(b, 1);
    p2_build_u32(b, p->spi);
    size_t transform = b->len;
    p2_build_u8(b, P2_PAYLOAD_NONE);
    p2_build_u8(b, 0);
    p2_build_u16(b, 0);
    p2_build_u8(b, p->transform_number);
    p2_build_u8(b, p->transform_id);
    p2_build_u16(b, 0);
    if (proposal)
        build_attributes(b, policy, &proposal->protocols[0].alternatives[0]);
    else
        p2_build_bytes(b, attributes.data, attributes.len);
    p2_build_patch_u16(b, transform + 2, (uint16_t)(b->len - transform));
    p2_build_patch_u16(b, start + 2, (uint16_t)(b->len - start));
}

void p2_offer_build(struct p2_builder *b, const struct p2_policy *policy, uint32_t spi)
{
    p2_build_u32(b, P2_DOI_IPSEC);
    p2_build_u32(b, P2_SIT_IDENTITY_ONLY);
    for (size_t i = 0; i < policy->num_proposals; i++) {
        struct proposal_payload p = {
            .last = i + 1 == policy->num_proposals,
            .number = (uint8_t)(i + 1),
            .transform_number = 1,
            .transform_id = p2_cipher_info(policy->proposals[i].protocols[0].alternatives[0].cipher)->esp_id,
            .spi = spi};
        build_proposal(b, &p, policy, &policy->proposals[i], (struct p2_bytes){NULL, 0});
    }
}

void p2_offer_build_answer(struct p2_builder *b, uint8_t proposal_number, uint8_t transform_number,
                           uint8_t transform_id, struct p2_bytes attributes, uint32_t spi)
{
    struct proposal_payload p = {.last = true,
                                 .number = proposal_number,
                                 .transform_number = transform_number,
                                 .transform_id = transform_id,
                                 .spi = spi};
    p2_build_u32(b, P2_DOI_IPSEC);
    p2_build_u32(b, P2_SIT_IDENTITY_ONLY);
    build_proposal(b, &p, NULL, NULL, attributes);
}

/* What one transform says, in our terms. */
struct reading {
    uint64_t key_bits, auth_id, group, mode; /* as they came, not cut to size */
    uint64_t seconds;                        /* 0: not given */
    uint16_t unknown_attribute;
    bool malformed;
};

static void read_attribute(struct reading *r, const struct p2_attribute *a, uint64_t *life_type)
{
    switch (a->type) {
    case ATTR_LIFE_TYPE:
        *life_type = a->value;
        break;
    case ATTR_LIFE_DURATION:
        if (*life_type == LIFE_SECONDS)
            r->seconds = a->value;
        break;
    case ATTR_GROUP:
        r->group = a->value;
        break;
    case ATTR_MODE:
        r->mode = a->value;
        break;
    case ATTR_AUTH:
        r->auth_id = a->value;
        break;
    case ATTR_KEY_LENGTH:
        r->key_bits = a->value;
        break;
    default:
        r->unknown_attribute = a->type;
    }
}

static struct reading read_transform(const struct p2_isakmp_transform *t)
{
    struct reading r = {.mode = P2_MODE_TUNNEL};
    struct p2_reader attributes = p2_reader_init(t->attributes.data, t->attributes.len);
    struct p2_attribute a;
    uint64_t life_type = 0;
    while (p2_isakmp_next_attribute(&attributes, &a))
        read_attribute(&r, &a, &life_type);
    r.malformed = attributes.failed;
    return r;
}

/* An AND of protocols shows as two proposal payloads of one number; we offer no such suite and accept none.
 */
static bool is_part_of_and(const struct p2_isakmp_sa_payload *sa, const struct p2_isakmp_transform *t)
{
    for (size_t i = 0; i < sa->num; i++) {
        if (sa->transforms[i].proposal != t->proposal &&
            sa->transforms[i].proposal_number == t->proposal_number)
            return true;
    }
    return false;
}

static void append(char *text, size_t size, const char *more)
{
    size_t len = strlen(text);
    if (strstr(text, more)) /* two proposals may share an algorithm */
        return;
    snprintf(text + len, size - len, "%s%s", len ? ", " : "", more);
}

static void group_text(uint64_t group, char *text, size_t size)
{
    const struct p2_group_info *info = group <= UINT16_MAX ? p2_group_info((enum p2_group)group) : NULL;
    if (group == P2_GROUP_NONE)
        snprintf(text, size, "none");
    else if (info)
        snprintf(text, size, "%s", info->name);
    else
        snprintf(text, size, "group%" PRIu64, group);
}

static const char *mode_text(uint64_t mode)
{
    return mode == P2_MODE_TUNNEL ? "tunnel" : mode == P2_MODE_TRANSPORT ? "transport" : "another mode";
}

/* How far a transform got along the fields, and what stopped it. A higher rank came nearer. */
struct refusal {
    int rank;
    char field[32], offered[P2_WHY_MAX], acceptable[P2_WHY_MAX];
};

#define REFUSE(r, n, what, ...)                                                                              \
    do {                                                                                                     \
        (r)->rank = (n);                                                                                     \
        snprintf((r)->field, sizeof((r)->field), "%s", (what));                                              \
        snprintf((r)->offered, sizeof((r)->offered), __VA_ARGS__);                                           \
    } while (0)

static enum p2_cipher cipher_of(const struct p2_isakmp_transform *t, const struct reading *r)
{
    return r->key_bits <= UINT16_MAX ? p2_cipher_by_esp_id(t->id, (uint16_t)r->key_bits) : P2_CIPHER_NONE;
}

static enum p2_auth auth_of(const struct reading *r)
{
    return r->auth_id <= UINT16_MAX ? p2_auth_by_ipsec_id((uint16_t)r->auth_id) : P2_AUTH_NONE;
}

/* What does not even make sense: it is refused, whatever the policy. */
static void check_shape(struct refusal *why, const struct p2_isakmp_sa_payload *sa,
                        const struct p2_isakmp_transform *t, const struct reading *r)
{
    const char *acceptable = "ESP";
    if (t->protocol != P2_PROTO_ESP) {
        REFUSE(why, 1, "protocol", "not ESP");
    } else if (is_part_of_and(sa, t)) {
        REFUSE(why, 1, "protocol", "ESP with another protocol");
    } else if (t->spi.len != 4 || p2_get_u32(t->spi.data) < 256) { /* RFC 4303 section 2.1 */
        REFUSE(why, 1, "spi", "an SPI of %zu bytes%s", t->spi.len, t->spi.len == 4 ? " below 256" : "");
        acceptable = "four bytes, 256 or more";
    } else if (r->malformed) {
        REFUSE(why, 1, "attributes", "attributes that do not parse");
        acceptable = "whole attributes";
    }
    if (why->rank != 0)
        append(why->acceptable, sizeof(why->acceptable), acceptable);
}

/* The transform is one of ours, so it can only be the key length that is not. */
static bool only_key_length_unknown(const struct p2_isakmp_transform *t)
{
    for (unsigned i = P2_CIPHER_NONE + 1; i < P2_NUM_CIPHERS; i++) {
        if (p2_cipher_info((enum p2_cipher)i)->esp_id == t->id)
            return true;
    }
    return false;
}

static void refuse_encryption(struct refusal *why, const struct p2_policy *policy,
                              const struct p2_isakmp_transform *t, const struct reading *r)
{
    enum p2_cipher cipher = cipher_of(t, r);
    if (cipher != P2_CIPHER_NONE)
        REFUSE(why, 2, "encryption", "%s", p2_cipher_info(cipher)->name);
    else if (only_key_length_unknown(t))
        REFUSE(why, 2, "encryption", "ESP transform %u with a key length of %" PRIu64, t->id, r->key_bits);
    else
        REFUSE(why, 2, "encryption", "ESP transform %u", t->id);
    for (size_t i = 0; i < policy->num_proposals; i++)
        append(why->acceptable, sizeof(why->acceptable),
               p2_cipher_info(policy->proposals[i].protocols[0].alternatives[0].cipher)->name);
}

static void refuse_authentication(struct refusal *why, const struct p2_policy *policy,
                                  const struct p2_isakmp_transform *t, const struct reading *r)
{
    if (auth_of(r) != P2_AUTH_NONE)
        REFUSE(why, 3, "authentication", "%s", p2_auth_info(auth_of(r))->name);
    else
        REFUSE(why, 3, "authentication", "algorithm %" PRIu64, r->auth_id);
    for (size_t i = 0; i < policy->num_proposals; i++) {
        if (policy->proposals[i].protocols[0].alternatives[0].cipher == cipher_of(t, r))
            append(why->acceptable, sizeof(why->acceptable),
                   p2_auth_info(policy->proposals[i].protocols[0].alternatives[0].auth)->name);
    }
}

/* Encryption and authentication together name one of the policy's proposals, or a refusal. */
static const struct p2_proposal *find_proposal(struct refusal *why, const struct p2_policy *policy,
                                               const struct p2_isakmp_transform *t, const struct reading *r)
{
    bool cipher_known = false;
    for (size_t i = 0; i < policy->num_proposals && cipher_of(t, r) != P2_CIPHER_NONE; i++) {
        if (policy->proposals[i].protocols[0].alternatives[0].cipher != cipher_of(t, r))
            continue;
        cipher_known = true;
        if (policy->proposals[i].protocols[0].alternatives[0].auth == auth_of(r))
            return &policy->proposals[i];
    }
    if (cipher_known)
        refuse_authentication(why, policy, t, r);
    else
        refuse_encryption(why, policy, t, r);
    return NULL;
}

static void check_rest(struct refusal *why, const struct p2_policy *policy, const struct reading *r)
{
    if (r->mode != policy->mode) {
        REFUSE(why, 4, "mode", "%s", mode_text(r->mode));
        append(why->acceptable, sizeof(why->acceptable), mode_text(policy->mode));
    } else if (r->group != policy->pfs) {
        REFUSE(why, 5, "pfs-group", "%s", "");
        group_text(r->group, why->offered, sizeof(why->offered));
        group_text(policy->pfs, why->acceptable, sizeof(why->acceptable));
    } else if (r->unknown_attribute != 0) {
        REFUSE(why, 6, "attribute", "attribute %u", r->unknown_attribute);
        append(why->acceptable, sizeof(why->acceptable), "attributes 1 to 6");
    }
}

/* The proposal of the policy that this transform is, or NULL with the reason. */
static const struct p2_proposal *accept(struct refusal *why, const struct p2_isakmp_sa_payload *sa,
                                        const struct p2_isakmp_transform *t, const struct p2_policy *policy,
                                        const struct reading *r)
{
    *why = (struct refusal){0};
    check_shape(why, sa, t, r);
    if (why->rank != 0)
        return NULL;
    const struct p2_proposal *proposal = find_proposal(why, policy, t, r);
    if (proposal)
        check_rest(why, policy, r);
    return why->rank != 0 ? NULL : proposal;
}

static void note_choice(struct p2_offer_choice *choice, const struct p2_isakmp_transform *t,
                        const struct p2_proposal *proposal, const struct p2_policy *policy,
                        const struct reading *r)
{
    bool shorter = r->seconds > 0 && r->seconds < policy->lifetime_s;
    choice->found = true;
    choice->transform = *t;
    choice->algorithms = proposal->protocols[0].alternatives[0];
    choice->spi = p2_get_u32(t->spi.data);
    choice->group = policy->pfs;
    choice->lifetime_s = shorter ? (uint32_t)r->seconds : policy->lifetime_s;
}

void p2_offer_choose(struct p2_offer_choice *choice, const struct p2_isakmp_sa_payload *sa,
                     const struct p2_policy *policy)
{
    struct refusal nearest = {0}, why;
    *choice = (struct p2_offer_choice){0};
    for (size_t i = 0; i < sa->num && !choice->found; i++) {
        const struct p2_isakmp_transform *t = &sa->transforms[i];
        struct reading r = read_transform(t);
        const struct p2_proposal *proposal = accept(&why, sa, t, policy, &r);
        if (proposal)
            note_choice(choice, t, proposal, policy, &r);
        else if (why.rank > nearest.rank)
            nearest = why;
    }
    if (!choice->found) {
        memcpy(choice->field, nearest.field, sizeof(choice->field));
        memcpy(choice->offered, nearest.offered, sizeof(choice->offered));
        memcpy(choice->acceptable, nearest.acceptable, sizeof(choice->acceptable));
    }
}
