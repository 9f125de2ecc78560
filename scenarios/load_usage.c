#include "load_usage.h"

#include "load.h"

#include <stdlib.h>

static void note_profiles(struct load_usage *usage, const struct scenario *s)
{
    for (size_t i = 0; i < s->num_gateways; i++) {
        if (s->gateways[i].cpu.profile >= 0)
            usage->profiles[s->gateways[i].cpu.profile] = true;
    }
}

static void note_gateways(struct load_usage *usage, const struct loader *l, bool *is_linked)
{
    for (size_t i = 0; i < l->scenario->num_links; i++)
        is_linked[l->scenario->links[i].from] = is_linked[l->scenario->links[i].to] = true;
    for (size_t g = 0; g < l->gateways.num; g++) {
        const struct load_group *group = &l->gateways.items[g];
        for (size_t i = 0; i < group->num; i++)
            usage->gateways[g] |= is_linked[group->first + i];
    }
}

/* Something starts a tunnel: itself, traffic of its gateways, or the timeline. */
static void note_tunnels(struct load_usage *usage, const struct loader *l, struct load_pair *flows,
                         bool *is_rekeyed)
{
    const struct scenario *s = l->scenario;
    for (size_t i = 0; i < s->num_flows; i++)
        flows[i] = (struct load_pair){s->flows[i].from, s->flows[i].to, i};
    load_pairs_sort(flows, s->num_flows);
    for (size_t i = 0; i < s->num_events; i++) {
        if (s->events[i].kind == SCENARIO_REKEY)
            is_rekeyed[s->events[i].u.tunnel.index] = true;
    }
    for (size_t t = 0; t < l->tunnels.num; t++) {
        const struct load_group *group = &l->tunnels.items[t];
        for (size_t i = group->first; i < group->first + group->num && !usage->tunnels[t]; i++) {
            int a = s->tunnels[i].ends[0].gateway, b = s->tunnels[i].ends[1].gateway;
            usage->tunnels[t] = s->tunnels[i].establish == SCENARIO_IMMEDIATELY || is_rekeyed[i] ||
                                load_pairs_find(flows, s->num_flows, a, b) ||
                                load_pairs_find(flows, s->num_flows, b, a);
        }
    }
}

static bool begin(struct load_usage *usage, const struct loader *l)
{
    if (!usage->profiles)
        usage->profiles = calloc(l->scenario->num_profiles + 1, sizeof(bool));
    if (!usage->gateways)
        usage->gateways = calloc(l->gateways.num + 1, sizeof(bool));
    if (!usage->tunnels)
        usage->tunnels = calloc(l->tunnels.num + 1, sizeof(bool));
    return usage->profiles && usage->gateways && usage->tunnels;
}

bool load_note_usage(struct load_usage *usage, const struct loader *l)
{
    const struct scenario *s = l->scenario;
    bool *is_linked = calloc(s->num_gateways + s->num_nats + 1, sizeof *is_linked);
    bool *is_rekeyed = calloc(s->num_tunnels + 1, sizeof *is_rekeyed);
    struct load_pair *flows = calloc(s->num_flows + 1, sizeof *flows);
    bool ok = begin(usage, l) && is_linked && is_rekeyed && flows;
    if (ok) {
        note_profiles(usage, s);
        note_gateways(usage, l, is_linked);
        note_tunnels(usage, l, flows, is_rekeyed);
    } else {
        problems_no_memory(l->problems);
    }
    free(is_linked);
    free(is_rekeyed);
    free(flows);
    return ok;
}

static bool report(struct problems *problems, const xmlNode *parent, const char *name, const bool *is_used,
                   const char *why, const char *allowed)
{
    bool ok = true;
    size_t i = 0;
    for (const xmlNode *node = load_child(parent, name); node; node = load_next(node, name), i++) {
        if (is_used && !is_used[i]) {
            load_wrong(problems, node, "name", why, allowed);
            ok = false;
        }
    }
    return ok;
}

/* What an element says about one half of a policy, if it says anything. */
static bool says_proposals(const xmlNode *element)
{
    return load_child(load_child(element, "policy"), NULL) != NULL;
}

static bool says_key(const xmlNode *element)
{
    const xmlNode *phase1 = load_child(element, "phase1");
    return phase1 && load_attribute(phase1, "pre-shared-key");
}

/* A tunnel's part of which each end has its own. */
static bool report_overridden(struct problems *problems, const xmlNode *tunnel)
{
    const xmlNode *first = load_child(tunnel, "end"), *second = load_next(first, "end");
    bool ok = true;
    if (says_proposals(tunnel) && says_proposals(first) && says_proposals(second)) {
        problems_add(
            problems, load_line(load_child(load_child(tunnel, "policy"), NULL)),
            "<policy> with proposals that no end uses, for each has its own; allowed: proposals in the "
            "tunnel's policy or in those of both ends");
        ok = false;
    }
    if (says_key(tunnel) && says_key(first) && says_key(second)) {
        load_wrong(problems, load_child(tunnel, "phase1"), "pre-shared-key",
                   "no end uses it, for each has its own",
                   "a pre-shared-key in the tunnel's phase1 or in those of both ends");
        ok = false;
    }
    return ok;
}

bool load_report_unused(const struct load_usage *usage, struct problems *problems, const xmlNode *root)
{
    const xmlNode *tunnels = load_child(root, "tunnels");
    bool ok = report(problems, root, "cpu-profile", usage->profiles, "no gateway uses it",
                     "one that a <cpu profile=\"...\"> names");
    ok = report(problems, load_child(root, "topology"), "gateway", usage->gateways, "no link leads to it",
                "a gateway with a <link> from or to it") &&
         ok;
    ok = report(problems, tunnels, "tunnel", usage->tunnels,
                "nothing ever uses it: it is established on traffic, and there is none",
                "establish=\"immediately\", a <flow> between its gateways, or a <rekey> of it") &&
         ok;
    for (const xmlNode *node = load_child(tunnels, "tunnel"); node; node = load_next(node, "tunnel"))
        ok = report_overridden(problems, node) && ok;
    return ok;
}

void load_usage_cleanup(struct load_usage *usage)
{
    free(usage->profiles);
    free(usage->gateways);
    free(usage->tunnels);
}
