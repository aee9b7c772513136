#include "observe/series.h"

#include "base/alloc.h"

#define CAPACITY_MIN 64
#define SERIES_NAMES 4 /* of a key */

_Static_assert(SERIES_ADMITTED_ROOM >= 2 * OBSERVE_SERIES_MAX, "probing always meets a free slot soon");
_Static_assert((SERIES_ADMITTED_ROOM & (SERIES_ADMITTED_ROOM - 1)) == 0, "a power of two");
_Static_assert((SERIES_RECENT & (SERIES_RECENT - 1)) == 0, "a power of two");

/* Each of OBSERVE_SERIES_MAX with the longest names. */
#define ARENA_MAX (OBSERVE_SERIES_MAX * (sizeof(struct series) + SERIES_NAMES * (OBSERVE_NAME_MAX + 16)))

void series_admission_init(struct series_admission *admission, struct hash_key hash_key)
{
    admission->hash_key = hash_key;
    atomic_init(&admission->count, 0);
    for (size_t i = 0; i < SERIES_ADMITTED_ROOM; i++)
        atomic_init(&admission->hashes[i], 0);
}

/* Whether the key may have a series: another table has it already, or there is room for one more. */
static bool admit(struct series_admission *admission, uint64_t hash)
{
    for (size_t i = hash;; i++) {
        _Atomic uint64_t *slot = &admission->hashes[i & (SERIES_ADMITTED_ROOM - 1)];
        uint64_t there = atomic_load_explicit(slot, memory_order_relaxed);

        if (there == 0) {
            if (atomic_fetch_add_explicit(&admission->count, 1, memory_order_relaxed) >= OBSERVE_SERIES_MAX) {
                (void)atomic_fetch_sub_explicit(&admission->count, 1, memory_order_relaxed);
                return false;
            }
            if (atomic_compare_exchange_strong_explicit(slot, &there, hash, memory_order_relaxed, memory_order_relaxed))
                return true;
            (void)atomic_fetch_sub_explicit(&admission->count, 1, memory_order_relaxed);
        }
        if (there == hash)
            return true;
    }
}

void series_table_init(struct series_table *table, struct series_admission *admission)
{
    *table = (struct series_table){ .admission = admission };
    arena_init(&table->arena, NULL, ARENA_MAX);
    for (unsigned kind = 0; kind < SERIES_KINDS; kind++)
        table->others[kind].key = (struct series_key){
            .kind = (uint8_t)kind, .other = true, .service = BYTES("_other"), .place = BYTES("_other")
        };
    table->others[SERIES_SERVER].key.gateway = BYTES("_other");
}

void series_table_done(struct series_table *table)
{
    mem_free(table->slots);
    table->slots = NULL;
    table->capacity = 0;
    arena_done(&table->arena);
}

static inline uint64_t numbers(const struct series_key *key)
{
    return (uint64_t)key->kind | (uint64_t)key->method << 8 | (uint64_t)key->outcome << 16 |
           (uint64_t)key->status << 32;
}

/* Never 0. */
static uint64_t hash_of(const struct series_table *table, const struct series_key *key)
{
    const struct hash_key *secret = &table->admission->hash_key;
    uint64_t hash = hash_mix64(hash_bytes(secret, key->service) + numbers(key));

    hash = hash_mix64(hash + hash_bytes(secret, key->place));
    if (key->gateway.len > 0)
        hash = hash_mix64(hash + hash_bytes(secret, key->gateway));
    if (key->caller.len > 0)
        hash = hash_mix64(hash + ~hash_bytes(secret, key->caller));
    return hash ? hash : 1;
}

static inline bool same(const struct series_key *a, const struct series_key *b)
{
    return numbers(a) == numbers(b) && bytes_equal(a->place, b->place) && bytes_equal(a->service, b->service) &&
           bytes_equal(a->gateway, b->gateway) && bytes_equal(a->caller, b->caller);
}

static struct series *find(const struct series_table *table, uint64_t hash, const struct series_key *key)
{
    if (table->capacity == 0)
        return NULL;
    for (size_t i = hash;; i++) {
        struct series *series = table->slots[i & (table->capacity - 1)];

        if (!series || (series->hash == hash && same(&series->key, key)))
            return series;
    }
}

static void put(struct series **slots, size_t capacity, struct series *series)
{
    size_t i = series->hash;

    while (slots[i & (capacity - 1)])
        i++;
    slots[i & (capacity - 1)] = series;
}

/* At most half full. */
static int grow(struct series_table *table)
{
    size_t capacity = MAX(table->capacity * 2, (size_t)CAPACITY_MIN);
    struct series **slots;

    if (table->count < table->capacity / 2)
        return 0;
    slots = mem_zalloc_array(capacity, sizeof(struct series *));
    if (!slots)
        return -ENOMEM;
    for (size_t i = 0; i < table->capacity; i++)
        if (table->slots[i])
            put(slots, capacity, table->slots[i]);
    mem_free(table->slots);
    table->slots = slots;
    table->capacity = capacity;
    return 0;
}

/* NULL: (4). */
static struct series *add(struct series_table *table, uint64_t hash, const struct series_key *key)
{
    struct series *series;

    if (!admit(table->admission, hash) || grow(table) < 0)
        return NULL;
    series = arena_zalloc(&table->arena, sizeof(*series));
    if (!series)
        return NULL;
    series->hash = hash;
    series->key = *key;
    if (arena_copy(&table->arena, key->service, &series->key.service) < 0 ||
        arena_copy(&table->arena, key->place, &series->key.place) < 0 ||
        arena_copy(&table->arena, key->gateway, &series->key.gateway) < 0 ||
        arena_copy(&table->arena, key->caller, &series->key.caller) < 0)
        return NULL;
    put(table->slots, table->capacity, series);
    table->count++;
    series->next = atomic_load_explicit(&table->newest, memory_order_relaxed);
    atomic_store_explicit(&table->newest, series, memory_order_release); /* (1) */
    return series;
}

struct series *series_take(struct series_table *table, struct series_key key)
{
    struct series **recent, *series;
    uint64_t hash;

    key.service = bytes_slice(key.service, 0, OBSERVE_NAME_MAX);
    key.place = bytes_slice(key.place, 0, OBSERVE_NAME_MAX);
    key.gateway = bytes_slice(key.gateway, 0, OBSERVE_NAME_MAX);
    key.caller = bytes_slice(key.caller, 0, OBSERVE_NAME_MAX);
    /* Where the names lie is a good guess at what they are; a snapshot that goes makes it a wrong one, no more. */
    recent = &table->recent[hash_mix64((uintptr_t)key.place.data + (uintptr_t)key.gateway.data + key.caller.len +
                                       numbers(&key)) &
                            (SERIES_RECENT - 1)];
    if (*recent && same(&(*recent)->key, &key))
        return *recent;
    hash = hash_of(table, &key);
    series = find(table, hash, &key);
    if (!series)
        series = add(table, hash, &key);
    if (!series) {
        metric_add(&table->dropped, 1);
        return &table->others[key.kind];
    }
    *recent = series;
    return series;
}

int series_key_compare(const struct series_key *a, const struct series_key *b)
{
    int r = bytes_compare(a->service, b->service);

    if (r == 0)
        r = (int)a->other - (int)b->other;
    if (r == 0)
        r = bytes_compare(a->caller, b->caller);
    if (r == 0)
        r = bytes_compare(a->gateway, b->gateway);
    if (r == 0)
        r = bytes_compare(a->place, b->place);
    if (r == 0)
        r = (int)a->method - (int)b->method;
    if (r == 0)
        r = (int)a->status - (int)b->status;
    return r ? r : (int)a->outcome - (int)b->outcome;
}
