/* The stage `limit-body`: request bodies of more than `max` bytes are refused (OUTCOME_BODY_TOO_LARGE, 413).
 *
 * (1) A body whose length is said beforehand is refused before a byte of it is asked for.
 * (2) Of another one no more than `max` bytes are ever given out, to whichever try or fork reads it (tee_limit()); the
 *     service never sees its end. The client gets 413, unless the answer has begun: then that breaks off.
 * (3) Tunnels have no body.
 */
#include "stage/stages.h"

static enum outcome limit_body_run(const struct stage *s, struct exchange *x)
{
    const struct limit_body_conf *conf = s->conf;
    const struct body *body = x->request_body;

    if (!x->tee)
        return stage_next(s, x);
    if (body->has_length && body->length > conf->max)
        return OUTCOME_BODY_TOO_LARGE;
    if (tee_limit(x->tee, conf->max) < 0)
        return OUTCOME_BODY_TOO_LARGE;
    return stage_next(s, x);
}

/* --- settings ------------------------------------------------------------------------------------------- */

static const struct conf_field FIELDS[] = {
    { .key = "max",
      .about = "bytes of a request body",
      .type = CONF_SIZE,
      CONF_AT(struct limit_body_conf, max),
      .default_text = "1MiB" },
};

static const struct conf_schema LIMIT_BODY_SCHEMA = {
    .name = "limit-body",
    .about = "Refuses larger request bodies with 413: at once when the request says how long its body is, else as soon "
             "as more "
             "has come.",
    .fields = FIELDS,
    .count = ARRAY_LEN(FIELDS),
    .size = sizeof(struct limit_body_conf),
    .shorthand = "max",
};

const struct stage_type STAGE_LIMIT_BODY = { .name = "limit-body",
                                             .schema = &LIMIT_BODY_SCHEMA,
                                             .run = limit_body_run };
