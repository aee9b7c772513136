/* chassis/background.h - what a service does without being asked: tasks and checks. Private to chassis/.
 *
 * (1) Each run has a call of its own, without an exchange, with a trace and a request id of its own and a limit.
 * (2) They live in the scope chassis->background, which is open while the service runs, or while a test asks it.
 * (3) A task never runs beside itself, nor does the round of all checks.
 * (4) While the service drains no run begins; one under way has the time of the drain, then its waits fail.
 */
#ifndef WEFT_CHASSIS_BACKGROUND_H
#define WEFT_CHASSIS_BACKGROUND_H

#include "base/limits.h"
#include "base/text.h"
#include "io/loop.h"
#include "weft.h"

struct chassis;

/* Why a run failed; empty: it did not say. */
struct background_why {
    char text[CHASSIS_WHY_MAX + 1];
};

/* Runs the function with a call of its own in the running fiber, and returns what it has returned. */
int background_run(struct weft_service *service, weft_handler *run, void *user, int64_t limit_ns,
                   struct background_why *ret_why);

/* Why, for people: what it has said, or what the errno means. */
const char *background_reason(int error, const struct background_why *why);

/* --- tasks ---------------------------------------------------------------------------------------------------- */

struct periodic {
    struct list_node node; /* in service->tasks */
    struct weft_service *service;
    weft_handler *run;
    void *user;
    int64_t interval_ns;
    struct task task;
    struct fiber *sleeping; /* its fiber, between two runs */
    bool alive;             /* its fiber has not ended */
    bool hurried;           /* once more, at once */
    char name[CHASSIS_NAME_MAX + 1];
};

/* Starts the tasks of a service; needs background_open(). -EAGAIN: no fiber is free. */
int tasks_start(struct weft_service *service) MUST_CHECK;
void tasks_drain(struct weft_service *service);                     /* lets those that sleep end */
bool tasks_alive(const struct weft_service *service);               /* some have not ended */
int tasks_run_once(struct weft_service *service, const char *name); /* for tests, on a fiber. -ENOENT */
void tasks_free(struct weft_service *service);

/* --- checks --------------------------------------------------------------------------------------------------- */

struct check {
    weft_handler *run;
    void *user;
    struct weft_service *service;
    struct task task;
    int result;
    struct background_why why;
    char name[CHASSIS_NAME_MAX + 1];
};

struct readiness {
    struct check *checks[WEFT_CHECKS_MAX];
    unsigned count;
    int64_t fresh_until_ns; /* what is known is good enough until then; 0: nothing is known */
    bool running;
    struct task task;
    struct list_node waiting; /* for the round that is under way */
};

void readiness_free(struct readiness *readiness);

#endif
