#include "observe/log_ring.h"

#include "base/assert.h"
#include "base/text.h"

#define NOTE_MAX 40 /* {"dropped":18446744073709551615}\n */

_Static_assert((OBSERVE_LOG_RING_SIZE & (OBSERVE_LOG_RING_SIZE - 1)) == 0, "positions wrap by a mask");
_Static_assert(OBSERVE_LOG_LINE_MAX + NOTE_MAX <= OBSERVE_LOG_RING_SIZE, "an empty ring takes any line");

/* Piece by piece: all the data would touch pages that an unused ring does not need. */
void log_ring_init(struct log_ring *ring)
{
    atomic_init(&ring->head, 0);
    atomic_init(&ring->tail, 0);
    ring->pending = 0;
    ring->lines = ring->dropped = ring->lost = (struct metric){ 0 };
}

static void copy_in(struct log_ring *ring, uint64_t at, struct bytes from)
{
    size_t offset = at & (OBSERVE_LOG_RING_SIZE - 1);
    size_t first = MIN(from.len, OBSERVE_LOG_RING_SIZE - offset);

    memcpy(ring->data + offset, from.data, first);
    memcpy(ring->data, from.data + first, from.len - first);
}

bool log_ring_write(struct log_ring *ring, struct bytes line)
{
    uint64_t head = atomic_load_explicit(&ring->head, memory_order_relaxed);
    uint64_t tail = atomic_load_explicit(&ring->tail, memory_order_acquire);
    size_t room = OBSERVE_LOG_RING_SIZE - (size_t)(head - tail);
    char memory[NOTE_MAX];
    struct text note = text_into(memory, sizeof(memory));

    ASSERT(line.len > 0 && line.len <= OBSERVE_LOG_LINE_MAX && line.data[line.len - 1] == '\n'); /* (2) */
    if (unlikely(ring->pending > 0)) {
        text_add(&note, BYTES("{\"dropped\":"));
        text_add_u64(&note, ring->pending);
        text_add(&note, BYTES("}\n"));
    }
    if (unlikely(note.len + line.len > room)) {
        ring->pending++;
        metric_add(&ring->dropped, 1);
        return false;
    }
    copy_in(ring, head, text_bytes(&note));
    copy_in(ring, head + note.len, line);
    atomic_store_explicit(&ring->head, head + note.len + line.len, memory_order_release);
    ring->pending = 0;
    metric_add(&ring->lines, 1);
    return true;
}

size_t log_ring_used(const struct log_ring *ring)
{
    uint64_t tail = atomic_load_explicit((_Atomic uint64_t *)&ring->tail, memory_order_relaxed);

    return (size_t)(atomic_load_explicit((_Atomic uint64_t *)&ring->head, memory_order_relaxed) - tail);
}

uint64_t log_ring_head(const struct log_ring *ring)
{
    return atomic_load_explicit((_Atomic uint64_t *)&ring->head, memory_order_acquire);
}

static uint64_t tail_of(const struct log_ring *ring)
{
    return atomic_load_explicit((_Atomic uint64_t *)&ring->tail, memory_order_relaxed);
}

struct bytes log_ring_peek(const struct log_ring *ring, uint64_t end)
{
    uint64_t tail = tail_of(ring);
    size_t offset = tail & (OBSERVE_LOG_RING_SIZE - 1);

    return bytes_of(ring->data + offset, MIN((size_t)(end - tail), OBSERVE_LOG_RING_SIZE - offset));
}

void log_ring_skip(struct log_ring *ring, size_t count)
{
    atomic_store_explicit(&ring->tail, tail_of(ring) + count, memory_order_release);
}

void log_ring_discard(struct log_ring *ring, uint64_t end)
{
    while (!log_ring_at(ring, end)) {
        struct bytes run = log_ring_peek(ring, end);

        for (size_t i = 0; i < run.len; i++)
            if (run.data[i] == '\n')
                metric_add(&ring->lost, 1);
        log_ring_skip(ring, run.len);
    }
}

bool log_ring_at(const struct log_ring *ring, uint64_t end)
{
    return tail_of(ring) == end;
}
