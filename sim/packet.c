/* Pairs that carry messages and descriptors between processes of one machine; no time passes on the way. And
 * signals, which come the same way: from somebody on the same machine. */
#include "sim/internal.h"

#define FIRST_DESCRIPTOR 3 /* 0, 1 and 2 are taken in every process */

struct message {
    struct list_node node;
    size_t len;
    unsigned count;
    struct sim_end *ends[IO_DESCRIPTORS_MAX]; /* a reference each */
    char data[];
};

static int descriptor_take(struct sim_process *process, struct sim_end *end)
{
    for (int i = FIRST_DESCRIPTOR; i < SIM_DESCRIPTORS_MAX; i++) {
        if (process->descriptors[i])
            continue;
        process->descriptors[i] = end;
        return i;
    }
    return -EMFILE;
}

/* descriptor_of() takes no number: a socket that stays ours is named by loop and slot, above the others. */
static int socket_descriptor(const struct sim_loop *loop, const struct sim_socket *socket)
{
    return SIM_DESCRIPTORS_MAX + (int)(loop->number * SOCKETS_MAX + socket->slot);
}

static struct sim_end *socket_end(struct sim_process *process, unsigned index)
{
    LIST_EACH (&process->loops, node, next) {
        struct sim_loop *loop = container_of(node, struct sim_loop, node);

        if (loop->number == index / SOCKETS_MAX && index % SOCKETS_MAX < loop->slot_count)
            return loop->slots[index % SOCKETS_MAX]->end;
    }
    return NULL;
}

static struct sim_end *descriptor_end(struct sim_process *process, int descriptor)
{
    if (descriptor < 0)
        return NULL;
    if (descriptor >= SIM_DESCRIPTORS_MAX)
        return socket_end(process, (unsigned)(descriptor - SIM_DESCRIPTORS_MAX));
    return process->descriptors[descriptor];
}

static void message_free(struct message *message, bool vanish)
{
    for (unsigned i = 0; i < message->count; i++)
        sim_end_release(message->ends[i], vanish);
    mem_free(message);
}

void sim_packets_done(struct sim_end *end, bool vanish)
{
    struct list_node *node;

    while ((node = list_pop_front(&end->messages)) != NULL)
        message_free(container_of(node, struct message, node), vanish);
    if (end->other) {
        end->other->other = NULL;
        sim_end_notify(end->other);
    }
}

int sim_pair(struct io *io, struct io_socket *ret_ours, int *ret_theirs)
{
    struct sim_process *process = sim_loop_of(io)->process;
    struct sim_end *ours = sim_end_create(process->on, SIM_END_PACKETS);
    struct sim_end *theirs = sim_end_create(process->on, SIM_END_PACKETS);
    int descriptor = descriptor_take(process, theirs);
    int r = descriptor < 0 ? descriptor : sim_socket_open(io, ours, ret_ours);

    if (r < 0) {
        if (descriptor >= 0)
            process->descriptors[descriptor] = NULL;
        sim_end_release(ours, false);
        sim_end_release(theirs, false);
        return r;
    }
    ours->other = theirs;
    theirs->other = ours;
    *ret_theirs = descriptor;
    return 0;
}

ssize_t sim_try_send(struct io *io, struct io_socket socket, struct bytes message, const int *descriptors,
                     unsigned count)
{
    struct sim_process *process = sim_loop_of(io)->process;
    struct sim_socket *found = sim_socket_find(io, socket);
    struct message *sent;
    struct sim_end *end;

    if (!found || found->end->kind != SIM_END_PACKETS)
        return found ? -EINVAL : -EBADF;
    end = found->end;
    if (message.len > IO_MESSAGE_MAX || count > IO_DESCRIPTORS_MAX)
        return -EMSGSIZE;
    if (!end->other)
        return -EPIPE;
    if (end->other->message_count >= SIM_PACKETS_MAX)
        return -EAGAIN;
    for (unsigned i = 0; i < count; i++)
        if (!descriptor_end(process, descriptors[i]))
            return -EBADF;
    sent = sim_take(sizeof(*sent) + message.len);
    sent->len = message.len;
    if (message.len)
        memcpy(sent->data, message.data, message.len);
    for (unsigned i = 0; i < count; i++) {
        sent->ends[i] = descriptor_end(process, descriptors[i]);
        sent->ends[i]->references++;
    }
    sent->count = count;
    list_push_back(&end->other->messages, &sent->node);
    end->other->message_count++;
    world_trace(end->world, SIM_TRACE_MESSAGE, end->number, (int64_t)message.len, count);
    sim_end_notify(end->other);
    return (ssize_t)message.len;
}

ssize_t sim_try_receive(struct io *io, struct io_socket socket, void *memory, size_t len, int *ret_descriptors,
                        unsigned *ret_count)
{
    struct sim_process *process = sim_loop_of(io)->process;
    struct sim_socket *found = sim_socket_find(io, socket);
    struct message *message;
    struct sim_end *end;
    size_t n;

    if (!found || found->end->kind != SIM_END_PACKETS)
        return found ? -EINVAL : -EBADF;
    end = found->end;
    if (end->message_count == 0)
        return end->other ? -EAGAIN : 0;
    message = container_of(list_pop_front(&end->messages), struct message, node);
    end->message_count--;
    n = MIN(len, message->len);
    if (n)
        memcpy(memory, message->data, n);
    *ret_count = 0;
    for (unsigned i = 0; i < message->count; i++) { /* what finds no number is dropped, as by the kernel */
        int descriptor = descriptor_take(process, message->ends[i]);

        if (descriptor < 0)
            sim_end_release(message->ends[i], false);
        else
            ret_descriptors[(*ret_count)++] = descriptor;
    }
    mem_free(message);
    if (end->other)
        sim_end_notify(end->other);
    return (ssize_t)n;
}

int sim_adopt(struct io *io, int descriptor, struct io_socket *ret)
{
    struct sim_process *process = sim_loop_of(io)->process;
    struct sim_end *end;
    int r;

    if (descriptor < 0 || descriptor >= SIM_DESCRIPTORS_MAX || !process->descriptors[descriptor])
        return -EBADF;
    end = process->descriptors[descriptor];
    r = sim_socket_open(io, end, ret);
    if (r == 0)
        process->descriptors[descriptor] = NULL;
    return r;
}

int sim_descriptor_of(struct io *io, struct io_socket socket)
{
    struct sim_socket *found = sim_socket_find(io, socket);

    return found ? socket_descriptor(sim_loop_of(io), found) : -EBADF;
}

void sim_descriptor_close(struct io *io, int descriptor)
{
    struct sim_process *process = sim_loop_of(io)->process;
    struct sim_end *end;

    if (descriptor < 0 || descriptor >= SIM_DESCRIPTORS_MAX || !process->descriptors[descriptor])
        return;
    end = process->descriptors[descriptor];
    process->descriptors[descriptor] = NULL;
    sim_end_release(end, false);
}

int sim_descriptor_give(struct sim_process *from, int descriptor, struct sim_process *to)
{
    struct sim_end *end = descriptor_end(from, descriptor);
    int given;

    ASSERT(from->on == to->on);
    if (!end)
        return -EBADF;
    given = descriptor_take(to, end);
    if (given >= 0)
        end->references++;
    return given;
}

/* --- signals ------------------------------------------------------------------------------------------------- */

int sim_signals(struct io *io, uint64_t mask, struct io_socket *ret)
{
    struct sim_process *process = sim_loop_of(io)->process;
    struct sim_end *end;
    int r;

    if (process->signals)
        return -EBUSY;
    end = sim_end_create(process->on, SIM_END_SIGNALS);
    end->signals = mask;
    end->receiver = process;
    r = sim_socket_open(io, end, ret);
    if (r < 0) {
        sim_end_release(end, false);
        return r;
    }
    process->signals = end;
    return 0;
}

int sim_try_signal(struct io *io, struct io_socket socket)
{
    struct sim_socket *found = sim_socket_find(io, socket);
    int number;

    if (!found || found->end->kind != SIM_END_SIGNALS)
        return found ? -EINVAL : -EBADF;
    if (!found->end->signals_pending)
        return -EAGAIN;
    number = __builtin_ctzll(found->end->signals_pending) + 1;
    found->end->signals_pending &= found->end->signals_pending - 1;
    return number;
}

bool sim_process_signal(struct sim_process *process, int number)
{
    uint64_t bit = UINT64_C(1) << (number - 1);

    if (process->state != SIM_PROCESS_RUNNING || !process->signals || !(process->signals->signals & bit))
        return false;
    world_trace(process->on->world, SIM_TRACE_SIGNAL, number, 0, 0);
    process->signals->signals_pending |= bit;
    sim_end_notify(process->signals);
    return true;
}
