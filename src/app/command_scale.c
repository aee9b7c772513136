/* weft scale: how many instances run. */
#include "app/client_say.h"
#include "base/alloc.h"

#define BODY_MAX 256 /* CONF_NAME_MAX and a number */

/* "orders=3" to the request's body. -EINVAL: it is no such word. */
static int write_body(const char *word, char memory[BODY_MAX], struct bytes *ret)
{
    struct bytes rest = bytes_of_text(word), name, number;
    struct text text = text_into(memory, BODY_MAX);
    uint64_t scale;

    if (!bytes_split(&rest, '=', &name) || name.len == 0 || name.len > CONF_NAME_MAX || !rest.data)
        return -EINVAL;
    number = rest;
    if (bytes_to_u64(number, &scale) < 0 || scale > UNIT_SCALE_MAX)
        return -EINVAL;
    text_add(&text, BYTES("{\"service\":"));
    text_add_json(&text, name);
    text_add_format(&text, ",\"scale\":%llu}", (unsigned long long)scale);
    *ret = text_bytes(&text);
    return text.full ? -EINVAL : 0;
}

static int check_words(const struct app *app, const struct invocation *invocation)
{
    char memory[BODY_MAX];
    struct bytes body;

    for (unsigned i = 0; i < invocation->word_count; i++) {
        if (write_body(invocation->words[i], memory, &body) == 0)
            continue;
        app_error(app, "scale: \"%s\" must be SERVICE=NUMBER, with a number from 0 to %d (such as orders=3)",
                  invocation->words[i], UNIT_SCALE_MAX);
        return -EINVAL;
    }
    return 0;
}

/* One after the other: what was done stays done when a later one is refused. */
int command_scale(struct app *app, const struct invocation *invocation)
{
    struct place place;
    int exit_code = EXIT_DONE;

    if (check_words(app, invocation) < 0)
        return EXIT_USAGE;
    for (unsigned i = 0; i < invocation->word_count; i++) {
        struct client_answer answer = { .status = 0 };
        char memory[BODY_MAX];
        struct bytes body = BYTES_NONE;
        int r = write_body(invocation->words[i], memory, &body);

        if (r == 0)
            r = place_find(invocation, &place);
        if (r == 0)
            r = client_send(app, place.socket, BYTES("POST"), BYTES("/v1/scale"), body, CLIENT_LIMIT_NS, &answer);
        if (r < 0)
            return client_explain(app, invocation, &place, r);
        if (!client_say_done(app, invocation, &answer, "scaled"))
            exit_code = EXIT_FAILED;
        mem_free(answer.data);
    }
    return exit_code;
}
