/* conf/schema.h - tables that say what a configuration may hold and where it goes.
 *
 * One table per struct; from it come the decoder (conf/load.h), the JSON Schema and the reference
 * (conf/schema_print.h). This folder knows no feature of Weft: the tables stand beside what they configure.
 *
 * (1) Tables are constant data and outlive all that was loaded by them.
 * (2) What a key holds is zero, or its default, when the key is not written; conf_schema_check() proves that
 *     every default reads and lies in its range.
 * (3) Every text that was read is in the arena of the load and zero-terminated (struct bytes, data[len] == 0).
 * (4) A schema's name is unique among the schemas that can be reached from one root.
 *
 * type            in the struct            written as
 * bool            bool                     true, false
 * integer         int64_t                  42
 * size            uint64_t                 64KiB
 * duration        int64_t, nanoseconds     1h30m
 * duration range  struct duration_range    100ms..1s
 * rate            double, per second       100/s
 * percent         double, a fraction       20%
 * number          double                   0.5
 * string          struct bytes             any scalar but nothing
 * template        struct bytes             text with {names} in it; {{ and }} stand for braces
 * enum            int                      one of `choices`
 * address         struct bytes             host:port, scheme://host[:port][/path], unix:PATH
 * list            struct conf_list         [a, b]; items of `element`
 * map             struct conf_map          {name: value}; values of `element`, in the order written
 * struct          the struct itself, or a pointer to it with CONF_POINTER
 * union           struct conf_union        {NAME: value}: exactly one key, which names an alternative
 * unions          struct conf_list of      {NAME: value, NAME: value}: each key names an alternative, at most
 *                 struct conf_union        once, in the order written
 */
#ifndef WEFT_CONF_SCHEMA_H
#define WEFT_CONF_SCHEMA_H

#include "base/fault.h"
#include "base/units.h"

enum conf_type {
    CONF_BOOL = 1,
    CONF_INTEGER,
    CONF_SIZE,
    CONF_DURATION,
    CONF_DURATION_RANGE,
    CONF_RATE,
    CONF_PERCENT,
    CONF_NUMBER,
    CONF_STRING,
    CONF_TEMPLATE,
    CONF_ENUM,
    CONF_ADDRESS,
    CONF_LIST,
    CONF_MAP,
    CONF_STRUCT,
    CONF_UNION,
    CONF_UNIONS,
};

enum conf_flag {
    CONF_REQUIRED = 1,  /* the key must be written */
    CONF_POINTER = 2,   /* struct: a pointer, NULL when the key is not written */
    CONF_SINGLE = 4,    /* list: one item may stand without the brackets */
    CONF_TEXT_FORM = 8, /* union: a string is fine too; see `reference` */
    CONF_INCLUDE = 16,  /* list of strings in the root schema: further files, merged into this one */
};

/* What the names of a map may look like. */
enum conf_names {
    CONF_NAMES_LABEL,    /* a-z 0-9 and inner hyphens, a letter first, at most CONF_NAME_MAX: a DNS label */
    CONF_NAMES_VARIABLE, /* A-Z a-z 0-9 _, no digit first: environment variables */
    CONF_NAMES_TOKEN,    /* RFC 9110, 5.6.2: field names */
    CONF_NAMES_ANY,      /* anything but nothing */
};

/* Where something was written. `file` is in the load's arena. Lines and columns (characters) count from 1. */
struct conf_place {
    const char *file;
    unsigned line, column;
};

struct conf_list {
    void *items; /* an array; NULL when empty */
    size_t count;
    bool single; /* CONF_SINGLE: one item, written without the brackets */
};

struct conf_map_entry {
    struct bytes name;
    struct conf_place place; /* of the name */
    void *value;
};

struct conf_map {
    struct conf_map_entry *entries; /* NULL when empty */
    size_t count;
};

struct conf_alternative {
    const char *name;
    const struct conf_schema *schema;
    const void *user; /* what the owner wants to find again, such as its stage type */
};

/* Nothing written: both `alternative` is NULL and `text` is empty. */
struct conf_union {
    const struct conf_alternative *alternative;
    void *value;             /* the alternative's struct */
    struct bytes text;       /* the text form */
    struct conf_place place; /* of the alternative's name, or of the text */
};

/* The alternatives that unions of this name choose from; handed in at run time. */
struct conf_set {
    const char *name; /* as in conf_field.alternatives; for people too: "stage" */
    const struct conf_alternative *alternatives;
    size_t count;
};

struct conf_choice {
    const char *name; /* NULL ends the array */
    int value;
    const char *about;
};

struct conf_check;

struct conf_field {
    const char *key;   /* NULL in an element */
    const char *about; /* one line: what it means; no full stop */
    enum conf_type type;
    unsigned flags;      /* enum conf_flag */
    size_t offset, size; /* by CONF_AT(); conf_schema_check() compares the size with the type's */
    size_t given;        /* 0, or CONF_GIVEN(): a bool that tells whether the key was written */

    const char *default_text; /* as the user would write it; scalars only; NULL: zero, empty */
    const char *min, *max;    /* written like the value; for strings, lists and maps: of the length */
    const char *example;      /* one line of YAML, as the value */
    const char *pattern;      /* strings: an ECMA 262 expression for the JSON Schema; check_text decides here */

    const struct conf_choice *choices; /* enum */
    const struct conf_schema *schema;  /* struct */
    const struct conf_field *element;  /* list, map */
    const char *alternatives;          /* union, unions: name of the set */
    const char *reference;             /* string, or union with text form: kind of what it must name */
    const char *declares;              /* map: kind of what its names are */
    enum conf_names names;             /* map */

    /* A look at the text of a string, template or address: 0, or -EINVAL with what is wrong in *fault, which
     * gets place and path by the caller ("must be a path"). */
    int (*check_text)(struct bytes text, struct fault *fault);
};

struct conf_schema {
    const char *name;  /* letters, digits and hyphens: the key in the JSON Schema's $defs */
    const char *about; /* a sentence or two */
    const struct conf_field *fields;
    size_t count, size;
    const char *shorthand; /* NULL, or the key that a value fills which is no mapping */
    size_t place;          /* 0, or CONF_GIVEN() of a struct conf_place: where it was written */

    /* NULL, or a look at the whole struct once it has no other fault: conf_check_fault() for what is wrong.
     * Returns 0, or -ENOMEM. Not called for a struct that was not written. */
    int (*check)(struct conf_check *check, void *value);
};

#define CONF_AT(struct_type, member) \
    .offset = offsetof(struct_type, member), .size = sizeof(((struct_type *)NULL)->member)
#define CONF_GIVEN(struct_type, member) (offsetof(struct_type, member) + 1)

/* For `check` functions. The fault is placed at the key's value, or at the struct when `key` is NULL or was not
 * written, and its path is filled in; it may get a hint by fault_hint(). */
struct fault *conf_check_fault(struct conf_check *check, const char *key, const char *format, ...) PRINTF_LIKE(3, 4);
bool conf_check_given(const struct conf_check *check, const char *key);
struct arena *conf_check_arena(struct conf_check *check); /* lives as long as the result */

/* Bytes that a value of this field takes in its struct or list. */
size_t conf_field_size(const struct conf_field *field);

/* The tables themselves: are they sound? For a unit test over the real ones; 0, or -EINVAL with the first
 * fault found. */
int conf_schema_check(const struct conf_schema *root, const struct conf_set *sets, size_t set_count,
                      struct fault *fault) MUST_CHECK;

/* For `check_text`: the forms of an address (see above), without resolving anything. */
int conf_address_check(struct bytes text, struct fault *fault) MUST_CHECK;

#endif
