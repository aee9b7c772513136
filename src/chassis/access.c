/* A line of the service's log for each answer, for those who run it without Weft. */
#include "chassis/service.h"

#define PATH_SHOWN_MAX 512

static void access_ended(const struct observer *observer, struct worker *worker, const struct exchange *x)
{
    struct weft_service *service = container_of(observer, struct weft_service, access);
    char fields_memory[2 * KIB], message_memory[PATH_SHOWN_MAX + 64], ids[33 + HTTP_REQUEST_ID_MAX];
    struct text fields = text_into(fields_memory, sizeof(fields_memory));
    struct text message = text_into(message_memory, sizeof(message_memory));
    struct text id = text_into(ids, sizeof(ids));
    struct bytes path = bytes_slice(x->request.path, 0, PATH_SHOWN_MAX);
    int64_t duration_ns = worker->loop->now_ns - x->times.start_ns;
    const char *request_id;

    if (!x->source || path_is_built_in(x->request.path))
        return;
    text_add_hex(&id, x->trace.id_high, 16);
    text_add_hex(&id, x->trace.id_low, 16);
    text_add_char(&id, '\0');
    request_id = id.data + id.len;
    text_add(&id, x->request_id);
    text_add_char(&id, '\0');
    text_add_format(&message, BYTES_FMT " " BYTES_FMT " %u", BYTES_ARG(x->request.method_text), BYTES_ARG(path),
                    x->response.status);
    text_add_format(&fields, ",\"method\":");
    text_add_json(&fields, bytes_slice(x->request.method_text, 0, 32));
    text_add(&fields, BYTES(",\"route\":"));
    text_add_json(&fields, bytes_slice(x->route, 0, 128));
    text_add_format(&fields, ",\"status\":%u,\"outcome\":", x->response.status);
    text_add_json(&fields, outcome_info(x->outcome)->name);
    text_add_format(&fields, ",\"duration_ms\":%lld.%03lld", (long long)(duration_ns / NS_PER_MS),
                    (long long)(duration_ns / 1000 % 1000));
    service_log(service, WEFT_INFO, ids, id.full ? NULL : request_id, text_bytes(&message),
                fields.full ? BYTES_NONE : text_bytes(&fields));
}

void access_observer_init(struct observer *observer)
{
    *observer = (struct observer){ .ended = access_ended };
}
