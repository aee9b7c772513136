/* Who calls whom, and how those who are called are doing: the counts of the scrape (observe/metrics.h) beside what the
 * registry and the supervisor say. */
#include "control/api_traffic.h"

#include "io/loop.h"

/* --- nodes ----------------------------------------------------------------------------------------------------------
 */

struct node {
    struct bytes name;
    const char *kind, *state;
    unsigned ready, endpoints;
    uint64_t restarts;
};

static void add_node(struct answer *answer, const struct node *node)
{
    if (answer->len > 0 && answer->data[answer->len - 1] != '[')
        answer_text(answer, ",");
    answer_text(answer, "{");
    answer_string(answer, "name", node->name);
    answer_string(answer, "kind", bytes_of_text(node->kind));
    answer_number(answer, "ready", node->ready);
    answer_number(answer, "endpoints", node->endpoints);
    answer_number(answer, "restarts", node->restarts);
    answer_string(answer, "state", bytes_of_text(node->state));
    answer_text(answer, "}");
}

static uint64_t restarts_of(const struct control_api_conf *conf, struct bytes service)
{
    struct control_process process;
    uint64_t restarts = 0;

    for (unsigned i = 0; conf->host->process && conf->host->process(conf->host, i, &process); i++)
        if (bytes_equal(process.service, service))
            restarts += process.restarts;
    return restarts;
}

/* Instances that don't run are no endpoints: a service that has fewer than its scale lacks some. */
static const char *state_of(const struct control_service *service, const struct node *node)
{
    int64_t wanted = service->argv ? service->scale : (int64_t)node->endpoints;

    if (node->ready == 0)
        return "down";
    if (node->ready < node->endpoints || (int64_t)node->ready < wanted)
        return "degraded";
    return service->argv ? "ready" : "external";
}

static void add_service(const struct control_api_conf *conf, const struct control_service *service,
                        struct answer *answer)
{
    const struct service *found = registry_find(conf->registry, service->name);
    struct node node = { .name = service->name, .kind = "service" };

    node.ready = found ? service_ready_count(found) : 0;
    node.endpoints = found && found->set ? found->set->count : 0;
    node.restarts = restarts_of(conf, service->name);
    node.state = state_of(service, &node);
    add_node(answer, &node);
}

static bool has_gateway(const struct control_config *config, struct bytes name)
{
    for (size_t i = 0; i < config->gateways.count; i++)
        if (bytes_equal(control_gateway_at(config, i)->name, name))
            return true;
    return false;
}

/* A name of the edges that the configuration doesn't have (any more). The gateway of calls between services is ours. */
static void add_other(const struct control_config *config, struct bytes name, bool service, struct answer *answer)
{
    struct node node = { .name = name, .kind = service ? "service" : "gateway", .state = "gone" };

    if (name.len == 0 || (service ? control_find_service(config, name) != NULL : has_gateway(config, name)))
        return;
    if (!service && bytes_equal(name, BYTES(CONTROL_GATEWAY_MESH)))
        node.state = "ready";
    add_node(answer, &node);
}

static bool seen_before(const struct metrics_edges *edges, size_t upto, struct bytes name, bool service)
{
    for (size_t i = 0; i < upto; i++)
        if ((service && bytes_equal(edges->items[i].to, name)) ||
            (edges->items[i].from_service == service && bytes_equal(edges->items[i].from, name)))
            return true;
    return false;
}

static void add_others(const struct control_config *config, const struct metrics_edges *edges, struct answer *answer)
{
    for (size_t i = 0; i < edges->count; i++) {
        const struct metrics_edge *edge = &edges->items[i];

        if (!seen_before(edges, i, edge->from, edge->from_service))
            add_other(config, edge->from, edge->from_service, answer);
        if (!seen_before(edges, i, edge->to, true) && !(edge->from_service && bytes_equal(edge->from, edge->to)))
            add_other(config, edge->to, true, answer);
    }
}

static void add_nodes(const struct control_api_conf *conf, const struct metrics_edges *edges, struct answer *answer)
{
    struct control_status status = { 0 };
    const struct control_config *config;

    conf->host->status(conf->host, &status);
    config = status.config;
    answer_member(answer, "nodes");
    answer_text(answer, "[");
    for (size_t i = 0; config && i < config->gateways.count; i++) {
        struct node node = { .name = control_gateway_at(config, i)->name, .kind = "gateway", .state = "ready" };

        add_node(answer, &node);
    }
    for (size_t i = 0; config && i < config->services.count; i++)
        add_service(conf, control_service_at(config, i), answer);
    if (config)
        add_others(config, edges, answer);
    answer_text(answer, "]");
}

/* --- edges ----------------------------------------------------------------------------------------------------------
 */

/* Seconds with six decimals. */
static void add_seconds(struct answer *answer, const char *key, uint64_t ns)
{
    answer_member(answer, key);
    answer_format(answer, "%llu.%06llu", (unsigned long long)(ns / (uint64_t)NS_PER_S),
                  (unsigned long long)(ns % (uint64_t)NS_PER_S / (uint64_t)NS_PER_US));
}

static void add_buckets(struct answer *answer, const struct histogram_sum *sum)
{
    const struct histogram_bounds *bounds = &HISTOGRAM_HTTP_SECONDS;
    uint64_t below = 0;

    answer_member(answer, "buckets");
    answer_text(answer, "[");
    for (unsigned i = 0; i < bounds->count; i++) {
        below += sum->buckets[i];
        answer_format(answer, "{\"le\":%g,\"count\":%llu},", (double)bounds->upper_ns[i] / (double)NS_PER_S,
                      (unsigned long long)below);
    }
    below += sum->buckets[bounds->count];
    answer_format(answer, "{\"le\":\"+Inf\",\"count\":%llu}]", (unsigned long long)below);
}

static void add_edge(struct answer *answer, const struct metrics_edge *edge)
{
    answer_text(answer, "{");
    answer_string(answer, "from", edge->from);
    answer_string(answer, "from_kind", edge->from_service ? BYTES("service") : BYTES("gateway"));
    answer_string(answer, "to", edge->to);
    answer_string(answer, "to_kind", edge->to.len > 0 ? BYTES("service") : BYTES("answer"));
    answer_number(answer, "requests", edge->requests);
    answer_number(answer, "errors", edge->errors);
    answer_number(answer, "retries", edge->retries);
    add_seconds(answer, "seconds", edge->duration.sum_ns);
    add_buckets(answer, &edge->duration);
    answer_text(answer, "}");
}

int api_topology(const struct control_api_conf *conf, struct exchange *x)
{
    struct answer answer = { 0 };
    struct metrics_edges edges;
    int r = metrics_edges_take(conf->metrics, &edges);

    if (r < 0)
        return r;
    answer_text(&answer, "{");
    api_time(&answer, "time", x, loop_clock(x->worker->loop));
    add_nodes(conf, &edges, &answer);
    answer_member(&answer, "edges");
    answer_text(&answer, "[");
    for (size_t i = 0; i < edges.count; i++) {
        answer_text(&answer, i ? "," : "");
        add_edge(&answer, &edges.items[i]);
    }
    answer_text(&answer, "]}\n");
    metrics_edges_done(&edges);
    return answer_send(&answer, x, 200, BYTES("application/json"));
}
