#include "observe/access_line.h"

#include "base/assert.h"
#include "exchange/endpoint.h"

#define LONG_TEXTS (OBSERVE_LOG_PATH_MAX + OBSERVE_LOG_AGENT_MAX)
#define NAMES 10         /* texts of at most OBSERVE_LOG_NAME_MAX bytes */
#define ESCAPED 6        /* a byte becomes \u0000 at most */
#define FIXED_PARTS 1024 /* names of members, numbers, ids, words of ours */

_Static_assert(ESCAPED *(LONG_TEXTS + NAMES * OBSERVE_LOG_NAME_MAX) + FIXED_PARTS <= OBSERVE_LOG_LINE_MAX,
               "a line fits");

/* What is known to fit goes without a check; a literal becomes a few stores. */
static inline __attribute__((always_inline)) void add_fixed(struct text *text, struct bytes part)
{
    memcpy(text->data + text->len, part.data, part.len);
    text->len += part.len;
}

/* Whether each of eight bytes stands for itself in a JSON string: 0x20 to 0x7f but quote and backslash. The first sum
 * reaches bit 7 of bytes from 0x20 on; the others fall below it for the very byte alone. No sum leaves its byte. */
static inline bool plain8(uint64_t word)
{
    const uint64_t ones = UINT64_C(0x0101010101010101), high = ones * 0x80;
    uint64_t low = word & ~high;
    uint64_t printable = low + ones * 0x60;
    uint64_t no_quote = (low ^ ones * '"') + ones * 0x7f;
    uint64_t no_backslash = (low ^ ones * '\\') + ones * 0x7f;

    return (printable & no_quote & no_backslash & ~word & high) == high;
}

static bool is_plain(struct bytes value)
{
    size_t at = 0;
    uint64_t word;

    for (; value.len - at >= sizeof(word); at += sizeof(word)) {
        memcpy(&word, value.data + at, sizeof(word));
        if (!plain8(word))
            return false;
    }
    word = UINT64_C(0x2020202020202020);
    memcpy(&word, value.data + at, value.len - at);
    return plain8(word);
}

/* Most texts are plain; text_add_json() does the others byte by byte. */
static void add_json(struct text *text, struct bytes value)
{
    if (value.len == 0) {
        add_fixed(text, BYTES("\"\""));
        return;
    }
    if (!is_plain(value)) {
        text_add_json(text, value);
        return;
    }
    text->data[text->len++] = '"';
    add_fixed(text, value);
    text->data[text->len++] = '"';
}

/* `member`: what comes before the value, comma and colon included. */
static inline __attribute__((always_inline)) void add_name(struct text *text, struct bytes member, struct bytes value)
{
    add_fixed(text, member);
    add_json(text, bytes_of(value.data, MIN(value.len, (size_t)OBSERVE_LOG_NAME_MAX)));
}

static inline __attribute__((always_inline)) void add_number(struct text *text, struct bytes member, uint64_t value)
{
    add_fixed(text, member);
    text_add_u64(text, value);
}

/* Milliseconds with three decimals. */
static inline __attribute__((always_inline)) void add_ms(struct text *text, struct bytes member, int64_t ns)
{
    uint64_t us = (uint64_t)MAX(ns, 0) / (uint64_t)NS_PER_US;
    unsigned rest = (unsigned)(us % 1000);
    char decimals[4] = { '.', (char)('0' + rest / 100), (char)('0' + rest / 10 % 10), (char)('0' + rest % 10) };

    add_number(text, member, us / 1000);
    add_fixed(text, bytes_of(decimals, sizeof(decimals)));
}

static void add_ids(struct text *text, const struct exchange *x)
{
    add_fixed(text, BYTES(",\"trace_id\":\""));
    if (x->trace.id_high | x->trace.id_low) {
        text_add_hex(text, x->trace.id_high, 16);
        text_add_hex(text, x->trace.id_low, 16);
    }
    add_fixed(text, BYTES("\",\"span_id\":\""));
    if (x->trace.span)
        text_add_hex(text, x->trace.span, 16);
    add_fixed(text, BYTES("\",\"parent_id\":\""));
    if (x->trace.parent)
        text_add_hex(text, x->trace.parent, 16);
    text_add_char(text, '"');
    add_name(text, BYTES(",\"request_id\":"), x->request_id);
}

/* Path and query are two slices and become one string: the quotes between them go. */
static void add_path(struct text *text, const struct http_head *request)
{
    struct bytes path = bytes_slice(request->path, 0, OBSERVE_LOG_PATH_MAX);
    size_t middle;

    add_fixed(text, BYTES(",\"path\":"));
    add_json(text, path);
    if (!request->query.data || path.len == OBSERVE_LOG_PATH_MAX)
        return;
    middle = --text->len;
    add_json(text, bytes_slice(request->query, 0, OBSERVE_LOG_PATH_MAX - path.len));
    text->data[middle] = '?';
}

static void add_request(struct text *text, const struct exchange *x)
{
    const struct http_head *request = &x->request;

    add_name(text, BYTES(",\"method\":"), request->method_text);
    add_name(text, BYTES(",\"authority\":"), request->authority);
    add_path(text, request);
    add_fixed(text, BYTES(",\"protocol\":\"HTTP/1."));
    text_add_char(text, (char)('0' + request->minor));
    add_name(text, BYTES("\",\"route\":"), x->route);
    add_name(text, BYTES(",\"service\":"), x->service);
    add_name(text, BYTES(",\"endpoint\":"), x->endpoint ? x->endpoint->name : BYTES_NONE);
}

static void add_result(struct text *text, const struct exchange *x, int64_t now_ns)
{
    const struct outcome_info *info = outcome_info(x->outcome);

    add_number(text, BYTES(",\"status\":"), x->response.status);
    add_fixed(text, BYTES(",\"outcome\":\""));
    add_fixed(text, info->name);
    add_fixed(text, BYTES("\",\"flags\":\""));
    add_fixed(text, info->mark);
    add_number(text, BYTES("\",\"bytes_received\":"), x->received_bytes);
    add_number(text, BYTES(",\"bytes_sent\":"), x->sent_bytes);
    add_ms(text, BYTES(",\"duration_ms\":"), now_ns - x->times.start_ns);
    if (x->times.sent_ns && x->times.head_ns >= x->times.sent_ns)
        add_ms(text, BYTES(",\"upstream_ms\":"), x->times.head_ns - x->times.sent_ns);
    else
        add_fixed(text, BYTES(",\"upstream_ms\":null"));
    add_number(text, BYTES(",\"attempts\":"), x->attempts);
}

void access_line_write(struct text *text, const struct exchange *x, int64_t now_ns, int64_t wall_ns)
{
    struct bytes agent = http_head_value(&x->request, HTTP_FIELD_USER_AGENT);

    ASSERT(text->max - text->len >= OBSERVE_LOG_LINE_MAX);
    add_fixed(text, BYTES("{\"time\":\""));
    text_add_time(text, wall_ns);
    text_add_char(text, '"');
    add_ids(text, x);
    add_request(text, x);
    add_result(text, x, now_ns);
    add_name(text, BYTES(",\"client\":"), x->client);
    add_fixed(text, BYTES(",\"user_agent\":"));
    add_json(text, bytes_slice(agent, 0, OBSERVE_LOG_AGENT_MAX));
    add_name(text, BYTES(",\"gateway\":"), x->gateway);
    add_name(text, BYTES(",\"caller\":"), x->caller);
    add_fixed(text, BYTES("}\n"));
}
