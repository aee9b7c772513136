/* app/loaded.h - a version of the configuration: the texts it was made from, and what they mean.
 *
 * (1) The supervisor reads the files, .env too (app/environment.h); the serving process gets their very bytes, so both
 * compile the same. (2) It is counted: what runs by it (listeners, instances) keeps it alive.
 */
#ifndef WEFT_APP_LOADED_H
#define WEFT_APP_LOADED_H

#include "app/app.h"
#include "app/plan.h"
#include "base/list.h"

struct loaded_text {
    struct list_node node;
    struct bytes file, content;
};

struct loaded {
    unsigned uses;
    uint64_t version;
    struct arena arena;
    struct list_node texts; /* struct loaded_text, the main file first */
    unsigned text_count;
    const struct control_config *config;
    struct plan plan;
};

/* Reads the file and all it includes from the disk, and checks it. `state`: .weft, where the control socket goes. One
 * use. -EINVAL: faults say why; -ENOMEM. */
int loaded_read(struct app *app, const char *file, const char *folder, const char *state, struct fault_list *faults,
                struct loaded **ret) MUST_CHECK;

struct loaded *loaded_use(struct loaded *loaded);
void loaded_drop(struct loaded *loaded); /* NULL is fine */

#endif
