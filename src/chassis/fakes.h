/* chassis/fakes.h - answers of other services in tests. Private to chassis/. */
#ifndef WEFT_CHASSIS_FAKES_H
#define WEFT_CHASSIS_FAKES_H

#include "chassis/service.h"
#include "chassis/url.h"

/* The fake's answer to a request that was checked. -EDESTADDRREQ: there is none of that name; what the fake says. */
int fake_answer(struct weft_call *call, const char *method, const struct url *url, const struct weft_content *content,
                const struct weft_request_options *options, struct weft_reply *ret) MUST_CHECK;
void fakes_free(struct weft_service *service);

#endif
