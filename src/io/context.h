/* io/context.h - saving and restoring where a stack was left. Private to io/.
 *
 * x86-64 and aarch64 in assembly: the callee-saved registers only (System V AMD64 ABI 1.0, 3.2.3; AAPCS64, 6.1.1).
 * The floating-point modes are not switched: nothing in Weft changes them. Elsewhere ucontext, and wherever
 * WEFT_CONTEXT_UCONTEXT is defined: a test does.
 */
#ifndef WEFT_IO_CONTEXT_H
#define WEFT_IO_CONTEXT_H

#include "base/defs.h"

#if !defined(__x86_64__) && !defined(__aarch64__) && !defined(WEFT_CONTEXT_UCONTEXT)
#define WEFT_CONTEXT_UCONTEXT 1
#endif

#ifndef WEFT_CONTEXT_UCONTEXT
struct context {
    void *stack_pointer;
};
#else
#include <ucontext.h>
struct context {
    ucontext_t saved;
};
#endif

/* Prepares a context that calls entry(argument) on the stack [low, low + size) when it is first switched to. entry
 * must never return. */
void context_make(struct context *context, void *low, size_t size, void (*entry)(void *), void *argument);

/* Saves the running context in *from and goes on in *to. Returns when somebody switches back. */
void context_switch(struct context *from, struct context *to);

#endif
