#include "stage/template.h"

#include "base/text.h"
#include "stage/request.h"

#define TRACE_ID_LEN 32
#define SHOWN_MAX 64  /* bytes of a wrong name in a fault */
#define ESCAPED_MAX 6 /* \u0000 */

enum template_kind {
    TEMPLATE_LITERAL,
    TEMPLATE_CLIENT_ADDRESS,
    TEMPLATE_METHOD,
    TEMPLATE_PATH,
    TEMPLATE_QUERY,
    TEMPLATE_HOST,
    TEMPLATE_SCHEME,
    TEMPLATE_REQUEST_ID,
    TEMPLATE_ROUTE,
    TEMPLATE_SERVICE,
    TEMPLATE_GATEWAY,
    TEMPLATE_CALLER,
    TEMPLATE_TRACE_ID,
    TEMPLATE_HEADER, /* from here on with a NAME of the user's */
    TEMPLATE_COOKIE,
    TEMPLATE_QUERY_VALUE,
    TEMPLATE_PARAMETER,
};

struct template_name {
    struct bytes text; /* ends with a dot where a NAME follows */
    enum template_kind kind;
};

static const struct template_name NAMES[] = {
    { BYTES("client.address"), TEMPLATE_CLIENT_ADDRESS },
    { BYTES("request.method"), TEMPLATE_METHOD },
    { BYTES("request.path"), TEMPLATE_PATH },
    { BYTES("request.query"), TEMPLATE_QUERY },
    { BYTES("request.host"), TEMPLATE_HOST },
    { BYTES("request.scheme"), TEMPLATE_SCHEME },
    { BYTES("request.id"), TEMPLATE_REQUEST_ID },
    { BYTES("route"), TEMPLATE_ROUTE },
    { BYTES("service"), TEMPLATE_SERVICE },
    { BYTES("gateway"), TEMPLATE_GATEWAY },
    { BYTES("caller"), TEMPLATE_CALLER },
    { BYTES("trace.id"), TEMPLATE_TRACE_ID },
    { BYTES("header."), TEMPLATE_HEADER },
    { BYTES("cookie."), TEMPLATE_COOKIE },
    { BYTES("query."), TEMPLATE_QUERY_VALUE },
    { BYTES("path."), TEMPLATE_PARAMETER },
};

struct template_part {
    enum template_kind kind;
    struct bytes text; /* of a literal; the user's NAME */
};

struct template
{
    unsigned count;
    struct template_part parts[];
};

struct parse {
    struct fault *fault;
    unsigned count;
    struct template_part parts[TEMPLATE_PARTS_MAX];
};

/* --- parsing -------------------------------------------------------------------------------------------- */

static bool takes_name(const struct template_name *name)
{
    return name->kind >= TEMPLATE_HEADER;
}

/* The nearest name that there is. Of "heder.x-user" only "heder." is compared with "header.". */
static void suggest(struct bytes wrong, struct fault *fault)
{
    ssize_t dot = bytes_find_char(wrong, '.');
    struct bytes family = bytes_slice(wrong, 0, dot < 0 ? wrong.len : (size_t)dot + 1);
    struct bytes rest = bytes_skip(wrong, family.len);
    const struct template_name *best = NULL;
    unsigned limit = family.len < 4 ? 1 : family.len < 8 ? 2 : 3;

    for (size_t i = 0; i < ARRAY_LEN(NAMES); i++) {
        struct bytes compared = takes_name(&NAMES[i]) ? family : wrong;
        unsigned distance = bytes_distance(compared, NAMES[i].text, limit);

        if (distance > limit || distance >= NAMES[i].text.len || (takes_name(&NAMES[i]) && rest.len == 0))
            continue;
        best = &NAMES[i];
        limit = distance > 0 ? distance - 1 : 0;
    }
    if (best)
        fault_hint(fault, "did you mean {" BYTES_FMT BYTES_FMT "}?", BYTES_ARG(best->text),
                   BYTES_ARG(takes_name(best) ? bytes_slice(rest, 0, SHOWN_MAX) : BYTES_NONE));
    else
        fault_hint(fault, "known: client.address, request.method .path .query .host .scheme .id, header.NAME, "
                          "cookie.NAME, query.NAME, path.NAME, route, service, gateway, caller, trace.id");
}

static int refuse_name(struct bytes name, struct fault *fault)
{
    for (size_t i = 0; i < ARRAY_LEN(NAMES); i++)
        if (takes_name(&NAMES[i]) && bytes_equal(name, NAMES[i].text)) {
            fault_set(fault, "has {" BYTES_FMT "} without a name behind the dot", BYTES_ARG(name));
            return -EINVAL;
        }
    fault_set(fault, "has {" BYTES_FMT "}, which is not known", BYTES_ARG(bytes_slice(name, 0, SHOWN_MAX)));
    suggest(name, fault);
    return -EINVAL;
}

static int add_part(struct parse *parse, enum template_kind kind, struct bytes text)
{
    if (kind == TEMPLATE_LITERAL && text.len == 0)
        return 0;
    if (parse->count == TEMPLATE_PARTS_MAX) {
        fault_set(parse->fault, "has more than %d parts", TEMPLATE_PARTS_MAX);
        return -ENOSPC;
    }
    parse->parts[parse->count++] = (struct template_part){ kind, text };
    return 0;
}

static int add_name(struct parse *parse, struct bytes text)
{
    for (size_t i = 0; i < ARRAY_LEN(NAMES); i++) {
        const struct template_name *name = &NAMES[i];

        if (!takes_name(name) && bytes_equal(text, name->text))
            return add_part(parse, name->kind, BYTES_NONE);
        if (!takes_name(name) || text.len <= name->text.len || !bytes_starts(text, name->text))
            continue;
        text = bytes_skip(text, name->text.len);
        if (name->kind == TEMPLATE_HEADER && !http_is_token(text)) {
            fault_set(parse->fault, "has {header." BYTES_FMT "}, which is no field name",
                      BYTES_ARG(bytes_slice(text, 0, SHOWN_MAX)));
            return -EINVAL;
        }
        return add_part(parse, name->kind, text);
    }
    return refuse_name(text, parse->fault);
}

static int refuse_brace(struct fault *fault, char c)
{
    fault_set(fault, "has a \"%c\" without its \"%c\"", c, c == '}' ? '{' : '}');
    fault_hint(fault, "write %c%c for the character itself", c, c);
    return -EINVAL;
}

/* Of two braces that stand for one, the first ends the literal before, so that nothing needs to be copied. */
static int parse_parts(struct parse *parse, struct bytes text)
{
    size_t from = 0, at = 0;
    int r = 0;

    while (r == 0 && at < text.len) {
        char c = text.data[at];
        ssize_t end;

        if (c != '{' && c != '}') {
            at++;
            continue;
        }
        if (at + 1 < text.len && text.data[at + 1] == c) {
            r = add_part(parse, TEMPLATE_LITERAL, bytes_slice(text, from, at + 1));
            from = at += 2;
            continue;
        }
        end = bytes_find_char(bytes_skip(text, at), '}');
        if (c == '}' || end < 0)
            return refuse_brace(parse->fault, c);
        r = add_part(parse, TEMPLATE_LITERAL, bytes_slice(text, from, at));
        if (r == 0)
            r = add_name(parse, bytes_slice(text, at + 1, at + (size_t)end));
        from = at += (size_t)end + 1;
    }
    return r < 0 ? r : add_part(parse, TEMPLATE_LITERAL, bytes_skip(text, from));
}

int template_check(struct bytes text, struct fault *fault)
{
    struct parse parse = { .fault = fault };

    return parse_parts(&parse, text) < 0 ? -EINVAL : 0;
}

int template_parse(struct bytes text, struct arena *arena, struct fault *fault, const struct template **ret)
{
    struct parse parse = { .fault = fault };
    struct template *template;
    int r = parse_parts(&parse, text);

    if (r < 0)
        return r;
    template = arena_alloc(arena, sizeof(*template) + parse.count * sizeof(parse.parts[0]));
    if (!template)
        return -ENOMEM;
    template->count = parse.count;
    memcpy(template->parts, parse.parts, parse.count * sizeof(parse.parts[0]));
    *ret = template;
    return 0;
}

void template_parameters(const struct template *template, void (*take)(void *user, struct bytes name), void *user)
{
    for (unsigned i = 0; i < template->count; i++)
        if (template->parts[i].kind == TEMPLATE_PARAMETER)
            take(user, template->parts[i].text);
}

/* --- expanding ------------------------------------------------------------------------------------------ */

static struct bytes parameter_of(const struct exchange *x, struct bytes name)
{
    for (unsigned i = 0; i < x->parameter_count; i++)
        if (bytes_equal(x->parameters[i].name, name))
            return x->parameters[i].value;
    return BYTES_NONE;
}

static struct bytes write_trace_id(const struct exchange *x, char *memory)
{
    struct text text = text_into(memory, TRACE_ID_LEN);

    if (!x->trace.id_high && !x->trace.id_low)
        return BYTES_NONE;
    text_add_hex(&text, x->trace.id_high, 16);
    text_add_hex(&text, x->trace.id_low, 16);
    return text_bytes(&text);
}

static struct bytes value_of(const struct template_part *part, const struct exchange *x, char *trace_id)
{
    switch (part->kind) {
    case TEMPLATE_LITERAL: return part->text;
    case TEMPLATE_CLIENT_ADDRESS: return x->client;
    case TEMPLATE_METHOD: return x->request.method_text;
    case TEMPLATE_PATH: return x->request.path;
    case TEMPLATE_QUERY: return x->request.query;
    case TEMPLATE_HOST: return request_host(x->request.authority);
    case TEMPLATE_SCHEME: return x->scheme;
    case TEMPLATE_REQUEST_ID: return x->request_id;
    case TEMPLATE_ROUTE: return x->route;
    case TEMPLATE_SERVICE: return x->service;
    case TEMPLATE_GATEWAY: return x->gateway;
    case TEMPLATE_CALLER: return x->caller;
    case TEMPLATE_TRACE_ID: return write_trace_id(x, trace_id);
    case TEMPLATE_HEADER: return request_header(&x->request, part->text);
    case TEMPLATE_COOKIE: return request_cookie(&x->request, part->text);
    case TEMPLATE_QUERY_VALUE: return request_query(x->request.query, part->text);
    case TEMPLATE_PARAMETER: return parameter_of(x, part->text);
    }
    return BYTES_NONE;
}

int template_expand(const struct template *template, struct exchange *x, struct bytes *ret)
{
    struct bytes values[TEMPLATE_PARTS_MAX];
    char trace_id[TRACE_ID_LEN], *copy;
    size_t len = 0, at = 0;

    for (unsigned i = 0; i < template->count; i++) {
        values[i] = value_of(&template->parts[i], x, trace_id);
        len += values[i].len;
    }
    if (len > TEMPLATE_TEXT_MAX)
        return -ENOSPC;
    if (template->count == 1 && template->parts[0].kind != TEMPLATE_TRACE_ID) {
        *ret = values[0];
        return 0;
    }
    if (len == 0) {
        *ret = BYTES_NONE;
        return 0;
    }
    copy = arena_alloc(&x->arena, len);
    if (!copy)
        return -ENOMEM;
    for (unsigned i = 0; i < template->count; i++) {
        if (values[i].len)
            memcpy(copy + at, values[i].data, values[i].len);
        at += values[i].len;
    }
    *ret = bytes_of(copy, len);
    return 0;
}

static void add_html(struct text *text, struct bytes value)
{
    for (size_t i = 0; i < value.len; i++) {
        switch (value.data[i]) {
        case '&': text_add(text, BYTES("&amp;")); break;
        case '<': text_add(text, BYTES("&lt;")); break;
        case '>': text_add(text, BYTES("&gt;")); break;
        case '"': text_add(text, BYTES("&#34;")); break;
        case '\'': text_add(text, BYTES("&#39;")); break;
        default: text_add_char(text, value.data[i]);
        }
    }
}

/* The quotes that come with it are taken out again. */
static void add_json(struct text *text, struct bytes value)
{
    size_t from = text->len;

    text_add_json(text, value);
    if (text->full)
        return;
    text->len -= 2;
    memmove(text->data + from, text->data + from + 1, text->len - from);
}

/* Of the client's own query a part is a part. */
static void add_url(struct text *text, enum template_kind kind, struct bytes value)
{
    if (kind == TEMPLATE_QUERY || kind == TEMPLATE_QUERY_VALUE) {
        text_add(text, value);
        return;
    }
    for (size_t i = 0; i < value.len; i++) {
        switch (value.data[i]) {
        case '&': text_add(text, BYTES("%26")); break;
        case ';': text_add(text, BYTES("%3B")); break;
        case '=': text_add(text, BYTES("%3D")); break;
        case '+': text_add(text, BYTES("%2B")); break;
        default: text_add_char(text, value.data[i]);
        }
    }
}

int template_expand_as(const struct template *template, enum template_escape escape, struct exchange *x,
                       struct bytes *ret)
{
    char trace_id[TRACE_ID_LEN];
    struct text text;
    size_t room = 2; /* quotes come and go */

    if (escape == TEMPLATE_PLAIN)
        return template_expand(template, x, ret);
    for (unsigned i = 0; i < template->count; i++)
        room += value_of(&template->parts[i], x, trace_id).len * ESCAPED_MAX;
    room = MIN(room, (size_t)TEMPLATE_TEXT_MAX + 2);
    text = text_into(arena_alloc(&x->arena, room), room);
    if (!text.data)
        return -ENOMEM;
    for (unsigned i = 0; i < template->count; i++) {
        const struct template_part *part = &template->parts[i];
        struct bytes value = value_of(part, x, trace_id);

        if (part->kind == TEMPLATE_LITERAL)
            text_add(&text, value);
        else if (escape == TEMPLATE_HTML)
            add_html(&text, value);
        else if (escape == TEMPLATE_URL)
            add_url(&text, part->kind, value);
        else
            add_json(&text, value);
    }
    if (text.full || text.len > TEMPLATE_TEXT_MAX)
        return -ENOSPC;
    *ret = text_bytes(&text);
    return 0;
}
