/* The stage `files`: answers with files of a folder. */
#include "stage/files.h"

#include "base/limits.h"
#include "exchange/snapshot.h"
#include "http/date.h"
#include "http/problem.h"

#define FILES_FIELDS 10 /* that we set ourselves */

/* Of one stage on one worker. */
struct files_local {
    unsigned open; /* files that are open, or are being opened */
};

/* One request on its way through the stage. */
struct request {
    const struct files_conf *conf;
    struct exchange *x;
    struct files_local *local;
    struct files_path path;
    const struct files_type *type;
    enum files_coding codings[FILES_CODINGS];
    bool fallback; /* the page that stands in for what is not there */
    struct files_open open;
    struct files_form form;
    struct files_range ranges[FILES_RANGES_MAX];
    int range_count; /* 0: the whole */
};

/* --- answers without a file -------------------------------------------------------------------------------- */

static enum outcome answered(int r)
{
    return r < 0 ? OUTCOME_OVERLOAD : OUTCOME_OK;
}

static enum outcome answer_problem(struct exchange *x, unsigned status, const char *type, const char *detail)
{
    return answered(http_problem_of(x, status, bytes_of_text(type), bytes_of_text(detail)));
}

static enum outcome answer_method(struct exchange *x)
{
    bool asked = x->request.method == HTTP_OPTIONS;
    int r;

    if (asked)
        r = exchange_answer(x, 204, BYTES_NONE, BYTES_NONE);
    else
        r = http_problem_of(x, 405, BYTES("urn:weft:files:method"), BYTES("files can be read only: see Allow"));
    x->response.has_content_length = !asked;
    if (r == 0)
        r = http_head_add_named(&x->response, BYTES("Allow"), BYTES("GET, HEAD, OPTIONS"));
    return answered(r);
}

static enum outcome answer_missing(const struct request *request)
{
    enum outcome outcome = answer_problem(request->x, 404, "urn:weft:files:not-found", "there is no such file");

    /* Who asks for a page may have got the fallback instead. */
    if (outcome == OUTCOME_OK && request->conf->fallback.len > 0)
        outcome = answered(http_head_add_named(&request->x->response, BYTES("Vary"), BYTES("Accept")));
    return outcome;
}

static bool is_missing(int error)
{
    switch (error) {
    case -ENOENT:
    case -ENOTDIR:
    case -EXDEV:
    case -ELOOP:
    case -ENAMETOOLONG:
    case -EINVAL: return true;
    default: return false;
    }
}

static enum outcome answer_error(const struct request *request, int error)
{
    static const char *const TYPE = "urn:weft:files:root";
    struct exchange *x = request->x;

    switch (error) {
    case -ETIME:
    case -ECANCELED: return outcome_of_error(error, OUTCOME_INTERNAL);
    case -EAGAIN:
    case -ENOMEM:
    case -EMFILE:
    case -ENFILE: return OUTCOME_OVERLOAD;
    default: break;
    }
    if (request->open.no_root && is_missing(error))
        return answer_problem(x, 500, TYPE, "the folder of this route is not there: see `root` in weft.yaml");
    if (request->open.no_root && error == -EACCES)
        return answer_problem(x, 500, TYPE, "the folder of this route must not be read: see `root` in weft.yaml");
    if (is_missing(error))
        return answer_missing(request);
    if (error == -EACCES || error == -EPERM)
        return answer_problem(x, 403, "urn:weft:files:denied", "the rights of the file do not let it be read");
    return OUTCOME_INTERNAL;
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
static enum outcome answer_redirect(struct exchange *x)
{
    struct bytes name = last_element(x), place;
    struct bytes query = x->request.query;
    int r = arena_format(&x->arena, &place, "./" BYTES_FMT "/%s" BYTES_FMT, BYTES_ARG(name), query.data ? "?" : "",
                         BYTES_ARG(query));

    if (r == 0)
        r = exchange_answer(x, 301, BYTES_NONE, BYTES_NONE);
    if (r == 0)
        r = http_head_add(&x->response, HTTP_FIELD_LOCATION, place);
    return answered(r);
}

/* --- opening ------------------------------------------------------------------------------------------------- */

static const char *root_of(const struct request *request)
{
    struct exchange *x = request->x;
    struct bytes root = request->conf->root, folder = x->view->snapshot->folder, joined;

    if (folder.len == 0 || root.data[0] == '/')
        return root.data;
    if (arena_format(&x->arena, &joined, BYTES_FMT "/" BYTES_FMT, BYTES_ARG(folder), BYTES_ARG(root)) < 0)
        return NULL;
    return arena_text(&x->arena, joined);
}

/* path/name, or one of them, with room behind. */
static char *join_path(struct exchange *x, struct bytes path, struct bytes name)
{
    size_t max = path.len + 1 + name.len;
    struct text text = text_into(arena_alloc(&x->arena, max + FILES_SUFFIX_MAX + 1), max);

    if (!text.data)
        return NULL;
    text_add(&text, path);
    if (path.len > 0 && name.len > 0)
        text_add_char(&text, '/');
    text_add(&text, name);
    text.data[text.len] = '\0';
    return text.data;
}

static bool conditional(const struct http_head *head)
{
    return http_head_has(head, HTTP_FIELD_RANGE) || http_head_find(head, BYTES("If-None-Match")) ||
           http_head_find(head, BYTES("If-Modified-Since"));
}

/* Opens path/name. What a job costs is known, so it is one: root, file, variant, and what was asked for first. */
static int open_file(struct request *request, struct bytes path, struct bytes name)
{
    struct exchange *x = request->x;
    struct files_open *open = &request->open;

    open->root = root_of(request);
    open->path = join_path(x, path, name);
    if (!open->root || !open->path)
        return -ENOMEM;
    request->type = files_type_of(bytes_of_text(open->path));
    open->codings = request->codings;
    open->coding_count = 0;
    if (request->conf->precompressed && !request->type->packed)
        open->coding_count = files_codings(&x->request, request->codings);
    open->start = !conditional(&x->request);
    return files_open(open, x->worker);
}

static int open_fallback(struct request *request)
{
    const struct files_conf *conf = request->conf;

    if (conf->fallback.len == 0 || !files_wants_page(&request->x->request, request->path.path))
        return -ENOENT;
    request->fallback = true;
    return open_file(request, conf->fallback, BYTES_NONE);
}

static int open_wanted(struct request *request)
{
    const struct files_path *path = &request->path;
    bool index = path->folder || path->path.len == 0;
    int r = open_file(request, path->path, index ? request->conf->index : BYTES_NONE);

    if (r == 0 && request->open.file == IO_FILE_FOLDER && index)
        r = -ENOENT; /* the index is a folder */
    if (is_missing(r) && !request->open.no_root)
        r = open_fallback(request);
    if (r == 0 && request->open.file == IO_FILE_FOLDER && request->fallback)
        r = -ENOENT;
    return r;
}

static void close_file(struct request *request)
{
    if (request->open.file >= 0)
        request->open.io->ops->file_close(request->open.io, request->open.file);
    request->open.file = FILES_CLOSED;
}

/* --- the head ------------------------------------------------------------------------------------------------ */

static int make_form(struct request *request)
{
    struct exchange *x = request->x;
    struct io *io = x->worker->loop->io;
    const struct files_open *open = &request->open;
    bool coded = open->coding != FILES_IDENTITY;
    struct bytes coding = coded ? files_coding_name(open->coding) : BYTES_NONE;

    request->form.now_ns = io->ops->wall_ns(io);
    request->form.modified_s = MIN(open->modified_ns, request->form.now_ns) / NS_PER_S; /* RFC 9110, 8.8.2.1 */
    return arena_format(&x->arena, &request->form.etag, "\"%llx-%llx%s" BYTES_FMT "\"",
                        (unsigned long long)open->modified_ns, (unsigned long long)open->size, coded ? "-" : "",
                        BYTES_ARG(coding));
}

static int add_modified(struct request *request)
{
    struct exchange *x = request->x;
    struct text text = text_into(arena_alloc(&x->arena, HTTP_DATE_LEN + 3), HTTP_DATE_LEN + 3);

    if (!text.data)
        return -ENOMEM;
    http_date_write(&text, request->form.modified_s * NS_PER_S);
    return http_head_add_named(&x->response, BYTES("Last-Modified"), text_bytes(&text));
}

/* Which paths give the fallback changes with every file that comes or goes: it is asked for each time. */
static int add_cache(struct request *request)
{
    struct exchange *x = request->x;
    int64_t seconds = request->conf->cache_ns / NS_PER_S;
    struct bytes value = BYTES("no-cache");
    int r = 0;

    if (seconds > 0 && !request->fallback)
        r = arena_format(&x->arena, &value, "max-age=%lld", (long long)seconds);
    return r < 0 ? r : http_head_add(&x->response, HTTP_FIELD_CACHE_CONTROL, value);
}

static int add_vary(struct request *request)
{
    bool coding = request->conf->precompressed && !request->type->packed;
    struct bytes value = coding ? BYTES("Accept-Encoding") : BYTES("Accept");

    if (request->fallback && coding)
        value = BYTES("Accept, Accept-Encoding");
    return coding || request->fallback ? http_head_add_named(&request->x->response, BYTES("Vary"), value) : 0;
}

/* What 200, 206 and 304 have in common (RFC 9110, 15.4.5). */
static int start_answer(struct request *request, unsigned status)
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

static int describe_content(struct request *request, struct bytes type)
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

#define BOUNDARY_LEN 32

/* 206 of several ranges: RFC 9110, 14.6. The boundary is a matter of chance, so that no file holds it. */
static int make_parts(struct request *request, struct bytes boundary, struct files_piece *pieces)
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

static int describe_parts(struct request *request, struct files_piece *pieces)
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
static int describe(struct request *request, struct files_piece *pieces)
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
static void start_body(struct request *request, struct files_body *body, const struct files_piece *pieces,
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

static enum outcome send_file(struct request *request)
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

static enum outcome answer_no_range(struct request *request)
{
    struct exchange *x = request->x;
    int r = http_problem_of(x, 416, BYTES("urn:weft:files:range"), BYTES("the file has none of these bytes"));

    if (r == 0)
        r = add_range(x, NULL, request->open.size);
    return answered(r);
}

/* The one Range field, if it is to be followed. */
static struct bytes wanted_range(const struct request *request)
{
    const struct http_head *head = &request->x->request;
    unsigned count = 0;

    for (unsigned i = 0; i < head->field_count; i++)
        count += head->fields[i].id == HTTP_FIELD_RANGE;
    if (count != 1 || head->method != HTTP_GET || !files_if_range(head, &request->form))
        return BYTES_NONE;
    return http_head_value(head, HTTP_FIELD_RANGE);
}

static enum outcome answer_file(struct request *request)
{
    struct exchange *x = request->x;

    if (make_form(request) < 0)
        return OUTCOME_OVERLOAD;
    switch (files_conditions(&x->request, &request->form)) {
    case FILES_NOT_MODIFIED: return answered(start_answer(request, 304));
    case FILES_FAILED:
        return answer_problem(x, 412, "urn:weft:files:changed", "the file is not in the state that was asked for");
    case FILES_SEND: break;
    }
    request->range_count = files_ranges(wanted_range(request), request->open.size, request->ranges);
    return request->range_count < 0 ? answer_no_range(request) : send_file(request);
}

/* --- the stage ------------------------------------------------------------------------------------------------ */

static enum outcome answer_path(struct request *request)
{
    int r = open_wanted(request);
    enum outcome outcome;

    if (r < 0)
        return answer_error(request, r);
    outcome = request->open.file == IO_FILE_FOLDER ? answer_redirect(request->x) : answer_file(request);
    close_file(request);
    return outcome;
}

static enum outcome answer_request(struct request *request)
{
    struct exchange *x = request->x;
    enum outcome outcome;

    if (request->local->open >= FILES_OPEN_MAX)
        return OUTCOME_OVERLOAD;
    if (x->request.method == HTTP_GET) {
        request->open.memory = pool_take(&x->worker->buffers);
        if (!request->open.memory)
            return OUTCOME_OVERLOAD;
    }
    request->local->open++;
    outcome = answer_path(request);
    request->local->open--;
    pool_give(&x->worker->buffers, request->open.memory);
    return outcome;
}

static enum outcome files_run(const struct stage *s, struct exchange *x)
{
    struct request request = { .conf = s->conf, .x = x, .local = stage_local(s, x) };
    char *memory;
    int r;

    if (x->request.method != HTTP_GET && x->request.method != HTTP_HEAD)
        return answer_method(x);
    memory = arena_alloc(&x->arena, FILES_PATH_MAX);
    if (!memory)
        return OUTCOME_OVERLOAD;
    r = files_path_read(x->request.path, request.conf->strip, request.conf->hidden, memory, &request.path);
    if (r == -EBADMSG)
        return OUTCOME_BAD_REQUEST;
    return r < 0 ? answer_missing(&request) : answer_request(&request);
}

/* --- settings -------------------------------------------------------------------------------------------------- */

static int check_root(struct bytes text, struct fault *fault)
{
    if (text.len < FILE_PATH_MAX / 2)
        return 0;
    fault_set(fault, "is longer than a path may be");
    return -EINVAL;
}

/* A file below the root. */
static int check_file(struct bytes text, struct fault *fault)
{
    struct bytes rest = text, element;

    while (bytes_split(&rest, '/', &element)) {
        if (element.len > 0 && !bytes_equal(element, BYTES(".")) && !bytes_equal(element, BYTES("..")))
            continue;
        fault_set(fault, "must be the path of a file below `root`");
        fault_hint(fault, "such as index.html or pages/start.html");
        return -EINVAL;
    }
    return 0;
}

static int check_index(struct bytes text, struct fault *fault)
{
    if (bytes_find_char(text, '/') < 0)
        return check_file(text, fault);
    fault_set(fault, "must be the name of a file, without a folder");
    return -EINVAL;
}

static int check_strip(struct bytes text, struct fault *fault)
{
    if (text.len > 1 && text.data[0] == '/' && !bytes_ends(text, BYTES("/")))
        return 0;
    fault_set(fault, "must begin with a slash and not end with one");
    fault_hint(fault, "such as /assets");
    return -EINVAL;
}

static const struct conf_field FILES_CONF_FIELDS[] = {
    { .key = "root",
      .about = "the folder of the files; a relative one counts from the folder of weft.yaml",
      .type = CONF_STRING,
      .flags = CONF_REQUIRED,
      CONF_AT(struct files_conf, root),
      .min = "1",
      .check_text = check_root,
      .example = "./web" },
    { .key = "strip",
      .about =
          "taken off the front of a request's path before it is looked for below root; unless given, /assets/a.css "
          "is root/assets/a.css",
      .type = CONF_STRING,
      CONF_AT(struct files_conf, strip),
      .check_text = check_strip,
      .example = "/assets" },
    { .key = "index",
      .about = "the file that answers for a folder",
      .type = CONF_STRING,
      CONF_AT(struct files_conf, index),
      .default_text = "index.html",
      .min = "1",
      .check_text = check_index },
    { .key = "fallback",
      .about =
          "a page that answers where there is no file, for an application that makes its paths in the browser; "
          "only for who takes text/html, and not for a path with an extension unless text/html is asked for by name",
      .type = CONF_STRING,
      CONF_AT(struct files_conf, fallback),
      .check_text = check_file,
      .example = "index.html" },
    { .key = "cache",
      .about = "how long a browser may use a file without asking again; 0: it asks each time, and gets it only if it "
               "has changed, which holds for the fallback in any case",
      .type = CONF_DURATION,
      CONF_AT(struct files_conf, cache_ns),
      .default_text = "0s",
      .max = "365d",
      .example = "1h" },
    { .key = "precompressed",
      .about = "whether FILE.br, FILE.zst and FILE.gz answer for FILE to who takes them, unless they are older than it",
      .type = CONF_BOOL,
      CONF_AT(struct files_conf, precompressed),
      .default_text = "false" },
    { .key = "hidden",
      .about = "whether names that begin with a dot are served; /.well-known always is",
      .type = CONF_BOOL,
      CONF_AT(struct files_conf, hidden),
      .default_text = "false" },
};

static const struct conf_schema FILES_SCHEMA = {
    .name = "files",
    .about = "Answers with the files of a folder: types, ranges, validators, pages of folders. Nothing outside of the "
             "folder is served, not by a link either.",
    .fields = FILES_CONF_FIELDS,
    .count = ARRAY_LEN(FILES_CONF_FIELDS),
    .size = sizeof(struct files_conf),
    .shorthand = "root",
};

const struct stage_type STAGE_FILES = {
    .name = "files", .schema = &FILES_SCHEMA, .local_size = sizeof(struct files_local), .run = files_run
};
