/* The stage `endpoint`: the innermost one. What happens beyond it is the endpoint's own affair. */
#include "exchange/endpoint.h"

#include "io/loop.h"
#include "stage/stages.h"

static enum outcome endpoint_run(const struct stage *s, struct exchange *x)
{
    struct endpoint *endpoint = x->endpoint;
    enum outcome outcome;

    if (!endpoint)
        return OUTCOME_NO_SERVICE;
    step_name(x, endpoint->name);
    x->attempts++;
    x->times.sent_ns = x->worker->loop->now_ns;
    outcome = endpoint->ops->run(endpoint, x);
    if (outcome == OUTCOME_OK)
        x->times.head_ns = x->worker->loop->now_ns;
    return outcome;
}

const struct stage_type STAGE_ENDPOINT = { .name = "endpoint", .run = endpoint_run };
