#include "io/linux/internal.h"

#include "base/alloc.h"

#include <errno.h>
#include <sched.h>
#include <signal.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/random.h>
#include <time.h>
#include <unistd.h>

static int64_t clock_read(clockid_t id)
{
    struct timespec time;
    int r = clock_gettime(id, &time);

    ASSERT(r == 0);
    return time.tv_sec * NS_PER_S + time.tv_nsec;
}

static int64_t now_ns(struct io *io)
{
    return clock_read(CLOCK_MONOTONIC);
}

static int64_t wall_ns(struct io *io)
{
    return clock_read(CLOCK_REALTIME);
}

static void entropy(struct io *io, void *memory, size_t len)
{
    char *at = memory;

    while (len > 0) {
        ssize_t n = getrandom(at, len, 0);

        ASSERT(n > 0 || errno == EINTR); /* keys from a failed generator would be no keys */
        if (n > 0) {
            at += n;
            len -= (size_t)n;
        }
    }
}

static const struct io_ops LINUX_OPS = {
    .name = "linux",
    .now_ns = now_ns,
    .wall_ns = wall_ns,
    .entropy = entropy,
    .poll = linux_poll_wait,
    .notify = linux_poll_notify,
    .arm = linux_poll_arm,
    .disarm = linux_poll_disarm,
    .listen = linux_socket_listen,
    .try_accept = linux_socket_try_accept,
    .try_connect = linux_socket_try_connect,
    .connect_result = linux_socket_connect_result,
    .try_read = linux_stream_try_read,
    .try_write = linux_stream_try_write,
    .shut_write = linux_stream_shut_write,
    .close = linux_stream_close,
    .reset = linux_stream_reset,
    .local_address = linux_socket_local_address,
    .pair = linux_descriptors_pair,
    .pipe = linux_descriptors_pipe,
    .try_send = linux_descriptors_try_send,
    .try_receive = linux_descriptors_try_receive,
    .adopt = linux_descriptors_adopt,
    .descriptor_of = linux_descriptors_of,
    .descriptor_close = linux_descriptors_close,
    .signals = linux_signals_open,
    .try_signal = linux_signals_try,
    .spawn = linux_process_spawn,
    .process_signal = linux_process_signal,
    .process_reap = linux_process_reap,
    .lane_open = linux_lane_open,
    .lane_close = linux_lane_close,
    .submit = linux_lane_submit,
    .file_read = linux_file_read,
    .file_write = linux_file_write,
    .file_append = linux_file_append,
    .file_rename = linux_file_rename,
    .file_remove = linux_file_remove,
    .directory_make = linux_directory_make,
    .directory_list = linux_directory_list,
    .descriptor_write = linux_descriptor_write,
    .descriptor_read = linux_descriptor_read,
    .terminal = linux_descriptors_terminal,
    .descriptors_open = linux_descriptors_open,
    .resolve = linux_name_resolve,
    .folder_open = linux_folder_open,
    .file_open = linux_file_open,
    .file_read_at = linux_file_read_at,
    .file_close = linux_file_close,
    .stack_map = linux_stack_map,
    .stack_unmap = linux_stack_unmap,
    .thread_start = linux_thread_start,
    .thread_join = linux_thread_join,
};

struct io_linux *io_linux(struct io *seam)
{
    struct io_linux *io = container_of(seam, struct io_linux, io);

    CHECK_MAGIC(io, IO_LINUX_MAGIC);
    return io;
}

/* Without these a closed pipe would end the process, and ended children would vanish unreaped. */
static void set_signals(void)
{
    struct sigaction action;

    (void)signal(SIGPIPE, SIG_IGN);
    if (sigaction(SIGCHLD, NULL, &action) == 0 && action.sa_handler == SIG_IGN)
        (void)signal(SIGCHLD, SIG_DFL);
}

static void raise_limits(struct io_linux *io)
{
    struct rlimit files;

    if (getrlimit(RLIMIT_NOFILE, &io->files_before) < 0)
        return;
    files = (struct rlimit){ io->files_before.rlim_max, io->files_before.rlim_max };
    (void)setrlimit(RLIMIT_NOFILE, &files); /* the old limit will do as well */
}

static int open_descriptors(struct io_linux *io)
{
    struct epoll_event event = { .events = EPOLLIN | EPOLLET, .data.u64 = 0 };

    io->epoll = epoll_create1(EPOLL_CLOEXEC);
    if (io->epoll < 0)
        return -errno;
    io->notifier = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
    if (io->notifier < 0)
        return -errno;
    return epoll_ctl(io->epoll, EPOLL_CTL_ADD, io->notifier, &event) < 0 ? -errno : 0;
}

static void release(struct io_linux *io)
{
    for (unsigned i = 0; i < ARRAY_LEN(io->chunks); i++)
        mem_free(io->chunks[i]);
    if (io->notifier >= 0)
        (void)close(io->notifier);
    if (io->epoll >= 0)
        (void)close(io->epoll);
    io->magic = 0;
    mem_free(io);
}

int io_linux_open(struct io **ret)
{
    struct io_linux *io = mem_zalloc(sizeof(*io));
    int r;

    if (!io)
        return -ENOMEM;
    io->io.ops = &LINUX_OPS;
    io->magic = IO_LINUX_MAGIC;
    io->epoll = io->notifier = -1;
    io->free_first = io->due_first = io->due_last = SLOT_NONE;
    list_init(&io->lanes);
    set_signals();
    raise_limits(io);
    r = open_descriptors(io);
    if (r < 0) {
        release(io);
        return r;
    }
    *ret = &io->io;
    return 0;
}

void io_linux_close(struct io *seam)
{
    struct io_linux *io = io_linux(seam);

    ASSERT(io->lane_count == 0 && io->jobs == 0);
    while (atomic_load_explicit(&io->completing, memory_order_acquire) > 0)
        (void)sched_yield(); /* a lane thread is between handing its job back and telling us */
    for (uint32_t i = 0; i < io->slot_count; i++)
        if (slot_at(io, i)->kind != SLOT_FREE)
            slot_close(io, slot_at(io, i));
    release(io);
}
