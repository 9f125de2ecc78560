/* The SA database: pairs of SAs from their installation to their removal, and their lifetimes.
 *
 * Rekeying is make-before-break: at its soft limit a pair asks for a successor and goes on working. The side
 * that started the Quick Mode rekeys at the soft limit (with fuzz), the other one only half-way between the
 * soft and the hard limit, so that normally just one of them does. There are three such pairs of limits:
 * time, kilobytes, and sequence numbers, which must never come round again (RFC 4303 section 3.3.3). A pair
 * that nobody used is not rekeyed unless its tunnel is to be up always. A replaced pair stays until the peer
 * was seen using the new one and `overlap` has passed; then whoever notices first takes it down and tells the
 * other with a DELETE. DELETEs get lost and are never acknowledged: who goes on using an SA that the other
 * end does not have is told so (INVALID-SPI, RFC 2408 section 3.14.1), and of two pairs that were negotiated
 * at the same time the one that neither end uses goes after a while.
 *
 * A successor may send at once, or when `install_interval` has passed: the peer may be slower. */
#include "internal.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct p2_sa_pair *p2_pair_by_spi(struct p2_gateway *gw, uint32_t inbound_spi)
{
    return p2_map_get(&gw->pairs_by_spi, inbound_spi);
}

/* The peer chose these SPIs, for ESP and for AH each as it liked. */
static uint64_t outbound_key(const struct p2_gateway *gw, const struct p2_peer *peer,
                             enum p2_protocol protocol, uint32_t spi)
{
    return (uint64_t)(peer - gw->peers) << 33 | (uint64_t)p2_spi_index(protocol) << 32 | spi;
}

struct p2_sa_pair *p2_pair_by_outbound_spi(struct p2_gateway *gw, const struct p2_peer *peer,
                                           enum p2_protocol protocol, uint32_t spi)
{
    if (protocol != P2_PROTO_ESP && protocol != P2_PROTO_AH) /* as it may come from the wire */
        return NULL;
    return p2_map_get(&gw->pairs_by_outbound, outbound_key(gw, peer, protocol, spi));
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

const struct p2_address *p2_pair_remote(const struct p2_sa_pair *pair)
{
    const struct p2_peer *peer = pair->tunnel->peer;
    return pair->encapsulated ? &peer->nat_address : &peer->config.remote;
}

static void fill_info(struct p2_sa_info *info, const struct p2_sa_pair *pair, bool inbound, size_t i)
{
    const struct p2_peer_config *peer = &pair->tunnel->peer->config;
    const struct p2_sa *sa = inbound ? &pair->in[i] : &pair->out[i];
    memset(info, 0, sizeof(*info));
    info->tunnel = pair->tunnel->config.name;
    info->negotiation = pair->negotiation;
    info->inbound = inbound;
    info->protocol = sa->protocol;
    info->mode = pair->mode;
    if (pair->encapsulated) {
        info->udp_source = inbound ? pair->tunnel->peer->nat_port : P2_PORT_NAT_T;
        info->udp_destination = inbound ? P2_PORT_NAT_T : pair->tunnel->peer->nat_port;
    }
    info->spi = sa->spi;
    info->source = inbound ? *p2_pair_remote(pair) : peer->local;
    info->destination = inbound ? peer->local : *p2_pair_remote(pair);
    info->cipher = sa->algorithms.cipher;
    info->auth = sa->algorithms.auth;
    memcpy(info->encryption_key, sa->encryption_key, sizeof(info->encryption_key));
    memcpy(info->authentication_key, sa->authentication_key, sizeof(info->authentication_key));
    info->packets = sa->packets;
    info->inbound_counters = sa->counters;
    info->bytes = sa->bytes;
    info->esn = pair->esn;
    info->sequence = inbound ? sa->replay.top : sa->sequence;
    info->authorised = inbound || pair->authorised;
    info->installed = pair->installed;
    info->hard_at = pair->hard_at;
    info->hard_bytes = pair->hard_bytes == UINT64_MAX ? 0 : pair->hard_bytes;
}

bool p2_gateway_sa_at(const struct p2_gateway *gw, size_t i, struct p2_sa_info *info)
{
    const struct p2_sa_pair *pair = gw->pairs;
    for (; pair && i >= 2 * pair->num; pair = pair->next)
        i -= 2 * pair->num;
    if (pair)
        fill_info(info, pair, i % 2 == 0, i / 2);
    return pair != NULL;
}

static void announce(struct p2_gateway *gw, const struct p2_sa_pair *pair, enum p2_action_type type,
                     enum p2_removal why)
{
    for (size_t i = 0; i < 2 * pair->num; i++) {
        struct p2_action *action = p2_emit(gw, type);
        fill_info(&action->u.sa, pair, i % 2 == 0, i / 2);
        action->u.sa.removal = why;
        action->id = pair->negotiation;
    }
}

/* RFC 2409 section 5.5: each SA's keys come from the SPI that its receiver chose, and its protocol. False:
 * the cipher's is a weak one. */
static bool derive(struct p2_exchange *quick, struct p2_sa *sa, struct p2_bytes shared)
{
    const struct p2_quick_state *q = &quick->u.quick;
    bool esn = q->tunnel->config.policy.esn;
    uint8_t keymat[P2_KEYMAT_MAX];
    size_t len = p2_algorithms_keymat_len(&sa->algorithms),
           auth_len = p2_auth_of(sa->algorithms.auth)->key_len, cipher_len = len - auth_len;
    struct p2_bytes ni = {q->nonce_i, q->nonce_i_len}, nr = {q->nonce_r, q->nonce_r_len};
    p2_keymat_derive(&quick->isakmp->keys, shared, (uint8_t)sa->protocol, sa->spi, ni, nr, keymat, len);
    memcpy(sa->encryption_key, keymat, cipher_len);
    memcpy(sa->authentication_key, keymat + cipher_len, auth_len);
    p2_wipe(keymat, sizeof(keymat));
    if (sa->protocol == P2_PROTO_AH)
        p2_ah_init(&sa->keys.ah, sa->algorithms.auth, sa->authentication_key, esn);
    else
        p2_esp_init(&sa->keys.esp, sa->algorithms.cipher, sa->encryption_key, sa->algorithms.auth,
                    sa->authentication_key, esn);
    return !p2_cipher_key_is_weak(sa->algorithms.cipher, sa->encryption_key);
}

/* --- limits --- */

/* When this end asks for a successor, of a limit in any unit: see the top of this file. */
static int64_t soft_limit(struct p2_gateway *gw, const struct p2_policy *policy, bool initiator, int64_t hard)
{
    int64_t soft = hard / 1000 * policy->soft_permille;
    if (!initiator)
        return soft + (hard - soft) / 2;
    uint8_t bytes[4];
    p2_random_fill(gw, P2_RANDOM_FUZZ, bytes, sizeof(bytes));
    int64_t most = hard / 1000 * policy->fuzz_permille;
    return soft - (int64_t)((double)most * (p2_get_u32(bytes) / 4294967296.0));
}

static void arm_lifetimes(struct p2_gateway *gw, struct p2_sa_pair *pair, uint32_t lifetime_s)
{
    p2_time lifetime = (p2_time)lifetime_s * P2_SECOND;
    const struct p2_policy *policy = &pair->tunnel->config.policy;
    p2_timer_init(&pair->soft, P2_TIMER_SOFT, pair);
    p2_timer_init(&pair->hard, P2_TIMER_HARD, pair);
    p2_timer_init(&pair->retire, P2_TIMER_RETIRE, pair);
    p2_timer_init(&pair->use, P2_TIMER_USE, pair);
    pair->soft_reason = P2_START_SOFT_LIFETIME;
    pair->hard_reason = P2_REMOVED_HARD_LIFETIME;
    pair->hard_at = gw->now + lifetime;
    p2_arm(gw, &pair->hard, pair->hard_at);
    p2_time soft = soft_limit(gw, policy, pair->initiator, lifetime);
    if (soft < lifetime)
        p2_arm(gw, &pair->soft, gw->now + soft);
}

/* What a counter stands at when its first number is this; 0: the first is 1. */
static uint64_t before_first(uint64_t first)
{
    return first > 0 ? first - 1 : 0;
}

static void set_volumes(struct p2_gateway *gw, struct p2_sa_pair *pair, uint32_t lifetime_kb)
{
    const struct p2_policy *policy = &pair->tunnel->config.policy;
    pair->soft_bytes = pair->hard_bytes = UINT64_MAX;
    if (lifetime_kb != 0) {
        pair->hard_bytes = (uint64_t)lifetime_kb * 1024;
        pair->soft_bytes = (uint64_t)soft_limit(gw, policy, pair->initiator, (int64_t)pair->hard_bytes);
    }
    uint64_t last = policy->esn ? UINT64_MAX : UINT32_MAX;
    pair->hard_sequence = policy->sequence_max ? policy->sequence_max : last;
    uint64_t first = before_first(policy->sequence_first);
    uint64_t all = pair->hard_sequence > first ? pair->hard_sequence - first : 0;
    pair->soft_sequence =
        first + all / 1000 * policy->soft_permille + all % 1000 * policy->soft_permille / 1000;
}

/* By timers, since this is in the middle of a packet. */
static void ask(struct p2_gateway *gw, struct p2_sa_pair *pair, enum p2_start reason)
{
    if (pair->asked || !pair->authorised)
        return;
    pair->asked = true;
    pair->soft_reason = reason;
    p2_arm(gw, &pair->soft, gw->now);
}

static void exhaust(struct p2_gateway *gw, struct p2_sa_pair *pair, enum p2_removal reason)
{
    if (pair->exhausted)
        return;
    pair->exhausted = true;
    pair->hard_reason = reason;
    p2_arm(gw, &pair->hard, gw->now);
}

void p2_pair_used(struct p2_gateway *gw, struct p2_sa_pair *pair, const struct p2_sa *sa)
{
    if (sa->bytes >= pair->hard_bytes)
        exhaust(gw, pair, P2_REMOVED_HARD_VOLUME);
    else if (sa->bytes >= pair->soft_bytes)
        ask(gw, pair, P2_START_SOFT_VOLUME);
    if (sa->sequence >= pair->hard_sequence)
        exhaust(gw, pair, P2_REMOVED_SEQUENCE);
    else if (sa->sequence >= pair->soft_sequence)
        ask(gw, pair, P2_START_SEQUENCE);
}

/* --- installation --- */

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

static void free_pair(struct p2_sa_pair *pair)
{
    for (size_t i = 0; i < pair->num; i++)
        p2_replay_cleanup(&pair->in[i].replay);
    p2_wipe(pair, sizeof(*pair) + 2 * pair->num * sizeof(struct p2_sa));
    free(pair);
}

/* The peer's SPI for a protocol, as its part of the choice says. */
static uint32_t spi_out(const struct p2_offer_choice *choice, enum p2_protocol protocol)
{
    size_t i = 0;
    while (choice->parts[i].protocol != protocol)
        i++;
    return choice->parts[i].spi;
}

static struct p2_sa_pair *new_pair(const struct p2_quick_state *q)
{
    const struct p2_policy *policy = &q->tunnel->config.policy;
    size_t num = q->choice.suite.num;
    struct p2_sa_pair *pair = calloc(1, sizeof(*pair) + 2 * num * sizeof(struct p2_sa));
    if (!pair)
        return NULL;
    pair->in = (struct p2_sa *)(pair + 1);
    pair->out = pair->in + num;
    for (; pair->num < num; pair->num++) {
        struct p2_sa *in = &pair->in[pair->num], *out = &pair->out[pair->num];
        in->protocol = out->protocol = q->choice.suite.protocol[pair->num];
        in->algorithms = out->algorithms = q->choice.suite.algorithms[pair->num];
        in->spi = q->spi_in[p2_spi_index(in->protocol)];
        out->spi = spi_out(&q->choice, out->protocol);
        if (p2_replay_init(&in->replay, policy->replay_window) < 0) {
            free_pair(pair);
            return NULL;
        }
        in->replay.top = before_first(policy->sequence_expected);
        out->sequence = before_first(policy->sequence_first);
    }
    return pair;
}

static void unmap_spis(struct p2_gateway *gw, const struct p2_sa_pair *pair, const struct p2_peer *peer)
{
    for (size_t i = 0; i < pair->num; i++) {
        const struct p2_sa *out = &pair->out[i];
        if (p2_pair_by_spi(gw, pair->in[i].spi) == pair)
            p2_map_remove(&gw->pairs_by_spi, pair->in[i].spi);
        if (p2_pair_by_outbound_spi(gw, peer, out->protocol, out->spi) == pair)
            p2_map_remove(&gw->pairs_by_outbound, outbound_key(gw, peer, out->protocol, out->spi));
    }
}

static bool map_spis(struct p2_gateway *gw, struct p2_sa_pair *pair, const struct p2_peer *peer)
{
    for (size_t i = 0; i < pair->num; i++) {
        const struct p2_sa *out = &pair->out[i];
        if (p2_map_put(&gw->pairs_by_spi, pair->in[i].spi, pair) < 0 ||
            p2_map_put(&gw->pairs_by_outbound, outbound_key(gw, peer, out->protocol, out->spi), pair) < 0)
            return false;
    }
    return true;
}

#define PAIR_TIMERS 4

/* What Quick Mode agreed on, but for the SAs themselves. */
static void describe_pair(struct p2_sa_pair *pair, struct p2_exchange *quick)
{
    const struct p2_quick_state *q = &quick->u.quick;
    pair->tunnel = q->tunnel;
    pair->initiator = quick->initiator;
    pair->negotiator = quick;
    pair->suite = q->choice.suite;
    pair->mode = q->tunnel->config.policy.mode;
    pair->encapsulated = q->choice.encapsulated;
    pair->nat_remote = quick->isakmp->nat_remote;
    pair->original_source = q->originals[quick->initiator];
    pair->original_destination = q->originals[!quick->initiator];
    pair->negotiation = p2_exchange_id(quick);
    pair->installed = quick->gw->now;
    pair->began = quick->began;
    pair->esn = q->tunnel->config.policy.esn;
}

/* P2_ERR_NOMEM: it is nowhere to be found. */
static int enter_pair(struct p2_gateway *gw, struct p2_sa_pair *pair, const struct p2_peer *peer)
{
    if (p2_timers_reserve(&gw->timers, PAIR_TIMERS) < 0)
        return P2_ERR_NOMEM;
    if (map_spis(gw, pair, peer))
        return P2_OK;
    unmap_spis(gw, pair, peer);
    p2_timers_release(&gw->timers, PAIR_TIMERS);
    return P2_ERR_NOMEM;
}

int p2_pair_install(struct p2_exchange *quick, struct p2_bytes shared)
{
    struct p2_gateway *gw = quick->gw;
    struct p2_quick_state *q = &quick->u.quick;
    struct p2_sa_pair *pair = new_pair(q);
    bool good = pair != NULL;
    for (size_t i = 0; pair && i < pair->num && good; i++)
        good = derive(quick, &pair->in[i], shared) && derive(quick, &pair->out[i], shared);
    int r = !pair ? P2_ERR_NOMEM : good ? enter_pair(gw, pair, quick->isakmp->peer) : P2_ERR_WEAK_KEY;
    if (r < 0) {
        if (pair)
            free_pair(pair);
        if (r == P2_ERR_NOMEM)
            p2_fail_memory(gw);
        return r;
    }
    describe_pair(pair, quick);
    link_pair(gw, pair);
    arm_lifetimes(gw, pair, q->choice.lifetime_s);
    set_volumes(gw, pair, q->choice.lifetime_kb);
    announce(gw, pair, P2_ACTION_SA_INSTALLED, P2_REMOVED_REPLACED);
    q->pair = pair;
    return P2_OK;
}

/* A pair replaces those that were in use when its Quick Mode began. Two that were negotiated at the same time
 * replace neither one the other: the two ends saw them in different orders and would each take down the one
 * that the other end keeps. */
static bool replaces(const struct p2_sa_pair *pair, const struct p2_sa_pair *other)
{
    return other->authorised && other->authorised_at < pair->began;
}

/* From now on outbound packets go through this pair. */
static void use(struct p2_gateway *gw, struct p2_sa_pair *pair)
{
    pair->tunnel->current = pair;
    if (pair->tunnel->first_waiting)
        p2_arm(gw, &pair->tunnel->release, gw->now);
}

void p2_pair_authorise(struct p2_gateway *gw, struct p2_sa_pair *pair)
{
    p2_time wait = pair->tunnel->config.policy.install_interval;
    pair->authorised = true;
    pair->authorised_at = ++gw->instants;
    pair->negotiator = NULL;
    if (pair->tunnel->current && wait > 0)
        p2_arm(gw, &pair->use, gw->now + wait);
    else
        use(gw, pair);
    p2_timer_cancel(&gw->timers, &pair->tunnel->timer);
    for (struct p2_sa_pair *other = pair->tunnel->pairs; other; other = other->older) {
        if (replaces(pair, other)) {
            p2_timer_cancel(&gw->timers, &other->soft);
            other->asked = true;
        }
    }
    if (pair->confirmed) /* its first packet overtook message 3 */
        p2_pair_confirmed(gw, pair);
}

/* Of two pairs that were negotiated at the same time the ends may come to use just one, or one end may have
 * lost the other. It is looked after now and then. */
static p2_time idle_after(const struct p2_sa_pair *pair)
{
    return p2_patience(pair->tunnel->peer) + pair->tunnel->config.policy.overlap;
}

/* Only then is it certain that the peer does not need the old ones any more. */
void p2_pair_confirmed(struct p2_gateway *gw, struct p2_sa_pair *pair)
{
    pair->confirmed = true;
    if (!pair->authorised)
        return;
    for (struct p2_sa_pair *other = pair->tunnel->pairs; other; other = other->older) {
        if (other == pair || !other->authorised || other->replaced)
            continue;
        other->replaced = replaces(pair, other);
        if (other->replaced)
            p2_arm(gw, &other->retire, gw->now + pair->tunnel->config.policy.overlap);
        else if (!p2_timer_armed(&other->retire))
            p2_arm(gw, &other->retire, gw->now + idle_after(other));
    }
}

/* Another pair of its tunnel is in use, and this one by neither end. */
static bool is_left_over(const struct p2_gateway *gw, const struct p2_sa_pair *pair)
{
    bool other_in_use = false;
    for (const struct p2_sa_pair *other = pair->tunnel->pairs; other; other = other->older)
        other_in_use = other_in_use || (other != pair && other->authorised && other->heard > pair->heard);
    return other_in_use && pair->tunnel->current != pair && pair->heard + idle_after(pair) <= gw->now;
}

static void retire(struct p2_gateway *gw, struct p2_sa_pair *pair)
{
    p2_time since = pair->heard + idle_after(pair) > gw->now ? pair->heard : gw->now;
    if (pair->replaced || is_left_over(gw, pair))
        p2_pair_remove(gw, pair, P2_REMOVED_REPLACED);
    else if (pair->tunnel->pairs->older) /* there still is another one */
        p2_arm(gw, &pair->retire, since + idle_after(pair));
}

#define COMPLAIN_INTERVAL P2_SECOND

void p2_pair_unknown(struct p2_gateway *gw, const struct p2_address *source, enum p2_protocol protocol,
                     uint32_t spi)
{
    struct p2_peer *peer = p2_peer_by_address(gw, source);
    uint8_t bytes[4];
    if (!peer || !peer->isakmp || (peer->complained != 0 && gw->now - peer->complained < COMPLAIN_INTERVAL))
        return;
    peer->complained = gw->now;
    p2_put_u32(bytes, spi);
    p2_informational_notify_data(gw, peer->isakmp, (uint8_t)protocol, P2_NOTIFY_INVALID_SPI, bytes,
                                 sizeof(bytes), bytes, 0);
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
        p2_drop(gw, job->kind == P2_JOB_SEAL ? P2_DROP_NO_SA : P2_DROP_UNKNOWN_SPI, pair->in[0].spi, true);
        p2_job_release(gw, job);
    }
}

bool p2_removal_is_ours(enum p2_removal why)
{
    return why != P2_REMOVED_BY_PEER && why != P2_REMOVED_PEER_DEAD && why != P2_REMOVED_INITIAL_CONTACT;
}

/* The Quick Mode that made it: its last message is no longer of any use. */
static void supersede(struct p2_exchange *negotiator, uint32_t spi, enum p2_removal why)
{
    bool contact = why == P2_REMOVED_INITIAL_CONTACT;
    struct p2_failure_detail detail = {
        .failure = P2_FAIL_SUPERSEDED,
        .field = "sa",
        .acceptable = "SAs that stay until the Quick Mode is over",
        .rule = contact ? "INITIAL-CONTACT takes all older SAs down: RFC 2407 section 4.6.3.3"
                        : "an SA that was deleted is no longer agreed on: RFC 2408 section 3.15"};
    snprintf(detail.offered, sizeof(detail.offered), "SPI 0x%08x went away: %s", spi, p2_removal_name(why));
    negotiator->u.quick.pair = NULL;
    p2_exchange_fail(negotiator, &detail);
}

void p2_pair_remove(struct p2_gateway *gw, struct p2_sa_pair *pair, enum p2_removal why)
{
    struct p2_tunnel *tunnel = pair->tunnel;
    struct p2_peer *peer = tunnel->peer;
    struct p2_exchange *negotiator = pair->negotiator;
    bool was_authorised = pair->authorised;
    struct p2_timer *timers[PAIR_TIMERS] = {&pair->soft, &pair->hard, &pair->retire, &pair->use};
    drop_jobs(gw, pair);
    for (size_t i = 0; i < PAIR_TIMERS; i++)
        p2_timer_cancel(&gw->timers, timers[i]);
    p2_timers_release(&gw->timers, PAIR_TIMERS);
    unmap_spis(gw, pair, peer);
    unlink_pair(gw, pair);
    announce(gw, pair, P2_ACTION_SA_REMOVED, why);
    for (size_t i = 0; i < pair->num && p2_removal_is_ours(why) && peer->isakmp; i++)
        p2_informational_delete(gw, peer->isakmp, (uint8_t)pair->in[i].protocol, pair->in[i].spi);
    uint32_t spi = pair->in[0].spi;
    free_pair(pair);
    if (negotiator)
        supersede(negotiator, spi, why);
    if (was_authorised)
        p2_tunnel_down(gw, tunnel, why);
}

/* Whether a successor is worth its while: see the top of this file. */
static bool is_wanted(const struct p2_sa_pair *pair)
{
    return pair->tunnel->config.establish == P2_ESTABLISH_IMMEDIATELY || pair->in[0].packets > 0 ||
           pair->out[0].packets > 0;
}

void p2_pair_timer(struct p2_gateway *gw, struct p2_sa_pair *pair, enum p2_timer_kind kind)
{
    if (kind == P2_TIMER_SOFT) {
        pair->asked = pair->authorised && is_wanted(pair); /* else its volume may still ask */
        if (pair->asked) /* what replaced it would have cancelled the timer */
            p2_tunnel_start(gw, pair->tunnel, pair->soft_reason);
    } else if (kind == P2_TIMER_USE) {
        const struct p2_sa_pair *current = pair->tunnel->current;
        if (!current ||
            current->authorised_at < pair->authorised_at) /* else it took over ahead of its time */
            use(gw, pair);
    } else if (kind == P2_TIMER_HARD) {
        p2_pair_remove(gw, pair, pair->hard_reason);
    } else {
        retire(gw, pair);
    }
}
