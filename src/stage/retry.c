/* The retry stage: tries again what failed, as long as that is safe, useful and within the budget.
 *
 * (1) Outcomes of kind UNSENT are tried again whatever the method; UNKNOWN ones and answers of certain statuses only
 *     where the request may be sent twice; REFUSED ones never. Our own failures (overload, internal, cancelled) and the
 *     client's leaving are never tried again.
 * (2) Never when the request can't be replayed or a byte of an answer may have left.
 * (3) When a retry does not happen (attempts, budget, deadline, Retry-After), the last answer or outcome stands.
 * (4) Each retry takes from the budget, stage/retry_budget.h, right before it is sent.
 */
#include "stage/retry.h"

#include "base/alloc.h"
#include "base/assert.h"
#include "exchange/endpoint.h"
#include "service/view.h"
#include "stage/retry_budget.h"

struct retry_local {
    struct retry_budget budget;
};

#define STATUS_BITS 640

#define STATUS_BIT(status) (UINT64_C(1) << (status) % 64)

const struct retry_on RETRY_ON_DEFAULT = {
    .unsent = true,
    .unknown = true,
    .statuses = { [502 / 64] = STATUS_BIT(502) | STATUS_BIT(503) |
                               STATUS_BIT(504) }, /* 502, 503 and 504 share a word */
};

/* --- decisions ------------------------------------------------------------------------------------------ */

int retry_on_add(struct retry_on *on, struct bytes text)
{
    uint64_t status;

    if (bytes_equal(text, BYTES("unsent"))) {
        on->unsent = true;
    } else if (bytes_equal(text, BYTES("unknown"))) {
        on->unknown = true;
    } else {
        if (bytes_to_u64(text, &status) < 0 || status < 400 || status > 599)
            return -EINVAL;
        on->statuses[status / 64] |= STATUS_BIT(status);
    }
    return 0;
}

bool retry_idempotent(const struct http_head *request)
{
    return http_method_idempotent(request->method) || http_head_has(request, HTTP_FIELD_IDEMPOTENCY_KEY);
}

static bool status_listed(const struct retry_on *on, unsigned status)
{
    return status < STATUS_BITS && (on->statuses[status / 64] & STATUS_BIT(status)) != 0;
}

bool retry_wanted(const struct retry_on *on, const struct exchange *x, enum outcome outcome)
{
    switch (outcome) {
    case OUTCOME_OK: return status_listed(on, x->response.status) && retry_idempotent(&x->request);
    case OUTCOME_OVERLOAD:
    case OUTCOME_CLIENT_GONE:
    case OUTCOME_CANCELED:
    case OUTCOME_INTERNAL: return false;
    default: break;
    }
    switch (outcome_info(outcome)->kind) {
    case OUTCOME_KIND_UNSENT: return on->unsent;
    case OUTCOME_KIND_UNKNOWN: return on->unknown && retry_idempotent(&x->request);
    case OUTCOME_KIND_DONE:
    case OUTCOME_KIND_REFUSED: break;
    }
    return false;
}

int64_t retry_backoff_ns(const struct duration_range *backoff, unsigned retry, struct prng *prng)
{
    int64_t bound_ns = backoff->low_ns;

    while (--retry > 0 && bound_ns < backoff->high_ns)
        bound_ns = bound_ns > TIME_NEVER / 2 ? backoff->high_ns : bound_ns * 2;
    bound_ns = MIN(bound_ns, backoff->high_ns);
    return bound_ns > 0 ? prng_between(prng, 0, bound_ns) : 0;
}

int64_t retry_after_ns(const struct http_head *response)
{
    struct bytes value = bytes_trim(http_head_value(response, HTTP_FIELD_RETRY_AFTER));
    uint64_t seconds;

    if (!http_head_has(response, HTTP_FIELD_RETRY_AFTER))
        return 0;
    if (bytes_to_u64(value, &seconds) < 0 || seconds > (uint64_t)(RETRY_AFTER_MAX_NS / NS_PER_S))
        return -1;
    return (int64_t)seconds * NS_PER_S;
}

/* --- the stage ------------------------------------------------------------------------------------------ */

/* How long to wait before the next try; -1: there is none. */
static int64_t pause_ns(const struct stage *s, const struct exchange *x, enum outcome outcome, unsigned attempt)
{
    const struct retry_conf *conf = s->conf;
    int64_t wait_ns, after_ns = 0;

    if (attempt >= conf->attempts || !retry_wanted(s->state, x, outcome) || !exchange_replayable(x))
        return -1;
    if (outcome == OUTCOME_OK)
        after_ns = retry_after_ns(&x->response);
    if (after_ns < 0)
        return -1;
    wait_ns = MAX(retry_backoff_ns(&conf->backoff, attempt, &x->worker->prng), after_ns);
    return wait_ns < x->deadline_ns - x->worker->loop->now_ns ? wait_ns : -1;
}

static void count(const struct exchange *x, bool refused)
{
    struct service_view *view = x->service.len ? service_view_find(x->worker, x->service) : NULL;

    if (view)
        metric_add(refused ? &view->metrics->retries_refused : &view->metrics->retries, 1);
}

/* Waits, and makes x ready for the next try. False: the last outcome stands. */
static bool try_again(struct retry_local *local, const struct retry_budget_rules *rules, struct exchange *x,
                      int64_t wait_ns)
{
    struct loop *loop = x->worker->loop;

    if (!retry_budget_has(&local->budget, rules, loop->now_ns)) {
        count(x, true);
        return false;
    }
    if (fiber_sleep(wait_ns) < 0 || !exchange_replayable(x))
        return false;
    if (!retry_budget_take(&local->budget, rules, loop->now_ns)) {
        count(x, true);
        return false;
    }
    count(x, false);
    return true;
}

static void remember_endpoint(struct exchange *x)
{
    if (x->endpoint)
        x->tried[x->tried_count++ % EXCHANGE_TRIED_MAX] = x->endpoint;
}

static enum outcome retry_run(const struct stage *s, struct exchange *x)
{
    const struct retry_conf *conf = s->conf;
    struct retry_local *local = stage_local(s, x);
    struct retry_budget_rules rules = { conf->budget, conf->budget_floor, service_worker_count(x->worker) };

    retry_budget_offer(&local->budget, x->worker->loop->now_ns);
    for (unsigned attempt = 1;; attempt++) {
        enum outcome outcome = stage_next(s, x);
        int64_t wait_ns = pause_ns(s, x, outcome, attempt);

        step_number(x, attempt);
        if (wait_ns < 0 || !try_again(local, &rules, x, wait_ns))
            return outcome;
        if (exchange_rewind(x) < 0) /* it was replayable a moment ago: then its answer is gone now */
            return outcome == OUTCOME_OK ? OUTCOME_INTERNAL : outcome;
        remember_endpoint(x);
        x->retries++;
    }
}

static int retry_prepare(struct stage *stage, const struct stage *previous, struct fault *fault)
{
    const struct retry_conf *conf = stage->conf;
    const struct bytes *words = conf->on.items;
    struct retry_on *on = mem_alloc(sizeof(*on));

    if (!on)
        return -ENOMEM;
    *on = conf->on.count ? (struct retry_on){ 0 } : RETRY_ON_DEFAULT;
    for (size_t i = 0; i < conf->on.count; i++) {
        if (retry_on_add(on, words[i]) == 0)
            continue;
        fault_set(fault, BYTES_FMT ": on: must be unsent, unknown or a status from 400 to 599 (is \"" BYTES_FMT "\")",
                  BYTES_ARG(stage->path), BYTES_ARG(words[i]));
        mem_free(on);
        return -EINVAL;
    }
    stage->state = on;
    return 0;
}

static void retry_retire(struct stage *stage)
{
    mem_free(stage->state);
}

/* --- settings ------------------------------------------------------------------------------------------- */

static int check_on(struct bytes text, struct fault *fault)
{
    struct retry_on on = { 0 };
    int r = retry_on_add(&on, text);

    if (r < 0)
        fault_set(fault, "must be unsent, unknown or a status from 400 to 599");
    return r;
}

static const struct conf_field RETRY_ON_FIELD = { .about = "what is tried again",
                                                  .type = CONF_STRING,
                                                  .check_text = check_on,
                                                  .pattern = "^(unsent|unknown|[45][0-9][0-9])$" };

static const struct conf_field RETRY_FIELDS[] = {
    { .key = "attempts",
      .about = "tries in all, the first included",
      .type = CONF_INTEGER,
      CONF_AT(struct retry_conf, attempts),
      .default_text = "3",
      .min = "1",
      .max = "10" },
    { .key = "backoff",
      .about = "bounds of the random wait before the first and before the last retries; it doubles in between",
      .type = CONF_DURATION_RANGE,
      CONF_AT(struct retry_conf, backoff),
      .default_text = "25ms..250ms" },
    { .key = "on",
      .about = "what is tried again: unsent (any method), unknown and statuses (idempotent requests); unless given: "
               "unsent, unknown, 502, 503 and 504",
      .type = CONF_LIST,
      .flags = CONF_SINGLE,
      CONF_AT(struct retry_conf, on),
      .element = &RETRY_ON_FIELD,
      .example = "[unsent, 503]" },
    { .key = "budget",
      .about = "retries, as a share of the requests of the last 10 s",
      .type = CONF_PERCENT,
      CONF_AT(struct retry_conf, budget),
      .default_text = "20%",
      .max = "100%" },
    { .key = "floor",
      .about = "retries that are allowed besides, so that a quiet service has some too",
      .type = CONF_RATE,
      CONF_AT(struct retry_conf, budget_floor),
      .default_text = "3/s" },
};

static const struct conf_schema RETRY_SCHEMA = { .name = "retry",
                                                 .about = "Tries again what failed, within a budget.",
                                                 .fields = RETRY_FIELDS,
                                                 .count = ARRAY_LEN(RETRY_FIELDS),
                                                 .size = sizeof(struct retry_conf),
                                                 .shorthand = "attempts" };

const struct stage_type STAGE_RETRY = { .name = "retry",
                                        .schema = &RETRY_SCHEMA,
                                        .local_size = sizeof(struct retry_local),
                                        .prepare = retry_prepare,
                                        .run = retry_run,
                                        .retire = retry_retire };
