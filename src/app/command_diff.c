/* `weft diff`: what `weft apply` would change. */
#include "app/client_say.h"
#include "app/style.h"
#include "app/table.h"
#include "base/alloc.h"

#include <jansson.h>

#define DEPTH_MAX 8 /* of the answer */

static const struct {
    const char *change, *sign;
    enum style style;
} SIGNS[] = {
    { "added", "+", STYLE_GOOD },
    { "removed", "-", STYLE_BAD },
    { "changed", "~", STYLE_WARNING },
    { "moved", ">", STYLE_WARNING },
};

static const char *member(json_t *object, const char *key)
{
    const char *text = json_string_value(json_object_get(object, key));

    return text ? text : "";
}

static void print_difference(const struct app *app, json_t *difference, bool colours)
{
    const char *change = member(difference, "change"), *before = member(difference, "before");
    const char *after = member(difference, "after");
    size_t i = 0;

    while (i + 1 < ARRAY_LEN(SIGNS) && strcmp(SIGNS[i].change, change) != 0)
        i++;
    app_printf(app, "%s%s %s", style_begin(colours, SIGNS[i].style), SIGNS[i].sign, member(difference, "path"));
    if (strcmp(change, "moved") == 0)
        app_printf(app, ": was %s%s\n", before, style_end(colours));
    else if (strcmp(change, "changed") == 0)
        app_printf(app, ": %s -> %s%s\n", before, after, style_end(colours));
    else
        app_printf(app, ": %s%s%s\n", before, after, style_end(colours));
}

static void print_more(const struct app *app, json_t *answer, const char *key)
{
    long long more = json_integer_value(json_object_get(answer, key));

    if (more > 0)
        app_printf(app, "and %lld more\n", more);
}

/* Whether there is any difference. */
static bool print_differences(const struct app *app, json_t *answer)
{
    json_t *differences = json_object_get(answer, "differences"), *effects = json_object_get(answer, "effects");
    bool colours = style_wanted(app, 1);

    for (size_t i = 0; i < json_array_size(differences); i++)
        print_difference(app, json_array_get(differences, i), colours);
    print_more(app, answer, "differences_more");
    if (json_array_size(differences) > 0)
        app_print(app, BYTES("\n"));
    for (size_t i = 0; i < json_array_size(effects); i++)
        app_printf(app, "%s\n", json_string_value(json_array_get(effects, i)));
    print_more(app, answer, "effects_more");
    if (json_array_size(differences) > 0 && json_array_size(effects) == 0)
        app_print(app, BYTES("nothing is started anew\n"));
    return json_array_size(differences) > 0 || json_array_size(effects) > 0;
}

static void print_faults(const struct app *app, json_t *answer)
{
    json_t *faults = json_object_get(answer, "faults");
    long long more = json_integer_value(json_object_get(answer, "faults_more"));

    for (size_t i = 0; i < json_array_size(faults); i++)
        app_error(app, "%s", json_string_value(json_array_get(faults, i)));
    if (more > 0)
        app_error(app, "%lld more faults are not shown", more);
    app_error(app, "diff: the file has faults: nothing was compared");
}

/* -EPROTO: it is no such answer. */
static int show(struct app *app, const struct invocation *invocation, struct bytes body, bool *ret_differs)
{
    json_error_t error;
    json_t *answer = table_depth_is(body, DEPTH_MAX) ? json_loadb(body.data, body.len, 0, &error) : NULL;
    bool faulty = json_array_size(json_object_get(answer, "faults")) > 0;
    bool differs = json_array_size(json_object_get(answer, "differences")) > 0 ||
                   json_array_size(json_object_get(answer, "effects")) > 0;
    int r = faulty || json_is_array(json_object_get(answer, "differences")) ? 0 : -EPROTO;

    if (r == 0) {
        if (invocation_format(invocation) == OUTPUT_JSON)
            app_print(app, body);
        else if (faulty)
            print_faults(app, answer);
        else if (!print_differences(app, answer))
            app_print(app, BYTES("no difference\n"));
        *ret_differs = faulty || differs;
    }
    json_decref(answer);
    return r;
}

int command_diff(struct app *app, const struct invocation *invocation)
{
    struct client_answer answer = { .status = 0 };
    bool differs = true;
    struct place place;
    int r = place_find(invocation, &place);

    if (r == 0)
        r = client_call(app, place.socket, BYTES("POST"), BYTES("/v1/diff"), CLIENT_LIMIT_NS, &answer);
    if (r < 0)
        return client_explain(app, invocation, &place, r);
    if (!client_is_good(&answer))
        client_say_refusal(app, invocation, &answer);
    else if (show(app, invocation, bytes_of(answer.data, answer.len), &differs) < 0)
        app_error(app, "diff: the system's answer was not understood (is it of another version?)");
    mem_free(answer.data);
    return differs ? EXIT_FAILED : EXIT_DONE;
}
