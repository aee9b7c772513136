/* Recent exchanges and traces, from observe/traffic.h. */
#include "control/api_traffic.h"

#include "control/query.h"
#include "control/tables.h"
#include "http/problem.h"
#include "io/loop.h"
#include "observe/traffic.h"

#include <stdlib.h>

#define TRACES_PATH "/v1/traces/"
#define TRACE_ID_LEN 32
#define EXCHANGE_TEXT_MAX (64 * KIB) /* of one in JSON: TRAFFIC_TEXTS_MAX bytes of six, and names of members */

_Static_assert(6 * TRAFFIC_TEXTS_MAX + EXCHANGE_STEPS_MAX * 512 + 2048 <= EXCHANGE_TEXT_MAX, "one fits");

/* --- one exchange ------------------------------------------------------------------------------------------------- */

void api_time(struct answer *answer, const char *key, struct exchange *x, int64_t loop_ns)
{
    struct io *io = x->worker->loop->io;
    char memory[40];
    struct text text = text_into(memory, sizeof(memory));

    text_add_time(&text, io->ops->wall_ns(io) - (loop_clock(x->worker->loop) - loop_ns));
    answer_string(answer, key, text_bytes(&text));
}

/* Milliseconds with three decimals. */
static void add_ms(struct answer *answer, const char *key, int64_t ns)
{
    uint64_t us = (uint64_t)MAX(ns, INT64_C(0)) / (uint64_t)NS_PER_US;

    answer_member(answer, key);
    answer_format(answer, "%llu.%03u", (unsigned long long)(us / 1000), (unsigned)(us % 1000));
}

static void add_id(struct answer *answer, const char *key, uint64_t id)
{
    answer_member(answer, key);
    if (id)
        answer_format(answer, "\"%016llx\"", (unsigned long long)id);
    else
        answer_text(answer, "\"\"");
}

static void add_trace_id(struct answer *answer, const char *key, uint64_t high, uint64_t low)
{
    answer_member(answer, key);
    answer_format(answer, "\"%016llx%016llx\"", (unsigned long long)high, (unsigned long long)low);
}

static void add_step(struct answer *answer, const struct traffic_step *step)
{
    answer_text(answer, "{");
    answer_string(answer, "stage", step->stage);
    answer_string(answer, "path", step->path);
    answer_number(answer, "depth", step->depth);
    add_ms(answer, "start_ms", step->start_ns);
    add_ms(answer, "duration_ms", step->duration_ns);
    answer_string(answer, "outcome", outcome_info(step->outcome)->name);
    answer_number(answer, "status", step->status);
    answer_string(answer, "detail", step->detail);
    answer_text(answer, "}");
}

static void add_steps(struct answer *answer, const struct traffic_exchange *item)
{
    answer_member(answer, "steps");
    answer_text(answer, "[");
    for (unsigned i = 0; i < item->step_count; i++) {
        struct traffic_step step;

        answer_text(answer, i ? "," : "");
        traffic_step_at(item, i, &step);
        add_step(answer, &step);
    }
    answer_text(answer, "]");
    answer_number(answer, "steps_dropped", item->steps_dropped);
}

static void add_request(struct answer *answer, const struct traffic_exchange *item)
{
    answer_string(answer, "request_id", item->request_id);
    answer_string(answer, "gateway", item->gateway);
    answer_string(answer, "caller", item->caller);
    answer_string(answer, "client", item->client);
    answer_string(answer, "method", item->method);
    answer_string(answer, "authority", item->authority);
    answer_string(answer, "path", item->path);
    answer_string(answer, "protocol", item->minor ? BYTES("HTTP/1.1") : BYTES("HTTP/1.0"));
    answer_string(answer, "route", item->route);
    answer_string(answer, "service", item->service);
    answer_string(answer, "endpoint", item->endpoint);
}

static void add_result(struct answer *answer, const struct traffic_exchange *item)
{
    const struct outcome_info *info = outcome_info(item->outcome);

    answer_number(answer, "status", item->status);
    answer_string(answer, "outcome", info->name);
    answer_string(answer, "mark", info->mark);
    answer_string(answer, "reason", info->text);
    add_ms(answer, "duration_ms", item->end_ns - item->start_ns);
    answer_number(answer, "bytes_received", item->received_bytes);
    answer_number(answer, "bytes_sent", item->sent_bytes);
    answer_number(answer, "attempts", item->attempts);
    answer_number(answer, "worker", item->worker);
}

/* origin_ns: what offset_ms counts from; TIME_NEVER: it is left out. */
static void add_exchange(struct answer *answer, struct exchange *x, const struct traffic_exchange *item,
                         int64_t origin_ns)
{
    answer_text(answer, "{");
    api_time(answer, "time", x, item->end_ns);
    if (origin_ns != TIME_NEVER)
        add_ms(answer, "offset_ms", item->start_ns - origin_ns);
    add_trace_id(answer, "trace_id", item->trace.id_high, item->trace.id_low);
    add_id(answer, "span_id", item->trace.span);
    add_id(answer, "parent_id", item->trace.parent);
    add_request(answer, item);
    add_result(answer, item);
    add_steps(answer, item);
    answer_text(answer, "}");
}

/* As many as the answer has room for; says so when there are more. */
static void add_exchanges(struct answer *answer, struct exchange *x, const struct traffic_list *list, int64_t origin_ns)
{
    size_t i;

    answer_member(answer, "exchanges");
    answer_text(answer, "[");
    for (i = 0; i < list->count && answer->len <= CONTROL_ANSWER_MAX - 2 * EXCHANGE_TEXT_MAX; i++) {
        answer_text(answer, i ? "," : "");
        add_exchange(answer, x, list->items[i], origin_ns);
    }
    answer_text(answer, "]");
    if (i < list->count)
        answer_bool(answer, "truncated", true);
}

/* --- what is asked for -------------------------------------------------------------------------------------------- */

struct wanted {
    struct traffic_filter filter;
    size_t limit;
};

/* Why a parameter was refused; empty: it was not. */
static const char *read_limit(struct bytes value, struct wanted *wanted)
{
    uint64_t limit;

    if (bytes_to_u64(value, &limit) < 0 || limit < 1 || limit > CONTROL_TRAFFIC_MAX)
        return "limit must be a number from 1 to " TEXT_OF(CONTROL_TRAFFIC_MAX);
    wanted->limit = (size_t)limit;
    return "";
}

static const char *read_errors(struct bytes value, struct wanted *wanted)
{
    if (!bytes_equal(value, BYTES("true")) && !bytes_equal(value, BYTES("false")))
        return "errors must be true or false";
    wanted->filter.errors = bytes_equal(value, BYTES("true"));
    return "";
}

/* "250", "0.5" */
static const char *read_slower(struct bytes value, struct wanted *wanted)
{
    static const char REFUSED[] = "slower_ms must be milliseconds, such as 250 or 0.5, at most an hour (3600000)";
    struct bytes whole, fraction = BYTES("0");
    uint64_t ms, part = 0;
    int64_t digit_ns = NS_PER_MS;

    if (!bytes_split(&value, '.', &whole) || bytes_to_u64(whole, &ms) < 0 || ms > 3600000)
        return REFUSED;
    if (value.data)
        fraction = value;
    if (fraction.len > 6 || bytes_to_u64(fraction, &part) < 0)
        return REFUSED;
    for (size_t i = 0; i < fraction.len; i++)
        digit_ns /= 10;
    wanted->filter.slower_ns = (int64_t)ms * NS_PER_MS + (int64_t)part * digit_ns;
    return "";
}

static bool read_hex(struct bytes text, uint64_t *ret)
{
    uint64_t value = 0;

    for (size_t i = 0; i < text.len; i++) {
        char c = ascii_lower(text.data[i]);
        int digit = c >= '0' && c <= '9' ? c - '0' : c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;

        if (digit < 0)
            return false;
        value = value << 4 | (uint64_t)digit;
    }
    *ret = value;
    return true;
}

static const char *read_trace(struct bytes value, struct wanted *wanted)
{
    struct traffic_filter *filter = &wanted->filter;

    if (value.len != TRACE_ID_LEN || !read_hex(bytes_slice(value, 0, TRACE_ID_LEN / 2), &filter->id_high) ||
        !read_hex(bytes_skip(value, TRACE_ID_LEN / 2), &filter->id_low) || (filter->id_high | filter->id_low) == 0)
        return "a trace's id is 32 hexadecimal digits, not all of them 0";
    return "";
}

static const char UNKNOWN[] = "a parameter must be limit, service, route, errors, slower_ms or trace";

static const char *read_parameter(struct bytes name, struct bytes value, struct wanted *wanted)
{
    if (bytes_equal(name, BYTES("limit")))
        return read_limit(value, wanted);
    if (bytes_equal(name, BYTES("errors")))
        return read_errors(value, wanted);
    if (bytes_equal(name, BYTES("slower_ms")))
        return read_slower(value, wanted);
    if (bytes_equal(name, BYTES("trace")))
        return read_trace(value, wanted);
    if (bytes_equal(name, BYTES("service")))
        wanted->filter.service = value;
    else if (bytes_equal(name, BYTES("route")))
        wanted->filter.route = value;
    else
        return UNKNOWN;
    return "";
}

static int refuse(struct exchange *x, struct bytes value, const char *why)
{
    struct bytes detail;
    int r = arena_format(&x->arena, &detail, "%s (is \"" BYTES_FMT "\")", why,
                         BYTES_ARG(bytes_slice(value, 0, TRAFFIC_NAME_MAX)));

    return r < 0 ? r : http_problem_of(x, 400, BYTES("urn:weft:control:parameter"), detail);
}

/* 1: all is well; 0: the answer is a problem. */
static int read_query(struct exchange *x, struct wanted *wanted)
{
    struct query query = query_of(x->request.query, &x->arena);
    struct bytes name, value;
    int r;

    while ((r = query_next(&query, &name, &value)) > 0) {
        const char *why = read_parameter(name, value, wanted);

        if (why[0])
            return refuse(x, why == UNKNOWN ? name : value, why);
    }
    if (r == -EINVAL)
        return http_problem_of(x, 400, BYTES("urn:weft:control:parameter"),
                               BYTES("the query is malformed: two hexadecimal digits come behind a %"));
    return r < 0 ? r : 1;
}

/* --- answers --------------------------------------------------------------------------------------------------------
 */

static bool is_recording(const struct control_api_conf *conf)
{
    struct control_status status = { 0 };

    conf->host->status(conf->host, &status);
    return conf->traffic && status.config && status.config->log.traffic;
}

static int read_list(const struct control_api_conf *conf, const struct wanted *wanted, struct traffic_list *list)
{
    *list = (struct traffic_list){ .count = 0 };
    return conf->traffic ? traffic_read(conf->traffic, &wanted->filter, wanted->limit, list) : 0;
}

int api_traffic(const struct control_api_conf *conf, struct exchange *x)
{
    struct wanted wanted = { .limit = CONTROL_TRAFFIC_USUAL };
    struct answer answer = { 0 };
    struct traffic_list list;
    int r = read_query(x, &wanted);

    if (r <= 0)
        return r;
    r = read_list(conf, &wanted, &list);
    if (r == 0) {
        answer_text(&answer, "{");
        answer_bool(&answer, "recording", is_recording(conf));
        add_exchanges(&answer, x, &list, TIME_NEVER);
        answer_text(&answer, "}\n");
        r = answer_send(&answer, x, 200, BYTES("application/json"));
    }
    traffic_list_done(&list);
    return r;
}

/* Who called stands before who was called, also when both began in the same turn. */
static int by_start(const void *a, const void *b)
{
    const struct traffic_exchange *left = *(struct traffic_exchange *const *)a;
    const struct traffic_exchange *right = *(struct traffic_exchange *const *)b;

    if (left->start_ns != right->start_ns)
        return left->start_ns < right->start_ns ? -1 : 1;
    return left->end_ns == right->end_ns ? 0 : left->end_ns > right->end_ns ? -1 : 1;
}

static int no_trace(const struct control_api_conf *conf, struct exchange *x)
{
    return http_problem_of(x, 404, BYTES("urn:weft:control:no-trace"),
                           is_recording(conf)
                               ? BYTES("no recent exchange is of this trace: it never came here, or newer ones have "
                                       "taken its place")
                               : BYTES("exchanges are not recorded: log.traffic is false"));
}

int api_trace(const struct control_api_conf *conf, struct exchange *x)
{
    struct bytes id = bytes_skip(x->request.path, sizeof(TRACES_PATH) - 1);
    struct wanted wanted = { .limit = CONTROL_TRAFFIC_MAX };
    const char *why = read_trace(id, &wanted);
    struct answer answer = { 0 };
    struct traffic_list list;
    int r;

    if (why[0])
        return refuse(x, id, why);
    r = read_list(conf, &wanted, &list);
    if (r == 0 && list.count == 0) {
        r = no_trace(conf, x);
    } else if (r == 0) {
        qsort(list.items, list.count, sizeof(struct traffic_exchange *), by_start);
        answer_text(&answer, "{");
        add_trace_id(&answer, "trace_id", wanted.filter.id_high, wanted.filter.id_low);
        add_exchanges(&answer, x, &list, list.items[0]->start_ns);
        answer_text(&answer, "}\n");
        r = answer_send(&answer, x, 200, BYTES("application/json"));
    }
    traffic_list_done(&list);
    return r;
}
