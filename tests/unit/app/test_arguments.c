#include "app/commands.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

#define WORDS_MAX 12

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
    { "up -f a.yaml -f b.yaml", "up file=b.yaml" },
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
    { "get", "! get: wants services|endpoints|routes|traffic (weft help get tells how)" },
    { "get services", "get services" },
    { "get endpoints -o json", "get endpoints json" },
    { "get -o table endpoints", "get endpoints" },
    { "get services -o yaml", "! get: --output wants json|table (not 'yaml')" },
    { "get -- services", "get services" },
    { "get service", "! get: there is no 'service' (one of services|endpoints|routes|traffic)" },
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
    if (invocation_given(invocation, &OPTION_FILE))
        text_add_format(text, " file=%s", invocation_value(invocation, &OPTION_FILE));
    if (invocation_given(invocation, &OPTION_DIR))
        text_add_format(text, " dir=%s", invocation_value(invocation, &OPTION_DIR));
    if (invocation_format(invocation) == OUTPUT_JSON)
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

/* --- flags, repeated options, words: of a command of the test's own --------------------------------------- */

static const struct option_info FLAG = { .name = "follow", .letter = 'F', .about = "go on" };
static const struct option_info SILENT = { .name = "silent", .letter = 's', .about = "say nothing" };
static const struct option_info FIELD = {
    .name = "header", .letter = 'H', .value_name = "FIELD", .about = "a field", .repeated = true
};
static const struct option_info *const OWN_OPTIONS[] = { &FLAG, &SILENT, &FIELD, &OPTION_FORMAT, NULL };

static int run_nothing(struct app *app, const struct invocation *invocation)
{
    return EXIT_DONE;
}

static const struct command_info OWN[] = { { .name = "try",
                                             .about = "a command of the test",
                                             .words = "WORD...",
                                             .words_max = ARGUMENT_WORDS_MAX,
                                             .options = OWN_OPTIONS,
                                             .run = run_nothing },
                                           { .name = NULL } };

static const struct {
    const char *line, *result;
} OWN_ROWS[] = {
    { "try", "" },
    { "try --follow", "follow" },
    { "try -F a -s", "follow silent a" },
    { "try -sF", "follow silent" },
    { "try -sFo json a b c", "follow silent json a b c" },
    { "try -Fojson", "follow json" },
    { "try --follow=yes", "! try: --follow takes no value" },
    { "try --follows", "! try: there is no option --follows (weft help try lists them)" },
    { "try --follo", "! try: there is no option --follo (weft help try lists them)" },
    { "try -Fx", "! try: there is no option -Fx (weft help try lists them)" },
    { "try -H a:1 --header b:2 --header=c:3", "[a:1][b:2][c:3]" },
    { "try -Ha:1 -sH b:2", "silent [a:1][b:2]" },
    { "try -H", "! try: --header wants FIELD" },
    { "try -sh", "silent help" },
};

static void describe_own(struct text *text, const struct invocation *invocation)
{
    const char *value;

    if (invocation_given(invocation, &FLAG))
        text_add_format(text, " follow");
    if (invocation_given(invocation, &SILENT))
        text_add_format(text, " silent");
    if (invocation_format(invocation) == OUTPUT_JSON)
        text_add_format(text, " json");
    for (unsigned i = 0; (value = invocation_repeated(invocation, &FIELD, i)); i++)
        text_add_format(text, "%s[%s]", i == 0 ? " " : "", value);
    for (unsigned i = 0; i < invocation->word_count; i++)
        text_add_format(text, " %s", invocation->words[i]);
    if (invocation->help)
        text_add_format(text, " help");
}

static void flags_and_repeated_options_are_read(void **state)
{
    for (size_t i = 0; i < ARRAY_LEN(OWN_ROWS); i++) {
        const char *argv[WORDS_MAX];
        char line[128], memory[512];
        struct text text = text_into(memory, sizeof(memory));
        struct invocation invocation;
        struct fault fault = { 0 };
        int argc;

        memcpy(line, OWN_ROWS[i].line, strlen(OWN_ROWS[i].line) + 1);
        argc = split(line, argv);
        text_add_char(&text, ' ');
        if (arguments_parse(OWN, argc, argv, &invocation, &fault) < 0) {
            text_add(&text, BYTES("! "));
            text.len += fault_write(&fault, memory + 3, sizeof(memory) - 3);
        } else {
            text.len = 0;
            describe_own(&text, &invocation);
        }
        if (!bytes_equal(bytes_skip(text_bytes(&text), MIN(text.len, (size_t)1)), bytes_of_text(OWN_ROWS[i].result)))
            fail_msg("%s: " BYTES_FMT, OWN_ROWS[i].line, BYTES_ARG(text_bytes(&text)));
    }
}

/* ARGUMENT_OPTIONS_MAX and ARGUMENT_WORDS_MAX. */
static void there_is_an_end_of_arguments(void **state)
{
    const char *argv[2 + ARGUMENT_WORDS_MAX + 1] = { "weft", "try" };
    struct invocation invocation;
    struct fault fault = { 0 };

    for (int i = 0; i <= ARGUMENT_WORDS_MAX; i++)
        argv[2 + i] = "word";
    assert_int_equal(arguments_parse(OWN, 2 + ARGUMENT_WORDS_MAX, argv, &invocation, &fault), 0);
    assert_int_equal(arguments_parse(OWN, 3 + ARGUMENT_WORDS_MAX, argv, &invocation, &fault), -EINVAL);
    assert_string_equal(fault.what, "try: 'word' is one word too many");
    for (int i = 0; i <= ARGUMENT_OPTIONS_MAX; i++)
        argv[2 + i] = "-F";
    assert_int_equal(arguments_parse(OWN, 2 + ARGUMENT_OPTIONS_MAX, argv, &invocation, &fault), 0);
    assert_int_equal(arguments_parse(OWN, 3 + ARGUMENT_OPTIONS_MAX, argv, &invocation, &fault), -EINVAL);
    assert_string_equal(fault.what, "try: more than 64 options");
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
        struct invocation invocation = { .command = NULL };
        struct place place;

        if (PLACES[i].file)
            invocation.options[invocation.option_count++] = (struct option_taken){ &OPTION_FILE, PLACES[i].file };
        if (PLACES[i].dir)
            invocation.options[invocation.option_count++] = (struct option_taken){ &OPTION_DIR, PLACES[i].dir };

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
        cmocka_unit_test(flags_and_repeated_options_are_read),
        cmocka_unit_test(there_is_an_end_of_arguments),
        cmocka_unit_test(the_table_is_sound),
        cmocka_unit_test(places_are_found),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
