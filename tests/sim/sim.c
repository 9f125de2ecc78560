#include "sim.h"

#include "cursor.h"
#include "flights.h"
#include "ip.h"
#include "isakmp.h"

#include <assert.h>

struct packet {
    uint8_t bytes[P2_IPV4_HEADER_LEN + 65536];
    size_t len;
};
#define MAX_ISAKMP   64
#define MAX_RESTARTS 8

struct side {
    struct packet last_sent, last_delivered, last_ipsec;
    struct sim *sim;
    int number;
    struct host *host;
    struct test_random random;
    size_t drops[P2_NUM_DROPS], ipsec_drops[P2_NUM_DROPS];
    size_t delivered;
    size_t removed[P2_REMOVED_INITIAL_CONTACT + 1];
    struct p2_isakmp_info isakmp, isakmp_removed[MAX_ISAKMP];
    size_t num_isakmp_removed;
    struct p2_negotiation phase1_failure;
    size_t failures;
    struct host *retired[MAX_RESTARTS]; /* the ledger points to their names */
    size_t num_retired;
    uint16_t nat_offset;
    bool nat_open[2]; /* ports 500 and 4500 have a mapping */
};

struct sim {
    struct sim_options options;
    struct side sides[2];
    struct causes *causes;
    struct ledger ledger;
    struct flights flights;
    struct sim_message *sent;
    size_t num_sent, num_quick, num_main;
    bool lose_ipsec;
    p2_time now;
};

struct sim_options sim_defaults(void)
{
    struct sim_options o = {.delay = {10 * P2_MS, 10 * P2_MS}, .seed = {1, 2}};
    struct p2_address address[2] = {p2_address_v4(0xc0000201), p2_address_v4(0xc0000202)};
    struct p2_selector inside[2] = {p2_selector_v4(0x0a010000, 24), p2_selector_v4(0x0a020000, 24)};
    for (int i = 0; i < 2; i++) {
        struct p2_peer_config *peer = &o.peer[i];
        struct p2_tunnel_config *tunnel = &o.tunnel[i];
        snprintf(peer->name, sizeof(peer->name), "%s", i ? "left" : "right");
        peer->local = address[i];
        peer->remote = address[!i];
        peer->phase1 = p2_phase1_policy_default("secret");
        peer->phase1.group = P2_GROUP_2;
        snprintf(tunnel->name, sizeof(tunnel->name), "vpn");
        tunnel->local = inside[i];
        tunnel->remote = inside[!i];
        tunnel->policy = p2_policy_default("nopfs-esp-aes128-sha");
        tunnel->establish = i == 0 ? P2_ESTABLISH_IMMEDIATELY : P2_ESTABLISH_PASSIVE;
    }
    return o;
}

/* --- callbacks of the hosts --- */

static void launch(struct sim *sim, int from, struct flight like, const uint8_t *data)
{
    like.at = sim->now + sim->options.delay[from];
    like.to = !from;
    flights_add(&sim->flights, &like, data);
}

/* Through the sender's NAT, then the receiver's, which knows only what its own side sent from. */
static bool translate(struct sim *sim, int from, uint16_t *source_port, uint16_t *destination_port)
{
    struct side *near = &sim->sides[from], *far = &sim->sides[!from];
    if (sim->options.nat[from]) {
        near->nat_open[*source_port == 4500] = true;
        *source_port = (uint16_t)(*source_port + near->nat_offset);
    }
    if (sim->options.nat[!from]) {
        *destination_port = (uint16_t)(*destination_port - far->nat_offset);
        return (*destination_port == 500 && far->nat_open[0]) ||
               (*destination_port == 4500 && far->nat_open[1]);
    }
    return true;
}

static bool is_lost(struct sim *sim, const struct sim_message *m)
{
    bool lost = false;
    if (m->exchange_type == P2_EXCHANGE_QUICK && sim->num_quick++ < 64)
        lost = sim->options.lose_quick >> (sim->num_quick - 1) & 1;
    bool phase1 = m->exchange_type == P2_EXCHANGE_MAIN || m->exchange_type == P2_EXCHANGE_AGGRESSIVE;
    if (phase1 && sim->num_main++ < 64)
        lost = sim->options.lose_main >> (sim->num_main - 1) & 1;
    return lost || (sim->options.lose && sim->options.lose(sim->options.lose_ctx, m));
}

static void on_send_ike(void *ctx, const struct p2_datagram *d, uint64_t emission)
{
    struct side *side = ctx;
    struct sim *sim = side->sim;
    assert(sim->num_sent < SIM_MAX_SENT && d->len <= sizeof(sim->sent[0].bytes));
    struct sim_message *m = &sim->sent[sim->num_sent++];
    size_t marker = d->source_port == 4500 && d->len > 1 ? 4 : 0;
    *m = (struct sim_message){.from = side->number, .at = sim->now, .len = d->len - marker};
    m->keepalive = d->len == 1;
    m->source_port = d->source_port;
    m->destination_port = d->destination_port;
    if (!m->keepalive) {
        m->exchange_type = d->data[marker + 18];
        m->message_id = p2_get_u32(d->data + marker + 20);
    }
    memcpy(m->bytes, d->data + marker, m->len);
    m->lost = is_lost(sim, m);
    struct flight f = {.source_port = d->source_port,
                       .destination_port = d->destination_port,
                       .emission = emission,
                       .len = d->len};
    if (!m->lost && translate(sim, side->number, &f.source_port, &f.destination_port))
        launch(sim, side->number, f, d->data);
}

/* The address in a packet that a NAT on the way replaces is the one that sim_options gives its outside. */
static bool translate_ipsec(struct sim *sim, int from, struct flight *f, const uint8_t **packet)
{
    struct p2_ip_view view;
    bool nat = sim->options.nat[0] || sim->options.nat[1];
    assert(p2_ip_parse(&view, *packet, f->len) == P2_OK);
    if (view.protocol != P2_IP_PROTO_UDP)
        return !nat; /* there is no port to tell it by */
    assert(p2_address_equal(&view.destination, &sim->options.peer[from].remote));
    f->source_port = view.source_port;
    f->destination_port = view.destination_port;
    *packet = view.payload.data + P2_UDP_HEADER_LEN;
    f->len = view.payload.len - P2_UDP_HEADER_LEN;
    return translate(sim, from, &f->source_port, &f->destination_port);
}

static void on_send_ipsec(void *ctx, const uint8_t *packet, size_t len, uint64_t mark)
{
    struct side *side = ctx;
    struct sim *sim = side->sim;
    struct flight f = {.ipsec = true, .emission = mark, .len = len};
    memcpy(side->last_ipsec.bytes, packet, len);
    side->last_ipsec.len = len;
    if (!sim->lose_ipsec && translate_ipsec(sim, side->number, &f, &packet))
        launch(sim, side->number, f, packet);
}

static void on_deliver(void *ctx, const uint8_t *packet, size_t len, uint64_t mark)
{
    struct side *side = ctx;
    (void)mark;
    side->delivered++;
    memcpy(side->last_delivered.bytes, packet, len);
    side->last_delivered.len = len;
}

static void on_observe(void *ctx, p2_time now, const struct p2_action *action, uint64_t event)
{
    struct side *side = ctx;
    if (action->type == P2_ACTION_DROP) {
        side->drops[action->u.drop.reason]++;
        side->ipsec_drops[action->u.drop.reason] += action->u.drop.ipsec;
    }
    if (action->type == P2_ACTION_SA_REMOVED && action->u.sa.inbound)
        side->removed[action->u.sa.removal]++;
    const struct p2_negotiation *n = &action->u.negotiation;
    if (action->type == P2_ACTION_NEGOTIATION && n->event == P2_NEGOTIATION_FAILED) {
        side->failures++;
        if (n->id.message_id == 0)
            side->phase1_failure = *n;
    }
    if (action->type == P2_ACTION_ISAKMP_SA)
        side->isakmp = action->u.isakmp;
    if (action->type == P2_ACTION_ISAKMP_REMOVED && side->num_isakmp_removed < MAX_ISAKMP)
        side->isakmp_removed[side->num_isakmp_removed++] = action->u.isakmp;
    ledger_observe(&side->sim->ledger, side->number, now, action, event,
                   side->sim->options.profile[side->number]);
}

/* --- construction --- */

/* Copies of the one tunnel with the next prefixes on both sides: 10.1.0.0/24, 10.1.1.0/24, ... */
static struct p2_tunnel_config *copy_tunnels(const struct p2_tunnel_config *first, size_t num)
{
    struct p2_tunnel_config *tunnels = calloc(num, sizeof(*tunnels));
    for (size_t n = 0; n < num; n++) {
        tunnels[n] = *first;
        p2_put_u16(tunnels[n].local.address.bytes + 1,
                   (uint16_t)(p2_get_u16(first->local.address.bytes + 1) + n));
        p2_put_u16(tunnels[n].remote.address.bytes + 1,
                   (uint16_t)(p2_get_u16(first->remote.address.bytes + 1) + n));
    }
    return tunnels;
}

static void start_host(struct sim *sim, int i)
{
    struct side *side = &sim->sides[i];
    const struct sim_options *o = &sim->options;
    side->sim = sim;
    side->number = i;
    if (side->num_retired == 0) {
        side->random.seed = o->seed[i];
        side->nat_offset = 20000;
    }
    size_t num_tunnels = o->num_tunnels ? o->num_tunnels : 1;
    struct p2_tunnel_config *tunnels = copy_tunnels(&o->tunnel[i], num_tunnels);
    struct host_config config = {.gateway = {&o->peer[i], 1, tunnels, num_tunnels, o->defer_ipsec},
                                 .random = test_random(&side->random),
                                 .profile = o->profile[i],
                                 .cores = 1,
                                 .queue = o->queue ? o->queue : 1000,
                                 .causes = sim->causes,
                                 .ops = {side, on_send_ike, on_send_ipsec, on_deliver, on_observe, NULL}};
    check_ok(host_new(&side->host, &config));
    free(tunnels);
}

struct sim *sim_new(const struct sim_options *options)
{
    struct sim *sim = calloc(1, sizeof(*sim));
    sim->options = *options;
    sim->sent = calloc(SIM_MAX_SENT, sizeof(*sim->sent));
    check_ok(causes_new(&sim->causes));
    start_host(sim, 0);
    start_host(sim, 1);
    return sim;
}

void sim_free(struct sim *sim)
{
    flights_cleanup(&sim->flights);
    for (int i = 0; i < 2; i++) {
        host_free(sim->sides[i].host);
        for (size_t n = 0; n < sim->sides[i].num_retired; n++)
            host_free(sim->sides[i].retired[n]);
    }
    ledger_cleanup(&sim->ledger);
    causes_free(sim->causes);
    free(sim->sent);
    free(sim);
}

/* --- time --- */

static void land(struct sim *sim)
{
    struct flight f = flights_take_first(&sim->flights);
    struct host *host = sim->sides[f.to].host;
    const struct p2_peer_config *peer = &sim->options.peer[f.to];
    struct p2_datagram d = {peer->remote, peer->local, f.source_port, f.destination_port, f.bytes, f.len};
    enum p2_udp_payload kind = f.destination_port == 4500 ? p2_udp_payload(f.bytes, f.len) : P2_UDP_IKE;
    if (f.ipsec && f.destination_port == 0)
        check_ok(host_receive_ipsec(host, sim->now, f.bytes, f.len, f.emission));
    else if (kind == P2_UDP_ESP)
        check_ok(host_receive_udp_esp(host, sim->now, &d, f.emission));
    else if (kind == P2_UDP_IKE)
        check_ok(host_receive_ike(host, sim->now, &d, f.emission));
    free(f.bytes);
}

void sim_run(struct sim *sim, p2_time until)
{
    for (;;) {
        const struct flight *f = flights_first(&sim->flights);
        p2_time left = host_next_timeout(sim->sides[0].host), right = host_next_timeout(sim->sides[1].host);
        p2_time next = f ? f->at : P2_TIME_NEVER;
        next = left < next ? left : next;
        next = right < next ? right : next;
        if (next > until)
            break;
        sim->now = next > sim->now ? next : sim->now;
        if (f && f->at == next)
            land(sim);
        else
            check_ok(host_tick(sim->sides[left <= right ? 0 : 1].host, sim->now));
    }
    sim->now = until;
}

/* --- looking and poking --- */

p2_time sim_now(const struct sim *sim)
{
    return sim->now;
}

struct host *sim_host(struct sim *sim, int side)
{
    return sim->sides[side].host;
}

struct ledger *sim_ledger(struct sim *sim)
{
    return &sim->ledger;
}

const struct causes *sim_causes(const struct sim *sim)
{
    return sim->causes;
}

const struct sim_message *sim_sent(const struct sim *sim, size_t i)
{
    return i < sim->num_sent ? &sim->sent[i] : NULL;
}

size_t sim_drops(const struct sim *sim, int side, enum p2_drop reason)
{
    return sim->sides[side].drops[reason];
}

size_t sim_all_drops(const struct sim *sim, int side)
{
    size_t num = 0;
    for (int reason = P2_DROP_NONE; reason < P2_NUM_DROPS; reason++)
        num += sim_drops(sim, side, (enum p2_drop)reason);
    return num;
}

size_t sim_ipsec_drops(const struct sim *sim, int side, enum p2_drop reason)
{
    return sim->sides[side].ipsec_drops[reason];
}

size_t sim_delivered(const struct sim *sim, int side)
{
    return sim->sides[side].delivered;
}

void sim_lose(struct sim *sim, bool (*lose)(void *ctx, const struct sim_message *message), void *ctx)
{
    sim->options.lose = lose;
    sim->options.lose_ctx = ctx;
}

size_t sim_count_sent(const struct sim *sim, uint8_t exchange_type)
{
    size_t num = 0;
    for (size_t i = 0; sim_sent(sim, i); i++)
        num += sim_sent(sim, i)->exchange_type == exchange_type;
    return num;
}

void sim_check_traffic(struct sim *sim)
{
    size_t before[2] = {sim_delivered(sim, 0), sim_delivered(sim, 1)};
    sim_send(sim, 0, 100);
    sim_send(sim, 1, 100);
    sim_run(sim, sim_now(sim) + P2_SECOND);
    CU_ASSERT_EQUAL(sim_delivered(sim, 0), before[0] + 1);
    CU_ASSERT_EQUAL(sim_delivered(sim, 1), before[1] + 1);
}

void sim_lose_ipsec(struct sim *sim, bool lose)
{
    sim->lose_ipsec = lose;
}

/* The first host of a prefix, or the address itself. */
static struct p2_address host_of(const struct p2_selector *selector)
{
    struct p2_address address = selector->address;
    size_t len = p2_address_len(address.family);
    if (!selector->is_range && selector->prefix_len < len * 8)
        address.bytes[len - 1] |= 1;
    return address;
}

void sim_send(struct sim *sim, int from, size_t len)
{
    struct packet *packet = &sim->sides[from].last_sent;
    const struct p2_tunnel_config *tunnel = &sim->options.tunnel[from];
    struct p2_ip_header header = {.source = host_of(&tunnel->local),
                                  .destination = host_of(&tunnel->remote),
                                  .tos = 0x28,
                                  .ttl = 64,
                                  .protocol = P2_IP_PROTO_UDP};
    size_t header_len = p2_ip_header_len(header.source.family);
    assert(len >= header_len && len <= sizeof(packet->bytes));
    header.payload_len = len - header_len;
    p2_ip_build(packet->bytes, &header);
    for (size_t i = header_len; i < len; i++)
        packet->bytes[i] = (uint8_t)(i * 7 + len);
    packet->len = len;
    check_ok(host_send_clear(sim->sides[from].host, sim->now, packet->bytes, len, 1));
}

void sim_send_packet(struct sim *sim, int from, const uint8_t *packet, size_t len)
{
    check_ok(host_send_clear(sim->sides[from].host, sim->now, packet, len, 1));
}

struct p2_bytes sim_last_delivered(const struct sim *sim, int side)
{
    return (struct p2_bytes){sim->sides[side].last_delivered.bytes, sim->sides[side].last_delivered.len};
}

bool sim_arrived_whole(const struct sim *sim, int side)
{
    const struct packet *sent = &sim->sides[!side].last_sent, *got = &sim->sides[side].last_delivered;
    return sent->len > 0 && sent->len == got->len && memcmp(sent->bytes, got->bytes, got->len) == 0;
}

struct p2_bytes sim_last_ipsec(const struct sim *sim, int from)
{
    return (struct p2_bytes){sim->sides[from].last_ipsec.bytes, sim->sides[from].last_ipsec.len};
}

void sim_inject_ike(struct sim *sim, int to, const uint8_t *data, size_t len)
{
    const struct p2_peer_config *peer = &sim->options.peer[to];
    struct p2_datagram d = {peer->remote, peer->local, 500, 500, data, len};
    check_ok(host_receive_ike(sim->sides[to].host, sim->now, &d, 0));
}

void sim_launch_ike(struct sim *sim, int to, const uint8_t *data, size_t len)
{
    launch(sim, !to, (struct flight){.source_port = 500, .destination_port = 500, .len = len}, data);
}

void sim_rekey(struct sim *sim, int side)
{
    check_ok(host_rekey(sim->sides[side].host, sim->now, 0));
}

void sim_restart(struct sim *sim, int side)
{
    struct side *s = &sim->sides[side];
    assert(s->num_retired < MAX_RESTARTS);
    s->retired[s->num_retired++] = s->host;
    start_host(sim, side);
}

void sim_move_nat(struct sim *sim, int side)
{
    sim->sides[side].nat_offset = (uint16_t)(sim->sides[side].nat_offset + 1000);
    sim->sides[side].nat_open[0] = sim->sides[side].nat_open[1] = false;
}

const struct p2_isakmp_info *sim_isakmp_removed(const struct sim *sim, int side, size_t i)
{
    const struct side *s = &sim->sides[side];
    return i < s->num_isakmp_removed ? &s->isakmp_removed[i] : NULL;
}

size_t sim_removed(const struct sim *sim, int side, enum p2_removal why)
{
    return sim->sides[side].removed[why];
}

size_t sim_failures(const struct sim *sim, int side)
{
    return sim->sides[side].failures;
}

const struct p2_negotiation *sim_phase1_failure(const struct sim *sim, int side)
{
    return &sim->sides[side].phase1_failure;
}

const struct p2_isakmp_info *sim_isakmp(const struct sim *sim, int side)
{
    return &sim->sides[side].isakmp;
}

const struct ledger_entry *sim_phase1(struct sim *sim, size_t n)
{
    for (size_t i = 0; i < sim->ledger.num_entries; i++) {
        if (sim->ledger.entries[i].phase1 && n-- == 0)
            return &sim->ledger.entries[i];
    }
    return NULL;
}

/* A pair of AH and ESP shows as two SAs each way, of one negotiation. */
size_t sim_num_pairs(struct sim *sim, int side)
{
    struct p2_sa_info info;
    struct p2_negotiation_id last = {0};
    size_t pairs = 0;
    for (size_t i = 0; p2_gateway_sa_at(host_gateway(sim->sides[side].host), i, &info); i++) {
        pairs += memcmp(&last, &info.negotiation, sizeof(last)) != 0;
        last = info.negotiation;
    }
    return pairs;
}

static bool has_mirror(struct sim *sim, int side, const struct p2_sa_info *sa)
{
    struct p2_sa_info other;
    for (size_t i = 0; p2_gateway_sa_at(host_gateway(sim->sides[!side].host), i, &other); i++) {
        if (other.inbound != sa->inbound && other.spi == sa->spi && other.cipher == sa->cipher &&
            other.auth == sa->auth && other.authorised && sa->authorised &&
            memcmp(other.encryption_key, sa->encryption_key, sizeof(sa->encryption_key)) == 0 &&
            memcmp(other.authentication_key, sa->authentication_key, sizeof(sa->authentication_key)) == 0)
            return true;
    }
    return false;
}

bool sim_sadbs_equal(struct sim *sim, size_t num_pairs)
{
    struct p2_sa_info info;
    for (int side = 0; side < 2; side++) {
        if (sim_num_pairs(sim, side) != num_pairs)
            return false;
        for (size_t i = 0; p2_gateway_sa_at(host_gateway(sim->sides[side].host), i, &info); i++) {
            if (!has_mirror(sim, side, &info))
                return false;
        }
    }
    return true;
}

const struct ledger_entry *sim_quick(struct sim *sim, size_t n)
{
    for (size_t i = 0; i < sim->ledger.num_entries; i++) {
        if (!sim->ledger.entries[i].phase1 && n-- == 0)
            return &sim->ledger.entries[i];
    }
    return NULL;
}
