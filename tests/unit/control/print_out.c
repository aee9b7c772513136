/* Prints what the tables of weft.yaml say: "json", "markdown"; or "load": whether the text of stdin is accepted. */
#include "try.h"

#include "control/print.h"

#include <stdio.h>

static int print(struct conf_sink *sink, struct bytes part)
{
    return fwrite(part.data, 1, part.len, stdout) == part.len ? 0 : -1;
}

static int load(void)
{
    static char memory[CONF_TEXT_MAX];
    size_t len = fread(memory, 1, sizeof(memory), stdin);
    struct control_try *try = control_try(bytes_of(memory, len));
    int result = try->result;

    fputs(try->text, stdout);
    control_try_done(try);
    return result ? 1 : 0;
}

int main(int argc, char **argv)
{
    struct conf_sink sink = { .write = print };
    const char *what = argc > 1 ? argv[1] : "";

    if (strcmp(what, "load") == 0)
        return load();
    if (strcmp(what, "markdown") == 0)
        return control_print_reference(&STAGES, &sink) ? 2 : 0;
    return control_print_schema(&STAGES, &sink) ? 2 : 0;
}
