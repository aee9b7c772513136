#include "conf/context.h"

#include <errno.h>

static bool is_name_char(char c, bool first)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' || (!first && c >= '0' && c <= '9');
}

struct variable {
    struct bytes name, default_text;
    bool has_default;
    size_t len; /* of the whole, with "${" and "}" */
};

/* What stands after "${". NULL, or what is wrong. */
static const char *parse_variable(struct bytes text, struct variable *ret)
{
    struct bytes inner = bytes_skip(text, 2);
    ssize_t end = bytes_find_char(inner, '}');
    size_t name = 0;

    if (end < 0)
        return "\"${\" without \"}\"";
    inner.len = (size_t)end;
    while (name < inner.len && is_name_char(inner.data[name], name == 0))
        name++;
    if (name == 0)
        return "\"${\" without a name after it";
    ret->name = bytes_slice(inner, 0, name);
    ret->has_default = inner.len > name;
    ret->default_text = bytes_skip(inner, name + 2);
    if (ret->has_default && !bytes_starts(bytes_skip(inner, name), BYTES(":-")))
        return "a variable is written ${NAME} or ${NAME:-default}";
    if (bytes_find(ret->default_text, BYTES("${")) >= 0)
        return "a default can't hold another variable";
    ret->len = inner.len + 3;
    return NULL;
}

static bool look_up(const struct conf_source *source, struct bytes name, struct bytes *ret)
{
    return source->variable && source->variable(source->user, name, ret);
}

/* One variable at the front of `rest` to its value: 0, or -EINVAL with a fault. */
static int resolve(struct conf_context *context, struct conf_place place, const struct conf_path *path,
                   struct bytes rest, struct variable *ret, struct bytes *ret_value)
{
    const char *wrong = parse_variable(rest, ret);
    struct bytes value = BYTES_NONE;
    bool set;

    if (wrong) {
        fault_hint(conf_fault(context, place, path, "%s", wrong), "write $${ for the characters ${ themselves");
        return -EINVAL;
    }
    set = look_up(&context->request->source, ret->name, &value);
    if (!set && !ret->has_default) {
        fault_hint(conf_fault(context, place, path, "variable " BYTES_FMT " is not set", BYTES_ARG(ret->name)),
                   "set it, or write ${" BYTES_FMT ":-default}", BYTES_ARG(ret->name));
        return -EINVAL;
    }
    *ret_value = value.len || !ret->has_default ? value : ret->default_text;
    return 0;
}

/* One step: the text up to the next variable, and its value. */
static int substitute_next(struct conf_context *context, struct conf_place place, const struct conf_path *path,
                           struct bytes *rest, struct text *text)
{
    ssize_t found = bytes_find(*rest, BYTES("${"));
    size_t at = found < 0 ? rest->len : (size_t)found;
    bool escaped = found > 0 && rest->data[at - 1] == '$';
    struct variable variable = { .len = 2 };
    struct bytes value = BYTES_NONE;
    int err = 0;

    text_add(text, bytes_slice(*rest, 0, escaped ? at - 1 : at));
    *rest = bytes_skip(*rest, at);
    if (!rest->len)
        return 0;
    if (escaped)
        value = BYTES("${");
    else
        err = resolve(context, place, path, *rest, &variable, &value);
    if (err)
        return err;
    text_add(text, value);
    *rest = bytes_skip(*rest, variable.len);
    return 0;
}

int conf_substitute(struct conf_context *context, struct conf_place place, const struct conf_path *path,
                    struct bytes raw, struct bytes *ret, bool *ret_changed)
{
    bool changed = bytes_find(raw, BYTES("${")) >= 0;
    struct text text;

    if (!context->substituted)
        context->substituted = arena_alloc(&context->scratch, CONF_SCALAR_MAX);
    if (!context->substituted)
        return -ENOMEM;
    text = text_into(context->substituted, CONF_SCALAR_MAX);
    if (!changed)
        text_add(&text, raw);
    while (changed && raw.len) {
        int err = substitute_next(context, place, path, &raw, &text);

        if (err)
            return err;
    }
    if (text.full) {
        conf_fault(context, place, path, "must not be longer than %d bytes", CONF_SCALAR_MAX);
        return -EINVAL;
    }
    *ret = text_bytes(&text);
    *ret_changed = changed;
    return 0;
}
