/* Choosing from an SA payload, and saying in which field the offer that came nearest differs. */
#include "offer.h"

#include "offer_attributes.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

/* RFC 2407 section 4.5: what an offer without a lifetime means. */
#define DEFAULT_LIFETIME_S 28800

/* What one transform says, in our terms. */
struct reading {
    uint64_t key_bits, auth_id, group, mode; /* as they came, not cut to size */
    uint64_t seconds, kilobytes;             /* kilobytes 0: no limit */
    uint16_t unknown_attribute;
    bool malformed;
};

static void read_lifetime(struct reading *r, uint64_t type, uint64_t value)
{
    if (type == P2_LIFE_SECONDS)
        r->seconds = value;
    else if (type == P2_LIFE_KILOBYTES)
        r->kilobytes = value;
}

static void read_attribute(struct reading *r, const struct p2_attribute *a, uint64_t *life_type)
{
    switch (a->type) {
    case P2_ATTR_LIFE_TYPE:
        *life_type = a->value;
        break;
    case P2_ATTR_LIFE_DURATION:
        read_lifetime(r, *life_type, a->value);
        break;
    case P2_ATTR_GROUP:
        r->group = a->value;
        break;
    case P2_ATTR_MODE:
        r->mode = a->value;
        break;
    case P2_ATTR_AUTH:
        r->auth_id = a->value;
        break;
    case P2_ATTR_KEY_LENGTH:
        r->key_bits = a->value;
        break;
    default:
        r->unknown_attribute = a->type;
    }
}

/* The mode that an offer without one means is left to the host by RFC 2407 section 4.5: the policy's. */
static struct reading read_attributes(struct p2_bytes bytes, uint16_t mode)
{
    struct reading r = {.mode = mode};
    struct p2_reader attributes = p2_reader_init(bytes.data, bytes.len);
    struct p2_attribute a;
    uint64_t life_type = 0;
    while (p2_isakmp_next_attribute(&attributes, &a))
        read_attribute(&r, &a, &life_type);
    r.malformed = attributes.failed || bytes.len > P2_ATTRIBUTES_MAX;
    return r;
}

bool p2_offer_read_lifetimes(struct p2_bytes data, uint32_t *lifetime_s, uint32_t *lifetime_kb)
{
    struct reading r = read_attributes(data, 0);
    if (r.malformed)
        return false;
    if (r.seconds > 0 && r.seconds < *lifetime_s)
        *lifetime_s = (uint32_t)r.seconds;
    if (r.kilobytes > 0 && (*lifetime_kb == 0 || r.kilobytes < *lifetime_kb))
        *lifetime_kb = (uint32_t)r.kilobytes;
    return true;
}

/* --- why not --- */

/* How far an offer got along the fields, and what stopped it: a higher rank came nearer. */
enum rank {
    RANK_ACCEPTED,
    RANK_SHAPE,
    RANK_PROTOCOL,
    RANK_ENCRYPTION,
    RANK_AUTHENTICATION,
    RANK_MODE,
    RANK_GROUP,
    RANK_ATTRIBUTE,
    RANK_LIFETIME,
};

struct refusal {
    enum rank rank;
    char field[32], offered[P2_WHY_MAX], acceptable[P2_WHY_MAX];
    const char *rule;
};

static const char rule_shape[] = "an offer must be whole: RFC 2408 section 3.5 and 3.6";
static const char rule_protocol[] =
    "the protocols of one proposal number belong together: RFC 2408 section 4.2";
static const char rule_algorithms[] =
    "one of the initiator's transforms must be one of the responder's: RFC 2408 section 4.2";
static const char rule_mode[] = "both ends must want the same encapsulation mode: RFC 2407 section 4.5";
static const char rule_group[] = "both ends must have the same PFS group, or both none: RFC 2409 section 5.5";
static const char rule_attribute[] =
    "an attribute that is not understood is not accepted: RFC 2407 section 4.5";
static const char rule_strict[] = "lifetime rule strict: not longer than the responder's";
static const char rule_exact[] = "lifetime rule exact: the responder's and no other";

#define REFUSE(r, n, what, why, ...)                                                                         \
    do {                                                                                                     \
        (r)->rank = (n);                                                                                     \
        (r)->rule = (why);                                                                                   \
        snprintf((r)->field, sizeof((r)->field), "%s", (what));                                              \
        snprintf((r)->offered, sizeof((r)->offered), __VA_ARGS__);                                           \
    } while (0)

static bool among(const char *list, const char *name)
{
    size_t len = strlen(name);
    for (const char *at = list; (at = strstr(at, name)) != NULL; at += len) {
        bool starts = at == list || at[-1] == ' ', ends = at[len] == 0 || at[len] == ',';
        if (starts && ends)
            return true;
    }
    return false;
}

/* Two proposals may share an algorithm: it is named once. */
static void accepts(struct refusal *why, const char *name)
{
    char *text = why->acceptable;
    size_t size = sizeof(why->acceptable), len = strlen(text);
    if (!among(text, name))
        snprintf(text + len, size - len, "%s%s", len ? ", " : "", name);
}

/* The same for a list. */
static void accepts_all(struct refusal *why, const char *names)
{
    char name[P2_WHY_MAX];
    while (*names) {
        size_t len = strcspn(names, ",");
        snprintf(name, sizeof(name), "%.*s", (int)len, names);
        accepts(why, name);
        names += len;
        names += strspn(names, ", ");
    }
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

static void mode_text(uint64_t mode, char *text, size_t size)
{
    static const char *const names[] = {NULL, "tunnel", "transport", "udp-encapsulated-tunnel",
                                        "udp-encapsulated-transport"};
    if (mode > 0 && mode < sizeof(names) / sizeof(names[0]))
        snprintf(text, size, "%s", names[mode]);
    else
        snprintf(text, size, "mode %" PRIu64, mode);
}

static const char *protocol_text(unsigned protocol)
{
    return protocol == P2_PROTO_AH ? "ah" : protocol == P2_PROTO_ESP ? "esp" : "another protocol";
}

/* --- one transform against one protocol of the policy --- */

static enum p2_cipher cipher_of(const struct p2_isakmp_transform *t, const struct reading *r)
{
    return r->key_bits <= UINT16_MAX ? p2_cipher_by_esp_id(t->id, (uint16_t)r->key_bits) : P2_CIPHER_NONE;
}

static enum p2_auth auth_of(const struct reading *r)
{
    return r->auth_id <= UINT16_MAX ? p2_auth_by_ipsec_id((uint16_t)r->auth_id) : P2_AUTH_NONE;
}

/* What does not even make sense: it is refused, whatever the policy. */
static void check_shape(struct refusal *why, const struct p2_isakmp_transform *t, const struct reading *r)
{
    if (t->spi.len != 4 || p2_get_u32(t->spi.data) < 256) { /* RFC 4303 section 2.1 */
        REFUSE(why, RANK_SHAPE, "spi", rule_shape, "an SPI of %zu bytes%s", t->spi.len,
               t->spi.len == 4 ? " below 256" : "");
        accepts(why, "four bytes; 256 or more");
    } else if (r->malformed) {
        REFUSE(why, RANK_SHAPE, "attributes", rule_shape, "attributes that do not parse");
        accepts(why, "whole attributes");
    }
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

static void name_encryption(const struct p2_isakmp_transform *t, const struct reading *r, char *text,
                            size_t size)
{
    enum p2_cipher cipher = cipher_of(t, r);
    if (cipher != P2_CIPHER_NONE)
        snprintf(text, size, "%s", p2_cipher_info(cipher)->name);
    else if (only_key_length_unknown(t))
        snprintf(text, size, "ESP transform %u with a key length of %" PRIu64, t->id, r->key_bits);
    else
        snprintf(text, size, "ESP transform %u", t->id);
}

static void name_authentication(const struct p2_isakmp_transform *t, const struct reading *r, char *text,
                                size_t size)
{
    enum p2_auth auth = auth_of(r);
    if (t->protocol == P2_PROTO_AH && auth != P2_AUTH_NONE && p2_auth_info(auth)->ah_id != t->id)
        snprintf(text, size, "AH transform %u with %s", t->id, p2_auth_info(auth)->name);
    else if (auth != P2_AUTH_NONE)
        snprintf(text, size, "%s", p2_auth_info(auth)->name);
    else if (r->auth_id != 0)
        snprintf(text, size, "algorithm %" PRIu64, r->auth_id);
    else
        snprintf(text, size, "none");
}

static bool same_encryption(const struct p2_isakmp_transform *t, const struct reading *r,
                            const struct p2_algorithms *a)
{
    return t->protocol == P2_PROTO_AH || cipher_of(t, r) == a->cipher;
}

static bool same_authentication(const struct p2_isakmp_transform *t, const struct reading *r,
                                const struct p2_algorithms *a)
{
    bool unknown = r->auth_id != 0 && auth_of(r) == P2_AUTH_NONE;
    return !unknown && auth_of(r) == a->auth &&
           (t->protocol != P2_PROTO_AH || p2_auth_info(a->auth)->ah_id == t->id);
}

/* The alternative that the transform is, or NULL with the algorithm that is not ours. */
static const struct p2_algorithms *find_alternative(struct refusal *why, const struct p2_protocol_offer *ours,
                                                    const struct p2_isakmp_transform *t,
                                                    const struct reading *r)
{
    bool encryption_known = false;
    for (size_t i = 0; i < ours->num; i++) {
        const struct p2_algorithms *a = &ours->alternatives[i];
        bool known = same_encryption(t, r, a);
        if (known && same_authentication(t, r, a))
            return a;
        encryption_known = encryption_known || known;
    }
    char name[64];
    if (encryption_known)
        name_authentication(t, r, name, sizeof(name));
    else
        name_encryption(t, r, name, sizeof(name));
    REFUSE(why, encryption_known ? RANK_AUTHENTICATION : RANK_ENCRYPTION,
           encryption_known ? "authentication" : "encryption", rule_algorithms, "%s", name);
    for (size_t i = 0; i < ours->num; i++) {
        const struct p2_algorithms *a = &ours->alternatives[i];
        if (!encryption_known)
            accepts(why, p2_cipher_info(a->cipher)->name);
        else if (same_encryption(t, r, a))
            accepts(why, a->auth == P2_AUTH_NONE ? "none" : p2_auth_info(a->auth)->name);
    }
    return NULL;
}

/* --- lifetimes --- */

/* A limit that is not there is longer than any. */
static bool is_longer(uint64_t limit, uint64_t than)
{
    return than != 0 && (limit == 0 || limit > than);
}

static void check_lifetime(struct refusal *why, const struct p2_policy *policy, uint64_t theirs,
                           uint64_t ours, const char *unit)
{
    bool exact = policy->lifetime_rule == P2_LIFETIME_EXACT && theirs != ours;
    bool strict = policy->lifetime_rule == P2_LIFETIME_STRICT && is_longer(theirs, ours);
    if (why->rank != RANK_ACCEPTED || (!exact && !strict))
        return;
    REFUSE(why, RANK_LIFETIME, "lifetime", exact ? rule_exact : rule_strict, "%" PRIu64 " %s", theirs, unit);
    if (theirs == 0)
        snprintf(why->offered, sizeof(why->offered), "no limit in %s", unit);
    if (ours == 0)
        snprintf(why->acceptable, sizeof(why->acceptable), "no limit in %s", unit);
    else
        snprintf(why->acceptable, sizeof(why->acceptable), "%s%" PRIu64 " %s", exact ? "" : "at most ", ours,
                 unit);
}

/* Of one kind. *claims: ours is shorter, and the initiator is to be told. */
static uint32_t agree(const struct p2_offer_context *context, uint64_t theirs, uint32_t ours, bool *claims)
{
    bool obeys = context->policy->lifetime_rule == P2_LIFETIME_OBEY && !context->initiator;
    *claims = context->policy->lifetime_rule == P2_LIFETIME_CLAIM && is_longer(theirs, ours);
    if (obeys || is_longer(ours, theirs))
        return theirs < UINT32_MAX ? (uint32_t)theirs : UINT32_MAX;
    return ours;
}

static uint64_t seconds_of(const struct reading *r)
{
    return r->seconds != 0 ? r->seconds : DEFAULT_LIFETIME_S;
}

static void check_rest(struct refusal *why, const struct p2_offer_context *context, const struct reading *r)
{
    const struct p2_policy *policy = context->policy;
    if (r->mode != p2_wire_mode(context)) {
        REFUSE(why, RANK_MODE, "mode", rule_mode, "%s", "");
        mode_text(r->mode, why->offered, sizeof(why->offered));
        mode_text(p2_wire_mode(context), why->acceptable, sizeof(why->acceptable));
    } else if (r->group != policy->pfs) {
        REFUSE(why, RANK_GROUP, "pfs-group", rule_group, "%s", "");
        group_text(r->group, why->offered, sizeof(why->offered));
        group_text(policy->pfs, why->acceptable, sizeof(why->acceptable));
    } else if (r->unknown_attribute != 0) {
        REFUSE(why, RANK_ATTRIBUTE, "attribute", rule_attribute, "attribute %u", r->unknown_attribute);
        accepts(why, "attributes 1 to 6");
    } else if (!context->initiator) {
        check_lifetime(why, policy, seconds_of(r), policy->lifetime_s, "seconds");
        check_lifetime(why, policy, r->kilobytes, policy->lifetime_kb, "kilobytes");
    }
}

/* --- suites --- */

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

static const struct p2_protocol_offer *protocol_of(const struct p2_proposal *proposal, unsigned protocol)
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
        if (!protocol_of(proposal, suite->payloads[i].first->protocol))
            return false;
    }
    return true;
}

static void refuse_protocols(struct refusal *why, const struct offered_suite *suite,
                             const struct p2_proposal *proposal)
{
    const struct payload *p = suite->payloads;
    bool two = proposal->num_protocols == 2;
    REFUSE(why, RANK_PROTOCOL, "protocol", rule_protocol, "%s%s%s%s", protocol_text(p[0].first->protocol),
           suite->num > 1 ? " with " : "", suite->num > 1 ? protocol_text(p[1].first->protocol) : "",
           suite->too_many ? " and more" : "");
    snprintf(why->acceptable, sizeof(why->acceptable), "%s%s",
             two ? "" : protocol_text(proposal->protocols[0].protocol), two ? "ah with esp" : "");
}

/* The part of a choice that one transform becomes, or the reason why it does not. */
static bool accept_transform(struct refusal *why, struct p2_offer_choice *choice,
                             const struct p2_offer_context *context, const struct p2_proposal *proposal,
                             const struct p2_isakmp_transform *t)
{
    struct reading r = read_attributes(t->attributes, p2_wire_mode(context));
    const struct p2_algorithms *found = NULL;
    *why = (struct refusal){0};
    check_shape(why, t, &r);
    if (why->rank == RANK_ACCEPTED)
        found = find_alternative(why, protocol_of(proposal, t->protocol), t, &r);
    if (found)
        check_rest(why, context, &r);
    if (why->rank != RANK_ACCEPTED)
        return false;
    struct p2_offer_part *part = &choice->parts[choice->num];
    part->protocol = (enum p2_protocol)t->protocol;
    part->proposal_number = t->proposal_number;
    part->transform_number = t->number;
    part->transform_id = t->id;
    part->attributes_len = t->attributes.len;
    memcpy(part->attributes, t->attributes.data, t->attributes.len);
    part->spi = p2_get_u32(t->spi.data);
    choice->suite.protocol[choice->num] = part->protocol;
    choice->suite.algorithms[choice->num] = *found;
    choice->num++;
    choice->lifetime_s = agree(context, seconds_of(&r), context->policy->lifetime_s, &choice->claims_s);
    choice->lifetime_kb = agree(context, r.kilobytes, context->policy->lifetime_kb, &choice->claims_kb);
    return true;
}

static void keep_nearest(struct refusal *nearest, const struct refusal *why)
{
    if (why->rank > nearest->rank)
        *nearest = *why;
    else if (why->rank == nearest->rank && strcmp(why->field, nearest->field) == 0 &&
             strcmp(why->offered, nearest->offered) == 0) /* two of our proposals refuse the same */
        accepts_all(nearest, why->acceptable);
}

/* The other protocols of a bundle: the first transform of each that will do. */
static bool accept_others(struct refusal *nearest, struct p2_offer_choice *choice,
                          const struct p2_offer_context *context, const struct p2_proposal *proposal,
                          const struct offered_suite *suite)
{
    struct refusal why;
    for (size_t i = 1; i < suite->num; i++) {
        size_t before = choice->num;
        for (size_t j = 0; j < suite->payloads[i].num && choice->num == before; j++) {
            if (!accept_transform(&why, choice, context, proposal, &suite->payloads[i].first[j]))
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
    choice->found = true;
}

/* One suite: the initiator's order of transforms decides before the order of our proposals. */
static void try_suite(struct p2_offer_choice *choice, struct refusal *nearest,
                      const struct p2_offer_context *context, const struct offered_suite *suite)
{
    const struct p2_policy *policy = context->policy;
    struct refusal why;
    for (size_t t = 0; t < suite->payloads[0].num; t++) {
        for (size_t i = 0; i < policy->num_proposals; i++) {
            const struct p2_proposal *proposal = &policy->proposals[i];
            choice->num = 0;
            why = (struct refusal){0};
            if (!same_protocols(suite, proposal))
                refuse_protocols(&why, suite, proposal);
            else if (accept_transform(&why, choice, context, proposal, &suite->payloads[0].first[t]) &&
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
    struct refusal nearest = {0};
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
