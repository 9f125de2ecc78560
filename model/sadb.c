/* The SA database: pairs of SAs from their installation to their removal, and their lifetimes.
 *
 * Rekeying is make-before-break: at its soft limit a pair asks for a successor and goes on working. The side
 * that started the Quick Mode rekeys at the soft limit (with fuzz), the other one only half-way between the
 * soft and the hard limit, so that normally just one of them does. A replaced pair stays until the peer was
 * seen using the new one and `overlap` has passed; then whoever notices first takes it down and tells the
 * other with a DELETE. */
#include "internal.h"

#include <stdlib.h>
#include <string.h>

struct p2_sa_pair *p2_pair_by_spi(struct p2_gateway *gw, uint32_t inbound_spi)
{
    return p2_map_get(&gw->pairs_by_spi, inbound_spi);
}

static uint64_t outbound_key(const struct p2_gateway *gw, const struct p2_peer *peer, uint32_t spi)
{
    return (uint64_t)(peer - gw->peers) << 32 | spi;
}

struct p2_sa_pair *p2_pair_by_outbound_spi(struct p2_gateway *gw, const struct p2_peer *peer, uint32_t spi)
{
    return p2_map_get(&gw->pairs_by_outbound, outbound_key(gw, peer, spi));
}

/* RFC 2408 section 3.5 and RFC 4303 section 2.1: 1 to 255 are reserved. */
uint32_t p2_spi_new(struct p2_gateway *gw)
{
    uint8_t bytes[4];
    do
        p2_random_fill(gw, P2_RANDOM_SPI, bytes, sizeof(bytes));
    while (p2_get_u32(bytes) < 256 || p2_pair_by_spi(gw, p2_get_u32(bytes)));
    return p2_get_u32(bytes);
}

static void fill_info(struct p2_sa_info *info, const struct p2_sa_pair *pair, bool inbound)
{
    const struct p2_peer_config *peer = &pair->tunnel->peer->config;
    const struct p2_sa_half *half = inbound ? &pair->in : &pair->out;
    memset(info, 0, sizeof(*info));
    info->tunnel = pair->tunnel->config.name;
    info->negotiation = pair->negotiation;
    info->inbound = inbound;
    info->spi = half->spi;
    info->source = inbound ? peer->remote : peer->local;
    info->destination = inbound ? peer->local : peer->remote;
    info->cipher = pair->algorithms.cipher;
    info->auth = pair->algorithms.auth;
    memcpy(info->encryption_key, half->encryption_key, sizeof(info->encryption_key));
    memcpy(info->authentication_key, half->authentication_key, sizeof(info->authentication_key));
    info->packets = half->packets;
    info->bytes = half->bytes;
    info->sequence = inbound ? pair->replay.top : pair->sequence;
    info->authorised = inbound || pair->authorised;
    info->installed = pair->installed;
    info->hard_at = pair->hard_at;
}

bool p2_gateway_sa_at(const struct p2_gateway *gw, size_t i, struct p2_sa_info *info)
{
    const struct p2_sa_pair *pair = gw->pairs;
    for (; pair && i >= 2; i -= 2)
        pair = pair->next;
    if (pair)
        fill_info(info, pair, i == 0);
    return pair != NULL;
}

static void announce(struct p2_gateway *gw, const struct p2_sa_pair *pair, enum p2_action_type type,
                     enum p2_removal why)
{
    for (int inbound = 1; inbound >= 0; inbound--) {
        struct p2_action *action = p2_emit(gw, type);
        fill_info(&action->u.sa, pair, inbound);
        action->u.sa.removal = why;
        action->id = pair->negotiation;
    }
}

/* RFC 2409 section 5.5: each direction's keys come from the SPI that its receiver chose. */
static void derive_half(struct p2_exchange *quick, struct p2_sa_half *half, uint32_t spi,
                        struct p2_bytes shared)
{
    const struct p2_quick_state *q = &quick->u.quick;
    uint8_t keymat[P2_KEYMAT_MAX];
    size_t cipher_len = p2_cipher_info(q->algorithms.cipher)->key_len,
           auth_len = p2_auth_info(q->algorithms.auth)->key_len;
    struct p2_bytes ni = {q->nonce_i, q->nonce_i_len}, nr = {q->nonce_r, q->nonce_r_len};
    p2_keymat_derive(&quick->isakmp->keys, shared, P2_PROTO_ESP, spi, ni, nr, keymat, cipher_len + auth_len);
    half->spi = spi;
    memcpy(half->encryption_key, keymat, cipher_len);
    memcpy(half->authentication_key, keymat + cipher_len, auth_len);
    p2_esp_init(&half->keys, q->algorithms.cipher, half->encryption_key, q->algorithms.auth,
                half->authentication_key);
    p2_wipe(keymat, sizeof(keymat));
}

/* When this end asks for a successor: see the top of this file. */
static p2_time soft_limit(struct p2_gateway *gw, const struct p2_policy *policy, bool initiator,
                          p2_time lifetime)
{
    p2_time soft = lifetime / 1000 * policy->soft_permille;
    if (!initiator)
        return soft + (lifetime - soft) / 2;
    uint8_t bytes[4];
    p2_random_fill(gw, P2_RANDOM_FUZZ, bytes, sizeof(bytes));
    double part = p2_get_u32(bytes) / 4294967296.0;
    return soft - (p2_time)((double)(lifetime / 1000 * policy->fuzz_permille) * part);
}

static void arm_lifetimes(struct p2_gateway *gw, struct p2_sa_pair *pair, uint32_t lifetime_s)
{
    p2_time lifetime = (p2_time)lifetime_s * P2_SECOND;
    const struct p2_policy *policy = &pair->tunnel->config.policy;
    p2_timer_init(&pair->soft, P2_TIMER_SOFT, pair);
    p2_timer_init(&pair->hard, P2_TIMER_HARD, pair);
    p2_timer_init(&pair->retire, P2_TIMER_RETIRE, pair);
    pair->hard_at = gw->now + lifetime;
    p2_arm(gw, &pair->hard, pair->hard_at);
    p2_time soft = soft_limit(gw, policy, pair->initiator, lifetime);
    if (soft < lifetime)
        p2_arm(gw, &pair->soft, gw->now + soft);
}

static void link_pair(struct p2_gateway *gw, struct p2_sa_pair *pair)
{
    pair->older = pair->tunnel->pairs;
    pair->tunnel->pairs = pair;
    pair->previous = gw->last_pair;
    if (pair->previous)
        pair->previous->next = pair;
    else
        gw->pairs = pair;
    gw->last_pair = pair;
}

struct p2_sa_pair *p2_pair_install(struct p2_exchange *quick, struct p2_bytes shared)
{
    struct p2_gateway *gw = quick->gw;
    const struct p2_quick_state *q = &quick->u.quick;
    struct p2_sa_pair *pair = calloc(1, sizeof(*pair));
    if (!pair || p2_replay_init(&pair->replay, q->tunnel->config.policy.replay_window) < 0 ||
        p2_map_put(&gw->pairs_by_spi, q->spi_in, pair) < 0 ||
        p2_map_put(&gw->pairs_by_outbound, outbound_key(gw, quick->isakmp->peer, q->spi_out), pair) < 0) {
        p2_map_remove(&gw->pairs_by_spi, q->spi_in);
        if (pair)
            p2_replay_cleanup(&pair->replay);
        free(pair);
        p2_fail_memory(gw);
        return NULL;
    }
    pair->tunnel = q->tunnel;
    pair->initiator = quick->initiator;
    pair->negotiator = quick;
    pair->algorithms = q->algorithms;
    pair->negotiation = p2_exchange_id(quick);
    pair->installed = gw->now;
    pair->began = quick->began;
    derive_half(quick, &pair->in, q->spi_in, shared);
    derive_half(quick, &pair->out, q->spi_out, shared);
    link_pair(gw, pair);
    arm_lifetimes(gw, pair, q->lifetime_s);
    announce(gw, pair, P2_ACTION_SA_INSTALLED, P2_REMOVED_REPLACED);
    return pair;
}

/* A pair replaces those that were in use when its Quick Mode began. Two that were negotiated at the same time
 * replace neither one the other: the two ends saw them in different orders and would each take down the one
 * that the other end keeps. */
static bool replaces(const struct p2_sa_pair *pair, const struct p2_sa_pair *other)
{
    return other->authorised && other->authorised_at < pair->began;
}

void p2_pair_authorise(struct p2_gateway *gw, struct p2_sa_pair *pair)
{
    pair->authorised = true;
    pair->authorised_at = ++gw->instants;
    pair->negotiator = NULL;
    pair->tunnel->current = pair;
    p2_timer_cancel(&gw->timers, &pair->tunnel->timer);
    for (struct p2_sa_pair *other = pair->tunnel->pairs; other; other = other->older) {
        if (replaces(pair, other))
            p2_timer_cancel(&gw->timers, &other->soft);
    }
    if (pair->confirmed) /* its first packet overtook message 3 */
        p2_pair_confirmed(gw, pair);
}

/* Only then is it certain that the peer does not need the old ones any more. */
void p2_pair_confirmed(struct p2_gateway *gw, struct p2_sa_pair *pair)
{
    pair->confirmed = true;
    if (!pair->authorised)
        return;
    for (struct p2_sa_pair *other = pair->tunnel->pairs; other; other = other->older) {
        if (replaces(pair, other) && !p2_timer_armed(&other->retire))
            p2_arm(gw, &other->retire, gw->now + pair->tunnel->config.policy.overlap);
    }
}

static void unlink_pair(struct p2_gateway *gw, struct p2_sa_pair *pair)
{
    struct p2_sa_pair **at = &pair->tunnel->pairs;
    while (*at != pair)
        at = &(*at)->older;
    *at = pair->older;
    if (pair->previous)
        pair->previous->next = pair->next;
    else
        gw->pairs = pair->next;
    if (pair->next)
        pair->next->previous = pair->previous;
    else
        gw->last_pair = pair->previous;
    if (pair->tunnel->current == pair) {
        struct p2_sa_pair *next = pair->tunnel->pairs;
        while (next && !next->authorised)
            next = next->older;
        pair->tunnel->current = next;
    }
}

static void drop_jobs(struct p2_gateway *gw, struct p2_sa_pair *pair)
{
    while (pair->jobs) {
        struct p2_job *job = pair->jobs;
        p2_job_cancel(gw, job);
        gw->packet_mark = job->mark;
        p2_drop(gw, job->kind == P2_JOB_SEAL ? P2_DROP_NO_SA : P2_DROP_UNKNOWN_SPI, pair->in.spi, true);
        p2_job_release(gw, job);
    }
}

void p2_pair_remove(struct p2_gateway *gw, struct p2_sa_pair *pair, enum p2_removal why)
{
    struct p2_tunnel *tunnel = pair->tunnel;
    struct p2_peer *peer = tunnel->peer;
    struct p2_exchange *negotiator = pair->negotiator;
    bool was_authorised = pair->authorised;
    uint32_t spi = pair->in.spi;
    drop_jobs(gw, pair);
    p2_timer_cancel(&gw->timers, &pair->soft);
    p2_timer_cancel(&gw->timers, &pair->hard);
    p2_timer_cancel(&gw->timers, &pair->retire);
    p2_map_remove(&gw->pairs_by_spi, spi);
    if (p2_pair_by_outbound_spi(gw, peer, pair->out.spi) == pair)
        p2_map_remove(&gw->pairs_by_outbound, outbound_key(gw, peer, pair->out.spi));
    unlink_pair(gw, pair);
    announce(gw, pair, P2_ACTION_SA_REMOVED, why);
    p2_replay_cleanup(&pair->replay);
    p2_wipe(pair, sizeof(*pair));
    free(pair);
    bool peer_knows =
        why == P2_REMOVED_BY_PEER || why == P2_REMOVED_PEER_DEAD || why == P2_REMOVED_INITIAL_CONTACT;
    if (!peer_knows && peer->isakmp)
        p2_informational_delete(gw, peer->isakmp, P2_PROTO_ESP, &spi, 1);
    if (negotiator) { /* its third message is no longer of any use */
        struct p2_failure_detail detail = {.failure = P2_FAIL_SUPERSEDED, .field = "sa"};
        negotiator->u.quick.pair = NULL;
        p2_exchange_fail(negotiator, &detail);
    }
    if (was_authorised)
        p2_tunnel_down(gw, tunnel, why);
}

void p2_pair_timer(struct p2_gateway *gw, struct p2_sa_pair *pair, enum p2_timer_kind kind)
{
    if (kind == P2_TIMER_SOFT) {
        if (pair->authorised) /* what replaced it would have cancelled the timer */
            p2_tunnel_start(gw, pair->tunnel, P2_START_SOFT_LIFETIME);
    } else if (kind == P2_TIMER_HARD) {
        p2_pair_remove(gw, pair, P2_REMOVED_HARD_LIFETIME);
    } else {
        p2_pair_remove(gw, pair, P2_REMOVED_REPLACED);
    }
}
