/* The control API in the simulator: requests run through its stage on a worker, beside a registry with services. */
#include "control/api.h"

#include "base/alloc.h"
#include "rig.h"
#include "try.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>

#include <cmocka.h>

#define BODY_MAX (256 * KIB)
#define TCP BYTES(CONTROL_GATEWAY)
#define SOCKET BYTES(CONTROL_GATEWAY_SOCKET)

/* What the process would be, as the test wants it. */
struct stand_in {
    struct control_api_host host;
    struct control_status status;
    const struct control_process *processes;
    unsigned process_count;
    int result; /* of apply and down */
    bool ok;
    const char *text;
    unsigned applies, downs, diffs, scales;
    char scaled[64]; /* "orders=3": the last one */
};

static void tell_status(struct control_api_host *host, struct control_status *ret)
{
    *ret = container_of(host, struct stand_in, host)->status;
}

static bool tell_process(struct control_api_host *host, unsigned index, struct control_process *ret)
{
    struct stand_in *mine = container_of(host, struct stand_in, host);

    if (index >= mine->process_count)
        return false;
    *ret = mine->processes[index];
    return true;
}

static int answer(struct stand_in *mine, struct control_verdict *ret)
{
    int r = fiber_sleep(NS_PER_S); /* it may wait */

    if (r < 0 || mine->result < 0)
        return r < 0 ? r : mine->result;
    ret->ok = mine->ok;
    if (mine->text) {
        ret->len = strlen(mine->text);
        ret->text = mem_copy_text(mine->text, ret->len);
    }
    return 0;
}

static int apply(struct control_api_host *host, struct control_verdict *ret)
{
    struct stand_in *mine = container_of(host, struct stand_in, host);

    mine->applies++;
    return answer(mine, ret);
}

static int diff(struct control_api_host *host, struct control_verdict *ret)
{
    struct stand_in *mine = container_of(host, struct stand_in, host);

    mine->diffs++;
    return answer(mine, ret);
}

static int down(struct control_api_host *host, struct control_verdict *ret)
{
    struct stand_in *mine = container_of(host, struct stand_in, host);

    mine->downs++;
    return answer(mine, ret);
}

static int scale(struct control_api_host *host, struct bytes service, uint64_t number, struct control_verdict *ret)
{
    struct stand_in *mine = container_of(host, struct stand_in, host);

    mine->scales++;
    (void)snprintf(mine->scaled, sizeof(mine->scaled), BYTES_FMT "=%llu", BYTES_ARG(service),
                   (unsigned long long)number);
    return answer(mine, ret);
}

static bool tell_run(struct control_api_host *host, struct bytes service, struct control_run *ret)
{
    if (!bytes_equal(service, BYTES("orders")))
        return false;
    *ret = (struct control_run){ .scale = 5, .chosen = true, .warning = BYTES("cpu is not enforced") };
    return true;
}

static struct stand_in stand_in_new(void)
{
    return (struct stand_in){ .host = { .status = tell_status,
                                        .process = tell_process,
                                        .apply = apply,
                                        .diff = diff,
                                        .down = down,
                                        .scale = scale,
                                        .run = tell_run } };
}

/* --- calls ---------------------------------------------------------------------------------------------------------
 */

struct api_call {
    struct task task;
    struct rig *rig;
    enum http_method method;
    const char *path, *authority, *origin;
    struct bytes gateway, sent;
    enum outcome outcome;
    unsigned status;
    char allow[64], type[64];
    char *body; /* BODY_MAX */
    size_t len;
    uint64_t length; /* as the head says */
};

static void keep(char *into, size_t max, struct bytes text)
{
    size_t len = MIN(text.len, max - 1);

    if (len > 0)
        memcpy(into, text.data, len);
    into[len] = '\0';
}

static void keep_answer(struct api_call *call, struct exchange *x)
{
    const struct http_field *allow = http_head_find(&x->response, BYTES("Allow"));
    struct bytes chunk;

    call->status = x->response.status;
    call->length = x->response.content_length;
    keep(call->type, sizeof(call->type), http_head_value(&x->response, HTTP_FIELD_CONTENT_TYPE));
    keep(call->allow, sizeof(call->allow), allow ? allow->value : BYTES_NONE);
    while (x->response_body && body_read(x->response_body, &chunk) == 1) {
        if (chunk.len > BODY_MAX - 1 - call->len)
            chunk.len = BODY_MAX - 1 - call->len;
        memcpy(call->body + call->len, chunk.data, chunk.len);
        call->len += chunk.len;
    }
    call->body[call->len] = '\0';
}

static int call_run(struct task *task)
{
    struct api_call *call = container_of(task, struct api_call, task);
    struct worker *worker = &call->rig->workers[0];
    struct scope scope;
    struct exchange *x;
    struct body_memory sent;
    int r;

    scope_open(&scope, TIME_NEVER);
    r = exchange_create(worker, NULL, &scope, &x);
    if (r == 0)
        r = exchange_head_room(x, &x->request, 4);
    if (r == 0 && call->origin)
        r = http_head_add_named(&x->request, BYTES("Origin"), bytes_of_text(call->origin));
    body_memory_init(&sent, call->sent);
    if (r == 0 && call->sent.len > 0)
        r = exchange_set_request_body(x, &sent.body);
    RIG_CHECK(call->rig, r == 0);
    x->deadline_ns = TIME_NEVER;
    x->gateway = call->gateway;
    x->scheme = BYTES("http");
    x->request.method = call->method;
    x->request.method_text = http_method_name(call->method);
    x->request.authority = bytes_of_text(call->authority);
    x->request.path = bytes_of_text(call->path);
    call->outcome = stage_run(x->view->snapshot->root, x);
    keep_answer(call, x);
    exchange_end(x, call->outcome);
    (void)scope_close(&scope);
    return 0;
}

static void run(struct rig *rig, struct api_call *call)
{
    call->rig = rig;
    call->len = 0;
    call->task = (struct task){ .run = call_run };
    rig_on_worker(rig, 0, &call->task);
}

/* GET by the owner; the body is checked by the caller. */
static void get(struct rig *rig, struct api_call *call, const char *path, unsigned status)
{
    call->method = HTTP_GET;
    call->path = path;
    call->gateway = SOCKET;
    run(rig, call);
    RIG_CHECK(rig, call->outcome == OUTCOME_OK && call->status == status);
}

static void post(struct rig *rig, struct api_call *call, const char *path, unsigned status)
{
    call->method = HTTP_POST;
    call->path = path;
    call->gateway = SOCKET;
    run(rig, call);
    RIG_CHECK(rig, call->outcome == OUTCOME_OK && call->status == status);
}

static bool says(const struct api_call *call, const char *text)
{
    if (strstr(call->body, text))
        return true;
    fprintf(stderr, "%s: no '%s' in:\n%s\n", call->path, text, call->body);
    return false;
}

/* What every body of this file starts with. */
struct scene {
    struct stand_in host;
    struct api_call call;
    struct control_api_conf conf;
    struct control_sources sources;
    struct metrics *metrics;
    struct control_try *try;
};

static const char YAML[] =
    "system: shop\n"
    "gateway: [ { name: web, listen: \"http://0.0.0.0:8080\" }, { name: in, listen: "
    "\"http://127.0.0.1:8081\" } ]\n"
    "policies: { call: { timeout: 2s } }\n"
    "services:\n"
    "  orders: { run: ./orders, scale: 3, policy: call, balance: least-request, needs: catalog,\n"
    "            limits: { memory: 1MiB, cpu: 50% } }\n"
    "  catalog: { url: http://10.0.0.5 }\n";

static void scene_open(struct rig *rig, struct scene *scene)
{
    struct rig_stage stage = { &STAGE_CONTROL_API, &scene->conf };

    *scene = (struct scene){ .host = stand_in_new() };
    scene->try = control_try(bytes_of_text(YAML));
    RIG_CHECK(rig, scene->try->result == 0);
    scene->host.status = (struct control_status){ .config = scene->try->config,
                                                  .version = 7,
                                                  .control = BYTES("127.0.0.1:7071"),
                                                  .uptime_ns = 90 * NS_PER_S,
                                                  .workers = 4,
                                                  .pid = 1234 };
    RIG_CHECK(rig, metrics_create(rig->control_loop->io, 2, &scene->metrics) == 0);
    control_sources_init(&scene->sources, &rig->registry, NULL);
    scene->conf = (struct control_api_conf){
        .host = &scene->host.host, .registry = &rig->registry, .metrics = scene->metrics, .sources = scene->sources.list
    };
    scene->call.body = mem_alloc(BODY_MAX);
    RIG_CHECK(rig, scene->call.body);
    (void)rig_snapshot(rig, &stage, 1);
}

static void scene_close(struct scene *scene)
{
    mem_free(scene->call.body);
    metrics_free(scene->metrics);
    control_try_done(scene->try);
}

/* --- who may ask -----------------------------------------------------------------------------------------------------
 */

static const struct {
    enum http_method method;
    const char *path, *authority, *origin;
    bool socket;
    unsigned status;
    const char *says;
} ASKED[] = {
    { HTTP_GET, "/livez", "127.0.0.1:7070", NULL, false, 200, "live" },
    { HTTP_HEAD, "/livez", "127.0.0.1:7070", NULL, false, 200, "live" },
    { HTTP_GET, "/livez", "localhost:7070", NULL, false, 200, "live" },
    { HTTP_GET, "/livez", "LOCALHOST", NULL, false, 200, "live" },
    { HTTP_GET, "/livez", "[::1]:7070", NULL, false, 200, "live" },
    { HTTP_GET, "/livez", "[::1]", NULL, false, 200, "live" },
    { HTTP_GET, "/livez", "10.1.2.3", NULL, false, 200, "live" },
    { HTTP_GET, "/livez", "", NULL, false, 200, "live" },
    { HTTP_GET, "/livez", "evil.example:7070", NULL, false, 403, "DNS rebinding" },
    { HTTP_GET, "/livez", "localhost.evil.example", NULL, false, 403, "DNS rebinding" },
    { HTTP_GET, "/livez", "127.0.0.1.evil.example:7070", NULL, false, 403, "DNS rebinding" },
    { HTTP_GET, "/livez", "unix:/x", NULL, false, 403, "DNS rebinding" },
    { HTTP_GET, "/livez", "evil.example", NULL, true, 200, "live" },
    { HTTP_GET, "/livez", "127.0.0.1:7070", "http://127.0.0.1:7070", false, 200, "live" },
    { HTTP_GET, "/livez", "127.0.0.1:7070", "https://127.0.0.1:7070", false, 403, "Origin" },
    { HTTP_GET, "/livez", "127.0.0.1:7070", "http://127.0.0.1:8080", false, 403, "Origin" },
    { HTTP_GET, "/livez", "127.0.0.1:7070", "http://evil.example", false, 403, "Origin" },
    { HTTP_GET, "/livez", "127.0.0.1:7070", "null", false, 403, "Origin" },
    { HTTP_GET, "/livez", "127.0.0.1:7070", "", false, 403, "Origin" },
    { HTTP_GET, "/", "127.0.0.1:7070", NULL, false, 200, "<title>Weft</title>" },
    { HTTP_HEAD, "/app.css", "127.0.0.1:7070", NULL, false, 200, "{" },
    { HTTP_POST, "/", "127.0.0.1:7070", NULL, false, 405, "GET and HEAD" },
    { HTTP_GET, "/", "evil.example:7070", NULL, false, 403, "DNS rebinding" },
    { HTTP_GET, "/app.css/", "127.0.0.1:7070", NULL, false, 404, "/v1/status" },
    { HTTP_GET, "/livez/", "127.0.0.1:7070", NULL, false, 404, "/v1/status" },
    { HTTP_GET, "/v1", "127.0.0.1:7070", NULL, false, 404, "/v1/status" },
    { HTTP_POST, "/livez", "127.0.0.1:7070", NULL, false, 405, "GET and HEAD" },
    { HTTP_DELETE, "/v1/services", "", NULL, true, 405, "GET and HEAD" },
    { HTTP_GET, "/v1/apply", "", NULL, true, 405, "this takes POST" },
    { HTTP_POST, "/v1/apply", "127.0.0.1:7070", NULL, false, 403, "weft apply" },
    { HTTP_POST, "/v1/down", "127.0.0.1:7070", NULL, false, 403, "--unix-socket" },
    { HTTP_POST, "/v1/diff", "127.0.0.1:7070", NULL, false, 403, "for reading only" },
    { HTTP_GET, "/v1/diff", "", NULL, true, 405, "this takes POST" },
    { HTTP_POST, "/v1/down", "evil.example", NULL, false, 403, "DNS rebinding" },
};

static void ask(struct rig *rig)
{
    struct scene scene;
    struct api_call *call = &scene.call;

    scene_open(rig, &scene);
    for (size_t i = 0; i < ARRAY_LEN(ASKED); i++) {
        call->method = ASKED[i].method;
        call->path = ASKED[i].path;
        call->authority = ASKED[i].authority;
        call->origin = ASKED[i].origin;
        call->gateway = ASKED[i].socket ? SOCKET : TCP;
        run(rig, call);
        if (call->outcome != OUTCOME_OK || call->status != ASKED[i].status || !says(call, ASKED[i].says))
            world_fail(rig->world, "row %zu: %u %s", i, call->status, call->body);
        RIG_CHECK(rig, (call->status == 405) == (call->allow[0] != '\0'));
        RIG_CHECK(rig, call->status == 200 || strcmp(call->type, "application/problem+json") == 0);
        RIG_CHECK(rig, call->length == call->len);
    }
    RIG_CHECK(rig, scene.host.applies == 0 && scene.host.downs == 0 && scene.host.diffs == 0);
    scene_close(&scene);
}

static void strangers_are_kept_out(void **state)
{
    rig_run(ask, 1, NULL);
}

/* Whatever is asked for: names of others and pages of others get nothing, and change nothing. */
static void ask_for_all(struct rig *rig)
{
    static const char *const PATHS[] = {
        "/",          "/app.css",      "/livez",   "/readyz",     "/metrics",     "/v1/status",   "/v1/services",
        "/v1/routes", "/v1/endpoints", "/v1/logs", "/v1/traffic", "/v1/traces/1", "/v1/topology", "/v1/explain",
        "/v1/scale",  "/v1/apply",     "/v1/diff", "/v1/down",    "/nothing",
    };
    struct scene scene;
    struct api_call *call = &scene.call;

    scene_open(rig, &scene);
    call->gateway = TCP;
    for (size_t i = 0; i < 4 * ARRAY_LEN(PATHS); i++) {
        bool named = i % 2 == 0;

        call->path = PATHS[i / 4];
        call->method = i % 4 < 2 ? HTTP_GET : HTTP_POST;
        call->authority = named ? "evil.example:7070" : "127.0.0.1:7070";
        call->origin = named ? NULL : "http://evil.example";
        run(rig, call);
        if (call->outcome != OUTCOME_OK || call->status != 403 || !says(call, named ? "rebinding" : "Origin"))
            world_fail(rig->world, "%s: %u %s", call->path, call->status, call->body);
    }
    RIG_CHECK(rig, scene.host.applies + scene.host.downs + scene.host.diffs + scene.host.scales == 0);
    scene_close(&scene);
}

static void strangers_are_kept_out_everywhere(void **state)
{
    rig_run(ask_for_all, 1, NULL);
}

/* --- what is told ----------------------------------------------------------------------------------------------------
 */

static void readiness(struct rig *rig)
{
    struct scene scene;

    scene_open(rig, &scene);
    get(rig, &scene.call, "/readyz", 200); /* although no service has an endpoint: invariant (4) */
    scene.host.status.draining = true;
    get(rig, &scene.call, "/readyz", 503);
    RIG_CHECK(rig, says(&scene.call, "stopping"));
    get(rig, &scene.call, "/v1/status", 200);
    RIG_CHECK(rig, says(&scene.call, "\"ready\":false"));
    scene.host.status = (struct control_status){ .workers = 1 };
    get(rig, &scene.call, "/readyz", 503);
    RIG_CHECK(rig, says(&scene.call, "no configuration"));
    get(rig, &scene.call, "/v1/services", 200);
    RIG_CHECK(rig, strcmp(scene.call.body, "{\"services\":[]}\n") == 0);
    get(rig, &scene.call, "/livez", 200);
    scene_close(&scene);
}

static void readiness_speaks_of_the_process(void **state)
{
    rig_run(readiness, 1, NULL);
}

static void lists(struct rig *rig)
{
    static const struct control_process PROCESSES[] = {
        { .service = { "orders", 6 },
          .name = { "orders-101", 10 },
          .state = { "ready", 5 },
          .pid = 77,
          .restarts = 2,
          .note = { "ended", 5 } },
        { .service = { "orders", 6 },
          .name = { "orders-9", 8 },
          .state = { "waiting", 7 },
          .restarts = 5,
          .note = { "catalog", 7 } },
    };
    struct scene scene;

    scene_open(rig, &scene);
    scene.host.processes = PROCESSES;
    scene.host.process_count = ARRAY_LEN(PROCESSES);
    get(rig, &scene.call, "/v1/status", 200);
    RIG_CHECK(rig, strcmp(scene.call.body,
                          "{\"system\":\"shop\",\"version\":\"" WEFT_VERSION
                          "\",\"config\":7,\"uptime_seconds\":90,\"workers\":4,\"pid\":1234,"
                          "\"ready\":true,\"control\":\"127.0.0.1:7071\",\"gateways\":[{\"name\":\"web\",\"listen\":"
                          "\"http://0.0.0.0:8080\"},{\"name\":\"in\",\"listen\":"
                          "\"http://127.0.0.1:8081\"}]}\n") == 0);
    (void)rig_service(rig, "orders", 100, 2, "/ready");
    get(rig, &scene.call, "/v1/services", 200);
    RIG_CHECK(rig,
              strcmp(scene.call.body,
                     "{\"services\":[{\"name\":\"orders\",\"kind\":\"run\",\"run\":\"./orders\",\"ready\":2,"
                     "\"endpoints\":2,\"scale\":5,\"scale_file\":3,\"restarts\":7,\"needs\":[\"catalog\"],\"limits\":{"
                     "\"memory\":1048576,\"cpu\":0.50},\"warning\":\"cpu is not enforced\",\"balance\":"
                     "\"least-request\",\"policy\":\"call\"},{\"name\":\"catalog\",\"kind\":\"url\",\"url\":["
                     "\"http://10.0.0.5\"],\"ready\":0,\"endpoints\":0,\"balance\":\"round-robin\"}]}\n") == 0);
    get(rig, &scene.call, "/v1/endpoints", 200);
    RIG_CHECK(rig, says(&scene.call, "{\"endpoints\":[{\"service\":\"orders\",\"name\":\"orders-100\",\"address\":"));
    RIG_CHECK(rig, says(&scene.call,
                        "\"state\":\"ready\",\"ejected\":false,\"active\":0,\"weight\":1,\"limit\":1024,\"checks\":1,"
                        "\"checks_failed\":0,\"live\":\"off\"},"));
    RIG_CHECK(rig, says(&scene.call, "\"checks_failed\":0,\"live\":\"off\",\"process\":\"ready\",\"pid\":77,"
                                     "\"restarts\":2,\"last_exit\":\"ended\"},"));
    RIG_CHECK(
        rig,
        says(&scene.call,
             ",{\"service\":\"orders\",\"name\":\"orders-9\",\"address\":\"\",\"state\":"
             "\"absent\",\"ejected\":false,\"process\":\"waiting\",\"restarts\":5,\"waits_for\":\"catalog\"}]}\n"));
    rig_plan(rig, 100)->check_status = 500;
    rig_plan(rig, 101)->check_status = 1;
    rig_sleep(20 * NS_PER_S);
    get(rig, &scene.call, "/v1/endpoints", 200);
    RIG_CHECK(rig, says(&scene.call, "\"state\":\"unready\""));
    RIG_CHECK(rig, says(&scene.call, "\"last_error\":\"status 500\""));
    scene_close(&scene);
}

static void lists_tell_what_runs(void **state)
{
    rig_run(lists, 1, NULL);
}

static void scrape(struct rig *rig)
{
    struct scene scene;

    scene_open(rig, &scene);
    (void)rig_service(rig, "orders", 100, 2, "/ready");
    get(rig, &scene.call, "/metrics", 200);
    RIG_CHECK(rig, strcmp(scene.call.type, METRICS_CONTENT_TYPE) == 0);
    RIG_CHECK(rig, scene.call.length == scene.call.len);
    RIG_CHECK(rig, says(&scene.call, "# TYPE weft_service_endpoints_ready gauge\n"));
    RIG_CHECK(rig, says(&scene.call, "weft_service_endpoints_ready{weft_service=\"orders\"} 2\n"));
    RIG_CHECK(rig, says(&scene.call, "weft_service_ejections_total{weft_service=\"orders\"} 0\n"));
    RIG_CHECK(rig, says(&scene.call, "weft_metrics_series"));
    scene_close(&scene);
}

static void metrics_have_those_of_services(void **state)
{
    rig_run(scrape, 1, NULL);
}

/* --- changes ---------------------------------------------------------------------------------------------------------
 */

static void change(struct rig *rig)
{
    static char many[8192];
    struct scene scene;
    struct text text = text_into(many, sizeof(many) - 1);

    scene_open(rig, &scene);
    scene.host.ok = true;
    post(rig, &scene.call, "/v1/apply", 200);
    RIG_CHECK(rig, strcmp(scene.call.body, "{\"detail\":\"applied\"}\n") == 0);
    scene.host.text = "version 8 is live";
    post(rig, &scene.call, "/v1/apply", 200);
    RIG_CHECK(rig, strcmp(scene.call.body, "{\"detail\":\"version 8 is live\"}\n") == 0);
    post(rig, &scene.call, "/v1/down", 202);
    RIG_CHECK(rig, scene.host.applies == 2 && scene.host.downs == 1);
    scene.host.text = "{\"differences\":[]}\n";
    post(rig, &scene.call, "/v1/diff", 200);
    RIG_CHECK(rig, strcmp(scene.call.body, scene.host.text) == 0 && scene.host.diffs == 1);
    RIG_CHECK(rig, strcmp(scene.call.type, "application/json") == 0);
    for (unsigned i = 0; i < 64; i++)
        text_add_format(&text, "weft.yaml:%u:1: this is the fault that stands in line number %u of it\n", i, i);
    many[text.len] = '\0';
    scene.host.ok = false;
    scene.host.text = many;
    post(rig, &scene.call, "/v1/apply", 422);
    RIG_CHECK(rig, strcmp(scene.call.type, "application/problem+json") == 0);
    RIG_CHECK(rig, says(&scene.call, "\"status\":422"));
    RIG_CHECK(rig, says(&scene.call, "line number 63 of it"));
    scene.host.text = NULL;
    post(rig, &scene.call, "/v1/diff", 422);
    post(rig, &scene.call, "/v1/apply", 422);
    RIG_CHECK(rig, says(&scene.call, "\"detail\":\"it was refused\""));
    scene.host.result = -EPIPE;
    post(rig, &scene.call, "/v1/apply", 503);
    RIG_CHECK(rig, says(&scene.call, "the supervisor gave no answer: Broken pipe"));
    post(rig, &scene.call, "/v1/down", 503);
    post(rig, &scene.call, "/v1/diff", 503);
    scene_close(&scene);
}

static void the_owner_may_change_things(void **state)
{
    rig_run(change, 1, NULL);
}

#define WANTED "{\"service\":\"orders\",\"scale\":3}"
#define SPACES_64 "                                                                "

static const struct {
    const char *sent;
    unsigned status;
    const char *scaled; /* NULL: nobody was asked */
} SCALED[] = {
    { WANTED, 200, "orders=3" },
    { "{\"scale\":0,\"service\":\"a\\n\\\"b\"}", 200,
      "a\n\"b=0" }, /* whether it is a name is for the supervisor to say */
    { "{\"service\":\"orders\",\"scale\":9223372036854775807}", 200, "orders=9223372036854775807" },
    { "", 400, NULL },
    { "3", 400, NULL },
    { "null", 400, NULL },
    { "{}", 400, NULL },
    { "{\"service\":\"orders\"}", 400, NULL },
    { "{\"service\":\"orders\",\"scale\":-1}", 400, NULL },
    { "{\"service\":\"orders\",\"scale\":1.5}", 400, NULL },
    { "{\"service\":\"orders\",\"scale\":\"3\"}", 400, NULL },
    { "{\"service\":\"orders\",\"scale\":99999999999999999999}", 400, NULL },
    { "{\"service\":3,\"scale\":3}", 400, NULL },
    { "{\"service\":\"or\\u0000ders\",\"scale\":3}", 400, NULL },
    { "{\"service\":\"orders\",\"scale\":3,\"more\":1}", 400, NULL },
    { "{\"service\":\"orders\",\"scale\":3,\"scale\":4}", 400, NULL },
    { "{\"service\":\"orders\",\"scale\":[[[[3]]]]}", 400, NULL },
    { "{\"service\":\"orders\",\"scale\":{\"a\":3}}", 400, NULL },
    { "[[[[[[[[[[", 400, NULL },
    { WANTED WANTED, 400, NULL },
    { WANTED SPACES_64, 200, "orders=3" },
    { WANTED SPACES_64 SPACES_64 SPACES_64 SPACES_64 SPACES_64 SPACES_64 SPACES_64 SPACES_64, 400,
      NULL }, /* too long */
};

static void change_scale(struct rig *rig)
{
    struct scene scene;
    struct api_call *call = &scene.call;

    scene_open(rig, &scene);
    scene.host.ok = true;
    for (size_t i = 0; i < ARRAY_LEN(SCALED); i++) {
        scene.host.scales = 0;
        scene.host.scaled[0] = '\0';
        call->sent = bytes_of_text(SCALED[i].sent);
        post(rig, call, "/v1/scale", SCALED[i].status);
        if (scene.host.scales != (SCALED[i].scaled ? 1 : 0) ||
            strcmp(scene.host.scaled, SCALED[i].scaled ? SCALED[i].scaled : "") != 0)
            world_fail(rig->world, "%s: %s", SCALED[i].sent, scene.host.scaled);
    }
    scene.host.ok = false;
    scene.host.text = "no service is named \"orders\"";
    call->sent = BYTES(WANTED);
    post(rig, call, "/v1/scale", 422);
    RIG_CHECK(rig, says(call, "no service is named \\\"orders\\\""));
    scene.host.result = -EPIPE;
    post(rig, call, "/v1/scale", 503);
    scene_close(&scene);
}

static void the_owner_may_change_a_scale(void **state)
{
    rig_run(change_scale, 1, NULL);
}

/* --- without sockets -------------------------------------------------------------------------------------------------
 */

static void the_snapshot_starts_with_the_api(void **state)
{
    struct control_api_conf conf = { .host = NULL };
    struct snapshot *snapshot = NULL;

    assert_int_equal(control_api_snapshot(3, &conf, &snapshot), 0);
    assert_non_null(snapshot_find(snapshot, &STAGE_FILES, BYTES("files"))); /* to explain with */
    assert_ptr_equal(snapshot->root->type, &STAGE_CONTROL_API);
    assert_ptr_equal(snapshot->root->conf, &conf);
    snapshot_free(snapshot);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(strangers_are_kept_out),       cmocka_unit_test(readiness_speaks_of_the_process),
        cmocka_unit_test(lists_tell_what_runs),         cmocka_unit_test(metrics_have_those_of_services),
        cmocka_unit_test(the_owner_may_change_things),  cmocka_unit_test(the_snapshot_starts_with_the_api),
        cmocka_unit_test(the_owner_may_change_a_scale), cmocka_unit_test(strangers_are_kept_out_everywhere),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
