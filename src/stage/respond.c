/* The stage `respond`: an answer from the configuration. Its body is not copied: it lives as long as the snapshot, to
 * which the exchange is pinned. */
#include "stage/stages.h"

#define RESPOND_FIELDS_SPARE 8 /* for whoever adds fields on the way out */

static bool has_body(unsigned status)
{
    return status != 204 && status != 304;
}

static enum outcome respond_run(const struct stage *s, struct exchange *x)
{
    const struct respond_conf *conf = s->conf;
    unsigned status = (unsigned)conf->status;
    struct body_memory *memory = arena_alloc(&x->arena, sizeof(*memory));
    struct bytes body = has_body(status) ? conf->body : BYTES_NONE;
    int r = memory ? exchange_answer(x, status, BYTES_NONE, BYTES_NONE) : -ENOMEM;

    if (r == 0)
        r = exchange_head_room(x, &x->response, (unsigned)conf->headers.count + RESPOND_FIELDS_SPARE);
    for (size_t i = 0; r == 0 && i < conf->headers.count; i++) {
        const struct conf_map_entry *entry = &conf->headers.entries[i];

        r = http_head_add_named(&x->response, entry->name, *(const struct bytes *)entry->value);
    }
    if (r == 0 && body.len && !http_head_has(&x->response, HTTP_FIELD_CONTENT_TYPE))
        r = http_head_add(&x->response, HTTP_FIELD_CONTENT_TYPE, BYTES("text/plain; charset=utf-8"));
    if (r < 0)
        return OUTCOME_OVERLOAD;
    x->response.content_length = body.len;
    x->response.has_content_length = has_body(status);
    x->response.framing = body.len ? HTTP_BODY_LENGTH : HTTP_BODY_NONE;
    body_memory_init(memory, body);
    x->response_body = body.len ? &memory->body : NULL;
    return OUTCOME_OK;
}

/* The framing is ours, and so is the connection. */
static bool ours(struct bytes name)
{
    enum http_field_id id = http_field_id_of(name);

    return id == HTTP_FIELD_CONTENT_LENGTH || http_field_hop_by_hop(id);
}

static int respond_prepare(struct stage *stage, const struct stage *previous, struct fault *fault)
{
    const struct respond_conf *conf = stage->conf;

    for (size_t i = 0; i < conf->headers.count; i++) {
        const struct conf_map_entry *entry = &conf->headers.entries[i];

        if (!http_is_token(entry->name) || !http_is_field_value(*(const struct bytes *)entry->value)) {
            fault_set(fault, BYTES_FMT ": headers." BYTES_FMT ": is no field that HTTP can carry",
                      BYTES_ARG(stage->path), BYTES_ARG(entry->name));
            return -EINVAL;
        }
        if (ours(entry->name)) {
            fault_set(fault, BYTES_FMT ": headers." BYTES_FMT ": can't be set, it follows from the body",
                      BYTES_ARG(stage->path), BYTES_ARG(entry->name));
            return -EINVAL;
        }
    }
    if (conf->body.len && !has_body((unsigned)conf->status)) {
        fault_set(fault, BYTES_FMT ": body: an answer of status %d has none", BYTES_ARG(stage->path),
                  (int)conf->status);
        return -EINVAL;
    }
    return 0;
}

/* --- settings ------------------------------------------------------------------------------------------- */

static int check_value(struct bytes text, struct fault *fault)
{
    if (http_is_field_value(text))
        return 0;
    fault_set(fault, "must not hold control characters");
    return -EINVAL;
}

static const struct conf_field HEADER_FIELD = { .about = "its value", .type = CONF_STRING, .check_text = check_value };

static const struct conf_field RESPOND_FIELDS[] = {
    { .key = "status",
      .about = "the status code",
      .type = CONF_INTEGER,
      CONF_AT(struct respond_conf, status),
      .default_text = "200",
      .min = "200",
      .max = "599" },
    { .key = "headers",
      .about = "header fields of the answer",
      .type = CONF_MAP,
      CONF_AT(struct respond_conf, headers),
      .element = &HEADER_FIELD,
      .names = CONF_NAMES_TOKEN,
      .max = "64",
      .example = "{ Cache-Control: no-store }" },
    { .key = "body",
      .about = "the body; text/plain unless headers say otherwise",
      .type = CONF_STRING,
      CONF_AT(struct respond_conf, body) },
};

static const struct conf_schema RESPOND_SCHEMA = { .name = "respond",
                                                   .about = "Answers by itself, without asking a service.",
                                                   .fields = RESPOND_FIELDS,
                                                   .count = ARRAY_LEN(RESPOND_FIELDS),
                                                   .size = sizeof(struct respond_conf),
                                                   .shorthand = "status" };

const struct stage_type STAGE_RESPOND = {
    .name = "respond", .schema = &RESPOND_SCHEMA, .prepare = respond_prepare, .run = respond_run
};
