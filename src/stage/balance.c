/* The stage `balance`: gives the exchange one of the service's endpoints, see stage/pick.h.
 *
 * (1) Counts of exchanges in flight and the cursor are the worker's own: workers share nothing here but the instances'
 *     health.
 * (2) An endpoint that could not be connected to is ejected for a while, an answer clears it: service/instance.h.
 * (3) No ready endpoint, or no such service: OUTCOME_NO_ENDPOINT, which a retry stage around may wait out.
 * (4) The local block is attached to the view of its service. When a reload puts another service under the same path,
 *     exchanges of the old snapshot find their view by name.
 */
#include "io/loop.h"
#include "stage/pick.h"

struct balance_local {
    struct service_view *view;
};

static struct service_view *find_view(const struct stage *s, const struct exchange *x)
{
    const struct balance_conf *conf = s->conf;
    const struct balance_local *local = stage_local(s, x);

    if (likely(bytes_equal(local->view->name, conf->service)))
        return local->view;
    return service_view_find(x->worker, conf->service);
}

static struct member *choose(const struct balance_conf *conf, struct service_view *view, const struct exchange *x)
{
    int64_t now_ns = x->worker->loop->now_ns;
    enum pick_rank rank = PICK_NEVER;
    int at = -1;

    if (service_view_count(view) > 0)
        at = conf->by == BALANCE_LEAST_REQUEST ? pick_least_request(view, x, now_ns, &rank)
                                               : pick_round_robin(view, x, now_ns, &rank);
    if (at < 0) {
        metric_add(&view->metrics->empty, 1);
        return NULL;
    }
    if (rank >= PICK_PANIC)
        metric_add(&view->metrics->panics, 1);
    metric_add(&view->metrics->chosen, 1);
    return view->members[at];
}

/* What the outcome says about the endpoint. The view is looked for again: the set may have gone meanwhile. */
static void mark(struct exchange *x, struct bytes service, struct instance *instance, enum outcome outcome)
{
    struct service_view *view;

    if (outcome == OUTCOME_OK) {
        instance_clear(instance);
        return;
    }
    if (outcome != OUTCOME_CONNECT_FAILED && outcome != OUTCOME_CONNECT_TIMEOUT)
        return;
    if (!instance_eject(instance, outcome, x->worker->loop->now_ns))
        return;
    view = service_view_find(x->worker, service);
    if (view)
        metric_add(&view->metrics->ejections, 1);
}

static enum outcome balance_run(const struct stage *s, struct exchange *x)
{
    const struct balance_conf *conf = s->conf;
    struct service_view *view = find_view(s, x);
    struct member *member;
    enum outcome outcome;

    x->service = conf->service;
    member = view ? choose(conf, view, x) : NULL;
    if (!member)
        return OUTCOME_NO_ENDPOINT;
    if (exchange_use_endpoint(x, member->endpoint) < 0)
        return OUTCOME_OVERLOAD;
    member_use(member);
    outcome = stage_next(s, x);
    mark(x, conf->service, member->instance, outcome);
    member_drop(member);
    return outcome;
}

static int balance_local_start(const struct stage *s, struct worker *worker, void *memory)
{
    const struct balance_conf *conf = s->conf;
    struct balance_local *local = memory;
    struct service_view *view;
    int r;

    if (local->view && bytes_equal(local->view->name, conf->service))
        return 0;
    r = service_view_attach(worker, conf->service, &view);
    if (r < 0)
        return r;
    if (local->view)
        service_view_detach(local->view);
    local->view = view;
    return 0;
}

static void balance_local_stop(struct worker *worker, void *memory)
{
    struct balance_local *local = memory;

    if (local->view)
        service_view_detach(local->view);
}

/* --- settings ------------------------------------------------------------------------------------------- */

const struct conf_choice BALANCE_CHOICES[] = {
    { "round-robin", BALANCE_ROUND_ROBIN, "one after the other" },
    { "least-request", BALANCE_LEAST_REQUEST, "of two chosen by chance, the one with fewer requests in flight" },
    { NULL, 0, NULL },
};

static const struct conf_field BALANCE_FIELDS[] = {
    { .key = "by",
      .about = "how an endpoint is chosen",
      .type = CONF_ENUM,
      CONF_AT(struct balance_conf, by),
      .default_text = "round-robin",
      .choices = BALANCE_CHOICES },
};

static const struct conf_schema BALANCE_SCHEMA = { .name = "balance",
                                                   .about = "Spreads requests over the endpoints of a service.",
                                                   .fields = BALANCE_FIELDS,
                                                   .count = ARRAY_LEN(BALANCE_FIELDS),
                                                   .size = sizeof(struct balance_conf),
                                                   .shorthand = "by" };

const struct stage_type STAGE_BALANCE = { .name = "balance",
                                          .schema = &BALANCE_SCHEMA,
                                          .local_size = sizeof(struct balance_local),
                                          .run = balance_run,
                                          .local_start = balance_local_start,
                                          .local_stop = balance_local_stop };
