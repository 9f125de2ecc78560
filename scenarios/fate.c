#include "fate.h"

#include <stdlib.h>
#include <string.h>

static int grow(struct fates *fates, uint64_t number)
{
    size_t capacity = fates->capacity ? fates->capacity : 256;
    while (capacity <= number)
        capacity *= 2;
    uint8_t *of = realloc(fates->of, capacity);
    if (!of)
        return P2_ERR_NOMEM;
    memset(of + fates->capacity, FATE_UNKNOWN, capacity - fates->capacity);
    fates->of = of;
    fates->capacity = capacity;
    return P2_OK;
}

int fates_note(struct fates *fates, uint64_t number, enum fate fate)
{
    if (number >= fates->capacity && grow(fates, number) != P2_OK)
        return P2_ERR_NOMEM;
    if (fates->of[number] == FATE_UNKNOWN || fate == FATE_DELIVERED)
        fates->of[number] = (uint8_t)fate;
    return P2_OK;
}

enum fate fates_of(const struct fates *fates, uint64_t number)
{
    return number < fates->capacity ? (enum fate)fates->of[number] : FATE_UNKNOWN;
}

enum fate fates_of_drop(enum p2_drop reason)
{
    switch (reason) {
    case P2_DROP_REPLAYED:
    case P2_DROP_TOO_OLD:
        return FATE_WINDOW;
    case P2_DROP_NO_SA:
    case P2_DROP_UNKNOWN_SPI:
        return FATE_NO_SA;
    case P2_DROP_TOO_BIG:
        return FATE_TOO_BIG;
    case P2_DROP_CPU_QUEUE_FULL:
        return FATE_CPU;
    default:
        return FATE_OTHER;
    }
}

void fates_count(const struct fates *fates, uint64_t sent, uint64_t counts[FATE_NUM])
{
    memset(counts, 0, FATE_NUM * sizeof(*counts));
    for (uint64_t i = 0; i < sent; i++)
        counts[fates_of(fates, i)]++;
}

void fates_cleanup(struct fates *fates)
{
    free(fates->of);
    *fates = (struct fates){0};
}
