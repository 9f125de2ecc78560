#include "traffic.h"

#include "ip.h"
#include "load.h"

#include <stdlib.h>

#define NUMBER_BITS 40

/* The tunnel whose proxy IDs, as the sender has them, hold the flow; else the first one that joins the two,
 * for its proxy IDs may be what is wrong. -1: none. */
static int tunnel_of(const struct scenario *scenario, const struct load_pair *pairs,
                     const struct scenario_flow *flow)
{
    const struct load_pair *end = pairs + 2 * scenario->num_tunnels;
    const struct load_pair *first = load_pairs_find(pairs, 2 * scenario->num_tunnels, flow->from, flow->to);
    for (const struct load_pair *pair = first; pair && pair < end; pair++) {
        if (pair->a != flow->from || pair->b != flow->to)
            break;
        const struct scenario_end *ends = scenario->tunnels[pair->index].ends;
        const struct scenario_end *sender = &ends[ends[0].gateway == flow->from ? 0 : 1];
        if (p2_selector_matches(&sender->local, &flow->source, flow->protocol, flow->source_port) &&
            p2_selector_matches(&sender->remote, &flow->destination, flow->protocol, flow->port))
            return (int)pair->index;
    }
    return first ? (int)first->index : -1;
}

/* The next bit is its own. */
static void join(struct traffic_tunnel *tunnel, struct traffic_flow *flow)
{
    flow->bit = tunnel->flows ? tunnel->flows->bit + 1 : 0;
    if (flow->bit == 64)
        return;
    tunnel->flow_bits |= UINT64_C(1) << flow->bit;
    flow->next_of_tunnel = tunnel->flows;
    tunnel->flows = flow;
}

int traffic_init(struct traffic *traffic, const struct scenario *scenario)
{
    *traffic = (struct traffic){.num_flows = scenario->num_flows};
    traffic->flows = calloc(scenario->num_flows + 1, sizeof(*traffic->flows));
    traffic->tunnels = calloc(scenario->num_tunnels + 1, sizeof(*traffic->tunnels));
    struct load_pair *pairs = load_tunnel_pairs(scenario);
    if (!traffic->flows || !traffic->tunnels || !pairs) {
        free(pairs);
        traffic_cleanup(traffic);
        return P2_ERR_NOMEM;
    }
    for (size_t i = 0; i < scenario->num_flows; i++) {
        struct traffic_flow *flow = &traffic->flows[i];
        flow->config = &scenario->flows[i];
        flow->tunnel = tunnel_of(scenario, pairs, flow->config);
        flow->first_delivery = flow->last_delivery = -1;
        flow->first = flow->config->start;
        if (flow->tunnel >= 0)
            join(&traffic->tunnels[flow->tunnel], flow);
    }
    free(pairs);
    return P2_OK;
}

void traffic_cleanup(struct traffic *traffic)
{
    for (size_t i = 0; traffic->flows && i < traffic->num_flows; i++)
        fates_cleanup(&traffic->flows[i].fates);
    free(traffic->flows);
    free(traffic->tunnels);
    *traffic = (struct traffic){0};
}

uint64_t traffic_mark(size_t flow, uint64_t number)
{
    return (uint64_t)(flow + 1) << NUMBER_BITS | number;
}

static struct traffic_flow *flow_of(struct traffic *traffic, uint64_t mark)
{
    uint64_t flow = mark >> NUMBER_BITS;
    return flow >= 1 && flow <= traffic->num_flows ? &traffic->flows[flow - 1] : NULL;
}

static uint64_t number_of(uint64_t mark)
{
    return mark & ((UINT64_C(1) << NUMBER_BITS) - 1);
}

static void note_fate(struct traffic *traffic, struct traffic_flow *flow, uint64_t mark, enum fate fate)
{
    if (fates_note(&flow->fates, number_of(mark), fate) != P2_OK)
        traffic->out_of_memory = true;
}

void traffic_sent(struct traffic *traffic, size_t flow)
{
    traffic->flows[flow].sent++;
}

/* One window hears of one gap. */
static void watch(struct traffic_window *window, const struct traffic_flow *flow, p2_time gap,
                  p2_time sent_at)
{
    uint64_t bit = flow->bit < 64 ? UINT64_C(1) << flow->bit : 0;
    if (!(window->watching & bit))
        return;
    if (gap > window->blackout)
        window->blackout = gap;
    if (sent_at > window->over)
        window->watching &= ~bit;
}

/* Windows that nobody watches any more are of the past. */
static void close_windows(struct traffic *traffic, int tunnel)
{
    struct traffic_window **at = &traffic->tunnels[tunnel].open;
    while (*at) {
        if ((*at)->watching != 0)
            at = &(*at)->next_open;
        else
            *at = (*at)->next_open;
    }
}

/* From the last delivery (or the flow's start) until now, beyond the interval. Every open window hears of it.
 */
static void note_gap(struct traffic *traffic, struct traffic_flow *flow, p2_time now, p2_time sent_at)
{
    p2_time since = flow->last_delivery >= 0 ? flow->last_delivery : flow->first;
    p2_time gap = now - since - flow->config->interval;
    gap = gap > 0 ? gap : 0;
    if (gap > flow->longest_gap)
        flow->longest_gap = gap;
    if (flow->tunnel < 0)
        return;
    for (struct traffic_window *w = traffic->tunnels[flow->tunnel].open; w; w = w->next_open)
        watch(w, flow, gap, sent_at);
    close_windows(traffic, flow->tunnel);
}

void traffic_delivered(struct traffic *traffic, p2_time now, uint64_t mark)
{
    struct traffic_flow *flow = flow_of(traffic, mark);
    if (!flow)
        return;
    p2_time sent_at = flow->first + (p2_time)number_of(mark) * flow->config->interval;
    flow->received++;
    note_fate(traffic, flow, mark, FATE_DELIVERED);
    flow->delay_sum += now - sent_at;
    note_gap(traffic, flow, now, sent_at);
    if (flow->last_delivery < 0)
        flow->first_delivery = now - flow->first;
    flow->last_delivery = now;
}

bool traffic_copied(struct traffic *traffic, uint64_t mark)
{
    struct traffic_flow *flow = flow_of(traffic, mark);
    if (!flow)
        return false;
    bool first = fates_of(&flow->fates, number_of(mark)) != FATE_DELIVERED;
    flow->copied++;
    note_fate(traffic, flow, mark, FATE_DELIVERED);
    return first;
}

static bool belongs_to_a_rekey(enum p2_drop reason)
{
    return reason == P2_DROP_NO_SA || reason == P2_DROP_UNKNOWN_SPI || reason == P2_DROP_CPU_QUEUE_FULL;
}

void traffic_dropped(struct traffic *traffic, uint64_t mark, enum p2_drop reason)
{
    struct traffic_flow *flow = flow_of(traffic, mark);
    if (flow)
        note_fate(traffic, flow, mark, fates_of_drop(reason));
    if (!flow || flow->tunnel < 0 || !belongs_to_a_rekey(reason))
        return;
    /* Of one window only, the newest: a packet is lost once, however many negotiations overlap. */
    struct traffic_window *newest = traffic->tunnels[flow->tunnel].open;
    if (newest)
        newest->packets_lost++;
}

void traffic_lost(struct traffic *traffic, uint64_t mark)
{
    struct traffic_flow *flow = flow_of(traffic, mark);
    if (flow)
        note_fate(traffic, flow, mark, FATE_LINK);
}

/* The pieces of one packet come one after the other. */
void traffic_protected(struct traffic *traffic, int gateway, uint64_t mark, size_t len)
{
    struct traffic_flow *flow = flow_of(traffic, mark);
    if (!flow || flow->config->from != gateway)
        return;
    if (flow->last_protected != number_of(mark) + 1)
        flow->protected_packets++;
    flow->last_protected = number_of(mark) + 1;
    flow->protected_bytes += len;
}

void traffic_answered(struct traffic *traffic, int gateway, uint64_t mark, const struct p2_bytes *packet)
{
    struct traffic_flow *flow = flow_of(traffic, mark);
    struct p2_ip_view view;
    if (!flow || flow->config->from != gateway || p2_ip_parse(&view, packet->data, packet->len) < 0)
        return;
    if (view.protocol == P2_IP_PROTO_ICMP || view.protocol == P2_IP_PROTO_ICMPV6)
        flow->icmp_too_big++;
}

void traffic_window_open(struct traffic *traffic, struct traffic_window *window, int tunnel)
{
    *window = (struct traffic_window){.tunnel = tunnel,
                                      .over = P2_TIME_NEVER,
                                      .watching = traffic->tunnels[tunnel].flow_bits,
                                      .blackout = -1,
                                      .next_open = traffic->tunnels[tunnel].open};
    if (window->watching != 0)
        traffic->tunnels[tunnel].open = window;
}

/* Flows that have ended, or have not begun, can not show that it is over. */
void traffic_window_over(struct traffic *traffic, struct traffic_window *window, p2_time now)
{
    if (window->over != P2_TIME_NEVER)
        return;
    window->over = now;
    const struct traffic_flow *flow = traffic->tunnels[window->tunnel].flows;
    for (; flow; flow = flow->next_of_tunnel) {
        if (flow->first > now || flow->config->stop <= now + flow->config->interval)
            window->watching &= ~(UINT64_C(1) << flow->bit);
    }
    close_windows(traffic, window->tunnel);
}

void traffic_end(struct traffic *traffic, p2_time now)
{
    for (size_t i = 0; i < traffic->num_flows; i++) {
        struct traffic_flow *flow = &traffic->flows[i];
        if (flow->first < now && flow->config->stop >= now)
            note_gap(traffic, flow, now, -1);
    }
}
