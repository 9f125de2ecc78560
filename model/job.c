/* Jobs: work that was handed to the host's CPU. Data packets wait in pooled copies that are allocated once
 * and used again; an exchange embeds its one job. */
#include "internal.h"

#include <stdlib.h>
#include <string.h>

bool p2_job_submit(struct p2_gateway *gw, struct p2_job *job, const struct p2_work *work, bool continues)
{
    job->id = ++gw->next_job;
    if (p2_map_put(&gw->jobs_by_id, job->id, job) < 0) {
        job->id = 0;
        p2_fail_memory(gw);
        return false;
    }
    struct p2_action *action = p2_emit(gw, P2_ACTION_COMPUTE);
    if (action == &gw->spill) { /* the host will never hear of it */
        p2_job_take(gw, job->id);
        return false;
    }
    action->u.compute.job = job->id;
    action->u.compute.work = *work;
    action->u.compute.continues = continues;
    action->u.compute.ipsec = job->kind != P2_JOB_EXCHANGE;
    action->u.compute.retry = false;
    memset(&action->id, 0, sizeof(action->id));
    if (job->kind == P2_JOB_EXCHANGE) {
        action->id = p2_exchange_id(job->exchange);
        if (job->mark != 0) {
            action->mark = job->mark;
            action->u.compute.retry = true;
            job->mark = 0;
        }
    }
    return true;
}

struct p2_job *p2_job_take(struct p2_gateway *gw, uint64_t id)
{
    struct p2_job *job = p2_map_get(&gw->jobs_by_id, id);
    if (job) {
        p2_map_remove(&gw->jobs_by_id, id);
        job->id = 0;
    }
    return job;
}

void p2_job_cancel(struct p2_gateway *gw, struct p2_job *job)
{
    if (job->id == 0)
        return;
    p2_emit(gw, P2_ACTION_CANCEL)->u.cancelled_job = job->id;
    p2_job_take(gw, job->id);
}

/* Room for an ordinary packet; a bigger one makes its job's buffer grow, once. */
#define ORDINARY_PACKET 2048

static struct p2_job *pooled_job(struct p2_gateway *gw, size_t len)
{
    struct p2_job *job = gw->free_jobs;
    if (!job) {
        job = calloc(1, sizeof(*job));
        if (!job)
            return NULL;
    } else {
        gw->free_jobs = job->next;
    }
    if (job->capacity < len) {
        size_t capacity = len > ORDINARY_PACKET ? len : ORDINARY_PACKET;
        uint8_t *packet = realloc(job->packet, capacity);
        if (!packet) {
            job->next = gw->free_jobs;
            gw->free_jobs = job;
            return NULL;
        }
        job->packet = packet;
        job->capacity = capacity;
    }
    return job;
}

struct p2_job *p2_job_for_packet(struct p2_gateway *gw, enum p2_job_kind kind, struct p2_sa_pair *pair,
                                 const uint8_t *packet, size_t len)
{
    struct p2_job *job = pooled_job(gw, len);
    if (!job) {
        p2_fail_memory(gw);
        return NULL;
    }
    memcpy(job->packet, packet, len);
    job->packet_len = len;
    job->kind = kind;
    job->mark = gw->packet_mark;
    job->udp_port = gw->udp_port;
    job->pair = pair;
    job->previous = job->next = NULL;
    if (!pair)
        return job;
    job->next = pair->jobs;
    if (pair->jobs)
        pair->jobs->previous = job;
    pair->jobs = job;
    return job;
}

void p2_job_release(struct p2_gateway *gw, struct p2_job *job)
{
    if (job->previous)
        job->previous->next = job->next;
    else if (job->pair)
        job->pair->jobs = job->next;
    if (job->next)
        job->next->previous = job->previous;
    job->pair = NULL;
    job->next = gw->free_jobs;
    gw->free_jobs = job;
}

void p2_jobs_cleanup(struct p2_gateway *gw)
{
    while (gw->free_jobs) {
        struct p2_job *job = gw->free_jobs;
        gw->free_jobs = job->next;
        free(job->packet);
        free(job);
    }
}
