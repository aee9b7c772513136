/* weft.h - the chassis for services written in C: straight-line handlers on fibers.
 *
 *     static int hello(struct weft_call *call, void *user)
 *     {
 *         return weft_answer_format(call, 200, NULL, "hello, %s\n", weft_path_value(call, "name"));
 *     }
 *
 *     int main(void)
 *     {
 *         struct weft_service *service;
 *         int code;
 *
 *         if (weft_service_create(&(struct weft_options){ .name = "greeter" }, &service) < 0)
 *             return 1;
 *         weft_route(service, "GET", "/hello/{name}", hello, NULL);
 *         code = weft_run(service);
 *         weft_service_free(service);
 *         return code;
 *     }
 *
 * Link with `pkg-config --cflags --libs --static weft`.
 *
 * (1) Handlers run on fibers of one thread. They may wait, in the calls that say [waits], and in no other way: what
 *     blocks the thread (sleep(), a database's client library) holds up every call of the service. Between two waits
 *     nothing else of the service runs, so what handlers share needs no lock.
 * (2) A fiber has a stack of 64 KiB: large arrays belong into weft_alloc().
 * (3) There are no globals. State belongs to the program, and reaches a handler through `user`. Several services may
 *     live in one process: on one thread (weft_options.beside), or on a thread each.
 * (4) Functions return 0 or a count, or a negative errno, unless they say otherwise; what they return by pointer is
 *     untouched on failure. Nothing aborts for a caller's mistake: a NULL or a bad text is -EINVAL, or NULL.
 * (5) What a function gives out for a call (texts, bodies, replies, memory) lives until its handler has returned, and
 *     is never given back singly. It takes at most WEFT_CALL_MEMORY_MAX bytes and four times body_max; then -ENOMEM,
 *     or NULL.
 * (6) Texts that are given out end with a zero and hold no other one: a request whose decoded path or query has a zero
 *     byte is refused with 400 before any handler sees it.
 * (7) Every wait for a call ends: with -ETIME when its time is up (weft_options.timeout_ms), with -ECANCELED when the
 *     client has left or the service is torn down. Then the handler should clean up and return; later waits fail too.
 *
 * Built in: GET /livez is 200 as long as the process serves. GET /readyz is 200 or 503 and says which checks of the
 * service fail, see weft_check(). GET /metrics is Prometheus text, see weft_counter(). A gateway's route that leads all
 * paths to the service leads these, too. HEAD is answered wherever GET is. A path that no route has is 404, a method
 * that none of its routes has is 405 with Allow. Errors are problem bodies (RFC 9457).
 *
 * traceparent (W3C) and X-Request-Id are taken over, or made, and passed on in calls to other services. A traceparent
 * that came is passed on unchanged: its parent-id is the span of whoever called us, usually of Weft's exchange towards
 * us, so what we call shows up below that exchange in a trace. The chassis has no spans of its own.
 */
#ifndef WEFT_H
#define WEFT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#define WEFT_PRINTF(text, first) __attribute__((format(printf, text, first)))

#define WEFT_CALL_MEMORY_MAX (16 * 1024 * 1024) /* of one call, see (5) */
#define WEFT_BODY_MAX (1024 * 1024)             /* of a body taken whole, unless options say otherwise */
#define WEFT_TIMEOUT_MS 30000                   /* of a call, unless options say otherwise */
#define WEFT_DRAIN_MS 10000                     /* for what was accepted, when the service stops */

#define WEFT_CHECKS_MAX 32  /* of a service */
#define WEFT_TASKS_MAX 32   /* of a service: weft_every() */
#define WEFT_METRICS_MAX 64 /* of a service: counters and gauges together */
#define WEFT_PARTS_MAX 64   /* of one weft_together() */

#define WEFT_JSON_DEPTH_MAX 64     /* of lists and objects in each other */
#define WEFT_JSON_VALUES_MAX 50000 /* of one text: a value takes up to 300 bytes while it is read */
#define WEFT_FAULTS_MAX 32         /* of one answer: further ones are counted */

struct weft_service;
struct weft_call;

/* Bytes that belong to somebody else. Where one is given out, data[len] is a zero. */
struct weft_bytes {
    const char *data;
    size_t len;
};

/* --- a service ------------------------------------------------------------------------------------------- */

/* What is left zero has a default. Texts are copied. */
struct weft_options {
    const char *name; /* in logs; default: $WEFT_SERVICE, else "service" */

    /* Where it listens: "127.0.0.1:8080", "[::1]:8080", "unix:/run/x.sock"; port 0: any that is free. The environment
     * goes first: a socket that was handed over (LISTEN_FDS and LISTEN_PID, descriptor 3, as sd_listen_fds(3) says),
     * then $PORT, on 127.0.0.1. Default: 127.0.0.1:8080. */
    const char *address;
    bool address_only; /* the environment is not looked at: for tests, and for the second service of a process */

    size_t body_max; /* bytes of a request's body, and of a reply's, taken whole: WEFT_BODY_MAX */
    int timeout_ms;  /* from the head of the request to the head of the answer: WEFT_TIMEOUT_MS */
    int drain_ms;    /* WEFT_DRAIN_MS */

    /* Signals are left alone; else SIGTERM and SIGINT make weft_run() drain and return. The thread that creates the
     * service blocks them; start other threads afterwards, so that they inherit that. */
    bool keep_signals;

    /* A line in the log for each answer, at its end: method, path, status, duration_ms, and what every line has. Weft
     * logs exchanges already, hence off; also on with $WEFT_LOG_ACCESS=1. */
    bool log_access;

    struct weft_service *beside; /* lives on that one's thread, and is run by it */
};

/* A new service. -ENOMEM; -EMFILE and the like; -EINVAL: no options; -EBUSY: `beside`
 * has run already. */
int weft_service_create(const struct weft_options *options, struct weft_service **ret);

/* NULL is fine, and so is any order among services of a thread. While it runs, it does nothing. */
void weft_service_free(struct weft_service *service);

/* What a handler returns: 0, or a negative errno. Where it has not answered, that becomes a problem: what was wrong
 * with the client's body (413: longer than body_max, 400: malformed, 408: too slow; 400, 413, 415, 422: see
 * weft_body_take()), 504 for -ETIME, 503 for -ENOMEM
 * and -EAGAIN, 500 for all others and for 0; 500s are logged. So `if (r < 0) return r;` does the right thing. A
 * streamed answer is cut off by anything but 0, so that the client notices. */
typedef int weft_handler(struct weft_call *call, void *user);

/* Calls the handler for requests of that method ("GET"; "*": every method) whose path has the pattern.
 *
 * A pattern is a path of elements: "/orders/{id}/lines". `{id}` takes any one element that is not empty, and the
 * handler reads it by that name; `{rest...}`, at the end, takes everything from there, also nothing and slashes.
 * Elements are compared and given out after percent-decoding. Where several patterns have a path, the more literal one
 * goes first, from left to right: "/a/b" before "/a/{x}" before "/{rest...}".
 *
 * -EINVAL: no such method or pattern; -EEXIST: there already, or built in; -ENOSPC: 256 routes; -ENOMEM; -EBUSY: it
 * runs. Need not be looked at: the first failure is kept, and weft_run() refuses to start and says what was wrong. */
int weft_route(struct weft_service *service, const char *method, const char *pattern, weft_handler *handler,
               void *user);

/* False makes /readyz fail ("service":"not ready"); true at first. On the service's thread, or before it runs. */
void weft_ready(struct weft_service *service, bool ready);

/* Opens the listening socket, of which weft_run() would else take care: for those who want to know the address first.
 * -EADDRINUSE, -EACCES, ...; -EINVAL: not an address. */
int weft_listen(struct weft_service *service);

/* Where it listens: "127.0.0.1:8080"; "" before weft_listen(). Lives as long as the service. */
const char *weft_address(const struct weft_service *service);

/* The first thing that went wrong in setting the service up, for people; "": nothing. Lives as long as the service. */
const char *weft_fault(const struct weft_service *service);

/* Serves, with all services beside it, until SIGTERM, SIGINT or weft_stop(); then drains: it accepts no more, finishes
 * what was accepted and cuts off what takes longer than drain_ms. Returns what main() should: 0; 1: could not start,
 * and said why on standard error; 2: could not finish in time. It runs once: a second time is 1. [blocks] */
int weft_run(struct weft_service *service);

/* Makes weft_run() drain and return; also before it was called. From any thread, as long as the service is there, and
 * from handlers. */
void weft_stop(struct weft_service *service);

/* --- a service: readiness, background work, metrics, log -------------------------------------------------------- */

/* Checks and tasks get a call of their own, which nobody has asked for: it may call other services, wait, use databases
 * and log, with a trace and a request id of its own. Questions about a request give "" or NULL, answers -EINVAL. */

/* A named condition of /readyz, for what the service can't work without. The check returns 0, or a negative errno,
 * best by weft_because(); it has a second. GET /readyz runs all, side by side, and answers 200 or 503 and
 *
 *     {"status":"failing","checks":{"database":"ok","inventory":"nobody listens there"}}
 *
 * What they said is kept for a second, so that probes, however many, don't become a load. Names are like "database":
 * letters, digits, '-', '_', '.'. -EINVAL; -EEXIST; -ENOSPC: WEFT_CHECKS_MAX; -EBUSY: it runs; -ENOMEM. Need not be
 * looked at, as weft_route(). */
int weft_check(struct weft_service *service, const char *name, weft_handler *check, void *user);

/* Says why, for people, and returns `error`: `return weft_because(call, -EIO, "table %s is missing", name)`. What a
 * check or task says so is in /readyz, or in the log; at most 256 bytes. */
int weft_because(struct weft_call *call, int error, const char *format, ...) WEFT_PRINTF(3, 4);

/* A task that runs in the background again and again: when the service starts, and then that long after its last end
 * (up to a tenth longer, so that instances don't march in step). It never runs beside itself. Each run may take
 * options.timeout_ms, then its waits fail; a failure is logged and the task runs again. While the service drains none
 * is begun, and one under way has drain_ms to end. Errors as weft_check(); WEFT_TASKS_MAX; interval_ms from 1 on. */
int weft_every(struct weft_service *service, const char *name, int interval_ms, weft_handler *task, void *user);

/* Runs the task of that name now instead of later, or once more when it is under way: for handlers that have made work
 * for it. Returns at once. -ENOENT. On the service's thread. */
int weft_hurry(struct weft_service *service, const char *name);

/* Counters and gauges in GET /metrics, beside those of HTTP and the process. They live as long as the service. `name`
 * is Prometheus' ("orders_placed_total"; a counter's ends with _total) and may have a label:
 * `orders_total{state="paid"}`; those of one name have the help text of the first, one line. NULL: no such name, there
 * already, WEFT_METRICS_MAX, no memory; need not be looked at, as weft_route(): the functions that count take NULL.
 * Counting is for the service's thread. */
struct weft_metric;
struct weft_metric *weft_counter(struct weft_service *service, const char *name, const char *help);
struct weft_metric *weft_gauge(struct weft_service *service, const char *name, const char *help);
void weft_count(struct weft_metric *counter, uint64_t more);
void weft_gauge_set(struct weft_metric *gauge, uint64_t value);

/* One JSON object a line on standard output: time, level, service, instance, message; of a call also trace_id and
 * request_id. Nothing waits for a slow reader: lines that find no room are dropped and counted (before weft_run() they
 * are written at once). A message longer than 4 KiB is cut. */
enum weft_level { WEFT_DEBUG, WEFT_INFO, WEFT_WARNING, WEFT_ERROR };

void weft_log(struct weft_call *call, enum weft_level level, const char *format, ...) WEFT_PRINTF(3, 4);

/* The same outside of calls; on the service's thread, or before it runs. */
void weft_service_log(struct weft_service *service, enum weft_level level, const char *format, ...) WEFT_PRINTF(3, 4);

/* --- a call: the request --------------------------------------------------------------------------------------- */

const char *weft_method(const struct weft_call *call);
const char *weft_path(const struct weft_call *call);  /* as it came: still encoded, without the query */
const char *weft_query(const struct weft_call *call); /* as it came, without '?'; NULL: there is none */

/* The element of the path that `{name}` in the pattern has taken, decoded. NULL: the pattern has no such name. */
const char *weft_path_value(struct weft_call *call, const char *name);

/* The first value of that name in the query, decoded (also '+'); "" when it has none. NULL: there is no such name. */
const char *weft_query_value(struct weft_call *call, const char *name);

/* The value of the first field of that name, in whatever case. NULL: there is none. */
const char *weft_header(struct weft_call *call, const char *name);

/* All of the body; empty when there is none. The same again when asked again. -EMSGSIZE: longer than body_max. -EBUSY:
 * parts have been read already. [waits] */
int weft_body(struct weft_call *call, struct weft_bytes *ret);

/* The next part of the body. 1: *ret is valid until the next part is asked for; 0: the end. No limit but the service's
 * time; a client that sends nothing for a minute is -ETIMEDOUT. -EBUSY: it was taken whole. [waits] */
int weft_body_read(struct weft_call *call, struct weft_bytes *ret);

const char *weft_request_id(const struct weft_call *call);
const char *weft_trace_id(const struct weft_call *call); /* 32 hexadecimal digits */
const char *weft_client(const struct weft_call *call);   /* address of who connected (the gateway, usually) */

/* Who answers: $WEFT_INSTANCE as it was when the service was created, else its name. */
const char *weft_instance(const struct weft_call *call);

/* --- a call: the answer ---------------------------------------------------------------------------------------- */

/* A header field of the answer that is still to come, besides those of its name that were added before. -EINVAL: no
 * field that HTTP can carry, or one that is the chassis's own (Content-Length, Content-Type, Connection and the like).
 * -EALREADY: the answer has begun. -ENOSPC: 32 fields. */
int weft_header_add(struct weft_call *call, const char *name, const char *value);

/* Answers, once: -EALREADY the second time. The content is copied. `type` NULL: "text/plain; charset=utf-8". Statuses
 * are 200 to 599; one that has no body (204, 304) drops the content. Returning from a handler with what these return
 * sends the answer. */
int weft_answer(struct weft_call *call, unsigned status, const char *type, const void *data, size_t len);
int weft_answer_text(struct weft_call *call, unsigned status, const char *type, const char *text);
int weft_answer_format(struct weft_call *call, unsigned status, const char *type, const char *format, ...)
    WEFT_PRINTF(4, 5);

/* JSON that the caller has written: application/json. weft_json_text() is the safe way to put a text into it.
 * weft_answer_value() and weft_answer_shape() write it themselves. */
int weft_answer_json(struct weft_call *call, unsigned status, const char *json);

/* A problem (RFC 9457): `type` is a short word of the service ("credit-refused"), `detail` is for people. */
int weft_answer_problem(struct weft_call *call, unsigned status, const char *type, const char *detail);

/* An answer that is written while the handler runs. It ends when the handler returns 0; the head leaves at once. From
 * here on the call has no time limit of its own; a client that takes nothing for a minute is cut off. */
int weft_answer_begin(struct weft_call *call, unsigned status, const char *type);

/* Writes the next part, which is not copied: it returns when the part has been passed on. -EINVAL: no answer was begun;
 * -ECANCELED: nobody reads any more, also for HEAD. [waits] */
int weft_write(struct weft_call *call, const void *data, size_t len);

/* At most 4 KiB, else -EMSGSIZE. [waits] */
int weft_write_format(struct weft_call *call, const char *format, ...) WEFT_PRINTF(2, 3);

/* --- JSON ------------------------------------------------------------------------------------------------------- */

/* A value of JSON, read from a text or built. It lives in the memory of its call. */
struct weft_json;

enum weft_json_kind {
    WEFT_JSON_NONE, /* there is no value: NULL */
    WEFT_JSON_NULL,
    WEFT_JSON_BOOL,
    WEFT_JSON_INTEGER, /* a number without fraction and exponent, of 64 bits */
    WEFT_JSON_NUMBER,
    WEFT_JSON_TEXT,
    WEFT_JSON_LIST,
    WEFT_JSON_OBJECT,
};

/* The body as JSON (RFC 8259). The same again when asked again. What can't be taken is -EBADMSG, and a handler that
 * returns that without having answered gives a problem: 415, unless Content-Type is application/json or ends with
 * +json; 400 where the text is not JSON, with line and column; where a name comes twice in an object; where a text has
 * a zero or is no UTF-8; where a number is larger than 64 bits or a double can hold; 413 beyond WEFT_JSON_DEPTH_MAX and
 * WEFT_JSON_VALUES_MAX. Else as weft_body(). [waits] */
int weft_body_json(struct weft_call *call, const struct weft_json **ret);

/* JSON from elsewhere: a file, a column. `len` bytes. -EBADMSG: *ret_why, if it is not NULL, says what is wrong. */
int weft_json_parse(struct weft_call *call, const char *text, size_t len, const struct weft_json **ret,
                    const char **ret_why);

/* These take NULL and values of other kinds, and give NULL, 0 and false for what is not there. */
enum weft_json_kind weft_json_kind(const struct weft_json *value);
const struct weft_json *weft_json_get(const struct weft_json *object, const char *name);
const struct weft_json *weft_json_at(const struct weft_json *container, size_t index); /* objects, too: its values */
const char *weft_json_name(const struct weft_json *object, size_t index);              /* of the member at index */
size_t weft_json_length(const struct weft_json *value); /* elements, members; bytes of a text */
const char *weft_json_string(const struct weft_json *value);
int64_t weft_json_integer(const struct weft_json *value);
double weft_json_number(const struct weft_json *value); /* of integers, too */
bool weft_json_bool(const struct weft_json *value);

/* Values for an answer. A failure (no memory, a number that is infinite or none, a value of the wrong kind) stays with
 * the value, and with what it is put into: weft_answer_value() and weft_json_write() tell, and nothing in between need
 * be looked at. What is no UTF-8 becomes U+FFFD. All take NULL. A name that is there is replaced; objects are for tens
 * of names.
 *
 *     struct weft_json *order = weft_object(call);
 *
 *     weft_set_text(order, "id", id);
 *     weft_set_integer(order, "cents", 1990);
 *     return weft_answer_value(call, 200, order);
 */
struct weft_json *weft_object(struct weft_call *call);
struct weft_json *weft_array(struct weft_call *call);
void weft_set(struct weft_json *object, const char *name,
              const struct weft_json *value);                                     /* not copied; NULL: failure */
void weft_set_text(struct weft_json *object, const char *name, const char *text); /* NULL: null */
void weft_set_integer(struct weft_json *object, const char *name, int64_t value);
void weft_set_number(struct weft_json *object, const char *name, double value);
void weft_set_bool(struct weft_json *object, const char *name, bool value);
void weft_set_null(struct weft_json *object, const char *name);
void weft_append(struct weft_json *list, const struct weft_json *value); /* not copied; NULL: failure */
void weft_append_text(struct weft_json *list, const char *text);
void weft_append_integer(struct weft_json *list, int64_t value);
void weft_append_number(struct weft_json *list, double value);

/* The value as a text, without spaces; data[len] is a zero. -ENOMEM; -EINVAL: see above; -ELOOP: deeper than
 * WEFT_JSON_DEPTH_MAX, or within itself. */
int weft_json_write(struct weft_call *call, const struct weft_json *value, struct weft_bytes *ret);

/* Answers with the value: application/json, or problem+json for statuses from 400 on. Errors as weft_json_write() and
 * weft_answer(). */
int weft_answer_value(struct weft_call *call, unsigned status, const struct weft_json *value);

/* --- JSON: shapes ----------------------------------------------------------------------------------------------- */

/* A shape says how a struct looks as JSON: it reads a body into the struct and checks it, and writes the struct.
 *
 *     struct line { const char *sku; int64_t quantity; };
 *     struct order { const char *customer, *note; struct line *lines; size_t line_count; };
 *
 *     static const struct weft_field LINE_FIELDS[] = {
 *         WEFT_FIELD_TEXT(struct line, sku, .min = 1, .max = 40),
 *         WEFT_FIELD_INTEGER(struct line, quantity, .min = 1, .max = 99),
 *     };
 *     static const struct weft_shape LINE = WEFT_SHAPE(struct line, LINE_FIELDS);
 *     static const struct weft_field ORDER_FIELDS[] = {
 *         WEFT_FIELD_TEXT(struct order, customer, .min = 1, .max = 80),
 *         WEFT_FIELD_TEXT(struct order, note, .max = 500, .optional = true),
 *         WEFT_FIELD_LIST(struct order, lines, line_count, &LINE, .min = 1, .max = 50),
 *     };
 *     static const struct weft_shape ORDER = WEFT_SHAPE(struct order, ORDER_FIELDS);
 *
 *     struct order order = { 0 };
 *     int r = weft_body_take(call, &ORDER, &order);
 *
 *     if (r < 0)
 *         return r;              // 422 {"type":...,"errors":[{"pointer":"/lines/0/quantity","detail":"..."}]}
 *
 * A member of a wrong C type does not compile. What is optional and absent (or null) leaves the struct's member as it
 * was, in lists zero; written, an optional text that is NULL is left out. Shapes are constant tables, at most
 * WEFT_SHAPE_DEPTH_MAX in each other. The macros are for C, and C++20. */
enum weft_field_kind {
    WEFT_IS_TEXT,     /* const char *  */
    WEFT_IS_INTEGER,  /* int64_t */
    WEFT_IS_NUMBER,   /* double */
    WEFT_IS_BOOL,     /* bool */
    WEFT_IS_OBJECT,   /* a struct with a shape of its own */
    WEFT_IS_LIST,     /* a pointer to structs with a shape, and a size_t that counts them */
    WEFT_IS_TEXTS,    /* const char **, and a size_t */
    WEFT_IS_INTEGERS, /* int64_t *, and a size_t */
};

struct weft_shape;

struct weft_field {
    const char *member; /* the struct's, and the name in JSON */
    enum weft_field_kind kind;
    size_t offset;
    size_t count_offset;            /* of lists */
    size_t element_size;            /* of lists and objects: compared with the shape's */
    const struct weft_shape *shape; /* of objects and lists */

    /* To be given in this order. */
    double min, max; /* of a number; of a text's characters; of a list's elements. Both 0: anything; max below min: no
                        upper limit */
    double each_min, each_max;  /* the same for the elements of texts and integers */
    const char *const *choices; /* what a text, or each of texts, may be; ends with NULL. NULL: anything */
    const char *as;             /* the name in JSON, if it is another */
    bool optional;              /* may be absent or null */
};

#define WEFT_SHAPE_DEPTH_MAX 8

struct weft_shape {
    const struct weft_field *fields;
    size_t count;
    size_t size; /* of the struct */
    bool open;   /* names that the shape does not have are skipped, not refused */
};

#ifdef __cplusplus
#define WEFT_MEMBER(type_, member_, wanted_) \
    offsetof(type_, member_) + 0 * sizeof(1 ? &((type_ *)0)->member_ : (wanted_ *)0)
#else
#define WEFT_MEMBER(type_, member_, wanted_) \
    offsetof(type_, member_) +               \
        0 * sizeof(char[__builtin_types_compatible_p(__typeof__(((type_ *)0)->member_), wanted_) ? 1 : -1])
#endif
#define WEFT_FIELD_TEXT(type_, member_, ...)                                                                       \
    {                                                                                                              \
        .member = #member_, .kind = WEFT_IS_TEXT, .offset = WEFT_MEMBER(type_, member_, const char *), __VA_ARGS__ \
    }
#define WEFT_FIELD_INTEGER(type_, member_, ...)                                                                  \
    {                                                                                                            \
        .member = #member_, .kind = WEFT_IS_INTEGER, .offset = WEFT_MEMBER(type_, member_, int64_t), __VA_ARGS__ \
    }
#define WEFT_FIELD_NUMBER(type_, member_, ...)                                                                 \
    {                                                                                                          \
        .member = #member_, .kind = WEFT_IS_NUMBER, .offset = WEFT_MEMBER(type_, member_, double), __VA_ARGS__ \
    }
#define WEFT_FIELD_BOOL(type_, member_, ...)                                                               \
    {                                                                                                      \
        .member = #member_, .kind = WEFT_IS_BOOL, .offset = WEFT_MEMBER(type_, member_, bool), __VA_ARGS__ \
    }
#define WEFT_FIELD_OBJECT(type_, member_, shape_, ...)                                  \
    {                                                                                   \
        .member = #member_, .kind = WEFT_IS_OBJECT, .offset = offsetof(type_, member_), \
        .element_size = sizeof(((type_ *)0)->member_), .shape = (shape_), __VA_ARGS__   \
    }
#define WEFT_FIELD_LIST(type_, member_, count_, shape_, ...)                                                \
    {                                                                                                       \
        .member = #member_, .kind = WEFT_IS_LIST, .offset = offsetof(type_, member_),                       \
        .count_offset = WEFT_MEMBER(type_, count_, size_t), .element_size = sizeof(*((type_ *)0)->member_), \
        .shape = (shape_), __VA_ARGS__                                                                      \
    }
#define WEFT_FIELD_TEXTS(type_, member_, count_, ...)                                                    \
    {                                                                                                    \
        .member = #member_, .kind = WEFT_IS_TEXTS, .offset = WEFT_MEMBER(type_, member_, const char **), \
        .count_offset = WEFT_MEMBER(type_, count_, size_t), __VA_ARGS__                                  \
    }
#define WEFT_FIELD_INTEGERS(type_, member_, count_, ...)                                                \
    {                                                                                                   \
        .member = #member_, .kind = WEFT_IS_INTEGERS, .offset = WEFT_MEMBER(type_, member_, int64_t *), \
        .count_offset = WEFT_MEMBER(type_, count_, size_t), __VA_ARGS__                                 \
    }

#define WEFT_SHAPE(type_, fields_)                                              \
    {                                                                           \
        (fields_), sizeof(fields_) / sizeof((fields_)[0]), sizeof(type_), false \
    }
#define WEFT_SHAPE_OPEN(type_, fields_)                                        \
    {                                                                          \
        (fields_), sizeof(fields_) / sizeof((fields_)[0]), sizeof(type_), true \
    }

/* Reads the body into the struct. What is wrong is -EBADMSG, the struct is then half filled, and a handler that returns
 * that gives 422 with all faults (at most WEFT_FAULTS_MAX) in one answer, or what weft_body_json() has found.
 * -EINVAL: the shape is none. [waits] */
int weft_body_take(struct weft_call *call, const struct weft_shape *shape, void *ret);

/* A fault that no table can find, before or after weft_body_take(): `pointer` is JSON's (RFC 6901) "/lines/0/sku", or
 * "" for the whole. It is added to those that are there; returns -EBADMSG, to be returned by the handler. */
int weft_refuse(struct weft_call *call, const char *pointer, const char *format, ...) WEFT_PRINTF(3, 4);

/* The same from any JSON. -EBADMSG: the first fault is *ret_why, if it is not NULL: "/sku is missing". */
int weft_json_take(struct weft_call *call, const struct weft_json *value, const struct weft_shape *shape, void *ret,
                   const char **ret_why);

/* The struct as a value, for weft_set(), weft_append() and weft_answer_value(). NULL: no memory, or no such shape. */
struct weft_json *weft_json_of(struct weft_call *call, const struct weft_shape *shape, const void *from);
int weft_answer_shape(struct weft_call *call, unsigned status, const struct weft_shape *shape, const void *from);

/* --- a call: time and memory --------------------------------------------------------------------------------- */

int weft_sleep(struct weft_call *call, int ms); /* [waits] */

/* Milliseconds until waits fail with -ETIME; at least 0. -1: there is no such time (a streamed answer). */
int64_t weft_time_left(const struct weft_call *call);

void *weft_alloc(struct weft_call *call, size_t size); /* zeroed, aligned to 16 bytes */
char *weft_format(struct weft_call *call, const char *format, ...) WEFT_PRINTF(2, 3);

/* The text as a JSON string with its quotes: control characters are escaped, what is no UTF-8 becomes U+FFFD. NULL
 * gives null. */
const char *weft_json_text(struct weft_call *call, const char *text);

/* --- calls to other services ----------------------------------------------------------------------------------- */

struct weft_content {
    const char *type; /* NULL: application/octet-stream */
    const void *data;
    size_t len;
};

struct weft_reply_head;

struct weft_reply {
    unsigned status;                    /* 0: there is no answer, see error */
    int error;                          /* 0, or a negative errno */
    const char *reason;                 /* of an error, for people; else "" */
    struct weft_bytes body;             /* whole; at most body_max bytes, else -EMSGSIZE */
    const struct weft_reply_head *head; /* for weft_reply_header() */
};

/* Calls another service and waits for all of its answer. `content` may be NULL. The url is http only:
 *
 *     http://credit/holds            a service of the system: a host without a dot and a port goes through the
 *                                    gateway, as $WEFT_URL/credit/holds. Under `weft up` the path of $WEFT_URL is
 *                                    this service's key: who has it calls in its name
 *     http://127.0.0.1:9000/path     anything with a port or a dot, directly, over kept-alive connections
 *
 * What is left of the call's time is all that it may take; trace and request id travel with it. A request that may be
 * repeated (GET, PUT, DELETE, ...) is sent once more where a kept-alive connection turns out to be dead.
 * Errors: -EINVAL: no such method or url; -EDESTADDRREQ: no $WEFT_URL; -ENOENT: no such name; -ECONNREFUSED: nobody
 * listens; -ECONNRESET: it broke off, and the service may or may not have acted; -EPROTO: its answer is malformed;
 * -EMSGSIZE; -ENOMEM; -EAGAIN: the service has too many calls under way; -ETIME, -ECANCELED. [waits] */
struct weft_reply weft_request(struct weft_call *call, const char *method, const char *url,
                               const struct weft_content *content);

/* The value of the first field of that name of an answer. NULL: there is none. */
const char *weft_reply_header(const struct weft_reply *reply, const char *name);

/* What a request may have besides. What is left zero is not there. */
struct weft_header {
    const char *name, *value;
};

struct weft_request_options {
    /* Added to the head: Idempotency-Key, Authorization. -EINVAL for those of the chassis's own: Host, User-Agent,
     * Content-Type, traceparent, X-Request-Id, framing and connection. */
    const struct weft_header *headers;
    size_t header_count; /* at most 16 */

    int timeout_ms; /* less than what is left of the call: -ETIME */

    const struct weft_json *json; /* the content, if `content` is NULL: application/json */
};

/* `options` may be NULL. Errors as weft_request() and, of options->json, weft_json_write(). [waits] */
struct weft_reply weft_request_with(struct weft_call *call, const char *method, const char *url,
                                    const struct weft_content *content, const struct weft_request_options *options);

/* The body of an answer as JSON, or in a struct: names that the shape does not have are skipped, since others may add
 * some. An answer that is malformed so is -EPROTO, and reply->error and reply->reason say so; a reply without an answer
 * gives its error. The status is not looked at. */
int weft_reply_json(struct weft_call *call, struct weft_reply *reply, const struct weft_json **ret);
int weft_reply_take(struct weft_call *call, struct weft_reply *reply, const struct weft_shape *shape, void *ret);

/* --- several things at once ------------------------------------------------------------------------------------- */

/* A part of a handler that runs beside the others, on a fiber of its own, with the same call. It may do all that the
 * handler may, but one at a time reads the body, and one writes the answer. */
struct weft_part {
    weft_handler *run;
    void *user;
    int result; /* what it returned; -EAGAIN: the service has no fiber left for it */
};

enum weft_together {
    WEFT_ALL_TO_THE_END,   /* whatever becomes of one, the others go on */
    WEFT_STOP_AT_A_FAILURE /* the first one that fails cancels the others: their waits are -ECANCELED */
};

/* Runs all parts at the same time and returns when the last one has ended: nothing is left behind. After timeout_ms
 * (0: the call's own limit) their waits fail with -ETIME. Returns the result of the part that failed first, or 0.
 * -EINVAL: more than WEFT_PARTS_MAX. Parts may call this again. [waits] */
int weft_together(struct weft_call *call, struct weft_part *parts, size_t count, int timeout_ms,
                  enum weft_together how);

/* A request among others, and its reply. */
struct weft_outgoing {
    const char *method, *url;
    const struct weft_content *content;
    struct weft_request_options options;
    struct weft_reply reply;
};

/* Sends all at the same time and waits for the last reply. 0, or the error of the first reply that has one. [waits] */
int weft_request_all(struct weft_call *call, struct weft_outgoing *requests, size_t count, int timeout_ms);

/* --- tests of handlers ------------------------------------------------------------------------------------------ */

/* A service that was set up as always, but does not run, answers requests of a test: through its routes, on its fibers,
 * with its databases, without a socket, on the thread that asks.
 *
 *     weft_fake(service, "inventory", reserve, &stock);
 *     weft_test(service, &(struct weft_test_request){ .method = "POST", .path = "/orders", .json = "{...}" }, &answer);
 *     assert(answer.status == 201);
 *     weft_test_free(&answer);
 *
 * Lines of its log go to standard error. weft_run() is not for a service that was tested so. */
struct weft_test_request {
    const char *method; /* NULL: GET, or POST where there is a body */
    const char *path;   /* with a query, if there is one */
    const char *json;   /* the body, or ... */
    const char *type;   /* ... with another Content-Type */
    const void *body;
    size_t body_len;
    const struct weft_header *headers; /* traceparent, for instance */
    size_t header_count;
};

struct weft_test_answer {
    unsigned status;        /* 0: there was none: reason */
    const char *reason;     /* "" */
    const char *type;       /* Content-Type, or "" */
    struct weft_bytes body; /* body.data ends with a zero */
    const struct weft_reply_head *head;
    void *memory; /* private */
};

/* One request. 0 when there is an answer; -EINVAL: no request that can be sent; -EBUSY: the service runs, or is in a
 * test; -ENOMEM; else why it broke off. [blocks] */
int weft_test(struct weft_service *service, const struct weft_test_request *request, struct weft_test_answer *ret);

/* Several at the same time, at most WEFT_PARTS_MAX: 0, or the first error. All answers are to be freed. [blocks] */
int weft_test_all(struct weft_service *service, const struct weft_test_request *requests, size_t count,
                  struct weft_test_answer *ret);

const char *weft_test_header(const struct weft_test_answer *answer, const char *name); /* NULL: there is none */
void weft_test_free(struct weft_test_answer *answer);                                  /* twice, and NULL, are fine */

/* Runs the task of that name (weft_every()) once and gives its result. Tasks run in tests in no other way. -ENOENT.
 * [blocks] */
int weft_test_tick(struct weft_service *service, const char *name);

/* What a fake is asked, and answers. */
struct weft_faked {
    struct weft_call *call; /* whose handler asks: for weft_format() and weft_sleep() */
    const char *method;
    const char *path; /* behind the name of the service: "/stock/17?all" */
    const char *type; /* of the body; "" */
    struct weft_bytes body;
    const struct weft_reply_head *head; /* weft_faked_header() */

    /* to be filled; what it points to lives as long as the call */
    unsigned status;         /* 200 at first */
    const char *answer;      /* text of the answer's body, "" at first */
    const char *answer_type; /* "application/json" at first */
    const struct weft_header *answer_headers;
    size_t answer_header_count;
    int error; /* 0, or what the reply's error is to be instead of an answer: -ECONNREFUSED, -ETIME */
};

typedef void weft_faker(struct weft_faked *faked, void *user);

/* Answers requests to http://NAME/... by a function, on the fiber that asks; NULL: by nobody, -ECONNREFUSED. While a
 * service has fakes, all names that it has no fake for are -EDESTADDRREQ. A second one of the same name replaces the
 * first. -EINVAL; -ENOSPC: 32 fakes; -ENOMEM; -EBUSY: it runs. */
int weft_fake(struct weft_service *service, const char *name, weft_faker *faker, void *user);
const char *weft_faked_header(const struct weft_faked *faked, const char *name); /* NULL: there is none */

#ifdef __cplusplus
}
#endif

#include "weft_database.h" /* SQLite: transactions that handlers wait for */

#endif
