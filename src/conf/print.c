#include "conf/print.h"

#include "base/alloc.h"
#include "base/assert.h"

#include <errno.h>
#include <stdarg.h>

static int gather_write(struct conf_sink *sink, struct bytes part)
{
    struct conf_gather *gather = container_of(sink, struct conf_gather, sink);

    if (part.len > CONF_PRINT_MAX - gather->len)
        return -ENOSPC;
    if (part.len > gather->max - gather->len) {
        size_t max = MAX(2 * gather->max, gather->len + part.len);
        char *data = mem_realloc(gather->data, max);

        if (!data)
            return -ENOMEM;
        gather->data = data;
        gather->max = max;
    }
    if (part.len)
        memcpy(gather->data + gather->len, part.data, part.len);
    gather->len += part.len;
    return 0;
}

void conf_gather_init(struct conf_gather *gather)
{
    *gather = (struct conf_gather){ .sink.write = gather_write };
}

void conf_gather_done(struct conf_gather *gather)
{
    mem_free(gather->data);
    conf_gather_init(gather);
}

int printer_new(struct conf_sink *sink, const struct conf_schema *root, const struct conf_set *sets, size_t set_count,
                struct printer **ret)
{
    struct printer *printer = mem_zalloc(sizeof(*printer));
    int err;

    if (!printer)
        return -ENOMEM;
    printer->sink = sink;
    err = conf_walk(&printer->walk, root, sets, set_count);
    if (err)
        mem_free(printer);
    else
        *ret = printer;
    return err;
}

int printer_end(struct printer *printer)
{
    int err = printer->err;

    mem_free(printer);
    return err;
}

void print_bytes(struct printer *printer, struct bytes text)
{
    if (!printer->err && text.len)
        printer->err = printer->sink->write(printer->sink, text);
}

void print_text(struct printer *printer, const char *text)
{
    print_bytes(printer, bytes_of_text(text));
}

static void print_piece(struct printer *printer, const struct text *text)
{
    if (text->full && !printer->err)
        printer->err = -ENOSPC;
    print_bytes(printer, text_bytes(text));
}

void print_format(struct printer *printer, const char *format, ...)
{
    char memory[PRINT_PIECE_MAX];
    struct text text = text_into(memory, sizeof(memory));
    va_list args;

    va_start(args, format);
    text_add_vformat(&text, format, args);
    va_end(args);
    print_piece(printer, &text);
}

static void print_json(struct printer *printer, const char *value)
{
    char memory[PRINT_PIECE_MAX];
    struct text text = text_into(memory, sizeof(memory));

    text_add_json(&text, bytes_of_text(value));
    print_piece(printer, &text);
}

static void print_line(struct printer *printer)
{
    print_format(printer, "\n%*s", (int)printer->depth * PRINT_INDENT_SPACES, "");
}

/* What stands before a value: comma, line, key. */
static void print_before(struct printer *printer, const char *key)
{
    if (printer->depth) {
        if (printer->filled[printer->depth - 1])
            print_text(printer, ",");
        printer->filled[printer->depth - 1] = true;
        print_line(printer);
    }
    if (key) {
        print_json(printer, key);
        print_text(printer, ": ");
    }
}

void print_open(struct printer *printer, const char *key, char bracket)
{
    print_before(printer, key);
    print_bytes(printer, bytes_of(&bracket, 1));
    ASSERT(printer->depth < PRINT_DEPTH_MAX);
    printer->filled[printer->depth++] = false;
}

void print_close(struct printer *printer, char bracket)
{
    ASSERT(printer->depth > 0);
    if (printer->filled[--printer->depth])
        print_line(printer);
    print_bytes(printer, bytes_of(&bracket, 1));
}

void print_string(struct printer *printer, const char *key, const char *value)
{
    print_before(printer, key);
    print_json(printer, value);
}

void print_raw(struct printer *printer, const char *key, const char *value)
{
    print_before(printer, key);
    print_text(printer, value);
}

bool print_uses_set(const struct printer *printer, const struct conf_set *set, enum conf_type type)
{
    for (size_t i = 0; i < printer->walk.count; i++) {
        const struct conf_schema *schema = printer->walk.schemas[i];

        for (size_t j = 0; j < schema->count; j++) {
            const struct conf_field *field = &schema->fields[j];

            while (field->element && (field->type == CONF_LIST || field->type == CONF_MAP))
                field = field->element;
            if (field->type == type && bytes_equal(bytes_of_text(field->alternatives), bytes_of_text(set->name)))
                return true;
        }
    }
    return false;
}
