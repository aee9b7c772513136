#include "chassis/fakes.h"

#include "base/alloc.h"

struct fake {
    struct list_node node; /* in service->fakes */
    weft_faker *faker;     /* NULL: nobody listens */
    void *user;
    char name[CHASSIS_NAME_MAX + 1];
};

static struct fake *find(const struct weft_service *service, struct bytes name)
{
    LIST_EACH (&service->fakes, node, next) {
        struct fake *fake = container_of(node, struct fake, node);

        if (bytes_equal_ci(bytes_of_text(fake->name), name))
            return fake;
    }
    return NULL;
}

int weft_fake(struct weft_service *service, const char *name, weft_faker *faker, void *user)
{
    struct fake *fake;

    if (!service_is(service) || !service_name_fine(name))
        return -EINVAL;
    if (service->chassis->started)
        return -EBUSY;
    fake = find(service, bytes_of_text(name));
    if (!fake) {
        if (service->fake_count == CHASSIS_FAKES_MAX)
            return -ENOSPC;
        fake = mem_zalloc(sizeof(*fake));
        if (!fake)
            return -ENOMEM;
        memcpy(fake->name, name, strlen(name) + 1);
        list_push_back(&service->fakes, &fake->node);
        service->fake_count++;
    }
    fake->faker = faker;
    fake->user = user;
    return 0;
}

void fakes_free(struct weft_service *service)
{
    LIST_EACH (&service->fakes, node, next) {
        list_remove(node);
        mem_free(container_of(node, struct fake, node));
    }
}

const char *weft_faked_header(const struct weft_faked *faked, const char *name)
{
    return faked ? reply_head_find(faked->head, name) : NULL;
}

/* --- an answer ------------------------------------------------------------------------------------------------ */

static const struct weft_reply_head *copy_headers(struct weft_call *call, const struct weft_header *headers,
                                                  size_t count, const char *type)
{
    struct weft_reply_head *head = arena_alloc(&call->memory, sizeof(*head) + (count + 1) * sizeof(head->fields[0]));

    if (!head)
        return NULL;
    head->count = 0;
    if (type && type[0] != '\0') {
        head->fields[head->count].name = "Content-Type";
        head->fields[head->count++].value = type;
    }
    for (size_t i = 0; i < count; i++) {
        head->fields[head->count].name = headers[i].name;
        head->fields[head->count++].value = headers[i].value;
    }
    return head;
}

static int ask(struct weft_call *call, const struct url *url, const struct weft_content *content,
               const struct weft_request_options *options, struct weft_faked *faked)
{
    struct bytes path = url->path.len > 0 ? url->path : BYTES("/"), text;

    if (arena_format(&call->memory, &text, BYTES_FMT "%s" BYTES_FMT "%c", BYTES_ARG(path), url->query.data ? "?" : "",
                     BYTES_ARG(url->query), 0) < 0)
        return -ENOMEM;
    faked->path = text.data;
    faked->body.data = call_text(call, content ? bytes_of(content->data, content->len) : BYTES_NONE);
    faked->body.len = content ? content->len : 0;
    faked->type = !content ? "" : content->type ? content->type : "application/octet-stream";
    faked->head = copy_headers(call, options->headers, options->header_count, faked->type);
    return faked->body.data && faked->head ? 0 : -ENOMEM;
}

static int take(struct weft_call *call, const struct weft_faked *faked, struct weft_reply *ret)
{
    const char *body = faked->answer ? faked->answer : "";
    const struct weft_reply_head *head;

    if (faked->error < 0)
        return faked->error;
    if (faked->status < 200 || faked->status > 599 || (!faked->answer_headers && faked->answer_header_count > 0))
        return -EPROTO;
    head = copy_headers(call, faked->answer_headers, faked->answer_header_count, faked->answer_type);
    if (!head)
        return -ENOMEM;
    if (strlen(body) > call->service->body_max)
        return -EMSGSIZE;
    *ret = (struct weft_reply){ .status = faked->status, .reason = "", .body = { body, strlen(body) }, .head = head };
    return 0;
}

int fake_answer(struct weft_call *call, const char *method, const struct url *url, const struct weft_content *content,
                const struct weft_request_options *options, struct weft_reply *ret)
{
    struct weft_faked faked = { .call = call, .method = method, .status = 200, .answer_type = "application/json" };
    const struct fake *fake = find(call->service, url->host);
    struct scope scope;
    int64_t timeout_ns = options->timeout_ms * NS_PER_MS;
    int r;

    if (!fake)
        return -EDESTADDRREQ;
    if (!fake->faker)
        return -ECONNREFUSED;
    r = ask(call, url, content, options, &faked);
    if (r < 0)
        return r;
    scope_open(&scope, timeout_ns > 0 ? loop_after(call->service->worker.loop, timeout_ns) : TIME_NEVER);
    r = fiber_yield(); /* as a real one, it lets others run, and it fails when the time is up */
    if (r == 0)
        fake->faker(&faked, fake->user);
    if (r == 0 && scope.ended)
        r = scope.ended;
    (void)scope_close(&scope);
    return r < 0 ? r : take(call, &faked, ret);
}
