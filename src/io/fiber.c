#include "io/fiber_internal.h"

#ifdef WEFT_ASAN
#include <sanitizer/common_interface_defs.h>
#endif
#ifdef WEFT_TSAN
#include <sanitizer/tsan_interface.h>
#endif
#if __has_include(<valgrind/memcheck.h>)
#include <valgrind/memcheck.h>
#else
#define VALGRIND_STACK_REGISTER(low, high) 0u
#define VALGRIND_STACK_DEREGISTER(id) (void)(id)
#define VALGRIND_MAKE_MEM_DEFINED(memory, len) (void)0
#define VALGRIND_DISABLE_ERROR_REPORTING (void)0
#define VALGRIND_ENABLE_ERROR_REPORTING (void)0
#endif

/* --- switching, with what the sanitizers want to know ------------------------------------------------ */

/* The loop's own stack: where fibers come back to. One for each thread that runs a loop. */
struct home {
    struct context context;
    const void *stack; /* as ASan told on the first switch away */
    size_t stack_size;
    void *asan_fake_stack;
    void *tsan_fiber;
};

static _Thread_local struct home home;

static void leave_home(struct fiber *fiber)
{
#ifdef WEFT_ASAN
    __sanitizer_start_switch_fiber(&home.asan_fake_stack, fiber->stack, fiber->stack_size);
#endif
#ifdef WEFT_TSAN
    home.tsan_fiber = __tsan_get_current_fiber();
    __tsan_switch_to_fiber(fiber->tsan_fiber, 0);
#endif
    context_switch(&home.context, &fiber->context);
#ifdef WEFT_ASAN
    __sanitizer_finish_switch_fiber(home.asan_fake_stack, NULL, NULL);
#endif
}

static void arrive_in_fiber(struct fiber *fiber)
{
#ifdef WEFT_ASAN
    __sanitizer_finish_switch_fiber(fiber->asan_fake_stack, &home.stack, &home.stack_size);
#else
    (void)fiber;
#endif
}

static void go_home(struct fiber *fiber)
{
#ifdef WEFT_ASAN
    __sanitizer_start_switch_fiber(&fiber->asan_fake_stack, home.stack, home.stack_size);
#endif
#ifdef WEFT_TSAN
    __tsan_switch_to_fiber(home.tsan_fiber, 0);
#endif
    context_switch(&fiber->context, &home.context);
    arrive_in_fiber(fiber);
}

/* --- the life of a fiber -------------------------------------------------------------------------------- */

/* A fiber is used for one task after the other; between them it lies in the pool. */
static void fiber_main(void *argument)
{
    struct fiber *fiber = argument;

    arrive_in_fiber(fiber);
    for (;;) {
        fiber->task->result = fiber->task->run(fiber->task);
        ASSERT(fiber->scope == fiber->born); /* a scope was left open */
        fiber->state = FIBER_ENDED;
        go_home(fiber);
    }
}

static void limit_reached(struct timer *timer)
{
    struct fiber *fiber = container_of(timer, struct fiber, limit);

    (void)fiber_ready(fiber, -ETIMEDOUT);
}

static void socket_ready(struct wake *wake, unsigned events)
{
    struct fiber *fiber = container_of(wake, struct fiber, wake);

    fiber->events = events;
    (void)fiber_ready(fiber, 0);
}

static struct fiber *fiber_create(struct loop *loop)
{
    char *stack = loop->io->ops->stack_map(loop->io, STACK_SIZE);
    size_t usable = (STACK_SIZE - sizeof(struct fiber)) & ~(size_t)63;
    struct fiber *fiber;

    if (!stack)
        return NULL;
    fiber = (struct fiber *)(void *)(stack + usable);
    *fiber = (struct fiber){ .magic = FIBER_MAGIC, .loop = loop, .stack = stack, .stack_size = usable };
    timer_init(&fiber->limit, limit_reached);
    list_init(&fiber->node);
    list_push_back(&loop->fibers.all, &fiber->all);
    fiber->wake.run = socket_ready;
    context_make(&fiber->context, stack, usable, fiber_main, fiber);
    fiber->valgrind_stack = VALGRIND_STACK_REGISTER(stack, stack + usable);
#ifdef WEFT_TSAN
    fiber->tsan_fiber = __tsan_create_fiber(0);
#endif
    return fiber;
}

static void fiber_destroy(struct fiber *fiber)
{
    struct io *io = fiber->loop->io;
    void *stack = fiber->stack;

    list_remove(&fiber->all);
#ifdef WEFT_TSAN
    __tsan_destroy_fiber(fiber->tsan_fiber);
#endif
    VALGRIND_STACK_DEREGISTER(fiber->valgrind_stack);
    memory_unpoison(stack, STACK_SIZE);
    (void)VALGRIND_MAKE_MEM_DEFINED(stack, STACK_SIZE); /* what frames left behind: the io may clear it */
    io->ops->stack_unmap(io, stack, STACK_SIZE);
}

struct fiber *fiber_take(struct loop *loop, struct task *task, struct scope *scope)
{
    struct fiber_pool *pool = &loop->fibers;
    struct list_node *node = NULL;
    struct fiber *fiber = NULL;

    if (pool->count < pool->max) {
        node = list_pop_front(&pool->idle);
        fiber = node ? container_of(node, struct fiber, node) : fiber_create(loop);
    }
    if (!fiber) {
        pool->refused++;
        return NULL;
    }
    if (node)
        pool->idle_count--;
    pool->count++;
    pool->count_highest = MAX(pool->count_highest, pool->count);
    fiber->task = task;
    fiber->born = fiber->scope = scope;
    fiber->state = FIBER_READY;
    list_push_back(&loop->ready, &fiber->node);
    return fiber;
}

void fiber_release(struct fiber *fiber)
{
    struct fiber_pool *pool = &fiber->loop->fibers;

    ASSERT(fiber->state == FIBER_ENDED && !timer_is_set(&fiber->limit) && !fiber->wake.events);
    fiber->state = FIBER_IDLE;
    fiber->task = NULL;
    pool->count--;
    if (pool->idle_count >= pool->keep) {
        fiber_destroy(fiber);
        return;
    }
    pool->idle_count++;
    list_push_front(&pool->idle, &fiber->node);
}

void fiber_run(struct fiber *fiber)
{
    struct loop *loop = fiber->loop;

    CHECK_MAGIC(fiber, FIBER_MAGIC);
    ASSERT(fiber->state == FIBER_READY);
    fiber->state = FIBER_RUNNING;
    loop->running = fiber;
    leave_home(fiber);
    loop->running = NULL;
    if (fiber->state == FIBER_ENDED) {
        struct task *task = fiber->task;
        struct scope *born = fiber->born;

        fiber_release(fiber);
        scope_child_ended(born, task);
    }
}

/* --- waiting ----------------------------------------------------------------------------------------------- */

struct fiber *fiber_current(void)
{
    struct loop *loop = loop_current();

    return loop ? loop->running : NULL;
}

struct scope *fiber_scope(void)
{
    return fiber_current()->scope;
}

bool fiber_ready(struct fiber *fiber, int result)
{
    if (fiber->state != FIBER_PARKED && fiber->state != FIBER_PARKED_DEAF)
        return false;
    fiber->result = result;
    fiber->state = FIBER_READY;
    list_remove(&fiber->node);
    list_push_back(&fiber->loop->ready, &fiber->node);
    return true;
}

bool fiber_wake(struct fiber *fiber)
{
    CHECK_MAGIC(fiber, FIBER_MAGIC);
    return fiber_ready(fiber, 0);
}

int fiber_park(int64_t limit_ns)
{
    struct fiber *fiber = fiber_current();

    ASSERT(fiber != NULL); /* waiting on the loop's own stack */
    if (fiber->scope->ended)
        return fiber->scope->ended;
    if (limit_ns <= fiber->loop->now_ns)
        return -ETIMEDOUT;
    timer_set(fiber->loop, &fiber->limit, limit_ns);
    fiber->state = FIBER_PARKED;
    list_push_back(&fiber->scope->waiting, &fiber->node);
    go_home(fiber);
    timer_stop(fiber->loop, &fiber->limit);
    return fiber->result;
}

void fiber_park_deaf(void)
{
    struct fiber *fiber = fiber_current();

    ASSERT(fiber != NULL);
    fiber->state = FIBER_PARKED_DEAF;
    go_home(fiber);
}

int fiber_yield(void)
{
    struct fiber *fiber = fiber_current();

    ASSERT(fiber != NULL);
    if (fiber->scope->ended)
        return fiber->scope->ended;
    fiber->state = FIBER_READY;
    list_push_back(&fiber->loop->ready, &fiber->node);
    go_home(fiber);
    return fiber->scope->ended;
}

int fiber_sleep_until(int64_t due_ns)
{
    int r;

    do {
        r = fiber_park(due_ns);
    } while (r == 0); /* a stray wake: sleep on */
    return r == -ETIMEDOUT ? 0 : r;
}

int fiber_sleep(int64_t ns)
{
    return fiber_sleep_until(loop_after(loop_current(), ns));
}

int fiber_wait_socket(struct io_socket socket, unsigned events, int64_t limit_ns)
{
    struct fiber *fiber = fiber_current();
    struct io *io;
    int r;

    ASSERT(fiber != NULL);
    if (fiber->scope->ended)
        return fiber->scope->ended;
    io = fiber->loop->io;
    fiber->wake.socket = socket;
    fiber->events = 0;
    r = io->ops->arm(io, &fiber->wake, events);
    if (r < 0)
        return r;
    r = fiber_park(limit_ns);
    io->ops->disarm(io, &fiber->wake);
    return r < 0 ? r : (int)fiber->events;
}

/* --- the pool ------------------------------------------------------------------------------------------------- */

void fiber_pool_init(struct fiber_pool *pool, unsigned max, unsigned keep)
{
    *pool = (struct fiber_pool){ .max = max, .keep = keep };
    list_init(&pool->idle);
    list_init(&pool->all);
}

void fiber_pool_trim(struct fiber_pool *pool, unsigned keep)
{
    while (pool->idle_count > keep) {
        struct fiber *fiber = container_of(pool->idle.prev, struct fiber, node);

        pool->idle_count--;
        list_remove(&fiber->node);
        fiber_destroy(fiber);
    }
}

/* The lists that fibers wait in may lie on stacks that are gone already: they are not touched. */
void fiber_pool_done(struct loop *loop)
{
    LIST_EACH (&loop->fibers.all, node, next)
        fiber_destroy(container_of(node, struct fiber, all));
    list_init(&loop->fibers.idle);
    loop->fibers.count = loop->fibers.idle_count = 0;
}

/* Reads memory that other frames may have poisoned; it is only looked at. */
__attribute__((no_sanitize("address", "thread"))) static size_t stack_used(const struct fiber *fiber)
{
    const uintptr_t *word = fiber->stack;
    const uintptr_t *top = (const uintptr_t *)(const void *)fiber;

    while (word < top && *word == 0)
        word++;
    return (size_t)((const char *)top - (const char *)word);
}

size_t fiber_pool_stack_highest(const struct fiber_pool *pool)
{
    size_t highest = 0;

    VALGRIND_DISABLE_ERROR_REPORTING; /* below the stack pointers of all of them */
    LIST_EACH (&pool->all, node, next) {
        size_t used = stack_used(container_of(node, struct fiber, all));

        highest = MAX(highest, used);
    }
    VALGRIND_ENABLE_ERROR_REPORTING;
    return highest;
}
