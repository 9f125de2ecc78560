#include "causes.h"

#include <assert.h>
#include <stdlib.h>

struct event {
    p2_time at;
    uint64_t cause;
    enum cause_kind kind;
};

struct causes {
    struct event *events; /* event n stands at n - 1 */
    uint64_t count, capacity;
};

int causes_new(struct causes **causes)
{
    *causes = calloc(1, sizeof(**causes));
    return *causes ? P2_OK : P2_ERR_NOMEM;
}

void causes_free(struct causes *causes)
{
    if (causes)
        free(causes->events);
    free(causes);
}

/* Kinds whose event must come at the very time of its cause. */
static bool is_instant(enum cause_kind kind)
{
    return kind == CAUSE_STEP || kind == CAUSE_EMISSION || kind == CAUSE_JOB_SUBMIT;
}

uint64_t causes_add(struct causes *causes, p2_time at, enum cause_kind kind, uint64_t cause)
{
    assert(cause <= causes->count && (cause == 0) == (kind == CAUSE_EXTERNAL));
    assert(cause == 0 || causes_time(causes, cause) <= at);
    assert(!is_instant(kind) || causes_time(causes, cause) == at);
    if (causes->count == causes->capacity) {
        uint64_t capacity = causes->capacity ? causes->capacity * 2 : 1024;
        struct event *events = realloc(causes->events, capacity * sizeof(*events));
        if (!events)
            return 0;
        causes->events = events;
        causes->capacity = capacity;
    }
    causes->events[causes->count++] = (struct event){at, cause, kind};
    return causes->count;
}

p2_time causes_time(const struct causes *causes, uint64_t event)
{
    assert(event > 0 && event <= causes->count);
    return causes->events[event - 1].at;
}

uint64_t causes_origin(const struct causes *causes, uint64_t event)
{
    assert(event > 0 && event <= causes->count);
    while (causes->events[event - 1].kind != CAUSE_ARRIVAL && causes->events[event - 1].cause != 0)
        event = causes->events[event - 1].cause;
    return event;
}

static p2_time *part(struct cause_split *split, enum cause_kind kind)
{
    switch (kind) {
    case CAUSE_ARRIVAL:
        return &split->network;
    case CAUSE_JOB_START:
        return &split->cpu_wait;
    case CAUSE_JOB_END:
        return &split->cpu;
    case CAUSE_RESEND:
        return &split->retransmission_wait;
    default:
        return NULL;
    }
}

bool causes_walk(const struct causes *causes, uint64_t event, p2_time t0, struct cause_split *split)
{
    *split = (struct cause_split){0};
    const struct event *at = &causes->events[event - 1];
    while (at->at > t0) {
        if (at->cause == 0)
            return false;
        const struct event *cause = &causes->events[at->cause - 1];
        p2_time *time = part(split, at->kind);
        if (time)
            *time += at->at - cause->at;
        at = cause;
    }
    return at->at == t0;
}
