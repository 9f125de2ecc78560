#include "cpu.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

int cpu_init(struct cpu *cpu, uint32_t cores, uint32_t queue)
{
    *cpu = (struct cpu){.num_cores = cores, .queue_capacity = queue};
    cpu->running = calloc(cores, sizeof(*cpu->running));
    cpu->queue = calloc((size_t)queue + cores, sizeof(*cpu->queue));
    if (cpu->running && cpu->queue)
        return P2_OK;
    cpu_cleanup(cpu);
    return P2_ERR_NOMEM;
}

void cpu_cleanup(struct cpu *cpu)
{
    free(cpu->running);
    free(cpu->queue);
    *cpu = (struct cpu){0};
}

static struct cpu_job *queued(const struct cpu *cpu, uint32_t i)
{
    return &cpu->queue[(cpu->queue_head + i) % (cpu->queue_capacity + cpu->num_cores)];
}

static struct cpu_job *idle_core(const struct cpu *cpu)
{
    for (uint32_t i = 0; i < cpu->num_cores; i++) {
        if (cpu->running[i].job == 0)
            return &cpu->running[i];
    }
    return NULL;
}

static struct cpu_job *start_on(struct cpu *cpu, struct cpu_job *core, p2_time now, const struct cpu_job *job)
{
    *core = *job;
    core->ends = now + job->price;
    cpu->waited += now - job->submitted;
    cpu->busy += job->price;
    return core;
}

/* What an idle core will take at once does not count as waiting. */
static uint32_t room(const struct cpu *cpu)
{
    uint32_t idle = 0;
    for (uint32_t i = 0; i < cpu->num_cores; i++)
        idle += cpu->running[i].job == 0;
    return cpu->queue_capacity + idle - cpu->held;
}

static void drop_first(struct cpu *cpu)
{
    cpu->queue_head = (cpu->queue_head + 1) % (cpu->queue_capacity + cpu->num_cores);
    cpu->queue_len--;
}

bool cpu_submit(struct cpu *cpu, const struct cpu_job *job)
{
    if (cpu->queue_len >= room(cpu))
        return false;
    cpu->jobs++;
    *queued(cpu, cpu->queue_len++) = *job;
    return true;
}

void cpu_continue(struct cpu *cpu, p2_time now, const struct cpu_job *job)
{
    struct cpu_job *core = idle_core(cpu);
    assert(core && cpu->held);
    cpu->held = false;
    start_on(cpu, core, now, job);
}

static struct cpu_job *first_to_end(const struct cpu *cpu)
{
    struct cpu_job *first = NULL;
    for (uint32_t i = 0; i < cpu->num_cores; i++) {
        struct cpu_job *job = &cpu->running[i];
        if (job->job != 0 &&
            (!first || job->ends < first->ends || (job->ends == first->ends && job->job < first->job)))
            first = job;
    }
    return first;
}

bool cpu_take_finished(struct cpu *cpu, p2_time now, struct cpu_job *job)
{
    struct cpu_job *first = first_to_end(cpu);
    if (!first || first->ends > now)
        return false;
    *job = *first;
    first->job = 0;
    cpu->held = true;
    return true;
}

struct cpu_job *cpu_start_next(struct cpu *cpu, p2_time now)
{
    cpu->held = false;
    struct cpu_job *core = cpu->queue_len > 0 ? idle_core(cpu) : NULL;
    if (!core) {
        if (cpu->queue_len > cpu->longest_queue)
            cpu->longest_queue = cpu->queue_len;
        return NULL;
    }
    struct cpu_job job = *queued(cpu, 0);
    drop_first(cpu);
    return start_on(cpu, core, now, &job);
}

bool cpu_cancel(struct cpu *cpu, p2_time now, uint64_t job)
{
    for (uint32_t i = 0; i < cpu->num_cores; i++) {
        if (cpu->running[i].job == job) {
            cpu->busy -= cpu->running[i].ends - now;
            cpu->running[i].job = 0;
            return true;
        }
    }
    for (uint32_t i = 0; i < cpu->queue_len; i++) {
        if (queued(cpu, i)->job != job)
            continue;
        for (; i > 0; i--) /* the gap moves to the front, so that the first one costs nothing */
            *queued(cpu, i) = *queued(cpu, i - 1);
        drop_first(cpu);
        return true;
    }
    return false;
}

p2_time cpu_next(const struct cpu *cpu)
{
    const struct cpu_job *first = first_to_end(cpu);
    return first ? first->ends : P2_TIME_NEVER;
}
