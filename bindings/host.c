#include "host.h"

#include <stdlib.h>
#include <string.h>

/* Jobs that end, or are refused, within the very call that submitted them. */
struct pending {
    uint64_t job, event;
    bool refused;
};

struct host {
    struct p2_gateway *gateway;
    struct cpu cpu;
    const struct profile *profile;
    struct causes *causes;
    struct host_ops ops;
    struct pending *pending;
    size_t num_pending, pending_capacity;
    int error;
    /* for a restart */
    struct p2_gateway_config config; /* with arrays of our own */
    struct p2_random random;
    struct p2_gateway **retired; /* what they were called is still referred to */
    size_t num_retired;
};

static void drain(struct host *host, p2_time now);

static void *copy_of(const void *from, size_t size)
{
    void *copy = malloc(size ? size : 1);
    if (copy && size)
        memcpy(copy, from, size);
    return copy;
}

static int keep_config(struct host *host, const struct host_config *config)
{
    host->random = config->random;
    host->config = config->gateway;
    host->config.peers =
        copy_of(config->gateway.peers, config->gateway.num_peers * sizeof(struct p2_peer_config));
    host->config.tunnels =
        copy_of(config->gateway.tunnels, config->gateway.num_tunnels * sizeof(struct p2_tunnel_config));
    return host->config.peers && host->config.tunnels ? P2_OK : P2_ERR_NOMEM;
}

int host_new(struct host **out, const struct host_config *config)
{
    struct host *host = calloc(1, sizeof(*host));
    if (!host)
        return P2_ERR_NOMEM;
    host->profile = config->profile;
    host->causes = config->causes;
    host->ops = config->ops;
    int r = cpu_init(&host->cpu, config->cores, config->queue);
    if (r == P2_OK)
        r = keep_config(host, config);
    if (r == P2_OK)
        r = p2_gateway_new(&host->gateway, &config->gateway, config->random);
    if (r != P2_OK) {
        host_free(host);
        return r;
    }
    *out = host;
    drain(host, 0);
    return P2_OK;
}

void host_free(struct host *host)
{
    if (!host)
        return;
    p2_gateway_free(host->gateway);
    for (size_t i = 0; i < host->num_retired; i++)
        p2_gateway_free(host->retired[i]);
    free(host->retired);
    free((void *)host->config.peers);
    free((void *)host->config.tunnels);
    cpu_cleanup(&host->cpu);
    free(host->pending);
    free(host);
}

struct p2_gateway *host_gateway(struct host *host)
{
    return host->gateway;
}

const struct cpu *host_cpu(const struct host *host)
{
    return &host->cpu;
}

/* --- causes --- */

static uint64_t add(struct host *host, p2_time now, enum cause_kind kind, uint64_t cause)
{
    uint64_t event = causes_add(host->causes, now, kind, cause);
    if (event == 0)
        host->error = P2_ERR_NOMEM;
    return event;
}

/* Mark 0: a data packet set it off. */
static uint64_t cause_of(struct host *host, p2_time now, uint64_t mark)
{
    return mark != 0 ? mark : add(host, now, CAUSE_EXTERNAL, 0);
}

/* --- jobs --- */

static void push_pending(struct host *host, uint64_t job, uint64_t event, bool refused)
{
    if (host->num_pending == host->pending_capacity) {
        size_t capacity = host->pending_capacity ? host->pending_capacity * 2 : 16;
        struct pending *pending = realloc(host->pending, capacity * sizeof(*pending));
        if (!pending) {
            host->error = P2_ERR_NOMEM;
            return;
        }
        host->pending = pending;
        host->pending_capacity = capacity;
    }
    host->pending[host->num_pending++] = (struct pending){job, event, refused};
}

static void note_start(struct host *host, p2_time now, struct cpu_job *job)
{
    if (job->submit_event != 0)
        job->start_event = add(host, now, CAUSE_JOB_START, job->submit_event);
}

/* Data packets' jobs stand in no chain of causes: nobody asks what their time went into. */
static uint64_t compute(struct host *host, p2_time now, const struct p2_action *action)
{
    struct cpu_job job = {.job = action->u.compute.job, .submitted = now};
    if (!action->u.compute.ipsec) {
        uint64_t cause = cause_of(host, now, action->mark);
        if (action->u.compute.retry)
            cause = add(host, now, CAUSE_RESEND, cause);
        job.submit_event = add(host, now, CAUSE_JOB_SUBMIT, cause);
    }
    if (!host->profile) {
        push_pending(host, job.job, job.submit_event, false);
        return job.submit_event;
    }
    job.price = profile_price_of(host->profile, &action->u.compute.work);
    if (action->u.compute.continues) {
        note_start(host, now, &job);
        cpu_continue(&host->cpu, now, &job);
        return job.submit_event;
    }
    if (!cpu_submit(&host->cpu, &job))
        push_pending(host, job.job, job.submit_event, true);
    return job.submit_event;
}

/* --- what the core wants --- */

static uint64_t send_ike(struct host *host, p2_time now, const struct p2_action *action)
{
    uint64_t cause = cause_of(host, now, action->mark);
    if (action->u.send_ike.resend && action->mark != 0)
        cause = add(host, now, CAUSE_RESEND, action->mark);
    uint64_t emission = add(host, now, CAUSE_EMISSION, cause);
    host->ops.send_ike(host->ops.ctx, &action->u.send_ike.datagram, emission);
    return emission;
}

static uint64_t carry_out(struct host *host, p2_time now, const struct p2_action *action)
{
    switch (action->type) {
    case P2_ACTION_SEND_IKE:
        return send_ike(host, now, action);
    case P2_ACTION_SEND_IPSEC:
        host->ops.send_ipsec(host->ops.ctx, action->u.packet.data, action->u.packet.len, action->mark);
        return 0;
    case P2_ACTION_DELIVER_CLEAR:
        host->ops.deliver_clear(host->ops.ctx, action->u.packet.data, action->u.packet.len, action->mark);
        return 0;
    case P2_ACTION_COMPUTE:
        return compute(host, now, action);
    case P2_ACTION_CANCEL:
        cpu_cancel(&host->cpu, now, action->u.cancelled_job);
        return 0;
    case P2_ACTION_NEGOTIATION:
        return add(host, now, CAUSE_STEP, cause_of(host, now, action->mark));
    default:
        return 0;
    }
}

static void drain(struct host *host, p2_time now)
{
    struct p2_action action;
    while (p2_gateway_next_action(host->gateway, &action)) {
        uint64_t event = carry_out(host, now, &action);
        if (host->ops.observe)
            host->ops.observe(host->ops.ctx, now, &action, event);
    }
}

static void start_waiting(struct host *host, p2_time now)
{
    struct cpu_job *job;
    while ((job = cpu_start_next(&host->cpu, now)) != NULL)
        note_start(host, now, job);
}

/* After each input: its actions, then what ends or is refused at once, which may set off more of the same. */
static int settle(struct host *host, p2_time now, int result)
{
    drain(host, now);
    for (size_t i = 0; i < host->num_pending && result == P2_OK; i++) {
        struct pending p = host->pending[i];
        if (p.refused)
            result = p2_gateway_refuse_job(host->gateway, now, p.event, p.job);
        else
            result = p2_gateway_finish_job(host->gateway, now, p.event, p.job);
        drain(host, now);
    }
    host->num_pending = 0;
    start_waiting(host, now);
    return result != P2_OK ? result : host->error;
}

/* --- inputs --- */

static void tell_injected(struct host *host, p2_time now, uint64_t mark, uint64_t event)
{
    if (mark & HOST_INJECTED && host->ops.injected)
        host->ops.injected(host->ops.ctx, now, mark, event);
}

int host_receive_ike(struct host *host, p2_time now, const struct p2_datagram *datagram, uint64_t emission)
{
    bool of_host = emission != 0 && !(emission & HOST_INJECTED);
    uint64_t event = add(host, now, of_host ? CAUSE_ARRIVAL : CAUSE_EXTERNAL, of_host ? emission : 0);
    tell_injected(host, now, emission, event);
    return settle(host, now, p2_gateway_receive_ike(host->gateway, now, event, datagram));
}

int host_receive_ipsec(struct host *host, p2_time now, const uint8_t *packet, size_t len, uint64_t mark)
{
    tell_injected(host, now, mark, 0);
    return settle(host, now, p2_gateway_receive_ipsec(host->gateway, now, mark, packet, len));
}

int host_receive_udp_esp(struct host *host, p2_time now, const struct p2_datagram *datagram, uint64_t mark)
{
    tell_injected(host, now, mark, 0);
    return settle(host, now, p2_gateway_receive_udp_esp(host->gateway, now, mark, datagram));
}

int host_send_clear(struct host *host, p2_time now, const uint8_t *packet, size_t len, uint64_t mark)
{
    return settle(host, now, p2_gateway_send_clear(host->gateway, now, mark, packet, len));
}

int host_rekey(struct host *host, p2_time now, size_t tunnel)
{
    uint64_t event = add(host, now, CAUSE_EXTERNAL, 0);
    return settle(host, now, p2_gateway_rekey(host->gateway, now, event, tunnel));
}

int host_clear(struct host *host, p2_time now, size_t tunnel)
{
    uint64_t event = add(host, now, CAUSE_EXTERNAL, 0);
    return settle(host, now, p2_gateway_clear(host->gateway, now, event, tunnel));
}

/* --- restart --- */

/* What the core did not get to: of the actions that refusing it leads to, only that it was dropped counts,
 * and the reason is that there is nothing left that it belongs to. */
static int drop_job(struct host *host, p2_time now, uint64_t job)
{
    struct p2_action action;
    cpu_cancel(&host->cpu, now, job);
    int result = p2_gateway_refuse_job(host->gateway, now, 0, job);
    while (p2_gateway_next_action(host->gateway, &action)) {
        if (action.type != P2_ACTION_DROP || !host->ops.observe)
            continue;
        action.u.drop.reason = action.u.drop.ipsec ? P2_DROP_NO_SA : P2_DROP_UNKNOWN_COOKIE;
        host->ops.observe(host->ops.ctx, now, &action, 0);
    }
    return result;
}

static int drop_jobs(struct host *host, p2_time now)
{
    struct cpu *cpu = &host->cpu;
    int result = P2_OK;
    for (uint32_t i = 0; i < cpu->num_cores && result == P2_OK; i++) {
        if (cpu->running[i].job != 0)
            result = drop_job(host, now, cpu->running[i].job);
    }
    while (cpu->queue_len > 0 && result == P2_OK)
        result = drop_job(host, now, cpu->queue[cpu->queue_head].job);
    return result;
}

static int retire(struct host *host)
{
    struct p2_gateway **retired =
        realloc(host->retired, (host->num_retired + 1) * sizeof(struct p2_gateway *));
    if (!retired)
        return P2_ERR_NOMEM;
    host->retired = retired;
    struct p2_gateway *fresh;
    int result = p2_gateway_new(&fresh, &host->config, host->random);
    if (result != P2_OK)
        return result;
    host->retired[host->num_retired++] = host->gateway;
    host->gateway = fresh;
    return P2_OK;
}

int host_restart(struct host *host, p2_time now)
{
    int result = drop_jobs(host, now);
    if (result == P2_OK)
        result = retire(host);
    return settle(host, now, result);
}

static int finish(struct host *host, p2_time now, const struct cpu_job *job)
{
    uint64_t event = job->start_event ? add(host, now, CAUSE_JOB_END, job->start_event) : 0;
    return settle(host, now, p2_gateway_finish_job(host->gateway, now, event, job->job));
}

int host_tick(struct host *host, p2_time now)
{
    struct cpu_job job;
    int result = P2_OK;
    while (result == P2_OK && cpu_take_finished(&host->cpu, now, &job))
        result = finish(host, now, &job);
    while (result == P2_OK && p2_gateway_next_timeout(host->gateway) <= now) {
        uint64_t event = add(host, now, CAUSE_EXTERNAL, 0);
        result = settle(host, now, p2_gateway_tick(host->gateway, now, event));
    }
    return result;
}

p2_time host_next_timeout(const struct host *host)
{
    p2_time gateway = p2_gateway_next_timeout(host->gateway), cpu = cpu_next(&host->cpu);
    return gateway < cpu ? gateway : cpu;
}
