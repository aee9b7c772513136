/* `needs:` of services: who is started after whom. In no circle, or nobody would ever start. */
#include "base/map.h"
#include "control/tables.h"

static struct control_service *need_at(const struct map *names, const struct control_service *service, size_t index)
{
    return map_get(names, ((const struct bytes *)service->needs.items)[index]);
}

/* The first need that is not settled; NULL: all are. Names of nothing have their fault elsewhere. */
static struct control_service *unsettled_need(const struct map *names, const struct control_service *service)
{
    for (size_t i = 0; i < service->needs.count; i++) {
        struct control_service *need = need_at(names, service, i);

        if (need && !need->settled)
            return need;
    }
    return NULL;
}

/* Services are settled whose needs are, again and again until nothing changes: what is left lies on a circle or needs
 * somebody who does. */
static const struct control_service *settle(const struct control_config *config, const struct map *names)
{
    const struct control_service *left;
    bool changed = true;

    do {
        left = NULL;
        changed = false;
        for (size_t i = 0; i < config->services.count; i++) {
            struct control_service *service = config->services.entries[i].value;

            if (service->settled)
                continue;
            if (unsettled_need(names, service)) {
                left = left ? left : service;
                continue;
            }
            service->settled = true;
            changed = true;
        }
    } while (changed && left);
    return left;
}

/* "orders needs stock needs orders". Everybody left has an unsettled need, so we come by somewhere a second time. */
static void write_circle(struct text *text, const struct control_config *config, const struct map *names,
                         const struct control_service *from)
{
    const struct control_service *at;

    for (size_t i = 0; i < config->services.count; i++)
        from = unsettled_need(names, from); /* surely on the circle after so many steps */
    at = from;
    do {
        text_add_format(text, BYTES_FMT " needs ", BYTES_ARG(at->name));
        at = unsettled_need(names, at);
    } while (at != from);
    text_add(text, from->name);
}

void control_check_needs(struct conf_check *check, const struct control_config *config, const struct map *names)
{
    const struct control_service *left = settle(config, names);
    char memory[FAULT_TEXT_MAX - 64];
    struct text text = text_into(memory, sizeof(memory));
    struct fault *fault;

    if (!left)
        return;
    write_circle(&text, config, names, left);
    fault = conf_check_fault(check, "services", "needs go in a circle: " BYTES_FMT, BYTES_ARG(text_bytes(&text)));
    fault_hint(fault, "none of them would be started: leave one of these needs out");
    fault_at(fault, left->place.file, left->place.line, left->place.column);
}
