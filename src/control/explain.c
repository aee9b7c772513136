#include "control/explain_parts.h"

#include "base/alloc.h"
#include "control/settings.h"
#include "exchange/worker.h"
#include "io/loop.h"
#include "stage/route_table.h"

/* --- what was asked ------------------------------------------------------------------------------------------- */

static void add_fields(const struct http_head *head, struct answer *answer)
{
    answer_member(answer, "headers");
    answer_text(answer, "[");
    for (unsigned i = 0; i < head->field_count; i++) {
        answer_text(answer, i ? ",{" : "{");
        answer_string(answer, "name", head->fields[i].name);
        answer_string(answer, "value", head->fields[i].value);
        answer_text(answer, "}");
    }
    answer_text(answer, "]");
}

static void add_request(const struct explanation *e)
{
    const struct explain_request *request = e->request;
    const struct http_head *head = &e->x->request;

    answer_member(e->answer, "request");
    answer_text(e->answer, "{");
    answer_string(e->answer, "method", request->method.len ? request->method : BYTES("GET"));
    answer_string(e->answer, "url", request->url);
    if (e->malformed == HTTP1_OK) {
        answer_string(e->answer, "authority", head->authority);
        answer_string(e->answer, "path", head->path);
        answer_string(e->answer, "query", head->query);
        add_fields(head, e->answer);
    }
    answer_text(e->answer, "}");
    answer_string(e->answer, "gateway", e->x->gateway);
    answer_string(e->answer, "gateway_reason", bytes_of_text(e->gateway_reason));
    answer_number(e->answer, "config", e->world->snapshot->version);
    answer_bool(e->answer, "running", e->world->registry != NULL);
}

/* Weft answers by itself, before any stage. */
static void add_refusal(const struct explanation *e, const char *kind, unsigned status, struct bytes reason)
{
    answer_string(e->answer, "answer", bytes_of_text(kind));
    answer_number(e->answer, "status", status);
    answer_string(e->answer, "reason", reason);
}

/* --- routes --------------------------------------------------------------------------------------------------- */

struct verdicts {
    const struct explanation *e;
    const struct route_conf *conf;
    bool any;
};

static void add_verdict(void *user, const struct route_verdict *verdict)
{
    struct verdicts *verdicts = user;
    struct answer *answer = verdicts->e->answer;

    answer_text(answer, verdicts->any ? ",{" : "{");
    verdicts->any = true;
    answer_string(answer, "name", verdicts->conf->routes[verdict->route].name);
    answer_bool(answer, "matches", verdict->matches);
    answer_bool(answer, "chosen", verdict->chosen);
    answer_string(answer, "reason", verdict->reason);
    answer_number(answer, "precedence", verdict->precedence);
    answer_text(answer, "}");
}

static int set_parameters(const struct explanation *e, const struct route_table *table, const struct route_found *found)
{
    unsigned count;
    const struct bytes *names = route_table_parameters(table, found->route, &count);
    struct exchange_parameter *parameters = arena_alloc(&e->x->arena, MAX(count, 1u) * sizeof(*parameters));

    if (!parameters)
        return -ENOMEM;
    for (unsigned i = 0; i < count; i++)
        parameters[i] = (struct exchange_parameter){ names[i], found->values[i] };
    e->x->parameters = parameters;
    e->x->parameter_count = count;
    return 0;
}

static void add_parameters(const struct explanation *e)
{
    answer_member(e->answer, "parameters");
    answer_text(e->answer, "{");
    for (unsigned i = 0; i < e->x->parameter_count; i++) {
        answer_text(e->answer, i ? "," : "");
        answer_json(e->answer, e->x->parameters[i].name);
        answer_text(e->answer, ":");
        answer_json(e->answer, e->x->parameters[i].value);
    }
    answer_text(e->answer, "}");
}

/* The same steps as the stage `route` takes. */
static int find_route(struct explanation *e, const struct stage *routes)
{
    const struct route_request request = { .gateway = e->x->gateway, .head = &e->x->request };
    struct verdicts verdicts = { .e = e, .conf = routes->conf };
    struct route_found found;
    int r;

    if (!route_path_safe(e->x->request.path)) {
        add_refusal(e, "bad_request", outcome_info(OUTCOME_BAD_REQUEST)->status,
                    BYTES("the path has a dot segment, which the service could resolve to another path"));
        return 0;
    }
    answer_member(e->answer, "routes");
    answer_text(e->answer, "[");
    r = route_table_explain(routes->state, &request, add_verdict, &verdicts, &found);
    answer_text(e->answer, "]");
    if (r == -ENOMEM)
        return r;
    if (r == -ENOENT)
        add_refusal(e, "no_route", outcome_info(OUTCOME_NO_ROUTE)->status, BYTES("no route matches"));
    else if (r < 0)
        add_refusal(e, "bad_request", outcome_info(OUTCOME_BAD_REQUEST)->status,
                    BYTES("a regular expression takes too long for this request"));
    if (r < 0)
        return 0;
    e->first = routes->children[found.route];
    e->x->route = verdicts.conf->routes[found.route].name;
    answer_string(e->answer, "answer", BYTES("route"));
    answer_string(e->answer, "route", e->x->route);
    r = set_parameters(e, routes->state, &found);
    if (r == 0)
        add_parameters(e);
    return r;
}

static int find_service(struct explanation *e, const struct stage *mesh)
{
    struct mesh_call call;
    int r = mesh_find(mesh, mesh_credential_name(e->x->credential), e->x->request.path, &call);

    if (r == -EBADMSG) {
        add_refusal(e, "bad_request", outcome_info(OUTCOME_BAD_REQUEST)->status,
                    BYTES("the path has a dot segment, which the service could resolve to another path"));
        return 0;
    }
    answer_string(e->answer, "caller", call.caller);
    if (r < 0) {
        struct bytes reason;

        r = arena_format(&e->x->arena, &reason, "there is no service \"" BYTES_FMT "\"", BYTES_ARG(call.service));
        if (r == 0)
            add_refusal(e, "no_route", outcome_info(OUTCOME_NO_ROUTE)->status, reason);
        return r;
    }
    e->x->caller = call.caller;
    e->x->request.path = call.path;
    e->first = call.next;
    answer_string(e->answer, "answer", BYTES("mesh"));
    return 0;
}

/* --- stages --------------------------------------------------------------------------------------------------- */

void explain_stages(const char *key, const struct stage *first, struct answer *answer)
{
    answer_member(answer, key);
    answer_text(answer, "[");
    for (const struct stage *stage = first; stage; stage = stage->next) {
        answer_text(answer, stage == first ? "{" : ",{");
        answer_string(answer, "stage", bytes_of_text(stage->type->name));
        answer_string(answer, "path", stage->path);
        settings_add(answer, "settings", stage->type->schema, stage->conf);
        answer_text(answer, "}");
    }
    answer_text(answer, "]");
}

static int tell_way(struct explanation *e)
{
    explain_stages("stages", e->first, e->answer);
    for (const struct stage *stage = e->first; stage; stage = stage->next)
        if (stage->type == &STAGE_BALANCE)
            explain_endpoints(e, stage);
    return explain_trial(e);
}

static int tell(struct explanation *e)
{
    const struct stage *routes = snapshot_find(e->world->snapshot, &STAGE_ROUTE, BYTES(ROUTE_STAGE_PATH));
    int r = explain_read(e);

    if (r < 0)
        return r;
    answer_text(e->answer, "{");
    add_request(e);
    r = route_path_plain(&e->x->arena, e->x->request.path, &e->x->request.path); /* as route_run() */
    if (r < 0)
        return r;
    if (e->malformed != HTTP1_OK)
        add_refusal(e, "bad_request", http1_error_status(e->malformed), http1_error_text(e->malformed));
    else if (bytes_equal(e->x->gateway, BYTES(CONTROL_GATEWAY_MESH)))
        r = find_service(e, routes->next);
    else
        r = find_route(e, routes);
    if (r == 0 && e->first)
        r = tell_way(e);
    answer_text(e->answer, "}\n");
    return r;
}

int explain(const struct explain_world *world, const struct explain_request *request, struct exchange *x,
            struct answer *answer, struct bytes *ret_why)
{
    struct explanation e = { .world = world, .request = request, .answer = answer, .arena = &x->arena };
    int r = exchange_create(x->worker, NULL, x->scope, &e.x);

    if (r < 0)
        return -ENOMEM;
    e.x->detached = true; /* told to nobody */
    e.x->request_id = x->request_id;
    e.x->client = x->client.len ? x->client : BYTES("127.0.0.1");
    e.x->trace = x->trace;
    snapshot_hold(world->snapshot);
    r = tell(&e);
    if (e.x->tee) /* the body is its own, though it is told to nobody */
        tee_close_source(e.x->tee, OUTCOME_OK);
    exchange_end(e.x, OUTCOME_OK);
    snapshot_release(world->snapshot);
    mem_free(e.memory);
    if (r == -EINVAL)
        *ret_why = e.why;
    return r;
}

/* --- without a running system ----------------------------------------------------------------------------------- */

struct alone {
    struct task task;
    struct loop *loop;
    struct worker *worker;
    struct explain_world world;
    const struct explain_request *request;
    struct answer *answer;
    struct text *why;
    int result;
};

static int alone_run(struct task *task)
{
    struct alone *alone = container_of(task, struct alone, task);
    struct bytes why = BYTES_NONE;
    struct exchange *x;
    struct scope scope;

    scope_open(&scope, TIME_NEVER);
    alone->result = exchange_create(alone->worker, NULL, &scope, &x);
    if (alone->result == 0) {
        alone->result = explain(&alone->world, alone->request, x, alone->answer, &why);
        text_add(alone->why, why);
        exchange_discard(x);
    }
    (void)scope_close(&scope);
    loop_stop(alone->loop);
    return 0;
}

/* An exchange lives in a snapshot: this one is as good as empty, since stages of the other need a registry to be
 * entered. */
static int enter_empty(struct worker *worker, struct snapshot **ret)
{
    struct fault fault = { 0 };
    struct snapshot *snapshot;
    int r = snapshot_create(0, &snapshot);

    if (r < 0)
        return r;
    r = explain_prepare(snapshot);
    if (r == 0)
        r = snapshot_seal(snapshot, NULL, &fault);
    if (r == 0)
        r = worker_enter(worker, snapshot);
    if (r < 0)
        snapshot_free(snapshot);
    else
        *ret = snapshot;
    return r;
}

/* Everything on the loop's own stack. */
static int run_alone(struct alone *alone, struct worker *worker, struct loop *loop)
{
    struct snapshot *empty;
    int r = enter_empty(worker, &empty);

    if (r < 0)
        return r;
    alone->loop = loop;
    alone->worker = worker;
    alone->task.run = alone_run;
    alone->result = loop_spawn(loop, &alone->task);
    if (alone->result < 0)
        loop_stop(loop);
    loop_run(loop);
    worker_leave_all(worker);
    snapshot_free(empty);
    return alone->result;
}

int explain_alone(struct io *io, struct snapshot *snapshot, const struct explain_request *request,
                  struct answer *answer, struct text *why)
{
    struct alone alone = { .world = { .snapshot = snapshot }, .request = request, .answer = answer, .why = why };
    const struct worker_limits limits = { .exchanges_max = 4 };
    struct worker worker;
    struct loop loop;
    int r = loop_init(&loop, io, NULL);

    if (r < 0)
        return r;
    r = worker_init(&worker, 0, &loop, &limits);
    if (r == 0) {
        r = run_alone(&alone, &worker, &loop);
        worker_done(&worker);
    }
    loop_done(&loop);
    return r;
}
