#include "app/commands.h"

static void print_option(const struct app *app, const struct option_info *option)
{
    char memory[64];
    struct text text = text_into(memory, sizeof(memory) - 1);

    if (option->letter)
        text_add_format(&text, "-%c, ", option->letter);
    else
        text_add_format(&text, "    ");
    text_add_format(&text, "--%s%s%s", option->name, option->value_name ? " " : "",
                    option->value_name ? option->value_name : "");
    memory[text.len] = '\0';
    app_printf(app, "  %-28s %s%s\n", memory, option->about, option->repeated ? "; several times" : "");
}

void help_command(const struct app *app, const struct command_info *command)
{
    const struct option_info *const *option = command->options;

    app_printf(app, "weft %s - %s\n\nusage: weft %s%s%s%s\n", command->name, command->about, command->name,
               command->words ? " " : "", command->words ? command->words : "", option ? " [OPTIONS]" : "");
    if (option)
        app_printf(app, "\n");
    for (; option && *option; option++)
        print_option(app, *option);
    if (command->more)
        app_printf(app, "\n%s\n", command->more);
    if (command->examples)
        app_printf(app, "\nexamples:\n%s\n", command->examples);
}

static void list_commands(const struct app *app)
{
    app_printf(app, "weft - services, the traffic between them, and what may go wrong with it\n\n"
                    "usage: weft COMMAND [OPTIONS]\n\n");
    for (const struct command_info *command = COMMANDS; command->name; command++)
        if (!command->hidden)
            app_printf(app, "  %-12s %s\n", command->name, command->about);
    app_printf(app, "\nweft help COMMAND tells more.\n");
}

int command_help(struct app *app, const struct invocation *invocation)
{
    const struct command_info *command;

    if (invocation->word_count == 0) {
        list_commands(app);
        return EXIT_DONE;
    }
    command = arguments_command(COMMANDS, invocation->words[0]);
    if (!command) {
        app_error(app, "help: there is no command '%s' (weft help lists them)", invocation->words[0]);
        return EXIT_USAGE;
    }
    help_command(app, command);
    return EXIT_DONE;
}

int command_version(struct app *app, const struct invocation *invocation)
{
    app_print(app, BYTES("weft " WEFT_VERSION "\n"));
    return EXIT_DONE;
}
