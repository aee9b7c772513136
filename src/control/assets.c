#include "control/assets.h"

/* See invariant (3). Styles set by scripts, one property at a time, are no inline styles. */
#define POLICY                                                                                             \
    "default-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'; object-src 'none'; " \
    "require-trusted-types-for 'script'; trusted-types 'none'"

const struct asset *assets_find(struct bytes path)
{
    for (size_t i = 0; i < CONTROL_ASSETS_COUNT; i++)
        if (bytes_equal(CONTROL_ASSETS[i].path, path))
            return &CONTROL_ASSETS[i];
    return NULL;
}

/* --- what the client wants ---------------------------------------------------------------------------------------- */

/* Whether parameters of an element say q=0: "this not" (RFC 9110, 12.4.2). */
static bool is_refused(struct bytes parameters)
{
    struct bytes part;

    while (bytes_split(&parameters, ';', &part)) {
        part = bytes_trim(part);
        if (part.len < 3 || ascii_lower(part.data[0]) != 'q' || part.data[1] != '=' || part.data[2] != '0')
            continue;
        for (size_t i = 3; i < part.len; i++)
            if (part.data[i] >= '1' && part.data[i] <= '9')
                return false;
        return true;
    }
    return false;
}

/* By name, or by "*" if the name does not occur. */
static bool accepts_gzip(const struct http_head *request)
{
    bool any = false;

    for (unsigned i = 0; i < request->field_count; i++) {
        struct bytes rest = request->fields[i].value, element, name;

        if (!bytes_equal_ci(request->fields[i].name, BYTES("Accept-Encoding")))
            continue;
        while (http_list_next(&rest, &element)) {
            (void)bytes_split(&element, ';', &name);
            name = bytes_trim(name);
            if (bytes_equal_ci(name, BYTES("gzip")))
                return !is_refused(element);
            if (bytes_equal(name, BYTES("*")))
                any = !is_refused(element);
        }
    }
    return any;
}

/* Weak comparison: both forms of a file say the same (RFC 9110, 8.8.3.2). */
static bool has_it(const struct http_head *request, const struct asset *asset)
{
    for (unsigned i = 0; i < request->field_count; i++) {
        struct bytes rest = request->fields[i].value, element;

        if (!bytes_equal_ci(request->fields[i].name, BYTES("If-None-Match")))
            continue;
        while (http_list_next(&rest, &element)) {
            if (bytes_starts(element, BYTES("W/")))
                element = bytes_skip(element, 2);
            if (bytes_equal(element, asset->tag) || bytes_equal(element, asset->packed_tag) ||
                bytes_equal(element, BYTES("*")))
                return true;
        }
    }
    return false;
}

/* --- the answer --------------------------------------------------------------------------------------------------- */

static int add_fields(struct http_head *head, const struct asset *asset, bool packed)
{
    int r = http_head_add(head, HTTP_FIELD_CACHE_CONTROL, BYTES("no-cache"));

    if (r == 0)
        r = http_head_add_named(head, BYTES("ETag"), packed ? asset->packed_tag : asset->tag);
    if (r == 0)
        r = http_head_add_named(head, BYTES("Vary"), BYTES("Accept-Encoding"));
    if (r == 0)
        r = http_head_add_named(head, BYTES("Content-Security-Policy"), BYTES(POLICY));
    if (r == 0)
        r = http_head_add_named(head, BYTES("X-Content-Type-Options"), BYTES("nosniff"));
    if (r == 0)
        r = http_head_add_named(head, BYTES("Referrer-Policy"), BYTES("no-referrer"));
    return r;
}

/* Straight from the program's memory: nothing is copied. */
static int set_body(struct exchange *x, struct bytes content)
{
    struct body_memory *memory = arena_alloc(&x->arena, sizeof(*memory));

    if (!memory)
        return -ENOMEM;
    body_memory_init(memory, content);
    x->response_body = &memory->body;
    x->response.framing = HTTP_BODY_LENGTH;
    x->response.has_content_length = true;
    x->response.content_length = content.len;
    return 0;
}

int assets_answer(const struct asset *asset, struct exchange *x)
{
    bool packed = asset->packed.len > 0 && accepts_gzip(&x->request);
    bool known = has_it(&x->request, asset);
    int r = exchange_answer(x, known ? 304 : 200, known ? BYTES_NONE : asset->type, BYTES_NONE);

    if (r == 0)
        r = add_fields(&x->response, asset, packed);
    if (r < 0 || known)
        return r;
    if (packed)
        r = http_head_add(&x->response, HTTP_FIELD_CONTENT_ENCODING, BYTES("gzip"));
    return r < 0 ? r : set_body(x, packed ? asset->packed : asset->plain);
}
