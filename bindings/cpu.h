/* A node's CPU in virtual time: first come first served, n cores, a bounded queue. It knows no protocol. */
#ifndef P2_CPU_H
#define P2_CPU_H

#include "profile.h"

#ifdef __cplusplus
extern "C" {
#endif

struct cpu_job {
    uint64_t job; /* the core's number */
    p2_time price;
    p2_time submitted; /* now, set by who submits */
    p2_time ends;
    uint64_t submit_event, start_event; /* in the chain of causes; 0: not followed */
};

struct cpu {
    uint32_t num_cores, queue_capacity;
    struct cpu_job *running; /* num_cores slots; job 0: idle */
    struct cpu_job *queue;   /* a ring */
    uint32_t queue_head, queue_len;
    bool held; /* a core whose job just ended waits for the next stage of it */
    /* counted since the start */
    uint64_t jobs;
    p2_time busy, waited;
    uint32_t longest_queue;
};

int cpu_init(struct cpu *cpu, uint32_t cores, uint32_t queue) P2_WARN_UNUSED;
void cpu_cleanup(struct cpu *cpu);

/* Puts a job at the end of the queue; cpu_start_next starts it. False: there is neither room nor an idle
 * core. */
bool cpu_submit(struct cpu *cpu, const struct cpu_job *job);
/* The next stage of a job that just ended: it keeps the core that it had and goes first. There must be an
 * idle core. */
void cpu_continue(struct cpu *cpu, p2_time now, const struct cpu_job *job);
/* Takes the job that ends first, if it ends at or before now, off its core; ties by job number. The core
 * stays idle until cpu_start_next, so that a further stage can have it. */
bool cpu_take_finished(struct cpu *cpu, p2_time now, struct cpu_job *job);
/* Starts a waiting job if a core is idle, and takes back what cpu_take_finished held. NULL: none waits. What
 * is returned is good until the next call; its start_event may be set. */
struct cpu_job *cpu_start_next(struct cpu *cpu, p2_time now);
/* Forgets a job; what it has not used of its price is not charged. False: no such job. */
bool cpu_cancel(struct cpu *cpu, p2_time now, uint64_t job);
/* When the next running job ends; P2_TIME_NEVER: none runs. */
p2_time cpu_next(const struct cpu *cpu);

#ifdef __cplusplus
}
#endif
#endif
