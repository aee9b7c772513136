/* Taking a version of the configuration: see app/serving.h (3) and (4). */
#include "app/serving.h"

#include "app/environment.h"
#include "app/loaded.h"
#include "app/stages.h"
#include "base/alloc.h"
#include "control/compile.h"
#include "control/load.h"

static void refuse(struct serving *serving, uint64_t version, struct bytes why)
{
    const struct message message = { .type = MESSAGE_REFUSED, .version = version, .payload = why };

    serving_send(serving, &message);
}

static void refuse_fault(struct serving *serving, uint64_t version, const struct fault *fault)
{
    char memory[FAULT_FILE_MAX + FAULT_TEXT_MAX + FAULT_HINT_MAX + 64];
    size_t len = fault_write(fault, memory, sizeof(memory));

    refuse(serving, version, bytes_of(memory, MIN(len, sizeof(memory) - 1)));
}

/* --- compiling, on the loop's own stack --------------------------------------------------------------------------- */

struct loading {
    struct serving *serving;
    struct environment environment;
};

static int read_text(void *user, const char *path, struct arena *arena, struct bytes *ret)
{
    struct serving *serving = ((struct loading *)user)->serving;

    LIST_EACH (&serving->incoming.texts, node, next) {
        const struct serving_text *text = container_of(node, struct serving_text, node);

        if (bytes_equal(bytes_of_text(text->name), bytes_of_text(path)))
            return arena_copy(arena, bytes_of(text->content, text->len), ret);
    }
    return -ENOENT;
}

static bool variable(void *user, struct bytes name, struct bytes *ret)
{
    return environment_variable(&((struct loading *)user)->environment, name, ret);
}

/* The supervisor found it good. */
static int load_environment(struct loading *loading, struct arena *arena, struct fault_list *faults)
{
    struct bytes text;
    int r = read_text(loading, ENVIRONMENT_TEXT, arena, &text);

    if (r < 0)
        return r == -ENOENT ? 0 : r;
    return environment_take(&loading->environment, ".env", text, arena, faults);
}

static int load(struct serving *serving, struct snapshot *snapshot, struct fault_list *faults,
                const struct control_config **ret)
{
    struct loading loading = { .serving = serving, .environment = { .app = serving->app } };
    const struct control_request request = { .stages = &STAGES,
                                             .source = { .read = read_text, .variable = variable, .user = &loading } };
    const struct serving_text *text = container_of(serving->incoming.texts.next, struct serving_text, node);
    struct bytes copy;
    int r = arena_copy(&snapshot->arena, bytes_of(text->content, text->len), &copy);

    if (r == 0)
        r = load_environment(&loading, &snapshot->arena, faults);
    if (r < 0)
        return r;
    return control_load(&request, text->name, copy, &snapshot->arena, faults, ret);
}

static int compile(struct serving *serving, struct snapshot *snapshot, struct fault *fault)
{
    struct fault_list *faults = mem_zalloc(sizeof(*faults));
    const struct control_config *config = NULL;
    int r = faults ? load(serving, snapshot, faults, &config) : -ENOMEM;

    if (r < 0 && faults && faults->count > 0)
        *fault = faults->faults[0];
    mem_free(faults);
    if (r == 0)
        r = control_compile(snapshot, config, fault);
    if (r == 0)
        r = snapshot_seal(snapshot, serving->newest, fault);
    if (r < 0 && !fault->what[0])
        fault_set(fault, "can't be compiled: %s", app_reason(r));
    return r;
}

void serving_compile(struct serving *serving, uint64_t version)
{
    struct fault fault = { 0 };
    struct snapshot *snapshot;
    int r;

    if (snapshots_sweep(&serving->live) >= SNAPSHOTS_LIVE_MAX) {
        refuse(serving, version, BYTES("too many older versions are still in use: their requests must end first"));
        return;
    }
    r = snapshot_create(version, &snapshot);
    if (r < 0) {
        refuse(serving, version, BYTES("no memory is left"));
        return;
    }
    snapshot->folder = bytes_of_text(serving->folder);
    snapshot->secret = &serving->secret;
    r = compile(serving, snapshot, &fault);
    serving_text_free(&serving->incoming);
    if (r < 0) {
        snapshot_free(snapshot);
        refuse_fault(serving, version, &fault);
        return;
    }
    serving->compiled = snapshot;
    serving_wake(serving);
}

/* --- living in it, on the conductor's fiber ----------------------------------------------------------------------- */

static int make_known(struct serving *serving, const struct control_service *from, uint64_t version)
{
    struct service_settings settings = control_service_settings(from);
    struct service *service;
    int r = registry_set(&serving->registry, from->name, &settings, &service);

    if (r < 0)
        return r;
    service->mark = version;
    return from->argv ? endpoints_apply(serving, from->name)
                      : service_set_targets(service, from->targets, from->target_count);
}

/* Services that a version which was refused half-way has changed get back what the one that is lived in says; what only
 * the refused one named goes by forget_services(). Memory that is short now leaves some as they are. */
static void restore_services(struct serving *serving)
{
    const struct control_config *config = serving->newest ? serving->newest->system : NULL;

    for (size_t i = 0; config && i < config->services.count; i++) {
        const struct control_service *service = control_service_at(config, i);
        int r = make_known(serving, service, serving->newest->version);

        if (r < 0)
            log_say(&serving->log, "service " BYTES_FMT " keeps settings of a refused version: %s",
                    BYTES_ARG(service->name), app_reason(r));
    }
}

static int make_all_known(struct serving *serving, const struct snapshot *snapshot)
{
    const struct control_config *config = snapshot->system;
    int r = 0;

    for (size_t i = 0; r == 0 && i < config->services.count; i++)
        r = make_known(serving, control_service_at(config, i), snapshot->version);
    return r;
}

/* Services that the newest version does not name any more, once nobody lives in an older one. */
static void forget_services(struct serving *serving)
{
    struct service *service = registry_next(&serving->registry, NULL);

    while (service) {
        struct service *next = registry_next(&serving->registry, service);

        if (service->mark < serving->newest->version) /* one that was refused half-way has left its mark */
            registry_remove(&serving->registry, service);
        service = next;
    }
}

void serving_sweep(struct timer *timer)
{
    struct serving *serving = container_of(timer, struct serving, sweep);

    if (snapshots_sweep(&serving->live) > 1)
        timer_set(&serving->loop, timer, serving->loop.now_ns + SNAPSHOT_SWEEP_NS);
    else if (!serving->compiled)
        forget_services(serving);
}

/* Clients come by it; others may come before services are ready: they look at the system, or are these services. */
static bool is_gateway(const struct serving_listener *listener)
{
    return listener->worker != 0 && strcmp(listener->name, CONTROL_GATEWAY_MESH) != 0;
}

static struct serving_listener *next_listener(struct serving *serving, bool gateways)
{
    LIST_EACH (&serving->opening, node, next) {
        struct serving_listener *listener = container_of(node, struct serving_listener, node);

        if (is_gateway(listener) == gateways)
            return listener;
    }
    return NULL;
}

static int open_listeners(struct serving *serving, bool gateways)
{
    struct serving_listener *listener;
    int r = 0;

    while (r == 0 && (listener = next_listener(serving, gateways)) != NULL) {
        struct worker_listen listen = { .id = listener->id,
                                        .descriptor = listener->descriptor,
                                        .gateway = bytes_of_text(listener->name),
                                        .scheme = bytes_of_text(listener->scheme) };

        list_remove(&listener->node); /* while we wait, the supervisor may speak of it */
        if (listener->worker >= serving->workers.count)
            r = -EPROTO;
        else {
            listener->descriptor = -1;
            r = workers_ask(&serving->workers, listener->worker, worker_order_listen, &listen);
        }
        serving_listener_free(serving, listener);
    }
    return r;
}

static int enter(struct serving *serving, struct snapshot *snapshot)
{
    struct worker_enter order = { .snapshot = snapshot };
    const struct control_config *config = snapshot->system;
    int r;

    order.limits = control_server_limits(config);
    order.fibers_max = (unsigned)config->clients.fibers;
    order.traffic = config->log.traffic;
    order.access_log = config->log.access;
    snapshot_hold(snapshot);
    list_push_back(&serving->live, &snapshot->node);
    r = workers_round(&serving->workers, 1, worker_order_enter, &order);
    if (r < 0) { /* some may be in it: the process is not whole any more */
        snapshot_release(snapshot);
        return r;
    }
    if (serving->newest)
        snapshot_release(serving->newest);
    serving->newest = snapshot;
    timer_set(&serving->loop, &serving->sweep, serving->loop.now_ns + SNAPSHOT_SWEEP_NS);
    return 0;
}

void serving_apply(struct serving *serving)
{
    struct snapshot *snapshot = serving->compiled;
    const struct message applied = { .type = MESSAGE_APPLIED, .version = snapshot->version };
    int r = make_all_known(serving, snapshot);

    if (r < 0) {
        struct fault fault = { 0 };

        restore_services(serving);
        fault_set(&fault, "services can't be made known: %s", app_reason(r));
        refuse_fault(serving, snapshot->version, &fault);
        snapshot_free(snapshot);
        serving->compiled = NULL;
        return;
    }
    r = enter(serving, snapshot);
    serving->compiled = NULL;
    if (r == 0)
        r = open_listeners(serving, false);
    if (r == 0 && serving->first)
        endpoints_wait_first(serving);
    else if (r == 0)
        endpoints_wait(serving);
    serving->first = false;
    if (r == 0)
        r = open_listeners(serving, true);
    if (r < 0)
        serving_lost(serving, "apply", r);
    else
        serving_send(serving, &applied);
}

void serving_leave(struct serving *serving)
{
    if (serving->compiled)
        snapshot_free(serving->compiled);
    if (serving->newest)
        snapshot_release(serving->newest);
    serving->newest = NULL;
    (void)snapshots_sweep(&serving->live);
}
