/* Changing the configuration of a running system: see app/supervisor.h (2) and (3). */
#include "app/supervisor.h"

#include "base/alloc.h"

#define ANSWER_MAX 16384 /* FAULTS_MAX faults are more than anybody reads at once; the rest is on stderr */

/* --- the end of it -------------------------------------------------------------------------------------------- */

static void finish(struct supervisor *supervisor, bool ok, struct bytes text)
{
    uint64_t id = supervisor->applicant.id;

    timer_stop(&supervisor->loop, &supervisor->apply_limit);
    supervisor->applicant.id = 0;
    courier_result(supervisor, id, ok, text);
    if (supervisor->apply_again) {
        supervisor->apply_again = false;
        reload_begin(supervisor, 0);
    }
}

static void give_up(struct supervisor *supervisor, struct bytes why)
{
    struct loaded *pending = supervisor->pending;

    log_say(&supervisor->log, "version %llu is not used: " BYTES_FMT, (unsigned long long)pending->version,
            BYTES_ARG(why));
    if (!supervisor->current) {
        supervisor_fail(supervisor);
        return;
    }
    listenings_rollback(supervisor);
    units_rollback(supervisor);
    supervisor->pending = NULL;
    loaded_drop(pending);
    finish(supervisor, false, why);
}

static void say_live(struct supervisor *supervisor)
{
    const struct loaded *loaded = supervisor->current;

    log_say(&supervisor->log, "version %llu is live", (unsigned long long)loaded->version);
    if (loaded->plan.workers != supervisor->workers)
        log_say(&supervisor->log, "workers: %u takes effect when the system is started again (now %u)",
                loaded->plan.workers, supervisor->workers);
}

void reload_applied(struct supervisor *supervisor, uint64_t version)
{
    struct loaded *before = supervisor->current, *pending = supervisor->pending;
    char memory[64];
    struct text text = text_into(memory, sizeof(memory));

    child_ready(&supervisor->serving, true);
    if (!pending || pending->version != version)
        return; /* a restarted process lives in the current one */
    supervisor->current = pending;
    supervisor->pending = NULL;
    listenings_commit(supervisor);
    units_commit(supervisor);
    loaded_drop(before);
    scales_follow(&supervisor->scales, &supervisor->current->plan, &supervisor->log);
    recorder_set(&supervisor->recorder, supervisor->current->plan.log_files, supervisor->current->plan.log_size);
    for (unsigned i = 0; i < supervisor->current->plan.service_count; i++)
        courier_service(supervisor, &supervisor->current->plan.services[i]);
    say_live(supervisor);
    text_add_format(&text, "version %llu is live", (unsigned long long)version);
    finish(supervisor, true, text_bytes(&text));
}

void reload_refused(struct supervisor *supervisor, uint64_t version, struct bytes why)
{
    if (supervisor->pending && supervisor->pending->version == version)
        give_up(supervisor, why);
}

void reload_serving_died(struct supervisor *supervisor)
{
    if (supervisor->pending && supervisor->current)
        give_up(supervisor, BYTES("the serving process died while it took it"));
}

/* --- the beginning -------------------------------------------------------------------------------------------- */

static void write_faults(struct text *text, const struct fault_list *faults)
{
    char line[FAULT_FILE_MAX + FAULT_TEXT_MAX + FAULT_HINT_MAX + 64];

    for (size_t i = 0; i < faults->count; i++) {
        size_t len = fault_write(&faults->faults[i], line, sizeof(line));
        struct text before = *text;

        text_add(text, bytes_of(line, MIN(len, sizeof(line) - 1)));
        text_add_char(text, '\n');
        if (text->full) {
            *text = before;
            return;
        }
    }
}

static void say_faults(struct supervisor *supervisor, const struct fault_list *faults)
{
    char *memory = mem_alloc(ANSWER_MAX);
    struct text text = text_into(memory, memory ? ANSWER_MAX : 0);

    for (size_t i = 0; i < faults->count; i++)
        log_fault(&supervisor->log, &faults->faults[i]);
    log_say(&supervisor->log, "%s: nothing was %s", supervisor->file, supervisor->current ? "changed" : "started");
    write_faults(&text, faults);
    finish(supervisor, false, text_bytes(&text));
    mem_free(memory);
}

/* Opens and starts what the configuration needs besides what is there. */
static int prepare(struct supervisor *supervisor, struct loaded *loaded, struct fault_list *faults)
{
    struct fault fault = { 0 };
    int r;

    if (supervisor->workers == 0)
        supervisor->workers = loaded->plan.workers;
    r = listenings_prepare(supervisor, loaded, &fault);
    if (r == 0) {
        limits_prepare(supervisor, &loaded->plan);
        r = units_prepare(supervisor, loaded, &fault);
        if (r < 0)
            listenings_rollback(supervisor);
    }
    if (r < 0)
        *fault_list_add(faults) = fault;
    return r;
}

/* A running serving process hears of new listeners; new instances have told of themselves. */
static void tell(struct supervisor *supervisor)
{
    LIST_EACH (&supervisor->listenings, node, next) {
        struct listening *listening = container_of(node, struct listening, node);

        if (listening->fresh)
            courier_listener(supervisor, listening);
    }
    courier_version(supervisor, supervisor->pending);
}

static int load(struct supervisor *supervisor, struct fault_list *faults)
{
    struct loaded *loaded = NULL;
    int r = loaded_read(supervisor->app, supervisor->file, supervisor->folder, supervisor->state, faults, &loaded);

    if (r == 0)
        r = prepare(supervisor, loaded, faults);
    if (r < 0) {
        loaded_drop(loaded);
        return r;
    }
    loaded->version = ++supervisor->last_version;
    supervisor->pending = loaded;
    return 0;
}

void reload_begin(struct supervisor *supervisor, uint64_t id)
{
    struct fault_list *faults;

    if (supervisor->pending || supervisor->stopping) {
        if (id > 0)
            courier_result(supervisor, id, false, BYTES("another change is under way (try again in a moment)"));
        else
            supervisor->apply_again = !supervisor->stopping;
        return;
    }
    supervisor->applicant.id = id;
    faults = mem_zalloc(sizeof(*faults));
    if (!faults)
        finish(supervisor, false, BYTES("no memory is left"));
    else if (load(supervisor, faults) < 0)
        say_faults(supervisor, faults);
    else {
        tell(supervisor);
        timer_set(&supervisor->loop, &supervisor->apply_limit, loop_clock(&supervisor->loop) + APPLY_LIMIT_NS);
    }
    mem_free(faults);
}
