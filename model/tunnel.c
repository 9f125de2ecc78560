/* Tunnels: when a Quick Mode starts, and which tunnel a packet belongs to.
 *
 * The security policy database is a hash by (source prefix, destination prefix): a packet is looked up once
 * for each pair of prefix lengths that is in use, longest first, so the number of tunnels does not matter. */
#include "internal.h"

#include <string.h>

void p2_tunnel_start(struct p2_gateway *gw, struct p2_tunnel *tunnel, enum p2_start start)
{
    struct p2_peer *peer = tunnel->peer;
    if (tunnel->negotiating || tunnel->waiting)
        return;
    p2_timer_cancel(&gw->timers, &tunnel->timer);
    tunnel->start = start;
    if (peer->isakmp) {
        p2_quick_start(gw, tunnel, start);
        return;
    }
    tunnel->waiting = true;
    tunnel->next_waiting = peer->waiting;
    peer->waiting = tunnel;
    if (!peer->phase1 && peer->config.phase1.mode == P2_PHASE1_MAIN)
        p2_phase1_start(gw, peer);
}

/* --- packets that wait for the first SA --- */

static struct p2_job *take_waiting(struct p2_tunnel *tunnel)
{
    struct p2_job *job = tunnel->first_waiting;
    if (job) {
        tunnel->first_waiting = job->next;
        if (!job->next)
            tunnel->last_waiting = NULL;
        job->next = NULL;
        tunnel->num_waiting--;
    }
    return job;
}

static void wait(struct p2_gateway *gw, struct p2_tunnel *tunnel, const uint8_t *packet, size_t len)
{
    struct p2_job *job = p2_job_for_packet(gw, P2_JOB_WAIT, NULL, packet, len);
    if (!job)
        return;
    if (tunnel->last_waiting)
        tunnel->last_waiting->next = job;
    else
        tunnel->first_waiting = job;
    tunnel->last_waiting = job;
    tunnel->num_waiting++;
}

void p2_tunnel_packet(struct p2_gateway *gw, struct p2_tunnel *tunnel, const uint8_t *packet, size_t len)
{
    bool on_traffic = tunnel->config.establish == P2_ESTABLISH_ON_TRAFFIC;
    bool coming = tunnel->negotiating || tunnel->waiting || (on_traffic && p2_tunnel_is_idle(tunnel));
    if (coming && tunnel->num_waiting < tunnel->config.waiting)
        wait(gw, tunnel, packet, len);
    else
        p2_drop(gw, P2_DROP_NO_SA, 0, true);
    if (on_traffic && p2_tunnel_is_idle(tunnel))
        p2_tunnel_start(gw, tunnel, P2_START_TRAFFIC);
}

void p2_tunnel_drop_waiting(struct p2_gateway *gw, struct p2_tunnel *tunnel)
{
    for (struct p2_job *job; (job = take_waiting(tunnel)) != NULL;) {
        gw->packet_mark = job->mark;
        p2_drop(gw, P2_DROP_NO_SA, 0, true);
        p2_job_release(gw, job);
    }
}

/* An action may hold only one packet of a call, so each packet gets a tick of its own. */
void p2_tunnel_release(struct p2_gateway *gw, struct p2_tunnel *tunnel)
{
    struct p2_job *job = tunnel->current ? take_waiting(tunnel) : NULL;
    if (!job)
        return;
    if (tunnel->first_waiting)
        p2_arm(gw, &tunnel->release, gw->now);
    gw->packet_mark = job->mark;
    p2_outbound(gw, tunnel->current, job->packet, job->packet_len);
    p2_job_release(gw, job);
}

/* --- starting --- */

void p2_tunnel_failed(struct p2_gateway *gw, struct p2_tunnel *tunnel)
{
    if (!tunnel->current)
        p2_tunnel_drop_waiting(gw, tunnel);
    if (tunnel->config.retry > 0)
        p2_arm(gw, &tunnel->timer, gw->now + tunnel->config.retry);
}

bool p2_tunnel_is_idle(const struct p2_tunnel *tunnel)
{
    return !tunnel->current && !tunnel->negotiating && !tunnel->waiting && !p2_timer_armed(&tunnel->timer);
}

static enum p2_start start_after(enum p2_removal why)
{
    switch (why) {
    case P2_REMOVED_HARD_LIFETIME:
        return P2_START_HARD_LIFETIME;
    case P2_REMOVED_HARD_VOLUME:
        return P2_START_HARD_VOLUME;
    case P2_REMOVED_SEQUENCE:
        return P2_START_SEQUENCE;
    case P2_REMOVED_PEER_DEAD:
        return P2_START_PEER_DEAD;
    default:
        return P2_START_DELETED;
    }
}

/* By a timer, since this may be in the middle of anything. What a peer took away comes back only if failures
 * are tried again at all. */
void p2_tunnel_down(struct p2_gateway *gw, struct p2_tunnel *tunnel, enum p2_removal why)
{
    bool ours = why != P2_REMOVED_BY_PEER && why != P2_REMOVED_PEER_DEAD && why != P2_REMOVED_INITIAL_CONTACT;
    if (!p2_tunnel_is_idle(tunnel) || tunnel->config.establish != P2_ESTABLISH_IMMEDIATELY ||
        (!ours && tunnel->config.retry == 0))
        return;
    tunnel->start = start_after(why);
    p2_arm(gw, &tunnel->timer, gw->now);
}

void p2_tunnel_timer(struct p2_gateway *gw, struct p2_tunnel *tunnel)
{
    p2_tunnel_start(gw, tunnel, tunnel->start);
}

/* --- the security policy database --- */

static uint64_t mask(const struct p2_address *address, unsigned prefix_len)
{
    uint32_t bits = p2_address_to_v4(address);
    return prefix_len == 0 ? 0 : bits & UINT32_MAX << (32 - prefix_len);
}

/* Two tunnels of different shapes may share a key; the comparison with the selectors tells them apart. */
static uint64_t spd_key(const struct p2_address *source, unsigned source_len,
                        const struct p2_address *destination, unsigned destination_len)
{
    return mask(source, source_len) << 32 | mask(destination, destination_len);
}

static int add_shape(struct p2_gateway *gw, uint32_t shape)
{
    size_t i = 0;
    while (i < gw->num_spd_shapes && gw->spd_shapes[i] > shape)
        i++;
    if (i < gw->num_spd_shapes && gw->spd_shapes[i] == shape)
        return P2_OK;
    if (gw->num_spd_shapes == sizeof(gw->spd_shapes) / sizeof(gw->spd_shapes[0]))
        return P2_ERR_SPACE;
    memmove(gw->spd_shapes + i + 1, gw->spd_shapes + i, (gw->num_spd_shapes - i) * sizeof(gw->spd_shapes[0]));
    gw->spd_shapes[i] = shape;
    gw->num_spd_shapes++;
    return P2_OK;
}

int p2_tunnels_index(struct p2_gateway *gw)
{
    /* Backwards: of tunnels under one key the first one stands in front. */
    for (size_t i = gw->num_tunnels; i-- > 0;) {
        struct p2_tunnel *tunnel = &gw->tunnels[i];
        const struct p2_selector *local = &tunnel->config.local, *remote = &tunnel->config.remote;
        uint64_t key = spd_key(&local->address, local->prefix_len, &remote->address, remote->prefix_len);
        tunnel->next_same_key = p2_map_get(&gw->spd, key);
        int r = p2_map_put(&gw->spd, key, tunnel);
        if (r == P2_OK)
            r = add_shape(gw, (uint32_t)local->prefix_len << 8 | remote->prefix_len);
        if (r < 0)
            return r;
    }
    return P2_OK;
}

struct p2_tunnel *p2_tunnel_for_packet(const struct p2_gateway *gw, const struct p2_address *source,
                                       const struct p2_address *destination)
{
    for (size_t i = 0; i < gw->num_spd_shapes; i++) {
        unsigned local_len = gw->spd_shapes[i] >> 8, remote_len = gw->spd_shapes[i] & 0xff;
        struct p2_tunnel *tunnel = p2_map_get(&gw->spd, spd_key(source, local_len, destination, remote_len));
        while (tunnel && (tunnel->config.local.prefix_len != local_len ||
                          tunnel->config.remote.prefix_len != remote_len))
            tunnel = tunnel->next_same_key;
        if (tunnel)
            return tunnel;
    }
    return NULL;
}

struct p2_tunnel *p2_tunnel_by_selectors(struct p2_gateway *gw, const struct p2_peer *peer,
                                         const struct p2_selector *local, const struct p2_selector *remote)
{
    if (local->address.family != 4 || remote->address.family != 4)
        return NULL;
    struct p2_tunnel *tunnel = p2_map_get(
        &gw->spd, spd_key(&local->address, local->prefix_len, &remote->address, remote->prefix_len));
    while (tunnel && (tunnel->peer != peer || !p2_selector_equal(&tunnel->config.local, local) ||
                      !p2_selector_equal(&tunnel->config.remote, remote)))
        tunnel = tunnel->next_same_key;
    return tunnel;
}
