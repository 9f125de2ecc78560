/* <phase1>, <policy> and <proposal>: what one end of a tunnel offers and accepts. */
#include "load_policy.h"

#include "load.h"
#include "units.h"

#include <stdlib.h>
#include <string.h>

static bool parse_mode(const char *text, void *out)
{
    *(enum p2_phase1_mode *)out = strcmp(text, "preset") == 0 ? P2_PHASE1_PRESET : P2_PHASE1_MAIN;
    return true;
}

static bool parse_encapsulation(const char *text, void *out)
{
    *(enum p2_mode *)out = P2_MODE_TUNNEL;
    return strcmp(text, "tunnel") == 0;
}

static bool parse_resend(const char *text, void *out)
{
    p2_time time;
    if (!units_time(text, &time) || time < P2_MS || time > 3600 * P2_SECOND)
        return false;
    *(p2_time *)out = time;
    return true;
}

static bool parse_backoff(const char *text, void *out)
{
    double factor;
    if (!units_decimal(text, &factor) || factor < 1 || factor > 10)
        return false;
    *(uint32_t *)out = (uint32_t)(factor * 1000 + 0.5);
    return true;
}

static bool parse_window(const char *text, void *out)
{
    uint32_t packets = 0;
    if (strcmp(text, "off") != 0 && (!units_count(text, &packets) || packets < 32 || packets > 131072))
        return false;
    *(uint32_t *)out = packets;
    return true;
}

static const struct field_kind field_mode = {"main or preset", parse_mode};
static const struct field_kind field_encapsulation = {"tunnel", parse_encapsulation};
static const struct field_kind field_resend = {"1ms to 1h", parse_resend};
static const struct field_kind field_backoff = {"a number from 1 to 10", parse_backoff};
static const struct field_kind field_window = {"32 to 131072 packets, or off", parse_window};

static const struct field phase1_fields[] = {
    {"mode", &field_mode, offsetof(struct p2_phase1_policy, mode)},
    {"encryption", &field_cipher, offsetof(struct p2_phase1_policy, cipher)},
    {"hash", &field_hash, offsetof(struct p2_phase1_policy, hash)},
    {"group", &field_group, offsetof(struct p2_phase1_policy, group)},
    {"lifetime", &field_lifetime, offsetof(struct p2_phase1_policy, lifetime_s)},
    {"resend", &field_resend, offsetof(struct p2_phase1_policy, retransmission.first)},
    {"backoff", &field_backoff, offsetof(struct p2_phase1_policy, retransmission.backoff_permille)},
    {"tries", &field_count, offsetof(struct p2_phase1_policy, retransmission.tries)},
};

static const struct field policy_fields[] = {
    {"pfs", &field_pfs, offsetof(struct p2_policy, pfs)},
    {"lifetime", &field_lifetime, offsetof(struct p2_policy, lifetime_s)},
    {"soft", &field_permille, offsetof(struct p2_policy, soft_permille)},
    {"fuzz", &field_permille, offsetof(struct p2_policy, fuzz_permille)},
    {"replay-window", &field_window, offsetof(struct p2_policy, replay_window)},
    {"overlap", &field_time, offsetof(struct p2_policy, overlap)},
    {"mode", &field_encapsulation, offsetof(struct p2_policy, mode)},
};

bool load_phase1(struct problems *problems, const xmlNode *element, struct p2_phase1_policy *phase1)
{
    bool ok = load_fields(problems, element, phase1_fields, FIELDS(phase1_fields), phase1);
    const char *psk = load_attribute(element, "pre-shared-key");
    size_t psk_len = psk ? strlen(psk) : 0;
    if (psk_len > P2_PSK_MAX) {
        load_wrong(problems, element, "pre-shared-key", "too long", "at most 128 bytes");
        return false;
    }
    if (psk) {
        memcpy(phase1->psk, psk, psk_len);
        phase1->psk_len = psk_len;
    }
    return ok;
}

static bool load_predefined(struct problems *problems, const xmlNode *element, struct p2_proposal *proposal)
{
    const char *name = load_attribute(element, "use");
    if (load_attribute(element, "encryption") || load_attribute(element, "authentication") ||
        load_attribute(element, "protocol") || load_attribute(element, "name")) {
        load_wrong(problems, element, "use", "beside algorithms or a name of its own",
                   "either use, or encryption and authentication");
        return false;
    }
    if (p2_proposal_predefined(proposal, NULL, name))
        return true;
    struct problems_names names = {0};
    char allowed[PROBLEMS_LIST];
    bool known = false;
    for (size_t i = 0; p2_proposal_predefined_name(i); i++) {
        struct p2_proposal built_in;
        known = known || strcmp(p2_proposal_predefined_name(i), name) == 0;
        if (p2_proposal_predefined(&built_in, NULL, p2_proposal_predefined_name(i)))
            problems_names_add(&names, p2_proposal_predefined_name(i));
    }
    problems_list(allowed, &names, name);
    load_wrong(problems, element, "use",
               known ? "its algorithms are not built in" : "no such predefined proposal", allowed);
    problems_names_cleanup(&names);
    return false;
}

static bool parse_auth(const char *text, void *out)
{
    enum p2_auth auth = p2_auth_by_name(text);
    *(enum p2_auth *)out = auth;
    return auth != P2_AUTH_NONE;
}

static const struct field_kind field_auth = {"an integrity algorithm that is built in", parse_auth};

static const struct field proposal_fields[] = {
    {"name", &field_name, offsetof(struct p2_proposal, name)},
    {"encryption", &field_cipher, offsetof(struct p2_proposal, protocols[0].alternatives[0].cipher)},
    {"authentication", &field_auth, offsetof(struct p2_proposal, protocols[0].alternatives[0].auth)},
};

/* GCM does without an HMAC; to do without any authentication is not a choice that is offered. */
static bool needs_authentication(const char *encryption)
{
    return p2_cipher_info(p2_cipher_by_name(encryption))->icv_len == 0;
}

static bool load_proposal(struct problems *problems, const xmlNode *element, struct p2_proposal *proposal)
{
    if (load_attribute(element, "use"))
        return load_predefined(problems, element, proposal);
    const char *encryption = load_attribute(element, "encryption");
    if (!encryption || (!load_attribute(element, "authentication") && needs_authentication(encryption))) {
        problems_add(problems, load_line(element),
                     "<proposal> without %s; allowed: use=\"g2-esp-aes128-sha\" or another predefined name, "
                     "or both encryption and authentication",
                     encryption ? "authentication" : "encryption");
        return false;
    }
    if (!load_fields(problems, element, proposal_fields, FIELDS(proposal_fields), proposal))
        return false;
    if (p2_cipher_info(proposal->protocols[0].alternatives[0].cipher)->icv_len > 0 &&
        load_attribute(element, "authentication")) {
        load_wrong(problems, element, "authentication", "beside a cipher that authenticates itself",
                   "no authentication with it");
        return false;
    }
    return true;
}

static bool load_proposals(struct problems *problems, const xmlNode *element, struct p2_policy *policy)
{
    const xmlNode *node = load_child(element, "proposal");
    bool ok = true;
    if (node)
        policy->num_proposals = 0;
    for (; node && policy->num_proposals < P2_MAX_PROPOSALS; node = load_next(node, "proposal")) {
        struct p2_proposal *proposal = &policy->proposals[policy->num_proposals++];
        *proposal = p2_proposal_of(P2_PROTO_ESP, P2_CIPHER_NONE, P2_AUTH_NONE);
        ok = load_proposal(problems, node, proposal) && ok;
    }
    return ok;
}

bool load_policy(struct problems *problems, const xmlNode *element, struct p2_policy *policy)
{
    bool ok = load_fields(problems, element, policy_fields, FIELDS(policy_fields), policy);
    ok = load_proposals(problems, element, policy) && ok;
    /* fuzz moves the soft limit; it must not move it to the start of the SA or before. */
    if (ok && policy->soft_permille <= policy->fuzz_permille) {
        const char *fuzz = load_attribute(element, "fuzz"), *soft = load_attribute(element, "soft");
        problems_add(problems, load_line(element),
                     "<policy> fuzz=\"%s\" with soft=\"%s\"%s; allowed: a fuzz less than soft",
                     fuzz ? fuzz : "the tunnel's", soft ? soft : "the tunnel's",
                     policy->soft_permille == 0 ? ": a rekey would start at once and again" : "");
        ok = false;
    }
    return ok;
}
