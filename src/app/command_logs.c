/* weft logs: what services wrote, from the files of .weft/logs; also when the system does not run. */
#include "app/commands.h"
#include "app/style.h"
#include "app/table.h"
#include "base/alloc.h"
#include "io/loop.h"
#include "supervise/recorded.h"

#include <jansson.h>
#include <stdio.h>

#define TAIL_DEFAULT 200
#define DEPTH_MAX 16 /* of a line that is JSON; deeper ones are shown as they are */
#define LEVEL_WIDTH 7
#define VALUE_MAX 512 /* of a member that is no text; -o json shows longer ones */

struct showing {
    struct app *app;
    struct recorded_query query;
    bool json, colours, follow;
    size_t width; /* of the longest instance so far */
    char after[RECORDED_TIME_LEN];
    struct task task;
    struct loop *loop;
    int result;
    struct text out;
};

/* --- one line -------------------------------------------------------------------------------------------------------
 */

/* Control characters can't move the cursor; those of C1 are two bytes of UTF-8, C2 80 to C2 9F. */
static void add_plain(struct text *text, struct bytes part)
{
    for (size_t i = 0; i < part.len; i++) {
        unsigned char c = (unsigned char)part.data[i];
        bool pair = c == 0xc2 && i + 1 < part.len && ((unsigned char)part.data[i + 1] & 0xe0) == 0x80;

        text_add_char(text, (c < 0x20 && c != '\t') || c == 0x7f || pair ? '?' : (char)c);
        i += pair;
    }
}

static struct bytes text_of(json_t *object, const char *key)
{
    json_t *value = json_object_get(object, key);

    return json_is_string(value) ? bytes_of(json_string_value(value), json_string_length(value)) : BYTES_NONE;
}

static enum style style_of(struct bytes level)
{
    if (bytes_equal_ci(level, BYTES("error")) || bytes_equal_ci(level, BYTES("fatal")))
        return STYLE_BAD;
    if (bytes_equal_ci(level, BYTES("warning")) || bytes_equal_ci(level, BYTES("warn")))
        return STYLE_WARNING;
    return bytes_equal_ci(level, BYTES("debug")) ? STYLE_DIM : STYLE_PLAIN;
}

/* What the line's head tells already. */
static bool is_known(const char *key)
{
    static const char *const KNOWN[] = { "time", "level", "message", "service", "instance" };

    for (size_t i = 0; i < ARRAY_LEN(KNOWN); i++)
        if (strcmp(key, KNOWN[i]) == 0)
            return true;
    return false;
}

static void add_rest(struct text *text, json_t *object)
{
    const char *key;
    json_t *value;

    json_object_foreach(object, key, value)
    {
        char memory[VALUE_MAX];
        size_t len;

        if (is_known(key) || (json_is_string(value) && json_string_length(value) == 0))
            continue;
        text_add_char(text, ' ');
        add_plain(text, bytes_of_text(key));
        text_add_char(text, '=');
        len = json_is_string(value) ? 0 : json_dumpb(value, memory, sizeof(memory), JSON_COMPACT | JSON_ENCODE_ANY);
        if (len > sizeof(memory))
            add_plain(text, BYTES("..."));
        else
            add_plain(text, json_is_string(value) ? text_of(object, key) : bytes_of(memory, len));
    }
}

/* A line of the chassis and its like: {"level":"info","message":"..."}. False: it is none. */
static bool add_structured(const struct showing *showing, struct text *text, struct bytes line)
{
    json_error_t error;
    json_t *object = NULL;
    struct bytes level, message;
    bool fine;

    if (!bytes_starts(line, BYTES("{")) || !table_depth_is(line, DEPTH_MAX))
        return false;
    object = json_loadb(line.data, line.len, 0, &error);
    level = text_of(object, "level");
    message = text_of(object, "message");
    fine = level.len > 0 && json_is_string(json_object_get(object, "message"));
    if (fine) {
        text_add(text, bytes_of_text(style_begin(showing->colours, style_of(level))));
        add_plain(text, level);
        for (size_t i = level.len; i < LEVEL_WIDTH; i++)
            text_add_char(text, ' ');
        text_add(text, bytes_of_text(style_end(showing->colours)));
        text_add_char(text, ' ');
        add_plain(text, message);
        add_rest(text, object);
    }
    json_decref(object);
    return fine;
}

static void add_shown(struct showing *showing, struct text *text, const struct recorded_line *line)
{
    struct bytes who = line->instance.len > 0 ? line->instance : line->service;

    showing->width = MAX(showing->width, who.len);
    text_add(text, bytes_of_text(style_name(showing->colours, who)));
    add_plain(text, who);
    for (size_t i = who.len; i < showing->width; i++)
        text_add_char(text, ' ');
    text_add(text, BYTES(" |"));
    text_add(text, bytes_of_text(style_end(showing->colours)));
    text_add_char(text, ' ');
    if (!add_structured(showing, text, line->message))
        add_plain(text, line->message);
}

static void add_json(struct text *text, const struct recorded_line *line)
{
    const struct {
        const char *key;
        struct bytes value;
    } MEMBERS[] = { { "{\"time\":", line->time },
                    { ",\"service\":", line->service },
                    { ",\"instance\":", line->instance },
                    { ",\"stream\":", line->stream },
                    { ",\"message\":", line->message } };

    for (size_t i = 0; i < ARRAY_LEN(MEMBERS); i++) {
        text_add(text, bytes_of_text(MEMBERS[i].key));
        text_add_json(text, MEMBERS[i].value);
    }
    text_add_char(text, '}');
}

/* --- pages -------------------------------------------------------------------------------------------------------- */

static int flush(struct showing *showing)
{
    struct io *io = showing->app->io;
    struct bytes rest = text_bytes(&showing->out);

    showing->out.len = 0;
    while (rest.len > 0) {
        ssize_t n = io->ops->descriptor_write(io, 1, rest);

        if (n < 0 && n != -ETIMEDOUT) /* a reader may take its time: it is a pager, perhaps */
            return (int)n;
        rest = bytes_skip(rest, n > 0 ? (size_t)n : 0);
    }
    return 0;
}

static int show_line(struct showing *showing, const struct recorded_line *line)
{
    struct text before = showing->out;

    for (unsigned i = 0; i < 2; i++) {
        if (showing->json)
            add_json(&showing->out, line);
        else
            add_shown(showing, &showing->out, line);
        text_add_char(&showing->out, '\n');
        if (!showing->out.full)
            return 0;
        showing->out = before; /* once more, into an empty buffer */
        if (flush(showing) < 0)
            return -EPIPE;
        before = showing->out;
    }
    return 0;
}

/* -EPIPE: nobody reads us. */
static int show_page(struct showing *showing, bool settled)
{
    struct io *io = showing->app->io;
    struct recorded_page page = { 0 };
    int r;

    showing->query.until_ns = settled ? io->ops->wall_ns(io) - RECORD_SETTLE_NS : 0;
    r = recorded_read(io, &showing->query, &page);
    for (unsigned i = 0; r == 0 && i < page.count && !showing->json; i++)
        showing->width = MAX(showing->width, page.lines[i]->instance.len);
    for (unsigned i = 0; r == 0 && i < page.count; i++)
        r = show_line(showing, page.lines[i]);
    if (r == 0)
        r = flush(showing);
    if (page.count > 0) {
        memcpy(showing->after, page.lines[page.count - 1]->time.data, sizeof(showing->after));
        showing->query.after = bytes_of(showing->after, sizeof(showing->after));
    }
    recorded_free(&page);
    return r;
}

/* Where a follower begins who has seen no line yet: now. */
static void begin_now(struct showing *showing)
{
    struct io *io = showing->app->io;
    char memory[RECORDED_TIME_LEN + 1];
    struct text text = text_into(memory, sizeof(memory));

    if (showing->query.after.len > 0)
        return;
    text_add_time(&text, io->ops->wall_ns(io) - RECORD_SETTLE_NS);
    text.len--;
    text_add(&text, BYTES("000000Z"));
    memcpy(showing->after, memory, sizeof(showing->after));
    showing->query.after = bytes_of(showing->after, sizeof(showing->after));
}

static int follow_run(struct task *task)
{
    struct showing *showing = container_of(task, struct showing, task);
    int r = show_page(showing, true);

    begin_now(showing);
    showing->query.max = RECORD_LINES_MAX;
    while (r == 0) {
        r = fiber_sleep(LOGS_POLL_NS);
        if (r == 0)
            r = show_page(showing, true);
    }
    showing->result = r;
    loop_stop(showing->loop);
    return 0;
}

static int follow(struct showing *showing)
{
    struct loop loop;
    int r = loop_init(&loop, showing->app->io, NULL);

    if (r < 0)
        return r;
    showing->loop = &loop;
    showing->task.run = follow_run;
    r = loop_spawn(&loop, &showing->task);
    if (r < 0)
        loop_stop(&loop);
    loop_run(&loop);
    loop_done(&loop);
    return r < 0 ? r : showing->result;
}

/* --- the command -------------------------------------------------------------------------------------------------- */

static int check_tail(const char *value)
{
    uint64_t number;

    return bytes_to_u64(bytes_of_text(value), &number) < 0 || number < 1 || number > RECORD_LINES_MAX ? -EINVAL : 0;
}

const struct option_info OPTION_FOLLOW = { .name = "follow",
                                           .letter = 'f',
                                           .about = "go on with what is written from now on" };
const struct option_info OPTION_TAIL = { .name = "tail",
                                         .letter = 'n',
                                         .value_name = "N",
                                         .about = "the last N lines, 10000 at most; unless given: 200",
                                         .check = check_tail };

static void take_options(const struct invocation *invocation, struct showing *showing)
{
    const char *tail = invocation_value(invocation, &OPTION_TAIL);
    uint64_t number = TAIL_DEFAULT;

    if (tail && bytes_to_u64(bytes_of_text(tail), &number) < 0)
        number = TAIL_DEFAULT;
    showing->query.max = (unsigned)number;
    showing->query.names = invocation->words;
    showing->query.name_count = invocation->word_count;
    showing->json = invocation_format(invocation) == OUTPUT_JSON;
    showing->colours = !showing->json && style_wanted(showing->app, 1);
    showing->follow = invocation_given(invocation, &OPTION_FOLLOW);
}

int command_logs(struct app *app, const struct invocation *invocation)
{
    struct showing showing = { .app = app };
    char folder[FILE_PATH_MAX], *memory;
    struct place place;
    int len, r = place_find(invocation, &place);

    len = r < 0 ? -1 : snprintf(folder, sizeof(folder), "%s/logs", place.state);
    if (len < 0 || (size_t)len >= sizeof(folder)) {
        app_error(app, "logs: the path is too long");
        return EXIT_USAGE;
    }
    memory = mem_alloc(LOG_BUFFER_MAX);
    showing.out = text_into(memory, memory ? LOG_BUFFER_MAX : 0);
    showing.query.folder = folder;
    take_options(invocation, &showing);
    r = memory ? 0 : -ENOMEM;
    if (r == 0)
        r = showing.follow ? follow(&showing) : show_page(&showing, false);
    mem_free(memory);
    if (r == 0 || r == -EPIPE) /* who reads us has had enough */
        return EXIT_DONE;
    app_error(app, "logs: %s can't be read: %s", folder, app_reason(r));
    return EXIT_FAILED;
}
