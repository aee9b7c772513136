/* app/client_say.h - what commands that talk to the running system say about how that went. */
#ifndef WEFT_APP_CLIENT_SAY_H
#define WEFT_APP_CLIENT_SAY_H

#include "app/client.h"
#include "app/commands.h"

/* Why there was no answer, on standard error; returns the exit code. */
int client_explain(struct app *app, const struct invocation *invocation, const struct place *place, int error);

/* Whether the status is one of success. */
bool client_is_good(const struct client_answer *answer);

/* A problem's detail, or else the status, on standard error. */
void client_say_refusal(struct app *app, const struct invocation *invocation, const struct client_answer *answer);

/* The detail of a change, or `otherwise`, on standard output; false: it was refused, and that was said. */
bool client_say_done(struct app *app, const struct invocation *invocation, const struct client_answer *answer,
                     const char *otherwise);

#endif
