/* supervise/link.h - the channel between supervisor and serving process: messages with descriptors, in order.
 *
 * (1) Nobody waits: what the other side does not take yet is queued, at most LINK_QUEUE_MAX messages. A full queue is
 *     -EAGAIN, and means that the other side is stuck.
 * (2) What can't be decoded, comes from the wrong side or with a wrong number of descriptors is dropped and told to
 *     `odd`; it never ends the link.
 * (3) After `ended` nothing is received or sent any more.
 */
#ifndef WEFT_SUPERVISE_LINK_H
#define WEFT_SUPERVISE_LINK_H

#include "io/loop.h"
#include "supervise/messages.h"

struct link;

/* All run on the loop's stack and may not wait; each may close the link. */
struct link_ops {
    /* The texts are valid during the call. The descriptor (-1: none) belongs to the receiver. */
    void (*received)(struct link *link, const struct message *message, int descriptor);
    void (*odd)(struct link *link, int error); /* why a message was dropped */
    void (*ended)(struct link *link);          /* the other side is gone */
};

struct link {
    const struct link_ops *ops;
    struct loop *loop;
    struct io_socket socket; /* none: closed */
    enum message_sender peer;
    struct wake readable, writable;
    struct list_node queue; /* struct letter_out, link.c */
    unsigned queued;
    char *memory; /* IO_MESSAGE_MAX, for what comes in */
    struct message_room *room;
};

/* Owns the socket from then on, also on failure. -ENOMEM. */
int link_open(struct link *link, struct loop *loop, struct io_socket socket, enum message_sender peer,
              const struct link_ops *ops) MUST_CHECK;

/* The descriptor (-1: none) stays the caller's, who says link_forget() before closing it. -EAGAIN, -ENOMEM, -EMSGSIZE,
 * -EPIPE: closed. */
int link_send(struct link *link, const struct message *message, int descriptor) MUST_CHECK;

/* Messages with that descriptor that still wait are dropped. */
void link_forget(struct link *link, int descriptor);

bool link_idle(const struct link *link); /* nothing waits to be sent */
void link_close(struct link *link);      /* what waits is dropped. Twice is fine */

#endif
