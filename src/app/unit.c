/* One instance of a service: see app/supervisor.h. */
#include "app/supervisor.h"

#include "base/alloc.h"
#include "base/units.h"
#include "stage/stages.h"

#include <stdio.h>

#define OWN_VARIABLES 5 /* WEFT_URL, WEFT_SERVICE, WEFT_INSTANCE, LISTEN_FDS or PORT, and the end */
#define VARIABLE_MAX 256

/* --- its environment ------------------------------------------------------------------------------------------ */

/* What we set ourselves, and must not be inherited. */
static bool is_ours(const char *variable)
{
    static const struct bytes NAMES[] = { BYTES("WEFT_URL="),   BYTES("WEFT_SERVICE="), BYTES("WEFT_INSTANCE="),
                                          BYTES("LISTEN_FDS="), BYTES("LISTEN_PID="),   BYTES("LISTEN_FDNAMES="),
                                          BYTES("PORT=") };

    for (size_t i = 0; i < ARRAY_LEN(NAMES); i++)
        if (bytes_starts(bytes_of_text(variable), NAMES[i]))
            return true;
    return false;
}

static bool is_set_by(const char *const *env, const char *variable)
{
    ssize_t end = bytes_find_char(bytes_of_text(variable), '=');
    struct bytes name = bytes_of(variable, end < 0 ? strlen(variable) : (size_t)end + 1);

    for (; *env; env++)
        if (bytes_starts(bytes_of_text(*env), name))
            return true;
    return false;
}

struct own_variables {
    char texts[OWN_VARIABLES - 1][VARIABLE_MAX];
};

/* Where it reaches the other services: by the mesh, which learns from the path who calls. It is the service's alone to
 * know: nothing of it is logged. */
static void write_url(char *memory, size_t max, const struct unit *unit)
{
    struct text text = text_into(memory, max - 1);

    text_add(&text, BYTES("WEFT_URL=http://"));
    address_write(&text, &unit->supervisor->mesh);
    text_add(&text, BYTES("/~"));
    mesh_write_credential(&text, &unit->supervisor->secret, unit->plan->name);
    memory[text.len] = '\0';
}

static void write_own(struct own_variables *own, const struct unit *unit)
{
    struct bytes service = unit->plan->name;

    write_url(own->texts[0], VARIABLE_MAX, unit);
    (void)snprintf(own->texts[1], VARIABLE_MAX, "WEFT_SERVICE=" BYTES_FMT, BYTES_ARG(service));
    (void)snprintf(own->texts[2], VARIABLE_MAX, "WEFT_INSTANCE=%s", unit->name);
    if (unit->plan->port)
        (void)snprintf(own->texts[3], VARIABLE_MAX, "PORT=%u", unit->address.port);
    else
        (void)snprintf(own->texts[3], VARIABLE_MAX, "LISTEN_FDS=1");
}

/* Ours, then the service's own, then what we inherited and nobody has set. mem_free() it. */
static const char **make_env(const struct unit *unit, struct own_variables *own)
{
    const char *const *inherited = unit->supervisor->app->env, *const *set = unit->plan->env;
    size_t room = OWN_VARIABLES, count = 0;
    const char **env;

    for (const char *const *at = inherited; *at; at++)
        room++;
    for (const char *const *at = set; *at; at++)
        room++;
    env = mem_zalloc_array(room, sizeof(*env));
    if (!env)
        return NULL;
    write_own(own, unit);
    for (size_t i = 0; i < ARRAY_LEN(own->texts); i++)
        env[count++] = own->texts[i];
    for (const char *const *at = set; *at; at++)
        if (!is_ours(*at))
            env[count++] = *at;
    for (const char *const *at = inherited; *at; at++)
        if (!is_ours(*at) && !is_set_by(set, *at))
            env[count++] = *at;
    return env;
}

/* --- its life ------------------------------------------------------------------------------------------------- */

static int spawn(struct child *child, int out, int err, struct process *ret)
{
    struct unit *unit = container_of(child, struct unit, child);
    struct io *io = child->loop->io;
    struct own_variables own;
    const char **env = make_env(unit, &own);
    struct command command = { .argv = unit->plan->argv,
                               .env = env,
                               .directory = unit->plan->directory,
                               .out = out,
                               .err = err,
                               .listen_pid = !unit->plan->port,
                               .new_group = true,
                               .files = unit->plan->limits.files };
    int descriptor, r = env ? limits_enter(unit, &command.cgroup) : -ENOMEM;

    if (r < 0) {
        mem_free(env);
        return r;
    }
    if (!unit->plan->port) {
        descriptor = io->ops->descriptor_of(io, unit->socket);
        command.descriptors = &descriptor;
        command.descriptor_count = 1;
    }
    r = io->ops->spawn(io, &command, ret);
    if (command.cgroup > 0)
        io->ops->descriptor_close(io, command.cgroup);
    mem_free(env);
    return r;
}

static void said(struct child *child, enum record_stream stream, struct bytes line)
{
    struct unit *unit = container_of(child, struct unit, child);

    if (unit->record)
        record_line(&unit->supervisor->recorder, unit->record, child->name, stream, line);
}

static void ended(struct child *child, struct text *text)
{
    struct unit *unit = container_of(child, struct unit, child);

    if (!limits_killed(unit))
        return;
    text_add(text, BYTES(" (out of memory: its limit is "));
    size_write(text, unit->plan->limits.memory);
    text_add_char(text, ')');
}

/* "has died 3 times within 4 s, the last time it ended with status 1 0.2 s after its start; its last lines:" */
static void say_crash_loop(struct unit *unit)
{
    const struct child *child = &unit->child;
    const struct child_tail *tail = &child->tail;
    struct log *log = &unit->supervisor->log;
    unsigned count = MIN(tail->count, (unsigned)CHILD_TAIL_LINES);
    int64_t within_s = (child->ended_ns - child->crashing_ns) / NS_PER_S + 1;

    log_say(log, "%s: has died %u times within %lld s, the last time it %s; %s", unit->name,
            child->life.backoff.failures, (long long)within_s, child->last_exit,
            count > 0 ? "its last lines:" : "it wrote nothing");
    for (unsigned i = tail->count - count; i < tail->count; i++)
        log_say(log, "%s:   %.*s", unit->name, tail->len[i % CHILD_TAIL_LINES], tail->lines[i % CHILD_TAIL_LINES]);
}

static void say_wait(struct unit *unit)
{
    char memory[32];
    struct text text = text_into(memory, sizeof(memory));

    duration_write(&text, unit->child.life.wait_ns);
    if (child_crash_loops(&unit->child))
        say_crash_loop(unit);
    if (unit->child.spawn_error < 0)
        log_say(&unit->supervisor->log, "%s: can't start %s: %s", unit->name, unit->plan->argv[0],
                app_reason(unit->child.spawn_error));
    log_say(&unit->supervisor->log, "%s: starts again in " BYTES_FMT, unit->name, BYTES_ARG(text_bytes(&text)));
}

static void say_start(struct unit *unit)
{
    struct log *log = &unit->supervisor->log;

    if (unit->said_pid == unit->child.process.pid)
        log_say(log, "%s: not ready any more", unit->name);
    else
        log_say(log, "%s: started, pid %lld", unit->name, (long long)unit->child.process.pid);
    unit->said_pid = unit->child.process.pid;
}

static void changed(struct child *child)
{
    struct unit *unit = container_of(child, struct unit, child);
    struct supervisor *supervisor = unit->supervisor;

    courier_unit(supervisor, unit);
    switch (child->life.state) {
    case LIFECYCLE_STARTING: say_start(unit); break;
    case LIFECYCLE_READY:
        log_say(&supervisor->log, "%s: ready", unit->name);
        units_leave(supervisor);
        units_start_waiting(supervisor);
        break;
    case LIFECYCLE_BACKING_OFF: say_wait(unit); break;
    case LIFECYCLE_GONE:
        unit_free(unit);
        supervisor_stopped_one(supervisor);
        break;
    default: break;
    }
}

static const struct child_ops UNIT_OPS = { .spawn = spawn, .changed = changed, .said = said, .ended = ended };

static void leave_time(struct timer *timer)
{
    child_stop(&container_of(timer, struct unit, leave)->child);
}

void unit_leave(struct unit *unit)
{
    struct supervisor *supervisor = unit->supervisor;

    if (unit->leaving)
        return;
    unit->leaving = true;
    courier_unit(supervisor, unit);
    timer_set(&supervisor->loop, &unit->leave, loop_clock(&supervisor->loop) + UNIT_LEAVE_NS);
}

/* --- its place ------------------------------------------------------------------------------------------------ */

/* A port that nobody uses now. It stays the instance's through its restarts. */
static int choose_port(struct io *io, struct address *ret)
{
    struct address address = { .family = ADDRESS_IP4, .ip = { 127, 0, 0, 1 } };
    struct io_socket socket;
    int r = io->ops->listen(io, &address, 1, false, &socket);

    if (r < 0)
        return r;
    r = io->ops->local_address(io, socket, ret);
    io->ops->close(io, socket);
    return r;
}

static int take_place(struct unit *unit)
{
    struct supervisor *supervisor = unit->supervisor;
    struct io *io = supervisor->loop.io;
    int len;

    if (unit->plan->port)
        return choose_port(io, &unit->address);
    len = snprintf(unit->path, sizeof(unit->path), "%s/run/%s.sock", supervisor->state, unit->name);
    if (len < 0 || (size_t)len >= sizeof(unit->address.path)) {
        unit->path[0] = '\0';
        return -ENAMETOOLONG;
    }
    unit->address.family = ADDRESS_UNIX;
    memcpy(unit->address.path, unit->path, (size_t)len + 1);
    return io->ops->listen(io, &unit->address, LISTEN_BACKLOG, false, &unit->socket);
}

int unit_create(struct supervisor *supervisor, struct loaded *loaded, const struct plan_service *plan, unsigned number,
                struct unit **ret)
{
    struct unit *unit = mem_zalloc(sizeof(*unit));
    int r;

    if (!unit)
        return -ENOMEM;
    unit->supervisor = supervisor;
    unit->loaded = loaded_use(loaded);
    unit->plan = plan;
    unit->number = number;
    (void)snprintf(unit->name, sizeof(unit->name), BYTES_FMT "-%u", BYTES_ARG(plan->name), number);
    unit->record = recorder_record(&supervisor->recorder, plan->name);
    timer_init(&unit->leave, leave_time);
    child_init(&unit->child, &UNIT_OPS, &supervisor->loop, &supervisor->log, bytes_of_text(unit->name), true, 0);
    list_push_back(&supervisor->units, &unit->node);
    r = take_place(unit);
    if (r < 0) {
        unit_free(unit);
        return r;
    }
    *ret = unit;
    return 0;
}

void unit_free(struct unit *unit)
{
    struct io *io = unit->supervisor->loop.io;

    timer_stop(&unit->supervisor->loop, &unit->leave);
    if (io_socket_is(unit->socket))
        io->ops->close(io, unit->socket);
    if (unit->path[0])
        (void)io->ops->file_remove(io, unit->path);
    limits_leave(unit);
    list_remove(&unit->node);
    loaded_drop(unit->loaded);
    mem_free(unit);
}
