#include "net/listener.h"

#include "base/assert.h"
#include "base/limits.h"

static void arm(struct listener *listener)
{
    struct io *io = listener->loop->io;
    int r = io->ops->arm(io, &listener->wake, IO_READ);

    ASSERT(r == 0); /* the socket is open: we stop before it is closed */
}

static void take_connections(struct listener *listener)
{
    struct io *io = listener->loop->io;

    for (unsigned i = 0; i < ACCEPTS_A_TURN; i++) {
        struct io_socket socket;
        struct address peer;
        int r = io->ops->try_accept(io, listener->socket, &socket, &peer);

        if (r == 0) {
            metric_add(&listener->accepts, 1);
            listener->accepted(listener, socket, &peer);
            continue;
        }
        if (r == -EAGAIN)
            break;
        if (r != -ECONNABORTED) { /* (2) */
            metric_add(&listener->pauses, 1);
            timer_set(listener->loop, &listener->pause, listener->loop->now_ns + ACCEPT_PAUSE_NS);
            return;
        }
    }
    arm(listener);
}

void listener_take_queued(struct listener *listener)
{
    struct io *io = listener->loop->io;
    struct io_socket socket;
    struct address peer;

    for (unsigned i = 0; i < LISTEN_BACKLOG; i++) {
        int r = io->ops->try_accept(io, listener->socket, &socket, &peer);

        if (r < 0 && r != -ECONNABORTED)
            return;
        if (r < 0)
            continue;
        metric_add(&listener->accepts, 1);
        listener->accepted(listener, socket, &peer);
    }
}

static void listener_woken(struct wake *wake, unsigned events)
{
    take_connections(container_of(wake, struct listener, wake));
}

static void pause_over(struct timer *timer)
{
    take_connections(container_of(timer, struct listener, pause));
}

int listener_start(struct listener *listener, struct loop *loop, struct io_socket socket,
                   void (*accepted)(struct listener *, struct io_socket, const struct address *))
{
    *listener = (struct listener){ .loop = loop, .socket = socket, .accepted = accepted };
    listener->wake.socket = socket;
    listener->wake.run = listener_woken;
    timer_init(&listener->pause, pause_over);
    return loop->io->ops->arm(loop->io, &listener->wake, IO_READ);
}

void listener_stop(struct listener *listener, bool close_socket)
{
    struct io *io = listener->loop->io;

    if (!io_socket_is(listener->socket))
        return;
    timer_stop(listener->loop, &listener->pause);
    io->ops->disarm(io, &listener->wake);
    if (close_socket)
        io->ops->close(io, listener->socket);
    listener->socket = IO_SOCKET_NONE;
}
