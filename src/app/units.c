/* Which instances there should be: see app/supervisor.h. */
#include "app/supervisor.h"

struct unit *unit_find(struct supervisor *supervisor, struct bytes name)
{
    LIST_EACH (&supervisor->units, node, next) {
        struct unit *unit = container_of(node, struct unit, node);

        if (bytes_equal(bytes_of_text(unit->name), name))
            return unit;
    }
    return NULL;
}

static bool number_is_free(struct supervisor *supervisor, struct bytes service, unsigned number)
{
    LIST_EACH (&supervisor->units, node, next) {
        struct unit *unit = container_of(node, struct unit, node);

        if (unit->number == number && bytes_equal(unit->plan->name, service))
            return false;
    }
    return true;
}

/* Those that run as the plan wants it stay, up to `scale`: first those that are ready. Returns how many. */
static unsigned keep(struct supervisor *supervisor, const struct plan_service *plan, unsigned scale)
{
    unsigned kept = 0;

    for (int others = 0; others < 2; others++) {
        LIST_EACH (&supervisor->units, node, next) {
            struct unit *unit = container_of(node, struct unit, node);
            bool ready = unit->child.life.state == LIFECYCLE_READY;

            if (kept < scale && unit->outgoing && !unit->leaving && ready == !others &&
                plan_service_same(unit->plan, plan)) {
                unit->outgoing = false;
                kept++;
            }
        }
    }
    return kept;
}

static int prepare_service(struct supervisor *supervisor, struct loaded *loaded, const struct plan_service *plan,
                           struct fault *fault)
{
    unsigned number = 0, scale;
    bool chosen;

    scale = scales_of(&supervisor->scales, plan, &chosen);
    for (unsigned have = keep(supervisor, plan, scale); have < scale; have++) {
        struct unit *unit = NULL;
        int r;

        while (!number_is_free(supervisor, plan->name, number))
            number++;
        r = unit_create(supervisor, loaded, plan, number, &unit);
        if (r == -ENAMETOOLONG) {
            fault_set(fault, "services." BYTES_FMT ": the path of its socket in %s is too long", BYTES_ARG(plan->name),
                      supervisor->state);
            fault_hint(fault, "unix sockets take 107 bytes: choose a shorter folder with --dir");
        } else if (r < 0)
            fault_set(fault, "services." BYTES_FMT ": can't make a socket for instance %u: %s", BYTES_ARG(plan->name),
                      number, app_reason(r));
        if (r < 0)
            return r;
        unit->fresh = true;
    }
    return 0;
}

int units_prepare(struct supervisor *supervisor, struct loaded *loaded, struct fault *fault)
{
    int r = 0;

    LIST_EACH (&supervisor->units, node, next)
        container_of(node, struct unit, node)->outgoing = true;
    for (unsigned i = 0; r == 0 && i < loaded->plan.service_count; i++)
        r = prepare_service(supervisor, loaded, &loaded->plan.services[i], fault);
    if (r < 0) {
        units_rollback(supervisor);
        return r;
    }
    units_start_waiting(supervisor);
    return 0;
}

/* --- needs ----------------------------------------------------------------------------------------------------------
 */

static bool is_there(struct supervisor *supervisor, struct bytes service)
{
    LIST_EACH (&supervisor->units, node, next) {
        const struct unit *unit = container_of(node, struct unit, node);

        if (bytes_equal(unit->plan->name, service) && unit->child.life.state == LIFECYCLE_READY && !unit->leaving)
            return true;
    }
    LIST_EACH (&supervisor->outsides, node, next) {
        const struct outside *outside = container_of(node, struct outside, node);

        if (bytes_equal(bytes_of_text(outside->name), service) && outside->ready > 0)
            return true;
    }
    return false;
}

bool units_wait_for(struct supervisor *supervisor, const struct unit *unit, struct text *text)
{
    size_t before = text->len;

    for (unsigned i = 0; i < unit->plan->need_count; i++) {
        if (is_there(supervisor, unit->plan->needs[i]))
            continue;
        text_add(text, text->len > before ? BYTES(", ") : BYTES_NONE);
        text_add(text, unit->plan->needs[i]);
    }
    return text->len > before;
}

/* Starting one changes nothing about others' needs, but may free it: when it can't be started while all stops. */
void units_start_waiting(struct supervisor *supervisor)
{
    bool waits = false;

    LIST_EACH (&supervisor->units, node, next) {
        struct unit *unit = container_of(node, struct unit, node);
        char memory[CHILD_EXIT_MAX];
        struct text text = text_into(memory, sizeof(memory));

        if (unit->child.life.state != LIFECYCLE_IDLE || supervisor->stopping)
            continue;
        if (units_wait_for(supervisor, unit, &text)) {
            waits = true;
            courier_unit(supervisor, unit);
        } else
            child_start(&unit->child);
    }
    if (!waits)
        timer_stop(&supervisor->loop, &supervisor->waiting);
    else if (!timer_is_set(&supervisor->waiting))
        timer_set(&supervisor->loop, &supervisor->waiting, loop_clock(&supervisor->loop) + NEEDS_SAY_NS);
}

void units_say_waiting(struct timer *timer)
{
    struct supervisor *supervisor = container_of(timer, struct supervisor, waiting);

    LIST_EACH (&supervisor->units, node, next) {
        struct unit *unit = container_of(node, struct unit, node);
        char memory[CHILD_EXIT_MAX];
        struct text text = text_into(memory, sizeof(memory));

        if (unit->child.life.state == LIFECYCLE_IDLE && units_wait_for(supervisor, unit, &text))
            log_say(&supervisor->log, "%s: is not started yet: it needs " BYTES_FMT ", where no instance is ready",
                    unit->name, BYTES_ARG(text_bytes(&text)));
    }
    timer_set(&supervisor->loop, timer, loop_clock(&supervisor->loop) + NEEDS_SAY_AGAIN_NS);
}

/* --- coming and going --------------------------------------------------------------------------------------------- */

void units_rollback(struct supervisor *supervisor)
{
    LIST_EACH (&supervisor->units, node, next) {
        struct unit *unit = container_of(node, struct unit, node);

        unit->outgoing = unit->leaving;
        if (!unit->fresh)
            continue;
        unit->leaving = unit->outgoing = true;
        child_stop(&unit->child); /* frees it at once if it was not started */
    }
}

/* What stays belongs to the newest configuration from now on, so that older ones can go. */
static void move_on(struct unit *unit, struct loaded *current)
{
    const struct plan_service *plan = plan_find(&current->plan, unit->plan->name);

    if (!plan || !plan_service_same(plan, unit->plan))
        return;
    (void)loaded_use(current);
    loaded_drop(unit->loaded);
    unit->loaded = current;
    unit->plan = plan;
}

void units_commit(struct supervisor *supervisor)
{
    LIST_EACH (&supervisor->units, node, next) {
        struct unit *unit = container_of(node, struct unit, node);

        unit->fresh = false;
        if (!unit->outgoing)
            move_on(unit, supervisor->current);
    }
    units_leave(supervisor);
}

/* Whether the service still waits for an instance that is to take over. Who serves nobody need not be awaited. */
static bool awaits_successor(struct supervisor *supervisor, const struct unit *outgoing)
{
    if (outgoing->child.life.state != LIFECYCLE_READY)
        return false;
    LIST_EACH (&supervisor->units, node, next) {
        struct unit *unit = container_of(node, struct unit, node);

        if (!unit->outgoing && bytes_equal(unit->plan->name, outgoing->plan->name) &&
            unit->child.life.state != LIFECYCLE_READY)
            return true;
    }
    return false;
}

void units_leave(struct supervisor *supervisor)
{
    if (supervisor->pending) /* nothing goes before the workers know */
        return;
    LIST_EACH (&supervisor->units, node, next) {
        struct unit *unit = container_of(node, struct unit, node);

        if (unit->outgoing && !unit->leaving && !awaits_successor(supervisor, unit))
            unit_leave(unit);
    }
}

/* --- the end ------------------------------------------------------------------------------------------------------ */

static bool is_stopping(const struct unit *unit)
{
    return unit->child.life.state == LIFECYCLE_STOPPING || unit->child.life.state == LIFECYCLE_KILLED;
}

static bool needs(const struct unit *unit, struct bytes service)
{
    for (unsigned i = 0; i < unit->plan->need_count; i++)
        if (bytes_equal(unit->plan->needs[i], service) && !bytes_equal(unit->plan->name, service))
            return true;
    return false;
}

static bool is_needed(struct supervisor *supervisor, struct bytes service)
{
    LIST_EACH (&supervisor->units, node, next) {
        const struct unit *unit = container_of(node, struct unit, node);

        if (unit->child.life.state != LIFECYCLE_IDLE && needs(unit, service))
            return true;
    }
    return false;
}

/* Instances of two configurations might need each other in a circle: then anybody. NULL: none is left to be stopped, or
 * all that are left wait for the end of others. */
static struct unit *next_to_stop(struct supervisor *supervisor)
{
    struct unit *any = NULL;
    bool stopping = false;

    LIST_EACH (&supervisor->units, node, next) {
        struct unit *unit = container_of(node, struct unit, node);

        if (is_stopping(unit))
            stopping = true;
        else if (!is_needed(supervisor, unit->plan->name))
            return unit;
        else
            any = unit;
    }
    return stopping ? NULL : any;
}

void units_stop(struct supervisor *supervisor)
{
    struct unit *unit;

    if (supervisor->choosing) /* one that was stopped is gone already: the loop below goes on */
        return;
    supervisor->choosing = true;
    timer_stop(&supervisor->loop, &supervisor->waiting);
    while ((unit = next_to_stop(supervisor)) != NULL)
        child_stop(&unit->child); /* may free it */
    supervisor->choosing = false;
}

void units_kill(struct supervisor *supervisor)
{
    supervisor->choosing = true; /* no order any more */
    LIST_EACH (&supervisor->units, node, next) {
        struct unit *unit = container_of(node, struct unit, node);

        child_kill(&unit->child, 9);
        child_stop(&unit->child); /* may free it */
    }
    supervisor->choosing = false;
}
