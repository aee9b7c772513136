/* Listening, serving, draining. */
#include "chassis/service.h"

#include "base/assert.h"
#include "io/linux/inherit.h"

#define BACKLOG 1024 /* Linux cuts it to net.core.somaxconn */

/* --- listening ----------------------------------------------------------------------------------------------- */

static int listen_on(struct weft_service *service, const struct address *address)
{
    struct io *io = service->chassis->io;
    char memory[ADDRESS_TEXT_MAX];
    struct text text = text_into(memory, sizeof(memory));
    int r = io->ops->listen(io, address, BACKLOG, false, &service->socket);

    if (r == 0)
        return 0;
    address_write(&text, address);
    return service_fault(service, r, "can't listen on " BYTES_FMT ": %s", BYTES_ARG(text_bytes(&text)),
                         r == -EADDRINUSE ? "another process listens there" : strerrordesc_np(-r));
}

static int listen_inherited(struct weft_service *service)
{
    struct io *io = service->chassis->io;
    int r = io->ops->adopt(io, INHERITED_FIRST, &service->socket);

    return r < 0 ? service_fault(service, r, "LISTEN_FDS: descriptor %d: %s", INHERITED_FIRST, strerrordesc_np(-r)) : 0;
}

static int listen_on_port(struct weft_service *service, const char *port)
{
    struct address address = { .family = ADDRESS_IP4, .ip = { 127, 0, 0, 1 } };
    uint64_t number;

    if (bytes_to_u64(bytes_of_text(port), &number) < 0 || number > UINT16_MAX)
        return service_fault(service, -EINVAL, "PORT is no port: %.32s", port);
    address.port = (uint16_t)number;
    return listen_on(service, &address);
}

static int open_socket(struct weft_service *service)
{
    const char *port = io_linux_variable("PORT");
    struct address address;
    int count;

    if (!service->address_only) {
        count = io_linux_inherited();
        if (count < 0)
            return service_fault(service, count, "LISTEN_FDS and LISTEN_PID make no sense: %s",
                                 strerrordesc_np(-count));
        if (count > 0)
            return listen_inherited(service);
        if (port && port[0] != '\0')
            return listen_on_port(service, port);
    }
    if (address_parse(bytes_of_text(service->wanted), &address) < 0)
        return service_fault(service, -EINVAL, "%s is no address (127.0.0.1:8080, [::1]:8080, unix:/run/x.sock)",
                             service->wanted);
    return listen_on(service, &address);
}

int weft_listen(struct weft_service *service)
{
    struct io *io;
    struct address address;
    struct text text;
    int r;

    if (!service_is(service))
        return -EINVAL;
    if (io_socket_is(service->socket))
        return 0;
    io = service->chassis->io;
    r = open_socket(service);
    if (r == 0 && io->ops->local_address(io, service->socket, &address) == 0) {
        text = text_into(service->address, sizeof(service->address) - 1);
        address_write(&text, &address);
        service->address[text.len] = '\0';
    }
    return r;
}

const char *weft_address(const struct weft_service *service)
{
    return service_is(service) ? service->address : "";
}

/* --- the end ------------------------------------------------------------------------------------------------- */

static bool stopping(const struct chassis *chassis)
{
    return chassis->signals_seen > 0 || atomic_load_explicit(&chassis->stop, memory_order_acquire);
}

static void stop_letter(struct letter *letter, struct loop *loop)
{
    struct chassis *chassis = container_of(letter, struct chassis, stop_letter);

    if (chassis->fiber)
        fiber_wake(chassis->fiber);
}

void weft_stop(struct weft_service *service)
{
    struct chassis *chassis;
    int r;

    if (!service_is(service))
        return;
    chassis = service->chassis;
    if (atomic_exchange_explicit(&chassis->stop, true, memory_order_acq_rel))
        return;
    chassis->stop_letter.run = stop_letter;
    r = loop_post(&chassis->loop, &chassis->stop_letter);
    ASSERT(r == 0); /* it is the only letter that is ever sent */
}

static bool all_quiet(const struct chassis *chassis)
{
    LIST_EACH (&chassis->services, node, next) {
        const struct weft_service *service = container_of(node, struct weft_service, node);

        if (!http_server_quiet(&service->server) || tasks_alive(service))
            return false;
    }
    return true;
}

/* Connections on which nothing was asked are nobody's loss. */
static bool has_work(const struct chassis *chassis)
{
    LIST_EACH (&chassis->services, node, next) {
        const struct weft_service *service = container_of(node, struct weft_service, node);

        if (service->worker.exchanges.out > 0 || tasks_alive(service))
            return true;
    }
    return false;
}

/* Until no connection is left, the time is up or, if that is asked for, somebody is in a hurry. */
static void wait_quiet(struct chassis *chassis, int64_t until_ns, bool hurried)
{
    while (!all_quiet(chassis) && chassis->loop.now_ns < until_ns) {
        if (hurried && chassis->signals_seen > 1)
            return;
        if (fiber_sleep(CHASSIS_QUIET_NS) < 0)
            return;
    }
}

static void drain(struct chassis *chassis)
{
    int64_t drain_ns = 0, now_ns = chassis->loop.now_ns;

    chassis->draining = true;
    LIST_EACH (&chassis->services, node, next) {
        struct weft_service *service = container_of(node, struct weft_service, node);

        drain_ns = MAX(drain_ns, service->drain_ns);
        service->worker.draining = true;
        http_server_drain(&service->server);
        tasks_drain(service);
    }
    wait_quiet(chassis, now_ns + drain_ns, true);
    if (all_quiet(chassis))
        return;
    if (has_work(chassis))
        chassis->code = 2;
    if (!chassis->background_gone)
        scope_cancel(&chassis->background);
    LIST_EACH (&chassis->services, node, next)
        http_server_abort(&container_of(node, struct weft_service, node)->server);
    wait_quiet(chassis, chassis->loop.now_ns + CHASSIS_ABORT_NS, false);
}

void background_open(struct chassis *chassis)
{
    scope_open(&chassis->background, TIME_NEVER);
    chassis->background_open = true;
}

void background_close(struct chassis *chassis)
{
    chassis->background_open = false;
    (void)scope_close(&chassis->background);
}

static int start_tasks(struct chassis *chassis)
{
    LIST_EACH (&chassis->services, node, next) {
        int r = tasks_start(container_of(node, struct weft_service, node));

        if (r < 0)
            return r;
    }
    return 0;
}

/* The scope of the background is opened by a fiber of its own, which is not in it: the drain's waits outlive it. */
static int background_task(struct task *task)
{
    struct chassis *chassis = container_of(task, struct chassis, background_task);

    background_open(chassis);
    if (start_tasks(chassis) < 0)
        weft_service_log(container_of(chassis->services.next, struct weft_service, node), WEFT_ERROR,
                         "tasks can't start: there are more of them than fibers");
    while (!chassis->background.ended)
        if (fiber_park(TIME_NEVER) < 0)
            break;
    background_close(chassis);
    return 0;
}

static void background_ended(struct task *task)
{
    container_of(task, struct chassis, background_task)->background_gone = true;
}

/* Databases are closed only when nobody in the background has them. */
static void end_background(struct chassis *chassis)
{
    int64_t until_ns = chassis->loop.now_ns + CHASSIS_ABORT_NS;

    if (!chassis->background_gone)
        scope_cancel(&chassis->background);
    while (!chassis->background_gone && chassis->loop.now_ns < until_ns)
        if (fiber_sleep(CHASSIS_QUIET_NS) < 0)
            return;
}

/* The fiber that waits for the end. */
static int chassis_task(struct task *task)
{
    struct chassis *chassis = container_of(task, struct chassis, task);

    chassis->fiber = fiber_current();
    while (!stopping(chassis))
        if (fiber_park(TIME_NEVER) < 0)
            break;
    drain(chassis);
    end_background(chassis);
    LIST_EACH (&chassis->services, node, next)
        targets_done(&container_of(node, struct weft_service, node)->targets);
    chassis->fiber = NULL;
    loop_stop(&chassis->loop);
    return 0;
}

/* --- running ------------------------------------------------------------------------------------------------- */

static int say(struct weft_service *service, const char *what)
{
    struct io *io = service->chassis->io;
    char memory[FAULT_TEXT_MAX + CHASSIS_NAME_MAX + 4];
    struct text text = text_into(memory, sizeof(memory));

    text_add(&text, bytes_of_text(service->name[0] ? service->name : "service"));
    text_add(&text, BYTES(": "));
    text_add(&text, bytes_of_text(what));
    text_add_char(&text, '\n');
    (void)io->ops->descriptor_write(io, STANDARD_ERROR, text_bytes(&text));
    return 1;
}

static int start_service(struct weft_service *service)
{
    int r = weft_listen(service);

    if (r < 0 || service->fault[0] != '\0')
        return -EINVAL;
    r = http_server_listen(&service->server, service->socket, bytes_of_text(service->name), BYTES("http"),
                           &service->listener);
    return r < 0 ? service_fault(service, r, "can't start: %s", strerrordesc_np(-r)) : 0;
}

static int start(struct chassis *chassis)
{
    LIST_EACH (&chassis->services, node, next) {
        struct weft_service *service = container_of(node, struct weft_service, node);

        if (start_service(service) < 0)
            return say(service, service->fault);
    }
    return 0;
}

static void unlisten(struct chassis *chassis)
{
    LIST_EACH (&chassis->services, node, next) {
        struct weft_service *service = container_of(node, struct weft_service, node);

        if (service->listener && !chassis->draining)
            http_server_unlisten(&service->server, service->listener);
        service->listener = NULL;
        if (io_socket_is(service->socket))
            chassis->io->ops->close(chassis->io, service->socket);
        service->socket = IO_SOCKET_NONE;
    }
}

static int serve(struct chassis *chassis, struct weft_service *service)
{
    int r = lines_open(&chassis->log, &chassis->loop, STANDARD_OUTPUT, CHASSIS_LOG_BUFFER_MAX, service_log_dropped);

    if (r == 0) {
        chassis->task = (struct task){ .run = chassis_task };
        chassis->background_task = (struct task){ .run = background_task, .ended = background_ended };
        r = loop_spawn(&chassis->loop, &chassis->background_task);
    }
    if (r == 0)
        r = loop_spawn(&chassis->loop, &chassis->task);
    if (r < 0) {
        unlisten(chassis); /* nobody may come while the loop ends */
        loop_stop(&chassis->loop);
        chassis->code = say(service, "can't start: there is no memory");
    }
    loop_run(&chassis->loop);
    lines_close(&chassis->log);
    return chassis->code;
}

int weft_run(struct weft_service *service)
{
    struct chassis *chassis;
    int code;

    if (!service_is(service))
        return 1;
    chassis = service->chassis;
    if (chassis->started || chassis->testing)
        return say(service, chassis->testing ? "a service that was tested does not run" : "a service runs once");
    chassis->started = true;
    code = start(chassis);
    if (code == 0)
        code = serve(chassis, service);
    unlisten(chassis);
    LIST_EACH (&chassis->services, node, next)
        service_databases_close(container_of(node, struct weft_service, node));
    chassis->ended = true;
    return code;
}
