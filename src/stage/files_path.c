#include "stage/files.h"

static int hex_value(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    c = ascii_lower(c);
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* Once: what was encoded twice is a name with a percent sign in it. */
static int decode(struct bytes raw, char *memory, size_t *ret_len)
{
    size_t len = 0;

    for (size_t i = 0; i < raw.len; i++) {
        char c = raw.data[i];

        if (c == '%') {
            int high = i + 2 < raw.len ? hex_value(raw.data[i + 1]) : -1;
            int low = high >= 0 ? hex_value(raw.data[i + 2]) : -1;

            if (low < 0)
                return -EBADMSG;
            c = (char)(high << 4 | low);
            i += 2;
            if (c == '/')
                return -ENOENT; /* it is part of a name, and no file's name has one */
        }
        if (c == '\0')
            return -EBADMSG;
        if (len == FILES_PATH_MAX)
            return -ENOENT;
        memory[len++] = c;
    }
    *ret_len = len;
    return 0;
}

static bool is_hidden(struct bytes path, struct bytes element)
{
    return element.data[0] == '.' && !(element.data == path.data && bytes_equal(element, BYTES(".well-known")));
}

static int check_elements(struct bytes path, bool hidden)
{
    struct bytes rest = path, element;

    while (path.len > 0 && bytes_split(&rest, '/', &element)) {
        if (element.len == 0 || bytes_equal(element, BYTES(".")) || bytes_equal(element, BYTES("..")))
            return -ENOENT;
        if (!hidden && is_hidden(path, element))
            return -ENOENT;
    }
    return 0;
}

static bool take_off(struct bytes *path, struct bytes front)
{
    if (!bytes_starts(*path, front) || (path->len > front.len && path->data[front.len] != '/'))
        return false;
    *path = bytes_skip(*path, front.len);
    return true;
}

int files_path_read(struct bytes raw, struct bytes strip, bool hidden, char *memory, struct files_path *ret)
{
    struct bytes path;
    bool folder;
    size_t len;
    int r;

    if (raw.len == 0 || raw.data[0] != '/')
        return -ENOENT; /* "*", or an authority */
    r = decode(raw, memory, &len);
    if (r < 0)
        return r;
    path = bytes_of(memory, len);
    if (!take_off(&path, strip))
        return -ENOENT;
    folder = bytes_ends(path, BYTES("/"));
    if (bytes_equal(path, BYTES("//")))
        return -ENOENT;
    path = bytes_slice(path, path.len > 0, path.len - (folder && path.len > 1));
    r = check_elements(path, hidden);
    if (r == 0)
        *ret = (struct files_path){ .path = path, .folder = folder };
    return r;
}
