/* What instances may use: control groups and RLIMIT_NOFILE. See app/supervisor.h and io/linux/cgroup.h. */
#include "app/supervisor.h"

#include "base/units.h"
#include "io/linux/linux.h"

static bool wants_group(const struct plan_service *plan)
{
    return plan->limits.memory > 0 || plan->limits.cpu_ppm > 0;
}

void limits_write_warning(const struct supervisor *supervisor, const struct plan_service *plan, struct text *text)
{
    const struct cgroups *cgroups = &supervisor->cgroups;
    bool memory = plan->limits.memory > 0 && !cgroups->memory, cpu = plan->limits.cpu_ppm > 0 && !cgroups->cpu;

    if (memory || cpu)
        text_add_format(text, "%s%s%s %s enforced: %s", memory ? "memory" : "", memory && cpu ? " and " : "",
                        cpu ? "cpu" : "", memory && cpu ? "are not" : "is not", cgroups->why);
}

/* Groups are made when the first service wants one: who wants none is left where he is. */
void limits_prepare(struct supervisor *supervisor, const struct plan *plan)
{
    for (unsigned i = 0; i < plan->service_count; i++) {
        const struct plan_service *service = &plan->services[i];
        char memory[FAULT_TEXT_MAX];
        struct text text = text_into(memory, sizeof(memory));

        if (!wants_group(service))
            continue;
        if (!supervisor->cgroups_open)
            io_linux_cgroups_open(&supervisor->cgroups, io_linux_parent());
        supervisor->cgroups_open = true;
        limits_write_warning(supervisor, service, &text);
        if (text.len > 0)
            log_say(&supervisor->log, "limits of " BYTES_FMT ": " BYTES_FMT, BYTES_ARG(service->name),
                    BYTES_ARG(text_bytes(&text)));
    }
}

int limits_enter(struct unit *unit, int *ret_folder)
{
    const struct cgroups *cgroups = &unit->supervisor->cgroups;

    if (!wants_group(unit->plan) || (!cgroups->memory && !cgroups->cpu)) {
        *ret_folder = 0;
        return 0;
    }
    return io_linux_cgroup_make(cgroups, unit->name, &unit->plan->limits, ret_folder);
}

void limits_leave(struct unit *unit)
{
    if (wants_group(unit->plan))
        io_linux_cgroup_remove(&unit->supervisor->cgroups, unit->name);
}

bool limits_killed(struct unit *unit)
{
    uint64_t before = unit->kills;

    if (unit->plan->limits.memory > 0)
        unit->kills = io_linux_cgroup_kills(&unit->supervisor->cgroups, unit->name);
    return unit->kills > before;
}

void limits_close(struct supervisor *supervisor)
{
    if (supervisor->cgroups_open)
        io_linux_cgroups_close(&supervisor->cgroups);
}
