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

static _Thread_local struct mem_stats memory_stats;
static _Thread_local int64_t memory_countdown = -1; /* -1: no allocation is to fail */
static _Thread_local bool memory_fired;

static struct piece *piece_of(void *memory)
{
    struct piece *piece = (struct piece *)memory - 1;

    CHECK_MAGIC(piece, PIECE_MAGIC);
    return piece;
}

/* `head` bytes before the memory itself; NULL passes through. */
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

/* --- base/alloc.h ----------------------------------------------------------------------------------------------- */

static bool fails_on_purpose(void)
{
    if (memory_countdown < 0 || memory_countdown-- > 0)
        return false;
    memory_fired = true;
    return true;
}

void *mem_aligned(size_t alignment, size_t size)
{
    size_t head = MAX(alignment, sizeof(struct piece));
    void *whole = NULL;

    ASSERT(head % alignment == 0);
    if (fails_on_purpose() || size > SIZE_MAX - head ||
        posix_memalign(&whole, MAX(alignment, sizeof(void *)), head + size) != 0)
        return NULL;
    memory_stats.allocations++;
    return piece_place(whole, head, size, memory_owner);
}

void *mem_alloc(size_t size)
{
    return mem_aligned(16, size);
}

void *mem_zalloc(size_t size)
{
    void *memory = mem_alloc(size);

    return memory ? memset(memory, 0, size) : NULL;
}

void *mem_zalloc_array(size_t count, size_t size)
{
    size_t all;

    return __builtin_mul_overflow(count, size, &all) ? NULL : mem_zalloc(all);
}

/* Always moves: nothing may rely on staying in place. */
void *mem_realloc(void *old, size_t size)
{
    void *memory = mem_alloc(size);

    if (!memory || !old)
        return memory;
    memcpy(memory, old, MIN(size, piece_of(old)->size));
    mem_free(old);
    return memory;
}

char *mem_copy_text(const char *data, size_t len)
{
    char *text = len == SIZE_MAX ? NULL : mem_alloc(len + 1);

    if (!text)
        return NULL;
    if (len)
        memcpy(text, data, len);
    text[len] = '\0';
    return text;
}

void mem_free(void *memory)
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
    if (!piece->of_world)
        memory_stats.frees++;
    piece->magic = 0;
    free(piece->whole);
}

struct mem_stats mem_stats(void)
{
    struct mem_stats stats = memory_stats;

    stats.live = (int64_t)(stats.allocations - stats.frees);
    return stats;
}

bool mem_fail_after(int64_t count)
{
    bool fired = memory_fired;

    memory_countdown = count;
    memory_fired = false;
    return fired;
}

/* --- whose it is ------------------------------------------------------------------------------------------------ */

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
        mem_free(container_of(memory->pieces.next, struct piece, node) + 1);
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
