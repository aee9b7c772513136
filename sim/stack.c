/* Stacks of fibers, mapped once and used again by every process of the world: a mapping costs more than clearing. */
#include "sim/internal.h"

#include <sys/mman.h>

#define GUARD 4096

struct free_stack {
    struct list_node node;
    size_t size;
};

void *sim_stack_map(struct io *io, size_t size)
{
    struct world *world = sim_world_of(io);
    struct list_node *node = list_pop_front(&world->stacks);
    char *mapping;

    if (node) {
        struct free_stack *stack = container_of(node, struct free_stack, node);

        ASSERT(stack->size == size);
        memset(stack, 0, size);
        world->stacks_out++;
        return stack;
    }
    mapping = mmap(NULL, size + GUARD, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (mapping == MAP_FAILED)
        return NULL;
    ASSERT(mprotect(mapping, GUARD, PROT_NONE) == 0);
    world->stacks_out++;
    return mapping + GUARD;
}

void sim_stack_unmap(struct io *io, void *stack, size_t size)
{
    struct world *world = sim_world_of(io);
    struct free_stack *free_stack = stack;

    free_stack->size = size;
    list_push_front(&world->stacks, &free_stack->node);
    world->stacks_out--;
}

void sim_stacks_done(struct world *world)
{
    struct list_node *node;

    ASSERT(world->stacks_out == 0);
    while ((node = list_pop_front(&world->stacks)) != NULL) {
        struct free_stack *stack = container_of(node, struct free_stack, node);

        munmap((char *)(void *)stack - GUARD, stack->size + GUARD);
    }
}
