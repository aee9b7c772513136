/* The fields of a head: looking up, adding, taking out. */
#include "base/assert.h"
#include "wire/http.h"
#include "wire/http_parts.h"

#include <errno.h>

static bool field_is(const struct http_field *field, enum http_field_id id, struct bytes name)
{
    return field->id == id && (id != HTTP_FIELD_OTHER || bytes_equal_ci(field->name, name));
}

static const struct http_field *find(const struct http_head *head, enum http_field_id id, struct bytes name)
{
    if (!http_head_has(head, id))
        return NULL;
    for (unsigned i = 0; i < head->field_count; i++) {
        if (field_is(&head->fields[i], id, name))
            return &head->fields[i];
    }
    return NULL;
}

const struct http_field *http_head_field(const struct http_head *head, enum http_field_id id)
{
    ASSERT(id != HTTP_FIELD_OTHER);
    return find(head, id, BYTES_NONE);
}

const struct http_field *http_head_find(const struct http_head *head, struct bytes name)
{
    return find(head, http_field_id_of(name), name);
}

struct bytes http_head_value(const struct http_head *head, enum http_field_id id)
{
    const struct http_field *field = http_head_field(head, id);

    return field != NULL ? field->value : BYTES_NONE;
}

static int add(struct http_head *head, enum http_field_id id, struct bytes name, struct bytes value)
{
    if (!http_is_field_value(value))
        return -EINVAL;
    if (head->field_count == head->field_max)
        return -ENOSPC;
    head->fields[head->field_count++] = (struct http_field){ name, value, id };
    head->known |= UINT64_C(1) << id;
    return 0;
}

int http_head_add(struct http_head *head, enum http_field_id id, struct bytes value)
{
    ASSERT(id != HTTP_FIELD_OTHER);
    return add(head, id, http_field_name(id), value);
}

int http_head_add_named(struct http_head *head, struct bytes name, struct bytes value)
{
    return http_is_token(name) ? add(head, http_field_id_of(name), name, value) : -EINVAL;
}

static void take_out(struct http_head *head, enum http_field_id id, struct bytes name)
{
    unsigned kept = 0;
    uint64_t known = 0;

    if (!http_head_has(head, id))
        return;
    for (unsigned i = 0; i < head->field_count; i++) {
        if (field_is(&head->fields[i], id, name))
            continue;
        known |= UINT64_C(1) << head->fields[i].id;
        head->fields[kept++] = head->fields[i];
    }
    head->field_count = kept;
    head->known = known;
}

void http_head_remove(struct http_head *head, enum http_field_id id)
{
    ASSERT(id != HTTP_FIELD_OTHER);
    take_out(head, id, BYTES_NONE);
}

void http_head_remove_named(struct http_head *head, struct bytes name)
{
    take_out(head, http_field_id_of(name), name);
}

bool http_head_lists(const struct http_head *head, enum http_field_id id, struct bytes element)
{
    if (!http_head_has(head, id))
        return false;
    for (unsigned i = 0; i < head->field_count; i++) {
        struct bytes rest = head->fields[i].value, found;

        if (head->fields[i].id != id)
            continue;
        while (http_list_next(&rest, &found)) {
            if (bytes_equal_ci(found, element))
                return true;
        }
    }
    return false;
}

/* Notes in *drop and `others` what one Connection field nominates. Returns the number of others. */
static unsigned nominate(struct bytes value, uint64_t *drop, struct bytes *others, unsigned count)
{
    struct bytes option;

    while (http_list_next(&value, &option)) {
        enum http_field_id id = http_field_id_of(option);

        if (id != HTTP_FIELD_OTHER && (http_field_flags(id) & HTTP_FIELD_IS_KEEP) == 0)
            *drop |= UINT64_C(1) << id;
        else if (id == HTTP_FIELD_OTHER && count < HTTP_CONNECTION_OPTIONS_MAX &&
                 !bytes_equal_ci(option, BYTES("close")))
            others[count++] = option;
    }
    return count;
}

static bool nominated(struct bytes name, const struct bytes *others, unsigned count)
{
    for (unsigned i = 0; i < count; i++) {
        if (bytes_equal_ci(name, others[i]))
            return name.len < 12 || !bytes_equal_ci(bytes_slice(name, 0, 12), BYTES("X-Forwarded-"));
    }
    return false;
}

/* A client may write any name into Connection. If it could make a proxy take out Host, Content-Length, a cookie, an
 * authorization or what earlier proxies said (X-Forwarded-For, Via, traceparent), the next server would see another
 * request than the one that was checked: the abuse of hop-by-hop fields that RFC 9110, 7.6.1 warns of ("a sender MUST
 * NOT send a connection option corresponding to a field that is intended for all recipients of the content").
 * So fields with KEEP in http_fields.def, and all X-Forwarded-*, stay. */
void http_head_strip_hop_by_hop(struct http_head *head)
{
    struct bytes others[HTTP_CONNECTION_OPTIONS_MAX];
    uint64_t drop = http_fields_hop, known = 0;
    unsigned count = 0, kept = 0;

    if (http_head_has(head, HTTP_FIELD_CONNECTION)) {
        for (unsigned i = 0; i < head->field_count; i++) {
            if (head->fields[i].id == HTTP_FIELD_CONNECTION)
                count = nominate(head->fields[i].value, &drop, others, count);
        }
    }
    if (count == 0 && (head->known & drop) == 0)
        return;
    for (unsigned i = 0; i < head->field_count; i++) {
        const struct http_field *field = &head->fields[i];

        if ((drop >> field->id & 1) || (field->id == HTTP_FIELD_OTHER && nominated(field->name, others, count)))
            continue;
        known |= UINT64_C(1) << field->id;
        head->fields[kept++] = *field;
    }
    head->field_count = kept;
    head->known = known;
}
