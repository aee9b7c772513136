/* observe/series.h - one worker's table of labelled durations, which it fills while anybody reads.
 *
 * (1) A table has one writer. A series is published once, by a release store, and neither moves nor goes until
 *     series_table_done(): readers walk the list from `newest` without stopping anybody.
 * (2) Finding a series that is there takes no memory and no lock. A new one takes memory from the table's arena, whose
 *     blocks come from the C library: an idle table has none, and a steady one asks for none.
 * (3) Names are copied: the snapshot that they came from may go.
 * (4) All tables of a process together have at most OBSERVE_SERIES_MAX different keys. What comes above, or finds no
 *     memory, is counted under _other, and in `dropped`.
 */
#ifndef WEFT_OBSERVE_SERIES_H
#define WEFT_OBSERVE_SERIES_H

#include "base/arena.h"
#include "base/hash.h"
#include "base/limits.h"
#include "base/metric.h"

#include <stdatomic.h>

enum series_kind {
    SERIES_SERVER,
    SERIES_CLIENT,
    SERIES_KINDS,
};

struct series_key {
    uint8_t kind;
    uint8_t method;  /* enum http_method */
    uint8_t outcome; /* enum outcome */
    bool other;      /* stands for all that found no place */
    uint16_t status; /* 0: none */
    struct bytes service;
    struct bytes place;           /* SERVER: the route's name; CLIENT: the endpoint's address */
    struct bytes gateway, caller; /* SERVER: by which gateway it came in, and from which service; CLIENT: empty */
};

struct series {
    const struct series *next; /* published before it */
    uint64_t hash;
    struct series_key key;
    struct histogram duration; /* HISTOGRAM_HTTP_SECONDS */
    struct metric retries;
};

#define SERIES_ADMITTED_ROOM 4096 /* slots for OBSERVE_SERIES_MAX hashes: at most half full */
#define SERIES_RECENT 16          /* of the last ones seen, found without hashing their names */

/* Which keys a process has, as hashes: shared by its tables, without a lock. */
struct series_admission {
    struct hash_key hash_key;
    atomic_uint count;
    _Atomic uint64_t hashes[SERIES_ADMITTED_ROOM]; /* 0: free */
};

struct series_table {
    struct series_admission *admission;
    struct series **slots; /* open addressing; the writer's alone */
    size_t capacity, count;
    struct series *recent[SERIES_RECENT];
    struct arena arena;
    _Atomic(const struct series *) newest;
    struct series others[SERIES_KINDS];
    struct metric dropped; /* observations counted under _other */
};

void series_admission_init(struct series_admission *admission, struct hash_key hash_key);

void series_table_init(struct series_table *table, struct series_admission *admission);
void series_table_done(struct series_table *table);

/* The series of that key, made if it is new; never NULL. Names are cut at OBSERVE_NAME_MAX bytes. */
struct series *series_take(struct series_table *table, struct series_key key);

/* For readers: the newest series, or NULL; go on with ->next. */
static inline const struct series *series_first(const struct series_table *table)
{
    return atomic_load_explicit((_Atomic(const struct series *) *)&table->newest, memory_order_acquire);
}

/* An order of keys in which those of a service are neighbours, and among them those of a caller, and of a gateway. 0:
 * equal. */
int series_key_compare(const struct series_key *a, const struct series_key *b);

#endif
