/* `weft fmt`: files laid out in one way. */
#include "app/commands.h"
#include "base/alloc.h"
#include "conf/format.h"

const struct option_info OPTION_CHECK = { .name = "check", .about = "change nothing; status 1 if anything would be" };

static int read_input(struct app *app, const char *file, struct bytes *ret)
{
    int r = app->io->ops->file_read(app->io, strcmp(file, "-") == 0 ? "/dev/stdin" : file, CONF_TEXT_MAX, ret);

    if (r == -EFBIG)
        app_error(app, "fmt: %s is longer than %d bytes", file, CONF_TEXT_MAX);
    else if (r < 0)
        app_error(app, "fmt: can't read %s: %s", file, app_reason(r));
    return r;
}

/* What came out goes where it came from. */
static int write_output(struct app *app, const char *file, struct bytes text)
{
    int r;

    if (strcmp(file, "-") == 0) {
        app_print(app, text);
        return 0;
    }
    r = app->io->ops->file_write(app->io, file, text, 0);
    if (r < 0)
        app_error(app, "fmt: can't write %s: %s", file, app_reason(r));
    return r;
}

static int format_text(struct app *app, const char *file, struct bytes text, bool check, bool *ret_changed)
{
    struct fault fault = { 0 };
    struct bytes result;
    bool changes;
    int r = conf_format(strcmp(file, "-") == 0 ? "standard input" : file, text, &fault, &result);

    if (r < 0) {
        if (!fault.what[0])
            fault_set(&fault, "fmt: %s: %s", file, app_reason(r));
        app_fault(app, &fault);
        return r;
    }
    changes = !bytes_equal(text, result);
    if (!check && (changes || strcmp(file, "-") == 0))
        r = write_output(app, file, result);
    if (changes && strcmp(file, "-") != 0)
        app_printf(app, "%s\n", file);
    mem_free((void *)(uintptr_t)result.data);
    *ret_changed |= changes;
    return r;
}

static int format_file(struct app *app, const char *file, bool check, bool *ret_changed)
{
    struct bytes text;
    int r = read_input(app, file, &text);

    if (r < 0)
        return r;
    r = format_text(app, file, text, check, ret_changed);
    mem_free((void *)(uintptr_t)text.data);
    return r;
}

int command_fmt(struct app *app, const struct invocation *invocation)
{
    bool check = invocation_given(invocation, &OPTION_CHECK), changed = false;
    const char *file = invocation_value(invocation, &OPTION_FILE);
    int r = 0;

    if (invocation->word_count == 0)
        r = format_file(app, file ? file : "weft.yaml", check, &changed);
    for (unsigned i = 0; i < invocation->word_count; i++) {
        int one = format_file(app, invocation->words[i], check, &changed);

        r = r < 0 ? r : one;
    }
    return r < 0 || (check && changed) ? EXIT_FAILED : EXIT_DONE;
}
