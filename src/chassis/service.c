/* A service's birth, settings and end. */
#include "chassis/service.h"

#include "base/alloc.h"
#include "chassis/fakes.h"
#include "chassis/url.h"
#include "io/linux/inherit.h"
#include "io/linux/linux.h"

#include <signal.h>

bool service_is(const struct weft_service *service)
{
    return service && service->magic == CHASSIS_SERVICE_MAGIC;
}

int service_fault(struct weft_service *service, int error, const char *format, ...)
{
    struct text text = text_into(service->fault, sizeof(service->fault) - 1);
    va_list args;

    if (service->fault[0] != '\0')
        return error;
    va_start(args, format);
    text_add_vformat(&text, format, args);
    va_end(args);
    service->fault[text.len] = '\0';
    return error;
}

const char *weft_fault(const struct weft_service *service)
{
    return service_is(service) ? service->fault : "there is no service";
}

/* --- the thread ---------------------------------------------------------------------------------------------- */

static void signalled(struct wake *wake, unsigned events)
{
    struct chassis *chassis = container_of(wake, struct chassis, signalled);
    struct io *io = chassis->io;

    while (io->ops->try_signal(io, chassis->signals) > 0)
        chassis->signals_seen++;
    (void)io->ops->arm(io, wake, IO_READ);
    if (chassis->fiber)
        fiber_wake(chassis->fiber);
}

static int take_signals(struct chassis *chassis)
{
    struct io *io = chassis->io;
    const uint64_t mask = UINT64_C(1) << (SIGTERM - 1) | UINT64_C(1) << (SIGINT - 1);
    int r = io->ops->signals(io, mask, &chassis->signals);

    if (r < 0)
        return r;
    chassis->signalled = (struct wake){ .socket = chassis->signals, .run = signalled };
    return io->ops->arm(io, &chassis->signalled, IO_READ);
}

static void chassis_free(struct chassis *chassis)
{
    struct io *io = chassis->io;

    if (chassis->names)
        io->ops->lane_close(io, chassis->names);
    if (io_socket_is(chassis->signals)) {
        io->ops->disarm(io, &chassis->signalled);
        io->ops->close(io, chassis->signals);
    }
    loop_done(&chassis->loop);
    io_linux_close(io);
    mem_free(chassis);
}

static int chassis_create(bool keep_signals, struct chassis **ret)
{
    struct chassis *chassis = mem_zalloc(sizeof(*chassis));
    int r;

    if (!chassis)
        return -ENOMEM;
    r = io_linux_open(&chassis->io);
    if (r < 0) {
        mem_free(chassis);
        return r;
    }
    list_init(&chassis->services);
    r = loop_init(&chassis->loop, chassis->io, NULL);
    if (r < 0) {
        io_linux_close(chassis->io);
        mem_free(chassis);
        return r;
    }
    if (!keep_signals)
        r = take_signals(chassis);
    if (r < 0)
        chassis_free(chassis);
    else
        *ret = chassis;
    return r;
}

static void chassis_drop(struct chassis *chassis)
{
    if (--chassis->uses == 0)
        chassis_free(chassis);
}

/* --- settings ------------------------------------------------------------------------------------------------ */

static int copy_text(struct weft_service *service, const char *what, const char *text, char *to, size_t size)
{
    size_t len = strlen(text);

    if (len >= size)
        return service_fault(service, -EINVAL, "the %s has more than %zu bytes", what, size - 1);
    memcpy(to, text, len + 1);
    return 0;
}

/* $WEFT_URL, under which services are called by name. */
static void take_gateway(struct weft_service *service)
{
    const char *text = io_linux_variable("WEFT_URL");
    struct url url;

    if (!text || text[0] == '\0')
        return;
    if (url_parse(bytes_of_text(text), &url) < 0 || url.query.data || strlen(text) >= sizeof(service->gateway_text)) {
        (void)service_fault(service, -EINVAL, "WEFT_URL is no http url");
        return;
    }
    memcpy(service->gateway_text, text, strlen(text) + 1);
    service->gateway = bytes_of(service->gateway_text, strlen(text));
    if (bytes_ends(service->gateway, BYTES("/")))
        service->gateway.len--;
}

static const char *or_else(const char *text, const char *otherwise)
{
    return text && text[0] != '\0' ? text : otherwise;
}

static void take_options(struct weft_service *service, const struct weft_options *options)
{
    const char *name = or_else(options->name, or_else(io_linux_variable("WEFT_SERVICE"), "service"));
    const char *instance = or_else(io_linux_variable("WEFT_INSTANCE"), name);

    service->ready = true;
    service->address_only = options->address_only;
    service->log_access = options->log_access || strcmp(or_else(io_linux_variable("WEFT_LOG_ACCESS"), "0"), "1") == 0;
    service->body_max = options->body_max > 0 ? options->body_max : WEFT_BODY_MAX;
    service->timeout_ns = (options->timeout_ms > 0 ? options->timeout_ms : WEFT_TIMEOUT_MS) * NS_PER_MS;
    service->drain_ns = (options->drain_ms > 0 ? options->drain_ms : WEFT_DRAIN_MS) * NS_PER_MS;
    (void)copy_text(service, "name", name, service->name, sizeof(service->name));
    (void)copy_text(service, "instance's name", instance, service->instance, sizeof(service->instance));
    (void)copy_text(service, "address", or_else(options->address, "127.0.0.1:8080"), service->wanted,
                    sizeof(service->wanted));
    if (service->body_max > SIZE_MAX / 8)
        (void)service_fault(service, -EINVAL, "body_max is too large");
    if (options->timeout_ms < 0 || options->drain_ms < 0)
        (void)service_fault(service, -EINVAL, "a time can't be negative");
    take_gateway(service);
}

/* --- birth and end ------------------------------------------------------------------------------------------- */

static int make_snapshot(struct weft_service *service)
{
    struct stage *stage;
    int r = snapshot_create(1, &service->snapshot);

    if (r < 0)
        return r;
    r = snapshot_add_stage(service->snapshot, &CHASSIS_STAGE, service, BYTES("service"), &stage);
    if (r == 0) {
        service->snapshot->root = stage;
        r = snapshot_seal(service->snapshot, NULL, NULL);
    }
    return r == 0 ? worker_enter(&service->worker, service->snapshot) : r;
}

static int make_server(struct weft_service *service)
{
    struct chassis *chassis = service->chassis;
    int r = worker_init(&service->worker, 0, &chassis->loop, NULL);

    if (r < 0)
        return r;
    targets_init(&service->targets, &service->worker, &chassis->names);
    r = http_server_init(&service->server, &service->worker, NULL);
    if (r < 0) {
        worker_done(&service->worker);
        return r;
    }
    r = make_snapshot(service);
    if (r == 0)
        r = service_metrics_open(service);
    if (r < 0) {
        http_server_done(&service->server);
        worker_leave_all(&service->worker);
        worker_done(&service->worker);
        if (service->snapshot)
            snapshot_free(service->snapshot);
    }
    return r;
}

static void init_lists(struct weft_service *service)
{
    list_init(&service->databases);
    list_init(&service->tasks);
    list_init(&service->own_metrics);
    list_init(&service->fakes);
    list_init(&service->readiness.waiting);
}

int weft_service_create(const struct weft_options *options, struct weft_service **ret)
{
    struct chassis *chassis;
    struct weft_service *service;
    int r = 0;

    if (!options || !ret || (options->beside && !service_is(options->beside)))
        return -EINVAL;
    chassis = options->beside ? options->beside->chassis : NULL;
    if (chassis && chassis->started)
        return -EBUSY;
    service = mem_zalloc(sizeof(*service));
    if (!service)
        return -ENOMEM;
    if (!chassis)
        r = chassis_create(options->keep_signals, &chassis);
    if (!chassis) {
        mem_free(service);
        return r;
    }
    chassis->uses++;
    service->chassis = chassis;
    init_lists(service);
    take_options(service, options);
    r = make_server(service);
    if (r < 0) {
        chassis_drop(chassis);
        mem_free(service);
        return r;
    }
    if (service->log_access) {
        access_observer_init(&service->access);
        service->observers[1] = &service->access;
    }
    service->magic = CHASSIS_SERVICE_MAGIC;
    list_push_back(&chassis->services, &service->node);
    *ret = service;
    return 0;
}

void weft_service_free(struct weft_service *service)
{
    struct chassis *chassis;
    struct io *io;

    if (!service_is(service) || (service->chassis->started && !service->chassis->ended))
        return;
    chassis = service->chassis;
    io = chassis->io;
    service->magic = 0;
    list_remove(&service->node);
    service_metrics_close(service);
    tasks_free(service);
    fakes_free(service);
    readiness_free(&service->readiness);
    http_server_done(&service->server);
    targets_done(&service->targets);
    worker_leave_all(&service->worker);
    worker_done(&service->worker);
    snapshot_free(service->snapshot);
    if (io_socket_is(service->socket))
        io->ops->close(io, service->socket);
    routes_free(&service->routes);
    service_databases_free(service);
    mem_free(service);
    chassis_drop(chassis);
}

/* --- routes -------------------------------------------------------------------------------------------------- */

static bool built_in(const char *pattern)
{
    return strcmp(pattern, "/livez") == 0 || strcmp(pattern, "/readyz") == 0 || strcmp(pattern, "/metrics") == 0;
}

bool service_name_fine(const char *name)
{
    struct bytes text = bytes_of_text(name);

    if (text.len == 0 || text.len > CHASSIS_NAME_MAX)
        return false;
    for (size_t i = 0; i < text.len; i++) {
        char c = text.data[i];

        if (!((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' || c == '_' ||
              c == '.'))
            return false;
    }
    return true;
}

int service_open_for(struct weft_service *service, const char *what, const char *name)
{
    if (!service_is(service))
        return -EINVAL;
    if (service->chassis->started)
        return -EBUSY;
    if (!service_name_fine(name))
        return service_fault(service, -EINVAL, "a %s's name has 1 to %d letters, digits, '-', '_' and '.'", what,
                             CHASSIS_NAME_MAX);
    return 0;
}

int weft_route(struct weft_service *service, const char *method, const char *pattern, weft_handler *handler, void *user)
{
    const char *why = "";
    int r;

    if (!service_is(service))
        return -EINVAL;
    if (!method || !pattern)
        return service_fault(service, -EINVAL, "a route has a method and a pattern");
    if (service->chassis->started)
        return -EBUSY;
    if (built_in(pattern))
        return service_fault(service, -EEXIST, "route %s %s: that path is built in", method, pattern);
    r = routes_add(&service->routes, bytes_of_text(method), bytes_of_text(pattern), handler, user, &why);
    if (r == -EEXIST)
        why = "there already";
    else if (r == -ENOSPC)
        why = "a service has at most 256 routes";
    else if (r == -ENOMEM)
        why = "there is no memory";
    return r < 0 ? service_fault(service, r, "route %s %s: %s", method, pattern, why) : 0;
}

void weft_ready(struct weft_service *service, bool ready)
{
    if (service_is(service))
        service->ready = ready;
}
