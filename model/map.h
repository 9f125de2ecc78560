/* A hash map from 64-bit numbers to pointers: SPIs, cookies, message IDs. Open addressing, grown by doubling
 * when something is put in; looking up and removing allocate nothing. It is never iterated over. */
#ifndef P2_MAP_H
#define P2_MAP_H

#include "base.h"

struct p2_map_slot {
    uint64_t key;
    void *value; /* NULL: free */
};

struct p2_map {
    struct p2_map_slot *slots;
    size_t capacity; /* a power of two, or 0 */
    size_t count;
};

void p2_map_cleanup(struct p2_map *map);
/* value must not be NULL; an older value under the key is replaced. P2_OK or P2_ERR_NOMEM. */
int p2_map_put(struct p2_map *map, uint64_t key, void *value) P2_WARN_UNUSED;
/* NULL: none. */
void *p2_map_get(const struct p2_map *map, uint64_t key);
void p2_map_remove(struct p2_map *map, uint64_t key);

#endif
