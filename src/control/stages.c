/* The sets of alternatives that the tables choose from. */
#include "control/tables.h"

/* `policies`: one more may be written, which names a policy; it has no type. */
static int make_set(const char *name, const struct stage_type *const *types, bool policies, struct arena *arena,
                    struct conf_set *ret)
{
    struct conf_alternative *alternatives;
    size_t count = 0;

    while (types[count])
        count++;
    alternatives = arena_zalloc(arena, (count + 1) * sizeof(*alternatives));
    if (!alternatives)
        return -ENOMEM;
    for (size_t i = 0; i < count; i++)
        alternatives[i] = (struct conf_alternative){ .name = types[i]->name,
                                                     .schema = types[i]->schema,
                                                     .user = types[i] };
    if (policies)
        alternatives[count++] = (struct conf_alternative){ .name = "policy", .schema = &CONTROL_POLICY_STEP_SCHEMA };
    *ret = (struct conf_set){ .name = name, .alternatives = alternatives, .count = count };
    return 0;
}

int control_sets_make(const struct control_stages *stages, struct arena *arena, struct control_sets *ret)
{
    int r = make_set("stage", stages->steps, true, arena, &ret->sets[0]);

    if (r == 0)
        r = make_set("target", stages->targets, false, arena, &ret->sets[1]);
    return r == 0 ? make_set("setting", stages->settings, false, arena, &ret->sets[2]) : r;
}
