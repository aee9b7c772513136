/* /v1/explain and /v1/routes in the simulator: questions run through the API's stage on a worker. What is said is
 * compared with what happens by tests/system/test_explain.py; here it is about the answers' form, and what only the
 * simulator can make: endpoints in all states. */
#include "base/alloc.h"
#include "control/api.h"
#include "control/compile.h"
#include "rig.h"
#include "try.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>

#include <cmocka.h>

#define BODY_MAX (64 * KIB)

struct scene {
    struct control_api_host host;
    struct control_api_conf conf;
    struct control_try *try;
    struct snapshot *snapshot; /* that is explained; NULL: none yet */
    /* one call */
    struct task task;
    struct rig *rig;
    const char *path, *query;
    enum outcome outcome;
    unsigned answered; /* the status */
    char *body;        /* BODY_MAX */
    size_t len;
};

static void tell_status(struct control_api_host *host, struct control_status *ret)
{
    const struct scene *scene = container_of(host, struct scene, host);

    *ret = (struct control_status){ .config = scene->try->config, .snapshot = scene->snapshot, .version = 7 };
}

static const char YAML[] = "system: shop\n"
                           "gateway: [{ listen: http://127.0.0.1:8080, name: web },\n"
                           "          { listen: http://127.0.0.1:9090, name: admin }]\n"
                           "policies: { call: { timeout: 5s, retry: { attempts: 2, on: [unsent, 503] } } }\n"
                           "services:\n"
                           "  orders: { run: ./orders, scale: 4, policy: call, balance: least-request }\n"
                           "  catalog: { url: http://10.0.0.5 }\n"
                           "routes:\n"
                           "  - { name: one, match: { path: '/orders/{id}', method: [GET], header: { X-A: '1' } },\n"
                           "      stages: [{ limit-body: 10 }], to: orders }\n"
                           "  - { name: teapot, gateway: admin, match: { path: /tea, query: { q: { regex: a+ } } },\n"
                           "      to: { respond: 418 } }\n"
                           "  - { name: moved, match: { path: /old, host: [a.test, '*.b.test'] },\n"
                           "      to: { redirect: { status: 301, to: /new } } }\n";

static void compile(struct scene *scene)
{
    struct fault fault = { 0 };

    RIG_CHECK(scene->rig, scene->try->result == 0);
    RIG_CHECK(scene->rig, snapshot_create(7, &scene->snapshot) == 0);
    RIG_CHECK(scene->rig, control_compile(scene->snapshot, scene->try->config, &fault) == 0);
    RIG_CHECK(scene->rig, snapshot_seal(scene->snapshot, NULL, &fault) == 0);
}

static struct scene *scene_open(struct rig *rig)
{
    struct scene *scene = mem_zalloc(sizeof(*scene));
    struct rig_stage stage = { &STAGE_CONTROL_API, &scene->conf };

    scene->rig = rig;
    scene->host.status = tell_status;
    scene->try = control_try(bytes_of_text(YAML));
    scene->conf = (struct control_api_conf){ .host = &scene->host, .registry = &rig->registry };
    scene->body = mem_alloc(BODY_MAX);
    compile(scene);
    (void)rig_snapshot(rig, &stage, 1);
    return scene;
}

static void scene_close(struct scene *scene)
{
    snapshot_free(scene->snapshot);
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
    scene->outcome = stage_run(x->view->snapshot->root, x);
    scene->answered = x->response.status;
    keep_body(scene, x);
    exchange_end(x, scene->outcome);
    (void)scope_close(&scope);
    return 0;
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

static void says(struct scene *scene, const char *text)
{
    if (!strstr(scene->body, text))
        world_fail(scene->rig->world, "%s?%s says not %s but %s", scene->path, scene->query, text, scene->body);
}

/* --- explain -------------------------------------------------------------------------------------------------- */

static const struct {
    const char *query, *says[4];
} ROWS[] = {
    { "url=/orders/7%3Fa=b&header=X-A:%201",
      { "{\"request\":{\"method\":\"GET\",\"url\":\"/orders/7?a=b\",\"authority\":\"127.0.0.1:8080\",\"path\":\"/"
        "orders/7\","
        "\"query\":\"a=b\",\"headers\":[{\"name\":\"Host\",\"value\":\"127.0.0.1:8080\"},{\"name\":\"X-A\",\"value\":"
        "\"1\"}]},"
        "\"gateway\":\"web\",\"gateway_reason\":\"it is the first one\",\"config\":7,\"running\":true,\"routes\":[",
        "{\"name\":\"one\",\"matches\":true,\"chosen\":true,\"reason\":\"\",\"precedence\":",
        "\"answer\":\"route\",\"route\":\"one\",\"parameters\":{\"id\":\"7\"},\"stages\":[{\"stage\":\"limit-body\","
        "\"path\":"
        "\"routes/one/limit-body\",\"settings\":{\"max\":\"10\"}},{\"stage\":\"timeout\",\"path\":"
        "\"services/orders/timeout\",\"settings\":{\"limit\":\"5s\"}},{\"stage\":\"retry\",\"path\":"
        "\"services/orders/retry\",\"settings\":{\"attempts\":\"2\",\"backoff\":\"25ms..250ms\",\"on\":\"[unsent, "
        "503]\","
        "\"budget\":\"20%\",\"floor\":\"3/s\"}},{\"stage\":\"balance\",\"path\":\"services/orders/"
        "balance\",\"settings\":"
        "{\"by\":\"least-request\"}},{\"stage\":\"endpoint\",\"path\":\"services/orders/endpoint\",\"settings\":{}}]",
        "\"forwarded\":{\"method\":\"GET\",\"host\":\"127.0.0.1:8080\",\"path\":\"/orders/"
        "7\",\"query\":\"a=b\"}}\n" } },
    { "url=/orders/7&header=X-A:%201&header=Content-Length:%2011&method=GET",
      { "\"status\":413,\"answered_by\":\"routes/one/limit-body\",\"reason\":\"the request body is too large\"}" } },
    { "url=/orders/7&method=POST&header=X-A:%201",
      { "\"reason\":\"method is not GET\"",
        "\"answer\":\"no_route\",\"status\":404,\"reason\":\"no route matches\"}" } },
    { "url=http://x:9090/tea?q=aa",
      { "\"gateway\":\"admin\",\"gateway_reason\":\"it listens at the URL's port\"", "\"route\":\"teapot\"",
        "\"status\":418,\"answered_by\":\"routes/teapot/respond\"}" } },
    { "url=http://x/tea?q=aa",
      { "\"gateway\":\"web\",\"gateway_reason\":\"it is the first one: none listens at the URL's port\"",
        "\"reason\":\"gateway is not admin\"" } },
    { "url=http://A.test/old%23part",
      { "\"route\":\"moved\"", "\"status\":301,\"answered_by\":\"routes/moved/redirect\",\"location\":\"/new\"}" } },
    { "url=/tea&gateway=admin&header=Host:%20h", { "\"gateway_reason\":\"it was asked for\"", "\"authority\":\"h\"" } },
    { "url=http://catalog", { "\"answer\":\"mesh\"", "\"service\":\"catalog\"", "\"path\":\"/\",\"query\":\"\"}}" } },
    { "url=http://catalog/x?y",
      { "\"gateway\":\"mesh\",\"gateway_reason\":\"the host is a service's name: services call each other by the "
        "mesh\"",
        "\"forwarded\":{\"method\":\"GET\",\"host\":\"catalog\",\"path\":\"/x\",\"query\":\"y\"}" } },
    { "url=/nobody/x&gateway=mesh",
      { "\"answer\":\"no_route\",\"status\":404,\"reason\":\"there is no service \\\"nobody\\\"\"" } },
    { "url=/catalog/../x&gateway=mesh",
      { "\"answer\":\"bad_request\",\"status\":400,\"reason\":\"the path has a dot" } },
    { "url=/a/%252e%252e/b", { "\"answer\":\"bad_request\",\"status\":400,\"reason\":\"the path has a dot segment" } },
    { "url=/a%20b", { "\"answer\":\"bad_request\",\"status\":400,\"reason\":\"the request line" } },
    { "url=/a&header=A%20B:%20x", { "\"answer\":\"bad_request\",\"status\":400" } },
    { "url=http://catalog/a%20b", { "\"answer\":\"bad_request\"" } },
};

static void requests(struct rig *rig)
{
    struct scene *scene = scene_open(rig);

    for (size_t i = 0; i < ARRAY_LEN(ROWS); i++) {
        get(scene, "/v1/explain", ROWS[i].query, 200);
        for (size_t k = 0; k < ARRAY_LEN(ROWS[i].says) && ROWS[i].says[k]; k++)
            says(scene, ROWS[i].says[k]);
    }
    scene_close(scene);
}

static void requests_are_explained(void **state)
{
    rig_run(requests, 1, NULL);
}

static const struct {
    const char *query, *detail;
} REFUSED[] = {
    { NULL, "url must be given: /v1/explain?url=http://host/path" },
    { "url=", "url must be given" },
    { "url=%zz", "the query is malformed: two hexadecimal digits come behind a %" },
    { "uri=/x", "a parameter must be method, url, gateway or header (is \\\"uri\\\")" },
    { "url=x", "url must begin with http://, https:// or / (is \\\"x\\\")" },
    { "url=http:///x", "url must have a host" },
    { "url=http://u@h/", "without user and password" },
    { "url=/%0ax", "url must be a URL" },
    { "url=/x&gateway=w", "gateway must be one of web, admin, mesh (is \\\"w\\\")" },
    { "url=/x&header=x", "header must be one line: Name: value" },
    { "url=/x&header=:x", "header must be one line: Name: value" },
    { "url=/x&header=a:b%0d%0ac:d", "header must be one line: Name: value" },
    { "url=/x&method=%0a", "method must be one word" },
};

static void refusals(struct rig *rig)
{
    struct scene *scene = scene_open(rig);
    char *long_query = mem_alloc(8 * KIB);
    struct text text = text_into(long_query, 8 * KIB - 1);

    for (size_t i = 0; i < ARRAY_LEN(REFUSED); i++) {
        get(scene, "/v1/explain", REFUSED[i].query, 400);
        says(scene, REFUSED[i].detail);
    }
    text_add(&text, BYTES("url=/x"));
    for (unsigned i = 0; i < HTTP_FIELDS_MAX; i++)
        text_add(&text, BYTES("&header=a:b"));
    long_query[text.len] = '\0';
    get(scene, "/v1/explain", long_query, 200); /* with Host one too many for the codec */
    says(scene, "\"answer\":\"bad_request\",\"status\":431");
    text_add(&text, BYTES("&header=a:b"));
    long_query[text.len] = '\0';
    get(scene, "/v1/explain", long_query, 400);
    says(scene, "a request has at most 100 headers");
    mem_free(long_query);
    scene_close(scene);
}

static void bad_questions_are_refused(void **state)
{
    rig_run(refusals, 1, NULL);
}

/* --- endpoints ------------------------------------------------------------------------------------------------ */

static void endpoints(struct rig *rig)
{
    struct scene *scene = scene_open(rig);
    struct service *service = rig_service(rig, "orders", 100, 3, "/ready");
    struct instance *const instances[] = { service->set->entries[0].instance, service->set->entries[1].instance,
                                           service->set->entries[2].instance };
    struct metric *active = instance_count_at(instances[1], 0);
    int64_t now_ns = rig->workers[0].loop->now_ns;

    RIG_CHECK(rig, active);
    metric_set(active, 3);
    (void)instance_eject(instances[2], OUTCOME_CONNECT_FAILED, now_ns);
    get(scene, "/v1/explain", "url=http://orders/", 200);
    says(scene, "\"score_is\":\"active exchanges for its weight: of two drawn by chance, the lower one\"");
    says(scene, "\"ejected\":false,\"active\":0,\"weight\":1,\"score\":0,\"chosen\":true,\"reason\":\"\"}");
    says(scene, "\"ejected\":false,\"active\":3,\"weight\":1,\"score\":3,\"chosen\":true,\"reason\":\"\"}");
    says(scene,
         "\"ejected\":true,\"active\":0,\"weight\":1,\"score\":0,\"chosen\":false,\"reason\":\"ejected: connecting");
    for (size_t i = 0; i < 3; i++) /* a check may have cleared the first one's meanwhile */
        (void)instance_eject(instances[i], OUTCOME_CONNECT_FAILED, rig->workers[0].loop->now_ns);
    get(scene, "/v1/explain", "url=http://orders/", 200); /* all are: one of them is better than none */
    says(scene,
         "\"ejected\":true,\"active\":3,\"weight\":1,\"score\":3,\"chosen\":true,\"reason\":\"ejected: connecting");
    for (size_t i = 0; i < 3; i++)
        atomic_store(&instances[i]->ready, HEALTH_UNREADY);
    get(scene, "/v1/explain", "url=http://orders/", 200);
    RIG_CHECK(rig, !strstr(scene->body, "\"chosen\":true,\"reason\""));
    says(scene, "\"active\":3,\"weight\":1,\"score\":3,\"chosen\":false,\"reason\":\"not ready\"}");
    metric_set(active, 0);
    scene_close(scene);
}

static void endpoints_are_seen_as_balance_sees_them(void **state)
{
    rig_run(endpoints, 1, NULL);
}

/* --- routes --------------------------------------------------------------------------------------------------- */

static void routes(struct rig *rig)
{
    struct scene *scene = scene_open(rig);

    get(scene, "/v1/routes", NULL, 200);
    says(scene,
         "{\"routes\":[{\"name\":\"moved\",\"gateways\":[],\"hosts\":[\"a.test\",\"*.b.test\"],\"path\":\"/old\","
         "\"path_kind\":\"exact\",\"prefix\":false,\"methods\":[],\"headers\":[],\"query\":[],\"stages\":[],\"to\":"
         "\"redirect\",\"to_kind\":\"redirect\"},");
    says(scene,
         "{\"name\":\"one\",\"gateways\":[],\"hosts\":[],\"path\":\"/orders/{id}\",\"path_kind\":\"parameters\","
         "\"prefix\":false,\"methods\":[\"GET\"],\"headers\":[{\"name\":\"X-A\",\"value\":\"1\",\"kind\":\"exact\"}],"
         "\"query\":[],\"stages\":[\"limit-body\"],\"to\":\"orders\",\"to_kind\":\"service\"}");
    says(scene, "\"gateways\":[\"admin\"]");
    says(scene, "\"query\":[{\"name\":\"q\",\"value\":\"a+\",\"kind\":\"regex\"}]");
    get(scene, "/v1/routes", "name=teapot", 200);
    says(scene, "{\"routes\":[{\"name\":\"teapot\",");
    says(scene,
         "\"to_kind\":\"respond\",\"way\":[{\"stage\":\"respond\",\"path\":\"routes/teapot/respond\",\"settings\":{"
         "\"status\":\"418\",\"type\":\"text\"}}]}]}\n");
    get(scene, "/v1/routes", "name=none", 200);
    says(scene, "{\"routes\":[]}\n");
    get(scene, "/v1/routes", "named=x", 400);
    says(scene, "the only parameter is name");
    scene_close(scene);
}

static void routes_are_listed_in_order(void **state)
{
    rig_run(routes, 1, NULL);
}

static void nothing_yet(struct rig *rig)
{
    struct scene *scene = scene_open(rig);
    struct snapshot *snapshot = scene->snapshot;

    scene->snapshot = NULL;
    get(scene, "/v1/explain", "url=/x", 503);
    says(scene, "no configuration has been taken by every worker yet");
    get(scene, "/v1/routes", NULL, 200);
    says(scene, "{\"routes\":[]}\n");
    scene->snapshot = snapshot;
    scene_close(scene);
}

static void without_a_configuration_there_is_nothing(void **state)
{
    rig_run(nothing_yet, 1, NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(requests_are_explained),
        cmocka_unit_test(bad_questions_are_refused),
        cmocka_unit_test(endpoints_are_seen_as_balance_sees_them),
        cmocka_unit_test(routes_are_listed_in_order),
        cmocka_unit_test(without_a_configuration_there_is_nothing),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
