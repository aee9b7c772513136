/* app/arguments.h - the command line, read by the table of commands. Pure.
 *
 * Options may stand anywhere behind the command: --name VALUE, --name=VALUE, -n VALUE, -nVALUE; a flag (an option
 * without value) is --name or -n, and letters of flags may stand together (-fo json); -- ends the options. --help and
 * -h are understood by every command.
 */
#ifndef WEFT_APP_ARGUMENTS_H
#define WEFT_APP_ARGUMENTS_H

#include "app/app.h"

#define ARGUMENT_WORDS_MAX 64 /* no command takes more; a bound of the table, not of the user */
#define ARGUMENT_OPTIONS_MAX 64

enum output_format { OUTPUT_TABLE, OUTPUT_JSON };

/* What may stand for a value, for completion. */
enum value_kind {
    VALUE_TEXT,
    VALUE_FILE,
    VALUE_FOLDER,
    VALUE_CHOICE, /* value_name lists them: "json|table" */
};

struct option_info {
    const char *name;       /* without the hyphens */
    char letter;            /* 0: none */
    const char *value_name; /* NULL: a flag */
    const char *about;
    enum value_kind kind;
    bool repeated;                   /* may be given several times; else the last one counts */
    int (*check)(const char *value); /* -EINVAL: not such a value; NULL: anything but nothing */
};

struct option_taken {
    const struct option_info *option;
    const char *value; /* NULL: a flag */
};

/* What was asked for. Texts are those of argv. */
struct invocation {
    const struct command_info *command;
    bool help;
    struct option_taken options[ARGUMENT_OPTIONS_MAX];
    unsigned option_count;
    const char *words[ARGUMENT_WORDS_MAX];
    unsigned word_count;
};

/* What words of a command name, for completion by the running system or the file. */
enum word_kind {
    WORD_ANY,
    WORD_SERVICE,
    WORD_COMMAND,
};

struct command_info {
    const char *name;
    const char *about; /* one line */
    const char *words; /* as in the usage: "services|endpoints" */
    unsigned words_min, words_max;
    enum word_kind word_kind;
    const struct option_info *const *options; /* ends with NULL; NULL: none */
    const char *const *choices;               /* of the first word, ends with NULL; NULL: anything */
    const char *more;                         /* paragraphs for its help; NULL: nothing to add */
    const char *examples;                     /* lines for its help and manual page; NULL: none */
    bool hidden;
    int (*run)(struct app *app, const struct invocation *invocation); /* enum exit_code */
};

/* 0, or -EINVAL with what is wrong in *error. `commands` ends with an entry without a name. */
int arguments_parse(const struct command_info *commands, int argc, const char *const *argv, struct invocation *ret,
                    struct fault *error) MUST_CHECK;

const struct command_info *arguments_command(const struct command_info *commands, const char *name); /* NULL */

/* The last value of the option, or NULL. */
const char *invocation_value(const struct invocation *invocation, const struct option_info *option);
bool invocation_given(const struct invocation *invocation, const struct option_info *option);

/* The value of the option that was given as the index-th one (from 0) of its kind; NULL: there are no more. */
const char *invocation_repeated(const struct invocation *invocation, const struct option_info *option, unsigned index);

enum output_format invocation_format(const struct invocation *invocation);

extern const struct option_info OPTION_FILE, OPTION_DIR, OPTION_FORMAT;

#endif
