#include "app/commands.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

#define WORDS_MAX 8

/* A command line, and what comes of it: "command word... file= dir= json help", or "! what is wrong (hint)". */
static const struct {
    const char *line, *result;
} ROWS[] = {
    { "", "help" },
    { "help", "help" },
    { "--help", "help" },
    { "-h", "help" },
    { "--version", "version" },
    { "help up", "help up" },
    { "help up down", "! help: 'down' is one word too many (weft help help tells how)" },
    { "up", "up" },
    { "up -f a.yaml", "up file=a.yaml" },
    { "up -fa.yaml", "up file=a.yaml" },
    { "up --file a.yaml --dir d", "up file=a.yaml dir=d" },
    { "up --file=a.yaml --dir=d", "up file=a.yaml dir=d" },
    { "up --file= ", "! up: --file wants FILE (not '')" },
    { "up -f", "! up: --file wants FILE" },
    { "up -h", "up help" },
    { "up --help", "up help" },
    { "get --help", "get help" },
    { "up --fil a", "! up: there is no option --fil (weft help up lists them)" },
    { "up --files a", "! up: there is no option --files (weft help up lists them)" },
    { "up -x", "! up: there is no option -x (weft help up lists them)" },
    { "up x", "! up: 'x' is one word too many (weft help up tells how)" },
    { "up -- -f", "! up: '-f' is one word too many (weft help up tells how)" },
    { "get", "! get: wants services|endpoints (weft help get tells how)" },
    { "get services", "get services" },
    { "get endpoints -o json", "get endpoints json" },
    { "get -o table endpoints", "get endpoints" },
    { "get services -o yaml", "! get: --output wants json|table (not 'yaml')" },
    { "get -- services", "get services" },
    { "get service", "! get: there is no 'service' (one of services|endpoints)" },
    { "check --dir d", "! check: there is no option --dir (weft help check lists them)" },
    { "schema -f x", "! schema: there is no option -f (weft help schema lists them)" },
    { "completion csh", "! completion: there is no 'csh' (one of bash|zsh|fish)" },
    { "dwon", "! there is no command 'dwon' (did you mean down?)" },
    { "serv", "! there is no command 'serv' (weft help lists them)" },
    { "something", "! there is no command 'something' (weft help lists them)" },
    { "serve", "serve" },
};

static int split(char *line, const char **argv)
{
    int argc = 0;

    argv[argc++] = "weft";
    for (char *at = line; *at;) {
        char *end = strchr(at, ' ');

        assert_true(argc < WORDS_MAX);
        argv[argc++] = at;
        if (!end)
            break;
        *end = '\0';
        at = end + 1;
    }
    return argc;
}

static void describe(struct text *text, const struct invocation *invocation)
{
    text_add(text, bytes_of_text(invocation->command->name));
    for (unsigned i = 0; i < invocation->word_count; i++)
        text_add_format(text, " %s", invocation->words[i]);
    if (invocation->file)
        text_add_format(text, " file=%s", invocation->file);
    if (invocation->dir)
        text_add_format(text, " dir=%s", invocation->dir);
    if (invocation->format == OUTPUT_JSON)
        text_add_format(text, " json");
    if (invocation->help)
        text_add_format(text, " help");
}

static void lines_are_read(void **state)
{
    for (size_t i = 0; i < ARRAY_LEN(ROWS); i++) {
        const char *argv[WORDS_MAX];
        char line[128], memory[512];
        struct text text = text_into(memory, sizeof(memory));
        struct invocation invocation;
        struct fault fault = { 0 };
        int argc;

        memcpy(line, ROWS[i].line, strlen(ROWS[i].line) + 1);
        argc = split(line, argv);
        if (arguments_parse(COMMANDS, argc, argv, &invocation, &fault) < 0) {
            text_add(&text, BYTES("! "));
            text.len += fault_write(&fault, memory + 2, sizeof(memory) - 2);
        } else
            describe(&text, &invocation);
        if (!bytes_equal(text_bytes(&text), bytes_of_text(ROWS[i].result)))
            fail_msg("%s: " BYTES_FMT, ROWS[i].line, BYTES_ARG(text_bytes(&text)));
    }
}

static void the_table_is_sound(void **state)
{
    for (const struct command_info *command = COMMANDS; command->name; command++) {
        assert_ptr_equal(arguments_command(COMMANDS, command->name), command); /* no name twice */
        assert_non_null(command->run);
        assert_true(command->about && command->about[0]);
        assert_true(command->words_max <= ARGUMENT_WORDS_MAX && command->words_min <= command->words_max);
        assert_int_equal(command->words_max > 0, command->words != NULL);
    }
}

static const struct {
    const char *file, *dir, *folder, *state, *socket;
} PLACES[] = {
    { NULL, NULL, ".", ".weft", ".weft/control.sock" },
    { "weft.yaml", NULL, ".", ".weft", ".weft/control.sock" },
    { "a/b.yaml", NULL, "a", "a/.weft", "a/.weft/control.sock" },
    { "/a/b/c.yaml", NULL, "/a/b", "/a/b/.weft", "/a/b/.weft/control.sock" },
    { "a/b.yaml", "d", "a", "d/.weft", "d/.weft/control.sock" },
    { "/b.yaml", NULL, "/", "//.weft", "//.weft/control.sock" },
};

static void places_are_found(void **state)
{
    for (size_t i = 0; i < ARRAY_LEN(PLACES); i++) {
        const struct invocation invocation = { .file = PLACES[i].file, .dir = PLACES[i].dir };
        struct place place;

        assert_int_equal(place_find(&invocation, &place), 0);
        assert_string_equal(place.folder, PLACES[i].folder);
        assert_string_equal(place.state, PLACES[i].state);
        assert_string_equal(place.socket, PLACES[i].socket);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(lines_are_read),
        cmocka_unit_test(the_table_is_sound),
        cmocka_unit_test(places_are_found),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
