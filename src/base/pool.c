#include "base/pool.h"

#include "base/alloc.h"
#include "base/assert.h"
#include "base/poison.h"

/* What stands at the start of a piece that lies free. */
struct free_piece {
    struct free_piece *next;
};

#define PIECE_ALIGNMENT ((size_t)16)

void pool_init(struct pool *pool, const char *name, size_t size, size_t max, size_t keep)
{
    ASSERT(size > 0 && size <= SIZE_MAX - PIECE_ALIGNMENT);
    *pool = (struct pool){
        .name = name,
        .size = (size + PIECE_ALIGNMENT - 1) & ~(PIECE_ALIGNMENT - 1),
        .max = max,
        .keep = keep,
    };
}

static void *pop_idle(struct pool *pool)
{
    struct free_piece *piece = pool->free_list;

    memory_unpoison(piece, pool->size);
    pool->free_list = piece->next;
    pool->idle--;
    return piece;
}

/* Writing the link touches the piece before it is poisoned: giving one back twice is seen by ASan. */
static void push_idle(struct pool *pool, struct free_piece *piece)
{
    piece->next = pool->free_list;
    pool->free_list = piece;
    pool->idle++;
    memory_poison(piece, pool->size);
}

void *pool_take(struct pool *pool)
{
    void *piece = NULL;

    if (likely(pool->out < pool->max))
        piece = likely(pool->idle > 0) ? pop_idle(pool) : mem_alloc(pool->size);
    if (unlikely(!piece)) {
        pool->refused++;
        return NULL;
    }
    pool->out++;
    pool->out_highest = MAX(pool->out_highest, pool->out);
    return piece;
}

void pool_give(struct pool *pool, void *piece)
{
    if (!piece)
        return;
    ASSERT(pool->out > 0);
    pool->out--;
    if (pool->idle < pool->keep)
        push_idle(pool, piece);
    else
        mem_free(piece);
}

void pool_trim(struct pool *pool, size_t keep)
{
    while (pool->idle > keep)
        mem_free(pop_idle(pool));
}

void pool_done(struct pool *pool)
{
    ASSERT(pool->out == 0);
    pool_trim(pool, 0);
}
