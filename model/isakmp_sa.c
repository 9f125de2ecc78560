/* ISAKMP SAs: found by their cookies, one of them in use for each peer. */
#include "internal.h"

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
    if (!sa) {
        p2_fail_memory(gw);
        return NULL;
    }
    sa->peer = peer;
    sa->initiator = initiator;
    sa->keys.hash = peer->config.phase1.hash;
    sa->keys.cipher = peer->config.phase1.cipher;
    p2_timer_init(&sa->expire, P2_TIMER_ISAKMP, sa);
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

struct p2_isakmp_sa *p2_isakmp_sa_find(struct p2_gateway *gw, const struct p2_isakmp_header *header,
                                       const struct p2_address *remote)
{
    static const uint8_t unknown[8];
    struct p2_isakmp_sa *sa = p2_map_get(&gw->isakmp_by_cookie, p2_get_u64(header->initiator_cookie));
    if (!sa || !p2_address_equal(&sa->peer->config.remote, remote))
        return NULL;
    bool same = memcmp(sa->responder_cookie, header->responder_cookie, 8) == 0;
    bool learning = sa->initiator && memcmp(sa->responder_cookie, unknown, 8) == 0;
    return same || learning ? sa : NULL;
}

static void announce(struct p2_gateway *gw, const struct p2_isakmp_sa *sa)
{
    struct p2_isakmp_info *info = &p2_emit(gw, P2_ACTION_ISAKMP_SA)->u.isakmp;
    const struct p2_isakmp_keys *keys = &sa->keys;
    memset(info, 0, sizeof(*info));
    memcpy(info->id.initiator_cookie, sa->initiator_cookie, 8);
    memcpy(info->id.responder_cookie, sa->responder_cookie, 8);
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

void p2_isakmp_sa_established(struct p2_gateway *gw, struct p2_isakmp_sa *sa)
{
    struct p2_peer *peer = sa->peer;
    sa->established = true;
    peer->isakmp = sa;
    announce(gw, sa);
    for (struct p2_tunnel *tunnel; (tunnel = p2_peer_take_waiting(peer)) != NULL;)
        p2_tunnel_start(gw, tunnel, tunnel->start);
}

/* The responder of a Quick Mode that took its SAs down here would leave the initiator with dead ones, and
 * could not even tell it. */
void p2_isakmp_sa_expire(struct p2_gateway *gw, struct p2_isakmp_sa *sa)
{
    if (sa->expired) {
        p2_isakmp_sa_remove(gw, sa);
        return;
    }
    sa->expired = true;
    if (sa->peer->isakmp == sa)
        sa->peer->isakmp = NULL;
    p2_arm(gw, &sa->expire, gw->now + p2_patience(sa->peer));
}

/* Exchanges under it fail: what they negotiate could no longer be protected. */
void p2_isakmp_sa_remove(struct p2_gateway *gw, struct p2_isakmp_sa *sa)
{
    sa->removing = true;
    if (sa->peer->isakmp == sa)
        sa->peer->isakmp = NULL;
    while (sa->exchanges) {
        struct p2_exchange *ex = sa->exchanges;
        struct p2_failure_detail detail = {.failure = P2_FAIL_PHASE1_LOST, .field = "isakmp-sa"};
        if (ex->counted)
            p2_exchange_fail(ex, &detail);
        else
            p2_exchange_end(ex);
    }
    p2_timer_cancel(&gw->timers, &sa->expire);
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
        memcpy(outputs[i], digest, lengths[i] ? lengths[i] : p2_hash_info(config->phase1.hash)->len);
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
