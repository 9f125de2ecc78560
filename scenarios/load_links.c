/* <link>, which nodes links connect, and who stands behind a NAT. */
#include "load.h"

#include "units.h"

#include <stdlib.h>
#include <string.h>

static bool parse_mtu(const char *text, void *out)
{
    /* RFC 791: every network carries 68 bytes. */
    uint32_t mtu;
    if (!units_size(text, &mtu) || mtu < 68 || mtu > 65535)
        return false;
    *(uint32_t *)out = mtu;
    return true;
}

static const struct field_kind field_mtu = {"68B to 65535B, such as 1500B", parse_mtu};

static const struct field link_fields[] = {
    {"delay", &field_time, offsetof(struct scenario_link, delay)},
    {"jitter", &field_time, offsetof(struct scenario_link, jitter)},
    {"rate", &field_rate, offsetof(struct scenario_link, rate)},
    {"loss", &field_probability, offsetof(struct scenario_link, loss)},
    {"duplicate", &field_probability, offsetof(struct scenario_link, duplicate)},
    {"reorder", &field_probability, offsetof(struct scenario_link, reorder)},
    {"reorder-delay", &field_time, offsetof(struct scenario_link, reorder_delay)},
    {"queue", &field_count, offsetof(struct scenario_link, queue)},
    {"mtu", &field_mtu, offsetof(struct scenario_link, mtu)},
};

/* Components are numbered by one of their members; `find` also shortens the way for the next time. */
static int find(int *component, int node)
{
    while (component[node] != node) {
        component[node] = component[component[node]];
        node = component[node];
    }
    return node;
}

static bool load_link(struct loader *l, const xmlNode *node)
{
    struct scenario *s = l->scenario;
    struct scenario_link link = {.line = load_line(node)};
    struct load_members from, to;
    bool ok = load_fields(l->problems, node, link_fields, FIELDS(link_fields), &link);
    ok = load_classes(l, node, &link) && ok;
    bool known = load_reference(l->problems, node, "from", "gateway", &l->nodes, &from);
    known = load_reference(l->problems, node, "to", "gateway", &l->nodes, &to) && known;
    size_t num = known ? load_pairs(l->problems, node, "to", &to, &from) : 0;
    if (num + s->num_links > LOAD_MAX_EXPANDED || l->links.num > LOAD_MAX_EXPANDED)
        return !load_too_many(l, node, "from", "links", LOAD_MAX_EXPANDED);
    if (ok && link.reorder > 0 && link.reorder_delay <= 0) {
        load_wrong(l->problems, node, "reorder", "nothing is overtaken without a reorder-delay",
                   "reorder=\"0%\", or a reorder-delay of more than 0s");
        ok = false;
    }
    struct load_group *group = LOAD_APPEND(l->problems, l->links.items, l->links.num);
    if (!group)
        return false;
    *group = (struct load_group){.line = link.line, .first = s->num_links, .num = num, .counted = num > 1};
    snprintf(group->name, sizeof group->name, "%.60s-%.60s", load_required(node, "from"),
             load_required(node, "to"));
    for (size_t i = 0; i < num; i++) {
        struct scenario_link *entry = LOAD_APPEND(l->problems, s->links, s->num_links);
        if (!entry)
            return false;
        *entry = link;
        entry->from = (int)load_member(&from, i);
        entry->to = (int)load_member(&to, i);
        snprintf(entry->name, sizeof entry->name, "%s-%s", load_node_name(s, entry->from),
                 load_node_name(s, entry->to));
        l->component[find(l->component, entry->from)] = find(l->component, entry->to);
    }
    return ok && num > 0;
}

/* A link goes both ways, so a second one between the same gateways is a slip more often than a wish. */
static bool check_parallel(struct loader *l)
{
    struct scenario *s = l->scenario;
    struct load_pair *pairs = s->num_links > 0 ? calloc(s->num_links, sizeof *pairs) : NULL;
    if (!pairs) {
        if (s->num_links > 0)
            problems_no_memory(l->problems);
        return s->num_links == 0;
    }
    for (size_t i = 0; i < s->num_links; i++) {
        int a = s->links[i].from, b = s->links[i].to;
        pairs[i] = (struct load_pair){a < b ? a : b, a < b ? b : a, i};
    }
    load_pairs_sort(pairs, s->num_links);
    bool ok = true;
    for (size_t i = 1; i < s->num_links; i++) {
        const struct scenario_link *link = &s->links[pairs[i].index];
        if (pairs[i].a != pairs[i - 1].a || pairs[i].b != pairs[i - 1].b)
            continue;
        ok = false;
        problems_add(l->problems, link->line,
                     "<link> %s: a second link between these gateways (the first is on line %d); "
                     "allowed: one, since it carries packets both ways",
                     link->name, s->links[pairs[i - 1].index].line);
    }
    free(pairs);
    return ok;
}

static int compare_names(const void *a, const void *b)
{
    const struct load_group *x = *(struct load_group *const *)a, *y = *(struct load_group *const *)b;
    int order = strcmp(x->name, y->name);
    return order ? order : x->line < y->line ? -1 : x->line > y->line;
}

/* From "a-b" to "c" and from "a" to "b-c" are both called "a-b-c", and events and results say no more. */
static bool check_names(struct loader *l)
{
    size_t num = l->links.num;
    struct load_group **sorted = calloc(num + 1, sizeof(struct load_group *));
    if (!sorted) {
        problems_no_memory(l->problems);
        return false;
    }
    for (size_t i = 0; i < num; i++)
        sorted[i] = &l->links.items[i];
    qsort(sorted, num, sizeof(struct load_group *), compare_names);
    bool ok = true;
    for (size_t i = 1; i < num; i++) {
        const struct load_group *a = sorted[i - 1], *b = sorted[i];
        /* Between the same gateways, it has been told of as a second link. */
        if (strcmp(a->name, b->name) != 0 || a->num == 0 || b->num == 0 ||
            l->scenario->links[a->first].from == l->scenario->links[b->first].from)
            continue;
        ok = false;
        problems_add(l->problems, b->line,
                     "<link> %s: that is also the name of the link on line %d, for a link is called "
                     "from-to; allowed: gateways whose names leave no doubt",
                     b->name, a->line);
    }
    free(sorted);
    return ok;
}

/* RFC 8200 section 5; below that, an interface has no IPv6 at all. */
#define IPV6_MIN_MTU 1280

/* What links connect may carry IPv6 as soon as one gateway there has an address of it. */
static bool check_ipv6_mtu(struct loader *l)
{
    const struct scenario *s = l->scenario;
    bool *has_ipv6 = calloc(s->num_gateways + s->num_nats + 1, sizeof *has_ipv6), ok = true;
    if (!has_ipv6) {
        problems_no_memory(l->problems);
        return false;
    }
    for (size_t i = 0; i < s->num_gateways; i++)
        has_ipv6[l->component[i]] |= s->gateways[i].address.family == 6;
    for (size_t i = 0; i < s->num_links; i++) {
        const struct scenario_link *link = &s->links[i];
        if (link->mtu >= IPV6_MIN_MTU || !has_ipv6[l->component[link->from]])
            continue;
        ok = false;
        problems_add(l->problems, link->line,
                     "<link> mtu=\"%uB\" where gateways have IPv6 addresses; allowed: at least %dB, which "
                     "IPv6 needs of every link (RFC 8200 section 5)",
                     link->mtu, IPV6_MIN_MTU);
    }
    free(has_ipv6);
    return ok;
}

bool load_links(struct loader *l, const xmlNode *topology)
{
    size_t num = l->scenario->num_gateways + l->scenario->num_nats;
    l->component = calloc(num + 1, sizeof *l->component);
    if (!l->component) {
        problems_no_memory(l->problems);
        return false;
    }
    for (size_t i = 0; i < num; i++)
        l->component[i] = (int)i;
    bool ok = true;
    const xmlNode *node = load_child(topology, "link");
    for (; node && !load_is_cut_off(l); node = load_next(node, "link"))
        ok = load_link(l, node) && ok;
    if (load_is_cut_off(l))
        return false;
    ok = check_parallel(l) && check_names(l) && ok;
    for (size_t i = 0; i < num; i++)
        l->component[i] = find(l->component, (int)i);
    return check_ipv6_mtu(l) && ok;
}

/* What links make of a NAT: how many lead to it and from it. */
struct nat_sides {
    unsigned inside, outside;
};

/* A link that leads to a NAT is inside, so what stands at its other end must be a gateway of its own family
 * with no other way out. */
static bool note_inside(struct loader *l, const struct scenario_link *link, int nat, struct nat_sides *sides)
{
    struct scenario *s = l->scenario;
    sides->inside++;
    if ((size_t)link->from >= s->num_gateways) {
        problems_add(l->problems, link->line,
                     "<link> %s: a NAT behind a NAT; allowed: gateways inside, and a link from the NAT to "
                     "the outside",
                     link->name);
        return false;
    }
    struct scenario_gateway *gateway = &s->gateways[link->from];
    if (gateway->address.family != s->nats[nat].address.family) {
        problems_add(l->problems, link->line,
                     "<link> %s: %s is IPv%u and the NAT is IPv%u; allowed: one family, which it keeps",
                     link->name, gateway->name, gateway->address.family, s->nats[nat].address.family);
        return false;
    }
    gateway->nat = nat;
    return true;
}

static bool check_nat(struct loader *l, const struct scenario_nat *nat, const struct nat_sides *sides)
{
    if (sides->inside > 0 && sides->outside == 1)
        return true;
    problems_add(l->problems, nat->line,
                 "<nat> %s has %u links from gateways and %u to the outside; allowed: <link from=\"gateway\" "
                 "to=\"%s\"> for each gateway inside, and one <link from=\"%s\" to=\"...\"> to the outside",
                 nat->name, sides->inside, sides->outside, nat->name, nat->name);
    return false;
}

/* Packets of a gateway that had two ways out would come with two addresses. */
static bool check_only_way(struct loader *l, const struct scenario_link *link, int end)
{
    const struct scenario *s = l->scenario;
    if ((size_t)end >= s->num_gateways || s->gateways[end].nat < 0 ||
        link->to == (int)s->num_gateways + s->gateways[end].nat)
        return true;
    problems_add(l->problems, link->line,
                 "<link> %s: %s stands behind %s and has another link; allowed: only the link to its NAT",
                 link->name, s->gateways[end].name, s->nats[s->gateways[end].nat].name);
    return false;
}

bool load_behind_nats(struct loader *l)
{
    struct scenario *s = l->scenario;
    struct nat_sides *sides = calloc(s->num_nats + 1, sizeof *sides);
    if (!sides) {
        problems_no_memory(l->problems);
        return false;
    }
    bool ok = true;
    int first_nat = (int)s->num_gateways;
    for (size_t i = 0; i < s->num_links; i++) {
        const struct scenario_link *link = &s->links[i];
        if (link->from >= first_nat)
            sides[link->from - first_nat].outside++;
        if (link->to >= first_nat)
            ok = note_inside(l, link, link->to - first_nat, &sides[link->to - first_nat]) && ok;
    }
    for (size_t i = 0; i < s->num_nats && ok; i++)
        ok = check_nat(l, &s->nats[i], &sides[i]);
    for (size_t i = 0; i < s->num_links && ok; i++)
        ok = check_only_way(l, &s->links[i], s->links[i].from) &&
             check_only_way(l, &s->links[i], s->links[i].to);
    free(sides);
    return ok;
}
