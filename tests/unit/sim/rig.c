#include "rig.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

static int host_start(struct sim_process *process, void *context)
{
    struct rig_host *host = context;

    host->loop = sim_process_loop(process, NULL);
    assert_non_null(host->loop);
    host->io = host->loop->io;
    return 0;
}

static void host_open(struct rig_host *host, struct world *world, const char *name)
{
    host->node = world_node(world);
    host->process = sim_process_add(host->node, name, host_start, host);
    sim_process_start(host->process);
}

struct rig *rig_open(uint64_t seed, const struct sim_faults *faults)
{
    struct rig *rig = calloc(1, sizeof(*rig));

    assert_non_null(rig);
    rig->world = world_create(seed);
    if (faults)
        rig->world->faults = *faults;
    host_open(&rig->a, rig->world, "a");
    host_open(&rig->b, rig->world, "b");
    return rig;
}

void rig_close(struct rig *rig)
{
    if (rig->world->failed)
        fail_msg("%s", rig->world->failure);
    world_destroy(rig->world);
    free(rig);
}

void rig_wait(struct rig *rig, int64_t ms)
{
    struct world_end end = { .until_ns = rig->world->now_ns + ms * NS_PER_MS };

    assert_int_equal(world_run(rig->world, &end), 0);
}

void rig_listen(struct rig *rig, unsigned backlog)
{
    struct address address = sim_address(rig->b.node, RIG_PORT);

    assert_int_equal(rig->b.io->ops->listen(rig->b.io, &address, backlog, false, &rig->listener), 0);
}

void rig_connect(struct rig *rig, struct io_socket *ret_a, struct io_socket *ret_b)
{
    struct address address = sim_address(rig->b.node, RIG_PORT), peer;

    if (!io_socket_is(rig->listener))
        rig_listen(rig, 8);
    assert_int_equal(rig->a.io->ops->try_connect(rig->a.io, &address, ret_a), 0);
    rig_wait(rig, 1000);
    assert_int_equal(rig->a.io->ops->connect_result(rig->a.io, *ret_a), 0);
    assert_int_equal(rig->b.io->ops->try_accept(rig->b.io, rig->listener, ret_b, &peer), 0);
}

ssize_t rig_write(struct rig_host *host, struct io_socket socket, const char *text)
{
    struct iovec part = { .iov_base = (void *)(uintptr_t)text, .iov_len = strlen(text) };

    return host->io->ops->try_write(host->io, socket, &part, 1);
}

ssize_t rig_write_many(struct rig_host *host, struct io_socket socket, size_t count)
{
    char *data = calloc(1, count);
    struct iovec part = { .iov_base = data, .iov_len = count };
    ssize_t n = host->io->ops->try_write(host->io, socket, &part, 1);

    free(data);
    return n;
}

static void wake_run(struct wake *wake, unsigned events)
{
    struct rig_wake *rig_wake = container_of(wake, struct rig_wake, wake);

    assert_int_equal(wake->events, 0); /* one-shot: disarmed before it runs */
    rig_wake->runs++;
    rig_wake->last = events;
    if (rig_wake->also)
        rig_wake->also(rig_wake);
}

void rig_wake_init(struct rig_wake *wake, struct rig_host *host, struct io_socket socket)
{
    *wake = (struct rig_wake){ .wake = { .socket = socket, .run = wake_run }, .io = host->io };
}
