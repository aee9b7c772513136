/* The table itself, and the calls that fit no other file. */
#include "sim/internal.h"

static int64_t sim_now_ns(struct io *io)
{
    struct sim_node *node = sim_loop_of(io)->process->on;

    return sim_clock(node, node->world->now_ns);
}

static int64_t sim_wall_ns(struct io *io)
{
    struct sim_node *node = sim_loop_of(io)->process->on;

    return node->wall_ns + sim_clock(node, node->world->now_ns);
}

static void sim_entropy(struct io *io, void *memory, size_t len)
{
    prng_fill(&sim_world_of(io)->prng, memory, len);
}

static void sim_notify(struct io *io)
{
    sim_loop_wake(&sim_loop_of(io)->loop);
}

static void sim_close(struct io *io, struct io_socket socket)
{
    struct sim_socket *found = sim_socket_find(io, socket);

    ASSERT(found != NULL); /* io.h (4): closed twice */
    sim_socket_shut(found);
}

static void sim_reset(struct io *io, struct io_socket socket)
{
    struct sim_socket *found = sim_socket_find(io, socket);

    ASSERT(found != NULL);
    if (found->end->kind == SIM_END_STREAM && found->end->references == 1)
        sim_stream_reset(found->end);
    sim_socket_shut(found);
}

static int sim_local_address(struct io *io, struct io_socket socket, struct address *ret)
{
    struct sim_socket *found = sim_socket_find(io, socket);

    if (!found)
        return -EBADF;
    *ret = found->end->local;
    return 0;
}

static int sim_spawn(struct io *io, const struct command *command, struct process *ret)
{
    return -ENOTSUP;
}

static int sim_process_signal_not(struct io *io, const struct process *process, int number, bool group)
{
    return -ENOTSUP;
}

static int sim_process_reap_not(struct io *io, struct process *process, int *ret_status)
{
    return -ENOTSUP;
}

static ssize_t sim_descriptor_write(struct io *io, int descriptor, struct bytes content)
{
    if (descriptor != 1 && descriptor != 2)
        return -EBADF;
    world_trace(sim_world_of(io), SIM_TRACE_OUTPUT, descriptor, (int64_t)content.len, sim_content(content));
    return (ssize_t)content.len;
}

static int sim_terminal(struct io *io, int descriptor, struct terminal_size *ret)
{
    return -ENOTTY;
}

static int sim_descriptors_open(struct io *io)
{
    return -ENOTSUP; /* a simulated process has sockets only */
}

static ssize_t sim_descriptor_read(struct io *io, int descriptor, void *memory, size_t len)
{
    return descriptor == 0 ? 0 : -EBADF;
}

static int sim_thread_start(struct io *io, const char *name, void (*run)(void *context), void *context,
                            void **ret_thread)
{
    return -ENOTSUP;
}

static void sim_thread_join(struct io *io, void *thread)
{
    ASSERT(!"there is no thread to join");
}

const struct io_ops SIM_IO_OPS = {
    .name = "sim",
    .now_ns = sim_now_ns,
    .wall_ns = sim_wall_ns,
    .entropy = sim_entropy,
    .poll = sim_poll,
    .notify = sim_notify,
    .arm = sim_arm,
    .disarm = sim_disarm,
    .listen = sim_listen,
    .try_accept = sim_try_accept,
    .try_connect = sim_try_connect,
    .connect_result = sim_connect_result,
    .try_read = sim_try_read,
    .try_write = sim_try_write,
    .shut_write = sim_shut_write,
    .close = sim_close,
    .reset = sim_reset,
    .local_address = sim_local_address,
    .pair = sim_pair,
    .try_send = sim_try_send,
    .try_receive = sim_try_receive,
    .adopt = sim_adopt,
    .descriptor_of = sim_descriptor_of,
    .descriptor_close = sim_descriptor_close,
    .signals = sim_signals,
    .try_signal = sim_try_signal,
    .spawn = sim_spawn,
    .process_signal = sim_process_signal_not,
    .process_reap = sim_process_reap_not,
    .lane_open = sim_lane_open,
    .lane_close = sim_lane_close,
    .submit = sim_submit,
    .file_read = sim_file_read,
    .file_write = sim_file_write,
    .file_append = sim_file_append,
    .file_rename = sim_file_rename,
    .file_remove = sim_file_remove,
    .directory_make = sim_directory_make,
    .directory_list = sim_directory_list,
    .descriptor_write = sim_descriptor_write,
    .descriptor_read = sim_descriptor_read,
    .terminal = sim_terminal,
    .descriptors_open = sim_descriptors_open,
    .resolve = sim_resolve,
    .folder_open = sim_folder_open,
    .file_open = sim_file_open,
    .file_read_at = sim_file_read_at,
    .file_close = sim_file_close,
    .stack_map = sim_stack_map,
    .stack_unmap = sim_stack_unmap,
    .thread_start = sim_thread_start,
    .thread_join = sim_thread_join,
};
