/* app/app.h - what every command gets, and how it talks to the person who called it. */
#ifndef WEFT_APP_APP_H
#define WEFT_APP_APP_H

#include "base/fault.h"
#include "io/io.h"

/* Exit codes of every command. */
enum exit_code {
    EXIT_DONE = 0,
    EXIT_FAILED = 1, /* it did not work, or the answer is no */
    EXIT_USAGE = 2,
    EXIT_UNREACHABLE = 3, /* no running system was found */
};

struct app {
    struct io *io;
    const char *const *env;
    bool abandoned; /* threads may still run: the process ends without freeing anything */
};

/* The value of an environment variable, or NULL. */
const char *app_variable(const struct app *app, struct bytes name);

/* To standard output, as it is; -EPIPE and the like are ignored: nobody is left to be told. */
void app_print(const struct app *app, struct bytes text);
void app_printf(const struct app *app, const char *format, ...) PRINTF_LIKE(2, 3);

/* "weft: what failed, on what, why (what to do)", a line on standard error. */
void app_error(const struct app *app, const char *format, ...) PRINTF_LIKE(2, 3);
void app_fault(const struct app *app, const struct fault *fault);
void app_faults(const struct app *app, const struct fault_list *faults);

/* "s", but for one. */
static inline const char *app_plural(uint64_t count)
{
    return count == 1 ? "" : "s";
}

/* What a negative errno means, for people: "permission denied". */
const char *app_reason(int error);

#endif
