/* io/linux/inherit.h - what a process got from whoever started it: its environment and listening sockets. For
 * start-up. */
#ifndef WEFT_IO_LINUX_INHERIT_H
#define WEFT_IO_LINUX_INHERIT_H

#include "base/defs.h"

#define INHERITED_FIRST 3 /* the first descriptor of those handed over: SD_LISTEN_FDS_START */

/* The value of an environment variable; NULL: it is not set. */
const char *io_linux_variable(const char *name);

/* How many descriptors were handed over to this very process, as sd_listen_fds(3) says: LISTEN_FDS of them, if
 * LISTEN_PID is ours. They are not passed on to children. -EINVAL: the variables make no sense. */
int io_linux_inherited(void) MUST_CHECK;

#endif
