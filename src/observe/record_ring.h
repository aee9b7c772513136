/* observe/record_ring.h - the newest records of one thread, which others copy while it goes on writing (a lock for
 * writers only, by sequence: Lamport, "Concurrent Reading and Writing", 1977).
 *
 * (1) One thread writes; it never waits, and the oldest records go as new ones come. Any number of threads read.
 * (2) Positions count words since the start. `reached` moves on before a word is written over, `head` after a record is
 *     whole. All words are written with release and read with acquire order: whoever has read a word that was written
 *     over finds `reached` so far on that he knows. So a record that was read is whole, or it is not given out.
 * (3) Each record ends with a word that tells its length: readers walk from the newest to the oldest.
 */
#ifndef WEFT_OBSERVE_RECORD_RING_H
#define WEFT_OBSERVE_RECORD_RING_H

#include "base/defs.h"

#include <stdatomic.h>

struct record_ring {
    alignas(64) _Atomic uint64_t reached;
    _Atomic uint64_t head;
    size_t room; /* words; a power of two */
    _Atomic uint64_t *words;
};

/* `size`: bytes, a power of two. They are taken from the machine as they are first written. -ENOMEM. */
int record_ring_init(struct record_ring *ring, size_t size) MUST_CHECK;
void record_ring_done(struct record_ring *ring);

/* The writer's. count: words, at least 1 and less than half of the room. */
void record_ring_write(struct record_ring *ring, const void *record, unsigned count);

/* Where a reader starts. */
uint64_t record_ring_head(const struct record_ring *ring);

/* Copies the record before *at, which moves to its start, and returns its words. 0: there is none any more, or it is
 * longer than `max` words, which no record of the writer's is. */
unsigned record_ring_read(const struct record_ring *ring, uint64_t *at, void *into, unsigned max);

#endif
