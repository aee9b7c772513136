/* observe/log_ring.h - a bounded queue of whole lines from one thread to another (Lamport, "Specifying Concurrent
 * Program Modules", 1983: one producer, one consumer, two positions, no lock).
 *
 * (1) One thread writes lines, one reads bytes. `head` and `tail` count bytes since the start; head is published by a
 *     release store after the bytes, tail after they have been used.
 * (2) What lies between tail and head ends at a line's end, always.
 * (3) A line that does not fit is dropped; the next one that fits is preceded by {"dropped":N}, N counting all since.
 */
#ifndef WEFT_OBSERVE_LOG_RING_H
#define WEFT_OBSERVE_LOG_RING_H

#include "base/bytes.h"
#include "base/limits.h"
#include "base/metric.h"

struct log_ring {
    _Atomic uint64_t head;             /* the writer's */
    alignas(64) _Atomic uint64_t tail; /* the reader's */
    alignas(64) uint64_t pending;      /* the writer's: dropped since the last line that fit */
    struct metric lines, dropped;      /* the writer's; a dropped line is no line */
    struct metric lost;                /* the reader's: lines that log_ring_discard() took */
    char data[OBSERVE_LOG_RING_SIZE];
};

void log_ring_init(struct log_ring *ring);

/* The writer's. `line` ends with a newline and is at most OBSERVE_LOG_LINE_MAX long. False: dropped. */
bool log_ring_write(struct log_ring *ring, struct bytes line);
size_t log_ring_used(const struct log_ring *ring); /* bytes that wait; any thread */

/* The reader's. The next run of bytes before position `end`, in one piece; empty: none. */
uint64_t log_ring_head(const struct log_ring *ring); /* a position to read up to; a line ends there */
struct bytes log_ring_peek(const struct log_ring *ring, uint64_t end);
void log_ring_skip(struct log_ring *ring, size_t count);     /* they have been used */
void log_ring_discard(struct log_ring *ring, uint64_t end);  /* nobody wants them; counts their ends in `lost` */
bool log_ring_at(const struct log_ring *ring, uint64_t end); /* everything before `end` is used */

#endif
