/* ISAKMP SAs: found by their cookies, one of them in use for each peer.
 *
 * Rekeying is make-before-break: at its soft limit the initiator of an SA starts a new Phase 1 while Quick
 * Modes go on under the old one; those that are under way when the new one is there finish under the old one.
 * IPsec SAs outlive the ISAKMP SA that they were negotiated under. */
#include "internal.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Addresses whose hashes collide stand under the keys that follow, which works since no peer ever goes. *key:
 * where the address is or belongs. */
static struct p2_peer *find_peer(const struct p2_gateway *gw, const struct p2_address *address, uint64_t *key)
{
    struct p2_peer *peer;
    *key = p2_address_hash(address);
    while ((peer = p2_map_get(&gw->peers_by_address, *key)) != NULL &&
           !p2_address_equal(&peer->config.remote, address))
        ++*key;
    return peer;
}

int p2_peers_index(struct p2_gateway *gw)
{
    /* Backwards: of the peers with one address the first one stands in front. */
    for (size_t i = gw->num_peers; i-- > 0;) {
        uint64_t key;
        gw->peers[i].next_same_address = find_peer(gw, &gw->peers[i].config.remote, &key);
        int r = p2_map_put(&gw->peers_by_address, key, &gw->peers[i]);
        if (r < 0)
            return r;
    }
    return P2_OK;
}

struct p2_peer *p2_peer_by_address(struct p2_gateway *gw, const struct p2_address *address)
{
    uint64_t key;
    return find_peer(gw, address, &key);
}

struct p2_isakmp_sa *p2_isakmp_sa_new(struct p2_gateway *gw, struct p2_peer *peer, bool initiator)
{
    struct p2_isakmp_sa *sa = calloc(1, sizeof(*sa));
    if (!sa || p2_timers_reserve(&gw->timers, 2) < 0) {
        free(sa);
        p2_fail_memory(gw);
        return NULL;
    }
    sa->peer = peer;
    sa->initiator = initiator;
    sa->keys.hash = peer->config.phase1.hash;
    sa->keys.cipher = peer->config.phase1.cipher;
    sa->began = ++gw->instants;
    sa->remote = peer->config.remote;
    sa->local_port = sa->remote_port = P2_PORT_IKE;
    p2_timer_init(&sa->expire, P2_TIMER_ISAKMP, sa);
    p2_timer_init(&sa->soft, P2_TIMER_ISAKMP_SOFT, sa);
    sa->next = gw->isakmp_sas;
    if (sa->next)
        sa->next->previous = sa;
    gw->isakmp_sas = sa;
    return sa;
}

int p2_isakmp_sa_register(struct p2_gateway *gw, struct p2_isakmp_sa *sa)
{
    return p2_map_put(&gw->isakmp_by_cookie, p2_get_u64(sa->initiator_cookie), sa);
}

/* A peer behind a NAT may come from anywhere: what it says is authenticated before it is believed. */
struct p2_isakmp_sa *p2_isakmp_sa_find(struct p2_gateway *gw, const struct p2_isakmp_header *header,
                                       const struct p2_address *remote)
{
    static const uint8_t unknown[8];
    struct p2_isakmp_sa *sa = p2_map_get(&gw->isakmp_by_cookie, p2_get_u64(header->initiator_cookie));
    if (!sa || (!p2_address_equal(&sa->remote, remote) && !sa->nat_remote))
        return NULL;
    bool same = memcmp(sa->responder_cookie, header->responder_cookie, 8) == 0;
    bool learning = sa->initiator && memcmp(sa->responder_cookie, unknown, 8) == 0;
    return same || learning ? sa : NULL;
}

static void announce(struct p2_gateway *gw, const struct p2_isakmp_sa *sa, enum p2_action_type type)
{
    struct p2_action *action = p2_emit(gw, type);
    struct p2_isakmp_info *info = &action->u.isakmp;
    const struct p2_isakmp_keys *keys = &sa->keys;
    memset(info, 0, sizeof(*info));
    memcpy(info->id.initiator_cookie, sa->initiator_cookie, 8);
    memcpy(info->id.responder_cookie, sa->responder_cookie, 8);
    action->id = info->id;
    info->peer = sa->peer->config.name;
    info->initiator = sa->initiator;
    info->cipher = keys->cipher;
    info->hash = keys->hash;
    memcpy(info->encryption_key, keys->encryption_key, sizeof(info->encryption_key));
    memcpy(info->keys.initiator_cookie, sa->initiator_cookie, 8);
    memcpy(info->keys.responder_cookie, sa->responder_cookie, 8);
    memcpy(info->keys.skeyid_d, keys->skeyid_d, P2_HASH_MAX_LEN);
    memcpy(info->keys.skeyid_a, keys->skeyid_a, P2_HASH_MAX_LEN);
    memcpy(info->keys.skeyid_e, keys->skeyid_e, P2_HASH_MAX_LEN);
    memcpy(info->keys.iv, keys->last_block, P2_CIPHER_MAX_BLOCK);
    info->end = sa->end;
}

struct p2_tunnel *p2_peer_take_waiting(struct p2_peer *peer)
{
    struct p2_tunnel *tunnel = peer->waiting;
    if (tunnel) {
        peer->waiting = tunnel->next_waiting;
        tunnel->waiting = false;
        tunnel->next_waiting = NULL;
    }
    return tunnel;
}

/* --- which one is in use --- */

static bool is_usable(const struct p2_isakmp_sa *sa)
{
    return sa->established && !sa->expired && !sa->removing;
}

/* An SA replaces those that were there when its Phase 1 began. Two that were negotiated at the same time
 * replace neither one the other, for the two ends saw them in different orders and would each take down the
 * one that the other end keeps; both ends use the one with the lower cookie, and its successor replaces both.
 */
static bool replaces(const struct p2_isakmp_sa *sa, const struct p2_isakmp_sa *other)
{
    return other->peer == sa->peer && other->established && other->established_at < sa->began;
}

static void choose(struct p2_gateway *gw, struct p2_peer *peer)
{
    peer->isakmp = NULL;
    for (struct p2_isakmp_sa *sa = gw->isakmp_sas; sa; sa = sa->next) {
        bool better = !peer->isakmp || memcmp(sa->initiator_cookie, peer->isakmp->initiator_cookie, 8) < 0;
        if (sa->peer == peer && is_usable(sa) && better)
            peer->isakmp = sa;
    }
}

static bool has_quick_modes(const struct p2_isakmp_sa *sa)
{
    const struct p2_exchange *ex = sa->exchanges;
    while (ex && ex->kind != &p2_quick_mode)
        ex = ex->next;
    return ex != NULL;
}

/* It starts nothing new. In any case it goes when what is under way had its time. */
static void retire(struct p2_gateway *gw, struct p2_isakmp_sa *sa, enum p2_isakmp_end why)
{
    sa->expired = true;
    sa->end = why;
    p2_timer_cancel(&gw->timers, &sa->soft);
    p2_arm(gw, &sa->expire, gw->now + p2_patience(sa->peer));
}

/* Only the initiator of the new one takes the old one down as soon as it is idle: the responder can not know
 * yet whether its last message arrived. */
static void retire_replaced(struct p2_gateway *gw, const struct p2_isakmp_sa *new_one)
{
    for (struct p2_isakmp_sa *sa = gw->isakmp_sas; sa; sa = sa->next) {
        if (!is_usable(sa) || !replaces(new_one, sa))
            continue;
        retire(gw, sa, P2_ISAKMP_REPLACED);
        sa->goes_when_idle = new_one->initiator;
        if (sa->goes_when_idle && !has_quick_modes(sa))
            p2_arm(gw, &sa->expire, gw->now);
    }
}

void p2_isakmp_sa_established(struct p2_gateway *gw, struct p2_isakmp_sa *sa)
{
    struct p2_peer *peer = sa->peer;
    sa->established = true;
    sa->established_at = ++gw->instants;
    peer->heard = gw->now;
    retire_replaced(gw, sa);
    choose(gw, peer);
    announce(gw, sa, P2_ACTION_ISAKMP_SA);
    p2_dpd_watch(gw, sa);
    p2_nat_keep_alive(gw, sa);
    for (struct p2_tunnel *tunnel; (tunnel = p2_peer_take_waiting(peer)) != NULL;)
        p2_tunnel_start(gw, tunnel, tunnel->start);
}

bool p2_peer_has_sas(const struct p2_gateway *gw, const struct p2_peer *peer)
{
    for (const struct p2_isakmp_sa *sa = gw->isakmp_sas; sa; sa = sa->next) {
        if (sa->peer == peer && sa->established)
            return true;
    }
    for (size_t i = 0; i < gw->num_tunnels; i++) {
        if (gw->tunnels[i].peer == peer && gw->tunnels[i].pairs)
            return true;
    }
    return false;
}

/* --- how it goes --- */

/* If that comes to nothing it is tried again while there is time. */
void p2_isakmp_sa_soft(struct p2_gateway *gw, struct p2_isakmp_sa *sa)
{
    struct p2_peer *peer = sa->peer;
    if (peer->isakmp != sa)
        return;
    p2_arm(gw, &sa->soft, gw->now + 2 * p2_patience(peer));
    if (!peer->phase1)
        p2_phase1_start(gw, peer, P2_START_SOFT_LIFETIME);
}

/* The responder of a Quick Mode that took its SAs down here would leave the initiator with dead ones, and
 * could not even tell it. */
void p2_isakmp_sa_expire(struct p2_gateway *gw, struct p2_isakmp_sa *sa)
{
    if (!sa->expired) {
        retire(gw, sa, P2_ISAKMP_LIFETIME);
        choose(gw, sa->peer);
    } else if (!sa->deleted) { /* the peer may have agreed to a longer lifetime */
        sa->deleted = true;
        p2_arm(gw, &sa->expire, gw->now + p2_patience(sa->peer));
        p2_informational_delete(gw, sa, P2_PROTO_ISAKMP, 0);
    } else {
        p2_isakmp_sa_remove(gw, sa, sa->end);
    }
}

/* By the timer, since this may be in the middle of anything. */
void p2_isakmp_sa_exchange_ended(const struct p2_exchange *ex)
{
    struct p2_isakmp_sa *sa = ex->isakmp;
    if (sa->removing || !sa->established)
        return;
    bool told = ex->kind == &p2_informational && ex->u.info.last;
    bool idle = sa->goes_when_idle && !sa->deleted && !has_quick_modes(sa);
    if (told || idle)
        p2_arm(ex->gw, &sa->expire, ex->gw->now);
}

void p2_isakmp_sa_unanswered(struct p2_gateway *gw, struct p2_isakmp_sa *sa)
{
    struct p2_peer *peer = sa->peer;
    if (peer->isakmp != sa || peer->config.phase1.mode == P2_PHASE1_PRESET)
        return;
    retire(gw, sa, P2_ISAKMP_UNANSWERED);
    peer->isakmp = NULL;
}

void p2_peer_remove_pairs(struct p2_gateway *gw, const struct p2_peer *peer, uint64_t before,
                          enum p2_removal why)
{
    for (struct p2_sa_pair *pair = gw->pairs; pair;) {
        bool its = pair->tunnel->peer == peer && pair->began < before;
        if (its)
            p2_pair_remove(gw, pair, why);
        pair = its ? gw->pairs : pair->next;
    }
}

void p2_isakmp_sa_initial_contact(struct p2_gateway *gw, struct p2_isakmp_sa *sa)
{
    p2_peer_remove_pairs(gw, sa->peer, sa->began, P2_REMOVED_INITIAL_CONTACT);
    for (struct p2_isakmp_sa *other = gw->isakmp_sas; other;) {
        bool older = replaces(sa, other);
        if (older)
            p2_isakmp_sa_remove(gw, other, P2_ISAKMP_INITIAL_CONTACT);
        other = older ? gw->isakmp_sas : other->next;
    }
}

static struct p2_failure_detail why_lost(const struct p2_isakmp_sa *sa)
{
    static const char *const ends[] = {
        [P2_ISAKMP_LIFETIME] = "its lifetime was over",
        [P2_ISAKMP_REPLACED] = "another one replaced it",
        [P2_ISAKMP_BY_PEER] = "the peer deleted it",
        [P2_ISAKMP_PEER_DEAD] = "the peer is dead",
        [P2_ISAKMP_INITIAL_CONTACT] = "the peer started anew",
        [P2_ISAKMP_UNANSWERED] = "a Quick Mode under it went unanswered",
    };
    struct p2_failure_detail detail = {
        .failure = P2_FAIL_PHASE1_LOST,
        .field = "isakmp-sa",
        .acceptable = "an ISAKMP SA until the exchange is over",
        .rule = "a Quick Mode is protected by its ISAKMP SA: RFC 2409 section 5.5"};
    snprintf(detail.offered, sizeof(detail.offered), "none any more: %s", ends[sa->end]);
    return detail;
}

static struct p2_failure_detail why_dead(const struct p2_isakmp_sa *sa)
{
    struct p2_failure_detail detail = {
        .failure = P2_FAIL_PEER_DEAD,
        .field = "peer",
        .acceptable = "a sign of life, or R-U-THERE-ACK",
        .rule = "a peer that answers no R-U-THERE is taken for unreachable: RFC 3706 section 5"};
    unsigned asked = sa->peer->unanswered;
    snprintf(detail.offered, sizeof(detail.offered), "no answer to %u R-U-THERE", asked);
    return detail;
}

/* What the exchanges under it negotiate could no longer be protected. */
static void end_exchanges(struct p2_isakmp_sa *sa)
{
    struct p2_failure_detail detail = sa->end == P2_ISAKMP_PEER_DEAD ? why_dead(sa) : why_lost(sa);
    while (sa->exchanges) {
        struct p2_exchange *ex = sa->exchanges;
        if (ex->counted)
            p2_exchange_fail(ex, &detail);
        else
            p2_exchange_end(ex);
    }
}

void p2_isakmp_sa_remove(struct p2_gateway *gw, struct p2_isakmp_sa *sa, enum p2_isakmp_end why)
{
    sa->removing = true;
    sa->end = why;
    if (sa->peer->isakmp == sa)
        choose(gw, sa->peer);
    end_exchanges(sa);
    p2_timer_cancel(&gw->timers, &sa->expire);
    p2_timer_cancel(&gw->timers, &sa->soft);
    p2_timers_release(&gw->timers, 2);
    if (sa->established)
        announce(gw, sa, P2_ACTION_ISAKMP_REMOVED);
    if (p2_map_get(&gw->isakmp_by_cookie, p2_get_u64(sa->initiator_cookie)) == sa)
        p2_map_remove(&gw->isakmp_by_cookie, p2_get_u64(sa->initiator_cookie));
    if (sa->previous)
        sa->previous->next = sa->next;
    else
        gw->isakmp_sas = sa->next;
    if (sa->next)
        sa->next->previous = sa->previous;
    p2_map_cleanup(&sa->message_ids);
    p2_wipe(&sa->keys, sizeof(sa->keys));
    free(sa);
}

/* Both ends reckon the same keys from the pre-shared key and the two addresses in their numeric order; the
 * lower address counts as the initiator. No RFC: a way to study Phase 2 alone. */
static void derive_preset(struct p2_isakmp_sa *sa, struct p2_preset_keys *out)
{
    const struct p2_peer_config *config = &sa->peer->config;
    bool lower = memcmp(config->local.bytes, config->remote.bytes, 16) < 0;
    const struct p2_address *first = lower ? &config->local : &config->remote;
    const struct p2_address *second = lower ? &config->remote : &config->local;
    uint8_t *const outputs[] = {out->initiator_cookie, out->responder_cookie, out->skeyid_d,
                                out->skeyid_a,         out->skeyid_e,         out->iv};
    const size_t lengths[] = {8, 8, 0, 0, 0, P2_CIPHER_MAX_BLOCK};
    sa->initiator = lower;
    for (uint8_t i = 0; i < 6; i++) {
        uint8_t digest[P2_HASH_MAX_LEN];
        struct p2_bytes parts[] = {{(const uint8_t *)"phase2sim preset", 16},
                                   {config->phase1.psk, config->phase1.psk_len},
                                   {first->bytes, 16},
                                   {second->bytes, 16},
                                   {&i, 1}};
        p2_hash_digest(config->phase1.hash, parts, 5, digest);
        memcpy(outputs[i], digest, lengths[i] ? lengths[i] : p2_hash_of(config->phase1.hash)->len);
    }
}

void p2_isakmp_sa_preset(struct p2_gateway *gw, struct p2_peer *peer)
{
    struct p2_isakmp_sa *sa = p2_isakmp_sa_new(gw, peer, true);
    if (!sa)
        return;
    struct p2_preset_keys keys = peer->config.phase1.preset_keys;
    if (!peer->config.phase1.has_preset_keys)
        derive_preset(sa, &keys);
    memcpy(sa->initiator_cookie, keys.initiator_cookie, 8);
    memcpy(sa->responder_cookie, keys.responder_cookie, 8);
    memcpy(sa->keys.skeyid_d, keys.skeyid_d, P2_HASH_MAX_LEN);
    memcpy(sa->keys.skeyid_a, keys.skeyid_a, P2_HASH_MAX_LEN);
    memcpy(sa->keys.skeyid_e, keys.skeyid_e, P2_HASH_MAX_LEN);
    memcpy(sa->keys.last_block, keys.iv, P2_CIPHER_MAX_BLOCK);
    p2_keymat_prepare(&sa->keys);
    p2_wipe(&keys, sizeof(keys));
    if (p2_isakmp_sa_register(gw, sa) < 0)
        p2_fail_memory(gw);
    else
        p2_isakmp_sa_established(gw, sa);
}
