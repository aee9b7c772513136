/* The listening sockets: see app/supervisor.h. */
#include "app/supervisor.h"

#include "base/alloc.h"

/* Who writes down the place that was found means the one that is there. */
static bool same_place(const struct listening *listening, const struct plan_listener *plan, unsigned worker)
{
    struct plan_listener found = *listening->plan;

    found.address = listening->address;
    found.last_port = 0;
    return listening->worker == worker &&
           (plan_listener_same(listening->plan, plan) || plan_listener_same(&found, plan));
}

static struct listening *find(struct supervisor *supervisor, const struct plan_listener *plan, unsigned worker)
{
    LIST_EACH (&supervisor->listenings, node, next) {
        struct listening *listening = container_of(node, struct listening, node);

        if (same_place(listening, plan, worker))
            return listening;
    }
    return NULL;
}

/* One for all of a free port: the first that is opened finds it, the last that is closed forgets it. */
static bool is_anywhere(const struct plan_listener *plan)
{
    return plan->address.family != ADDRESS_UNIX && plan->address.port == 0;
}

struct address listening_address(const struct supervisor *supervisor, const struct plan_listener *plan)
{
    LIST_EACH (&supervisor->listenings, node, next) {
        const struct listening *listening = container_of(node, struct listening, node);

        if (listening->plan == plan)
            return listening->address;
    }
    return plan->address;
}

static void forget_mesh(struct supervisor *supervisor)
{
    LIST_EACH (&supervisor->listenings, node, next)
        if (is_anywhere(container_of(node, struct listening, node)->plan))
            return;
    supervisor->mesh = (struct address){ .family = ADDRESS_NONE };
}

static void close_one(struct supervisor *supervisor, struct listening *listening)
{
    struct io *io = supervisor->loop.io;
    const struct address *address = &listening->plan->address;

    link_forget(&supervisor->link, io->ops->descriptor_of(io, listening->socket));
    io->ops->close(io, listening->socket);
    if (address->family == ADDRESS_UNIX)
        (void)io->ops->file_remove(io, address->path);
    list_remove(&listening->node);
    forget_mesh(supervisor);
    loaded_drop(listening->loaded);
    mem_free(listening);
}

static void describe(struct fault *fault, const struct plan_listener *plan, int error)
{
    char memory[ADDRESS_TEXT_MAX];
    struct text text = text_into(memory, sizeof(memory));

    address_write(&text, &plan->address);
    if (plan->last_port > 0)
        text_add_format(&text, ", nor on a port up to %u", plan->last_port);
    fault_set(fault, BYTES_FMT ": can't listen on " BYTES_FMT ": %s", BYTES_ARG(plan->name),
              BYTES_ARG(text_bytes(&text)), app_reason(error));
    if (error == -EADDRINUSE && plan->address.family == ADDRESS_UNIX && plan->control)
        fault_hint(fault, "the system is running already: weft down stops it, weft apply changes it");
    else if (error == -EADDRINUSE && plan->control)
        fault_hint(fault, "another system, perhaps: choose another address with control: { listen: ... }, or off");
    else if (error == -EADDRINUSE)
        fault_hint(fault, "another process listens there: stop it, or choose another address");
    else if (error == -EACCES)
        fault_hint(fault, "ports below 1024 need a privilege: choose a higher one");
}

static bool port_is_ours(struct supervisor *supervisor, uint16_t port)
{
    LIST_EACH (&supervisor->listenings, node, next) {
        const struct address *address = &container_of(node, struct listening, node)->address;

        if (address->family != ADDRESS_UNIX && address->port == port)
            return true;
    }
    return false;
}

/* Sockets that share a port would share it with a stranger of the same user as well: is somebody there already? */
static int look_for_strangers(struct supervisor *supervisor, const struct plan_listener *plan)
{
    struct io *io = supervisor->loop.io;
    struct io_socket socket;
    int r;

    if (is_anywhere(plan) || port_is_ours(supervisor, plan->address.port))
        return 0;
    r = io->ops->listen(io, &plan->address, 1, false, &socket);
    if (r == 0)
        io->ops->close(io, socket);
    return r;
}

/* The first of its ports that is free. */
static int open_next(struct supervisor *supervisor, const struct plan_listener *plan, struct listening *listening)
{
    struct io *io = supervisor->loop.io;
    int r;

    listening->address = plan->address;
    do
        r = io->ops->listen(io, &listening->address, LISTEN_BACKLOG, false, &listening->socket);
    while (r == -EADDRINUSE && listening->address.port++ < plan->last_port);
    return r;
}

static int open_socket(struct supervisor *supervisor, const struct plan_listener *plan, bool shared,
                       struct listening *listening)
{
    struct io *io = supervisor->loop.io;
    bool known = is_anywhere(plan) && supervisor->mesh.family != ADDRESS_NONE;
    int r;

    if (plan->last_port > 0)
        return open_next(supervisor, plan, listening);
    listening->address = known ? supervisor->mesh : plan->address;
    r = io->ops->listen(io, &listening->address, LISTEN_BACKLOG, shared, &listening->socket);
    if (r == 0 && is_anywhere(plan) && !known) {
        r = io->ops->local_address(io, listening->socket, &supervisor->mesh);
        if (r < 0)
            io->ops->close(io, listening->socket);
        listening->address = supervisor->mesh;
    }
    return r;
}

static int open_one(struct supervisor *supervisor, struct loaded *loaded, const struct plan_listener *plan,
                    unsigned worker, struct fault *fault)
{
    struct listening *listening = mem_zalloc(sizeof(*listening));
    bool shared = !plan->control && plan->address.family != ADDRESS_UNIX;
    int r = listening ? 0 : -ENOMEM;

    if (r == 0 && shared)
        r = look_for_strangers(supervisor, plan);
    if (r == 0)
        r = open_socket(supervisor, plan, shared, listening);
    if (r < 0) {
        describe(fault, plan, r);
        mem_free(listening);
        return r;
    }
    listening->id = ++supervisor->last_id;
    listening->loaded = loaded_use(loaded);
    listening->plan = plan;
    listening->worker = worker;
    listening->wanted = listening->fresh = true;
    list_push_back(&supervisor->listenings, &listening->node);
    return 0;
}

/* One for each worker; a unix socket can't be shared out by the kernel: the first worker has it. */
static int open_all(struct supervisor *supervisor, struct loaded *loaded, const struct plan_listener *plan,
                    struct fault *fault)
{
    unsigned first = plan->control ? 0 : 1;
    unsigned last = plan->control ? 0 : plan->address.family == ADDRESS_UNIX ? 1 : supervisor->workers;
    int r = 0;

    for (unsigned worker = first; r == 0 && worker <= last; worker++) {
        struct listening *there = find(supervisor, plan, worker);

        if (there)
            there->wanted = true;
        else
            r = open_one(supervisor, loaded, plan, worker, fault);
    }
    return r;
}

int listenings_prepare(struct supervisor *supervisor, struct loaded *loaded, struct fault *fault)
{
    const struct plan *plan = &loaded->plan;
    int r = 0;

    LIST_EACH (&supervisor->listenings, node, next)
        container_of(node, struct listening, node)->wanted = false;
    for (unsigned i = 0; r == 0 && i < plan->listener_count; i++)
        r = open_all(supervisor, loaded, &plan->listeners[i], fault);
    if (r < 0)
        listenings_rollback(supervisor);
    return r;
}

/* What stays belongs to the newest configuration from now on, so that older ones can go. */
static void move_on(struct supervisor *supervisor, struct listening *listening)
{
    struct loaded *current = supervisor->current;

    for (unsigned i = 0; i < current->plan.listener_count; i++) {
        if (!same_place(listening, &current->plan.listeners[i], listening->worker))
            continue;
        (void)loaded_use(current);
        loaded_drop(listening->loaded);
        listening->loaded = current;
        listening->plan = &current->plan.listeners[i];
        return;
    }
}

void listenings_commit(struct supervisor *supervisor)
{
    LIST_EACH (&supervisor->listenings, node, next) {
        struct listening *listening = container_of(node, struct listening, node);

        listening->fresh = false;
        if (listening->wanted) {
            move_on(supervisor, listening);
            continue;
        }
        courier_unlisten(supervisor, listening->id);
        close_one(supervisor, listening);
    }
}

void listenings_rollback(struct supervisor *supervisor)
{
    LIST_EACH (&supervisor->listenings, node, next) {
        struct listening *listening = container_of(node, struct listening, node);

        if (listening->fresh) {
            courier_unlisten(supervisor, listening->id);
            close_one(supervisor, listening);
        } else
            listening->wanted = true;
    }
}

void listenings_close_gateways(struct supervisor *supervisor)
{
    LIST_EACH (&supervisor->listenings, node, next) {
        struct listening *listening = container_of(node, struct listening, node);

        if (!listening->plan->control)
            close_one(supervisor, listening);
    }
}

void listenings_close(struct supervisor *supervisor)
{
    LIST_EACH (&supervisor->listenings, node, next)
        close_one(supervisor, container_of(node, struct listening, node));
}
