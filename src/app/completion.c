/* `weft completion SHELL`: a script for the shell, made of the table of commands. */
#include "app/commands.h"

#define SERVICES "weft get services 2>/dev/null | sed 1d | cut -d' ' -f1"

/* Choices and values with `|` between them, in the shell's own way. */
static void print_alternatives(const struct app *app, const char *alternatives)
{
    for (const char *at = alternatives; at && *at; at++)
        app_printf(app, "%c", *at == '|' ? ' ' : *at);
}

static void print_choices(const struct app *app, const struct command_info *command)
{
    const char *between = "";

    for (const char *const *choice = command->choices; choice && *choice; choice++, between = " ")
        app_printf(app, "%s%s", between, *choice);
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

/* What stands for a word: choices, or what the system of the folder says. */
static void print_words(const struct app *app, const struct command_info *command)
{
    if (command->choices)
        print_choices(app, command);
    else if (command->word_kind == WORD_COMMAND)
        print_commands(app);
    else if (command->word_kind == WORD_SERVICE)
        app_printf(app, "$(" SERVICES ")");
}

/* The options of all commands, each once. */
static const struct option_info *next_option(const struct command_info **command, unsigned *index)
{
    for (; (*command)->name; (*command)++, *index = 0) {
        const struct option_info *const *options = (*command)->options;

        if (options && options[*index])
            return options[(*index)++];
    }
    return NULL;
}

static bool seen_before(const struct option_info *option, const struct command_info *end, unsigned end_index)
{
    const struct command_info *command = COMMANDS;
    const struct option_info *other;
    unsigned index = 0;

    while ((other = next_option(&command, &index)) != NULL && (command != end || index < end_index))
        if (other == option)
            return true;
    return false;
}

/* --- bash, which zsh understands too ----------------------------------------------------------------------------- */

static void print_value_case(const struct app *app, const struct option_info *option)
{
    app_printf(app, "    %s%c%s--%s) ", option->letter ? "-" : "", option->letter ? option->letter : ' ',
               option->letter ? "|" : "", option->name);
    switch (option->kind) {
    case VALUE_FILE: app_printf(app, "COMPREPLY=($(compgen -f -- \"$word\"))"); break;
    case VALUE_FOLDER: app_printf(app, "COMPREPLY=($(compgen -d -- \"$word\"))"); break;
    case VALUE_CHOICE:
        app_printf(app, "COMPREPLY=($(compgen -W \"");
        print_alternatives(app, option->value_name);
        app_printf(app, "\" -- \"$word\"))");
        break;
    case VALUE_TEXT: app_printf(app, ":"); break;
    }
    app_printf(app, "; return ;;\n");
}

static void print_command_case(const struct app *app, const struct command_info *command)
{
    app_printf(app, "    %s) words=\"", command->name);
    print_words(app, command);
    for (const struct option_info *const *option = command->options; option && *option; option++)
        app_printf(app, " --%s", (*option)->name);
    app_printf(app, " --help\" ;;\n");
}

static void complete_bash(const struct app *app)
{
    const struct command_info *command = COMMANDS;
    const struct option_info *option;
    unsigned index = 0;

    app_printf(app, "_weft()\n{\n    local word=\"${COMP_WORDS[COMP_CWORD]}\" words=\"");
    print_commands(app);
    app_printf(app, "\"\n    COMPREPLY=()\n    case ${COMP_WORDS[COMP_CWORD-1]} in\n");
    while ((option = next_option(&command, &index)) != NULL)
        if (option->value_name && !seen_before(option, command, index))
            print_value_case(app, option);
    app_printf(app, "    esac\n    [ \"$COMP_CWORD\" -eq 1 ] || case ${COMP_WORDS[1]} in\n");
    for (command = COMMANDS; command->name; command++)
        if (!command->hidden)
            print_command_case(app, command);
    app_printf(app, "    esac\n    COMPREPLY=($(compgen -W \"$words\" -- \"$word\"))\n}\ncomplete -F _weft weft\n");
}

/* --- fish ----------------------------------------------------------------------------------------------------------
 */

static void print_quoted(const struct app *app, const char *text)
{
    app_printf(app, "'");
    for (; *text; text++)
        app_printf(app, "%s%c", *text == '\'' || *text == '\\' ? "\\" : "", *text);
    app_printf(app, "'");
}

static void print_fish_option(const struct app *app, const struct command_info *command,
                              const struct option_info *option)
{
    app_printf(app, "complete -c weft -n '__fish_seen_subcommand_from %s' -l %s", command->name, option->name);
    if (option->letter)
        app_printf(app, " -s %c", option->letter);
    if (option->value_name)
        app_printf(app, option->kind == VALUE_FILE || option->kind == VALUE_FOLDER ? " -r -F" : " -x");
    if (option->kind == VALUE_CHOICE) {
        app_printf(app, " -a '");
        print_alternatives(app, option->value_name);
        app_printf(app, "'");
    }
    app_printf(app, " -d ");
    print_quoted(app, option->about);
    app_printf(app, "\n");
}

static void print_fish_words(const struct app *app, const struct command_info *command)
{
    if (!command->choices && command->word_kind == WORD_ANY)
        return;
    app_printf(app, "complete -c weft -n '__fish_seen_subcommand_from %s' -a ", command->name);
    if (!command->choices && command->word_kind == WORD_SERVICE) {
        app_printf(app, "\"(" SERVICES ")\"\n");
        return;
    }
    app_printf(app, "'");
    print_words(app, command);
    app_printf(app, "'\n");
}

static void complete_fish(const struct app *app)
{
    app_printf(app, "complete -c weft -f\n");
    for (const struct command_info *command = COMMANDS; command->name; command++) {
        if (command->hidden)
            continue;
        app_printf(app, "complete -c weft -n __fish_use_subcommand -a %s -d ", command->name);
        print_quoted(app, command->about);
        app_printf(app, "\n");
        print_fish_words(app, command);
        for (const struct option_info *const *option = command->options; option && *option; option++)
            print_fish_option(app, command, *option);
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
        app_printf(app, "autoload -U +X compinit && compinit\nautoload -U +X bashcompinit && bashcompinit\n");
    complete_bash(app);
    return EXIT_DONE;
}
