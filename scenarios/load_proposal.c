/* <proposal> and <proposals>: predefined by name, a whole set, or algorithms spelled out. */
#include "load_policy.h"

#include "load.h"

#include <string.h>

/* Such as GCM: it authenticates too, so there is no algorithm beside it (RFC 4106). */
static bool is_combined(enum p2_cipher cipher)
{
    return p2_cipher_of(cipher)->icv_len > 0;
}

/* The values of a list, by their number in the library's table. 0: reported. */
struct algorithm_list {
    size_t num;
    unsigned items[P2_MAX_ALTERNATIVES];
};

static unsigned cipher_by_name(const char *name)
{
    return p2_cipher_by_name(name);
}

static unsigned auth_by_name(const char *name)
{
    return p2_auth_by_name(name);
}

static bool load_list(struct problems *problems, const xmlNode *element, const char *attribute,
                      unsigned (*by_name)(const char *), struct algorithm_list *list)
{
    static const char white[] = " \t\r\n";
    const char *text = load_attribute(element, attribute);
    *list = (struct algorithm_list){0};
    for (text += strspn(text, white); *text; text += strspn(text, white)) {
        char name[48], why[80];
        size_t len = strcspn(text, white);
        snprintf(name, sizeof name, "%.*s", (int)(len < 47 ? len : 47), text);
        unsigned item = by_name(name);
        if (item == 0 || list->num == P2_MAX_ALTERNATIVES) {
            snprintf(why, sizeof why, item == 0 ? "%s is not built in" : "one too many: %s", name);
            load_wrong(problems, element, attribute, why,
                       item == 0 ? "an algorithm of this build" : "at most 8");
            return false;
        }
        for (size_t i = 0; i < list->num; i++) {
            if (list->items[i] != item)
                continue;
            snprintf(why, sizeof why, "%s twice", name);
            load_wrong(problems, element, attribute, why, "each algorithm once");
            return false;
        }
        list->items[list->num++] = item;
        text += len;
    }
    if (list->num == 0)
        load_wrong(problems, element, attribute, "none", "one or more, separated by spaces");
    return list->num > 0;
}

static bool add_alternative(struct problems *problems, const xmlNode *element,
                            struct p2_protocol_offer *offer, unsigned cipher, unsigned auth)
{
    if (offer->num == P2_MAX_ALTERNATIVES) {
        problems_add(problems, load_line(element),
                     "<%s> makes more than 8 combinations of encryption and authentication; allowed: at most "
                     "8 in one proposal",
                     (const char *)element->name);
        return false;
    }
    offer->alternatives[offer->num++] = (struct p2_algorithms){(enum p2_cipher)cipher, (enum p2_auth)auth};
    return true;
}

static bool load_ah(struct problems *problems, const xmlNode *element, struct p2_protocol_offer *offer)
{
    struct algorithm_list auths;
    if (load_attribute(element, "encryption")) {
        load_wrong(problems, element, "encryption", "AH does not encrypt", "authentication alone, or ESP");
        return false;
    }
    if (!load_attribute(element, "authentication")) {
        problems_add(problems, load_line(element),
                     "<%s> of AH without authentication; allowed: authentication=\"hmac-sha1-96\" or another",
                     (const char *)element->name);
        return false;
    }
    if (!load_list(problems, element, "authentication", auth_by_name, &auths))
        return false;
    for (size_t i = 0; i < auths.num; i++) {
        if (!add_alternative(problems, element, offer, P2_CIPHER_NONE, auths.items[i]))
            return false;
    }
    return true;
}

/* What stands beside a cipher: nothing with GCM, an algorithm with all others. */
static bool check_authentication(struct problems *problems, const xmlNode *element, enum p2_cipher cipher)
{
    bool given = load_attribute(element, "authentication") != NULL;
    if (is_combined(cipher)) {
        if (given)
            load_wrong(problems, element, "authentication", "GCM authenticates by itself",
                       "no authentication beside GCM; other ciphers in a proposal of their own");
        return !given;
    }
    if (!given)
        problems_add(
            problems, load_line(element),
            "<%s> without authentication%s; allowed: use=\"g2-esp-aes128-sha\" or another predefined "
            "name, or both encryption and authentication (GCM: encryption alone)",
            (const char *)element->name,
            cipher == P2_CIPHER_NULL ? ", which encryption=\"null\" needs: it would protect nothing" : "");
    return given;
}

static bool load_esp(struct problems *problems, const xmlNode *element, struct p2_protocol_offer *offer)
{
    struct algorithm_list ciphers, auths = {1, {P2_AUTH_NONE}};
    if (!load_attribute(element, "encryption")) {
        problems_add(
            problems, load_line(element),
            "<%s> without encryption; allowed: use=\"g2-esp-aes128-sha\" or another predefined name, "
            "or both encryption and authentication",
            (const char *)element->name);
        return false;
    }
    if (!load_list(problems, element, "encryption", cipher_by_name, &ciphers))
        return false;
    for (size_t i = 0; i < ciphers.num; i++) {
        if (!check_authentication(problems, element, (enum p2_cipher)ciphers.items[i]))
            return false;
    }
    if (load_attribute(element, "authentication") &&
        !load_list(problems, element, "authentication", auth_by_name, &auths))
        return false;
    for (size_t i = 0; i < ciphers.num; i++) {
        for (size_t j = 0; j < auths.num; j++) {
            if (!add_alternative(problems, element, offer, ciphers.items[i], auths.items[j]))
                return false;
        }
    }
    return true;
}

static bool load_protocol(struct problems *problems, const xmlNode *element, bool ah,
                          struct p2_proposal *proposal)
{
    struct p2_protocol_offer *offer = &proposal->protocols[proposal->num_protocols++];
    offer->protocol = ah ? P2_PROTO_AH : P2_PROTO_ESP;
    return ah ? load_ah(problems, element, offer) : load_esp(problems, element, offer);
}

/* <ah/> and <esp/> inside: both are applied, ESP first and AH around it (RFC 2408 section 4.2). */
static bool load_bundle(struct problems *problems, const xmlNode *element, struct p2_proposal *proposal)
{
    static const char *const outside[] = {"protocol", "encryption", "authentication"};
    for (size_t i = 0; i < sizeof outside / sizeof outside[0]; i++) {
        if (load_attribute(element, outside[i])) {
            load_wrong(problems, element, outside[i], "beside <ah> or <esp>", "either one or the other");
            return false;
        }
    }
    const xmlNode *ah = load_child(element, "ah"), *esp = load_child(element, "esp");
    return (!ah || load_protocol(problems, ah, true, proposal)) &&
           (!esp || load_protocol(problems, esp, false, proposal));
}

static bool load_predefined(struct problems *problems, const xmlNode *element, struct p2_proposal *proposal,
                            enum p2_group *pfs)
{
    const char *name = load_attribute(element, "use");
    if (load_attribute(element, "encryption") || load_attribute(element, "authentication") ||
        load_attribute(element, "protocol") || load_attribute(element, "name") || load_child(element, NULL)) {
        load_wrong(problems, element, "use", "beside algorithms or a name of its own",
                   "either use, or encryption and authentication");
        return false;
    }
    if (p2_proposal_predefined(proposal, pfs, name))
        return true;
    struct problems_names names = {0};
    char allowed[PROBLEMS_LIST];
    for (size_t i = 0; p2_proposal_predefined_name(i); i++)
        problems_names_add(&names, p2_proposal_predefined_name(i));
    problems_list(allowed, &names, name);
    load_wrong(problems, element, "use", "no such predefined proposal", allowed);
    problems_names_cleanup(&names);
    return false;
}

static bool load_proposal(struct problems *problems, const xmlNode *element, struct p2_proposal *proposal,
                          enum p2_group *pfs)
{
    char name[SCENARIO_NAME] = "";
    static const struct field name_field[] = {{"name", &field_name, 0}};
    if (load_attribute(element, "use"))
        return load_predefined(problems, element, proposal, pfs);
    if (!load_fields(problems, element, name_field, FIELDS(name_field), name))
        return false;
    snprintf(proposal->name, sizeof proposal->name, "%.47s", name);
    if (load_child(element, NULL))
        return load_bundle(problems, element, proposal);
    const char *protocol = load_attribute(element, "protocol");
    return load_protocol(problems, element, protocol && strcmp(protocol, "ah") == 0, proposal);
}

/* Room for one more proposal; NULL: reported. */
static struct p2_proposal *next_proposal(struct problems *problems, const xmlNode *element,
                                         struct p2_policy *policy, struct load_pfs *pfs)
{
    if (policy->num_proposals == P2_MAX_PROPOSALS) {
        problems_add(
            problems, load_line(element),
            "<%s> is one proposal too many: a policy has at most 4 proposals; allowed: 1 to 4, those "
            "of sets included",
            (const char *)element->name);
        return NULL;
    }
    pfs->named[policy->num_proposals] = P2_GROUP_NONE;
    struct p2_proposal *proposal = &policy->proposals[policy->num_proposals++];
    *proposal = (struct p2_proposal){0};
    return proposal;
}

static bool is_predefined(const char *name)
{
    for (size_t i = 0; p2_proposal_predefined_name(i); i++) {
        if (strcmp(p2_proposal_predefined_name(i), name) == 0)
            return true;
    }
    return false;
}

/* Results and reasons tell proposals by their names; what is offered twice could only be chosen once. */
static bool check_name(struct problems *problems, const xmlNode *element, const struct p2_policy *policy,
                       size_t number)
{
    const char *name = policy->proposals[number].name, *own = load_attribute(element, "name");
    size_t i = 0;
    while (i < number && (!*name || strcmp(policy->proposals[i].name, name) != 0))
        i++;
    if (i < number)
        load_wrong(problems, element, own ? "name" : "use", "the policy has a proposal of that name already",
                   "each proposal once, under a name of its own");
    else if (own && is_predefined(own))
        load_wrong(problems, element, "name", "a predefined proposal has that name",
                   "another name, or use with this one and no algorithms");
    else
        return true;
    return false;
}

static bool load_set(struct problems *problems, const xmlNode *element, struct p2_policy *policy,
                     struct load_pfs *pfs)
{
    const char *const *names = p2_proposal_set(load_required(element, "use"));
    if (!names) {
        load_wrong(problems, element, "use", "no such set", "standard, compatible, basic");
        return false;
    }
    for (; *names; names++) {
        struct p2_proposal *proposal = next_proposal(problems, element, policy, pfs);
        if (!proposal)
            return false;
        if (!p2_proposal_predefined(proposal, &pfs->named[policy->num_proposals - 1], *names)) {
            char why[96];
            snprintf(why, sizeof why, "its member %s is not built in", *names);
            load_wrong(problems, element, "use", why, "a set whose algorithms are built in");
            return false;
        }
        if (!check_name(problems, element, policy, policy->num_proposals - 1))
            return false;
    }
    return true;
}

bool load_proposals(struct problems *problems, const xmlNode *element, struct p2_policy *policy,
                    struct load_pfs *pfs)
{
    const xmlNode *node = load_child(element, NULL);
    bool ok = true;
    if (node)
        policy->num_proposals = 0;
    for (; node; node = load_next(node, NULL)) {
        if (load_is(node, "proposals")) {
            ok = load_set(problems, node, policy, pfs) && ok;
            continue;
        }
        struct p2_proposal *proposal = next_proposal(problems, node, policy, pfs);
        if (!proposal)
            return false;
        ok = load_proposal(problems, node, proposal, &pfs->named[policy->num_proposals - 1]) &&
             check_name(problems, node, policy, policy->num_proposals - 1) && ok;
    }
    return ok;
}
