/* control/api_list.h - the answers of the control API that tell what runs. Inside of control/ only. */
#ifndef WEFT_CONTROL_API_LIST_H
#define WEFT_CONTROL_API_LIST_H

#include "control/answer.h"
#include "control/api.h"

/* What a negative errno means, for people. */
struct bytes api_reason(int error);

void api_list_status(const struct control_api_conf *conf, struct answer *answer);
void api_list_services(const struct control_api_conf *conf, struct answer *answer);

/* now_ns: of the loop on which the instances are checked. */
void api_list_endpoints(const struct control_api_conf *conf, int64_t now_ns, struct answer *answer);

/* api_logs.c */
int api_logs(const struct control_api_conf *conf, struct exchange *x) MUST_CHECK;

/* api_routes.c, api_explain.c */
int api_routes(const struct control_api_conf *conf, struct exchange *x) MUST_CHECK;
int api_explain(const struct control_api_conf *conf, struct exchange *x) MUST_CHECK;

/* api_scale.c: 0 with a verdict; -EBADMSG: the body is no such object; what the host gave. */
int api_scale(const struct control_api_conf *conf, struct exchange *x, struct control_verdict *ret) MUST_CHECK;

#endif
