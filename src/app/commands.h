/* app/commands.h - the commands of weft: one table, from which help, completion and the reading of arguments come. */
#ifndef WEFT_APP_COMMANDS_H
#define WEFT_APP_COMMANDS_H

#include "app/arguments.h"

extern const struct option_info OPTION_CHECK;

extern const struct command_info COMMANDS[]; /* ends with an entry without a name */

/* Where a system is: from -f and --dir. Paths are relative if those are. */
struct place {
    const char *file;
    char folder[FILE_PATH_MAX]; /* where services run */
    char state[FILE_PATH_MAX];  /* .weft */
    char socket[FILE_PATH_MAX]; /* control.sock in it */
};

extern const struct option_info OPTION_FOLLOW, OPTION_TAIL; /* command_logs.c */

extern const struct option_info OPTION_SERVICE, OPTION_ROUTE, OPTION_ERRORS, OPTION_SLOWER,
    OPTION_LIMIT;                                              /* command_get.c */
extern const struct option_info OPTION_ONCE, OPTION_INTERVAL;  /* command_top.c */
extern const struct option_info OPTION_HEADER, OPTION_GATEWAY; /* command_explain.c */

/* -ENAMETOOLONG. */
int place_find(const struct invocation *invocation, struct place *ret) MUST_CHECK;

int command_up(struct app *app, const struct invocation *invocation);
int command_serve(struct app *app, const struct invocation *invocation);
int command_check(struct app *app, const struct invocation *invocation);
int command_fmt(struct app *app, const struct invocation *invocation);
int command_schema(struct app *app, const struct invocation *invocation);
int command_get(struct app *app, const struct invocation *invocation);
int command_apply(struct app *app, const struct invocation *invocation);
int command_diff(struct app *app, const struct invocation *invocation);
int command_logs(struct app *app, const struct invocation *invocation);
int command_scale(struct app *app, const struct invocation *invocation);
int command_down(struct app *app, const struct invocation *invocation);
int command_version(struct app *app, const struct invocation *invocation);
int command_help(struct app *app, const struct invocation *invocation);
int command_man(struct app *app, const struct invocation *invocation);
int command_describe(struct app *app, const struct invocation *invocation);
int command_explain(struct app *app, const struct invocation *invocation);
int command_trace(struct app *app, const struct invocation *invocation);
int command_top(struct app *app, const struct invocation *invocation);
int command_completion(struct app *app, const struct invocation *invocation);

/* help.c */
void help_command(const struct app *app, const struct command_info *command);

#endif
