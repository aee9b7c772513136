/* chassis/url.h - the urls of calls to other services: http only (RFC 9110, 4.2.1). */
#ifndef WEFT_CHASSIS_URL_H
#define WEFT_CHASSIS_URL_H

#include "base/bytes.h"

struct url {
    struct bytes authority; /* host[:port], as written */
    struct bytes host;      /* without port; "[::1]" keeps its brackets */
    uint16_t port;          /* 80 where none is written */
    bool port_given;
    struct bytes path;  /* "/..." or empty */
    struct bytes query; /* data is NULL when there is no '?' */
};

/* -EINVAL: no http url, a user in it, a character that has to be encoded; a fragment is cut off. */
int url_parse(struct bytes text, struct url *ret) MUST_CHECK;

/* A service of the system by its name: no port, no dot. */
bool url_names_service(const struct url *url);

#endif
