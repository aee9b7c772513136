/* base/poison.h - tells AddressSanitizer which bytes nobody may touch now; nothing in other builds. */
#ifndef WEFT_BASE_POISON_H
#define WEFT_BASE_POISON_H

#include "base/defs.h"

#if defined(__has_feature)
#if __has_feature(address_sanitizer)
#define WEFT_ASAN 1
#endif
#endif
#if defined(__SANITIZE_ADDRESS__) && !defined(WEFT_ASAN)
#define WEFT_ASAN 1
#endif

#ifdef WEFT_ASAN
#include <sanitizer/asan_interface.h>
#endif

static inline void memory_poison(const void *memory, size_t len)
{
#ifdef WEFT_ASAN
    __asan_poison_memory_region(memory, len);
#endif
}

static inline void memory_unpoison(const void *memory, size_t len)
{
#ifdef WEFT_ASAN
    __asan_unpoison_memory_region(memory, len);
#endif
}

#endif
