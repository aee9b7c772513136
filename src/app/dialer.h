/* app/dialer.h - endpoints of services over HTTP/1, whose counts are added up in their worker's metrics. */
#ifndef WEFT_APP_DIALER_H
#define WEFT_APP_DIALER_H

#include "service/view.h"

/* For workers that are part of a struct worker_thread. */
extern const struct service_dialer APP_DIALER;

#endif
