#include "base/fault.h"

#include "base/text.h"

#include <stdarg.h>
#include <stdio.h>

#define ELLIPSIS "..."
#define ELLIPSIS_LEN (sizeof(ELLIPSIS) - 1)

/* Inside a UTF-8 character: a text may not be cut before such a byte. */
static bool is_continuation(char c)
{
    return ((unsigned char)c & 0xc0) == 0x80;
}

static PRINTF_LIKE(3, 0) void write_cut(char *memory, size_t max, const char *format, va_list args)
{
    int len = vsnprintf(memory, max, format, args);
    size_t end = max - 1 - ELLIPSIS_LEN;

    if (len < 0)
        memory[0] = '\0';
    if (len < 0 || (size_t)len < max)
        return;
    while (end > 0 && is_continuation(memory[end]))
        end--;
    memcpy(memory + end, ELLIPSIS, ELLIPSIS_LEN + 1);
}

void fault_set(struct fault *fault, const char *format, ...)
{
    va_list args;

    if (!fault)
        return;
    va_start(args, format);
    write_cut(fault->what, sizeof(fault->what), format, args);
    va_end(args);
}

void fault_hint(struct fault *fault, const char *format, ...)
{
    va_list args;

    if (!fault)
        return;
    va_start(args, format);
    write_cut(fault->hint, sizeof(fault->hint), format, args);
    va_end(args);
}

/* Paths differ at their end: of a long one that is kept. */
void fault_at(struct fault *fault, const char *file, unsigned line, unsigned column)
{
    struct bytes path = bytes_of_text(file);
    size_t room = FAULT_FILE_MAX - 1 - ELLIPSIS_LEN;
    const char *prefix = "";

    if (!fault)
        return;
    if (path.len >= FAULT_FILE_MAX) {
        prefix = ELLIPSIS;
        path = bytes_skip(path, path.len - room);
        while (path.len > 0 && is_continuation(path.data[0]))
            path = bytes_skip(path, 1);
    }
    snprintf(fault->file, sizeof(fault->file), "%s" BYTES_FMT, prefix, BYTES_ARG(path));
    fault->line = line;
    fault->column = column;
}

struct fault *fault_list_add(struct fault_list *list)
{
    struct fault *fault;

    if (list->count < FAULTS_MAX) {
        fault = &list->faults[list->count++];
    } else {
        fault = &list->scratch;
        list->dropped++;
    }
    *fault = (struct fault){ 0 };
    return fault;
}

size_t fault_write(const struct fault *fault, char *memory, size_t max)
{
    char whole[FAULT_FILE_MAX + FAULT_TEXT_MAX + FAULT_HINT_MAX + 64]; /* two numbers, and what stands between */
    struct text text = text_into(whole, sizeof(whole));

    if (fault->file[0])
        text_add_format(&text, "%s:", fault->file);
    if (fault->line)
        text_add_format(&text, "%u:", fault->line);
    if (fault->line && fault->column)
        text_add_format(&text, "%u:", fault->column);
    if (text.len > 0)
        text_add_char(&text, ' ');
    text_add(&text, bytes_of_text(fault->what));
    if (fault->hint[0])
        text_add_format(&text, " (%s)", fault->hint);
    if (max > 0) {
        size_t len = MIN(text.len, max - 1);

        memcpy(memory, whole, len);
        memory[len] = '\0';
    }
    return text.len;
}
