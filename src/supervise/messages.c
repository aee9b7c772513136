#include "supervise/messages.h"

#include <jansson.h>

#define SUPERVISOR MESSAGE_BY_SUPERVISOR
#define SERVING MESSAGE_BY_SERVING
#define ID MESSAGE_ID
#define COUNT MESSAGE_COUNT
#define WORKER MESSAGE_WORKER
#define PID MESSAGE_PID
#define RESTARTS MESSAGE_RESTARTS
#define VERSION MESSAGE_VERSION_FIELD
#define LIMIT_NS MESSAGE_LIMIT_NS
#define OK MESSAGE_OK
#define NAME MESSAGE_NAME
#define SERVICE MESSAGE_SERVICE
#define ADDRESS MESSAGE_ADDRESS
#define SCHEME MESSAGE_SCHEME
#define STATE MESSAGE_STATE
#define PAYLOAD MESSAGE_PAYLOAD

static const struct message_info MESSAGES[MESSAGE_TYPES] = {
#define MESSAGE(identifier, message_name, by, mask, with) \
    [MESSAGE_##identifier] = { BYTES(message_name), by, mask, with },
#include "supervise/messages.def"
#undef MESSAGE
};

enum field_kind { FIELD_NUMBER, FIELD_BOOL, FIELD_TEXT };

static const struct message_field_info {
    unsigned bit;
    const char *name;
    enum field_kind kind;
    size_t offset;
} FIELDS[] = {
    { ID, "id", FIELD_NUMBER, offsetof(struct message, id) },
    { COUNT, "count", FIELD_NUMBER, offsetof(struct message, count) },
    { WORKER, "worker", FIELD_NUMBER, offsetof(struct message, worker) },
    { PID, "pid", FIELD_NUMBER, offsetof(struct message, pid) },
    { RESTARTS, "restarts", FIELD_NUMBER, offsetof(struct message, restarts) },
    { VERSION, "version", FIELD_NUMBER, offsetof(struct message, version) },
    { LIMIT_NS, "limit_ns", FIELD_NUMBER, offsetof(struct message, limit_ns) },
    { OK, "ok", FIELD_BOOL, offsetof(struct message, ok) },
    { NAME, "name", FIELD_TEXT, offsetof(struct message, name) },
    { SERVICE, "service", FIELD_TEXT, offsetof(struct message, service) },
    { ADDRESS, "address", FIELD_TEXT, offsetof(struct message, address) },
    { SCHEME, "scheme", FIELD_TEXT, offsetof(struct message, scheme) },
    { STATE, "state", FIELD_TEXT, offsetof(struct message, state) },
};

const struct message_info *message_info(enum message_type type)
{
    return &MESSAGES[type];
}

/* --- writing ------------------------------------------------------------------------------------------------- */

static void write_field(struct text *text, const struct message_field_info *field, const struct message *message)
{
    const void *at = (const char *)message + field->offset;

    text_add_format(text, ",\"%s\":", field->name);
    switch (field->kind) {
    case FIELD_NUMBER: text_add_u64(text, *(const uint64_t *)at); break;
    case FIELD_BOOL: text_add(text, *(const bool *)at ? BYTES("true") : BYTES("false")); break;
    case FIELD_TEXT: text_add_json(text, *(const struct bytes *)at); break;
    }
}

void message_encode(struct text *text, const struct message *message)
{
    const struct message_info *info = message_info(message->type);

    text_add_format(text, "{\"v\":%d,\"type\":", MESSAGE_VERSION);
    text_add_json(text, info->name);
    for (size_t i = 0; i < ARRAY_LEN(FIELDS); i++)
        if (info->fields & FIELDS[i].bit)
            write_field(text, &FIELDS[i], message);
    text_add_char(text, '}');
    if (info->fields & PAYLOAD) {
        text_add_char(text, '\n');
        text_add(text, message->payload);
    }
}

/* --- reading ------------------------------------------------------------------------------------------------- */

/* The parser recurses over what is nested, and nothing is: only the first brace may open anything. */
static bool is_flat(struct bytes object)
{
    bool quoted = false;

    for (size_t i = 0; i < object.len; i++) {
        char c = object.data[i];

        if (quoted && c == '\\')
            i++;
        else if (c == '"')
            quoted = !quoted;
        else if (!quoted && (c == '[' || (c == '{' && i > 0)))
            return false;
    }
    return true;
}

static int take_text(struct text *room, json_t *value, struct bytes *ret)
{
    size_t from = room->len;

    text_add(room, bytes_of(json_string_value(value), json_string_length(value)));
    if (room->full)
        return -ENOSPC;
    *ret = bytes_of(room->data + from, room->len - from);
    return 0;
}

static int read_field(const struct message_field_info *field, json_t *object, struct text *room, struct message *ret)
{
    json_t *value = json_object_get(object, field->name);
    void *at = (char *)ret + field->offset;

    switch (field->kind) {
    case FIELD_NUMBER:
        if (!json_is_integer(value) || json_integer_value(value) < 0)
            return -EPROTO;
        *(uint64_t *)at = (uint64_t)json_integer_value(value);
        return 0;
    case FIELD_BOOL:
        if (!json_is_boolean(value))
            return -EPROTO;
        *(bool *)at = json_is_true(value);
        return 0;
    case FIELD_TEXT: return json_is_string(value) ? take_text(room, value, at) : -EPROTO;
    }
    return -EPROTO;
}

static int read_type(json_t *object, enum message_sender sender, enum message_type *ret)
{
    json_t *type = json_object_get(object, "type");
    json_t *version = json_object_get(object, "v");

    if (!json_is_string(type) || !json_is_integer(version))
        return -EPROTO;
    if (json_integer_value(version) != MESSAGE_VERSION)
        return -EPROTONOSUPPORT;
    for (int i = 0; i < MESSAGE_TYPES; i++)
        if (MESSAGES[i].sender == sender &&
            bytes_equal(MESSAGES[i].name, bytes_of(json_string_value(type), json_string_length(type)))) {
            *ret = (enum message_type)i;
            return 0;
        }
    return -ENOTSUP;
}

static int read_object(json_t *object, enum message_sender sender, struct message_room *room, struct message *ret)
{
    struct text texts = text_into(room->data, sizeof(room->data));
    int r = read_type(object, sender, &ret->type);

    for (size_t i = 0; r == 0 && i < ARRAY_LEN(FIELDS); i++)
        if (MESSAGES[ret->type].fields & FIELDS[i].bit)
            r = read_field(&FIELDS[i], object, &texts, ret);
    return r;
}

int message_decode(struct bytes data, enum message_sender sender, struct message_room *room, struct message *ret)
{
    struct message message = { 0 };
    ssize_t end = bytes_find_char(data, '\n');
    struct bytes head = end < 0 ? data : bytes_slice(data, 0, (size_t)end);
    json_error_t error;
    json_t *object;
    int r;

    if (head.len == 0 || head.data[0] != '{' || !is_flat(head))
        return -EPROTO;
    object = json_loadb(head.data, head.len, JSON_REJECT_DUPLICATES, &error);
    if (!object)
        return json_error_code(&error) == json_error_out_of_memory ? -ENOMEM : -EPROTO;
    r = read_object(object, sender, room, &message);
    json_decref(object);
    if (r < 0)
        return r;
    if (MESSAGES[message.type].fields & PAYLOAD) {
        if (end < 0)
            return -EPROTO;
        message.payload = bytes_skip(data, (size_t)end + 1);
    }
    *ret = message;
    return 0;
}
