#include "control/load.h"

int control_load(const struct control_request *request, const char *file, struct bytes text, struct arena *arena,
                 struct fault_list *faults, const struct control_config **ret)
{
    struct control_sets *sets = arena_zalloc(arena, sizeof(*sets));
    struct conf_request tables = { .schema = &CONTROL_SCHEMA, .set_count = CONTROL_SETS, .source = request->source };
    void *config = NULL;
    int r = sets ? control_sets_make(request->stages, arena, sets) : -ENOMEM;

    if (r < 0) {
        fault_set(fault_list_add(faults), "not enough memory to read the configuration");
        return r;
    }
    tables.sets = sets->sets;
    r = conf_load(&tables, file, text, arena, faults, &config);
    if (r == 0)
        *ret = config;
    return r;
}

const struct control_service *control_find_service(const struct control_config *config, struct bytes name)
{
    for (size_t i = 0; i < config->services.count; i++)
        if (bytes_equal(config->services.entries[i].name, name))
            return control_service_at(config, i);
    return NULL;
}

static struct check_rules rules_of(const struct control_check *check)
{
    return (struct check_rules){ .every_ns = check->every_ns,
                                 .timeout_ns = check->timeout_ns,
                                 .failures = (unsigned)check->failures };
}

struct service_settings control_service_settings(const struct control_service *service)
{
    return (struct service_settings){ .ready = service->ready.path,
                                      .ready_rules = rules_of(&service->ready),
                                      .live = service->live.path,
                                      .live_rules = rules_of(&service->live),
                                      .connections_max = (unsigned)service->connections };
}

struct http_server_limits control_server_limits(const struct control_config *config)
{
    const struct control_clients *clients = &config->clients;

    return (struct http_server_limits){ .head_ns = clients->head_ns,
                                        .idle_ns = clients->idle_ns,
                                        .body_ns = clients->body_ns,
                                        .connections_max = (unsigned)clients->connections };
}
