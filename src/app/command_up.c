#include "app/commands.h"
#include "app/loaded.h"
#include "app/serving.h"
#include "app/supervisor.h"
#include "base/alloc.h"

static int find(struct app *app, const struct invocation *invocation, struct place *ret)
{
    int r = place_find(invocation, ret);

    if (r < 0)
        app_error(app, "%s: the path is too long", invocation->command->name);
    return r;
}

int command_up(struct app *app, const struct invocation *invocation)
{
    struct place place;

    if (find(app, invocation, &place) < 0)
        return EXIT_USAGE;
    return supervisor_run(app, place.file, place.folder, place.state);
}

int command_serve(struct app *app, const struct invocation *invocation)
{
    return serving_run(app);
}

int command_check(struct app *app, const struct invocation *invocation)
{
    struct fault_list *faults = mem_zalloc(sizeof(*faults));
    struct loaded *loaded = NULL;
    struct place place;
    int r = faults ? find(app, invocation, &place) : -ENOMEM;

    if (r == 0)
        r = loaded_read(app, place.file, place.folder, place.state, faults, &loaded);
    if (r == 0)
        app_printf(app, "%s: good; %u service%s to run, %u listener%s\n", place.file, loaded->plan.service_count,
                   app_plural(loaded->plan.service_count), loaded->plan.listener_count,
                   app_plural(loaded->plan.listener_count));
    else if (faults) {
        app_faults(app, faults);
    }
    loaded_drop(loaded);
    mem_free(faults);
    return r == 0 ? EXIT_DONE : EXIT_FAILED;
}
