#include "io/context.h"

#include "base/assert.h"

#ifndef WEFT_CONTEXT_UCONTEXT

void context_start(void);

/* Lays the frame that context_switch() pops: the saved registers, then where to go. */
void context_make(struct context *context, void *low, size_t size, void (*entry)(void *), void *argument)
{
    uintptr_t top = ((uintptr_t)low + size) & ~(uintptr_t)15;
    uintptr_t *frame;

#if defined(__x86_64__)
    frame = (uintptr_t *)(top - 9 * sizeof(uintptr_t)); /* context_start sees rsp = top - 16: aligned before its call */
    frame[0] = frame[1] = 0;                            /* r15 r14 */
    frame[2] = (uintptr_t)argument;                     /* r13 */
    frame[3] = (uintptr_t)entry;                        /* r12 */
    frame[4] = frame[5] = 0;                            /* rbx rbp */
    frame[6] = (uintptr_t)context_start;
    frame[7] = frame[8] = 0;
#else
    frame = (uintptr_t *)(top - 20 * sizeof(uintptr_t));
    for (unsigned i = 0; i < 20; i++)
        frame[i] = 0;
    frame[0] = (uintptr_t)entry;          /* x19 */
    frame[1] = (uintptr_t)argument;       /* x20 */
    frame[11] = (uintptr_t)context_start; /* x30 */
#endif
    context->stack_pointer = frame;
}

#else

/* makecontext() passes ints only: a pointer goes as two halves (POSIX.1-2001, makecontext, application usage). */
static void ucontext_entry(unsigned entry_high, unsigned entry_low, unsigned argument_high, unsigned argument_low)
{
    uint64_t entry = (uint64_t)entry_high << 32 | entry_low;
    uint64_t argument = (uint64_t)argument_high << 32 | argument_low;

    ((void (*)(void *))(uintptr_t)entry)((void *)(uintptr_t)argument);
}

void context_make(struct context *context, void *low, size_t size, void (*entry)(void *), void *argument)
{
    uint64_t e = (uint64_t)(uintptr_t)entry, a = (uint64_t)(uintptr_t)argument;

    ASSERT(getcontext(&context->saved) == 0);
    context->saved.uc_stack.ss_sp = low;
    context->saved.uc_stack.ss_size = size;
    context->saved.uc_link = NULL;
    makecontext(&context->saved, (void (*)(void))ucontext_entry, 4, (unsigned)(e >> 32), (unsigned)e,
                (unsigned)(a >> 32), (unsigned)a);
}

void context_switch(struct context *from, struct context *to)
{
    ASSERT(swapcontext(&from->saved, &to->saved) == 0);
}

#endif
