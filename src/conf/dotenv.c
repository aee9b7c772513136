#include "conf/dotenv.h"

#include "base/alloc.h"
#include "base/limits.h"
#include "base/text.h"

#include <errno.h>

struct reader {
    const char *file;
    struct bytes rest;
    unsigned line;
    const struct conf_source *source;
    struct arena *arena;
    struct fault_list *faults;
    struct dotenv found;
    size_t room;
    struct text value;
    bool broken; /* the line that is being read has its fault */
    bool faulty; /* some line had one */
};

static struct fault *complain(struct reader *reader, unsigned line, const char *what)
{
    struct fault *fault = fault_list_add(reader->faults);

    fault_set(fault, "%s", what);
    fault_at(fault, reader->file, line, 0);
    reader->broken = reader->faulty = true;
    return fault;
}

/* --- characters ------------------------------------------------------------------------------------------------- */

static int peek(const struct reader *reader)
{
    return reader->rest.len > 0 ? (unsigned char)reader->rest.data[0] : -1;
}

static void skip(struct reader *reader, size_t count)
{
    for (size_t i = 0; i < count && i < reader->rest.len; i++)
        reader->line += reader->rest.data[i] == '\n';
    reader->rest = bytes_skip(reader->rest, count);
}

static bool is_blank(int c)
{
    return c == ' ' || c == '\t' || c == '\r';
}

static void skip_blanks(struct reader *reader)
{
    while (is_blank(peek(reader)))
        skip(reader, 1);
}

/* To the next line. */
static void skip_line(struct reader *reader)
{
    ssize_t end = bytes_find_char(reader->rest, '\n');

    skip(reader, end < 0 ? reader->rest.len : (size_t)end + 1);
}

static size_t name_length(struct bytes text)
{
    size_t len = 0;

    while (len < text.len) {
        char c = ascii_lower(text.data[len]);

        if (!((c >= 'a' && c <= 'z') || c == '_' || (len > 0 && c >= '0' && c <= '9')))
            break;
        len++;
    }
    return len;
}

/* --- variables in values ---------------------------------------------------------------------------------------- */

static bool look_up(const struct reader *reader, struct bytes name, struct bytes *ret)
{
    const struct conf_source *source = reader->source;

    return (source && source->variable && source->variable(source->user, name, ret)) ||
           dotenv_find(&reader->found, name, ret);
}

static void put_in(struct reader *reader, struct bytes name, bool has_default, struct bytes otherwise)
{
    struct bytes value = BYTES_NONE;
    bool set = look_up(reader, name, &value);
    char what[FAULT_TEXT_MAX];
    struct text text = text_into(what, sizeof(what) - 1);

    if (set || has_default) {
        text_add(&reader->value, value.len > 0 || !has_default ? value : otherwise);
        return;
    }
    text_add_format(&text, "variable " BYTES_FMT " is not set", BYTES_ARG(bytes_slice(name, 0, FAULT_TEXT_MAX / 2)));
    what[text.len] = '\0';
    fault_hint(complain(reader, reader->line, what), "set it, or write ${NAME:-default}; $$ is a dollar sign");
}

/* "${NAME...}" at the front. */
static void put_in_braces(struct reader *reader)
{
    struct bytes inner = bytes_skip(reader->rest, 2), name;
    ssize_t end = bytes_find_char(inner, '}'), line = bytes_find_char(inner, '\n');
    bool has_default;

    if (end < 0 || (line >= 0 && line < end)) {
        complain(reader, reader->line, "\"${\" without \"}\"");
        skip(reader, 2);
        return;
    }
    inner.len = (size_t)end;
    name = bytes_slice(inner, 0, name_length(inner));
    has_default = bytes_starts(bytes_skip(inner, name.len), BYTES(":-"));
    if (name.len == 0 || (!has_default && name.len != inner.len))
        complain(reader, reader->line, "a variable is written $NAME, ${NAME} or ${NAME:-default}");
    else
        put_in(reader, name, has_default, bytes_skip(inner, name.len + 2));
    skip(reader, (size_t)end + 3);
}

/* A dollar sign at the front. */
static void put_in_variable(struct reader *reader)
{
    struct bytes behind = bytes_skip(reader->rest, 1);
    size_t name = name_length(behind);

    if (bytes_starts(behind, BYTES("{"))) {
        put_in_braces(reader);
    } else if (name > 0) {
        put_in(reader, bytes_slice(behind, 0, name), false, BYTES_NONE);
        skip(reader, name + 1);
    } else {
        text_add_char(&reader->value, '$');
        skip(reader, bytes_starts(behind, BYTES("$")) ? 2 : 1);
    }
}

/* --- values ------------------------------------------------------------------------------------------------------- */

static void add_one(struct reader *reader)
{
    text_add_char(&reader->value, reader->rest.data[0]);
    skip(reader, 1);
}

/* A backslash in double quotes. */
static void put_escape(struct reader *reader)
{
    static const char NAMES[] = "nrt\"\\$", MEANT[] = "\n\r\t\"\\$";
    const char *at = reader->rest.len > 1 && reader->rest.data[1] ? strchr(NAMES, reader->rest.data[1]) : NULL;

    if (!at) {
        add_one(reader);
        return;
    }
    text_add_char(&reader->value, MEANT[at - NAMES]);
    skip(reader, 2);
}

static void read_quoted(struct reader *reader, char quote)
{
    unsigned begin = reader->line;
    int c;

    skip(reader, 1);
    while ((c = peek(reader)) >= 0 && c != quote) {
        if (quote == '"' && c == '\\')
            put_escape(reader);
        else if (quote == '"' && c == '$')
            put_in_variable(reader);
        else
            add_one(reader);
    }
    if (c < 0) {
        complain(reader, begin, quote == '"' ? "a quote \" is not closed" : "a quote ' is not closed");
        return;
    }
    skip(reader, 1);
    skip_blanks(reader);
    c = peek(reader);
    if (c >= 0 && c != '\n' && c != '#')
        fault_hint(complain(reader, reader->line, "something follows the closing quote"),
                   "put quotes around all of it; a comment begins with #");
}

static void read_plain(struct reader *reader)
{
    bool blank = true; /* before this character: a # begins a comment */
    size_t len = 0;
    int c;

    while ((c = peek(reader)) >= 0 && c != '\n' && !(c == '#' && blank)) {
        blank = is_blank(c);
        if (c == '$')
            put_in_variable(reader);
        else
            add_one(reader);
        if (!blank)
            len = reader->value.len; /* blanks at the end don't count */
    }
    reader->value.len = len;
}

/* --- lines -------------------------------------------------------------------------------------------------------- */

static int add_entry(struct reader *reader, struct bytes name)
{
    struct dotenv_entry entry, *grown;

    if (reader->found.count == reader->room) {
        reader->room = reader->room ? reader->room * 2 : 16;
        grown = mem_realloc(reader->found.entries, reader->room * sizeof(*grown));
        if (!grown)
            return -ENOMEM;
        reader->found.entries = grown;
    }
    if (arena_format(reader->arena, &entry.name, BYTES_FMT, BYTES_ARG(name)) < 0 ||
        arena_format(reader->arena, &entry.value, BYTES_FMT, BYTES_ARG(text_bytes(&reader->value))) < 0)
        return -ENOMEM;
    reader->found.entries[reader->found.count++] = entry;
    return 0;
}

static void read_value(struct reader *reader)
{
    unsigned begin = reader->line;
    int c = peek(reader);

    reader->value.len = 0;
    reader->value.full = false;
    if (c == '"' || c == '\'')
        read_quoted(reader, (char)c);
    else
        read_plain(reader);
    if (reader->value.full)
        complain(reader, begin, "the value is too long (64 KiB at most)");
    else if (memchr(reader->value.data, '\0', reader->value.len))
        complain(reader, begin, "the value holds a zero byte");
}

/* Behind the name, where "=" should be. */
static int read_assignment(struct reader *reader, struct bytes name)
{
    skip_blanks(reader);
    if (name.len == 0 || peek(reader) != '=') {
        fault_hint(complain(reader, reader->line, "must be NAME=value"),
                   "names are letters, digits and _, no digit first; a comment begins with #");
        return 0;
    }
    skip(reader, 1);
    skip_blanks(reader);
    read_value(reader);
    return reader->broken ? 0 : add_entry(reader, name);
}

static int read_line(struct reader *reader)
{
    static const struct bytes EXPORT = BYTES("export");
    struct bytes name;
    int r = 0;

    skip_blanks(reader);
    if (bytes_starts(reader->rest, EXPORT) &&
        is_blank(bytes_skip(reader->rest, EXPORT.len).len > 0 ? (unsigned char)reader->rest.data[EXPORT.len] : -1)) {
        struct bytes behind = bytes_trim(bytes_skip(reader->rest, EXPORT.len));

        if (!bytes_starts(behind, BYTES("="))) { /* a variable may have that name */
            skip(reader, EXPORT.len);
            skip_blanks(reader);
        }
    }
    if (peek(reader) >= 0 && peek(reader) != '\n' && peek(reader) != '#') {
        reader->broken = false;
        name = bytes_slice(reader->rest, 0, name_length(reader->rest));
        skip(reader, name.len);
        r = read_assignment(reader, name);
    }
    skip_line(reader);
    return r;
}

static int read_lines(struct reader *reader)
{
    int r = 0;

    if (bytes_starts(reader->rest, BYTES("\xef\xbb\xbf"))) /* some editors' mark */
        skip(reader, 3);
    while (r == 0 && reader->rest.len > 0)
        r = read_line(reader);
    return r;
}

int dotenv_read(const char *file, struct bytes text, const struct conf_source *source, struct arena *arena,
                struct fault_list *faults, struct dotenv *ret)
{
    struct reader reader = {
        .file = file, .rest = text, .line = 1, .source = source, .arena = arena, .faults = faults
    };
    char *memory = mem_alloc(CONF_SCALAR_MAX);
    int r = memory ? 0 : -ENOMEM;

    reader.value = text_into(memory, memory ? CONF_SCALAR_MAX : 0);
    if (r == 0)
        r = read_lines(&reader);
    if (r == 0 && reader.faulty)
        r = -EINVAL;
    if (r == 0) {
        struct dotenv_entry *entries = arena_zalloc(arena, (reader.found.count + 1) * sizeof(*entries));

        if (entries && reader.found.count > 0)
            memcpy(entries, reader.found.entries, reader.found.count * sizeof(*entries));
        r = entries ? 0 : -ENOMEM;
        if (entries)
            *ret = (struct dotenv){ entries, reader.found.count };
    }
    mem_free(reader.found.entries);
    mem_free(memory);
    return r;
}

bool dotenv_find(const struct dotenv *dotenv, struct bytes name, struct bytes *ret_value)
{
    for (size_t i = dotenv->count; i-- > 0;) {
        if (bytes_equal(dotenv->entries[i].name, name)) {
            *ret_value = dotenv->entries[i].value;
            return true;
        }
    }
    return false;
}
