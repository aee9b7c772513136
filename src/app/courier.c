/* The serving process, and what it is told: see app/supervisor.h. */
#include "app/supervisor.h"

#include "base/alloc.h"

static struct supervisor *of_link(struct link *link)
{
    return container_of(link, struct supervisor, link);
}

/* A process that takes no messages is stuck: the next one will take them. */
static void tell(struct supervisor *supervisor, const struct message *message, int descriptor)
{
    int r;

    if (!io_socket_is(supervisor->link.socket))
        return;
    r = link_send(&supervisor->link, message, descriptor);
    if (r == 0)
        return;
    log_say(&supervisor->log, "serving process: can't be told '" BYTES_FMT "': %s; it is started anew",
            BYTES_ARG(message_info(message->type)->name), app_reason(r));
    link_close(&supervisor->link);
    child_kill(&supervisor->serving, 9);
}

/* --- what it is told ------------------------------------------------------------------------------------------ */

void courier_listener(struct supervisor *supervisor, const struct listening *listening)
{
    struct io *io = supervisor->loop.io;
    char memory[ADDRESS_TEXT_MAX];
    struct text text = text_into(memory, sizeof(memory));
    struct message message = { .type = MESSAGE_LISTENER,
                               .id = listening->id,
                               .name = listening->plan->name,
                               .scheme = listening->plan->scheme,
                               .worker = listening->worker };

    address_write(&text, &listening->address);
    message.address = text_bytes(&text);
    tell(supervisor, &message, io->ops->descriptor_of(io, listening->socket));
}

void courier_unlisten(struct supervisor *supervisor, uint64_t id)
{
    const struct message message = { .type = MESSAGE_UNLISTEN, .id = id };

    tell(supervisor, &message, -1);
}

/* "leaving", "waiting" and "crash-loop" besides the lifecycle's. */
static struct bytes state_of(const struct unit *unit)
{
    enum lifecycle_state state = unit->child.life.state;

    if (unit->leaving && (state == LIFECYCLE_STARTING || state == LIFECYCLE_READY))
        return BYTES("leaving");
    if (state == LIFECYCLE_IDLE)
        return BYTES("waiting");
    if (state == LIFECYCLE_BACKING_OFF && child_crash_loops(&unit->child))
        return BYTES("crash-loop");
    return lifecycle_state_name(state);
}

/* What a person wants to know besides: whom it waits for, or how it ended last. */
static void write_note(struct supervisor *supervisor, const struct unit *unit, struct text *text)
{
    if (unit->child.life.state == LIFECYCLE_IDLE)
        (void)units_wait_for(supervisor, unit, text);
    else
        text_add(text, bytes_of_text(unit->child.last_exit));
}

void courier_unit(struct supervisor *supervisor, const struct unit *unit)
{
    enum lifecycle_state state = unit->child.life.state;
    char memory[ADDRESS_TEXT_MAX];
    struct text text = text_into(memory, sizeof(memory));
    struct message message = { .type = MESSAGE_INSTANCE,
                               .service = unit->plan->name,
                               .name = bytes_of_text(unit->name),
                               .pid = lifecycle_has_process(state) ? (uint64_t)unit->child.process.pid : 0,
                               .restarts = unit->child.life.restarts };
    char note_memory[CHILD_EXIT_MAX];
    struct text note = text_into(note_memory, sizeof(note_memory));

    address_write(&text, &unit->address);
    message.address = text_bytes(&text);
    message.state = state_of(unit);
    write_note(supervisor, unit, &note);
    message.payload = text_bytes(&note);
    tell(supervisor, &message, -1);
}

void courier_service(struct supervisor *supervisor, const struct plan_service *plan)
{
    char memory[FAULT_TEXT_MAX];
    struct text warning = text_into(memory, sizeof(memory));
    struct message message = { .type = MESSAGE_RUN, .service = plan->name };

    message.count = scales_of(&supervisor->scales, plan, &message.ok);
    limits_write_warning(supervisor, plan, &warning);
    message.payload = text_bytes(&warning);
    tell(supervisor, &message, -1);
}

static void tell_text(struct supervisor *supervisor, uint64_t version, const struct loaded_text *text)
{
    struct bytes rest = text->content;

    do {
        struct message message = { .type = MESSAGE_TEXT, .version = version, .name = text->file };

        message.payload = bytes_slice(rest, 0, TEXT_PART_MAX);
        rest = bytes_skip(rest, TEXT_PART_MAX);
        tell(supervisor, &message, -1);
    } while (rest.len > 0);
}

void courier_version(struct supervisor *supervisor, const struct loaded *loaded)
{
    struct message message = { .type = MESSAGE_APPLY, .version = loaded->version, .count = loaded->text_count };

    LIST_EACH (&loaded->texts, node, next)
        tell_text(supervisor, loaded->version, container_of(node, struct loaded_text, node));
    tell(supervisor, &message, -1);
}

void courier_result(struct supervisor *supervisor, uint64_t id, bool ok, struct bytes text)
{
    const struct message message = {
        .type = MESSAGE_RESULT, .id = id, .ok = ok, .payload = bytes_slice(text, 0, TEXT_PART_MAX)
    };

    if (id > 0)
        tell(supervisor, &message, -1);
}

void courier_drain(struct supervisor *supervisor)
{
    const struct message message = { .type = MESSAGE_DRAIN, .limit_ns = DRAIN_LIMIT_NS };

    tell(supervisor, &message, -1);
}

/* Everything, to a process that knows nothing yet. */
static void introduce(struct supervisor *supervisor)
{
    const struct message start = { .type = MESSAGE_START,
                                   .count = supervisor->workers,
                                   .pid = (uint64_t)supervisor->serving.process.pid,
                                   .ok = !supervisor->current,
                                   .state = bytes_of_text(supervisor->state),
                                   .name = bytes_of_text(supervisor->folder),
                                   .payload = bytes_of(&supervisor->secret, sizeof(supervisor->secret)) };
    struct loaded *loaded = supervisor->current ? supervisor->current : supervisor->pending;

    tell(supervisor, &start, -1);
    LIST_EACH (&supervisor->listenings, node, next)
        courier_listener(supervisor, container_of(node, struct listening, node));
    LIST_EACH (&supervisor->units, node, next)
        courier_unit(supervisor, container_of(node, struct unit, node));
    for (unsigned i = 0; loaded && i < loaded->plan.service_count; i++)
        courier_service(supervisor, &loaded->plan.services[i]);
    if (loaded)
        courier_version(supervisor, loaded);
}

/* --- what it tells -------------------------------------------------------------------------------------------- */

static void health_changed(struct supervisor *supervisor, const struct message *message)
{
    struct unit *unit = unit_find(supervisor, message->name);

    if (unit)
        child_ready(&unit->child, message->ok);
}

static void hung(struct supervisor *supervisor, const struct message *message)
{
    struct unit *unit = unit_find(supervisor, message->name);

    if (!unit || (uint64_t)unit->child.process.pid != message->pid)
        return; /* it has been started anew already */
    if (unit->child.life.state == LIFECYCLE_STARTING || unit->child.life.state == LIFECYCLE_READY)
        log_say(&supervisor->log, "%s: its liveness check fails (" BYTES_FMT "): it is started anew", unit->name,
                BYTES_ARG(message->payload));
    child_hung(&unit->child);
}

static void left(struct supervisor *supervisor, const struct message *message)
{
    struct unit *unit = unit_find(supervisor, message->name);

    if (!unit || !unit->leaving || (uint64_t)unit->child.process.pid != message->pid)
        return;
    timer_stop(&supervisor->loop, &unit->leave);
    child_stop(&unit->child); /* may free it */
}

static void outside_changed(struct supervisor *supervisor, const struct message *message)
{
    struct outside *outside = NULL;

    LIST_EACH (&supervisor->outsides, node, next)
        if (bytes_equal(bytes_of_text(container_of(node, struct outside, node)->name), message->service))
            outside = container_of(node, struct outside, node);
    if (!outside) {
        outside = message->service.len <= CONF_NAME_MAX ? mem_zalloc(sizeof(*outside)) : NULL;
        if (!outside)
            return;
        memcpy(outside->name, message->service.data, message->service.len);
        list_push_back(&supervisor->outsides, &outside->node);
    }
    outside->ready = (unsigned)message->count;
    units_start_waiting(supervisor);
}

static void requested(struct supervisor *supervisor, const struct message *message)
{
    if (bytes_equal(message->name, BYTES("apply")))
        reload_begin(supervisor, message->id);
    else if (bytes_equal(message->name, BYTES("diff")))
        differences_tell(supervisor, message->id);
    else if (bytes_equal(message->name, BYTES("down"))) {
        courier_result(supervisor, message->id, true, BYTES("stopping"));
        supervisor_stop(supervisor);
    } else
        courier_result(supervisor, message->id, false, BYTES("no such request"));
}

static void received(struct link *link, const struct message *message, int descriptor)
{
    struct supervisor *supervisor = of_link(link);

    switch (message->type) {
    case MESSAGE_APPLIED: reload_applied(supervisor, message->version); break;
    case MESSAGE_REFUSED: reload_refused(supervisor, message->version, message->payload); break;
    case MESSAGE_HEALTH: health_changed(supervisor, message); break;
    case MESSAGE_HUNG: hung(supervisor, message); break;
    case MESSAGE_LEFT: left(supervisor, message); break;
    case MESSAGE_OUTSIDE: outside_changed(supervisor, message); break;
    case MESSAGE_SCALE: scaling_begin(supervisor, message->id, message->service, message->count); break;
    case MESSAGE_REQUEST: requested(supervisor, message); break;
    default: break; /* those that only we send are not decoded */
    }
}

static void odd(struct link *link, int error)
{
    log_say(&of_link(link)->log, "serving process: a message was not understood: %s", app_reason(error));
}

/* Its end follows, or has come already. */
static void ended(struct link *link)
{
}

static const struct link_ops LINK_OPS = { .received = received, .odd = odd, .ended = ended };

/* --- its life ------------------------------------------------------------------------------------------------- */

static int spawn(struct child *child, int out, int err, struct process *ret)
{
    static const char *const ARGV[] = { "/proc/self/exe", "serve", NULL };
    struct supervisor *supervisor = container_of(child, struct supervisor, serving);
    struct io *io = child->loop->io;
    struct command command = { .argv = ARGV, .env = supervisor->app->env, .out = out, .err = err, .new_group = true };
    struct io_socket ours;
    int theirs, r = io->ops->pair(io, &ours, &theirs);

    if (r < 0)
        return r;
    r = link_open(&supervisor->link, child->loop, ours, MESSAGE_BY_SERVING, &LINK_OPS);
    command.descriptors = &theirs;
    command.descriptor_count = 1;
    if (r == 0)
        r = io->ops->spawn(io, &command, ret);
    io->ops->descriptor_close(io, theirs);
    if (r < 0)
        link_close(&supervisor->link);
    return r;
}

static void say_wait(struct supervisor *supervisor)
{
    const struct lifecycle *life = &supervisor->serving.life;

    if (supervisor->serving.spawn_error < 0)
        log_say(&supervisor->log, "serving process: can't be started: %s", app_reason(supervisor->serving.spawn_error));
    if (life->wait_ns == 0)
        log_say(&supervisor->log, "serving process: is started again; listeners and services live on");
    else
        log_say(&supervisor->log, "serving process: dies again and again (%u times in a row): next try in %lld s",
                life->backoff.failures, (long long)(life->wait_ns / NS_PER_S));
}

static void changed(struct child *child)
{
    struct supervisor *supervisor = container_of(child, struct supervisor, serving);

    switch (child->life.state) {
    case LIFECYCLE_STARTING:
        if (!supervisor->introduced) {
            supervisor->introduced = true;
            introduce(supervisor);
        }
        break;
    case LIFECYCLE_BACKING_OFF:
        supervisor->introduced = false;
        link_close(&supervisor->link);
        if (supervisor->stopping) {
            child_stop(child);
            break;
        }
        say_wait(supervisor);
        reload_serving_died(supervisor);
        break;
    case LIFECYCLE_GONE:
        link_close(&supervisor->link);
        supervisor_stopped_one(supervisor);
        break;
    default: break;
    }
}

static const struct child_ops SERVING_OPS = { .spawn = spawn, .changed = changed };

void courier_start(struct supervisor *supervisor)
{
    child_init(&supervisor->serving, &SERVING_OPS, &supervisor->loop, &supervisor->log, BYTES("serving process"), false,
               RESTARTS_FREE);
    child_start(&supervisor->serving);
}
