/* Time, memory and log of a call. */
#include "chassis/service.h"

#define LOG_LINE_MAX 8192 /* of the log: a message and what stands before it */
#define JSON_SCALE 6      /* a control character: six bytes */

int weft_sleep(struct weft_call *call, int ms)
{
    return call_is(call) && ms >= 0 ? fiber_sleep(ms * NS_PER_MS) : -EINVAL;
}

int64_t weft_time_left(const struct weft_call *call)
{
    const struct scope *scope;

    if (!call_is(call))
        return 0;
    scope = fiber_current() ? fiber_scope() : &call->scope; /* a part may have less than the call */
    if (scope->ended)
        return 0;
    if (scope->deadline_ns == TIME_NEVER)
        return -1;
    return MAX((scope->deadline_ns - loop_clock(scope->loop)) / NS_PER_MS, (int64_t)0);
}

void *weft_alloc(struct weft_call *call, size_t size)
{
    return call_is(call) ? arena_zalloc(&call->memory, size) : NULL;
}

char *weft_format(struct weft_call *call, const char *format, ...)
{
    char *text;
    va_list args;

    if (!call_is(call) || !format)
        return NULL;
    va_start(args, format);
    text = call_vformat(call, format, args);
    va_end(args);
    return text;
}

const char *weft_json_text(struct weft_call *call, const char *text)
{
    struct bytes bytes = bytes_of_text(text);
    struct text json;
    size_t max = bytes.len * JSON_SCALE + 3;

    if (!call_is(call))
        return NULL;
    if (!text)
        return "null";
    json = text_into(arena_alloc(&call->memory, max), max);
    if (!json.data)
        return NULL;
    text_add_json(&json, bytes);
    json.data[json.len] = '\0';
    return json.data;
}

/* --- log ----------------------------------------------------------------------------------------------------- */

static struct bytes level_name(enum weft_level level)
{
    switch (level) {
    case WEFT_DEBUG: return BYTES("debug");
    case WEFT_INFO: return BYTES("info");
    case WEFT_WARNING: return BYTES("warning");
    default: return BYTES("error");
    }
}

static void add_member(struct text *line, const char *name, const char *value)
{
    text_add_format(line, ",\"%s\":", name);
    text_add_json(line, bytes_of_text(value));
}

struct line {
    enum weft_level level;
    const char *trace_id, *request_id; /* NULL: there is none */
    struct bytes message, fields;
};

static void write_line(struct text *line, const struct weft_service *service, const struct line *said,
                       struct bytes message)
{
    struct io *io = service->chassis->io;

    text_add(line, BYTES("{\"time\":\""));
    text_add_time(line, io->ops->wall_ns(io));
    text_add(line, BYTES("\",\"level\":\""));
    text_add(line, level_name(said->level));
    text_add_char(line, '"');
    add_member(line, "service", service->name);
    add_member(line, "instance", service->instance);
    if (said->trace_id)
        add_member(line, "trace_id", said->trace_id);
    if (said->request_id)
        add_member(line, "request_id", said->request_id);
    text_add(line, BYTES(",\"message\":"));
    text_add_json(line, message);
    text_add(line, said->fields);
    text_add_char(line, '}');
}

void service_log_dropped(const struct lines *lines, uint64_t dropped, struct text *text)
{
    struct io *io = lines->loop->io;

    text_add(text, BYTES("{\"time\":\""));
    text_add_time(text, io->ops->wall_ns(io));
    text_add_format(text, "\",\"level\":\"warning\",\"message\":\"%llu lines were dropped: nobody read them\"}\n",
                    (unsigned long long)dropped);
}

/* While the service runs, nobody waits; before and after, and in a test, somebody looks at every line. */
static void put_line(struct chassis *chassis, struct text *line)
{
    struct bytes whole = text_bytes(line);

    if (chassis->log.open)
        return lines_add(&chassis->log, &whole, 1);
    text_add_char(line, '\n');
    (void)chassis->io->ops->descriptor_write(chassis->io, chassis->testing ? STANDARD_ERROR : STANDARD_OUTPUT,
                                             text_bytes(line));
}

static void log_line(struct weft_service *service, const struct line *said)
{
    char memory[LOG_LINE_MAX];
    struct bytes left = said->message;
    struct text line;

    do { /* many characters to escape may take more room than there is */
        line = text_into(memory, sizeof(memory) - 1);
        write_line(&line, service, said, left);
        left.len /= 2;
    } while (line.full && left.len > 0);
    line.max = sizeof(memory);
    if (!line.full)
        put_line(service->chassis, &line);
}

void service_log(struct weft_service *service, enum weft_level level, const char *trace_id, const char *request_id,
                 struct bytes message, struct bytes fields)
{
    const struct line line = {
        .level = level, .trace_id = trace_id, .request_id = request_id, .message = message, .fields = fields
    };

    log_line(service, &line);
}

void weft_log(struct weft_call *call, enum weft_level level, const char *format, ...)
{
    char memory[CHASSIS_MESSAGE_MAX];
    struct text message = text_into(memory, sizeof(memory));
    va_list args;

    if (!call_is(call) || !format)
        return;
    va_start(args, format);
    text_add_vformat(&message, format, args);
    va_end(args);
    service_log(call->service, level, call->trace_id, call->request_id, text_bytes(&message), BYTES_NONE);
}

void weft_service_log(struct weft_service *service, enum weft_level level, const char *format, ...)
{
    char memory[CHASSIS_MESSAGE_MAX];
    struct text message = text_into(memory, sizeof(memory));
    va_list args;

    if (!service_is(service) || !format)
        return;
    va_start(args, format);
    text_add_vformat(&message, format, args);
    va_end(args);
    service_log(service, level, NULL, NULL, text_bytes(&message), BYTES_NONE);
}
