/* <phase1> and <policy>: what one end of a tunnel offers and accepts. */
#include "load_policy.h"

#include "dh.h"
#include "load.h"
#include "units.h"

#include <string.h>

/* A word that the schema allows, as the number that it stands for; a table ends with a NULL word. */
struct word {
    const char *text;
    int value;
};

static bool find_word(const struct word *words, const char *text, int *value)
{
    while (words->text && strcmp(words->text, text) != 0)
        words++;
    *value = words->value;
    return words->text != NULL;
}

static bool parse_mode(const char *text, void *out)
{
    static const struct word words[] = {{"main", P2_PHASE1_MAIN},
                                        {"aggressive", P2_PHASE1_AGGRESSIVE},
                                        {"preset", P2_PHASE1_PRESET},
                                        {NULL, 0}};
    int value;
    bool known = find_word(words, text, &value);
    *(enum p2_phase1_mode *)out = (enum p2_phase1_mode)value;
    return known;
}

static bool parse_encapsulation(const char *text, void *out)
{
    static const struct word words[] = {
        {"tunnel", P2_MODE_TUNNEL}, {"transport", P2_MODE_TRANSPORT}, {NULL, P2_MODE_TUNNEL}};
    int value;
    bool known = find_word(words, text, &value);
    *(enum p2_mode *)out = (enum p2_mode)value;
    return known;
}

static bool parse_lifetime_rule(const char *text, void *out)
{
    static const struct word words[] = {{"shorter", P2_LIFETIME_SHORTER}, {"obey", P2_LIFETIME_OBEY},
                                        {"strict", P2_LIFETIME_STRICT},   {"claim", P2_LIFETIME_CLAIM},
                                        {"exact", P2_LIFETIME_EXACT},     {NULL, 0}};
    int value;
    bool known = find_word(words, text, &value);
    *(enum p2_lifetime_rule *)out = (enum p2_lifetime_rule)value;
    return known;
}

static bool parse_proxy_rule(const char *text, void *out)
{
    static const struct word words[] = {
        {"service", P2_PROXY_SERVICE}, {"addresses", P2_PROXY_ADDRESSES}, {NULL, 0}};
    int value;
    bool known = find_word(words, text, &value);
    *(enum p2_proxy_rule *)out = (enum p2_proxy_rule)value;
    return known;
}

static bool parse_df(const char *text, void *out)
{
    static const struct word words[] = {
        {"copy", P2_DF_COPY}, {"clear", P2_DF_CLEAR}, {"set", P2_DF_SET}, {NULL, 0}};
    int value;
    bool known = find_word(words, text, &value);
    *(enum p2_df *)out = (enum p2_df)value;
    return known;
}

static bool parse_fragments(const char *text, void *out)
{
    *(bool *)out = strcmp(text, "before") == 0;
    return *(bool *)out || strcmp(text, "after") == 0;
}

static bool parse_dscp(const char *text, void *out)
{
    *(bool *)out = strcmp(text, "zero") == 0;
    return *(bool *)out || strcmp(text, "copy") == 0;
}

/* 0 leaves it at what the standards say. */
static bool parse_sequence(const char *text, void *out)
{
    uint64_t number = 0;
    if (strcmp(text, "standard") != 0 && (!units_number(text, &number) || number == 0))
        return false;
    *(uint64_t *)out = number;
    return true;
}

static bool parse_volume(const char *text, void *out)
{
    uint32_t kilobytes = 0;
    if (strcmp(text, "none") != 0 && !units_kilobytes(text, &kilobytes))
        return false;
    *(uint32_t *)out = kilobytes;
    return true;
}

static bool parse_install_interval(const char *text, void *out)
{
    p2_time time;
    if (!units_time(text, &time) || time > 10 * P2_SECOND)
        return false;
    *(p2_time *)out = time;
    return true;
}

static bool parse_dpd_interval(const char *text, void *out)
{
    p2_time time = 0;
    if (strcmp(text, "off") != 0 && (!field_time.parse(text, &time) || time < P2_MS))
        return false;
    *(p2_time *)out = time;
    return true;
}

static bool parse_keepalive(const char *text, void *out)
{
    p2_time time;
    if (!field_time.parse(text, &time) || time < P2_SECOND)
        return false;
    *(p2_time *)out = time;
    return true;
}

/* ISAKMP has numbers for some ciphers only (RFC 2409 appendix A). */
static bool parse_isakmp_cipher(const char *text, void *out)
{
    enum p2_cipher cipher = p2_cipher_by_name(text);
    *(enum p2_cipher *)out = cipher;
    return cipher != P2_CIPHER_NONE && p2_cipher_of(cipher)->ike_id != 0;
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

static const struct field_kind field_mode = {"main, aggressive or preset", parse_mode};
static const struct field_kind field_encapsulation = {"tunnel or transport", parse_encapsulation};
static const struct field_kind field_lifetime_rule = {"shorter, obey, strict, claim or exact",
                                                      parse_lifetime_rule};
static const struct field_kind field_proxy_rule = {"service or addresses", parse_proxy_rule};
static const struct field_kind field_df = {"copy, clear or set", parse_df};
static const struct field_kind field_fragments = {"before or after", parse_fragments};
static const struct field_kind field_dscp = {"copy or zero", parse_dscp};
static const struct field_kind field_sequence = {"standard, or a number of at least 1", parse_sequence};
static const struct field_kind field_volume = {"1KB to 4294967295KB, such as 4608KB, or none", parse_volume};
static const struct field_kind field_install_interval = {"0s to 10s", parse_install_interval};
static const struct field_kind field_dpd_interval = {"a time of at least 1ms, or off; at most 87600h",
                                                     parse_dpd_interval};
static const struct field_kind field_keepalive = {"a time of at least 1s and at most 87600h",
                                                  parse_keepalive};
static const struct field_kind field_isakmp_cipher = {
    "a cipher that is built in and that ISAKMP has a number for", parse_isakmp_cipher};
static const struct field_kind field_resend = {"1ms to 1h", parse_resend};
static const struct field_kind field_backoff = {"a number from 1 to 10", parse_backoff};
static const struct field_kind field_window = {"32 to 131072 packets, or off", parse_window};

static const struct field phase1_fields[] = {
    {"mode", &field_mode, offsetof(struct p2_phase1_policy, mode)},
    {"encryption", &field_isakmp_cipher, offsetof(struct p2_phase1_policy, cipher)},
    {"hash", &field_hash, offsetof(struct p2_phase1_policy, hash)},
    {"group", &field_group, offsetof(struct p2_phase1_policy, group)},
    {"lifetime", &field_lifetime, offsetof(struct p2_phase1_policy, lifetime_s)},
    {"soft", &field_permille, offsetof(struct p2_phase1_policy, soft_permille)},
    {"initial-contact", &field_boolean, offsetof(struct p2_phase1_policy, initial_contact)},
    {"dpd-interval", &field_dpd_interval, offsetof(struct p2_phase1_policy, dpd_interval)},
    {"dpd-tries", &field_count, offsetof(struct p2_phase1_policy, dpd_tries)},
    {"nat-traversal", &field_boolean, offsetof(struct p2_phase1_policy, nat_traversal)},
    {"nat-keepalive", &field_keepalive, offsetof(struct p2_phase1_policy, nat_keepalive)},
    {"resend", &field_resend, offsetof(struct p2_phase1_policy, retransmission.first)},
    {"backoff", &field_backoff, offsetof(struct p2_phase1_policy, retransmission.backoff_permille)},
    {"tries", &field_count, offsetof(struct p2_phase1_policy, retransmission.tries)},
};

static const struct field policy_fields[] = {
    {"lifetime", &field_lifetime, offsetof(struct p2_policy, lifetime_s)},
    {"lifetime-size", &field_volume, offsetof(struct p2_policy, lifetime_kb)},
    {"lifetime-rule", &field_lifetime_rule, offsetof(struct p2_policy, lifetime_rule)},
    {"proxy-id-match", &field_proxy_rule, offsetof(struct p2_policy, proxy_rule)},
    {"commit-bit", &field_boolean, offsetof(struct p2_policy, commit_bit)},
    {"install-interval", &field_install_interval, offsetof(struct p2_policy, install_interval)},
    {"soft", &field_permille, offsetof(struct p2_policy, soft_permille)},
    {"fuzz", &field_permille, offsetof(struct p2_policy, fuzz_permille)},
    {"replay-window", &field_window, offsetof(struct p2_policy, replay_window)},
    {"esn", &field_boolean, offsetof(struct p2_policy, esn)},
    {"sequence-first", &field_sequence, offsetof(struct p2_policy, sequence_first)},
    {"sequence-last", &field_sequence, offsetof(struct p2_policy, sequence_max)},
    {"df-bit", &field_df, offsetof(struct p2_policy, df)},
    {"fragments", &field_fragments, offsetof(struct p2_policy, fragment_before)},
    {"dscp", &field_dscp, offsetof(struct p2_policy, dscp_zero)},
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

static const struct field pfs_fields[] = {{"pfs", &field_pfs, offsetof(struct p2_policy, pfs)}};

static bool load_pfs_attribute(struct problems *problems, const xmlNode *element, struct p2_policy *policy,
                               struct load_pfs *pfs)
{
    const char *text = load_attribute(element, "pfs");
    if (text)
        pfs->as_named = strcmp(text, "as-named") == 0;
    return !text || pfs->as_named || load_fields(problems, element, pfs_fields, FIELDS(pfs_fields), policy);
}

/* RFC 2409 section 5.5: the group stands in every transform of an offer and there is one KE, so an offer has
 * one group or none. */
void load_pfs_settle(struct problems *problems, int line, struct p2_policy *policy,
                     const struct load_pfs *pfs)
{
    if (!pfs->as_named || policy->num_proposals == 0)
        return;
    policy->pfs = pfs->named[0];
    const struct p2_group_info *first = p2_group_of(pfs->named[0]);
    for (size_t i = 1; i < policy->num_proposals; i++) {
        const struct p2_group_info *other = p2_group_of(pfs->named[i]);
        if (pfs->named[i] == pfs->named[0])
            continue;
        problems_warn(problems, line,
                      "<policy> pfs=\"as-named\": proposal 1 stands for %s and proposal %zu for %s, but an "
                      "offer has one group or none (RFC 2409 section 5.5): %s is offered with all of them",
                      first ? first->name : "no PFS", i + 1, other ? other->name : "no PFS",
                      first ? first->name : "no PFS");
        return;
    }
}

/* Without extended numbers a counter has 32 bits (RFC 4303 section 2.2). */
static bool check_sequence(struct problems *problems, const xmlNode *element, const struct p2_policy *policy)
{
    uint64_t first = policy->sequence_first, last = policy->sequence_max;
    const char *wrong = first > UINT32_MAX ? "sequence-first" : last > UINT32_MAX ? "sequence-last" : NULL;
    if (wrong && !policy->esn) {
        problems_add(
            problems, load_attribute_line(element, wrong),
            "<policy> %s=\"%llu\" without extended sequence numbers; allowed: at most 4294967295, or "
            "esn=\"true\" beside it",
            wrong, (unsigned long long)(first > UINT32_MAX ? first : last));
        return false;
    }
    if (last == 0 || first <= last)
        return true;
    problems_add(
        problems, load_attribute_line(element, first > 0 ? "sequence-first" : "sequence-last"),
        "<policy> sequence-first=\"%llu\" with sequence-last=\"%llu\": not one packet could be sent; "
        "allowed: a sequence-first up to sequence-last",
        (unsigned long long)first, (unsigned long long)last);
    return false;
}

bool load_policy(struct problems *problems, const xmlNode *element, struct p2_policy *policy,
                 struct load_pfs *pfs)
{
    bool ok = load_fields(problems, element, policy_fields, FIELDS(policy_fields), policy);
    ok = load_pfs_attribute(problems, element, policy, pfs) && ok;
    ok = load_proposals(problems, element, policy, pfs) && ok;
    if (ok && policy->esn && policy->replay_window == 0) {
        problems_add(
            problems, load_line(element),
            "<policy> esn=\"true\" with replay-window=\"off\"; allowed: a window with extended sequence "
            "numbers, for it tells their upper half (RFC 4303 section 3.3.3)");
        ok = false;
    }
    ok = check_sequence(problems, element, policy) && ok;
    /* fuzz moves the soft limit; it must not move it to the start of the SA or before. */
    if (ok && policy->soft_permille <= policy->fuzz_permille) {
        problems_add(problems, load_line(element),
                     "<policy> fuzz=\"%g%%\" with soft=\"%g%%\"%s; allowed: a fuzz less than soft",
                     policy->fuzz_permille / 10.0, policy->soft_permille / 10.0,
                     policy->soft_permille == 0 ? ": a rekey would start at once and again" : "");
        ok = false;
    }
    return ok;
}
