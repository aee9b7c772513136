/* app/arguments.h - the command line, read by the table of commands. Pure.
 *
 * Options may stand anywhere behind the command: --name VALUE, --name=VALUE, -n VALUE, -nVALUE; -- ends them.
 * --help and -h are understood by every command.
 */
#ifndef WEFT_APP_ARGUMENTS_H
#define WEFT_APP_ARGUMENTS_H

#include "app/app.h"

#define ARGUMENT_WORDS_MAX 4 /* no command takes more; a bound of the table, not of the user */

enum output_format { OUTPUT_TABLE, OUTPUT_JSON };

/* What was asked for. Texts are those of argv. */
struct invocation {
    const struct command_info *command;
    const char *file; /* -f; NULL: weft.yaml */
    const char *dir;  /* --dir; NULL: where the file is */
    enum output_format format;
    bool help;
    const char *words[ARGUMENT_WORDS_MAX];
    unsigned word_count;
};

struct option_info {
    const char *name; /* without the hyphens */
    char letter;      /* 0: none */
    const char *value_name;
    const char *about;
    int (*take)(struct invocation *invocation, const char *value); /* -EINVAL: not such a value */
};

struct command_info {
    const char *name;
    const char *about; /* one line */
    const char *words; /* as in the usage: "services|endpoints" */
    unsigned words_min, words_max;
    const struct option_info *const *options; /* ends with NULL; NULL: none */
    const char *const *choices;               /* of the first word, ends with NULL; NULL: anything */
    const char *more;                         /* paragraphs for its help; NULL: nothing to add */
    bool hidden;
    int (*run)(struct app *app, const struct invocation *invocation); /* enum exit_code */
};

/* 0, or -EINVAL with what is wrong in *error. `commands` ends with an entry without a name. */
int arguments_parse(const struct command_info *commands, int argc, const char *const *argv, struct invocation *ret,
                    struct fault *error) MUST_CHECK;

const struct command_info *arguments_command(const struct command_info *commands, const char *name); /* NULL */

extern const struct option_info OPTION_FILE, OPTION_DIR, OPTION_FORMAT;

#endif
