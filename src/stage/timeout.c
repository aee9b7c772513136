/* The stages `timeout` (all tries together) and `per-try`: a deadline until the head of the answer is there.
 *
 * The scope ends with the head. The body is bounded by idle limits: it is bound to no fiber and no scope.
 */
#include "io/loop.h"
#include "stage/stages.h"

/* `own`: what it is called when this very deadline was the end. */
static enum outcome run_within(const struct stage *s, struct exchange *x, enum outcome own)
{
    const struct timeout_conf *conf = s->conf;
    int64_t outside_ns = x->deadline_ns, now_ns = x->worker->loop->now_ns;
    struct scope scope;
    enum outcome outcome;

    if (conf->limit_ns == 0 || conf->limit_ns >= outside_ns - now_ns)
        return stage_next(s, x); /* what surrounds us ends sooner, and says so */
    scope_open(&scope, now_ns + conf->limit_ns);
    x->deadline_ns = scope.deadline_ns;
    outcome = stage_next(s, x);
    if (outcome != OUTCOME_OK && scope_ended(&scope) == -ETIME)
        outcome = own;
    (void)scope_close(&scope);
    x->deadline_ns = outside_ns;
    return outcome;
}

static enum outcome timeout_run(const struct stage *s, struct exchange *x)
{
    return run_within(s, x, OUTCOME_TIMEOUT);
}

static enum outcome per_try_run(const struct stage *s, struct exchange *x)
{
    step_number(x, x->attempts + 1u);
    return run_within(s, x, OUTCOME_TRY_TIMEOUT);
}

static const struct conf_field TIMEOUT_FIELDS[] = {
    { .key = "limit",
      .about = "until the head of the answer is there, all tries together; 0 for none",
      .type = CONF_DURATION,
      CONF_AT(struct timeout_conf, limit_ns),
      .default_text = "15s" },
};

static const struct conf_schema TIMEOUT_SCHEMA = { .name = "timeout",
                                                   .about = "Bounds the time until the answer begins.",
                                                   .fields = TIMEOUT_FIELDS,
                                                   .count = ARRAY_LEN(TIMEOUT_FIELDS),
                                                   .size = sizeof(struct timeout_conf),
                                                   .shorthand = "limit" };

static const struct conf_field PER_TRY_FIELDS[] = {
    { .key = "limit",
      .about = "until the head of one try's answer is there; 0 for none",
      .type = CONF_DURATION,
      .flags = CONF_REQUIRED,
      CONF_AT(struct timeout_conf, limit_ns) },
};

static const struct conf_schema PER_TRY_SCHEMA = { .name = "per-try",
                                                   .about = "Bounds the time until the answer of one try begins.",
                                                   .fields = PER_TRY_FIELDS,
                                                   .count = ARRAY_LEN(PER_TRY_FIELDS),
                                                   .size = sizeof(struct timeout_conf),
                                                   .shorthand = "limit" };

const struct stage_type STAGE_TIMEOUT = { .name = "timeout", .schema = &TIMEOUT_SCHEMA, .run = timeout_run };
const struct stage_type STAGE_PER_TRY = { .name = "per-try", .schema = &PER_TRY_SCHEMA, .run = per_try_run };
