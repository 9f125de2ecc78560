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
    if (!peer->phase1 && peer->config.phase1.mode != P2_PHASE1_PRESET)
        p2_phase1_start(gw, peer, start == P2_START_PEER_DEAD ? start : P2_START_INITIAL);
}

void p2_tunnel_failed(struct p2_gateway *gw, struct p2_tunnel *tunnel)
{
    if (tunnel->config.retry > 0)
        p2_arm(gw, &tunnel->timer, gw->now + tunnel->config.retry);
}

bool p2_tunnel_is_idle(const struct p2_tunnel *tunnel)
{
    return !tunnel->current && !tunnel->negotiating && !tunnel->waiting && !p2_timer_armed(&tunnel->timer);
}

/* By a timer, since this may be in the middle of anything. What a peer took away comes back only if failures
 * are tried again at all. */
void p2_tunnel_down(struct p2_gateway *gw, struct p2_tunnel *tunnel, enum p2_removal why)
{
    bool expired = why == P2_REMOVED_HARD_LIFETIME;
    if (!p2_tunnel_is_idle(tunnel) || tunnel->config.establish != P2_ESTABLISH_IMMEDIATELY ||
        (!expired && tunnel->config.retry == 0))
        return;
    tunnel->start = expired ? P2_START_HARD_LIFETIME : P2_START_DELETED;
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
