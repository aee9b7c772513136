/* base/alloc.h - the one place where Weft takes memory from the C library.
 *
 * (1) Only start-up code, pools, arenas' blocks and things that live as long as a snapshot allocate; the
 *     HTTP/1 request path does not, and a test counts that with mem_stats().
 * (2) Every call may fail with NULL, and the caller passes -ENOMEM up.
 * (3) A test makes the n-th allocation of its thread fail with mem_fail_after(); see tests/unit/faults.h.
 * Counters and the countdown are kept per thread.
 */
#ifndef WEFT_BASE_ALLOC_H
#define WEFT_BASE_ALLOC_H

#include "base/defs.h"

struct mem_stats {
    uint64_t allocations; /* successful calls of this thread so far */
    uint64_t frees;
    int64_t live; /* allocations minus frees; may be negative where another thread allocated */
};

void *mem_alloc(size_t size) MUST_CHECK __attribute__((malloc));  /* not cleared */
void *mem_zalloc(size_t size) MUST_CHECK __attribute__((malloc)); /* all zero */
void *mem_zalloc_array(size_t count, size_t size) MUST_CHECK;     /* NULL on overflow too */
void *mem_realloc(void *old, size_t size) MUST_CHECK;             /* the old one lives on failure */
void *mem_aligned(size_t alignment, size_t size) MUST_CHECK;      /* alignment: a power of two */
char *mem_copy_text(const char *data, size_t len) MUST_CHECK;     /* zero-terminated copy */
void mem_free(void *memory);                                      /* NULL is fine */

struct mem_stats mem_stats(void);

/* Gives pages back that lie free, of all threads: the C library keeps those that anything lives above. [walks all that
 * lies free; others wait meanwhile when they allocate] */
void mem_trim(void);

/* Lets `count` more allocations of this thread succeed, then fails one, then all succeed again. -1 turns
 * it off. Returns whether the previous countdown had fired. For tests. */
bool mem_fail_after(int64_t count);

#endif
