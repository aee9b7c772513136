/* Endpoints of a service over HTTP/1: see service/view.h. */
#include "http/client.h"
#include "service/view.h"

static int dial_create(const struct service_dialer *dialer, struct worker *worker, const struct instance *instance,
                       bool check, struct endpoint **ret)
{
    const struct service_settings *settings = &instance->settings;
    struct http_endpoint_conf conf = { .name = instance->name,
                                       .address = instance->address,
                                       .host = settings->host,
                                       .connections_max = check ? 1 : settings->connections_max,
                                       .connect_ns = settings->connect_ns,
                                       .idle_ns = settings->idle_ns,
                                       .body_ns = settings->body_ns,
                                       .direct = check };

    return http_endpoint_create(worker, &conf, ret);
}

const struct service_dialer SERVICE_DIALER_HTTP = { .create = dial_create, .retire = http_endpoint_retire };
