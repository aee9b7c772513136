/* app/client.h - one request to the running system, by its control socket. */
#ifndef WEFT_APP_CLIENT_H
#define WEFT_APP_CLIENT_H

#include "app/app.h"

struct client_answer {
    unsigned status;
    char *data; /* mem_free() it */
    size_t len;
};

/* Sends method and path without a body and reads the whole answer, within limit_ns. 0; -ENOENT, -ECONNREFUSED: nobody
 * runs there; -EFBIG: more than CLIENT_ANSWER_MAX; -EPROTO, -ETIME, -ENAMETOOLONG, ... */
int client_call(struct app *app, const char *socket, struct bytes method, struct bytes path, int64_t limit_ns,
                struct client_answer *ret) MUST_CHECK;

/* The same with a body of JSON. */
int client_send(struct app *app, const char *socket, struct bytes method, struct bytes path, struct bytes body,
                int64_t limit_ns, struct client_answer *ret) MUST_CHECK;

/* Whether somebody accepts connections there: 0, or why not. */
int client_try(struct app *app, const char *socket) MUST_CHECK;

/* Waits in turns of CLIENT_POLL_NS until nobody does. 0 or -ETIME. */
int client_wait_gone(struct app *app, const char *socket, int64_t limit_ns) MUST_CHECK;

#endif
