/* control/load.h - the texts of weft.yaml and of what it includes to a struct control_config.
 *
 * The same function serves whoever reads from the disk and whoever was given the texts: `source` says where they come
 * from (conf/load.h). It recurses: not for the stack of a fiber.
 */
#ifndef WEFT_CONTROL_LOAD_H
#define WEFT_CONTROL_LOAD_H

#include "control/config.h"

struct control_request {
    const struct control_stages *stages;
    struct conf_source source;
};

/* Reads `text`, called `file` in faults, into the arena (a snapshot's, for compiling). 0; -EINVAL with all faults in
 * the list; -ENOMEM likewise. */
int control_load(const struct control_request *request, const char *file, struct bytes text, struct arena *arena,
                 struct fault_list *faults, const struct control_config **ret) MUST_CHECK;

#endif
