/* conf/context.h - the state of one conf_load(). Inside of conf/ only.
 *
 * Functions that take it record what is wrong with the text as faults and return 0; a negative errno means that
 * the load can't go on (-ENOMEM, or -EINVAL after a fault that leaves nothing to look at).
 */
#ifndef WEFT_CONF_CONTEXT_H
#define WEFT_CONF_CONTEXT_H

#include "base/map.h"
#include "conf/load.h"
#include "conf/node.h"

/* For what writes messages: its buffers must not lie in the frames of the recursion. */
#define CONF_COLD __attribute__((noinline, cold))

struct conf_file {
    const char *name;               /* as in faults, in the arena of the results */
    struct bytes path;              /* without "." and ".." */
    const struct conf_file *parent; /* the including one */
    struct conf_place place;        /* where it was included */
    struct conf_node *root;
    unsigned depth; /* 0: the main file */
};

/* What a `check` function of a table gets. */
struct conf_check {
    struct conf_context *context;
    const struct conf_schema *schema;
    const struct conf_node *node;
    const struct conf_path *path;
};

/* A text that must name something, to be looked up when everything was read. */
struct conf_reference {
    struct conf_reference *next;
    const char *kind;
    const struct conf_set *set; /* NULL, or alternatives that may have been meant */
    struct bytes text, path;
    struct conf_place place;
};

struct conf_kind {
    const char *name;
    struct map names; /* the values point to something, never mind what */
};

struct conf_context {
    const struct conf_request *request;
    struct arena *arena;  /* results */
    struct arena scratch; /* nodes, texts of files */
    struct fault_list *faults;
    size_t faults_before; /* in the list when the load began */
    size_t broken;        /* nodes passed over because they have a fault already */
    char *substituted;    /* CONF_SCALAR_MAX bytes in scratch, for conf_substitute() */
    bool unread;          /* a file is missing, or its text can't be followed */
    size_t nodes;         /* so far, in all files */
    struct conf_file files[CONF_FILES_MAX];
    size_t file_count;
    struct conf_kind kinds[CONF_KINDS_MAX];
    size_t kind_count;
    struct conf_reference *references, **references_tail;
};

/* Records a fault; never NULL, so that a hint can be added. */
struct fault *conf_fault(struct conf_context *context, struct conf_place place, const struct conf_path *path,
                         const char *format, ...) PRINTF_LIKE(4, 5);

/* "must be a duration, found a list (such as ...)" */
struct fault *conf_fault_type(struct conf_context *context, const struct conf_field *field,
                              const struct conf_node *node, const struct conf_path *path);

/* Records that a value, or its count ("its length "), is out of the field's range. */
void conf_check_range(struct conf_context *context, const struct conf_field *field, struct conf_place place,
                      const struct conf_path *path, const char *subject, bool below, bool above, struct bytes value);
void conf_check_count(struct conf_context *context, const struct conf_field *field, struct conf_place place,
                      const struct conf_path *path, const char *subject, size_t count);

/* How much is wrong so far; equal numbers before and after mean that nothing was found in between. */
size_t conf_fault_count(const struct conf_context *context);

/* Whether more faults would only be counted: then hints are not worth their work. */
bool conf_faults_full(const struct conf_context *context);

/* --- did you mean -------------------------------------------------------------------------------- */

/* Keeps the name nearest to `wanted` of all that are offered; at most CONF_SUGGEST_MAX are looked at. */
struct conf_suggestion {
    struct bytes wanted, best;
    unsigned distance, limit;
    size_t offered;
};

struct conf_suggestion conf_suggestion_for(struct bytes wanted);
void conf_suggestion_offer(struct conf_suggestion *suggestion, struct bytes name);
bool conf_suggestion_found(const struct conf_suggestion *suggestion);

/* Adds "did you mean ...?" to the fault, or else all the names, which are in `known`; NULL: nothing then. */
void conf_suggestion_hint(const struct conf_suggestion *suggestion, const struct text *known, struct fault *fault);

/* --- the steps of a load --------------------------------------------------------------------------- */

/* Finds bytes that no YAML text may have; 0, or -EINVAL with a fault. (scan.c) */
int conf_scan(struct conf_context *context, const char *file, struct bytes text) MUST_CHECK;

/* Reads one document; an empty one is CONF_NODE_NOTHING. (yaml.c) */
int conf_yaml_read(struct conf_context *context, const char *file, struct bytes text,
                   struct conf_node **ret) MUST_CHECK;

/* Puts variables into a scalar. *ret is valid until the next call. 0; -EINVAL with a fault; -ENOMEM. (variables.c) */
int conf_substitute(struct conf_context *context, struct conf_place place, const struct conf_path *path,
                    struct bytes raw, struct bytes *ret, bool *ret_changed) MUST_CHECK;

/* Reads a file and those that it includes into context->files. (include.c) */
int conf_include(struct conf_context *context, const char *name, struct bytes text) MUST_CHECK;

/* All files as one tree. (merge.c) */
int conf_merge(struct conf_context *context, struct conf_node **ret) MUST_CHECK;

/* Every schema that can be reached, the root first, in the order of first mention. 0, or -ENOSPC. (walk.c) */
struct conf_walk {
    const struct conf_set *sets;
    size_t set_count;
    const struct conf_schema *schemas[CONF_SCHEMAS_MAX];
    size_t count;
};

int conf_walk(struct conf_walk *walk, const struct conf_schema *root, const struct conf_set *sets,
              size_t set_count) MUST_CHECK;

/* Decodes a node into the zeroed memory of a struct. (decode.c) */
int conf_decode_struct(struct conf_context *context, const struct conf_schema *schema, struct conf_node *node,
                       const struct conf_path *path, void *into) MUST_CHECK;
int conf_decode_value(struct conf_context *context, const struct conf_field *field, struct conf_node *node,
                      const struct conf_path *path, void *into) MUST_CHECK;
int conf_decode_union(struct conf_context *context, const struct conf_field *field, struct conf_node *node,
                      const struct conf_path *path, struct conf_union *into) MUST_CHECK;
int conf_decode_unions(struct conf_context *context, const struct conf_field *field, struct conf_node *node,
                       const struct conf_path *path, struct conf_list *into) MUST_CHECK;
int conf_decode_scalar(struct conf_context *context, const struct conf_field *field, struct conf_node *node,
                       const struct conf_path *path, void *into) MUST_CHECK;

/* The node's text, in the arena of the results and zero-terminated. */
int conf_keep_text(struct conf_context *context, struct conf_node *node, struct bytes *ret) MUST_CHECK;

/* Names and what refers to them. (reference.c) `name` and `place` must live until the end of the load. */
int conf_declare(struct conf_context *context, const char *kind, struct bytes name, const struct conf_place *place,
                 const struct conf_path *path) MUST_CHECK;
int conf_refer(struct conf_context *context, const char *kind, struct conf_place place, const struct conf_path *path,
               struct bytes text, const struct conf_set *set) MUST_CHECK;
void conf_resolve(struct conf_context *context);

/* --- values -------------------------------------------------------------------------------------- */

/* A number as the tables and the user write it, for ranges. */
union conf_number {
    int64_t integer; /* integer, duration */
    uint64_t size;
    double real; /* rate, percent, number */
    struct duration_range range;
};

bool conf_type_is_scalar(enum conf_type type);
bool conf_type_is_text(enum conf_type type); /* string, template, address */
bool conf_type_is_number(enum conf_type type);
const char *conf_type_name(enum conf_type type);    /* "duration" */
const char *conf_type_phrase(enum conf_type type);  /* "a duration" */
const char *conf_type_example(enum conf_type type); /* "200ms, 15s or 1h30m"; NULL: none needed */
int conf_number_parse(enum conf_type type, struct bytes text, union conf_number *ret) MUST_CHECK;
int conf_number_compare(enum conf_type type, const union conf_number *a, const union conf_number *b);
const char *conf_field_max(const struct conf_field *field); /* as written, or what the type implies; or NULL */
const struct conf_choice *conf_choice_find(const struct conf_choice *choices, struct bytes name);
void conf_scalar_store(const struct conf_field *field, const union conf_number *number, void *into);

/* The default of every field that has one, into zeroed memory; nested structs too. */
void conf_defaults(const struct conf_schema *schema, void *into);

const struct conf_field *conf_schema_field(const struct conf_schema *schema, struct bytes key); /* NULL: none */
const struct conf_set *conf_set_find(const struct conf_set *sets, size_t count, const char *name);
const struct conf_alternative *conf_alternative_find(const struct conf_set *set, struct bytes name);
bool conf_name_ok(enum conf_names names, struct bytes name);
const char *conf_names_phrase(enum conf_names names);  /* what is asked of a name */
const char *conf_names_pattern(enum conf_names names); /* ECMA 262; NULL: any */
int conf_template_check(struct bytes text, struct fault *fault) MUST_CHECK;

#endif
