/* io/scope.h - structured concurrency: children end before the scope does (Sustrik, "Structured concurrency",
 * 2016; Smith, "Go statement considered harmful", 2018).
 *
 * (1) Scopes nest: those that a fiber opens form a stack, and must be closed in reverse order by the fiber
 *     that opened them.
 * (2) A scope's deadline is never later than the surrounding one's; when that moves, those inside move with it, within
 *     what they were given.
 * (3) A scope ends by its deadline (-ETIME) or by scope_cancel() (-ECANCELED). Its end reaches everything inside:
 *     nested scopes, children, their scopes; every wait there fails. It stops at a shielded scope.
 * (4) The first end counts: a scope that has ended with -ETIME stays so.
 * (5) scope_close() cancels what still runs and waits for it, deaf to everything: children end soon, since all
 *     their waits fail.
 * (6) Opening, spawning and closing never allocate; a scope and its tasks belong to the caller.
 */
#ifndef WEFT_IO_SCOPE_H
#define WEFT_IO_SCOPE_H

#include "io/fiber.h"

struct scope {
    uint32_t magic;
    int ended;      /* 0, or why waits inside fail; from here or from outside */
    int ended_here; /* the same, if this scope's own deadline or cancel did it */
    bool shielded;
    struct loop *loop;
    struct scope *parent;
    struct list_node node;     /* among the parent's inner scopes */
    struct list_node inner;    /* scopes opened inside: nested ones and those of the children */
    struct list_node waiting;  /* fibers that wait in this very scope */
    struct list_node finished; /* tasks that have ended and were not yet waited for */
    unsigned running;          /* children whose fiber has not ended */
    int first_error;           /* of the children */
    struct fiber *joiner;      /* who sits in scope_wait() or scope_close() */
    int64_t own_ns;            /* the deadline that it was given */
    int64_t deadline_ns;       /* that, or the surrounding one's, whichever comes first */
    struct timer timer;        /* set only where this scope's deadline is the earlier one */
    struct wake hangup;
    struct fiber *owner; /* who opened it; NULL: the loop's root */
};

/* Opens a scope in the running fiber and makes it its innermost one. deadline_ns: loop time, or TIME_NEVER. */
void scope_open(struct scope *scope, int64_t deadline_ns);

/* The same for clean-up that must wait (the 504, close_notify, a settlement): not reached by an end outside,
 * and with a deadline of its own, grace_ns from now. */
void scope_open_shielded(struct scope *scope, int64_t grace_ns);

/* Starts the task on a fiber in this scope. -EAGAIN: FIBERS_MAX are in use. -ECANCELED or -ETIME: the scope has
 * ended. The child first runs in the next turn. */
int scope_spawn(struct scope *scope, struct task *task) MUST_CHECK;

/* Waits for the next child that has ended, and takes it out. -ENOENT: none is left. -ETIME, -ECANCELED: the scope
 * has ended (children go on until scope_close()). */
int scope_wait(struct scope *scope, struct task **ret_done) MUST_CHECK;

/* 0, or -ETIME or -ECANCELED if THIS scope's own deadline or scope_cancel() ended it. What ended outside is
 * the surrounding scope's affair: there, return. */
int scope_ended(const struct scope *scope);

/* Cancels the scope when the peer of the socket closes or resets. One socket a scope. -EBADF: it is closed. */
int scope_cancel_on_hangup(struct scope *scope, struct io_socket socket) MUST_CHECK;
void scope_cancel_on_hangup_stop(struct scope *scope);

void scope_cancel(struct scope *scope);                            /* any context of the loop's thread; twice is fine */
void scope_set_deadline(struct scope *scope, int64_t deadline_ns); /* earlier or later, within the surrounding one's */

/* Cancels what is left, waits for it, and closes. Returns the first error of a child, or 0. */
int scope_close(struct scope *scope);

#endif
