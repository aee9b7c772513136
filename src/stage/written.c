#include "stage/written.h"

#include "base/assert.h"

/* --- texts ---------------------------------------------------------------------------------------------- */

static bool is_plain(struct bytes text)
{
    return bytes_find_char(text, '{') < 0 && bytes_find_char(text, '}') < 0;
}

int written_text_make(struct conf_check *check, struct bytes text, struct written_text *ret)
{
    const struct template *template = NULL;
    int r = 0;

    if (!is_plain(text))
        r = template_parse(text, conf_check_arena(check), NULL, &template);
    ASSERT(r == 0 || r == -ENOMEM);
    if (r == 0)
        *ret = (struct written_text){ .text = text, .template = template };
    return r;
}

int written_expand(const struct written_text *written, struct exchange *x, struct bytes *ret)
{
    return written_expand_as(written, TEMPLATE_PLAIN, x, ret);
}

int written_expand_as(const struct written_text *written, enum template_escape escape, struct exchange *x,
                      struct bytes *ret)
{
    if (written->template)
        return template_expand_as(written->template, escape, x, ret);
    *ret = written->text;
    return 0;
}

/* --- fields --------------------------------------------------------------------------------------------- */

int written_check_value(struct bytes text, struct fault *fault)
{
    if (!http_is_field_value(text)) {
        fault_set(fault, "must not hold control characters");
        return -EINVAL;
    }
    return template_check(text, fault);
}

static const char *refusal_of_request(enum http_field_id id)
{
    switch (id) {
    case HTTP_FIELD_HOST: return "is a matter of the stage rewrite: { host: ... }";
    case HTTP_FIELD_EXPECT: return "is answered by Weft";
    case HTTP_FIELD_TRACEPARENT:
    case HTTP_FIELD_X_REQUEST_ID:
    case HTTP_FIELD_X_FORWARDED_PROTO: return "is set by Weft for each service";
    default: return NULL;
    }
}

const char *written_refusal(struct bytes name, enum written_way way, bool removed)
{
    enum http_field_id id = http_field_id_of(name);

    if (id == HTTP_FIELD_CONTENT_LENGTH)
        return "follows from the body";
    if (http_field_hop_by_hop(id) || id == HTTP_FIELD_TRAILER)
        return "belongs to a single connection";
    if (way == WRITTEN_REQUEST)
        return refusal_of_request(id);
    if (removed && (id == HTTP_FIELD_DATE || id == HTTP_FIELD_X_REQUEST_ID))
        return "is in each answer of Weft";
    return NULL;
}

static bool is_among(const struct conf_map *map, size_t count, struct bytes name)
{
    for (size_t i = 0; i < count; i++)
        if (bytes_equal_ci(map->entries[i].name, name))
            return true;
    return false;
}

/* False: with a fault. */
static bool check_name(struct conf_check *check, const char *key, const struct conf_map *map, size_t index,
                       enum written_way way)
{
    const struct conf_map_entry *entry = &map->entries[index];
    const char *why = written_refusal(entry->name, way, false);
    struct fault *fault;

    if (!why && is_among(map, index, entry->name))
        why = "is there already; names are compared without regard to case";
    if (!why)
        return true;
    fault = conf_check_fault(check, key, "the field \"" BYTES_FMT "\" %s", BYTES_ARG(entry->name), why);
    fault_at(fault, entry->place.file, entry->place.line, entry->place.column);
    return false;
}

int written_fields_make(struct conf_check *check, const char *key, const struct conf_map *map, enum written_way way,
                        struct written_fields *ret)
{
    struct written_field *fields;
    int r = 0;

    if (map->count == 0)
        return 0;
    fields = arena_zalloc(conf_check_arena(check), map->count * sizeof(*fields));
    if (!fields)
        return -ENOMEM;
    for (size_t i = 0; r == 0 && i < map->count; i++) {
        fields[i].name = map->entries[i].name;
        if (check_name(check, key, map, i, way))
            r = written_text_make(check, *(const struct bytes *)map->entries[i].value, &fields[i].value);
    }
    *ret = (struct written_fields){ .items = fields, .count = (unsigned)map->count };
    return r;
}

int written_field_add(const struct written_field *field, struct exchange *x, struct http_head *head)
{
    struct bytes value;
    int r = written_expand(&field->value, x, &value);

    if (r == 0 && value.len > 0)
        r = http_head_add_named(head, field->name, value);
    return r;
}
