#include "control/api_list.h"

static int read_relaxed(const atomic_int *value)
{
    return atomic_load_explicit(value, memory_order_relaxed);
}

struct bytes api_reason(int error)
{
    const char *reason = strerrordesc_np(-error);

    return reason ? bytes_of_text(reason) : BYTES("unknown error");
}

/* Where clients are listened to: the dashboard tells people what to ask. */
static void list_gateways(const struct control_config *config, struct answer *answer)
{
    answer_member(answer, "gateways");
    answer_text(answer, "[");
    for (size_t i = 0; config && i < config->gateways.count; i++) {
        const struct control_gateway *gateway = control_gateway_at(config, i);

        answer_text(answer, i ? ",{" : "{");
        answer_string(answer, "name", gateway->name);
        answer_string(answer, "listen", gateway->listen);
        answer_text(answer, "}");
    }
    answer_text(answer, "]");
}

void api_list_status(const struct control_api_conf *conf, struct answer *answer)
{
    struct control_status status = { 0 };

    conf->host->status(conf->host, &status);
    answer_text(answer, "{");
    answer_string(answer, "system", status.config ? status.config->system : BYTES_NONE);
    answer_string(answer, "version", BYTES(WEFT_VERSION));
    answer_number(answer, "config", status.version);
    answer_number(answer, "uptime_seconds", (uint64_t)MAX(status.uptime_ns / NS_PER_S, INT64_C(0)));
    answer_number(answer, "workers", status.workers);
    answer_number(answer, "pid", (uint64_t)status.pid);
    answer_bool(answer, "ready", status.config && !status.draining);
    answer_string(answer, "control", status.control);
    list_gateways(status.config, answer);
    answer_text(answer, "}\n");
}

/* --- services ------------------------------------------------------------------------------------------------------
 */

static struct bytes balance_name(int by)
{
    for (const struct conf_choice *choice = BALANCE_CHOICES; choice->name; choice++)
        if (choice->value == by)
            return bytes_of_text(choice->name);
    return BYTES_NONE;
}

/* As it was written, or its words with spaces between. */
static void list_command(const struct conf_list *run, struct answer *answer)
{
    const struct bytes *words = run->items;
    char memory[1024];
    struct text text = text_into(memory, sizeof(memory));

    for (size_t i = 0; i < run->count; i++) {
        text_add(&text, i ? BYTES(" ") : BYTES_NONE);
        text_add(&text, words[i]);
    }
    answer_string(answer, "run", text_bytes(&text));
}

static void list_limits(const struct control_limits *limits, struct answer *answer)
{
    if (limits->memory == 0 && limits->cpu <= 0 && limits->files == 0)
        return;
    answer_member(answer, "limits");
    answer_text(answer, "{");
    if (limits->memory > 0)
        answer_number(answer, "memory", limits->memory);
    if (limits->cpu > 0) {
        answer_member(answer, "cpu");
        answer_format(answer, "%.2f", limits->cpu);
    }
    if (limits->files > 0)
        answer_number(answer, "files", (uint64_t)limits->files);
    answer_text(answer, "}");
}

static uint64_t restarts_of(struct control_api_host *host, struct bytes service)
{
    struct control_process process;
    uint64_t restarts = 0;

    for (unsigned i = 0; host->process && host->process(host, i, &process); i++)
        if (bytes_equal(process.service, service))
            restarts += process.restarts;
    return restarts;
}

/* Of one that is run by us. */
static void list_run(const struct control_api_conf *conf, const struct control_service *service, struct answer *answer)
{
    struct control_api_host *host = conf->host;
    struct control_run run = { .scale = (uint64_t)service->scale };
    bool told = host->run && host->run(host, service->name, &run);

    answer_number(answer, "scale", run.scale);
    if (told && run.chosen)
        answer_number(answer, "scale_file", (uint64_t)service->scale);
    answer_number(answer, "restarts", restarts_of(host, service->name));
    answer_words(answer, "needs", service->needs.items, service->needs.count);
    list_limits(&service->limits, answer);
    if (told && run.warning.len > 0)
        answer_string(answer, "warning", run.warning);
}

static void list_service(const struct control_api_conf *conf, const struct control_service *service,
                         struct answer *answer)
{
    const struct service *found = registry_find(conf->registry, service->name);

    answer_text(answer, "{");
    answer_string(answer, "name", service->name);
    answer_string(answer, "kind", service->argv ? BYTES("run") : BYTES("url"));
    if (service->argv)
        list_command(&service->run, answer);
    else
        answer_words(answer, "url", service->url.items, service->url.count);
    answer_number(answer, "ready", found ? service_ready_count(found) : 0);
    answer_number(answer, "endpoints", found && found->set ? found->set->count : 0);
    if (service->argv)
        list_run(conf, service, answer);
    answer_string(answer, "balance", balance_name(service->balance));
    if (service->policy.len > 0)
        answer_string(answer, "policy", service->policy);
    answer_text(answer, "}");
}

void api_list_services(const struct control_api_conf *conf, struct answer *answer)
{
    struct control_status status = { 0 };

    conf->host->status(conf->host, &status);
    answer_text(answer, "{\"services\":[");
    for (size_t i = 0; status.config && i < status.config->services.count; i++) {
        answer_text(answer, i ? "," : "");
        list_service(conf, control_service_at(status.config, i), answer);
    }
    answer_text(answer, "]}\n");
}

/* --- endpoints ------------------------------------------------------------------------------------------------------
 */

/* What the last failed check said: a status, or why there was none. */
static void list_error(int error, struct answer *answer)
{
    answer_member(answer, "last_error");
    if (error > 0)
        answer_format(answer, "\"status %d\"", error);
    else
        answer_json(answer, api_reason(error));
}

static void list_process(const struct control_process *process, struct answer *answer)
{
    answer_string(answer, "process", process->state);
    if (process->pid > 0)
        answer_number(answer, "pid", process->pid);
    answer_number(answer, "restarts", process->restarts);
    if (process->note.len > 0)
        answer_string(answer, bytes_equal(process->state, BYTES("waiting")) ? "waits_for" : "last_exit", process->note);
}

static bool find_process(const struct control_api_conf *conf, struct bytes name, struct control_process *ret)
{
    struct control_api_host *host = conf->host;

    for (unsigned i = 0; host->process && host->process(host, i, ret); i++)
        if (bytes_equal(ret->name, name))
            return true;
    return false;
}

/* Connections that all workers together may have to it. */
static uint64_t limit_of(const struct registry *registry, const struct instance *instance)
{
    unsigned workers = atomic_load_explicit(&registry->traffic, memory_order_relaxed);
    unsigned most = instance->settings.connections_max;

    return (uint64_t)(most ? most : HTTP_UPSTREAM_CONNECTIONS_MAX) * MAX(workers, 1u);
}

static void list_instance(const struct control_api_conf *conf, const struct set_entry *entry, int64_t now_ns,
                          struct answer *answer)
{
    const struct instance *instance = entry->instance;
    int error = read_relaxed(&instance->last_error);
    struct control_process process;

    answer_text(answer, "{");
    answer_string(answer, "service", instance->service);
    answer_string(answer, "name", instance->name);
    answer_string(answer, "address", instance->text);
    answer_string(answer, "state", bytes_of_text(health_name((enum health_state)read_relaxed(&instance->ready))));
    answer_bool(answer, "ejected", instance_ejected(instance, now_ns));
    answer_number(answer, "active", instance_active(instance));
    answer_number(answer, "weight", entry->weight);
    answer_number(answer, "limit", limit_of(conf->registry, instance));
    answer_number(answer, "checks", atomic_load_explicit(&instance->checks, memory_order_relaxed));
    answer_number(answer, "checks_failed", atomic_load_explicit(&instance->checks_failed, memory_order_relaxed));
    if (error != 0)
        list_error(error, answer);
    answer_string(answer, "live",
                  live_name((enum live_state)atomic_load_explicit(&instance->live, memory_order_relaxed)));
    if (find_process(conf, instance->name, &process))
        list_process(&process, answer);
    answer_text(answer, "}");
}

static bool is_in_set(const struct service *service, struct bytes name)
{
    for (unsigned i = 0; service && service->set && i < service->set->count; i++)
        if (bytes_equal(service->set->entries[i].instance->name, name))
            return true;
    return false;
}

/* Processes that are no endpoints, since they don't run now: they are what one looks for in this list. */
static void list_absent(const struct control_api_conf *conf, bool first, struct answer *answer)
{
    struct control_api_host *host = conf->host;
    struct control_process process;

    for (unsigned i = 0; host->process && host->process(host, i, &process); i++) {
        if (is_in_set(registry_find(conf->registry, process.service), process.name))
            continue;
        answer_text(answer, first ? "{" : ",{");
        first = false;
        answer_string(answer, "service", process.service);
        answer_string(answer, "name", process.name);
        answer_string(answer, "address", process.address);
        answer_string(answer, "state", BYTES("absent"));
        answer_bool(answer, "ejected", false);
        list_process(&process, answer);
        answer_text(answer, "}");
    }
}

void api_list_endpoints(const struct control_api_conf *conf, int64_t now_ns, struct answer *answer)
{
    bool first = true;

    answer_text(answer, "{\"endpoints\":[");
    for (struct service *service = registry_next(conf->registry, NULL); service;
         service = registry_next(conf->registry, service)) {
        for (unsigned i = 0; service->set && i < service->set->count; i++) {
            answer_text(answer, first ? "" : ",");
            first = false;
            list_instance(conf, &service->set->entries[i], now_ns, answer);
        }
    }
    list_absent(conf, first, answer);
    answer_text(answer, "]}\n");
}
