#include "timers.h"

#include <stdlib.h>

static bool before(const struct p2_timer *a, const struct p2_timer *b)
{
    return a->at != b->at ? a->at < b->at : a->order < b->order;
}

static void put(struct p2_timers *timers, size_t i, struct p2_timer *timer)
{
    timers->heap[i] = timer;
    timer->place = i + 1;
}

static void sift_up(struct p2_timers *timers, size_t i)
{
    struct p2_timer *timer = timers->heap[i];
    while (i > 0 && before(timer, timers->heap[(i - 1) / 2])) {
        put(timers, i, timers->heap[(i - 1) / 2]);
        i = (i - 1) / 2;
    }
    put(timers, i, timer);
}

static void sift_down(struct p2_timers *timers, size_t i)
{
    struct p2_timer *timer = timers->heap[i];
    for (;;) {
        size_t child = 2 * i + 1;
        if (child >= timers->count)
            break;
        if (child + 1 < timers->count && before(timers->heap[child + 1], timers->heap[child]))
            child++;
        if (!before(timers->heap[child], timer))
            break;
        put(timers, i, timers->heap[child]);
        i = child;
    }
    put(timers, i, timer);
}

void p2_timers_cleanup(struct p2_timers *timers)
{
    free(timers->heap);
    *timers = (struct p2_timers){0};
}

static int grow(struct p2_timers *timers, size_t wanted)
{
    size_t capacity = timers->capacity ? timers->capacity : 16;
    while (capacity < wanted)
        capacity *= 2;
    if (capacity == timers->capacity)
        return P2_OK;
    struct p2_timer **heap = realloc(timers->heap, capacity * sizeof(struct p2_timer *));
    if (!heap)
        return P2_ERR_NOMEM;
    timers->heap = heap;
    timers->capacity = capacity;
    return P2_OK;
}

int p2_timers_reserve(struct p2_timers *timers, size_t num)
{
    int r = grow(timers, timers->reserved + num);
    if (r == P2_OK)
        timers->reserved += num;
    return r;
}

void p2_timers_release(struct p2_timers *timers, size_t num)
{
    timers->reserved -= num;
}

int p2_timer_arm(struct p2_timers *timers, struct p2_timer *timer, p2_time at)
{
    p2_timer_cancel(timers, timer);
    int r = grow(timers, timers->count + 1);
    if (r < 0)
        return r;
    timer->at = at;
    timer->order = timers->next_order++;
    put(timers, timers->count++, timer);
    sift_up(timers, timers->count - 1);
    return P2_OK;
}

void p2_timer_cancel(struct p2_timers *timers, struct p2_timer *timer)
{
    if (!p2_timer_armed(timer))
        return;
    size_t i = timer->place - 1;
    struct p2_timer *last = timers->heap[--timers->count];
    timer->place = 0;
    if (last != timer) {
        put(timers, i, last);
        sift_up(timers, i);
        sift_down(timers, last->place - 1);
    }
}

struct p2_timer *p2_timers_first(const struct p2_timers *timers)
{
    return timers->count ? timers->heap[0] : NULL;
}
