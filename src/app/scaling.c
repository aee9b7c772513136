/* `weft scale`: another number of instances, at once. See app/supervisor.h and app/scale.h. */
#include "app/supervisor.h"

#include "control/config.h"

static void answer(struct supervisor *supervisor, uint64_t id, bool ok, const struct text *text)
{
    courier_result(supervisor, id, ok, text_bytes(text));
}

static const char *closest(const struct plan *plan, struct bytes service, char memory[UNIT_NAME_MAX])
{
    unsigned best = 3; /* more edits are another name */

    memory[0] = '\0';
    for (unsigned i = 0; i < plan->service_count; i++) {
        struct bytes name = plan->services[i].name;
        unsigned distance = bytes_distance(service, name, best - 1);

        if (distance >= best || name.len >= UNIT_NAME_MAX)
            continue;
        best = distance;
        memcpy(memory, name.data, name.len);
        memory[name.len] = '\0';
    }
    return memory;
}

/* Why the service can't be scaled. */
static void refuse_name(const struct supervisor *supervisor, struct bytes service, struct text *text)
{
    const struct control_service *known = control_find_service(supervisor->current->config, service);
    char memory[UNIT_NAME_MAX];
    const char *similar = closest(&supervisor->current->plan, service, memory);

    if (known)
        text_add_format(text, BYTES_FMT " has a url: it runs elsewhere, and is not started by weft",
                        BYTES_ARG(service));
    else if (similar[0])
        text_add_format(text, "no service is named \"" BYTES_FMT "\" (did you mean \"%s\"?)",
                        BYTES_ARG(bytes_slice(service, 0, CONF_NAME_MAX)), similar);
    else
        text_add_format(text, "no service is named \"" BYTES_FMT "\" (weft get services lists them)",
                        BYTES_ARG(bytes_slice(service, 0, CONF_NAME_MAX)));
}

static int change(struct supervisor *supervisor, const struct plan_service *plan, unsigned scale, struct text *text)
{
    struct fault fault = { 0 };
    bool chosen;
    unsigned before = scales_of(&supervisor->scales, plan, &chosen);
    int r = scales_choose(&supervisor->scales, plan, scale);

    if (r < 0) {
        text_add_format(text, "can't be kept in %s: %s", supervisor->scales.path, app_reason(r));
        return r;
    }
    r = units_prepare(supervisor, supervisor->current, &fault);
    if (r < 0) {
        text_add_format(text, "%s", fault.what);
        if (scales_choose(&supervisor->scales, plan, before) < 0)
            log_say(&supervisor->log, "%s can't be written", supervisor->scales.path);
        return r;
    }
    units_commit(supervisor);
    courier_service(supervisor, plan);
    text_add_format(text, BYTES_FMT ": scale %u (was %u%s)", BYTES_ARG(plan->name), scale, before,
                    scale == plan->scale ? "; the file says so too" : "");
    log_say(&supervisor->log, BYTES_FMT, BYTES_ARG(text_bytes(text)));
    return 0;
}

void scaling_begin(struct supervisor *supervisor, uint64_t id, struct bytes service, uint64_t scale)
{
    char memory[FAULT_TEXT_MAX + 256];
    struct text text = text_into(memory, sizeof(memory));
    const struct plan_service *plan = supervisor->current ? plan_find(&supervisor->current->plan, service) : NULL;
    bool ok = false;

    if (supervisor->stopping)
        text_add(&text, BYTES("the system is stopping"));
    else if (supervisor->pending || !supervisor->current)
        text_add(&text, BYTES("another change is under way (try again in a moment)"));
    else if (!plan)
        refuse_name(supervisor, service, &text);
    else if (scale > UNIT_SCALE_MAX)
        text_add_format(&text, "must be between 0 and %d (is %llu)", UNIT_SCALE_MAX, (unsigned long long)scale);
    else
        ok = change(supervisor, plan, (unsigned)scale, &text) == 0;
    answer(supervisor, id, ok, &text);
}
