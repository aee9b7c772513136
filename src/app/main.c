/* weft - what is common to all commands: the command line, the seam, the exit code. */
#include "app/commands.h"
#include "app/panic.h"
#include "io/linux/linux.h"

static int say(struct app *app, const struct fault *fault)
{
    int r = io_linux_open(&app->io);

    if (r == 0) {
        app_fault(app, fault);
        io_linux_close(app->io);
    }
    return EXIT_USAGE;
}

int main(int argc, char **argv, char **envp)
{
    struct app app = { .env = (const char *const *)envp };
    struct invocation invocation;
    struct fault fault = { 0 };
    int status = 0, exit_code, r;

    panic_prepare();
    if (arguments_parse(COMMANDS, argc, (const char *const *)argv, &invocation, &fault) < 0)
        return say(&app, &fault);
    /* The guard comes before everything that it guards. */
    r = invocation.command->run == command_up && !invocation.help ? io_linux_fork_guarded(&status) : 0;
    if (r == 1 && (status & 0x7f) == 0)
        return status >> 8 & 0xff;
    if (r < 0) {
        fault_set(&fault, "up: can't start a process: %s", app_reason(r));
        (void)say(&app, &fault);
        return EXIT_FAILED;
    }
    if (r == 1) {
        fault_set(&fault, "the supervisor was killed by signal %d; all that it had started was ended", status & 0x7f);
        (void)say(&app, &fault);
        return EXIT_FAILED;
    }
    if (io_linux_open(&app.io) < 0)
        return EXIT_FAILED;
    if (invocation.help) {
        help_command(&app, invocation.command);
        exit_code = EXIT_DONE;
    } else
        exit_code = invocation.command->run(&app, &invocation);
    if (!app.abandoned)
        io_linux_close(app.io);
    return exit_code;
}
