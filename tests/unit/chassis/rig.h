/* tests/unit/chassis/rig.h - a service on a thread of its own, and a plain client for it.
 *
 * Handlers run on that thread, where cmocka's assertions can't be used: they leave what they saw in memory of the test,
 * which looks at it after rig_stop(). */
#ifndef WEFT_TESTS_UNIT_CHASSIS_RIG_H
#define WEFT_TESTS_UNIT_CHASSIS_RIG_H

#include "weft.h"

#include <pthread.h>

#define RIG_ANSWER_MAX (4 * 1024 * 1024)

struct rig {
    struct weft_service *service;
    pthread_t thread;
    int code; /* of weft_run() */
    char answer[RIG_ANSWER_MAX];
    size_t answer_len;
};

/* Creates a service on a free port; `options` may be NULL. */
struct rig *rig_create(const struct weft_options *options);
void rig_start(struct rig *rig);
int rig_stop(struct rig *rig); /* weft_stop(), joins; the exit code */
int rig_join(struct rig *rig); /* the same without weft_stop() */
void rig_free(struct rig *rig);

/* Sends the request (its text ends with a zero) and reads until the other side closes: say "Connection: close". Returns
 * the status; the whole answer is in rig->answer, and ends with a zero. 0: it was no answer. */
int rig_ask(struct rig *rig, const char *request);
int rig_get(struct rig *rig, const char *path);

const char *rig_body(const struct rig *rig); /* behind the head */
bool rig_said(const struct rig *rig, const char *part);

/* The pieces. */
int rig_connect(struct rig *rig);
void rig_send(int connection, const void *data, size_t len);
int rig_receive(struct rig *rig, int connection); /* to the end, as rig_ask() */

#endif
