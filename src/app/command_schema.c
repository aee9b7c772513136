#include "app/commands.h"
#include "app/stages.h"
#include "control/print.h"

int command_schema(struct app *app, const struct invocation *invocation)
{
    struct conf_gather gather;
    int r;

    conf_gather_init(&gather);
    r = control_print_schema(&STAGES, &gather.sink);
    if (r == 0)
        app_print(app, bytes_of(gather.data, gather.len));
    else
        app_error(app, "schema: can't be printed: %s", app_reason(r));
    conf_gather_done(&gather);
    return r == 0 ? EXIT_DONE : EXIT_FAILED;
}
