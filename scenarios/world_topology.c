/* The nodes of a world, what joins them, and where packets go. All that touches addresses of ns3c is here. */
#include "load.h"
#include "world_impl.h"

#include "units.h"

#include <stdlib.h>
#include <string.h>

/* Ports that a NAT gives out: not the well-known ones. */
#define NAT_FIRST_PORT 1024
#define NAT_LAST_PORT  65535

/* An address as ns3c takes it. */
static struct ns3c_address to_ns3c(const struct p2_address *address)
{
    struct ns3c_address out = {.family = address->family};
    memcpy(out.bytes, address->bytes, sizeof(out.bytes));
    return out;
}

/* --- nodes and links --- */

static struct ns3c_node *node_of(const struct world *world, int node)
{
    size_t i = (size_t)node, num = world->scenario->num_gateways;
    return i < num ? world->gateways[i].node : world->nats[i - num].node;
}

static const struct p2_address *address_of(const struct scenario *s, int node)
{
    size_t i = (size_t)node;
    return i < s->num_gateways ? &s->gateways[i].address : &s->nats[i - s->num_gateways].address;
}

static void build_nodes(struct world *world)
{
    const struct scenario *s = world->scenario;
    for (size_t i = 0; i < s->num_gateways; i++) {
        struct world_gateway *self = &world->gateways[i];
        self->world = world;
        self->index = (int)i;
        self->config = &s->gateways[i];
        self->profile = self->config->cpu.profile >= 0 ? &s->profiles[self->config->cpu.profile] : NULL;
        self->node = ns3c_node_new(self->config->name);
        for (size_t p = 0; p < self->config->num_protects; p++) {
            struct p2_address inside = self->config->protects[p].address;
            if (units_address_add(&inside, 1, 0))
                ns3c_address_local(self->node, to_ns3c(&inside));
        }
    }
    for (size_t i = 0; i < s->num_nats; i++)
        world->nats[i].node = ns3c_node_new(s->nats[i].name);
}

static void build_links(struct world *world)
{
    for (size_t i = 0; i < world->scenario->num_links; i++) {
        const struct scenario_link *link = &world->scenario->links[i];
        const int ends[2] = {link->from, link->to};
        struct ns3c_link_class classes[SCENARIO_MAX_CLASSES];
        for (size_t c = 0; c < link->num_classes; c++)
            classes[c] = (struct ns3c_link_class){link->classes[c].dscps, link->classes[c].priority,
                                                  link->classes[c].queue, link->classes[c].delay};
        struct ns3c_link_config config = {.delay_ns = link->delay,
                                          .jitter_ns = link->jitter,
                                          .rate_bps = link->rate,
                                          .loss = link->loss,
                                          .queue_packets = link->queue,
                                          .mtu = link->mtu,
                                          .duplicate = link->duplicate,
                                          .reorder = link->reorder,
                                          .reorder_ns = link->reorder_delay,
                                          .stream = WORLD_STREAM_LINK + 4 * (int64_t)i,
                                          .classes = classes,
                                          .num_classes = link->num_classes};
        world->links[i] = ns3c_link_new(node_of(world, link->from), node_of(world, link->to), &config);
        for (int end = 0; end < 2; end++) {
            const struct p2_address *address = address_of(world->scenario, ends[end]);
            ns3c_address_add(node_of(world, ends[end]), ns3c_link_interface(world->links[i], end),
                             to_ns3c(address), units_address_bits(address));
        }
    }
}

/* The link that leads from a NAT is its outside. */
static int build_nats(struct world *world)
{
    const struct scenario *s = world->scenario;
    for (size_t i = 0; i < s->num_links; i++) {
        size_t from = (size_t)s->links[i].from;
        if (from < s->num_gateways)
            continue;
        const struct scenario_nat *nat = &s->nats[from - s->num_gateways];
        struct ns3c_nat_config config = {.outside = ns3c_link_interface(world->links[i], 0),
                                         .first_port = NAT_FIRST_PORT,
                                         .last_port = NAT_LAST_PORT,
                                         .timeout_ns = nat->timeout,
                                         .preserve_port = nat->preserve_port};
        struct world_nat *self = &world->nats[from - s->num_gateways];
        self->nat = ns3c_nat_new(self->node, &config);
        if (!self->nat)
            return world_fail(world, nat->name, "can not become a NAT");
    }
    return 0;
}

/* --- routes --- */

/* Which links a node has: links[first[n]] .. links[first[n + 1] - 1]. */
struct adjacency {
    size_t *first;
    int *links;
};

static int adjacency_init(struct adjacency *a, const struct scenario *scenario)
{
    size_t n = scenario->num_gateways + scenario->num_nats;
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

static void route_via(struct world *world, int node, int link, const struct p2_address *destination,
                      unsigned prefix_len)
{
    int end = world->scenario->links[link].from == node ? 0 : 1;
    ns3c_route_add(node_of(world, node), to_ns3c(destination), prefix_len,
                   ns3c_link_interface(world->links[link], end));
}

/* Everything of either family. */
static void route_by_default(struct world *world, int node, int link)
{
    static const struct p2_address any[] = {{.family = 4}, {.family = 6}};
    for (size_t i = 0; i < 2; i++)
        route_via(world, node, link, &any[i], 0);
}

/* Fewest links first; among equals the link that was written first. Nobody but the NAT itself knows a way to
 * what stands behind it. queue and via: room for every node; via becomes the link to each, or -1. */
static void route_from(struct world *world, const struct adjacency *a, int start, int *queue, int *via)
{
    const struct scenario *scenario = world->scenario;
    size_t head = 0, tail = 0, num = scenario->num_gateways + scenario->num_nats;
    for (size_t i = 0; i < num; i++)
        via[i] = -1;
    queue[tail++] = start;
    while (head < tail) {
        int at = queue[head++];
        if (at != start && (size_t)at >= scenario->num_gateways)
            continue;
        for (size_t i = a->first[at]; i < a->first[at + 1]; i++) {
            const struct scenario_link *link = &scenario->links[a->links[i]];
            int next = link->from == at ? link->to : link->from;
            if (next == start || via[next] >= 0)
                continue;
            via[next] = at == start ? a->links[i] : via[at];
            const struct p2_address *address = address_of(scenario, next);
            route_via(world, start, via[next], address, units_address_bits(address));
            queue[tail++] = next;
        }
    }
}

/* Where a tunnel takes the whole of a network in which its other end stands (0.0.0.0/0 as a rule), the way to
 * that end stays outside: a route to it alone, as people write it by hand. */
static void keep_peers_outside(struct world *world, const struct adjacency *a)
{
    const struct scenario *s = world->scenario;
    for (size_t t = 0; t < s->num_tunnels; t++) {
        for (int e = 0; e < 2; e++) {
            const struct scenario_end *end = &s->tunnels[t].ends[e];
            int peer = s->tunnels[t].ends[1 - e].gateway;
            const struct p2_address *address = load_seen_address(s, peer);
            bool leaf = a->first[end->gateway + 1] - a->first[end->gateway] == 1;
            if (leaf && end->basis == P2_ROUTE_BASED && p2_selector_contains(&end->remote, address))
                route_via(world, end->gateway, a->links[a->first[end->gateway]], address,
                          units_address_bits(address));
        }
    }
}

/* A leaf needs no table: everything goes one way. */
static int build_routes_of(struct world *world, const struct adjacency *a, int node, int *queue)
{
    size_t n = world->scenario->num_gateways + world->scenario->num_nats;
    size_t num_links = a->first[node + 1] - a->first[node];
    struct world_way *way = &world->ways[node];
    way->only = num_links > 0 ? a->links[a->first[node]] : -1;
    if (num_links == 1) {
        route_by_default(world, node, way->only);
    } else if (num_links > 1) {
        way->via = calloc(n, sizeof(*way->via));
        if (!way->via)
            return -1;
        route_from(world, a, node, queue, way->via);
    }
    return 0;
}

static int build_routes(struct world *world)
{
    size_t n = world->scenario->num_gateways + world->scenario->num_nats;
    struct adjacency a = {0};
    int *queue = calloc(n + 1, sizeof(*queue));
    world->ways = calloc(n + 1, sizeof(*world->ways));
    int result = queue && world->ways ? adjacency_init(&a, world->scenario) : -1;
    for (size_t g = 0; result == 0 && g < n; g++)
        result = build_routes_of(world, &a, (int)g, queue);
    if (result == 0)
        keep_peers_outside(world, &a);
    free(a.first);
    free(a.links);
    free(queue);
    return result == 0 ? 0 : world_fail(world, "world", "out of memory");
}

void world_free_ways(struct world *world)
{
    size_t n = world->scenario->num_gateways + world->scenario->num_nats;
    for (size_t i = 0; world->ways && i < n; i++)
        free(world->ways[i].via);
    free(world->ways);
}

/* --- what a path carries --- */

/* The smallest MTU from node to node, hop by hop as the routes lead; at most `so_far`. 0: they lead nowhere.
 */
static uint32_t walk(const struct world *world, int from, int to, uint32_t so_far)
{
    const struct scenario *s = world->scenario;
    size_t hops = s->num_gateways + s->num_nats;
    while (from != to) {
        const struct world_way *way = &world->ways[from];
        int next = way->via ? way->via[to] : way->only;
        if (next < 0 || hops-- == 0)
            return 0;
        const struct scenario_link *link = &s->links[next];
        so_far = link->mtu < so_far ? link->mtu : so_far;
        from = link->from == from ? link->to : link->from;
    }
    return so_far;
}

/* What stands behind a NAT is reached by way of it. */
uint32_t world_path_mtu(const struct world *world, int from, int to)
{
    const struct scenario *s = world->scenario;
    int nat = s->gateways[to].nat;
    uint32_t mtu = UINT32_MAX;
    if (nat >= 0) {
        int node = (int)s->num_gateways + nat;
        mtu = walk(world, from, node, mtu);
        from = node;
    }
    return mtu > 0 ? walk(world, from, to, mtu) : 0;
}

int world_build_topology(struct world *world)
{
    build_nodes(world);
    build_links(world);
    return build_nats(world) < 0 ? -1 : build_routes(world);
}

/* --- sockets of flows --- */

static void on_packet(void *ctx, const struct ns3c_udp_packet *packet)
{
    struct world *world = ctx;
    uint64_t original = attacks_original(&world->attacks, packet->mark);
    if (original == packet->mark)
        traffic_delivered(&world->traffic, ns3c_now(), packet->mark);
    else if (traffic_copied(&world->traffic, original))
        attacks_came_first(&world->attacks, packet->mark);
}

/* The first host of each protected prefix is the gateway's own and there already, as is its outside address.
 */
static bool has_address(const struct scenario_gateway *gateway, const struct p2_address *address)
{
    bool found = p2_address_compare(&gateway->address, address) == 0;
    for (size_t p = 0; p < gateway->num_protects && !found; p++) {
        struct p2_address inside = gateway->protects[p].address;
        found = units_address_add(&inside, 1, 0) && p2_address_compare(&inside, address) == 0;
    }
    return found;
}

struct ns3c_udp *world_udp_open(struct world *world, int gateway, const struct p2_address *address,
                                uint16_t port)
{
    struct world_gateway *self = &world->gateways[gateway];
    bool address_known = has_address(self->config, address);
    for (struct world_socket *s = self->sockets; s; s = s->next) {
        if (!p2_address_equal(&s->address, address))
            continue;
        if (s->port == port)
            return s->udp;
        address_known = true;
    }
    if (!address_known)
        ns3c_address_local(self->node, to_ns3c(address));
    struct world_socket *socket = calloc(1, sizeof(*socket));
    if (!socket) {
        world_fail(world, "world", "out of memory");
        return NULL;
    }
    *socket = (struct world_socket){self->sockets, *address, port,
                                    ns3c_udp_open(self->node, to_ns3c(address), port, on_packet, world)};
    self->sockets = socket;
    if (!socket->udp) {
        char what[64];
        snprintf(what, sizeof(what), "UDP port %u is taken", port);
        world_fail(world, self->config->name, what);
    }
    return socket->udp;
}

void world_udp_send(struct ns3c_udp *udp, const struct scenario_flow *flow, const uint8_t *data, size_t len,
                    uint64_t mark)
{
    const struct ns3c_udp_marking marking = {(uint8_t)(flow->dscp << 2), flow->dont_fragment};
    ns3c_udp_send_marked(udp, to_ns3c(&flow->destination), flow->port, data, len, mark, &marking);
}

void world_free_sockets(struct world_gateway *gateway)
{
    while (gateway->sockets) {
        struct world_socket *next = gateway->sockets->next;
        free(gateway->sockets);
        gateway->sockets = next;
    }
}
