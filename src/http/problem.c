#include "http/problem.h"

#include "base/limits.h"

static int add_proxy_status(struct exchange *x, enum outcome outcome)
{
    const struct outcome_info *info = outcome_info(outcome);
    struct bytes value;
    int r;

    if (info->token.len == 0)
        return 0;
    r = arena_format(&x->arena, &value, "weft; error=" BYTES_FMT "; details=\"" BYTES_FMT "\"", BYTES_ARG(info->token),
                     BYTES_ARG(info->name));
    return r < 0 ? r : http_head_add(&x->response, HTTP_FIELD_PROXY_STATUS, value);
}

void http_note_received(struct exchange *x)
{
    struct bytes value;

    if (arena_format(&x->arena, &value, "weft; received-status=%u", x->response.status) == 0)
        (void)!http_head_add(&x->response, HTTP_FIELD_PROXY_STATUS,
                             value); /* lines of a list are one (RFC 9110, 5.3) */
}

static void drop_answer(struct exchange *x)
{
    body_close(x->response_body, OUTCOME_CANCELED);
    x->response_body = NULL;
    x->response_trailers = NULL;
    x->response = (struct http_head){ .status = 0 };
}

static void write_problem(struct text *text, unsigned status, struct bytes type, struct bytes detail,
                          struct bytes instance)
{
    text_add(text, BYTES("{\"type\":"));
    text_add_json(text, bytes_slice(type, 0, HTTP_PROBLEM_MAX / 16));
    text_add(text, BYTES(",\"title\":"));
    text_add_json(text, http_reason(status));
    text_add_format(text, ",\"status\":%u,\"detail\":", status);
    text_add_json(text, bytes_slice(detail, 0, HTTP_PROBLEM_MAX / 4));
    text_add(text, BYTES(",\"instance\":"));
    text_add_json(text, bytes_slice(instance, 0, 64));
    text_add(text, BYTES("}\n"));
}

static int problem(struct exchange *x, unsigned status, struct bytes type, struct bytes detail)
{
    char memory[HTTP_PROBLEM_MAX];
    struct text text = text_into(memory, sizeof(memory));

    write_problem(&text, status, type, detail, x->request_id);
    if (text.full) { /* much of it had to be escaped: half an object would be none */
        text = text_into(memory, sizeof(memory));
        write_problem(&text, status, type, BYTES_NONE, BYTES_NONE);
    }
    drop_answer(x);
    return exchange_answer(x, status, BYTES("application/problem+json"), text_bytes(&text));
}

int http_problem(struct exchange *x, enum outcome outcome, struct bytes detail)
{
    const struct outcome_info *info = outcome_info(outcome);
    unsigned status = info->status ? info->status : 500;
    char type[64];
    struct text text = text_into(type, sizeof(type));
    int r;

    text_add(&text, BYTES("urn:weft:outcome:"));
    text_add(&text, info->name);
    r = problem(x, status, text_bytes(&text), detail.len ? detail : info->text);
    return r < 0 ? r : add_proxy_status(x, outcome);
}

int http_problem_of(struct exchange *x, unsigned status, struct bytes type, struct bytes detail)
{
    return problem(x, status, type.len ? type : BYTES("about:blank"), detail);
}
