/* The stage `headers`: sets, adds and removes header fields, both ways (Gateway API, HTTPHeaderFilter).
 *
 * In each direction first `remove`, then `set`, then `add`. A value that comes out empty sets nothing: the field is
 * then just taken out, so that nobody can slip in what the configuration says. What cannot be carried is refused on the
 * way in; on the way out, where the service has acted already, the field is left out.
 */
#include "stage/amend.h"
#include "stage/stages.h"

static unsigned added_by(const struct headers_edit *edit)
{
    return edit->set_fields.count + edit->add_fields.count;
}

static bool edits(const struct headers_edit *edit)
{
    return added_by(edit) + edit->remove.count > 0;
}

/* `lenient`: a value that can't be carried is left out. */
static int add_fields(const struct written_fields *fields, bool lenient, struct exchange *x, struct http_head *head)
{
    int r = 0;

    for (unsigned i = 0; r == 0 && i < fields->count; i++) {
        r = written_field_add(&fields->items[i], x, head);
        if (lenient && r != -ENOMEM && head->field_count < head->field_max)
            r = 0;
    }
    return r;
}

static int edit_head(const struct headers_edit *edit, bool lenient, struct exchange *x, struct http_head *head)
{
    const struct bytes *remove = edit->remove.items;
    int r;

    for (size_t i = 0; i < edit->remove.count; i++)
        http_head_remove_named(head, remove[i]);
    for (unsigned i = 0; i < edit->set_fields.count; i++)
        http_head_remove_named(head, edit->set_fields.items[i].name);
    r = add_fields(&edit->set_fields, lenient, x, head);
    return r < 0 ? r : add_fields(&edit->add_fields, lenient, x, head);
}

/* The fields are changed aside, so that templates see the request as it came to this stage. */
static enum outcome run_amended(const struct stage *s, struct exchange *x, const struct headers_edit *edit)
{
    struct http_head changed = x->request;
    enum outcome outcome;
    struct amend amend;
    int r = amend_open(x, added_by(edit), &amend);

    if (r == 0) {
        changed = x->request;
        x->request = amend.head;
        r = edit_head(edit, false, x, &changed);
        x->request = changed;
    }
    outcome = r < 0 ? amend_outcome(r) : stage_next(s, x);
    amend_close(x, &amend);
    return outcome;
}

/* The service has answered, but the client can't have it. */
static enum outcome drop_answer(struct exchange *x, int error)
{
    body_close(x->response_body, OUTCOME_CANCELED);
    x->response_body = NULL;
    x->response_trailers = NULL;
    x->response = (struct http_head){ .status = 0 };
    return error == -ENOMEM ? OUTCOME_OVERLOAD : OUTCOME_UPSTREAM_PROTOCOL;
}

static enum outcome headers_run(const struct stage *s, struct exchange *x)
{
    const struct headers_conf *conf = s->conf;
    enum outcome outcome = edits(&conf->request) ? run_amended(s, x, &conf->request) : stage_next(s, x);
    int r;

    if (outcome != OUTCOME_OK || !edits(&conf->response))
        return outcome;
    r = amend_head(x, added_by(&conf->response), &x->response);
    if (r == 0)
        r = edit_head(&conf->response, true, x, &x->response);
    return r < 0 ? drop_answer(x, r) : OUTCOME_OK;
}

/* --- settings ------------------------------------------------------------------------------------------- */

static bool is_set(const struct headers_edit *edit, struct bytes name)
{
    for (size_t i = 0; i < edit->set.count; i++)
        if (bytes_equal_ci(edit->set.entries[i].name, name))
            return true;
    return false;
}

static void check_removed(struct conf_check *check, const struct headers_edit *edit, enum written_way way)
{
    const struct bytes *names = edit->remove.items;

    for (size_t i = 0; i < edit->remove.count; i++) {
        const char *why = written_refusal(names[i], way, true);

        if (!why && is_set(edit, names[i]))
            why = "is set, too; that alone takes out what came";
        if (why)
            conf_check_fault(check, "remove", "the field \"" BYTES_FMT "\" %s", BYTES_ARG(names[i]), why);
    }
}

static int check_edit(struct conf_check *check, struct headers_edit *edit, enum written_way way)
{
    int r = written_fields_make(check, "set", &edit->set, way, &edit->set_fields);

    check_removed(check, edit, way);
    return r < 0 ? r : written_fields_make(check, "add", &edit->add, way, &edit->add_fields);
}

static int check_request(struct conf_check *check, void *value)
{
    return check_edit(check, value, WRITTEN_REQUEST);
}

static int check_response(struct conf_check *check, void *value)
{
    return check_edit(check, value, WRITTEN_RESPONSE);
}

static int check_token(struct bytes text, struct fault *fault)
{
    if (http_is_token(text))
        return 0;
    fault_set(fault, "must be the name of a header field");
    return -EINVAL;
}

static const struct conf_field VALUE = { .about = "its value; {names} are put in",
                                         .type = CONF_TEMPLATE,
                                         .check_text = written_check_value };
static const struct conf_field NAME = { .about = "its name", .type = CONF_STRING, .check_text = check_token };

static const struct conf_field EDIT_FIELDS[] = {
    { .key = "set",
      .about = "fields that replace those of the same name; a value that comes out empty only takes them out",
      .type = CONF_MAP,
      CONF_AT(struct headers_edit, set),
      .element = &VALUE,
      .names = CONF_NAMES_TOKEN,
      .max = "16",
      .example = "{ X-Client: \"{client.address}\" }" },
    { .key = "add",
      .about = "fields that come besides those of the same name; a value that comes out empty adds none",
      .type = CONF_MAP,
      CONF_AT(struct headers_edit, add),
      .element = &VALUE,
      .names = CONF_NAMES_TOKEN,
      .max = "16",
      .example = "{ Vary: Accept-Language }" },
    { .key = "remove",
      .about = "names of fields to take out, all of that name; this comes first, then set, then add",
      .type = CONF_LIST,
      .flags = CONF_SINGLE,
      CONF_AT(struct headers_edit, remove),
      .element = &NAME,
      .max = "16",
      .example = "[Server, X-Powered-By]" },
};

static const struct conf_schema REQUEST_SCHEMA = {
    .name = "request-headers",
    .about =
        "Changes the fields of requests on their way to the service. Values come from the request as it was before. A "
        "value that a field can't carry is answered with 400.",
    .fields = EDIT_FIELDS,
    .count = ARRAY_LEN(EDIT_FIELDS),
    .size = sizeof(struct headers_edit),
    .check = check_request,
};

static const struct conf_schema RESPONSE_SCHEMA = {
    .name = "response-headers",
    .about =
        "Changes the fields of answers on their way to the client. Values come from the request. Answers that Weft "
        "gives because something failed are not changed.",
    .fields = EDIT_FIELDS,
    .count = ARRAY_LEN(EDIT_FIELDS),
    .size = sizeof(struct headers_edit),
    .check = check_response,
};

static const struct conf_field FIELDS[] = {
    { .key = "request",
      .about = "on the way to the service",
      .type = CONF_STRUCT,
      CONF_AT(struct headers_conf, request),
      .schema = &REQUEST_SCHEMA },
    { .key = "response",
      .about = "on the way to the client",
      .type = CONF_STRUCT,
      CONF_AT(struct headers_conf, response),
      .schema = &RESPONSE_SCHEMA },
};

static const struct conf_schema HEADERS_SCHEMA = {
    .name = "headers",
    .about =
        "Sets, adds and removes header fields, both ways. Framing fields, those of a single connection and Host can't "
        "be changed here.",
    .fields = FIELDS,
    .count = ARRAY_LEN(FIELDS),
    .size = sizeof(struct headers_conf),
};

const struct stage_type STAGE_HEADERS = { .name = "headers", .schema = &HEADERS_SCHEMA, .run = headers_run };
