/* weft top: a live table of what goes through the running system.
 *
 * (1) Only a terminal gets the live table, on its alternate screen; anywhere else, and with --once or -o json, it is
 * one table of two samples. (2) Whatever ends it (a signal, an error), the terminal is as it was before anything else
 * is told.
 */
#include "app/client_say.h"
#include "app/fetch.h"
#include "app/top.h"
#include "base/units.h"
#include "io/loop.h"

#include <signal.h>

#define INTERVAL_USUAL_NS NS_PER_S
#define INTERVAL_MIN_NS (100 * NS_PER_MS)
#define INTERVAL_MAX_NS (60 * NS_PER_S)
#define SAMPLE_LIMIT_NS (5 * NS_PER_S) /* a system that takes longer is stuck, and who looks wants to know */

#define SCREEN_ENTER "\033[?1049h\033[?25l"
#define SCREEN_LEAVE "\033[?25h\033[?1049l"
#define SCREEN_HOME "\033[H"
#define LINE_END "\033[K\n"
#define SCREEN_REST "\033[J"

struct top {
    struct app *app;
    const struct invocation *invocation;
    struct place place;
    int64_t interval_ns;
    bool live;
    struct io_socket signals;
    struct top_sample now, before;
    struct loop *loop;
    struct task task;
    bool stopped; /* a signal came */
};

/* --- samples ------------------------------------------------------------------------------------------------------ */

static int take_sample(struct top *top, struct top_sample *ret)
{
    struct app *app = top->app;
    const char *socket = top->place.socket;
    struct top_sample sample = { .at_ns = 0 };
    int r = fetch_quietly(app, socket, "/v1/topology", SAMPLE_LIMIT_NS, &sample.topology);

    sample.at_ns = app->io->ops->now_ns(app->io);
    if (r == 0)
        r = fetch_quietly(app, socket, "/v1/endpoints", SAMPLE_LIMIT_NS, &sample.endpoints);
    if (r == 0)
        r = fetch_quietly(app, socket, "/v1/status", SAMPLE_LIMIT_NS, &sample.status);
    if (r < 0)
        top_sample_release(&sample);
    else
        *ret = sample;
    return r;
}

static int next_sample(struct top *top)
{
    struct top_sample sample;
    int r = take_sample(top, &sample);

    if (r < 0)
        return r;
    top_sample_release(&top->before);
    top->before = top->now;
    top->now = sample;
    return 0;
}

/* --- waiting -------------------------------------------------------------------------------------------------------
 */

static int wait_run(struct task *task)
{
    struct top *top = container_of(task, struct top, task);
    struct io *io = top->app->io;
    int64_t until_ns = top->now.at_ns + top->interval_ns;

    while (!top->stopped) {
        int r = fiber_wait_socket(top->signals, IO_READ, until_ns);

        top->stopped = io->ops->try_signal(io, top->signals) > 0;
        if (r < 0)
            break;
    }
    loop_stop(top->loop);
    return 0;
}

/* Until the next sample is due, or a signal has come. */
static int wait_interval(struct top *top)
{
    struct loop loop;
    int r = loop_init(&loop, top->app->io, NULL);

    if (r < 0)
        return r;
    top->loop = &loop;
    top->task = (struct task){ .run = wait_run };
    r = loop_spawn(&loop, &top->task);
    if (r < 0)
        loop_stop(&loop);
    loop_run(&loop);
    loop_done(&loop);
    return r;
}

/* --- the screen ----------------------------------------------------------------------------------------------------
 */

static void enter_screen(const struct top *top)
{
    if (top->live)
        app_print(top->app, BYTES(SCREEN_ENTER SCREEN_HOME SCREEN_REST "weft top: looking for a moment ..."));
}

static void leave_screen(const struct top *top)
{
    if (top->live)
        app_print(top->app, BYTES(SCREEN_LEAVE));
}

/* What fits, over what stood there before: clearing first would flicker. */
static void make_frame(const struct page *from, struct page *frame)
{
    struct bytes rest = bytes_of(from->text.data, from->text.len), line;
    unsigned left = MAX(from->height, 2u) - 1;

    page_text(frame, SCREEN_HOME);
    while (left-- > 0 && rest.len > 0 && bytes_split(&rest, '\n', &line)) {
        answer_add(&frame->text, line);
        page_text(frame, LINE_END);
    }
    page_text(frame, SCREEN_REST);
    frame->text.error = frame->text.error ? frame->text.error : from->text.error;
}

static int show_table(struct top *top, const json_t *numbers)
{
    struct page page, frame;
    int r;

    page_open(top->app, &page);
    top_write(&page, numbers);
    if (top->live) {
        page_open(top->app, &frame);
        make_frame(&page, &frame);
        r = page_print(&frame);
        page_done(&frame);
    } else {
        r = page_print(&page);
    }
    page_done(&page);
    return r;
}

static int show(struct top *top)
{
    json_t *numbers = top_compute(&top->now, &top->before);
    int r;

    if (!numbers)
        return -ENOMEM;
    if (invocation_format(top->invocation) == OUTPUT_JSON)
        r = fetch_print_object(top->app, top->invocation, numbers) == EXIT_DONE ? 0 : -ENOMEM;
    else
        r = show_table(top, numbers);
    json_decref(numbers);
    return r;
}

/* --- the command ----------------------------------------------------------------------------------------------------
 */

static int run(struct top *top)
{
    int r = next_sample(top);

    while (r == 0) {
        r = wait_interval(top);
        if (r < 0 || top->stopped)
            return r;
        r = next_sample(top);
        if (r == 0)
            r = show(top);
        if (r == 0 && !top->live)
            return 0;
    }
    return r;
}

static int explain_end(struct top *top, int r)
{
    switch (r) {
    case 0: return EXIT_DONE;
    case -EPROTO:
    case -EBADMSG:
        app_error(top->app, "top: the system's answer was not understood (is it of another version?)");
        return EXIT_FAILED;
    case -ENOMEM:
    case -EFBIG: app_error(top->app, "top: the table can't be made: %s", app_reason(r)); return EXIT_FAILED;
    default: return client_explain(top->app, top->invocation, &top->place, r);
    }
}

static int check_interval(const char *value)
{
    int64_t ns;

    return duration_parse(bytes_of_text(value), &ns) < 0 || ns < INTERVAL_MIN_NS || ns > INTERVAL_MAX_NS ? -EINVAL : 0;
}

const struct option_info OPTION_ONCE = { .name = "once", .about = "print one table and end" };
const struct option_info OPTION_INTERVAL = { .name = "interval",
                                             .value_name = "DURATION",
                                             .about = "between two looks, 100ms to 1m; unless given: 1s",
                                             .check = check_interval };

int command_top(struct app *app, const struct invocation *invocation)
{
    struct top top = { .app = app, .invocation = invocation, .interval_ns = INTERVAL_USUAL_NS };
    const char *interval = invocation_value(invocation, &OPTION_INTERVAL);
    uint64_t mask = 1u << (SIGINT - 1) | 1u << (SIGTERM - 1) | 1u << (SIGHUP - 1);
    struct terminal_size size;
    int r = place_find(invocation, &top.place);

    if (interval && duration_parse(bytes_of_text(interval), &top.interval_ns) < 0)
        top.interval_ns = INTERVAL_USUAL_NS;
    top.live = app->io->ops->terminal(app->io, 1, &size) == 0 && !invocation_given(invocation, &OPTION_ONCE) &&
               invocation_format(invocation) != OUTPUT_JSON;
    if (r == 0)
        r = client_try(app, top.place.socket);
    if (r < 0)
        return client_explain(app, invocation, &top.place, r);
    r = app->io->ops->signals(app->io, mask, &top.signals);
    if (r < 0) {
        app_error(app, "top: signals can't be watched: %s", app_reason(r));
        return EXIT_FAILED;
    }
    enter_screen(&top);
    r = run(&top);
    leave_screen(&top);
    app->io->ops->close(app->io, top.signals);
    top_sample_release(&top.now);
    top_sample_release(&top.before);
    return explain_end(&top, r);
}
