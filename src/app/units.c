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

/* Those that run as the plan wants it stay, up to its scale. Returns how many. */
static unsigned keep(struct supervisor *supervisor, const struct plan_service *plan)
{
    unsigned kept = 0;

    LIST_EACH (&supervisor->units, node, next) {
        struct unit *unit = container_of(node, struct unit, node);

        if (kept < plan->scale && !unit->leaving && plan_service_same(unit->plan, plan)) {
            unit->outgoing = false;
            kept++;
        }
    }
    return kept;
}

static int prepare_service(struct supervisor *supervisor, struct loaded *loaded, const struct plan_service *plan,
                           struct fault *fault)
{
    unsigned number = 0;

    for (unsigned have = keep(supervisor, plan); have < plan->scale; have++) {
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
    LIST_EACH (&supervisor->units, node, next) {
        struct unit *unit = container_of(node, struct unit, node);

        if (unit->child.life.state == LIFECYCLE_IDLE)
            child_start(&unit->child);
    }
    return 0;
}

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

/* Whether the service still waits for an instance that is to take over. */
static bool awaits_successor(struct supervisor *supervisor, const struct unit *outgoing)
{
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

void units_stop(struct supervisor *supervisor, bool at_once)
{
    LIST_EACH (&supervisor->units, node, next) {
        struct unit *unit = container_of(node, struct unit, node);

        if (at_once)
            child_kill(&unit->child, 9);
        child_stop(&unit->child); /* may free it */
    }
}
