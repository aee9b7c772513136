#include "app/client_say.h"

#include "app/table.h"
#include "base/alloc.h"

int client_explain(struct app *app, const struct invocation *invocation, const struct place *place, int error)
{
    const char *name = invocation->command->name;

    switch (error) {
    case -ENOENT:
    case -ECONNREFUSED:
        app_error(app, "%s: no system runs at %s: %s (weft up starts one; -f or --dir tell where)", name, place->socket,
                  app_reason(error));
        return EXIT_UNREACHABLE;
    case -ENAMETOOLONG:
        app_error(app, "%s: the path %s is too long for a socket (choose a shorter one with --dir)", name,
                  place->socket);
        return EXIT_USAGE;
    case -ETIME:
        app_error(app, "%s: the system at %s does not answer (it may be busy, or stuck)", name, place->socket);
        return EXIT_UNREACHABLE;
    default:
        app_error(app, "%s: can't talk to the system at %s: %s", name, place->socket, app_reason(error));
        return EXIT_UNREACHABLE;
    }
}

bool client_is_good(const struct client_answer *answer)
{
    return answer->status >= 200 && answer->status < 300;
}

void client_say_refusal(struct app *app, const struct invocation *invocation, const struct client_answer *answer)
{
    struct bytes body = bytes_of(answer->data, answer->len);
    char *detail = table_text(body, "detail");

    if (detail)
        app_error(app, "%s: %s", invocation->command->name, detail);
    else
        app_error(app, "%s: the system answered with status %u", invocation->command->name, answer->status);
    mem_free(detail);
}

bool client_say_done(struct app *app, const struct invocation *invocation, const struct client_answer *answer,
                     const char *otherwise)
{
    char *text;

    if (!client_is_good(answer)) {
        client_say_refusal(app, invocation, answer);
        return false;
    }
    text = table_text(bytes_of(answer->data, answer->len), "detail");
    app_printf(app, "%s\n", text ? text : otherwise);
    mem_free(text);
    return true;
}
