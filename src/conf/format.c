/* Lines in their new places: see conf/format.h. */
#include "conf/format.h"

#include "base/alloc.h"
#include "base/limits.h"
#include "base/text.h"
#include "conf/format_lines.h"

#include <errno.h>

#define INDENT 2
#define TURNS_MAX 4
#define BYTE_ORDER_MARK BYTES("\xef\xbb\xbf")

/* A level of block collections: the column that it has, and the one that it gets. */
struct level {
    size_t was, is;
    bool item; /* begins with a dash */
};

struct formatter {
    struct format_lines lines;
    size_t next_mark;
    struct level levels[CONF_FORMAT_DEPTH_MAX];
    unsigned depth;
    struct text out;
    size_t empty;     /* lines in a row that were held back */
    size_t block_was; /* of the block scalar that we are in: its text's indentation */
    bool in_block, block_fixed;
};

static size_t spaces_before(struct bytes line)
{
    size_t count = 0;

    while (count < line.len && line.data[count] == ' ')
        count++;
    return count;
}

static bool is_blank(struct bytes line)
{
    return bytes_trim(line).len == 0;
}

static struct bytes without_end(struct bytes line)
{
    while (line.len > 0 && (line.data[line.len - 1] == ' ' || line.data[line.len - 1] == '\t'))
        line.len--;
    return line;
}

static const struct level *top(const struct formatter *f)
{
    return f->depth ? &f->levels[f->depth - 1] : NULL;
}

static void put_spaces(struct formatter *f, size_t count)
{
    while (count-- > 0)
        text_add_char(&f->out, ' ');
}

/* Empty lines that were held back come out between two others, one at most. */
static void begin_line(struct formatter *f, size_t indent)
{
    if (f->empty > 0 && f->out.len > 0)
        text_add_char(&f->out, '\n');
    f->empty = 0;
    put_spaces(f, indent);
}

/* --- levels ----------------------------------------------------------------------------------------------------- */

static bool is_comment(struct bytes line)
{
    struct bytes rest = bytes_trim(line);

    return rest.len > 0 && rest.data[0] == '#';
}

static int push(struct formatter *f, size_t was, size_t is, bool item)
{
    if (f->depth == CONF_FORMAT_DEPTH_MAX)
        return -ELOOP;
    f->levels[f->depth++] = (struct level){ was, is, item };
    return 0;
}

/* Leaves what ended before a line at `column`. A list may stand in the column of its key. */
static void pop(struct formatter *f, size_t column, bool item)
{
    while (f->depth > 0) {
        const struct level *level = top(f);

        if (level->was < column || (level->was == column && (level->item == item || item)))
            break;
        f->depth--;
    }
}

/* The level of what begins at `column`; afterwards it is the top one. *ret_is: the column that it gets. */
static int enter(struct formatter *f, size_t column, bool item, size_t *ret_is)
{
    const struct level *level;
    size_t is;

    pop(f, column, item);
    level = top(f);
    if (level && level->was == column && level->item == item) {
        *ret_is = level->is;
        return 0;
    }
    is = level ? level->is + INDENT : 0;
    *ret_is = is;
    return push(f, column, is, item);
}

static bool is_item(struct bytes rest)
{
    return rest.len > 0 && rest.data[0] == '-' && (rest.len == 1 || rest.data[1] == ' ');
}

/* "---", "...", "%YAML 1.1": they stand at the margin, and begin anew. */
static bool is_marker(struct bytes line)
{
    return line.len > 0 &&
           (line.data[0] == '%' || bytes_starts(line, BYTES("---")) || bytes_starts(line, BYTES("...")));
}

/* --- what stands in a line -------------------------------------------------------------------------------------- */

static size_t skip_spaces(struct bytes line, size_t at)
{
    while (at < line.len && (line.data[at] == ' ' || line.data[at] == '\t'))
        at++;
    return at;
}

static void space_after(struct formatter *f, struct bytes line, const struct format_mark *mark, size_t next)
{
    bool wants = mark->what == '{' || mark->what == ',' || mark->what == ':' || (mark->what == '[' && !mark->tight);

    if (next == line.len)
        return;
    if (line.data[next] == '#')
        put_spaces(f, next - mark->byte - 1); /* comments may be lined up */
    else if (wants && !(mark->what == '{' && line.data[next] == '}'))
        put_spaces(f, 1);
}

static void trim_out(struct formatter *f, size_t line_start)
{
    while (f->out.len > line_start && f->out.data[f->out.len - 1] == ' ')
        f->out.len--;
}

static void space_before(struct formatter *f, const struct format_mark *mark, size_t line_start)
{
    char last;

    trim_out(f, line_start);
    if (f->out.len == line_start) /* nothing before it on this line */
        return;
    last = f->out.data[f->out.len - 1];
    if ((mark->what == '}' && last != '{') || (mark->what == ']' && !mark->tight && last != '['))
        put_spaces(f, 1);
}

/* The line from byte `at`, with its braces, brackets and commas in order. */
static void put_rest(struct formatter *f, size_t number, size_t at)
{
    struct bytes line = without_end(f->lines.lines[number].text);
    size_t line_start = f->out.len;

    for (; f->next_mark < f->lines.mark_count; f->next_mark++) {
        const struct format_mark *mark = &f->lines.marks[f->next_mark];
        bool opens = mark->what == '{' || mark->what == '[';

        if (mark->line != number)
            break;
        if (mark->byte < at)
            continue;
        text_add(&f->out, bytes_slice(line, at, mark->byte));
        if (!opens)
            space_before(f, mark, line_start);
        text_add_char(&f->out, mark->what);
        at = skip_spaces(line, mark->byte + 1);
        space_after(f, line, mark, at);
    }
    text_add(&f->out, bytes_skip(line, at));
    trim_out(f, line_start);
    text_add_char(&f->out, '\n');
}

/* --- kinds of lines --------------------------------------------------------------------------------------------- */

/* Keys and items, perhaps several on one line: "- - name: x". */
static int put_plain(struct formatter *f, size_t number)
{
    struct bytes line = f->lines.lines[number].text;
    size_t at = spaces_before(line), is = 0;
    int r;

    if (is_marker(line)) {
        f->depth = 0;
        begin_line(f, 0);
        put_rest(f, number, 0);
        return 0;
    }
    r = enter(f, at, is_item(bytes_skip(line, at)), &is);
    if (r < 0)
        return r;
    begin_line(f, is);
    while (r == 0 && is_item(bytes_skip(line, at))) {
        size_t next = skip_spaces(line, at + 1);

        if (next == line.len || line.data[next] == '#')
            break;
        text_add(&f->out, BYTES("- "));
        is += INDENT;
        r = push(f, next, is, is_item(bytes_skip(line, next)));
        at = next;
    }
    put_rest(f, number, at);
    return r;
}

/* A comment goes where what stands in its column goes, or one level below what it is behind of. */
static size_t comment_indent(const struct formatter *f, size_t column, size_t number)
{
    size_t next = number;
    bool item;

    while (next < f->lines.count && (is_blank(f->lines.lines[next].text) || is_comment(f->lines.lines[next].text)))
        next++;
    item = next < f->lines.count && spaces_before(f->lines.lines[next].text) == column &&
           is_item(bytes_skip(f->lines.lines[next].text, column));
    for (unsigned i = f->depth; i-- > 0;) {
        const struct level *level = &f->levels[i];

        if (level->was < column)
            return level->is + INDENT;
        if (level->was > column || (level->item && !item && i > 0 && f->levels[i - 1].was == column))
            continue;
        /* In the column of a key may stand its list, which perhaps begins only now. */
        return level->is + (item && !level->item ? INDENT : 0);
    }
    return 0;
}

static void put_comment(struct formatter *f, size_t number)
{
    struct bytes line = without_end(f->lines.lines[number].text);
    size_t column = spaces_before(line);

    begin_line(f, comment_indent(f, column, number));
    text_add(&f->out, bytes_skip(line, skip_spaces(line, 0)));
    text_add_char(&f->out, '\n');
}

/* Text of a block scalar moves as a whole; spaces at the end of its lines are a part of it. */
static void put_block(struct formatter *f, size_t number)
{
    const struct format_line *line = &f->lines.lines[number];
    const struct level *level = top(f);
    size_t was = spaces_before(line->text), is = level ? level->is + INDENT : 0, base = f->block_was;

    for (; f->empty > 0; f->empty--)
        text_add_char(&f->out, '\n');
    if (f->block_fixed) { /* a digit counts from the key's column */
        base = level ? level->was : 0;
        is = level ? level->is : 0;
    }
    if (was < base) { /* a blank line with fewer spaces, or a comment behind the text */
        text_add(&f->out, bytes_skip(line->text, was));
    } else {
        put_spaces(f, is + was - base);
        text_add(&f->out, bytes_skip(line->text, was));
    }
    text_add_char(&f->out, '\n');
}

/* The least indentation of the text that begins with this line. */
static size_t block_indent(const struct formatter *f, size_t number)
{
    size_t least = SIZE_MAX;

    for (; number < f->lines.count && f->lines.lines[number].kind == FORMAT_BLOCK; number++)
        if (spaces_before(f->lines.lines[number].text) < f->lines.lines[number].text.len)
            least = MIN(least, spaces_before(f->lines.lines[number].text));
    return least == SIZE_MAX ? 0 : least;
}

static void put_inner(struct formatter *f, size_t number)
{
    const struct format_line *line = &f->lines.lines[number];
    size_t at = skip_spaces(line->text, 0), indent = top(f) ? top(f)->is + INDENT : INDENT;

    if (line->kind == FORMAT_FLOW) {
        bool closes = line->text.data[at] == '}' || line->text.data[at] == ']';

        indent = (top(f) ? top(f)->is : 0) + INDENT * (size_t)(line->flow - closes);
    }
    begin_line(f, indent);
    put_rest(f, number, at);
}

static int put_line(struct formatter *f, size_t number)
{
    const struct format_line *line = &f->lines.lines[number];

    if (line->kind == FORMAT_BLOCK) {
        if (!f->in_block) {
            f->block_was = block_indent(f, number);
            f->block_fixed = number > 0 && f->lines.lines[number - 1].opens_explicit;
        }
        f->in_block = true;
        put_block(f, number);
        return 0;
    }
    f->in_block = false;
    if (line->kind == FORMAT_FOLDED && is_blank(line->text)) /* a line feed of a text of several lines */
        text_add_char(&f->out, '\n');
    else if (is_blank(line->text))
        f->empty++;
    else if (line->kind == FORMAT_FOLDED)
        put_inner(f, number);
    else if (is_comment(line->text))
        put_comment(f, number);
    else if (line->kind == FORMAT_FLOW)
        put_inner(f, number);
    else
        return put_plain(f, number);
    return 0;
}

static int put_all(struct formatter *f, const char *file, struct fault *fault)
{
    for (size_t i = 0; i < f->lines.count; i++) {
        int r = put_line(f, i);

        if (r < 0) {
            fault_at(fault, file, (unsigned)i + 1, 1);
            fault_set(fault, "nested deeper than %d levels", CONF_FORMAT_DEPTH_MAX);
            return -EINVAL;
        }
    }
    return 0;
}

/* Once, into room for so many bytes. -ENOBUFS: more is needed. */
static int format_into(struct formatter *f, const char *file, size_t room, struct fault *fault)
{
    char *memory = mem_alloc(room);
    int r;

    if (!memory)
        return -ENOMEM;
    f->out = text_into(memory, room);
    f->next_mark = 0;
    f->depth = 0;
    f->empty = 0;
    f->in_block = false;
    r = put_all(f, file, fault);
    if (r == 0 && f->out.full)
        r = -ENOBUFS;
    if (r < 0)
        mem_free(memory);
    return r;
}

static int format_lines(struct formatter *f, const char *file, size_t len, struct fault *fault)
{
    int r = -ENOBUFS;

    for (size_t room = len * 2 + 1024; r == -ENOBUFS && room <= CONF_FORMAT_MAX; room *= 2)
        r = format_into(f, file, room, fault);
    if (r != -ENOBUFS)
        return r;
    fault_at(fault, file, 0, 0);
    fault_set(fault, "would become longer than %d bytes", CONF_FORMAT_MAX);
    return -EINVAL;
}

/* Lays it out once. */
static int format_once(const char *file, struct bytes text, struct fault *fault, struct bytes *ret)
{
    struct formatter *f = mem_zalloc(sizeof(*f));
    int r;

    if (!f)
        return -ENOMEM;
    r = format_lines_read(file, text, fault, &f->lines);
    if (r == 0) {
        r = format_lines(f, file, text.len, fault);
        format_lines_free(&f->lines);
    }
    if (r == 0)
        *ret = text_bytes(&f->out);
    mem_free(f);
    return r;
}

static int refuse(const char *file, struct fault *fault)
{
    fault_at(fault, file, 0, 0);
    fault_set(fault, "can't be laid out without changing what it means");
    fault_hint(fault, "write unusual YAML (complex keys, tabs, odd indentation) in a plainer way");
    return -EINVAL;
}

/* (4) holds because what would change once more is laid out once more; usual texts settle at once. */
static int settle(const char *file, struct fault *fault, struct bytes *text)
{
    for (int turn = 0; turn < TURNS_MAX; turn++) {
        struct bytes again = BYTES_NONE;
        int r = format_once(file, *text, fault, &again);

        if (r < 0)
            return r;
        if (bytes_equal(*text, again)) {
            mem_free((void *)(uintptr_t)again.data);
            return 0;
        }
        mem_free((void *)(uintptr_t)text->data);
        *text = again;
    }
    return refuse(file, fault);
}

/* What would be lost or taken for something else: a byte order mark that comes to the front vanishes, and YAML ends
 * lines at characters at which nobody else does. */
static int refuse_odd(const char *file, struct bytes text, struct fault *fault)
{
    static const struct {
        struct bytes bytes;
        const char *what;
    } ODD[] = {
        { BYTE_ORDER_MARK, "character U+FEFF is not allowed" },
        { BYTES("\xc2\x85"), "character U+0085 ends no line here" },
        { BYTES("\xe2\x80\xa8"), "character U+2028 ends no line here" },
        { BYTES("\xe2\x80\xa9"), "character U+2029 ends no line here" },
        { BYTES("\r"), "a carriage return without a line feed ends no line here" },
    };
    unsigned line = 1;

    for (size_t at = 0; at < text.len; at++) {
        struct bytes rest = bytes_skip(text, at);

        line += text.data[at] == '\n';
        if (bytes_starts(rest, BYTES("\r\n")))
            continue;
        for (size_t i = 0; i < ARRAY_LEN(ODD); i++) {
            if (!bytes_starts(rest, ODD[i].bytes))
                continue;
            fault_at(fault, file, line, 0);
            fault_set(fault, "%s", ODD[i].what);
            return -EINVAL;
        }
    }
    return 0;
}

int conf_format(const char *file, struct bytes text, struct fault *fault, struct bytes *ret)
{
    struct bytes result = BYTES_NONE;
    int r;

    if (text.len > CONF_TEXT_MAX)
        return -EFBIG;
    if (bytes_starts(text, BYTE_ORDER_MARK))
        text = bytes_skip(text, BYTE_ORDER_MARK.len);
    r = refuse_odd(file, text, fault);
    if (r == 0)
        r = format_once(file, text, fault, &result);
    if (r < 0)
        return r;
    r = settle(file, fault, &result);
    if (r == 0)
        r = format_same(text, result);
    if (r == 0)
        *ret = result;
    else
        mem_free((void *)(uintptr_t)result.data);
    return r == -EINVAL && !fault->what[0] ? refuse(file, fault) : r;
}
