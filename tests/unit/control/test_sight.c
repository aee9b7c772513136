/* /v1/traffic, /v1/traces and /v1/topology in the simulator: requests run through the API's stage on a worker, and what
 * they tell of is told to the observers beforehand. */
#include "base/alloc.h"
#include "control/api.h"
#include "control/query.h"
#include "exchange/endpoint.h"
#include "rig.h"
#include "try.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>

#include <cmocka.h>

#define BODY_MAX (CONTROL_ANSWER_MAX + 1)

/* --- a scene --------------------------------------------------------------------------------------------------------
 */

struct scene {
    struct control_api_host host;
    struct control_status status;
    const struct control_process *processes;
    unsigned process_count;
    struct control_api_conf conf;
    struct metrics *metrics;
    struct metrics_worker *counts;
    struct traffic *traffic;
    struct traffic_worker *mine;
    struct control_try *try;
    /* one call */
    struct task task;
    struct rig *rig;
    const char *path, *query;
    int64_t fail_after; /* so many allocations of the stage succeed, if `failing` */
    bool failing, failed;
    enum outcome outcome;
    unsigned answered; /* the status */
    char *body;        /* BODY_MAX */
    size_t len;
};

static void tell_status(struct control_api_host *host, struct control_status *ret)
{
    *ret = container_of(host, struct scene, host)->status;
}

static bool tell_process(struct control_api_host *host, unsigned index, struct control_process *ret)
{
    struct scene *scene = container_of(host, struct scene, host);

    if (index >= scene->process_count)
        return false;
    *ret = scene->processes[index];
    return true;
}

static const char YAML[] = "system: shop\n"
                           "gateway: [{ listen: http://127.0.0.1:8080, name: web }]\n"
                           "services:\n"
                           "  orders: { run: ./orders, scale: 2 }\n"
                           "  inventory: { run: ./inventory, scale: 2 }\n"
                           "  catalog: { url: http://10.0.0.5 }\n";

static struct scene *scene_open(struct rig *rig)
{
    struct scene *scene = mem_zalloc(sizeof(*scene));
    struct rig_stage stage = { &STAGE_CONTROL_API, &scene->conf };

    scene->rig = rig;
    scene->host = (struct control_api_host){ .status = tell_status, .process = tell_process };
    scene->try = control_try(bytes_of_text(YAML));
    RIG_CHECK(rig, scene->try->result == 0);
    scene->status = (struct control_status){ .config = scene->try->config, .version = 1, .workers = 1 };
    RIG_CHECK(rig, metrics_create(rig->control_loop->io, 2, &scene->metrics) == 0);
    RIG_CHECK(rig, metrics_attach(scene->metrics, &rig->workers[0], NULL, &scene->counts) == 0);
    RIG_CHECK(rig, traffic_create(32, &scene->traffic) == 0);
    RIG_CHECK(rig, traffic_attach(scene->traffic, &rig->workers[0], &scene->mine) == 0);
    scene->conf = (struct control_api_conf){
        .host = &scene->host, .registry = &rig->registry, .metrics = scene->metrics, .traffic = scene->traffic
    };
    scene->body = mem_alloc(BODY_MAX);
    RIG_CHECK(rig, scene->body);
    (void)rig_snapshot(rig, &stage, 1);
    return scene;
}

static void scene_close(struct scene *scene)
{
    metrics_detach(scene->counts);
    metrics_free(scene->metrics);
    traffic_free(scene->traffic);
    control_try_done(scene->try);
    mem_free(scene->body);
    mem_free(scene);
}

static void keep_body(struct scene *scene, struct exchange *x)
{
    struct bytes chunk;

    scene->len = 0;
    while (x->response_body && body_read(x->response_body, &chunk) == 1) {
        RIG_CHECK(scene->rig, chunk.len < BODY_MAX - scene->len);
        memcpy(scene->body + scene->len, chunk.data, chunk.len);
        scene->len += chunk.len;
    }
    scene->body[scene->len] = '\0';
}

static int call_run(struct task *task)
{
    struct scene *scene = container_of(task, struct scene, task);
    struct scope scope;
    struct exchange *x;

    scope_open(&scope, TIME_NEVER);
    RIG_CHECK(scene->rig, exchange_create(&scene->rig->workers[0], NULL, &scope, &x) == 0);
    x->gateway = BYTES(CONTROL_GATEWAY_SOCKET);
    x->scheme = BYTES("http");
    x->request.method = HTTP_GET;
    x->request.method_text = BYTES("GET");
    x->request.path = bytes_of_text(scene->path);
    x->request.query = bytes_of_text(scene->query);
    if (scene->failing)
        (void)mem_fail_after(scene->fail_after);
    scene->outcome = stage_run(x->view->snapshot->root, x);
    scene->failed = mem_fail_after(-1);
    scene->answered = x->response.status;
    keep_body(scene, x);
    exchange_end(x, scene->outcome);
    (void)scope_close(&scope);
    return 0;
}

static void ask(struct scene *scene, const char *path)
{
    scene->path = path;
    scene->query = NULL;
    scene->task = (struct task){ .run = call_run };
    rig_on_worker(scene->rig, 0, &scene->task);
}

static void get(struct scene *scene, const char *path, const char *query, unsigned status)
{
    scene->path = path;
    scene->query = query;
    scene->task = (struct task){ .run = call_run };
    rig_on_worker(scene->rig, 0, &scene->task);
    if (scene->outcome != OUTCOME_OK || scene->answered != status)
        world_fail(scene->rig->world, "%s?%s: %u %s", path, query ? query : "", scene->answered, scene->body);
}

static void is_body(struct scene *scene, const char *expected)
{
    if (strcmp(scene->body, expected) != 0)
        fprintf(stderr, "expected\n%s\ngot\n%s\n", expected, scene->body);
    RIG_CHECK(scene->rig, strcmp(scene->body, expected) == 0);
}

static bool says(const struct scene *scene, const char *text)
{
    return strstr(scene->body, text) != NULL;
}

static unsigned count_of(const struct scene *scene, const char *text)
{
    unsigned count = 0;

    for (const char *at = scene->body; (at = strstr(at, text)) != NULL; at++)
        count++;
    return count;
}

/* --- what is told
 * ----------------------------------------------------------------------------------------------------- */

static const struct source_ops CLIENT_OPS = { .name = "test" };
static struct source *client(void)
{
    static const struct source CLIENT = { &CLIENT_OPS };

    return (struct source *)(uintptr_t)&CLIENT;
}

static struct exchange exchange_of(struct scene *scene, const char *service, int64_t took_ns)
{
    struct exchange x = { .worker = &scene->rig->workers[0],
                          .source = client(),
                          .gateway = BYTES("web"),
                          .route = BYTES("all"),
                          .service = bytes_of_text(service),
                          .request_id = BYTES("r-1"),
                          .client = BYTES("10.0.0.9"),
                          .trace = { .id_high = 0x4bf92f3577b34da6, .id_low = 0xa3ce929d0e0e4736, .span = 7 } };

    x.request.method = HTTP_GET;
    x.request.method_text = BYTES("GET");
    x.request.authority = BYTES("shop.example");
    x.request.path = BYTES("/");
    x.request.minor = 1;
    x.response.status = 200;
    x.times.start_ns = loop_clock(scene->rig->workers[0].loop) - took_ns;
    return x;
}

static void tell(struct scene *scene, const struct exchange *x)
{
    const struct observer *const observers[] = { metrics_observer(scene->counts), traffic_observer(scene->mine) };

    for (size_t i = 0; i < ARRAY_LEN(observers); i++)
        observers[i]->ended(observers[i], &scene->rig->workers[0], x);
}

static const struct stage_type RETRY = { .name = "retry" };
static const struct stage_type ENDPOINT = { .name = "endpoint" };

static void tell_one(struct scene *scene)
{
    struct endpoint endpoint = { .name = BYTES("orders-1"), .address = BYTES("10.0.0.7:80") };
    struct exchange x = exchange_of(scene, "orders", 5 * NS_PER_MS + 250 * NS_PER_US);

    x.endpoint = &endpoint;
    x.caller = BYTES("store\"front");
    x.request.path = BYTES("/orders/7");
    x.request.query = BYTES("x=y");
    x.trace.parent = 0xb7ad6b7169203331;
    x.attempts = 2;
    x.received_bytes = 10;
    x.sent_bytes = 2048;
    x.steps.count = 2;
    x.steps.list[0] = (struct step){ .type = &RETRY,
                                     .path = BYTES("services/orders/retry"),
                                     .number = 2,
                                     .status = 200,
                                     .start_ns = x.times.start_ns + 12 * NS_PER_US,
                                     .end_ns = x.times.start_ns + 3412 * NS_PER_US };
    x.steps.list[1] = (struct step){ .type = &ENDPOINT,
                                     .path = BYTES("services/orders/endpoint"),
                                     .detail = BYTES("orders-1"),
                                     .depth = 1,
                                     .outcome = OUTCOME_UPSTREAM_CLOSED,
                                     .start_ns = x.times.start_ns + 12 * NS_PER_US,
                                     .end_ns = x.times.start_ns + 1012 * NS_PER_US };
    x.steps.dropped = 4;
    tell(scene, &x);
}

#define ONE_FROM_TRACE_ID                                                                                            \
    "\"trace_id\":\"4bf92f3577b34da6a3ce929d0e0e4736\",\"span_id\":\"0000000000000007\",\"parent_id\":"              \
    "\"b7ad6b7169203331\",\"request_id\":\"r-1\",\"gateway\":\"web\",\"caller\":\"store\\\"front\",\"client\":"      \
    "\"10.0.0.9\",\"method\":\"GET\",\"authority\":\"shop.example\",\"path\":\"/orders/7?x=y\",\"protocol\":"        \
    "\"HTTP/1.1\",\"route\":\"all\",\"service\":\"orders\",\"endpoint\":\"orders-1\",\"status\":200,\"outcome\":"    \
    "\"ok\",\"mark\":\"-\",\"reason\":\"answered\",\"duration_ms\":5.250,\"bytes_received\":10,\"bytes_sent\":2048," \
    "\"attempts\":2,\"worker\":1,\"steps\":[{\"stage\":\"retry\",\"path\":\"services/orders/retry\",\"depth\":0,"    \
    "\"start_ms\":0.012,\"duration_ms\":3.400,\"outcome\":\"ok\",\"status\":200,\"detail\":\"2\"},{\"stage\":"       \
    "\"endpoint\",\"path\":\"services/orders/endpoint\",\"depth\":1,\"start_ms\":0.012,\"duration_ms\":1.000,"       \
    "\"outcome\":\"upstream_closed\",\"status\":0,\"detail\":\"orders-1\"}],\"steps_dropped\":4}"

/* The wall clock's time of now, as JSON tells it. */
static const char *now_text(struct scene *scene, char *memory, size_t size)
{
    struct text text = text_into(memory, size - 1);

    text_add_time(&text, scene->rig->control_loop->io->ops->wall_ns(scene->rig->control_loop->io));
    memory[text.len] = '\0';
    return memory;
}

static void tells_one(struct rig *rig)
{
    struct scene *scene = scene_open(rig);
    char time[40], expected[2048];

    get(scene, "/v1/traffic", NULL, 200);
    is_body(scene, "{\"recording\":true,\"exchanges\":[]}\n");
    tell_one(scene);
    (void)snprintf(expected, sizeof(expected),
                   "{\"recording\":true,\"exchanges\":[{\"time\":\"%s\"," ONE_FROM_TRACE_ID "]}\n",
                   now_text(scene, time, sizeof(time)));
    rig_sleep(3 * NS_PER_S); /* the time of its end stays what it was */
    get(scene, "/v1/traffic", NULL, 200);
    is_body(scene, expected);
    scene_close(scene);
}

/* --- what is asked for
 * ------------------------------------------------------------------------------------------------ */

static const struct {
    const char *query;
    unsigned found;
} FOUND[] = {
    { "", 4 },
    { "&&", 4 },
    { "limit=2", 2 },
    { "limit=1000", 4 },
    { "service=orders", 2 },
    { "service=orders&route=a+b", 1 },
    { "route=a%20b", 1 },
    { "route=a%2520b", 0 },
    { "route=", 4 },
    { "errors=true", 2 },
    { "errors=false", 4 },
    { "errors=true&service=inventory", 1 },
    { "slower_ms=100", 1 },
    { "slower_ms=100.001", 0 },
    { "slower_ms=0.5", 3 },
    { "slower_ms=0", 4 },
    { "trace=4bf92f3577b34da6a3ce929d0e0e4736", 4 },
    { "trace=4BF92F3577B34DA6A3CE929D0E0E4736", 4 },
    { "trace=4bf92f3577b34da6a3ce929d0e0e4737", 0 },
    { "limit=1&limit=3", 3 },
};

static const struct {
    const char *query, *says;
} REFUSED[] = {
    { "limit=0", "limit must be a number from 1 to 1000 (is \\\"0\\\")" },
    { "limit=1001", "limit must be a number from 1 to 1000" },
    { "limit=-1", "limit must be a number from 1 to 1000" },
    { "limit", "limit must be a number from 1 to 1000 (is \\\"\\\")" },
    { "limit=ten", "(is \\\"ten\\\")" },
    { "errors=yes", "errors must be true or false (is \\\"yes\\\")" },
    { "errors", "errors must be true or false" },
    { "slower_ms=fast", "slower_ms must be milliseconds, such as 250 or 0.5" },
    { "slower_ms=1.", "slower_ms must be milliseconds" },
    { "slower_ms=.5", "slower_ms must be milliseconds" },
    { "slower_ms=-5", "slower_ms must be milliseconds" },
    { "slower_ms=1.0000001", "slower_ms must be milliseconds" },
    { "slower_ms=3600001", "at most an hour" },
    { "trace=1234", "a trace's id is 32 hexadecimal digits" },
    { "trace=4bf92f3577b34da6a3ce929d0e0e473g", "a trace's id is 32 hexadecimal digits" },
    { "trace=00000000000000000000000000000000", "not all of them 0" },
    { "limt=5", "limit, service, route, errors, slower_ms or trace (is \\\"limt\\\")" },
    { "=5", "limit, service, route" },
    { "route=%2", "two hexadecimal digits" },
    { "route=%zz", "two hexadecimal digits" },
    { "route=%", "two hexadecimal digits" },
};

static void finds(struct rig *rig)
{
    struct scene *scene = scene_open(rig);
    struct exchange x = exchange_of(scene, "orders", 100 * NS_PER_MS);

    tell(scene, &x);
    x = exchange_of(scene, "orders", NS_PER_MS);
    x.route = BYTES("a b");
    x.response.status = 503;
    tell(scene, &x);
    x = exchange_of(scene, "inventory", NS_PER_MS);
    x.outcome = OUTCOME_TIMEOUT;
    tell(scene, &x);
    x = exchange_of(scene, "inventory", 0);
    tell(scene, &x);
    for (size_t i = 0; i < ARRAY_LEN(FOUND); i++) {
        get(scene, "/v1/traffic", FOUND[i].query, 200);
        if (count_of(scene, "\"trace_id\"") != FOUND[i].found)
            world_fail(rig->world, "%s: %s", FOUND[i].query, scene->body);
    }
    for (size_t i = 0; i < ARRAY_LEN(REFUSED); i++) {
        get(scene, "/v1/traffic", REFUSED[i].query, 400);
        if (!says(scene, REFUSED[i].says) || !says(scene, "\"type\":\"urn:weft:control:parameter\""))
            world_fail(rig->world, "%s: %s", REFUSED[i].query, scene->body);
    }
    scene_close(scene);
}

static void says_that_it_is_off(struct rig *rig)
{
    struct scene *scene = scene_open(rig);
    struct control_config config = *scene->try->config;

    config.log.traffic = false;
    scene->status.config = &config;
    get(scene, "/v1/traffic", NULL, 200);
    is_body(scene, "{\"recording\":false,\"exchanges\":[]}\n");
    get(scene, "/v1/traces/4bf92f3577b34da6a3ce929d0e0e4736", NULL, 404);
    RIG_CHECK(rig, says(scene, "log.traffic is false"));
    scene->conf.traffic = NULL;
    get(scene, "/v1/traffic", "limit=5", 200);
    is_body(scene, "{\"recording\":false,\"exchanges\":[]}\n");
    scene_close(scene);
}

/* --- traces
 * ------------------------------------------------------------------------------------------------------------ */

/* Oldest first; of two that began together, the one around the other. offset_ms tells them apart to the microsecond. */
static void tells_a_trace(struct rig *rig)
{
    struct scene *scene = scene_open(rig);
    struct exchange x = exchange_of(scene, "orders", 10 * NS_PER_MS);
    const char *first, *second, *third;

    tell(scene, &x);
    x = exchange_of(scene, "inventory", 2 * NS_PER_MS + 1 * NS_PER_US);
    tell(scene, &x);
    x = exchange_of(scene, "other", NS_PER_MS);
    x.trace.id_low++;
    tell(scene, &x);
    rig_sleep(5 * NS_PER_MS);
    x = exchange_of(scene, "web", 15 * NS_PER_MS); /* began with the first one */
    tell(scene, &x);
    get(scene, "/v1/traces/4bf92f3577b34da6a3ce929d0e0e4736", NULL, 200);
    RIG_CHECK(rig, says(scene, "{\"trace_id\":\"4bf92f3577b34da6a3ce929d0e0e4736\",\"exchanges\":[{"));
    RIG_CHECK(rig, count_of(scene, "\"span_id\"") == 3);
    first = strstr(scene->body, "\"service\":\"web\"");
    second = strstr(scene->body, "\"service\":\"orders\"");
    third = strstr(scene->body, "\"service\":\"inventory\"");
    RIG_CHECK(rig, first && second && third && first < second && second < third);
    RIG_CHECK(rig, count_of(scene, "\"offset_ms\":0.000,") == 2 && says(scene, "\"offset_ms\":7.999,"));
    get(scene, "/v1/traces/ffffffffffffffffffffffffffffffff", NULL, 404);
    RIG_CHECK(rig, says(scene, "\"type\":\"urn:weft:control:no-trace\"") && says(scene, "newer ones"));
    get(scene, "/v1/traces/", NULL, 400);
    get(scene, "/v1/traces/xyz", NULL, 400);
    RIG_CHECK(rig, says(scene, "32 hexadecimal digits, not all of them 0 (is \\\"xyz\\\")"));
    get(scene, "/v1/traces", NULL, 404);
    RIG_CHECK(rig, says(scene, "/v1/traces/..."));
    scene_close(scene);
}

/* CONTROL_TRAFFIC_MAX of the longest texts, each byte as long as it gets: the answer ends where it must. */
static void bounds_answers(struct rig *rig)
{
    static char much[TRAFFIC_PATH_MAX];
    struct scene *scene = scene_open(rig);
    struct exchange x = exchange_of(scene, "orders", NS_PER_MS);

    memset(much, 1, sizeof(much));
    x.steps.count = EXCHANGE_STEPS_MAX;
    for (unsigned i = 0; i < EXCHANGE_STEPS_MAX; i++)
        x.steps.list[i] = (struct step){ .type = &RETRY, .path = bytes_of(much, sizeof(much)), .start_ns = 1 };
    for (unsigned i = 2; i < 32; i++) { /* no worker alone remembers so much */
        struct worker worker = { .index = i, .loop = rig->workers[0].loop };
        struct traffic_worker *mine;

        RIG_CHECK(rig, traffic_attach(scene->traffic, &worker, &mine) == 0);
        for (unsigned k = 0; k < 40; k++)
            traffic_observer(mine)->ended(traffic_observer(mine), &worker, &x);
    }
    get(scene, "/v1/traffic", "limit=1000", 200);
    RIG_CHECK(rig, says(scene, "],\"truncated\":true}\n") && scene->len > CONTROL_ANSWER_MAX - 256 * KIB);
    get(scene, "/v1/traffic", "limit=100", 200);
    RIG_CHECK(rig, count_of(scene, "\"trace_id\"") == CONTROL_TRAFFIC_USUAL && !says(scene, "truncated"));
    scene_close(scene);
}

/* --- the topology
 * ------------------------------------------------------------------------------------------------------ */

static void tell_topology(struct scene *scene)
{
    struct exchange x;

    for (unsigned i = 0; i < 10; i++) {
        x = exchange_of(scene, "orders", 30 * NS_PER_MS);
        x.retries = i == 0 ? 2 : 0;
        x.outcome = i == 1 ? OUTCOME_TIMEOUT : OUTCOME_OK;
        tell(scene, &x);
    }
    for (unsigned i = 0; i < 4; i++) {
        x = exchange_of(scene, "inventory", 3 * NS_PER_MS);
        x.gateway = BYTES("mesh");
        x.caller = BYTES("orders");
        tell(scene, &x);
    }
    x = exchange_of(scene, "", 0);
    x.outcome = OUTCOME_NO_ROUTE;
    x.response.status = 404;
    tell(scene, &x);
    x = exchange_of(scene, "removed", 20 * NS_PER_S);
    x.gateway = BYTES("mesh");
    tell(scene, &x);
}

/* The members of one edge: `path` says where in the body it begins. */
static bool edge_says(const struct scene *scene, const char *way, const char *counts)
{
    const char *at = strstr(scene->body, way);

    if (at && strncmp(at + strlen(way), counts, strlen(counts)) == 0)
        return true;
    world_fail(scene->rig->world, "no %s%s in %s", way, counts, scene->body);
    return false;
}

static void tells_the_topology(struct rig *rig)
{
    static const struct control_process PROCESSES[] = {
        { .service = { "orders", 6 }, .name = { "orders-100", 10 }, .restarts = 2 },
        { .service = { "orders", 6 }, .name = { "orders-101", 10 }, .restarts = 3 },
        { .service = { "inventory", 9 }, .name = { "inventory-0", 11 }, .restarts = 1 },
    };
    struct scene *scene = scene_open(rig);

    scene->processes = PROCESSES;
    scene->process_count = ARRAY_LEN(PROCESSES);
    (void)rig_service(rig, "orders", 100, 2, "/ready");
    (void)rig_service(rig, "inventory", 10, 1, "/ready"); /* of two */
    get(scene, "/v1/topology", NULL, 200);
    RIG_CHECK(rig, strncmp(scene->body, "{\"time\":\"2026-", 14) == 0); /* the simulated year */
    RIG_CHECK(rig, says(scene, "Z\",\"nodes\":[{\"name\":\"web\",") && says(scene, "],\"edges\":[]}\n"));
    tell_topology(scene);
    get(scene, "/v1/topology", NULL, 200);
    RIG_CHECK(rig,
              says(scene, "\"nodes\":[{\"name\":\"web\",\"kind\":\"gateway\",\"ready\":0,\"endpoints\":0,"
                          "\"restarts\":0,\"state\":\"ready\"},{\"name\":\"orders\",\"kind\":\"service\",\"ready\":2,"
                          "\"endpoints\":2,\"restarts\":5,\"state\":\"ready\"},{\"name\":\"inventory\",\"kind\":"
                          "\"service\",\"ready\":1,\"endpoints\":1,\"restarts\":1,\"state\":\"degraded\"},{\"name\":"
                          "\"catalog\",\"kind\":\"service\",\"ready\":0,\"endpoints\":0,\"restarts\":0,\"state\":"
                          "\"down\"},"));
    RIG_CHECK(rig, says(scene, "{\"name\":\"mesh\",\"kind\":\"gateway\",\"ready\":0,\"endpoints\":0,\"restarts\":0,"
                               "\"state\":\"ready\"}"));
    RIG_CHECK(rig, says(scene, "{\"name\":\"removed\",\"kind\":\"service\",\"ready\":0,\"endpoints\":0,\"restarts\":0,"
                               "\"state\":\"gone\"}"));
    RIG_CHECK(rig, count_of(scene, "\"kind\":") == 6);
    RIG_CHECK(rig,
              edge_says(scene, "{\"from\":\"web\",\"from_kind\":\"gateway\",\"to\":\"orders\",\"to_kind\":\"service\",",
                        "\"requests\":10,\"errors\":1,\"retries\":2,\"seconds\":0.300000,\"buckets\":[{\"le\":0.005,"
                        "\"count\":0},{\"le\":0.01,\"count\":0},{\"le\":0.025,\"count\":0},{\"le\":0.05,\"count\":"
                        "10},"));
    RIG_CHECK(rig,
              edge_says(scene,
                        "{\"from\":\"orders\",\"from_kind\":\"service\",\"to\":\"inventory\",\"to_kind\":\"service\",",
                        "\"requests\":4,\"errors\":0,\"retries\":0,\"seconds\":0.012000,\"buckets\":[{\"le\":0.005,"
                        "\"count\":4},"));
    RIG_CHECK(rig, edge_says(scene, "{\"from\":\"web\",\"from_kind\":\"gateway\",\"to\":\"\",\"to_kind\":\"answer\",",
                             "\"requests\":1,\"errors\":1,"));
    RIG_CHECK(rig, edge_says(scene,
                             "{\"from\":\"mesh\",\"from_kind\":\"gateway\",\"to\":\"removed\",\"to_kind\":\"service\",",
                             "\"requests\":1,\"errors\":0,\"retries\":0,\"seconds\":20.000000,"));
    RIG_CHECK(rig, says(scene, "{\"le\":7.5,\"count\":0},{\"le\":10,\"count\":0},{\"le\":\"+Inf\",\"count\":1}]"));
    get(scene, "/metrics", NULL, 200); /* the same numbers */
    RIG_CHECK(rig, says(scene, "weft_outcomes_total{outcome=\"ok\"} 14\n"));
    RIG_CHECK(rig, says(scene, "weft_outcomes_total{outcome=\"timeout\"} 1\n"));
    RIG_CHECK(rig, says(scene, "weft_caller=\"orders\"} 4\n"));
    scene_close(scene);
}

/* Whichever allocation fails: there is a whole answer or none, and nothing is left behind. */
static void has_no_memory(struct rig *rig)
{
    static const char *const PATHS[] = { "/v1/traffic", "/v1/traces/4bf92f3577b34da6a3ce929d0e0e4736", "/v1/topology" };
    struct scene *scene = scene_open(rig);

    tell_one(scene);
    scene->failing = true;
    for (size_t i = 0; i < ARRAY_LEN(PATHS); i++) {
        for (scene->fail_after = 0;; scene->fail_after++) {
            ask(scene, PATHS[i]);
            if (!scene->failed)
                break;
            RIG_CHECK(rig, scene->outcome == OUTCOME_OVERLOAD && scene->len == 0);
        }
        RIG_CHECK(rig, scene->fail_after >= 2 && scene->outcome == OUTCOME_OK && scene->answered == 200);
        RIG_CHECK(rig, scene->len > 0 && scene->body[scene->len - 1] == '\n');
    }
    scene_close(scene);
}

static void knows_no_configuration(struct rig *rig)
{
    struct scene *scene = scene_open(rig);

    scene->status = (struct control_status){ .workers = 1 };
    get(scene, "/v1/topology", NULL, 200);
    RIG_CHECK(rig, says(scene, "\"nodes\":[],\"edges\":[]}\n"));
    get(scene, "/v1/traffic", NULL, 200);
    is_body(scene, "{\"recording\":false,\"exchanges\":[]}\n");
    scene_close(scene);
}

#define CASE(name)                \
    static void name##_(void **s) \
    {                             \
        rig_run(name, 1, NULL);   \
    }

CASE(tells_one)
CASE(finds)
CASE(says_that_it_is_off)
CASE(tells_a_trace)
CASE(bounds_answers)
CASE(tells_the_topology)
CASE(has_no_memory)
CASE(knows_no_configuration)

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(tells_one_),           cmocka_unit_test(finds_),
        cmocka_unit_test(says_that_it_is_off_), cmocka_unit_test(tells_a_trace_),
        cmocka_unit_test(bounds_answers_),      cmocka_unit_test(tells_the_topology_),
        cmocka_unit_test(has_no_memory_),       cmocka_unit_test(knows_no_configuration_),
    };

    return cmocka_run_group_tests_name("control/sight", tests, NULL, NULL);
}
