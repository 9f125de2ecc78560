#include "map.h"

#include <stdlib.h>

static size_t home(const struct p2_map *map, uint64_t key)
{
    key ^= key >> 32;
    key *= UINT64_C(0x9e3779b97f4a7c15);
    return (size_t)(key >> 20) & (map->capacity - 1);
}

void p2_map_cleanup(struct p2_map *map)
{
    free(map->slots);
    *map = (struct p2_map){0};
}

/* The slot of the key, or the free one where it belongs. */
static struct p2_map_slot *find(const struct p2_map *map, uint64_t key)
{
    size_t i = home(map, key);
    while (map->slots[i].value && map->slots[i].key != key)
        i = (i + 1) & (map->capacity - 1);
    return &map->slots[i];
}

static int grow(struct p2_map *map)
{
    struct p2_map bigger = {.capacity = map->capacity ? map->capacity * 2 : 16, .count = map->count};
    bigger.slots = calloc(bigger.capacity, sizeof(*bigger.slots));
    if (!bigger.slots)
        return P2_ERR_NOMEM;
    for (size_t i = 0; i < map->capacity; i++) {
        if (map->slots[i].value)
            *find(&bigger, map->slots[i].key) = map->slots[i];
    }
    free(map->slots);
    *map = bigger;
    return P2_OK;
}

int p2_map_put(struct p2_map *map, uint64_t key, void *value)
{
    if ((map->count + 1) * 4 > map->capacity * 3) {
        int r = grow(map);
        if (r < 0)
            return r;
    }
    struct p2_map_slot *slot = find(map, key);
    if (!slot->value)
        map->count++;
    *slot = (struct p2_map_slot){key, value};
    return P2_OK;
}

void *p2_map_get(const struct p2_map *map, uint64_t key)
{
    return map->capacity ? find(map, key)->value : NULL;
}

/* Linear probing without tombstones: what stands behind the hole moves up if the hole lies on its way. */
void p2_map_remove(struct p2_map *map, uint64_t key)
{
    struct p2_map_slot *slot = map->capacity ? find(map, key) : NULL;
    if (!slot || !slot->value)
        return;
    size_t mask = map->capacity - 1, hole = (size_t)(slot - map->slots);
    for (size_t i = (hole + 1) & mask; map->slots[i].value; i = (i + 1) & mask) {
        size_t distance_of_home = (i - home(map, map->slots[i].key)) & mask;
        if (distance_of_home >= ((i - hole) & mask)) {
            map->slots[hole] = map->slots[i];
            hole = i;
        }
    }
    map->slots[hole] = (struct p2_map_slot){0};
    map->count--;
}
