/* `weft man [COMMAND]`: manual pages in the man(7) macros, made of the table of commands and of what is common to all.
 * The build installs them as weft(1) and weft-COMMAND(1). */
#include "app/commands.h"

/* Text between macros: a dot or quote that begins a line, and backslashes, would be commands. */
static void print_text(const struct app *app, const char *text)
{
    bool begins = true;

    for (; *text; text++) {
        if (begins && (*text == '.' || *text == '\''))
            app_printf(app, "\\&");
        if (*text == '\\')
            app_printf(app, "\\e");
        else if (*text == '-')
            app_printf(app, "\\-");
        else
            app_printf(app, "%c", *text);
        begins = *text == '\n';
    }
}

/* As it stands, in lines. */
static void print_lines(const struct app *app, const char *text)
{
    app_printf(app, ".nf\n");
    print_text(app, text);
    app_printf(app, "\n.fi\n");
}

static void print_head(const struct app *app, const char *name, const char *about)
{
    app_printf(app, ".TH \"WEFT%s%s\" 1 \"\" \"weft " WEFT_VERSION "\" \"Weft\"\n.SH NAME\nweft%s%s \\- ",
               name ? "\\-" : "", name ? name : "", name ? "\\-" : "", name ? name : "");
    print_text(app, about);
    app_printf(app, "\n");
}

static void print_option(const struct app *app, const struct option_info *option)
{
    app_printf(app, ".TP\n");
    if (option->letter)
        app_printf(app, "\\fB\\-%c\\fR, ", option->letter);
    app_printf(app, "\\fB\\-\\-%s\\fR", option->name);
    if (option->value_name)
        app_printf(app, " \\fI%s\\fR", option->value_name);
    app_printf(app, "\n");
    print_text(app, option->about);
    app_printf(app, "%s\n", option->repeated ? "; may be given several times" : "");
}

static void print_common(const struct app *app)
{
    app_printf(app, ".SH EXIT STATUS\n.TP\n0\ndone\n.TP\n1\nfailed, or the answer is no\n.TP\n2\nnot understood: the "
                    "command line is wrong\n.TP\n3\nno running system was found\n"
                    ".SH ENVIRONMENT\n.TP\nNO_COLOR\nset to anything: no colours, also on a terminal\n");
}

static void print_command(const struct app *app, const struct command_info *command)
{
    print_head(app, command->name, command->about);
    app_printf(app, ".SH SYNOPSIS\n\\fBweft %s\\fR%s%s%s\n", command->name, command->words ? " \\fI" : "",
               command->words ? command->words : "", command->words ? "\\fR" : "");
    if (command->options)
        app_printf(app, "[\\fIOPTIONS\\fR]\n");
    if (command->more) {
        app_printf(app, ".SH DESCRIPTION\n");
        print_lines(app, command->more);
    }
    if (command->options)
        app_printf(app, ".SH OPTIONS\n");
    for (const struct option_info *const *option = command->options; option && *option; option++)
        print_option(app, *option);
    if (command->examples) {
        app_printf(app, ".SH EXAMPLES\n");
        print_lines(app, command->examples);
    }
    print_common(app);
    app_printf(app, ".SH SEE ALSO\n.BR weft (1)\n");
}

static void print_program(const struct app *app)
{
    print_head(app, NULL, "services, the traffic between them, and what may go wrong with it");
    app_printf(app,
               ".SH SYNOPSIS\n\\fBweft\\fR \\fICOMMAND\\fR [\\fIOPTIONS\\fR]\n.SH DESCRIPTION\n"
               "Weft runs the services of one file, weft.yaml, and carries the requests to them and between them.\n"
               ".SH COMMANDS\n");
    for (const struct command_info *command = COMMANDS; command->name; command++) {
        if (command->hidden)
            continue;
        app_printf(app, ".TP\n.BR weft\\-%s (1)\n", command->name);
        print_text(app, command->about);
        app_printf(app, "\n");
    }
    app_printf(app, ".SH FILES\n.TP\nweft.yaml\nthe system; \\fBweft schema\\fR prints what may stand in it\n"
                    ".TP\n\\&.env\nbeside it: values for ${NAME} in it\n"
                    ".TP\n\\&.weft/\nbeside it: the control socket, and what has to survive\n");
    print_common(app);
}

int command_man(struct app *app, const struct invocation *invocation)
{
    const struct command_info *command;

    if (invocation->word_count == 0) {
        print_program(app);
        return EXIT_DONE;
    }
    command = arguments_command(COMMANDS, invocation->words[0]);
    if (!command || command->hidden) {
        app_error(app, "man: there is no command '%s' (weft help lists them)", invocation->words[0]);
        return EXIT_USAGE;
    }
    print_command(app, command);
    return EXIT_DONE;
}
