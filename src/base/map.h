/* base/map.h - bounded hash map from bytes to a pointer, open addressing with linear probing and backward
 * shift on removal (no tombstones).
 *
 * (1) Keys are borrowed: they must live as long as their entry. Replacing takes the new key as well.
 * (2) At most `max` entries: map_put() then returns -ENOSPC. Growth may fail with -ENOMEM; the map is as
 *     it was.
 * (3) Hashing is SipHash-1-3 under the map's key, so a stranger can't make keys collide.
 * (4) The order of map_next() is a function of the key and the history: equal seeds give equal orders.
 */
#ifndef WEFT_BASE_MAP_H
#define WEFT_BASE_MAP_H

#include "base/bytes.h"
#include "base/hash.h"

struct map_entry {
    struct bytes key;
    void *value; /* never NULL in use */
    uint64_t hash;
};

struct map {
    struct map_entry *entries;
    size_t count, capacity, max; /* capacity: 0 or a power of two */
    struct hash_key key;
};

void map_init(struct map *map, struct hash_key key, size_t max);
void map_done(struct map *map);                                         /* frees the table, not the values */
void *map_get(const struct map *map, struct bytes key);                 /* NULL: not there */
int map_put(struct map *map, struct bytes key, void *value) MUST_CHECK; /* replaces; -ENOSPC, -ENOMEM */
void *map_remove(struct map *map, struct bytes key);                    /* its value, or NULL */

/* NULL starts, NULL ends. Putting or removing moves entries: then start again. */
struct map_entry *map_next(const struct map *map, struct map_entry *previous);

#endif
