/* app/environment.h - variables for weft.yaml and for services: the environment of weft itself, .env, and env-file.
 *
 * (1) ${NAME} in weft.yaml is what the environment of weft says, else what .env beside the file says. .env is for
 * weft.yaml alone: services get nothing of it but by `env:`, `env-file:` or because weft was started with it. (2) A
 * service gets, the first that has a name counting: what Weft sets (WEFT_URL, ...), `env:`, `env-file:` (of several the
 * last), the environment of weft. (3) The supervisor reads the files; the serving process gets the text of .env among
 * those of its version.
 */
#ifndef WEFT_APP_ENVIRONMENT_H
#define WEFT_APP_ENVIRONMENT_H

#include "app/app.h"
#include "conf/dotenv.h"
#include "control/config.h"

#define ENVIRONMENT_TEXT ":.env" /* the text's name in a version; no file that is included is called so */

/* The `user` of environment_variable(). */
struct environment {
    const struct app *app;
    struct dotenv file;
};

bool environment_variable(void *user, struct bytes name, struct bytes *ret_value); /* for struct conf_source */

/* The text of .env, called `file` in faults. 0; -EINVAL with faults; -ENOMEM. */
int environment_take(struct environment *environment, const char *file, struct bytes text, struct arena *arena,
                     struct fault_list *faults) MUST_CHECK;

/* What the service's processes get by env: and env-file:, whose paths count from `folder`; ends with NULL. 0; -EINVAL
 * with faults; -ENOMEM. [blocks] */
int environment_of(struct environment *environment, const struct control_service *service, const char *folder,
                   struct arena *arena, struct fault_list *faults, const char *const **ret) MUST_CHECK;

#endif
