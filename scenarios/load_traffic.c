/* <traffic> and <timeline>. */
#include "load.h"

#include "units.h"

#include <stdlib.h>
#include <string.h>

static bool parse_interval(const char *text, void *out)
{
    return units_interval(text, out);
}

static bool parse_size(const char *text, void *out)
{
    /* An IPv4 and a UDP header; and what an IP packet can be. */
    uint32_t size;
    if (!units_size(text, &size) || size < 28 || size > 65535)
        return false;
    *(uint32_t *)out = size;
    return true;
}

static const struct field_kind field_interval = {
    "a number and /ms, /s or /min, more than 0 and at most 1000000/ms", parse_interval};
static const struct field_kind field_size = {"28B to 65535B, such as 1400B", parse_size};

static const struct field flow_fields[] = {
    {"packets", &field_interval, offsetof(struct scenario_flow, interval)},
    {"size", &field_size, offsetof(struct scenario_flow, size)},
    {"start", &field_time, offsetof(struct scenario_flow, start)},
    {"stop", &field_time, offsetof(struct scenario_flow, stop)},
};

/* The pairs of gateways that tunnels join, sorted, both ways. NULL, reported: out of memory. */
static struct load_pair *tunnel_pairs(struct loader *l)
{
    const struct scenario *s = l->scenario;
    struct load_pair *pairs = calloc(2 * s->num_tunnels + 1, sizeof *pairs);
    if (!pairs) {
        problems_no_memory(l->problems);
        return NULL;
    }
    for (size_t i = 0; i < s->num_tunnels; i++) {
        int a = s->tunnels[i].ends[0].gateway, b = s->tunnels[i].ends[1].gateway;
        pairs[2 * i] = (struct load_pair){a, b, i};
        pairs[2 * i + 1] = (struct load_pair){b, a, i};
    }
    load_pairs_sort(pairs, 2 * s->num_tunnels);
    return pairs;
}

static bool check_times(struct loader *l, const xmlNode *node, const struct scenario_flow *flow)
{
    if (flow->start >= l->scenario->duration) {
        load_wrong(l->problems, node, "start", "the run is over by then",
                   "a time before the scenario's duration");
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
    if (l->scenario->gateways[gateway].has_protects)
        return true;
    struct problems_names names = {0};
    char allowed[PROBLEMS_LIST], text[PROBLEMS_LIST + 32];
    for (size_t i = 0; i < l->gateways.num; i++) {
        if (l->scenario->gateways[l->gateways.items[i].first].has_protects)
            problems_names_add(&names, l->gateways.items[i].name);
    }
    problems_list(allowed, &names, load_attribute(node, attribute));
    problems_names_cleanup(&names);
    snprintf(text, sizeof text, "a gateway with protects: %s", allowed);
    load_wrong(l->problems, node, attribute, "it protects nothing", text);
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
    bool ok = check_protects(l, node, "from", flow->from) && check_protects(l, node, "to", flow->to);
    if (ok && !load_pairs_find(pairs, 2 * s->num_tunnels, flow->from, flow->to)) {
        problems_add(
            l->problems, load_line(node),
            "<flow> from %s to %s: no tunnel joins them; allowed: gateways with a <tunnel> between them",
            s->gateways[flow->from].name, s->gateways[flow->to].name);
        ok = false;
    }
    struct scenario_flow *entry = ok ? LOAD_APPEND(l->problems, s->flows, s->num_flows) : NULL;
    if (!entry)
        return false;
    *entry = *flow;
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
    if (num + l->scenario->num_flows > LOAD_MAX_EXPANDED) {
        load_wrong(l->problems, node, "from", "too many flows", "20000 in all");
        return false;
    }
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
    struct load_pair *pairs = tunnel_pairs(l);
    bool ok = pairs != NULL;
    const xmlNode *node = ok ? load_child(traffic, "flow") : NULL;
    for (; node; node = load_next(node, "flow"))
        ok = load_flow(l, node, pairs) && ok;
    free(pairs);
    return ok && name_flows(l);
}

static bool load_rekey(struct loader *l, const xmlNode *node, p2_time time)
{
    struct load_members tunnels;
    if (!load_reference(l->problems, node, "tunnel", "tunnel", &l->tunnels, &tunnels))
        return false;
    if (tunnels.counted && strcmp(load_required(node, "all"), "true") != 0) {
        char allowed[2 * SCENARIO_NAME + 64];
        snprintf(allowed, sizeof allowed, "%s[1] to %s[%zu], or all=\"true\"", tunnels.group->name,
                 tunnels.group->name, tunnels.num);
        load_wrong(l->problems, node, "tunnel", "it counts several", allowed);
        return false;
    }
    if (tunnels.num + l->scenario->num_events > LOAD_MAX_EXPANDED) {
        load_wrong(l->problems, node, "tunnel", "too many events", "20000 in all");
        return false;
    }
    for (size_t i = 0; i < tunnels.num; i++) {
        struct scenario_event *event = LOAD_APPEND(l->problems, l->scenario->events, l->scenario->num_events);
        if (!event)
            return false;
        *event = (struct scenario_event){time, SCENARIO_REKEY, (int)(tunnels.first + i)};
    }
    return true;
}

static bool load_at(struct loader *l, const xmlNode *node)
{
    p2_time time;
    static const struct field at_fields[] = {{"time", &field_time, 0}};
    if (!load_fields(l->problems, node, at_fields, FIELDS(at_fields), &time))
        return false;
    if (time >= l->scenario->duration) {
        load_wrong(l->problems, node, "time", "the run is over by then",
                   "a time before the scenario's duration");
        return false;
    }
    bool ok = true;
    for (const xmlNode *event = load_child(node, "rekey"); event; event = load_next(event, "rekey"))
        ok = load_rekey(l, event, time) && ok;
    return ok;
}

/* Stable, so that events of one instant keep the order of the file: insertion by merging runs of equal times.
 */
static bool sort_events(struct loader *l)
{
    struct scenario *s = l->scenario;
    struct scenario_event *sorted = calloc(s->num_events + 1, sizeof *sorted);
    if (!sorted) {
        problems_no_memory(l->problems);
        return false;
    }
    for (size_t width = 1; width < s->num_events; width *= 2) {
        for (size_t low = 0; low < s->num_events; low += 2 * width) {
            size_t middle = low + width < s->num_events ? low + width : s->num_events;
            size_t high = low + 2 * width < s->num_events ? low + 2 * width : s->num_events;
            for (size_t i = low, j = middle, k = low; k < high; k++)
                sorted[k] = i < middle && (j >= high || s->events[i].time <= s->events[j].time)
                                ? s->events[i++]
                                : s->events[j++];
        }
        memcpy(s->events, sorted, s->num_events * sizeof *sorted);
    }
    free(sorted);
    return true;
}

bool load_timeline(struct loader *l, const xmlNode *timeline)
{
    bool ok = true;
    for (const xmlNode *node = load_child(timeline, "at"); node; node = load_next(node, "at"))
        ok = load_at(l, node) && ok;
    return ok && sort_events(l);
}
