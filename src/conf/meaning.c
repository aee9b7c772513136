#include "conf/meaning.h"

#include "base/hash.h"
#include "conf/context.h"

#include <errno.h>

#define NUMBER_TEXT_MAX 64

static uint64_t hash_of(struct bytes text)
{
    static const struct hash_key key = { 0, 0 };

    return hash_bytes(&key, text);
}

static int make_value(struct arena *arena, const struct conf_field *field, const void *value, bool always,
                      struct conf_meaning **ret);

/* --- nodes ------------------------------------------------------------------------------------------------------ */

static struct conf_meaning *new_node(struct arena *arena, enum conf_meaning_kind kind)
{
    struct conf_meaning *meaning = arena_zalloc(arena, sizeof(*meaning));

    if (meaning)
        meaning->kind = kind;
    return meaning;
}

static void append(struct conf_meaning *parent, struct conf_meaning *child)
{
    if (!child)
        return; /* nothing was said */
    if (parent->last)
        parent->last->next = child;
    else
        parent->first = child;
    parent->last = child;
    parent->count++;
}

/* A list of one is what its item is: both forms of a list that may stand without brackets. */
static void seal(struct conf_meaning *meaning)
{
    bool in_order = meaning->kind == CONF_MEANS_LIST || meaning->ordered;
    uint64_t hash = meaning->kind;

    for (const struct conf_meaning *child = meaning->first; child; child = child->next) {
        uint64_t part = child->hash;

        if (meaning->kind == CONF_MEANS_MAP)
            part = hash_mix64(part ^ hash_of(child->key));
        hash = in_order ? hash_mix64(hash * 3 + part) : hash + part;
    }
    if (meaning->kind == CONF_MEANS_LIST && meaning->first && !meaning->first->next)
        meaning->hash = meaning->first->hash;
    else
        meaning->hash = hash_mix64(hash);
}

static int make_text(struct arena *arena, struct bytes text, bool standard, struct conf_meaning **ret)
{
    struct conf_meaning *meaning = new_node(arena, CONF_MEANS_TEXT);

    if (!meaning)
        return -ENOMEM;
    meaning->text = text;
    meaning->standard = standard;
    meaning->hash = hash_of(text);
    *ret = meaning;
    return 0;
}

/* --- scalars ----------------------------------------------------------------------------------------------------- */

static union conf_number number_at(enum conf_type type, const void *value)
{
    union conf_number number = { 0 };

    if (type == CONF_INTEGER || type == CONF_DURATION)
        number.integer = *(const int64_t *)value;
    else if (type == CONF_SIZE)
        number.size = *(const uint64_t *)value;
    else if (type == CONF_DURATION_RANGE)
        number.range = *(const struct duration_range *)value;
    else
        number.real = *(const double *)value;
    return number;
}

static bool is_zero(enum conf_type type, const union conf_number *number)
{
    const union conf_number zero = { 0 };

    return conf_number_compare(type, number, &zero) == 0;
}

static void write_number(struct text *text, enum conf_type type, const union conf_number *number)
{
    switch (type) {
    case CONF_INTEGER: text_add_i64(text, number->integer); break;
    case CONF_DURATION: duration_write(text, number->integer); break;
    case CONF_SIZE: size_write(text, number->size); break;
    case CONF_DURATION_RANGE:
        duration_write(text, number->range.low_ns);
        text_add(text, BYTES(".."));
        duration_write(text, number->range.high_ns);
        break;
    case CONF_RATE: rate_write(text, number->real); break;
    case CONF_PERCENT: percent_write(text, number->real); break;
    default: text_add_format(text, "%.15g", number->real); break;
    }
}

static int make_number(struct arena *arena, const struct conf_field *field, const void *value, bool always,
                       struct conf_meaning **ret)
{
    union conf_number number = number_at(field->type, value), standard;
    char memory[NUMBER_TEXT_MAX];
    struct text text = text_into(memory, sizeof(memory));
    struct bytes kept;
    bool is_standard;

    if (!always && !field->default_text && is_zero(field->type, &number))
        return 0;
    is_standard = field->default_text &&
                  conf_number_parse(field->type, bytes_of_text(field->default_text), &standard) == 0 &&
                  conf_number_compare(field->type, &number, &standard) == 0;
    write_number(&text, field->type, &number);
    if (arena_copy(arena, text_bytes(&text), &kept) < 0)
        return -ENOMEM;
    return make_text(arena, kept, is_standard, ret);
}

static struct bytes choice_name(const struct conf_field *field, int value)
{
    for (const struct conf_choice *choice = field->choices; choice->name; choice++)
        if (choice->value == value)
            return bytes_of_text(choice->name);
    return BYTES_NONE;
}

/* Texts of tables and of the load live long enough as they are. */
static int make_words(struct arena *arena, const struct conf_field *field, struct bytes text, bool always,
                      struct conf_meaning **ret)
{
    bool standard = field->default_text && bytes_equal(text, bytes_of_text(field->default_text));

    if (text.len == 0 && !always && !field->default_text)
        return 0;
    return make_text(arena, text, standard, ret);
}

static int make_bool(struct arena *arena, const struct conf_field *field, bool value, bool always,
                     struct conf_meaning **ret)
{
    if (!value && !always && !field->default_text)
        return 0;
    return make_words(arena, field, value ? BYTES("true") : BYTES("false"), always, ret);
}

static int make_choice(struct arena *arena, const struct conf_field *field, int value, bool always,
                       struct conf_meaning **ret)
{
    if (value == 0 && !always && !field->default_text)
        return 0;
    return make_words(arena, field, choice_name(field, value), always, ret);
}

/* --- what holds others -------------------------------------------------------------------------------------------- */

static int make_struct(struct arena *arena, const struct conf_schema *schema, const void *value,
                       struct conf_meaning **ret)
{
    struct conf_meaning *meaning = new_node(arena, CONF_MEANS_MAP);

    if (!meaning)
        return -ENOMEM;
    for (size_t i = 0; i < schema->count; i++) {
        const struct conf_field *field = &schema->fields[i];
        bool given = field->given && *((const bool *)value + field->given - 1);
        struct conf_meaning *child = NULL;

        if (field->flags & CONF_INCLUDE)
            continue; /* what is in the files counts */
        if (make_value(arena, field, (const char *)value + field->offset, given || field->flags & CONF_REQUIRED,
                       &child) < 0)
            return -ENOMEM;
        if (!child)
            continue;
        child->key = bytes_of_text(field->key);
        append(meaning, child);
        if (field->type == CONF_STRING && bytes_equal(child->key, BYTES("name")))
            meaning->name = child->text;
    }
    seal(meaning);
    *ret = meaning;
    return 0;
}

static int make_inner(struct arena *arena, const struct conf_field *field, const void *value, struct conf_meaning **ret)
{
    bool apart = field->flags & CONF_POINTER;
    const void *inner = apart ? *(const void *const *)value : value;
    int r = inner ? make_struct(arena, field->schema, inner, ret) : 0;

    if (r == 0 && inner)
        (*ret)->written = apart;
    return r;
}

static int make_list(struct arena *arena, const struct conf_field *element, const struct conf_list *list,
                     struct conf_meaning **ret)
{
    struct conf_meaning *meaning;
    size_t size = conf_field_size(element);

    if (list->count == 1 && list->single)
        return make_value(arena, element, list->items, true, ret);
    meaning = new_node(arena, CONF_MEANS_LIST);
    if (!meaning)
        return -ENOMEM;
    for (size_t i = 0; i < list->count; i++) {
        struct conf_meaning *child = NULL;

        if (make_value(arena, element, (const char *)list->items + i * size, true, &child) < 0)
            return -ENOMEM;
        append(meaning, child);
    }
    seal(meaning);
    *ret = meaning;
    return 0;
}

static int make_map(struct arena *arena, const struct conf_field *element, const struct conf_map *map,
                    struct conf_meaning **ret)
{
    struct conf_meaning *meaning = new_node(arena, CONF_MEANS_MAP);

    if (!meaning)
        return -ENOMEM;
    for (size_t i = 0; i < map->count; i++) {
        struct conf_meaning *child = NULL;

        if (make_value(arena, element, map->entries[i].value, true, &child) < 0)
            return -ENOMEM;
        if (child)
            child->key = map->entries[i].name;
        append(meaning, child);
    }
    seal(meaning);
    *ret = meaning;
    return 0;
}

static int make_alternative(struct arena *arena, const struct conf_union *from, struct conf_meaning *parent)
{
    struct conf_meaning *child = NULL;

    if (make_struct(arena, from->alternative->schema, from->value, &child) < 0)
        return -ENOMEM;
    child->key = bytes_of_text(from->alternative->name);
    append(parent, child);
    return 0;
}

static int make_union(struct arena *arena, const struct conf_union *from, struct conf_meaning **ret)
{
    struct conf_meaning *meaning;

    if (!from->alternative)
        return from->text.len ? make_text(arena, from->text, false, ret) : 0;
    meaning = new_node(arena, CONF_MEANS_MAP);
    if (!meaning || make_alternative(arena, from, meaning) < 0)
        return -ENOMEM;
    meaning->choice = true;
    meaning->name = meaning->first->key;
    seal(meaning);
    *ret = meaning;
    return 0;
}

static int make_unions(struct arena *arena, const struct conf_list *list, struct conf_meaning **ret)
{
    const struct conf_union *unions = list->items;
    struct conf_meaning *meaning = new_node(arena, CONF_MEANS_MAP);

    if (!meaning)
        return -ENOMEM;
    meaning->ordered = true;
    for (size_t i = 0; i < list->count; i++)
        if (make_alternative(arena, &unions[i], meaning) < 0)
            return -ENOMEM;
    seal(meaning);
    *ret = meaning;
    return 0;
}

/* *ret stays NULL when nothing is said. `always`: zero and empty say something too. */
static int make_value(struct arena *arena, const struct conf_field *field, const void *value, bool always,
                      struct conf_meaning **ret)
{
    switch (field->type) {
    case CONF_BOOL: return make_bool(arena, field, *(const bool *)value, always, ret);
    case CONF_ENUM: return make_choice(arena, field, *(const int *)value, always, ret);
    case CONF_STRING:
    case CONF_TEMPLATE:
    case CONF_ADDRESS: return make_words(arena, field, *(const struct bytes *)value, always, ret);
    case CONF_LIST:
        return ((const struct conf_list *)value)->count || always ? make_list(arena, field->element, value, ret) : 0;
    case CONF_MAP:
        return ((const struct conf_map *)value)->count || always ? make_map(arena, field->element, value, ret) : 0;
    case CONF_UNION: return make_union(arena, value, ret);
    case CONF_UNIONS: return make_unions(arena, value, ret);
    case CONF_STRUCT: return make_inner(arena, field, value, ret);
    default: return make_number(arena, field, value, always, ret);
    }
}

int conf_meaning_make(const struct conf_schema *schema, const void *value, struct arena *arena,
                      struct conf_meaning **ret)
{
    return make_struct(arena, schema, value, ret);
}

/* --- as text -------------------------------------------------------------------------------------------------------
 */

/* What YAML would read as it stands, also inside of brackets. */
static bool is_plain(struct bytes text)
{
    for (size_t i = 0; i < text.len; i++) {
        unsigned char c = (unsigned char)text.data[i];

        if (c <= ' ' || c == 0x7f || bytes_find_char(BYTES(",[]{}\"'"), (char)c) >= 0)
            return false;
    }
    return text.len > 0 && bytes_find_char(BYTES("#&*!|>%@`"), text.data[0]) < 0 && !bytes_ends(text, BYTES(":"));
}

/* A struct of which nothing but defaults is left. */
static bool is_trivial(const struct conf_meaning *meaning)
{
    if (meaning->kind == CONF_MEANS_TEXT)
        return meaning->standard;
    if (meaning->written)
        return false;
    for (const struct conf_meaning *child = meaning->first; child; child = child->next)
        if (!is_trivial(child))
            return false;
    return true;
}

static void write_entries(struct text *text, const struct conf_meaning *map, bool named, bool *first)
{
    for (const struct conf_meaning *child = map->first; child && !text->full; child = child->next) {
        if (!map->choice && !map->ordered && is_trivial(child))
            continue;
        if (named && map->name.len > 0 && child->text.data == map->name.data)
            continue;
        text_add(text, *first ? BYTES(" ") : BYTES(", "));
        *first = false;
        text_add(text, child->key);
        text_add(text, BYTES(": "));
        conf_meaning_write(text, child, false);
    }
}

void conf_meaning_write(struct text *text, const struct conf_meaning *meaning, bool named)
{
    bool first = true;

    if (meaning->kind == CONF_MEANS_TEXT && is_plain(meaning->text)) {
        text_add(text, meaning->text);
    } else if (meaning->kind == CONF_MEANS_TEXT) {
        text_add_json(text, meaning->text);
    } else if (meaning->kind == CONF_MEANS_LIST) {
        text_add_char(text, '[');
        for (const struct conf_meaning *child = meaning->first; child && !text->full; child = child->next) {
            text_add(text, child == meaning->first ? BYTES_NONE : BYTES(", "));
            conf_meaning_write(text, child, false);
        }
        text_add_char(text, ']');
    } else {
        text_add_char(text, '{');
        write_entries(text, meaning, named, &first);
        text_add(text, first ? BYTES("}") : BYTES(" }"));
    }
}
