/* Answers with a file that is open: 200, 206, 304, 412, 416; and to a folder: 301. */
#include "base/limits.h"
#include "http/date.h"
#include "http/problem.h"
#include "stage/files.h"

#define FILES_FIELDS 10 /* that we set ourselves */
#define BOUNDARY_LEN 32

enum outcome files_answered(int r)
{
    return r < 0 ? OUTCOME_OVERLOAD : OUTCOME_OK;
}

enum outcome files_problem(struct exchange *x, unsigned status, const char *type, const char *detail)
{
    return files_answered(http_problem_of(x, status, bytes_of_text(type), bytes_of_text(detail)));
}

/* --- a folder without its slash ------------------------------------------------------------------------------ */

/* The last element as the client wrote it: a stage before us may have changed the path. */
static struct bytes last_element(const struct exchange *x)
{
    struct bytes target = x->request.target, path = x->request.path, part;

    if (bytes_split(&target, '?', &part) && part.len > 0 && part.data[part.len - 1] != '/')
        path = part;
    for (size_t i = path.len; i > 0; i--)
        if (path.data[i - 1] == '/')
            return bytes_skip(path, i);
    return path;
}

/* Relative to where the client is (RFC 3986, 4.2), so that it holds whatever stands before us; "./", since a name may
 * have a colon. */
enum outcome files_redirect(struct exchange *x)
{
    struct bytes name = last_element(x), place;
    struct bytes query = x->request.query;
    int r = arena_format(&x->arena, &place, "./" BYTES_FMT "/%s" BYTES_FMT, BYTES_ARG(name), query.data ? "?" : "",
                         BYTES_ARG(query));

    if (r == 0)
        r = exchange_answer(x, 301, BYTES_NONE, BYTES_NONE);
    if (r == 0)
        r = http_head_add(&x->response, HTTP_FIELD_LOCATION, place);
    return files_answered(r);
}

/* --- the head ------------------------------------------------------------------------------------------------ */

static int make_form(struct files_request *request)
{
    struct exchange *x = request->x;
    struct io *io = x->worker->loop->io;
    const struct files_open *open = &request->open;
    bool coded = open->coding != FILES_IDENTITY;
    struct bytes coding = coded ? files_coding_name(open->coding) : BYTES_NONE;

    request->form.now_ns = io->ops->wall_ns(io);
    request->form.modified_s = MIN(open->modified_ns, request->form.now_ns) / NS_PER_S; /* RFC 9110, 8.8.2.1 */
    request->form.modified_s = MAX(request->form.modified_s, 0);                        /* 1970: dates begin there */
    return arena_format(&x->arena, &request->form.etag, "\"%llx-%llx%s" BYTES_FMT "\"",
                        (unsigned long long)open->modified_ns, (unsigned long long)open->size, coded ? "-" : "",
                        BYTES_ARG(coding));
}

static int add_modified(struct files_request *request)
{
    struct exchange *x = request->x;
    struct text text = text_into(arena_alloc(&x->arena, HTTP_DATE_LEN + 3), HTTP_DATE_LEN + 3);

    if (!text.data)
        return -ENOMEM;
    http_date_write(&text, request->form.modified_s * NS_PER_S);
    return http_head_add_named(&x->response, BYTES("Last-Modified"), text_bytes(&text));
}

/* Which paths give the fallback changes with every file that comes or goes: it is asked for each time. */
static int add_cache(struct files_request *request)
{
    struct exchange *x = request->x;
    int64_t seconds = request->conf->cache_ns / NS_PER_S;
    struct bytes value = BYTES("no-cache");
    int r = 0;

    if (seconds > 0 && !request->fallback)
        r = arena_format(&x->arena, &value, "max-age=%lld", (long long)seconds);
    return r < 0 ? r : http_head_add(&x->response, HTTP_FIELD_CACHE_CONTROL, value);
}

static int add_vary(struct files_request *request)
{
    bool coding = request->conf->precompressed && !request->type->packed;
    struct bytes value = coding ? BYTES("Accept-Encoding") : BYTES("Accept");

    if (request->fallback && coding)
        value = BYTES("Accept, Accept-Encoding");
    return coding || request->fallback ? http_head_add_named(&request->x->response, BYTES("Vary"), value) : 0;
}

/* What 200, 206 and 304 have in common (RFC 9110, 15.4.5). */
static int start_answer(struct files_request *request, unsigned status)
{
    struct exchange *x = request->x;
    int r = exchange_answer(x, status, BYTES_NONE, BYTES_NONE);

    x->response.has_content_length = false;
    if (r == 0)
        r = exchange_head_room(x, &x->response, FILES_FIELDS + HTTP_FIELDS_ADDED_MAX);
    if (r == 0)
        r = http_head_add_named(&x->response, BYTES("ETag"), request->form.etag);
    if (r == 0)
        r = add_modified(request);
    if (r == 0)
        r = add_cache(request);
    return r == 0 ? add_vary(request) : r;
}

static int describe_content(struct files_request *request, struct bytes type)
{
    struct http_head *head = &request->x->response;
    int r = http_head_add(head, HTTP_FIELD_CONTENT_TYPE, type);

    if (r == 0 && request->open.coding != FILES_IDENTITY)
        r = http_head_add(head, HTTP_FIELD_CONTENT_ENCODING, files_coding_name(request->open.coding));
    if (r == 0)
        r = http_head_add_named(head, BYTES("Accept-Ranges"), BYTES("bytes"));
    return r == 0 ? http_head_add_named(head, BYTES("X-Content-Type-Options"), BYTES("nosniff")) : r;
}

static int add_range(struct exchange *x, const struct files_range *range, uint64_t size)
{
    struct bytes value;
    int r;

    if (range)
        r = arena_format(&x->arena, &value, "bytes %llu-%llu/%llu", (unsigned long long)range->from,
                         (unsigned long long)(range->from + range->len - 1), (unsigned long long)size);
    else
        r = arena_format(&x->arena, &value, "bytes */%llu", (unsigned long long)size);
    return r < 0 ? r : http_head_add(&x->response, HTTP_FIELD_CONTENT_RANGE, value);
}

/* --- the content --------------------------------------------------------------------------------------------- */

/* 206 of several ranges: RFC 9110, 14.6. The boundary is a matter of chance, so that no file holds it. */
static int make_parts(struct files_request *request, struct bytes boundary, struct files_piece *pieces)
{
    struct exchange *x = request->x;
    int r = 0;

    for (int i = 0; r == 0 && i < request->range_count; i++) {
        const struct files_range *range = &request->ranges[i];

        pieces[i].range = *range;
        r = arena_format(&x->arena, &pieces[i].text,
                         "%s--" BYTES_FMT "\r\nContent-Type: %s\r\nContent-Range: bytes %llu-%llu/%llu\r\n\r\n",
                         i > 0 ? "\r\n" : "", BYTES_ARG(boundary), request->type->type, (unsigned long long)range->from,
                         (unsigned long long)(range->from + range->len - 1), (unsigned long long)request->open.size);
    }
    if (r == 0)
        r = arena_format(&x->arena, &pieces[request->range_count].text, "\r\n--" BYTES_FMT "--\r\n",
                         BYTES_ARG(boundary));
    return r;
}

static int describe_parts(struct files_request *request, struct files_piece *pieces)
{
    struct exchange *x = request->x;
    char boundary[BOUNDARY_LEN];
    struct text text = text_into(boundary, sizeof(boundary));
    struct bytes type;
    int r;

    text_add_hex(&text, prng_next(&x->worker->prng), 16);
    text_add_hex(&text, prng_next(&x->worker->prng), 16);
    r = arena_format(&x->arena, &type, "multipart/byteranges; boundary=" BYTES_FMT, BYTES_ARG(text_bytes(&text)));
    if (r == 0)
        r = describe_content(request, type);
    return r == 0 ? make_parts(request, text_bytes(&text), pieces) : r;
}

/* Fills the head, and what is to be sent. Returns how many pieces. */
static int describe(struct files_request *request, struct files_piece *pieces)
{
    struct exchange *x = request->x;
    struct bytes type = bytes_of_text(request->type->type);
    int r;

    if (request->range_count > 1) {
        r = describe_parts(request, pieces);
        return r < 0 ? r : request->range_count + 1;
    }
    pieces[0].range = (struct files_range){ 0, request->open.size };
    r = describe_content(request, type);
    if (r == 0 && request->range_count == 1) {
        pieces[0].range = request->ranges[0];
        r = add_range(x, &pieces[0].range, request->open.size);
    }
    return r < 0 ? r : 1;
}

/* Hands the file over to the body. */
static void start_body(struct files_request *request, struct files_body *body, const struct files_piece *pieces,
                       unsigned count)
{
    struct exchange *x = request->x;

    files_body_init(body, x->worker, &request->open, &request->local->open, pieces, count);
    request->open.memory = NULL;
    if (request->open.file >= 0)
        request->local->open++; /* the body gives it back; the request's own goes with its end */
    request->open.file = FILES_CLOSED;
    x->response_body = &body->body;
}

static enum outcome send_file(struct files_request *request)
{
    struct exchange *x = request->x;
    struct files_body *body = arena_alloc(&x->arena, sizeof(*body));
    struct files_piece *pieces = arena_zalloc(&x->arena, (FILES_RANGES_MAX + 1) * sizeof(*pieces));
    uint64_t length = 0;
    int count, r = body && pieces ? start_answer(request, request->range_count ? 206 : 200) : -ENOMEM;

    count = r < 0 ? r : describe(request, pieces);
    if (count < 0)
        return OUTCOME_OVERLOAD;
    for (int i = 0; i < count; i++)
        length += pieces[i].text.len + pieces[i].range.len;
    x->response.has_content_length = true;
    x->response.content_length = length;
    x->response.framing = length > 0 && x->request.method == HTTP_GET ? HTTP_BODY_LENGTH : HTTP_BODY_NONE;
    if (length > 0 && x->request.method == HTTP_GET)
        start_body(request, body, pieces, (unsigned)count);
    return OUTCOME_OK;
}

static enum outcome answer_no_range(struct files_request *request)
{
    struct exchange *x = request->x;
    int r = http_problem_of(x, 416, BYTES("urn:weft:files:range"), BYTES("the file has none of these bytes"));

    if (r == 0)
        r = add_range(x, NULL, request->open.size);
    return files_answered(r);
}

/* The one Range field, if it is to be followed. */
static struct bytes wanted_range(const struct files_request *request)
{
    const struct http_head *head = &request->x->request;
    unsigned count = 0;

    for (unsigned i = 0; i < head->field_count; i++)
        count += head->fields[i].id == HTTP_FIELD_RANGE;
    if (count != 1 || head->method != HTTP_GET || !files_if_range(head, &request->form))
        return BYTES_NONE;
    return http_head_value(head, HTTP_FIELD_RANGE);
}

enum outcome files_answer(struct files_request *request)
{
    struct exchange *x = request->x;

    if (make_form(request) < 0)
        return OUTCOME_OVERLOAD;
    switch (files_conditions(&x->request, &request->form)) {
    case FILES_NOT_MODIFIED: return files_answered(start_answer(request, 304));
    case FILES_FAILED:
        return files_problem(x, 412, "urn:weft:files:changed", "the file is not in the state that was asked for");
    case FILES_SEND: break;
    }
    request->range_count = files_ranges(wanted_range(request), request->open.size, request->ranges);
    return request->range_count < 0 ? answer_no_range(request) : send_file(request);
}
