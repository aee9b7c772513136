/* app/plan.h - what the supervisor has to keep running, taken from a system's configuration: listeners, services,
 * how many workers. Texts live as long as what they were made from (app/loaded.h). */
#ifndef WEFT_APP_PLAN_H
#define WEFT_APP_PLAN_H

#include "base/arena.h"
#include "base/fault.h"
#include "io/address.h"
#include "io/io.h"

struct plan_listener {
    struct bytes name, scheme;
    struct address address; /* port 0: a free one, the same for all workers, kept while it listens */
    uint16_t last_port;     /* not 0: where its port is taken, the next ones up to that one may do */
    bool control;           /* for worker 0 alone, else one for each other worker */
};

struct plan_service {
    struct bytes name;
    const char *const *argv; /* ends with NULL */
    const char *const *env;  /* "NAME=value", besides ours; ends with NULL */
    const char *directory;
    const struct bytes *needs; /* names of services */
    unsigned need_count;
    struct process_limits limits; /* of each instance */
    unsigned scale;               /* as the file has it */
    bool port;                    /* it gets PORT; else a listening unix socket as descriptor 3 */
};

struct plan {
    unsigned workers; /* at least 1 */
    struct plan_listener *listeners;
    unsigned listener_count;
    struct plan_service *services; /* those that are run by us */
    unsigned service_count;
    unsigned log_files; /* of each service's ring */
    uint64_t log_size;
};

/* Running processes of the one will do for the other; `scale` and `needs` are not looked at. */
bool plan_service_same(const struct plan_service *a, const struct plan_service *b);
bool plan_lists_equal(const char *const *a, const char *const *b); /* of texts, ended by NULL */

/* A socket that was opened for the one will do for the other. */
bool plan_listener_same(const struct plan_listener *a, const struct plan_listener *b);

const struct plan_service *plan_find(const struct plan *plan, struct bytes name); /* NULL: not there */

#endif
