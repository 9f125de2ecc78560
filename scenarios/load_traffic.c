/* <traffic>. */
#include "load.h"

#include "units.h"

#include <stdlib.h>
#include <string.h>

static bool parse_size(const char *text, void *out)
{
    /* An IPv4 and a UDP header; and what an IP packet can be. */
    uint32_t size;
    if (!units_size(text, &size) || size < 28 || size > 65535)
        return false;
    *(uint32_t *)out = size;
    return true;
}

static const struct field_kind field_size = {"28B to 65535B, such as 1400B", parse_size};

static bool parse_udp(const char *text, void *out)
{
    *(uint8_t *)out = 17;
    return strcmp(text, "udp") == 0;
}

static bool parse_port(const char *text, void *out)
{
    uint32_t port;
    if (!units_count(text, &port) || port < 1 || port > 65535)
        return false;
    *(uint16_t *)out = (uint16_t)port;
    return true;
}

static bool parse_dscp(const char *text, void *out)
{
    return units_dscp(text, out);
}

static const struct field_kind field_dscp = {"a DSCP such as ef, af41, cs6, be or 46", parse_dscp};
static const struct field_kind field_udp = {"udp", parse_udp};
static const struct field_kind field_port = {"1 to 65535", parse_port};

static const struct field flow_fields[] = {
    {"protocol", &field_udp, offsetof(struct scenario_flow, protocol)},
    {"port", &field_port, offsetof(struct scenario_flow, port)},
    {"source-port", &field_port, offsetof(struct scenario_flow, source_port)},
    {"packets", &field_interval, offsetof(struct scenario_flow, interval)},
    {"size", &field_size, offsetof(struct scenario_flow, size)},
    {"start", &field_time, offsetof(struct scenario_flow, start)},
    {"stop", &field_time, offsetof(struct scenario_flow, stop)},
    {"dscp", &field_dscp, offsetof(struct scenario_flow, dscp)},
    {"df", &field_boolean, offsetof(struct scenario_flow, dont_fragment)},
};

struct load_pair *load_tunnel_pairs(const struct scenario *scenario)
{
    size_t num = scenario->num_tunnels;
    struct load_pair *pairs = calloc(2 * num + 1, sizeof *pairs);
    if (!pairs)
        return NULL;
    for (size_t i = 0; i < num; i++) {
        const struct scenario_end *ends = scenario->tunnels[i].ends;
        pairs[2 * i] = (struct load_pair){ends[0].gateway, ends[1].gateway, i};
        pairs[2 * i + 1] = (struct load_pair){ends[1].gateway, ends[0].gateway, i};
    }
    load_pairs_sort(pairs, 2 * num);
    return pairs;
}

static bool check_times(struct loader *l, const xmlNode *node, const struct scenario_flow *flow)
{
    if (flow->start >= l->scenario->duration) {
        load_wrong(l->problems, node, "start", "the run is over by then",
                   "a time before the scenario's duration");
        return false;
    }
    if (flow->stop > l->scenario->duration) {
        load_wrong(l->problems, node, "stop", "the run is over by then",
                   "a time up to the scenario's duration, or no stop");
        return false;
    }
    if (flow->stop <= flow->start) {
        load_wrong(l->problems, node, "stop", "not after start", "a time after start");
        return false;
    }
    return true;
}

/* A gateway without a network behind it sends nothing and receives nothing. */
static bool check_protects(struct loader *l, const xmlNode *node, const char *attribute, int gateway)
{
    if (l->scenario->gateways[gateway].num_protects > 0)
        return true;
    struct problems_names names = {0};
    char allowed[PROBLEMS_LIST], text[PROBLEMS_LIST + 32];
    for (size_t i = 0; i < l->gateways.num; i++) {
        if (l->scenario->gateways[l->gateways.items[i].first].num_protects > 0)
            problems_names_add(&names, l->gateways.items[i].name);
    }
    problems_list(allowed, &names, load_attribute(node, attribute));
    problems_names_cleanup(&names);
    snprintf(text, sizeof text, "a gateway with protects: %s", allowed);
    load_wrong(l->problems, node, attribute, "it protects nothing", text);
    return false;
}

/* Those of an IPv4 network itself and of all hosts on it (RFC 1122 section 3.2.1.3); where there are only one
 * or two addresses, they are hosts' (RFC 3021). */
static bool is_of_no_host(const struct p2_selector *network, const struct p2_address *address)
{
    struct p2_address first, last;
    p2_selector_bounds(network, &first, &last);
    return address->family == 4 && network->prefix_len < 31 &&
           (p2_address_equal(&first, address) || p2_address_equal(&last, address));
}

/* The address of a sender or receiver, if it is written: one that the gateway protects, or its own. */
static bool load_host(struct loader *l, const xmlNode *node, const char *attribute, int gateway,
                      struct p2_address *out)
{
    const struct scenario_gateway *g = &l->scenario->gateways[gateway];
    char allowed[SCENARIO_NAME + 64];
    if (!load_attribute(node, attribute))
        return true;
    if (!load_address(l->problems, node, attribute, out))
        return false;
    bool known = p2_address_equal(&g->address, out);
    for (size_t i = 0; i < g->num_protects && !known; i++)
        known = p2_selector_contains(&g->protects[i], out) && !is_of_no_host(&g->protects[i], out);
    snprintf(allowed, sizeof allowed, "the address of a host in what %s protects, or its own", g->name);
    if (!known)
        load_wrong(l->problems, node, attribute, "no host there has it", allowed);
    return known;
}

static bool known_or_of_family(const struct p2_address *address, uint8_t family)
{
    return address->family == 0 || address->family == family;
}

/* The first hosts of one family that both have, where nothing is written. */
static bool default_hosts(struct loader *l, const xmlNode *node, struct scenario_flow *flow)
{
    const struct scenario_gateway *from = &l->scenario->gateways[flow->from],
                                  *to = &l->scenario->gateways[flow->to];
    for (size_t i = 0; i < from->num_protects; i++) {
        for (size_t j = 0; j < to->num_protects; j++) {
            struct p2_address source = from->protects[i].address, destination = to->protects[j].address;
            if (source.family != destination.family || !known_or_of_family(&flow->source, source.family) ||
                !known_or_of_family(&flow->destination, source.family) || !units_address_add(&source, 1, 0) ||
                !units_address_add(&destination, 1, 0))
                continue;
            flow->source = flow->source.family ? flow->source : source;
            flow->destination = flow->destination.family ? flow->destination : destination;
            return true;
        }
    }
    problems_add(l->problems, load_line(node),
                 "<flow> from %s to %s: they have no addresses of one family; allowed: gateways that protect "
                 "prefixes of one family",
                 from->name, to->name);
    return false;
}

/* Between whom exactly: what is written, what a transport mode tunnel is for, or the first hosts inside. */
static bool load_hosts(struct loader *l, const xmlNode *node, const struct scenario_tunnel *tunnel,
                       struct scenario_flow *flow)
{
    if (!load_host(l, node, "from-address", flow->from, &flow->source) ||
        !load_host(l, node, "to-address", flow->to, &flow->destination))
        return false;
    bool transport = tunnel->ends[0].policy.mode == P2_MODE_TRANSPORT;
    if (transport && flow->source.family == 0)
        flow->source = l->scenario->gateways[flow->from].address;
    const struct p2_address *to = &l->scenario->gateways[flow->to].address;
    if (transport && (flow->destination.family == 0 || p2_address_compare(&flow->destination, to) == 0))
        flow->destination = *load_seen_address(l->scenario, flow->to);
    if (flow->source.family == 0 || flow->destination.family == 0)
        return check_protects(l, node, "from", flow->from) && check_protects(l, node, "to", flow->to) &&
               default_hosts(l, node, flow);
    if (flow->source.family == flow->destination.family)
        return true;
    load_wrong(l->problems, node, load_attribute(node, "to-address") ? "to-address" : "from-address",
               "the other address is of another family", "two addresses of one family");
    return false;
}

/* "spoke[1]>hub", and "spoke[1]>hub#2" for a second one between the same gateways. */
static void name_flow(const struct scenario *s, struct scenario_flow *flow, size_t before)
{
    char number[24] = "";
    if (before > 0)
        snprintf(number, sizeof number, "#%zu", before + 1);
    snprintf(flow->name, sizeof flow->name, "%.59s>%.59s%.8s", s->gateways[flow->from].name,
             s->gateways[flow->to].name, number);
}

static bool load_member_flow(struct loader *l, const xmlNode *node, const struct load_pair *pairs,
                             const struct scenario_flow *flow)
{
    struct scenario *s = l->scenario;
    struct scenario_flow complete = *flow;
    const struct load_pair *pair = load_pairs_find(pairs, 2 * s->num_tunnels, flow->from, flow->to);
    bool ok = pair != NULL && l->tunnels_sound;
    if (!pair && l->tunnels_sound) {
        problems_add(
            l->problems, load_line(node),
            "<flow> from %s to %s: no tunnel joins them; allowed: gateways with a <tunnel> between them",
            s->gateways[flow->from].name, s->gateways[flow->to].name);
    }
    ok = ok && load_hosts(l, node, &s->tunnels[pair->index], &complete);
    /* IPv6 headers are longer: the smallest packet with an IPv6 and a UDP header has 48 bytes. */
    if (ok && complete.source.family == 6 && complete.size < 48) {
        load_wrong(l->problems, node, "size", "too small for IPv6", "48B to 65535B, such as 1400B");
        ok = false;
    }
    struct scenario_flow *entry = ok ? LOAD_APPEND(l->problems, s->flows, s->num_flows) : NULL;
    if (!entry)
        return false;
    *entry = complete;
    return true;
}

static bool load_flow(struct loader *l, const xmlNode *node, const struct load_pair *pairs)
{
    struct scenario_flow flow = {.stop = l->scenario->duration};
    struct load_members from, to;
    bool ok = load_fields(l->problems, node, flow_fields, FIELDS(flow_fields), &flow) &&
              check_times(l, node, &flow);
    bool known = load_reference(l->problems, node, "from", "gateway", &l->gateways, &from);
    known = load_reference(l->problems, node, "to", "gateway", &l->gateways, &to) && known;
    size_t num = known ? load_pairs(l->problems, node, "to", &to, &from) : 0;
    if (num + l->scenario->num_flows > LOAD_MAX_EXPANDED)
        return !load_too_many(l, node, "from", "flows", LOAD_MAX_EXPANDED);
    ok = ok && num > 0;
    for (size_t i = 0; i < num && ok; i++) {
        flow.from = (int)load_member(&from, i);
        flow.to = (int)load_member(&to, i);
        ok = load_member_flow(l, node, pairs, &flow);
    }
    return ok;
}

/* Names need to know how many flows between the same gateways stand before, which sorting tells. */
static bool name_flows(struct loader *l)
{
    struct scenario *s = l->scenario;
    struct load_pair *pairs = calloc(s->num_flows + 1, sizeof *pairs);
    if (!pairs) {
        problems_no_memory(l->problems);
        return false;
    }
    for (size_t i = 0; i < s->num_flows; i++)
        pairs[i] = (struct load_pair){s->flows[i].from, s->flows[i].to, i};
    load_pairs_sort(pairs, s->num_flows);
    size_t before = 0;
    for (size_t i = 0; i < s->num_flows; i++) {
        before = i > 0 && pairs[i].a == pairs[i - 1].a && pairs[i].b == pairs[i - 1].b ? before + 1 : 0;
        name_flow(s, &s->flows[pairs[i].index], before);
    }
    free(pairs);
    return true;
}

bool load_flows(struct loader *l, const xmlNode *traffic)
{
    struct load_pair *pairs = load_tunnel_pairs(l->scenario);
    bool ok = pairs != NULL;
    if (!ok)
        problems_no_memory(l->problems);
    const xmlNode *node = ok ? load_child(traffic, "flow") : NULL;
    for (; node && !load_is_cut_off(l); node = load_next(node, "flow"))
        ok = load_flow(l, node, pairs) && ok;
    free(pairs);
    return ok && name_flows(l);
}
