/* The chain of causes: why something happened when it did, and what the time went into.
 *
 * Every event has one releasing cause, its latest prerequisite. The walk from an event back to a start
 * attributes each edge to one part, so the parts add up to the whole by construction; nothing is found by
 * subtraction. */
#ifndef P2_CAUSES_H
#define P2_CAUSES_H

#include "base.h"

#ifdef __cplusplus
extern "C" {
#endif

/* What an event is, and thereby what the time since its cause was spent on. */
enum cause_kind {
    CAUSE_EXTERNAL,   /* a timer of the core or the outside world: it has no cause, a walk may not pass it */
    CAUSE_STEP,       /* released at once by its cause: 0 ns, asserted */
    CAUSE_EMISSION,   /* a copy of a message leaves: 0 ns after its cause */
    CAUSE_ARRIVAL,    /* that very copy arrives: network */
    CAUSE_JOB_SUBMIT, /* work is handed to the CPU: 0 ns */
    CAUSE_JOB_START,  /* the CPU begins it: CPU waiting */
    CAUSE_JOB_END,    /* the CPU is done: CPU */
    CAUSE_RESEND,     /* a resend timer fires; its cause armed it: retransmission waiting */
};

struct cause_split {
    p2_time network, cpu, cpu_wait, retransmission_wait;
};

struct causes; /* the log of one simulation */

int causes_new(struct causes **causes) P2_WARN_UNUSED;
void causes_free(struct causes *causes);

/* Numbers are 1, 2, ... in the order of the calls. cause 0: none (EXTERNAL only). Returns 0 when out of
 * memory. */
uint64_t causes_add(struct causes *causes, p2_time at, enum cause_kind kind, uint64_t cause);
p2_time causes_time(const struct causes *causes, uint64_t event);
/* The input that `event` belongs to: the arrival or external event that its steps and jobs lead back to. */
uint64_t causes_origin(const struct causes *causes, uint64_t event);

/* Walks from `event` back to the first event at or before t0, which must be at exactly t0. False if the chain
 * does not lead there (something external released it later than t0). The parts add up to causes_time(event)
 * - t0. */
bool causes_walk(const struct causes *causes, uint64_t event, p2_time t0, struct cause_split *split);

#ifdef __cplusplus
}
#endif
#endif
