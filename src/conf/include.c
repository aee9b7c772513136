/* Reads a file, then what it includes, each before the next: the order in which they are merged. */
#include "conf/context.h"

#include <errno.h>

/* Drops the last element of a path that ends in one; false when there is none to drop. */
static bool drop_last(struct text *text, size_t root)
{
    size_t at = text->len;

    if (at == root)
        return false;
    while (at > root && text->data[at - 1] != '/')
        at--;
    if (bytes_equal(bytes_skip(text_bytes(text), at), BYTES("..")))
        return false;
    text->len = at > root ? at - 1 : at;
    return true;
}

/* Adds the elements of a path, resolving "." and ".." by their names alone. */
static void add_path(struct text *text, size_t root, struct bytes path)
{
    struct bytes part;

    while (bytes_split(&path, '/', &part)) {
        if (part.len == 0 || bytes_equal(part, BYTES(".")))
            continue;
        if (bytes_equal(part, BYTES("..")) && (drop_last(text, root) || root))
            continue;
        if (text->len > root)
            text_add_char(text, '/');
        text_add(text, part);
    }
}

static struct bytes folder_of(struct bytes path)
{
    size_t len = path.len;

    while (len > 0 && path.data[len - 1] != '/')
        len--;
    return bytes_slice(path, 0, len);
}

/* The path of `name` as seen from `folder`; empty when it is too long or names no file. */
static struct bytes resolve_path(struct bytes folder, struct bytes name, char memory[CONF_PATH_MAX])
{
    struct text text = text_into(memory, CONF_PATH_MAX);
    bool absolute = bytes_starts(name, BYTES("/"));

    if (absolute)
        folder = BYTES_NONE;
    if (absolute || bytes_starts(folder, BYTES("/")))
        text_add_char(&text, '/');
    absolute = text.len > 0;
    add_path(&text, absolute, folder);
    add_path(&text, absolute, name);
    return text.full ? BYTES_NONE : text_bytes(&text);
}

static const char *reason(int err)
{
    switch (-err) {
    case ENOENT: return "no such file";
    case EACCES:
    case EPERM: return "permission denied";
    case EISDIR: return "it is a directory";
    case EFBIG: return "it is too large";
    case ENOTDIR: return "a part of the path is no directory";
    case ELOOP: return "too many symbolic links";
    default: return NULL;
    }
}

static int unreadable(struct conf_context *context, struct conf_place place, const struct conf_path *path,
                      struct bytes file, int err)
{
    const char *hint = bytes_find_char(file, '*') >= 0 ? "patterns are not supported: list the files" : "";

    if (err == -ENOMEM)
        return err;
    context->unread = true;
    if (reason(err))
        fault_hint(conf_fault(context, place, path, "can't read " BYTES_FMT ": %s", BYTES_ARG(file), reason(err)), "%s",
                   hint);
    else
        fault_hint(conf_fault(context, place, path, "can't read " BYTES_FMT ": error %d", BYTES_ARG(file), -err), "%s",
                   hint);
    return 0;
}

/* Whether the file may be included from `from`; a fault says why not. */
static bool may_include(struct conf_context *context, const struct conf_file *from, struct conf_place place,
                        const struct conf_path *path, struct bytes file)
{
    struct conf_place first;

    for (const struct conf_file *above = from; above; above = above->parent) {
        if (bytes_equal(above->path, file)) {
            conf_fault(context, place, path, BYTES_FMT " includes itself, by way of %s", BYTES_ARG(file), from->name);
            return false;
        }
    }
    for (size_t i = 0; i < context->file_count; i++) {
        first = context->files[i].place;
        if (bytes_equal(context->files[i].path, file)) {
            conf_fault(context, place, path, BYTES_FMT " is included already, at %s:%u:%u", BYTES_ARG(file), first.file,
                       first.line, first.column);
            return false;
        }
    }
    if (from->depth >= CONF_INCLUDE_DEPTH_MAX || context->file_count >= CONF_FILES_MAX) {
        bool deep = from->depth >= CONF_INCLUDE_DEPTH_MAX;

        conf_fault(context, place, path, deep ? "files include files deeper than %d levels" : "more than %d files",
                   deep ? CONF_INCLUDE_DEPTH_MAX : CONF_FILES_MAX);
        return false;
    }
    return true;
}

static int read_file(struct conf_context *context, struct conf_file *file, struct bytes text);

static int include_file(struct conf_context *context, const struct conf_file *from, struct conf_node *item,
                        const struct conf_path *path)
{
    const struct conf_source *source = &context->request->source;
    char memory[CONF_PATH_MAX];
    struct bytes file = resolve_path(folder_of(from->path), item->text, memory), text;
    struct conf_file *entry;
    int err;

    if (!source->read || file.len == 0 || bytes_ends(item->text, BYTES("/"))) {
        conf_fault(context, item->place, path, "%s",
                   source->read ? "must be the path of a file" : "can't be used here");
        return 0;
    }
    if (!may_include(context, from, item->place, path, file))
        return 0;
    entry = &context->files[context->file_count];
    entry->name = arena_text(context->arena, file);
    if (!entry->name)
        return -ENOMEM;
    err = source->read(source->user, entry->name, &context->scratch, &text);
    if (err)
        return unreadable(context, item->place, path, file, err);
    entry->path = bytes_of_text(entry->name);
    entry->parent = from;
    entry->place = item->place;
    entry->depth = from->depth + 1;
    context->file_count++;
    return read_file(context, entry, text);
}

static const struct conf_field *include_field(const struct conf_context *context)
{
    const struct conf_schema *schema = context->request->schema;

    for (size_t i = 0; i < schema->count; i++)
        if (schema->fields[i].flags & CONF_INCLUDE)
            return &schema->fields[i];
    return NULL;
}

static int include_items(struct conf_context *context, const struct conf_file *file, struct conf_node *list,
                         const struct conf_path *path)
{
    size_t index = 0;
    int err = 0;

    for (struct conf_entry *item = list->first; item && !err; item = item->next, index++) {
        struct conf_path inner = { .parent = path, .index = index };

        if (item->value->kind == CONF_NODE_SCALAR && !item->value->broken)
            err = include_file(context, file, item->value, &inner);
    }
    return err;
}

/* A text that can't be followed has its fault; the other files are read all the same. */
static int read_file(struct conf_context *context, struct conf_file *file, struct bytes text)
{
    const struct conf_field *field = include_field(context);
    const struct conf_entry *include;
    struct conf_path path = { 0 };
    int err = conf_yaml_read(context, file->name, text, &file->root);

    context->unread |= err == -EINVAL;
    if (err)
        return err == -EINVAL ? 0 : err;
    include = field && file->root->kind == CONF_NODE_MAP ? conf_node_find(file->root, bytes_of_text(field->key)) : NULL;
    if (!include || include->value->broken)
        return 0;
    path.key = include->key;
    if (include->value->kind == CONF_NODE_SCALAR && field->flags & CONF_SINGLE)
        return include_file(context, file, include->value, &path);
    return include->value->kind == CONF_NODE_LIST ? include_items(context, file, include->value, &path) : 0;
}

int conf_include(struct conf_context *context, const char *name, struct bytes text)
{
    struct conf_file *file = &context->files[context->file_count++];
    char memory[CONF_PATH_MAX];
    int err;

    file->name = arena_text(context->arena, bytes_of_text(name));
    if (!file->name)
        return -ENOMEM;
    err = arena_copy(&context->scratch, resolve_path(BYTES_NONE, bytes_of_text(name), memory), &file->path);
    file->place = (struct conf_place){ file->name, 1, 1 };
    return err ? err : read_file(context, file, text);
}
