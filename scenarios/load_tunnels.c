/* <tunnels>: pairs of ends, with the counted ones expanded. */
#include "load.h"

#include "load_policy.h"
#include "units.h"

#include <stdlib.h>
#include <string.h>

/* One <end> of a <tunnel> element, before it is expanded. */
struct end {
    const xmlNode *element;
    struct load_members members;
    struct scenario_end template; /* all but gateway and proxy IDs */
    bool has_proxy_id;
    struct p2_selector local, remote; /* the first member's */
};

static const char *attribute_or(const xmlNode *element, const char *name, const char *otherwise)
{
    const char *value = load_attribute(element, name);
    return value ? value : otherwise;
}

/* What the vendor's own command line would refuse. */
static bool check_strict(struct problems *problems, const struct end *end)
{
    uint32_t lifetime = end->template.policy.lifetime_s;
    if (strcmp(attribute_or(end->element, "strict", "false"), "true") != 0 ||
        strcmp(end->template.vendor, "junos") != 0 || (lifetime >= 180 && lifetime <= 86400))
        return true;
    problems_add(problems, load_line(end->element),
                 "<end> strict=\"true\" with a policy lifetime of %us; allowed by Junos: 180s to 86400s",
                 lifetime);
    return false;
}

static bool load_end_policies(struct problems *problems, const xmlNode *tunnel, struct end *end)
{
    struct scenario_end *template = &end->template;
    const xmlNode *phase1 = load_child(end->element, "phase1"), *policy = load_child(end->element, "policy");
    bool ok = (!phase1 || load_phase1(problems, phase1, &template->phase1)) &&
              (!policy || load_policy(problems, policy, &template->policy));
    if (ok && template->phase1.psk_len == 0) {
        problems_add(problems, load_line(phase1 ? phase1 : load_child(tunnel, "phase1")),
                     "<phase1> without pre-shared-key for end \"%s\"; allowed: a pre-shared-key in the "
                     "tunnel's phase1 or in that of each end",
                     load_attribute(end->element, "gateway"));
        ok = false;
    }
    if (ok && template->policy.num_proposals == 0) {
        problems_add(
            problems, load_line(policy ? policy : load_child(tunnel, "policy")),
            "<policy> without <proposal> for end \"%s\"; allowed: 1 to 4 in the tunnel's policy or in "
            "that of each end",
            load_attribute(end->element, "gateway"));
        ok = false;
    }
    return ok && check_strict(problems, end);
}

static bool load_end(struct loader *l, const xmlNode *tunnel, const xmlNode *element, struct end *end)
{
    end->element = element;
    snprintf(end->template.vendor, sizeof end->template.vendor, "%s", attribute_or(element, "vendor", ""));
    bool ok = load_reference(l->problems, element, "gateway", "gateway", &l->gateways, &end->members);
    ok = load_end_policies(l->problems, tunnel, end) && ok;
    const xmlNode *proxy_id = load_child(element, "proxy-id");
    end->has_proxy_id = proxy_id != NULL;
    if (proxy_id) {
        ok = load_prefix(l->problems, proxy_id, "local", &end->local) && ok;
        ok = load_prefix(l->problems, proxy_id, "remote", &end->remote) && ok;
    }
    return ok;
}

/* The written prefix is that of the first member; it counts up with what that gateway protects, unless it is
 * wider and so meant for all of them. */
static bool count_proxy_id(const struct scenario *s, const struct load_members *side, size_t i,
                           const struct p2_selector *written, struct p2_selector *out)
{
    *out = *written;
    const struct scenario_gateway *first = &s->gateways[side->first];
    uint8_t size_len = first->has_protects ? first->protects.prefix_len : written->prefix_len;
    if (!side->counted || i == 0 || written->prefix_len < size_len)
        return true;
    uint64_t distance = (uint64_t)i * side->group->step * ((uint64_t)~units_mask(size_len) + 1);
    return load_count_prefix(written, distance, out);
}

static bool count_proxy_ids(struct loader *l, const struct end *end, const struct end *peer, size_t i,
                            struct scenario_end *out)
{
    const xmlNode *element = load_child(end->element, "proxy-id");
    const char *wrong = NULL;
    if (!count_proxy_id(l->scenario, &end->members, i, &end->local, &out->local))
        wrong = "local";
    else if (!count_proxy_id(l->scenario, &peer->members, i, &end->remote, &out->remote))
        wrong = "remote";
    if (!wrong)
        return true;
    char why[64];
    snprintf(why, sizeof why, "number %zu would be outside", i + 1);
    load_wrong(l->problems, element, wrong, why,
               "a count that ends before 223.255.255.255 and outside 127.0.0.0/8");
    return false;
}

static bool default_proxy_ids(struct loader *l, const struct end ends[2], struct scenario_tunnel *tunnel)
{
    for (int e = 0; e < 2; e++) {
        const struct scenario_gateway *gateway = &l->scenario->gateways[tunnel->ends[e].gateway];
        if (!gateway->has_protects) {
            load_wrong(l->problems, ends[e].element, "gateway",
                       "it protects nothing and there is no proxy-id",
                       "a gateway with protects, or a <proxy-id> here");
            return false;
        }
        tunnel->ends[e].local = tunnel->ends[1 - e].remote = gateway->protects;
    }
    return true;
}

static bool load_proxy_ids(struct loader *l, const struct end ends[2], size_t i,
                           struct scenario_tunnel *tunnel)
{
    if (!ends[0].has_proxy_id && !ends[1].has_proxy_id)
        return default_proxy_ids(l, ends, tunnel);
    for (int e = 0; e < 2; e++) {
        struct scenario_end *own = &tunnel->ends[e], *peer = &tunnel->ends[1 - e];
        if (!ends[e].has_proxy_id)
            continue;
        if (!count_proxy_ids(l, &ends[e], &ends[1 - e], i, own))
            return false;
        if (!ends[1 - e].has_proxy_id) {
            peer->local = own->remote;
            peer->remote = own->local;
        }
    }
    return true;
}

/* Member i of a tunnel element. */
static bool load_member_tunnel(struct loader *l, const xmlNode *node, const struct end ends[2],
                               const struct load_group *group, size_t i)
{
    struct scenario *s = l->scenario;
    struct scenario_tunnel *tunnel = LOAD_APPEND(l->problems, s->tunnels, s->num_tunnels);
    if (!tunnel)
        return false;
    load_member_name(tunnel->name, group->name, group->counted, i);
    tunnel->line = load_line(node);
    tunnel->establish = strcmp(load_required(node, "establish"), "on-traffic") == 0 ? SCENARIO_ON_TRAFFIC
                                                                                    : SCENARIO_IMMEDIATELY;
    for (int e = 0; e < 2; e++) {
        tunnel->ends[e] = ends[e].template;
        tunnel->ends[e].gateway = (int)load_member(&ends[e].members, i);
    }
    const struct scenario_gateway *a = &s->gateways[tunnel->ends[0].gateway],
                                  *b = &s->gateways[tunnel->ends[1].gateway];
    if (l->component[tunnel->ends[0].gateway] != l->component[tunnel->ends[1].gateway]) {
        problems_add(l->problems, tunnel->line,
                     "<tunnel> %s: no links lead from %s to %s; allowed: ends that links connect",
                     tunnel->name, a->name, b->name);
        return false;
    }
    return load_proxy_ids(l, ends, i, tunnel);
}

static bool unique_name(struct loader *l, const xmlNode *node, const char *name)
{
    for (size_t i = 0; i < l->tunnels.num; i++) {
        if (strcmp(l->tunnels.items[i].name, name) == 0) {
            load_wrong(l->problems, node, "name", "a second tunnel of that name",
                       "a name of its own for each tunnel");
            return false;
        }
    }
    return true;
}

static bool load_ends(struct loader *l, const xmlNode *node, struct end ends[2])
{
    struct problems *problems = l->problems;
    const xmlNode *first = load_child(node, "end");
    bool ok = load_phase1(problems, load_child(node, "phase1"), &ends[0].template.phase1);
    ok = load_policy(problems, load_child(node, "policy"), &ends[0].template.policy) && ok;
    ends[1].template = ends[0].template;
    ok = ok && load_end(l, node, first, &ends[0]);
    ok = ok && load_end(l, node, load_next(first, "end"), &ends[1]);
    if (ok && ends[0].template.phase1.mode != ends[1].template.phase1.mode) {
        problems_add(problems, load_line(node),
                     "<tunnel> with mode=\"preset\" at one end and mode=\"main\" at the other; allowed: "
                     "the same mode at both ends");
        ok = false;
    }
    return ok;
}

static bool load_tunnel(struct loader *l, const xmlNode *node)
{
    struct end ends[2] = {0};
    const char *name = load_required(node, "name");
    if (!unique_name(l, node, name))
        return false;
    struct load_group *group = LOAD_APPEND(l->problems, l->tunnels.items, l->tunnels.num);
    if (!group)
        return false;
    snprintf(group->name, sizeof group->name, "%s", name);
    group->first = l->scenario->num_tunnels;
    bool ok = load_ends(l, node, ends);
    group->num =
        ok ? load_pairs(l->problems, ends[1].element, "gateway", &ends[1].members, &ends[0].members) : 0;
    group->counted = ends[0].members.counted || ends[1].members.counted;
    if (group->num + l->scenario->num_tunnels > LOAD_MAX_EXPANDED) {
        load_wrong(l->problems, node, "name", "too many tunnels", "20000 in all");
        return false;
    }
    ok = group->num > 0;
    for (size_t i = 0; i < group->num && ok; i++)
        ok = load_member_tunnel(l, node, ends, group, i);
    return ok;
}

bool load_tunnels(struct loader *l, const xmlNode *tunnels)
{
    bool ok = true;
    for (const xmlNode *node = load_child(tunnels, "tunnel"); node; node = load_next(node, "tunnel"))
        ok = load_tunnel(l, node) && ok;
    return ok;
}
