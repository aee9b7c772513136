#include "supervise/log.h"

#define SAY_MAX 2048 /* of one line of ours; faults are shorter */

static void say_dropped(const struct lines *lines, uint64_t dropped, struct text *text)
{
    text_add_format(text, "weft: %llu lines were dropped: nobody read them in time\n", (unsigned long long)dropped);
}

int log_open(struct log *log, struct loop *loop, int descriptor)
{
    return lines_open(&log->lines, loop, descriptor, LOG_BUFFER_MAX, say_dropped);
}

static void add_line(struct log *log, struct bytes who, struct bytes between, struct bytes line)
{
    const struct bytes parts[] = { who, between, line };

    lines_add(&log->lines, parts, ARRAY_LEN(parts));
}

void log_line(struct log *log, struct bytes who, struct bytes line)
{
    add_line(log, who, BYTES(" | "), line);
}

void log_say(struct log *log, const char *format, ...)
{
    char line[SAY_MAX];
    struct text text = text_into(line, sizeof(line));
    va_list args;

    va_start(args, format);
    text_add_vformat(&text, format, args);
    va_end(args);
    add_line(log, BYTES("weft"), BYTES(": "), text_bytes(&text));
}

void log_fault(struct log *log, const struct fault *fault)
{
    char line[SAY_MAX];
    size_t len = fault_write(fault, line, sizeof(line));

    add_line(log, BYTES("weft"), BYTES(": "), bytes_of(line, MIN(len, sizeof(line) - 1)));
}

void log_close(struct log *log)
{
    lines_close(&log->lines);
}
