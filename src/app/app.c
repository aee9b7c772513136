#include "app/style.h"
#include "base/text.h"

#define LINE_MAX_OUT 4096

const char *app_variable(const struct app *app, struct bytes name)
{
    for (const char *const *at = app->env; *at; at++) {
        struct bytes entry = bytes_of_text(*at);

        if (bytes_starts(entry, name) && entry.len > name.len && entry.data[name.len] == '=')
            return entry.data + name.len + 1;
    }
    return NULL;
}

static void put(const struct app *app, int descriptor, struct bytes text)
{
    if (text.len > 0)
        (void)app->io->ops->descriptor_write(app->io, descriptor, text);
}

void app_print(const struct app *app, struct bytes text)
{
    put(app, 1, text);
}

void app_printf(const struct app *app, const char *format, ...)
{
    char memory[LINE_MAX_OUT];
    struct text text = text_into(memory, sizeof(memory));
    va_list args;

    va_start(args, format);
    text_add_vformat(&text, format, args);
    va_end(args);
    put(app, 1, text_bytes(&text));
}

static void put_error(const struct app *app, struct bytes what)
{
    char memory[LINE_MAX_OUT];
    struct text text = text_into(memory, sizeof(memory) - 1);
    bool colours = style_wanted(app, 2);

    text_add_format(&text, "%sweft:%s ", style_begin(colours, STYLE_BAD), style_end(colours));
    text_add(&text, what);
    memory[text.len++] = '\n';
    put(app, 2, text_bytes(&text));
}

void app_error(const struct app *app, const char *format, ...)
{
    char memory[LINE_MAX_OUT - 64];
    struct text text = text_into(memory, sizeof(memory));
    va_list args;

    va_start(args, format);
    text_add_vformat(&text, format, args);
    va_end(args);
    put_error(app, text_bytes(&text));
}

void app_fault(const struct app *app, const struct fault *fault)
{
    char memory[LINE_MAX_OUT - 64];
    size_t len = fault_write(fault, memory, sizeof(memory));

    put_error(app, bytes_of(memory, MIN(len, sizeof(memory) - 1)));
}

void app_faults(const struct app *app, const struct fault_list *faults)
{
    for (size_t i = 0; i < faults->count; i++)
        app_fault(app, &faults->faults[i]);
    if (faults->dropped > 0)
        app_error(app, "%zu more faults are not shown", faults->dropped);
}

const char *app_reason(int error)
{
    const char *reason = strerrordesc_np(error < 0 ? -error : error);

    return reason ? reason : "unknown error";
}
