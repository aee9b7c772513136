/* POST /v1/scale: {"service":"orders","scale":3}. */
#include "control/api_list.h"

#include "http/problem.h"

#include <jansson.h>

#define BODY_MAX 512 /* a name and a number */

/* The whole body. -EFBIG. */
static int read_body(struct exchange *x, char memory[BODY_MAX], struct bytes *ret)
{
    size_t len = 0;
    int r = 0;

    while (x->request_body) {
        struct bytes chunk;

        r = body_read(x->request_body, &chunk);
        if (r <= 0)
            break;
        if (len + chunk.len > BODY_MAX)
            return -EFBIG;
        memcpy(memory + len, chunk.data, chunk.len);
        len += chunk.len;
    }
    *ret = bytes_of(memory, len);
    return r;
}

/* A flat object: the parser's recursion is bounded by the first look. */
static bool parse(struct bytes text, json_t **ret_root, struct bytes *ret_service, uint64_t *ret_scale)
{
    bool flat = bytes_find_char(text, '[') < 0 && bytes_find_char(bytes_skip(text, 1), '{') < 0;
    json_error_t error;
    json_t *root = flat ? json_loadb(text.data, text.len, JSON_REJECT_DUPLICATES, &error) : NULL;
    json_t *service = json_object_get(root, "service"), *scale = json_object_get(root, "scale");
    bool fine = json_object_size(root) == 2 && json_is_string(service) && json_is_integer(scale) &&
                json_integer_value(scale) >= 0;

    *ret_root = root;
    if (fine) {
        *ret_service = bytes_of(json_string_value(service), json_string_length(service));
        *ret_scale = (uint64_t)json_integer_value(scale);
    }
    return fine;
}

int api_scale(const struct control_api_conf *conf, struct exchange *x, struct control_verdict *ret)
{
    char memory[BODY_MAX];
    struct bytes text, service;
    json_t *root = NULL;
    uint64_t scale;
    int r = read_body(x, memory, &text);

    if (r < 0 && r != -EFBIG)
        return r;
    if (r == -EFBIG || !parse(text, &root, &service, &scale))
        r = -EBADMSG;
    else
        r = conf->host->scale ? conf->host->scale(conf->host, service, scale, ret) : -ENOTSUP;
    json_decref(root);
    return r;
}
