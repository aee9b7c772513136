/* The listening sockets of a worker: see app/workers.h. */
#include "app/workers.h"

#include "base/alloc.h"
#include "control/config.h"

struct worker_listener {
    struct list_node node;
    uint64_t id;
    struct io_socket socket;
    struct http_listener *listener;
    bool kept;
};

int worker_order_listen(struct worker_thread *thread, void *context)
{
    const struct worker_listen *listen = context;
    struct io *io = thread->loop->io;
    struct worker_listener *mine = mem_zalloc(sizeof(*mine));
    int r = mine ? io->ops->adopt(io, listen->descriptor, &mine->socket) : -ENOMEM;

    if (r < 0) {
        io->ops->descriptor_close(io, listen->descriptor);
        mem_free(mine);
        return r;
    }
    r = http_server_listen(&thread->server, mine->socket, listen->gateway, listen->scheme, &mine->listener);
    if (r < 0) {
        io->ops->close(io, mine->socket);
        mem_free(mine);
        return r;
    }
    mine->id = listen->id;
    mine->kept = bytes_equal(listen->gateway, BYTES(CONTROL_GATEWAY_MESH));
    if (mine->kept) {
        http_listener_keep(mine->listener);
        http_listener_take_credentials(mine->listener);
    }
    list_push_back(&thread->listeners, &mine->node);
    return 0;
}

static void forget(struct worker_thread *thread, struct worker_listener *mine)
{
    thread->loop->io->ops->close(thread->loop->io, mine->socket);
    list_remove(&mine->node);
    mem_free(mine);
}

int worker_order_unlisten(struct worker_thread *thread, void *context)
{
    const uint64_t *id = context;

    LIST_EACH (&thread->listeners, node, next) {
        struct worker_listener *mine = container_of(node, struct worker_listener, node);

        if (mine->id != *id)
            continue;
        http_server_unlisten(&thread->server, mine->listener);
        forget(thread, mine);
    }
    return 0;
}

void worker_forget_listeners(struct worker_thread *thread, bool mesh)
{
    LIST_EACH (&thread->listeners, node, next) {
        struct worker_listener *mine = container_of(node, struct worker_listener, node);

        if (mesh || !mine->kept)
            forget(thread, mine);
    }
}
