/* io/mail_internal.h - the reader's side of a mailbox. Private to io/. */
#ifndef WEFT_IO_MAIL_INTERNAL_H
#define WEFT_IO_MAIL_INTERNAL_H

struct loop;

/* Runs all letters that wait, oldest first; those that arrive meanwhile stay for the next turn. Returns how many. */
unsigned mail_deliver(struct loop *loop);

#endif
