/* net/listener.h - accepting connections: a wake, no fiber.
 *
 * (1) At most ACCEPTS_A_TURN connections are taken a turn, so a flood of connects can't starve the others.
 * (2) Out of descriptors (-EMFILE, -ENFILE) or memory, it pauses for ACCEPT_PAUSE_NS and tries again; `pauses` counts.
 * (3) The listening socket belongs to whoever made it (the supervisor): stopping does not close it unless asked.
 */
#ifndef WEFT_NET_LISTENER_H
#define WEFT_NET_LISTENER_H

#include "base/metric.h"
#include "io/loop.h"

struct listener {
    struct loop *loop;
    struct io_socket socket;
    struct wake wake;
    struct timer pause;
    /* Owns the socket from then on. On the loop's stack; may not wait. */
    void (*accepted)(struct listener *listener, struct io_socket socket, const struct address *peer);
    struct metric accepts, pauses;
};

int listener_start(struct listener *listener, struct loop *loop, struct io_socket socket,
                   void (*accepted)(struct listener *, struct io_socket, const struct address *)) MUST_CHECK;
/* Before it is stopped: those who have connected already would be reset with the socket. */
void listener_take_queued(struct listener *listener);
void listener_stop(struct listener *listener, bool close_socket); /* twice is fine */

#endif
