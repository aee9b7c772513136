/* base/pool.h - bounded pool of equal pieces of memory, last in first out so that warm pieces are reused.
 *
 * (1) At most `max` pieces are out at a time: pool_take() then returns NULL, and that is an ordinary,
 *     tested outcome (count it, answer 503, stay parked).
 * (2) Free pieces are kept up to `keep`; more go back to the C library at once, so memory returns.
 * (3) A pool belongs to one thread.
 * (4) pool_done() asserts that nothing is out: a leak shows where it is made.
 * Under ASan, pieces that lie free are poisoned.
 */
#ifndef WEFT_BASE_POOL_H
#define WEFT_BASE_POOL_H

#include "base/defs.h"

struct pool {
    const char *name; /* for metrics and panics; not copied */
    size_t size;      /* of one piece, rounded up to 16 */
    size_t max, keep;
    size_t out, idle; /* pieces in use, pieces kept */
    size_t out_highest;
    uint64_t refused; /* takes that found the pool used up, or no memory */
    void *free_list;
};

void pool_init(struct pool *pool, const char *name, size_t size, size_t max, size_t keep);
void *pool_take(struct pool *pool) MUST_CHECK;  /* not cleared; NULL: used up or out of memory */
void pool_give(struct pool *pool, void *piece); /* NULL is fine */
void pool_trim(struct pool *pool, size_t keep); /* gives idle pieces beyond `keep` back */
void pool_done(struct pool *pool);

#endif
