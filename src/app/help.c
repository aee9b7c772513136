#include "app/commands.h"

static void print_option(const struct app *app, const struct option_info *option)
{
    char memory[64];
    struct text text = text_into(memory, sizeof(memory) - 1);

    if (option->letter)
        text_add_format(&text, "-%c, --%s %s", option->letter, option->name, option->value_name);
    else
        text_add_format(&text, "    --%s %s", option->name, option->value_name);
    memory[text.len] = '\0';
    app_printf(app, "  %-28s %s\n", memory, option->about);
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

/* --- completion --------------------------------------------------------------------------------------------------- */

static void print_names(const struct app *app, const char *const *choices)
{
    const char *between = "";

    for (; *choices; choices++, between = " ")
        app_printf(app, "%s%s", between, *choices);
}

static void print_commands(const struct app *app)
{
    const char *between = "";

    for (const struct command_info *command = COMMANDS; command->name; command++) {
        if (command->hidden)
            continue;
        app_printf(app, "%s%s", between, command->name);
        between = " ";
    }
}

/* One line of a case statement: what may follow the command. */
static void print_case(const struct app *app, const struct command_info *command)
{
    app_printf(app, "    %s) words=\"", command->name);
    if (command->choices)
        print_names(app, command->choices);
    for (const struct option_info *const *option = command->options; option && *option; option++)
        app_printf(app, " --%s", (*option)->name);
    app_printf(app, " --help\" ;;\n");
}

static void complete_bash(const struct app *app)
{
    app_printf(app, "_weft()\n{\n    local words=\"");
    print_commands(app);
    app_printf(app, "\"\n    COMPREPLY=()\n"
                    "    case ${COMP_WORDS[COMP_CWORD-1]} in\n"
                    "    -f|--file) COMPREPLY=($(compgen -f -- \"${COMP_WORDS[COMP_CWORD]}\")); return ;;\n"
                    "    --dir) COMPREPLY=($(compgen -d -- \"${COMP_WORDS[COMP_CWORD]}\")); return ;;\n"
                    "    -o|--output) COMPREPLY=($(compgen -W \"json table\" -- \"${COMP_WORDS[COMP_CWORD]}\")); "
                    "return ;;\n    esac\n"
                    "    [ \"$COMP_CWORD\" -eq 1 ] || case ${COMP_WORDS[1]} in\n");
    for (const struct command_info *command = COMMANDS; command->name; command++)
        if (!command->hidden)
            print_case(app, command);
    app_printf(app, "    esac\n    COMPREPLY=($(compgen -W \"$words\" -- \"${COMP_WORDS[COMP_CWORD]}\"))\n}\n"
                    "complete -F _weft weft\n");
}

static void complete_fish(const struct app *app)
{
    app_printf(app, "complete -c weft -f\n");
    for (const struct command_info *command = COMMANDS; command->name; command++) {
        if (command->hidden)
            continue;
        app_printf(app, "complete -c weft -n __fish_use_subcommand -a %s -d '%s'\n", command->name, command->about);
        if (command->choices) {
            app_printf(app, "complete -c weft -n '__fish_seen_subcommand_from %s' -a '", command->name);
            print_names(app, command->choices);
            app_printf(app, "'\n");
        }
        for (const struct option_info *const *option = command->options; option && *option; option++)
            app_printf(app, "complete -c weft -n '__fish_seen_subcommand_from %s' -l %s -r -d '%s'\n", command->name,
                       (*option)->name, (*option)->about);
    }
}

int command_completion(struct app *app, const struct invocation *invocation)
{
    const char *shell = invocation->words[0];

    if (strcmp(shell, "fish") == 0) {
        complete_fish(app);
        return EXIT_DONE;
    }
    if (strcmp(shell, "zsh") == 0)
        app_printf(app, "autoload -U +X bashcompinit && bashcompinit\n");
    complete_bash(app);
    return EXIT_DONE;
}
