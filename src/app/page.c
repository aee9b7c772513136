#include "app/page.h"

#include <stdarg.h>

#define FORMAT_MAX 512

void page_open(const struct app *app, struct page *ret)
{
    struct terminal_size size = { 0 };
    bool terminal = app->io->ops->terminal(app->io, 1, &size) == 0;

    if (terminal)
        size = style_size(app);
    *ret = (struct page){ .app = app,
                          .colours = style_wanted(app, 1),
                          .width = terminal ? size.columns : PAGE_WIDTH_UNBOUND,
                          .height = size.rows };
}

void page_text(struct page *page, const char *text)
{
    answer_text(&page->text, text);
}

void page_format(struct page *page, const char *format, ...)
{
    char memory[FORMAT_MAX];
    struct text text = text_into(memory, sizeof(memory));
    va_list args;

    va_start(args, format);
    text_add_vformat(&text, format, args);
    va_end(args);
    answer_add(&page->text, text_bytes(&text));
}

static bool is_control(char c)
{
    return (unsigned char)c < 0x20 || c == 0x7f;
}

/* C1 controls are two bytes of UTF-8: C2 80 to C2 9F. */
static bool is_control_pair(struct bytes text, size_t at)
{
    return (unsigned char)text.data[at] == 0xc2 && at + 1 < text.len && (unsigned char)text.data[at + 1] < 0xa0;
}

void page_plain(struct page *page, struct bytes text)
{
    size_t from = 0;

    for (size_t i = 0; i < text.len; i++) {
        bool pair = is_control_pair(text, i);

        if (!pair && !is_control(text.data[i]))
            continue;
        answer_add(&page->text, bytes_slice(text, from, i));
        answer_text(&page->text, "?");
        i += pair;
        from = i + 1;
    }
    answer_add(&page->text, bytes_skip(text, from));
}

void page_styled(struct page *page, enum style style, struct bytes text)
{
    page_text(page, style_begin(page->colours, style));
    page_plain(page, text);
    if (style != STYLE_PLAIN)
        page_text(page, style_end(page->colours));
}

void page_spaces(struct page *page, size_t count)
{
    while (count-- > 0)
        answer_text(&page->text, " ");
}

int page_print(struct page *page)
{
    struct io *io = page->app->io;
    struct bytes rest = bytes_of(page->text.data, page->text.len);
    int error = page->text.error;

    while (error == 0 && rest.len > 0) {
        ssize_t n = io->ops->descriptor_write(io, 1, rest);

        if (n < 0 && n != -ETIMEDOUT) /* it may be a pager, which takes its time */
            break;
        rest = bytes_skip(rest, n > 0 ? (size_t)n : 0);
    }
    page->text.len = 0;
    page->text.error = 0;
    return error;
}

void page_done(struct page *page)
{
    answer_drop(&page->text);
}

/* --- width ----------------------------------------------------------------------------------------------------- */

static bool is_start(char c)
{
    return ((unsigned char)c & 0xc0) != 0x80;
}

size_t page_columns(struct bytes text)
{
    size_t count = 0;

    for (size_t i = 0; i < text.len; i++)
        count += is_start(text.data[i]);
    return count;
}

struct bytes page_cut(struct bytes text, size_t columns)
{
    for (size_t i = 0; i < text.len; i++)
        if (is_start(text.data[i]) && columns-- == 0)
            return bytes_slice(text, 0, i);
    return text;
}
