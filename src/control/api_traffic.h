/* control/api_traffic.h - the answers of the control API that tell what went through: recent exchanges, traces, who
 * calls whom. Inside of control/ only. Each sets x's answer; -ENOMEM, or what answer_send() said. */
#ifndef WEFT_CONTROL_API_TRAFFIC_H
#define WEFT_CONTROL_API_TRAFFIC_H

#include "control/answer.h"
#include "control/api.h"

int api_traffic(const struct control_api_conf *conf, struct exchange *x) MUST_CHECK;  /* /v1/traffic?... */
int api_trace(const struct control_api_conf *conf, struct exchange *x) MUST_CHECK;    /* /v1/traces/ID */
int api_topology(const struct control_api_conf *conf, struct exchange *x) MUST_CHECK; /* /v1/topology */

/* "time":"2026-11-21T08:30:00.123Z": of a moment of x's loop. */
void api_time(struct answer *answer, const char *key, struct exchange *x, int64_t loop_ns);

#endif
