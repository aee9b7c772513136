#include "io/linux/internal.h"

#include "base/alloc.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>

struct thread {
    pthread_t id;
    void (*run)(void *context);
    void *context;
};

int linux_thread_create(const char *name, size_t stack_size, void *(*run)(void *), void *context, pthread_t *ret)
{
    char short_name[16]; /* the kernel's limit */
    pthread_attr_t attributes;
    sigset_t all, before;
    int r = pthread_attr_init(&attributes);

    if (r != 0)
        return -r;
    r = pthread_attr_setstacksize(&attributes, stack_size);
    if (r == 0) {
        (void)sigfillset(&all);
        (void)pthread_sigmask(SIG_SETMASK, &all, &before);
        r = pthread_create(ret, &attributes, run, context);
        (void)pthread_sigmask(SIG_SETMASK, &before, NULL);
    }
    (void)pthread_attr_destroy(&attributes);
    if (r != 0)
        return -r;
    (void)snprintf(short_name, sizeof(short_name), "%s", name);
    (void)pthread_setname_np(*ret, short_name);
    return 0;
}

static void *thread_main(void *context)
{
    struct thread *thread = context;

    thread->run(thread->context);
    return NULL;
}

int linux_thread_start(struct io *io, const char *name, void (*run)(void *context), void *context, void **ret_thread)
{
    struct thread *thread = mem_alloc(sizeof(*thread));
    int r;

    if (!thread)
        return -ENOMEM;
    thread->run = run;
    thread->context = context;
    r = linux_thread_create(name, THREAD_STACK_SIZE, thread_main, thread, &thread->id);
    if (r < 0) {
        mem_free(thread);
        return r;
    }
    *ret_thread = thread;
    return 0;
}

void linux_thread_join(struct io *io, void *handle)
{
    struct thread *thread = handle;
    int r = pthread_join(thread->id, NULL);

    ASSERT(r == 0);
    mem_free(thread);
}
