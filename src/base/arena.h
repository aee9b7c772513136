/* base/arena.h - memory that dies with its exchange or snapshot, all at once.
 *
 * (1) Blocks come from a pool (exchange: a worker's, bounded) or from the C library (snapshot: `pool` NULL).
 * (2) A request larger than a pool's block fails with NULL when `pool` is set: nothing on the request path
 *     may grow without a name in base/limits.h.
 * (3) At most `max` bytes in all, counted as given out, in steps of 16; then NULL, which is an ordinary
 *     outcome. The blocks take about twice that at most: two that follow each other have given out
 *     more than one holds.
 * Pieces are aligned to 16 bytes. Nothing is freed singly. Under ASan, what is not given out is poisoned.
 */
#ifndef WEFT_BASE_ARENA_H
#define WEFT_BASE_ARENA_H

#include "base/bytes.h"
#include "base/pool.h"

struct arena_block;

struct arena {
    struct pool *pool;          /* NULL: blocks come from mem_alloc() */
    struct arena_block *blocks; /* newest first */
    char *next, *end;           /* what is left of the newest block */
    size_t used, max;
};

void arena_init(struct arena *arena, struct pool *pool, size_t max);
void arena_done(struct arena *arena); /* gives every block back; the arena may be used again */
void *arena_alloc(struct arena *arena, size_t size) MUST_CHECK; /* not cleared */
void *arena_zalloc(struct arena *arena, size_t size) MUST_CHECK;
int arena_copy(struct arena *arena, struct bytes from, struct bytes *ret) MUST_CHECK; /* -ENOMEM */
char *arena_text(struct arena *arena, struct bytes from) MUST_CHECK;                  /* zero-terminated */
int arena_format(struct arena *arena, struct bytes *ret, const char *format, ...) MUST_CHECK PRINTF_LIKE(3, 4);

/* Moves all blocks of `from` into `to` (a fork's winner moves up); both must draw from the same pool.
 * `from` is empty afterwards. */
void arena_adopt(struct arena *to, struct arena *from);

#endif
