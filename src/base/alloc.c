#include "base/alloc.h"

#include <malloc.h>
#include <stdlib.h>
#include <string.h>

static _Thread_local struct mem_stats thread_stats;
static _Thread_local int64_t thread_countdown = -1; /* -1: no allocation is to fail */
static _Thread_local bool thread_fired;

/* Whether this allocation is the one that a test wants to fail. */
static bool fails_on_purpose(void)
{
    if (likely(thread_countdown < 0))
        return false;
    if (thread_countdown-- > 0)
        return false;
    thread_fired = true;
    return true;
}

static void *counted(void *memory)
{
    if (memory)
        thread_stats.allocations++;
    return memory;
}

/* The C library may answer a request of 0 bytes with NULL, which would look like a failure here. */
static size_t at_least_one(size_t size)
{
    return size ? size : 1;
}

void *mem_alloc(size_t size)
{
    if (fails_on_purpose())
        return NULL;
    return counted(malloc(at_least_one(size)));
}

void *mem_zalloc(size_t size)
{
    return mem_zalloc_array(1, size);
}

void *mem_zalloc_array(size_t count, size_t size)
{
    size_t whole;

    if (fails_on_purpose() || __builtin_mul_overflow(count, size, &whole))
        return NULL;
    return counted(calloc(1, at_least_one(whole)));
}

void *mem_realloc(void *old, size_t size)
{
    void *memory;

    if (fails_on_purpose())
        return NULL;
    memory = counted(realloc(old, at_least_one(size)));
    if (memory && old)
        thread_stats.frees++;
    return memory;
}

void *mem_aligned(size_t alignment, size_t size)
{
    void *memory = NULL;

    if (fails_on_purpose())
        return NULL;
    if (posix_memalign(&memory, MAX(alignment, sizeof(void *)), at_least_one(size)) != 0)
        return NULL;
    return counted(memory);
}

char *mem_copy_text(const char *data, size_t len)
{
    char *copy;

    if (len == SIZE_MAX)
        return NULL;
    copy = mem_alloc(len + 1);
    if (!copy)
        return NULL;
    if (len > 0)
        memcpy(copy, data, len);
    copy[len] = '\0';
    return copy;
}

void mem_free(void *memory)
{
    if (!memory)
        return;
    thread_stats.frees++;
    free(memory);
}

struct mem_stats mem_stats(void)
{
    struct mem_stats stats = thread_stats;

    stats.live = (int64_t)(stats.allocations - stats.frees);
    return stats;
}

void mem_trim(void)
{
#ifdef __GLIBC__
    (void)malloc_trim(0);
#endif
}

bool mem_fail_after(int64_t count)
{
    bool fired = thread_fired;

    thread_countdown = count;
    thread_fired = false;
    return fired;
}
