/* app/fetch.h - answers of the control API as JSON, for commands that tell of the running system. */
#ifndef WEFT_APP_FETCH_H
#define WEFT_APP_FETCH_H

#include "app/client.h"
#include "app/commands.h"
#include "base/text.h"

#include <jansson.h>

/* GET of a path. 0 with an object to be released by json_decref(), else -errno and *ret_exit says how to end: the
 * person has been told. */
int fetch_json(struct app *app, const struct invocation *invocation, const char *path, json_t **ret,
               int *ret_exit) MUST_CHECK;

/* The same without a word. -EBADMSG: it was refused; -EPROTO: it was not understood; what client_call() says. */
int fetch_quietly(struct app *app, const char *socket, const char *path, int64_t limit_ns, json_t **ret) MUST_CHECK;

/* The same, printed as it came. Returns enum exit_code. */
int fetch_print(struct app *app, const struct invocation *invocation, const char *path);

/* Prints an object of our own, for -o json. */
int fetch_print_object(struct app *app, const struct invocation *invocation, const json_t *object);

/* Members; empty or 0 where there is none of the kind. Texts live as long as the object. */
struct bytes fetch_text(const json_t *object, const char *key);
double fetch_number(const json_t *object, const char *key);
uint64_t fetch_count(const json_t *object, const char *key);
bool fetch_flag(const json_t *object, const char *key);
json_t *fetch_named(const json_t *list, const char *key, struct bytes value); /* of a list of objects; NULL */

/* "key=value" behind what is there, percent-encoded; the first one behind a '?'. */
void fetch_parameter(struct text *path, const char *key, const char *value);

/* ("did you mean X?"), or what there is: for an error about the name of an element of the list. */
void fetch_suggest(const json_t *list, const char *key, const char *name, struct text *ret);

#endif
