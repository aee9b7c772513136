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
    scope = &call->scope;
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

static void write_line(struct text *line, const struct weft_call *call, enum weft_level level, struct bytes message)
{
    struct io *io = call->service->chassis->io;

    text_add(line, BYTES("{\"time\":\""));
    text_add_time(line, io->ops->wall_ns(io));
    text_add(line, BYTES("\",\"level\":\""));
    text_add(line, level_name(level));
    text_add_char(line, '"');
    add_member(line, "service", call->service->name);
    add_member(line, "instance", call->service->instance);
    add_member(line, "trace_id", call->trace_id);
    add_member(line, "request_id", call->request_id);
    text_add(line, BYTES(",\"message\":"));
    text_add_json(line, message);
    text_add_char(line, '}');
}

void weft_log(struct weft_call *call, enum weft_level level, const char *format, ...)
{
    char message_memory[CHASSIS_MESSAGE_MAX], line_memory[LOG_LINE_MAX];
    struct text message = text_into(message_memory, sizeof(message_memory)), line;
    struct bytes left;
    va_list args;

    if (!call_is(call) || !format)
        return;
    va_start(args, format);
    text_add_vformat(&message, format, args);
    va_end(args);
    left = text_bytes(&message);
    do { /* many characters to escape may take more room than there is */
        line = text_into(line_memory, sizeof(line_memory));
        write_line(&line, call, level, left);
        left.len /= 2;
    } while (line.full && left.len > 0);
    if (!line.full)
        json_log_line(&call->service->chassis->log, text_bytes(&line));
}
