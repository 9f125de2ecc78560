#include "replay.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

int p2_replay_init(struct p2_replay *replay, uint32_t width)
{
    assert(width <= P2_REPLAY_MAX_WIDTH);
    *replay = (struct p2_replay){.width = width, .words = 1};
    if (width == 0)
        return P2_OK;
    while (replay->words * 64 < width + 64) /* the word that top stands in may be partly ahead of it */
        replay->words *= 2;
    replay->ring = calloc(replay->words, sizeof(*replay->ring));
    return replay->ring ? P2_OK : P2_ERR_NOMEM;
}

void p2_replay_cleanup(struct p2_replay *replay)
{
    free(replay->ring);
    *replay = (struct p2_replay){0};
}

static uint64_t *word_of(const struct p2_replay *replay, uint64_t sequence)
{
    return &replay->ring[sequence / 64 & (replay->words - 1)];
}

/* Appendix A2.2, its two cases in one: the left edge of the window is the lowest number that may come, and
 * what is below it in its lower half belongs to the next 2^32. Before there were as many as a window, it is
 * 0. */
uint64_t p2_replay_extend(const struct p2_replay *replay, uint32_t lower)
{
    uint64_t edge = replay->top >= replay->width ? replay->top - replay->width + (replay->width > 0) : 0;
    uint64_t upper = edge >> 32;
    if (lower < (uint32_t)edge)
        upper++;
    return upper << 32 | lower;
}

uint64_t p2_replay_nearest(uint64_t top, uint32_t lower)
{
    uint64_t guess = (top & ~(uint64_t)UINT32_MAX) | lower;
    if (guess + (UINT64_C(1) << 31) < top)
        guess += UINT64_C(1) << 32;
    else if (guess > top + (UINT64_C(1) << 31) && guess > UINT32_MAX)
        guess -= UINT64_C(1) << 32;
    return guess;
}

enum p2_drop p2_replay_check(const struct p2_replay *replay, uint64_t sequence)
{
    if (replay->width == 0)
        return P2_DROP_NONE;
    if (sequence == 0)
        return P2_DROP_SEQUENCE_ZERO;
    if (sequence > replay->top)
        return P2_DROP_NONE;
    if (replay->top - sequence >= replay->width)
        return P2_DROP_TOO_OLD;
    return *word_of(replay, sequence) >> sequence % 64 & 1 ? P2_DROP_REPLAYED : P2_DROP_NONE;
}

void p2_replay_mark(struct p2_replay *replay, uint64_t sequence)
{
    if (sequence > replay->top) {
        if (replay->width > 0) {
            uint64_t advance = sequence / 64 - replay->top / 64;
            if (advance >= replay->words)
                memset(replay->ring, 0, replay->words * sizeof(*replay->ring));
            for (uint64_t i = 1; i <= advance && advance < replay->words; i++)
                *word_of(replay, (replay->top / 64 + i) * 64) = 0;
        }
        replay->top = sequence;
    }
    if (replay->width > 0)
        *word_of(replay, sequence) |= UINT64_C(1) << sequence % 64;
}
