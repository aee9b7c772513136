/* tests/unit/conf/try.h - loads a text by the example's tables, with files and variables out of tables. */
#ifndef WEFT_TESTS_CONF_TRY_H
#define WEFT_TESTS_CONF_TRY_H

#include "example.h"

struct try_file {
    const char *path, *text; /* text NULL: -EACCES. The array ends with path NULL */
};

struct
try {
    struct arena arena;
    struct fault_list faults;
    struct example *example; /* NULL: refused */
    int result;
    char text[64 * 1024]; /* all faults, a line each, as people see them */
};

#define TRY_ARENA_MAX (8 * MIB)

/* Files: `user` is an array of struct try_file, or NULL. */
int try_read(void *user, const char *path, struct arena *arena, struct bytes *ret_text);

/* Variables: NAME=shop, N=2, EMPTY= , LIST=[a, b]. Nothing else. */
bool try_variable(void *user, struct bytes name, struct bytes *ret_value);

/* A new try: the text is file "w". try_done() gives everything back. */
struct try *try_load(struct bytes text, const struct try_file *files);
void try_done(struct try *try);

#endif
