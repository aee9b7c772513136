/* app/scale.h - how many instances `weft scale` has asked for, instead of what the file says.
 *
 * (1) A choice holds as long as the file's own `scale:` is what it was when the choice was made: who changes the number
 * in the file, or takes the service out of it, means it. (2) Choices survive the system: .weft/scale.json, replaced
 * atomically and synced before a change is answered.
 */
#ifndef WEFT_APP_SCALE_H
#define WEFT_APP_SCALE_H

#include "app/app.h"
#include "app/plan.h"
#include "base/list.h"

struct log;

struct scale_choice {
    struct list_node node;
    char *service;
    unsigned scale, file_scale; /* file_scale: the file's, when it was made */
};

struct scales {
    struct app *app;
    char path[FILE_PATH_MAX];
    struct list_node choices;
};

/* Reads what was kept; a file that can't be read or understood is told and left alone. [blocks] */
void scales_open(struct scales *scales, struct app *app, const char *state, struct log *log);
void scales_close(struct scales *scales);

/* How many instances of the service there should be. */
unsigned scales_of(const struct scales *scales, const struct plan_service *plan, bool *ret_chosen);

/* Makes a choice and keeps it. -errno: it was not kept, and nothing has changed. [blocks] */
int scales_choose(struct scales *scales, const struct plan_service *plan, unsigned scale) MUST_CHECK;

/* Drops the choices that do not hold by that plan any more, and tells so. [blocks] */
void scales_follow(struct scales *scales, const struct plan *plan, struct log *log);

#endif
