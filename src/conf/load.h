/* conf/load.h - YAML text to typed structs, by the tables of conf/schema.h.
 *
 * (1) All faults of all files are reported at once, in the order of the text, up to FAULTS_MAX; a result exists
 *     only when there are none.
 * (2) A load touches nothing but its arena, its fault list and what `source` does: it can be tried beside a
 *     running system.
 * (3) Work and memory are bounded whatever the text is: CONF_TEXT_MAX a file, CONF_FILES_MAX files, CONF_NODES_MAX
 *     nodes with aliases counted as often as they are used and long texts as several, CONF_DEPTH_MAX,
 *     CONF_SCALAR_MAX a value, CONF_DIRECTIVES_MAX, CONF_SCRATCH_MAX bytes while loading.
 * (4) Values never change the shape: variables are put in after the text was parsed.
 * (5) It recurses as deep as the text is nested: about 30 KiB of stack at CONF_DEPTH_MAX. Call it on the stack of a
 *     thread (at start, or as a job of a work lane), not on a fiber's.
 *
 * The language is YAML 1.1 as libyaml reads it, less what surprises: one document; UTF-8; no tags; no merge keys
 * (<<); no duplicate keys; only true and false are booleans; aliases may not refer to what surrounds them.
 * Scalars may hold ${NAME} and ${NAME:-default} (used when NAME is not set or empty); $${ stands for ${. Keys
 * may not. A value that is left out (`services:`) is an empty list, map or struct, and a fault elsewhere.
 *
 * Included files are merged: maps and lists are put together, in the order main file, then the included ones;
 * anything else may be written in one of the files only.
 */
#ifndef WEFT_CONF_LOAD_H
#define WEFT_CONF_LOAD_H

#include "base/arena.h"
#include "conf/schema.h"

struct conf_source {
    /* The text of a file: 0, or -ENOENT, -EACCES, -EISDIR, -EFBIG, -ENOMEM ... Text from the arena or older.
     * `path` is the including file's folder and the path as written, without "." and "..". NULL: nothing can
     * be included. */
    int (*read)(void *user, const char *path, struct arena *arena, struct bytes *ret_text);
    /* Whether the variable is set, and its value, which must live until conf_load() returns. NULL: none is. */
    bool (*variable)(void *user, struct bytes name, struct bytes *ret_value);
    void *user;
};

struct conf_request {
    const struct conf_schema *schema; /* of the document's root */
    const struct conf_set *sets;
    size_t set_count;
    struct conf_source source;
};

/* Reads `text`, which is called `file` in faults, into a struct of the root schema in `arena`. 0; -EINVAL with at
 * least one more fault in the list; -ENOMEM likewise. The result is valid as long as the arena and the
 * tables. */
int conf_load(const struct conf_request *request, const char *file, struct bytes text, struct arena *arena,
              struct fault_list *faults, void **ret) MUST_CHECK;

#endif
