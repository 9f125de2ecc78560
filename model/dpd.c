/* Dead peer detection (RFC 3706): a peer that was silent for `dpd_interval` is asked whether it is there.
 *
 *      HDR*, HASH(1), N(R-U-THERE, sequence)     -->
 *                                                <--  HDR*, HASH(1), N(R-U-THERE-ACK, the same)
 *
 * Anything authentic that comes from it, IKE or IPsec, is a sign of life, and the timer only looks now and
 * then when the last one was. After `dpd_tries` questions without an answer, an interval apart, the peer is
 * dead: nothing that is shared with it stays. Without an ISAKMP SA nobody can be asked; the watch begins
 * again with the next one. */
#include "internal.h"

#include <string.h>

static const struct p2_phase1_policy *policy_of(const struct p2_peer *peer)
{
    return &peer->config.phase1;
}

void p2_dpd_watch(struct p2_gateway *gw, struct p2_isakmp_sa *sa)
{
    struct p2_peer *peer = sa->peer;
    if (policy_of(peer)->dpd_interval == 0 || !sa->dpd || p2_timer_armed(&peer->dpd))
        return;
    peer->unanswered = 0;
    p2_arm(gw, &peer->dpd, gw->now + policy_of(peer)->dpd_interval);
}

/* A sequence number goes with both, under the ISAKMP SA's cookies as SPI (section 5.3). */
static void send(struct p2_gateway *gw, struct p2_isakmp_sa *sa, uint16_t notify, uint32_t sequence)
{
    uint8_t spi[16], data[4];
    memcpy(spi, sa->initiator_cookie, 8);
    memcpy(spi + 8, sa->responder_cookie, 8);
    p2_put_u32(data, sequence);
    p2_informational_notify_data(gw, sa, P2_PROTO_ISAKMP, notify, spi, sizeof(spi), data, sizeof(data));
}

/* Section 6.2: the first number is random with its high bit clear. */
static void ask(struct p2_gateway *gw, struct p2_isakmp_sa *sa)
{
    if (sa->dpd_sent == 0) {
        uint8_t bytes[4];
        p2_random_fill(gw, P2_RANDOM_NONCE, bytes, sizeof(bytes));
        sa->dpd_sent = p2_get_u32(bytes) >> 1;
    }
    send(gw, sa, P2_NOTIFY_R_U_THERE, ++sa->dpd_sent);
}

static void remove_isakmp_sas(struct p2_gateway *gw, const struct p2_peer *peer)
{
    for (struct p2_isakmp_sa *sa = gw->isakmp_sas; sa;) {
        bool its = sa->peer == peer;
        if (its)
            p2_isakmp_sa_remove(gw, sa, P2_ISAKMP_PEER_DEAD);
        sa = its ? gw->isakmp_sas : sa->next;
    }
}

/* What is to be up is tried again, though not at once: the peer has just been silent for long. */
static void start_again(struct p2_gateway *gw, const struct p2_peer *peer)
{
    for (size_t i = 0; i < gw->num_tunnels; i++) {
        struct p2_tunnel *tunnel = &gw->tunnels[i];
        if (tunnel->peer != peer)
            continue;
        p2_timer_cancel(&gw->timers, &tunnel->timer);
        if (tunnel->config.establish == P2_ESTABLISH_IMMEDIATELY && tunnel->config.retry > 0) {
            tunnel->start = P2_START_PEER_DEAD;
            p2_arm(gw, &tunnel->timer, gw->now + tunnel->config.retry);
        }
    }
}

/* Its exchanges first, so that none of them hears of its SAs' end as something else. */
static void bury(struct p2_gateway *gw, struct p2_peer *peer)
{
    remove_isakmp_sas(gw, peer);
    p2_peer_remove_pairs(gw, peer, UINT64_MAX, P2_REMOVED_PEER_DEAD);
    start_again(gw, peer);
}

void p2_dpd_timer(struct p2_gateway *gw, struct p2_peer *peer)
{
    p2_time interval = policy_of(peer)->dpd_interval;
    struct p2_isakmp_sa *sa = peer->isakmp;
    if (!sa || !sa->dpd)
        return;
    if (peer->heard + interval > gw->now) {
        peer->unanswered = 0;
        p2_arm(gw, &peer->dpd, peer->heard + interval);
    } else if (peer->unanswered >= policy_of(peer)->dpd_tries) {
        bury(gw, peer);
    } else {
        peer->unanswered++;
        p2_arm(gw, &peer->dpd, gw->now + interval);
        ask(gw, sa);
    }
}

/* Section 5.4 and 6.2: a question is answered if its number is above all that came before; an answer counts
 * if it has the number of the last question. */
bool p2_dpd_receive(struct p2_gateway *gw, struct p2_isakmp_sa *sa, uint16_t notify, struct p2_bytes spi,
                    struct p2_bytes data)
{
    bool whole = spi.len == 16 && data.len == 4 && memcmp(spi.data, sa->initiator_cookie, 8) == 0 &&
                 memcmp(spi.data + 8, sa->responder_cookie, 8) == 0;
    if (!whole)
        return false;
    uint32_t sequence = p2_get_u32(data.data);
    if (notify == P2_NOTIFY_R_U_THERE_ACK) {
        bool awaited = sa->peer->unanswered > 0 && sequence == sa->dpd_sent;
        if (awaited)
            sa->peer->unanswered = 0;
        return awaited;
    }
    if (sa->dpd_received != 0 && sequence <= sa->dpd_received)
        return false;
    sa->dpd_received = sequence;
    send(gw, sa, P2_NOTIFY_R_U_THERE_ACK, sequence);
    return true;
}
