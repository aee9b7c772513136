/* io/linux/linux.h - the seam on Linux: edge-triggered epoll, pidfds, signalfd, threads for lanes.
 *
 * One struct io per thread. Linux 5.11 or later (epoll_pwait2, close_range, pidfd_open), 64 bit.
 *
 * What the table of io/io.h leaves open is answered here:
 *  - io_linux_open() raises RLIMIT_NOFILE to the hard limit (children get the old one back), ignores SIGPIPE
 *    and stops ignoring SIGCHLD, for the whole process.
 *  - TCP sockets have TCP_NODELAY. An IPv6 listener takes IPv6 alone (IPV6_V6ONLY): what is written is what
 *    listens. A unix listener's file has mode 0600 less umask; a file left by a dead listener is replaced, one
 *    that answers is -EADDRINUSE, and one that is no socket is never removed. Closing does not remove it, since
 *    another process may hold the same listener.
 *  - try_connect() to a unix listener whose queue is full is -ECONNREFUSED: Linux offers no event to wait for.
 *  - try_accept() at the descriptor limit is -EMFILE or -ENFILE, and the connection stays queued: a wake armed
 *    then runs at once, so the caller backs off by time. Ours is SOCKETS_MAX: -EMFILE too.
 *  - resolve(): -ENOENT (no such name or no address), -EREMOTEIO (the name server failed or did not answer).
 *  - linux_descriptor_write() gives up on a reader that takes nothing for DESCRIPTOR_WAIT_NS: what was written so far,
 *    or -ETIMEDOUT; so a lane that writes can always be closed. linux_descriptor_read() waits as long at most:
 * -ETIMEDOUT.
 *  - spawn(): descriptor 0 is /dev/null; all signals are at their defaults and none is blocked; the child dies
 *    (SIGKILL) with the thread that spawned it; relative paths in argv[0] count from `directory`; relative
 *    elements of PATH are skipped. At most IO_DESCRIPTORS_MAX descriptors: -E2BIG. They are made blocking, for all who
 *    share them: hand over what nobody else reads from, or adopt() it again.
 *  - linux_process_signal() with `group` reaches the group until linux_process_reap() has succeeded; signal what a
 * leader leaves behind before reaping it.
 *  - Waiting wakes run in the order in which their sockets became due.
 */
#ifndef WEFT_IO_LINUX_LINUX_H
#define WEFT_IO_LINUX_LINUX_H

#include "io/io.h"

int io_linux_open(struct io **ret) MUST_CHECK; /* -ENOMEM, -EMFILE, ... */

/* Writes to standard error, as descriptor_write does: for the last words of a process, when no io may be at hand. */
void io_linux_last_words(struct bytes text);

/* All lanes must be closed and all jobs done; sockets that are still open are closed. */
void io_linux_close(struct io *io);

/* Orphans among our descendants become our children instead of init's. */
int io_linux_become_subreaper(void) MUST_CHECK;

int64_t io_linux_parent(void); /* its pid */

/* Kills every descendant and reaps it, in turns, since the dead leave their children to us (a subreaper).
 * Returns how many were reaped; -ETIMEDOUT when some are left after GUARD_KILL_NS (stuck in the kernel, or out
 * of our power). [blocks] Only for a process whose children are all its own affair. */
int io_linux_kill_descendants(void) MUST_CHECK;

/* Reaps ended children that are not ours: orphans that came to a subreaper. 0, or -EBUSY: one of ours has ended, and
 * must be reaped by its owner first; then call it again. */
int io_linux_reap_orphans(bool (*is_ours)(void *user, int64_t pid), void *user) MUST_CHECK;

/* Splits a process into a guard and what it guards, so that no descendant outlives the latter, however it dies.
 * Call it first thing in main(), before any thread, io or descriptor of ours.
 *
 * In the child, which gets SIGTERM should the guard die: returns 0. In the guard, when the child has ended and its
 * descendants are killed: returns 1, with the child's wait status. The guard passes SIGTERM, SIGINT and SIGHUP on (not
 * those of a terminal: these reach the child by themselves). Negative: nothing was started. */
int io_linux_fork_guarded(int *ret_status) MUST_CHECK;

#endif
