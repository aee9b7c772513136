#include "files_rig.h"

#include "../io/fiber_help.h"
#include "base/alloc.h"

#include <fcntl.h>
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

/* --- the folder -------------------------------------------------------------------------------------------------- */

const char *rig_path(struct rig *rig, const char *name)
{
    static char path[4096];

    snprintf(path, sizeof(path), "%s/%s", rig->folder, name);
    return path;
}

static void make_folders(struct rig *rig, const char *name)
{
    for (const char *slash = strchr(name, '/'); slash; slash = strchr(slash + 1, '/')) {
        char folder[256];

        snprintf(folder, sizeof(folder), "%.*s", (int)(slash - name), name);
        assert_int_equal(rig->loop->io->ops->directory_make(rig->loop->io, rig_path(rig, folder), 0700), 0);
    }
}

void rig_write(struct rig *rig, const char *name, struct bytes content)
{
    make_folders(rig, name);
    assert_int_equal(rig->loop->io->ops->file_write(rig->loop->io, rig_path(rig, name), content, 0644), 0);
}

void rig_write_text(struct rig *rig, const char *name, const char *text)
{
    rig_write(rig, name, bytes_of_text(text));
}

char rig_byte(uint64_t at)
{
    return (char)(at * 7 + at / 256 * 13 + at / 65536);
}

void rig_write_pattern(struct rig *rig, const char *name, uint64_t len)
{
    char *memory = malloc(len);

    for (uint64_t i = 0; i < len; i++)
        memory[i] = rig_byte(i);
    rig_write(rig, name, bytes_of(memory, len));
    free(memory);
}

void rig_age(struct rig *rig, const char *name, int64_t seconds)
{
    int64_t at = rig->loop->io->ops->wall_ns(rig->loop->io) / NS_PER_S - seconds;
    struct timespec times[2] = { { .tv_sec = at }, { .tv_sec = at } };

    assert_int_equal(utimensat(AT_FDCWD, rig_path(rig, name), times, 0), 0);
}

static int remove_one(const char *path, const struct stat *status, int kind, struct FTW *place)
{
    (void)chmod(path, 0700);
    return remove(path);
}

/* --- the worker -------------------------------------------------------------------------------------------------- */

unsigned rig_descriptors(struct rig *rig)
{
    return (unsigned)rig->loop->io->ops->descriptors_open(rig->loop->io);
}

int rig_configure(struct rig *rig)
{
    struct snapshot *snapshot;
    struct stage *stage;
    struct fault fault = { 0 };
    int r = snapshot_create(++rig->version, &snapshot);

    if (r < 0)
        return r;
    snapshot->folder = bytes_of_text(rig->folder);
    r = snapshot_add_stage(snapshot, &STAGE_FILES, &rig->conf, BYTES("routes/web/files"), &stage);
    if (r == 0)
        r = snapshot_seal(snapshot, NULL, &fault);
    if (r < 0) {
        snapshot_free(snapshot);
        return r;
    }
    snapshot->root = stage;
    list_push_back(&rig->snapshots, &snapshot->node);
    return worker_enter(&rig->worker, snapshot);
}

int rig_start(struct rig *rig)
{
    int r;

    list_init(&rig->snapshots);
    r = worker_init(&rig->worker, 1, rig->loop, &rig->limits);
    return r < 0 ? r : rig_configure(rig);
}

void rig_stop(struct rig *rig)
{
    worker_done(&rig->worker);
    assert_int_equal(snapshots_sweep(&rig->snapshots), 0);
}

static void run_body(struct loop *loop, void *context)
{
    struct rig *rig = context;
    unsigned before;

    rig->loop = loop;
    before = rig_descriptors(rig);
    assert_int_equal(rig_start(rig), 0);
    rig->body(rig);
    rig_stop(rig);
    assert_int_equal(rig_descriptors(rig), before);
}

void rig_run(void (*body)(struct rig *rig), const struct worker_limits *limits)
{
    struct rig *rig = calloc(1, sizeof(*rig));

    rig->body = body;
    if (limits)
        rig->limits = *limits;
    rig->conf = (struct files_conf){ .root = BYTES("web"), .index = BYTES("index.html") };
    snprintf(rig->folder, sizeof(rig->folder), "/tmp/weft-files-XXXXXX");
    assert_non_null(mkdtemp(rig->folder));
    assert_int_equal(mkdir(rig_path(rig, "web"), 0700), 0);
    try_linux(NULL, run_body, rig);
    assert_int_equal(nftw(rig->folder, remove_one, 16, FTW_DEPTH | FTW_PHYS), 0);
    free(rig);
}

void rig_run_sim(void (*body)(struct rig *rig))
{
    struct rig *rig = calloc(1, sizeof(*rig));

    rig->body = body;
    rig->conf = (struct files_conf){ .root = BYTES("web"), .index = BYTES("index.html") };
    snprintf(rig->folder, sizeof(rig->folder), "/site");
    try_sim(NULL, run_body, rig);
    free(rig);
}

/* --- requests ---------------------------------------------------------------------------------------------------- */

static void fill_request(struct exchange *x, const char *method, const char *path, const char *fields)
{
    struct bytes rest = bytes_of_text(fields), line, name, target = bytes_of_text(path);
    struct http_head *head = &x->request;

    head->method_text = bytes_of_text(method);
    head->method = http_method_of(head->method_text);
    head->minor = 1;
    head->target = target;
    (void)bytes_split(&target, '?', &head->path);
    head->query = target;
    while (bytes_split(&rest, '\n', &line) && line.len > 0) {
        assert_true(bytes_split(&line, ':', &name));
        assert_int_equal(http_head_add_named(head, name, bytes_trim(line)), 0);
    }
}

struct exchange *rig_begin(struct rig *rig, const char *method, const char *path, const char *fields,
                           enum outcome *ret_outcome)
{
    struct exchange *x;
    int r = exchange_create(&rig->worker, NULL, fiber_scope(), &x);

    *ret_outcome = OUTCOME_OVERLOAD;
    if (r < 0)
        return NULL;
    if (exchange_head_room(x, &x->request, 8) == 0) {
        fill_request(x, method, path, fields);
        *ret_outcome = stage_run(x->view->snapshot->root, x);
    }
    return x;
}

static void take_body(struct exchange *x, struct rig_answer *ret)
{
    struct bytes chunk;
    int r = 0;

    while (x->response_body && (r = body_read(x->response_body, &chunk)) > 0) {
        assert_true(ret->len + chunk.len <= RIG_BODY_MAX);
        memcpy(ret->body + ret->len, chunk.data, chunk.len);
        ret->len += chunk.len;
        if (x->response_body->ended)
            break;
    }
    ret->cut_off = r < 0;
    ret->cut_outcome = r < 0 ? x->response_body->outcome : OUTCOME_OK;
    ret->body[ret->len] = '\0';
    if (!ret->cut_off && x->response_body)
        assert_true(ret->len == x->response_body->length && x->response_body->has_length);
}

void rig_ask(struct rig *rig, const char *method, const char *path, const char *fields, struct rig_answer *ret)
{
    enum outcome outcome;
    struct exchange *x = rig_begin(rig, method, path, fields, &outcome);
    size_t len = 0;

    memset(ret, 0, sizeof(*ret)); /* a literal would lie on the stack first, and that is a fiber's */
    ret->outcome = outcome;
    if (!x)
        return;
    if (ret->outcome == OUTCOME_OK) {
        const struct http_head *head = &x->response;

        ret->status = head->status;
        ret->length = head->content_length;
        ret->has_length = head->has_content_length;
        for (unsigned i = 0; i < head->field_count; i++)
            len += (size_t)snprintf(ret->fields + len, sizeof(ret->fields) - len, BYTES_FMT ": " BYTES_FMT "\n",
                                    BYTES_ARG(head->fields[i].name), BYTES_ARG(head->fields[i].value));
        assert_true(len < sizeof(ret->fields));
        take_body(x, ret);
    }
    exchange_end(x, ret->outcome);
}

const char *rig_field(struct rig_answer *answer, const char *name)
{
    static char value[512];
    struct bytes rest = bytes_of_text(answer->fields), line, found;

    value[0] = '\0';
    while (bytes_split(&rest, '\n', &line) && line.len > 0) {
        (void)bytes_split(&line, ':', &found);
        if (bytes_equal_ci(found, bytes_of_text(name)))
            snprintf(value, sizeof(value), BYTES_FMT, BYTES_ARG(bytes_trim(line)));
    }
    return value;
}

struct rig_answer *rig_answer_make(void)
{
    return calloc(1, sizeof(struct rig_answer));
}

void rig_expect(struct rig *rig, const char *method, const char *path, const char *fields, unsigned status,
                struct rig_answer *ret)
{
    rig_ask(rig, method, path, fields, ret);
    if (ret->outcome != OUTCOME_OK || ret->status != status)
        fail_msg("%s %s: outcome %d, status %u, not %u", method, path, (int)ret->outcome, ret->status, status);
}

void rig_expect_field(struct rig_answer *answer, const char *name, const char *value)
{
    assert_string_equal(rig_field(answer, name), value);
}

void rig_expect_pattern(const struct rig_answer *answer, uint64_t from, uint64_t len)
{
    assert_false(answer->cut_off);
    assert_int_equal(answer->len, len);
    for (uint64_t i = 0; i < len; i++)
        if (answer->body[i] != rig_byte(from + i))
            fail_msg("byte %llu is another one", (unsigned long long)(from + i));
}
