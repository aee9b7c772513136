#include "supervise/link.h"

#include "base/alloc.h"
#include "base/assert.h"

/* A message that waits for room. */
struct letter_out {
    struct list_node node;
    int descriptor; /* -1: none */
    size_t len;
    char data[];
};

static void arm(struct link *link, struct wake *wake, unsigned event)
{
    int r;

    if (!io_socket_is(link->socket) || wake->events != 0)
        return;
    r = link->loop->io->ops->arm(link->loop->io, wake, event);
    ASSERT(r == 0); /* the socket is open */
}

static void end(struct link *link)
{
    if (!io_socket_is(link->socket))
        return;
    link_close(link);
    link->ops->ended(link);
}

/* --- receiving ----------------------------------------------------------------------------------------------- */

static void take(struct link *link, struct bytes data, const int *descriptors, unsigned count)
{
    struct io *io = link->loop->io;
    struct message message;
    int r = message_decode(data, link->peer, link->room, &message);

    if (r == 0 && message_info(message.type)->descriptors != count)
        r = -EBADMSG;
    if (r == 0) {
        link->ops->received(link, &message, count > 0 ? descriptors[0] : -1);
        return;
    }
    for (unsigned i = 0; i < count; i++)
        io->ops->descriptor_close(io, descriptors[i]);
    link->ops->odd(link, r);
}

static void readable(struct wake *wake, unsigned events)
{
    struct link *link = container_of(wake, struct link, readable);
    struct io *io = link->loop->io;
    int descriptors[IO_DESCRIPTORS_MAX];
    unsigned count;

    for (unsigned i = 0; i < LINK_MESSAGES_A_TURN && io_socket_is(link->socket); i++) {
        ssize_t n = io->ops->try_receive(io, link->socket, link->memory, IO_MESSAGE_MAX, descriptors, &count);

        if (n == -EAGAIN)
            break;
        if (n == -EMSGSIZE || n == -EMFILE) {
            link->ops->odd(link, (int)n);
            continue;
        }
        if (n <= 0) {
            end(link);
            return;
        }
        take(link, bytes_of(link->memory, (size_t)n), descriptors, count);
    }
    arm(link, &link->readable, IO_READ);
}

/* --- sending ------------------------------------------------------------------------------------------------- */

static ssize_t send_now(struct link *link, struct bytes data, int descriptor)
{
    struct io *io = link->loop->io;

    return io->ops->try_send(io, link->socket, data, &descriptor, descriptor >= 0 ? 1 : 0);
}

static void writable(struct wake *wake, unsigned events)
{
    struct link *link = container_of(wake, struct link, writable);

    while (!list_empty(&link->queue)) {
        struct letter_out *letter = container_of(link->queue.next, struct letter_out, node);
        ssize_t n = send_now(link, bytes_of(letter->data, letter->len), letter->descriptor);

        if (n == -EAGAIN) {
            arm(link, &link->writable, IO_WRITE);
            return;
        }
        if (n < 0) {
            end(link);
            return;
        }
        list_remove(&letter->node);
        link->queued--;
        mem_free(letter);
    }
}

static int queue(struct link *link, struct bytes data, int descriptor)
{
    struct letter_out *letter;

    if (link->queued >= LINK_QUEUE_MAX)
        return -EAGAIN;
    letter = mem_alloc(sizeof(*letter) + data.len);
    if (!letter)
        return -ENOMEM;
    letter->descriptor = descriptor;
    letter->len = data.len;
    memcpy(letter->data, data.data, data.len);
    list_push_back(&link->queue, &letter->node);
    link->queued++;
    arm(link, &link->writable, IO_WRITE);
    return 0;
}

int link_send(struct link *link, const struct message *message, int descriptor)
{
    size_t max = MESSAGE_TEXTS_MAX * 6 + 512 + message->payload.len; /* a byte is at most \u00XX */
    struct text text;
    char *memory;
    ssize_t n;

    if (!io_socket_is(link->socket))
        return -EPIPE;
    ASSERT(message_info(message->type)->descriptors == (descriptor >= 0));
    memory = mem_alloc(max);
    if (!memory)
        return -ENOMEM;
    text = text_into(memory, max);
    message_encode(&text, message);
    if (text.full || text.len > IO_MESSAGE_MAX)
        n = -EMSGSIZE;
    else
        n = list_empty(&link->queue) ? send_now(link, text_bytes(&text), descriptor) : -EAGAIN;
    if (n == -EAGAIN)
        n = queue(link, text_bytes(&text), descriptor);
    mem_free(memory);
    return n < 0 ? (int)n : 0;
}

/* --- life ---------------------------------------------------------------------------------------------------- */

int link_open(struct link *link, struct loop *loop, struct io_socket socket, enum message_sender peer,
              const struct link_ops *ops)
{
    *link = (struct link){ .ops = ops, .loop = loop, .socket = socket, .peer = peer };
    list_init(&link->queue);
    link->readable = (struct wake){ .socket = socket, .run = readable };
    link->writable = (struct wake){ .socket = socket, .run = writable };
    link->memory = mem_alloc(IO_MESSAGE_MAX);
    link->room = mem_alloc(sizeof(*link->room));
    if (!link->memory || !link->room) {
        link_close(link);
        return -ENOMEM;
    }
    arm(link, &link->readable, IO_READ);
    return 0;
}

void link_forget(struct link *link, int descriptor)
{
    if (!io_socket_is(link->socket))
        return;
    LIST_EACH (&link->queue, node, next) {
        struct letter_out *letter = container_of(node, struct letter_out, node);

        if (letter->descriptor != descriptor)
            continue;
        list_remove(&letter->node);
        link->queued--;
        mem_free(letter);
    }
}

bool link_idle(const struct link *link)
{
    return list_empty(&link->queue);
}

void link_close(struct link *link)
{
    struct list_node *node;

    if (!io_socket_is(link->socket))
        return;
    while ((node = list_pop_front(&link->queue)) != NULL)
        mem_free(container_of(node, struct letter_out, node));
    link->queued = 0;
    link->loop->io->ops->close(link->loop->io, link->socket);
    link->socket = IO_SOCKET_NONE;
    mem_free(link->memory);
    mem_free(link->room);
    link->memory = NULL;
    link->room = NULL;
}
