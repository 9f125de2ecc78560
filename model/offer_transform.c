/* One transform of an offer against one protocol of a policy: what it says, whether that is acceptable, and
 * in which field it is not. */
#include "offer_impl.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

/* RFC 2407 section 4.5: what an offer without a lifetime means. */
#define DEFAULT_LIFETIME_S 28800

static void read_lifetime(struct p2_transform_reading *r, uint64_t type, uint64_t value)
{
    if (type == P2_LIFE_SECONDS)
        r->seconds = value;
    else if (type == P2_LIFE_KILOBYTES)
        r->kilobytes = value;
}

static void read_attribute(struct p2_transform_reading *r, const struct p2_attribute *a, uint64_t *life_type)
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
    case P2_ATTR_ESN:
        r->esn = a->value;
        break;
    default:
        r->unknown_attribute = a->type;
    }
}

/* The mode that an offer without one means is left to the host by RFC 2407 section 4.5: the policy's. */
struct p2_transform_reading p2_transform_read(struct p2_bytes bytes, uint16_t mode)
{
    struct p2_transform_reading r = {.mode = mode};
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
    struct p2_transform_reading r = p2_transform_read(data, 0);
    if (r.malformed)
        return false;
    if (r.seconds > 0 && r.seconds < *lifetime_s)
        *lifetime_s = (uint32_t)r.seconds;
    if (r.kilobytes > 0 && (*lifetime_kb == 0 || r.kilobytes < *lifetime_kb))
        *lifetime_kb = (uint32_t)r.kilobytes;
    return true;
}

/* --- why not --- */

static const char rule_shape[] = "an offer must be whole: RFC 2408 section 3.5 and 3.6";
static const char rule_algorithms[] =
    "one of the initiator's transforms must be one of the responder's: RFC 2408 section 4.2";
static const char rule_mode[] = "both ends must want the same encapsulation mode: RFC 2407 section 4.5";
static const char rule_group[] = "both ends must have the same PFS group, or both none: RFC 2409 section 5.5";
static const char rule_esn[] = "both ends must want the same length of sequence numbers: RFC 4304 section 2";
static const char rule_attribute[] =
    "an attribute that is not understood is not accepted: RFC 2407 section 4.5";
static const char rule_strict[] =
    "lifetime rule strict: not longer than the responder's; RFC 2407 section 4.5.4 leaves it the choice";
static const char rule_exact[] =
    "lifetime rule exact: the responder's and no other; RFC 2407 section 4.5.4 leaves it the choice";

/* Whether a name is one of "a, b with c, d". */
static bool among(const char *list, const char *name)
{
    size_t len = strlen(name);
    if (len == 0) /* nothing is always there */
        return true;
    for (const char *at = list; (at = strstr(at, name)) != NULL; at += len) {
        bool starts = at == list || (at - list >= 2 && memcmp(at - 2, ", ", 2) == 0),
             ends = at[len] == 0 || at[len] == ',';
        if (starts && ends)
            return true;
    }
    return false;
}

static void add_names(char text[P2_WHY_MAX], const char *names)
{
    char name[P2_WHY_MAX];
    while (*names) {
        size_t len = strlen(text), name_len = strcspn(names, ",");
        snprintf(name, sizeof(name), "%.*s", (int)name_len, names);
        if (!among(text, name) && len + 2 + name_len < P2_WHY_MAX)
            snprintf(text + len, P2_WHY_MAX - len, "%s%s", len ? ", " : "", name);
        names += name_len;
        names += strspn(names, ", ");
    }
}

/* Adds a name, or each of a list of names, to what would have been acceptable, unless it stands there. */
static void accepts(struct p2_offer_refusal *why, const char *names)
{
    add_names(why->acceptable, names);
}

/* Only what holds for each of the values alone may be said of all: none of them is one that would be taken.
 */
void p2_offer_merge(struct p2_offer_refusal *nearest, const struct p2_offer_refusal *why)
{
    bool same_offer = among(nearest->offered, why->offered),
         same_answer =
             among(nearest->acceptable, why->acceptable) && !among(nearest->acceptable, why->offered);
    if (same_offer && !among(nearest->offered, why->acceptable))
        accepts(nearest, why->acceptable); /* two of our proposals refuse the same */
    else if (!same_offer && same_answer)
        add_names(nearest->offered, why->offered); /* two transforms are refused for the same */
}

static void group_text(uint64_t group, char *text, size_t size)
{
    const struct p2_group_info *info = group <= UINT16_MAX ? p2_group_of((enum p2_group)group) : NULL;
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

/* --- one transform against one protocol of the policy --- */

enum p2_cipher p2_transform_cipher(const struct p2_isakmp_transform *t, const struct p2_transform_reading *r)
{
    return r->key_bits <= UINT16_MAX ? p2_cipher_by_esp_id(t->id, (uint16_t)r->key_bits) : P2_CIPHER_NONE;
}

enum p2_auth p2_transform_auth(const struct p2_transform_reading *r)
{
    return r->auth_id <= UINT16_MAX ? p2_auth_by_ipsec_id((uint16_t)r->auth_id) : P2_AUTH_NONE;
}

bool p2_transform_algorithms(struct p2_algorithms *algorithms, const struct p2_isakmp_transform *t,
                             const struct p2_transform_reading *r)
{
    bool ah = t->protocol == P2_PROTO_AH;
    enum p2_cipher cipher = ah ? P2_CIPHER_NONE : p2_transform_cipher(t, r);
    enum p2_auth auth = p2_transform_auth(r);
    *algorithms = (struct p2_algorithms){cipher, auth};
    if (r->malformed || (r->auth_id == 0) != (auth == P2_AUTH_NONE))
        return false;
    if (ah)
        return auth != P2_AUTH_NONE && p2_auth_of(auth)->ah_id == t->id;
    enum p2_cipher_mode mode = p2_cipher_of(cipher)->mode;
    return t->protocol == P2_PROTO_ESP && cipher != P2_CIPHER_NONE &&
           !(mode == P2_CIPHER_MODE_GCM && auth != P2_AUTH_NONE) &&
           !(mode == P2_CIPHER_MODE_NULL && auth == P2_AUTH_NONE);
}

/* What does not even make sense: it is refused, whatever the policy. */
static void check_shape(struct p2_offer_refusal *why, const struct p2_isakmp_transform *t,
                        const struct p2_transform_reading *r)
{
    if (t->spi.len != 4 || p2_get_u32(t->spi.data) < 256) { /* RFC 4303 section 2.1 */
        P2_REFUSE(why, P2_RANK_SHAPE, "spi", rule_shape, "an SPI of %zu bytes%s", t->spi.len,
                  t->spi.len == 4 ? " below 256" : "");
        accepts(why, "four bytes; 256 or more");
    } else if (r->malformed) {
        P2_REFUSE(why, P2_RANK_SHAPE, "attributes", rule_shape, "attributes that do not parse");
        accepts(why, "whole attributes");
    }
}

/* The transform is one of ours, so it can only be the key length that is not. */
static bool only_key_length_unknown(const struct p2_isakmp_transform *t)
{
    for (unsigned i = P2_CIPHER_NONE + 1; i < P2_NUM_CIPHERS; i++) {
        if (p2_cipher_of((enum p2_cipher)i)->esp_id == t->id)
            return true;
    }
    return false;
}

void p2_transform_name_encryption(const struct p2_isakmp_transform *t, const struct p2_transform_reading *r,
                                  char *text, size_t size)
{
    enum p2_cipher cipher = p2_transform_cipher(t, r);
    if (cipher != P2_CIPHER_NONE)
        snprintf(text, size, "%s", p2_cipher_of(cipher)->name);
    else if (only_key_length_unknown(t))
        snprintf(text, size, "ESP transform %u with a key length of %" PRIu64, t->id, r->key_bits);
    else
        snprintf(text, size, "ESP transform %u", t->id);
}

void p2_transform_name_authentication(const struct p2_isakmp_transform *t,
                                      const struct p2_transform_reading *r, char *text, size_t size)
{
    enum p2_auth auth = p2_transform_auth(r);
    if (t->protocol == P2_PROTO_AH && auth != P2_AUTH_NONE && p2_auth_of(auth)->ah_id != t->id)
        snprintf(text, size, "AH transform %u with %s", t->id, p2_auth_of(auth)->name);
    else if (auth != P2_AUTH_NONE)
        snprintf(text, size, "%s", p2_auth_of(auth)->name);
    else if (r->auth_id != 0)
        snprintf(text, size, "algorithm %" PRIu64, r->auth_id);
    else
        snprintf(text, size, "none");
}

static bool same_encryption(const struct p2_isakmp_transform *t, const struct p2_transform_reading *r,
                            const struct p2_algorithms *a)
{
    return t->protocol == P2_PROTO_AH || p2_transform_cipher(t, r) == a->cipher;
}

static bool same_authentication(const struct p2_isakmp_transform *t, const struct p2_transform_reading *r,
                                const struct p2_algorithms *a)
{
    bool unknown = r->auth_id != 0 && p2_transform_auth(r) == P2_AUTH_NONE;
    return !unknown && p2_transform_auth(r) == a->auth &&
           (t->protocol != P2_PROTO_AH || p2_auth_of(a->auth)->ah_id == t->id);
}

/* The alternative that the transform is, or NULL with the algorithm that is not ours. */
static const struct p2_algorithms *find_alternative(struct p2_offer_refusal *why,
                                                    const struct p2_protocol_offer *ours,
                                                    const struct p2_isakmp_transform *t,
                                                    const struct p2_transform_reading *r)
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
        p2_transform_name_authentication(t, r, name, sizeof(name));
    else
        p2_transform_name_encryption(t, r, name, sizeof(name));
    P2_REFUSE(why, encryption_known ? P2_RANK_AUTHENTICATION : P2_RANK_ENCRYPTION,
              encryption_known ? "authentication" : "encryption", rule_algorithms, "%s", name);
    for (size_t i = 0; i < ours->num; i++) {
        const struct p2_algorithms *a = &ours->alternatives[i];
        if (!encryption_known)
            accepts(why, p2_cipher_of(a->cipher)->name);
        else if (same_encryption(t, r, a))
            accepts(why, p2_auth_of(a->auth)->name);
    }
    return NULL;
}

/* --- lifetimes --- */

/* A limit that is not there is longer than any. */
static bool is_longer(uint64_t limit, uint64_t than)
{
    return than != 0 && (limit == 0 || limit > than);
}

static void check_lifetime(struct p2_offer_refusal *why, const struct p2_policy *policy, uint64_t theirs,
                           uint64_t ours, const char *unit)
{
    bool exact = policy->lifetime_rule == P2_LIFETIME_EXACT && theirs != ours;
    bool strict = policy->lifetime_rule == P2_LIFETIME_STRICT && is_longer(theirs, ours);
    if (why->rank != P2_RANK_ACCEPTED || (!exact && !strict))
        return;
    P2_REFUSE(why, P2_RANK_LIFETIME, "lifetime", exact ? rule_exact : rule_strict, "%" PRIu64 " %s", theirs,
              unit);
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

static uint64_t seconds_of(const struct p2_transform_reading *r)
{
    return r->seconds != 0 ? r->seconds : DEFAULT_LIFETIME_S;
}

static void check_rest(struct p2_offer_refusal *why, const struct p2_offer_context *context,
                       const struct p2_transform_reading *r)
{
    const struct p2_policy *policy = context->policy;
    if (r->mode != p2_wire_mode(context)) {
        P2_REFUSE(why, P2_RANK_MODE, "mode", rule_mode, "%s", "");
        mode_text(r->mode, why->offered, sizeof(why->offered));
        mode_text(p2_wire_mode(context), why->acceptable, sizeof(why->acceptable));
    } else if (r->group != policy->pfs) {
        P2_REFUSE(why, P2_RANK_GROUP, "pfs-group", rule_group, "%s", "");
        group_text(r->group, why->offered, sizeof(why->offered));
        group_text(policy->pfs, why->acceptable, sizeof(why->acceptable));
    } else if (r->esn != (policy->esn ? P2_ESN_64_BITS : 0)) {
        P2_REFUSE(why, P2_RANK_ESN, "esn", rule_esn, "%s", r->esn == 0 ? "32 bits" : "64 bits");
        accepts(why, policy->esn ? "64 bits" : "32 bits");
    } else if (r->unknown_attribute != 0) {
        P2_REFUSE(why, P2_RANK_ATTRIBUTE, "attribute", rule_attribute, "attribute %u", r->unknown_attribute);
        accepts(why, "attributes 1 to 6 and 11");
    } else if (!context->initiator) {
        check_lifetime(why, policy, seconds_of(r), policy->lifetime_s, "seconds");
        check_lifetime(why, policy, r->kilobytes, policy->lifetime_kb, "kilobytes");
    }
}

/* SAs that go together go when the first of them would. */
static void agree_on_lifetimes(struct p2_offer_choice *choice, const struct p2_offer_context *context,
                               const struct p2_transform_reading *r)
{
    bool first = choice->num == 0, claims_s, claims_kb;
    uint32_t s = agree(context, seconds_of(r), context->policy->lifetime_s, &claims_s);
    uint32_t kb = agree(context, r->kilobytes, context->policy->lifetime_kb, &claims_kb);
    choice->claims_s = claims_s || (!first && choice->claims_s);
    choice->claims_kb = claims_kb || (!first && choice->claims_kb);
    if (first || is_longer(choice->lifetime_s, s))
        choice->lifetime_s = s;
    if (first || is_longer(choice->lifetime_kb, kb))
        choice->lifetime_kb = kb;
}

/* --- all of it --- */

bool p2_offer_accept_transform(struct p2_offer_refusal *why, struct p2_offer_choice *choice,
                               const struct p2_offer_context *context, const struct p2_protocol_offer *ours,
                               const struct p2_isakmp_transform *t)
{
    struct p2_transform_reading r = p2_transform_read(t->attributes, p2_wire_mode(context));
    const struct p2_algorithms *found = NULL;
    *why = (struct p2_offer_refusal){0};
    check_shape(why, t, &r);
    if (why->rank == P2_RANK_ACCEPTED)
        found = find_alternative(why, ours, t, &r);
    if (found)
        check_rest(why, context, &r);
    if (why->rank != P2_RANK_ACCEPTED)
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
    agree_on_lifetimes(choice, context, &r);
    choice->num++;
    return true;
}
