/* Tunnels: when a Quick Mode starts, and which tunnel a packet or a peer's proxy IDs belong to. */
#include "internal.h"

/* It has no SA and nothing is under way to get one. */
static bool is_idle(const struct p2_tunnel *tunnel)
{
    return !tunnel->current && !tunnel->negotiating && !tunnel->waiting && !p2_timer_armed(&tunnel->timer);
}

void p2_tunnel_start(struct p2_gateway *gw, struct p2_tunnel *tunnel, enum p2_start start)
{
    struct p2_peer *peer = tunnel->peer;
    if (tunnel->negotiating || tunnel->waiting)
        return;
    p2_timer_cancel(&gw->timers, &tunnel->timer);
    tunnel->start = start;
    tunnel->given_up = false;
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
    bool starts = tunnel->config.establish == P2_ESTABLISH_ON_TRAFFIC && is_idle(tunnel) && !tunnel->given_up;
    bool coming = tunnel->negotiating || tunnel->waiting || starts;
    bool room = coming && tunnel->num_waiting < tunnel->config.waiting;
    if (tunnel->current || room) /* behind those that go at this very instant, or until there is an SA */
        wait(gw, tunnel, packet, len);
    else
        p2_drop(gw, P2_DROP_NO_SA, 0, true);
    if (starts)
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

/* The SA that they waited for is gone again. */
static void wait_on(struct p2_gateway *gw, struct p2_tunnel *tunnel)
{
    if (!is_idle(tunnel))
        return;
    if (tunnel->config.establish == P2_ESTABLISH_ON_TRAFFIC)
        p2_tunnel_start(gw, tunnel, P2_START_TRAFFIC);
    else
        p2_tunnel_drop_waiting(gw, tunnel);
}

/* An action may hold only one packet of a call, so each packet gets a tick of its own. */
void p2_tunnel_release(struct p2_gateway *gw, struct p2_tunnel *tunnel)
{
    struct p2_job *job = tunnel->current ? take_waiting(tunnel) : NULL;
    struct p2_ip_view view;
    if (!job) {
        if (tunnel->first_waiting)
            wait_on(gw, tunnel);
        return;
    }
    if (tunnel->first_waiting)
        p2_arm(gw, &tunnel->release, gw->now);
    gw->packet_mark = job->mark;
    if (p2_ip_parse(&view, job->packet, job->packet_len) == P2_OK) /* as it did before it waited */
        p2_outbound(gw, tunnel->current, &view);
    p2_job_release(gw, job);
}

/* --- starting --- */

void p2_tunnel_failed(struct p2_gateway *gw, struct p2_tunnel *tunnel)
{
    if (!tunnel->current)
        p2_tunnel_drop_waiting(gw, tunnel);
    tunnel->given_up = tunnel->config.retry == 0;
    if (!tunnel->given_up)
        p2_arm(gw, &tunnel->timer, gw->now + tunnel->config.retry);
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
    if (!is_idle(tunnel) || tunnel->config.establish != P2_ESTABLISH_IMMEDIATELY ||
        (!p2_removal_is_ours(why) && tunnel->config.retry == 0))
        return;
    tunnel->start = start_after(why);
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
