/* The face of the library: every input is one call, and what it set off stands in the ring of actions
 * afterwards. */
#include "internal.h"

#include "ip.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

/* --- for the files behind the face --- */

void p2_fail_memory(struct p2_gateway *gw)
{
    gw->error = P2_ERR_NOMEM;
}

static int grow_actions(struct p2_gateway *gw)
{
    size_t capacity = gw->actions_capacity ? gw->actions_capacity * 2 : 32;
    struct p2_action *actions = malloc(capacity * sizeof(*actions));
    if (!actions)
        return P2_ERR_NOMEM;
    for (size_t i = 0; i < gw->num_actions; i++)
        actions[i] = gw->actions[(gw->first_action + i) & (gw->actions_capacity - 1)];
    free(gw->actions);
    gw->actions = actions;
    gw->actions_capacity = capacity;
    gw->first_action = 0;
    return P2_OK;
}

struct p2_action *p2_emit(struct p2_gateway *gw, enum p2_action_type type)
{
    struct p2_action *action = &gw->spill;
    if (gw->num_actions == gw->actions_capacity && grow_actions(gw) < 0)
        p2_fail_memory(gw);
    else
        action = &gw->actions[(gw->first_action + gw->num_actions++) & (gw->actions_capacity - 1)];
    action->type = type;
    action->mark = gw->mark;
    return action;
}

struct p2_action *p2_emit_packet(struct p2_gateway *gw, enum p2_action_type type)
{
    struct p2_action *action = p2_emit(gw, type);
    action->mark = gw->packet_mark;
    return action;
}

struct p2_action *p2_drop(struct p2_gateway *gw, enum p2_drop reason, uint32_t spi, bool ipsec)
{
    struct p2_action *action = ipsec ? p2_emit_packet(gw, P2_ACTION_DROP) : p2_emit(gw, P2_ACTION_DROP);
    memset(&action->id, 0, sizeof(action->id));
    action->u.drop.reason = reason;
    action->u.drop.spi = spi;
    action->u.drop.sequence = 0;
    action->u.drop.ipsec = ipsec;
    return action;
}

void p2_arm(struct p2_gateway *gw, struct p2_timer *timer, p2_time at)
{
    if (p2_timer_arm(&gw->timers, timer, at) < 0)
        p2_fail_memory(gw);
}

void p2_random_fill(struct p2_gateway *gw, enum p2_random_use use, void *out, size_t len)
{
    gw->random.fill(gw->random.ctx, use, out, len);
}

/* --- construction --- */

static void free_exchanges(struct p2_gateway *gw)
{
    while (gw->graveyard) {
        struct p2_exchange *ex = gw->graveyard;
        gw->graveyard = ex->next;
        free(ex->sent);
        free(ex->received);
        free(ex->inbox);
        free(ex->plain);
        p2_wipe(ex, sizeof(*ex));
        free(ex);
    }
}

static int copy_config(struct p2_gateway *gw, const struct p2_gateway_config *config)
{
    gw->peers = calloc(config->num_peers + 1, sizeof(*gw->peers));
    gw->tunnels = calloc(config->num_tunnels + 1, sizeof(*gw->tunnels));
    gw->packet = malloc(P2_PACKET_ARENA + (size_t)2 * (P2_PACKET_MAX + 1));
    if (!gw->peers || !gw->tunnels || !gw->packet ||
        p2_timers_reserve(&gw->timers, 2 * (config->num_peers + config->num_tunnels)) < 0)
        return P2_ERR_NOMEM;
    gw->scratch = gw->packet + P2_PACKET_ARENA;
    gw->unwrapped = gw->scratch + P2_PACKET_MAX + 1;
    gw->num_peers = config->num_peers;
    gw->num_tunnels = config->num_tunnels;
    for (size_t i = 0; i < gw->num_peers; i++) {
        gw->peers[i].config = config->peers[i];
        p2_timer_init(&gw->peers[i].dpd, P2_TIMER_DPD, &gw->peers[i]);
        p2_timer_init(&gw->peers[i].keepalive, P2_TIMER_KEEPALIVE, &gw->peers[i]);
    }
    for (size_t i = 0; i < gw->num_tunnels; i++) {
        struct p2_tunnel *tunnel = &gw->tunnels[i];
        assert(config->tunnels[i].peer < gw->num_peers);
        tunnel->config = config->tunnels[i];
        tunnel->peer = &gw->peers[tunnel->config.peer];
        p2_timer_init(&tunnel->timer, P2_TIMER_TUNNEL, tunnel);
        p2_timer_init(&tunnel->release, P2_TIMER_RELEASE, tunnel);
    }
    int r = p2_peers_index(gw);
    return r == P2_OK ? p2_tunnels_index(gw) : r;
}

/* What is to happen without any input is a timer from the start. */
static void arm_first(struct p2_gateway *gw)
{
    for (size_t i = 0; i < gw->num_peers; i++) {
        if (gw->peers[i].config.phase1.mode == P2_PHASE1_PRESET)
            p2_isakmp_sa_preset(gw, &gw->peers[i]);
    }
    for (size_t i = 0; i < gw->num_tunnels; i++) {
        gw->tunnels[i].start = P2_START_INITIAL;
        if (gw->tunnels[i].config.establish == P2_ESTABLISH_IMMEDIATELY)
            p2_arm(gw, &gw->tunnels[i].timer, 0);
    }
}

int p2_gateway_new(struct p2_gateway **out, const struct p2_gateway_config *config, struct p2_random random)
{
    struct p2_gateway *gw = calloc(1, sizeof(*gw));
    if (!gw)
        return P2_ERR_NOMEM;
    gw->random = random;
    gw->defer_ipsec = config->defer_ipsec;
    int r = copy_config(gw, config);
    if (r == P2_OK) {
        arm_first(gw);
        r = gw->error;
    }
    if (r != P2_OK) {
        p2_gateway_free(gw);
        return r;
    }
    *out = gw;
    return P2_OK;
}

void p2_gateway_free(struct p2_gateway *gw)
{
    if (!gw)
        return;
    for (size_t i = 0; i < gw->num_tunnels; i++) {
        gw->tunnels[i].config.establish = P2_ESTABLISH_PASSIVE; /* nothing starts again now */
        p2_tunnel_drop_waiting(gw, &gw->tunnels[i]);
    }
    while (gw->pairs)
        p2_pair_remove(gw, gw->pairs, P2_REMOVED_BY_PEER);
    while (gw->isakmp_sas)
        p2_isakmp_sa_remove(gw, gw->isakmp_sas, P2_ISAKMP_LIFETIME);
    free_exchanges(gw);
    p2_jobs_cleanup(gw);
    p2_timers_cleanup(&gw->timers);
    p2_spd_cleanup(&gw->spd);
    struct p2_map *maps[] = {&gw->peers_by_address, &gw->isakmp_by_cookie, &gw->pairs_by_spi,
                             &gw->pairs_by_outbound, &gw->jobs_by_id};
    for (size_t i = 0; i < sizeof(maps) / sizeof(maps[0]); i++)
        p2_map_cleanup(maps[i]);
    p2_wipe(gw->peers, gw->num_peers * sizeof(*gw->peers));
    free(gw->peers);
    free(gw->tunnels);
    free(gw->actions);
    free(gw->packet);
    free(gw);
}

/* --- inputs --- */

static void begin(struct p2_gateway *gw, p2_time now, uint64_t mark)
{
    assert(gw->num_actions == 0 && now >= gw->now);
    free_exchanges(gw);
    gw->now = now;
    gw->mark = mark;
    gw->packet_mark = 0;
    gw->udp_port = 0;
    gw->packet_used = 0;
    gw->error = P2_OK;
}

static void begin_packet(struct p2_gateway *gw, p2_time now, uint64_t mark)
{
    begin(gw, now, 0);
    gw->packet_mark = mark;
}

static void receive_for_sa(struct p2_gateway *gw, const struct p2_isakmp_header *header,
                           const struct p2_datagram *datagram)
{
    struct p2_isakmp_sa *sa = p2_isakmp_sa_find(gw, header, &datagram->source);
    if (!sa) {
        p2_drop(gw, P2_DROP_UNKNOWN_COOKIE, 0, false);
        return;
    }
    if (header->exchange_type == P2_EXCHANGE_INFORMATIONAL && !(header->flags & P2_FLAG_ENCRYPTED)) {
        p2_informational_receive_clear(gw, sa, datagram);
        return;
    }
    struct p2_exchange *ex = p2_exchange_find(sa, header->message_id);
    bool connected = ex && ex->kind == &p2_quick_mode && header->exchange_type == P2_EXCHANGE_INFORMATIONAL;
    if (ex && (connected || ex->kind->type == header->exchange_type)) {
        p2_exchange_receive(ex, datagram);
        return;
    }
    bool new_one =
        !ex && sa->established && header->message_id != 0 && header->flags & P2_FLAG_ENCRYPTED &&
        (header->exchange_type == P2_EXCHANGE_QUICK || header->exchange_type == P2_EXCHANGE_INFORMATIONAL);
    if (!new_one || p2_map_get(&sa->message_ids, header->message_id)) {
        p2_drop(gw, new_one ? P2_DROP_DUPLICATE : P2_DROP_UNEXPECTED, 0, false);
        return;
    }
    const struct p2_exchange_kind *kind =
        header->exchange_type == P2_EXCHANGE_QUICK ? &p2_quick_mode : &p2_informational;
    ex = p2_exchange_new(gw, kind, sa, false, header->message_id);
    if (ex)
        p2_exchange_receive(ex, datagram);
}

/* On port 4500 IKE stands behind a marker. */
static bool take_marker(struct p2_datagram *datagram)
{
    if (datagram->destination_port != P2_PORT_NAT_T)
        return true;
    if (datagram->len < P2_NON_ESP_MARKER || p2_get_u32(datagram->data) != 0)
        return false;
    datagram->data += P2_NON_ESP_MARKER;
    datagram->len -= P2_NON_ESP_MARKER;
    return true;
}

int p2_gateway_receive_ike(struct p2_gateway *gw, p2_time now, uint64_t mark,
                           const struct p2_datagram *datagram)
{
    begin(gw, now, mark);
    static const uint8_t no_cookie[8];
    struct p2_isakmp_header header;
    struct p2_datagram message = *datagram;
    bool well_formed =
        take_marker(&message) && p2_isakmp_parse_header(&header, message.data, message.len) == P2_OK;
    struct p2_peer *peer = p2_peer_by_address(gw, &datagram->source);
    if (!peer && !(well_formed && p2_isakmp_sa_find(gw, &header, &datagram->source)))
        p2_drop(gw, P2_DROP_UNKNOWN_PEER, 0, false); /* nor one whose NAT gave it another address */
    else if (!well_formed)
        p2_drop(gw, P2_DROP_MALFORMED, 0, false);
    else if (peer && memcmp(header.responder_cookie, no_cookie, 8) == 0)
        p2_phase1_respond(gw, peer, &header, &message);
    else
        receive_for_sa(gw, &header, &message);
    return gw->error;
}

int p2_gateway_receive_ipsec(struct p2_gateway *gw, p2_time now, uint64_t mark, const uint8_t *packet,
                             size_t len)
{
    begin_packet(gw, now, mark);
    p2_inbound(gw, packet, len);
    return gw->error;
}

enum p2_udp_payload p2_udp_payload(const uint8_t *data, size_t len)
{
    if (len == 1 && data[0] == 0xff)
        return P2_UDP_KEEPALIVE;
    return len >= P2_NON_ESP_MARKER && p2_get_u32(data) == 0 ? P2_UDP_IKE : P2_UDP_ESP;
}

int p2_gateway_receive_udp_esp(struct p2_gateway *gw, p2_time now, uint64_t mark,
                               const struct p2_datagram *datagram)
{
    begin_packet(gw, now, mark);
    p2_inbound_udp(gw, datagram);
    return gw->error;
}

int p2_gateway_send_clear(struct p2_gateway *gw, p2_time now, uint64_t mark, const uint8_t *packet,
                          size_t len)
{
    begin_packet(gw, now, mark);
    struct p2_ip_view view;
    if (len > P2_PACKET_MAX || p2_ip_parse(&view, packet, len) < 0) {
        p2_drop(gw, len > P2_PACKET_MAX ? P2_DROP_TOO_BIG : P2_DROP_MALFORMED, 0, true);
        return gw->error;
    }
    struct p2_tunnel *tunnel = p2_tunnel_for_packet(gw, &view);
    if (!tunnel) {
        p2_drop(gw, P2_DROP_NO_POLICY, 0, true);
    } else if (!tunnel->current || p2_timer_armed(&tunnel->release)) { /* nothing overtakes what waited */
        p2_tunnel_packet(gw, tunnel, packet, len);
    } else {
        p2_outbound(gw, tunnel->current, &view);
    }
    return gw->error;
}

int p2_gateway_finish_job(struct p2_gateway *gw, p2_time now, uint64_t mark, uint64_t id)
{
    begin(gw, now, mark);
    struct p2_job *job = p2_job_take(gw, id);
    if (!job)
        return P2_OK;
    if (job->kind == P2_JOB_EXCHANGE) {
        p2_exchange_job_done(job->exchange);
        return gw->error;
    }
    gw->packet_mark = job->mark;
    p2_packet_job_done(gw, job);
    return gw->error;
}

int p2_gateway_refuse_job(struct p2_gateway *gw, p2_time now, uint64_t mark, uint64_t id)
{
    begin(gw, now, mark);
    struct p2_job *job = p2_job_take(gw, id);
    if (!job)
        return P2_OK;
    if (job->kind == P2_JOB_EXCHANGE) {
        p2_exchange_job_refused(job->exchange);
        return gw->error;
    }
    gw->packet_mark = job->mark;
    p2_drop(gw, P2_DROP_CPU_QUEUE_FULL, job->pair->in[0].spi, true);
    p2_job_release(gw, job);
    return gw->error;
}

int p2_gateway_tick(struct p2_gateway *gw, p2_time now, uint64_t mark)
{
    begin(gw, now, mark);
    struct p2_timer *timer = p2_timers_first(&gw->timers);
    if (!timer || timer->at > now)
        return P2_OK;
    p2_timer_cancel(&gw->timers, timer);
    enum p2_timer_kind kind = (enum p2_timer_kind)timer->kind;
    switch (kind) {
    case P2_TIMER_EXCHANGE:
        p2_exchange_timer(timer->owner);
        break;
    case P2_TIMER_ISAKMP:
        p2_isakmp_sa_expire(gw, timer->owner);
        break;
    case P2_TIMER_RELEASE:
        p2_tunnel_release(gw, timer->owner);
        break;
    case P2_TIMER_ISAKMP_SOFT:
        p2_isakmp_sa_soft(gw, timer->owner);
        break;
    case P2_TIMER_DPD:
        p2_dpd_timer(gw, timer->owner);
        break;
    case P2_TIMER_KEEPALIVE:
        p2_nat_timer(gw, timer->owner);
        break;
    case P2_TIMER_TUNNEL:
        p2_tunnel_timer(gw, timer->owner);
        break;
    case P2_TIMER_SOFT:
    case P2_TIMER_HARD:
    case P2_TIMER_RETIRE:
    case P2_TIMER_USE:
        p2_pair_timer(gw, timer->owner, kind);
        break;
    }
    return gw->error;
}

int p2_gateway_rekey(struct p2_gateway *gw, p2_time now, uint64_t mark, size_t tunnel)
{
    assert(tunnel < gw->num_tunnels);
    begin(gw, now, mark);
    /* Without an SA there is nothing to replace: it is the tunnel's first, a little early. */
    p2_tunnel_start(gw, &gw->tunnels[tunnel],
                    gw->tunnels[tunnel].current ? P2_START_FORCED : P2_START_INITIAL);
    return gw->error;
}

int p2_gateway_clear(struct p2_gateway *gw, p2_time now, uint64_t mark, size_t tunnel)
{
    assert(tunnel < gw->num_tunnels);
    begin(gw, now, mark);
    while (gw->tunnels[tunnel].pairs)
        p2_pair_remove(gw, gw->tunnels[tunnel].pairs, P2_REMOVED_CLEARED);
    return gw->error;
}

bool p2_gateway_protects(const struct p2_gateway *gw, const uint8_t *packet, size_t len)
{
    struct p2_ip_view view;
    if (p2_ip_parse(&view, packet, len) < 0)
        return false;
    const struct p2_tunnel *tunnel = p2_tunnel_for_packet(gw, &view);
    return tunnel && tunnel->config.basis == P2_POLICY_BASED;
}

p2_time p2_gateway_next_timeout(const struct p2_gateway *gw)
{
    const struct p2_timer *timer = p2_timers_first(&gw->timers);
    return timer ? timer->at : P2_TIME_NEVER;
}

bool p2_gateway_next_action(struct p2_gateway *gw, struct p2_action *action)
{
    if (gw->num_actions == 0)
        return false;
    *action = gw->actions[gw->first_action];
    gw->first_action = (gw->first_action + 1) & (gw->actions_capacity - 1);
    gw->num_actions--;
    return true;
}

size_t p2_gateway_negotiations(const struct p2_gateway *gw)
{
    return gw->num_negotiations;
}
