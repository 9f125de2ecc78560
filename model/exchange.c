/* The engine of every exchange: one message step at a time, driven by the kind's table.
 *
 * A message that arrives is first told apart (duplicate, out of turn, new). A new one is copied and becomes a
 * job of up to two stages: `verify` decrypts it and checks its hash and its meaning; only if that was good
 * does `compute` do the dear part and answer. So a forged message costs its verification and nothing more,
 * and nothing changes state before HASH(n) verified.
 *
 * Timers: what was sent is sent again while the step says so, first after `first`, then each time `backoff`
 * times as long; after `tries` resends the exchange fails. A responder that has nothing to resend waits as
 * long in all. A finished exchange lingers as long once more, to answer duplicates from store. */
#include "internal.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static char
    used_message_id; /* what a message ID maps to when its exchange is gone; only the address counts */

static const struct p2_retransmission *resending(const struct p2_exchange *ex)
{
    return &ex->isakmp->peer->config.phase1.retransmission;
}

#define INTERVAL_MAX (3600 * P2_SECOND)

/* The wait after one of `interval`. Bounded, or many tries would leave the range of p2_time. */
static p2_time next_interval(const struct p2_retransmission *resending, p2_time interval)
{
    p2_time next = interval / 1000 * resending->backoff_permille;
    return next < INTERVAL_MAX ? next : INTERVAL_MAX;
}

p2_time p2_patience(const struct p2_peer *peer)
{
    const struct p2_retransmission *resending = &peer->config.phase1.retransmission;
    p2_time total = 0, interval = resending->first;
    for (unsigned i = 0; i <= resending->tries; i++) {
        total += interval;
        interval = next_interval(resending, interval);
    }
    return total;
}

static p2_time patience(const struct p2_exchange *ex)
{
    return p2_patience(ex->isakmp->peer);
}

struct p2_negotiation_id p2_exchange_id(const struct p2_exchange *ex)
{
    struct p2_negotiation_id id = {.message_id = ex->message_id};
    memcpy(id.initiator_cookie, ex->isakmp->initiator_cookie, 8);
    memcpy(id.responder_cookie, ex->isakmp->responder_cookie, 8);
    return id;
}

struct p2_exchange *p2_exchange_find(struct p2_isakmp_sa *sa, uint32_t message_id)
{
    void *found = p2_map_get(&sa->message_ids, message_id);
    return found == &used_message_id ? NULL : found;
}

uint32_t p2_message_id_new(struct p2_gateway *gw, const struct p2_isakmp_sa *sa)
{
    uint8_t bytes[4];
    do
        p2_random_fill(gw, P2_RANDOM_MESSAGE_ID, bytes, sizeof(bytes));
    while (p2_get_u32(bytes) == 0 || p2_map_get(&sa->message_ids, p2_get_u32(bytes)));
    return p2_get_u32(bytes);
}

struct p2_exchange *p2_exchange_new(struct p2_gateway *gw, const struct p2_exchange_kind *kind,
                                    struct p2_isakmp_sa *sa, bool initiator, uint32_t message_id)
{
    if (gw->num_exchanges >= P2_MAX_EXCHANGES) {
        p2_drop(gw, P2_DROP_POOL_EXHAUSTED, 0, false);
        return NULL;
    }
    struct p2_exchange *ex = calloc(1, sizeof(*ex));
    bool timer = ex && p2_timers_reserve(&gw->timers, 1) == P2_OK;
    if (!timer || p2_map_put(&sa->message_ids, message_id, ex) < 0) {
        if (timer)
            p2_timers_release(&gw->timers, 1);
        free(ex);
        p2_fail_memory(gw);
        return NULL;
    }
    ex->kind = kind;
    ex->gw = gw;
    ex->isakmp = sa;
    ex->initiator = initiator;
    ex->message_id = message_id;
    ex->began = ++gw->instants;
    ex->counted = kind != &p2_informational;
    ex->job.kind = P2_JOB_EXCHANGE;
    ex->job.exchange = ex;
    ex->interval = resending(ex)->first;
    p2_timer_init(&ex->timer, P2_TIMER_EXCHANGE, ex);
    if (message_id != 0)
        p2_keymat_phase2_iv(&sa->keys, message_id, ex->iv);
    ex->next = sa->exchanges;
    if (ex->next)
        ex->next->previous = ex;
    sa->exchanges = ex;
    gw->num_exchanges++;
    gw->num_negotiations += ex->counted;
    return ex;
}

static void settle(struct p2_exchange *ex)
{
    ex->gw->num_negotiations -= ex->counted;
    ex->counted = false;
}

/* A message ID that was answered is never used again. One that only a forger used stays free, and so does one
 * that was refused: a copy of it is refused anew, in case the notify got lost. */
static void forget_message_id(struct p2_exchange *ex)
{
    bool was_used = ex->initiator || ex->received_len > 0;
    p2_map_remove(&ex->isakmp->message_ids, ex->message_id);
    if (was_used && p2_map_put(&ex->isakmp->message_ids, ex->message_id, &used_message_id) < 0)
        p2_fail_memory(ex->gw);
}

void p2_exchange_end(struct p2_exchange *ex)
{
    if (ex->dead)
        return;
    ex->dead = true;
    settle(ex);
    p2_job_cancel(ex->gw, &ex->job);
    p2_timer_cancel(&ex->gw->timers, &ex->timer);
    p2_timers_release(&ex->gw->timers, 1);
    forget_message_id(ex);
    if (ex->previous)
        ex->previous->next = ex->next;
    else
        ex->isakmp->exchanges = ex->next;
    if (ex->next)
        ex->next->previous = ex->previous;
    ex->next = ex->gw->graveyard;
    ex->gw->graveyard = ex;
    ex->gw->num_exchanges--;
    p2_isakmp_sa_exchange_ended(ex);
    if (!ex->isakmp->established && !ex->isakmp->exchanges && !ex->isakmp->removing)
        p2_isakmp_sa_remove(ex->gw, ex->isakmp, P2_ISAKMP_LIFETIME); /* Phase 1 came to nothing */
}

static const struct p2_step *find_step(const struct p2_exchange *ex)
{
    for (size_t i = 0; i < ex->kind->num_steps; i++) {
        const struct p2_step *step = &ex->kind->steps[i];
        if (step->initiator == ex->initiator && step->state == ex->state)
            return step;
    }
    return NULL;
}

static const char *awaited(const struct p2_exchange *ex)
{
    const struct p2_step *step = find_step(ex);
    return step && step->awaits ? step->awaits : "message 1";
}

static void describe(const struct p2_exchange *ex, struct p2_negotiation *n)
{
    memset(n, 0, sizeof(*n));
    n->id = p2_exchange_id(ex);
    n->initiator = ex->initiator;
    n->peer = ex->isakmp->peer->config.name;
    n->start = ex->start;
    n->resent = ex->resent;
    n->group = ex->isakmp->peer->config.phase1.group;
    if (ex->kind == &p2_quick_mode) {
        n->tunnel = ex->u.quick.tunnel ? ex->u.quick.tunnel->config.name : NULL;
        n->group = ex->u.quick.group;
    }
}

static void describe_failure(const struct p2_exchange *ex, const struct p2_failure_detail *detail,
                             struct p2_negotiation *n)
{
    n->failure = detail->failure;
    n->message = detail->message ? detail->message : awaited(ex);
    n->rule = detail->rule;
    n->notify = detail->notify;
    n->notify_received = detail->notify_received;
    memcpy(n->field, detail->field, sizeof(n->field));
    memcpy(n->offered, detail->offered, sizeof(n->offered));
    memcpy(n->acceptable, detail->acceptable, sizeof(n->acceptable));
}

void p2_exchange_negotiation(struct p2_exchange *ex, enum p2_negotiation_event event,
                             const struct p2_failure_detail *detail)
{
    struct p2_action *action = p2_emit(ex->gw, P2_ACTION_NEGOTIATION);
    struct p2_negotiation *n = &action->u.negotiation;
    describe(ex, n);
    n->event = event;
    action->id = n->id;
    if (ex->kind == &p2_quick_mode && event == P2_NEGOTIATION_READY)
        n->suite = ex->u.quick.choice.suite;
    if (detail)
        describe_failure(ex, detail, n);
}

enum p2_verdict p2_exchange_fail(struct p2_exchange *ex, const struct p2_failure_detail *detail)
{
    if (ex->kind != &p2_informational)
        p2_exchange_negotiation(ex, P2_NEGOTIATION_FAILED, detail);
    if (ex->kind->failed)
        ex->kind->failed(ex);
    p2_exchange_end(ex);
    return P2_VERDICT_ENDED;
}

enum p2_verdict p2_exchange_fail_internally(struct p2_exchange *ex, const char *field)
{
    struct p2_failure_detail detail = {.failure = P2_FAIL_INTERNAL};
    snprintf(detail.field, sizeof(detail.field), "%s", field);
    return p2_exchange_fail(ex, &detail);
}

enum p2_verdict p2_exchange_drop(struct p2_exchange *ex, enum p2_drop reason)
{
    p2_drop(ex->gw, reason, 0, false);
    return P2_VERDICT_DROPPED;
}

static void discard_inbox(struct p2_exchange *ex)
{
    free(ex->inbox);
    free(ex->plain);
    ex->inbox = ex->plain = NULL;
    ex->inbox_len = 0;
}

/* As if the message had never come. A responder that never had a good one is nothing but its forger's trace.
 */
static void message_dropped(struct p2_exchange *ex)
{
    discard_inbox(ex);
    if (!ex->initiator && ex->received_len == 0)
        p2_exchange_end(ex);
}

/* The same, of one that did not verify. */
static void message_unreadable(struct p2_exchange *ex)
{
    ex->unreadable += p2_exchange_is_encrypted(ex);
    message_dropped(ex);
}

static void arm(struct p2_exchange *ex)
{
    p2_arm(ex->gw, &ex->timer, ex->gw->now + (ex->resends ? ex->interval : patience(ex)));
}

static void arm_after_step(struct p2_exchange *ex)
{
    ex->tries = ex->unreadable = 0;
    ex->interval = resending(ex)->first;
    ex->resends = ex->state != P2_STATE_DONE && ex->step->resends;
    arm(ex);
}

/* The step is complete: the message counts as received, the state moves on. */
static void step_done(struct p2_exchange *ex)
{
    free(ex->received);
    ex->received = ex->inbox;
    ex->received_len = ex->inbox_len;
    ex->inbox = NULL;
    discard_inbox(ex);
    ex->state = ex->next_state;
    if (ex->state == P2_STATE_DONE)
        settle(ex);
    if (ex->kind == &p2_informational)
        p2_exchange_end(ex);
    else
        arm_after_step(ex);
}

static void after_stage(struct p2_exchange *ex, enum p2_verdict verdict)
{
    if (verdict == P2_VERDICT_DROPPED)
        message_unreadable(ex);
    else if (verdict == P2_VERDICT_GOOD)
        step_done(ex);
}

static void compute(struct p2_exchange *ex)
{
    if (ex->inbox) /* the peer has answered: what we sent before is history */
        ex->sent_len = 0;
    after_stage(ex, ex->step->compute ? ex->step->compute(ex) : P2_VERDICT_GOOD);
}

/* The second stage, as a job of its own only if it has work to be priced. */
static void begin_compute(struct p2_exchange *ex, bool continues)
{
    struct p2_work work = {0};
    ex->verified = true;
    ex->next_state = ex->step->next_state;
    if (ex->inbox)
        p2_timer_cancel(&ex->gw->timers, &ex->timer);
    if (ex->step->compute_work)
        ex->step->compute_work(ex, &work);
    if (work.num_items == 0)
        compute(ex);
    else if (!p2_job_submit(ex->gw, &ex->job, &work, continues))
        p2_exchange_fail_internally(ex, "memory"); /* it would have to begin where the first one left off */
}

static void verify(struct p2_exchange *ex, bool continues)
{
    enum p2_verdict verdict = ex->step->verify(ex);
    if (verdict == P2_VERDICT_GOOD) {
        if (ex->isakmp->established)
            ex->isakmp->peer->heard = ex->gw->now;
        p2_nat_follow(ex);
        begin_compute(ex, continues);
    } else {
        after_stage(ex, verdict);
    }
}

void p2_exchange_begin(struct p2_exchange *ex)
{
    ex->step = find_step(ex);
    begin_compute(ex, false);
}

static void begin_verify(struct p2_exchange *ex)
{
    struct p2_work work = {0};
    ex->verified = false;
    if (ex->step->verify_work)
        ex->step->verify_work(ex, &work);
    if (work.num_items == 0)
        verify(ex, false);
    else if (!p2_job_submit(ex->gw, &ex->job, &work, false))
        message_dropped(ex);
}

void p2_exchange_job_done(struct p2_exchange *ex)
{
    if (ex->verified)
        compute(ex);
    else
        verify(ex, true);
}

void p2_exchange_job_refused(struct p2_exchange *ex)
{
    p2_drop(ex->gw, P2_DROP_CPU_QUEUE_FULL, 0, false);
    if (ex->inbox) {
        bool waited = ex->verified; /* for its second stage, without a timer */
        message_dropped(ex);
        if (waited && !ex->dead)
            arm(ex);
    } else if (ex->kind == &p2_informational) {
        p2_exchange_end(ex);
    } else { /* nothing was sent yet: the timer tries again */
        ex->resends = true;
        ex->job.mark = ex->gw->mark;
        p2_arm(ex->gw, &ex->timer, ex->gw->now + ex->interval);
    }
}

/* --- what comes in --- */

static bool is_duplicate(const struct p2_exchange *ex, const struct p2_datagram *datagram)
{
    return ex->received_len == datagram->len && memcmp(ex->received, datagram->data, datagram->len) == 0;
}

void p2_exchange_receive(struct p2_exchange *ex, const struct p2_datagram *datagram)
{
    if (is_duplicate(ex, datagram)) {
        if (ex->sent_len > 0)
            p2_exchange_send_stored(ex, false, true);
        else
            p2_drop(ex->gw, P2_DROP_DUPLICATE, 0, false);
        return;
    }
    const struct p2_step *step = find_step(ex);
    if (ex->job.id != 0) {
        p2_drop(ex->gw, P2_DROP_IN_PROGRESS, 0, false);
    } else if (!step || !step->verify) {
        p2_drop(ex->gw, P2_DROP_UNEXPECTED, 0, false);
    } else {
        ex->inbox = malloc(datagram->len);
        ex->plain = malloc(datagram->len);
        if (!ex->inbox || !ex->plain) {
            p2_fail_memory(ex->gw);
            message_dropped(ex);
            return;
        }
        memcpy(ex->inbox, datagram->data, datagram->len);
        ex->inbox_len = datagram->len;
        ex->from = datagram->source;
        ex->to = datagram->destination;
        ex->from_port = datagram->source_port;
        ex->to_port = datagram->destination_port;
        ex->step = step;
        begin_verify(ex);
    }
}

/* --- time --- */

static void explain_silence(const struct p2_exchange *ex, struct p2_failure_detail *detail)
{
    *detail = (struct p2_failure_detail){
        .failure = P2_FAIL_TIMEOUT,
        .message = awaited(ex),
        .rule = "a message is sent again until the retry counter is used up: RFC 2408 section 5.1"};
    unsigned copies = ex->tries + (ex->sent_len > 0 ? 1u : 0u);
    snprintf(detail->field, sizeof(detail->field), "%s", detail->message);
    snprintf(detail->offered, sizeof(detail->offered), "%u %s sent", copies, copies == 1 ? "copy" : "copies");
    snprintf(detail->acceptable, sizeof(detail->acceptable), "an answer within %.1f s",
             (double)patience(ex) / (double)P2_SECOND);
    if (ex->kind->explain)
        ex->kind->explain(ex, detail);
}

static void fail_timeout(struct p2_exchange *ex)
{
    struct p2_failure_detail detail;
    explain_silence(ex, &detail);
    if (ex->kind->timed_out)
        ex->kind->timed_out(ex);
    p2_exchange_fail(ex, &detail);
}

bool p2_gateway_open_at(const struct p2_gateway *gw, size_t i, struct p2_negotiation *negotiation)
{
    for (const struct p2_isakmp_sa *sa = gw->isakmp_sas; sa; sa = sa->next) {
        for (const struct p2_exchange *ex = sa->exchanges; ex; ex = ex->next) {
            struct p2_failure_detail detail;
            if (!ex->counted || i-- > 0)
                continue;
            explain_silence(ex, &detail);
            describe(ex, negotiation);
            describe_failure(ex, &detail, negotiation);
            negotiation->event = P2_NEGOTIATION_FAILED;
            return true;
        }
    }
    return false;
}

/* While a message is being computed the exchange does not give up: it may be the answer. */
void p2_exchange_timer(struct p2_exchange *ex)
{
    bool again = ex->resends && ex->tries < resending(ex)->tries;
    if (ex->state == P2_STATE_DONE) {
        p2_exchange_end(ex); /* it lingered long enough */
        return;
    }
    if (!again && ex->job.id == 0) {
        fail_timeout(ex);
        return;
    }
    if (again) {
        ex->tries++;
        ex->interval = next_interval(resending(ex), ex->interval);
    }
    p2_arm(ex->gw, &ex->timer, ex->gw->now + ex->interval);
    if (again && ex->sent_len > 0)
        p2_exchange_send_stored(ex, true, false);
    else if (again && ex->job.id == 0)
        p2_exchange_begin(ex);
}
