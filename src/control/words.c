#include "control/words.h"

/* Writes the words one behind the other into `data`, which has room for len + 1 bytes. */
struct splitter {
    struct bytes rest;
    char *data;
    size_t used;
    struct fault *fault;
};

static bool is_space(char c)
{
    return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

static bool is_for_shells(char c)
{
    return c != 0 && strchr("|&;<>()$`", c) != NULL;
}

/* U+2018 to U+201F, as word processors put them. */
static bool is_typographic_quote(struct bytes text)
{
    return bytes_starts(text, BYTES("\xe2\x80")) && text.len > 2 && (unsigned char)text.data[2] >= 0x98 &&
           (unsigned char)text.data[2] <= 0x9f;
}

static char take(struct splitter *splitter)
{
    char c = splitter->rest.data[0];

    splitter->rest = bytes_skip(splitter->rest, 1);
    return c;
}

static void put(struct splitter *splitter, char c)
{
    splitter->data[splitter->used++] = c;
}

static int take_quoted(struct splitter *splitter, char quote)
{
    while (splitter->rest.len > 0) {
        char c = take(splitter);

        if (c == quote)
            return 0;
        if (c == '\\' && quote == '"' && splitter->rest.len > 0 &&
            (splitter->rest.data[0] == '"' || splitter->rest.data[0] == '\\'))
            c = take(splitter);
        put(splitter, c);
    }
    fault_set(splitter->fault, "a quote %c is not closed", quote);
    return -EINVAL;
}

static int take_word(struct splitter *splitter)
{
    int r = 0;

    while (r == 0 && splitter->rest.len > 0 && !is_space(splitter->rest.data[0])) {
        bool typographic = is_typographic_quote(splitter->rest);
        char c = take(splitter);

        if (typographic) {
            fault_set(splitter->fault, "holds a typographic quote");
            fault_hint(splitter->fault, "write \" or ' instead; inside of such quotes it may stand");
            return -EINVAL;
        }
        if (c == '\'' || c == '"') {
            r = take_quoted(splitter, c);
        } else if (c == '\\') {
            if (splitter->rest.len == 0) {
                fault_set(splitter->fault, "nothing follows the last backslash");
                return -EINVAL;
            }
            put(splitter, take(splitter));
        } else if (is_for_shells(c)) {
            fault_set(splitter->fault, "holds %c, but is not run by a shell", c);
            fault_hint(splitter->fault, "put it in quotes, or write [sh, -c, '...']");
            return -EINVAL;
        } else {
            put(splitter, c);
        }
    }
    put(splitter, '\0');
    return r;
}

static void skip_spaces(struct splitter *splitter)
{
    while (splitter->rest.len > 0 && is_space(splitter->rest.data[0]))
        (void)take(splitter);
}

int words_split(struct bytes line, struct arena *arena, struct fault *fault, const char *const **ret)
{
    struct splitter splitter = { .rest = line, .fault = fault };
    size_t room = line.len / 2 + 2, count = 0; /* a word and the space behind it are two bytes at least */
    const char **words = arena_zalloc(arena, room * sizeof(*words));
    int r = 0;

    splitter.data = arena_alloc(arena, line.len + 1);
    if (!words || !splitter.data)
        return -ENOMEM;
    skip_spaces(&splitter);
    while (r == 0 && splitter.rest.len > 0) {
        words[count++] = splitter.data + splitter.used;
        r = take_word(&splitter);
        skip_spaces(&splitter);
    }
    if (r == 0 && (count == 0 || words[0][0] == '\0')) {
        fault_set(fault, "must name a program");
        r = -EINVAL;
    }
    if (r == 0)
        *ret = words;
    return r;
}
