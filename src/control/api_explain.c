/* GET /v1/explain: see control/explain.h. */
#include "control/api_list.h"
#include "control/explain.h"
#include "control/query.h"
#include "control/tables.h"
#include "http/problem.h"

static int refuse(struct exchange *x, struct bytes detail)
{
    return http_problem_of(x, 400, BYTES("urn:weft:control:parameter"), detail);
}

/* 1: taken; 0: the answer is a problem. */
static int take(struct exchange *x, struct bytes name, struct bytes value, struct explain_request *request,
                struct bytes *fields)
{
    struct bytes detail;
    int r;

    if (bytes_equal(name, BYTES("method"))) {
        request->method = value;
    } else if (bytes_equal(name, BYTES("url"))) {
        request->url = value;
    } else if (bytes_equal(name, BYTES("gateway"))) {
        request->gateway = value;
    } else if (bytes_equal(name, BYTES("header"))) {
        if (request->field_count == HTTP_FIELDS_MAX)
            return refuse(x, BYTES("a request has at most " TEXT_OF(HTTP_FIELDS_MAX) " headers"));
        fields[request->field_count++] = value;
    } else {
        r = arena_format(&x->arena, &detail,
                         "a parameter must be method, url, gateway or header (is \"" BYTES_FMT "\")",
                         BYTES_ARG(bytes_slice(name, 0, CONF_NAME_MAX)));
        return r < 0 ? r : refuse(x, detail);
    }
    return 1;
}

static int read_query(struct exchange *x, struct explain_request *request, struct bytes *fields)
{
    struct query query = query_of(x->request.query, &x->arena);
    struct bytes name, value;
    int r;

    while ((r = query_next(&query, &name, &value)) > 0) {
        r = take(x, name, value, request, fields);
        if (r <= 0)
            return r;
    }
    if (r == -EINVAL)
        return refuse(x, BYTES("the query is malformed: two hexadecimal digits come behind a %"));
    if (r == 0 && request->url.len == 0)
        return refuse(x, BYTES("url must be given: /v1/explain?url=http://host/path, and method, gateway and header "
                               "as wanted"));
    return r < 0 ? r : 1;
}

int api_explain(const struct control_api_conf *conf, struct exchange *x)
{
    struct bytes fields[HTTP_FIELDS_MAX], why = BYTES_NONE;
    struct explain_request request = { .fields = fields };
    struct control_status status = { 0 };
    struct answer answer = { 0 };
    int r = read_query(x, &request, fields);

    if (r <= 0)
        return r;
    conf->host->status(conf->host, &status);
    if (!status.snapshot)
        return http_problem_of(x, 503, BYTES("urn:weft:control:starting"),
                               BYTES("no configuration has been taken by every worker yet"));
    r = explain(&(struct explain_world){ status.snapshot, conf->registry }, &request, x, &answer, &why);
    if (r == 0)
        return answer_send(&answer, x, 200, BYTES("application/json"));
    answer_drop(&answer);
    return r == -EINVAL ? refuse(x, why) : r;
}
