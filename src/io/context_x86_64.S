/* void context_switch(struct context *from, struct context *to): rdi, rsi. See io/context.h. */
    .text
    .globl context_switch
    .type context_switch, @function
    .p2align 4
context_switch:
    .cfi_startproc
    pushq %rbp
    pushq %rbx
    pushq %r12
    pushq %r13
    pushq %r14
    pushq %r15
    movq %rsp, (%rdi)
    movq (%rsi), %rsp
    popq %r15
    popq %r14
    popq %r13
    popq %r12
    popq %rbx
    popq %rbp
    ret
    .cfi_endproc
    .size context_switch, . - context_switch

/* The first frame of a fiber: r12 is the entry, r13 its argument. The return address above is undefined, so that
 * unwinders stop here. */
    .globl context_start
    .type context_start, @function
    .p2align 4
context_start:
    .cfi_startproc
    .cfi_undefined rip
    movq %r13, %rdi
    callq *%r12
    ud2
    .cfi_endproc
    .size context_start, . - context_start

    .section .note.GNU-stack, "", @progbits
