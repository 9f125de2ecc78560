/* <tunnels>: pairs of ends, with the counted ones expanded. */
#include "load.h"

#include "load_end.h"

#include <string.h>

static const char *attribute_or(const xmlNode *element, const char *name, const char *otherwise)
{
    const char *value = load_attribute(element, name);
    return value ? value : otherwise;
}

/* What the vendor's own command line would refuse. */
static bool check_strict(struct problems *problems, const struct load_end *end)
{
    uint32_t lifetime = end->template.policy.lifetime_s, volume = end->template.policy.lifetime_kb;
    if (strcmp(attribute_or(end->element, "strict", "false"), "true") != 0)
        return true;
    if (strcmp(end->template.vendor, "junos") != 0) {
        load_wrong(problems, end->element, "strict", "no vendor is named, whose limits would be meant",
                   "vendor=\"junos\" beside it, or no strict");
        return false;
    }
    bool time_fits = lifetime >= 180 && lifetime <= 86400;
    bool volume_fits = volume == 0 || (volume >= 64 && volume <= 1048576);
    if (!time_fits)
        problems_add(problems, load_line(end->element),
                     "<end> strict=\"true\" with a policy lifetime of %us; allowed by Junos: 180s to 86400s",
                     lifetime);
    if (!volume_fits)
        problems_add(problems, load_line(end->element),
                     "<end> strict=\"true\" with a policy lifetime-size of %uKB; allowed by Junos: 64KB to "
                     "1048576KB",
                     volume);
    return time_fits && volume_fits;
}

static bool load_end_policies(struct problems *problems, const xmlNode *tunnel, struct load_end *end,
                              bool sound)
{
    struct scenario_end *template = &end->template;
    const xmlNode *phase1 = load_child(end->element, "phase1"), *policy = load_child(end->element, "policy");
    const char *gateway = load_required(end->element, "gateway");
    bool ok = !phase1 || load_phase1(problems, phase1, &template->phase1);
    ok = (!policy || load_policy(problems, policy, &template->policy, &end->pfs)) && ok && sound;
    if (ok && template->phase1.psk_len == 0) {
        problems_add(problems, load_line(phase1 ? phase1 : load_child(tunnel, "phase1")),
                     "<phase1> without pre-shared-key for end \"%s\"; allowed: a pre-shared-key in the "
                     "tunnel's phase1 or in that of each end",
                     gateway);
        ok = false;
    }
    if (ok && template->policy.num_proposals == 0) {
        problems_add(
            problems, load_line(policy ? policy : load_child(tunnel, "policy")),
            "<policy> without <proposal> for end \"%s\"; allowed: 1 to 4 in the tunnel's policy or in "
            "that of each end",
            gateway);
        ok = false;
    }
    if (ok)
        load_pfs_settle(problems, load_line(policy ? policy : load_child(tunnel, "policy")),
                        &template->policy, &end->pfs);
    return ok && check_strict(problems, end);
}

static bool parse_basis(const char *text, void *out)
{
    *(enum p2_basis *)out = strcmp(text, "policy") == 0 ? P2_POLICY_BASED : P2_ROUTE_BASED;
    return true;
}

static const struct field_kind field_basis = {"route or policy", parse_basis};

/* Of the tunnel, and of an end that does it differently. */
static const struct field end_fields[] = {
    {"basis", &field_basis, offsetof(struct scenario_end, basis)},
    {"waiting", &field_count, offsetof(struct scenario_end, waiting)},
    {"retry", &field_time, offsetof(struct scenario_end, retry)},
};

/* sound: so is what the tunnel says for both ends. */
static bool load_end(struct loader *l, const xmlNode *tunnel, const xmlNode *element, struct load_end *end,
                     bool sound)
{
    end->element = element;
    snprintf(end->template.vendor, sizeof end->template.vendor, "%s", attribute_or(element, "vendor", ""));
    bool ok = load_reference(l->problems, element, "gateway", "gateway", &l->gateways, &end->members);
    ok = load_fields(l->problems, element, end_fields, FIELDS(end_fields), &end->template) && ok;
    ok = load_end_policies(l->problems, tunnel, end, sound) &&
         load_transport_basis(l->problems, tunnel, end) && ok;
    return load_proxy_id(l->problems, end) && ok;
}

/* What links and NATs allow between the two gateways of a tunnel. */
static bool check_reach(struct loader *l, const struct scenario_tunnel *tunnel)
{
    const struct scenario *s = l->scenario;
    const struct scenario_gateway *a = &s->gateways[tunnel->ends[0].gateway],
                                  *b = &s->gateways[tunnel->ends[1].gateway];
    const char *name = tunnel->name;
    if (l->component[tunnel->ends[0].gateway] != l->component[tunnel->ends[1].gateway])
        problems_add(l->problems, tunnel->line,
                     "<tunnel> %s: no links lead from %s to %s; allowed: ends that links connect", name,
                     a->name, b->name);
    else if (a->address.family != b->address.family)
        problems_add(
            l->problems, tunnel->line,
            "<tunnel> %s: %s has an IPv%u address and %s an IPv%u one; allowed: outside addresses of "
            "one family (what stands inside may be of the other)",
            name, a->name, a->address.family, b->name, b->address.family);
    else if (a->nat >= 0 && b->nat >= 0)
        problems_add(
            l->problems, tunnel->line,
            "<tunnel> %s: %s and %s both stand behind a NAT, so neither can reach the other; allowed: "
            "one end behind a NAT",
            name, a->name, b->name);
    else if ((a->nat >= 0 || b->nat >= 0) && tunnel->ends[0].phase1.mode == P2_PHASE1_PRESET)
        problems_add(
            l->problems, tunnel->line,
            "<tunnel> %s: mode=\"preset\" skips the messages that look for NATs, and %s stands behind one; "
            "allowed: mode=\"main\" or mode=\"aggressive\" here",
            name, a->nat >= 0 ? a->name : b->name);
    else if (b->nat >= 0 && tunnel->establish == SCENARIO_IMMEDIATELY)
        problems_add(
            l->problems, tunnel->line,
            "<tunnel> %s: its first end, %s, would start it, but %s stands behind a NAT and can not be "
            "reached before it has spoken; allowed: the end behind the NAT first",
            name, a->name, b->name);
    else
        return true;
    return false;
}

/* Member i of a tunnel element. */
static bool load_member_tunnel(struct loader *l, const xmlNode *node, const struct load_end ends[2],
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
    if (!l->gateways_sound || !l->links_sound)
        return true;
    return check_reach(l, tunnel) && load_proxy_ids(l, ends, i, tunnel) &&
           load_host_basis(l->problems, node, ends, s, tunnel) && load_transport_tunnel(l, tunnel);
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

/* Keys of a preset ISAKMP SA come from what both ends have; nothing is negotiated. */
static bool check_preset(struct problems *problems, const xmlNode *tunnel, const struct load_end ends[2])
{
    const struct p2_phase1_policy *a = &ends[0].template.phase1, *b = &ends[1].template.phase1;
    const char *differs = a->psk_len != b->psk_len || memcmp(a->psk, b->psk, a->psk_len) != 0
                              ? "pre-shared-key"
                          : a->cipher != b->cipher ? "encryption"
                          : a->hash != b->hash     ? "hash"
                                                   : NULL;
    if (a->mode != P2_PHASE1_PRESET || !differs)
        return true;
    problems_add(problems, load_line(tunnel),
                 "<tunnel> with mode=\"preset\" whose ends differ in %s, so that neither could read the "
                 "other; allowed: the same at both ends, or mode=\"main\", which finds out",
                 differs);
    return false;
}

static bool load_ends(struct loader *l, const xmlNode *node, struct load_end ends[2])
{
    struct problems *problems = l->problems;
    const xmlNode *first = load_child(node, "end");
    bool ok = load_phase1(problems, load_child(node, "phase1"), &ends[0].template.phase1);
    ok = load_policy(problems, load_child(node, "policy"), &ends[0].template.policy, &ends[0].pfs) && ok;
    ok = load_fields(problems, node, end_fields, FIELDS(end_fields), &ends[0].template) && ok;
    ends[1] = ends[0];
    ok = load_end(l, node, first, &ends[0], ok) && ok;
    ok = load_end(l, node, load_next(first, "end"), &ends[1], ok) && ok;
    /* Main against aggressive is a disagreement to look at; a preset SA needs nobody to answer. */
    if (ok && (ends[0].template.phase1.mode == P2_PHASE1_PRESET) !=
                  (ends[1].template.phase1.mode == P2_PHASE1_PRESET)) {
        problems_add(
            problems, load_line(node),
            "<tunnel> with mode=\"preset\" at one end only; allowed: preset at both ends or at none");
        ok = false;
    }
    ok = ok && check_preset(problems, node, ends);
    for (int e = 0; e < 2; e++)
        ends[e].template.policy.sequence_expected = ends[!e].template.policy.sequence_first;
    return ok;
}

static bool load_tunnel(struct loader *l, const xmlNode *node)
{
    struct load_end ends[2] = {0};
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
    if (group->num + l->scenario->num_tunnels > LOAD_MAX_EXPANDED || l->tunnels.num > LOAD_MAX_EXPANDED)
        return !load_too_many(l, node, "name", "tunnels", LOAD_MAX_EXPANDED);
    ok = group->num > 0;
    for (size_t i = 0; i < group->num && ok; i++)
        ok = load_member_tunnel(l, node, ends, group, i);
    return ok;
}

bool load_tunnels(struct loader *l, const xmlNode *tunnels)
{
    bool ok = true;
    const xmlNode *node = load_child(tunnels, "tunnel");
    for (; node && !load_is_cut_off(l); node = load_next(node, "tunnel"))
        ok = load_tunnel(l, node) && ok;
    return ok;
}
