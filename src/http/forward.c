#include "http/forward.h"

#include "base/limits.h"
#include "http/date.h"

#define VIA_NAME "weft"

/* --- trace context and request id ------------------------------------------------------------------------------ */

static int hex_value(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1; /* W3C: lower case only */
}

static bool read_hex(struct bytes text, uint64_t *ret)
{
    uint64_t value = 0;

    for (size_t i = 0; i < text.len; i++) {
        int digit = hex_value(text.data[i]);

        if (digit < 0)
            return false;
        value = value << 4 | (uint64_t)digit;
    }
    *ret = value;
    return true;
}

/* W3C Trace Context, 3.2: 00-<32>-<16>-<2>. Higher versions are read as 00 if they go on with a dash; ff is invalid. */
static bool read_traceparent(struct bytes value, struct trace *trace)
{
    uint64_t version, high, low, parent, flags;

    if (value.len < 55 || value.data[2] != '-' || value.data[35] != '-' || value.data[52] != '-')
        return false;
    if (!read_hex(bytes_slice(value, 0, 2), &version) || version == 0xff || (version == 0 && value.len != 55) ||
        (value.len > 55 && value.data[55] != '-'))
        return false;
    if (!read_hex(bytes_slice(value, 3, 19), &high) || !read_hex(bytes_slice(value, 19, 35), &low) ||
        !read_hex(bytes_slice(value, 36, 52), &parent) || !read_hex(bytes_slice(value, 53, 55), &flags))
        return false;
    if ((high | low) == 0 || parent == 0)
        return false;
    *trace = (struct trace){ .id_high = high, .id_low = low, .parent = parent, .sampled = flags & 1 };
    return true;
}

/* Two of them are as good as none (W3C's own test suite). */
static const struct http_field *find_traceparent(const struct http_head *request)
{
    const struct http_field *found = NULL;

    if (!http_head_has(request, HTTP_FIELD_TRACEPARENT))
        return NULL;
    for (unsigned i = 0; i < request->field_count; i++) {
        if (request->fields[i].id != HTTP_FIELD_TRACEPARENT)
            continue;
        if (found)
            return NULL;
        found = &request->fields[i];
    }
    return found;
}

int http_trace_begin(struct exchange *x)
{
    struct prng *prng = &x->worker->prng;
    const struct http_field *field = find_traceparent(&x->request);
    struct text id;

    if (!field || !read_traceparent(field->value, &x->trace))
        x->trace = (struct trace){ .id_high = prng_next(prng), .id_low = prng_next(prng) | 1, .sampled = true };
    x->trace.span = prng_next(prng) | 1;
    x->request_id = http_head_value(&x->request, HTTP_FIELD_X_REQUEST_ID);
    if (x->request_id.len > 0 && x->request_id.len <= HTTP_REQUEST_ID_MAX)
        return 0;
    id = text_into(arena_alloc(&x->arena, 32), 32);
    if (!id.data)
        return -ENOMEM;
    text_add_hex(&id, prng_next(prng), 16);
    text_add_hex(&id, prng_next(prng), 16);
    x->request_id = text_bytes(&id);
    return 0;
}

/* --- fields that we set --------------------------------------------------------------------------------------------
 */

/* The old values of a list field, and one more at its end; the old fields go. */
static int append_to_list(struct exchange *x, struct http_head *head, enum http_field_id id, struct bytes value)
{
    size_t len = value.len;
    struct text text;

    if (!http_head_has(head, id))
        return http_head_add(head, id, value);
    for (unsigned i = 0; i < head->field_count; i++)
        if (head->fields[i].id == id)
            len += head->fields[i].value.len + 2;
    text = text_into(arena_alloc(&x->arena, len), len);
    if (!text.data) /* longer than a piece may be: another line of the field means the same (RFC 9110, 5.3) */
        return http_head_add(head, id, value);
    for (unsigned i = 0; i < head->field_count; i++)
        if (head->fields[i].id == id && head->fields[i].value.len > 0) {
            text_add(&text, head->fields[i].value);
            text_add(&text, BYTES(", "));
        }
    text_add(&text, value);
    http_head_remove(head, id);
    return http_head_add(head, id, text_bytes(&text));
}

static struct bytes via_token(unsigned minor)
{
    return minor == 0 ? BYTES("1.0 " VIA_NAME) : BYTES("1.1 " VIA_NAME);
}

static int set_field(struct http_head *head, enum http_field_id id, struct bytes value)
{
    if (http_head_has(head, id))
        http_head_remove(head, id);
    return http_head_add(head, id, value);
}

/* W3C Trace Context, 3.3.1.1; how long they may be is for the head's own bounds. */
static bool tracestate_fits(const struct http_head *head)
{
    unsigned members = 0;

    for (unsigned i = 0; i < head->field_count; i++) {
        struct bytes rest = head->fields[i].value, member;

        if (head->fields[i].id != HTTP_FIELD_TRACESTATE)
            continue;
        while (http_list_next(&rest, &member))
            members++;
    }
    return members <= HTTP_TRACESTATE_MEMBERS_MAX;
}

static int set_traceparent(struct exchange *x, struct http_head *head)
{
    struct text text;

    if (http_head_has(head, HTTP_FIELD_TRACESTATE) && (x->trace.parent == 0 || !tracestate_fits(head)))
        http_head_remove(head, HTTP_FIELD_TRACESTATE); /* parent 0: it is of a trace that we could not read (3.3) */
    if ((x->trace.id_high | x->trace.id_low) == 0)
        return 0;
    text = text_into(arena_alloc(&x->arena, 64), 64);
    if (!text.data)
        return -ENOMEM;
    text_add(&text, BYTES("00-"));
    text_add_hex(&text, x->trace.id_high, 16);
    text_add_hex(&text, x->trace.id_low, 16);
    text_add_char(&text, '-');
    text_add_hex(&text, x->trace.span, 16);
    text_add(&text, x->trace.sampled ? BYTES("-01") : BYTES("-00"));
    return set_field(head, HTTP_FIELD_TRACEPARENT, text_bytes(&text));
}

/* A copy of the fields with room for what is added. */
static int copy_head(struct exchange *x, const struct http_head *from, struct http_head *ret)
{
    *ret = *from;
    if (exchange_head_room(x, ret, from->field_count + HTTP_FIELDS_ADDED_MAX) < 0)
        return -ENOMEM;
    memcpy(ret->fields, from->fields, from->field_count * sizeof(*from->fields));
    ret->field_count = from->field_count;
    return 0;
}

/* Upgrade is for the next hop as well, where both sides ask for it: the tunnel goes all the way. Not to h2c: requests
 * within it would pass all stages by (RFC 9113, 3.1 has taken it out). */
static int strip(const struct http_head *from, struct http_head *head)
{
    http_head_strip_hop_by_hop(head);
    head->upgrade = from->upgrade && !http_head_lists(from, HTTP_FIELD_UPGRADE, BYTES("h2c"));
    return head->upgrade ? http_head_add(head, HTTP_FIELD_UPGRADE, http_head_value(from, HTTP_FIELD_UPGRADE)) : 0;
}

int http_forward_request(struct exchange *x, struct bytes host, bool direct, struct http_head *ret)
{
    int r = copy_head(x, &x->request, ret);

    if (r < 0)
        return r;
    r = strip(&x->request, ret);
    ret->minor = 1;
    ret->keep_alive = true;
    if (host.len > 0)
        ret->authority = host;
    if (r == 0 && !direct) {
        r = append_to_list(x, ret, HTTP_FIELD_VIA, via_token(x->request.minor));
        if (r == 0 && x->client.len > 0)
            r = append_to_list(x, ret, HTTP_FIELD_X_FORWARDED_FOR, x->client);
        if (r == 0 && x->scheme.len > 0)
            r = set_field(ret, HTTP_FIELD_X_FORWARDED_PROTO, x->scheme);
        if (r == 0 && !http_head_has(ret, HTTP_FIELD_X_FORWARDED_HOST) && x->request.authority.len > 0)
            r = http_head_add(ret, HTTP_FIELD_X_FORWARDED_HOST, x->request.authority);
    }
    if (r == 0 && x->request_id.len > 0)
        r = set_field(ret, HTTP_FIELD_X_REQUEST_ID, x->request_id);
    return r < 0 ? r : set_traceparent(x, ret);
}

int http_forward_response(struct exchange *x, struct http_head *ret)
{
    bool ours = x->endpoint == NULL; /* our own answer: nothing was passed on */
    int r = copy_head(x, &x->response, ret);

    if (r < 0)
        return r;
    r = strip(&x->response, ret);
    if (r == 0 && !ours)
        r = append_to_list(x, ret, HTTP_FIELD_VIA, via_token(x->response.minor));
    if (r == 0 && !http_head_has(ret, HTTP_FIELD_DATE))
        r = http_date_add(x, ret);
    if (r == 0 && !http_head_has(ret, HTTP_FIELD_X_REQUEST_ID))
        r = http_head_add(ret, HTTP_FIELD_X_REQUEST_ID, x->request_id);
    return r;
}

bool http_via_loops(const struct http_head *request)
{
    unsigned seen = 0;

    if (!http_head_has(request, HTTP_FIELD_VIA))
        return false;
    for (unsigned i = 0; i < request->field_count; i++) {
        struct bytes rest = request->fields[i].value, element;

        if (request->fields[i].id != HTTP_FIELD_VIA)
            continue;
        while (http_list_next(&rest, &element))
            seen += bytes_ends(element, BYTES(" " VIA_NAME));
    }
    return seen > HTTP_VIA_HOPS_MAX;
}
