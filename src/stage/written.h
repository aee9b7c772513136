/* stage/written.h - texts and header fields as they are written in settings of stages, with or without {names}.
 *
 * (1) A text without braces is used as it is written, however long; one with braces is a template.
 * (2) A value that comes out empty is no field.
 * (3) A value with a byte that no field can carry is -EINVAL, wherever the byte came from.
 */
#ifndef WEFT_STAGE_WRITTEN_H
#define WEFT_STAGE_WRITTEN_H

#include "conf/schema.h"
#include "stage/template.h"

/* All zeros: an empty text. */
struct written_text {
    struct bytes text;
    const struct template *template; /* NULL: the text itself */
};

struct written_field {
    struct bytes name;
    struct written_text value;
};

struct written_fields {
    const struct written_field *items;
    unsigned count;
};

/* Where fields go: what may be written depends on it. */
enum written_way {
    WRITTEN_REQUEST,  /* to the service */
    WRITTEN_RESPONSE, /* of the service, to the client */
    WRITTEN_OWN,      /* an answer of our own */
};

/* For `check` of a schema; the text has been through template_check(). 0 or -ENOMEM. */
int written_text_make(struct conf_check *check, struct bytes text, struct written_text *ret) MUST_CHECK;

/* The same for the map at `key`, of CONF_TEMPLATE with names that are tokens: fields that are not the user's to write
 * get a fault, and so does the same name twice. */
int written_fields_make(struct conf_check *check, const char *key, const struct conf_map *map, enum written_way way,
                        struct written_fields *ret) MUST_CHECK;

/* Why a field of that name may not be written, or NULL. */
const char *written_refusal(struct bytes name, enum written_way way, bool removed);

/* For `check_text` of a field's value. */
int written_check_value(struct bytes text, struct fault *fault) MUST_CHECK;

/* As template_expand() and template_expand_as(). */
int written_expand(const struct written_text *written, struct exchange *x, struct bytes *ret) MUST_CHECK;
int written_expand_as(const struct written_text *written, enum template_escape escape, struct exchange *x,
                      struct bytes *ret) MUST_CHECK;

/* Appends the field, unless its value is empty. -EINVAL: (3); -ENOSPC: a long value, or the head is full; -ENOMEM. */
int written_field_add(const struct written_field *field, struct exchange *x, struct http_head *head) MUST_CHECK;

#endif
