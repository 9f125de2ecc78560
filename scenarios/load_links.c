/* <link>, and which gateways links connect. */
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
    {"queue", &field_count, offsetof(struct scenario_link, queue)},
    {"mtu", &field_mtu, offsetof(struct scenario_link, mtu)},
};

/* Components are numbered by one of their members; `find` also shortens the way for the next time. */
static int find(int *component, int gateway)
{
    while (component[gateway] != gateway) {
        component[gateway] = component[component[gateway]];
        gateway = component[gateway];
    }
    return gateway;
}

static bool load_link(struct loader *l, const xmlNode *node)
{
    struct scenario *s = l->scenario;
    struct scenario_link link = {.line = load_line(node)};
    struct load_members from, to;
    bool ok = load_fields(l->problems, node, link_fields, FIELDS(link_fields), &link);
    bool known = load_reference(l->problems, node, "from", "gateway", &l->gateways, &from);
    known = load_reference(l->problems, node, "to", "gateway", &l->gateways, &to) && known;
    size_t num = known ? load_pairs(l->problems, node, "to", &to, &from) : 0;
    if (num + s->num_links > LOAD_MAX_EXPANDED) {
        load_wrong(l->problems, node, "from", "too many links", "20000 in all");
        return false;
    }
    for (size_t i = 0; i < num; i++) {
        struct scenario_link *entry = LOAD_APPEND(l->problems, s->links, s->num_links);
        if (!entry)
            return false;
        *entry = link;
        entry->from = (int)load_member(&from, i);
        entry->to = (int)load_member(&to, i);
        snprintf(entry->name, sizeof entry->name, "%s-%s", s->gateways[entry->from].name,
                 s->gateways[entry->to].name);
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
    for (size_t i = 1; i < s->num_links && ok; i++) {
        const struct scenario_link *link = &s->links[pairs[i].index];
        ok = pairs[i].a != pairs[i - 1].a || pairs[i].b != pairs[i - 1].b;
        if (!ok)
            problems_add(l->problems, link->line,
                         "<link> %s: a second link between these gateways (the first is on line %d); "
                         "allowed: one, since it carries packets both ways",
                         link->name, s->links[pairs[i - 1].index].line);
    }
    free(pairs);
    return ok;
}

bool load_links(struct loader *l, const xmlNode *topology)
{
    size_t num = l->scenario->num_gateways;
    l->component = calloc(num + 1, sizeof *l->component);
    if (!l->component) {
        problems_no_memory(l->problems);
        return false;
    }
    for (size_t i = 0; i < num; i++)
        l->component[i] = (int)i;
    bool ok = true;
    for (const xmlNode *node = load_child(topology, "link"); node; node = load_next(node, "link"))
        ok = load_link(l, node) && ok;
    ok = check_parallel(l) && ok;
    for (size_t i = 0; i < num; i++)
        l->component[i] = find(l->component, (int)i);
    return ok;
}
