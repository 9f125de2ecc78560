/* Phase 1's SA payload: one transform is offered, the first acceptable one is chosen, and a refusal names the
 * field (RFC 2409 section 5 and appendix A). */
#include "phase1.h"

#include <stdio.h>
#include <string.h>

/* RFC 2409 appendix A */
enum {
    ATTR_ENCRYPTION = 1,
    ATTR_HASH = 2,
    ATTR_AUTH_METHOD = 3,
    ATTR_GROUP = 4,
    ATTR_LIFE_TYPE = 11,
    ATTR_LIFE_DURATION = 12,
    ATTR_KEY_LENGTH = 14,
    NUM_ATTRS
};

enum { AUTH_PRE_SHARED_KEY = 1, LIFE_SECONDS = 1 };

static void build_attributes(struct p2_builder *b, const struct p2_phase1_policy *policy)
{
    const struct p2_cipher_info *cipher = p2_cipher_of(policy->cipher);
    p2_build_attribute(b, ATTR_ENCRYPTION, cipher->ike_id);
    if (cipher->key_length_attribute)
        p2_build_attribute(b, ATTR_KEY_LENGTH, (uint32_t)cipher->key_len * 8);
    p2_build_attribute(b, ATTR_HASH, p2_hash_of(policy->hash)->ike_id);
    p2_build_attribute(b, ATTR_GROUP, policy->group);
    p2_build_attribute(b, ATTR_AUTH_METHOD, AUTH_PRE_SHARED_KEY);
    p2_build_attribute(b, ATTR_LIFE_TYPE, LIFE_SECONDS);
    p2_build_attribute(b, ATTR_LIFE_DURATION, policy->lifetime_s);
}

static size_t build_sa_body(const struct p2_exchange *ex, uint8_t *out, size_t capacity)
{
    const struct p2_phase1_state *p = &ex->u.phase1;
    struct p2_builder b = p2_builder_init(out, capacity);
    p2_build_u32(&b, P2_DOI_IPSEC);
    p2_build_u32(&b, P2_SIT_IDENTITY_ONLY);
    size_t proposal = b.len;
    p2_build_u32(&b, 0);
    p2_build_u8(&b, ex->initiator ? 1 : p->proposal_number);
    p2_build_u8(&b, P2_PROTO_ISAKMP);
    p2_build_u8(&b, 0);
    p2_build_u8(&b, 1);
    size_t transform = b.len;
    p2_build_u32(&b, 0);
    p2_build_u8(&b, ex->initiator ? 1 : p->transform_number);
    p2_build_u8(&b, P2_TRANSFORM_KEY_IKE);
    p2_build_u16(&b, 0);
    if (ex->initiator)
        build_attributes(&b, p2_phase1_policy_of(ex));
    else
        p2_build_bytes(&b, p->attributes, p->attributes_len);
    p2_build_patch_u16(&b, transform + 2, (uint16_t)(b.len - transform));
    p2_build_patch_u16(&b, proposal + 2, (uint16_t)(b.len - proposal));
    return b.len;
}

/* HASH_I and HASH_R cover the initiator's. */
void p2_phase1_add_sa(struct p2_exchange *ex, struct p2_message *message)
{
    uint8_t body[256];
    size_t len = build_sa_body(ex, body, sizeof(body));
    if (ex->initiator) {
        memcpy(ex->u.phase1.sa_body, body, len);
        ex->u.phase1.sa_body_len = len;
    }
    p2_message_add(message, P2_PAYLOAD_SA, body, len);
}

void p2_phase1_format_policy(const struct p2_phase1_policy *policy, char *text, size_t size)
{
    snprintf(text, size, "%s, %s, %s, pre-shared-key", p2_cipher_of(policy->cipher)->name,
             p2_hash_of(policy->hash)->name, p2_group_of(policy->group)->name);
}

/* --- choosing --- */

struct comparison {
    unsigned agreed; /* fields that agreed before one did not */
    const char *field;
    char offered[P2_WHY_MAX], acceptable[P2_WHY_MAX];
};

static const char *cipher_name(uint64_t id, uint64_t key_bits)
{
    const struct p2_cipher_info *info =
        id > UINT16_MAX || key_bits > UINT16_MAX
            ? NULL
            : p2_cipher_of(p2_cipher_by_ike_id((uint16_t)id, (uint16_t)key_bits));
    return info ? info->name : NULL;
}

static const char *hash_name(uint64_t id)
{
    const struct p2_hash_info *info = id > UINT16_MAX ? NULL : p2_hash_of(p2_hash_by_ike_id((uint16_t)id));
    return info ? info->name : NULL;
}

static const char *group_name(uint64_t id)
{
    const struct p2_group_info *info = id > UINT16_MAX ? NULL : p2_group_of((enum p2_group)id);
    return info ? info->name : NULL;
}

/* RFC 2409 appendix A */
static const char *method_name(uint64_t id)
{
    static const char *const names[] = {NULL, "pre-shared-key", "dss-signatures", "rsa-signatures"};
    return id < sizeof(names) / sizeof(names[0]) ? names[id] : NULL;
}

static bool read_attributes(const struct p2_isakmp_transform *t, uint64_t values[NUM_ATTRS])
{
    struct p2_reader r = p2_reader_init(t->attributes.data, t->attributes.len);
    struct p2_attribute a;
    memset(values, 0, NUM_ATTRS * sizeof(values[0]));
    while (p2_isakmp_next_attribute(&r, &a)) {
        if (a.type >= NUM_ATTRS)
            return false;
        values[a.type] = a.value;
    }
    return !r.failed;
}

/* Field by field, the first one that differs ends it. True: nothing does. */
static bool compare(const struct p2_isakmp_transform *t, const uint64_t values[NUM_ATTRS],
                    const struct p2_phase1_policy *policy, struct comparison *out)
{
    const struct {
        const char *field, *offered, *acceptable;
        uint64_t number;
    } fields[] = {
        {"encryption", cipher_name(values[ATTR_ENCRYPTION], values[ATTR_KEY_LENGTH]),
         p2_cipher_of(policy->cipher)->name, values[ATTR_ENCRYPTION]},
        {"hash", hash_name(values[ATTR_HASH]), p2_hash_of(policy->hash)->name, values[ATTR_HASH]},
        {"group", group_name(values[ATTR_GROUP]), p2_group_of(policy->group)->name, values[ATTR_GROUP]},
        {"authentication-method", method_name(values[ATTR_AUTH_METHOD]), method_name(AUTH_PRE_SHARED_KEY),
         values[ATTR_AUTH_METHOD]},
    };
    const unsigned num = sizeof(fields) / sizeof(fields[0]);
    *out = (struct comparison){.agreed = 1, .field = "phase1-proposal"}; /* its attributes could be read */
    snprintf(out->offered, sizeof(out->offered), "protocol %u, transform %u", t->protocol, t->id);
    snprintf(out->acceptable, sizeof(out->acceptable), "protocol 1, transform 1: KEY_IKE");
    if (t->protocol != P2_PROTO_ISAKMP || t->id != P2_TRANSFORM_KEY_IKE)
        return false;
    for (unsigned i = 0; i < num; i++) {
        out->agreed = i + 2;
        out->field = fields[i].field;
        snprintf(out->acceptable, sizeof(out->acceptable), "%s", fields[i].acceptable);
        if (fields[i].offered)
            snprintf(out->offered, sizeof(out->offered), "%s", fields[i].offered);
        else
            snprintf(out->offered, sizeof(out->offered), "number %llu", (unsigned long long)fields[i].number);
        if (strcmp(out->offered, out->acceptable) != 0)
            return false;
    }
    return true;
}

static void take(struct p2_phase1_state *p, const struct p2_isakmp_transform *t,
                 const uint64_t values[NUM_ATTRS], uint32_t own_lifetime_s)
{
    p->lifetime_s = own_lifetime_s;
    if (values[ATTR_LIFE_TYPE] == LIFE_SECONDS && values[ATTR_LIFE_DURATION] > 0 &&
        values[ATTR_LIFE_DURATION] < own_lifetime_s)
        p->lifetime_s = (uint32_t)values[ATTR_LIFE_DURATION];
    p->proposal_number = t->proposal_number;
    p->transform_number = t->number;
    memcpy(p->attributes, t->attributes.data, t->attributes.len);
    p->attributes_len = t->attributes.len;
}

/* The best comparison explains a refusal. */
static bool choose(struct p2_exchange *ex, const struct p2_isakmp_sa_payload *sa, struct comparison *best)
{
    struct p2_phase1_state *p = &ex->u.phase1;
    const struct p2_phase1_policy *policy = p2_phase1_policy_of(ex);
    *best = (struct comparison){.field = "phase1-proposal"};
    snprintf(best->offered, sizeof(best->offered), "attributes that are not RFC 2409's");
    p2_phase1_format_policy(policy, best->acceptable, sizeof(best->acceptable));
    for (size_t i = 0; i < sa->num; i++) {
        const struct p2_isakmp_transform *t = &sa->transforms[i];
        uint64_t values[NUM_ATTRS];
        struct comparison c;
        if (t->attributes.len > sizeof(p->attributes) || !read_attributes(t, values))
            continue;
        if (compare(t, values, policy, &c)) {
            take(p, t, values, policy->lifetime_s);
            return true;
        }
        if (c.agreed > best->agreed)
            *best = c;
    }
    return false;
}

static enum p2_verdict refuse(struct p2_exchange *ex, const struct comparison *why)
{
    struct p2_failure_detail detail = {
        .failure = P2_FAIL_NO_PROPOSAL_CHOSEN,
        .notify = P2_NOTIFY_NO_PROPOSAL_CHOSEN,
        .message = "message 1",
        .rule = "every attribute of one offered transform must be acceptable: RFC 2409 section 5"};
    snprintf(detail.field, sizeof(detail.field), "%s", why->field);
    memcpy(detail.offered, why->offered, sizeof(detail.offered));
    memcpy(detail.acceptable, why->acceptable, sizeof(detail.acceptable));
    return p2_phase1_refuse(ex, &detail);
}

/* An answer that was not offered is as if it had never come: nothing authenticates it. */
enum p2_verdict p2_phase1_read_sa(struct p2_exchange *ex)
{
    struct p2_phase1_state *p = &ex->u.phase1;
    struct p2_isakmp_sa_payload sa;
    struct comparison why;
    const struct p2_payload *payload = p2_isakmp_find(&ex->payloads, P2_PAYLOAD_SA, 0);
    if (!payload || p2_isakmp_parse_sa(&sa, payload->body) < 0 || payload->body.len > sizeof(p->sa_body))
        return p2_exchange_drop(ex, P2_DROP_MALFORMED);
    bool found = choose(ex, &sa, &why);
    if (ex->initiator)
        return found ? P2_VERDICT_GOOD : p2_exchange_drop(ex, P2_DROP_UNEXPECTED);
    if (!found)
        return refuse(ex, &why);
    ex->isakmp->keys.hash = p2_phase1_policy_of(ex)->hash;
    ex->isakmp->keys.cipher = p2_phase1_policy_of(ex)->cipher;
    memcpy(p->sa_body, payload->body.data, payload->body.len);
    p->sa_body_len = payload->body.len;
    return P2_VERDICT_GOOD;
}
