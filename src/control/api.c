#include "control/api_list.h"

#include "base/alloc.h"
#include "control/api_traffic.h"
#include "control/assets.h"
#include "control/explain.h"
#include "http/problem.h"
#include "io/loop.h"

#define JSON BYTES("application/json")
#define TEXT BYTES("text/plain; charset=utf-8")

/* --- who may ask ----------------------------------------------------------------------------------------------------
 */

static bool is_owner(const struct exchange *x)
{
    return bytes_equal(x->gateway, BYTES(CONTROL_GATEWAY_SOCKET));
}

/* The part before ":port"; brackets of IPv6 stay. */
static struct bytes host_of(struct bytes authority)
{
    size_t at = authority.len;

    while (at > 0 && authority.data[at - 1] >= '0' && authority.data[at - 1] <= '9')
        at--;
    return at > 0 && authority.data[at - 1] == ':' ? bytes_slice(authority, 0, at - 1) : authority;
}

/* Browsers always send Host; who sends none is no browser. */
static bool host_is_plain(struct bytes authority)
{
    struct bytes host = host_of(authority);
    char memory[ADDRESS_TEXT_MAX];
    struct text text = text_into(memory, sizeof(memory));
    struct address address;

    if (authority.len == 0 || bytes_equal_ci(host, BYTES("localhost")))
        return true;
    text_add(&text, host);
    text_add(&text, BYTES(":1"));
    return !text.full && address_parse(text_bytes(&text), &address) == 0 && address.family != ADDRESS_UNIX;
}

/* Every Origin that is there must be ours: scheme, host and port. */
static bool origin_is_ours(const struct exchange *x)
{
    const struct http_head *request = &x->request;

    for (unsigned i = 0; i < request->field_count; i++) {
        const struct http_field *field = &request->fields[i];
        struct bytes rest = field->value;

        if (!bytes_equal_ci(field->name, BYTES("Origin")))
            continue;
        if (!bytes_starts(rest, x->scheme))
            return false;
        rest = bytes_skip(rest, x->scheme.len);
        if (!bytes_starts(rest, BYTES("://")) || !bytes_equal_ci(bytes_skip(rest, 3), request->authority))
            return false;
    }
    return true;
}

static int refuse(struct exchange *x, unsigned status, const char *type, const char *detail)
{
    return http_problem_of(x, status, bytes_of_text(type), bytes_of_text(detail));
}

/* --- answers ---------------------------------------------------------------------------------------------------------
 */

static int get_live(const struct control_api_conf *conf, struct exchange *x)
{
    return exchange_answer(x, 200, TEXT, BYTES("live\n"));
}

static int get_ready(const struct control_api_conf *conf, struct exchange *x)
{
    struct control_status status = { 0 };

    conf->host->status(conf->host, &status);
    if (status.draining)
        return refuse(x, 503, "urn:weft:control:draining", "the system is stopping");
    if (!status.config)
        return refuse(x, 503, "urn:weft:control:starting", "no configuration has been taken by every worker yet");
    return exchange_answer(x, 200, TEXT, BYTES("ready\n"));
}

static int get_metrics(const struct control_api_conf *conf, struct exchange *x)
{
    struct bytes text = BYTES_NONE;
    struct answer answer = { 0 };
    int r = metrics_scrape_text(conf->metrics, conf->sources, &text);

    if (r < 0)
        return r;
    answer.data = (char *)(uintptr_t)text.data; /* it is ours to free */
    answer.len = answer.room = text.len;
    return answer_send(&answer, x, 200, BYTES(METRICS_CONTENT_TYPE));
}

static int get_status(const struct control_api_conf *conf, struct exchange *x)
{
    struct answer answer = { 0 };

    api_list_status(conf, &answer);
    return answer_send(&answer, x, 200, JSON);
}

static int get_services(const struct control_api_conf *conf, struct exchange *x)
{
    struct answer answer = { 0 };

    api_list_services(conf, &answer);
    return answer_send(&answer, x, 200, JSON);
}

static int get_endpoints(const struct control_api_conf *conf, struct exchange *x)
{
    struct answer answer = { 0 };

    api_list_endpoints(conf, x->worker->loop->now_ns, &answer);
    return answer_send(&answer, x, 200, JSON);
}

/* --- changes ---------------------------------------------------------------------------------------------------------
 */

/* All of the text: a problem of http/problem.h would cut it, and a file may have many faults. */
static int send_verdict(struct exchange *x, const struct control_verdict *verdict, unsigned status, const char *done)
{
    struct bytes text = verdict->text ? bytes_of(verdict->text, verdict->len) : BYTES_NONE;
    struct answer answer = { 0 };

    answer_text(&answer, "{");
    if (!verdict->ok) {
        status = 422;
        answer_string(&answer, "type", BYTES("urn:weft:control:refused"));
        answer_string(&answer, "title", http_reason(status));
        answer_number(&answer, "status", status);
    }
    answer_string(&answer, "detail", text.len ? text : verdict->ok ? bytes_of_text(done) : BYTES("it was refused"));
    answer_text(&answer, "}\n");
    return answer_send(&answer, x, status, verdict->ok ? JSON : BYTES("application/problem+json"));
}

static int no_verdict(struct exchange *x, int error)
{
    char memory[256];
    struct text text = text_into(memory, sizeof(memory));

    text_add_format(&text, "the supervisor gave no answer: " BYTES_FMT, BYTES_ARG(api_reason(error)));
    return http_problem_of(x, 503, BYTES("urn:weft:control:unanswered"), text_bytes(&text));
}

static int post_apply(const struct control_api_conf *conf, struct exchange *x)
{
    struct control_verdict verdict = { 0 };
    int r = conf->host->apply(conf->host, &verdict);

    r = r < 0 ? no_verdict(x, r) : send_verdict(x, &verdict, 200, "applied");
    mem_free(verdict.text);
    return r;
}

/* Values may be secrets: it is asked like a change, by the owner alone. */
static int post_diff(const struct control_api_conf *conf, struct exchange *x)
{
    struct control_verdict verdict = { 0 };
    struct answer answer = { 0 };
    int r = conf->host->diff(conf->host, &verdict);

    if (r < 0)
        return no_verdict(x, r);
    if (!verdict.ok)
        r = send_verdict(x, &verdict, 200, "");
    else {
        answer_add(&answer, bytes_of(verdict.text, verdict.len));
        r = answer_send(&answer, x, 200, JSON);
    }
    mem_free(verdict.text);
    return r;
}

static int post_scale(const struct control_api_conf *conf, struct exchange *x)
{
    struct control_verdict verdict = { 0 };
    int r = api_scale(conf, x, &verdict);

    if (r == -EBADMSG)
        r = refuse(x, 400, "urn:weft:control:body", "the body must be {\"service\":\"NAME\",\"scale\":NUMBER}");
    else
        r = r < 0 ? no_verdict(x, r) : send_verdict(x, &verdict, 200, "scaled");
    mem_free(verdict.text);
    return r;
}

static int post_down(const struct control_api_conf *conf, struct exchange *x)
{
    struct control_verdict verdict = { 0 };
    int r = conf->host->down(conf->host, &verdict);

    r = r < 0 ? no_verdict(x, r) : send_verdict(x, &verdict, 202, "stopping");
    mem_free(verdict.text);
    return r;
}

/* --- the stage -------------------------------------------------------------------------------------------------------
 */

struct api_route {
    struct bytes path; /* with a slash at its end: what is below it */
    bool change;       /* POST, by the owner alone; else GET and HEAD */
    int (*answer)(const struct control_api_conf *conf, struct exchange *x);
};

#define PATH(literal)                \
    {                                \
        literal, sizeof(literal) - 1 \
    }

static const struct api_route ROUTES[] = {
    { PATH("/livez"), false, get_live },           { PATH("/readyz"), false, get_ready },
    { PATH("/metrics"), false, get_metrics },      { PATH("/v1/status"), false, get_status },
    { PATH("/v1/services"), false, get_services }, { PATH("/v1/endpoints"), false, get_endpoints },
    { PATH("/v1/traffic"), false, api_traffic },   { PATH("/v1/traces/"), false, api_trace },
    { PATH("/v1/logs"), false, api_logs },         { PATH("/v1/scale"), true, post_scale },
    { PATH("/v1/topology"), false, api_topology }, { PATH("/v1/apply"), true, post_apply },
    { PATH("/v1/diff"), true, post_diff },         { PATH("/v1/down"), true, post_down },
    { PATH("/v1/routes"), false, api_routes },     { PATH("/v1/explain"), false, api_explain },
};

static bool path_fits(const struct api_route *route, struct bytes path)
{
    if (bytes_ends(route->path, BYTES("/")))
        return bytes_starts(path, route->path);
    return bytes_equal(path, route->path);
}

static bool method_fits(const struct api_route *route, const struct exchange *x)
{
    enum http_method method = x->request.method;

    return route->change ? method == HTTP_POST : method == HTTP_GET || method == HTTP_HEAD;
}

static int refuse_method(const struct api_route *route, struct exchange *x)
{
    struct bytes allow = route->change ? BYTES("POST") : BYTES("GET, HEAD");
    int r = refuse(x, 405, "about:blank", route->change ? "this takes POST" : "this takes GET and HEAD");

    return r < 0 ? r : http_head_add_named(&x->response, BYTES("Allow"), allow);
}

static int answer_route(const struct control_api_conf *conf, const struct api_route *route, struct exchange *x)
{
    if (!method_fits(route, x))
        return refuse_method(route, x);
    if (route->change && !is_owner(x))
        return refuse(
            x, 403, "urn:weft:control:read-only",
            "this listener is for reading only; changes go through the owner's socket: weft apply, weft down, "
            "or curl --unix-socket .weft/control.sock");
    return route->answer(conf, x);
}

/* A file of the dashboard: read like everything else that is not a change. */
static int answer_asset(const struct asset *asset, struct exchange *x)
{
    const struct api_route route = { .path = asset->path };

    return method_fits(&route, x) ? assets_answer(asset, x) : refuse_method(&route, x);
}

/* Says what there is instead. */
static int refuse_path(struct exchange *x)
{
    char memory[HTTP_PROBLEM_MAX / 4];
    struct text text = text_into(memory, sizeof(memory));

    text_add(&text, BYTES("there is"));
    for (size_t i = 0; i < ARRAY_LEN(ROUTES); i++) {
        text_add(&text, i ? BYTES(", ") : BYTES(" "));
        text_add(&text, ROUTES[i].path);
        if (bytes_ends(ROUTES[i].path, BYTES("/")))
            text_add(&text, BYTES("..."));
    }
    return http_problem_of(x, 404, BYTES("about:blank"), text_bytes(&text));
}

static int answer_request(const struct control_api_conf *conf, struct exchange *x)
{
    const struct asset *asset = assets_find(x->request.path);

    if (!is_owner(x) && !host_is_plain(x->request.authority))
        return refuse(x, 403, "urn:weft:control:host",
                      "Host must be an IP address or localhost: a page of a stranger could have pointed its own name "
                      "here to read this (DNS rebinding)");
    if (!is_owner(x) && !origin_is_ours(x))
        return refuse(x, 403, "urn:weft:control:origin", "Origin must be this address: pages of others read nothing");
    if (asset)
        return answer_asset(asset, x);
    for (size_t i = 0; i < ARRAY_LEN(ROUTES); i++)
        if (path_fits(&ROUTES[i], x->request.path))
            return answer_route(conf, &ROUTES[i], x);
    return refuse_path(x);
}

static enum outcome api_run(const struct stage *s, struct exchange *x)
{
    const struct control_api_conf *conf = s->conf;
    int r = answer_request(conf, x);

    if (r == 0 && !http_head_has(&x->response, HTTP_FIELD_CACHE_CONTROL))
        r = http_head_add(&x->response, HTTP_FIELD_CACHE_CONTROL, BYTES("no-store"));
    return r == 0 ? OUTCOME_OK : OUTCOME_OVERLOAD;
}

const struct stage_type STAGE_CONTROL_API = { .name = "control-api", .run = api_run };

int control_api_snapshot(uint64_t version, const struct control_api_conf *conf, struct snapshot **ret)
{
    struct snapshot *snapshot;
    struct fault fault = { 0 };
    struct stage *stage;
    int r = snapshot_create(version, &snapshot);

    if (r < 0)
        return r;
    r = snapshot_add_stage(snapshot, &STAGE_CONTROL_API, conf, BYTES("control"), &stage);
    if (r == 0) {
        snapshot->root = stage;
        r = explain_prepare(snapshot);
    }
    if (r == 0) {
        r = snapshot_seal(snapshot, NULL, &fault);
    }
    if (r < 0)
        snapshot_free(snapshot);
    else
        *ret = snapshot;
    return r;
}
