/* catalog - a small service in C on weft.h that says what it was asked.
 *
 *     any /...  method, path and query, some fields, and how long the body was
 *
 * As services do, it also tells more about itself than strangers need to know: Server and X-Debug.
 */
#include <weft.h>

static const char *const SHOWN[] = { "Host", "X-Forwarded-Host", "X-Client", "X-User", "X-Internal" };

static int say(struct weft_call *call, void *user)
{
    const char *query = weft_query(call);
    struct weft_bytes part;
    unsigned long bytes = 0;
    int r;

    while ((r = weft_body_read(call, &part)) > 0)
        bytes += part.len;
    if (r < 0)
        return r;
    weft_header_add(call, "Server", "catalog/0.9");
    weft_header_add(call, "X-Debug", "shelf 7");
    r = weft_answer_begin(call, 200, "text/plain; charset=utf-8");
    if (r == 0)
        r = weft_write_format(call, "%s %s%s%s\n", weft_method(call), weft_path(call), query ? "?" : "",
                              query ? query : "");
    for (size_t i = 0; r == 0 && i < sizeof(SHOWN) / sizeof(SHOWN[0]); i++)
        if (weft_header(call, SHOWN[i]))
            r = weft_write_format(call, "%s: %s\n", SHOWN[i], weft_header(call, SHOWN[i]));
    return r < 0 ? r : weft_write_format(call, "body: %lu bytes\n", bytes);
}

int main(void)
{
    struct weft_options options = { .name = "catalog", .address = "127.0.0.1:8081" };
    struct weft_service *service;
    int code;

    if (weft_service_create(&options, &service) < 0)
        return 1;
    weft_route(service, "*", "/{rest...}", say, NULL);
    code = weft_run(service);
    weft_service_free(service);
    return code;
}
