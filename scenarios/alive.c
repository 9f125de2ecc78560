#include "alive.h"

#include <time.h>
#include <unistd.h>

static int64_t now_ms(void)
{
    struct timespec now = {0};
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

void alive_note(struct alive *alive, int64_t progress)
{
    if (alive->fd < 0 || progress == alive->progress)
        return;
    int64_t now = now_ms();
    if (now - alive->told_ms < ALIVE_PERIOD_MS)
        return;
    alive->progress = progress;
    alive->told_ms = now;
    /* If nobody reads it any more, so be it. */
    ssize_t written = write(alive->fd, "", 1);
    (void)written;
}
