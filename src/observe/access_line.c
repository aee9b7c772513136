#include "observe/access_line.h"

#include "base/assert.h"
#include "exchange/endpoint.h"

#define LONG_TEXTS (OBSERVE_LOG_PATH_MAX + OBSERVE_LOG_AGENT_MAX)
#define NAMES 9          /* texts of at most OBSERVE_LOG_NAME_MAX bytes */
#define ESCAPED 6        /* a byte becomes \u0000 at most */
#define FIXED_PARTS 1024 /* names of members, numbers, ids, words of ours */

_Static_assert(ESCAPED *(LONG_TEXTS + NAMES * OBSERVE_LOG_NAME_MAX) + FIXED_PARTS <= OBSERVE_LOG_LINE_MAX,
               "a line fits");

/* `member`: what comes before the value, comma and colon included. */
static void add_name(struct text *text, struct bytes member, struct bytes value)
{
    text_add(text, member);
    text_add_json(text, bytes_slice(value, 0, OBSERVE_LOG_NAME_MAX));
}

static void add_number(struct text *text, struct bytes member, uint64_t value)
{
    text_add(text, member);
    text_add_u64(text, value);
}

/* Milliseconds with three decimals. */
static void add_ms(struct text *text, struct bytes member, int64_t ns)
{
    uint64_t us = (uint64_t)MAX(ns, 0) / (uint64_t)NS_PER_US;
    unsigned rest = (unsigned)(us % 1000);
    char decimals[4] = { '.', (char)('0' + rest / 100), (char)('0' + rest / 10 % 10), (char)('0' + rest % 10) };

    add_number(text, member, us / 1000);
    text_add(text, bytes_of(decimals, sizeof(decimals)));
}

static void add_ids(struct text *text, const struct exchange *x)
{
    text_add(text, BYTES(",\"trace_id\":\""));
    if (x->trace.id_high | x->trace.id_low) {
        text_add_hex(text, x->trace.id_high, 16);
        text_add_hex(text, x->trace.id_low, 16);
    }
    text_add(text, BYTES("\",\"span_id\":\""));
    if (x->trace.span)
        text_add_hex(text, x->trace.span, 16);
    text_add_char(text, '"');
    add_name(text, BYTES(",\"request_id\":"), x->request_id);
}

/* Path and query are two slices and become one string: the quotes between them go. */
static void add_path(struct text *text, const struct http_head *request)
{
    struct bytes path = bytes_slice(request->path, 0, OBSERVE_LOG_PATH_MAX);
    size_t middle;

    text_add(text, BYTES(",\"path\":"));
    text_add_json(text, path);
    if (!request->query.data || path.len == OBSERVE_LOG_PATH_MAX)
        return;
    middle = --text->len;
    text_add_json(text, bytes_slice(request->query, 0, OBSERVE_LOG_PATH_MAX - path.len));
    text->data[middle] = '?';
}

static void add_request(struct text *text, const struct exchange *x)
{
    const struct http_head *request = &x->request;

    add_name(text, BYTES(",\"method\":"), request->method_text);
    add_name(text, BYTES(",\"authority\":"), request->authority);
    add_path(text, request);
    text_add(text, BYTES(",\"protocol\":\"HTTP/1."));
    text_add_char(text, (char)('0' + request->minor));
    add_name(text, BYTES("\",\"route\":"), x->route);
    add_name(text, BYTES(",\"service\":"), x->service);
    add_name(text, BYTES(",\"endpoint\":"), x->endpoint ? x->endpoint->name : BYTES_NONE);
}

static void add_result(struct text *text, const struct exchange *x, int64_t now_ns)
{
    const struct outcome_info *info = outcome_info(x->outcome);

    add_number(text, BYTES(",\"status\":"), x->response.status);
    text_add(text, BYTES(",\"outcome\":\""));
    text_add(text, info->name);
    text_add(text, BYTES("\",\"flags\":\""));
    text_add(text, info->mark);
    add_number(text, BYTES("\",\"bytes_received\":"), x->received_bytes);
    add_number(text, BYTES(",\"bytes_sent\":"), x->sent_bytes);
    add_ms(text, BYTES(",\"duration_ms\":"), now_ns - x->times.start_ns);
    if (x->times.sent_ns && x->times.head_ns >= x->times.sent_ns)
        add_ms(text, BYTES(",\"upstream_ms\":"), x->times.head_ns - x->times.sent_ns);
    else
        text_add(text, BYTES(",\"upstream_ms\":null"));
    add_number(text, BYTES(",\"attempts\":"), x->attempts);
}

void access_line_write(struct text *text, const struct exchange *x, int64_t now_ns, int64_t wall_ns)
{
    struct bytes agent = http_head_value(&x->request, HTTP_FIELD_USER_AGENT);

    text_add(text, BYTES("{\"time\":\""));
    text_add_time(text, wall_ns);
    text_add_char(text, '"');
    add_ids(text, x);
    add_request(text, x);
    add_result(text, x, now_ns);
    add_name(text, BYTES(",\"client\":"), x->client);
    text_add(text, BYTES(",\"user_agent\":"));
    text_add_json(text, bytes_slice(agent, 0, OBSERVE_LOG_AGENT_MAX));
    add_name(text, BYTES(",\"gateway\":"), x->gateway);
    text_add(text, BYTES("}\n"));
    ASSERT(!text->full);
}
