#include "sim/memory.h"

#include "base/assert.h"

#include <stdlib.h>
#include <string.h>

#define PIECE_MAGIC 0x70696563U

struct piece {
    struct list_node node;
    struct sim_memory *owner;
    size_t size;
    void *whole; /* what the allocator gave */
    uint32_t magic;
    bool of_world;      /* from the C library: mem_fail_after() and mem_stats() are for what is simulated */
    uint32_t unused[4]; /* the head is a multiple of 16 bytes */
};

_Static_assert(sizeof(struct piece) % 16 == 0, "what follows the head must be aligned");

/* Whose code runs on this thread; a test may run several worlds on threads of its own. */
static _Thread_local struct sim_memory *memory_owner;

/* The linker's names: __real_X is X of base/alloc.c, __wrap_X is what everybody else's calls of X become. */
void *__real_mem_alloc(size_t size);
void *__real_mem_aligned(size_t alignment, size_t size);
void __real_mem_free(void *memory);
void *__wrap_mem_alloc(size_t size);
void *__wrap_mem_zalloc(size_t size);
void *__wrap_mem_zalloc_array(size_t count, size_t size);
void *__wrap_mem_realloc(void *old, size_t size);
void *__wrap_mem_aligned(size_t alignment, size_t size);
char *__wrap_mem_copy_text(const char *data, size_t len);
void __wrap_mem_free(void *memory);

static struct piece *piece_of(void *memory)
{
    struct piece *piece = (struct piece *)memory - 1;

    CHECK_MAGIC(piece, PIECE_MAGIC);
    return piece;
}

static void *piece_place(void *whole, size_t head, size_t size, struct sim_memory *owner)
{
    struct piece *piece;

    if (!whole)
        return NULL;
    piece = (struct piece *)(void *)((char *)whole + head) - 1;
    *piece = (struct piece){ .magic = PIECE_MAGIC, .whole = whole, .size = size, .owner = owner };
    list_init(&piece->node);
    if (owner) {
        list_push_back(&owner->pieces, &piece->node);
        owner->count++;
        owner->bytes += size;
    }
    return piece + 1;
}

void *__wrap_mem_alloc(size_t size)
{
    if (size > SIZE_MAX - sizeof(struct piece))
        return NULL;
    return piece_place(__real_mem_alloc(sizeof(struct piece) + size), sizeof(struct piece), size, memory_owner);
}

void *__wrap_mem_zalloc(size_t size)
{
    void *memory = __wrap_mem_alloc(size);

    if (memory)
        memset(memory, 0, size);
    return memory;
}

void *__wrap_mem_zalloc_array(size_t count, size_t size)
{
    size_t all;

    if (__builtin_mul_overflow(count, size, &all))
        return NULL;
    return __wrap_mem_zalloc(all);
}

void *__wrap_mem_aligned(size_t alignment, size_t size)
{
    size_t head = MAX(alignment, sizeof(struct piece));

    ASSERT(head % alignment == 0);
    if (size > SIZE_MAX - head)
        return NULL;
    return piece_place(__real_mem_aligned(alignment, head + size), head, size, memory_owner);
}

char *__wrap_mem_copy_text(const char *data, size_t len)
{
    char *text = __wrap_mem_alloc(len + 1);

    if (!text)
        return NULL;
    if (len)
        memcpy(text, data, len);
    text[len] = '\0';
    return text;
}

void __wrap_mem_free(void *memory)
{
    struct piece *piece;

    if (!memory)
        return;
    piece = piece_of(memory);
    list_remove(&piece->node);
    if (piece->owner) {
        piece->owner->count--;
        piece->owner->bytes -= piece->size;
    }
    piece->magic = 0;
    if (piece->of_world)
        free(piece->whole);
    else
        __real_mem_free(piece->whole);
}

/* Always moves: nothing may rely on staying in place. */
void *__wrap_mem_realloc(void *old, size_t size)
{
    void *memory = __wrap_mem_alloc(size);

    if (!memory || !old)
        return memory;
    memcpy(memory, old, MIN(size, piece_of(old)->size));
    __wrap_mem_free(old);
    return memory;
}

void sim_memory_init(struct sim_memory *memory)
{
    list_init(&memory->pieces);
    memory->count = 0;
    memory->bytes = 0;
}

struct sim_memory *sim_memory_enter(struct sim_memory *memory)
{
    struct sim_memory *before = memory_owner;

    memory_owner = memory;
    return before;
}

uint64_t sim_memory_drop(struct sim_memory *memory)
{
    uint64_t count = memory->count;

    while (!list_empty(&memory->pieces))
        __wrap_mem_free(container_of(memory->pieces.next, struct piece, node) + 1);
    ASSERT(memory->count == 0 && memory->bytes == 0);
    return count;
}

void *sim_take(size_t size)
{
    void *memory = piece_place(calloc(1, sizeof(struct piece) + size), sizeof(struct piece), size, NULL);

    ASSERT(memory != NULL);
    piece_of(memory)->of_world = true;
    return memory;
}
