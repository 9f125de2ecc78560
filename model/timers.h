/* Timers as a heap: arming and cancelling in O(log n), the next expiry in O(1). A timer is embedded in what
 * it belongs to; timers of the same instant fire in the order of their arming. */
#ifndef P2_TIMERS_H
#define P2_TIMERS_H

#include "base.h"

struct p2_timer {
    p2_time at;
    uint64_t order;
    size_t place; /* in the heap + 1; 0: not armed */
    int kind;     /* the owner's */
    void *owner;
};

struct p2_timers {
    struct p2_timer **heap;
    size_t count, capacity;
    size_t reserved;
    uint64_t next_order;
};

static inline void p2_timer_init(struct p2_timer *timer, int kind, void *owner)
{
    *timer = (struct p2_timer){.kind = kind, .owner = owner};
}

static inline bool p2_timer_armed(const struct p2_timer *timer)
{
    return timer->place != 0;
}

void p2_timers_cleanup(struct p2_timers *timers);
/* Room for so many timers more: while they have it, arming them can not fail. P2_OK or P2_ERR_NOMEM. */
int p2_timers_reserve(struct p2_timers *timers, size_t num) P2_WARN_UNUSED;
/* So many timers, none of them armed, will not be used any more. */
void p2_timers_release(struct p2_timers *timers, size_t num);
/* Arms or re-arms. P2_OK or P2_ERR_NOMEM; re-arming never fails. */
int p2_timer_arm(struct p2_timers *timers, struct p2_timer *timer, p2_time at) P2_WARN_UNUSED;
void p2_timer_cancel(struct p2_timers *timers, struct p2_timer *timer);
/* The one that fires next; NULL: none is armed. */
struct p2_timer *p2_timers_first(const struct p2_timers *timers);

#endif
