/* Requests of a test: exchanges without a source, through the service's stage, on its loop, on the thread that asks. */
#include "base/alloc.h"
#include "chassis/service.h"
#include "chassis/url.h"
#include "exchange/snapshot.h"
#include "http/forward.h"
#include "http/problem.h"

#define FIELDS_SENT 4

/* All that is under way at a time. */
struct trial {
    struct weft_service *service;
    struct task task;
    bool ended;
    int (*run)(struct trial *trial); /* on a fiber, within the scope of the background */
    const struct weft_test_request *requests;
    struct weft_test_answer *answers;
    size_t count;
    const char *name; /* of a task */
    int result;
};

struct one {
    struct task task;
    struct trial *trial;
    size_t index;
    int result;
};

/* --- a request ------------------------------------------------------------------------------------------------ */

static struct bytes body_of(const struct weft_test_request *request)
{
    return request->json ? bytes_of_text(request->json) : bytes_of(request->body, request->body_len);
}

static struct bytes type_of(const struct weft_test_request *request)
{
    if (request->type)
        return bytes_of_text(request->type);
    return request->json ? BYTES("application/json") : BYTES_NONE;
}

static int parse_target(struct exchange *x, const char *path, struct url *ret)
{
    struct bytes text;

    if (!path || path[0] != '/' || strlen(path) > CHASSIS_URL_MAX)
        return -EINVAL;
    if (arena_format(&x->arena, &text, "http://test%s", path) < 0)
        return -ENOMEM;
    return url_parse(text, ret);
}

static int add_fields(struct exchange *x, const struct weft_test_request *request)
{
    struct http_head *head = &x->request;
    int r = exchange_head_room(x, head, FIELDS_SENT + (unsigned)request->header_count);

    if (r == 0)
        r = http_head_add(head, HTTP_FIELD_HOST, BYTES("test"));
    if (r == 0 && type_of(request).len > 0)
        r = http_head_add(head, HTTP_FIELD_CONTENT_TYPE, type_of(request));
    for (size_t i = 0; r == 0 && i < request->header_count; i++) {
        struct bytes name = bytes_of_text(request->headers[i].name), value = bytes_of_text(request->headers[i].value);

        r = http_is_token(name) && http_is_field_value(value) ? http_head_add_named(head, name, value) : -EINVAL;
    }
    return r;
}

static int add_body(struct exchange *x, struct bytes content)
{
    struct body_memory *memory;

    if (content.len == 0)
        return 0;
    x->request.framing = HTTP_BODY_LENGTH;
    x->request.has_content_length = true;
    x->request.content_length = content.len;
    memory = arena_alloc(&x->arena, sizeof(*memory));
    if (!memory)
        return -ENOMEM;
    body_memory_init(memory, content);
    return exchange_set_request_body(x, &memory->body);
}

static int build(struct exchange *x, const struct weft_test_request *request)
{
    struct bytes content = body_of(request);
    struct bytes method = request->method   ? bytes_of_text(request->method)
                          : content.len > 0 ? BYTES("POST")
                                            : BYTES("GET");
    struct http_head *head = &x->request;
    struct url url;
    int r = http_is_token(method) && (content.data || content.len == 0) ? parse_target(x, request->path, &url)
                                                                        : -EINVAL;

    if (r == 0)
        r = add_fields(x, request);
    if (r < 0)
        return r;
    head->method = http_method_of(method);
    head->method_text = method;
    head->target = head->path = url.path;
    head->query = url.query;
    head->authority = url.authority;
    head->minor = 1;
    head->keep_alive = true;
    x->scheme = BYTES("http");
    x->client = BYTES("test");
    r = http_trace_begin(x);
    return r == 0 ? add_body(x, content) : r;
}

/* --- its answer ----------------------------------------------------------------------------------------------- */

static int grow(struct arena *memory, struct text *text, size_t more)
{
    size_t room = MAX(text->max * 2, text->len + more + 1);
    char *next;

    if (text->data && text->len + more < text->max)
        return 0;
    next = arena_alloc(memory, room);
    if (!next)
        return -EMSGSIZE;
    if (text->data)
        memcpy(next, text->data, text->len);
    text->data = next;
    text->max = room;
    return 0;
}

static int read_body(struct exchange *x, struct arena *memory, struct weft_bytes *ret)
{
    struct text text = text_into(NULL, 0);
    struct bytes chunk;
    int r = grow(memory, &text, 0);

    while (r == 0 && x->response_body && (r = body_read(x->response_body, &chunk)) > 0) {
        r = grow(memory, &text, chunk.len);
        if (r == 0)
            text_add(&text, chunk);
    }
    if (r < 0)
        return r;
    text.data[text.len] = '\0';
    *ret = (struct weft_bytes){ text.data, text.len };
    return 0;
}

static int take_answer(struct exchange *x, struct weft_test_answer *answer)
{
    struct arena *memory = answer->memory;
    const char *type;
    int r = reply_head_copy(memory, &x->response, &answer->head);

    if (r == 0 && x->request.method != HTTP_HEAD)
        r = read_body(x, memory, &answer->body);
    if (r < 0)
        return r;
    type = reply_head_find(answer->head, "Content-Type");
    answer->type = type ? type : "";
    answer->status = x->response.status;
    return 0;
}

static int ask(struct exchange *x, const struct weft_test_request *request, struct weft_test_answer *answer,
               enum outcome *ret_outcome)
{
    int r = build(x, request);

    if (r < 0)
        return r;
    *ret_outcome = stage_run(x->view->snapshot->root, x);
    if (*ret_outcome != OUTCOME_OK)
        r = http_problem(x, *ret_outcome, BYTES_NONE);
    return r == 0 ? take_answer(x, answer) : r;
}

static int one_run(struct task *task)
{
    struct one *one = container_of(task, struct one, task);
    struct worker *worker = &one->trial->service->worker;
    enum outcome outcome = OUTCOME_INTERNAL;
    struct exchange *x;
    struct scope scope;

    scope_open(&scope, TIME_NEVER);
    one->result = exchange_create(worker, NULL, &scope, &x);
    if (one->result == 0) {
        one->result = ask(x, &one->trial->requests[one->index], &one->trial->answers[one->index], &outcome);
        exchange_end(x, one->result == 0 ? outcome : OUTCOME_CANCELED);
    }
    (void)scope_close(&scope);
    return 0;
}

static int requests_run(struct trial *trial)
{
    struct one *all = mem_zalloc(trial->count * sizeof(*all));
    struct scope scope;
    struct task *done;
    int r = 0;

    if (!all)
        return -ENOMEM;
    scope_open(&scope, TIME_NEVER); /* each call has a limit */
    for (size_t i = 0; i < trial->count; i++) {
        all[i] = (struct one){ .task = { .run = one_run }, .trial = trial, .index = i };
        all[i].result = scope_spawn(&scope, &all[i].task);
    }
    while (scope_wait(&scope, &done) == 0)
        ;
    (void)scope_close(&scope);
    for (size_t i = 0; i < trial->count; i++) {
        if (all[i].result < 0) {
            trial->answers[i].status = 0;
            trial->answers[i].reason = reply_failed(all[i].result).reason;
        }
        r = r < 0 ? r : all[i].result;
    }
    mem_free(all);
    return r;
}

/* --- the loop ------------------------------------------------------------------------------------------------- */

static int trial_run(struct task *task)
{
    struct trial *trial = container_of(task, struct trial, task);

    background_open(trial->service->chassis);
    trial->result = trial->run(trial);
    background_close(trial->service->chassis);
    targets_done(&trial->service->targets);
    return 0;
}

static void trial_ended(struct task *task)
{
    container_of(task, struct trial, task)->ended = true;
}

static int run_trial(struct trial *trial)
{
    struct chassis *chassis = trial->service->chassis;
    int64_t next = 0;
    int r;

    trial->task = (struct task){ .run = trial_run, .ended = trial_ended };
    if (chassis->started || loop_current() == &chassis->loop || trial->service->fault[0] != '\0')
        return trial->service->fault[0] != '\0' ? -EINVAL : -EBUSY;
    chassis->testing = true;
    r = loop_spawn(&chassis->loop, &trial->task);
    if (r < 0)
        return r;
    while (!trial->ended)
        next = loop_turn(&chassis->loop, next);
    return trial->result;
}

static int give_memory(struct weft_test_answer *answer)
{
    struct arena *memory = mem_zalloc(sizeof(*memory));

    *answer = (struct weft_test_answer){ .reason = "", .type = "", .body = { "", 0 }, .memory = memory };
    if (!memory)
        return -ENOMEM;
    arena_init(memory, NULL, CHASSIS_TEST_ANSWER_MAX);
    return 0;
}

int weft_test_all(struct weft_service *service, const struct weft_test_request *requests, size_t count,
                  struct weft_test_answer *ret)
{
    struct trial trial = {
        .service = service, .run = requests_run, .requests = requests, .answers = ret, .count = count
    };
    int r = 0;

    if (!service_is(service) || !requests || !ret || count == 0 || count > WEFT_PARTS_MAX)
        return -EINVAL;
    for (size_t i = 0; i < count; i++)
        r = give_memory(&ret[i]) < 0 ? -ENOMEM : r;
    return r < 0 ? r : run_trial(&trial);
}

int weft_test(struct weft_service *service, const struct weft_test_request *request, struct weft_test_answer *ret)
{
    return weft_test_all(service, request, 1, ret);
}

void weft_test_free(struct weft_test_answer *answer)
{
    if (!answer || !answer->memory)
        return;
    arena_done(answer->memory);
    mem_free(answer->memory);
    *answer = (struct weft_test_answer){ .reason = "", .type = "", .body = { "", 0 } };
}

const char *weft_test_header(const struct weft_test_answer *answer, const char *name)
{
    return answer ? reply_head_find(answer->head, name) : NULL;
}

static int tick_run(struct trial *trial)
{
    return tasks_run_once(trial->service, trial->name);
}

int weft_test_tick(struct weft_service *service, const char *name)
{
    struct trial trial = { .service = service, .run = tick_run, .name = name };

    return service_is(service) && name ? run_trial(&trial) : -EINVAL;
}
