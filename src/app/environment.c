#include "app/environment.h"

#include "base/alloc.h"

#include <stdio.h>

bool environment_variable(void *user, struct bytes name, struct bytes *ret)
{
    const struct environment *environment = user;
    const char *value = app_variable(environment->app, name);

    if (!value)
        return dotenv_find(&environment->file, name, ret);
    *ret = bytes_of_text(value);
    return true;
}

int environment_take(struct environment *environment, const char *file, struct bytes text, struct arena *arena,
                     struct fault_list *faults)
{
    const struct conf_source source = { .variable = environment_variable, .user = environment };

    return dotenv_read(file, text, &source, arena, faults, &environment->file);
}

/* --- of a service ---------------------------------------------------------------------------------------------------
 */

struct list {
    const char **entries;
    size_t count;
};

static bool is_set(const struct list *list, struct bytes name)
{
    for (size_t i = 0; i < list->count; i++) {
        struct bytes entry = bytes_of_text(list->entries[i]);

        if (bytes_starts(entry, name) && entry.len > name.len && entry.data[name.len] == '=')
            return true;
    }
    return false;
}

static int add_file(struct list *list, const struct dotenv *file, struct arena *arena)
{
    for (size_t i = file->count; i-- > 0;) {
        const struct dotenv_entry *entry = &file->entries[i];
        struct bytes both;

        if (is_set(list, entry->name))
            continue;
        if (arena_format(arena, &both, BYTES_FMT "=" BYTES_FMT, BYTES_ARG(entry->name), BYTES_ARG(entry->value)) < 0)
            return -ENOMEM;
        list->entries[list->count++] = both.data;
    }
    return 0;
}

static int read_file(struct environment *environment, const struct control_service *service, const char *path,
                     struct arena *arena, struct fault_list *faults, struct dotenv *ret)
{
    const struct conf_source source = { .variable = environment_variable, .user = environment };
    struct io *io = environment->app->io;
    struct bytes text;
    struct fault *fault;
    int r = io->ops->file_read(io, path, CONF_TEXT_MAX, &text);

    if (r < 0) {
        fault = fault_list_add(faults);
        fault_set(fault, "services." BYTES_FMT ".env-file: %s can't be read: %s", BYTES_ARG(service->name), path,
                  app_reason(r));
        fault_at(fault, service->place.file, service->place.line, service->place.column);
        return r == -ENOMEM ? r : -EINVAL;
    }
    r = dotenv_read(path, text, &source, arena, faults, ret);
    mem_free((void *)(uintptr_t)text.data);
    return r;
}

static int path_of(struct bytes name, const char *folder, char memory[FILE_PATH_MAX])
{
    bool plain = bytes_starts(name, BYTES("/")) || strcmp(folder, ".") == 0;
    int len = snprintf(memory, FILE_PATH_MAX, "%s%s" BYTES_FMT, plain ? "" : folder, plain ? "" : "/", BYTES_ARG(name));

    return len < 0 || len >= FILE_PATH_MAX ? -ENAMETOOLONG : 0;
}

static int read_files(struct environment *environment, const struct control_service *service, const char *folder,
                      struct arena *arena, struct fault_list *faults, struct dotenv *files)
{
    const struct bytes *names = service->env_files.items;
    int r = 0;

    for (size_t i = 0; i < service->env_files.count && r != -ENOMEM; i++) {
        char path[FILE_PATH_MAX];
        int one = path_of(names[i], folder, path);

        if (one == 0)
            one = read_file(environment, service, path, arena, faults, &files[i]);
        r = one < 0 ? one : r;
    }
    return r;
}

int environment_of(struct environment *environment, const struct control_service *service, const char *folder,
                   struct arena *arena, struct fault_list *faults, const char *const **ret)
{
    struct dotenv files[CONTROL_ENV_FILES_MAX] = { 0 };
    struct list list = { 0 };
    size_t room = 1;
    int r = read_files(environment, service, folder, arena, faults, files);

    if (r < 0)
        return r;
    for (const char *const *at = service->environment; at && *at; at++)
        room++;
    for (size_t i = 0; i < service->env_files.count; i++)
        room += files[i].count;
    list.entries = arena_zalloc(arena, room * sizeof(*list.entries));
    if (!list.entries)
        return -ENOMEM;
    for (const char *const *at = service->environment; at && *at; at++)
        list.entries[list.count++] = *at;
    for (size_t i = service->env_files.count; r == 0 && i-- > 0;)
        r = add_file(&list, &files[i], arena);
    if (r == 0)
        *ret = list.entries;
    return r;
}
