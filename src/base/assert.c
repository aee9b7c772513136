#include "base/assert.h"

#include "base/limits.h"

#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>

/* A process ends once, whichever thread finds the reason: one hook for all of them. */
static _Atomic(void (*)(const char *message)) assert_hook;

void assert_set_hook(void (*hook)(const char *message))
{
    atomic_store(&assert_hook, hook);
}

NORETURN void assert_failed(const char *file, int line, const char *function, const char *condition)
{
    char message[PANIC_TEXT_MAX];
    void (*hook)(const char *message) = atomic_exchange(&assert_hook, NULL);

    /* The hook is taken, not read: an assertion that fails inside it goes to stderr and ends. */
    snprintf(message, sizeof(message), "%s:%d: %s: assertion failed: %s", file, line, function, condition);
    if (hook) {
        hook(message);
    } else {
        fputs(message, stderr);
        fputs("\n", stderr);
    }
    abort();
}
