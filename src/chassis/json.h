/* chassis/json.h - values of JSON in the memory of a call. Private to chassis/.
 *
 * (1) What is read is scanned before jansson sees it: jansson recurses, and takes up to 300 bytes for a value.
 * (2) jansson's tree is copied into the call's memory and freed at once, without a wait in between: a thread has one
 *     at a time.
 * (3) A value that was built keeps its first error; one that contains it has it too.
 * (4) Members of objects keep their order.
 */
#ifndef WEFT_CHASSIS_JSON_H
#define WEFT_CHASSIS_JSON_H

#include "chassis/service.h"

struct json_member {
    const char *name; /* of objects */
    const struct weft_json *value;
};

struct weft_json {
    enum weft_json_kind kind;
    int error;              /* of building; negative errno */
    struct weft_call *call; /* whose memory it is in */
    union {
        bool boolean;
        int64_t integer;
        double number;
        struct weft_bytes text;
        struct {
            struct json_member *list;
            size_t count, max;
        } members; /* of lists, too */
    };
};

/* Why a text can't be taken. */
struct json_fault {
    bool too_large; /* it may be JSON, but is beyond our bounds */
    const char *why;
};

/* -EBADMSG: *ret_fault; -ENOMEM. */
int json_parse(struct weft_call *call, struct bytes text, const struct weft_json **ret,
               struct json_fault *ret_fault) MUST_CHECK;

/* -EBADMSG: it is deeper or has more values than we take. No recursion, no memory. */
int json_scan(struct bytes text, struct json_fault *ret_fault) MUST_CHECK;

/* Whether a Content-Type is JSON: application/json, or any with +json (RFC 6839, 3.1). */
bool json_is_type(struct bytes type);

/* --- what is wrong with a body -------------------------------------------------------------------------------- */

struct refusal {
    unsigned status;
    const char *type, *detail; /* of the problem; detail NULL: the list says it */
    unsigned count, dropped;
    struct {
        const char *pointer, *detail;
    } faults[WEFT_FAULTS_MAX];
};

/* The call's refusal, made if there is none; NULL: no memory. */
struct refusal *refusal_of(struct weft_call *call);
/* One more; texts are in the call's memory. */
void refusal_add(struct refusal *refusal, const char *pointer, const char *detail);

/* shape.c: reads `value` into `to`; faults go into the refusal. -EINVAL: the shape is none. */
int shape_take(struct weft_call *call, const struct weft_json *value, const struct weft_shape *shape, bool open,
               void *to, struct refusal *refusal) MUST_CHECK;
bool shape_fine(const struct weft_shape *shape);

#endif
