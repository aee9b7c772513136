/* wire/http.h - the head of an HTTP message, whatever version carried it (RFC 9110).
 *
 * (1) All slices point into memory of the connection's buffer or the exchange's arena, and live as long as the
 *     exchange.
 * (2) A head that a codec returned has been checked: its names are tokens, its values have no control
 *     characters but tab, its framing is unambiguous.
 * (3) Fields keep their order and their spelling. Names are compared without regard to case. `known` has a bit for
 *     each enum http_field_id that occurs, so that an absent field costs nothing to look for.
 * (4) The array of fields belongs to the owner of the head, and holds at most field_max.
 */
#ifndef WEFT_WIRE_HTTP_H
#define WEFT_WIRE_HTTP_H

#include "base/arena.h"
#include "base/limits.h"

enum http_field_id {
    HTTP_FIELD_OTHER,
#define FIELD(identifier, name, flags) HTTP_FIELD_##identifier,
#include "wire/http_fields.def"
#undef FIELD
    HTTP_FIELD_COUNT, /* at most 64: `known` is one word */
};

enum http_method {
    HTTP_OTHER, /* any other token; method_text has it */
    HTTP_GET,
    HTTP_HEAD,
    HTTP_POST,
    HTTP_PUT,
    HTTP_DELETE,
    HTTP_CONNECT,
    HTTP_OPTIONS,
    HTTP_TRACE,
    HTTP_PATCH,
    HTTP_METHOD_COUNT,
};

/* How long the body is: RFC 9112, 6.3. */
enum http_framing {
    HTTP_BODY_NONE,
    HTTP_BODY_LENGTH, /* content_length bytes, at least 1 */
    HTTP_BODY_CHUNKED,
    HTTP_BODY_UNTIL_CLOSE, /* responses only */
    HTTP_BODY_TUNNEL,      /* after 101 or a successful CONNECT: bytes both ways until both ends close */
};

struct http_field {
    struct bytes name, value;
    enum http_field_id id;
};

struct http_head {
    /* of a request */
    enum http_method method;
    struct bytes method_text;
    struct bytes target;    /* as received: origin, absolute, authority or asterisk form */
    struct bytes scheme;    /* of an absolute target, else empty */
    struct bytes authority; /* of an absolute target, else the Host field; host[:port] */
    struct bytes path;      /* "/..." without query; "*" for OPTIONS * ; empty for CONNECT */
    struct bytes query;     /* after '?', without it; data is NULL when there is no '?' */
    /* of a response */
    unsigned status;
    struct bytes reason;
    /* of both */
    uint8_t minor;   /* HTTP/1.minor: 0 or 1 */
    bool keep_alive; /* the connection may carry another message after this one */
    bool expect_continue;
    bool upgrade; /* an Upgrade field that Connection names */
    enum http_framing framing;
    uint64_t content_length; /* also of an answer to HEAD; 0 unless has_content_length */
    bool has_content_length;
    uint64_t known;
    struct http_field *fields;
    unsigned field_count, field_max;
};

struct bytes http_method_name(enum http_method method); /* HTTP_OTHER: empty */
enum http_method http_method_of(struct bytes name);     /* case-sensitive */
bool http_method_safe(enum http_method method);         /* RFC 9110, 9.2.1 */
bool http_method_idempotent(enum http_method method);   /* RFC 9110, 9.2.2 */
struct bytes http_reason(unsigned status);              /* "Not Found"; unknown: "" */
enum http_field_id http_field_id_of(struct bytes name);
struct bytes http_field_name(enum http_field_id id); /* canonical spelling */
bool http_field_hop_by_hop(enum http_field_id id);
bool http_is_token(struct bytes text);
bool http_is_field_value(struct bytes text);

static inline bool http_head_has(const struct http_head *head, enum http_field_id id)
{
    return head->known >> id & 1;
}

/* The first field of that id or name, or NULL. */
const struct http_field *http_head_field(const struct http_head *head, enum http_field_id id);
const struct http_field *http_head_find(const struct http_head *head, struct bytes name);
struct bytes http_head_value(const struct http_head *head, enum http_field_id id); /* empty: not there */

/* Appends. -ENOSPC: field_max are there. -EINVAL: not a token, or a control character in the value: whoever builds a
 * value from what a stranger sent can't split the message by it. The slices are not copied. */
int http_head_add(struct http_head *head, enum http_field_id id, struct bytes value) MUST_CHECK;
int http_head_add_named(struct http_head *head, struct bytes name, struct bytes value) MUST_CHECK;
void http_head_remove(struct http_head *head, enum http_field_id id); /* all of that id */
void http_head_remove_named(struct http_head *head, struct bytes name);

/* One element of a comma-separated list value (RFC 9110, 5.6.1), trimmed, empty ones skipped. False at the end. */
bool http_list_next(struct bytes *rest, struct bytes *ret_element);

/* Whether a field of that id has the element, without regard to case: Connection: close. */
bool http_head_lists(const struct http_head *head, enum http_field_id id, struct bytes element);

/* Takes out everything that must not be forwarded: hop-by-hop fields and what Connection nominates (RFC 9110,
 * 7.6.1). A nominated field that framing, routing or trust stands on (KEEP in http_fields.def) stays. */
void http_head_strip_hop_by_hop(struct http_head *head);

#endif
