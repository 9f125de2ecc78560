#include "duel.h"

#include "ip.h"

static const uint32_t outside[2] = {0xc0000201, 0xc0000202};

static uint32_t inside(int side, size_t tunnel)
{
    return 0x0a000000u + ((uint32_t)side << 20) + ((uint32_t)tunnel << 8);
}

static struct p2_gateway *build(struct duel *d, int side)
{
    static struct p2_tunnel_config tunnels[DUEL_TUNNELS];
    struct p2_gateway *gateway;
    struct p2_peer_config peer = {.local = p2_address_v4(outside[side]),
                                  .remote = p2_address_v4(outside[!side]),
                                  .phase1 = p2_phase1_policy_default("secret")};
    peer.phase1.group = P2_GROUP_1;
    for (size_t i = 0; i < DUEL_TUNNELS; i++) {
        tunnels[i] =
            (struct p2_tunnel_config){.local = p2_selector_v4(inside(side, i), 24),
                                      .remote = p2_selector_v4(inside(!side, i), 24),
                                      .policy = p2_policy_default("nopfs-esp-aes128-sha"),
                                      .establish = side ? P2_ESTABLISH_PASSIVE : P2_ESTABLISH_IMMEDIATELY};
        snprintf(tunnels[i].name, P2_NAME_MAX, "%zu", i);
    }
    struct p2_gateway_config config = {&peer, 1, tunnels, DUEL_TUNNELS, false};
    if (p2_gateway_new(&gateway, &config, test_random(&d->random[side])) != P2_OK)
        abort();
    return gateway;
}

/* --- what gateways do --- */

static void complain(struct duel *d, const char *what)
{
    if (!d->wrong)
        d->wrong = what;
}

static void keep(struct duel *d, int from, const struct p2_datagram *datagram)
{
    uint64_t place = d->num_kept++;
    struct duel_message *kept =
        &d->kept[place < DUEL_KEPT ? place : DUEL_FIRST + place % (DUEL_KEPT - DUEL_FIRST)];
    if (datagram->len > DUEL_MESSAGE)
        abort();
    kept->from = from;
    kept->datagram = *datagram;
    kept->datagram.data = memcpy(kept->bytes, datagram->data, datagram->len);
    if (d->num_queued == DUEL_KEPT) {
        complain(d, "the two talk without end");
        return;
    }
    struct duel_message *queued = &d->queue[d->num_queued++];
    *queued = *kept;
    queued->datagram.data = queued->bytes;
}

static void observe(struct duel *d, int side, const struct p2_action *action, struct duel_outcome *outcome)
{
    switch (action->type) {
    case P2_ACTION_SEND_IKE:
        keep(d, side, &action->u.send_ike.datagram);
        outcome->answers += action->mark == d->mark;
        break;
    case P2_ACTION_DROP:
        d->drops[side][action->u.drop.reason]++;
        outcome->drops += action->mark == d->mark;
        outcome->reason = action->u.drop.reason;
        break;
    case P2_ACTION_SEND_IPSEC:
        d->packet_len = action->u.packet.len;
        memcpy(d->packet, action->u.packet.data, action->u.packet.len);
        break;
    case P2_ACTION_DELIVER_CLEAR:
        d->delivered[side]++;
        outcome->steps++;
        break;
    case P2_ACTION_ISAKMP_SA:
        d->isakmp[side] = action->u.isakmp;
        outcome->steps++;
        break;
    default:
        d->installed[side] += action->type == P2_ACTION_SA_INSTALLED;
        outcome->steps += action->mark == d->mark;
    }
}

/* All that follows from the latest input, its jobs included. */
static void drain(struct duel *d, int side, struct duel_outcome *outcome)
{
    uint64_t jobs[64];
    size_t num_jobs;
    do {
        struct p2_action action;
        num_jobs = 0;
        while (p2_gateway_next_action(d->gateways[side], &action)) {
            if (action.type == P2_ACTION_COMPUTE && num_jobs < 64)
                jobs[num_jobs++] = action.u.compute.job;
            else if (action.type == P2_ACTION_COMPUTE)
                abort();
            else
                observe(d, side, &action, outcome);
        }
        for (size_t i = 0; i < num_jobs; i++)
            if (p2_gateway_finish_job(d->gateways[side], d->now, d->mark, jobs[i]) != P2_OK)
                complain(d, "a job failed");
    } while (num_jobs > 0);
}

static struct duel_outcome hand_over(struct duel *d, int to, const struct p2_datagram *datagram)
{
    struct duel_outcome outcome = {0};
    d->mark++;
    d->inputs[to]++;
    if (p2_gateway_receive_ike(d->gateways[to], d->now, d->mark, datagram) != P2_OK)
        complain(d, "a datagram was refused with an error");
    drain(d, to, &outcome);
    d->taken[to] += outcome.drops == 0;
    if (outcome.drops > 1)
        complain(d, "a datagram was counted twice");
    return outcome;
}

/* The mail goes round until there is none. */
static void exchange(struct duel *d)
{
    struct duel_message letter;
    for (size_t i = 0; i < d->num_queued; i++) {
        letter = d->queue[i];
        letter.datagram.data = letter.bytes;
        hand_over(d, !letter.from, &letter.datagram);
    }
    d->num_queued = 0;
}

static void tick(struct duel *d)
{
    for (int side = 0; side < 2; side++) {
        while (p2_gateway_next_timeout(d->gateways[side]) <= d->now) {
            struct duel_outcome outcome = {0};
            d->mark++;
            if (p2_gateway_tick(d->gateways[side], d->now, d->mark) != P2_OK)
                complain(d, "a tick failed");
            drain(d, side, &outcome);
            exchange(d);
        }
    }
}

/* --- the face --- */

struct duel_outcome duel_throw(struct duel *d, int to, const uint8_t *data, size_t len)
{
    const struct p2_datagram datagram = {.source = p2_address_v4(outside[!to]),
                                         .destination = p2_address_v4(outside[to]),
                                         .source_port = P2_PORT_IKE,
                                         .destination_port = P2_PORT_IKE,
                                         .data = data,
                                         .len = len};
    struct duel_outcome outcome = hand_over(d, to, &datagram);
    exchange(d);
    return outcome;
}

struct duel_outcome duel_throw_packet(struct duel *d, int to, const uint8_t *packet, size_t len)
{
    struct duel_outcome outcome = {0};
    d->mark++;
    if (p2_gateway_receive_ipsec(d->gateways[to], d->now, d->mark, packet, len) != P2_OK)
        complain(d, "a packet was refused with an error");
    drain(d, to, &outcome);
    if (outcome.drops + outcome.steps != 1)
        complain(d, "a packet did not end under exactly one name");
    return outcome;
}

void duel_wait(struct duel *d, p2_time time)
{
    p2_time until = d->now + time;
    for (;;) {
        p2_time next = until;
        for (int side = 0; side < 2; side++) {
            p2_time due = p2_gateway_next_timeout(d->gateways[side]);
            next = due < next ? due : next;
        }
        if (next >= until)
            break;
        d->now = next > d->now ? next : d->now;
        tick(d);
    }
    d->now = until;
    tick(d);
}

void duel_rekey(struct duel *d, size_t tunnel)
{
    struct duel_outcome outcome = {0};
    d->mark++;
    if (p2_gateway_rekey(d->gateways[0], d->now, d->mark, tunnel) != P2_OK)
        complain(d, "a rekey failed");
    drain(d, 0, &outcome);
    exchange(d);
}

const struct duel_message *duel_ask(struct duel *d, size_t tunnel)
{
    struct duel_outcome outcome = {0};
    d->mark++;
    if (p2_gateway_rekey(d->gateways[0], d->now, d->mark, tunnel) != P2_OK)
        complain(d, "a rekey failed");
    drain(d, 0, &outcome);
    size_t num = d->num_queued;
    d->num_queued = 0;
    return num > 0 ? &d->queue[num - 1] : NULL;
}

struct duel *duel_new(uint64_t seed)
{
    struct duel *d = calloc(1, sizeof *d);
    if (!d)
        abort();
    for (int side = 0; side < 2; side++) {
        d->random[side].seed = 2 * seed + (uint64_t)side;
        d->gateways[side] = build(d, side);
    }
    duel_wait(d, P2_SECOND);
    const char *wrong = duel_check(d);
    if (wrong) {
        fprintf(stderr, "duel: %s\n", wrong);
        abort();
    }
    return d;
}

void duel_free(struct duel *d)
{
    p2_gateway_free(d->gateways[0]);
    p2_gateway_free(d->gateways[1]);
    free(d);
}

/* --- whether all is well --- */

static bool has_mirror(struct duel *d, int side, const struct p2_sa_info *sa)
{
    struct p2_sa_info other;
    for (size_t i = 0; p2_gateway_sa_at(d->gateways[!side], i, &other); i++)
        if (other.spi == sa->spi && other.inbound != sa->inbound &&
            memcmp(other.encryption_key, sa->encryption_key, sizeof sa->encryption_key) == 0)
            return true;
    return false;
}

static bool carries(struct duel *d, int from, size_t tunnel)
{
    uint8_t packet[64] = {0};
    struct p2_ip_header header = {.source = p2_address_v4(inside(from, tunnel) + 1),
                                  .destination = p2_address_v4(inside(!from, tunnel) + 1),
                                  .ttl = 64,
                                  .protocol = P2_IP_PROTO_UDP,
                                  .payload_len = 16};
    struct duel_outcome outcome = {0};
    size_t len = p2_ip_build(packet, &header) + header.payload_len, before = d->delivered[!from];
    d->mark++;
    d->packet_len = 0;
    if (p2_gateway_send_clear(d->gateways[from], d->now, d->mark, packet, len) != P2_OK)
        return false;
    drain(d, from, &outcome);
    if (d->packet_len == 0)
        return false;
    duel_throw_packet(d, !from, d->packet, d->packet_len);
    return d->delivered[!from] == before + 1;
}

const char *duel_check(struct duel *d)
{
    struct p2_sa_info sa;
    size_t num[2] = {0, 0};
    for (int side = 0; side < 2 && !d->wrong; side++) {
        for (size_t i = 0; p2_gateway_sa_at(d->gateways[side], i, &sa); i++, num[side]++)
            if (!has_mirror(d, side, &sa))
                complain(d, "an SA has no mirror at the other end");
        for (size_t i = 0; i < DUEL_TUNNELS; i++)
            if (!carries(d, side, i))
                complain(d, "a tunnel carries no packets");
    }
    if (num[0] != num[1] || num[0] < 2 * DUEL_TUNNELS)
        complain(d, "SAs are missing");
    return d->wrong;
}
