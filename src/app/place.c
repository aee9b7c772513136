#include "app/commands.h"

#include <stdio.h>

/* The folder of the path, as it is written: "." for a bare name. */
static int folder_of(const char *file, char *memory, size_t max)
{
    const char *slash = strrchr(file, '/');
    size_t len = slash ? MAX((size_t)(slash - file), (size_t)1) : 1;

    if (len >= max)
        return -ENAMETOOLONG;
    memcpy(memory, slash ? file : ".", len);
    memory[len] = '\0';
    return 0;
}

static int join(char *memory, size_t max, const char *folder, const char *name)
{
    bool here = strcmp(folder, ".") == 0;
    int len = snprintf(memory, max, "%s%s%s", here ? "" : folder, here ? "" : "/", name);

    return len < 0 || (size_t)len >= max ? -ENAMETOOLONG : 0;
}

int place_find(const struct invocation *invocation, struct place *ret)
{
    const char *file = invocation_value(invocation, &OPTION_FILE), *dir = invocation_value(invocation, &OPTION_DIR);
    struct place place = { .file = file ? file : "weft.yaml" };
    int r = folder_of(place.file, place.folder, sizeof(place.folder));

    if (r == 0 && dir)
        r = join(place.state, sizeof(place.state), dir, ".weft");
    else if (r == 0)
        r = join(place.state, sizeof(place.state), place.folder, ".weft");
    if (r == 0)
        r = join(place.socket, sizeof(place.socket), place.state, "control.sock");
    if (r == 0)
        *ret = place;
    return r;
}
