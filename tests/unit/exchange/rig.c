#include "rig.h"

#include "base/assert.h"
#include "io/loop.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>

#include <cmocka.h>

static int rig_task(struct task *task)
{
    struct rig *rig = container_of(task, struct rig, task);

    rig->body(rig);
    worker_done(&rig->worker);
    RIG_CHECK(rig, snapshots_sweep(&rig->snapshots) == 0);
    loop_stop(rig->loop);
    return 0;
}

static int rig_start(struct sim_process *process, void *context)
{
    struct rig *rig = context;
    int r;

    rig->loop = sim_process_loop(process, NULL);
    ASSERT(rig->loop);
    r = worker_init(&rig->worker, 3, rig->loop, &rig->limits);
    rig->task.run = rig_task;
    return r < 0 ? r : loop_spawn(rig->loop, &rig->task);
}

void rig_run(void (*body)(struct rig *rig), const struct worker_limits *limits)
{
    struct world_end end = { .until_ns = 3600 * NS_PER_S, .reached = world_all_ended };
    struct rig *rig = test_calloc(1, sizeof(*rig));
    unsigned failures;
    int r;

    rig->body = body;
    if (limits)
        rig->limits = *limits;
    list_init(&rig->snapshots);
    rig->world = world_create(5);
    sim_process_start(sim_process_add(world_node(rig->world), "weft", rig_start, rig));
    r = world_run(rig->world, &end);
    if (rig->world->failed)
        print_error("%s\n", rig->world->failure);
    failures = rig->failures + rig->world->failed + (r != 0);
    world_end_processes(rig->world);
    world_destroy(rig->world);
    test_free(rig);
    assert_int_equal(failures, 0);
}

void rig_fail(struct rig *rig, const char *format, ...)
{
    va_list args;

    va_start(args, format);
    vprint_error(format, args);
    va_end(args);
    print_error("\n");
    rig->failures++;
}

void rig_sleep(int64_t ns)
{
    if (fiber_sleep(ns) < 0)
        ASSERT(!"the test's own fiber was cancelled");
}

void rig_note(struct rig *rig, const char *text)
{
    size_t len = strlen(rig->told);

    snprintf(rig->told + len, sizeof(rig->told) - len, "%s;", text);
}

char rig_byte(uint64_t at)
{
    return (char)(at * 7 + at / 256 * 13);
}

static int source_read(struct body *body, struct bytes *ret_chunk)
{
    struct rig_source *source = container_of(body, struct rig_source, body);
    size_t count = (size_t)MIN((uint64_t)source->piece, source->len - body->read);
    int r = 0;

    source->reading++;
    RIG_CHECK(source->rig, source->reading == 1 && source->closed == 0);
    if (source->pause_ns)
        r = fiber_sleep(source->pause_ns);
    source->reading--;
    if (r < 0)
        return r;
    if (count == 0 && source->error)
        body->outcome = source->outcome;
    if (count == 0)
        return source->error;
    for (size_t i = 0; i < count; i++)
        source->memory[i] = rig_byte(body->read + i);
    *ret_chunk = bytes_of(source->memory, count);
    if (body->read + count == source->len && !source->error && !source->late_end)
        body->ended = true;
    return 1;
}

static void source_close(struct body *body, enum outcome why)
{
    struct rig_source *source = container_of(body, struct rig_source, body);

    RIG_CHECK(source->rig, source->reading == 0);
    source->closed++;
}

static const struct body_ops SOURCE_OPS = { .read = source_read, .close = source_close };

void rig_source_init(struct rig_source *source, struct rig *rig, uint64_t len, size_t piece)
{
    memset(source, 0, sizeof(*source)); /* a literal would lie on the stack first, and that is a fiber's */
    source->body.ops = &SOURCE_OPS;
    source->rig = rig;
    source->len = len;
    source->piece = piece;
}

int rig_read(struct rig *rig, struct body *body, uint64_t until)
{
    int r = 1;

    while (body->read < until) {
        uint64_t at = body->read;
        struct bytes chunk;

        r = body_read(body, &chunk);
        if (r <= 0)
            return r;
        for (size_t i = 0; i < chunk.len; i++)
            if (chunk.data[i] != rig_byte(at + i)) {
                rig_fail(rig, "byte %llu is another one", (unsigned long long)(at + i));
                return -EBADMSG;
            }
    }
    return r;
}

struct exchange *rig_exchange(struct rig *rig)
{
    struct exchange *x = NULL;
    int r = exchange_create(&rig->worker, NULL, fiber_scope(), &x);

    if (r == 0)
        r = exchange_head_room(x, &x->request, 2 + HTTP_FIELDS_ADDED_MAX);
    if (r == 0)
        r = http_head_add(&x->request, HTTP_FIELD_COOKIE, BYTES("a=b"));
    if (r == 0)
        r = http_head_add_named(&x->request, BYTES("X-Thing"), BYTES("it"));
    ASSERT(r == 0);
    x->request.method = HTTP_POST;
    x->request.method_text = BYTES("POST");
    x->request.path = BYTES("/path");
    return x;
}

static int reader_run(struct task *task)
{
    struct rig_reader *reader = container_of(task, struct rig_reader, task);

    scope_open(&reader->scope, TIME_NEVER);
    reader->begun = true;
    reader->result = rig_read(reader->rig, reader->body, reader->until);
    (void)scope_close(&reader->scope);
    reader->over = true;
    return 0;
}

void rig_reader_start(struct rig_reader *reader, struct rig *rig, struct body *body, uint64_t until)
{
    int r;

    *reader = (struct rig_reader){ .task = { .run = reader_run }, .rig = rig, .body = body, .until = until };
    r = loop_spawn(rig->loop, &reader->task);
    ASSERT(r == 0);
    while (!reader->begun)
        rig_sleep(NS_PER_US);
}

void rig_reader_wait(struct rig_reader *reader)
{
    while (!reader->over)
        rig_sleep(NS_PER_MS);
    rig_sleep(NS_PER_MS); /* its fiber has gone too */
}
