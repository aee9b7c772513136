#include "base/map.h"

#include "base/alloc.h"
#include "base/assert.h"
#include "base/limits.h"

#include <errno.h>

void map_init(struct map *map, struct hash_key key, size_t max)
{
    *map = (struct map){ .max = max, .key = key };
}

void map_done(struct map *map)
{
    mem_free(map->entries);
    map_init(map, map->key, map->max);
}

static size_t home(const struct map *map, uint64_t hash)
{
    return (size_t)hash & (map->capacity - 1);
}

static size_t after(const struct map *map, size_t slot)
{
    return (slot + 1) & (map->capacity - 1);
}

/* The slot of the key, or the free one where it belongs. A quarter of the slots is free: this ends. */
static struct map_entry *find(const struct map *map, struct bytes key, uint64_t hash)
{
    size_t slot = home(map, hash);

    for (;; slot = after(map, slot)) {
        struct map_entry *entry = &map->entries[slot];

        if (!entry->value || (entry->hash == hash && bytes_equal(entry->key, key)))
            return entry;
    }
}

void *map_get(const struct map *map, struct bytes key)
{
    if (map->count == 0)
        return NULL;
    return find(map, key, hash_bytes(&map->key, key))->value;
}

static int grow(struct map *map)
{
    struct map larger = *map;

    larger.capacity = map->capacity ? map->capacity * 2 : MAP_CAPACITY_MIN;
    larger.entries = mem_zalloc_array(larger.capacity, sizeof(*larger.entries));
    if (!larger.entries)
        return -ENOMEM;
    for (size_t i = 0; i < map->capacity; i++) {
        const struct map_entry *entry = &map->entries[i];

        if (entry->value)
            *find(&larger, entry->key, entry->hash) = *entry;
    }
    mem_free(map->entries);
    *map = larger;
    return 0;
}

int map_put(struct map *map, struct bytes key, void *value)
{
    uint64_t hash = hash_bytes(&map->key, key);
    struct map_entry *entry = map->count > 0 ? find(map, key, hash) : NULL;

    ASSERT(value != NULL);
    if (!entry || !entry->value) {
        if (map->count >= map->max)
            return -ENOSPC;
        if (map->count >= map->capacity / 4 * 3) {
            int error = grow(map);

            if (error < 0)
                return error;
        }
        entry = find(map, key, hash);
        map->count++;
    }
    *entry = (struct map_entry){ .key = key, .value = value, .hash = hash };
    return 0;
}

/* Closes the hole: entries that probing had pushed past it move back, so that no search ends too early. */
static void close_hole(struct map *map, size_t hole)
{
    for (size_t slot = after(map, hole); map->entries[slot].value; slot = after(map, slot)) {
        size_t wanted = home(map, map->entries[slot].hash);

        /* Distances behind the slot, around the end: it may move if its home is not after the hole. */
        if (((slot - wanted) & (map->capacity - 1)) >= ((slot - hole) & (map->capacity - 1))) {
            map->entries[hole] = map->entries[slot];
            hole = slot;
        }
    }
    map->entries[hole] = (struct map_entry){ 0 };
}

void *map_remove(struct map *map, struct bytes key)
{
    struct map_entry *entry;
    void *value;

    if (map->count == 0)
        return NULL;
    entry = find(map, key, hash_bytes(&map->key, key));
    value = entry->value;
    if (!value)
        return NULL;
    close_hole(map, (size_t)(entry - map->entries));
    map->count--;
    return value;
}

struct map_entry *map_next(const struct map *map, struct map_entry *previous)
{
    size_t slot = previous ? (size_t)(previous - map->entries) + 1 : 0;

    for (; slot < map->capacity; slot++) {
        if (map->entries[slot].value)
            return &map->entries[slot];
    }
    return NULL;
}
