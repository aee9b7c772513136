#include "stage/request.h"

struct bytes request_host(struct bytes authority)
{
    ssize_t end = bytes_find_char(authority, ':');

    if (authority.len > 0 && authority.data[0] == '[') {
        end = bytes_find_char(authority, ']');
        end = end < 0 ? 0 : end + 1;
    }
    return end < 0 ? authority : bytes_slice(authority, 0, (size_t)end);
}

/* "name=value" at the front of a part; an empty value where there is no '='. */
static bool is_named(struct bytes part, struct bytes name, struct bytes *ret)
{
    if (!bytes_starts(part, name))
        return false;
    if (part.len > name.len && part.data[name.len] != '=')
        return false;
    *ret = bytes_skip(part, name.len + 1);
    return true;
}

static struct bytes part_of(struct bytes list, char separator, struct bytes name)
{
    struct bytes rest = list, part, value;

    while (bytes_split(&rest, separator, &part))
        if (is_named(separator == ';' ? bytes_trim(part) : part, name, &value))
            return value;
    return BYTES_NONE;
}

struct bytes request_query(struct bytes query, struct bytes name)
{
    return part_of(query, '&', name);
}

struct bytes request_header(const struct http_head *head, struct bytes name)
{
    const struct http_field *field = http_head_find(head, name);

    if (!field)
        return BYTES_NONE;
    return field->value.data ? field->value : BYTES("");
}

struct bytes request_cookie(const struct http_head *head, struct bytes name)
{
    struct bytes value = BYTES_NONE;

    if (!http_head_has(head, HTTP_FIELD_COOKIE))
        return value;
    for (unsigned i = 0; i < head->field_count && !value.data; i++)
        if (head->fields[i].id == HTTP_FIELD_COOKIE)
            value = part_of(head->fields[i].value, ';', name);
    return value;
}
