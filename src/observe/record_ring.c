#include "observe/record_ring.h"

#include "base/alloc.h"
#include "base/assert.h"

#include <string.h>

int record_ring_init(struct record_ring *ring, size_t size)
{
    ASSERT(size >= 4 * sizeof(uint64_t) && (size & (size - 1)) == 0);
    atomic_init(&ring->reached, 0);
    atomic_init(&ring->head, 0);
    ring->room = size / sizeof(uint64_t);
    ring->words = mem_aligned(64, size);
    return ring->words ? 0 : -ENOMEM;
}

void record_ring_done(struct record_ring *ring)
{
    mem_free(ring->words);
    ring->words = NULL;
}

static inline _Atomic uint64_t *word_at(const struct record_ring *ring, uint64_t at)
{
    return &ring->words[at & (ring->room - 1)];
}

void record_ring_write(struct record_ring *ring, const void *record, unsigned count)
{
    const char *from = record;
    uint64_t at = atomic_load_explicit(&ring->head, memory_order_relaxed);

    ASSERT(count >= 1 && count < ring->room / 2);
    atomic_store_explicit(&ring->reached, at + count + 1, memory_order_relaxed);
    for (unsigned i = 0; i < count; i++) {
        uint64_t word;

        memcpy(&word, from + i * sizeof(word), sizeof(word));
        atomic_store_explicit(word_at(ring, at + i), word, memory_order_release); /* (2) */
    }
    atomic_store_explicit(word_at(ring, at + count), count, memory_order_release);
    atomic_store_explicit(&ring->head, at + count + 1, memory_order_release);
}

uint64_t record_ring_head(const struct record_ring *ring)
{
    return atomic_load_explicit((_Atomic uint64_t *)&ring->head, memory_order_acquire);
}

/* Whether what has been read from position `at` on was not written over. */
static bool still_there(const struct record_ring *ring, uint64_t at)
{
    return atomic_load_explicit((_Atomic uint64_t *)&ring->reached, memory_order_relaxed) <= at + ring->room;
}

unsigned record_ring_read(const struct record_ring *ring, uint64_t *at, void *into, unsigned max)
{
    uint64_t count, from;
    char *to = into;

    if (*at == 0)
        return 0;
    count = atomic_load_explicit(word_at(ring, *at - 1), memory_order_acquire);
    if (!still_there(ring, *at - 1) || count > max)
        return 0;
    ASSERT(count >= 1 && count < *at);
    from = *at - 1 - count;
    for (unsigned i = 0; i < count; i++) {
        uint64_t word = atomic_load_explicit(word_at(ring, from + i), memory_order_acquire);

        memcpy(to + i * sizeof(word), &word, sizeof(word));
    }
    if (!still_there(ring, from))
        return 0;
    *at = from;
    return (unsigned)count;
}
