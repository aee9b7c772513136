/* Memory of fibers' stacks: anonymous pages with an inaccessible one below, so that an overflow faults. */
#include "io/linux/internal.h"

#include <sys/mman.h>

#define GUARD_SIZE 4096u

void *linux_stack_map(struct io *io, size_t size)
{
    char *memory = mmap(NULL, GUARD_SIZE + size, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

    if (memory == MAP_FAILED)
        return NULL;
    if (mprotect(memory + GUARD_SIZE, size, PROT_READ | PROT_WRITE) < 0) {
        (void)munmap(memory, GUARD_SIZE + size);
        return NULL;
    }
    return memory + GUARD_SIZE;
}

void linux_stack_unmap(struct io *io, void *stack, size_t size)
{
    (void)munmap((char *)stack - GUARD_SIZE, GUARD_SIZE + size);
}
