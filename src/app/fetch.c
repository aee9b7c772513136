#include "app/fetch.h"

#include "app/client_say.h"
#include "app/page.h"
#include "app/table.h"
#include "base/alloc.h"

#define DEPTH_MAX 64
#define SUGGEST_DISTANCE 2

/* --- asking ------------------------------------------------------------------------------------------------------ */

static int fetch(struct app *app, const struct invocation *invocation, const char *path, struct client_answer *ret,
                 int *ret_exit)
{
    struct place place;
    int r = place_find(invocation, &place);

    if (r == 0)
        r = client_call(app, place.socket, BYTES("GET"), bytes_of_text(path), CLIENT_LIMIT_NS, ret);
    if (r < 0) {
        *ret_exit = client_explain(app, invocation, &place, r);
        return r;
    }
    if (client_is_good(ret))
        return 0;
    client_say_refusal(app, invocation, ret);
    mem_free(ret->data);
    *ret_exit = ret->status == 400 ? EXIT_USAGE : EXIT_FAILED;
    return -EBADMSG;
}

int fetch_json(struct app *app, const struct invocation *invocation, const char *path, json_t **ret, int *ret_exit)
{
    struct client_answer answer = { .status = 0 };
    json_error_t error;
    json_t *object = NULL;
    int r = fetch(app, invocation, path, &answer, ret_exit);

    if (r < 0)
        return r;
    if (table_depth_is(bytes_of(answer.data, answer.len), DEPTH_MAX))
        object = json_loadb(answer.data, answer.len, 0, &error);
    mem_free(answer.data);
    if (!json_is_object(object)) {
        json_decref(object);
        app_error(app, "%s: the system's answer was not understood (is it of another version?)",
                  invocation->command->name);
        *ret_exit = EXIT_FAILED;
        return -EPROTO;
    }
    *ret = object;
    return 0;
}

int fetch_quietly(struct app *app, const char *socket, const char *path, int64_t limit_ns, json_t **ret)
{
    struct client_answer answer = { .status = 0 };
    json_t *object = NULL;
    json_error_t error;
    int r = client_call(app, socket, BYTES("GET"), bytes_of_text(path), limit_ns, &answer);

    if (r == 0 && !client_is_good(&answer))
        r = -EBADMSG;
    if (r == 0 && table_depth_is(bytes_of(answer.data, answer.len), DEPTH_MAX))
        object = json_loadb(answer.data, answer.len, 0, &error);
    mem_free(answer.data);
    if (r == 0 && !json_is_object(object)) {
        json_decref(object);
        r = -EPROTO;
    }
    if (r == 0)
        *ret = object;
    return r;
}

/* --- as it is ---------------------------------------------------------------------------------------------------- */

static int print(struct app *app, const struct invocation *invocation, struct bytes text)
{
    struct page page;
    int r;

    page_open(app, &page);
    answer_add(&page.text, text);
    if (!bytes_ends(text, BYTES("\n")))
        page_text(&page, "\n");
    r = page_print(&page);
    page_done(&page);
    if (r == 0)
        return EXIT_DONE;
    app_error(app, "%s: the answer can't be printed: %s", invocation->command->name, app_reason(r));
    return EXIT_FAILED;
}

int fetch_print(struct app *app, const struct invocation *invocation, const char *path)
{
    struct client_answer answer = { .status = 0 };
    int exit_code = EXIT_DONE;

    if (fetch(app, invocation, path, &answer, &exit_code) < 0)
        return exit_code;
    exit_code = print(app, invocation, bytes_of(answer.data, answer.len));
    mem_free(answer.data);
    return exit_code;
}

static int gather(const char *buffer, size_t size, void *user)
{
    struct answer *text = user;

    answer_add(text, bytes_of(buffer, size));
    return text->error < 0 ? -1 : 0;
}

int fetch_print_object(struct app *app, const struct invocation *invocation, const json_t *object)
{
    struct answer text = { 0 };
    int exit_code = EXIT_FAILED;

    if (json_dump_callback(object, gather, &text, JSON_COMPACT | JSON_REAL_PRECISION(10)) == 0)
        exit_code = print(app, invocation, bytes_of(text.data, text.len));
    else
        app_error(app, "%s: the answer can't be printed: no memory is left", invocation->command->name);
    answer_drop(&text);
    return exit_code;
}

/* --- members ----------------------------------------------------------------------------------------------------- */

struct bytes fetch_text(const json_t *object, const char *key)
{
    json_t *value = json_object_get(object, key);

    return json_is_string(value) ? bytes_of(json_string_value(value), json_string_length(value)) : BYTES_NONE;
}

double fetch_number(const json_t *object, const char *key)
{
    return json_number_value(json_object_get(object, key));
}

uint64_t fetch_count(const json_t *object, const char *key)
{
    json_int_t value = json_integer_value(json_object_get(object, key));

    return value > 0 ? (uint64_t)value : 0;
}

bool fetch_flag(const json_t *object, const char *key)
{
    return json_is_true(json_object_get(object, key));
}

json_t *fetch_named(const json_t *list, const char *key, struct bytes value)
{
    for (size_t i = 0; i < json_array_size(list); i++)
        if (bytes_equal(fetch_text(json_array_get(list, i), key), value))
            return json_array_get(list, i);
    return NULL;
}

/* --- words ------------------------------------------------------------------------------------------------------- */

static bool is_unreserved(char c)
{
    char lower = ascii_lower(c);

    return (lower >= 'a' && lower <= 'z') || (c >= '0' && c <= '9') || (c && strchr("-._~", c));
}

void fetch_parameter(struct text *path, const char *key, const char *value)
{
    bool first = bytes_find_char(text_bytes(path), '?') < 0;

    text_add_format(path, "%c%s=", first ? '?' : '&', key);
    for (; *value; value++) {
        if (is_unreserved(*value))
            text_add_char(path, *value);
        else
            text_add_format(path, "%%%02X", (unsigned)(unsigned char)*value);
    }
}

static void add_all(const json_t *list, const char *key, struct text *ret)
{
    text_add(ret, json_array_size(list) ? BYTES("there is ") : BYTES("there is none"));
    for (size_t i = 0; i < json_array_size(list); i++) {
        text_add(ret, i ? BYTES(", ") : BYTES_NONE);
        text_add(ret, fetch_text(json_array_get(list, i), key));
    }
}

void fetch_suggest(const json_t *list, const char *key, const char *name, struct text *ret)
{
    unsigned best_distance = SUGGEST_DISTANCE + 1;
    struct bytes best = BYTES_NONE;

    for (size_t i = 0; i < json_array_size(list); i++) {
        struct bytes other = fetch_text(json_array_get(list, i), key);
        unsigned distance = bytes_distance(bytes_of_text(name), other, SUGGEST_DISTANCE);

        if (distance < best_distance) {
            best = other;
            best_distance = distance;
        }
    }
    if (best.len > 0)
        text_add_format(ret, "did you mean " BYTES_FMT "?", BYTES_ARG(best));
    else
        add_all(list, key, ret);
}
