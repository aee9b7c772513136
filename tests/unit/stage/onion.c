#include "onion.h"

#include "base/assert.h"
#include "rig.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

/* --- settings ------------------------------------------------------------------------------------------- */

struct document {
    void *conf;
};

/* The settings stand below the stage's name, as in weft.yaml. */
struct settings *settings_load_within(const struct stage_type *type, const char *yaml, size_t max)
{
    const struct conf_field field = { .key = type->name,
                                      .about = "settings",
                                      .type = CONF_STRUCT,
                                      .flags = CONF_POINTER,
                                      CONF_AT(struct document, conf),
                                      .schema = type->schema };
    const struct conf_schema root = {
        .name = "test", .about = "A test.", .fields = &field, .count = 1, .size = sizeof(struct document)
    };
    const struct conf_request request = { .schema = &root };
    struct settings *settings = calloc(1, sizeof(*settings));
    size_t used = 0, size = strlen(yaml) + 64;
    char *text = malloc(size);
    void *document = NULL;

    if (!settings || !text)
        abort();
    arena_init(&settings->arena, NULL, max);
    snprintf(text, size, "%s:\n  %s\n", type->name, yaml);
    if (conf_load(&request, "w", bytes_of_text(text), &settings->arena, &settings->faults, &document) == 0)
        settings->conf = ((struct document *)document)->conf;
    free(text);
    for (size_t i = 0; i < settings->faults.count && used + 512 < sizeof(settings->text); i++) {
        used += fault_write(&settings->faults.faults[i], settings->text + used, 500);
        settings->text[used++] = '\n';
    }
    return settings;
}

struct settings *settings_load(const struct stage_type *type, const char *yaml)
{
    return settings_load_within(type, yaml, MIB);
}

void settings_free(struct settings *settings)
{
    arena_done(&settings->arena);
    free(settings);
}

/* --- stages around ---------------------------------------------------------------------------------------- */

static enum outcome twice_run(const struct stage *s, struct exchange *x)
{
    enum outcome outcome = stage_next(s, x);

    if (exchange_rewind(x) < 0)
        return outcome;
    return stage_next(s, x);
}

/* The parent's head is the same afterwards, and the parent can run the stage, too. */
static enum outcome forked_run(const struct stage *s, struct exchange *x)
{
    struct http_field *fields = x->request.fields;
    struct exchange *child;
    enum outcome outcome;

    if (exchange_fork(x, &child) < 0)
        return OUTCOME_INTERNAL;
    outcome = stage_next(s, child);
    if (!child->shared_request || child->request.fields != fields)
        outcome = OUTCOME_INTERNAL;
    exchange_end(child, outcome);
    if (x->request.fields != fields)
        return OUTCOME_INTERNAL;
    if (exchange_rewind(x) < 0)
        return OUTCOME_INTERNAL;
    if (outcome != OUTCOME_OK)
        return outcome;
    if (exchange_fork(x, &child) < 0)
        return OUTCOME_INTERNAL;
    outcome = stage_next(s, child);
    if (outcome == OUTCOME_OK)
        exchange_adopt(x, child);
    else
        exchange_end(child, outcome);
    return outcome;
}

const struct stage_type ONION_TWICE = { .name = "twice", .run = twice_run };
const struct stage_type ONION_FORKED = { .name = "forked", .run = forked_run };

/* --- the core --------------------------------------------------------------------------------------------- */

static void write_request(struct text *text, const struct http_head *head)
{
    text_add(text, head->method_text);
    text_add_char(text, ' ');
    text_add(text, head->authority.len ? head->authority : BYTES("-"));
    text_add_char(text, ' ');
    text_add(text, head->path);
    if (head->query.data)
        text_add_char(text, '?');
    text_add(text, head->query);
    for (unsigned i = 0; i < head->field_count; i++) {
        text_add_char(text, '|');
        text_add(text, head->fields[i].name);
        text_add(text, BYTES(": "));
        text_add(text, head->fields[i].value);
    }
}

static enum outcome read_body(struct exchange *x, struct text *text)
{
    struct bytes chunk;
    int r = 0;

    if (!x->request_body)
        return OUTCOME_OK;
    text_add_char(text, '|');
    while ((r = body_read(x->request_body, &chunk)) > 0)
        text_add(text, bytes_slice(chunk, 0, 64));
    return r < 0 ? x->request_body->outcome : OUTCOME_OK;
}

static enum outcome core_run(const struct stage *s, struct exchange *x)
{
    struct onion *onion = (struct onion *)(uintptr_t)s->conf;
    size_t used = strlen(onion->seen);
    struct text text = text_into(onion->seen + used, sizeof(onion->seen) - used - 1);
    const struct onion_field *field = onion->answers;
    enum outcome outcome;
    int r;

    onion->runs++;
    write_request(&text, &x->request);
    outcome = read_body(x, &text);
    text_add_char(&text, '\n');
    onion->seen[used + text.len] = '\0';
    if (outcome == OUTCOME_OK)
        outcome = onion->outcome;
    if (outcome != OUTCOME_OK)
        return outcome;
    r = exchange_answer(x, 200, BYTES_NONE, BYTES("core"));
    if (r == 0 && onion->more_answers)
        r = exchange_head_room(x, &x->response, onion->more_answers);
    for (unsigned i = 0; r == 0 && i < onion->more_answers; i++)
        r = http_head_add_named(&x->response, BYTES("x-more"), BYTES("1"));
    for (; r == 0 && field && field->name; field++)
        r = http_head_add_named(&x->response, bytes_of_text(field->name), bytes_of_text(field->value));
    if (r == 0)
        return OUTCOME_OK;
    body_close(x->response_body, OUTCOME_CANCELED);
    x->response_body = NULL;
    x->response = (struct http_head){ .status = 0 };
    return OUTCOME_OVERLOAD;
}

static const struct stage_type CORE = { .name = "core", .run = core_run };

/* --- a call ----------------------------------------------------------------------------------------------- */

/* A body that comes in pieces of one byte, and then in buffers full of zeros. */
struct source_body {
    struct body body;
    const char *rest;
    size_t zeros;
};

static int source_read(struct body *body, struct bytes *ret_chunk)
{
    static const char ZEROS[1024];
    struct source_body *source = container_of(body, struct source_body, body);
    size_t count = MIN(source->zeros, sizeof(ZEROS));

    if (*source->rest) {
        *ret_chunk = bytes_of(source->rest++, 1);
        return 1;
    }
    source->zeros -= count;
    *ret_chunk = bytes_of(ZEROS, count);
    return count > 0;
}

static void source_close(struct body *body, enum outcome why)
{
}

static const struct body_ops SOURCE_OPS = { .read = source_read, .close = source_close };

struct call {
    struct task task;
    struct rig *rig;
    struct onion *onion;
};

static const struct exchange_parameter PARAMETER = { BYTES("id"), BYTES("17") };

static int fill_request(const struct onion *onion, struct exchange *x)
{
    struct http_head *head = &x->request;
    const struct onion_field *field = onion->fields;
    int r = exchange_head_room(x, head, HTTP_FIELDS_MAX);

    x->parameters = &PARAMETER;
    x->parameter_count = 1;
    x->caller = BYTES("web");
    x->scheme = bytes_of_text(onion->scheme ? onion->scheme : "http");
    x->client = BYTES("192.0.2.1");
    x->request_id = BYTES("the-id");
    head->method = onion->method ? onion->method : HTTP_GET;
    head->method_text = http_method_name(head->method);
    head->authority = bytes_of_text(onion->host ? onion->host : "shop.test");
    if (bytes_equal(head->authority, BYTES("-")))
        head->authority = BYTES_NONE;
    head->path = bytes_of_text(onion->path ? onion->path : "/");
    head->query = bytes_of_text(onion->query);
    for (; r == 0 && field && field->name; field++)
        r = http_head_add_named(head, bytes_of_text(field->name), bytes_of_text(field->value));
    for (unsigned i = 0; r == 0 && i < onion->more_fields; i++)
        r = http_head_add_named(head, BYTES("x-more"), BYTES("1"));
    return r;
}

static int give_body(const struct onion *onion, struct exchange *x)
{
    struct source_body *source;

    if (!onion->body)
        return 0;
    source = arena_alloc(&x->arena, sizeof(*source));
    if (!source)
        return -ENOMEM;
    *source = (struct source_body){ .body = { .ops = &SOURCE_OPS, .has_length = onion->length },
                                    .rest = onion->body,
                                    .zeros = onion->zeros };
    source->body.length = onion->length ? strlen(onion->body) + onion->zeros : 0;
    return exchange_set_request_body(x, &source->body);
}

static void take_answer(struct onion *onion, struct exchange *x)
{
    struct text text = text_into(onion->answer, sizeof(onion->answer) - 1);
    struct bytes chunk;

    onion->status = x->response.status;
    onion->content_len = x->response.content_length;
    onion->has_content_len = x->response.has_content_length;
    for (unsigned i = 0; i < x->response.field_count; i++) {
        text_add(&text, i ? BYTES("|") : BYTES_NONE);
        text_add(&text, x->response.fields[i].name);
        text_add(&text, BYTES(": "));
        text_add(&text, x->response.fields[i].value);
    }
    text.data[text.len] = '\0';
    if (x->response_body && body_read(x->response_body, &chunk) == 1)
        memcpy(onion->content, chunk.data, MIN(chunk.len, sizeof(onion->content) - 1));
}

static int call_run(struct task *task)
{
    struct call *call = container_of(task, struct call, task);
    struct worker *worker = &call->rig->workers[0];
    struct onion *onion = call->onion;
    struct text text = text_into(onion->after, sizeof(onion->after) - 1);
    struct scope scope;
    struct exchange *x;
    int r;

    scope_open(&scope, TIME_NEVER);
    r = exchange_create(worker, NULL, &scope, &x);
    ASSERT(r == 0);
    r = fill_request(onion, x);
    if (r == 0)
        r = give_body(onion, x);
    ASSERT(r == 0);
    if (onion->memory)
        x->arena.max = x->arena.used + onion->memory;
    onion->result = stage_run(x->view->snapshot->root, x);
    write_request(&text, &x->request);
    text.data[text.len] = '\0';
    if (onion->result == OUTCOME_OK)
        take_answer(onion, x);
    else
        RIG_CHECK(call->rig, !x->response_body && x->response.status == 0);
    exchange_end(x, onion->result);
    (void)scope_close(&scope);
    return 0;
}

static void run(struct rig *rig)
{
    struct onion *onion = rig->user;
    struct rig_stage stages[4];
    struct call call = { .task = { .run = call_run }, .rig = rig, .onion = onion };
    unsigned count = 0;

    if (onion->outside)
        stages[count++] = (struct rig_stage){ onion->outside, NULL };
    stages[count++] = (struct rig_stage){ onion->type, onion->conf };
    if (onion->inside)
        stages[count++] = (struct rig_stage){ onion->inside, NULL };
    if (!onion->innermost)
        stages[count++] = (struct rig_stage){ &CORE, onion };
    (void)rig_snapshot(rig, stages, count);
    rig_on_worker(rig, 0, &call.task);
    worker_leave_all(&rig->workers[0]);
    (void)snapshots_sweep(&rig->snapshots);
}

void onion_run(struct onion *onion)
{
    struct settings *settings = onion->conf ? NULL : settings_load(onion->type, onion->yaml);

    if (settings && !settings->conf)
        fail_msg("%s: %s", onion->yaml, settings->text);
    if (settings)
        onion->conf = settings->conf;
    rig_run(run, 1, onion);
    if (settings) {
        settings_free(settings);
        onion->conf = NULL;
    }
}

void onion_run_short(struct onion *onion)
{
    char after[sizeof(onion->after)];

    onion_run(onion);
    assert_int_equal(onion->result, OUTCOME_OK);
    memcpy(after, onion->after, sizeof(after));
    onion->result = OUTCOME_OVERLOAD;
    for (onion->memory = 16; onion->result != OUTCOME_OK; onion->memory += 16) {
        onion->seen[0] = '\0';
        onion_run(onion);
        if (onion->result != OUTCOME_OVERLOAD && onion->result != OUTCOME_OK)
            fail_msg("%s with %zu bytes: %s", onion->yaml, onion->memory, outcome_info(onion->result)->name.data);
        assert_string_equal(onion->after, after);
        assert_true(onion->memory < EXCHANGE_ARENA_MAX);
    }
    assert_true(onion->memory > 32); /* it lacked some at least once */
}
