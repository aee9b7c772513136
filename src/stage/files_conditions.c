#include "http/date.h"
#include "stage/files.h"

/* --- entity tags (RFC 9110, 8.8.3) ------------------------------------------------------------------------- */

/* The next tag of a list, with its quotes. False: none is left, or what is left is no list of tags. No backslash means
 * anything in a tag, so that lists of quoted strings are another thing. */
static bool next_tag(struct bytes *rest, bool *ret_weak, struct bytes *ret_tag)
{
    ssize_t end;

    while (rest->len > 0 && (rest->data[0] == ',' || rest->data[0] == ' ' || rest->data[0] == '\t'))
        *rest = bytes_skip(*rest, 1);
    *ret_weak = bytes_starts(*rest, BYTES("W/"));
    if (*ret_weak)
        *rest = bytes_skip(*rest, 2);
    if (!bytes_starts(*rest, BYTES("\"")))
        return false;
    end = bytes_find_char(bytes_skip(*rest, 1), '"');
    if (end < 0)
        return false;
    *ret_tag = bytes_slice(*rest, 0, (size_t)end + 2);
    *rest = bytes_trim(bytes_skip(*rest, (size_t)end + 2));
    return rest->len == 0 || rest->data[0] == ',';
}

/* Whether a field of that name has the tag, or "*" (the file is there). `strong`: weak tags match nothing. */
static bool lists_tag(const struct http_head *request, struct bytes name, struct bytes tag, bool strong)
{
    for (unsigned i = 0; i < request->field_count; i++) {
        struct bytes rest = request->fields[i].value, one;
        bool weak;

        if (!bytes_equal_ci(request->fields[i].name, name))
            continue;
        if (bytes_equal(bytes_trim(rest), BYTES("*")))
            return true;
        while (next_tag(&rest, &weak, &one))
            if (bytes_equal(one, tag) && !(weak && strong))
                return true;
    }
    return false;
}

/* --- in order ----------------------------------------------------------------------------------------------- */

/* The date of a field: false if it is not there, or is none, which means the same. */
static bool date_of(const struct http_head *request, struct bytes name, int64_t now_ns, int64_t *ret)
{
    const struct http_field *field = http_head_find(request, name);

    return field && http_date_read(field->value, now_ns, ret) == 0;
}

enum files_verdict files_conditions(const struct http_head *request, const struct files_form *form)
{
    int64_t date;

    if (http_head_find(request, BYTES("If-Match"))) {
        if (!lists_tag(request, BYTES("If-Match"), form->etag, true))
            return FILES_FAILED;
    } else if (date_of(request, BYTES("If-Unmodified-Since"), form->now_ns, &date) && form->modified_s > date) {
        return FILES_FAILED;
    }
    if (http_head_find(request, BYTES("If-None-Match")))
        return lists_tag(request, BYTES("If-None-Match"), form->etag, false) ? FILES_NOT_MODIFIED : FILES_SEND;
    if (date_of(request, BYTES("If-Modified-Since"), form->now_ns, &date) && form->modified_s <= date)
        return FILES_NOT_MODIFIED;
    return FILES_SEND;
}

/* A date is as good as a tag only when its second was over: two changes within it could not be told apart
 * (RFC 9110, 8.8.2.2). */
bool files_if_range(const struct http_head *request, const struct files_form *form)
{
    const struct http_field *field = http_head_find(request, BYTES("If-Range"));
    int64_t date;

    if (!field)
        return true;
    if (bytes_ends(field->value, BYTES("\"")))
        return bytes_equal(field->value, form->etag);
    return http_date_read(field->value, form->now_ns, &date) == 0 && date == form->modified_s &&
           form->now_ns / NS_PER_S > form->modified_s + 1;
}
