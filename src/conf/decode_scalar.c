#include "base/assert.h"
#include "conf/context.h"

#include <errno.h>

/* What a mapping would look like, for who wrote something else. */
static void hint_mapping(const struct conf_field *field, const struct conf_node *node, struct fault *fault)
{
    const struct conf_field *first = field->type == CONF_STRUCT ? field->schema->fields : NULL;
    const char *example = first && !first->example ? first->default_text : first ? first->example : NULL;

    if (node->kind == CONF_NODE_LIST)
        fault_hint(fault, "write lines of \"name: value\", without \"- \" before them");
    else if (example && node->kind == CONF_NODE_SCALAR)
        fault_hint(fault, "such as { %s: %s }; or is the indentation wrong?", first->key, example);
}

struct fault *conf_fault_type(struct conf_context *context, const struct conf_field *field,
                              const struct conf_node *node, const struct conf_path *path)
{
    const char *example = conf_type_example(field->type);
    char memory[FAULT_TEXT_MAX];
    struct text found = text_into(memory, sizeof(memory));
    struct fault *fault;

    conf_node_describe(&found, node);
    fault = conf_fault(context, node->place, path, "must be %s, found " BYTES_FMT, conf_type_phrase(field->type),
                       BYTES_ARG(text_bytes(&found)));
    if (example)
        fault_hint(fault, "such as %s", example);
    if (field->type == CONF_STRUCT || field->type == CONF_MAP || field->type == CONF_UNIONS)
        hint_mapping(field, node, fault);
    return fault;
}

int conf_keep_text(struct conf_context *context, struct conf_node *node, struct bytes *ret)
{
    if (!node->kept) {
        char *copy = arena_text(context->arena, node->text);

        if (!copy)
            return -ENOMEM;
        node->text = bytes_of(copy, node->text.len);
        node->kept = true;
    }
    *ret = node->text;
    return 0;
}

void conf_check_range(struct conf_context *context, const struct conf_field *field, struct conf_place place,
                      const struct conf_path *path, const char *subject, bool below, bool above, struct bytes value)
{
    const char *max = conf_field_max(field);
    struct fault *fault;

    if (!below && !above)
        return;
    if (field->min && max)
        fault = conf_fault(context, place, path, "%smust be between %s and %s", subject, field->min, max);
    else if (field->min)
        fault = conf_fault(context, place, path, "%smust be at least %s", subject, field->min);
    else
        fault = conf_fault(context, place, path, "%smust be at most %s", subject, max);
    fault_hint(fault, "is " BYTES_FMT, BYTES_ARG(bytes_slice(value, 0, CONF_NAME_MAX)));
}

static union conf_number bound_of(const struct conf_field *field, const char *text)
{
    /* Both ends of a duration range are durations. */
    enum conf_type type = field->type == CONF_DURATION_RANGE ? CONF_DURATION : field->type;
    union conf_number bound;
    int err = conf_number_parse(type, bytes_of_text(text), &bound);

    ASSERT(err == 0);
    return bound;
}

static int decode_number(struct conf_context *context, const struct conf_field *field, struct conf_node *node,
                         const struct conf_path *path, void *into)
{
    bool range = field->type == CONF_DURATION_RANGE;
    enum conf_type type = range ? CONF_DURATION : field->type;
    const char *max = conf_field_max(field);
    union conf_number number = { 0 }, low, high, bound;
    bool below = false, above = false;
    int err = conf_number_parse(field->type, node->text, &number);

    if (err == -ERANGE && range) {
        conf_fault(context, node->place, path, "must begin with the smaller duration");
        return 0;
    }
    if (err == -ERANGE) {
        conf_fault(context, node->place, path, "is out of range for %s", conf_type_phrase(field->type));
        return 0;
    }
    if (err) {
        conf_fault_type(context, field, node, path);
        return 0;
    }
    low = high = number;
    if (range) {
        low.integer = number.range.low_ns;
        high.integer = number.range.high_ns;
    }
    if (field->min) {
        bound = bound_of(field, field->min);
        below = conf_number_compare(type, &low, &bound) < 0;
    }
    if (max) {
        bound = bound_of(field, max);
        above = conf_number_compare(type, &high, &bound) > 0;
    }
    conf_check_range(context, field, node->place, path, "", below, above, node->text);
    conf_scalar_store(field, &number, into);
    return 0;
}

static int decode_bool(struct conf_context *context, const struct conf_field *field, struct conf_node *node,
                       const struct conf_path *path, bool *into)
{
    static const char *const yes[] = { "yes", "on", "y", "True", "TRUE", "Yes", "On", "YES", "ON" };
    static const char *const no[] = { "no", "off", "n", "False", "FALSE", "No", "Off", "NO", "OFF" };
    bool value = bytes_equal(node->text, BYTES("true"));
    struct fault *fault;

    if (value || bytes_equal(node->text, BYTES("false"))) {
        *into = value;
        return 0;
    }
    fault = conf_fault_type(context, field, node, path);
    for (size_t i = 0; i < ARRAY_LEN(yes); i++) {
        if (bytes_equal(node->text, bytes_of_text(yes[i])))
            fault_hint(fault, "write true");
        if (bytes_equal(node->text, bytes_of_text(no[i])))
            fault_hint(fault, "write false");
    }
    return 0;
}

static int decode_enum(struct conf_context *context, const struct conf_field *field, struct conf_node *node,
                       const struct conf_path *path, int *into)
{
    const struct conf_choice *found = conf_choice_find(field->choices, node->text);
    struct conf_suggestion suggestion = conf_suggestion_for(node->text);
    char memory[FAULT_TEXT_MAX];
    struct text choices = text_into(memory, sizeof(memory));
    struct fault *fault;

    if (found) {
        *into = found->value;
        return 0;
    }
    for (const struct conf_choice *choice = field->choices; choice->name; choice++) {
        text_add_format(&choices, "%s%s", choice == field->choices ? "" : ", ", choice->name);
        conf_suggestion_offer(&suggestion, bytes_of_text(choice->name));
    }
    text_add(&choices, BYTES(", found "));
    conf_node_describe(&choices, node);
    fault = conf_fault(context, node->place, path, "must be one of " BYTES_FMT, BYTES_ARG(text_bytes(&choices)));
    conf_suggestion_hint(&suggestion, NULL, fault);
    return 0;
}

static size_t count_characters(struct bytes text)
{
    size_t count = 0;

    for (size_t i = 0; i < text.len; i++)
        count += ((unsigned char)text.data[i] & 0xc0) != 0x80;
    return count;
}

void conf_check_count(struct conf_context *context, const struct conf_field *field, struct conf_place place,
                      const struct conf_path *path, const char *subject, size_t count)
{
    uint64_t min = 0, max = UINT64_MAX;
    char memory[24];
    struct text text = text_into(memory, sizeof(memory));

    if (field->min && bytes_to_u64(bytes_of_text(field->min), &min) < 0)
        ASSERT(!"min is a count");
    if (field->max && bytes_to_u64(bytes_of_text(field->max), &max) < 0)
        ASSERT(!"max is a count");
    text_add_u64(&text, count);
    conf_check_range(context, field, place, path, subject, count<min, count> max, text_bytes(&text));
}

static int decode_text(struct conf_context *context, const struct conf_field *field, struct conf_node *node,
                       const struct conf_path *path, struct bytes *into)
{
    struct fault wrong = { 0 };
    int err = 0;

    conf_check_count(context, field, node->place, path, "its length ", count_characters(node->text));
    if (field->type == CONF_TEMPLATE)
        err = conf_template_check(node->text, &wrong);
    if (!err && field->check_text)
        err = field->check_text(node->text, &wrong);
    else if (!err && field->type == CONF_ADDRESS && conf_address_check(node->text, NULL) < 0) {
        conf_fault_type(context, field, node, path);
        return 0;
    }
    if (err) {
        fault_hint(conf_fault(context, node->place, path, "%s", wrong.what), "%s", wrong.hint);
        return 0;
    }
    err = conf_keep_text(context, node, into);
    if (!err && field->reference)
        err = conf_refer(context, field->reference, node->place, path, *into, NULL);
    return err;
}

/* {client.address} without quotes is a mapping to YAML. */
static bool is_bare_template(const struct conf_node *node)
{
    return node->kind == CONF_NODE_MAP && node->count == 1 && node->first->value->kind == CONF_NODE_NOTHING;
}

static int refuse_node(struct conf_context *context, const struct conf_field *field, const struct conf_node *node,
                       const struct conf_path *path)
{
    struct fault *fault = conf_fault_type(context, field, node, path);

    if (conf_type_is_text(field->type) && is_bare_template(node))
        fault_hint(fault, "text that begins with { needs quotes");
    else if (node->kind == CONF_NODE_NOTHING)
        fault_hint(fault, "write a value, or remove the key");
    return 0;
}

int conf_decode_scalar(struct conf_context *context, const struct conf_field *field, struct conf_node *node,
                       const struct conf_path *path, void *into)
{
    bool strict = field->type == CONF_BOOL || field->type == CONF_INTEGER || field->type == CONF_NUMBER;

    if (field->type == CONF_ENUM)
        return decode_enum(context, field, node, path, into);
    if (node->kind != CONF_NODE_SCALAR)
        return refuse_node(context, field, node, path);
    if (strict && node->quoted && !node->substituted) {
        fault_hint(conf_fault_type(context, field, node, path), "write it without quotes");
        return 0;
    }
    if (field->type == CONF_BOOL)
        return decode_bool(context, field, node, path, into);
    if (conf_type_is_number(field->type))
        return decode_number(context, field, node, path, into);
    return decode_text(context, field, node, path, into);
}

static void default_scalar(const struct conf_field *field, void *into)
{
    struct bytes text = bytes_of_text(field->default_text);
    union conf_number number;

    if (field->type == CONF_BOOL) {
        *(bool *)into = bytes_equal(text, BYTES("true"));
    } else if (field->type == CONF_ENUM) {
        const struct conf_choice *choice = conf_choice_find(field->choices, text);

        ASSERT(choice);
        *(int *)into = choice->value;
    } else if (conf_type_is_text(field->type)) {
        *(struct bytes *)into = text;
    } else {
        int err = conf_number_parse(field->type, text, &number);

        ASSERT(err == 0);
        conf_scalar_store(field, &number, into);
    }
}

void conf_defaults(const struct conf_schema *schema, void *into)
{
    for (size_t i = 0; i < schema->count; i++) {
        const struct conf_field *field = &schema->fields[i];
        void *value = (char *)into + field->offset;

        if (conf_type_is_scalar(field->type) && field->default_text)
            default_scalar(field, value);
        else if (field->type == CONF_STRUCT && !(field->flags & CONF_POINTER))
            conf_defaults(field->schema, value);
    }
}
