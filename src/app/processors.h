/* app/processors.h - how many processors this process may run on. */
#ifndef WEFT_APP_PROCESSORS_H
#define WEFT_APP_PROCESSORS_H

#include "io/io.h"

/* At least 1, at most WORKERS_MAX. [blocks] */
unsigned processors_count(struct io *io);

/* Of a list as in /proc/self/status: "0-3,8". 0: it is no such list. Pure. */
unsigned processors_in_list(struct bytes list);

#endif
