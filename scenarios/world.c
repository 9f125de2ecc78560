#include "world_impl.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define RETRY        (10 * P2_SECOND) /* wait after a failed negotiation */
#define TRAFFIC_PORT 5001
#define HEADERS      28 /* IPv4 and UDP */

/* Numbers of random streams: every consumer has its own, whatever else the scenario holds. */
#define STREAM_TRAFFIC 1
#define STREAM_GATEWAY (INT64_C(1) << 20)
#define STREAM_LINK    (INT64_C(1) << 30)

static int fail(struct world *world, const char *what, const char *detail)
{
    snprintf(world->message->text, sizeof(world->message->text), "%.600s: %.300s", what, detail);
    return -1;
}

uint32_t world_inside_address(const struct scenario_gateway *gateway)
{
    uint32_t prefix = p2_address_to_v4(&gateway->protects.address);
    return gateway->protects.prefix_len >= 32 ? prefix : prefix + 1;
}

/* --- listening --- */

static int window_for(struct world *world, size_t entry, int tunnel)
{
    if (entry >= world->windows_capacity) {
        size_t capacity = (entry + 1) * 2;
        struct traffic_window **windows = realloc(world->windows, capacity * sizeof(struct traffic_window *));
        if (!windows)
            return P2_ERR_NOMEM;
        memset(windows + world->windows_capacity, 0,
               (capacity - world->windows_capacity) * sizeof(struct traffic_window *));
        world->windows = windows;
        world->windows_capacity = capacity;
    }
    if (!world->windows[entry]) {
        world->windows[entry] = calloc(1, sizeof(struct traffic_window));
        if (!world->windows[entry])
            return P2_ERR_NOMEM;
        traffic_window_open(&world->traffic, world->windows[entry], tunnel);
    }
    return P2_OK;
}

static int tunnel_by_name(const struct world *world, const char *name)
{
    for (size_t i = 0; name && i < world->scenario->num_tunnels; i++) {
        if (strcmp(world->scenario->tunnels[i].name, name) == 0)
            return (int)i;
    }
    return -1;
}

/* Opens the traffic's window with t0 and closes it when both ends are ready or either one failed. */
static void follow(struct world *world, p2_time now, const struct p2_negotiation *n)
{
    size_t place = ledger_find(&world->ledger, &n->id);
    if (place == SIZE_MAX || world->ledger.entries[place].phase1)
        return;
    int tunnel = tunnel_by_name(world, n->tunnel);
    if (n->event == P2_NEGOTIATION_STARTED && n->initiator && tunnel >= 0 &&
        window_for(world, place, tunnel) < 0)
        world->ledger.out_of_memory = true;
    if (place < world->windows_capacity && world->windows[place] &&
        ledger_outcome(&world->ledger.entries[place]) != LEDGER_UNFINISHED)
        traffic_window_over(&world->traffic, world->windows[place], now);
}

static void on_action(void *ctx, struct phase2_gateway *gateway, p2_time now, const struct p2_action *action,
                      uint64_t event)
{
    struct world_gateway *self = ctx;
    struct world *world = self->world;
    (void)gateway;
    ledger_observe(&world->ledger, self->index, now, action, event, self->profile);
    if (world->run->captures)
        keyring_observe(&world->keyring, action);
    if (action->type == P2_ACTION_NEGOTIATION) {
        follow(world, now, &action->u.negotiation);
    } else if (action->type == P2_ACTION_DROP) {
        self->drops[action->u.drop.reason]++;
        if (action->u.drop.ipsec)
            traffic_dropped(&world->traffic, action->mark, action->u.drop.reason);
    }
}

/* --- traffic --- */

static void on_packet(void *ctx, const struct ns3c_udp_packet *packet)
{
    struct world_gateway *self = ctx;
    traffic_delivered(&self->world->traffic, ns3c_now(), packet->mark);
}

/* The payload says which packet it is, so that a capture can be followed by eye. */
static void on_send(void *ctx)
{
    struct world_sender *sender = ctx;
    struct world *world = sender->world;
    struct traffic_flow *flow = &world->traffic.flows[sender->flow];
    uint8_t payload[65536];
    size_t len = flow->config->size - HEADERS;
    uint64_t mark = traffic_mark(sender->flow, flow->sent);
    memset(payload, 0, len);
    snprintf((char *)payload, len, "%s #%llu", flow->config->name, (unsigned long long)flow->sent);
    traffic_sent(&world->traffic, sender->flow);
    ns3c_udp_send(world->gateways[flow->config->from].udp,
                  ns3c_v4(world_inside_address(&world->scenario->gateways[flow->config->to])), TRAFFIC_PORT,
                  payload, len, mark);
    p2_time next = flow->first + (p2_time)flow->sent * flow->config->interval;
    if (next < flow->config->stop)
        ns3c_timer_arm(sender->timer, next);
}

static int open_udp(struct world *world, int gateway)
{
    struct world_gateway *self = &world->gateways[gateway];
    if (!self->udp)
        self->udp = ns3c_udp_open(self->node, ns3c_v4(world_inside_address(self->config)), TRAFFIC_PORT,
                                  on_packet, self);
    return self->udp ? 0 : fail(world, self->config->name, "UDP port 5001 is taken");
}

/* Flows start within their first interval, not all at once: real sources know nothing of each other. */
static int build_traffic(struct world *world)
{
    struct ns3c_stream *stream = ns3c_stream_new(STREAM_TRAFFIC);
    if (traffic_init(&world->traffic, world->scenario) < 0)
        return fail(world, "world", "out of memory");
    for (size_t i = 0; i < world->scenario->num_flows; i++) {
        struct traffic_flow *flow = &world->traffic.flows[i];
        if (open_udp(world, flow->config->from) < 0 || open_udp(world, flow->config->to) < 0)
            return -1;
        flow->first += (p2_time)(ns3c_stream_uniform(stream) * (double)flow->config->interval);
        world->senders[i] = (struct world_sender){world, i, ns3c_timer_new(on_send, &world->senders[i])};
        if (flow->first < flow->config->stop)
            ns3c_timer_arm(world->senders[i].timer, flow->first);
    }
    return 0;
}

/* --- timeline --- */

static void on_event(void *ctx)
{
    const struct world_event *event = ctx;
    struct world *world = event->world;
    int tunnel = event->config->tunnel;
    int gateway = world->scenario->tunnels[tunnel].ends[0].gateway;
    phase2_gateway_rekey(world->gateways[gateway].gateway, world->local_tunnel[tunnel][0]);
}

static void build_timeline(struct world *world)
{
    for (size_t i = 0; i < world->scenario->num_events; i++) {
        struct world_event *event = &world->events[i];
        *event = (struct world_event){world, &world->scenario->events[i], NULL};
        event->timer = ns3c_timer_new(on_event, event);
        ns3c_timer_arm(event->timer, event->config->time);
    }
}

/* --- topology --- */

static void build_nodes(struct world *world)
{
    for (size_t i = 0; i < world->scenario->num_gateways; i++) {
        struct world_gateway *self = &world->gateways[i];
        self->world = world;
        self->index = (int)i;
        self->config = &world->scenario->gateways[i];
        self->profile =
            self->config->cpu.profile >= 0 ? &world->scenario->profiles[self->config->cpu.profile] : NULL;
        self->node = ns3c_node_new(self->config->name);
        if (self->config->has_protects)
            ns3c_address_local(self->node, ns3c_v4(world_inside_address(self->config)));
    }
}

static void build_links(struct world *world)
{
    for (size_t i = 0; i < world->scenario->num_links; i++) {
        const struct scenario_link *link = &world->scenario->links[i];
        const int ends[2] = {link->from, link->to};
        struct ns3c_link_config config = {.delay_ns = link->delay,
                                          .jitter_ns = link->jitter,
                                          .rate_bps = link->rate,
                                          .loss = link->loss,
                                          .queue_packets = link->queue,
                                          .mtu = link->mtu,
                                          .stream = STREAM_LINK + 4 * (int64_t)i};
        world->links[i] =
            ns3c_link_new(world->gateways[link->from].node, world->gateways[link->to].node, &config);
        for (int end = 0; end < 2; end++)
            ns3c_address_add(world->gateways[ends[end]].node, ns3c_link_interface(world->links[i], end),
                             ns3c_v4(p2_address_to_v4(&world->scenario->gateways[ends[end]].address)), 32);
    }
}

/* Which links a gateway has: links[first[g]] .. links[first[g + 1] - 1]. */
struct adjacency {
    size_t *first;
    int *links;
};

static int adjacency_init(struct adjacency *a, const struct scenario *scenario)
{
    size_t n = scenario->num_gateways;
    a->first = calloc(n + 2, sizeof(*a->first));
    a->links = calloc(2 * scenario->num_links + 1, sizeof(*a->links));
    if (!a->first || !a->links)
        return -1;
    for (size_t i = 0; i < scenario->num_links; i++) {
        a->first[scenario->links[i].from + 2]++;
        a->first[scenario->links[i].to + 2]++;
    }
    for (size_t g = 2; g < n + 2; g++)
        a->first[g] += a->first[g - 1];
    for (size_t i = 0; i < scenario->num_links; i++) {
        a->links[a->first[scenario->links[i].from + 1]++] = (int)i;
        a->links[a->first[scenario->links[i].to + 1]++] = (int)i;
    }
    return 0;
}

static void route_via(struct world *world, int gateway, int link, uint32_t destination, unsigned prefix_len)
{
    int end = world->scenario->links[link].from == gateway ? 0 : 1;
    ns3c_route_add(world->gateways[gateway].node, ns3c_v4(destination), prefix_len,
                   ns3c_link_interface(world->links[link], end));
}

/* Fewest links first; among equals the link that was written first. queue and via: room for every gateway. */
static void route_from(struct world *world, const struct adjacency *a, int start, int *queue, int *via)
{
    const struct scenario *scenario = world->scenario;
    size_t head = 0, tail = 0;
    for (size_t i = 0; i < scenario->num_gateways; i++)
        via[i] = -1;
    queue[tail++] = start;
    while (head < tail) {
        int at = queue[head++];
        for (size_t i = a->first[at]; i < a->first[at + 1]; i++) {
            const struct scenario_link *link = &scenario->links[a->links[i]];
            int next = link->from == at ? link->to : link->from;
            if (next == start || via[next] >= 0)
                continue;
            via[next] = at == start ? a->links[i] : via[at];
            route_via(world, start, via[next], p2_address_to_v4(&scenario->gateways[next].address), 32);
            queue[tail++] = next;
        }
    }
}

static int build_routes(struct world *world)
{
    size_t n = world->scenario->num_gateways;
    struct adjacency a = {0};
    int *queue = calloc(n + 1, sizeof(*queue)), *via = calloc(n + 1, sizeof(*via));
    int result =
        queue && via && adjacency_init(&a, world->scenario) == 0 ? 0 : fail(world, "world", "out of memory");
    for (size_t g = 0; result == 0 && g < n; g++) {
        size_t num_links = a.first[g + 1] - a.first[g];
        if (num_links == 1) /* a leaf needs no table: everything goes that way */
            route_via(world, (int)g, a.links[a.first[g]], 0, 0);
        else if (num_links > 1)
            route_from(world, &a, (int)g, queue, via);
    }
    free(a.first);
    free(a.links);
    free(queue);
    free(via);
    return result;
}

/* --- gateways --- */

/* The peer config of this gateway for that remote one; tunnels between the same two share it. */
static size_t peer_for(struct world_gateway *self, const struct scenario_end *end,
                       const struct scenario_gateway *remote)
{
    for (size_t i = 0; i < self->num_peers; i++) {
        if (p2_address_to_v4(&self->peers[i].remote) == p2_address_to_v4(&remote->address))
            return i;
    }
    struct p2_peer_config *peer = &self->peers[self->num_peers];
    *peer = (struct p2_peer_config){
        .local = self->config->address, .remote = remote->address, .phase1 = end->phase1};
    snprintf(peer->name, sizeof(peer->name), "%s", remote->name);
    return self->num_peers++;
}

static void add_tunnel_end(struct world *world, size_t t, int e)
{
    const struct scenario_tunnel *tunnel = &world->scenario->tunnels[t];
    const struct scenario_end *end = &tunnel->ends[e];
    struct world_gateway *self = &world->gateways[end->gateway];
    struct p2_tunnel_config *config = &self->tunnels[self->num_tunnels];
    bool starts = tunnel->establish == SCENARIO_ON_TRAFFIC || e == 0;
    *config = (struct p2_tunnel_config){
        .peer = peer_for(self, end, &world->scenario->gateways[tunnel->ends[!e].gateway]),
        .local = end->local,
        .remote = end->remote,
        .policy = end->policy,
        .establish = !starts                                    ? P2_ESTABLISH_PASSIVE
                     : tunnel->establish == SCENARIO_ON_TRAFFIC ? P2_ESTABLISH_ON_TRAFFIC
                                                                : P2_ESTABLISH_IMMEDIATELY,
        .retry = RETRY};
    snprintf(config->name, sizeof(config->name), "%s", tunnel->name);
    world->local_tunnel[t][e] = self->num_tunnels++;
}

static int plan_tunnels(struct world *world)
{
    const struct scenario *scenario = world->scenario;
    size_t *ends = calloc(scenario->num_gateways + 1, sizeof(*ends));
    bool good = ends != NULL;
    for (size_t t = 0; good && t < scenario->num_tunnels; t++) {
        for (int e = 0; e < 2; e++)
            ends[scenario->tunnels[t].ends[e].gateway]++;
    }
    for (size_t g = 0; good && g < scenario->num_gateways; g++) {
        world->gateways[g].peers = calloc(ends[g] + 1, sizeof(struct p2_peer_config));
        world->gateways[g].tunnels = calloc(ends[g] + 1, sizeof(struct p2_tunnel_config));
        good = world->gateways[g].peers && world->gateways[g].tunnels;
    }
    for (size_t t = 0; good && t < scenario->num_tunnels; t++) {
        for (int e = 0; e < 2; e++)
            add_tunnel_end(world, t, e);
    }
    free(ends);
    return good ? 0 : fail(world, "world", "out of memory");
}

static int install_gateways(struct world *world)
{
    for (size_t g = 0; g < world->scenario->num_gateways; g++) {
        struct world_gateway *self = &world->gateways[g];
        const struct scenario_cpu *cpu = &self->config->cpu;
        if (self->num_tunnels == 0)
            continue; /* it only forwards */
        struct phase2_gateway_config config = {.gateway = {self->peers, self->num_peers, self->tunnels,
                                                           self->num_tunnels,
                                                           cpu->price_ipsec && self->profile},
                                               .profile = self->profile,
                                               .cores = cpu->cores > 0 ? cpu->cores : 1,
                                               .queue = cpu->queue,
                                               .causes = world->causes,
                                               .stream = STREAM_GATEWAY + (int64_t)g,
                                               .observe = on_action,
                                               .ctx = self};
        self->gateway = phase2_gateway_install(self->node, &config);
        if (!self->gateway)
            return fail(world, self->config->name, "out of memory");
    }
    return 0;
}

/* --- captures --- */

static int open_captures(struct world *world)
{
    char path[4096];
    for (size_t g = 0; world->run->captures && g < world->scenario->num_gateways; g++) {
        struct world_gateway *self = &world->gateways[g];
        snprintf(path, sizeof(path), "%s/%s.pcap", world->run->captures, self->config->name);
        self->capture = ns3c_capture_open(self->node, path);
        if (!self->capture)
            return fail(world, path, strerror(errno));
    }
    return 0;
}

static int close_captures(struct world *world)
{
    const char *failed = NULL;
    int result = 0;
    for (size_t g = 0; g < world->scenario->num_gateways; g++) {
        struct world_gateway *self = &world->gateways[g];
        if (self->capture && ns3c_capture_close(self->capture) < 0 && result == 0)
            result = fail(world, self->config->name, strerror(errno));
        self->capture = NULL;
    }
    if (world->run->captures && result == 0 &&
        keyring_write(&world->keyring, world->run->captures, &failed) < 0)
        result = fail(world, failed, strerror(errno));
    return result;
}

/* --- all of it --- */

static int allocate(struct world *world)
{
    const struct scenario *s = world->scenario;
    world->gateways = calloc(s->num_gateways + 1, sizeof(*world->gateways));
    world->links = calloc(s->num_links + 1, sizeof(struct ns3c_link *));
    world->senders = calloc(s->num_flows + 1, sizeof(*world->senders));
    world->events = calloc(s->num_events + 1, sizeof(*world->events));
    world->local_tunnel = calloc(s->num_tunnels + 1, sizeof(*world->local_tunnel));
    bool good = world->gateways && world->links && world->senders && world->events && world->local_tunnel &&
                causes_new(&world->causes) == P2_OK;
    return good ? 0 : fail(world, "world", "out of memory");
}

static void cleanup(struct world *world)
{
    for (size_t g = 0; world->gateways && g < world->scenario->num_gateways; g++) {
        free(world->gateways[g].peers);
        free(world->gateways[g].tunnels);
    }
    for (size_t i = 0; i < world->windows_capacity; i++)
        free(world->windows[i]);
    free(world->windows);
    free(world->gateways);
    free(world->links);
    free(world->senders);
    free(world->events);
    free(world->local_tunnel);
    traffic_cleanup(&world->traffic);
    ledger_cleanup(&world->ledger);
    keyring_cleanup(&world->keyring);
    causes_free(world->causes);
}

static int build(struct world *world)
{
    build_nodes(world);
    build_links(world);
    if (build_routes(world) < 0 || plan_tunnels(world) < 0 || build_traffic(world) < 0)
        return -1;
    if (install_gateways(world) < 0 || open_captures(world) < 0)
        return -1;
    build_timeline(world);
    return 0;
}

int world_simulate(const struct scenario *scenario, const struct world_run *run, FILE *out,
                   struct scenario_message *message)
{
    struct world world = {.scenario = scenario, .run = run, .message = message};
    ns3c_init((uint32_t)run->seed, run->run);
    int result = allocate(&world);
    if (result == 0)
        result = build(&world);
    if (result == 0)
        ns3c_run(scenario->duration);
    if (world.gateways && close_captures(&world) < 0)
        result = -1;
    if (result == 0 && (world.ledger.out_of_memory || world.keyring.out_of_memory))
        result = fail(&world, "world", "out of memory");
    if (result == 0 && world_write_records(&world, out) < 0)
        result = fail(&world, "record stream", strerror(errno));
    ns3c_destroy();
    cleanup(&world);
    return result;
}
