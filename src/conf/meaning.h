/* conf/meaning.h - what a loaded struct says, as a tree of names and texts, and where two of them differ.
 *
 * (1) Structs that say the same have equal meanings, however they were written: defaults that are spelled out, units,
 *     the order of a mapping's keys, included files and variables do not show.
 * (2) The order of a list shows, and so does that of a `unions` mapping.
 * (3) Nodes lie in the arena that is handed in; their texts there or in that of the load, which must live as long.
 * (4) It recurses as deep as the text is nested, like conf_load(): not for the stack of a fiber.
 * (5) Values are told as they are, secrets too: who may see them is the caller's affair.
 */
#ifndef WEFT_CONF_MEANING_H
#define WEFT_CONF_MEANING_H

#include "base/arena.h"
#include "conf/schema.h"

enum conf_meaning_kind { CONF_MEANS_TEXT = 1, CONF_MEANS_LIST, CONF_MEANS_MAP };

struct conf_meaning {
    enum conf_meaning_kind kind;
    bool standard;     /* a default: not told where the whole is new */
    bool written;      /* a map that tells something by being there, whatever is in it */
    bool choice;       /* a map with the one key of a union */
    bool ordered;      /* a map whose order shows */
    struct bytes key;  /* in a map */
    struct bytes name; /* of an item: it is the same one wherever it stands; empty: its place tells */
    struct bytes text;
    uint64_t hash; /* equal ones count as equal meanings: one chance in 1.8e19 */
    size_t count;
    struct conf_meaning *first, *last, *next;
};

/* What a struct of that schema says. 0 or -ENOMEM. */
int conf_meaning_make(const struct conf_schema *schema, const void *value, struct arena *arena,
                      struct conf_meaning **ret) MUST_CHECK;

/* On one line, as YAML in braces, without what is standard. `named`: its name stands before it already. */
void conf_meaning_write(struct text *text, const struct conf_meaning *meaning, bool named);

/* --- differences ------------------------------------------------------------------------------------------------ */

enum conf_change { CONF_ADDED, CONF_REMOVED, CONF_CHANGED, CONF_MOVED };

/* "services.orders.scale", "routes[2] (api).to". Long values are cut at CONF_DIFFERENCE_TEXT_MAX, with "..." at the
 * end. All texts are valid during the call. */
struct conf_difference {
    enum conf_change change;
    struct bytes path;
    struct bytes before; /* moved: the path that it had; removed: what is gone; added: empty */
    struct bytes after;  /* added: what is new; moved, removed: empty */
};

struct conf_differences {
    void (*found)(struct conf_differences *differences, const struct conf_difference *difference);
};

/* Tells every difference, in the order of `before`; what is new in a list or mapping comes after the rest of it. Lists
 * are compared by a longest common sequence while that takes at most CONF_COMPARE_CELLS_MAX steps, and by the names of
 * their items. 0 or -ENOMEM, and some may have been told. */
int conf_meaning_compare(const struct conf_meaning *before, const struct conf_meaning *after,
                         struct conf_differences *differences) MUST_CHECK;

#endif
