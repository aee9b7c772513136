#include "conf/context.h"

#include <errno.h>

static int add(struct conf_walk *walk, const struct conf_schema *schema)
{
    if (!schema)
        return 0; /* a mistake that conf_schema_check() reports */
    for (size_t i = 0; i < walk->count; i++)
        if (walk->schemas[i] == schema)
            return 0;
    if (walk->count == CONF_SCHEMAS_MAX)
        return -ENOSPC;
    walk->schemas[walk->count++] = schema;
    return 0;
}

static int add_field(struct conf_walk *walk, const struct conf_field *field)
{
    const struct conf_set *set;
    int err = 0;

    while (field->element && (field->type == CONF_LIST || field->type == CONF_MAP))
        field = field->element;
    if (field->type == CONF_STRUCT && field->schema)
        return add(walk, field->schema);
    if ((field->type != CONF_UNION && field->type != CONF_UNIONS) || !field->alternatives)
        return 0;
    set = conf_set_find(walk->sets, walk->set_count, field->alternatives);
    for (size_t i = 0; set && i < set->count && !err; i++)
        err = add(walk, set->alternatives[i].schema);
    return err;
}

int conf_walk(struct conf_walk *walk, const struct conf_schema *root, const struct conf_set *sets, size_t set_count)
{
    int err;

    walk->sets = sets;
    walk->set_count = set_count;
    walk->count = 0;
    err = add(walk, root);
    /* The array is the queue. */
    for (size_t i = 0; i < walk->count && !err; i++)
        for (size_t j = 0; j < walk->schemas[i]->count && !err; j++)
            err = add_field(walk, &walk->schemas[i]->fields[j]);
    return err;
}
