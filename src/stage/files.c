/* The stage `files`: answers with files of a folder. */
#include "stage/files.h"

#include "base/limits.h"
#include "exchange/snapshot.h"
#include "http/problem.h"

/* --- answers without a file -------------------------------------------------------------------------------- */

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
    return files_answered(r);
}

static enum outcome answer_missing(const struct files_request *request)
{
    enum outcome outcome = files_problem(request->x, 404, "urn:weft:files:not-found", "there is no such file");

    /* Who asks for a page may have got the fallback instead. */
    if (outcome == OUTCOME_OK && request->conf->fallback.len > 0)
        outcome = files_answered(http_head_add_named(&request->x->response, BYTES("Vary"), BYTES("Accept")));
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

static enum outcome answer_error(const struct files_request *request, int error)
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
        return files_problem(x, 500, TYPE, "the folder of this route is not there: see `root` in weft.yaml");
    if (request->open.no_root && error == -EACCES)
        return files_problem(x, 500, TYPE, "the folder of this route must not be read: see `root` in weft.yaml");
    if (is_missing(error))
        return answer_missing(request);
    if (error == -EACCES || error == -EPERM)
        return files_problem(x, 403, "urn:weft:files:denied", "the rights of the file do not let it be read");
    return OUTCOME_INTERNAL;
}

/* --- opening ------------------------------------------------------------------------------------------------- */

static const char *root_of(const struct files_request *request)
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
static int open_file(struct files_request *request, struct bytes path, struct bytes name)
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

static int open_fallback(struct files_request *request)
{
    const struct files_conf *conf = request->conf;

    if (conf->fallback.len == 0 || !files_wants_page(&request->x->request, request->path.path))
        return -ENOENT;
    request->fallback = true;
    return open_file(request, conf->fallback, BYTES_NONE);
}

static int open_wanted(struct files_request *request)
{
    const struct files_path *path = &request->path;
    int r = open_file(request, path->path, path->folder ? request->conf->index : BYTES_NONE);

    if (r == 0 && request->open.file == IO_FILE_FOLDER && path->folder)
        r = -ENOENT; /* the index is a folder */
    if (is_missing(r) && !request->open.no_root)
        r = open_fallback(request);
    if (r == 0 && request->open.file == IO_FILE_FOLDER && request->fallback)
        r = -ENOENT;
    return r;
}

static void close_file(struct files_request *request)
{
    if (request->open.file >= 0)
        request->open.io->ops->file_close(request->open.io, request->open.file);
    request->open.file = FILES_CLOSED;
}

/* --- the stage ------------------------------------------------------------------------------------------------ */

static enum outcome answer_path(struct files_request *request)
{
    int r = open_wanted(request);
    enum outcome outcome;

    if (r < 0)
        return answer_error(request, r);
    outcome = request->open.file == IO_FILE_FOLDER ? files_redirect(request->x) : files_answer(request);
    close_file(request);
    return outcome;
}

static enum outcome answer_request(struct files_request *request)
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
    struct files_request request = { .conf = s->conf, .x = x, .local = stage_local(s, x) };
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
    if (r == 0 && request.path.path.len == 0 && !request.path.folder)
        return files_redirect(x); /* what is stripped, and nothing behind it */
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
      .pattern = "^/(.*[^/])$",
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
