#include "app/loaded.h"

#include "app/environment.h"
#include "app/processors.h"
#include "app/stages.h"
#include "base/alloc.h"
#include "control/compile.h"
#include "control/load.h"

#include <stdio.h>

struct reading {
    struct app *app;
    struct loaded *loaded;
    struct environment environment;
};

/* --- texts ---------------------------------------------------------------------------------------------------- */

static int keep_text(struct loaded *loaded, struct bytes file, struct bytes content)
{
    struct loaded_text *text = arena_zalloc(&loaded->arena, sizeof(*text));

    if (!text || arena_copy(&loaded->arena, file, &text->file) < 0)
        return -ENOMEM;
    text->content = content;
    list_push_back(&loaded->texts, &text->node);
    loaded->text_count++;
    return 0;
}

/* For the main file and what it includes: into the arena, and kept for the serving process. */
static int read_text(void *user, const char *path, struct arena *arena, struct bytes *ret)
{
    struct reading *reading = user;
    struct io *io = reading->app->io;
    struct bytes read, content;
    int r = io->ops->file_read(io, path, CONF_TEXT_MAX, &read);

    if (r < 0)
        return r;
    r = arena_copy(&reading->loaded->arena, read, &content);
    mem_free((void *)read.data);
    if (r == 0)
        r = keep_text(reading->loaded, bytes_of_text(path), content);
    if (r == 0)
        *ret = content;
    return r;
}

static bool variable(void *user, struct bytes name, struct bytes *ret)
{
    return environment_variable(&((struct reading *)user)->environment, name, ret);
}

/* .env beside the file; there need not be one. */
static int read_environment(struct reading *reading, const char *folder, struct fault_list *faults)
{
    struct io *io = reading->app->io;
    struct arena *arena = &reading->loaded->arena;
    bool here = strcmp(folder, ".") == 0;
    struct bytes read, content;
    char path[FILE_PATH_MAX];
    int len = snprintf(path, sizeof(path), "%s%s.env", here ? "" : folder, here ? "" : "/");
    int r = len < 0 || (size_t)len >= sizeof(path) ? -ENAMETOOLONG : io->ops->file_read(io, path, CONF_TEXT_MAX, &read);

    if (r == -ENOENT)
        return 0;
    if (r < 0) {
        fault_set(fault_list_add(faults), "%s: can't be read: %s", path, app_reason(r));
        return r;
    }
    r = arena_copy(arena, read, &content);
    mem_free((void *)(uintptr_t)read.data);
    if (r == 0)
        r = environment_take(&reading->environment, path, content, arena, faults);
    return r == 0 ? keep_text(reading->loaded, BYTES(ENVIRONMENT_TEXT), content) : r;
}

/* --- the plan ------------------------------------------------------------------------------------------------- */

static int plan_socket(struct plan_listener *listener, const char *state, struct fault *fault)
{
    int len = snprintf(listener->address.path, sizeof(listener->address.path), "%s/control.sock", state);

    *listener = (struct plan_listener){
        .name = BYTES(CONTROL_GATEWAY_SOCKET), .scheme = BYTES("http"), .address = listener->address, .control = true
    };
    listener->address.family = ADDRESS_UNIX;
    if (len >= 0 && (size_t)len < sizeof(listener->address.path))
        return 0;
    fault_set(fault, "the path %s/control.sock is too long for a unix socket", state);
    fault_hint(fault, "they take 107 bytes: choose a shorter folder with --dir");
    return -EINVAL;
}

/* Who is told of the mesh: instances that we start. */
static bool runs_any(const struct control_config *config)
{
    for (size_t i = 0; i < config->services.count; i++)
        if (control_service_at(config, i)->argv)
            return true;
    return false;
}

static int plan_listeners(struct loaded *loaded, const char *state, struct fault *fault)
{
    const struct control_config *config = loaded->config;
    struct plan *plan = &loaded->plan;
    int r;

    plan->listeners = arena_zalloc(&loaded->arena, (config->gateways.count + 3) * sizeof(*plan->listeners));
    if (!plan->listeners)
        return -ENOMEM;
    /* First the socket: whether the system runs already is known before anything else is tried. */
    r = plan_socket(&plan->listeners[plan->listener_count++], state, fault);
    for (size_t i = 0; i < config->gateways.count; i++) {
        const struct control_gateway *gateway = control_gateway_at(config, i);

        plan->listeners[plan->listener_count++] = (struct plan_listener){ .name = gateway->name,
                                                                          .scheme = gateway->scheme,
                                                                          .address = gateway->address };
    }
    if (runs_any(config))
        plan->listeners[plan->listener_count++] = (struct plan_listener){ .name = BYTES(CONTROL_GATEWAY_MESH),
                                                                          .scheme = BYTES("http"),
                                                                          .address = { .family = ADDRESS_IP4,
                                                                                       .ip = { 127, 0, 0, 1 } } };
    if (config->control.address.family != ADDRESS_NONE)
        plan->listeners[plan->listener_count++] = (struct plan_listener){
            .name = BYTES(CONTROL_GATEWAY),
            .scheme = BYTES("http"),
            .address = config->control.address,
            .last_port = config->control.written ? 0 : CONTROL_PORT_LAST,
            .control = true,
        };
    return r;
}

/* Where a service runs: its own folder counts from the file's. */
static const char *directory_of(struct arena *arena, const char *folder, struct bytes directory)
{
    struct bytes joined;

    if (directory.len == 0)
        return arena_text(arena, bytes_of_text(folder));
    if (directory.data[0] == '/')
        return arena_text(arena, directory);
    return arena_format(arena, &joined, "%s/" BYTES_FMT, folder, BYTES_ARG(directory)) < 0 ? NULL
                                                                                           : arena_text(arena, joined);
}

static int plan_services(struct reading *reading, const char *folder, struct fault_list *faults)
{
    struct loaded *loaded = reading->loaded;
    const struct control_config *config = loaded->config;
    struct plan *plan = &loaded->plan;
    int r = 0;

    plan->services = arena_zalloc(&loaded->arena, (config->services.count + 1) * sizeof(*plan->services));
    if (!plan->services)
        return -ENOMEM;
    for (size_t i = 0; i < config->services.count && r != -ENOMEM; i++) {
        const struct control_service *from = control_service_at(config, i);
        const char *const *env = NULL;
        struct plan_service *service = &plan->services[plan->service_count];
        int one;

        if (!from->argv)
            continue;
        one = environment_of(&reading->environment, from, folder, &loaded->arena, faults, &env);
        r = MIN(r, one);
        *service = (struct plan_service){ .name = from->name,
                                          .argv = from->argv,
                                          .env = env,
                                          .directory = directory_of(&loaded->arena, folder, from->directory),
                                          .needs = from->needs.items,
                                          .need_count = (unsigned)from->needs.count,
                                          .limits = { .memory = from->limits.memory,
                                                      .cpu_ppm = (uint64_t)(from->limits.cpu * 1e6),
                                                      .files = (uint64_t)from->limits.files },
                                          .scale = (unsigned)from->scale,
                                          .port = from->port };
        if (!service->directory)
            return -ENOMEM;
        plan->service_count++;
    }
    return r;
}

static int make_plan(struct reading *reading, const char *folder, const char *state, struct fault_list *faults)
{
    struct loaded *loaded = reading->loaded;
    struct app *app = reading->app;
    struct fault fault = { 0 };
    int r = plan_listeners(loaded, state, &fault);

    if (r == 0) {
        r = plan_services(reading, folder, faults);
        if (r == -EINVAL) /* they have told */
            return r;
    }
    loaded->plan.log_files = (unsigned)loaded->config->log.files;
    loaded->plan.log_size = loaded->config->log.size;
    loaded->plan.workers = (unsigned)MIN(loaded->config->workers, (int64_t)WORKERS_MAX);
    if (loaded->plan.workers == 0)
        loaded->plan.workers = processors_count(app->io);
    if (r == -ENOMEM)
        fault_set(&fault, "no memory is left");
    if (r < 0)
        *fault_list_add(faults) = fault;
    return r;
}

/* --- life ----------------------------------------------------------------------------------------------------- */

static int read_all(struct reading *reading, const char *file, const char *folder, struct fault_list *faults)
{
    const struct control_request request = { .stages = &STAGES,
                                             .source = { .read = read_text, .variable = variable, .user = reading } };
    struct loaded *loaded = reading->loaded;
    struct bytes text = BYTES_NONE;
    int r = read_text(reading, file, &loaded->arena, &text);

    if (r < 0) {
        struct fault *fault = fault_list_add(faults);

        fault_set(fault, "%s: can't be read: %s", file, app_reason(r));
        if (r == -ENOENT)
            fault_hint(fault, "-f FILE names another one");
        return r;
    }
    r = read_environment(reading, folder, faults);
    if (r < 0)
        return r;
    r = control_load(&request, file, text, &loaded->arena, faults, &loaded->config);
    if (r == 0) {
        struct fault fault = { 0 };

        r = control_prove(loaded->config, &fault);
        if (r < 0)
            *fault_list_add(faults) = fault;
    }
    return r;
}

int loaded_read(struct app *app, const char *file, const char *folder, const char *state, struct fault_list *faults,
                struct loaded **ret)
{
    struct loaded *loaded = mem_zalloc(sizeof(*loaded));
    struct reading reading = { .app = app, .loaded = loaded, .environment = { .app = app } };
    int r;

    if (!loaded) {
        fault_set(fault_list_add(faults), "no memory is left");
        return -ENOMEM;
    }
    loaded->uses = 1;
    list_init(&loaded->texts);
    arena_init(&loaded->arena, NULL, SNAPSHOT_ARENA_MAX);
    r = read_all(&reading, file, folder, faults);
    if (r == 0)
        r = make_plan(&reading, folder, state, faults);
    if (r < 0) {
        loaded_drop(loaded);
        return r == -ENOMEM ? r : -EINVAL;
    }
    *ret = loaded;
    return 0;
}

struct loaded *loaded_use(struct loaded *loaded)
{
    loaded->uses++;
    return loaded;
}

void loaded_drop(struct loaded *loaded)
{
    if (!loaded || --loaded->uses > 0)
        return;
    arena_done(&loaded->arena);
    mem_free(loaded);
}
