#include "load.h"
#include "world_impl.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* Numbers of random streams: every consumer has its own, whatever else the scenario holds. */
#define STREAM_TRAFFIC 1
#define STREAM_GATEWAY (INT64_C(1) << 20)

int world_fail(struct world *world, const char *what, const char *detail)
{
    snprintf(world->message->text, sizeof(world->message->text), "%.600s: %.300s", what, detail);
    return -1;
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

static int compare_names(const void *a, const void *b)
{
    const struct world_name *x = a, *y = b;
    return strcmp(x->name, y->name);
}

/* -1: no such tunnel. */
static int tunnel_by_name(const struct world *world, const char *name)
{
    const struct world_name wanted = {name, -1};
    const struct world_name *found = NULL;
    if (name)
        found = bsearch(&wanted, world->names, world->scenario->num_tunnels, sizeof wanted, compare_names);
    return found ? found->tunnel : -1;
}

/* Opens the traffic's window with t0 and closes it when both ends are ready or either one failed. */
static void follow(struct world *world, p2_time now, const struct p2_negotiation *n)
{
    size_t place = ledger_find(&world->ledger, &n->id);
    if (place == SIZE_MAX || world->ledger.entries[place].phase1)
        return;
    bool begins = n->event == P2_NEGOTIATION_STARTED && n->initiator;
    int tunnel = begins ? tunnel_by_name(world, n->tunnel) : -1;
    if (tunnel >= 0 && window_for(world, place, tunnel) < 0)
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
    alive_note(world->run->alive, now);
    ledger_observe(&world->ledger, self->index, now, action, event, self->profile);
    if (world->run->captures)
        keyring_observe(&world->keyring, action);
    world_observe_attacks(world, action);
    if (action->type == P2_ACTION_NEGOTIATION) {
        follow(world, now, &action->u.negotiation);
    } else if (action->type == P2_ACTION_DROP) {
        self->drops[action->u.drop.reason]++;
        if (world->run->debug)
            world_debug_drop(self, now, action);
        if (action->u.drop.ipsec)
            traffic_dropped(&world->traffic, action->mark, action->u.drop.reason);
    } else if (action->type == P2_ACTION_SEND_IPSEC) {
        traffic_protected(&world->traffic, self->index, action->mark, action->u.packet.len);
    } else if (action->type == P2_ACTION_DELIVER_CLEAR) {
        traffic_answered(&world->traffic, self->index, action->mark, &action->u.packet);
    } else if (action->type == P2_ACTION_SA_REMOVED) {
        world_sa_removed(self, now, &action->u.sa);
    }
}

static void on_injected(void *ctx, p2_time now, uint64_t mark, uint64_t event)
{
    struct world_gateway *self = ctx;
    (void)now;
    attacks_arrived(&self->world->attacks, mark, event);
}

/* --- traffic --- */

static void on_link_drop(void *ctx, enum ns3c_link_drop reason, uint64_t mark)
{
    struct world *world = ctx;
    (void)reason;
    traffic_lost(&world->traffic, mark);
}

/* The payload says which packet it is, so that a capture can be followed by eye. */
static void on_send(void *ctx)
{
    struct world_sender *sender = ctx;
    struct world *world = sender->world;
    struct traffic_flow *flow = &world->traffic.flows[sender->flow];
    uint8_t payload[65536];
    size_t len = flow->config->size - (flow->config->source.family == 6 ? 48u : 28u); /* IP and UDP headers */
    uint64_t mark = traffic_mark(sender->flow, flow->sent);
    memset(payload, 0, len);
    snprintf((char *)payload, len, "%s #%llu", flow->config->name, (unsigned long long)flow->sent);
    alive_note(world->run->alive, ns3c_now());
    traffic_sent(&world->traffic, sender->flow);
    world_udp_send(sender->udp, flow->config, payload, len, mark);
    p2_time next = flow->first + (p2_time)flow->sent * flow->config->interval;
    if (next < flow->config->stop)
        ns3c_timer_arm(sender->timer, next);
}

/* A gateway behind a NAT is known to others by the NAT's address, but has its own. */
static const struct p2_address *address_at(const struct scenario *s, int gateway,
                                           const struct p2_address *seen)
{
    return p2_address_equal(load_seen_address(s, gateway), seen) ? &s->gateways[gateway].address : seen;
}

/* Flows start within their first interval, not all at once: real sources know nothing of each other. */
static int build_traffic(struct world *world)
{
    struct ns3c_stream *stream = ns3c_stream_new(STREAM_TRAFFIC);
    if (traffic_init(&world->traffic, world->scenario) < 0)
        return world_fail(world, "world", "out of memory");
    for (size_t i = 0; i < world->scenario->num_links; i++)
        ns3c_link_on_drop(world->links[i], on_link_drop, world);
    for (size_t i = 0; i < world->scenario->num_flows; i++) {
        struct traffic_flow *flow = &world->traffic.flows[i];
        struct ns3c_udp *udp =
            world_udp_open(world, flow->config->from, &flow->config->source, flow->config->source_port);
        const struct p2_address *at =
            address_at(world->scenario, flow->config->to, &flow->config->destination);
        if (!udp || !world_udp_open(world, flow->config->to, at, flow->config->port))
            return -1;
        flow->first += (p2_time)(ns3c_stream_uniform(stream) * (double)flow->config->interval);
        world->senders[i] = (struct world_sender){world, i, ns3c_timer_new(on_send, &world->senders[i]), udp};
        if (flow->first < flow->config->stop)
            ns3c_timer_arm(world->senders[i].timer, flow->first);
    }
    return 0;
}

/* --- gateways --- */

/* The peer config of this gateway for that remote one; tunnels between the same two share it. Behind a NAT a
 * gateway has the address that the NAT gives it, and others may have the same: its identity tells them apart.
 */
static size_t peer_for(struct world_gateway *self, const struct scenario_end *end,
                       const struct scenario_gateway *remote)
{
    const struct scenario *scenario = self->world->scenario;
    for (size_t i = 0; i < self->num_peers; i++) {
        if (strcmp(self->peers[i].name, remote->name) == 0)
            return i;
    }
    int remote_index = (int)(remote - scenario->gateways);
    struct p2_peer_config *peer = &self->peers[self->num_peers];
    *peer = (struct p2_peer_config){.local = self->config->address,
                                    .remote = *load_seen_address(scenario, remote_index),
                                    .phase1 = end->phase1,
                                    .mtu = world_path_mtu(self->world, self->index, remote_index)};
    if (remote->nat >= 0)
        peer->remote_id = remote->address;
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
        .waiting = end->waiting,
        .basis = end->basis,
        .retry = end->retry};
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
        world->names[t] = (struct world_name){scenario->tunnels[t].name, (int)t};
    }
    if (good)
        qsort(world->names, scenario->num_tunnels, sizeof *world->names, compare_names);
    free(ends);
    return good ? 0 : world_fail(world, "world", "out of memory");
}

static int install_gateways(struct world *world)
{
    for (size_t g = 0; g < world->scenario->num_gateways; g++) {
        struct world_gateway *self = &world->gateways[g];
        const struct scenario_cpu *cpu = &self->config->cpu;
        alive_note(world->run->alive, (int64_t)g + 1);
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
                                               .injected = on_injected,
                                               .ctx = self};
        self->gateway = phase2_gateway_install(self->node, &config);
        if (!self->gateway)
            return world_fail(world, self->config->name, "out of memory");
    }
    return 0;
}

/* --- captures --- */

#define MAX_PATH_LEN 4096

static void capture_path(const struct world *world, const struct world_gateway *self, char path[MAX_PATH_LEN])
{
    snprintf(path, MAX_PATH_LEN, "%s/%s.pcap", world->run->captures, self->config->name);
}

static int open_captures(struct world *world)
{
    char path[MAX_PATH_LEN];
    for (size_t g = 0; world->run->captures && g < world->scenario->num_gateways; g++) {
        struct world_gateway *self = &world->gateways[g];
        capture_path(world, self, path);
        self->capture = ns3c_capture_open(self->node, path);
        if (!self->capture)
            return world_fail(world, path, strerror(errno));
    }
    return 0;
}

static int close_captures(struct world *world)
{
    char path[MAX_PATH_LEN];
    const char *failed = NULL;
    int result = 0;
    for (size_t g = 0; g < world->scenario->num_gateways; g++) {
        struct world_gateway *self = &world->gateways[g];
        if (self->capture && ns3c_capture_close(self->capture) < 0 && result == 0) {
            int error = errno;
            capture_path(world, self, path);
            result = world_fail(world, path, strerror(error));
        }
        self->capture = NULL;
    }
    world->keyring.has_nats = world->scenario->num_nats > 0;
    if (world->run->captures && result == 0 &&
        keyring_write(&world->keyring, world->run->captures, &failed) < 0)
        result = world_fail(world, failed, strerror(errno));
    return result;
}

/* --- all of it --- */

static int allocate(struct world *world)
{
    const struct scenario *s = world->scenario;
    world->gateways = calloc(s->num_gateways + 1, sizeof(*world->gateways));
    world->nats = calloc(s->num_nats + 1, sizeof(*world->nats));
    world->links = calloc(s->num_links + 1, sizeof(struct ns3c_link *));
    world->tampers = calloc(s->num_links + 1, sizeof(*world->tampers));
    world->senders = calloc(s->num_flows + 1, sizeof(*world->senders));
    world->events = calloc(s->num_events + 1, sizeof(*world->events));
    world->names = calloc(s->num_tunnels + 1, sizeof(*world->names));
    world->local_tunnel = calloc(s->num_tunnels + 1, sizeof(*world->local_tunnel));
    bool good = world->gateways && world->nats && world->links && world->tampers && world->senders &&
                world->events && world->names && world->local_tunnel && causes_new(&world->causes) == P2_OK &&
                attacks_init(&world->attacks, s->num_events) == P2_OK;
    return good ? 0 : world_fail(world, "world", "out of memory");
}

static void cleanup(struct world *world)
{
    for (size_t g = 0; world->gateways && g < world->scenario->num_gateways; g++) {
        free(world->gateways[g].peers);
        free(world->gateways[g].tunnels);
        world_free_sockets(&world->gateways[g]);
    }
    for (size_t i = 0; i < world->windows_capacity; i++)
        free(world->windows[i]);
    free(world->windows);
    free(world->gateways);
    for (size_t i = 0; world->tampers && i < world->scenario->num_links; i++) {
        tamper_cleanup(&world->tampers[i].tamper);
        attack_tap_cleanup(&world->tampers[i].tap);
    }
    world_free_attacks(world);
    free(world->tampers);
    free(world->nats);
    world_free_ways(world);
    free(world->links);
    free(world->senders);
    free(world->events);
    free(world->sas.gone);
    free(world->names);
    free(world->local_tunnel);
    traffic_cleanup(&world->traffic);
    ledger_cleanup(&world->ledger);
    keyring_cleanup(&world->keyring);
    causes_free(world->causes);
}

static int build(struct world *world)
{
    if (world_build_topology(world) < 0 || plan_tunnels(world) < 0 || build_traffic(world) < 0)
        return -1;
    if (install_gateways(world) < 0 || open_captures(world) < 0)
        return -1;
    return world_build_timeline(world);
}

int world_simulate(const struct scenario *scenario, const struct world_run *run, FILE *out,
                   struct scenario_message *message)
{
    struct world world = {.scenario = scenario, .run = run, .message = message};
    ns3c_init((uint32_t)run->seed, run->run);
    int result = allocate(&world);
    if (result == 0)
        result = build(&world);
    if (result == 0 && ns3c_run(scenario->duration) < 0)
        result = world_fail(&world, "world", "out of memory");
    if (world.gateways && close_captures(&world) < 0)
        result = -1;
    attacks_end(&world.attacks);
    if (result == 0 && (world.ledger.out_of_memory || world.keyring.out_of_memory ||
                        world.traffic.out_of_memory || world.attacks.out_of_memory))
        result = world_fail(&world, "world", "out of memory");
    if (result == 0 && world_write_records(&world, out) < 0)
        result = world_fail(&world, "record stream", strerror(errno));
    ns3c_destroy();
    cleanup(&world);
    return result;
}
