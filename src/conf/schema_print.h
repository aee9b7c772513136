/* conf/schema_print.h - what the tables of conf/schema.h say, for editors and for people.
 *
 * (1) What conf_load() accepts, the JSON Schema accepts, but for what it cannot say: references, `check` functions and
 *     faults of YAML itself. Values that hold a ${variable} pass.
 * (2) The output is a function of the tables alone, so it can be compared with a file in the tree.
 */
#ifndef WEFT_CONF_SCHEMA_PRINT_H
#define WEFT_CONF_SCHEMA_PRINT_H

#include "conf/schema.h"

/* Takes the text piece by piece; 0 or a negative errno, which ends the printing. */
struct conf_sink {
    int (*write)(struct conf_sink *sink, struct bytes part);
};

/* A sink that gathers the text in memory, at most CONF_PRINT_MAX bytes: then -ENOSPC; -ENOMEM. */
struct conf_gather {
    struct conf_sink sink;
    char *data;
    size_t len, max;
};

void conf_gather_init(struct conf_gather *gather);
void conf_gather_done(struct conf_gather *gather);

/* JSON Schema 2020-12, every schema under $defs. `id` is the $id, or NULL. 0, -ENOSPC (CONF_SCHEMAS_MAX), or what the
 * sink said. */
int conf_print_json_schema(struct conf_sink *sink, const struct conf_schema *root, const struct conf_set *sets,
                           size_t set_count, const char *id) MUST_CHECK;

/* Markdown: one section and table for each schema, the root first, then in the order of first mention. */
int conf_print_reference(struct conf_sink *sink, const struct conf_schema *root, const struct conf_set *sets,
                         size_t set_count) MUST_CHECK;

#endif
