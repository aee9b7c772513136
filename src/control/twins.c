/* Routes that are never reached, since an earlier one matches just the same. */
#include "base/hash.h"
#include "base/map.h"
#include "conf/meaning.h"
#include "control/tables.h"

#define KEYS_MAX CONF_NODES_MAX /* a text holds no more routes */

/* What tells routes apart: match and gateways. */
static int key_of(const struct control_route *route, struct arena *arena, struct bytes *ret)
{
    static const struct hash_key key = { 0, 0 };
    const struct bytes *gateways = route->gateways.items;
    struct conf_meaning *meaning = NULL;
    uint64_t hash;
    int r = conf_meaning_make(&ROUTE_MATCH_SCHEMA, &route->match, arena, &meaning);

    if (r < 0)
        return r;
    hash = meaning->hash;
    for (size_t i = 0; i < route->gateways.count; i++)
        hash = hash_mix64(hash * 3 + hash_bytes(&key, gateways[i]));
    return arena_copy(arena, bytes_of(&hash, sizeof(hash)), ret);
}

static void say_twin(struct conf_check *check, const struct control_route *route, const struct control_route *first)
{
    struct fault *fault = conf_check_fault(check, "routes", "is never reached: the route at %s:%u:%u matches the same",
                                           first->place.file, first->place.line, first->place.column);

    fault_at(fault, route->place.file, route->place.line, route->place.column);
    fault_hint(fault, "leave one of them out, or tell them apart by path, method, host, header or query");
}

int control_check_twins(struct conf_check *check, const struct control_config *config)
{
    struct arena arena;
    struct map seen;
    int r = 0;

    arena_init(&arena, NULL, CONF_SCRATCH_MAX);
    map_init(&seen, (struct hash_key){ 0, 0 }, KEYS_MAX);
    for (size_t i = 0; i < config->routes.count && r == 0; i++) {
        const struct control_route *route = control_route_at(config, i), *first;
        struct bytes key;

        r = key_of(route, &arena, &key);
        first = r == 0 ? map_get(&seen, key) : NULL;
        if (first)
            say_twin(check, route, first);
        else if (r == 0)
            r = map_put(&seen, key, (void *)(uintptr_t)route);
    }
    map_done(&seen);
    arena_done(&arena);
    return r;
}
