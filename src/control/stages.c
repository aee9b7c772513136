/* The sets of alternatives that the tables choose from. */
#include "control/config.h"

static int make_set(const char *name, const struct stage_type *const *types, struct arena *arena, struct conf_set *ret)
{
    struct conf_alternative *alternatives;
    size_t count = 0;

    while (types[count])
        count++;
    alternatives = arena_zalloc(arena, count * sizeof(*alternatives));
    if (!alternatives)
        return -ENOMEM;
    for (size_t i = 0; i < count; i++)
        alternatives[i] = (struct conf_alternative){ .name = types[i]->name,
                                                     .schema = types[i]->schema,
                                                     .user = types[i] };
    *ret = (struct conf_set){ .name = name, .alternatives = alternatives, .count = count };
    return 0;
}

int control_sets_make(const struct control_stages *stages, struct arena *arena, struct control_sets *ret)
{
    int r = make_set("stage", stages->steps, arena, &ret->sets[0]);

    if (r == 0)
        r = make_set("target", stages->targets, arena, &ret->sets[1]);
    return r == 0 ? make_set("setting", stages->settings, arena, &ret->sets[2]) : r;
}
