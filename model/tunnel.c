/* Tunnels: when a Quick Mode starts, and which tunnel a packet or a peer's proxy IDs belong to. */
#include "internal.h"

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

/* --- which tunnel --- */

int p2_tunnels_index(struct p2_gateway *gw)
{
    for (size_t i = 0; i < gw->num_tunnels; i++) {
        struct p2_tunnel *tunnel = &gw->tunnels[i];
        int r = p2_spd_add(&gw->spd, &tunnel->config.local, &tunnel->config.remote, tunnel);
        if (r < 0)
            return r;
    }
    return P2_OK;
}

struct p2_tunnel *p2_tunnel_for_packet(const struct p2_gateway *gw, const struct p2_ip_view *packet)
{
    return p2_spd_for_packet(&gw->spd, packet);
}

/* The first tunnel with that peer whose proxy IDs are these, under `rule`; with P2_PROXY_ADDRESSES only those
 * count whose policy says so. */
static struct p2_tunnel *find_exact(const struct p2_gateway *gw, const struct p2_peer *peer,
                                    const struct p2_selector *local, const struct p2_selector *remote,
                                    enum p2_proxy_rule rule)
{
    const struct p2_spd_entry *entry = NULL;
    while ((entry = p2_spd_exact(&gw->spd, local, remote, rule, entry)) != NULL) {
        struct p2_tunnel *tunnel = entry->value;
        if (tunnel->peer == peer &&
            (rule == P2_PROXY_SERVICE || tunnel->config.policy.proxy_rule == P2_PROXY_ADDRESSES))
            return tunnel;
    }
    return NULL;
}

struct p2_tunnel *p2_tunnel_by_selectors(struct p2_gateway *gw, const struct p2_peer *peer,
                                         const struct p2_selector *local, const struct p2_selector *remote)
{
    struct p2_tunnel *tunnel = find_exact(gw, peer, local, remote, P2_PROXY_SERVICE);
    return tunnel ? tunnel : find_exact(gw, peer, local, remote, P2_PROXY_ADDRESSES);
}
