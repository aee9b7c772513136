/* The commands that talk to the running system. */
#include "app/client_say.h"
#include "base/alloc.h"

/* 0: there is an answer, else *ret_exit says how to end. */
static int call(struct app *app, const struct invocation *invocation, struct bytes method, struct bytes path,
                struct place *place, struct client_answer *ret, int *ret_exit)
{
    int r = place_find(invocation, place);

    if (r == 0)
        r = client_call(app, place->socket, method, path, CLIENT_LIMIT_NS, ret);
    if (r < 0)
        *ret_exit = client_explain(app, invocation, place, r);
    return r;
}

int command_apply(struct app *app, const struct invocation *invocation)
{
    struct client_answer answer = { .status = 0 };
    struct place place;
    int exit_code = EXIT_DONE;

    if (call(app, invocation, BYTES("POST"), BYTES("/v1/apply"), &place, &answer, &exit_code) < 0)
        return exit_code;
    if (!client_say_done(app, invocation, &answer, "applied"))
        exit_code = EXIT_FAILED;
    mem_free(answer.data);
    return exit_code;
}

int command_down(struct app *app, const struct invocation *invocation)
{
    struct client_answer answer = { .status = 0 };
    struct place place;
    int exit_code = EXIT_DONE;

    if (call(app, invocation, BYTES("POST"), BYTES("/v1/down"), &place, &answer, &exit_code) < 0)
        return exit_code;
    if (!client_is_good(&answer)) {
        client_say_refusal(app, invocation, &answer);
        exit_code = EXIT_FAILED;
    } else if (client_wait_gone(app, place.socket, CLIENT_LIMIT_NS) < 0) {
        app_error(app, "down: the system at %s is stopping, but has not ended yet", place.socket);
        exit_code = EXIT_FAILED;
    } else
        app_print(app, BYTES("stopped\n"));
    mem_free(answer.data);
    return exit_code;
}
