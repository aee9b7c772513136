/* base/defs.h - the few macros that every file of Weft may use. */
#ifndef WEFT_BASE_DEFS_H
#define WEFT_BASE_DEFS_H

#include <errno.h>
#include <stdalign.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

/* The caller must look at the result: 0 or a negative errno, unless the function says otherwise. */
#define MUST_CHECK __attribute__((warn_unused_result))
#define PRINTF_LIKE(string_index, first) __attribute__((format(printf, string_index, first)))
#define NORETURN __attribute__((noreturn))
#define UNUSED __attribute__((unused))

#define likely(x) __builtin_expect(!!(x), 1)
#define unlikely(x) __builtin_expect(!!(x), 0)

#define ARRAY_LEN(a) (sizeof(a) / sizeof((a)[0]))

/* The struct of which `pointer` is the member: intrusive lists, tasks and wakes are found this way. */
#define container_of(pointer, type, member) ((type *)(void *)((char *)(pointer)-offsetof(type, member)))

#define MIN(a, b) ((a) < (b) ? (a) : (b))
#define MAX(a, b) ((a) > (b) ? (a) : (b))

/* Times are int64_t nanoseconds everywhere; a name that ends in _ns says so. */
#define NS_PER_US INT64_C(1000)
#define NS_PER_MS INT64_C(1000000)
#define NS_PER_S INT64_C(1000000000)
#define TIME_NEVER INT64_MAX /* a deadline that does not come */

#define KIB ((size_t)1024)
#define MIB ((size_t)1024 * 1024)

#endif
