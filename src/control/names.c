/* Names of routes and gateways: they stand in stage paths, metrics and logs, so each occurs once. */
#include "base/map.h"
#include "control/tables.h"

#define NAMES_MAX CONF_NODES_MAX /* a text holds no more */
#define NUMBER_MAX 16            /* "-100000" */

int control_check_name(struct bytes text, struct fault *fault)
{
    bool fine = text.len > 0 && text.len <= CONF_NAME_MAX && text.data[0] >= 'a' && text.data[0] <= 'z' &&
                text.data[text.len - 1] != '-';

    for (size_t i = 0; i < text.len && fine; i++) {
        char c = text.data[i];

        fine = (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-';
    }
    if (fine)
        return 0;
    fault_set(fault, "must be a name");
    fault_hint(fault, "a-z, 0-9 and inner hyphens, a letter first, at most 63 characters");
    return -EINVAL;
}

static void say_taken(struct conf_check *check, const char *key, const char *what, struct bytes name,
                      struct conf_place place, struct conf_place before)
{
    struct fault *fault = conf_check_fault(check, key, "the %s \"" BYTES_FMT "\" is there already, at %s:%u:%u", what,
                                           BYTES_ARG(name), before.file, before.line, before.column);

    fault_at(fault, place.file, place.line, place.column);
}

/* --- gateways ------------------------------------------------------------------------------------------------ */

static bool is_ours(struct bytes name)
{
    return bytes_equal(name, BYTES(CONTROL_GATEWAY)) || bytes_equal(name, BYTES(CONTROL_GATEWAY_SOCKET)) ||
           bytes_equal(name, BYTES(CONTROL_GATEWAY_MESH));
}

/* Compares each with those before it: there are 64 at most. */
static void compare_gateways(struct conf_check *check, const struct control_config *config, size_t index)
{
    const struct control_gateway *mine = control_gateway_at(config, index);
    struct fault *fault;

    if (is_ours(mine->name)) {
        fault = conf_check_fault(check, "gateway", "the name \"" BYTES_FMT "\" is Weft's own", BYTES_ARG(mine->name));
        fault_at(fault, mine->place.file, mine->place.line, mine->place.column);
        fault_hint(fault, "choose another one");
    }
    if (address_equal(&mine->address, &config->control.address)) {
        fault = conf_check_fault(check, "gateway", BYTES_FMT " is where control listens", BYTES_ARG(mine->listen));
        fault_hint(fault, "choose another port, here or with control: ADDRESS:PORT; control: off needs none");
        fault_at(fault, mine->place.file, mine->place.line, mine->place.column);
    }
    for (size_t i = 0; i < index; i++) {
        const struct control_gateway *other = control_gateway_at(config, i);

        if (bytes_equal(mine->name, other->name))
            say_taken(check, "gateway", "name", mine->name, mine->place, other->place);
        if (address_equal(&mine->address, &other->address))
            say_taken(check, "gateway", "listener", mine->listen, mine->place, other->place);
    }
}

int control_name_gateways(struct conf_check *check, struct control_config *config)
{
    struct control_gateway *gateways = config->gateways.items;
    int r = 0;

    for (size_t i = 0; r == 0 && i < config->gateways.count; i++) {
        if (gateways[i].name.len == 0 && i == 0)
            gateways[i].name = BYTES("gateway");
        else if (gateways[i].name.len == 0)
            r = arena_format(conf_check_arena(check), &gateways[i].name, "gateway-%zu", i);
        if (r == 0)
            compare_gateways(check, config, i);
    }
    return r;
}

static bool gateway_exists(const struct control_config *config, struct bytes name)
{
    for (size_t i = 0; i < config->gateways.count; i++)
        if (bytes_equal(control_gateway_at(config, i)->name, name))
            return true;
    return false;
}

static void hint_gateway(const struct control_config *config, struct bytes name, struct fault *fault)
{
    unsigned limit = name.len < 4 ? 1 : name.len < 8 ? 2 : 3;
    struct bytes best = BYTES_NONE;

    for (size_t i = 0; i < config->gateways.count; i++) {
        struct bytes there = control_gateway_at(config, i)->name;
        unsigned distance = bytes_distance(name, there, limit);

        if (distance > limit || distance >= there.len)
            continue;
        best = there;
        limit = distance - 1;
    }
    if (is_ours(name))
        fault_hint(fault, "routes are for gateways of this file; services call each other without one");
    else if (best.len)
        fault_hint(fault, "did you mean \"" BYTES_FMT "\"?", BYTES_ARG(best));
    else
        fault_hint(fault, "gateways have the names that stand in gateway: [ name: ... ], or gateway, gateway-1, ...");
}

void control_check_gateways(struct conf_check *check, const struct control_config *config)
{
    for (size_t i = 0; i < config->routes.count; i++) {
        const struct control_route *route = control_route_at(config, i);
        const struct bytes *names = route->gateways.items;

        for (size_t k = 0; k < route->gateways.count; k++) {
            struct fault *fault;

            if (gateway_exists(config, names[k]))
                continue;
            fault = conf_check_fault(check, "routes", "there is no gateway \"" BYTES_FMT "\"", BYTES_ARG(names[k]));
            fault_at(fault, route->place.file, route->place.line, route->place.column);
            hint_gateway(config, names[k], fault);
        }
    }
}

/* --- routes --------------------------------------------------------------------------------------------------- */

/* Host and path, with a star behind a prefix: what a person calls it who reads a metric. */
static int write_name(const struct control_route *route, struct arena *arena, unsigned number, struct bytes *ret)
{
    const struct bytes *hosts = route->match.hosts.items;
    struct bytes host = route->match.hosts.count ? hosts[0] : BYTES_NONE;
    struct bytes path = route->match.regex.len ? route->match.regex : route->match.path;
    size_t room = CONTROL_ROUTE_NAME_MAX - NUMBER_MAX;
    bool root = bytes_ends(path, BYTES("/"));
    char memory[CONTROL_ROUTE_NAME_MAX];
    struct text text = text_into(memory, room);

    text_add(&text, bytes_slice(host, 0, room));
    text_add(&text, bytes_slice(path, 0, room - text.len));
    if (path.len == 0)
        text_add(&text, BYTES("/*"));
    else if (route->match.prefix)
        text_add(&text, root ? BYTES("*") : BYTES("/*"));
    text.max = sizeof(memory);
    text.full = false;
    if (number > 1)
        text_add_format(&text, "-%u", number);
    return arena_format(arena, ret, BYTES_FMT, BYTES_ARG(text_bytes(&text)));
}

/* Routes with the same match (other methods, say) are told apart by a number. The first of them counts, so that many
 * cost no more than a few. */
static int make_name(struct map *names, struct control_route *route, struct arena *arena)
{
    struct control_route *first;
    int r = write_name(route, arena, 1, &route->name);

    first = r == 0 ? map_get(names, route->name) : NULL;
    while (r == 0 && map_get(names, route->name))
        r = write_name(route, arena, ++first->twins + 1, &route->name);
    return r == 0 ? map_put(names, route->name, route) : r;
}

static int take_name(struct conf_check *check, struct map *names, struct control_route *route)
{
    const struct control_route *other = map_get(names, route->name);

    if (!other)
        return map_put(names, route->name, route);
    say_taken(check, "routes", "name", route->name, route->place, other->place);
    return 0;
}

int control_name_routes(struct conf_check *check, struct control_config *config)
{
    struct control_route *routes = config->routes.items;
    struct map names;
    int r = 0;

    map_init(&names, (struct hash_key){ 0, 0 }, NAMES_MAX);
    for (size_t i = 0; r == 0 && i < config->routes.count; i++)
        if (routes[i].name.len > 0)
            r = take_name(check, &names, &routes[i]);
    for (size_t i = 0; r == 0 && i < config->routes.count; i++)
        if (routes[i].name.len == 0)
            r = make_name(&names, &routes[i], conf_check_arena(check));
    map_done(&names);
    return r;
}
