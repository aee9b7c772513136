#include "app/arguments.h"

#define SUGGEST_DISTANCE 2

static int take_file(struct invocation *invocation, const char *value)
{
    invocation->file = value;
    return value[0] ? 0 : -EINVAL;
}

static int take_dir(struct invocation *invocation, const char *value)
{
    invocation->dir = value;
    return value[0] ? 0 : -EINVAL;
}

static int take_format(struct invocation *invocation, const char *value)
{
    if (strcmp(value, "json") == 0)
        invocation->format = OUTPUT_JSON;
    else if (strcmp(value, "table") == 0)
        invocation->format = OUTPUT_TABLE;
    else
        return -EINVAL;
    return 0;
}

const struct option_info OPTION_FILE = { "file", 'f', "FILE", "the system's file (weft.yaml)", take_file };
const struct option_info OPTION_DIR = { "dir", 0, "DIR", "where .weft/ is (the file's folder)", take_dir };
const struct option_info OPTION_FORMAT = { "output", 'o', "json|table", "how to print (table)", take_format };

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

/* The option that argument names; its value, if it stands in the same argument, else NULL. */
static const struct option_info *find_option(const struct command_info *command, const char *argument,
                                             const char **ret_value)
{
    struct bytes name = bytes_of_text(argument);

    for (const struct option_info *const *at = command->options; at && *at; at++) {
        const struct option_info *option = *at;
        size_t len = strlen(option->name);

        if (option->letter && argument[1] == option->letter) {
            *ret_value = argument[2] ? argument + 2 : NULL;
            return option;
        }
        if (name.len >= len + 2 && argument[1] == '-' && memcmp(argument + 2, option->name, len) == 0 &&
            (argument[len + 2] == '=' || !argument[len + 2])) {
            *ret_value = argument[len + 2] ? argument + len + 3 : NULL;
            return option;
        }
    }
    return NULL;
}

/* Takes the option at argv[*at], and its value. */
static int take_option(struct invocation *invocation, int argc, const char *const *argv, int *at, struct fault *error)
{
    const char *argument = argv[*at], *value = NULL;
    const struct command_info *command = invocation->command;
    const struct option_info *option;

    if (strcmp(argument, "--help") == 0 || strcmp(argument, "-h") == 0) {
        invocation->help = true;
        return 0;
    }
    option = find_option(command, argument, &value);
    if (!option) {
        fault_set(error, "%s: there is no option %s", command->name, argument);
        fault_hint(error, "weft help %s lists them", command->name);
        return -EINVAL;
    }
    if (!value && *at + 1 < argc)
        value = argv[++*at];
    if (!value || option->take(invocation, value) < 0) {
        fault_set(error, "%s: --%s wants %s", command->name, option->name, option->value_name);
        if (value)
            fault_hint(error, "not '%s'", value);
        return -EINVAL;
    }
    return 0;
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
