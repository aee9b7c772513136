/* tests/unit/control/try.h - loads a text as weft.yaml, with the program's own stages. */
#ifndef WEFT_TESTS_CONTROL_TRY_H
#define WEFT_TESTS_CONTROL_TRY_H

#include "app/stages.h"
#include "control/load.h"

struct control_try {
    struct arena arena;
    struct fault_list faults;
    const struct control_config *config; /* NULL: refused */
    int result;
    char text[64 * 1024]; /* all faults, a line each, as people see them */
};

/* The text is file "w"; "more.yaml" is there to be included, with `services: { more: { run: ./more } }`; the variable
 * PORT is 8080. control_try_done() gives everything back. */
struct control_try *control_try(struct bytes text);
void control_try_done(struct control_try *try);

#endif
