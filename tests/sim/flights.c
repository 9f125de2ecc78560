#include "flights.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void flights_add(struct flights *flights, const struct flight *like, const uint8_t *bytes)
{
    uint8_t *copy = malloc(like->len ? like->len : 1);
    if (flights->num == FLIGHTS_MAX || !copy) {
        fprintf(stderr, "flights: too many\n");
        abort();
    }
    memcpy(copy, bytes, like->len);
    struct flight *f = &flights->list[flights->num++];
    *f = *like;
    f->order = flights->next_order++;
    f->bytes = copy;
}

const struct flight *flights_first(const struct flights *flights)
{
    const struct flight *first = NULL;
    for (size_t i = 0; i < flights->num; i++) {
        const struct flight *f = &flights->list[i];
        if (!first || f->at < first->at || (f->at == first->at && f->order < first->order))
            first = f;
    }
    return first;
}

struct flight flights_take_first(struct flights *flights)
{
    struct flight first = *flights_first(flights);
    size_t i = (size_t)(flights_first(flights) - flights->list);
    flights->list[i] = flights->list[--flights->num];
    return first;
}

void flights_cleanup(struct flights *flights)
{
    for (size_t i = 0; i < flights->num; i++)
        free(flights->list[i].bytes);
    flights->num = 0;
}
