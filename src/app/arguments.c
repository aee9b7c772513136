#include "app/arguments.h"

#define SUGGEST_DISTANCE 2

static int check_format(const char *value)
{
    return strcmp(value, "json") == 0 || strcmp(value, "table") == 0 ? 0 : -EINVAL;
}

const struct option_info OPTION_FILE = {
    .name = "file", .letter = 'f', .value_name = "FILE", .about = "the system's file (weft.yaml)", .kind = VALUE_FILE
};
const struct option_info OPTION_DIR = {
    .name = "dir", .value_name = "DIR", .about = "where .weft/ is (the file's folder)", .kind = VALUE_FOLDER
};
const struct option_info OPTION_FORMAT = { .name = "output",
                                           .letter = 'o',
                                           .value_name = "json|table",
                                           .about = "how to print (table)",
                                           .kind = VALUE_CHOICE,
                                           .check = check_format };

const char *invocation_repeated(const struct invocation *invocation, const struct option_info *option, unsigned index)
{
    for (unsigned i = 0; i < invocation->option_count; i++)
        if (invocation->options[i].option == option && index-- == 0)
            return invocation->options[i].value;
    return NULL;
}

bool invocation_given(const struct invocation *invocation, const struct option_info *option)
{
    for (unsigned i = 0; i < invocation->option_count; i++)
        if (invocation->options[i].option == option)
            return true;
    return false;
}

const char *invocation_value(const struct invocation *invocation, const struct option_info *option)
{
    const char *value = NULL;

    for (unsigned i = 0; i < invocation->option_count; i++)
        if (invocation->options[i].option == option)
            value = invocation->options[i].value;
    return value;
}

enum output_format invocation_format(const struct invocation *invocation)
{
    const char *value = invocation_value(invocation, &OPTION_FORMAT);

    return value && strcmp(value, "json") == 0 ? OUTPUT_JSON : OUTPUT_TABLE;
}

const struct command_info *arguments_command(const struct command_info *commands, const char *name)
{
    for (; commands->name; commands++)
        if (strcmp(commands->name, name) == 0)
            return commands;
    return NULL;
}

static void suggest_command(const struct command_info *commands, const char *name, struct fault *error)
{
    const char *best = NULL;
    unsigned best_distance = SUGGEST_DISTANCE + 1;

    for (; commands->name; commands++) {
        unsigned distance = bytes_distance(bytes_of_text(name), bytes_of_text(commands->name), SUGGEST_DISTANCE);

        if (!commands->hidden && distance < best_distance) {
            best = commands->name;
            best_distance = distance;
        }
    }
    if (best)
        fault_hint(error, "did you mean %s?", best);
    else
        fault_hint(error, "weft help lists them");
}

static const struct option_info *find_letter(const struct command_info *command, char letter)
{
    for (const struct option_info *const *at = command->options; at && *at; at++)
        if ((*at)->letter && (*at)->letter == letter)
            return *at;
    return NULL;
}

/* "--name" or "--name=VALUE"; the value, if it is there, else NULL. */
static const struct option_info *find_name(const struct command_info *command, const char *argument,
                                           const char **ret_value)
{
    for (const struct option_info *const *at = command->options; at && *at; at++) {
        size_t len = strlen((*at)->name);

        if (strncmp(argument + 2, (*at)->name, len) != 0 || (argument[len + 2] && argument[len + 2] != '='))
            continue;
        *ret_value = argument[len + 2] ? argument + len + 3 : NULL;
        return *at;
    }
    return NULL;
}

static int keep_option(struct invocation *invocation, const struct option_info *option, const char *value,
                       struct fault *error)
{
    const char *command = invocation->command->name;

    if (!option->value_name && value) {
        fault_set(error, "%s: --%s takes no value", command, option->name);
        return -EINVAL;
    }
    if (option->value_name && (!value || !value[0] || (option->check && option->check(value) < 0))) {
        fault_set(error, "%s: --%s wants %s", command, option->name, option->value_name);
        if (value)
            fault_hint(error, "not '%s'", value);
        return -EINVAL;
    }
    if (invocation->option_count == ARGUMENT_OPTIONS_MAX) {
        fault_set(error, "%s: more than %d options", command, ARGUMENT_OPTIONS_MAX);
        return -EINVAL;
    }
    invocation->options[invocation->option_count++] = (struct option_taken){ option, value };
    return 0;
}

static int no_option(const struct invocation *invocation, const char *argument, struct fault *error)
{
    fault_set(error, "%s: there is no option %s", invocation->command->name, argument);
    fault_hint(error, "weft help %s lists them", invocation->command->name);
    return -EINVAL;
}

/* The letters of argv[*at], one after the other: flags, and at last perhaps one with a value. */
static int take_letters(struct invocation *invocation, int argc, const char *const *argv, int *at, struct fault *error)
{
    const char *argument = argv[*at];

    for (const char *letter = argument + 1; *letter; letter++) {
        const struct option_info *option = find_letter(invocation->command, *letter);
        const char *value = NULL;
        int r;

        if (*letter == 'h' && !option) {
            invocation->help = true;
            continue;
        }
        if (!option)
            return no_option(invocation, argument, error);
        if (option->value_name)
            value = letter[1] ? letter + 1 : *at + 1 < argc ? argv[++*at] : NULL;
        r = keep_option(invocation, option, value, error);
        if (r < 0 || option->value_name)
            return r;
    }
    return 0;
}

/* Takes the option at argv[*at], and its value. */
static int take_option(struct invocation *invocation, int argc, const char *const *argv, int *at, struct fault *error)
{
    const char *argument = argv[*at], *value = NULL;
    const struct option_info *option;

    if (argument[1] != '-')
        return take_letters(invocation, argc, argv, at, error);
    if (strcmp(argument, "--help") == 0) {
        invocation->help = true;
        return 0;
    }
    option = find_name(invocation->command, argument, &value);
    if (!option)
        return no_option(invocation, argument, error);
    if (option->value_name && !value && *at + 1 < argc)
        value = argv[++*at];
    return keep_option(invocation, option, value, error);
}

static int check_words(const struct invocation *invocation, struct fault *error)
{
    const struct command_info *command = invocation->command;
    const char *const *choice = command->choices;

    if (invocation->help)
        return 0;
    if (invocation->word_count < command->words_min) {
        fault_set(error, "%s: wants %s", command->name, command->words);
        fault_hint(error, "weft help %s tells how", command->name);
        return -EINVAL;
    }
    if (!choice || invocation->word_count == 0)
        return 0;
    for (; *choice; choice++)
        if (strcmp(*choice, invocation->words[0]) == 0)
            return 0;
    fault_set(error, "%s: there is no '%s'", command->name, invocation->words[0]);
    fault_hint(error, "one of %s", command->words);
    return -EINVAL;
}

static int take_word(struct invocation *invocation, const char *word, struct fault *error)
{
    const struct command_info *command = invocation->command;

    if (invocation->word_count >= command->words_max) {
        fault_set(error, "%s: '%s' is one word too many", command->name, word);
        fault_hint(error, "weft help %s tells how", command->name);
        return -EINVAL;
    }
    invocation->words[invocation->word_count++] = word;
    return 0;
}

static int find_command(const struct command_info *commands, int argc, const char *const *argv, struct invocation *into,
                        struct fault *error)
{
    const char *name = argc > 1 ? argv[1] : "help";

    if (strcmp(name, "--help") == 0 || strcmp(name, "-h") == 0)
        name = "help";
    else if (strcmp(name, "--version") == 0)
        name = "version";
    into->command = arguments_command(commands, name);
    if (into->command)
        return 0;
    fault_set(error, "there is no command '%s'", name);
    suggest_command(commands, name, error);
    return -EINVAL;
}

int arguments_parse(const struct command_info *commands, int argc, const char *const *argv, struct invocation *ret,
                    struct fault *error)
{
    struct invocation invocation = { .command = NULL };
    bool options_ended = false;
    int r = find_command(commands, argc, argv, &invocation, error);

    for (int i = 2; r == 0 && i < argc; i++) {
        if (!options_ended && strcmp(argv[i], "--") == 0)
            options_ended = true;
        else if (!options_ended && argv[i][0] == '-' && argv[i][1])
            r = take_option(&invocation, argc, argv, &i, error);
        else
            r = take_word(&invocation, argv[i], error);
    }
    if (r == 0)
        r = check_words(&invocation, error);
    if (r == 0)
        *ret = invocation;
    return r;
}
