/* base/assert.h - programmer errors end the process, always: the checks stay in release builds.
 *
 * ASSERT is for what only a bug in Weft can make false. Bad input, a full pool or a dead peer are
 * ordinary outcomes and get an errno or an outcome instead. Before the process ends, the panic hook (if
 * one is set) prints what is known about the work in hand, so that the report needs no core file.
 *
 * Structs that are reached through a void pointer or another thread start with a magic number:
 *     CHECK_MAGIC(x, EXCHANGE_MAGIC);
 */
#ifndef WEFT_BASE_ASSERT_H
#define WEFT_BASE_ASSERT_H

#include "base/defs.h"

/* Prints the place and ends the process by abort(). Never returns. */
NORETURN void assert_failed(const char *file, int line, const char *function, const char *condition);

/* Called by assert_failed() with the whole message before the process ends; it must not allocate or wait.
 * There is one hook a process; NULL takes it away. Without a hook the message goes to stderr. */
void assert_set_hook(void (*hook)(const char *message));

#define ASSERT(condition) (likely(condition) ? (void)0 : assert_failed(__FILE__, __LINE__, __func__, #condition))

#define CHECK_MAGIC(pointer, value) ASSERT((pointer) != NULL && (pointer)->magic == (value))

#endif
