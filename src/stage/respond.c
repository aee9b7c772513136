/* The stage `respond`: an answer from the configuration. A body without {names} is not copied: it lives as long as the
 * snapshot, to which the exchange is pinned. */
#include "stage/stages.h"

#define RESPOND_FIELDS_SPARE 8 /* for whoever adds fields on the way out */

static bool has_body(unsigned status)
{
    return status != 204 && status != 304;
}

static const struct {
    struct bytes media_type;
    enum template_escape escape;
} BODIES[] = {
    [RESPOND_TEXT] = { BYTES("text/plain; charset=utf-8"), TEMPLATE_PLAIN },
    [RESPOND_HTML] = { BYTES("text/html; charset=utf-8"), TEMPLATE_HTML },
    [RESPOND_JSON] = { BYTES("application/json"), TEMPLATE_JSON },
};

static int add_fields(const struct respond_conf *conf, struct exchange *x)
{
    int r = exchange_head_room(x, &x->response, conf->fields.count + RESPOND_FIELDS_SPARE);

    for (unsigned i = 0; r == 0 && i < conf->fields.count; i++)
        r = written_field_add(&conf->fields.items[i], x, &x->response);
    return r;
}

static int answer(const struct respond_conf *conf, struct exchange *x)
{
    unsigned status = (unsigned)conf->status;
    struct body_memory *memory = arena_alloc(&x->arena, sizeof(*memory));
    struct bytes body = BYTES_NONE;
    int r = memory ? exchange_answer(x, status, BYTES_NONE, BYTES_NONE) : -ENOMEM;

    if (r == 0)
        r = add_fields(conf, x);
    if (r == 0 && has_body(status))
        r = written_expand_as(&conf->content, BODIES[conf->type].escape, x, &body);
    if (r == 0 && body.len && !http_head_has(&x->response, HTTP_FIELD_CONTENT_TYPE))
        r = http_head_add(&x->response, HTTP_FIELD_CONTENT_TYPE, BODIES[conf->type].media_type);
    if (r < 0)
        return r;
    x->response.content_length = body.len;
    x->response.has_content_length = has_body(status);
    x->response.framing = body.len ? HTTP_BODY_LENGTH : HTTP_BODY_NONE;
    body_memory_init(memory, body);
    x->response_body = body.len ? &memory->body : NULL;
    return 0;
}

/* What the request's own words make too long, or unfit for a field, is the request's fault. */
static enum outcome respond_run(const struct stage *s, struct exchange *x)
{
    int r = answer(s->conf, x);

    if (r == 0)
        return OUTCOME_OK;
    x->response = (struct http_head){ .status = 0 }; /* half of an answer is none */
    return r == -ENOMEM ? OUTCOME_OVERLOAD : OUTCOME_BAD_REQUEST;
}

/* --- settings ------------------------------------------------------------------------------------------- */

static int check_respond(struct conf_check *check, void *value)
{
    struct respond_conf *conf = value;
    int r = written_fields_make(check, "headers", &conf->headers, WRITTEN_OWN, &conf->fields);

    if (r == 0)
        r = written_text_make(check, conf->body, &conf->content);
    if (conf->body.len && !has_body((unsigned)conf->status))
        conf_check_fault(check, "body", "an answer of status %d has none", (int)conf->status);
    return r;
}

static const struct conf_field HEADER_FIELD = { .about = "its value; {names} are put in",
                                                .type = CONF_TEMPLATE,
                                                .check_text = written_check_value };

static const struct conf_choice TYPES[] = {
    { .name = "text", .value = RESPOND_TEXT, .about = "text/plain; {names} of the body as they came" },
    { .name = "html", .value = RESPOND_HTML, .about = "text/html; {names} as text" },
    { .name = "json", .value = RESPOND_JSON, .about = "application/json; {names} for use within quotes" },
    { .name = NULL },
};

static const struct conf_field RESPOND_FIELDS[] = {
    { .key = "status",
      .about = "the status code",
      .type = CONF_INTEGER,
      CONF_AT(struct respond_conf, status),
      .default_text = "200",
      .min = "200",
      .max = "599" },
    { .key = "headers",
      .about = "header fields of the answer; one whose value comes out empty is left out",
      .type = CONF_MAP,
      CONF_AT(struct respond_conf, headers),
      .element = &HEADER_FIELD,
      .names = CONF_NAMES_TOKEN,
      .max = "64",
      .example = "{ Cache-Control: no-store }" },
    { .key = "type",
      .about = "what the body is, unless headers have a Content-Type",
      .type = CONF_ENUM,
      CONF_AT(struct respond_conf, type),
      .choices = TYPES,
      .default_text = "text" },
    { .key = "body",
      .about = "the body; {names} are put in, escaped as the type wants it, and {{ }} stand for braces",
      .type = CONF_TEMPLATE,
      CONF_AT(struct respond_conf, body),
      .check_text = template_check,
      .example = "\"hello, {client.address}\"" },
};

static const struct conf_schema RESPOND_SCHEMA = { .name = "respond",
                                                   .about = "Answers by itself, without asking a service.",
                                                   .fields = RESPOND_FIELDS,
                                                   .count = ARRAY_LEN(RESPOND_FIELDS),
                                                   .size = sizeof(struct respond_conf),
                                                   .check = check_respond,
                                                   .shorthand = "status" };

const struct stage_type STAGE_RESPOND = { .name = "respond", .schema = &RESPOND_SCHEMA, .run = respond_run };
