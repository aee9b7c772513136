/* What the supervisor says to the serving process: see app/serving.h. */
#include "app/serving.h"

#include "base/alloc.h"

static struct serving *of_link(struct link *link)
{
    return container_of(link, struct serving, link);
}

void serving_send(struct serving *serving, const struct message *message)
{
    int r = link_send(&serving->link, message, -1);

    if (r < 0 && r != -EPIPE)
        log_say(&serving->log, "the supervisor can't be told '" BYTES_FMT "': %s",
                BYTES_ARG(message_info(message->type)->name), app_reason(r));
}

void serving_wake(struct serving *serving)
{
    if (serving->idle)
        fiber_wake(serving->idle);
}

static char *copy(struct bytes text)
{
    return mem_copy_text(text.data, text.len);
}

/* --- texts ---------------------------------------------------------------------------------------------------- */

void serving_text_free(struct serving_version *version)
{
    LIST_EACH (&version->texts, node, next) {
        struct serving_text *text = container_of(node, struct serving_text, node);

        list_remove(&text->node);
        mem_free(text->name);
        mem_free(text->content);
        mem_free(text);
    }
    version->count = 0;
}

static struct serving_text *text_of(struct serving_version *version, struct bytes name)
{
    struct serving_text *text;

    LIST_EACH (&version->texts, node, next) {
        text = container_of(node, struct serving_text, node);
        if (bytes_equal(bytes_of_text(text->name), name))
            return text;
    }
    text = mem_zalloc(sizeof(*text));
    if (!text)
        return NULL;
    list_push_back(&version->texts, &text->node);
    text->name = copy(name);
    version->count++;
    return text->name ? text : NULL;
}

static int take_text(struct serving *serving, const struct message *message)
{
    struct serving_version *version = &serving->incoming;
    struct serving_text *text;
    char *grown;

    if (version->version != message->version) {
        serving_text_free(version);
        version->version = message->version;
    }
    text = text_of(version, message->name);
    if (!text)
        return -ENOMEM;
    if (text->len + message->payload.len > CONF_TEXT_MAX)
        return -EFBIG;
    grown = mem_realloc(text->content, text->len + message->payload.len + 1);
    if (!grown)
        return -ENOMEM;
    text->content = grown;
    if (message->payload.len > 0)
        memcpy(grown + text->len, message->payload.data, message->payload.len);
    text->len += message->payload.len;
    return 0;
}

static int take_apply(struct serving *serving, const struct message *message)
{
    if (serving->incoming.version != message->version || serving->incoming.count != message->count)
        return -EBADMSG;
    if (!serving->started || serving->compiled || list_empty(&serving->incoming.texts))
        return -EPROTO;
    serving_compile(serving, message->version);
    return 0;
}

/* --- listeners ------------------------------------------------------------------------------------------------ */

void serving_listener_free(struct serving *serving, struct serving_listener *listener)
{
    if (listener->descriptor >= 0)
        serving->loop.io->ops->descriptor_close(serving->loop.io, listener->descriptor);
    list_remove(&listener->node);
    mem_free(listener->name);
    mem_free(listener->scheme);
    mem_free(listener);
}

/* The place before is kept: a version that is refused gives the new one up again. */
static void note_control(struct serving *serving, uint64_t id, struct bytes address)
{
    struct serving_place *places = serving->control_places;
    struct bytes fits = bytes_slice(address, 0, ADDRESS_TEXT_MAX - 1);

    places[1] = places[0];
    places[0] = (struct serving_place){ .id = id };
    if (fits.len > 0)
        memcpy(places[0].address, fits.data, fits.len);
}

static void forget_control(struct serving *serving, uint64_t id)
{
    struct serving_place *places = serving->control_places;

    if (places[0].id == id)
        places[0] = places[1];
    else if (places[1].id != id)
        return;
    places[1] = (struct serving_place){ 0 };
}

static int take_listener(struct serving *serving, const struct message *message, int descriptor)
{
    struct serving_listener *listener = mem_zalloc(sizeof(*listener));

    if (!listener) {
        serving->loop.io->ops->descriptor_close(serving->loop.io, descriptor);
        return -ENOMEM;
    }
    listener->id = message->id;
    listener->worker = (unsigned)MIN(message->worker, (uint64_t)WORKERS_MAX);
    listener->descriptor = descriptor;
    listener->name = copy(message->name);
    listener->scheme = copy(message->scheme);
    list_push_back(&serving->opening, &listener->node);
    if (bytes_equal(message->name, BYTES(CONTROL_GATEWAY)))
        note_control(serving, message->id, message->address);
    if (listener->name && listener->scheme)
        return 0;
    serving_listener_free(serving, listener);
    return -ENOMEM;
}

static int take_unlisten(struct serving *serving, const struct message *message)
{
    struct serving_listener *listener;

    forget_control(serving, message->id);
    LIST_EACH (&serving->opening, node, next) {
        listener = container_of(node, struct serving_listener, node);
        if (listener->id == message->id) {
            serving_listener_free(serving, listener);
            return 0;
        }
    }
    listener = mem_zalloc(sizeof(*listener));
    if (!listener)
        return -ENOMEM;
    listener->id = message->id;
    listener->descriptor = -1;
    list_push_back(&serving->closing, &listener->node);
    serving_wake(serving);
    return 0;
}

/* --- instances ------------------------------------------------------------------------------------------------ */

static void instance_free(struct serving_instance *instance)
{
    list_remove(&instance->node);
    mem_free(instance->service);
    mem_free(instance->name);
    mem_free(instance->state);
    mem_free(instance->place);
    mem_free(instance->note);
    mem_free(instance);
}

static struct serving_instance *instance_of(struct serving *serving, const struct message *message)
{
    struct serving_instance *instance;

    LIST_EACH (&serving->instances, node, next) {
        instance = container_of(node, struct serving_instance, node);
        if (bytes_equal(bytes_of_text(instance->name), message->name))
            return instance;
    }
    instance = mem_zalloc(sizeof(*instance));
    if (!instance)
        return NULL;
    list_push_back(&serving->instances, &instance->node);
    instance->service = copy(message->service);
    instance->name = copy(message->name);
    if (instance->service && instance->name)
        return instance;
    instance_free(instance);
    return NULL;
}

static int take_instance(struct serving *serving, const struct message *message)
{
    struct serving_instance *instance = instance_of(serving, message);
    char *state = copy(message->state), *place = copy(message->address), *note = copy(message->payload);

    if (!instance || !state || !place || !note) {
        mem_free(state);
        mem_free(place);
        mem_free(note);
        return -ENOMEM;
    }
    mem_free(instance->state);
    mem_free(instance->place);
    mem_free(instance->note);
    instance->state = state;
    instance->place = place;
    instance->note = note;
    instance->pid = message->pid;
    instance->restarts = message->restarts;
    if (address_parse(message->address, &instance->address) < 0)
        instance->address.family = ADDRESS_NONE;
    if (!bytes_equal(message->state, BYTES("leaving"))) {
        instance->leaving_ns = 0;
        instance->left = false;
    } else if (instance->leaving_ns == 0) {
        instance->leaving_ns = loop_clock(&serving->loop);
        timer_set(&serving->loop, &serving->leaving, instance->leaving_ns);
    }
    if (bytes_equal(message->state, BYTES("gone")))
        instance_free(instance);
    return endpoints_apply(serving, message->service);
}

static void run_free(struct serving_run *run)
{
    list_remove(&run->node);
    mem_free(run->service);
    mem_free(run->warning);
    mem_free(run);
}

static int take_run(struct serving *serving, const struct message *message)
{
    struct serving_run *run = mem_zalloc(sizeof(*run));

    if (!run)
        return -ENOMEM;
    LIST_EACH (&serving->runs, node, next)
        if (bytes_equal(bytes_of_text(container_of(node, struct serving_run, node)->service), message->service))
            run_free(container_of(node, struct serving_run, node));
    list_push_back(&serving->runs, &run->node);
    run->service = copy(message->service);
    run->warning = copy(message->payload);
    run->scale = message->count;
    run->chosen = message->ok;
    if (run->service && run->warning)
        return 0;
    run_free(run);
    return -ENOMEM;
}

/* --- questions ------------------------------------------------------------------------------------------------ */

static int take_result(struct serving *serving, const struct message *message)
{
    LIST_EACH (&serving->questions, node, next) {
        struct serving_question *question = container_of(node, struct serving_question, node);

        if (question->id != message->id)
            continue;
        question->answered = true;
        question->ok = message->ok;
        question->text = copy(message->payload);
        question->len = question->text ? message->payload.len : 0;
        fiber_wake(question->fiber);
    }
    return 0;
}

int serving_ask(struct serving *serving, struct message *message, struct serving_question *question)
{
    int64_t limit_ns = serving->loop.now_ns + ASK_LIMIT_NS;
    int r;

    *question = (struct serving_question){ .id = ++serving->last_question, .fiber = fiber_current() };
    message->id = question->id;
    r = link_send(&serving->link, message, -1);
    if (r < 0)
        return r;
    list_push_back(&serving->questions, &question->node);
    while (r == 0 && !question->answered)
        r = fiber_park(limit_ns);
    list_remove(&question->node);
    return r;
}

/* --- all of it ------------------------------------------------------------------------------------------------ */

static void received(struct link *link, const struct message *message, int descriptor)
{
    struct serving *serving = of_link(link);
    int r = 0;

    switch (message->type) {
    case MESSAGE_START: r = serving_start(serving, message); break;
    case MESSAGE_LISTENER: r = take_listener(serving, message, descriptor); break;
    case MESSAGE_UNLISTEN: r = take_unlisten(serving, message); break;
    case MESSAGE_TEXT: r = take_text(serving, message); break;
    case MESSAGE_INSTANCE: r = take_instance(serving, message); break;
    case MESSAGE_RUN: r = take_run(serving, message); break;
    case MESSAGE_APPLY: r = take_apply(serving, message); break;
    case MESSAGE_RESULT: r = take_result(serving, message); break;
    case MESSAGE_DRAIN:
        serving->drain_wanted = true;
        serving->drain_limit_ns = (int64_t)MIN(message->limit_ns, (uint64_t)DRAIN_LIMIT_NS);
        serving_wake(serving);
        break;
    default: break;
    }
    if (r < 0) /* what can't be taken is worth a new process: the supervisor tells it everything again */
        serving_lost(serving, message_info(message->type)->name.data, r);
}

static void odd(struct link *link, int error)
{
    log_say(&of_link(link)->log, "supervisor: a message was not understood: %s", app_reason(error));
}

static void ended(struct link *link)
{
    struct serving *serving = of_link(link);

    log_say(&serving->log, "the supervisor is gone: ending soon");
    serving->drain_wanted = true;
    serving->drain_limit_ns = SHORT_DRAIN_NS;
    serving_wake(serving);
}

const struct link_ops SERVING_LINK_OPS = { .received = received, .odd = odd, .ended = ended };

void serving_forget(struct serving *serving)
{
    serving_text_free(&serving->incoming);
    LIST_EACH (&serving->opening, node, next)
        serving_listener_free(serving, container_of(node, struct serving_listener, node));
    LIST_EACH (&serving->closing, node, next)
        serving_listener_free(serving, container_of(node, struct serving_listener, node));
    LIST_EACH (&serving->instances, node, next)
        instance_free(container_of(node, struct serving_instance, node));
    LIST_EACH (&serving->runs, node, next)
        run_free(container_of(node, struct serving_run, node));
}
