/* Context switches by themselves; built once more with ucontext instead of the assembly. */
#include "io/context.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define STACK_SIZE (256 * 1024)

/* Two contexts that switch to and fro: `here` is the test's own. */
struct pair {
    struct context here, there;
    char *stack;
    void (*run)(struct pair *pair);
    unsigned count;
    uint64_t seed;
    bool right;
};

static void there_main(void *argument)
{
    struct pair *pair = argument;

    for (;;) {
        pair->run(pair);
        context_switch(&pair->there, &pair->here);
    }
}

static void pair_open(struct pair *pair, void (*run)(struct pair *pair))
{
    *pair = (struct pair){ .stack = malloc(STACK_SIZE), .run = run };
    assert_non_null(pair->stack);
    context_make(&pair->there, pair->stack, STACK_SIZE, there_main, pair);
}

static void pair_close(struct pair *pair)
{
    free(pair->stack);
}

static void count_run(struct pair *pair)
{
    pair->count++;
}

static void test_returns_where_it_was_left(void **state)
{
    struct pair pair;

    pair_open(&pair, count_run);
    assert_int_equal(pair.count, 0); /* not before it is switched to */
    for (unsigned i = 1; i <= 1000; i++) {
        context_switch(&pair.here, &pair.there);
        assert_int_equal(pair.count, i);
    }
    pair_close(&pair);
}

/* Not inlined: its frame must lie on the stack of whoever calls it. */
static __attribute__((noinline)) void frame_run(struct pair *pair)
{
    alignas(16) volatile char aligned[16];
    uintptr_t at = (uintptr_t)&aligned;

    aligned[0] = 1;
    pair->right = at % 16 == 0 && (at < (uintptr_t)pair->stack) == false && at < (uintptr_t)pair->stack + STACK_SIZE;
}

static void test_runs_on_its_own_stack(void **state)
{
    struct pair pair;

    pair_open(&pair, frame_run);
    context_switch(&pair.here, &pair.there);
    assert_true(pair.right);
    pair_close(&pair);
}

/* The first function on a stack sees it aligned as the ABI says, whatever the stack's own ends are. */
static void test_aligns_odd_stacks(void **state)
{
    for (size_t odd = 0; odd < 64; odd += 8) {
        struct pair pair;

        pair_open(&pair, frame_run);
        context_make(&pair.there, pair.stack, STACK_SIZE - odd, there_main, &pair);
        context_switch(&pair.here, &pair.there);
        assert_true(pair.right);
        pair_close(&pair);
    }
}

/* --- registers --------------------------------------------------------------------------------------------- */

#define WORDS 12 /* more than there are callee-saved registers, of either kind */

static uint64_t mix(uint64_t x)
{
    x = (x ^ (x >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
    return x ^ (x >> 27);
}

/* Fills every callee-saved register with rubbish. The compiler saves what it needs around this. */
static inline void registers_spoil(void)
{
#if defined(__x86_64__)
    __asm__ volatile("mov $-1, %%rbx\n mov $-2, %%r12\n mov $-3, %%r13\n mov $-4, %%r14\n mov $-5, %%r15" ::
                         : "rbx", "r12", "r13", "r14", "r15", "memory");
#elif defined(__aarch64__)
    __asm__ volatile("mov x19, #-1\n mov x20, #-2\n mov x21, #-3\n mov x22, #-4\n mov x23, #-5\n mov x24, #-6\n"
                     "mov x25, #-7\n mov x26, #-8\n mov x27, #-9\n mov x28, #-10\n"
                     "fmov d8, #1.0\n fmov d9, #2.0\n fmov d10, #3.0\n fmov d11, #4.0\n fmov d12, #5.0\n"
                     "fmov d13, #6.0\n fmov d14, #7.0\n fmov d15, #8.0" ::
                         : "x19", "x20", "x21", "x22", "x23", "x24", "x25", "x26", "x27", "x28", "v8", "v9", "v10",
                           "v11", "v12", "v13", "v14", "v15", "memory");
#endif
}

/* Keeps integers and doubles alive over switches: the optimiser holds as many as it can in registers. */
static __attribute__((noinline)) bool values_survive(struct context *from, struct context *to, uint64_t seed)
{
    uint64_t a = mix(seed + 1), b = mix(seed + 2), c = mix(seed + 3), d = mix(seed + 4), e = mix(seed + 5),
             f = mix(seed + 6), g = mix(seed + 7), h = mix(seed + 8), i = mix(seed + 9), j = mix(seed + 10);
    double t = (double)seed + 0.25, u = t * 3, v = t * 5, w = t * 7, x = t * 11, y = t * 13, z = t * 17, s = t * 19;
    uint64_t sum = a ^ b ^ c ^ d ^ e ^ f ^ g ^ h ^ i ^ j;
    double total = s + t + u + v + w + x + y + z;

    for (unsigned round = 0; round < WORDS; round++) {
        registers_spoil();
        context_switch(from, to);
        __asm__ volatile("" : "+r"(a), "+r"(b), "+r"(c), "+r"(d), "+r"(e)); /* they may have changed: read again */
        __asm__ volatile("" : "+r"(f), "+r"(g), "+r"(h), "+r"(i), "+r"(j));
#if defined(__x86_64__)
        __asm__ volatile("" : "+x"(s), "+x"(t), "+x"(u), "+x"(v), "+x"(w), "+x"(x), "+x"(y), "+x"(z));
#elif defined(__aarch64__)
        __asm__ volatile("" : "+w"(s), "+w"(t), "+w"(u), "+w"(v), "+w"(w), "+w"(x), "+w"(y), "+w"(z));
#endif
        if (sum != (a ^ b ^ c ^ d ^ e ^ f ^ g ^ h ^ i ^ j) || total != s + t + u + v + w + x + y + z)
            return false;
    }
    return true;
}

static void values_run(struct pair *pair)
{
    pair->right = values_survive(&pair->there, &pair->here, pair->seed);
}

static void test_registers_survive(void **state)
{
    struct pair pair;

    for (uint64_t seed = 1; seed < 50; seed++) {
        pair_open(&pair, values_run);
        pair.seed = mix(seed);
        assert_true(values_survive(&pair.here, &pair.there, seed));
        context_switch(&pair.here, &pair.there);
        assert_true(pair.right);
        pair_close(&pair);
    }
}

#if defined(__x86_64__) || defined(__aarch64__)

#ifdef __x86_64__
#define REGISTERS 6 /* rbx rbp r12 r13 r14 r15 */

void switch_with_registers(uint64_t *registers, struct context *from, struct context *to);

/* Loads the callee-saved registers from memory, switches, and stores what it finds in them. */
__asm__(".text\n"
        "switch_with_registers:\n"
        "    push %rbx\n push %rbp\n push %r12\n push %r13\n push %r14\n push %r15\n push %rdi\n"
        "    mov 0(%rdi), %rbx\n mov 8(%rdi), %rbp\n mov 16(%rdi), %r12\n mov 24(%rdi), %r13\n"
        "    mov 32(%rdi), %r14\n mov 40(%rdi), %r15\n"
        "    mov %rsi, %rdi\n mov %rdx, %rsi\n call context_switch\n"
        "    pop %rdi\n"
        "    mov %rbx, 0(%rdi)\n mov %rbp, 8(%rdi)\n mov %r12, 16(%rdi)\n mov %r13, 24(%rdi)\n"
        "    mov %r14, 32(%rdi)\n mov %r15, 40(%rdi)\n"
        "    pop %r15\n pop %r14\n pop %r13\n pop %r12\n pop %rbp\n pop %rbx\n ret\n");
#else
#define REGISTERS 18 /* x19 to x28, d8 to d15 */

void switch_with_registers(uint64_t *registers, struct context *from, struct context *to);

__asm__(".text\n"
        "switch_with_registers:\n"
        "    sub sp, sp, #176\n"
        "    stp x19, x20, [sp, #0]\n stp x21, x22, [sp, #16]\n stp x23, x24, [sp, #32]\n stp x25, x26, [sp, #48]\n"
        "    stp x27, x28, [sp, #64]\n stp x29, x30, [sp, #80]\n stp d8, d9, [sp, #96]\n stp d10, d11, [sp, #112]\n"
        "    stp d12, d13, [sp, #128]\n stp d14, d15, [sp, #144]\n str x0, [sp, #160]\n"
        "    ldp x19, x20, [x0, #0]\n ldp x21, x22, [x0, #16]\n ldp x23, x24, [x0, #32]\n ldp x25, x26, [x0, #48]\n"
        "    ldp x27, x28, [x0, #64]\n ldp d8, d9, [x0, #80]\n ldp d10, d11, [x0, #96]\n ldp d12, d13, [x0, #112]\n"
        "    ldp d14, d15, [x0, #128]\n"
        "    mov x0, x1\n mov x1, x2\n bl context_switch\n"
        "    ldr x0, [sp, #160]\n"
        "    stp x19, x20, [x0, #0]\n stp x21, x22, [x0, #16]\n stp x23, x24, [x0, #32]\n stp x25, x26, [x0, #48]\n"
        "    stp x27, x28, [x0, #64]\n stp d8, d9, [x0, #80]\n stp d10, d11, [x0, #96]\n stp d12, d13, [x0, #112]\n"
        "    stp d14, d15, [x0, #128]\n"
        "    ldp x19, x20, [sp, #0]\n ldp x21, x22, [sp, #16]\n ldp x23, x24, [sp, #32]\n ldp x25, x26, [sp, #48]\n"
        "    ldp x27, x28, [sp, #64]\n ldp x29, x30, [sp, #80]\n ldp d8, d9, [sp, #96]\n ldp d10, d11, [sp, #112]\n"
        "    ldp d12, d13, [sp, #128]\n ldp d14, d15, [sp, #144]\n add sp, sp, #176\n ret\n");
#endif

static void spoil_run(struct pair *pair)
{
    uint64_t registers[REGISTERS];

    for (unsigned i = 0; i < REGISTERS; i++)
        registers[i] = mix(pair->seed + 1000 + i);
    switch_with_registers(registers, &pair->there, &pair->here);
    pair->right = true;
    for (unsigned i = 0; i < REGISTERS; i++)
        pair->right &= registers[i] == mix(pair->seed + 1000 + i);
}

/* Every callee-saved register, by name: a context finds its own values again while the other has its own. */
static void test_every_register_survives(void **state)
{
    uint64_t registers[REGISTERS];
    struct pair pair;

    pair_open(&pair, spoil_run);
    for (uint64_t seed = 0; seed < 100; seed++) {
        pair.seed = seed * 7919;
        pair.right = false;
        for (unsigned i = 0; i < REGISTERS; i++)
            registers[i] = mix(seed + i);
        switch_with_registers(registers, &pair.here, &pair.there);
        for (unsigned i = 0; i < REGISTERS; i++)
            assert_int_equal(registers[i], mix(seed + i));
        context_switch(&pair.here, &pair.there);
        assert_true(pair.right);
    }
    pair_close(&pair);
}

#endif

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_returns_where_it_was_left),
        cmocka_unit_test(test_runs_on_its_own_stack),
        cmocka_unit_test(test_aligns_odd_stacks),
        cmocka_unit_test(test_registers_survive),
#if defined(__x86_64__) || defined(__aarch64__)
        cmocka_unit_test(test_every_register_survives),
#endif
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
