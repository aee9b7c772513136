#include "base/arena.h"

#include "base/alloc.h"
#include "base/assert.h"
#include "base/limits.h"
#include "base/poison.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>

#define PIECE_ALIGNMENT ((size_t)16)

/* Stands at the start of a pool's piece, or of memory from mem_alloc(); what is given out follows. */
struct arena_block {
    struct arena_block *older;
    size_t size; /* of the whole block */
};

_Static_assert(sizeof(struct arena_block) % 16 == 0, "pieces behind the header must be aligned");

void arena_init(struct arena *arena, struct pool *pool, size_t max)
{
    ASSERT(!pool || pool->size > sizeof(struct arena_block));
    *arena = (struct arena){ .pool = pool, .max = max };
}

void arena_done(struct arena *arena)
{
    struct arena_block *block = arena->blocks;

    while (block) {
        struct arena_block *older = block->older;

        memory_unpoison(block, block->size);
        if (arena->pool)
            pool_give(arena->pool, block);
        else
            mem_free(block);
        block = older;
    }
    arena_init(arena, arena->pool, arena->max);
}

static struct arena_block *block_take(struct arena *arena, size_t piece)
{
    size_t size = arena->pool ? arena->pool->size : ARENA_BLOCK_SIZE;
    struct arena_block *block;

    if (piece > size - sizeof(*block)) {
        if (arena->pool)
            return NULL;
        size = piece + sizeof(*block);
    }
    block = arena->pool ? pool_take(arena->pool) : mem_alloc(size);
    if (!block)
        return NULL;
    block->older = NULL;
    block->size = size;
    memory_poison(block + 1, size - sizeof(*block));
    return block;
}

static size_t room(const struct arena *arena)
{
    return (size_t)(arena->end - arena->next);
}

/* A new block becomes the newest, unless it has less room to offer than the present one: a large piece has a
 * block for itself, which goes behind. Returns where the piece begins. */
static char *grow(struct arena *arena, size_t piece)
{
    struct arena_block *block = block_take(arena, piece);
    char *start, *end;

    if (!block)
        return NULL;
    start = (char *)(block + 1);
    end = (char *)block + block->size;
    if (arena->blocks && (size_t)(end - start) - piece < room(arena)) {
        block->older = arena->blocks->older;
        arena->blocks->older = block;
        return start;
    }
    block->older = arena->blocks;
    arena->blocks = block;
    arena->next = start + piece;
    arena->end = end;
    return start;
}

void *arena_alloc(struct arena *arena, size_t size)
{
    size_t piece;
    char *start;

    if (unlikely(size > PTRDIFF_MAX - 2 * PIECE_ALIGNMENT))
        return NULL;
    piece = (MAX(size, 1) + PIECE_ALIGNMENT - 1) & ~(PIECE_ALIGNMENT - 1);
    if (unlikely(piece > arena->max || arena->used > arena->max - piece))
        return NULL;
    if (likely(piece <= room(arena))) {
        start = arena->next;
        arena->next += piece;
    } else {
        start = grow(arena, piece);
        if (!start)
            return NULL;
    }
    arena->used += piece;
    memory_unpoison(start, size); /* not what rounding added: a write past the end is seen */
    return start;
}

void *arena_zalloc(struct arena *arena, size_t size)
{
    void *memory = arena_alloc(arena, size);

    return memory ? memset(memory, 0, size) : NULL;
}

int arena_copy(struct arena *arena, struct bytes from, struct bytes *ret)
{
    char *copy;

    if (from.len == 0) {
        *ret = BYTES("");
        return 0;
    }
    copy = arena_alloc(arena, from.len);
    if (!copy)
        return -ENOMEM;
    memcpy(copy, from.data, from.len);
    *ret = bytes_of(copy, from.len);
    return 0;
}

char *arena_text(struct arena *arena, struct bytes from)
{
    char *copy = from.len < SIZE_MAX ? arena_alloc(arena, from.len + 1) : NULL;

    if (!copy)
        return NULL;
    if (from.len > 0)
        memcpy(copy, from.data, from.len);
    copy[from.len] = '\0';
    return copy;
}

int arena_format(struct arena *arena, struct bytes *ret, const char *format, ...)
{
    char try[256]; /* most texts are shorter and are formatted once */
    char *memory;
    va_list args;
    int len;

    va_start(args, format);
    len = vsnprintf(try, sizeof(try), format, args);
    va_end(args);
    if (len < 0)
        return -EINVAL;
    memory = arena_alloc(arena, (size_t)len + 1);
    if (!memory)
        return -ENOMEM;
    if ((size_t)len < sizeof(try)) {
        memcpy(memory, try, (size_t)len + 1);
    } else {
        va_start(args, format);
        vsnprintf(memory, (size_t)len + 1, format, args);
        va_end(args);
    }
    *ret = bytes_of(memory, (size_t)len);
    return 0;
}

void arena_adopt(struct arena *to, struct arena *from)
{
    struct arena_block *oldest = from->blocks;

    ASSERT(to != from && to->pool == from->pool);
    if (!oldest)
        return;
    if (!to->blocks) {
        to->blocks = from->blocks;
        to->next = from->next;
        to->end = from->end;
    } else {
        while (oldest->older)
            oldest = oldest->older;
        oldest->older = to->blocks->older; /* behind the newest, whose room stays in use */
        to->blocks->older = from->blocks;
    }
    to->used += from->used;
    arena_init(from, from->pool, from->max);
}
